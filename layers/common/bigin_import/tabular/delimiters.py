"""Which character separates the cells of a drop that does not say."""

from __future__ import annotations

from typing import NamedTuple

from bigin_import.tabular.row_shapes import are_mostly_as_wide, width

# In the order of preference when the rows decide nothing.
DELIMITERS = (",", ";", "\t", "|", ":")

# Times and notes are full of colons.
_SELDOM = ":"


class Reading(NamedTuple):
    """
    The first rows of a drop as one delimiter separates them.

    Attributes:
        row: 1-based, of the header in the text.
        below: Rows below the header, blank ones too.
    """

    delimiter: str
    row: int
    header: list[str]
    below: list[list[str]]


def doubt(reading: Reading) -> tuple[int, bool, bool, bool, int]:
    """
    Order readings, the least doubtful first.

    One that splits the header and the rows goes before one that splits nothing; what stands in
    the header alone separates no cells. Then rows as wide as the header count; then that no
    space follows the delimiter in the header, as in "Price, net"; then the most columns.
    """
    agrees = are_mostly_as_wide(reading.below, reading.header)
    return (
        _rank(reading, agrees=agrees),
        not agrees,
        reading.delimiter == _SELDOM,
        _is_prose(reading.header),
        -len(reading.header),
    )


def _rank(reading: Reading, *, agrees: bool) -> int:
    if width(reading.header) <= 1:
        return 1
    is_in_rows = not any(reading.below) or any(len(row) > 1 for row in reading.below)
    return 0 if is_in_rows and (agrees or reading.delimiter != _SELDOM) else 2


def _is_prose(header: list[str]) -> bool:
    others = [cell for cell in header[1:] if cell.strip()]
    return bool(others) and all(cell.startswith(" ") for cell in others)
