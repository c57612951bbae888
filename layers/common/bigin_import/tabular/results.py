"""
The result files: what became of every row of a drop, each file an action.

Original cells are written as they were read. Our own columns come first; they begin with
`bigin__` and hold nothing that a spreadsheet would take for a formula.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, partial
from typing import BinaryIO, NamedTuple

from bigin_import.models import Counts, RowFate, RowStatus
from bigin_import.models.findings import FailedRow, RankedReason, Reason
from bigin_import.tabular.examples import Examples
from bigin_import.tabular.ranking import Ranking
from bigin_import.tabular.reasons import NOT_CLEAR, NOT_DONE, row_reasons
from bigin_import.tabular.rework import RESULT_COLUMNS
from bigin_import.tabular.sent_columns import SentColumns
from bigin_import.tabular.sheet import Sheet, inert

_KEPT_ERROR_TEXTS = 1_024
_KEPT_CHARACTERS = 1_000  # of an error text; longer ones are understood anew each time
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
    RowStatus.SKIPPED: ResultFile.FAILED,
    RowStatus.INVALID: ResultFile.FAILED,
    RowStatus.UNPROCESSED: ResultFile.UNPROCESSED,
    RowStatus.UNCLEAR: ResultFile.UNCLEAR,
}

type OpenFile = Callable[[ResultFile], AbstractContextManager[BinaryIO]]


class DropRow(NamedTuple):
    """
    One row of the drop and what became of it.

    Attributes:
        number: As a spreadsheet shows it: the header is 1, blank lines are counted. None if
            the drop is gone and nothing else tells it.
        cells: As they were read, `bigin__` columns of an earlier import left out.
        invalid: Why it was never sent; None if it was fit to be sent.
        fate: None if it was never sent.
        because: Why its whole part was not done, or is unclear; else Bigin's ERRORS say it.
    """

    number: int | None
    cells: Sequence[str]
    invalid: str | None = None
    fate: RowFate | None = None
    because: Reason | None = None


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
        self._statuses: Counter[str] = Counter()
        self._ranking = Ranking()
        self._examples = Examples(sent)
        self._sent = sent
        self._unprocessed_for_a_cause = False
        self._remembered = lru_cache(_KEPT_ERROR_TEXTS)(partial(row_reasons, sent=sent))

    def add(self, row: DropRow) -> None:
        fate = _fate(row)
        file = FILE_OF[fate.status]
        reasons = () if file is ResultFile.SUCCESS else self._reasons(row, fate)
        self._statuses[fate.status.value] += 1
        self._tell(row, fate, reasons)
        self._sheet(file).add(
            "" if row.number is None else row.number,
            _status_word(fate),
            inert(fate.record_id),
            inert(fate.error),
            inert(" ".join(map(str, reasons))),
            self._import_id,
            *row.cells,
        )

    def _tell(self, row: DropRow, fate: RowFate, reasons: Sequence[Reason]) -> None:
        """Keep what the report tells of a row."""
        self._ranking.add(reasons, row.number)
        if fate.status is RowStatus.UNPROCESSED and NOT_DONE not in reasons:
            self._unprocessed_for_a_cause = True
        if FILE_OF[fate.status] in (ResultFile.FAILED, ResultFile.UNCLEAR):
            invalid = row.invalid or ""
            self._examples.add(row.number, row.cells, fate, reasons=reasons, invalid=invalid)

    def finish(self) -> WrittenResults:
        for sheet in self._sheets.values():
            sheet.flush()
        failed = self._sheets.get(ResultFile.FAILED)
        return WrittenResults(
            counts=Counts(**self._statuses),
            rows={file: sheet.rows for file, sheet in self._sheets.items()},
            reasons=self._ranking.ranked(),
            failed_rows=tuple(self._examples.rows),
            failed_csv=failed.whole if failed else None,
            unprocessed_for_a_cause=self._unprocessed_for_a_cause,
        )

    def _reasons(self, row: DropRow, fate: RowFate) -> tuple[Reason, ...]:
        if row.invalid is not None:
            return (_not_sent(row.invalid),)
        if row.because is not None:
            return (row.because,)
        if fate.status is RowStatus.UNCLEAR:
            return (NOT_CLEAR,)
        if fate.status is RowStatus.UNPROCESSED and not fate.error:
            return (NOT_DONE,)
        if len(fate.error) > _KEPT_CHARACTERS:
            return row_reasons(fate.error, self._sent)
        return self._remembered(fate.error)

    def _sheet(self, file: ResultFile) -> Sheet:
        if file not in self._sheets:
            self._sheets[file] = self._new_sheet(file)
        return self._sheets[file]


def _fate(row: DropRow) -> RowFate:
    if row.invalid is not None:
        return RowFate(RowStatus.INVALID)
    return row.fate or RowFate(RowStatus.UNPROCESSED)


def _not_sent(why: str) -> Reason:
    return Reason("", f"The row was not sent: {why.rstrip('.')}.", CORRECT_IT)


def _status_word(fate: RowFate) -> str:
    return "added or updated" if fate.either else fate.status.value
