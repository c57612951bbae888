"""The beginning of a drop's text, enough of it to see how the table is written."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

# Enough for a header of 200 columns and the twenty rows below it.
_LEAST_CHARACTERS = 64 * 1024
_SAMPLE_CHARACTERS = 100_000
_SEP_LINE = re.compile(r'"?sep=([,;\t|:])"?\s*', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Opening:
    """
    The first lines, from the first that is not blank.

    Attributes:
        text: They may be more than a sample.
        is_whole: They are all that the drop has.
        rows_above: Blank lines that stood above.
        delimiter: What a line such as `sep=;` states. Spreadsheets obey and hide it, so it is
            no row.
    """

    text: str
    is_whole: bool
    rows_above: int
    delimiter: str | None

    @property
    def sample(self) -> str:
        """What is looked at; its last record may be cut off unless it is the whole drop."""
        return self.text[:_SAMPLE_CHARACTERS]

    @property
    def is_sample_whole(self) -> bool:
        return self.is_whole and len(self.text) <= _SAMPLE_CHARACTERS


def read_opening(chunks: Iterator[str]) -> Opening:
    """Take as many *chunks*, text of whole lines, as are needed to see enough."""
    text, delimiter = _without_sep_line(next(chunks, ""))
    text, rows_above = _without_blank_lines(text)
    while len(text) < _LEAST_CHARACTERS:
        chunk = next(chunks, None)
        if chunk is None:
            return Opening(text, True, rows_above, delimiter)
        if not text:
            chunk, blank = _without_blank_lines(chunk)
            rows_above += blank
        text += chunk
    return Opening(text, False, rows_above, delimiter)


def _without_sep_line(text: str) -> tuple[str, str | None]:
    line = io.StringIO(text, newline="").readline()
    said = _SEP_LINE.fullmatch(line)
    return (text[len(line) :], said[1]) if said else (text, None)


def _without_blank_lines(text: str) -> tuple[str, int]:
    """Return *text* from its first line with a character on it, and how many lines were above."""
    first = len(text) - len(text.lstrip())
    end = max(text.rfind("\n", 0, first), text.rfind("\r", 0, first)) + 1
    lines = text.count("\n", 0, end) + text.count("\r", 0, end) - text.count("\r\n", 0, end)
    return text[end:], lines
