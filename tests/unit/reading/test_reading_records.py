"""Chunks are split, read, or read with spaces before quotes: nobody sees which, nor their ends."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bigin_import.errors import DropRejectedError
from bigin_import.reading.records import (
    BATCH_ROWS,
    TEXT_BEHIND_A_QUOTE,
    RecordBatch,
    record_batches,
)

PLAIN = st.text(alphabet="ab ,\u2028\x0b\u00e9", max_size=12)
QUOTED = st.sampled_from(['"a\nb",c', '"a\r\nb"', '"",""', 'a"b,c', '"a ""b"""', '"a, b"'])
SPACED = st.sampled_from(['a, "b, c"', '  "a\nb" ,"c"', ' ""', 'a,  "x ""y"""', '"a\r\nb" ,\u00e9'])
FAULTY = st.sampled_from(['"a"b,c', 'a, "b" c', '"a ""b" c,"d"', '"a" b,5"'])
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def texts(draw: st.DrawFn, *kinds: st.SearchStrategy[str]) -> str:
    records = draw(st.lists(st.one_of(PLAIN, *kinds), max_size=12))
    return "".join(record + draw(ENDS) for record in records)


@st.composite
def chunked(draw: st.DrawFn, *kinds: st.SearchStrategy[str]) -> list[str]:
    """Return chunks of whole lines; a quoted cell may begin in one and end in another."""
    chunks = [""]
    for line in io.StringIO(draw(texts(*kinds)), newline=""):
        if draw(st.booleans()) and not chunks[-1].endswith("\r"):
            chunks.append("")
        chunks[-1] += line
    return chunks


def read(*chunks: str) -> list[RecordBatch]:
    return list(record_batches(iter(chunks), delimiter=",", name="a.csv"))


def rows_of(batches: list[RecordBatch]) -> list[list[str]]:
    return [row or [""] for batch in batches for row in batch.rows]


def outcome(*chunks: str) -> tuple[list[list[str]], dict[int, str]] | str:
    """Return rows, and faults by row number; or why the drop is rejected."""
    try:
        batches = read(*chunks)
    except DropRejectedError as exc:
        return str(exc)
    faults = {batch.first + at: fault for batch in batches for at, fault in batch.faults.items()}
    return rows_of(batches), faults


@given(chunks=chunked(QUOTED))
def test_records_are_those_of_the_csv_module_whatever_the_chunks(chunks: list[str]) -> None:
    expected = csv.reader(io.StringIO("".join(chunks), newline=""), strict=True)

    assert rows_of(read(*chunks)) == [row or [""] for row in expected]


@given(chunks=chunked(QUOTED, SPACED, FAULTY))
@example(chunks=["a,b\n", '"x\n', 'y",2\n3, "z"\n', " w,4\n"])
@example(chunks=['"x\n', "y\n", 'z",1\n2, "3"\n', '"a"b,4\n'])
def test_it_does_not_matter_where_a_chunk_ends(chunks: list[str]) -> None:
    assert outcome(*chunks) == outcome("".join(chunks))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('a, "b, c"\n', [["a", "b, c"]]),
        ('a, "b"\n  c, d\n', [["a", "b"], ["  c", " d"]]),
        ('  "b\nc" , d\n', [["b\nc", " d"]]),
        ('a, ""\n', [["a", ""]]),
        ('"a, b", "c"\n', [["a, b", "c"]]),
        ('"said: , ""a"", b"\n', [['said: , "a", b']]),
        ('"a" ,b\n', [["a", "b"]]),
        ('"a\nb" ,"c"  \n', [["a\nb", "c"]]),
    ],
)
def test_spaces_around_quotes_belong_to_no_cell_and_all_others_do(
    text: str, rows: list[list[str]]
) -> None:
    assert outcome(text) == (rows, {})
    assert outcome("x,y\n" * 3, text) == ([["x", "y"]] * 3 + rows, {})
    assert outcome('"x",y\n', text) == ([["x", "y"], *rows], {})


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('"Big" Company,1', ['"Big" Company', "1"]),
        ('1,"Big" Company', ["1", '"Big" Company']),
        ('1, "Big" Company', ["1", ' "Big" Company']),
        ('"a, b","c"d', ["a, b", '"c"d']),
        ('"a ""b""","c"d,', ['a "b"', '"c"d', ""]),
        ('"Big, "Inc", Ltd",1', ['"Big', "Inc", ' Ltd"', "1"]),
    ],
)
def test_text_behind_a_closing_quote_makes_a_row_unfit_and_loses_no_quote(
    line: str, cells: list[str]
) -> None:
    text = f'"x",y\r\n{line}\r\n"z\r\nz",w\r\n'

    rows = [["x", "y"], cells, ["z\r\nz", "w"]]
    assert outcome(text) == (rows, {2: TEXT_BEHIND_A_QUOTE})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('1,"x\n2,y\n3,"z"\n4,w\n', "row 2: a quote that opens in this row closes in the text 2 l"),
        ('"x"y,"two\nlines"\n', "row 2: a quote that opens in this row closes in the middle"),
        ('"a "b" c\nd",1\n', "row 2: a quote that opens in this row closes in the middle"),
        ('"a\nb "c" d",1\n', "row 2: a quote that opens in this row closes in the text 1 lines"),
        ('1,"x\n2,y\n', "row 2: a quote in this row is never closed"),
        ('1,2\n1, "x\n2,y\n', "row 3: a quote in this row is never closed"),
    ],
)
def test_a_drop_is_rejected_if_nobody_can_tell_where_a_row_ends(text: str, said: str) -> None:
    assert said in outcome("a,b\n", text)


def test_rows_are_numbered_across_batches_whatever_their_lines_and_faults() -> None:
    plain, lines, fault = "a,b\n", '"a\nb",c\n', '"a"b,c\n'
    text = plain * 700 + lines * 700 + fault + plain * 3 + fault * 2 + lines + fault

    batches = read(plain * 600, text)

    assert [batch.first for batch in batches] == [1, 501, 1001, 1501, 2001]
    assert {len(batch.rows) for batch in batches[:-1]} == {BATCH_ROWS}
    faults = [batch.first + at for batch in batches for at in batch.faults]
    assert faults == [2001, 2005, 2006, 2008]
