"""The result files: each row in exactly one, with its original cells."""

from __future__ import annotations

import csv
import gzip
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO, StringIO
from typing import BinaryIO, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigin_import.domain.row_result import Counts, Reason, RowResult, RowResults, RowStatus
from bigin_import.reading.parents import ParentReferences
from bigin_import.reading.row_shapes import ParentRow
from bigin_import.reading.table import strip_result_columns
from bigin_import.row_results.join import RowResultReader, write_row_results
from bigin_import.row_results.reasons import MAX_REASONS, OTHER_REASONS, SentColumn, SentColumns
from bigin_import.row_results.result_files import (
    FILE_OF,
    RESULT_COLUMNS,
    DropRow,
    ResultCells,
    ResultFile,
    WrittenResults,
    write_results,
)

IMPORT_ID = "k3v7q2mzt5ab9cdefgh1jklmn4"
HEADER = ("E-mail", "Surname")
SENT = SentColumns((SentColumn("Email", "E-mail", 0), SentColumn("Last_Name", "Surname", 1)))


class Line(NamedTuple):
    """A row of a result file."""

    ours: ResultCells
    original: tuple[str, ...]


class Folder:
    """Keeps each file's bytes once its block has ended."""

    def __init__(self) -> None:
        self.files: dict[ResultFile, bytes] = {}

    @contextmanager
    def open(self, file: ResultFile) -> Iterator[BinaryIO]:
        assert file not in self.files
        stream = BytesIO()
        yield stream
        self.files[file] = stream.getvalue()

    def table(self, file: ResultFile, delimiter: str = ",") -> list[list[str]]:
        text = self.files[file].decode("utf-8-sig")
        return list(csv.reader(StringIO(text, newline=""), delimiter=delimiter))

    def rows(self, file: ResultFile, delimiter: str = ",") -> list[Line]:
        """Return our cells, by name, and those of the drop for each row but the header."""
        ours = len(ResultCells._fields)
        return [
            Line(ResultCells(*row[:ours]), tuple(row[ours:]))
            for row in self.table(file, delimiter)[1:]
        ]


def write(
    rows: Sequence[DropRow] | Iterator[DropRow], folder: Folder, delimiter: str = ","
) -> WrittenResults:
    return write_results(
        rows,
        header=HEADER,
        sent=SENT,
        delimiter=delimiter,
        import_id=IMPORT_ID,
        open_file=folder.open,
    )


@pytest.mark.parametrize("status", FILE_OF)
def test_every_result_has_its_file(status: RowStatus) -> None:
    folder = Folder()
    invalid = "The key is empty." if status is RowStatus.INVALID else None

    written = write([DropRow(2, ("a", "b"), invalid, RowResult(status))], folder)

    assert list(folder.files) == [FILE_OF[status]]
    assert written.rows == {FILE_OF[status]: 1}
    assert written.counts == Counts(**{status.value: 1})
    (line,) = folder.rows(FILE_OF[status])
    assert (line.ours.row, line.ours.status) == ("2", status.value)


def test_a_file_has_our_columns_first_and_is_written_for_spreadsheets() -> None:
    folder = Folder()
    row_result = RowResult(RowStatus.REFUSED, error="MANDATORY_NOT_FOUND-Last_Name")

    write([DropRow(7, ("a;b\n", ""), row_result=row_result)], folder, delimiter=";")

    assert folder.files[ResultFile.FAILED].decode() == (
        "\ufeffbigin__Row;bigin__Status;bigin__Id;bigin__Error;bigin__Reason;bigin__Import;"
        "E-mail;Surname\r\n"
        "7;refused;;MANDATORY_NOT_FOUND-Last_Name;"
        '"""Surname"" (Last_Name) is empty, and Bigin requires it. '
        'Fill it in and drop the corrected file.";'
        f'{IMPORT_ID};"a;b\n";\r\n'
    )


def test_a_corrected_file_is_known_by_the_columns_that_were_written() -> None:
    folder = Folder()
    decided = Reason("", "It is in Bigin.", "")
    row_result = RowResult(RowStatus.EXISTING, record_id="11")
    write([DropRow(7, ("a", "b"), row_result=row_result, because=decided)], folder)
    header, row = folder.table(ResultFile.SUCCESS)

    references = ParentReferences(header)

    assert references.meet([row]) == IMPORT_ID
    known = ParentRow(7, "existing", "11", "It is in Bigin.", IMPORT_ID)
    assert references.rows([2], [row]) == {2: known}


def test_a_row_that_was_never_sent_is_unprocessed() -> None:
    folder = Folder()

    write([DropRow(2, ("a", "b"))], folder)

    (line,) = folder.rows(ResultFile.UNPROCESSED)
    assert line.ours.status == "unprocessed"
    assert "Drop the file of unprocessed rows unchanged." in line.ours.reason


def test_the_reason_of_a_whole_part_is_given_to_its_rows() -> None:
    folder = Folder()
    refused = Reason("NO_PERMISSION", "The user may not.", "Ask.")

    written = write([DropRow(n, ("a", "b"), because=refused) for n in (2, 3)], folder)

    assert folder.rows(ResultFile.UNPROCESSED)[0].ours.reason == "The user may not. Ask."
    assert [(ranked.reason, ranked.rows) for ranked in written.reasons] == [(refused, 2)]


def test_a_success_that_is_an_addition_or_an_update_says_so() -> None:
    folder = Folder()

    write([DropRow(2, ("a", "b"), row_result=RowResult(RowStatus.UPDATED, either=True))], folder)

    assert folder.rows(ResultFile.SUCCESS)[0].ours.status == "added or updated"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_our_columns_hold_no_formula_and_original_cells_stay_as_they_are(start: str) -> None:
    folder = Folder()
    formula = f"{start}cmd|' /C calc'!A0"
    row_result = RowResult(RowStatus.REFUSED, record_id=formula, error=formula)

    write([DropRow(2, (formula, "b"), f"{formula} is wrong", row_result)], folder)
    write([DropRow(2, (formula, "b"), row_result=row_result)], second := Folder())

    for files in (folder, second):
        (line,) = files.rows(ResultFile.FAILED)
        assert not any(
            cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in map(str, line.ours)
        )
        assert line.original[0] == formula


def test_reasons_are_ranked_with_their_first_rows() -> None:
    errors = ["DUPLICATE_DATA-Email"] * 7 + ["MANDATORY_NOT_FOUND-Last_Name"] * 9
    rows = [
        DropRow(number, ("a", "b"), row_result=RowResult(RowStatus.REFUSED, error=error))
        for number, error in enumerate(errors, start=2)
    ]

    written = write(rows, Folder())

    assert [(r.reason.code, r.rows, r.examples) for r in written.reasons] == [
        ("MANDATORY_NOT_FOUND", 9, (9, 10, 11, 12, 13)),
        ("DUPLICATE_DATA", 7, (2, 3, 4, 5, 6)),
    ]


def test_reasons_without_end_are_counted_together() -> None:
    rows = [DropRow(n, ("a", "b"), f"Row {n} is odd.") for n in range(2, MAX_REASONS + 12)]

    written = write(rows, Folder())

    assert written.reasons[0].reason == OTHER_REASONS
    assert sum(ranked.rows for ranked in written.reasons) == len(rows)


def test_a_code_that_a_row_has_twice_counts_once() -> None:
    error = "INVALID_DATA-Email:INVALID_DATA-Email:INVALID_DATA-Email"

    written = write(
        [DropRow(2, ("a", "b"), row_result=RowResult(RowStatus.REFUSED, error=error))], Folder()
    )

    assert [(ranked.rows, ranked.examples) for ranked in written.reasons] == [(1, (2,))]


def test_the_report_gets_the_first_failed_rows_shortened() -> None:
    rows = [DropRow(n, ("x" * 100, "b"), "it is odd") for n in range(2, 60)]

    written = write(rows, Folder())

    assert [failed.row for failed in written.failed_rows] == list(range(2, 22))
    assert written.failed_rows[0].cells == (("E-mail", "x" * 39 + "…"),)
    assert written.failed_rows[0].why == "The row was not sent: it is odd."


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        (
            DropRow(
                2,
                ("a", ""),
                row_result=RowResult(RowStatus.REFUSED, error="INVALID_DATA-Last_Name"),
            ),
            (("E-mail", "a"), ("Surname", "")),
        ),
        (
            DropRow(
                2, ("a", ""), row_result=RowResult(RowStatus.REFUSED, error="INVALID_DATA-Email")
            ),
            (("E-mail", "a"),),
        ),
        (
            DropRow(2, ("a", "b"), 'column "Surname" is not a date of the form dd.MM.yyyy'),
            (("E-mail", "a"), ("Surname", "b")),
        ),
        (
            DropRow(2, ("a", "b"), row_result=RowResult(RowStatus.UNCLEAR)),
            (("E-mail", "a"), ("Surname", "b")),
        ),
        (DropRow(2, ("a",), "it has 1 cell"), (("E-mail", "a"),)),
        (DropRow(2, (), "it has no cells"), ()),
    ],
)
def test_a_failed_row_is_shown_by_its_key_and_the_cells_that_are_wrong(
    row: DropRow, cells: tuple[tuple[str, str], ...]
) -> None:
    (shown,) = write([row], Folder()).failed_rows

    assert shown.cells == cells


def test_megabytes_of_errors_make_a_short_report() -> None:
    error = "INVALID_DATA-" + ",".join(f"name {n}" for n in range(300_000))
    rows = [
        DropRow(n, ("a", "b"), row_result=RowResult(RowStatus.REFUSED, error=error)) for n in (2, 3)
    ]

    written = write(rows, Folder())

    assert len(repr((written.reasons, written.failed_rows))) < 5_000


@pytest.mark.parametrize(
    ("row", "has_a_cause"),
    [
        (DropRow(2, ("a", "b"), row_result=RowResult(RowStatus.UNPROCESSED)), False),
        (
            DropRow(
                2, ("a", "b"), row_result=RowResult(RowStatus.UNPROCESSED, error="LIMIT_EXCEEDED")
            ),
            True,
        ),
        (DropRow(2, ("a", "b"), because=Reason("NO_PERMISSION", "It may not.")), True),
        (
            DropRow(2, ("a", "b"), row_result=RowResult(RowStatus.REFUSED, error="LIMIT_EXCEEDED")),
            False,
        ),
    ],
)
def test_unprocessed_rows_are_known_to_have_a_cause_or_none(
    row: DropRow, has_a_cause: bool
) -> None:
    assert write([row], Folder()).unprocessed_for_a_cause is has_a_cause


@pytest.mark.parametrize(("rows", "is_kept"), [(10, True), (12_000, False)])
def test_a_small_failed_file_is_kept_whole_for_the_report(rows: int, is_kept: bool) -> None:
    folder = Folder()

    written = write([DropRow(n, ("a" * 50, "b"), "it is odd") for n in range(rows)], folder)

    assert written.failed_csv == (folder.files[ResultFile.FAILED] if is_kept else None)


def test_no_file_becomes_an_object_if_writing_fails() -> None:
    folder = Folder()

    def broken() -> Iterator[DropRow]:
        yield DropRow(2, ("a", "b"))
        raise OSError("the drop cannot be read")

    with pytest.raises(OSError, match="cannot be read"):
        write(broken(), folder)

    assert folder.files == {}


def test_memory_does_not_grow_with_the_rows() -> None:
    class Nowhere(BytesIO):
        def write(self, body: object) -> int:
            return 0

    @contextmanager
    def nowhere(file: ResultFile) -> Iterator[BinaryIO]:
        yield Nowhere()

    def peak(rows: int) -> int:
        tracemalloc.start()
        errors = ("DUPLICATE_DATA-Email", "odd text")
        write_results(
            (
                DropRow(
                    n,
                    ("a" * 100, "b"),
                    row_result=RowResult(RowStatus.REFUSED, error=errors[n % 2]),
                )
                for n in range(rows)
            ),
            header=HEADER,
            sent=SentColumns(),
            delimiter=",",
            import_id=IMPORT_ID,
            open_file=nowhere,
        )
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    assert peak(60_000) < peak(20_000) + 100_000


CELLS = st.text(st.characters(codec="utf-8"), max_size=8)
ROW_RESULTS = st.builds(
    RowResult, st.sampled_from(list(FILE_OF)), st.sampled_from(["", "11"]), st.text(max_size=5)
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.tuples(CELLS, CELLS), st.none() | st.just("odd"), st.none() | ROW_RESULTS)
    ),
    st.sampled_from(",;\t|:"),
)
def test_each_row_is_in_exactly_one_file_with_its_own_cells(
    drawn: list[tuple[tuple[str, str], str | None, RowResult | None]], delimiter: str
) -> None:
    folder = Folder()
    rows = [DropRow(number, *row) for number, row in enumerate(drawn, start=2)]

    written = write(rows, folder, delimiter)

    found = [row for file in folder.files for row in folder.rows(file, delimiter)]
    assert sorted((int(row.ours.row), row.original) for row in found) == [
        (row.number, tuple(row.cells)) for row in rows
    ]
    assert written.counts.total == len(rows) == sum(written.rows.values())


def test_what_is_dropped_again_is_the_original_file() -> None:
    folder = Folder()
    write([DropRow(2, ("a", "b"), "It is odd.")], folder)
    header, row = folder.table(ResultFile.FAILED)

    kept = strip_result_columns(header)

    assert header[: len(RESULT_COLUMNS)] == list(RESULT_COLUMNS)
    assert [header[at] for at in kept] == list(HEADER)
    assert [row[at] for at in kept] == ["a", "b"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.builds(RowResult, st.sampled_from(RowStatus), CELLS, CELLS, st.booleans())))
def test_kept_row_results_come_back_as_they_were(row_results: list[RowResult]) -> None:
    results = RowResults.of(row_results)

    body = write_row_results(results)

    assert list(RowResultReader(body).take(1_000).one_by_one()) == row_results
    assert write_row_results(results) == body


def test_row_results_kept_by_the_release_before_are_read() -> None:
    """It wrote Bigin's word for a refused row."""
    kept = gzip.compress(b"added,id1,,\r\nskipped,,INVALID_DATA-Email,\r\nupdated,,,either\r\n")

    assert list(RowResultReader(kept).take(1_000).one_by_one()) == [
        RowResult(RowStatus.ADDED, "id1"),
        RowResult(RowStatus.REFUSED, error="INVALID_DATA-Email"),
        RowResult(RowStatus.UPDATED, either=True),
    ]
