"""Get, delete and change records, and list the deleted ones: pure, as the model is."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from tests.bigin_twin.answers import RefusedError
from tests.bigin_twin.catalogue import SYSTEM_KEYS, Catalogue, Module
from tests.bigin_twin.records import Record, Tables
from tests.bigin_twin.uploads import iso_time
from tests.bigin_twin.values import Value

MOST_OF_A_CALL = 100
MOST_OF_A_PAGE = 200
MOST_FIELDS = 50
#: As far as page numbers reach; a page_token goes on from there.
LAST_OF_PAGES = 2_000
TOKEN_SECONDS = 86_400
TIMES = ("Created_Time", "Modified_Time")
DELETED_TYPES = ("all", "recycle", "permanent")


class RecordCalls:
    """The calls about records; each takes the query's parameters and returns the answer."""

    def __init__(self, catalogue: Catalogue, tables: Tables) -> None:
        self._catalogue = catalogue
        self._tables = tables

    def get(self, module: Module, record_id: str) -> dict[str, Any] | None:
        """Return the answer with one record, all its fields; None if there is none."""
        if not record_id.isdecimal():
            raise RefusedError("INVALID_DATA", "the id given seems to be invalid")
        record = self._tables[module.name].records.get(record_id)
        return None if record is None else {"data": [_whole(record)]}

    def list(self, module: Module, params: Mapping[str, str], now: float) -> dict[str, Any] | None:
        """Return a page of records; None if it is empty."""
        if not (fields := params.get("fields", "")):
            raise RefusedError("REQUIRED_PARAM_MISSING", details={"param_name": "fields"})
        if len(names := fields.split(",")) > MOST_FIELDS:
            raise RefusedError("LIMIT_EXCEEDED", details={"param_name": "fields"})
        sort_by = params.get("sort_by", "id")
        if sort_by not in TIMES and module.field(sort_by) is None:
            raise RefusedError("INVALID_DATA", details={"param_name": "sort_by"})
        records = sorted(
            self._tables[module.name].records.values(),
            key=lambda record: (_sorted_by(record, sort_by), int(record.id)),
            reverse=params.get("sort_order", "desc") == "desc",
        )
        page = _Page(params, now)
        more = {"sort_by": sort_by, "sort_order": params.get("sort_order", "desc")}
        return page.answer([_shown(record, names) for record in page.of(records)], records, more)

    def delete(
        self, module: Module, params: Mapping[str, str], now: float
    ) -> tuple[dict[str, Any], int]:
        """Delete records and return the answer with its status; workflows have no effect here."""
        if not params.get("ids"):
            raise RefusedError("REQUIRED_PARAM_MISSING", details={"param_name": "ids"})
        if len(ids := params["ids"].split(",")) > MOST_OF_A_CALL:
            raise RefusedError("LIMIT_EXCEEDED", details={"param_name": "ids"})
        if params.get("wf_trigger", "true") not in ("true", "false"):
            raise RefusedError("INVALID_DATA", details={"param_name": "wf_trigger"})
        items = [_item(each, self._tables.delete(module.name, each, now)) for each in ids]
        succeeded = all(item["code"] == "SUCCESS" for item in items)
        return {"data": items}, 200 if succeeded else 207

    def list_deleted(self, module: Module, params: Mapping[str, str]) -> dict[str, Any] | None:
        """Return a page of deleted records, the latest first; None if it is empty."""
        if (kind := params.get("type", "all")) not in DELETED_TYPES:
            raise RefusedError("INVALID_DATA", details={"param_name": "type"})
        deleted = self._tables[module.name].deleted.values()
        records = [] if kind == "permanent" else list(reversed(deleted))
        page = _Page({key: params[key] for key in ("page", "per_page") if key in params}, 0)
        by = {key: self._catalogue.users[0][key] for key in ("id", "name")}
        key = SYSTEM_KEYS[module.name]
        shown = [
            {
                "deleted_by": by,
                "id": record.id,
                "display_name": record.values.get(key),
                "type": "recycle",
                "created_by": by,
                "deleted_time": iso_time(record.deleted_at or 0),
            }
            for record in page.of(records)
        ]
        return page.answer(shown, records, None)

    def change(
        self, module: Module, record_id: str, values: Mapping[str, Value], now: float
    ) -> Record:
        """Change a record as a person in Bigin does: its Modified_Time moves."""
        table = self._tables[module.name]
        if (record := table.records.get(record_id)) is None:
            raise RefusedError("RESOURCE_NOT_FOUND")
        table.change(record, dict(values), now=now)
        return record


class _Page:
    """The part of a list that `page` or `page_token` asks for, `per_page` records long."""

    def __init__(self, params: Mapping[str, str], now: float) -> None:
        self.size = _number(params, "per_page", MOST_OF_A_PAGE, at_most=MOST_OF_A_PAGE)
        self._now = now
        if "page" in params and "page_token" in params:
            raise RefusedError("AMBIGUITY_DURING_PROCESSING")
        self._number = _number(params, "page", 1)
        token = params.get("page_token")
        self._start = (self._number - 1) * self.size if token is None else self._place(token)
        self._has_tokens = "fields" in params
        if self._has_tokens and token is None and self._start >= LAST_OF_PAGES:
            raise RefusedError("DISCRETE_PAGINATION_LIMIT_EXCEEDED", details={"limit": 2000})

    def of(self, records: list[Record]) -> list[Record]:
        return records[self._start : self._start + self.size]

    def answer(
        self, shown: list[dict[str, Any]], of: list[Record], more: dict[str, str] | None
    ) -> dict[str, Any] | None:
        if not shown:
            return None
        end = self._start + self.size
        page: dict[str, Any] = {
            "per_page": self.size,
            "count": len(shown),
            "page": self._start // self.size + 1,
            "more_records": end < len(of),
        }
        if self._has_tokens:
            following = self._token(end) if end < len(of) else None
            page |= {"next_page_token": following, "previous_page_token": None, **(more or {})}
            page["page_token_expiry"] = following and iso_time(self._now + TOKEN_SECONDS)
        return {"data": shown, "info": page}

    def _token(self, start: int) -> str:
        place = {"start": start, "per_page": self.size, "expires": self._now + TOKEN_SECONDS}
        return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()

    def _place(self, token: str) -> int:
        """Return where a token goes on; one of another page size counts for nothing."""
        try:
            place = json.loads(base64.urlsafe_b64decode(token))
        except (ValueError, binascii.Error) as exc:
            raise RefusedError("INVALID_DATA", details={"param_name": "page_token"}) from exc
        if place["expires"] < self._now:
            raise RefusedError("EXPIRED_VALUE", details={"param_name": "page_token"})
        return int(place["start"]) if place["per_page"] == self.size else 0


def _number(
    params: Mapping[str, str], name: str, default: int, *, at_most: int | None = None
) -> int:
    text = params.get(name, str(default))
    if not text.isdecimal() or int(text) < 1 or (at_most is not None and int(text) > at_most):
        raise RefusedError("INVALID_DATA", details={"param_name": name})
    return int(text)


def _sorted_by(record: Record, name: str) -> Any:  # noqa: ANN401 - whatever sorts
    match name:
        case "id":
            return 0
        case "Created_Time":
            return record.created_at
        case "Modified_Time":
            return record.modified_at
    return str(record.values.get(name) or "")


def _whole(record: Record) -> dict[str, Any]:
    times = {"Created_Time": record.created_at, "Modified_Time": record.modified_at}
    shown = {name: iso_time(at) for name, at in times.items()}
    return {**record.values, **shown, "id": record.id}


def _shown(record: Record, names: list[str]) -> dict[str, Any]:
    """Return the fields that were asked for; the id comes whether it was or not."""
    whole = _whole(record)
    return {name: whole.get(name) for name in (*names, "id")}


def _item(record_id: str, deleted: bool) -> dict[str, Any]:
    return {
        "code": "SUCCESS" if deleted else "INVALID_DATA",
        "details": {"id": record_id},
        "message": "record deleted" if deleted else "record not deleted",
        "status": "success" if deleted else "error",
    }
