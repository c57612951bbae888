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
import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from decimal import Decimal
from itertools import chain, islice
from tempfile import TemporaryFile
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple
from xml.etree.ElementTree import ParseError  # only the error; openpyxl reads by defusedxml

from bigin_import.domain.drop import Problem
from bigin_import.domain.plan import ValueRule
from bigin_import.errors import DropRejectedError
from bigin_import.reading.dialect import is_own_column, matching_form
from bigin_import.reading.sheet_parts import SheetParts, read_totals_rows

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
_BOOK = "xl/workbook.xml"
_STRICT = b"http://purl.oclc.org/ooxml/"
_ROWS_NAMED = 10
_ROWS_FOR_A_CELL = 1_000  # a sheet that is empty so far down is
_VALUELESS = "has a formula without a value; open the file in Excel and save it"
IS_TOTAL_OF_TABLE = "is the row of totals of a table in Excel"
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
# One mark with three digits behind it: of decimals or of thousands.
_OPEN_NUMBER = re.compile(r"[^\d.,]*[1-9]\d{0,2}[.,]\d{3}[^\d.,]*", re.ASCII)
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
type Key = str | int
"""Header of a column, or its position among those that are not of our result files."""


class SheetColumns(NamedTuple):
    """
    What a mapping says of columns.

    Attributes:
        rules: How their cells are written.
        mapped: Those that are sent, None for all: what is in others stops no row.
        numbers: Those that fill number fields, and for which no decimal mark is stated.
    """

    rules: Mapping[Key, ValueRule] = MappingProxyType({})
    mapped: frozenset[Key] | None = None
    numbers: frozenset[Key] = frozenset()

    def in_matching_form(self) -> SheetColumns:
        return SheetColumns(
            {_form(key): rule for key, rule in self.rules.items()},
            None if self.mapped is None else frozenset(map(_form, self.mapped)),
            frozenset(map(_form, self.numbers)),
        )

    @property
    def keys(self) -> frozenset[Key]:
        return frozenset((*self.rules, *(self.mapped or ()), *self.numbers))


ALL_COLUMNS = SheetColumns()


class _Row(NamedTuple):
    """A row without the empty cells at its end; *valueless*: position of a formula -> its cell."""

    cells: Cells
    valueless: Mapping[int, str]


class _Columns(NamedTuple):
    """What is known of columns by their positions; *header_row*: its number, 0 if it has none."""

    rules: Mapping[int, ValueRule]
    mapped: Collection[int] | None
    numbers: Collection[int]
    header_row: int

    def is_mapped(self, at: int) -> bool:
        return self.mapped is None or at in self.mapped


class WorkbookText:
    """
    An iterator over a sheet as the text of a CSV, in chunks of whole lines.

    Attributes:
        encoding, bom, decoded_twice, has_controls: As of a CSV that we wrote.
        sha256: Hexadecimal SHA-256 of the file as stored.
        sheet: Name of the sheet that is read: the one stated, else the first that is shown and
            holds anything.
        others: Names of the other sheets that are shown.
        notes: Which sheet is read, where there are others.
        faults: Row number -> why it cannot be sent, of the rows that were read so far.
        left_out: Row number -> why it is no record, "it" goes before.

    Raises:
        DropRejectedError: At once if it is no workbook that can be read, or has no such sheet;
            while iterating if it is broken or too large.
    """

    encoding: Final = "utf-8"
    bom: Final = False
    decoded_twice: Final = ""
    has_controls: Final = False

    def __init__(
        self,
        stream: BinaryIO,
        *,
        name: str,
        sheet: str | None = None,
        columns: SheetColumns = ALL_COLUMNS,
    ) -> None:
        self._name = name
        self._columns = columns.in_matching_form()
        self._parts: defaultdict[str, SheetParts] = defaultdict(SheetParts)
        self._hidden_rows: list[int] = []
        self._merged: list[str] = []
        self._file = stream
        self.sha256 = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]  # it is one
        stream.seek(0)
        self._check_container()
        self._measure()
        with self._explained(), zipfile.ZipFile(self._file) as container:
            book = self._open(values=True)
            self._sheet = self._choose(book, sheet)
            self.sheet = self._sheet.title
            shown = [each.title for each in book.worksheets if each.sheet_state == "visible"]
            self.others = tuple(title for title in shown if title != self.sheet)
            others = len(book.sheetnames) - 1
            self.notes = (_note_on_sheet(self.sheet, others),) if others else ()
            path = self._sheet._worksheet_path.lower()  # noqa: SLF001  # it has no other name
            self._part = self._parts[path]
            self._formulas = self._find_formulas()
            self.left_out = dict.fromkeys(read_totals_rows(container, path), IS_TOTAL_OF_TABLE)
        self.faults: dict[int, str] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences on what a person should look at, once all rows are read."""
        return tuple(self._warnings())

    def _warnings(self) -> Iterator[str]:
        if len(hidden := self._hidden_rows) == 1:
            yield f"Row {hidden[0]} is hidden in the sheet, by hand or a filter; it is sent too."
        elif hidden:
            more = ", …" if len(hidden) > _ROWS_NAMED else ""
            named = ", ".join(map(str, hidden[:_ROWS_NAMED])) + more
            yield f"Rows {named} are hidden in the sheet, by hand or a filter; they are sent too."
        if self._merged:
            more = ", …" if len(self._merged) > _ROWS_NAMED else ""
            yield (
                f"Cells are merged, {', '.join(self._merged[:_ROWS_NAMED])}{more}: only the first "
                "of them has the value, the others are sent empty. Undo it in Excel and fill them."
            )

    def __iter__(self) -> Iterator[str]:
        with self._explained():
            rows = self._rows()
            first = list(islice(rows, _FIRST_ROWS))
            columns = self._find_columns(first)
            self._merged = [
                each.name
                for each in self._part.merged
                if each.first_row > columns.header_row
                and any(map(columns.is_mapped, range(each.first_column, each.last_column + 1)))
            ]
            width = max((len(row.cells) for row in first), default=0)
            yield from self._lines(chain(first, rows), columns, width)

    def _lines(self, rows: Iterable[_Row], columns: _Columns, width: int) -> Iterator[str]:
        out = io.StringIO()
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        blank = 0  # rows that are written only if others follow
        for number, row in enumerate(rows, 1):
            texts = self._texts(number, row, columns)
            if not any(texts):
                blank += 1
                continue
            if number in self._part.hidden and number > columns.header_row:
                self._hidden_rows.append(number)
            out.write("\n" * blank)
            blank = 0
            writer.writerow(texts + [""] * (width - len(texts)))
            if number % _CHUNK_ROWS == 0:
                yield out.getvalue()
                out.seek(0)
                out.truncate()
        yield out.getvalue()

    def _rows(self) -> Iterator[_Row]:
        """Yield each row of the sheet."""
        read = 0
        formulas = self._formulas.iter_rows() if self._formulas is not None else None
        for row in self._sheet.iter_rows():
            read += len(row)
            if read > MOST_CELLS:
                raise self._rejected(
                    f"its sheet {self.sheet!r} has more than {MOST_CELLS:,} cells",
                    'Save it as "CSV UTF-8" and drop that, or split it into smaller files',
                )
            valueless = {} if formulas is None else _valueless(row, next(formulas, ()))
            last = max((at for at, cell in enumerate(row, 1) if cell.value is not None), default=0)
            yield _Row(row[:last], valueless)

    def _note(self, number: int, why: str) -> None:
        self.faults.setdefault(number, why)

    def _texts(self, number: int, row: _Row, columns: _Columns) -> list[str]:
        for at, place in row.valueless.items():
            if columns.is_mapped(at):
                why = f"cell {place} {_VALUELESS}"
                self._note(number, why)
        for at, cell in enumerate(row.cells):
            is_number = at in columns.numbers and isinstance(cell.value, str)
            if (is_number or cell.data_type == "e") and columns.is_mapped(at):
                self._look_at_text(number, cell, columns.rules.get(at))
        return [_text(cell, columns.rules.get(at)) for at, cell in enumerate(row.cells)]

    def _look_at_text(self, number: int, cell: ReadOnlyCell, rule: ValueRule | None) -> None:
        """Note why the row of a text cannot be sent, unless the mapping says what it is."""
        value = str(cell.value)
        if cell.data_type == "e":
            if value not in {known.strip() for known, _ in (rule.values if rule else ())}:
                line = json.dumps({value: ""}, ensure_ascii=False)
                self._note(
                    number,
                    f"cell {cell.coordinate} shows the error {value}; to leave it empty, write "
                    f'"values": {line} in the mapping',
                )
        elif _OPEN_NUMBER.fullmatch(value):
            self._note(
                number,
                f"cell {cell.coordinate} holds a number as a text that can be read in two ways: "
                'make it a number in Excel, or write its decimal mark as "decimal" in the mapping',
            )

    def _find_columns(self, first: Sequence[_Row]) -> _Columns:
        """Return what is known of columns; their header is the row that has most of the names."""
        told, keys = self._columns, self._columns.keys
        found: dict[int, str] = {}
        header_row = 1
        for number, row in enumerate(first, 1):
            names = {at: name for at, cell in enumerate(row.cells) if (name := _name(cell)) in keys}
            if len(names) > len(found) or (not found and any(map(_is_ours, row.cells))):
                found, header_row = names, number
        width = max((len(row.cells) for row in first), default=0)
        header = first[header_row - 1].cells if first else ()
        counted = [at for at in range(width) if at >= len(header) or not _is_ours(header[at])]
        places: list[tuple[int, Key]] = [*found.items()]
        places += [(at, index) for index, at in enumerate(counted)]
        return _Columns(
            rules={at: told.rules[key] for at, key in places if key in told.rules},
            mapped=None
            if told.mapped is None
            else {at for at, key in places if key in told.mapped},
            numbers={at for at, key in places if key in told.numbers},
            header_row=header_row,
        )

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

    def _measure(self) -> None:
        """Unpack everything once: what the file says of its sizes is not believed."""
        total = 0
        with self._explained(), zipfile.ZipFile(self._file) as container:
            for entry in container.infolist():
                path, size = entry.filename.lower(), 0
                with container.open(entry) as member:
                    while chunk := member.read(_CHUNK_BYTES):
                        size += len(chunk)
                        self._check_sizes(total + size, size if path == _SHARED_TEXTS else 0)
                        if path.startswith(_SHEETS):
                            self._parts[path].feed(chunk)
                        elif path == _BOOK and _STRICT in chunk:
                            raise self._rejected(
                                'it is a "Strict Open XML Spreadsheet"', _SAVE_ANEW
                            )
                total += size

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
        if not self._part.has_formulas:
            return None
        return self._choose(self._open(values=False), self.sheet)

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
        for sheet in shown:
            sheet.reset_dimensions()  # of read-only sheets, for which the stubs have no common name
        return next(filter(_holds_anything, shown), shown[0]) if stated is None else shown[0]

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Name what is broken: openpyxl raises what the part that it reads raises."""
        try:
            yield
        except (zipfile.BadZipFile, ParseError, KeyError, ValueError, TypeError, EOFError) as exc:
            raise self._rejected("the workbook is broken and cannot be read", _SAVE_ANEW) from exc

    def _rejected(self, what: str, remedy: str) -> DropRejectedError:
        return DropRejectedError((Problem(self._name, what, remedy),))


def _form(key: Key) -> Key:
    return key if isinstance(key, int) else matching_form(key)


def _name(cell: ReadOnlyCell) -> str:
    """Return what is in *cell* as the name of a column is compared."""
    return "" if cell.value is None else matching_form(_text(cell, None))


def _is_ours(cell: ReadOnlyCell) -> bool:
    return is_own_column(_name(cell))


def _text(cell: ReadOnlyCell, rule: ValueRule | None) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), value)
    return text_of(value, cell.number_format, rule)


def _valueless(values: Cells, formulas: Cells) -> dict[int, str]:
    return {
        at: formula.coordinate
        for at, (value, formula) in enumerate(zip(values, formulas, strict=False))
        if value.value is None and formula.data_type == "f"
    }


def _holds_anything(sheet: Any) -> bool:  # noqa: ANN401  # as above
    rows = islice(sheet.iter_rows(values_only=True), _ROWS_FOR_A_CELL)
    return any(value is not None for row in rows for value in row)


_SAVE_ANEW = (
    'Open it in Excel, choose "Save As" and the type "Excel Workbook (.xlsx)", and drop that'
)
_STRICT_ONE = ('it is a "Strict Open XML Spreadsheet"', _SAVE_ANEW)
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
