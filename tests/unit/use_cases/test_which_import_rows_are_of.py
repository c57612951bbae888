"""Rows of result files that do not say, or not on top, which import they are of."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence

import pytest

from bigin_import.domain.states import ImportState
from tests.fakes.harness import MAPPING
from tests.unit.use_cases.test_families import (
    UPSERT,
    Office,
    corrected,
    joined_file,
    second_file,
)

type Change = Callable[[bytes, Sequence[str]], bytes]

UNNAMED = "it is of an earlier import and does not say of which"


def csv_of(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def table_of(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def without(body: bytes, names: Sequence[str]) -> bytes:
    """Return a result file without some of its columns."""
    rows = table_of(body)
    kept = [at for at, name in enumerate(rows[0]) if name not in names]
    return csv_of([row[at] for at in kept] for row in rows)


def emptied(body: bytes, names: Sequence[str]) -> bytes:
    """Return a result file without what stands in some of its columns."""
    head, *rows = table_of(body)
    kept = [name not in names for name in head]
    left = ([cell * keeps for cell, keeps in zip(row, kept, strict=True)] for row in rows)
    return csv_of([head, *left])


def below_new_rows(body: bytes, new_rows: int) -> bytes:
    """Return a result file whose rows stand below those of another file."""
    head, *rows = table_of(body)
    ours = [""] * head.index("E-mail")
    new = [[*ours, f"new{number}@example.com", "New"] for number in range(new_rows)]
    return csv_of([head, *new, *rows])


@pytest.mark.parametrize("new_rows", [600, 15_000])
def test_rows_put_on_top_do_not_hide_which_import_the_others_are_of(new_rows: int) -> None:
    office = Office()
    office.harness.drop("incoming/mapping.json", MAPPING)
    both = joined_file(corrected(office), office.result(office.source, "success"))

    joined = office.drop("incoming/joined.csv", below_new_rows(both, new_rows))
    again = office.drop("incoming/again.csv", corrected(office))

    assert office.facts(joined)["added"] == new_rows + 2
    assert office.facts(joined)["existing"] == 1
    assert office.state(again) is ImportState.UNCHANGED
    assert set(office.added.values()) == {1}


def test_the_mapping_of_a_result_file_is_found_below_new_rows_too() -> None:
    office = Office()

    joined = office.drop("incoming/far/joined.csv", below_new_rows(corrected(office), 15_000))

    assert office.state(joined) is ImportState.COMPLETED


def test_several_imports_below_new_rows_are_told_apart() -> None:
    office = Office()
    second = second_file(office)
    both = joined_file(corrected(office), office.result(second, "success"))

    joined = office.drop("incoming/joined.csv", below_new_rows(both, 600))

    assert (office.facts(joined)["added"], office.facts(joined)["existing"]) == (602, 1)
    assert set(office.added.values()) == {1}


@pytest.mark.parametrize("mapping", [MAPPING, UPSERT])
@pytest.mark.parametrize("kind", ["success", "failed"])
@pytest.mark.parametrize("place", ["mapping.json", "new.mapping.json", ""])
@pytest.mark.parametrize("change", [without, emptied])
def test_rows_of_an_import_that_none_of_them_names_are_not_sent(
    mapping: Mapping[str, object], kind: str, place: str, change: Change
) -> None:
    office = Office(mapping)
    if place:
        office.harness.drop(f"incoming/{place}", mapping)
    made = len(office.harness.bigin.made)

    body = change(office.result(office.source, kind), ["bigin__Import"])
    unnamed = office.drop("incoming/new.csv", body)

    assert office.state(unnamed) is ImportState.REJECTED
    assert len(office.harness.bigin.made) == made
    said = office.harness.notices.published[-1].body
    assert f"new.csv, row 2: {UNNAMED}" in said
    assert "Bring back bigin__Import" in said


@pytest.mark.parametrize("name", ["Row", "Status", "Id", "Error", "Reason"])
def test_one_of_our_columns_is_enough_to_see_that_rows_are_of_an_import(name: str) -> None:
    office = Office()
    office.harness.drop("incoming/mapping.json", MAPPING)
    kind = "success" if name == "Id" else "failed"
    head, *_ = table_of(office.failed())
    others = [each for each in head if each.startswith("bigin__") and each != f"bigin__{name}"]

    unnamed = office.drop("incoming/new.csv", without(office.result(office.source, kind), others))

    assert office.state(unnamed) is ImportState.REJECTED


@pytest.mark.parametrize("change", [without, emptied])
def test_rows_with_nothing_in_our_columns_are_new_ones(change: Change) -> None:
    office = Office()
    office.harness.drop("incoming/mapping.json", MAPPING)
    head, *_ = table_of(office.failed())
    ours = [each for each in head if each.startswith("bigin__")]

    new = office.drop("incoming/new.csv", change(corrected(office), ours))

    assert office.state(new) is ImportState.COMPLETED
    assert office.facts(new)["added"] == 2


def test_where_one_import_is_named_the_other_rows_are_of_it() -> None:
    office = Office()
    head, first, *rows = table_of(office.result(office.source, "success")) + table_of(
        corrected(office)
    )
    unnamed = [cell * (name != "bigin__Import") for name, cell in zip(head, first, strict=True)]

    joined = office.drop("incoming/joined.csv", csv_of([head, unnamed, *rows[1:]]))

    assert (office.facts(joined)["added"], office.facts(joined)["existing"]) == (2, 1)
    assert set(office.added.values()) == {1}


def test_the_headers_of_files_that_were_put_below_each_other_name_no_import() -> None:
    office = Office()
    second = second_file(office)

    joined = office.drop(
        "incoming/joined.csv", corrected(office) + office.result(second, "success")
    )

    assert (office.facts(joined)["added"], office.facts(joined)["existing"]) == (2, 1)


def test_a_row_that_names_none_of_several_imports_stops_their_file() -> None:
    """By its number it may be a row of any of them."""
    office = Office()
    second = second_file(office)
    *rows, last = table_of(joined_file(corrected(office), office.failed(second)))
    unnamed = [cell * (name != "bigin__Import") for name, cell in zip(rows[0], last, strict=True)]
    rows.insert(1, table_of(office.failed(second))[1])

    joined = office.drop("incoming/joined.csv", csv_of([*rows, unnamed]))

    assert office.state(joined) is ImportState.REJECTED
    assert f"joined.csv, row 5: {UNNAMED}" in office.harness.notices.published[-1].body


@pytest.mark.parametrize("names", [["Row"], ["Row", "Status"], ["Status"], ["Row", "Id"]])
@pytest.mark.parametrize("change", [without, emptied])
def test_a_row_that_says_it_is_in_is_not_sent(change: Change, names: Sequence[str]) -> None:
    """By its status, or by the id of its record; the import that it names got it in."""
    office = Office()
    office.harness.drop("incoming/mapping.json", MAPPING)
    success = office.result(office.source, "success")

    office.drop("incoming/in.csv", change(success, [f"bigin__{name}" for name in names]))

    assert office.added["ok@example.com"] == 1
