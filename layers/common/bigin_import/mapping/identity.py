"""What makes two imports of the same content the same work."""

from __future__ import annotations

import json
from dataclasses import asdict

from bigin_import.models import ColumnPlan, FieldMapping, Operation, PlannedColumn


def normalised_mapping(plan: ColumnPlan) -> str:
    """
    Return canonical JSON of what *plan* does with a given content: part of the content claim.

    It does not depend on the order of the mapping, on whether columns were named or counted,
    or on whether Bigin's metadata could be had. `ignore_empty` counts where records that exist
    are changed: dropping a file again to erase with it is other work.
    """
    request = plan.request
    columns = {column.api_name: column for column in plan.columns}
    work = {
        "module": request.module,
        "operation": request.operation,
        "find_by": request.find_by,
        "ignore_empty": request.ignore_empty or request.operation is Operation.INSERT,
        "fields": sorted(
            (_field(field, columns.get(field.api_name)) for field in request.field_mappings),
            key=lambda field: str(field["api_name"]),
        ),
    }
    return json.dumps(work, sort_keys=True, separators=(",", ":"))


def _field(field: FieldMapping, column: PlannedColumn | None) -> dict[str, object]:
    rule = asdict(column.rule) if column and column.rule else {}
    rule.pop("with_time", None)  # follows from the field's type, which metadata may not tell
    rule["values"] = sorted(rule.get("values", ()))
    return {
        "api_name": field.api_name,
        "source": column.source if column else None,
        "default_value": field.default_value,
        "find_by": field.find_by,
        "rule": rule,
    }
