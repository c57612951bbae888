"""
Numbers as people and programs write them: marks, currency signs, brackets, a minus behind.

Which mark is the decimal one is never guessed. Of a column for which the mapping does not say it,
some cells decide it (1.250,50 or 0.250), others can be read both ways (8.000); the conclusion is
drawn by `conclusions` once the column has been read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bigin_import.domain.plan import PlannedColumn, ValueRule
from bigin_import.splitting.cells import MISFIT, SPACES, Cell, Remark, field_type, how_to_empty

WHOLE_TYPES = frozenset({"integer", "bigint"})
NUMBER_TYPES = WHOLE_TYPES | {"double", "decimal", "currency", "percent"}

DECIDES = {mark: Remark(f"decides {mark}") for mark in ".,"}
OPEN = {mark: Remark(f"open {mark}") for mark in ".,"}
_WHOLE = Remark(
    "whole", "{count:,} whole numbers are written with .0, first in row {rows}; sent without.", True
)
_NO_CENTS = Remark(
    "no cents", "{count:,} amounts end in .- for no cents, first in row {rows}; sent without.", True
)
PERCENT = Remark("percent", "{count:,} percent signs were taken off, first in row {rows}.", True)
FRACTION = Remark("fraction")
BESIDE_PERCENT = Remark(
    "fraction beside percent",
    "{count:,} numbers have no percent sign and are below 1, first in row {rows}, and others have "
    "one: 0.15 may mean 15%. They are sent as they are.",
)
_SIGNED = Remark(
    "sign",
    "{count:,} negative numbers are in brackets or have the minus behind, first in row {rows}.",
    True,
)
CURRENCY = "currency "

_CODES = frozenset({
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT",
    "BGN", "BHD", "BIF", "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD",
    "CDF", "CHF", "CLP", "CNY", "COP", "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD",
    "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ",
    "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD", "JOD",
    "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR",
    "LRD", "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR",
    "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN",
    "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR",
    "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB",
    "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS",
    "VED", "VES", "VND", "VUV", "WST", "XAF", "XCD", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG",
})  # fmt: skip
# As people write them, in whatever case. A sign that several currencies share stands for itself,
# and for any of them.
_SIGNS = {
    "€": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "$": "$", "us$": "USD", "a$": "AUD",
    "au$": "AUD", "c$": "CAD", "ca$": "CAD", "nz$": "NZD", "hk$": "HKD", "s$": "SGD", "nt$": "TWD",
    "r$": "BRL", "mx$": "MXN", "¥": "¥", "￥": "¥", "円": "JPY", "元": "CNY", "원": "KRW",
    "₹": "INR", "rs": "Rs", "rs.": "Rs", "₩": "KRW", "₽": "RUB", "руб": "RUB", "руб.": "RUB",
    "₺": "TRY", "tl": "TRY", "₴": "UAH", "₪": "ILS", "฿": "THB", "₫": "VND", "₱": "PHP",
    "₦": "NGN", "gh₵": "GHS", "₵": "GHS", "₡": "CRC", "₲": "PYG", "₸": "KZT", "₾": "GEL",
    "rm": "MYR", "rp": "IDR", "rp.": "IDR", "r": "ZAR", "fr": "CHF", "fr.": "CHF", "sfr": "CHF",
    "sfr.": "CHF", "kr": "kr", "kr.": "kr", "zł": "PLN", "zl": "PLN", "kč": "CZK", "kc": "CZK",
    "ft": "HUF", "lei": "RON", "лв": "BGN", "лв.": "BGN",
}  # fmt: skip
_OTHER_SIGNS = (
    "[\u00a2-\u00a5\u058f\u060b\u09f2\u09f3\u17db\u20a0-\u20c0\ufdfc\uff04\uffe0\uffe1\uffe6]"
)
_SHARED = {
    "$": frozenset({"USD", "AUD", "CAD", "NZD", "HKD", "SGD", "MXN", "ARS", "CLP", "COP", "TWD"}),
    "¥": frozenset({"JPY", "CNY"}),
    "Rs": frozenset({"INR", "PKR", "LKR", "NPR", "MUR"}),
    "kr": frozenset({"SEK", "NOK", "DKK", "ISK"}),
}
_CURRENCIES = _SIGNS | {code.casefold(): code for code in _CODES}
_LONGEST_FIRST = sorted(map(re.escape, _CURRENCIES), key=len, reverse=True)
_CURRENCY = "|".join([*_LONGEST_FIRST, _OTHER_SIGNS])
_BEFORE = re.compile(rf"([+-]?) *({_CURRENCY}) *([+-]?) *(?=[\d.,(])", re.IGNORECASE)
_BEHIND = re.compile(rf"(?<=[\d.,)-]) *({_CURRENCY})$", re.IGNORECASE)
_MINUSES = "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"
_SAME_MINUS = str.maketrans(dict.fromkeys(_MINUSES, "-") | {"’": "'", "％": "%"}) | SPACES
# Most cells. Looking for what may stand around a number takes twenty times as long.
_ALONE = re.compile(r"[+-]?[\d., ']*\d", re.ASCII)
_SIGN_APART = re.compile(r"^([+-]) +")
_WITHOUT_CENTS = re.compile(r"(?<=\d)[.,]-{1,2}$")
_POWER_OF_TEN = re.compile(r"[+-]?\d+(?:[.,]\d+)?E[+-]?\d+", re.IGNORECASE | re.ASCII)
_FRACTION = re.compile(r"[+-]?0*\.0*[1-9]\d*", re.ASCII)
_LETTER = re.compile(r"[^\W\d_]")


def _groups(mark: str) -> str:
    return rf"[1-9]\d{{0,2}}(?:{mark}\d{{2,3}})*{mark}\d{{3}}"


def _pattern(decimal: str, thousands: Sequence[str]) -> re.Pattern[str]:
    """Match numbers whose groups are whole: 1.234 and 12.34.567, but not 1.5 by a stray mark."""
    whole = "|".join([*(_groups(re.escape(mark)) for mark in thousands), r"\d+"])
    point = re.escape(decimal)
    return re.compile(rf"[+-]?(?:(?:{whole})(?:{point}\d*)?|{point}\d+)", re.ASCII)


_ANY = {".": _pattern(".", (",", " ", "'")), ",": _pattern(",", (".", " ", "'"))}
_MARKS = {mark: str.maketrans({**dict.fromkeys(",. '", None), mark: "."}) for mark in ".,"}


class NumberKind:
    """The numbers of one column; *currencies*: those that its cells have named so far."""

    def __init__(self, planned: PlannedColumn) -> None:
        rule = planned.rule or ValueRule()
        self.is_stated = rule.decimal is not None or rule.thousands is not None
        self.proven = planned.proven_decimal
        self._header = planned.header
        self._type = planned.data_type or "double"
        self._fits = field_type(
            PlannedColumn(0, "", ""), self._type if self._type in NUMBER_TYPES else "double"
        )
        self._decimal = rule.decimal or "."
        self._thousands = rule.thousands
        if rule.thousands:
            self._stated = _pattern(self._decimal, (rule.thousands.translate(_SAME_MINUS),))
        else:
            self._stated = _ANY[self._decimal]
        self._is_decided = self.proven == "." and not self.is_stated
        # Atomic: no part of a number can be read in a second way.
        number = rf"(?>{self._stated.pattern})(?<=\d)"
        self._stated_lines = re.compile(rf"(?:(?:{number})?+\n)*+", re.ASCII)

    def is_plain(self, values: Sequence[str]) -> bool:
        if self.is_stated or self.proven == ",":
            return not any(values)
        filled = list(filter(None, values))
        if self._fits is None or not self._fits.every(filled):
            return False
        is_decided = self._is_decided and self._type != "percent"  # fractions are counted
        return is_decided or self._type in WHOLE_TYPES or "." not in "".join(filled)

    def converted(self, values: Sequence[str]) -> Sequence[str] | None:
        """
        Return what is sent of cells that all have the stated marks alone, in a tenth of the time
        of reading each; None if something else is among them, or to be told of one.
        """
        if not self.is_stated or self._type in WHOLE_TYPES or self._type == "percent":
            return None
        text = "\n".join((*values, ""))
        if text.count("\n") != len(values) or not self._stated_lines.fullmatch(text):
            return None
        found = text.translate(_MARKS[self._decimal]).split("\n")[:-1]
        return found if self._fits is None or self._fits.every(list(filter(None, found))) else None

    def read(self, cell: str) -> Cell:
        bare = self._bare(cell)
        if bare is None:
            return Cell("")
        text, remarks = bare
        if not text.strip("-"):
            return Cell(cell, (_dash(cell.strip()),))
        if _LETTER.search(text):
            return Cell(cell, refusal=self._letters(cell), is_certain=True)
        if self.is_stated:
            return self._by_stated_marks(text, remarks)
        return self._by_any_marks(cell, text, remarks)

    def _bare(self, cell: str) -> tuple[str, tuple[Remark, ...]] | None:
        """Return a number without what stands around it, and what that was."""
        text = _SIGN_APART.sub(r"\1", cell.translate(_SAME_MINUS).strip())
        if _ALONE.fullmatch(text):
            return text, ()
        remarks: list[Remark] = []
        if self._type == "percent" and "%" in (text[:1], text[-1:]):
            text, remarks = text.strip("% "), [PERCENT]
        if named := _BEHIND.search(text):
            text = text[: named.start()]
        elif named := _BEFORE.match(text):
            text = (named[1] or named[3]) + text[named.end() :]
        if named:
            sign = named[2] if named.re is _BEFORE else named[1]
            remarks.append(Remark(CURRENCY + _CURRENCIES.get(sign.casefold(), sign)))
        if without := _WITHOUT_CENTS.search(text):
            text = _without_cents(text, without.start())
            remarks.append(_NO_CENTS)
        if text.startswith("(") and text.endswith(")"):
            text = f"-{text[1:-1].strip()}"
            if _BEHIND.search(text) or _BEFORE.match(text):
                return self._inside_brackets(text, remarks)
            remarks.append(_SIGNED)
        elif text[-1:] == "-" and text[:1] != "-" and len(text) > 1:
            text = f"-{text[:-1].rstrip()}"
            remarks.append(_SIGNED)
        return (text, tuple(remarks)) if text else None

    def _inside_brackets(
        self, text: str, remarks: list[Remark]
    ) -> tuple[str, tuple[Remark, ...]] | None:
        inner = self._bare(text[1:])
        return inner and (f"-{inner[0]}", (*remarks, *inner[1], _SIGNED))

    def _letters(self, cell: str) -> str:
        word = cell.strip()
        what = f'column "{self._header}" is a number field, and the cell holds letters'
        if _POWER_OF_TEN.fullmatch(word):
            return f"{what}: a power of ten (1.2E+11), whose last digits may be lost"
        return what + how_to_empty(word)

    def _by_stated_marks(self, text: str, remarks: tuple[Remark, ...]) -> Cell:
        if not self._stated.fullmatch(text):
            marks = f'decimal "{self._decimal}"'
            marks += f' and thousands "{self._thousands}"' if self._thousands else ""
            return Cell(text, refusal=f'column "{self._header}" is not a number with {marks}')
        return self._fitted(text.translate(_MARKS[self._decimal]), remarks)

    def _by_any_marks(self, cell: str, text: str, remarks: tuple[Remark, ...]) -> Cell:
        readings = {
            mark: text.translate(_MARKS[mark]) for mark in ".," if _ANY[mark].fullmatch(text)
        }
        if not readings:
            return Cell(cell, (MISFIT,))
        if len(readings) == 1:
            ((mark, value),) = readings.items()
            self._is_decided |= mark == "." and not self.proven
            return self._fitted(value, (*remarks, DECIDES[mark]))
        if readings["."] == readings[","]:
            return self._fitted(readings["."], remarks)
        written = OPEN["." if "." in text else ","]
        if not self.proven:
            return Cell(readings["."], (*remarks, written))
        return self._fitted(readings[self.proven], (*remarks, written))

    def _fitted(self, value: str, remarks: tuple[Remark, ...]) -> Cell:
        value = value.removesuffix(".")
        if self._type in WHOLE_TYPES and re.fullmatch(r"[+-]?\d+\.0*", value):
            return Cell(value.partition(".")[0], (*remarks, _WHOLE))
        if self._type == "percent" and PERCENT not in remarks and _FRACTION.fullmatch(value):
            remarks = (*remarks, FRACTION)
        is_fit = self._fits is None or self._fits.one(value)
        return Cell(value, remarks if is_fit else (*remarks, MISFIT))


def _dash(word: str) -> Remark:
    """Return what is told of cells that hold a dash alone, with the line that says what it is."""
    lines = f'{{{{"{word}": "0"}}}} or {{{{"{word}": ""}}}}'  # braces twice, for str.format
    return Remark(
        f"dash {word}",
        f"{{count:,}} cells hold {word} alone, first in row {{rows}}; they are sent so. To say "
        f'what it stands for, write "values": {lines} in the mapping.',
    )


def _without_cents(text: str, begin: int) -> str:
    """Return an amount without its dash; with its mark if another one shows what that is."""
    whole, mark = text[:begin], text[begin]
    return whole + mark if ("," if mark == "." else ".") in whole else whole


def currency_words(name: str) -> Remark:
    """Return what is told where all of a column is in one currency."""
    words = f"{{count:,}} numbers say {name}, first in row {{rows}}; the number alone is sent."
    return Remark(CURRENCY + name, words, is_note=True)


def are_one_currency(names: set[str]) -> bool:
    """Return whether signs and codes may all stand for the same: $ and USD do, $ and € do not."""
    shared = [_SHARED[name] for name in names if name in _SHARED]
    codes = {name for name in names if name not in _SHARED}
    return len(names) < 2 or (  # noqa: PLR2004  # two
        len(shared) == 1 and len(codes) == 1 and codes <= shared[0]
    )
