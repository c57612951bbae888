"""How the cells of a column are read, by the type of its field and by what the mapping says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from bigin_import.domain.plan import ColumnPlan, PlannedColumn, ValueRule
from bigin_import.splitting.cells import (
    ID_TYPES,
    MISFIT,
    PLACEHOLDERS,
    SPACES,
    Cell,
    CellKind,
    FieldType,
    Remark,
    field_type,
    how_to_empty,
    no_date,
)
from bigin_import.splitting.dates import DatePattern
from bigin_import.splitting.numbers import NUMBER_TYPES, WHOLE_TYPES, NumberKind


class TextKind:
    """Text, which is sent as it is; *is_trimmed* if it names the parent of a record."""

    def __init__(self, planned: PlannedColumn, *, is_trimmed: bool) -> None:
        self._header = planned.header
        self._length = planned.length
        self._is_trimmed = is_trimmed

    def is_plain(self, values: Sequence[str]) -> bool:
        if self._length and max(map(len, values), default=0) > self._length:
            return False
        return not self._is_trimmed or list(map(str.strip, values)) == list(values)

    def read(self, cell: str) -> Cell:
        value = cell.strip() if self._is_trimmed else cell
        if self._length and len(value) > self._length:
            return Cell(cell, refusal=too_long(self._header, self._length), is_certain=True)
        return Cell(value)


def too_long(header: str, length: int) -> str:
    return f'column "{header}" is longer than the {length:,} characters that its field takes'


# One address, however programs of mail write it.
_ADDRESS = re.compile(
    r"(?:[^<>@]*<)?\s*+(?:mailto:)?['\"]?([^@\s<>]+@[^@\s<>?]+?)['\"]?(?:\?[^@\s<>]*)?\s*>?[.,;]*",
    re.IGNORECASE,
)
_MORE_THAN_ADDRESS = Remark(
    "more than an address",
    "{count:,} cells hold more than an e-mail address (Name <a@example.com>, mailto:), first in "
    "row {rows}; the address alone is sent.",
    is_note=True,
)


class EmailKind:
    """Addresses."""

    def __init__(self, planned: PlannedColumn, fits: FieldType) -> None:
        self._header = planned.header
        self._length = planned.length
        self._fits = fits

    def is_plain(self, values: Sequence[str]) -> bool:
        filled = list(filter(None, values))
        return self._fits.every(filled) and list(map(str.strip, filled)) == filled

    def read(self, cell: str) -> Cell:
        value = cell.strip()
        if (found := _ADDRESS.fullmatch(value)) and found[1] != value and self._fits.one(found[1]):
            return self.read(found[1])._replace(remarks=(_MORE_THAN_ADDRESS,))
        if value and "@" not in value:
            reason = f'column "{self._header}" is no e-mail address: it has no @'
            reason += how_to_empty(value)
            return Cell(cell, refusal=reason, is_certain=True)
        if self._length and len(value) > self._length:
            return Cell(cell, refusal=too_long(self._header, self._length), is_certain=True)
        return Cell(value, () if not value or self._fits.one(value) else (MISFIT,))


_PLAIN_PHONE = b"0123456789 +-()/\n"
_DAMAGED_PHONE = re.compile(
    r"\s*[+-]?\d+(?:[.,]\d+)?E\+?\d+\s*|\s*\+?\d+[.,]00?\s*", re.IGNORECASE | re.ASCII
)
_LETTERS = Remark(
    "letters", "{count:,} phone numbers hold letters, first in row {rows}; they are sent so."
)


class PhoneKind:
    """Phone numbers: those that a program took for numbers are lost."""

    def __init__(self, planned: PlannedColumn) -> None:
        self._text = TextKind(planned, is_trimmed=False)
        self._header = planned.header

    def is_plain(self, values: Sequence[str]) -> bool:
        cells = "\n".join(values).encode("utf-8", "surrogatepass")
        return not cells.translate(None, _PLAIN_PHONE) and self._text.is_plain(values)

    def read(self, cell: str) -> Cell:
        if _DAMAGED_PHONE.fullmatch(cell):
            reason = (
                f'column "{self._header}" is no phone number any more: a program has taken it for '
                "a number to calculate with (1.2E+11, or .0 behind it); export it as text"
            )
            return Cell(cell, refusal=reason)
        read = self._text.read(cell)
        has_letters = not read.refusal and any(map(str.isalpha, cell)) and cell not in PLACEHOLDERS
        return read._replace(remarks=(_LETTERS,)) if has_letters else read


_PREFIX = Remark(
    "prefix", "{count:,} ids begin with zcrm_, first in row {rows}; sent without.", True
)


class IdKind:
    """Ids of Bigin's records, as its own exports write them too."""

    def __init__(self, fits: FieldType) -> None:
        self._fits = fits

    def is_plain(self, values: Sequence[str]) -> bool:
        filled = list(filter(None, values))
        return self._fits.every(filled) and list(map(str.strip, filled)) == filled

    def read(self, cell: str) -> Cell:
        value = cell.strip()
        bare = value.removeprefix("zcrm_")
        remarks = (_PREFIX,) if bare != value else ()
        is_fit = not bare or self._fits.one(bare)
        return Cell(bare, remarks) if is_fit else Cell(value, (MISFIT,))


# What programs write for no date: the first and last day that they know, Excel's day 0.
_FIRST_AND_LAST_DAYS = frozenset({
    (1, 1, 1), (1753, 1, 1), (1899, 12, 30), (1899, 12, 31), (1900, 1, 1), (9999, 12, 31),
})  # fmt: skip
_FIRST_YEAR = 1_000
_LONGEST_DAY = 10  # with a time there may be too many to name each
_ODD_YEAR = Remark(
    "odd year",
    "{count:,} dates are such as programs write for none, or their years are cut off (0024-12-31), "
    "first in row {rows}; they are sent so.",
)
_FAR_AHEAD = Remark(
    "far ahead",
    "{count:,} dates are more than a hundred years ahead, first in row {rows}, as in another "
    "calendar or mistyped; they are sent so.",
)
_YEARS_AHEAD = 100
_NOT_BORN = Remark(
    "not born", "{count:,} birth dates are in the future, first in row {rows}; they are sent so."
)


class DateKind:
    """Dates in the format of the file; *arrived*: the day of the drop's arrival."""

    def __init__(self, planned: PlannedColumn, rule: ValueRule, arrived: str) -> None:
        self._header = planned.header
        self._with_time = rule.with_time
        self._pattern = DatePattern(rule.date_format or "", century=rule.century, arrived=arrived)
        self._zone = ZoneInfo(planned.zone) if planned.zone and self._pattern.has_offset else None
        self._is_birth = planned.is_birth
        self._last_year = int(arrived[:4] or "9999") + _YEARS_AHEAD
        self._is_guessed = self._pattern.has_short_year and not rule.century

    def is_plain(self, values: Sequence[str]) -> bool:
        return not any(values)

    def read(self, cell: str) -> Cell:
        text = (cell if cell.isascii() else cell.translate(SPACES)).strip()
        if not text:
            return Cell("")
        try:
            moment = self._pattern.read(text, self._zone if self._with_time else None)
        except (ValueError, OverflowError):
            return Cell(cell, refusal=self._not_so(text))
        is_unborn = self._is_birth and self._pattern.is_future(moment)
        if is_unborn and self._is_guessed:
            reason = (
                f'column "{self._header}" is a birth date in the future; write '
                '"century": "past" for years that have two digits in the mapping'
            )
            return Cell(cell, refusal=reason)
        remarks = [_NOT_BORN] if is_unborn else []
        if (moment.year, moment.month, moment.day) in _FIRST_AND_LAST_DAYS:
            remarks = [no_date(text) if len(text) <= _LONGEST_DAY else _ODD_YEAR]
        elif moment.year < _FIRST_YEAR:
            remarks = [_ODD_YEAR]
        elif moment.year > self._last_year:
            remarks.append(_FAR_AHEAD)
        written = moment.isoformat(" ", "seconds") if self._with_time else moment.date().isoformat()
        return Cell(written, tuple(remarks))

    def _not_so(self, text: str) -> str:
        reason = f'column "{self._header}" is not a date of the form {self._pattern.pattern}'
        return reason + how_to_empty(text)


TRUE_WORDS = frozenset({"true", "yes", "y", "1", "on", "ja", "oui", "si", "sí", "sì"})
FALSE_WORDS = frozenset({"false", "no", "n", "0", "off", "nein", "non"})
WORD = Remark(
    "word",
    "{count:,} cells say yes or no in other words, first in row {rows}; sent as true and false, "
    "for all cells of the column are such words.",
    is_note=True,
)
NO_WORD = Remark("no word")
_BIGIN_S = frozenset({"true", "false", "True", "False", "TRUE", "FALSE", ""})


class BooleanKind:
    """Yes and no, in any words as long as all cells of the column are such words."""

    def __init__(self, planned: PlannedColumn) -> None:
        self._reads_words = planned.reads_words is not False

    def is_plain(self, values: Sequence[str]) -> bool:
        return _BIGIN_S.issuperset(values)

    def read(self, cell: str) -> Cell:
        word = unicodedata.normalize("NFC", cell.strip().casefold())
        if word in {"true", "false", ""}:
            return Cell(word and cell.strip())
        if word not in TRUE_WORDS | FALSE_WORDS:
            return Cell(cell, (MISFIT, NO_WORD))
        if not self._reads_words:
            return Cell(cell, (MISFIT,))
        return Cell("true" if word in TRUE_WORDS else "false", (WORD,))


RESPELLED = Remark(
    "respelled",
    "{count:,} values differ from Bigin's in letter case or spaces, first in row {rows}; "
    "sent as Bigin spells them.",
    is_note=True,
)
NEW = Remark("new")
# Several values in a cell with another mark between them than the stated one.
SEPARATED = {mark: Remark(f"separated by {mark}") for mark in (",", "|", "/", "\n", ";")}


class PicklistKind:
    """The values of a picklist, or several in a cell, in Bigin's spelling."""

    def __init__(self, planned: PlannedColumn) -> None:
        rule = planned.rule or ValueRule()
        labels = dict(planned.display_values)
        spelled = {value: value for value in planned.pick_list}
        self._known = {_folded(name): value for name, value in {**labels, **spelled}.items()}
        self._exact = frozenset((*planned.pick_list, ""))
        self._is_many = planned.data_type == "multiselectpicklist"
        self._separator = rule.separator or ";"

    def is_plain(self, values: Sequence[str]) -> bool:
        return self._exact.issuperset(values)

    def read(self, cell: str) -> Cell:
        if not cell.strip():
            return Cell("")
        if not self._is_many:
            return self._one(cell)
        parts = [self._one(part) for part in cell.split(self._separator) if part.strip()]
        remarks = tuple(dict.fromkeys(remark for part in parts for remark in part.remarks))
        if NEW in remarks and (mark := self._other_separator(cell)):
            remarks = (*remarks, SEPARATED[mark])
        return Cell(";".join(part.value for part in parts), remarks)

    def new_in(self, cell: str) -> Iterable[str]:
        """Return the values in a cell that Bigin does not have yet."""
        parts = cell.split(self._separator) if self._is_many else (cell,)
        return [part.strip() for part in parts if part.strip() and _folded(part) not in self._known]

    def nearest(self, value: str) -> str | None:
        """Return the known value that *value* most likely is, but for its spelling."""
        return next((known for known in self._exact if known and is_near(value, known)), None)

    def _one(self, cell: str) -> Cell:
        known = self._known.get(_folded(cell))
        if known is None:
            return Cell(cell.strip(), (NEW, MISFIT))
        return Cell(known, () if known == cell else (RESPELLED,))

    def _other_separator(self, cell: str) -> str | None:
        """Return the mark between values that are all known, if it is not the stated one."""
        for mark in SEPARATED:
            parts = cell.split(mark)
            if len(parts) > 1 and all(_folded(part) in self._known for part in parts):
                return mark
        return None


def _folded(value: str) -> str:
    """Return what is compared: macOS writes é as two characters."""
    return unicodedata.normalize("NFC", value.strip().casefold())


_LEAST_WORD = 5


def is_near(value: str, known: str) -> bool:
    """
    Return whether two values are most likely one: equal without case, accents, spaces and
    punctuation, or with one letter different in a word of five or more; never a digit.
    """
    words, others = _words(value), _words(known)
    if "".join(words) == "".join(others):
        return bool(words)
    pairs = [pair for pair in zip(words, others, strict=False) if pair[0] != pair[1]]
    return len(words) == len(others) and len(pairs) == 1 and _is_one_letter(*pairs[0])


def _words(value: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", value.casefold())
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.findall(r"[^\W_]+", bare)


def _is_one_letter(word: str, other: str) -> bool:
    if max(len(word), len(other)) < _LEAST_WORD or abs(len(word) - len(other)) > 1:
        return False
    while word and other and word[0] == other[0]:
        word, other = word[1:], other[1:]
    while word and other and word[-1] == other[-1]:
        word, other = word[:-1], other[:-1]
    return len(word) <= 1 and len(other) <= 1 and (word + other).isalpha()


class TypedKind:
    """A type of which nothing more is known than what its values look like."""

    def __init__(self, fits: FieldType) -> None:
        self._fits = fits

    def is_plain(self, values: Sequence[str]) -> bool:
        return self._fits.every(list(filter(None, values)))

    def read(self, cell: str) -> Cell:
        return Cell(cell, () if not cell.strip() or self._fits.one(cell) else (MISFIT,))


def checked_type(planned: PlannedColumn, plan: ColumnPlan) -> str | None:
    """Return the type to check by: a lookup found by another field of its parent holds text."""
    if planned.api_name == "id":
        return "id"
    sent = {mapping.api_name: mapping.find_by for mapping in plan.request.field_mappings}
    if planned.data_type == "lookup" and sent.get(planned.api_name) not in (None, "id"):
        return None
    return planned.data_type


def kind_of(planned: PlannedColumn, plan: ColumnPlan, *, is_key: bool) -> CellKind:
    """Return how the cells of *planned* are read."""
    rule, data_type = planned.rule or ValueRule(), checked_type(planned, plan)
    fits = field_type(planned, data_type)
    if rule.date_format is not None:
        return DateKind(planned, rule, plan.arrived)
    is_number = data_type in (WHOLE_TYPES if is_key else NUMBER_TYPES)
    if rule.decimal or rule.thousands or is_number:
        return NumberKind(planned)
    if data_type == "boolean" or planned.pick_list:
        return BooleanKind(planned) if data_type == "boolean" else PicklistKind(planned)
    if fits and (data_type in {"date", "datetime", "email"} | ID_TYPES | NUMBER_TYPES):
        return _shaped_kind(planned, data_type, fits)
    if data_type == "phone":
        return PhoneKind(planned)
    return TextKind(planned, is_trimmed=planned.data_type == "lookup")


def _shaped_kind(planned: PlannedColumn, data_type: str | None, fits: FieldType) -> CellKind:
    if data_type == "email":
        return EmailKind(planned, fits)
    return IdKind(fits) if data_type in ID_TYPES else TypedKind(fits)
