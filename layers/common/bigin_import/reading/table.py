"""The rows of an open drop, numbered as a spreadsheet shows them, in small batches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import BinaryIO, NamedTuple

from bigin_import.domain.drop import Problem
from bigin_import.domain.plan import Dialect
from bigin_import.errors import DropRejectedError
from bigin_import.reading.decoding import (
    DropBytes,
    DropText,
    byte_order_mark,
    codec_problem,
    is_full_of_nuls,
    is_wide,
    not_a_csv,
    nuls_problem,
)
from bigin_import.reading.dialect import Layout, find_layout, first_rows, read_opening
from bigin_import.reading.records import record_batches

PREFIX = "bigin__"
RESULT_COLUMNS = (
    "bigin__Row",
    "bigin__Status",
    "bigin__Id",
    "bigin__Error",
    "bigin__Reason",
    "bigin__Import",
)
MOST_IMPORTS = 10  # more than one is too many already
_IMPORT_ID = re.compile(r"[0-9a-z]{26}")


def strip_result_columns(header: Sequence[str]) -> tuple[int, ...]:
    """Return the positions of the columns that are not ours."""
    return tuple(at for at, name in enumerate(header) if not _is_ours(name))


def _is_ours(name: str) -> bool:
    return name.strip().casefold().startswith(PREFIX)


class ParentReferences:
    """
    What the rows of a drop tell of the imports whose result files they come from.

    Attributes:
        imports: Ids that were met so far, the first one first.
    """

    def __init__(self, header: Sequence[str]) -> None:
        self.imports: dict[str, None] = {}
        self._import_at = _places(header, "bigin__import")
        self._row_at = _places(header, "bigin__row")

    def meet(self, rows: Iterable[Sequence[str]]) -> str | None:
        """Note what *rows* name; return the import that was met first, None if none was."""
        for row in rows:
            for at in self._import_at:
                cell = row[at].strip() if at < len(row) else ""
                if _IMPORT_ID.fullmatch(cell) and len(self.imports) < MOST_IMPORTS:
                    self.imports[cell] = None
        return next(iter(self.imports), None)

    def numbers(self, numbers: Sequence[int], rows: Sequence[Sequence[str]]) -> dict[int, int]:
        """Return, by the number of a row here, the number that it had in its parent."""
        found = {}
        for number, row in zip(numbers, rows, strict=True):
            for at in self._row_at:
                if at < len(row) and row[at].strip().isdecimal():
                    found[number] = int(row[at])
                    break
        return found


def _places(header: Sequence[str], name: str) -> tuple[int, ...]:
    return tuple(at for at, each in enumerate(header) if each.strip().casefold() == name)


class Batch(NamedTuple):
    """
    Some data rows of a drop.

    Attributes:
        rows: As wide as the header; those in *faults* as they are.
        numbers: The row number of each.
        faults: Position in *rows* -> why the row cannot be used.
        parents: Row number -> the number the row had in the drop that this is a result file of.
    """

    rows: list[list[str]]
    numbers: Sequence[int]
    faults: dict[int, str]
    parents: dict[int, int]


class Table:
    """
    An open drop: its header, and its rows once, from front to back.

    Attributes:
        name: What messages call it.
        header: Without our own `bigin__*` columns, which are cut out of every row too.
        first_rows: The rows in the first chunk of text, as wide as they are; they are read again
            with the batches.
        is_result_file: Whether there were such columns.
        parent_import: The import whose result file the drop is, if it says so.
        rows, blank, padded, trimmed: Counts of what was read so far, as in `CutResult`.
    """

    def __init__(
        self,
        *,
        name: str,
        source: DropBytes,
        text: DropText,
        chunks: Iterator[str],
        layout: Layout,
        first_rows: list[list[str]],
    ) -> None:
        self.name = name
        self.rows = self.blank = self.padded = self.trimmed = 0
        self._source = source
        self._text = text
        self._chunks = chunks
        self._layout = layout
        self._raw_header = layout.header
        self._kept = strip_result_columns(layout.header)
        self.is_result_file = len(self._kept) < len(layout.header)
        self.header = tuple(layout.header[at] for at in self._kept)
        self._parent_references = ParentReferences(layout.header)
        self.parent_import = self._parent_references.meet(first_rows)
        self.first_rows = list(map(self._without_own, first_rows))

    @property
    def parent_imports(self) -> tuple[str, ...]:
        """All imports that the rows read so far say that they come from."""
        return tuple(self._parent_references.imports)

    @property
    def dialect(self) -> Dialect:
        """How the drop is written; the encoding is certain once all rows are read."""
        return Dialect(
            encoding=self._text.encoding,
            delimiter=self._layout.delimiter,
            header_row=self._layout.header_row,
            bom=self._text.bom,
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for the report, once all rows are read."""
        return (_controls(self._text.encoding),) if self._text.has_controls else ()

    @property
    def content_sha256(self) -> str:
        """Hexadecimal SHA-256 of the drop as stored, once all rows are read."""
        return self._source.sha256

    def batches(self) -> Iterator[Batch]:
        """
        Yield the data rows; works once.

        Raises:
            DropRejectedError: Quotes do not tell where rows end, or the encoding is not known
                after all.
        """
        for read in record_batches(
            self._chunks,
            delimiter=self._layout.delimiter,
            name=self.name,
            skip=self._layout.header_row - self._layout.rows_above,
            rows_above=self._layout.rows_above,
        ):
            numbers = range(read.first, read.first + len(read.rows))
            rows, parents = read.rows, {}
            if self.is_result_file:
                self._parent_references.meet(rows)
                parents = self._parent_references.numbers(numbers, rows)
                rows = list(map(self._without_own, rows))
            batch = Batch(rows, numbers, read.faults, parents)
            if read.faults or not self._is_tidy(rows):
                batch = self._tidied(batch)
            self.rows += len(batch.rows)
            if batch.rows:
                yield batch

    def _is_tidy(self, rows: list[list[str]]) -> bool:
        """Return whether every row is as wide as the header, begins with a cell and is data."""
        widths = set(map(len, rows))
        return (
            widths == {len(self.header)}
            and all(map(str.strip, map(itemgetter(0), rows)))
            and list(self.header) not in rows
        )

    def _tidied(self, batch: Batch) -> Batch:
        """Drop blank rows, bring the others to the header's width, name those that cannot be."""
        tidy: list[list[str]] = []
        kept: list[int] = []
        faults: dict[int, str] = {}
        for at, (number, row) in enumerate(zip(batch.numbers, batch.rows, strict=True)):
            if not "".join(row).strip():
                self.blank += 1
                continue
            if fault := batch.faults.get(at) or self._fault(row):
                faults[len(tidy)] = fault
            tidy.append(row if fault else self._fitted(row))
            kept.append(number)
        return Batch(tidy, kept, faults, batch.parents)

    def _fault(self, row: list[str]) -> str | None:
        width = len(self.header)
        if any(map(str.strip, row[width:])):
            return f"it has {len(row)} cells, the header has {width}"
        if width > 1 and row == list(self.header):
            return "it repeats the header row"
        return None

    def _fitted(self, row: list[str]) -> list[str]:
        missing = len(self.header) - len(row)
        if missing > 0:
            self.padded += 1
            return row + [""] * missing
        if missing < 0:
            self.trimmed += 1
            return row[:missing]
        return row

    def _without_own(self, row: list[str]) -> list[str]:
        return [row[at] for at in self._kept if at < len(row)] + row[len(self._raw_header) :]


def _controls(encoding: str) -> str:
    return (
        f"Read as {encoding}, the file has control characters (U+0080 to U+009F), which no text "
        "has. It is probably in a Windows encoding, where they are the euro sign, quotes and "
        'dashes: write for example "character_encoding": "windows-1252" in the mapping and drop '
        "the file again."
    )


# Enough to see that it is no text, or in which encoding.
_HEAD_BYTES = 64 * 1024


def open_table(
    stream: BinaryIO, *, name: str, encoding: str | None, default_encoding: str | None
) -> Table:
    """
    Read the beginning of a drop and return its table; the rest is read with its batches.

    Args:
        name: Of the drop; it is unpacked if this ends in .gz. Messages begin with it.
        encoding: What the mapping says of drops that are not UTF-8.
        default_encoding: What the deployment says of them.

    Raises:
        DropRejectedError: It is empty, no CSV, or in an encoding that nothing names.
    """
    source = DropBytes(stream, name=name)
    head = _head(source)
    stated = encoding or default_encoding
    if problems := _no_text(head, name, stated):
        raise DropRejectedError(problems, concerns_mapping=True)
    text = DropText(head, source, name=name, stated_encoding=stated)
    chunks = iter(text)
    opening = read_opening(chunks)
    layout = find_layout(opening, name)
    return Table(
        name=name,
        source=source,
        text=text,
        chunks=chain([opening.text], chunks),
        layout=layout,
        first_rows=first_rows(layout, opening),
    )


def _head(source: DropBytes) -> bytes:
    head = b""
    for chunk in source:
        head += chunk
        if len(head) >= _HEAD_BYTES:
            break
    return head


def _no_text(head: bytes, name: str, stated: str | None) -> tuple[Problem, ...]:
    """Return why the drop, or what is stated of its encoding, cannot be read."""
    found = (not_a_csv(head, name), codec_problem(stated, name) if stated else None)
    problems = tuple(problem for problem in found if problem)
    if problems or not is_full_of_nuls(head):
        return problems
    is_explained = byte_order_mark(head) or (stated and is_wide(stated))
    return () if is_explained else (nuls_problem(name),)
