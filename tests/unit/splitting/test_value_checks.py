"""Values against the types of their fields: rejected if none fits, warned of if some do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bigin_import.domain.job_request import FieldMapping
from bigin_import.domain.plan import CutResult, PlannedColumn, ValueRule
from bigin_import.errors import DropRejectedError
from tests.unit.reading.drops import columns, cut_drop, plan_of, sentences

LONG_ID = "111111000000541958"


def checked(
    values: list[str],
    *,
    data_type: str | None = None,
    api_name: str = "Field",
    length: int | None = None,
    pick_list: tuple[str, ...] = (),
) -> CutResult:
    planned = PlannedColumn(0, "Col", api_name, data_type, length=length, pick_list=pick_list)
    drop = "\n".join(["Col,Other", *(f'"{value}",x' for value in values), ""])
    return cut_drop(drop.encode(), plan_of(planned, *columns("Col", "Other")[1:])).result


FITTING = [
    ("integer", ["1", "-5", "+999999999", ""]),
    ("bigint", ["123456789012345678", "5725767000000091023", "4711"]),
    ("double", ["1.5", "-.5", "7", "1."]),
    ("currency", ["1234.50"]),
    ("percent", ["12.5", "12%"]),
    ("boolean", ["true", "FALSE", "True"]),
    ("date", ["2024-02-29"]),
    ("datetime", ["2024-02-29 10:00:00", "2024-02-29T10:00:00+02:00"]),
    ("email", ["a.b+c@example.co.uk"]),
    ("lookup", [LONG_ID, "5725767000000091023", "410888000093001"]),
    ("ownerlookup", [LONG_ID, "me@example.com"]),
    ("text", ["anything"]),
    ("newtype", ["anything"]),
]
MISFITS = [
    ("integer", "1,234"),
    ("integer", "1234567890"),
    ("double", "1,5"),
    ("currency", "12 EUR"),
    ("boolean", "WAHR"),
    ("boolean", "1"),
    ("date", "31.12.2024"),
    ("datetime", "2024-02-29"),
    ("email", "no mail"),
    ("email", "x\u200b@example.com"),
    ("email", "x\u00a0y@example.com"),
    ("lookup", "Acme Inc"),
    ("lookup", "4711"),
    ("ownerlookup", "me"),
    ("ownerlookup", "4711"),
    ("bigint", "57257670000000910230"),
]


@pytest.mark.parametrize(("data_type", "values"), FITTING)
def test_values_that_fit_are_passed_in_silence(data_type: str, values: list[str]) -> None:
    result = checked(values, data_type=data_type)

    assert result.warnings == ()
    assert result.columns[0].misfits == 0


@pytest.mark.parametrize(("data_type", "value"), MISFITS)
def test_a_column_of_which_no_value_fits_is_rejected(data_type: str, value: str) -> None:
    with pytest.raises(DropRejectedError) as rejected:
        checked([value, "", value], data_type=data_type)

    assert 'column "Col": none of 2 values fits the field Field' in sentences(rejected.value)
    assert value not in sentences(rejected.value)
    assert rejected.value.concerns_mapping


@pytest.mark.parametrize(
    ("data_type", "values", "misfits"),
    [
        ("integer", ["1", "x", "2", "y"], (3, 5)),
        ("boolean", ["true", "1", " "], (3,)),
        ("email", ["a@b.de", "nobody"], (3,)),
    ],
)
def test_values_that_do_not_fit_are_warned_of_with_their_rows(
    data_type: str, values: list[str], misfits: tuple[int, ...]
) -> None:
    result = checked(values, data_type=data_type)

    assert result.columns[0].misfit_rows == misfits
    (warning,) = result.warnings
    assert f"first in row {', '.join(map(str, misfits))}" in warning
    assert "do not fit the field Field" in warning


def test_a_value_over_the_length_of_its_field_is_warned_of() -> None:
    result = checked(["ok", "far too long"], data_type="text", length=5)

    assert result.columns[0].misfit_rows == (3,)
    assert "The field takes 5 characters" in result.warnings[0]


@pytest.mark.parametrize(
    ("values", "misfits"),
    [
        (["a@b.de", "x" * 95 + "@b.de"], ()),
        (["a@b.de", "x" * 96 + "@b.de"], (3,)),
        (["x" * 96 + "@b.de", "a@b.de", "nobody"], (2, 4)),
    ],
)
def test_an_address_must_be_one_and_no_longer_than_its_field(
    values: list[str], misfits: tuple[int, ...]
) -> None:
    result = checked(values, data_type="email", length=100)

    assert result.columns[0].misfit_rows == misfits


def test_an_address_that_is_too_long_is_warned_of_with_the_length() -> None:
    result = checked(["a@b.de", "x" * 96 + "@b.de"], data_type="email", length=100)

    assert "The field takes 100 characters." in result.warnings[0]


@pytest.mark.parametrize(
    ("data_type", "value"), [("currency", "1234567.50"), ("datetime", "2024-02-29 10:00:00")]
)
def test_the_length_of_a_number_or_a_date_is_not_one_of_characters(
    data_type: str, value: str
) -> None:
    assert checked([value], data_type=data_type, length=9).warnings == ()


def test_unknown_picklist_values_are_listed_for_the_report_and_not_in_the_warning() -> None:
    result = checked(["Web", "web ", "Fax"], data_type="picklist", pick_list=("Web", "Phone"))

    assert result.columns[0].unknown == ("Fax",)
    assert "1 of 3 values" in result.warnings[0]
    assert "Fax" not in result.warnings[0]


def test_a_few_new_picklist_values_alone_are_no_mistake() -> None:
    result = checked(["New"] * 9, data_type="picklist", pick_list=("Web",))

    assert result.columns[0].misfits == 9


def test_a_column_of_nothing_but_unknown_picklist_values_is_rejected() -> None:
    with pytest.raises(DropRejectedError, match="none of 10 values fits the field Field"):
        checked(["New"] * 10, data_type="picklist", pick_list=("Web",))


def test_a_multi_select_is_separated_by_semicolons() -> None:
    picks = ("a", "b")

    result = checked(["a;b", "b; a", "a,b"], data_type="multiselectpicklist", pick_list=picks)

    assert result.columns[0].misfit_rows == (4,)


def test_a_lookup_that_is_found_by_another_field_holds_text() -> None:
    plan = plan_of(PlannedColumn(0, "Company", "Account_Name", data_type="lookup"))
    request = replace(
        plan.request, field_mappings=(FieldMapping("Account_Name", 0, find_by="Account_Name"),)
    )

    result = cut_drop(b"Company\nAcme\n", replace(plan, request=request)).result

    assert result.warnings == ()


@pytest.mark.parametrize("value", ["1.11E+17", "1,11E+17", "1.11e17", "1E+17"])
@pytest.mark.parametrize(("data_type", "api_name"), [("lookup", "Field"), ("bigint", "id")])
def test_ids_in_scientific_notation_are_rejected(value: str, data_type: str, api_name: str) -> None:
    with pytest.raises(DropRejectedError, match="1 ids are in scientific notation"):
        checked([LONG_ID, value, LONG_ID], data_type=data_type, api_name=api_name)


def test_a_key_in_scientific_notation_is_rejected_whatever_its_type() -> None:
    plan = plan_of(*columns("Customer no"), key=0)

    with pytest.raises(DropRejectedError, match="scientific notation"):
        cut_drop(b"Customer no\n4711\n1.11E+17\n", plan)


@pytest.mark.parametrize("code", ["1E5", "12E03", "1E+5", "7e2"])
def test_a_code_that_looks_like_a_power_is_a_key_like_any_other(code: str) -> None:
    plan = plan_of(*columns("Product code"), key=0)

    outcome = cut_drop(f"Product code\nAB12\n{code}\n".encode(), plan)

    assert outcome.sent == f"AB12\n{code}\n"


def test_ids_that_a_spreadsheet_rounded_are_rejected() -> None:
    with pytest.raises(DropRejectedError, match="end in 000: they were rounded"):
        checked(["111111000000541000", "1111110000005420000", LONG_ID], data_type="lookup")


def test_one_id_that_ends_in_zeros_is_chance() -> None:
    result = checked(["111111000000541000", LONG_ID, LONG_ID], data_type="lookup")

    assert result.rows == 3


def test_three_samples_of_each_column_are_kept() -> None:
    result = cut_drop(b"a,b\n1,\n1,x\n2,\n3,\n4,\n").result

    assert [column.samples for column in result.columns] == [("1", "2", "3"), ("x",)]


def test_of_long_cells_only_the_beginning_is_kept() -> None:
    values = ["x" * 100, "y" * 101, "z" * 2_000_000]

    result = checked(values, data_type="picklist", pick_list=("Web",))

    assert result.columns[0].samples == ("x" * 100, "y" * 99 + "…", "z" * 99 + "…")
    assert result.columns[0].unknown == result.columns[0].samples


POINTS = [
    # values, data type, rule, rows warned of
    (["1.234", "", "12.345"], "currency", None, "2, 4"),
    (["-1.234", "1000"], "double", None, "2"),
    (["1.234", "0.125"], "double", None, None),
    (["1.234", "12.5"], "currency", None, None),
    (["12.5", "1.234"], "percent", None, None),
    (["1000"], "currency", None, None),
    (["1.234"], "text", None, None),
    (["1.234"], "currency", ValueRule(decimal="."), None),
    (["1.234"], "currency", ValueRule(decimal=",", thousands="."), None),
]


@pytest.mark.parametrize(("values", "data_type", "rule", "rows"), POINTS)
def test_points_that_may_all_mark_thousands_are_warned_of(
    values: list[str], data_type: str, rule: ValueRule | None, rows: str | None
) -> None:
    planned = PlannedColumn(0, "Sum", "Revenue", data_type=data_type, rule=rule)
    drop = "\n".join(["Sum,Other", *(f"{value},x" for value in values), ""])

    warnings = cut_drop(drop.encode(), plan_of(planned)).result.warnings

    assert [f"first in row {rows}. They are sent as decimals" in each for each in warnings] == (
        [True] if rows else []
    )


def test_formulas_for_a_text_are_warned_of_with_their_rows() -> None:
    drop = b'Name,Zip\nA,="00123"\nB,="00456"\nC,00789\n"D ""="" E",1\n'

    outcome = cut_drop(drop)

    assert outcome.sent.startswith('A,"=""00123"""\n')
    (warning,) = outcome.result.warnings
    assert warning.startswith('Column "Zip": 2 cells are formulas for a text (="...")')
    assert "first in row 2, 3. They are sent as they are written" in warning
    assert "00123" not in warning


def test_everything_that_is_wrong_is_said_at_once() -> None:
    plan = plan_of(
        PlannedColumn(0, "Mail", "Email", data_type="email"),
        PlannedColumn(1, "Sum", "Revenue", data_type="currency"),
        key=0,
        duplicate_keys="reject",
    )

    with pytest.raises(DropRejectedError) as rejected:
        cut_drop(b"Mail,Sum\nx,a\nX ,b\n,c\n", plan)

    text = sentences(rejected.value)
    assert "1 of 3 rows cannot be sent" in text
    assert 'row 4: its key, column "Mail", is empty' in text
    assert "fits the field Email (email)" in text
    assert "fits the field Revenue (currency)" in text
    assert "1 rows have the key of an earlier row; see row 2, 3" in text
