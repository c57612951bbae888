"""From the bytes of a mapping file to a Mapping and to everything that is wrong with it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bigin_import.domain.drop import Problem
from bigin_import.domain.job_request import Operation
from bigin_import.mapping.keys import RULE_KEYS, SETTING_KEYS, rule_of
from bigin_import.mapping.model import MappedField, Mapping
from bigin_import.mapping.names import EXCLUDED_MODULES, canonical_field, module_meant, nearest
from bigin_import.mapping.schema import Document, Entry, KeyPath, MappingSchema, read_document

# Keys of the request that we fill ourselves, and why they have no effect in a mapping.
_OURS = {
    "callback": "Bigin reports to this application",
    "callBack": "Bigin reports to this application",
    "file_id": "the dropped file gets an id of its own when it is uploaded",
    "file_names": "the dropped file is packed under a name of its own",
}

type Flaw = tuple[KeyPath, str, str]


@dataclass(frozen=True, slots=True)
class Flat:
    """
    A mapping without a `resource` list around it.

    Attributes:
        moved: Keys that stood in `resource[0]`, so that places can be told as written.
        flaws: KeyPath as written, what is wrong, what to do.
        warnings: What was left out, in sentences.
    """

    body: dict[str, Any]
    moved: frozenset[str]
    flaws: tuple[Flaw, ...]
    warnings: tuple[str, ...]

    def as_written(self, path: KeyPath) -> KeyPath:
        """Return where *path* of the flat body stands in the file."""
        return ("resource", 0, *path) if path and path[0] in self.moved else path


def flatten(written: dict[str, Any]) -> Flat:
    """Bring *written* into flat form; a body without `resource` has it already."""
    resources = written.get("resource", [{}])
    first = resources[0] if isinstance(resources, list) and resources else None
    resource = first if isinstance(first, dict) else {}
    top = {key: value for key, value in written.items() if key != "resource"}
    body = top | resource
    return Flat(
        {key: value for key, value in body.items() if key not in _OURS and key != "type"},
        frozenset(resource),
        tuple(_flaws(top, first)),
        tuple(_warnings(body, resources)),
    )


def _flaws(top: dict[str, Any], resource: object) -> Iterator[Flaw]:
    if not isinstance(resource, dict):
        remedy = 'Write it as Bigin does: "resource": [{"module": ..., "field_mappings": [...]}]'
        yield ("resource",), "this must be a list with one object in it", remedy
        return
    for key in sorted(resource.keys() & top.keys()):
        if resource[key] != top[key]:
            what = f"{key} also stands outside of resource, with another value"
            yield ("resource", 0, key), what, "Remove one of the two"
    for path, parent in ((("type",), top), (("resource", 0, "type"), resource)):
        if parent.get("type") not in ("data", None):
            yield path, "the only type there is to import is data", 'Write "type": "data"'


def _warnings(body: dict[str, Any], resources: object) -> Iterator[str]:
    if isinstance(resources, list) and len(resources) > 1:
        yield f"Only the first of the {len(resources)} entries of resource is used."
    for key, reason in _OURS.items():
        if key in body:
            yield f"{key} in the mapping is not used: {reason}."


_TYPES = {
    "string_type": ("text in quotes", 'Write it in quotes: "..."'),
    "bool_type": ("true or false", "Write true or false, without quotes"),
    "int_type": ("a whole number", "Write it without quotes and without a fraction"),
    "list_type": ("a list", "Write it in [ ]"),
    "dict_type": ("an object", "Write it in { }"),
    "model_type": ("an object", "Write it in { }"),
}
_JSON_TYPES = {bool: "true or false", int: "a number", float: "a number", str: "text"}
_JSON_TYPES |= {list: "a list", dict: "an object", type(None): "null"}
_LIMITS = {
    "greater_than_equal": ("columns are counted from 0", "Write 0 for the first column"),
    "string_too_short": ("it is empty", "Write a name, or leave the key out"),
}
_KEYS = {
    "field_mappings": tuple(Entry.model_fields),
    "default_value": ("value",),
    "": tuple(name for name in MappingSchema.model_fields if not name.endswith("_")),
}


class Said(NamedTuple):
    """
    A mistake in words.

    Attributes:
        what, remedy: As in a `Problem`.
        meant: The key or the value that was most likely meant, if there is one.
    """

    what: str
    remedy: str
    meant: str | None = None


def in_words(error: ErrorDetails) -> Said:
    """Return what is wrong and what to do about it."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "refused":
        return Said(context["what"], context["remedy"], context["meant"])
    if kind == "extra_forbidden":
        return _unknown_key(error["loc"])
    if kind == "literal_error":
        return _not_one_of(error["input"], context)
    if kind in _LIMITS:
        return Said(*_LIMITS[kind])
    if kind == "string_type" and error["loc"][0] == "columns" and isinstance(error["input"], dict):
        return _more_than_a_field(error["loc"][-1], error["input"])
    wanted, remedy = _TYPES[kind]
    return Said(f"this must be {wanted}, not {_JSON_TYPES[type(error['input'])]}", remedy)


def _more_than_a_field(column: int | str, written: AnyMapping[str, Any]) -> Said:
    entry = json.dumps({"column": column, **written}, ensure_ascii=False)
    what = "this must be the name of a field: columns says no more than that"
    return Said(what, f"Write it as an entry of field_mappings: {entry}")


def _unknown_key(path: tuple[int | str, ...]) -> Said:
    key = str(path[-1])
    parent = next((step for step in path[-2::-1] if isinstance(step, str)), "")
    known = _KEYS[parent] if len(path) > 1 else _KEYS[""]
    what = f'"{key}" is not a known key'
    if meant := nearest(key, known):
        return Said(what, f'Did you mean "{meant}"?', meant)
    return Said(what, f"Remove it; known are {', '.join(known)}")


def _not_one_of(found: object, context: AnyMapping[str, Any]) -> Said:
    expected = context["expected"]
    if not isinstance(found, str):
        what = f"this must be {expected}, not {_JSON_TYPES[type(found)]}"
        return Said(what, "Write one of these")
    meant = nearest(found, expected.replace("'", "").replace(" or ", ", ").split(", "))
    remedy = f'Did you mean "{meant}"?' if meant else "Write one of these"
    return Said(f'"{found}" is not one of {expected}', remedy, meant)


def broken_rules(written: MappingSchema, body: dict[str, Any]) -> Iterator[Flaw]:
    """
    Yield what is wrong with *written* although each key in itself can be read.

    Args:
        body: What was written. Keys that cannot be read stand here, but not in *written*;
            they have been reported and are not missing.
    """
    yield from _module_and_operation(written, _given(body))
    yield from _nothing_mapped(body)
    yield from _twice_into_one_field(written)
    yield from _named_without_header(written)
    for position, entry in enumerate(written.field_mappings or ()):
        raw = body["field_mappings"][position]
        if isinstance(raw, dict):
            yield from _entry(entry, raw, ("field_mappings", position))


def _given(raw: dict[str, Any]) -> set[str]:
    """Return the keys that say something; null is like leaving a key out."""
    return {key for key, value in raw.items() if value is not None}


def _module_and_operation(written: MappingSchema, given: set[str]) -> Iterator[Flaw]:
    if "module" not in given:
        yield ("module",), "module is missing", 'Add it, such as "module": "Contacts"'
    if written.module is not None and (meant := module_meant(written.module)):
        what = f'Bigin\'s API has no module "{written.module}"'
        yield ("module",), what, f'Write "module": "{meant}"'
    if "operation" not in given:
        remedy = 'Add it: "operation": "insert", "update" or "upsert"'
        yield ("operation",), "operation is missing", remedy
    if written.operation in {"update", "upsert"} and "find_by" not in given:
        what = f"{written.operation} needs find_by, to know which record a row is about"
        yield ("find_by",), what, 'Add it, such as "find_by": "Email"'


def _nothing_mapped(body: dict[str, Any]) -> Iterator[Flaw]:
    remedy = "Map at least one column, or leave the key out if the headers are API names"
    columns = body.get("columns")
    if isinstance(columns, dict) and not _given(columns):
        yield ("columns",), "no column is mapped here", remedy
    if body.get("field_mappings") == []:
        yield ("field_mappings",), "no field is mapped here", remedy


def _named_without_header(written: MappingSchema) -> Iterator[Flaw]:
    """Yield what a file without a header row cannot have: columns that are named by headers."""
    if written.header is not False:
        return
    remedy = 'Write "index", the number of the column from 0, in field_mappings'
    what = "header is false, so there are no headers to name columns by"
    for header, api_name in (written.columns or {}).items():
        if api_name:
            yield ("columns", header), what, remedy
    for position, entry in enumerate(written.field_mappings or ()):
        if entry.column is not None:
            yield ("field_mappings", position, "column"), what, remedy
    if not written.columns and not written.field_mappings:
        yield ("header",), what, remedy


def _twice_into_one_field(written: MappingSchema) -> Iterator[Flaw]:
    filled: set[str] = set()
    short = (
        (("columns", header), name) for header, name in (written.columns or {}).items() if name
    )
    long = (
        (("field_mappings", position, "api_name"), entry.api_name)
        for position, entry in enumerate(written.field_mappings or ())
        if entry.api_name
    )
    for path, api_name in (*short, *long):
        field = canonical_field(api_name)
        if field in filled:
            remedy = "Keep one; a default_value may stand beside the column in the same entry"
            yield path, f"{field} is filled twice", remedy
        filled.add(field)


def _entry(entry: Entry, raw: dict[str, Any], path: KeyPath) -> Iterator[Flaw]:
    given = _given(raw)
    sources = given & {"column", "index"}
    if "api_name" not in given:
        yield path, "api_name is missing", "Say which field of Bigin this fills"
    if not sources and given <= Entry.model_fields.keys() - {"default_value"}:
        remedy = "Add column, or default_value for a constant"
        yield path, "nothing says where the values come from", remedy
    if not sources and "default_value" in given:
        for key in sorted(given & {"optional", *(key.name for key in RULE_KEYS)}):
            what = f"{key} is about the cells of a column, but this entry is a constant"
            yield (*path, key), what, "Remove it, or add column"
    if raw.get("default_value") in ({}, {"value": None}):
        yield (*path, "default_value"), "it has no value", 'Write it like "default_value": "Web"'
    yield from _number_marks(entry, given, path)
    yield from _exclusive_keys(given, path)


def _number_marks(entry: Entry, given: set[str], path: KeyPath) -> Iterator[Flaw]:
    decimal = entry.decimal if "decimal" in given else "."
    if entry.thousands is not None and entry.thousands == decimal:
        remedy = 'Say both, such as "decimal": ",", "thousands": "."'
        yield (*path, "thousands"), f'thousands and decimal are both "{decimal}"', remedy


def _exclusive_keys(given: set[str], path: KeyPath) -> Iterator[Flaw]:
    for key in RULE_KEYS:
        if key.name in given and (others := sorted(key.excludes & given)):
            what = f"{key.name} is for {key.subject} and cannot stand beside {' and '.join(others)}"
            yield path, what, "Keep one"
            return


_WHOLE = ("columns", "field_mappings")


@dataclass(slots=True)
class BestEffort:
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
    written: MappingSchema = field(default_factory=MappingSchema)
    flaws: list[Flaw] = field(default_factory=list)
    unread: set[KeyPath] = field(default_factory=set)
    _renamed: dict[KeyPath, KeyPath] = field(default_factory=dict)

    def as_written(self, path: KeyPath) -> KeyPath:
        """Return where *path* of the body stands in the file."""
        return self.flat.as_written(self._before_renaming(path))

    def _before_renaming(self, path: KeyPath) -> KeyPath:
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
            self.written = MappingSchema.model_validate(readable)
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

    def _rename(self, path: KeyPath, said: Said, readable: dict[str, Any]) -> None:
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


def read_best_effort(flat: Flat) -> BestEffort:
    """Return what *flat* most likely means, with everything that is wrong with it."""
    best_effort = BestEffort(flat, flat.body, flaws=list(flat.flaws))
    best_effort.read()
    if not any(path == ("resource",) for path, _, _ in flat.flaws):
        for path, what, remedy in broken_rules(best_effort.written, best_effort.body):
            best_effort.flaws.append((best_effort.as_written(path), what, remedy))
    return best_effort


def _parent(body: Any, path: KeyPath) -> Any:  # noqa: ANN401  # JSON: an object or a list
    for step in path[:-1]:
        body = body[step]
    return body


def _remove(body: dict[str, Any], path: KeyPath) -> None:
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


_UNDECODED = "\ufffd"


def normalised(best_effort: BestEffort, document: Document) -> Mapping:
    """Return the mapping; what could not be best_effort is named as unclear."""
    written = best_effort.written
    stated = ((key, getattr(written, key.name)) for key in SETTING_KEYS)
    settings = {key.place: key.as_kept(value) for key, value in stated if value is not None}
    module = written.module or ""
    module = module_meant(module) or module
    warnings = best_effort.flat.warnings
    if module in EXCLUDED_MODULES:
        warnings += (f"Bigin's limitations page excludes {module} from bulk write.",)
    return Mapping(
        module=module,
        operation=Operation(written.operation or Operation.INSERT),
        find_by=canonical_field(written.find_by) if written.find_by else None,
        fields=tuple(_fields(best_effort, document)),
        warnings=warnings,
        unclear=frozenset(_unclear(best_effort)),
        **settings,
    )


def _unclear(best_effort: BestEffort) -> Iterator[str]:
    written = best_effort.written
    if not written.module:
        yield "module"
    if not written.operation:
        yield "operation"
    # Of an entry with keys of its own the field names what is unclear.
    for kind, *inside in best_effort.unread:
        if kind == "columns" or (kind == "field_mappings" and len(inside) <= 1):
            yield "field_mappings"


def _fields(best_effort: BestEffort, document: Document) -> Iterator[MappedField]:
    for header, api_name in (best_effort.written.columns or {}).items():
        if api_name is not None:
            yield MappedField(
                place=document.place(best_effort.as_written(("columns", header))),
                has_keys=False,
                column=header,
                api_name=canonical_field(api_name),
                unclear=frozenset({"column"} if _UNDECODED in header else ()),
            )
    for position, entry in enumerate(best_effort.written.field_mappings or ()):
        path = ("field_mappings", position)
        if path not in best_effort.unread:
            place = document.place(best_effort.as_written(path))
            inside = {other[2] for other in best_effort.unread if other[:2] == path}
            yield _field(entry, place, unread=inside)


def _field(entry: Entry, place: str, *, unread: set[str | int]) -> MappedField:
    unclear = {str(step) for step in unread}
    if not entry.api_name:
        unclear.add("api_name")
    is_filled = not (entry.column is None and entry.index is None and entry.default_value is None)
    if not is_filled or _UNDECODED in (entry.column or ""):
        unclear.add("column")
    return MappedField(
        place=place,
        api_name=canonical_field(entry.api_name or ""),
        column=entry.column,
        index=entry.index,
        default_value=entry.default_value.value if entry.default_value else None,
        find_by=canonical_field(entry.find_by) if entry.find_by else None,
        optional=bool(entry.optional),
        rule=rule_of({key.name: getattr(entry, key.name) for key in RULE_KEYS}),
        unclear=frozenset(unclear),
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """
    What a mapping file says, and what is wrong with it.

    Attributes:
        mapping: With problems, what was most likely meant: good enough to look for further
            problems and to suggest a better one, never to import by. None if it is no JSON object.
        problems: In the order of the file, each with its place.
    """

    mapping: Mapping | None
    problems: tuple[Problem, ...]


def read_mapping(text: bytes, *, name: str) -> Reading:
    """
    Read a mapping: long form, short form, or the documented body of Bigin's create request.

    Args:
        text: The file as it is, with or without BOM.
        name: What people call the file; begins each problem.
    """
    document, problems = read_document(text, name=name)
    if document is None:
        return Reading(None, problems)
    best_effort = read_best_effort(flatten(document.body))
    problems += tuple(_problems(document, best_effort.flaws))
    return Reading(normalised(best_effort, document), problems)


def _problems(document: Document, flaws: list[Flaw]) -> Iterator[Problem]:
    """Yield *flaws* as problems with their places, in the order of the file."""
    found = [
        (document.position(path), Problem(document.where(path), what, remedy))
        for path, what, remedy in flaws
    ]
    for path, position in document.repeated:
        first_line, _ = document.positions[path]
        what = f"this key was already given in line {first_line}"
        found.append((position, Problem(document.where(path, position), what, "Keep one of them")))
    for _, problem in sorted(found, key=lambda item: item[0]):
        yield problem
