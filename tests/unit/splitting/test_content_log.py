"""What rows are known again by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigin_import.domain.job_request import JobRequest, Operation
from bigin_import.domain.plan import ColumnPlan, PlannedColumn
from bigin_import.splitting.content_log import Fingerprints, key_hashes

REQUEST = JobRequest(Operation.INSERT, "Contacts", None, True, ())


def plan_of(*api_names: str) -> ColumnPlan:
    columns = (PlannedColumn(at, name, name) for at, name in enumerate(api_names))
    return ColumnPlan(REQUEST, tuple(columns))


TWO = Fingerprints(plan_of("Email", "Last_Name"))
ROW = ["ada@example.com", "Love\nlace"]


@pytest.mark.parametrize(
    "same",
    [
        [" ada@example.com", "Love\nlace\t"],
        ["ada@example.com", "Love\r\nlace"],
        ["ada@example.com", "Love\rlace"],
        [*ROW, "unmapped"],
    ],
    ids=["spaces", "CRLF", "CR", "unmapped"],
)
def test_a_row_is_the_same_however_it_is_written(same: list[str]) -> None:
    assert TWO.of([same]) == TWO.of([ROW])


def test_the_order_of_the_columns_is_no_part_of_a_row() -> None:
    swapped = Fingerprints(plan_of("Last_Name", "Email"))

    assert swapped.of([ROW[::-1]]) == TWO.of([ROW])


def test_the_same_cells_in_other_fields_are_another_row() -> None:
    other = Fingerprints(plan_of("Email", "First_Name"))

    assert other.of([ROW]) != TWO.of([ROW])


def test_a_short_row_lacks_its_last_cells_only() -> None:
    assert TWO.of([["a"]]) == TWO.of([["a", ""]])
    assert TWO.of([[]]) == TWO.of([["", ""]])


CELLS = st.text(alphabet='ab \0\x1f\n\r["\ud800', max_size=4)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=20))
def test_rows_are_equal_only_if_their_cells_are(rows: list[tuple[str, str]]) -> None:
    def read(cell: str) -> str:
        return cell.strip().replace("\r\n", "\n").replace("\r", "\n")

    found = TWO.of(rows)

    assert len(set(found)) == len({tuple(map(read, row)) for row in rows})
    assert found == [TWO.of([row])[0] for row in rows]


def test_keys_compare_as_bigin_compares_them() -> None:
    ada, same, bob = key_hashes([" ADA@example.com", "ada@EXAMPLE.com ", "bob@example.com"])

    assert ada == same != bob
