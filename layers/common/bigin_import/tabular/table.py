"""The rows of an open drop, numbered as a spreadsheet shows them, in small batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from bigin_import.models import Dialect
from bigin_import.tabular.drop_bytes import DropBytes
from bigin_import.tabular.drop_text import DropText
from bigin_import.tabular.layout import Layout
from bigin_import.tabular.records import record_batches
from bigin_import.tabular.rework import Ancestry, strip_result_columns


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
        self._ancestry = Ancestry(layout.header)
        self.parent_import = self._ancestry.meet(first_rows)
        self.first_rows = list(map(self._without_own, first_rows))

    @property
    def parent_imports(self) -> tuple[str, ...]:
        """All imports that the rows read so far say that they come from."""
        return tuple(self._ancestry.imports)

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
                self._ancestry.meet(rows)
                parents = self._ancestry.numbers(numbers, rows)
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
