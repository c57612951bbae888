"""
Ids of imports, and content claims: what makes two drops the same work (deduplication).
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.job_request import FieldMapping, Operation
from bigin_import.domain.plan import ColumnPlan, PlannedColumn


def import_id_of(source: ObjectVersion, take: int = 1) -> str:
    """Return the 26 characters that name the import of *source*: the same for every event of it."""
    return _digest(source.bucket, source.key, source.version_id, str(take))


def place_of(source: ObjectVersion) -> str:
    """Return the name of the key that *source* is a version of, fit for the table."""
    return _digest(source.bucket, source.key)


def claim_of(
    source: ObjectVersion, content_sha256: str, mapping: str, *, parent: str, force: str | None
) -> str:
    """
    Name the content of *source* together with what the mapping makes of it.

    Args:
        parent: The import whose rows it corrects: these are the same rows under whatever key.
    """
    return _digest(source.bucket, parent or source.key, content_sha256, mapping, force or "")


def _digest(*words: str) -> str:
    joined = "\0".join(words).encode()
    return base64.b32encode(hashlib.sha256(joined).digest()).decode().lower()[:26]


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
