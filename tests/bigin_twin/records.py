"""Records of the modules, with an index for each field that they are found by."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.bigin_twin.catalogue import Module
from tests.bigin_twin.values import Value

FIRST_RECORD_ID = 111_111_000_000_600_001


@dataclass(slots=True)
class Record:
    """
    A record.

    Attributes:
        jobs: The bulk write jobs that created or changed it, in order.
        created_at, modified_at: Seconds since the epoch.
        deleted_at: None while it is not deleted.
    """

    id: str
    values: dict[str, Value]
    jobs: list[str] = field(default_factory=list)
    created_at: float = 0
    modified_at: float = 0
    deleted_at: float | None = None

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, **self.values, "_jobs": self.jobs}


def comparable(value: Value) -> str:
    """Return the form in which values are compared: letter case does not count."""
    return str(value).strip().casefold()


class Table:
    """The records of one module."""

    def __init__(self, module: Module, ids: count[int]) -> None:
        self._ids = ids
        self.records: dict[str, Record] = {}
        #: In the recycle bin, the latest last.
        self.deleted: dict[str, Record] = {}
        self._indexes: dict[str, dict[str, list[str]]] = {}
        for name in module.unique_fields:
            self._index(name)

    def find(self, field_name: str, text: Value) -> Record | None:
        """Return the oldest record whose field has this value, or None."""
        if field_name == "id":
            return self.records.get(str(text).strip())
        found = self._index(field_name).get(comparable(text))
        return self.records[found[0]] if found else None

    def add(self, values: dict[str, Value], job_id: str, now: float = 0) -> Record:
        jobs = [job_id] if job_id else []
        record = Record(str(next(self._ids)), values, jobs, created_at=now, modified_at=now)
        self.records[record.id] = record
        for name, index in self._indexes.items():
            if (value := values.get(name)) is not None:
                index[comparable(value)].append(record.id)
        return record

    def change(
        self, record: Record, values: dict[str, Value], job_id: str = "", now: float = 0
    ) -> None:
        for name, index in self._indexes.items():
            if name in values and values[name] != record.values.get(name):
                self._move(index, record, record.values.get(name), values[name])
        record.values.update(values)
        record.modified_at = now
        if job_id:
            record.jobs.append(job_id)

    def delete(self, record_id: str, now: float) -> Record | None:
        """Move a record to the recycle bin; None if there is none with this id."""
        record = self.records.pop(record_id, None)
        if record is None:
            return None
        for name, index in self._indexes.items():
            self._move(index, record, record.values.get(name), None)
        record.deleted_at = now
        self.deleted[record_id] = record
        return record

    def _move(self, index: dict[str, list[str]], record: Record, old: Value, new: Value) -> None:
        if old is not None:
            ids = index[comparable(old)]
            ids.remove(record.id)
            if not ids:
                del index[comparable(old)]
        if new is not None:
            index[comparable(new)].append(record.id)

    def _index(self, field_name: str) -> dict[str, list[str]]:
        if field_name not in self._indexes:
            index: dict[str, list[str]] = defaultdict(list)
            for record in self.records.values():
                if (value := record.values.get(field_name)) is not None:
                    index[comparable(value)].append(record.id)
            self._indexes[field_name] = index
        return self._indexes[field_name]


class Tables:
    """The records of every module; record ids are unique across modules."""

    def __init__(self, modules: dict[str, Module]) -> None:
        ids = count(FIRST_RECORD_ID)
        self._tables = {name: Table(module, ids) for name, module in modules.items()}
        #: Of each module: the tables whose records name its records, and by which field.
        self._children = {
            parent: [
                (self._tables[name], field_.api_name)
                for name, module in modules.items()
                for field_ in module.fields.values()
                if field_.parent == parent
            ]
            for parent in modules
        }

    def __getitem__(self, module_name: str) -> Table:
        return self._tables[module_name]

    def delete(self, module_name: str, record_id: str, now: float) -> bool:
        """Delete a record and cut what others link to it; False if there is no such record."""
        if self._tables[module_name].delete(record_id, now) is None:
            return False
        for table, name in self._children[module_name]:
            while (child := table.find(name, record_id)) is not None:
                table.change(child, {name: None}, now=child.modified_at)
        return True
