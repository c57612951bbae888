"""The first failed rows, as a person recognises them: the key, and the cells that are wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bigin_import.models import RowFate, RowStatus
from bigin_import.models.findings import FailedRow, Reason
from bigin_import.tabular.errors_cell import parse_errors
from bigin_import.tabular.ranking import shortened
from bigin_import.tabular.sent_columns import SentColumn, SentColumns

MAX_ROWS = 20
SHOWN_CELLS = 4  # of a row: who it is, not all that is known of it
SHOWN_CHARACTERS = 40  # of a cell, and of a header
_SHOWN_OF_REASON = 160
_TO_LOOK_FOR = 3  # cells of an unclear row


class Examples:
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
        fate: RowFate,
        *,
        reasons: Sequence[Reason],
        invalid: str,
    ) -> None:
        """Keep a row; *invalid* says why it was never sent, "" if it was."""
        if len(self.rows) >= MAX_ROWS:
            return
        shown = dict.fromkeys((*self._key, *self._wrong(fate, invalid)))
        why = " ".join(reason.what for reason in reasons)
        self.rows.append(
            FailedRow(
                number,
                fate.status,
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

    def _wrong(self, fate: RowFate, invalid: str) -> Iterator[SentColumn]:
        """Yield the columns that a row failed for; of an unclear row, what to look for it by."""
        columns = self._sent.columns
        if fate.status is RowStatus.UNCLEAR:
            yield from columns[:_TO_LOOK_FOR]
        for column in columns:
            if f'column "{column.header}"' in invalid:
                yield column
        names = [column.api_name for column in columns]
        for error in parse_errors(fate.error, names):
            yield from filter(None, map(self._sent.named, error.columns))
