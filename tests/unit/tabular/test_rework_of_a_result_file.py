"""A failed file that comes back from a spreadsheet."""

from __future__ import annotations

import pytest

from bigin_import.tabular.rework import (
    damaged_columns,
    parent_import,
    parent_row,
    strip_result_columns,
)

IMPORT_ID = "k3v7q2mzt5ab9cdefgh1jklmn4"


@pytest.mark.parametrize(
    ("header", "row", "parent"),
    [
        (("bigin__Import", "E-mail"), (IMPORT_ID, "a"), IMPORT_ID),
        (("E-mail", " BIGIN__IMPORT "), ("a", f" {IMPORT_ID} "), IMPORT_ID),
        (("bigin__Import",), ("../" + IMPORT_ID,), None),
        (("bigin__Import",), ("",), None),
        (("bigin__Import",), (), None),
        (("E-mail",), (IMPORT_ID,), None),
    ],
)
def test_the_parent_is_named_by_its_own_column(
    header: tuple[str, ...], row: tuple[str, ...], parent: str | None
) -> None:
    assert parent_import(header, row) == parent


@pytest.mark.parametrize(("cell", "row"), [("17", 17), ("", None), ("x", None), ("-1", None)])
def test_a_row_knows_its_number_in_the_parent(cell: str, row: int | None) -> None:
    assert parent_row(("bigin__Row", "E-mail"), (cell, "a")) == row


def test_only_our_columns_are_left_out_whatever_their_case() -> None:
    assert strip_result_columns(("bigin__Row", "a", "Bigin__Reason ", "bigin", "")) == (1, 3, 4)


@pytest.mark.parametrize(
    ("originals", "cells", "damage"),
    [
        (["00123", "456"], ["123", "456"], "removed leading zeros"),
        (["00123", "00456"], ["123", "00456"], None),
        (["00123"], ["124"], None),
        (["0"], [""], None),
        (["111111000000541999"], ["1.11111E+17"], "turned long numbers into powers of ten"),
        (["111111000000541999"], ["1,11E+17"], "turned long numbers into powers of ten"),
        (["1.5E+10"], ["1.5E+10"], None),
        (["111111000000541999"], ["111111000000541000"], "rounded long numbers"),
        (["111111000000541999"], ["111111000000541998"], None),
        (["2024-03-05", "2024-03-06"], ["05/03/2024", "06/03/2024"], "rewritten dates"),
        (["03/05/2024", "03/06/2024"], ["3/5/24", "3/6/24"], "rewritten dates"),
        (["1-2", "3-4"], ["02-Jan", "04-Mar"], "rewritten dates"),
        (["2024-03-05"], ["05.03.2024"], None),
        (["2024-03-05", "2024-03-06"], ["05/03/2024", "2024-03-06"], None),
        (["03.05.2024", "04.05.2024"], ["05.03.2024", "05.04.2024"], None),
        (["2024-03-05", "2024-03-06"], ["07/08/2025", "07/08/2025"], None),
        (["same", "007"], ["same", "007"], None),
    ],
)
def test_visible_damage_is_told_from_correction(
    originals: list[str], cells: list[str], damage: str | None
) -> None:
    rows = [
        (number, ("a", cell), ("a", original))
        for number, (cell, original) in enumerate(zip(cells, originals, strict=True), start=2)
    ]

    problems = damaged_columns(rows, header=("Name", "Code"), file="contacts.failed.csv")

    assert [problem.what for problem in problems] == (
        [f"A spreadsheet has {damage}"] if damage else []
    )
    assert all(p.where == 'contacts.failed.csv, column "Code", row 2' for p in problems)


def test_without_the_originals_powers_of_ten_are_still_seen() -> None:
    rows = [(2, ("1.11E+17", "007"), None)]

    (problem,) = damaged_columns(rows, header=("Id", "Code"), file="f.csv")

    assert problem.where == 'f.csv, column "Id", row 2'
    assert "1.11" not in str(problem)
