"""What makes a drop that was read to its end unfit to be sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice

from bigin_import.models import ColumnPlan, InvalidRow, Problem
from bigin_import.tabular.keys import Repeated
from bigin_import.tabular.row_names import ROWS_NAMED
from bigin_import.tabular.table import Table
from bigin_import.tabular.unread_dates import UnreadDates

_ROWS_KEPT = 100


class InvalidRows:
    """
    Rows that are never sent.

    Attributes:
        first: The first hundred.
    """

    def __init__(self) -> None:
        self.count = 0
        self.first: list[InvalidRow] = []

    def add(self, reasons: dict[int, str], numbers: Sequence[int]) -> None:
        """Note the rows of a batch: position in it -> reason."""
        self.count += len(reasons)
        for at in islice(sorted(reasons), _ROWS_KEPT - len(self.first)):
            self.first.append(InvalidRow(numbers[at], reasons[at]))


def problems_of_rows(
    table: Table, plan: ColumnPlan, invalid: InvalidRows, unread_dates: UnreadDates
) -> Iterator[Problem]:
    """Yield that there is nothing to send, or too much that cannot be."""
    if not table.rows:
        yield Problem(
            table.name,
            "there is a header and no row below it",
            "Export the data again",
        )
    elif refusal := _refusal(table.rows, invalid.count, plan.max_invalid_share):
        yield Problem(table.name, *refusal)
        yield from unread_dates.problems(table.name)
        for row in invalid.first[:ROWS_NAMED]:
            yield Problem(f"{table.name}, row {row.row}", row.reason)


def _refusal(rows: int, invalid: int, share: float) -> tuple[str, str] | None:
    """Say that too many rows are invalid, and what to do; None if they are left out."""
    what = f"{invalid:,} of {rows:,} rows cannot be sent"
    if invalid == rows:
        return what, "Correct them, or what in the mapping refuses them"
    # By its digits: the number that a person wrote as "29%" is a little less than 0.29.
    if invalid <= rows * Fraction(str(share)):
        return None
    what += f"; up to {100 * share:.6g}% are left out, more stop the drop"
    return what, 'Correct these rows, or allow more with "on_bad_rows" in the mapping'


def problems_of_keys(table: Table, plan: ColumnPlan, repeated: Repeated) -> Iterator[Problem]:
    """Yield that keys repeat, if the mapping says that they must not."""
    if plan.duplicate_keys == "reject" and repeated.count and plan.key is not None:
        rows = ", ".join(map(str, repeated.rows[: 2 * ROWS_NAMED]))
        yield Problem(
            f'{table.name}, column "{plan.columns[plan.key].header}"',
            f"{repeated.count:,} rows have the key of an earlier row; see row {rows}",
            'Remove them, or write "duplicate_keys": "send" in the mapping',
        )
