"""
Records as DynamoDB items and back, for every kind of record alike.

An item holds the record's fields under their own names: text as S, whole numbers as N, nested
values as M and L, None not at all (so `open` and `due_at` keep an item in the sparse index only
while they are set); beside them `pk`, `sk` and the `write_id` of the write.

Attributes that this release does not know are written back as they were read: during a deploy
two releases write side by side, and the older must not make poorer what the newer wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from pydantic import TypeAdapter

from bigin_import.domain.import_record import Import
from bigin_import.domain.listing import listing_of
from bigin_import.domain.locks import Record
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import Address
from bigin_import.validation import hiding_adapter

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    type Item = Mapping[str, AttributeValueTypeDef]

NOTHING: Final[Mapping[str, Any]] = {}
# Attributes that are no field of a record.
_OURS: Final = frozenset({"pk", "sk", "write_id", "listed", "listed_at"})

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()
_COUNTS_OF_BEFORE = {"skipped": "refused"}
"""Rows were counted under Bigin's word; an import begun then is finished now."""
_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def to_item(
    record: Record, *, write_id: str, unknown: Mapping[str, Any] = NOTHING
) -> dict[str, AttributeValueTypeDef]:
    """
    Return *record* as the item that is stored.

    Args:
        unknown: What `unknown_values` found when the record was read.
    """
    address = record.address
    values = _merge(_values(record), unknown)
    values |= {"pk": address.pk, "sk": address.sk, "write_id": write_id}
    if isinstance(record, Import):
        values["listed"], values["listed_at"] = listing_of(record)
    return {name: _serializer.serialize(value) for name, value in values.items()}


def to_record[R: Record](kind: type[R], item: Item) -> R:
    """Return the record of *kind* that *item* holds."""
    record: R = _adapter(kind).validate_python(_values_of(item))
    return record


def _values_of(item: Item) -> dict[str, Any]:
    """Return the fields that *item* holds, under the names that they have in this release."""
    values = {
        name: _deserializer.deserialize(value) for name, value in item.items() if name not in _OURS
    }
    if counts := values.get("counts"):
        values["counts"] = {_COUNTS_OF_BEFORE.get(name, name): n for name, n in counts.items()}
    return values


def unknown_values(record: Record, item: Item) -> dict[str, Any]:
    """Return what *item* has and *record*, read from it, has not: a newer release's values."""
    found: dict[str, Any] = _difference(_values_of(item), _values(record))
    return found


def _values(record: Record) -> dict[str, Any]:
    values: dict[str, Any] = _adapter(record.address.kind).dump_python(
        record, mode="json", exclude_none=True
    )
    return values


def _difference(read: Any, known: Any) -> Any:  # noqa: ANN401  # values of items nest
    """Return what *read* has beyond *known*: keys of maps, at any depth; {} if nothing."""
    match read, known:
        case dict(), dict():
            inner = {key: _difference(read[key], known[key]) for key in read.keys() & known.keys()}
            beyond = {key: read[key] for key in read.keys() - known.keys()}
            return beyond | {key: value for key, value in inner.items() if value}
        case list(), list():
            pairs = enumerate(zip(read, known, strict=False))
            found = {place: _difference(*each) for place, each in pairs}
            return {place: value for place, value in found.items() if value}
    return {}


def _merge(values: Any, unknown: Any) -> Any:  # noqa: ANN401  # values of items nest
    """Return *values* with what `_difference` found put back, where its place is still there."""
    match values, unknown:
        case dict(), dict():
            return values | {
                key: _merge(values[key], each) if key in values else each
                for key, each in unknown.items()
            }
        case list(), dict():
            return [_merge(value, unknown.get(n, {})) for n, value in enumerate(values)]
    return values


def key_of(address: Address[Any]) -> dict[str, AttributeValueTypeDef]:
    """Return the primary key of a record."""
    return {"pk": {"S": address.pk}, "sk": {"S": address.sk}}


def address_of(item: Item) -> Address[Import] | Address[Part]:
    """Return the address that an entry of the index `open` stands for."""
    import_id = item["pk"]["S"].removeprefix("IMPORT#")
    sk = item["sk"]["S"]
    if sk == "IMPORT":
        return Import.at(import_id)
    return Part.at(import_id, int(sk.removeprefix("PART#")))


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """Building an adapter takes up to 3 ms, so each kind gets one per container, when needed."""
    if kind not in _adapters:
        _adapters[kind] = hiding_adapter(kind)
    return _adapters[kind]
