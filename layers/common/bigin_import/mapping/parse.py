"""From the bytes of a mapping file to a Mapping, or to everything that is wrong with it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from bigin_import.errors import DropRejectedError
from bigin_import.mapping.document import Document, Path, read_document
from bigin_import.mapping.documented import Flat, Flaw, flatten
from bigin_import.mapping.model import MappedField, Mapping
from bigin_import.mapping.names import EXCLUDED_MODULES, canonical_field
from bigin_import.mapping.rules import broken_rules
from bigin_import.mapping.spellings import as_plain_space, share
from bigin_import.mapping.wording import in_words
from bigin_import.mapping.written import Entry, WrittenMapping
from bigin_import.models import Operation, Problem


def parse_mapping(text: bytes, *, name: str) -> Mapping:
    """
    Read a mapping: long form, short form, or the documented body of Bigin's create request.

    Args:
        text: The file as it is, with or without BOM.
        name: What people call the file; begins each problem.

    Raises:
        DropRejectedError: With all problems, in the order of the file, each with its place.
    """
    document = read_document(text, name=name)
    flat = flatten(document.body)
    flaws = list(flat.flaws)
    written = _readable_part(flat, flaws)
    if not any(path == ("resource",) for path, _, _ in flaws):
        flaws += (
            (flat.as_written(path), what, remedy)
            for path, what, remedy in broken_rules(written, flat.body)
        )
    problems = tuple(_problems(document, flaws))
    if problems:
        raise DropRejectedError(problems, concerns_mapping=True)
    return _normalised(written, document, flat)


def _readable_part(flat: Flat, flaws: list[Flaw]) -> WrittenMapping:
    """Return *flat* without what cannot be read, which goes to *flaws*."""
    try:
        return WrittenMapping.model_validate(flat.body)
    except ValidationError as exc:
        body = copy.deepcopy(flat.body)
        for error in exc.errors(include_url=False):
            flaws.append((flat.as_written(error["loc"]), *in_words(error)))
            _remove(body, error["loc"])
    return WrittenMapping.model_validate(body)


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


def _normalised(written: WrittenMapping, document: Document, flat: Flat) -> Mapping:
    settings = written.model_dump(
        include={
            "ignore_empty",
            "character_encoding",
            "empty_key",
            "duplicate_keys",
            "force",
            "dry_run",
        },
        exclude_none=True,
    )
    if written.on_bad_rows is not None:
        settings["max_invalid_share"] = float(share(written.on_bad_rows))
    module = written.module or ""
    warnings = flat.warnings
    if module in EXCLUDED_MODULES:
        warnings += (f"Bigin's limitations page excludes {module} from bulk write.",)
    return Mapping(
        module=module,
        operation=Operation(written.operation or ""),
        find_by=canonical_field(written.find_by) if written.find_by else None,
        fields=tuple(_fields(written, document, flat)),
        warnings=warnings,
        **settings,
    )


def _fields(written: WrittenMapping, document: Document, flat: Flat) -> Iterator[MappedField]:
    for header, api_name in (written.columns or {}).items():
        if api_name is not None:
            place = document.place(flat.as_written(("columns", header)))
            field = canonical_field(api_name)
            yield MappedField(place=place, has_keys=False, column=header, api_name=field)
    for position, entry in enumerate(written.field_mappings or ()):
        place = document.place(flat.as_written(("field_mappings", position)))
        yield _field(entry, place)


def _field(entry: Entry, place: str) -> MappedField:
    return MappedField(
        place=place,
        api_name=canonical_field(entry.api_name or ""),
        column=entry.column,
        index=entry.index,
        default_value=entry.default_value.value if entry.default_value else None,
        find_by=canonical_field(entry.find_by) if entry.find_by else None,
        format=entry.format,
        decimal=entry.decimal,
        thousands=as_plain_space(entry.thousands),
        values=tuple((entry.values or {}).items()),
    )
