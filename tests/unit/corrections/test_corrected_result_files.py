"""A failed file that comes back from a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bigin_import.corrections.spreadsheet_damage import Damage, DamagedColumns, damage_of
from bigin_import.reading.parents import MOST_IMPORTS, ParentReferences
from bigin_import.reading.table import strip_result_columns

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
    assert ParentReferences(header).meet([row]) == parent


def test_the_parent_is_named_by_the_first_row_that_names_one() -> None:
    parent_references = ParentReferences(("bigin__Import", "E-mail"))

    parent = parent_references.meet([("", "new"), (), (IMPORT_ID, "a"), ("a" * 26, "b")])

    assert parent == IMPORT_ID
    assert list(parent_references.imports) == [IMPORT_ID, "a" * 26]


def test_rows_that_all_name_another_import_fill_no_memory() -> None:
    parent_references = ParentReferences(("bigin__Import",))

    parent_references.meet((f"{number:026}",) for number in range(1_000))

    assert len(parent_references.imports) == MOST_IMPORTS


@pytest.mark.parametrize(
    ("cell", "row"),
    [
        *(
            ("17", 17),
            ("17.0", 17),
            ("17,00", 17),
            ("12,345", 12_345),
            ("12.345.678,0", 12_345_678),
        ),
        *(("12\u00a0345", 12_345), ("12\u202f345", 12_345), ("12\u2019345", 12_345), ("'17", 17)),
        *(("", None), ("x", None), ("-1", None), ("17.5", None), ("17.", None), ("1234,567", None)),
    ],
)
def test_a_row_knows_its_number_in_the_parent(cell: str, row: int | None) -> None:
    said = ParentReferences(("bigin__Row", "E-mail")).rows([2], [(cell, "a")])
    numbers = {number: row.row for number, row in said.items()}

    assert numbers.get(2) == row


def test_only_our_columns_are_left_out_whatever_their_case() -> None:
    assert strip_result_columns(("bigin__Row", "a", "Bigin__Reason ", "bigin", "")) == (1, 3, 4)


ZEROS, PLUS = "removed leading zeros", "removed the plus sign of numbers"
POWERS, ROUNDED = "turned long numbers into powers of ten", "rounded long numbers"
DATES, TURNED = "rewritten dates", "turned numbers into dates"


TRAILING, TWICE = "removed trailing zeros", "decoded text twice"
NUMBERS, TIMES, FORMULAS = "rewritten numbers", "rewritten times", "calculated formulas"
LOST, LINES = "replaced characters that its encoding lacks", "rewritten line ends"


def restored(originals: Sequence[str | None], cells: Sequence[str]) -> list[str | None]:
    """Return what each cell of a column is restored to, None where it stays."""
    rows = [
        (number, ("a", cell), ("a", original))
        for number, (cell, original) in enumerate(zip(cells, originals, strict=True), start=2)
    ]
    columns = DamagedColumns(("Name", "Code"))
    columns.look_at(rows)
    pairs = zip(cells, originals, strict=True)
    return [columns.restored(1, cell, original) for cell, original in pairs]


@pytest.mark.parametrize(
    ("originals", "cells", "damage"),
    [
        (["00123", "456"], ["123", "456"], ZEROS),
        (["00123", "00456"], ["123", "00456"], None),
        (["00123"], ["124"], None),
        (["000"], ["0"], ZEROS),
        (["007.5"], ["7.5"], ZEROS),
        (["0"], [""], None),
        (["0.5"], [".5"], None),
        (["+4930123456"], ["4930123456"], PLUS),
        (["+0049"], ["49"], PLUS),
        (["+49 30 123456"], ["49 30 123456"], None),
        (["111111000000541999"], ["1.11111E+17"], POWERS),
        (["111111000000541999"], ["1,11E+17"], POWERS),
        (["+491701234567"], ["4.91701E+11"], POWERS),
        (["1.5E+10"], ["1.5E+10"], None),
        (["111111000000541999"], ["111111000000541000"], ROUNDED),
        (["111111000000541999"], ["111111000000541998"], None),
        (["2024-03-05", "2024-03-06"], ["05/03/2024", "06/03/2024"], DATES),
        (["03/05/2024", "03/06/2024"], ["3/5/24", "3/6/24"], DATES),
        (["2024-03-05", "2024-03-06"], ["05. März 2024", "06. März 2024"], DATES),
        (["2024-03-05", "2024-03-06"], ["05-Mar-24", "06-Mar-24"], DATES),
        (
            ["2024-03-05 10:00:00", "2024-03-06 22:30:00"],
            ["05.03.2024 10:00", "06.03.2024 22:30"],
            DATES,
        ),
        (["2024-03-05T10:00:00Z"] * 2, ["2024-03-05 10:00"] * 2, DATES),
        (["2024-03-05 22:30"] * 2, ["3/5/2024 10:30 PM"] * 2, DATES),
        (["2024-03-05 00:00:00"] * 2, ["05.03.2024"] * 2, DATES),
        (["2024-03-05 10:00:00"] * 2, ["05.03.2024 11:00"] * 2, None),
        (["2024-03-05 10:00"] * 2, ["2024-03-05 11:00"] * 2, None),
        (["1-2", "3-4"], ["02-Jan", "04-Mar"], TURNED),
        (["1.5"], ["01. Mai"], TURNED),
        (["1/5"], ["01-mai"], TURNED),
        (["1/5"], ["5-ene"], TURNED),
        (["12.50"], ["Dez 50"], TURNED),
        (["1/5"], ["1月5日"], TURNED),
        (["1.5"], ["1.5 kg"], None),
        (["1.5"], ["May"], None),
        (["1.5"], ["1.5.2024"], None),
        (["12"], ["12 pieces"], None),
        (["2024-03-05"], ["05.03.2024"], None),
        (["2024-03-05", "2024-03-06"], ["05/03/2024", "2024-03-06"], None),
        (["03.05.2024", "04.05.2024"], ["05.03.2024", "05.04.2024"], None),
        (["2024-03-05", "2024-03-06"], ["07/08/2025", "07/08/2025"], None),
        (["2024-03-05", "2024-03-06"], ["ask her", "ask him"], None),
        (["same", "007"], ["same", "007"], None),
        (["12.50", "3.00"], ["12.5", "3"], TRAILING),
        (["12.50"], ["12.6"], None),
        (["100"], ["1"], None),
        (["Müller"], ["MÃ¼ller"], TWICE),
        (["Müller", "Jäger"], ["MÃ¼ller", "Jäger"], None),
        (["Łódź"], ["?ód?"], LOST),
        (["Łódź"], ["Lodz"], None),
        (["one\r\ntwo"], ["one\ntwo"], LINES),
        (["442079460123"], ["4.5E+11"], None),
        (["1E5"], ["1.00E+05"], POWERS),
        (["1E5"], ["100000"], NUMBERS),
        (["1,234.50"], ["1234.5"], NUMBERS),
        (["1,234"], ["1.234"], NUMBERS),
        (["$5"], ["$5.00"], NUMBERS),
        (["5%"], ["5.00%"], NUMBERS),
        (["(5)"], ["-5"], NUMBERS),
        (["5-"], ["-5"], NUMBERS),
        (["5-"], ["5"], None),
        (["1,234"], ["1235"], None),
        (["1_0"], ["10"], None),
        (["10:30"], ["10:30:00 AM"], TIMES),
        (["9:05"], ["09:05:00"], TIMES),
        (["9:05"], ["09:15:00"], None),
        (["=1+1"], ["2"], FORMULAS),
        (["1/2", "3-4", "3-4", "3-4"], ["01/02/26", "3-4", "3-4", "3-4"], TURNED),
        (["Jan-26"], ["01/26/26"], TURNED),
        (["Nov 28, 2026", "Nov 3, 2026"], ["11/28/26", "11/03/26"], DATES),
        (["Nov 28, 2026", "Nov 3, 2026"], ["12/28/26", "12/03/26"], None),
        (["Gate 5"], ["05/05/26"], None),
    ],
)
def test_visible_damage_is_told_from_correction(
    originals: list[str], cells: list[str], damage: str | None
) -> None:
    found = restored(originals, cells)

    assert {damage_of(cells[at], originals[at]) for at, was in enumerate(found) if was} == (
        {Damage(damage)} if damage else set()
    )
    assert all(was in (None, original) for was, original in zip(found, originals, strict=True))


@pytest.mark.parametrize(
    ("originals", "cells", "damage"),
    [
        (["007"] * 10, ["7"] * 9 + ["007"], ZEROS),
        (["007"] * 10, ["7"] * 3 + ["007"] * 7, None),
        (["+49"] * 10, ["49"] * 9 + ["+49"], PLUS),
        (["1.5"] * 10, ["01. Mai"] * 9 + ["1.5"], TURNED),
        (["99.95"] * 9 + ["1.5"], ["99.95"] * 9 + ["01. Mai"], TURNED),
        (["2024-03-05"] * 10, ["05.03.2024"] * 9 + ["2024-03-05"], DATES),
        (["111111000000541999"] * 10, ["1.1E+17"] + ["111111000000541999"] * 9, POWERS),
    ],
)
def test_a_cell_that_was_typed_again_does_not_hide_what_became_of_the_others(
    originals: list[str], cells: list[str], damage: str | None
) -> None:
    found = restored(originals, cells)

    changed = [at for at, cell in enumerate(cells) if cell != originals[at]]
    assert [at for at, was in enumerate(found) if was] == (changed if damage else [])


def test_a_date_in_another_order_than_the_others_is_a_correction() -> None:
    originals = ["2024-03-25", "2024-04-26", "2024-03-05", "2024-03-05"]

    found = restored(originals, ["25.03.2024", "26.04.2024", "05.03.2024", "03.05.2024"])

    assert found == [*originals[:3], None]


def test_without_the_original_a_power_of_ten_is_ambiguous() -> None:
    columns = DamagedColumns(("Id", "Code"))
    columns.look_at([(2, ("1.11E+17", "007"), (None, None))])

    assert columns.restored(0, "1.11E+17", None) is None
    assert columns.is_ambiguous(0, "1.11E+17", None)
    assert not columns.is_ambiguous(1, "007", None)


@pytest.mark.parametrize(
    ("originals", "cells", "ambiguous"),
    [
        (["007", "008"], ["7", "008"], [0]),
        (["007"] * 3 + ["008"], ["007"] * 3 + ["8"], []),
        (["007", "008"], ["7", "8"], []),
        (["2024-03-05"], ["05.03.2024"], [0]),
        (["Ann", "Bob"], ["Anna", "Bob"], []),
    ],
)
def test_a_change_that_may_be_either_is_ambiguous(
    originals: list[str], cells: list[str], ambiguous: list[int]
) -> None:
    columns = DamagedColumns(("Code",))
    pairs = list(zip(cells, originals, strict=True))
    columns.look_at((number, (cell,), (was,)) for number, (cell, was) in enumerate(pairs))

    found = [at for at, pair in enumerate(pairs) if columns.restored(0, *pair) is None]
    assert [at for at in found if columns.is_ambiguous(0, *pairs[at])] == ambiguous
