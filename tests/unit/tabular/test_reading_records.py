"""Chunks without quotes are split, all others go through the csv module: nobody sees which."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from bigin_import.tabular.records import record_batches

PLAIN = st.text(alphabet="ab ,\u2028\x0b\u00e9", max_size=12)
QUOTED = st.sampled_from(['"a\nb",c', '"a\r\nb"', '"",""', 'a"b,c', '"a ""b"""'])
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def chunks_of_whole_lines(draw: st.DrawFn) -> list[str]:
    """Return chunks of a drop; a quoted cell may begin in one and end in another."""
    records = draw(st.lists(st.one_of(PLAIN, PLAIN, QUOTED), max_size=12))
    text = "".join(record + draw(ENDS) for record in records)
    lines = list(io.StringIO(text, newline=""))
    chunks = [""]
    for line in lines:
        if draw(st.booleans()) and not chunks[-1].endswith("\r"):
            chunks.append("")
        chunks[-1] += line
    return chunks


@given(chunks=chunks_of_whole_lines())
def test_records_are_those_of_the_csv_module_whatever_the_chunks(chunks: list[str]) -> None:
    expected = list(csv.reader(io.StringIO("".join(chunks), newline="")))

    batches = record_batches(iter(chunks), delimiter=",", spaced_quotes=False, skip=0, name="a.csv")
    rows = [row for _, batch in batches for row in batch]

    assert [row or [""] for row in rows] == [row or [""] for row in expected]
