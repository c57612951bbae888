"""
The result files: what became of every row of a drop, each file an action.

Original cells are written as they were read. Our own columns come first; they begin with
`bigin__` and hold nothing that a spreadsheet would take for a formula.

Rows that were simply sent come many at once. What is said of several of them is made once, and
their lines are put together from it and from their lines in the drop; any other row comes alone.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, partial
from hashlib import blake2b
from io import StringIO
from itertools import compress, repeat
from operator import is_
from typing import BinaryIO, NamedTuple

from bigin_import.domain.plan import RowDecision
from bigin_import.domain.row_result import (
    Counts,
    FailedRow,
    RankedReason,
    Reason,
    RowResult,
    RowResults,
    RowStatus,
)
from bigin_import.reading.blocks import Block
from bigin_import.reading.dialect import PREFIX
from bigin_import.reading.table import Rows
from bigin_import.row_results.bigin_listing import parse_errors
from bigin_import.row_results.reasons import (
    NOT_CLEAR,
    NOT_DONE,
    Ranking,
    SentColumn,
    SentColumns,
    row_reasons,
    shortened,
)

MAX_ROWS = 20
SHOWN_CELLS = 4  # of a row: who it is, not all that is known of it
SHOWN_CHARACTERS = 40  # of a cell, and of a header
_SHOWN_OF_REASON = 160
_TO_LOOK_FOR = 3  # cells of an unclear row


class FailedRowSamples:
    """
    Keeps the first rows that it is given.

    Attributes:
        rows: At most MAX_ROWS.
    """

    def __init__(self, sent: SentColumns) -> None:
        self.rows: list[FailedRow] = []
        self._sent = sent
        named = sent.named(sent.key) if sent.key else None
        self._key = (named,) if named else sent.columns[:1]

    @property
    def are_enough(self) -> bool:
        return len(self.rows) >= MAX_ROWS

    def add(
        self,
        number: int | None,
        cells: Sequence[str],
        row_result: RowResult,
        *,
        reasons: Sequence[Reason],
        invalid: str,
    ) -> None:
        """Keep a row; *invalid* says why it was never sent, "" if it was."""
        if self.are_enough:
            return
        shown = dict.fromkeys((*self._key, *self._wrong(row_result, invalid)))
        why = " ".join(reason.what for reason in reasons)
        self.rows.append(
            FailedRow(
                number,
                row_result.status,
                shortened(why, _SHOWN_OF_REASON),
                tuple(
                    (
                        shortened(column.header, SHOWN_CHARACTERS),
                        shortened(cells[column.at], SHOWN_CHARACTERS),
                    )
                    for column in list(shown)[:SHOWN_CELLS]
                    if column.at < len(cells)
                ),
            )
        )

    def _wrong(self, row_result: RowResult, invalid: str) -> Iterator[SentColumn]:
        """Yield the columns that a row failed for; of an unclear row, what to look for it by."""
        columns = self._sent.columns
        if row_result.status is RowStatus.UNCLEAR:
            yield from columns[:_TO_LOOK_FOR]
        for column in columns:
            if f'column "{column.header}"' in invalid:
                yield column
        names = [column.api_name for column in columns]
        for error in parse_errors(row_result.error, names):
            yield from filter(None, map(self._sent.named, error.columns))


BYTE_ORDER_MARK = "\ufeff"
MAX_EMBEDDED_BYTES = 1_000_000  # in the report, where it is a third more as base64
_FLUSH_CHARACTERS = 64 * 1024
_ROWS_AT_ONCE = 100
LINE_END = "\r\n"
# A cell that begins with one of these is a formula to some spreadsheet.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Sheet:
    """
    Collects rows and writes them to *stream* in batches.

    Attributes:
        rows: Rows that were written, the header not counted.
    """

    def __init__(
        self, stream: BinaryIO, header: Sequence[str], *, delimiter: str, keeps_whole: bool = False
    ) -> None:
        self.rows = 0
        self._stream = stream
        self._copy = bytearray() if keeps_whole else None
        self._text = StringIO(newline="")
        self._writer = csv.writer(self._text, delimiter=delimiter, lineterminator=LINE_END)
        self._waiting: list[tuple[str | int, ...]] = []
        self._text.write(BYTE_ORDER_MARK)
        self._writer.writerow(header)

    def add(self, *cells: str | int) -> None:
        """Add a row. Nothing is changed: foreign text for our own columns goes through `inert`."""
        self._waiting.append(cells)
        if len(self._waiting) == _ROWS_AT_ONCE:
            self._collect()
            if self._text.tell() > _FLUSH_CHARACTERS:
                self.flush()

    def add_lines(self, lines: Sequence[str]) -> None:
        """Add rows that are lines of CSV already, without their ends."""
        self._collect()
        self.rows += len(lines)
        self._text.write(LINE_END.join((*lines, "")))
        if self._text.tell() > _FLUSH_CHARACTERS:
            self.flush()

    def _collect(self) -> None:
        self.rows += len(self._waiting)
        self._writer.writerows(self._waiting)
        self._waiting.clear()

    def flush(self) -> None:
        """Write what was collected. Lone surrogates, which UTF-8 cannot hold, are spelt out."""
        self._collect()
        body = self._text.getvalue().encode(errors="backslashreplace")
        self._stream.write(body)
        self._text.seek(0)
        self._text.truncate()
        if self._copy is not None:
            self._copy += body
            if len(self._copy) > MAX_EMBEDDED_BYTES:
                self._copy = None

    @property
    def whole(self) -> bytes | None:
        """Everything that was flushed, if it is kept and at most MAX_EMBEDDED_BYTES."""
        return bytes(self._copy) if self._copy is not None else None


def inert(text: str) -> str:
    """Return *text* so that no spreadsheet runs it."""
    return f"'{text}" if text and text.startswith(_FORMULA_STARTS) else text


_KEPT_ERROR_TEXTS = 1_024
_KEPT_CHARACTERS = 1_000  # of an error text; of longer ones a hash is kept in its place
_KEPT_LONG_TEXTS = 64
_DIGEST_BYTES = 16
CORRECT_IT = "Correct it and drop the corrected file."


class ResultFile(StrEnum):
    """The result files of a drop: `<name>.success.csv` and so on."""

    SUCCESS = "success"
    FAILED = "failed"
    UNPROCESSED = "unprocessed"
    UNCLEAR = "unclear"


FILE_OF = {
    RowStatus.ADDED: ResultFile.SUCCESS,
    RowStatus.UPDATED: ResultFile.SUCCESS,
    RowStatus.EXISTING: ResultFile.SUCCESS,
    RowStatus.REFUSED: ResultFile.FAILED,
    RowStatus.INVALID: ResultFile.FAILED,
    RowStatus.UNPROCESSED: ResultFile.UNPROCESSED,
    RowStatus.UNCLEAR: ResultFile.UNCLEAR,
}


class ResultCells(NamedTuple):
    """
    Our own cells of a row, in the order in which they are written; each is a column.

    `reading.parents.ParentReferences` finds those that it reads again by their names.

    Attributes:
        row: Its number in the drop; "" if nothing tells it.
        id_: Of the record in Bigin; "" if there is none, or none is known.
        error: Bigin's ERRORS as they came.
        reason: The same in words, and what to do.
        import_: By which a corrected file finds its parent.
    """

    row: int | str
    status: str
    id_: str
    error: str
    reason: str
    import_: str


RESULT_COLUMNS = tuple(PREFIX + name.strip("_").title() for name in ResultCells._fields)

type _Said = tuple[RowStatus, str, bool]  # of a row: its result but for the record
type OpenFile = Callable[[ResultFile], AbstractContextManager[BinaryIO]]


class DropRow(NamedTuple):
    """
    One row of the drop and what became of it.

    Attributes:
        number: As a spreadsheet shows it: the header is 1, blank lines are counted. None if
            the drop is gone and nothing else tells it.
        cells: As they were read, `bigin__` columns of an earlier import left out.
        invalid: Why it was never sent; None if it was fit to be sent.
        row_result: None if it was never sent.
        because: Why its whole part was not done, or is unclear; else Bigin's ERRORS say it.
        record: What was sent of it; None if nothing was.
        decision: What was decided about it before, if anything.
    """

    number: int | None
    cells: Sequence[str]
    invalid: str | None = None
    row_result: RowResult | None = None
    because: Reason | None = None
    record: Sequence[str] | None = None
    decision: RowDecision | None = None


@dataclass(frozen=True, slots=True)
class SentRows:
    """
    Neighbouring rows of the drop that were sent, and of which nothing else is to be told.

    Attributes:
        because: By their status, why rows of their part were not done, or are unclear.
        sent: The columns of what was sent of them; None if that is not known any more.
    """

    rows: Rows
    results: RowResults
    because: Mapping[RowStatus, Reason]
    sent: Sequence[Sequence[str]] | None


@dataclass(frozen=True, slots=True)
class WrittenResults:
    """
    What was written.

    Attributes:
        rows: Rows of each file that was made.
        reasons: Why rows are not in Bigin, the most frequent first.
        unprocessed_for_a_cause: An unprocessed row has a reason that must be mended first.
        failed_rows: The first failed and unclear rows.
        failed_csv: The failed file whole, if it has at most 1 MB; else None.
    """

    counts: Counts
    rows: Mapping[ResultFile, int]
    reasons: tuple[RankedReason, ...]
    failed_rows: tuple[FailedRow, ...]
    failed_csv: bytes | None
    unprocessed_for_a_cause: bool = False


def write_results(
    rows: Iterable[DropRow | SentRows],
    *,
    header: Sequence[str],
    sent: SentColumns,
    delimiter: str,
    import_id: str,
    open_file: OpenFile,
) -> WrittenResults:
    """
    Write each row into the one file that says what to do with it.

    Memory stays bounded whatever the number of rows. The same rows give the same bytes.

    Args:
        header: The drop's header row, `bigin__` columns left out.
        sent: Every column that was sent.
        open_file: Makes a file; called once for each file that gets a row.
    """
    with ExitStack() as stack:

        def new_sheet(file: ResultFile) -> Sheet:
            stream = stack.enter_context(open_file(file))
            return Sheet(
                stream,
                (*RESULT_COLUMNS, *header),
                delimiter=delimiter,
                keeps_whole=file is ResultFile.FAILED,
            )

        sorter = _Sorter(sent, import_id, new_sheet, CsvLines(delimiter))
        for some in rows:
            if isinstance(some, SentRows):
                sorter.add_all(some)
            else:
                sorter.add(some)
        return sorter.finish()


class CsvLines:
    """Cells as the csv module writes them, by lines without an end."""

    def __init__(self, delimiter: str) -> None:
        self.delimiter = delimiter
        self._write = csv.writer(self, delimiter=delimiter, lineterminator=LINE_END).writerow

    def write(self, line: str) -> str:
        """Be a file for csv.writer that hands every line back instead of storing it."""
        return line

    def of(self, cells: Sequence[str]) -> str:
        line: str = self._write(cells)  # what write() returned
        return line.removesuffix(LINE_END)

    def cells(self, cells: Iterable[str]) -> list[str]:
        """Return each cell as it is written between others."""
        return [self.of(("", cell))[1:] for cell in cells]

    def of_all(self, rows: Rows) -> Sequence[str]:
        """Return the line of each row; of a block that needs no quotes they are at hand."""
        if isinstance(rows, Block) and rows.delimiter == self.delimiter and not rows.is_masked:
            return rows.shape.removesuffix("\n").split("\n")
        return [self.of(("", *row))[1:] for row in rows.rows]


def are_plain(cells: Sequence[str]) -> bool:
    """Return whether *cells* are of letters and digits only, or empty."""
    text = "".join(cells)
    return not text or text.isalnum()


class _Outcome(NamedTuple):
    """What rows of which Bigin says the same have in common: their file, and most of our cells."""

    file: ResultFile
    before_id: str
    behind_id: str
    reasons: tuple[Reason, ...]


class _Sorter:
    """Puts every row into its file and keeps what the report tells of them."""

    def __init__(
        self,
        sent: SentColumns,
        import_id: str,
        new_sheet: Callable[[ResultFile], Sheet],
        lines: CsvLines,
    ) -> None:
        self._import_id = import_id
        self._lines = lines
        self._new_sheet = new_sheet
        self._sheets: dict[ResultFile, Sheet] = {}
        self._statuses: Counter[RowStatus] = Counter()
        self._ranking = Ranking()
        self._examples = FailedRowSamples(sent)
        self._sent = sent
        self._unprocessed_for_a_cause = False
        self._of_long: dict[bytes, tuple[Reason, ...]] = {}
        self._remembered = lru_cache(_KEPT_ERROR_TEXTS)(partial(row_reasons, sent=sent))

    def add(self, row: DropRow) -> None:
        row_result = result_of(row)
        self._statuses[row_result.status] += 1
        if row_result.status is RowStatus.LEFT_OUT:  # it is no data: there is nothing to do with it
            return
        file = FILE_OF[row_result.status]
        reasons = self._reasons(row_result, because=row.because, invalid=row.invalid)
        if file is not ResultFile.SUCCESS:
            self._ranking.add({reasons: [row.number]})
            self._note_cause(row_result.status, reasons)
            self._keep_sample(row.number, row.cells, row_result, reasons, invalid=row.invalid or "")
        cells = ResultCells(
            row="" if row.number is None else row.number,
            status=_status_word(row_result),
            id_=inert(row_result.record_id),
            error=inert(row_result.error),
            reason=_reason_cell(reasons),
            import_=self._import_id,
        )
        self._sheet(file).add(*cells, *row.cells)

    def add_all(self, some: SentRows) -> None:
        """Add rows as `add` does each of them."""
        statuses, record_ids, errors, eithers = some.results
        self._statuses.update(statuses)
        said = list(zip(statuses, errors, eithers, strict=True))
        outcomes = {each: self._outcome(*each, some.because) for each in dict.fromkeys(said)}
        files, before_ids, behind_ids, _ = zip(*map(outcomes.__getitem__, said), strict=True)
        if any(file is not ResultFile.SUCCESS for file in files):
            self._tell(some, said, outcomes)
        numbers = map(str, some.rows.numbers)
        ids = record_ids if are_plain(record_ids) else self._lines.cells(map(inert, record_ids))
        cells = zip(
            numbers, before_ids, ids, behind_ids, self._lines.of_all(some.rows), strict=True
        )
        lines = list(map("".join, cells))
        for file in dict.fromkeys(files):
            self._sheet(file).add_lines(list(compress(lines, map(is_, files, repeat(file)))))

    def _outcome(
        self, status: RowStatus, error: str, either: bool, because: Mapping[RowStatus, Reason]
    ) -> _Outcome:
        row_result = RowResult(status, "", error, either)
        reasons = self._reasons(row_result, because=because.get(status))
        behind = ("", inert(error), _reason_cell(reasons), self._import_id, "")
        return _Outcome(
            FILE_OF[status],
            self._lines.of(("", _status_word(row_result), "")),
            self._lines.of(behind),
            reasons,
        )

    def _tell(
        self, some: SentRows, said: Sequence[_Said], outcomes: Mapping[_Said, _Outcome]
    ) -> None:
        """Keep what the report tells of rows."""
        failed = {each for each in outcomes if outcomes[each].file is not ResultFile.SUCCESS}
        numbers: dict[_Said, list[int]] = {}
        for at in compress(range(len(said)), map(failed.__contains__, said)):
            each, number = said[at], some.rows.numbers[at]
            numbers.setdefault(each, []).append(number)
            if not self._examples.are_enough:
                status, error, _ = each
                row_result, reasons = RowResult(status, "", error), outcomes[each].reasons
                self._keep_sample(number, some.rows.row(at), row_result, reasons)
        rows_of: dict[tuple[Reason, ...], list[int]] = {}
        for each, rows in numbers.items():
            reasons = outcomes[each].reasons
            self._note_cause(each[0], reasons)
            rows_of[reasons] = sorted([*rows_of.get(reasons, []), *rows])
        self._ranking.add(rows_of)

    def _note_cause(self, status: RowStatus, reasons: Sequence[Reason]) -> None:
        if status is RowStatus.UNPROCESSED and NOT_DONE not in reasons:
            self._unprocessed_for_a_cause = True

    def _keep_sample(
        self,
        number: int | None,
        cells: Sequence[str],
        row_result: RowResult,
        reasons: Sequence[Reason],
        *,
        invalid: str = "",
    ) -> None:
        if FILE_OF[row_result.status] in (ResultFile.FAILED, ResultFile.UNCLEAR):
            self._examples.add(number, cells, row_result, reasons=reasons, invalid=invalid)

    def finish(self) -> WrittenResults:
        for sheet in self._sheets.values():
            sheet.flush()
        failed = self._sheets.get(ResultFile.FAILED)
        return WrittenResults(
            counts=Counts(**{status.value: rows for status, rows in self._statuses.items()}),
            rows={file: sheet.rows for file, sheet in self._sheets.items()},
            reasons=self._ranking.ranked(),
            failed_rows=tuple(self._examples.rows),
            failed_csv=failed.whole if failed else None,
            unprocessed_for_a_cause=self._unprocessed_for_a_cause,
        )

    def _reasons(
        self, row_result: RowResult, *, because: Reason | None, invalid: str | None = None
    ) -> tuple[Reason, ...]:
        if invalid is not None:
            return (_not_sent(invalid),)
        if because is not None:
            return (because,)
        if FILE_OF[row_result.status] is ResultFile.SUCCESS:
            return ()
        if row_result.status is RowStatus.UNCLEAR:
            return (NOT_CLEAR,)
        if row_result.status is RowStatus.UNPROCESSED and not row_result.error:
            return (NOT_DONE,)
        is_long = len(row_result.error) > _KEPT_CHARACTERS
        return (self._reasons_of_long if is_long else self._remembered)(row_result.error)

    def _reasons_of_long(self, error: str) -> tuple[Reason, ...]:
        digest = blake2b(error.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).digest()
        if digest not in self._of_long:
            if len(self._of_long) >= _KEPT_LONG_TEXTS:
                self._of_long.clear()
            self._of_long[digest] = row_reasons(error, self._sent)
        return self._of_long[digest]

    def _sheet(self, file: ResultFile) -> Sheet:
        if file not in self._sheets:
            self._sheets[file] = self._new_sheet(file)
        return self._sheets[file]


def result_of(row: DropRow) -> RowResult:
    """Return what became of *row*; one that was never sent is INVALID, or else UNPROCESSED."""
    if row.invalid is not None:
        return RowResult(RowStatus.INVALID)
    return row.row_result or RowResult(RowStatus.UNPROCESSED)


def _not_sent(why: str) -> Reason:
    return Reason("", f"The row was not sent: {why.rstrip('.')}.", CORRECT_IT)


def _reason_cell(reasons: Iterable[Reason]) -> str:
    return inert(" ".join(map(str, reasons)))


def _status_word(row_result: RowResult) -> str:
    return "added or updated" if row_result.either else row_result.status
