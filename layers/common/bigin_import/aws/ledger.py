"""The Ledger port on one DynamoDB table; the records themselves say under which keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from secrets import randbelow
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from bigin_import.aws.items import address_of, key_of, to_item, to_record, unknown_values
from bigin_import.domain.edges import check_edge
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import Record
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import Address, OpenKind
from bigin_import.errors import ConflictError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from bigin_import.aws.items import Item

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
        write_id = self._new_write_id()
        saved = replace(record, version=_next_version(record))
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(saved, write_id=write_id, unknown=self._unknown_of(record)),
                **_only_over(record.version),
            )
        except self._client.exceptions.ConditionalCheckFailedException as exc:
            if not self._is_stored(record.address, write_id):
                raise ConflictError(_was_changed(record)) from exc
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

    def find_due(
        self, kind: OpenKind, *, before: int, limit: int
    ) -> tuple[Address[Import] | Address[Part], ...]:
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
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=LISTING_INDEX,
            KeyConditionExpression="listed = :heading",
            ExpressionAttributeValues={":heading": {"S": heading}},
            ScanIndexForward=False,
            PaginationConfig={} if limit is None else {"MaxItems": limit},
        )
        return tuple(to_record(Import, item) for page in pages for item in page["Items"])

    def _read[R: Record](self, kind: type[R], item: Item) -> R:
        """Return the record, and remember what only a newer release knows of it."""
        record = to_record(kind, item)
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


def _was_changed(record: Record) -> str:
    address = record.address
    return f"{address.pk} {address.sk} is no longer at version {record.version}"
