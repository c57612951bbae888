"""
Records as DynamoDB items and back, for every kind of record alike.

An item holds the record's fields under their own names: text as S, whole numbers as N, nested
values as M and L, None not at all (so `open` and `due_at` keep an item in the sparse index only
while they are set); beside them `pk`, `sk` and the `write_id` of the write.

Attributes that this release does not know are ignored when read, and lost when it writes the
item: all functions are deployed together, so no older release writes beside a newer one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from pydantic import TypeAdapter

from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import Record
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import Address

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    type Item = Mapping[str, AttributeValueTypeDef]

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()
_COUNTS_OF_BEFORE = {"skipped": "refused"}
"""Rows were counted under Bigin's word; an import begun then is finished now."""
_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def to_item(record: Record, *, write_id: str) -> dict[str, AttributeValueTypeDef]:
    """Return *record* as the item that is stored."""
    address = record.address
    values = _adapter(address.kind).dump_python(record, mode="json", exclude_none=True)
    values |= {"pk": address.pk, "sk": address.sk, "write_id": write_id}
    return {name: _serializer.serialize(value) for name, value in values.items()}


def to_record[R: Record](kind: type[R], item: Item) -> R:
    """Return the record of *kind* that *item* holds."""
    values = {name: _deserializer.deserialize(value) for name, value in item.items()}
    if counts := values.get("counts"):
        values["counts"] = {_COUNTS_OF_BEFORE.get(name, name): n for name, n in counts.items()}
    record: R = _adapter(kind).validate_python(values)
    return record


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
    """Building an adapter takes up to 3 ms, so each kind gets one per sandbox, when needed."""
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]
