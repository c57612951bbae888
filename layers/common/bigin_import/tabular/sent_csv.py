"""
Records as the CSV that we send: UTF-8 without a BOM, commas, LF.

LF, because it is the shortest end that every reader knows, and because a cell's own line ends
then stay what they are. The csv module quotes a cell rightly at six times the price of joining;
one count over a whole batch proves that no cell needs quotes, which is the usual case.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from typing import cast

type SentRecord = tuple[str, ...]


class _Echo:
    """A file for csv.writer that hands every line back instead of storing it."""

    def write(self, line: str) -> str:
        return line


def csv_text(records: Sequence[SentRecord]) -> str:
    """Return *records*, all equally long, as lines of CSV, each with its LF."""
    if not records:
        return ""
    commas = len(records[0]) - 1
    if not commas:  # an empty cell alone must be quoted, or its line would be blank
        return "".join(map(_quoting(), records))
    lines = list(map(",".join, records))
    text = "\n".join(lines) + "\n"
    if (
        text.count(",") == commas * len(lines)
        and text.count("\n") == len(lines)
        and '"' not in text
        and "\r" not in text
    ):
        return text
    quoted = _quoting()
    # The same four questions for each line, spelled out: a call for each costs a tenth of it all.
    return "".join(
        quoted(record)
        if '"' in line or "\n" in line or "\r" in line or line.count(",") != commas
        else line + "\n"
        for line, record in zip(lines, records, strict=True)
    )


def _quoting() -> Callable[[SentRecord], str]:
    writerow = csv.writer(_Echo(), lineterminator="\n").writerow
    return cast("Callable[[SentRecord], str]", writerow)  # it returns what write() returned
