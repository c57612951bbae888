"""
Ids of imports, and content claims: what makes two drops the same work (deduplication).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator

from bigin_import import object_keys
from bigin_import.domain.drop import NO_VERSION, ObjectVersion
from bigin_import.domain.job_request import FieldMapping, Operation
from bigin_import.domain.plan import ColumnPlan, PlannedColumn, ValueRule
from bigin_import.mapping.keys import RULE_KEYS
from bigin_import.mapping.model import MappedField, Mapping


def import_id_of(source: ObjectVersion, take: int = 1) -> str:
    """
    Return the 26 characters that name the import of *source*: the same for every event of it.

    Where the bucket keeps no versions, all that is ever written under a key is version "null",
    and the sequencer tells one from the next.
    """
    version = source.version_id
    if version == NO_VERSION and source.sequencer:
        version = f"{NO_VERSION} {source.sequencer}"
    return _digest(source.bucket, source.key, version, str(take))


def place_of(source: ObjectVersion) -> str:
    """Return the name of the key that *source* is a version of, fit for the table."""
    return _digest(source.bucket, source.key)


def file_name_of(source: ObjectVersion) -> str:
    """Return the name of all files that are called like *source*, fit for the table."""
    return _digest(source.bucket, object_keys.common_name(source.key))


def claim_of(
    source: ObjectVersion, cells_sha256: str, rules: str, *, parent: str, force: str | None
) -> str:
    """
    Name what the mapped cells of *source* say, together with what the mapping makes of them.

    Args:
        cells_sha256: Of `ContentLog`.
        rules: See `rules_of`.
        parent: The import whose rows it corrects: these are the same rows under whatever key.
    """
    return _digest(source.bucket, parent or source.key, cells_sha256, rules, force or "")


def claim_of_release_before(
    source: ObjectVersion, content_sha256: str, plan: ColumnPlan, *, parent: str, force: str | None
) -> str:
    """Name the same work as the release before did, by the bytes of the drop: it still counts."""
    mapping = normalised_mapping(plan)
    return _digest(source.bucket, parent or source.key, content_sha256, mapping, force or "")


def rules_of(mapping: Mapping, api_names: Iterable[str]) -> str:
    """
    Return canonical JSON of what *mapping* makes of mapped cells: part of the content claim.

    Nothing that stands at its default is in it, so that a key which is added later makes no other
    work of files that were imported before there was one; nor is anything that Bigin's metadata
    say. `ignore_empty` counts where records that exist are changed: dropping a file again to
    erase with it is other work.

    Args:
        api_names: Of all fields that are filled.
    """
    stated = {field.api_name.casefold(): field for field in mapping.fields}
    names = sorted(name.casefold() for name in api_names)
    work: dict[str, object] = {
        "module": mapping.module,
        "operation": mapping.operation,
        "fields": {name: _stated_of(stated.get(name)) for name in names},
    }
    if mapping.find_by is not None:
        work["find_by"] = mapping.find_by.casefold()
    if not mapping.ignore_empty and mapping.operation is not Operation.INSERT:
        work["ignore_empty"] = False
    return json.dumps(work, sort_keys=True, separators=(",", ":"))


def _stated_of(field: MappedField | None) -> dict[str, object]:
    """Return what is stated of a field, but for the column that fills it."""
    if field is None:
        return {}
    stated: dict[str, object] = {}
    for key in RULE_KEYS:
        value = getattr(field.rule, key.place)
        if key.is_claimed and value != key.default:
            stated[key.place] = sorted(value) if key.is_dict else value
    plain = {"default_value": field.default_value, "find_by": field.find_by}
    return stated | {name: value for name, value in plain.items() if value is not None}


def _digest(*words: str) -> str:
    joined = "\0".join(words).encode()
    return base64.b32encode(hashlib.sha256(joined).digest()).decode().lower()[:26]


def normalised_mapping(plan: ColumnPlan) -> str:
    """
    Return canonical JSON of what *plan* does with a given content, as the release before did.

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
        "rule": dict(_stated(rule)) if rule and _is_work(rule) else {"values": []},
    }


def _is_work(rule: ValueRule) -> bool:
    return any(key.is_claimed and getattr(rule, key.place) != key.default for key in RULE_KEYS)


def _stated(rule: ValueRule) -> Iterator[tuple[str, object]]:
    """
    Yield what a person asked for.

    What stands at its default is left out but for the keys of the first releases: a key that is
    added later must not make other work of files that were imported before there was one.
    """
    for key in RULE_KEYS:
        value = getattr(rule, key.place)
        if key.is_always_claimed or (key.is_claimed and value != key.default):
            yield key.place, sorted(value) if key.is_dict else value
