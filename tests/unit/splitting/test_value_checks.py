"""Values against the types of their fields: rejected if none fits, warned of if some do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bigin_import.domain.job_request import FieldMapping
from bigin_import.domain.plan import PlannedColumn, SplitResult
from bigin_import.errors import DropRejectedError
from tests.unit.reading.drops import columns, plan_of, sentences, split_drop

LONG_ID = "111111000000541958"


def checked(
    values: list[str],
    *,
    data_type: str | None = None,
    api_name: str = "Field",
    length: int | None = None,
    pick_list: tuple[str, ...] = (),
) -> SplitResult:
    planned = PlannedColumn(0, "Col", api_name, data_type, length=length, pick_list=pick_list)
    drop = "\n".join(["Col,Other", *(f'"{value}",x' for value in values), ""])
    return split_drop(drop.encode(), plan_of(planned, *columns("Col", "Other")[1:])).result


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
    ("integer", "1234567890"),
    ("boolean", "WAHR"),
    ("date", "31.12.2024"),
    ("datetime", "2024-02-29"),
    ("email", "no mail"),
    ("email", "x\u200d@example.com"),
    ("email", "x\u00a0y@example.com"),
    ("lookup", "Acme Inc"),
    ("lookup", "4711"),
    ("ownerlookup", "me"),
    ("ownerlookup", "4711"),
    ("bigint", "57257670000000910230"),
]


@pytest.mark.parametrize(("data_type", "values"), FITTING)
def test_values_that_fit_are_passed_in_silence(data_type: str, values: list[str]) -> None:
    assert checked(values, data_type=data_type).warnings == ()


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
        ("integer", ["1", "1-2", "2", "1-3"], (3, 5)),
        ("boolean", ["true", "WAHR", " "], (3,)),
        ("email", ["a@b.de", "no@body"], (3,)),
    ],
)
def test_values_that_do_not_fit_are_warned_of_with_their_rows(
    data_type: str, values: list[str], misfits: tuple[int, ...]
) -> None:
    result = checked(values, data_type=data_type)

    (warning,) = result.warnings
    assert f"first in row {', '.join(map(str, misfits))}" in warning
    assert "do not fit the field Field" in warning


@pytest.mark.parametrize(
    ("data_type", "value"), [("currency", "1234567.50"), ("datetime", "2024-02-29 10:00:00")]
)
def test_the_length_of_a_number_or_a_date_is_not_one_of_characters(
    data_type: str, value: str
) -> None:
    assert checked([value], data_type=data_type, length=9).warnings == ()


def test_unknown_picklist_values_are_listed_for_the_report_and_not_in_the_warning() -> None:
    result = checked(["Web", "web ", "Fax"], data_type="picklist", pick_list=("Web", "Phone"))

    assert result.columns[0].unknown == ("Fax (1)",)
    assert "1 cells hold 1 values that the picklist Field does not have" in result.warnings[0]
    assert "Fax" not in result.warnings[0]


def test_a_few_new_picklist_values_alone_are_no_mistake() -> None:
    result = checked(["New"] * 9, data_type="picklist", pick_list=("Web",))

    assert result.columns[0].unknown == ("New (9)",)


def test_a_column_of_nothing_but_unknown_picklist_values_is_rejected() -> None:
    with pytest.raises(DropRejectedError, match="none of 10 values fits the field Field"):
        checked(["New"] * 10, data_type="picklist", pick_list=("Web",))


def test_a_lookup_that_is_found_by_another_field_holds_text() -> None:
    plan = plan_of(PlannedColumn(0, "Company", "Account_Name", data_type="lookup"))
    request = replace(
        plan.request, field_mappings=(FieldMapping("Account_Name", 0, find_by="Account_Name"),)
    )

    result = split_drop(b"Company\nAcme\n", replace(plan, request=request)).result

    assert result.warnings == ()


@pytest.mark.parametrize("value", ["1.11E+17", "1,11E+17", "1.11e17", "1E+17"])
@pytest.mark.parametrize(("data_type", "api_name"), [("lookup", "Field"), ("bigint", "id")])
def test_ids_in_scientific_notation_are_rejected(value: str, data_type: str, api_name: str) -> None:
    with pytest.raises(DropRejectedError, match="1 ids are in scientific notation"):
        checked([LONG_ID, value, LONG_ID], data_type=data_type, api_name=api_name)


def test_a_key_in_scientific_notation_is_rejected_whatever_its_type() -> None:
    plan = plan_of(*columns("Customer no"), key=0)

    with pytest.raises(DropRejectedError, match="scientific notation"):
        split_drop(b"Customer no\n4711\n1.11E+17\n", plan)


@pytest.mark.parametrize("code", ["1E5", "12E03", "1E+5", "7e2"])
def test_a_code_that_looks_like_a_power_is_a_key_like_any_other(code: str) -> None:
    plan = plan_of(*columns("Product code"), key=0)

    outcome = split_drop(f"Product code\nAB12\n{code}\n".encode(), plan)

    assert outcome.sent == f"AB12\n{code}\n"


def test_ids_that_a_spreadsheet_rounded_are_rejected() -> None:
    with pytest.raises(DropRejectedError, match="end in 000: they were rounded"):
        checked(["111111000000541000", "1111110000005420000", LONG_ID], data_type="lookup")


def test_one_id_that_ends_in_zeros_is_chance() -> None:
    result = checked(["111111000000541000", LONG_ID, LONG_ID], data_type="lookup")

    assert result.rows == 3


def test_three_samples_of_each_column_are_kept() -> None:
    result = split_drop(b"a,b\n1,\n1,x\n2,\n3,\n4,\n").result

    assert [column.samples for column in result.columns] == [("1", "2", "3"), ("x",)]


def test_of_long_cells_only_the_beginning_is_kept() -> None:
    values = ["x" * 100, "y" * 101, "z" * 2_000_000]

    result = checked(values, data_type="picklist", pick_list=("Web",))

    assert result.columns[0].samples == ("x" * 100, "y" * 99 + "…", "z" * 99 + "…")
    samples = result.columns[0].samples
    assert result.columns[0].unknown == tuple(f"{sample} (1)" for sample in samples)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    plan = plan_of(
        PlannedColumn(0, "Mail", "Email", data_type="email"),
        PlannedColumn(1, "Sum", "Revenue", data_type="currency"),
        key=0,
        duplicate_keys="reject",
    )

    with pytest.raises(DropRejectedError) as rejected:
        split_drop(b"Mail,Sum\nx@y,1-2\nX@y ,2-3\n,4-5\n", plan)

    text = sentences(rejected.value)
    assert "1 of 3 rows cannot be sent" in text
    assert 'row 4: its key, column "Mail", is empty' in text
    assert "fits the field Email (email)" in text
    assert "fits the field Revenue (currency)" in text
    assert "1 rows have the key of an earlier row; see row 2, 3" in text
