"""A mapping file: a JSON object, and every key of it with its place."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bigin_import.domain.drop import Problem

type Nested = dict[str, Any] | list[Any]

_STRING = r'"(?:[^"\\\n]|\\.)*"'
_STRAY_CURLY = re.compile(rf"{_STRING}|([“”„«»‘’])")
_MOST_MENDS = 50

# What is nested deeper is no mistake of a person, and would break what walks through it.
_MOST_NESTED = 50
_NO_NUMBER = "a number cannot be read"

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
_REMEDY = "Correct it there and drop the mapping again; the CSV may stay where it is"


@dataclass(frozen=True, slots=True)
class Syntax:
    """
    A mapping file as JSON.

    Attributes:
        text: As it was read; mended where that was needed.
        body: None if it is no JSON object even so.
        problems: Everything that is wrong with it as JSON.
    """

    text: str
    body: dict[str, Any] | None
    problems: tuple[Problem, ...]


def read_json(raw: bytes, *, name: str) -> Syntax:
    """
    Read *raw*: UTF-8 with or without BOM, or UTF-16 or UTF-32 as some editors save it.

    What is no such text is read with U+FFFD where it cannot be, and told.
    """
    encoding = json.detect_encoding(raw)
    try:
        return _parsed(raw.decode(encoding).removeprefix("\ufeff"), name)
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        flaw = Problem(
            f"{name}, line {line}",
            f"byte {exc.start + 1} is not {encoding.removesuffix('-sig').upper()} text",
            "Save the mapping with the encoding UTF-8",
        )
    read = _parsed(raw.decode(encoding, "replace").removeprefix("\ufeff"), name)
    return Syntax(read.text, read.body, (flaw, *(read.problems if read.body else ())))


def _parsed(text: str, name: str) -> Syntax:
    if not text.strip():
        flaw = Problem(name, "the mapping is empty", "Write at least module and operation")
        return Syntax(text, None, (flaw,))
    problems: list[Problem] = []
    mended: str | None = text
    while mended is not None and len(problems) < _MOST_MENDS:
        try:
            body = json.loads(mended, parse_constant=_refuse_constant)
        except json.JSONDecodeError as exc:
            problems.append(_syntax_problem(exc, mended, name))
            mended = _mended(exc, mended)
        except RecursionError:
            return Syntax(mended, None, (*problems, _too_deep(name)))
        except ValueError:  # NaN, or a number of thousands of digits
            remedy = "Write it in quotes, as it should arrive in Bigin"
            return Syntax(mended, None, (*problems, Problem(name, _NO_NUMBER, remedy)))
        else:
            flaws = (*problems, *_flaws(body, name))
            return Syntax(mended, body if len(flaws) == len(problems) else None, flaws)
    # What followed the first mistake may have been made by mending it.
    return Syntax(text, None, tuple(problems[:1]))


def _flaws(body: object, name: str) -> Iterator[Problem]:
    """Yield why JSON that can be read is of no use."""
    if not isinstance(body, dict):
        yield Problem(name, "a mapping is an object, written in { }", _REMEDY)
    elif _is_too_deep(body):
        yield _too_deep(name)
    elif not _is_encodable(body):
        yield Problem(name, r"a \u escape is half a character", "Write the character itself")


def _is_encodable(body: dict[str, Any]) -> bool:
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _too_deep(name: str) -> Problem:
    what = f"lists or objects are nested more than {_MOST_NESTED} deep"
    return Problem(name, what, "Take out what is not a mapping")


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


def _syntax_problem(exc: json.JSONDecodeError, text: str, name: str) -> Problem:
    place = f"{name}, line {exc.lineno}, column {exc.colno}"
    lines = text.split("\n")
    if _has_curly(lines[exc.lineno - 1]):
        curly = [str(number) for number, line in enumerate(lines, 1) if _has_curly(line)]
        what = f"there are curly quotes (line {', '.join(curly)}); JSON knows only straight ones"
        return Problem(place, what, 'Replace them with " in a plain text editor')
    found = text[exc.pos : exc.pos + 1]
    if found == "'":
        return Problem(place, "single quotes are not JSON", 'Replace them with "')
    if found in {"/", "#"}:
        return Problem(place, "JSON has no comments", "Remove the comment")
    return Problem(place, _SYNTAX.get(exc.msg, f"this is not JSON ({exc.msg})"), _REMEDY)


def _has_curly(line: str) -> bool:
    """Return whether *line* has curly quotes that do not stand in a text with straight ones."""
    return any(match[1] for match in _STRAY_CURLY.finditer(line))


def _mended(exc: json.JSONDecodeError, text: str) -> str | None:
    """
    Return *text* without this mistake and all of its kind; None if its mending is a guess.

    Word makes curly quotes; a comma is left over where the last entry was deleted.
    """
    at = exc.pos
    if _has_curly(text.split("\n")[exc.lineno - 1]):
        mended = _STRAY_CURLY.sub(lambda match: '"' if match[1] else match[0], text)
        return None if mended == text else mended
    if exc.msg.startswith("Illegal trailing comma"):
        return f"{text[:at]} {text[at + 1 :]}"
    return None


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
