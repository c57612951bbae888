"""
What a mapping most likely means although it cannot be read as it is written.

Each mistake is told once. Then what was most likely meant takes its place, or nothing does, so
that one mistake does not hide the next one.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bigin_import.mapping.document import Path
from bigin_import.mapping.documented import Flat, Flaw
from bigin_import.mapping.rules import broken_rules
from bigin_import.mapping.wording import Said, in_words
from bigin_import.mapping.written import WrittenMapping

_WHOLE = ("columns", "field_mappings")


@dataclass(slots=True)
class Understood:
    """
    A mapping in flat form, understood as far as it can be.

    Attributes:
        written: What can be read, with what was most likely meant.
        body: What was written, under the keys that were most likely meant.
        flaws: What is wrong with it, in no order; paths as written.
        unread: Paths in *body* of what is not in *written*.
    """

    flat: Flat
    body: dict[str, Any]
    written: WrittenMapping = field(default_factory=WrittenMapping)
    flaws: list[Flaw] = field(default_factory=list)
    unread: set[Path] = field(default_factory=set)
    _renamed: dict[Path, Path] = field(default_factory=dict)

    def as_written(self, path: Path) -> Path:
        """Return where *path* of the body stands in the file."""
        return self.flat.as_written(self._before_renaming(path))

    def _before_renaming(self, path: Path) -> Path:
        for length in range(len(path), 0, -1):
            if original := self._renamed.get(path[:length]):
                return (*self._before_renaming(original), *path[length:])
        return path

    def read(self) -> None:
        """Fill *written* and everything beside it."""
        if not self._errors(self.body):
            return
        self.body, readable = copy.deepcopy(self.body), copy.deepcopy(self.body)
        while errors := self._errors(readable):
            for error in errors:
                self._take(error, readable)

    def _errors(self, readable: dict[str, Any]) -> list[ErrorDetails]:
        try:
            self.written = WrittenMapping.model_validate(readable)
        except ValidationError as exc:
            return exc.errors(include_url=False)
        return []

    def _take(self, error: ErrorDetails, readable: dict[str, Any]) -> None:
        """Tell of one mistake and mend *readable*; each mend leaves fewer of them."""
        path, said = error["loc"], in_words(error)
        if path not in self._renamed or said.meant is not None:  # else our guess was wrong
            self.flaws.append((self.as_written(path), said.what, said.remedy))
        if error["type"] == "extra_forbidden":
            self._rename(path, said, readable)
        elif said.meant is not None:
            _parent(readable, path)[path[-1]] = said.meant
        else:
            _remove(readable, path)
            self.unread.add(path)

    def _rename(self, path: Path, said: Said, readable: dict[str, Any]) -> None:
        parent = _parent(readable, path)
        value = parent.pop(path[-1])
        if said.meant is not None and said.meant not in parent:
            beside = _parent(self.body, path)
            parent[said.meant], beside[said.meant] = value, beside.pop(path[-1])
            self._renamed[(*path[:-1], said.meant)] = path
        elif len(path) == 1 and isinstance(value, dict | list) and not self._maps_fields():
            self.unread.add(("field_mappings",))  # it may well be what fills the fields

    def _maps_fields(self) -> bool:
        return any(key in self.body for key in _WHOLE)


def understand(flat: Flat) -> Understood:
    """Return what *flat* most likely means, with everything that is wrong with it."""
    understood = Understood(flat, flat.body, flaws=list(flat.flaws))
    understood.read()
    if not any(path == ("resource",) for path, _, _ in flat.flaws):
        for path, what, remedy in broken_rules(understood.written, understood.body):
            understood.flaws.append((understood.as_written(path), what, remedy))
    return understood


def _parent(body: Any, path: Path) -> Any:  # noqa: ANN401  # JSON: an object or a list
    for step in path[:-1]:
        body = body[step]
    return body


def _remove(body: dict[str, Any], path: Path) -> None:
    """Take out the deepest part of *path* that was written; a list keeps its length."""
    parent: Any = body
    for step, following in pairwise(path):
        found = parent[step]
        is_there = following in found if isinstance(found, dict) else isinstance(following, int)
        if not is_there:
            _take_out(parent, step)
            return
        parent = found
    _take_out(parent, path[-1])


def _take_out(parent: dict[str | int, Any] | list[Any], step: str | int) -> None:
    if isinstance(parent, dict):
        del parent[step]
    elif isinstance(step, int):
        parent[step] = {}  # the others keep their numbers
