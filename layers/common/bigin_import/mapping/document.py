"""A mapping file: a JSON object, and every key of it with its place."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bigin_import.mapping.syntax import read_json
from bigin_import.models import Problem

type Path = tuple[str | int, ...]

_LEXEME = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
_PLAIN_KEY = re.compile(r"\$?\w+")

# Nothing of ours is nested deeper; deeper places are named by their parents.
_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Document:
    """
    A JSON object and where its keys stand.

    Attributes:
        positions: Line and column, from 1, of each key and list item.
        repeated: Paths of keys that occur twice in one object, with the second position.
    """

    name: str
    body: dict[str, Any]
    positions: dict[Path, tuple[int, int]]
    repeated: tuple[tuple[Path, tuple[int, int]], ...]

    def position(self, path: Path) -> tuple[int, int]:
        """Return line and column of *path*, or of what was written around it."""
        for length in range(len(path), 0, -1):
            if position := self.positions.get(path[:length]):
                return position
        return 1, 1

    def place(self, path: Path) -> str:
        """Return "line 7, field_mappings[2].column"."""
        return f"line {self.position(path)[0]}, {_path_in_words(path)}"

    def where(self, path: Path, position: tuple[int, int] | None = None) -> str:
        """Return the place with the name of the file and with the column."""
        line, column = position or self.position(path)
        return f"{self.name}, line {line}, column {column}, {_path_in_words(path)}"


def _path_in_words(path: Path) -> str:
    """Return a path the way people write it: `resource[0].columns["E-mail"]`."""
    words = ""
    for parent, step in pairwise(("", *path)):
        if isinstance(step, int):
            words += f"[{step}]"
        elif parent in {"columns", "values"} or not _PLAIN_KEY.fullmatch(step):
            words += f"[{json.dumps(step, ensure_ascii=False)}]"
        else:
            words += f".{step}"
    return words.removeprefix(".")


def read_document(raw: bytes, *, name: str) -> tuple[Document | None, tuple[Problem, ...]]:
    """Read a mapping file; return what is wrong with it as JSON beside it, or instead of it."""
    syntax = read_json(raw, name=name)
    if syntax.body is None:
        return None, syntax.problems
    line_starts = [0, *(match.end() for match in re.finditer("\n", syntax.text))]
    positions: dict[Path, tuple[int, int]] = {}
    repeated = []
    for path, offset in _members(syntax.text):
        line = bisect_right(line_starts, offset)
        position = line, offset - line_starts[line - 1] + 1
        if path in positions:
            repeated.append((path, position))
        else:
            positions[path] = position
    return Document(name, syntax.body, positions, tuple(repeated)), syntax.problems


def _members(text: str) -> Iterator[tuple[Path, int]]:
    """Yield path and offset of every key and list item of *text*, which is valid JSON."""
    path: list[str | int | None] = []  # one step per open bracket; None where a key comes next
    for match in _LEXEME.finditer(text):
        lexeme = match.group()
        if lexeme == ":":
            continue
        if lexeme in {"]", "}"}:
            path.pop()
        elif lexeme == ",":
            step = path[-1]
            path[-1] = step + 1 if isinstance(step, int) else None
        else:
            is_key = bool(path) and path[-1] is None
            if is_key:
                path[-1] = json.loads(lexeme)
            if path and (is_key or isinstance(path[-1], int)) and len(path) <= _MAX_DEPTH:
                yield tuple(step for step in path if step is not None), match.start()
            if lexeme in {"{", "["}:
                path.append(None if lexeme == "{" else 0)
