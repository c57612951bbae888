"""The mapping file as JSON: decoded, checked for syntax, and every key with its place."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bigin_import.errors import DropRejectedError
from bigin_import.models import Problem

type Path = tuple[str | int, ...]
type Nested = dict[str, Any] | list[Any]

_LEXEME = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
_CURLY = re.compile("[“”„«»‘’]")
_PLAIN_KEY = re.compile(r"\$?\w+")

# Nothing of ours is nested deeper; deeper places are named by their parents.
_MAX_DEPTH = 8
# What is nested deeper is no mistake of a person, and would break what walks through it.
_MOST_NESTED = 50
_TOO_DEEP = f"lists or objects are nested more than {_MOST_NESTED} deep"

_SYNTAX = {
    "Illegal trailing comma before end of object": "there is a comma after the last entry",
    "Illegal trailing comma before end of array": "there is a comma after the last entry",
    "Expecting ',' delimiter": "a comma is missing before this place",
    "Expecting ':' delimiter": "a colon is missing between a key and its value",
    "Expecting property name enclosed in double quotes": "a key in double quotes is expected here",
    "Expecting value": "a value is expected here",
    "Unterminated string starting at": "the text that begins here has no closing quote",
    "Extra data": "the mapping has ended, but more text follows",
    "Invalid control character at": "a text contains a line break or a tab",
}
_SYNTAX_REMEDY = "Correct it there and drop the mapping again; the CSV may stay where it is"


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
        return _where(self.name, position or self.position(path), path)


def _where(name: str, position: tuple[int, int], path: Path = ()) -> str:
    line, column = position
    words = (name, f"line {line}, column {column}", _path_in_words(path))
    return ", ".join(filter(None, words))


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


def read_document(raw: bytes, *, name: str) -> Document:
    """
    Decode *raw*, UTF-8 with or without BOM, or UTF-16 or UTF-32 as some editors save it.

    Raises:
        DropRejectedError: It is not text, not JSON, or not one object.
    """
    text = _decoded(raw, name)
    body = _parsed(text, name)
    line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
    positions: dict[Path, tuple[int, int]] = {}
    repeated = []
    for path, offset in _members(text):
        line = bisect_right(line_starts, offset)
        position = line, offset - line_starts[line - 1] + 1
        if path in positions:
            repeated.append((path, position))
        else:
            positions[path] = position
    return Document(name, body, positions, tuple(repeated))


def _decoded(raw: bytes, name: str) -> str:
    encoding = json.detect_encoding(raw)
    try:
        return raw.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        raise _rejected(
            f"{name}, line {line}",
            f"byte {exc.start + 1} is not {encoding.removesuffix('-sig').upper()} text",
            "Save the mapping with the encoding UTF-8",
        ) from exc


def _parsed(text: str, name: str) -> dict[str, Any]:
    if not text.strip():
        raise _rejected(name, "the mapping is empty", "Write at least module and operation")
    try:
        body = json.loads(text, parse_constant=_refuse_constant)
        if isinstance(body, dict) and _is_too_deep(body):
            raise _rejected(name, _TOO_DEEP, "Take out what is not a mapping")
        json.dumps(body, ensure_ascii=False).encode()
    except json.JSONDecodeError as exc:
        raise _syntax_error(exc, text, name) from exc
    except UnicodeEncodeError as exc:
        raise _rejected(
            name, r"a \u escape is half a character", "Write the character itself"
        ) from exc
    except RecursionError as exc:
        raise _rejected(name, _TOO_DEEP, "Take out what is not a mapping") from exc
    except ValueError as exc:  # NaN, or a number of thousands of digits
        raise _rejected(
            name, "a number cannot be read", "Write it in quotes, as it should arrive in Bigin"
        ) from exc
    if not isinstance(body, dict):
        raise _rejected(name, "a mapping is an object, written in { }", _SYNTAX_REMEDY)
    return body


def _is_too_deep(body: dict[str, Any]) -> bool:
    level: list[Nested] = [body]
    for _ in range(_MOST_NESTED):
        level = [inner for nested in level for inner in _nested_in(nested)]
    return bool(level)


def _nested_in(nested: Nested) -> Iterator[Nested]:
    """Yield the objects and lists directly inside of an object or a list."""
    inside = nested.values() if isinstance(nested, dict) else nested
    return (inner for inner in inside if isinstance(inner, dict | list))


def _refuse_constant(word: str) -> float:
    raise ValueError(word)


def _syntax_error(exc: json.JSONDecodeError, text: str, name: str) -> DropRejectedError:
    place = _where(name, (exc.lineno, exc.colno))
    lines = text.split("\n")
    if _CURLY.search(lines[exc.lineno - 1]):
        curly = [str(number) for number, line in enumerate(lines, 1) if _CURLY.search(line)]
        return _rejected(
            place,
            f"there are curly quotes (line {', '.join(curly)}); JSON knows only straight ones",
            'Replace them with " in a plain text editor',
        )
    found = text[exc.pos : exc.pos + 1]
    if found == "'":
        return _rejected(place, "single quotes are not JSON", 'Replace them with "')
    if found in {"/", "#"}:
        return _rejected(place, "JSON has no comments", "Remove the comment")
    return _rejected(place, _SYNTAX.get(exc.msg, f"this is not JSON ({exc.msg})"), _SYNTAX_REMEDY)


def _rejected(place: str, what: str, remedy: str = "") -> DropRejectedError:
    return DropRejectedError((Problem(place, what, remedy),), concerns_mapping=True)


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
