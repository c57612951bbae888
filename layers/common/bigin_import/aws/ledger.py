"""
The Ledger port on one DynamoDB table; the records themselves say under which keys.

An item holds the record's fields under their own names: text as S, whole numbers as N, nested
values as M and L, None not at all (so `open` and `due_at` keep an item in the sparse index only
while they are set); beside them `pk`, `sk` and the `write_id` of the write.

Attributes that this release does not know are written back as they were read: during a deploy
two releases write side by side, and the older must not make poorer what the newer wrote. What it
cannot read at all, such as an unknown state, it leaves as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from secrets import randbelow
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from bigin_import.domain.edges import check_edge
from bigin_import.domain.import_record import Import
from bigin_import.domain.listing import UNDONE, listing_of, listing_of_undo
from bigin_import.domain.locks import OpenAddress, Record
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import Address, OpenKind
from bigin_import.domain.undo import Undo
from bigin_import.errors import ConflictError, UnreadableItemError
from bigin_import.plain_values import Stored, UnreadableValueError, plain

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    type Item = Mapping[str, AttributeValueTypeDef]


NOTHING: Final[Mapping[str, Any]] = {}
# Attributes that are no field of a record.
_OURS: Final = frozenset({"pk", "sk", "write_id", "listed", "listed_at"})

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()
_COUNTS_OF_BEFORE = {"skipped": "refused"}
"""Rows were counted under Bigin's word; an import begun then is finished now."""


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
    listed = _listing_of(record)
    if listed is not None:
        values["listed"], values["listed_at"] = listed
    return {name: _serializer.serialize(value) for name, value in values.items()}


def _listing_of(record: Record) -> tuple[str, int] | None:
    match record:
        case Import():
            return listing_of(record)
        case Undo():
            return listing_of_undo(record)
    return None


def to_record[R: Record](kind: type[R], item: Item) -> R:
    """Return the record of *kind* that *item* holds."""
    record: R = Stored[R](kind).read(_values_of(item))
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
    values: dict[str, Any] = plain(record, without_none=True)
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


def address_of(item: Item) -> OpenAddress:
    """
    Return the address that an entry of the index `open` stands for.

    What is none of them is of another release, and so unreadable as an import.
    """
    pk, sk = item["pk"]["S"], item["sk"]["S"]
    if sk == Undo.at("").sk:
        return Address(Undo, pk, sk)
    return Address(Part, pk, sk) if sk.startswith("PART#") else Address(Import, pk, sk)


OPEN_INDEX = "open"
LISTING_INDEX = "listing"


class DynamoLedger:
    """
    Records as items, each written whole and only over the version that was read.

    Throttling and broken connections are repeated by the client (retry mode "standard"), so a
    write may reach the table twice: the `write_id` tells our own first write from another's.

    Args:
        check: Called with the record that was read and the new one before each write.
        new_write_id: Returns a text that no other write has.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        *,
        check: Callable[[Record | None, Record], None] = check_edge,
        new_write_id: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        self._client = client
        self._table = table
        self._check = check
        self._new_write_id = new_write_id
        # Empty but for the minutes of a deploy, in which two releases write side by side.
        self._unknown: dict[tuple[str, str, int], Mapping[str, Any]] = {}

    def load[R: Record](self, address: Address[R]) -> R | None:
        answer = self._client.get_item(
            TableName=self._table, Key=key_of(address), ConsistentRead=True
        )
        item = answer.get("Item")
        return None if item is None else self._read(address.kind, item)

    def save[R: Record](self, record: R, *, over: R | None = None) -> R:
        self._check(over, record)
        write_id, unknown = self._new_write_id(), self._unknown_of(record)
        saved = replace(record, version=_next_version(record))
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(saved, write_id=write_id, unknown=unknown),
                **_only_over(record.version),
            )
        except self._client.exceptions.ConditionalCheckFailedException as exc:
            if not self._is_stored(record.address, write_id):
                raise ConflictError(_was_changed(record)) from exc
        if unknown:  # what is saved next may follow from this one, without another read
            self._unknown[_place(saved)] = unknown
        return saved

    def delete[R: Record](self, record: R) -> None:
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=key_of(record.address),
                ConditionExpression="attribute_not_exists(pk) OR #version = :version",
                ExpressionAttributeNames={"#version": "version"},
                ExpressionAttributeValues={":version": {"N": str(record.version)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException as exc:
            raise ConflictError(_was_changed(record)) from exc

    def load_parts(self, import_id: str) -> tuple[Part, ...]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :part)",
            ExpressionAttributeValues={
                ":pk": {"S": Import.at(import_id).pk},
                ":part": {"S": "PART#"},
            },
            ConsistentRead=True,
        )
        return tuple(self._read(Part, item) for page in pages for item in page["Items"])

    def find_due(self, kind: OpenKind, *, before: int, limit: int) -> tuple[OpenAddress, ...]:
        # One page is enough: it holds 1 MB, which is thousands of bare keys.
        answer = self._client.query(
            TableName=self._table,
            IndexName=OPEN_INDEX,
            KeyConditionExpression="#open = :kind AND due_at <= :before",
            ExpressionAttributeNames={"#open": "open"},
            ExpressionAttributeValues={":kind": {"S": kind}, ":before": {"N": str(before)}},
            ScanIndexForward=True,
            Limit=limit,
        )
        return tuple(address_of(item) for item in answer["Items"])

    def find_listed(self, heading: str, *, limit: int | None = None) -> tuple[Import, ...]:
        return tuple(_readable(self._query_listing(heading, limit)))

    def find_undone(self, *, limit: int) -> tuple[str, ...]:
        return tuple(item["import_id"]["S"] for item in self._query_listing(UNDONE, limit))

    def _query_listing(self, heading: str, limit: int | None) -> Iterator[Item]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=LISTING_INDEX,
            KeyConditionExpression="listed = :heading",
            ExpressionAttributeValues={":heading": {"S": heading}},
            ScanIndexForward=False,
            PaginationConfig={} if limit is None else {"MaxItems": limit},
        )
        return (item for page in pages for item in page["Items"])

    def leave_unreadable(self, address: Address[Any], due_at: int) -> None:
        key = key_of(address)
        answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        item = answer.get("Item", {})
        if "due_at" not in item:
            return
        moved: dict[str, AttributeValueTypeDef] = {
            "due_at": {"N": str(due_at)},
            "write_id": {"S": self._new_write_id()},
        }
        version = item.get("version", {})
        if (number := version.get("N", "")).isdecimal():
            moved["version"] = {"N": str(int(number) + 1)}
        try:
            self._client.put_item(
                TableName=self._table, Item={**item, **moved}, **_as_read(version)
            )
        except self._client.exceptions.ConditionalCheckFailedException as exc:
            raise ConflictError(f"{address.pk} {address.sk} was written meanwhile") from exc

    def _read[R: Record](self, kind: type[R], item: Item) -> R:
        """
        Return the record, and remember what only a newer release knows of it.

        Raises:
            UnreadableItemError: It has a state or a value that this release does not know.
        """
        try:
            record = to_record(kind, item)
        except UnreadableValueError as exc:
            raise UnreadableItemError(item["pk"]["S"], item["sk"]["S"]) from exc
        if unknown := unknown_values(record, item):
            self._unknown[_place(record)] = unknown
        return record

    def _unknown_of(self, record: Record) -> Mapping[str, Any]:
        """Return what was read with this version of *record* and is no field of it."""
        return self._unknown.get(_place(record), {})

    def _is_stored(self, address: Address[Any], write_id: str) -> bool:
        """Return whether the write *write_id* is the one that the table holds."""
        answer = self._client.get_item(
            TableName=self._table, Key=key_of(address), ConsistentRead=True
        )
        return answer.get("Item", {}).get("write_id") == {"S": write_id}


def _readable(items: Iterable[Item]) -> Iterator[Import]:
    """Yield the imports that this release can read."""
    for item in items:
        with suppress(UnreadableValueError):
            yield to_record(Import, item)


def _place(record: Record) -> tuple[str, str, int]:
    return record.address.pk, record.address.sk, record.version


def _next_version(record: Record) -> int:
    """
    Return the version after the record's.

    The first one is random: a record that was deleted and made anew must not pass for the old
    one, or a late second delete would remove another import's claim.
    """
    return record.version + 1 if record.version else 1 + randbelow(2**31)


def _only_over(version: int) -> dict[str, Any]:
    """Return PutItem's condition that the stored version is *version*; 0: nothing is stored."""
    if version == 0:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "#version = :version",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":version": {"N": str(version)}},
    }


def _as_read(version: Any) -> dict[str, Any]:  # noqa: ANN401  # of whatever type it is
    """Return PutItem's condition that the stored version is as it was read, or still missing."""
    names = {"ExpressionAttributeNames": {"#version": "version"}}
    if not version:
        return {
            "ConditionExpression": "attribute_exists(pk) AND attribute_not_exists(#version)",
            **names,
        }
    values = {"ExpressionAttributeValues": {":version": version}}
    return {"ConditionExpression": "#version = :version", **names, **values}


def _was_changed(record: Record) -> str:
    address = record.address
    return f"{address.pk} {address.sk} is no longer at version {record.version}"
