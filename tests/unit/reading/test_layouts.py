"""Which row is the header, and what separates cells: a good file is never taken for another."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigin_import.errors import DropRejectedError
from tests.unit.reading.drops import opened

HEADERS = (
    "Name", "E-Mail", "Ort", "Preis, netto", "Straße, Nr.", "Note: internal", "Time (hh:mm)",
    "Name|Alias", "a;b", "2024", "01.02.2024", "Report", "Customers", "id", "Größe [m²]",
)  # fmt: skip
CELLS = (
    "", "x", "Müller", "Müller, Karl", "Hauptstr. 1, Berlin", "1,50", "1.234,56", "red;blue",
    "12:30", "2024-01-05", "a@b.de", "+49 30 123", "a|b", "Generated on", "two\nlines", '5" pipe',
)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> str:
    """Return a table as programs write it: all columns have names, no lines are above them."""
    width = draw(st.integers(2, 5))
    header = draw(st.lists(st.sampled_from(HEADERS), min_size=width, max_size=width, unique=True))
    row = st.lists(st.sampled_from(CELLS), min_size=width, max_size=width)
    surplus = draw(st.sampled_from([[], [""]]))
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=draw(st.sampled_from(",;\t|")))
    writer.writerow(header + draw(st.sampled_from([[], surplus])))
    writer.writerows(row + surplus for row in draw(st.lists(row, max_size=25)))
    return buffer.getvalue()


@given(table=tables())
def test_a_well_formed_table_is_never_said_to_begin_below_its_header(table: str) -> None:
    assert opened(table.encode()).dialect.header_row == 1


@given(rows=st.lists(st.sampled_from([cell for cell in CELLS if cell]), max_size=25))
def test_nor_is_a_single_column(rows: list[str]) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([["Header"], *([row] for row in rows)])

    assert opened(buffer.getvalue().encode()).header == ("Header",)


def test_a_line_that_states_the_delimiter_settles_where_the_table_begins() -> None:
    titled = b"Customers\na;b;c\n1;2;3\n4;5;6\n"

    with pytest.raises(DropRejectedError, match="Delete the lines above row 2; if they belong to"):
        opened(titled)
    assert opened(b"sep=,\n" + titled).header == ("Customers",)


@pytest.mark.parametrize(
    ("drop", "header_row"),
    [
        (b"a,b\n1,2\n", 1),
        (b"sep=,\na,b\n1,2\n", 1),
        (b"sep=,\n\na,b\n1,2\n", 2),
        (b"\r\n \r\n\ra,b\n1,2\n", 4),
        (b",\na,b\n1,2\n", 2),
        (b"\n" * 300_000 + b",\na,b\n1,2\n", 300_002),
    ],
)
def test_the_header_has_the_row_that_a_spreadsheet_shows(drop: bytes, header_row: int) -> None:
    table = opened(drop)

    assert table.dialect.header_row == header_row
    assert table.first_rows == [["1", "2"]]
    assert [list(batch.numbers) for batch in table.batches()] == [[header_row + 1]]
