"""
The mapping as people write it: its JSON, where each key stands, long form and short form.

mapping.schema.json comes from here:

    PYTHONPATH=layers/common python -m bigin_import.mapping.schema

Every key may be left out or null here, so that one wrong key does not hide the next mistake;
`parse.broken_rules` finds what is missing.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from bigin_import.domain.drop import Problem
from bigin_import.mapping.keys import RULE_KEYS, SETTING_KEYS, RuleKey, SettingKey, Text

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


type KeyPath = tuple[str | int, ...]

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
    positions: dict[KeyPath, tuple[int, int]]
    repeated: tuple[tuple[KeyPath, tuple[int, int]], ...]

    def position(self, path: KeyPath) -> tuple[int, int]:
        """Return line and column of *path*, or of what was written around it."""
        for length in range(len(path), 0, -1):
            if position := self.positions.get(path[:length]):
                return position
        return 1, 1

    def place(self, path: KeyPath) -> str:
        """Return "line 7, field_mappings[2].column"."""
        return f"line {self.position(path)[0]}, {_path_in_words(path)}"

    def where(self, path: KeyPath, position: tuple[int, int] | None = None) -> str:
        """Return the place with the name of the file and with the column."""
        line, column = position or self.position(path)
        return f"{self.name}, line {line}, column {column}, {_path_in_words(path)}"


def _path_in_words(path: KeyPath) -> str:
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
    positions: dict[KeyPath, tuple[int, int]] = {}
    repeated = []
    for path, offset in _members(syntax.text):
        line = bisect_right(line_starts, offset)
        position = line, offset - line_starts[line - 1] + 1
        if path in positions:
            repeated.append((path, position))
        else:
            positions[path] = position
    return Document(name, syntax.body, positions, tuple(repeated)), syntax.problems


def _members(text: str) -> Iterator[tuple[KeyPath, int]]:
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


def _as_default_value(value: object) -> object:
    """Let a bare value stand for Bigin's `{"value": ...}`."""
    return value if isinstance(value, dict) or value is None else {"value": value}


def _as_module_name(value: object) -> object:
    """Let Bigin's `{"api_name": "Contacts"}` stand for the name alone."""
    if isinstance(value, dict) and value.keys() <= {"api_name", "id"}:
        return value.get("api_name")
    return value


SCHEMA_FILE = Path(__file__).with_name("mapping.schema.json")

type Name = Annotated[str, Field(min_length=1)]


class _SchemaModel(BaseModel):
    # Built on first use: most invocations read no mapping, or only the one that was pinned.
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)


class DefaultValue(_SchemaModel):
    """Bigin's spelling of a default value."""

    value: Text | None = None


class EntryKeys(_SchemaModel):
    """The keys of an entry that are not about its cells."""

    column: Name | None = Field(
        None, description="Header in the CSV; beside index the header that must stand there."
    )
    index: int | None = Field(None, ge=0, description="Column of the CSV, the first one is 0.")
    api_name: Name | None = Field(None, description="API name of the field in Bigin.")
    default_value: Annotated[
        DefaultValue | None,
        BeforeValidator(
            _as_default_value, json_schema_input_type=DefaultValue | str | int | bool | None
        ),
    ] = Field(None, description="For empty cells or, without a column, for every record.")
    find_by: Name | None = Field(
        None, description="For a lookup: the field of the parent record that the cells name."
    )
    optional: bool | None = Field(
        None, description="true: the column may be missing, and its field is then left as it is."
    )


class MappingKeys(_SchemaModel):
    """The keys of a mapping that have no default."""

    schema_: str | None = Field(None, alias="$schema", description="For editors only.")
    missing_: list[str] | None = Field(
        None, alias="$missing", description="For people only: what a suggested mapping lacks."
    )
    module: Annotated[
        Name | None,
        BeforeValidator(_as_module_name, json_schema_input_type=str | dict[str, str] | None),
    ] = Field(None, description="API name of the module, such as Contacts, Accounts, Pipelines.")
    operation: Literal["insert", "update", "upsert"] | None = Field(
        None, description="insert adds, update changes what is there, upsert does either."
    )
    find_by: Name | None = Field(
        None, description="The field that tells whether a record exists; update and upsert need it."
    )
    columns: dict[str, Name | None] | None = Field(
        None, description="Short form: header in the CSV, API name in Bigin."
    )


def _with_keys(keys: tuple[RuleKey | SettingKey, ...], base: type[BaseModel]) -> Any:  # noqa: ANN401  # a base class, which mypy cannot follow
    written: dict[str, Any] = {
        key.name: (
            key.written | None,
            Field(
                None,
                description=key.description,
                json_schema_extra=key.schema if isinstance(key, SettingKey) else None,
            ),
        )
        for key in keys
    }
    return create_model(base.__name__, __base__=base, **written)


class Entry(_with_keys(RULE_KEYS, EntryKeys)):  # type: ignore[misc]  # made from the table
    """One column of the CSV and the field of Bigin that it fills, or a constant."""

    model_config = ConfigDict(json_schema_extra={"required": ["api_name"]})


class _WithEntries(MappingKeys):
    field_mappings: list[Entry] | None = Field(
        None, description="Long form. Without columns and field_mappings headers are API names."
    )


class MappingSchema(_with_keys(SETTING_KEYS, _WithEntries)):  # type: ignore[misc]  # likewise
    """What to do with a CSV that is dropped for Bigin."""

    model_config = ConfigDict(
        title="Mapping of a CSV to Bigin",
        json_schema_extra={"required": ["module", "operation"]},
    )


def json_schema() -> str:
    """Return the text of mapping.schema.json."""
    schema: dict[str, Any] = MappingSchema.model_json_schema()
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(json_schema(), encoding="utf-8")
