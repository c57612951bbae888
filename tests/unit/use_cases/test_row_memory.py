"""Rows that are known again by their fingerprints, each as often as it is in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigin_import.deduplication.earlier_rows import KnownRow, RowIn, RowMemory
from bigin_import.domain.job_request import JobRequest, Operation
from bigin_import.domain.plan import ColumnPlan, PlannedColumn
from bigin_import.domain.row_result import RowStatus
from bigin_import.reading.table import Batch
from bigin_import.splitting.content_log import ContentLog, Fingerprints
from bigin_import.splitting.row_check import CheckedBatch

PLAN = ColumnPlan(
    JobRequest(Operation.INSERT, "Contacts", None, True, ()),
    (PlannedColumn(0, "Surname", "Last_Name"),),
)


def fingerprint(cell: str) -> bytes:
    return Fingerprints(PLAN).of([[cell]])[0]


@contextmanager
def log_of(cells: Sequence[str]) -> Iterator[ContentLog]:
    rows = [[cell] for cell in cells]
    batch = Batch(rows, range(2, len(rows) + 2), {}, {})
    records: list[tuple[str, ...]] = [(cell,) for cell in cells]
    with ContentLog(PLAN) as log:
        log.add(CheckedBatch(batch, {}, records, batch.numbers, b""))
        yield log


def rows_in(cells: Sequence[str], through: str = "first") -> list[RowIn]:
    return [RowIn(fingerprint(cell), row, f"{row}", through) for row, cell in enumerate(cells, 2)]


def known(cells: Sequence[str], *earlier: Sequence[RowIn], share: float = 0.9) -> list[KnownRow]:
    with log_of(cells) as log:
        memory = RowMemory(log)
        for each in earlier:
            memory.match(each, share=share)
        return list(memory.known_rows())


def test_a_file_that_was_mended_and_grew_is_known_by_nine_tenths_of_its_rows() -> None:
    first = [f"name {number}" for number in range(10)]

    found = known(["mended", *first[1:], "one more"], rows_in(first))

    assert [row.row for row in found] == list(range(3, 12))
    assert {row.status for row in found} == {RowStatus.EXISTING}
    assert [row.record_id for row in found] == [str(row) for row in range(3, 12)]


def test_fewer_equal_rows_are_new_rows() -> None:
    first = [f"name {number}" for number in range(10)]

    assert known(["mended", "too", *first[2:]], rows_in(first)) == []


def test_a_row_is_known_as_often_as_it_is_in() -> None:
    found = known(["twice", "twice", "twice"], rows_in(["twice", "twice"]))

    assert [(row.row, row.record_id) for row in found] == [(2, "2"), (3, "3")]


def test_a_row_with_old_and_with_corrected_cells_is_one_row() -> None:
    old, new = rows_in(["old"])[0], rows_in(["new"], through="correction")[0]

    assert [row.through for row in known(["new"], [old, new])] == ["correction"]
    assert len(known(["old", "new"], [old, new])) == 1


def test_files_that_were_put_together_are_known_from_several_imports() -> None:
    first, second = rows_in(["a", "b"]), rows_in(["c", "d", "e"], through="second")

    found = known(["a", "b", "c", "d", "e", "f"], first, second)

    assert [row.through for row in found] == ["first"] * 2 + ["second"] * 3


def test_what_is_unclear_stays_unclear() -> None:
    rows = [row._replace(status=RowStatus.UNCLEAR) for row in rows_in(["a"])]

    assert [row.status for row in known(["a", "b"], rows)] == [RowStatus.UNCLEAR]


def test_rows_that_may_be_in_say_nothing_against_those_that_are() -> None:
    first = [f"name {number}" for number in range(5)]
    rows = [
        row._replace(status=RowStatus.UNCLEAR) if at < 2 else row
        for at, row in enumerate(rows_in(first))
    ]

    assert [row.row for row in known(["mended", "too", *first[2:]], rows)] == [4, 5, 6]


@pytest.mark.parametrize("record_id", ["", "not a number", "9" * 40])
def test_ids_that_bigin_would_not_give_are_left_unknown(record_id: str) -> None:
    rows = [row._replace(record_id=record_id) for row in rows_in(["a"])]

    assert [row.record_id for row in known(["a"], rows)] == [""]


CELLS = st.lists(st.sampled_from("abcdefgh"), max_size=40)


@given(CELLS, CELLS)
def test_equal_rows_are_matched_one_to_one(ours: list[str], theirs: list[str]) -> None:
    found = known(ours, rows_in(theirs), share=0)

    wanted = sum(min(ours.count(cell), theirs.count(cell)) for cell in set(ours))
    assert len(found) == wanted
    assert len({row.record_id for row in found}) == wanted
    assert all(ours[row.row - 2] == theirs[int(row.record_id) - 2] for row in found)
