"""What is read and matched in columns says what it says taken one by one."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO
from typing import Literal
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from bigin_import.row_results import join as join_module
from bigin_import.row_results.bigin_listing import read_listing
from tests.unit.row_results.test_join_cases import rows_of
from tests.unit.row_results.test_join_properties import Case, cases

SENT = ("Email", "Name")
LISTED = ("Email", "Name", "STATUS", "RECORD_ID", "ERRORS")
CELLS = st.sampled_from(
    ["", "a", " A", "b  c", "é", "\u2003x", "x,y", 'q"r', "l\nm", "n\ro", "\r", "İ"]
)
STATUSES = st.sampled_from(["added", "ADDED", "Updated", "skipped", " unprocessed", "odd", ""])
LINES = st.lists(
    st.one_of(
        st.tuples(CELLS, CELLS, STATUSES, st.sampled_from(["", "1", " 2 "]), CELLS).map(list),
        st.tuples(CELLS, CELLS, st.sampled_from(["added", ""])).map(list),
        st.lists(CELLS, max_size=7),
    ),
    max_size=12,
)


@settings(max_examples=500, deadline=None)
@given(cases())
def test_lines_that_are_matched_one_to_one_say_what_careful_matching_says(case: Case) -> None:
    at_once = case.joined()

    with mock.patch.object(join_module, "matched_one_to_one", return_value=None):
        with_care = case.joined()

    assert rows_of(at_once) == rows_of(with_care)
    assert (at_once.proof, at_once.disagrees) == (with_care.proof, with_care.disagrees)
    assert at_once.warnings == with_care.warnings


@settings(max_examples=500, deadline=None)
@given(LINES, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_a_listing_without_quotes_says_what_it_says_with_them(
    lines: list[list[str]], line_end: str, is_asked: bool
) -> None:
    plain, quoted = (
        read_listing(_file(lines, line_end, quoting), SENT, existing_is_asked=is_asked)
        for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)
    )

    assert plain.keys == quoted.keys
    assert plain.row_results == quoted.row_results


def _file(lines: list[list[str]], line_end: str, quoting: Literal[0, 1]) -> BytesIO:
    text = StringIO(newline="")
    csv.writer(text, lineterminator=line_end, quoting=quoting).writerows([LISTED, *lines])
    return BytesIO(text.getvalue().encode())
