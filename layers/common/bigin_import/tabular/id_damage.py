"""Ids that a spreadsheet has destroyed: written as powers of ten, or rounded to 15 digits."""

from __future__ import annotations

import re

# A number needs no sign in its exponent; a text such as the product code 1E5 is no number.
_NUMBER_AS_POWER = re.compile(
    r"^ *\d(?:[.,]\d+)?E\+?\d{1,2} *$", re.IGNORECASE | re.MULTILINE | re.ASCII
)
_TEXT_AS_POWER = re.compile(r"^ *\d(?:[.,]\d+)?E\+\d\d *$", re.IGNORECASE | re.MULTILINE | re.ASCII)
_LONG_ID = re.compile(r"^ *\d{15,16}(\d{3}) *$", re.MULTILINE | re.ASCII)

# One id in a thousand ends in 000 by chance; two of two do not.
_ROUND_IDS_FOR_REJECTION = 2

REMEDY = (
    "A spreadsheet keeps 15 digits of a number: export the file again and do not save it from a "
    "spreadsheet, or read the column as text there"
)


class IdDamage:
    """What was seen of it in one column; *are_numbers*: its ids have nothing but digits."""

    def __init__(self, *, are_numbers: bool) -> None:
        self._power = _NUMBER_AS_POWER if are_numbers else _TEXT_AS_POWER
        self._powers = self._long_ids = self._round_ids = 0

    def look(self, filled: list[str]) -> None:
        """Look at some cells, none of them empty."""
        text = "\n".join(filled)
        self._powers += len(self._power.findall(text)) if "E" in text.upper() else 0
        endings = _LONG_ID.findall(text)
        self._long_ids += len(endings)
        self._round_ids += endings.count("000")

    def words(self) -> str | None:
        """Say what was done to the ids; None if nothing was."""
        if self._powers:
            return f"{self._powers:,} ids are in scientific notation (1.11E+17)"
        if self._round_ids >= max(_ROUND_IDS_FOR_REJECTION, self._long_ids / 2):
            return "most ids of 18 or 19 digits end in 000: they were rounded"
        return None
