"""Bigin's row results: the CSV inside the result zip of a job, read by its header."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from io import TextIOWrapper
from itertools import chain, islice, repeat
from typing import BinaryIO

from bigin_import.bigin.error_codes import ROW_CODES
from bigin_import.domain.job_request import MAX_BYTES
from bigin_import.domain.row_result import NO_RESULTS, RowResult, RowResults, RowStatus
from bigin_import.errors import BiginOutcomeUnknownError

LONGEST = 10_000  # of two hundred columns, each with its code; what is longer is no such list
_CODE = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*(?=[-:]|$)")
_SPACES = re.compile(r"\s*")
_END_OF_NAME = re.compile(r"\s*(?:[,:]|$)")
_KNOWN_CODE = "|".join(ROW_CODES)
_NEXT_CODE = re.compile(
    rf"\s*:(?=\s*(?:(?i:{_KNOWN_CODE})|[A-Z]+_[A-Z_]+)\s*(?:[-:]|$))",
)


@dataclass(frozen=True, slots=True)
class RowError:
    """One error of a row; *code* is the whole text if it does not follow the grammar."""

    code: str
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.code + (f"-{','.join(self.columns)}" if self.columns else "")


def parse_errors(text: str, names: Iterable[str]) -> tuple[RowError, ...]:
    """
    Take an ERRORS cell apart.

    Args:
        names: Those that may stand in *text*: the header row of what we sent.
    """
    if len(text) > LONGEST:
        return (RowError(text),)
    known = sorted(set(names), key=len, reverse=True)
    errors: list[RowError] = []
    at = 0
    while at < len(text):
        found = _error(text, at, known) or _columns_of_last(text, at, known, errors)
        if found is None:
            return (RowError(text),)
        error, end = found
        errors.append(error)
        at = end + 1  # the colon
    return tuple(errors)


def _error(text: str, at: int, known: list[str]) -> tuple[RowError, int] | None:
    """Read a code and its columns; return them and where they end."""
    match = _CODE.match(text, at)
    code = _code(match[1], known) if match else None
    if match is None or code is None:
        return None
    if text[match.end() : match.end() + 1] != "-":
        return RowError(code), match.end()
    columns, end = _columns(text, match.end() + 1, known)
    return RowError(code, columns), end


def _code(word: str, known: list[str]) -> str | None:
    """Return *word* as a code; None if it is none."""
    upper = word.upper()
    return upper if upper in ROW_CODES or (word == upper and word not in known) else None


def _columns_of_last(
    text: str, at: int, known: list[str], errors: list[RowError]
) -> tuple[RowError, int] | None:
    """Read columns that stand behind a colon, as in `CODE: column`; take the last of *errors*."""
    if not errors or _known_name(text, _after_spaces(text, at), known) is None:
        return None
    last = errors.pop()
    columns, end = _columns(text, at, known)
    return RowError(last.code, last.columns + columns), end


def _columns(text: str, at: int, known: list[str]) -> tuple[tuple[str, ...], int]:
    """Read columns from *at*; return them and where they end: at a colon or the end of *text*."""
    columns = []
    while True:
        at = _after_spaces(text, at)
        name, length = _known_name(text, at, known) or _unknown_name(text, at)
        if name:
            columns.append(name)
        at = _after_spaces(text, at + length)
        if text[at : at + 1] != ",":
            return tuple(columns), at
        at += 1


def _after_spaces(text: str, at: int) -> int:
    match = _SPACES.match(text, at)
    return match.end() if match else at


def _known_name(text: str, at: int, known: list[str]) -> tuple[str, int] | None:
    """Read a name that we sent, in any case; return it and its length."""
    for name in known:
        end = at + len(name)
        if text[at:end].casefold() == name.casefold() and _END_OF_NAME.match(text, end):
            return name, len(name)
    return None


def _unknown_name(text: str, at: int) -> tuple[str, int]:
    """Read a name that we did not send: up to a comma, or a colon before a code."""
    comma = text.find(",", at)
    end = len(text) if comma < 0 else comma
    if colon := _NEXT_CODE.search(text, at, end):
        end = colon.start()
    return text[at:end].rstrip(), end - at


LINES_AT_ONCE = 1_000
_LONGEST_CELL = MAX_BYTES
# Of ASCII; `comparable` leaves one space between other characters, and no other white space.
_ODD_SPACES = ("  ", "\n ", " \n", *"\t\r\v\f\x1c\x1d\x1e\x1f")
type Key = tuple[str, ...]

_STATUSES = {
    "added": RowStatus.ADDED,
    "updated": RowStatus.UPDATED,
    "skipped": RowStatus.REFUSED,
    "unprocessed": RowStatus.UNPROCESSED,
}


@dataclass(frozen=True)  # without slots, for what is cached
class Listing:
    """
    The row results of one job, line by line.

    Attributes:
        columns: Positions, in what we sent, of the columns that came back.
        keys: For each line the values of those columns, in comparable form.
        results: What the lines say.
        find_by: Position, in what we sent, of the column by which Bigin finds a record; None if
            by none.
        is_strange: It shows columns, and none of them was sent.
    """

    columns: tuple[int, ...] = ()
    keys: tuple[Key, ...] = ()
    results: RowResults = NO_RESULTS
    warnings: tuple[str, ...] = ()
    find_by: int | None = None
    is_strange: bool = False

    @cached_property
    def row_results(self) -> tuple[RowResult, ...]:
        """For each line what it says."""
        return tuple(self.results.one_by_one())

    def names_record(self, key: Key) -> bool:
        """Return whether *key* says which record is meant, so that rows that share it mean one."""
        pairs = zip(self.columns, key, strict=True)
        return any(column == self.find_by and cell for column, cell in pairs)


@dataclass(frozen=True, slots=True)
class _Layout:
    """
    Where a listing has its columns.

    Attributes:
        values: Each pairs a position here with one in what we sent.
        is_strange: There are columns beside Bigin's own, and we sent none of them.
    """

    status: int
    record_id: int | None
    errors: int | None
    values: tuple[tuple[int, int], ...]
    is_strange: bool


@contextmanager
def csv_lines(stream: BinaryIO) -> Iterator[Iterator[str]]:
    """Read *stream* as lines of UTF-8; it stays open and belongs to the caller."""
    csv.field_size_limit(_LONGEST_CELL)
    text = TextIOWrapper(stream, "utf-8-sig", errors="replace", newline="")
    try:
        yield text
    finally:
        text.detach()


@contextmanager
def _csv_errors_named() -> Iterator[None]:
    try:
        yield
    except csv.Error as exc:
        raise BiginOutcomeUnknownError(f"the row results cannot be read as CSV: {exc}") from exc


def next_columns(lines: Iterator[str], count: int) -> list[Sequence[str]]:
    """Take the next rows, at most *count*, off *lines* of CSV of ours; return their columns."""
    some = list(islice(lines, count))
    csv.field_size_limit(_LONGEST_CELL)
    return _columns_of(some) or list(
        zip(*islice(csv.reader(chain(some, lines)), count), strict=True)
    )


def _columns_of(lines: Sequence[str]) -> list[Sequence[str]]:
    """
    Return the columns of *lines* of CSV if nothing is in quotes and all are equally wide, else [].

    Each line is then a row, and all are taken apart at once, in a fourth of csv.reader's time.
    """
    text = "".join(lines).replace("\r\n", "\n")
    if '"' in text or "\r" in text or len(set(map(str.count, lines, repeat(",")))) != 1:
        return []
    cells = text.removesuffix("\n").replace("\n", ",").split(",")
    width = lines[0].count(",") + 1
    return [cells[at::width] for at in range(width)]


def comparable(cell: str) -> str:
    """Reduce *cell* to what survives Bigin: composed accents, single spaces, no case."""
    return " ".join(unicodedata.normalize("NFC", cell).split()).casefold()


def comparable_all(cells: Sequence[str]) -> Sequence[str]:
    """Reduce each of some cells; plain ones all at once, in a tenth of the time."""
    text = "\n".join(("", *cells, ""))
    is_plain = text.isascii() and text.count("\n") == len(cells) + 1
    if not (is_plain and cells) or any(each in text for each in _ODD_SPACES):
        return list(map(comparable, cells))
    return text[1:-1].lower().split("\n")


def keys_of(columns: Sequence[Sequence[str]], shown: Sequence[int]) -> list[Key]:
    """Return for each row the values of the columns *shown* in comparable form."""
    if not shown:
        return [()] * len(columns[0])
    return list(zip(*(comparable_all(columns[at]) for at in shown), strict=True))


def read_listing(
    result: BinaryIO,
    sent_header: Sequence[str],
    *,
    existing_is_asked: bool,
    key: str | None = None,
) -> Listing:
    """
    Read a job's row results.

    A listing without a STATUS column says nothing: it has no lines and a warning.

    Args:
        sent_header: Header row of what we sent: API names.
        existing_is_asked: The job is an `insert` with `find_by`: Bigin skips what is there.
        key: API name of its `find_by`; None: the first column.

    Raises:
        BiginOutcomeUnknownError: It is no CSV, as where a quote is never closed.
    """
    with csv_lines(result) as lines, _csv_errors_named():
        header = next(csv.reader(lines), [])
        layout = _layout(header, sent_header)
        if layout is None:
            return Listing(warnings=("Bigin's row results have no STATUS column.",))
        reader = _ResultReader(layout, sent_header, existing_is_asked=existing_is_asked, key=key)
        keys: list[Key] = []
        results: list[RowResults] = []
        while some := list(islice(lines, LINES_AT_ONCE)):
            columns = _listed(some, lines, len(header), layout.status)
            keys += keys_of(columns, [here for here, _ in layout.values])
            results.append(reader.results(columns))
    return Listing(
        tuple(sent for _, sent in layout.values),
        tuple(keys),
        RowResults(*map(list, map(chain.from_iterable, zip(*results, strict=True)))),
        find_by=sent_header.index(key) if key in sent_header else None,
        is_strange=bool(keys) and layout.is_strange,
    )


def _listed(
    some: Sequence[str], lines: Iterator[str], width: int, status: int
) -> list[Sequence[str]]:
    """
    Return the columns of *some* lines, and of *lines* behind them where rows go on there.

    Empty rows are left out, cells that are missing are empty, and surplus ones are not looked at.
    """
    columns = _columns_of(some)
    if len(columns) == width and "" not in columns[status]:
        return columns
    rows = filter(any, islice(csv.reader(chain(some, lines)), len(some)))
    wide = [[*row, *[""] * width][:width] for row in rows]
    return [[row[at] for row in wide] for at in range(width)]


def _layout(header: Sequence[str], sent_header: Sequence[str]) -> _Layout | None:
    names = list(map(_spelled_together, header))
    status = _last(header, names, "STATUS")
    if status is None:
        return None
    errors = _last(header, names, "ERRORS")
    record_id = _last(header, names, "RECORD_ID")
    values = _values(header, sent_header, {status, errors, record_id})
    if record_id is None:
        record_id = _last(header, names, "ID", free_of={here for here, _ in values})
    others = {at for at, name in enumerate(names) if name} - {status, errors, record_id}
    return _Layout(status, record_id, errors, values, is_strange=bool(others) and not values)


def _last(
    header: Sequence[str], names: Sequence[str], name: str, free_of: set[int] | None = None
) -> int | None:
    """
    Find one of Bigin's own columns, however its words are joined: the last of that name, one
    that is spelled exactly so first.

    A mapped field may have the same name; Bigin puts its own columns behind the mapped ones.
    """
    places = [
        at
        for at, found in enumerate(names)
        if found == _spelled_together(name) and at not in (free_of or ())
    ]
    return max(places, key=lambda at: (header[at] == name, at), default=None)


def _spelled_together(name: str) -> str:
    """Reduce the name of a column: RECORD_ID, Record Id and RecordID are the same."""
    return "".join(comparable(name).replace("_", " ").split())


def _values(
    header: Sequence[str], sent_header: Sequence[str], taken: set[int | None]
) -> tuple[tuple[int, int], ...]:
    exact = {name: at for at, name in reversed(list(enumerate(sent_header)))}
    loose = {_spelled_together(name): at for at, name in reversed(list(enumerate(sent_header)))}
    found: dict[int, int] = {}
    for here, name in enumerate(header):
        sent = exact.get(name, loose.get(_spelled_together(name)))
        if sent is not None and here not in taken:
            found.setdefault(sent, here)
    return tuple((here, sent) for sent, here in sorted(found.items()))


class _ResultReader:
    """What lines say. Bigin repeats few ERRORS texts: of many lines each is understood once."""

    def __init__(
        self,
        layout: _Layout,
        sent_header: Sequence[str],
        *,
        existing_is_asked: bool,
        key: str | None,
    ) -> None:
        self._layout = layout
        self._header = tuple(sent_header)
        self._existing_is_asked = existing_is_asked
        self._key = {key} if key is not None else set(self._header[:1])

    def results(self, columns: Sequence[Sequence[str]]) -> RowResults:
        """Return what each of some lines says."""
        record_ids = list(map(str.strip, self._column(columns, self._layout.record_id)))
        words, errors = columns[self._layout.status], self._column(columns, self._layout.errors)
        lines = list(zip(words, errors, strict=True))
        said = {line: self._understand(*line) for line in set(lines)}
        statuses = [said[line][0] for line in lines]
        if RowStatus.UNCLEAR in statuses:
            record_ids = [
                "" if status is RowStatus.UNCLEAR else record_id
                for status, record_id in zip(statuses, record_ids, strict=True)
            ]
        texts = [said[line][1] for line in lines]
        return RowResults(statuses, record_ids, texts, [False] * len(lines))

    def _column(self, columns: Sequence[Sequence[str]], at: int | None) -> Sequence[str]:
        return [""] * len(columns[self._layout.status]) if at is None else columns[at]

    def _understand(self, word: str, error: str) -> tuple[RowStatus, str]:
        """Return what STATUS and ERRORS say of a line."""
        error = error.strip()
        status = _STATUSES.get(comparable(word), RowStatus.UNCLEAR)
        if status is RowStatus.UNCLEAR:
            return status, error or f"STATUS {word}"
        if status is RowStatus.REFUSED and self._existing_is_asked and self._exists(error):
            status = RowStatus.EXISTING
        return status, error

    def _exists(self, error: str) -> bool:
        """
        Return whether Bigin skipped a row because its record is there, as was asked.

        Bigin does not say what such a row's ERRORS hold. Taken for it: nothing, or
        DUPLICATE_DATA alone that names no column or only the key. DUPLICATE_DATA of another
        unique field is a refusal.
        """
        if not error:
            return True
        return all(
            found.code == "DUPLICATE_DATA" and set(found.columns) <= self._key
            for found in parse_errors(error, self._header)
        )
