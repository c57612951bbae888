"""
Ids of imports, and content claims: what makes two drops the same work (deduplication).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.job_request import FieldMapping, Operation
from bigin_import.domain.plan import ColumnPlan, PlannedColumn, ValueRule
from bigin_import.mapping.keys import RULE_KEYS


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
    rule = column.rule if column else None
    return {
        "api_name": field.api_name,
        "source": column.source if column else None,
        "default_value": field.default_value,
        "find_by": field.find_by,
        "rule": {"values": []} if rule is None else dict(_stated(rule)),
    }


def _stated(rule: ValueRule) -> Iterator[tuple[str, object]]:
    """
    Yield what a person asked for.

    What stands at its default is left out but for the keys of the first releases: a key that is
    added later must not make other work of files that were imported before there was one.
    """
    for key in RULE_KEYS:
        value = getattr(rule, key.place)
        if key.is_always_claimed or value != key.default:
            yield key.place, sorted(value) if key.is_dict else value
