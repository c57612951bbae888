"""
A workbook of Excel (.xlsx, .xlsm) -> the text of a CSV that says the same.

What Excel keeps as a type needs no words of the mapping: a date is written in the format that the
mapping states for its column, else as ISO 8601; a number with the decimal mark that it states,
without what only the format shows, but for leading zeros and the percent sign. So everything
behind this module reads one kind of table, and a result file of a workbook reads like the others.

Row n of the text is row n of the sheet. What a sheet says of its own extent is not believed.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from decimal import Decimal
from itertools import chain, islice
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from xml.etree.ElementTree import ParseError  # only the error; openpyxl reads by defusedxml

from bigin_import.domain.drop import Problem
from bigin_import.domain.plan import ValueRule
from bigin_import.errors import DropRejectedError

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell.read_only import ReadOnlyCell

MOST_STORED_BYTES = 100_000_000
MOST_UNPACKED_BYTES = 1_000_000_000
MOST_CELLS = 3_000_000  # 6 to 12 s a million, read at most three times in the 300 s of a function
_MOST_BYTES_IN_MEMORY = 150_000_000  # texts that cells share are read whole: five times as much
_CHUNK_BYTES = 1024 * 1024
_CHUNK_ROWS = 500
_FIRST_ROWS = 50
_DIGITS = 15  # of a number that Excel keeps
_EXPONENT_FROM = 10**_DIGITS
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_SHARED_TEXTS = "xl/sharedstrings.xml"
_SHEETS = "xl/worksheets/"
_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_PADDED = re.compile(r"0[0 ()/-]*")
_IN_QUOTES = re.compile(r'"[^"]*"|\\.|_.|\[[^\]]*\]')
_TIME_LETTERS = re.compile(r"[hHsS]")
_TOKEN = re.compile(r"'[^']*'|([A-Za-z])\1*|.", re.DOTALL)
_WRITTEN: Final[Mapping[str, str]] = {
    "yyyy": "%Y", "yy": "%y", "y": "%Y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "dd": "%d",
    "HH": "%H", "hh": "%I", "mm": "%M", "ss": "%S", "a": "%p",
}  # fmt: skip
_WITHOUT_ZERO: Final[Mapping[str, str]] = {
    "M": "%m", "d": "%d", "H": "%H", "h": "%I", "m": "%M", "s": "%S",
}  # fmt: skip

type Cells = Sequence[ReadOnlyCell]
type Rules = Mapping[str | int, ValueRule]
"""Header, or position, of a column -> how the mapping says that its cells are written."""


class WorkbookText:
    """
    An iterator over a sheet as the text of a CSV, in chunks of whole lines.

    Attributes:
        encoding, bom, decoded_twice, has_controls: As of a CSV that we wrote.
        sha256: Hexadecimal SHA-256 of the file as stored.
        sheet: Name of the sheet that is read: the one stated, else the first that is not hidden.
        notes: Which sheet that is, where there are others.
        faults: Row number -> why it cannot be sent, of the rows that were read so far.

    Raises:
        DropRejectedError: At once if it is no workbook that can be read, or has no such sheet;
            while iterating if it is broken or too large.
    """

    encoding: Final = "utf-8"
    bom: Final = False
    decoded_twice: Final = ""
    has_controls: Final = False

    def __init__(
        self, stream: BinaryIO, *, name: str, sheet: str | None = None, rules: Rules | None = None
    ) -> None:
        self._name = name
        self._rules = rules or {}
        self._file = stream
        self.sha256 = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]  # it is one
        stream.seek(0)
        self._check_container()
        self._has_formulas = self._measure()
        with self._explained():
            book = self._open(values=True)
            self._sheet = self._choose(book, sheet)
            self.sheet = self._sheet.title
            others = len(book.sheetnames) - 1
            self.notes = (_note_on_sheet(self.sheet, others),) if others else ()
            self._formulas = self._find_formulas()
        self.faults: dict[int, str] = {}

    def __iter__(self) -> Iterator[str]:
        with self._explained():
            rows = self._rows()
            first = list(islice(rows, _FIRST_ROWS))
            rules = self._rules_by_position(first)
            width = max((len(cells) for cells in first), default=0)
            yield from self._lines(chain(first, rows), rules, width)

    def _lines(
        self, rows: Iterable[Cells], rules: Mapping[int, ValueRule], width: int
    ) -> Iterator[str]:
        out = io.StringIO()
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        blank = 0  # rows that are written only if others follow
        for number, cells in enumerate(rows, 1):
            texts = [self._text(number, cell, rules.get(at)) for at, cell in enumerate(cells)]
            if not any(texts):
                blank += 1
                continue
            out.write("\n" * blank)
            blank = 0
            writer.writerow(texts + [""] * (width - len(texts)))
            if number % _CHUNK_ROWS == 0:
                yield out.getvalue()
                out.seek(0)
                out.truncate()
        yield out.getvalue()

    def _rows(self) -> Iterator[Cells]:
        """Yield the cells of each row, without the empty ones at its end."""
        read = 0
        formulas = self._formulas.iter_rows() if self._formulas is not None else None
        for number, row in enumerate(self._sheet.iter_rows(), 1):
            read += len(row)
            if read > MOST_CELLS:
                raise self._rejected(
                    f"its sheet {self.sheet!r} has more than {MOST_CELLS:,} cells",
                    'Save it as "CSV UTF-8" and drop that, or split it into smaller files',
                )
            if formulas is not None:
                self._look_for_formulas(number, row, next(formulas, ()))
            last = max((at for at, cell in enumerate(row, 1) if cell.value is not None), default=0)
            yield row[:last]

    def _look_for_formulas(self, number: int, values: Cells, formulas: Cells) -> None:
        for value, formula in zip(values, formulas, strict=False):
            if value.value is None and formula.data_type == "f":
                self._note(
                    number,
                    f"cell {formula.coordinate} has a formula without a value; "
                    "open the file in Excel and save it",
                )

    def _note(self, number: int, why: str) -> None:
        self.faults.setdefault(number, why)

    def _text(self, number: int, cell: ReadOnlyCell, rule: ValueRule | None) -> str:
        value = cell.value
        if value is None:
            return ""
        if isinstance(value, str):
            if cell.data_type == "e":
                self._note(number, f"cell {cell.coordinate} shows the error {value}")
            return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), value)
        return text_of(value, cell.number_format, rule)

    def _rules_by_position(self, first: Sequence[Cells]) -> dict[int, ValueRule]:
        """Return the rules by position: those of a header are found in the row that has most."""
        rules = {at: rule for at, rule in self._rules.items() if isinstance(at, int)}
        found: dict[int, ValueRule] = {}
        for cells in first:
            named = {
                at: self._rules[name]
                for at, cell in enumerate(cells)
                if isinstance(cell.value, str) and (name := cell.value.strip()) in self._rules
            }
            found = named if len(named) > len(found) else found
        return rules | found

    def _check_container(self) -> None:
        head = self._file.read(len(_OLE))
        self._file.seek(0)
        if head == _OLE:
            is_locked = _ENCRYPTED in self._file.read()
            raise self._rejected(
                *(_LOCKED if is_locked else ("it is an old Excel workbook (.xls)", _SAVE_ANEW))
            )
        if not zipfile.is_zipfile(self._file):
            raise self._rejected("it is no Excel workbook, whatever its name says", _SAVE_ANEW)

    def _measure(self) -> bool:
        """
        Unpack everything once, keeping nothing; return whether a sheet has formulas.

        What the file says of its sizes is not believed.
        """
        total, has_formulas = 0, False
        with self._explained(), zipfile.ZipFile(self._file) as container:
            for entry in container.infolist():
                path, size, end = entry.filename.lower(), 0, b""
                with container.open(entry) as member:
                    while chunk := member.read(_CHUNK_BYTES):
                        size += len(chunk)
                        self._check_sizes(total + size, size if path == _SHARED_TEXTS else 0)
                        if path.startswith(_SHEETS) and not has_formulas:
                            has_formulas = _FORMULA.search(end + chunk) is not None
                            end = chunk[-32:]
                total += size
        return has_formulas

    def _check_sizes(self, unpacked: int, shared: int) -> None:
        if unpacked > MOST_UNPACKED_BYTES or shared > _MOST_BYTES_IN_MEMORY:
            raise self._rejected(
                f"it unpacks to more than {MOST_UNPACKED_BYTES:,} bytes, or its texts to more than "
                f"{_MOST_BYTES_IN_MEMORY:,}",
                'Save it as "CSV UTF-8" and drop that, or split it into smaller files',
            )

    def _open(self, *, values: bool) -> Workbook:
        # Imported here: most drops are no workbooks, and a cold start is short of time.
        from openpyxl import load_workbook  # noqa: PLC0415  # see above

        return load_workbook(self._file, read_only=True, data_only=values, keep_links=False)

    def _find_formulas(self) -> Any:  # noqa: ANN401  # as above
        return self._choose(self._open(values=False), self.sheet) if self._has_formulas else None

    def _choose(self, book: Workbook, stated: str | None) -> Any:  # noqa: ANN401  # see below
        sheets: list[Any] = list(book.worksheets)
        shown = [sheet for sheet in sheets if sheet.sheet_state == "visible"] or sheets
        if stated is not None:
            shown = [sheet for sheet in sheets if sheet.title == stated]
        if not shown:
            names = ", ".join(repr(sheet.title) for sheet in sheets) or "none"
            raise DropRejectedError(
                (
                    Problem(
                        self._name,
                        f"it has no sheet {stated!r}; its sheets are {names}"
                        if stated is not None
                        else "it has no sheet with cells",
                        'Write the name of a sheet as "sheet" in the mapping',
                    ),
                ),
                concerns_mapping=stated is not None,
            )
        shown[0].reset_dimensions()  # of read-only sheets, for which the stubs have no common name
        return shown[0]

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Name what is broken: openpyxl raises what the part that it reads raises."""
        try:
            yield
        except (zipfile.BadZipFile, ParseError, KeyError, ValueError, TypeError, EOFError) as exc:
            raise self._rejected("the workbook is broken and cannot be read", _SAVE_ANEW) from exc

    def _rejected(self, what: str, remedy: str) -> DropRejectedError:
        return DropRejectedError((Problem(self._name, what, remedy),))


_SAVE_ANEW = (
    'Open it in Excel, choose "Save As" and the type "Excel Workbook (.xlsx)", and drop that'
)
_LOCKED = (
    "the workbook has a password",
    "Open it in Excel, remove the password under File, Info, Protect Workbook, and save it",
)


def _note_on_sheet(sheet: str, others: int) -> str:
    which = "one other" if others == 1 else f"{others} others"
    return f"Of the workbook only the sheet {sheet!r} was read; it has {which}."


@contextmanager
def as_file(stream: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """
    Yield the bytes of a workbook as a file, since its list of contents stands at its end.

    Raises:
        DropRejectedError: The workbook is too large.
    """
    with TemporaryFile() as file:
        while chunk := stream.read(_CHUNK_BYTES):
            file.write(chunk)
            if file.tell() > MOST_STORED_BYTES:
                what = f"the workbook has more than {MOST_STORED_BYTES:,} bytes"
                raise DropRejectedError((Problem(name, what, 'Save it as "CSV UTF-8"; drop that'),))
        file.seek(0)
        yield file


def text_of(value: object, number_format: str, rule: ValueRule | None = None) -> str:
    """Return a typed cell as a CSV would have it, written as *rule* says of its column."""
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return _number(value, number_format, rule)
        case datetime():
            return _moment(value, number_format, rule)
        case time():
            return value.isoformat("seconds")
        case timedelta():
            minutes, seconds = divmod(round(value.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(value)


def _number(value: float, number_format: str, rule: ValueRule | None) -> str:
    shown = _IN_QUOTES.sub(_kept, number_format.partition(";")[0])
    if abs(value) >= _EXPONENT_FROM:
        return f"{value:.{_DIGITS - 1}E}"  # as Excel shows it: digits behind the 15th are lost
    if float(value).is_integer() and value >= 0 and _PADDED.fullmatch(shown):
        return _padded(str(int(value)), shown)
    percent = "%" if "%" in shown else ""
    exact = Decimal(f"{value:.{_DIGITS}g}").scaleb(2 if percent else 0)
    text = f"{exact:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    mark = rule.decimal if rule and rule.decimal else "."
    return text.replace(".", mark) + percent


def _kept(quoted: re.Match[str]) -> str:
    """Return what a part in quotes, or behind a backslash, adds to the digits of a format."""
    return quoted[0].strip('"\\') if quoted[0][0] in '"\\' else ""


def _padded(digits: str, shown: str) -> str:
    """Return *digits* in the places of *shown*, such as 00000-0000, from the right."""
    left = list(digits.zfill(shown.count("0")))
    out = [left.pop() if place == "0" else place for place in reversed(shown)]
    return "".join(left) + "".join(reversed(out))


def _moment(value: datetime, number_format: str, rule: ValueRule | None) -> str:
    if rule and rule.date_format:
        return "".join(_written(value, token[0]) for token in _TOKEN.finditer(rule.date_format))
    has_time = _TIME_LETTERS.search(_IN_QUOTES.sub("", number_format)) is not None
    if not has_time and value.time() == time():
        return value.date().isoformat()
    return value.isoformat(timespec="seconds")


def _written(value: datetime, letters: str) -> str:
    """Return what a letters of a format (`splitting.dates`) stands for in *value*."""
    if letters.startswith("'"):
        return letters.strip("'")
    if letters == "yyyy":
        return f"{value.year:04}"
    if letters == "SSS":
        return f"{value.microsecond // 1000:03}"
    if letters in _WITHOUT_ZERO:
        return str(int(value.strftime(_WITHOUT_ZERO[letters])))
    return value.strftime(_WRITTEN[letters]) if letters in _WRITTEN else letters
