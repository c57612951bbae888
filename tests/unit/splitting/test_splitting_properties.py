"""For any content: what the parts hold is what the drop holds, in the mapped columns."""

from __future__ import annotations

import csv
import io
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bigin_import.domain.plan import ColumnPlan, PlannedColumn
from bigin_import.errors import DropRejectedError
from bigin_import.splitting.cells import without_invisible
from tests.unit.reading.drops import plan_of, read_again, split_drop

# Without what the reader is meant to change: NUL and surrogates make a row invalid, U+FEFF at
# the start of a line is a BOM, Ctrl-Z at the end is DOS's end of file, and a cell of nothing but
# characters that nobody sees is empty (Unicode's category Cf).
TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cf"], exclude_characters="\0\x1a"), max_size=12
) | st.sampled_from(["", " ", '"', '""', ",", ";", "\n", "\r\n", "\r", "\\", "=", "x,y", "a\tb"])


@st.composite
def drops(draw: st.DrawFn) -> dict[str, Any]:
    width = draw(st.integers(2, 5))
    rows = draw(st.lists(st.lists(TEXT, min_size=width, max_size=width), min_size=1, max_size=30))
    delimiter = draw(st.sampled_from(",;\t|"))
    buffer = io.StringIO(newline="")
    writer = csv.writer(
        buffer,
        delimiter=delimiter,
        lineterminator=draw(st.sampled_from(["\n", "\r\n", "\r"])),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    )
    writer.writerow([f"h{n}" for n in range(width)])
    writer.writerow(["first"] * width)  # so that the header is never mistaken for a title
    writer.writerows(rows)
    mapped = draw(st.lists(st.integers(0, width - 1), min_size=1, max_size=width, unique=True))
    return {
        "content": buffer.getvalue().encode(),
        "rows": [["first"] * width, *rows],
        "mapped": mapped,
        "max_rows": draw(st.integers(1, 12)),
    }


def filled_rows(drop: dict[str, Any]) -> list[tuple[int, list[str]]]:
    """Return the rows that are not blank, each with its number; the header is row 1."""
    return [(n, row) for n, row in enumerate(drop["rows"], 2) if "".join(row).strip()]


def possible_footers(drop: dict[str, Any]) -> set[int]:
    """Return the rows that may be left out: with their first cell only, below a blank row."""
    blank = [n for n, row in enumerate(drop["rows"], 2) if not "".join(row).strip()]
    return {
        n
        for n, row in filled_rows(drop)
        if len(row) > 2 and not "".join(row[1:]).strip() and blank and blank[0] < n
    }


def parsed(part: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(part.decode(), newline="")))


def plan_for(drop: dict[str, Any]) -> ColumnPlan:
    return plan_of(*(PlannedColumn(at, f"h{at}", f"F{at}") for at in drop["mapped"]))


@given(drops())
def test_the_parts_put_together_are_the_mapped_columns_of_the_drop(drop: dict[str, Any]) -> None:
    outcome = split_drop(drop["content"], plan_for(drop), max_rows=drop["max_rows"])

    parts = [parsed(part) for part in outcome.csvs]
    header = [f"F{at}" for at in drop["mapped"]]
    sent = [row for number, row in filled_rows(drop) if number not in outcome.left_out]
    expected = [[row[at] for at in drop["mapped"]] for row in sent]
    assert all(part[0] == header for part in parts)
    assert [row for part in parts for row in part[1:]] == expected
    assert all(len(part) - 1 <= drop["max_rows"] for part in parts)
    assert outcome.left_out.keys() <= possible_footers(drop)


@given(drops())
def test_the_second_walk_finds_every_row_that_was_sent(drop: dict[str, Any]) -> None:
    rows = read_again(drop["content"], plan_for(drop))

    assert [list(row.cells) for row in rows] == [row for _, row in filled_rows(drop)]
    kept = [row for row in rows if row.reason is not None]
    assert all(row.is_left_out and row.row in possible_footers(drop) for row in kept)


CSV_LIKE = st.lists(
    st.sampled_from([b"a", b",", b";", b"\n", b"\r", b'"', b" ", b"\0", b"\xff", "é".encode()])
    | st.binary(max_size=3),
    max_size=60,
).map(b"".join)


@given(CSV_LIKE, st.sampled_from([None, "windows-1252", "utf-16-le"]), st.integers(1, 4))
def test_bytes_of_any_kind_are_read_or_rejected_and_both_walks_agree(
    content: bytes, encoding: str | None, max_rows: int
) -> None:
    drop = b"h1,h2,h3\nx,y,z\n" + content

    try:
        outcome = split_drop(drop, encoding=encoding, max_rows=max_rows)
    except DropRejectedError:  # any other error fails the test
        return

    rows = read_again(drop, encoding=encoding, options=outcome.options)
    sent = [row for part in outcome.csvs for row in parsed(part)[1:]]
    # A cell of nothing but characters that nobody sees is sent empty.
    seen = [[cell if without_invisible(cell) else "" for cell in row.cells] for row in rows]
    assert [cells for row, cells in zip(rows, seen, strict=True) if row.reason is None] == sent
    left_out = {row.row for row in rows if row.is_left_out}
    assert left_out == outcome.left_out.keys()
    assert sum(row.reason is not None for row in rows) == outcome.result.invalid + len(left_out)
    assert len(rows) == outcome.result.rows
