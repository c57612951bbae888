"""What is kept of the parts of an import, read from front to back beside its drop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, NoReturn

from bigin_import.domain.part_record import Part
from bigin_import.domain.row_result import Reason, RowResult, RowResults, RowStatus
from bigin_import.errors import RowResultsMismatchError
from bigin_import.report.summary import sentence
from bigin_import.row_results.bigin_listing import next_columns
from bigin_import.row_results.join import RowResultReader
from bigin_import.row_results.reasons import job_reason, unclear_reason
from bigin_import.settling.summarize import why_unclear


class Taken(NamedTuple):
    """
    Some rows of a part.

    Attributes:
        results: What became of each.
        because: By their status, why rows of the part were not done, or are unclear.
        sent: The columns of what was sent of them; None if it is not kept any more.
    """

    results: RowResults
    because: Mapping[RowStatus, Reason]
    sent: Sequence[Sequence[str]] | None


class KeptPart:
    """
    What is kept of a part, from its first row to its last.

    Attributes:
        left: Rows that were not taken yet.
    """

    def __init__(
        self, part: Part, results: RowResultReader | None, sent: Iterator[str] | None
    ) -> None:
        self.left = part.rows
        self._part = part
        self._results = results
        self._sent = sent
        self._status, self._because = _of_whole_part(part)

    def take(self, count: int) -> Taken:
        """
        Take the next rows, at most *count*.

        Raises:
            RowResultsMismatchError: There are not as many row results as rows.
        """
        count = min(count, self.left)
        self.left -= count
        results = self._take_results(count)
        sent = None if self._sent is None else next_columns(self._sent, count)
        return Taken(results, self._because, sent)

    def _take_results(self, count: int) -> RowResults:
        if self._results is None:
            return RowResults.of([RowResult(self._status)] * count)
        results = self._results.take(count)
        surplus = 0 if self.left else len(self._results.take(1).statuses)
        found = len(results.statuses) + surplus
        if found != count:
            part = self._part
            taken = part.rows - self.left - count
            raise RowResultsMismatchError(
                part.import_id, part.number, rows=part.rows, row_results=taken + found
            )
        return results


class KeptParts:
    """What is kept of all parts, one behind the other."""

    def __init__(
        self, import_id: str, parts: Sequence[Part], open_part: Callable[[Part], KeptPart]
    ) -> None:
        self._import_id = import_id
        self._parts = parts
        self._opened = map(open_part, parts)
        self._part: KeptPart | None = None

    def take(self, count: int) -> Iterator[Taken]:
        """
        Take the next *count* rows, each time those of one part.

        Raises:
            RowResultsMismatchError: The drop has more rows to send than its parts together.
        """
        while count:
            if self._part is None or not self._part.left:
                self._part = next(self._opened, None) or self._raise_too_short()
            taken = self._part.take(count)
            count -= len(taken.results.statuses)
            yield taken

    def _raise_too_short(self) -> NoReturn:
        last = self._parts[-1].number if self._parts else 0
        rows = sum(part.rows for part in self._parts)
        raise RowResultsMismatchError(self._import_id, last, rows=rows + 1, row_results=rows)


def _of_whole_part(part: Part) -> tuple[RowStatus, Mapping[RowStatus, Reason]]:
    """Return what became of all rows of a part without row results; and why rows of it ended so."""
    if part.refusal is not None and not part.may_have_earlier_job:
        refusal = part.refusal
        reason = job_reason(refusal.code, refusal.message, refusal.resolution)
        return RowStatus.UNPROCESSED, {RowStatus.UNPROCESSED: reason}
    why = why_unclear(part)
    return RowStatus.UNCLEAR, {RowStatus.UNCLEAR: unclear_reason(sentence(why))} if why else {}
