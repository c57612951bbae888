"""What makes a drop that was read to its end unfit to be sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from bigin_import.models import ColumnPlan, InvalidRow, Problem
from bigin_import.tabular.keys import Repeated
from bigin_import.tabular.table import Table

_ROWS_KEPT = 100
_ROWS_NAMED = 10


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


def problems_of_rows(table: Table, plan: ColumnPlan, invalid: InvalidRows) -> Iterator[Problem]:
    """Yield that there is nothing to send, or too much that cannot be."""
    if not table.rows:
        yield Problem(
            table.name,
            "there is a header and no row below it",
            "Export the data again",
        )
    elif invalid.count > table.rows * plan.max_invalid_share or invalid.count == table.rows:
        yield Problem(
            table.name,
            f"{invalid.count:,} of {table.rows:,} rows cannot be sent; up to "
            f"{100 * plan.max_invalid_share:.6g}% are left out, more stop the drop",
            'Correct these rows, or allow more with "on_bad_rows" in the mapping',
        )
        for row in invalid.first[:_ROWS_NAMED]:
            yield Problem(f"{table.name}, row {row.row}", row.reason)


def problems_of_keys(table: Table, plan: ColumnPlan, repeated: Repeated) -> Iterator[Problem]:
    """Yield that keys repeat, if the mapping says that they must not."""
    if plan.duplicate_keys == "reject" and repeated.count and plan.key is not None:
        rows = ", ".join(map(str, repeated.rows[: 2 * _ROWS_NAMED]))
        yield Problem(
            f'{table.name}, column "{plan.columns[plan.key].header}"',
            f"{repeated.count:,} rows have the key of an earlier row; see row {rows}",
            'Remove them, or write "duplicate_keys": "send" in the mapping',
        )
