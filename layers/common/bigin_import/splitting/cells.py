"""
What one cell comes to: the value that is sent, or why its row is not, and what is to be reported.

Also which values fit which field by its data type, length and picklist; and what damages ids.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from html.entities import html5
from typing import NamedTuple, Protocol

from bigin_import.domain.plan import PlannedColumn

ROWS_NAMED = 10
SPACES = str.maketrans(dict.fromkeys("\u00a0\u2007\u2009\u202f", " "))
# Nobody sees them, and nothing is found that has them. Joiners are spelling in some scripts.
_JOINERS = "\u200c\u200d"
_REMOVED = (
    "\u00ad\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_WITHOUT = str.maketrans(dict.fromkeys(_REMOVED))


class Remark(NamedTuple):
    """
    Something that is true of some cells of a column.

    Attributes:
        words: A sentence behind the column's name, with {count} and {rows}; "" if it only leads
            to a conclusion on the whole column.
        is_note: It asks for nothing: a value was restored, or converted for certain.
    """

    name: str
    words: str = ""
    is_note: bool = False


class Cell(NamedTuple):
    """
    Attributes:
        refusal: Why its row is not sent; it names the column and not the value.
        is_certain: Bigin would refuse the row too.
    """

    value: str
    remarks: tuple[Remark, ...] = ()
    refusal: str = ""
    is_certain: bool = False


class CellKind(Protocol):
    """How the cells of one column are read, by the type of its field and by its rule."""

    @property
    def is_plain(self) -> Callable[[Sequence[str]], bool]:
        """Whether cells are sent as they are; asked for a whole batch, so it must be fast."""
        ...

    @property
    def read(self) -> Callable[[str], Cell]:
        """Read one cell."""
        ...


MISFIT = Remark("misfit")

# Words by which programs say that there is no value: databases, pandas, JavaScript, Bigin's own
# picklists, and the errors of spreadsheets in the languages that they write.
PLACEHOLDERS = frozenset({
    "NULL", "null", "Null", "(null)", "[NULL]", "<null>", "\\N",
    "nan", "NaN", "NAN", "-nan", "None", "NaT", "<NA>", "N/A", "n/a", "undefined",
    "-None-", "(blank)",
    "#N/A", "#NA", "#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!",
    "#NV", "#N/V", "#BEZUG!", "#WERT!", "#ZAHL!", "#N/D", "#NOM?", "#VALEUR!", "#NOMBRE?",
    "#\u00a1REF!", "#\u00a1VALOR!", "#\u00a1DIV/0!", "#\u00a1NUM!", "#VALOR!", "#NOME?", "#RIF!",
    "#VALORE!", "#N/B", "#NAAM?", "#VERW!", "#WAARDE!", "#DEEL/0!", "#GETAL!",
    "#ERROR!", "#GETTING_DATA", "#FIELD!", "#CONNECT!", "#BLOCKED!", "#UNKNOWN!", "#BUSY!",
    "#N/DISP", "#N\u00daM!", "#N\u00c3O.DISP", "#SAKNAS!", "#V\u00c4RDEFEL!", "#REFERENS!",
    "#DIVISION/0!", "#NAMN?", "#I/T", "#NAVN?", "#V\u00c6RDI!", "#VERDI!", "#REFERENCE!",
    "#N/D!", "#ARG!", "#ADR!", "#NAZWA?", "#DZIEL/0!", "#LICZBA!", "#PUUTTUU!", "#ARVO!",
    "#\u041d/\u0414", "#\u0417\u041d\u0410\u0427!", "#\u0421\u0421\u042b\u041b\u041a\u0410!",
    "#\u0414\u0415\u041b/0!", "#\u0418\u041c\u042f?", "#\u0427\u0418\u0421\u041b\u041e!",
    "Err:502", "Err:504", "Err:508", "Err:509", "Err:511", "Err:522",
})  # fmt: skip
# What people write for it, where any text may stand.
_LONG_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
DASHES = frozenset({"-", "--", "---", *_LONG_DASHES})
# One for each, which begins with it: a search for any of them takes five times as long.
_LONE_DASHES = {
    dash: re.compile(rf"{dash}(?<!\w{dash}) *(?:$|\t|[^\w\s])", re.MULTILINE)
    for dash in _LONG_DASHES
}
_NO_VALUE = re.compile(r"(?=.*0)[0\s./:T-]+|[-\u2010-\u2015\u2212]+")
_FOLDED = frozenset(map(str.casefold, PLACEHOLDERS))


@cache
def odd_cell(mark: str) -> re.Pattern[str]:
    """
    Match the begin of a cell of which something may be to tell: a word for no value, an apostrophe
    before a number, what a spreadsheet takes for a formula.

    One search for all of them, which begins with one character: 0.3 microseconds for a row of ten
    cells. A search for each, or for one of two separators, takes three times that.

    Args:
        mark: What stands before each cell, and behind it.
    """
    # In a quoted cell another character stands for the mark.
    tab = r"\t\x01" if mark == "\t" else r"\t"
    mark, number = re.escape(mark), r"0-9 ()./+\-"
    words = [word for word in PLACEHOLDERS if not word.startswith("-")]
    first = "".join(sorted({re.escape(word[0]) for word in words}))
    rest = "|".join(sorted({re.escape(word[1:]) for word in words}))
    kinds = (
        rf"(?<=[=@{tab}])",
        r"(?<=')[\d +\-(.]",
        rf"(?<=[+\-])[+\-/) {mark}]",
        rf"(?<=[+\-])[{number}]*+[^{number}{mark}]",
        # Phones begin with +: they are not to be held against each word.
        rf"(?<=[{first}])(?:{rest})[ \u00a0]*+{mark}",
        rf"(?<= ) *+(?:=|(?:[{first}](?:{rest})|-{{1,3}})[ \u00a0]*+{mark})",
    )
    return re.compile(rf"{mark}[ =@{tab}'+\-{first}](?:{'|'.join(kinds)})")


def has_long_dash(text: str) -> bool:
    """Return whether a cell of *text* may be nothing but a long dash."""
    return any(dash in text and lone.search(text) for dash, lone in _LONE_DASHES.items())


def how_to_empty(word: str) -> str:
    """Return the end of a reason: the line that empties a cell of *word*; "" if it is no such."""
    if word.casefold() not in _FOLDED and not _NO_VALUE.fullmatch(word):
        return ""
    return f'; to leave it empty, write "values": {_emptied(word)} in the mapping'


def _emptied(word: str) -> str:
    return json.dumps({word: ""}, ensure_ascii=False)


def placeholder(word: str) -> Remark:
    """Return what is told of cells that hold *word*, with the line that empties them."""
    return Remark(
        f"placeholder {word}",
        f"{{count:,}} cells say {word}, which stands for no value, first in row {{rows}}. "
        f"{_how_to_empty_them(word)}",
    )


def no_date(text: str) -> Remark:
    """Return what is told of cells with the date *text*, which programs write for none."""
    return Remark(
        f"no date {text}",
        f"{{count:,}} dates are {text}, which programs write for no date, first in row {{rows}}; "
        f"they are sent so. {_how_to_empty_them(text)}",
    )


def _how_to_empty_them(word: str) -> str:
    line = f"{{{_emptied(word)}}}"  # braces twice, for str.format
    return f'To leave them empty, write "values": {line} in the mapping.'


INVISIBLE = Remark(
    "invisible",
    "{count:,} cells hold characters that nobody sees, such as a zero-width space, first in row "
    "{rows}; sent without.",
    is_note=True,
)
KEPT_INVISIBLE = Remark(
    "kept invisible",
    "{count:,} cells hold characters that nobody sees, such as a zero-width space, first in row "
    "{rows}; they are sent so, and a search may not find them.",
)
NO_BREAK = Remark(
    "no-break space",
    "{count:,} cells have a no-break space in them, first in row {rows}; they are sent so, and "
    "find no record that has a plain space there.",
)


def has_unseen(text: str) -> bool:
    """Return whether *text* has a character that nobody sees; a pattern takes 200 times as long."""
    return any(letter in text for letter in _REMOVED + _JOINERS)


def without_invisible(cell: str) -> str:
    """Return *cell* without what nobody sees."""
    return cell.translate(_WITHOUT).strip(_JOINERS)


has_invisible: Callable[[str], object] = re.compile("[\u00ad\u200b\u2060\ufeff]").search


REPLACEMENT_CHARACTER = Remark(
    "replacement character",
    "{count:,} cells hold the character \ufffd, first in row {rows}: a program that wrote the file "
    "could not read some letters. They are sent so; export the data again in UTF-8.",
)


DECODED_TWICE = Remark(
    "decoded twice",
    "{count:,} cells look as if they were decoded twice (\u00c3\u00a9 for \u00e9), first in row "
    "{rows}. They are sent so; export the data again in UTF-8.",
)
BEGINS_AS_UTF8 = re.compile("[\u00c2-\u00f4][^\\x00-\\x7f]")


def is_decoded_twice(cell: str) -> bool:
    """Return whether the whole of *cell* is UTF-8 that was read as windows-1252."""
    if cell.isascii() or not BEGINS_AS_UTF8.search(cell):
        return False
    try:
        cell.encode("windows-1252").decode("utf-8")
    except UnicodeError:
        return False
    return True


ESCAPED = Remark(
    "escaped",
    "{count:,} cells have letters written as in a web page (&amp;), first in row {rows}. They are "
    "sent so; export the data again as plain text.",
)
_ENTITY = re.compile(r"&(#\d{2,7}|#x[\da-f]{2,6}|[a-z]\w{1,7});", re.IGNORECASE | re.ASCII)


def has_escaped(text: str) -> bool:
    """Return whether a letter of *text* is written as HTML has it."""
    if "&" not in text or ";" not in text:
        return False
    names = _ENTITY.findall(text)
    return any(name.startswith("#") or f"{name};" in html5 for name in names)


POWER_OF_TEN = Remark(
    "power of ten",
    "{count:,} cells are powers of ten (1.2E+11), as spreadsheets write long numbers, first in row "
    "{rows}: their last digits are lost. They are sent so; export the column as text.",
)
# E+ and two or three digits: 1E5 is a code like any other.
is_power_of_ten = re.compile(r"\s*\d(?:[.,]\d+)?E\+\d{2,3}\s*", re.ASCII).fullmatch


FORMULA_LIKE = Remark(
    "like a formula",
    "{count:,} cells begin with =, @, a tab, + or - and are neither number nor phone, first in row "
    "{rows}; sent as they are. A spreadsheet takes such cells for formulas.",
    is_note=True,
)
_STARTS = frozenset("=@\t+-")
_NUMBER_OR_PHONE = re.compile(
    r"[+-][ \u00a0]*(?:[A-Z]{3}|[€$£¥])?[ \u00a0]*[\d.,(][\d \u00a0\u202f()./,'’+-]*"
    r"(?:[A-Z]{3}|[€$£¥%])?(?:(?:ext|x|durchwahl)[. ]*\d+)?",
    re.IGNORECASE,
)


def begins_as_formula(cell: str) -> bool:
    """Return whether *cell* begins as a formula, and is neither a number nor a phone."""
    if cell[:1] not in _STARTS or not cell.strip(" -"):
        return False
    is_else = cell in PLACEHOLDERS or is_formula(cell) or _NUMBER_OR_PHONE.fullmatch(cell)
    return not is_else


FORMULA_ITSELF = Remark(
    "formula itself",
    "{count:,} cells are formulas of a spreadsheet (=A1+B1), first in row {rows}: what comes of "
    "them is not in the file. They are sent so; export the values.",
)
# A function, or a cell of the sheet.
is_formula: Callable[[str], object] = re.compile(
    r"=[\s+(-]*+(?:[^\W\d_][\w.]*\(|\$?[A-Z]{1,3}\$?\d+\b|[^!\s]+!\$?[A-Z]).*",
    re.IGNORECASE | re.DOTALL,
).fullmatch


class RowNames:
    """
    Counts rows and keeps the numbers of the first.

    Attributes:
        first: At most ROWS_NAMED.
    """

    def __init__(self) -> None:
        self.count = 0
        self.first: list[int] = []

    def add(self, numbers: Sequence[int]) -> None:
        """Count some rows, in order."""
        self.count += len(numbers)
        self.first += numbers[: ROWS_NAMED - len(self.first)]

    def __str__(self) -> str:
        return ", ".join(map(str, self.first))


class FieldType(NamedTuple):
    """
    How values are compared with a field. Empty values fit any field and are not asked about.

    Attributes:
        one: Whether one value fits.
        every: Whether all of some values do; much faster than asking for each.
        remedy: What to do if they do not.
    """

    one: Callable[[str], bool]
    every: Callable[[list[str]], bool]
    remedy: str


_CHECK_MAPPING = "Check in the mapping that this column belongs to this field"
_STATE_FORMAT = 'Write the "format" of the file in the mapping'
_STATE_MARKS = 'For decimal commas write "decimal" in the mapping, for thousands marks "thousands"'
_STATE_VALUES = 'Bigin reads true and false; for other words write "values" in the mapping'

_DECIMAL = r"[+-]?(?:\d{1,16}(?:\.\d*)?|\.\d+)"
_DATE = r"\d{4}-\d\d-\d\d"
_TIME = r"\d\d:\d\d:\d\d(?:[+-]\d\d:\d\d|Z)?"
_MAIL = r"[^@\s\u00a0\u200b-\u200d\u2060\ufeff<>()\[\]:;,\"]+"
# Ids that Bigin shows have 18 or 19 digits. Shorter numbers are of another system, such as 4711.
_ID = r"\d{15,20}"

# Sizes: the value formats of Zoho's bulk write (integer 9 digits, currency 16).
_TYPES = {
    "id": (_ID, _CHECK_MAPPING),
    "lookup": (_ID, 'To find parents by another field than their id, write its "find_by"'),
    "ownerlookup": (rf"{_ID}|{_MAIL}@{_MAIL}", "An owner is the id or the e-mail of a user"),
    "integer": (r"[+-]?\d{1,9}", _STATE_MARKS),
    "bigint": (r"[+-]?\d{1,19}", _STATE_MARKS),
    "double": (_DECIMAL, _STATE_MARKS),
    "decimal": (_DECIMAL, _STATE_MARKS),
    "currency": (_DECIMAL, _STATE_MARKS),
    "percent": (_DECIMAL, _STATE_MARKS),
    "boolean": ("(?i:true|false)", _STATE_VALUES),
    "date": (_DATE, _STATE_FORMAT),
    "datetime": (f"{_DATE}[ T]{_TIME}", _STATE_FORMAT),
    "email": (rf"(?!'){_MAIL}@{_MAIL}\.{_MAIL}(?<![.'])", _CHECK_MAPPING),
}


def field_type(column: PlannedColumn, data_type: str | None) -> FieldType | None:
    """Return how to check *column* as a field of *data_type*; None if nothing can be said."""
    if column.pick_list:
        return _listed(column.pick_list, is_many=data_type == "multiselectpicklist")
    shape = _shaped(*_TYPES[data_type]) if data_type in _TYPES else None
    # The length of a number or a date is not one of characters.
    short = _short(column.length) if column.length and (not shape or data_type == "email") else None
    return _both(shape, short) if shape and short else shape or short


def _shaped(pattern: str, remedy: str) -> FieldType:
    match = re.compile(rf"\s*(?:{pattern})\s*", re.ASCII).fullmatch
    # Possessive: a line that does not fit must not send the search back into those before it.
    match_lines = re.compile(rf"(?>[^\S\n]*(?:{pattern})[^\S\n]*\n)*+", re.ASCII).fullmatch

    def every(values: list[str]) -> bool:
        # One match over all lines takes little more than half of a match for each value.
        lines = "\n".join([*values, ""])
        return lines.count("\n") == len(values) and match_lines(lines) is not None

    return FieldType(one=lambda value: match(value) is not None, every=every, remedy=remedy)


def _short(length: int) -> FieldType:
    return FieldType(
        one=lambda value: len(value) <= length,
        every=lambda values: max(map(len, values), default=0) <= length,
        remedy=f"The field takes {length:,} characters",
    )


def _both(shape: FieldType, short: FieldType) -> FieldType:
    return FieldType(
        one=lambda value: short.one(value) and shape.one(value),
        every=lambda values: short.every(values) and shape.every(values),
        remedy=f"{shape.remedy}. {short.remedy}",
    )


def _listed(pick_list: tuple[str, ...], *, is_many: bool) -> FieldType:
    known = {value.strip().casefold() for value in pick_list}
    remedy = (
        'If they are new, write "new_values": "add" in the mapping and Bigin adds them to the '
        "picklist; "
        + ('for other marks than semicolons write "separator"' if is_many else "else ")
        + ("" if is_many else 'say by "values" what they are in Bigin')
    )

    def one(value: str) -> bool:
        chosen = value.split(";") if is_many else (value,)
        return all(choice.strip().casefold() in known for choice in chosen)

    return FieldType(one=one, every=lambda values: all(map(one, set(values))), remedy=remedy)


# A number needs no sign in its exponent; a text such as the product code 1E5 is no number.
_NUMBER_AS_POWER = re.compile(
    r"^ *\d(?:[.,]\d+)?E\+?\d{1,3} *$", re.IGNORECASE | re.MULTILINE | re.ASCII
)
_TEXT_AS_POWER = re.compile(
    r"^ *\d(?:[.,]\d+)?E\+\d{2,3} *$", re.IGNORECASE | re.MULTILINE | re.ASCII
)
_LONG_ID = re.compile(r"^ *\d{15,16}(\d{3}) *$", re.MULTILINE | re.ASCII)
_WITH_POINT_ZERO = re.compile(r"^ *\d+[.,]00? *$", re.MULTILINE | re.ASCII)
_WITH_FRACTION = re.compile(r"^ *\d+[.,](?!00? *$)\d+ *$", re.MULTILINE | re.ASCII)
_GROUPED = re.compile(r"^ *[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})* *$", re.MULTILINE | re.ASCII)
_BELOW_1000 = re.compile(r"^ *\d{1,3} *$", re.MULTILINE | re.ASCII)

# One id in a thousand ends in 000 by chance; two of two do not.
_ROUND_IDS_FOR_REJECTION = 2

REMEDY = (
    "A spreadsheet keeps 15 digits of a number: export the file again and do not save it from a "
    "spreadsheet, or read the column as text there"
)
ID_TYPES = frozenset({"id", "lookup", "ownerlookup"})


class IdDamage:
    """
    What was seen of it in one column.

    Args:
        are_numbers: Its ids have nothing but digits.
        are_whole: They are numbers, of which .0 is taken off.
    """

    def __init__(self, *, are_numbers: bool, are_whole: bool = False) -> None:
        self._power = _NUMBER_AS_POWER if are_numbers else _TEXT_AS_POWER
        self._are_whole = are_whole
        self._powers = self._long_ids = self._round_ids = self._point_zeros = 0
        self._has_fractions = False
        self._grouped = 0
        self._are_numbers = not are_numbers

    def look(self, filled: list[str]) -> None:
        """Look at some cells, none of them empty."""
        text = "\n".join(filled)
        self._powers += len(self._power.findall(text)) if "E" in text.upper() else 0
        if not self._are_whole and (".0" in text or ",0" in text):
            self._point_zeros += len(_WITH_POINT_ZERO.findall(text))
            self._has_fractions = self._has_fractions or bool(_WITH_FRACTION.search(text))
        if self._are_numbers:
            grouped = len(_GROUPED.findall(text))
            self._grouped += grouped
            self._are_numbers = grouped + len(_BELOW_1000.findall(text)) == len(filled)
        endings = _LONG_ID.findall(text)
        self._long_ids += len(endings)
        self._round_ids += endings.count("000")

    def warnings(self) -> Iterator[str]:
        """Yield what may have been done to them; they are sent so."""
        if self._are_numbers and self._grouped:
            yield (
                f"all keys are numbers, and {self._grouped:,} of them have marks of thousands "
                "(1,001), as spreadsheets show numbers. They are sent so, and find no record that "
                "has 1001; export the column as text."
            )

    def words(self) -> tuple[str, str] | None:
        """Return what was done to the ids and what to do; None if nothing was."""
        if self._powers:
            return f"{self._powers:,} ids are in scientific notation (1.11E+17)", REMEDY
        if self._round_ids >= max(_ROUND_IDS_FOR_REJECTION, self._long_ids / 2):
            return "most ids of 18 or 19 digits end in 000: they were rounded", REMEDY
        if self._point_zeros and not self._has_fractions:
            what = (
                f"{self._point_zeros:,} keys end in .0: either they are written so, or a program "
                "took 1001 for a number and wrote 1001.0"
            )
            return what, (
                "Export the column as text (in pandas: dtype=str); or, if the keys are meant so, "
                'say for each by "values" in the mapping what it is, such as {"1.0": "1.0"}'
            )
        return None


def id_damage(data_type: str | None, *, is_key: bool) -> IdDamage | None:
    """Return what looks for damage in a column; None if no ids are in it."""
    if data_type in ID_TYPES:
        return IdDamage(are_numbers=True)
    if is_key and data_type in {"integer", "bigint"}:
        return IdDamage(are_numbers=True, are_whole=True)
    return IdDamage(are_numbers=False) if is_key and data_type != "email" else None
