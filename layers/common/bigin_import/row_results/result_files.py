"""
The result files: what became of every row of a drop, each file an action.

Original cells are written as they were read. Our own columns come first; they begin with
`bigin__` and hold nothing that a spreadsheet would take for a formula.

Beside them the kept rows: what became of each row, for the drops that come after it. A gzipped CSV
in the order of the drop that holds no cell of it.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, partial
from hashlib import blake2b
from io import StringIO, TextIOWrapper
from itertools import batched, repeat
from typing import BinaryIO, NamedTuple

from isal import igzip

from bigin_import.domain.plan import ColumnPlan, RowDecision
from bigin_import.domain.row_result import (
    Counts,
    FailedRow,
    RankedReason,
    Reason,
    RowResult,
    RowStatus,
)
from bigin_import.reading.dialect import PREFIX
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
        if len(self.rows) >= MAX_ROWS:
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
        self._writer = csv.writer(self._text, delimiter=delimiter, lineterminator="\r\n")
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

    `reading.table.ParentReferences` finds those that it reads again by their names.

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
    rows: Iterable[DropRow],
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

        sorter = _Sorter(sent, import_id, new_sheet)
        for row in rows:
            sorter.add(row)
        return sorter.finish()


class _Sorter:
    """Puts every row into its file and keeps what the report tells of them."""

    def __init__(
        self, sent: SentColumns, import_id: str, new_sheet: Callable[[ResultFile], Sheet]
    ) -> None:
        self._import_id = import_id
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
        reasons: tuple[Reason, ...]
        if file is ResultFile.SUCCESS:
            reasons = () if row.because is None else (row.because,)
        else:
            reasons = self._reasons(row, row_result)
            self._tell(row, row_result, reasons)
        cells = ResultCells(
            row="" if row.number is None else row.number,
            status=_status_word(row_result),
            id_=inert(row_result.record_id),
            error=inert(row_result.error),
            reason=inert(" ".join(map(str, reasons))),
            import_=self._import_id,
        )
        self._sheet(file).add(*cells, *row.cells)

    def _tell(self, row: DropRow, row_result: RowResult, reasons: Sequence[Reason]) -> None:
        """Keep what the report tells of a row."""
        self._ranking.add(reasons, row.number)
        if row_result.status is RowStatus.UNPROCESSED and NOT_DONE not in reasons:
            self._unprocessed_for_a_cause = True
        if FILE_OF[row_result.status] in (ResultFile.FAILED, ResultFile.UNCLEAR):
            invalid = row.invalid or ""
            self._examples.add(row.number, row.cells, row_result, reasons=reasons, invalid=invalid)

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

    def _reasons(self, row: DropRow, row_result: RowResult) -> tuple[Reason, ...]:
        if row.invalid is not None:
            return (_not_sent(row.invalid),)
        if row.because is not None:
            return (row.because,)
        if row_result.status is RowStatus.UNCLEAR:
            return (NOT_CLEAR,)
        if row_result.status is RowStatus.UNPROCESSED and not row_result.error:
            return (NOT_DONE,)
        if len(row_result.error) > _KEPT_CHARACTERS:
            return self._reasons_of_long(row_result.error)
        return self._remembered(row_result.error)

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


def _status_word(row_result: RowResult) -> str:
    return "added or updated" if row_result.either else row_result.status


_DIGEST_BYTES = 16  # of two rows in a billion times a billion one pair is taken for equal


class KeptRow(NamedTuple):
    """
    One row of a drop.

    Attributes:
        row: Its number there.
        through: The import that got it in, if an earlier one did; else "".
        root_import, root_row: Who it is in its family, if it was there before this import: the
            import that it was first dropped with, and its number there; else "" and 0.
        sent: Fingerprint of what was sent of it; "" if nothing was.
        cells: Fingerprint of its mapped cells as they were read, whatever became of it; "" if the
            drop is gone.
    """

    row: int
    status: RowStatus
    record_id: str = ""
    through: str = ""
    root_import: str = ""
    root_row: int = 0
    sent: str = ""
    cells: str = ""


class Fingerprints:
    """Names what is sent of a row: the same for the same values in the same fields."""

    def __init__(self, columns: ColumnPlan) -> None:
        self._order = sorted(range(len(columns.header)), key=columns.header.__getitem__)
        request = columns.request
        constants = sorted(
            f"{field.api_name}={field.default_value}"
            for field in request.field_mappings
            if field.default_value is not None
        )
        names = [columns.header[at] for at in self._order]
        head = repr((request.module, request.ignore_empty, names, constants))
        key = blake2b(head.encode()).digest()
        self._begun = blake2b(digest_size=_DIGEST_BYTES, key=key)

    def of(self, record: Sequence[str]) -> str:
        cells = repr([record[at] for at in self._order]).encode(errors="backslashreplace")
        begun = self._begun.copy()  # in half the time of a new one
        begun.update(cells)
        return begun.hexdigest()


def write_kept_rows(
    stream: BinaryIO,
    rows: Iterable[DropRow],
    columns: ColumnPlan,
    *,
    cells_of: Callable[[Sequence[Sequence[str]]], Sequence[str]],
) -> Iterator[DropRow]:
    """
    Write *rows* to *stream* as they pass by; rows whose number is not known are left out.

    Args:
        cells_of: Makes the fingerprint of each row's mapped cells.
    """
    fingerprints = Fingerprints(columns)
    with (
        igzip.IGzipFile("", "wb", 1, stream, 0) as archive,  # type: ignore[no-untyped-call]
        TextIOWrapper(archive, encoding="utf-8", newline="") as text,
    ):
        writer = csv.writer(text)
        writer.writerow(KeptRow._fields)
        for some in batched(rows, _ROWS_AT_ONCE, strict=False):
            numbered = [row for row in some if row.number is not None]
            cells = cells_of([row.cells for row in numbered])
            writer.writerows(map(_kept, numbered, cells, repeat(fingerprints)))
            yield from some


def _kept(row: DropRow, cells: str, fingerprints: Fingerprints) -> KeptRow:
    result, decision, number = result_of(row), row.decision, row.number or 0
    sent = "" if row.record is None else fingerprints.of(row.record)
    if decision is None:
        return KeptRow(number, result.status, result.record_id, "", "", 0, sent, cells)
    through = decision.through if decision.status else ""
    root = (decision.root_import, decision.root_row)
    return KeptRow(number, result.status, result.record_id, through, *root, sent, cells)


def read_kept_rows(body: BinaryIO) -> Iterator[KeptRow]:
    """Yield what `write_kept_rows` wrote."""
    with gzip.open(body, "rt", encoding="utf-8", newline="") as text:
        for line in csv.DictReader(text):
            yield KeptRow(
                int(line["row"]),
                RowStatus(line["status"]),
                line["record_id"],
                line["through"],
                line["root_import"],
                int(line["root_row"]),
                line["sent"],
                line["cells"],
            )
