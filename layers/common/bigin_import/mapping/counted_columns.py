"""Columns that a mapping counts by index: is there a header row, and are they those meant?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from bigin_import.domain.drop import Problem
from bigin_import.domain.plan import PlannedColumn
from bigin_import.mapping.fields import ModuleFields
from bigin_import.mapping.keys import NUMBER_TYPES
from bigin_import.mapping.names import Headers, loose_form
from bigin_import.mapping.validate import Resolved, Validated
from bigin_import.splitting.cells import MISFIT
from bigin_import.splitting.dates import DatePattern, fitting_formats
from bigin_import.splitting.numbers import NumberKind

_SHOWN_CELLS = 20
_SHOWN_CHARACTERS = 60


def counted_column_problems(validated: Validated, *, drop: str) -> Iterator[Problem]:
    """Yield that columns which are counted by index alone may not be those that were meant."""
    headers, entries, fields = validated.headers, validated.entries, validated.fields
    if headers is None or not validated.mapping.header:
        return
    counted = [entry for entry in entries if entry.is_counted]
    if counted and all(entry.mapped.column is None for entry in entries):
        proof = next(_proofs_of_record(counted, headers, fields), None)
        if proof is not None:
            yield _no_header(proof, headers, drop)
            return
    for entry in counted:
        if other := _labels_another(entry, entries, fields):
            yield _grown(entry, other, drop)


def _proofs_of_record(
    counted: list[Resolved], headers: Headers, fields: ModuleFields
) -> Iterator[tuple[int, str]]:
    """Yield cells of the header that prove it to be a record: their column and what they are."""
    for column, cell in enumerate(headers.names):
        if _MAIL.fullmatch(cell):
            yield column, "an e-mail address"
    for entry in counted:
        cell, kind = entry.header, fields.data_type(entry.mapped.api_name)
        if fields.is_date(entry.mapped.api_name):
            stated = entry.mapped.rule.date_format
            if fitting_formats([cell]) or (stated and DatePattern(stated).fits(cell)):
                yield entry.mapped.index or 0, "a date"
        elif kind in NUMBER_TYPES and _is_amount(cell, kind, entry.mapped.index or 0, headers):
            yield entry.mapped.index or 0, "a number"


_MAIL = re.compile(r"\s*[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]{2,}\s*")


def _is_amount(cell: str, kind: str | None, column: int, headers: Headers) -> bool:
    """Return whether *cell* is a number, and none that may name a column: a year, 3 beside 2."""
    if not cell.strip().isdecimal():
        read = NumberKind(PlannedColumn(0, "", "", data_type=kind)).read(cell)
        return bool(read.value) and not read.refusal and MISFIT not in read.tells
    number = int(cell)
    beside = (headers.names[at] for at in (column - 1, column + 1) if 0 <= at < len(headers.names))
    near = {int(name) for name in beside if name.strip().isdecimal()}
    is_year = len(cell.strip()) == 4 and cell.strip()[:2] in ("19", "20")  # noqa: PLR2004
    is_running = number in (column, column + 1) or bool(near & {number - 1, number + 1})
    return not (is_year or is_running)


def _no_header(proof: tuple[int, str], headers: Headers, drop: str) -> Problem:
    column, found = proof
    cells = " · ".join(name[:_SHOWN_CHARACTERS] for name in headers.names[:_SHOWN_CELLS])
    return Problem(
        f"{drop}, row 1",
        f"this row is taken for the header, but column {column + 1} of it holds {found}",
        'If the file has no header row, write "header": false in the mapping; else give its '
        "columns names",
        cells=(f"as a header, not imported: {cells}", f"as the first record: {cells}"),
    )


def _labels_another(
    entry: Resolved, entries: tuple[Resolved, ...], fields: ModuleFields
) -> str | None:
    """Return the field, filled by another entry, that the header of *entry* is the label of."""
    named = {
        loose_form(name): other.mapped.api_name
        for other in entries
        for name in _names_of(other.mapped.api_name, fields)
    }
    own = map(loose_form, _names_of(entry.mapped.api_name, fields))
    header = loose_form(entry.header)
    return None if header in own else named.get(header)


def _names_of(api_name: str, fields: ModuleFields) -> tuple[str, ...]:
    field = fields.by_name.get(api_name)
    return (api_name, field.label) if field else (api_name,)


def _grown(entry: Resolved, other: str, drop: str) -> Problem:
    index = entry.mapped.index
    written = {"column": entry.header, "index": index, "api_name": entry.mapped.api_name}
    return entry.problem(
        "index",
        f'column {index} of {drop} is called "{entry.header}", as the field {other}, which another '
        "column fills: the export may have grown a column",
        f"Correct the index; if it is right, write {json.dumps(written, ensure_ascii=False)}",
    )
