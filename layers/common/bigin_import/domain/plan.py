"""A mapping resolved against one drop, and what reading the drop found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bigin_import.domain.job_request import JobRequest, Operation
from bigin_import.domain.row_result import RowStatus


@dataclass(frozen=True, slots=True)
class ValueRule:
    """
    How cells of a column are rewritten before they are sent. Nothing else is ever changed.

    Attributes:
        values: Exact replacements, applied first; a replaced cell meets no other rule.
        date_format: The file's pattern, such as "dd.MM.yyyy"; with *with_time* a datetime.
        decimal: The file's decimal mark; Bigin wants ".".
        thousands: The file's thousands mark, removed.
        century: Of years that have two digits: "19", "20", or "past" for the latest year that is
            not in the future; None: 1969 to 2068, as POSIX has it.
        zone: Where times with an offset are told; None: in the organisation's zone.
        separator: Between several values in a cell; Bigin wants ";".
        new_values: "add" or "reject" values that a picklist does not have; None: "add" them
            unless one is nearly a known one.
    """

    values: tuple[tuple[str, str], ...] = ()
    date_format: str | None = None
    with_time: bool = False
    decimal: str | None = None
    thousands: str | None = None
    century: str | None = None
    zone: str | None = None
    separator: str | None = None
    new_values: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedColumn:
    """
    One column of what we send: which cell of the drop feeds which field, by what rule.

    Attributes:
        data_type, length, pick_list: Of the field, as its metadata says; what is known of them
            is checked against the values.
        decimal_place: Digits that the field has behind the point, if Bigin says so.
        display_values: Of a picklist: what people see -> what is stored, where they differ.
        is_mandatory: A row without it is not sent: Bigin would refuse to add it.
        is_birth: It holds birth dates, of which none is in the future.
        zone: Where its times with an offset are told; "" if they have none.
        proven_decimal: Decimal mark that cells of the column have proven, where the mapping says
            nothing.
        reads_words: False if its cells are proven not to be all words for yes and no.
        strips_apostrophes: True if apostrophes before numbers are taken off, False if they are
            proven to be written so; None as long as there were none.
    """

    source: int
    header: str
    api_name: str
    data_type: str | None = None
    rule: ValueRule | None = None
    length: int | None = None
    pick_list: tuple[str, ...] = ()
    decimal_place: int | None = None
    display_values: tuple[tuple[str, str], ...] = ()
    is_mandatory: bool = False
    is_birth: bool = False
    zone: str = ""
    proven_decimal: str | None = None
    reads_words: bool | None = None
    strips_apostrophes: bool | None = None


FIRST_READING = 1
READING = 2


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """
    A mapping resolved against one header: everything that splitting and the create call need.

    Attributes:
        columns: In the order we send them: the `find_by` key first.
        key: Position of the key in *columns*; None if the job has no `find_by`, or if the
            key is filled by a constant.
        key_is_unique: True if `find_by` is proven unique (metadata or system key), so that
            repeating a job cannot make a second record.
        ignored: Headers of the drop that are not mapped and never leave the account.
        warnings: Sentences for the report; none of them stops the import.
        empty_key: "invalid" or "send": what becomes of rows without their key.
        duplicate_keys: "send" or "reject".
        max_invalid_share: Above this share of invalid rows (0 to 1) the drop is rejected; None:
            above ten rows or 1 %, whichever is more, and above a quarter.
        arrived: Day of the drop's arrival, as in 2026-12-31; "" if dates are not held against it.
        about_header: What to tell of the row that was taken for the header; "" if it is one.
        reading: How cells are read. A plan of the first releases has FIRST_READING: closing finds
            the rows invalid that they did not send, and no others.
    """

    request: JobRequest
    columns: tuple[PlannedColumn, ...]
    key: int | None = None
    key_is_unique: bool = False
    ignored: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    empty_key: str = "invalid"
    duplicate_keys: str = "send"
    max_invalid_share: float | None = None
    arrived: str = ""
    about_header: str = ""
    reading: int = READING

    @property
    def header(self) -> tuple[str, ...]:
        """The header row of what we send: API names."""
        return tuple(column.api_name for column in self.columns)

    @property
    def may_send_again(self) -> bool:
        """Whether a row that may be in Bigin already finds its record, and makes no second one."""
        operation = self.request.operation
        is_unique = operation is Operation.UPSERT and self.key_is_unique
        return operation is Operation.UPDATE or is_unique


@dataclass(frozen=True, slots=True)
class Dialect:
    """
    How the drop is written.

    Attributes:
        encoding: A Python codec name. A BOM, if there was one, is not part of any cell.
        delimiter: One of , ; tab | :
        header_row: 1-based row of the header as a spreadsheet shows it, which hides a `sep=` line;
            the row above the first record if there is no header.
        ragged_rows: "invalid" or "fill": what becomes of rows with cells missing or too many.
            Imports begun before there was a choice filled them.
        decoded_twice: The codec that the text was wrongly read with before it was written, and
            from which it is restored; "" if it was not.
        sheet: Of a workbook, the name of the sheet that was read; "" of a CSV.
    """

    encoding: str
    delimiter: str
    header_row: int = 1
    bom: bool = False
    ragged_rows: str = "fill"
    has_header: bool = True
    decoded_twice: str = ""
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class InvalidRow:
    """A row that is never sent: *row* is the number a spreadsheet shows (the header is 1)."""

    row: int
    reason: str


class RowDecision(NamedTuple):
    """
    What was decided about one row of a drop before it was split; kept, and never decided again.

    Attributes:
        row: Its number in the drop.
        status: Why it is not sent: EXISTING or UNCLEAR through an earlier import; None if it is.
        record_id: Bigin's id of its record, "" if unknown.
        through: The import that got it in, or left it unclear.
        root_import, root_row: Who it is in its family: the import that it was first dropped
            with, and its number there; "" and 0 for this import and *row*.
        restored: Position of a cell, without our columns -> what it was before a spreadsheet
            rewrote it.
        reason: Why it is not sent, if it is invalid; "" if it is not.
    """

    row: int
    status: RowStatus | None = None
    record_id: str = ""
    through: str = ""
    root_import: str = ""
    root_row: int = 0
    restored: tuple[tuple[int, str], ...] = ()
    reason: str = ""

    @property
    def is_sent(self) -> bool:
        return self.status is None and not self.reason


class SourceRow(NamedTuple):
    """
    A data row of a drop, read again to be joined with what became of it.

    Attributes:
        row: The number a spreadsheet shows (the header is 1).
        cells: Untouched, as many as the header has or, in a row that is invalid for it, more.
        reason: Why the row was never sent; None if it was.
        is_left_out: It was not sent because it is no data; *reason* says why.
        record: What was sent of it; None if nothing was.
        decision: What was decided about it, if anything.
    """

    row: int
    cells: Sequence[str]
    reason: str | None
    is_left_out: bool = False
    record: Sequence[str] | None = None
    decision: RowDecision | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows that are proven to be no data, such as a footer, and are not sent: numbers as shown."""

    reason: str
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ColumnFindings:
    """
    What the values of one planned column look like, as they are sent.

    Attributes:
        samples: The first three different values, shortened; cells, so never in a log or a notice.
        unknown: The first twenty values that a picklist does not have yet, shortened, each with
            its count and the nearest known one; cells too.
        decimal: Decimal mark that its cells have proven, where the mapping says nothing.
    """

    header: str
    api_name: str
    samples: tuple[str, ...] = field(default=(), repr=False)
    unknown: tuple[str, ...] = field(default=(), repr=False)
    decimal: str | None = None


@dataclass(frozen=True, slots=True)
class SplitPart:
    """
    One part as it will be sent.

    Attributes:
        number: From 1.
        rows: Records, the header not counted.
        csv_bytes: Size of the CSV before compression.
        sha256: Of the archive, in hexadecimal.
        first_row, last_row: Row numbers in the drop as a spreadsheet shows them.
        empty_keys: True if a row is sent without its key.
        repeated_keys: True if a key occurs twice in this part.
    """

    number: int
    rows: int
    csv_bytes: int
    sha256: str
    first_row: int
    last_row: int
    empty_keys: bool = False
    repeated_keys: bool = False


@dataclass(frozen=True, slots=True)
class SplitResult:
    """
    What reading and splitting a whole drop found.

    Attributes:
        rows: Data rows in the drop, valid and invalid; blank lines are not rows.
        blank: Blank lines dropped.
        padded, trimmed: Rows whose missing trailing cells were added, or whose surplus empty
            cells were dropped.
        invalid: How many rows are never sent.
        invalid_rows: The first hundred of them.
        repeated_keys_across_parts: True if a key occurs in more than one part, so that the
            parts must run one after another.
        content_sha256: Of the drop's bytes as stored, in hexadecimal.
        warnings: Sentences on values and rows that a person should look at.
        notes: Sentences on what is good to know and asks for nothing, such as restored values.
        left_out: Rows that are no data. They count in *rows*, but not as invalid.
        empty_keys: Rows without their key, sent or not.
        repeated_keys: Valid rows whose key (trimmed, case-folded) an earlier row has.
        repeated_key_rows: Rows of the first hundred keys that occur more than once, all of
            their occurrences, at most two hundred.
        columns: In the order we send them.
    """

    parts: tuple[SplitPart, ...]
    rows: int
    blank: int
    padded: int
    trimmed: int
    invalid: int
    invalid_rows: tuple[InvalidRow, ...]
    repeated_keys_across_parts: bool
    content_sha256: str
    warnings: tuple[str, ...] = ()
    empty_keys: int = 0
    repeated_keys: int = 0
    repeated_key_rows: tuple[int, ...] = ()
    columns: tuple[ColumnFindings, ...] = ()
    notes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """
    All that reading a drop decided; stored beside the parts, and never decided again.

    Attributes:
        header: Of the drop, without our own result columns.
        parent: The import whose result file the drop was; "" if it was none.
        mapping_key, mapping_version: Of the mapping that the parent was started with, if it was
            handed on; "" if the drop had a mapping of its own.
        decisions: SHA-256 of the decisions about its rows, stored beside it; "" without any.
        are_rows_decided: Every row that is not sent is among the decisions, and what is sent of
            the others is in the archives, so that closing decides nothing. Not so in plans of
            releases before.
    """

    columns: ColumnPlan
    cut: SplitResult
    dialect: Dialect
    header: tuple[str, ...]
    parent: str = ""
    mapping_key: str = ""
    mapping_version: str = ""
    decisions: str = ""
    are_rows_decided: bool = False
