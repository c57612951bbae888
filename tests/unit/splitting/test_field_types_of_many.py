"""Asking about many values at once gives the answer of asking about each."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigin_import.domain.plan import PlannedColumn, ValueRule
from bigin_import.splitting.cells import FieldType, field_type
from bigin_import.splitting.numbers import NUMBER_TYPES, NumberKind

TYPES = (
    "id", "lookup", "ownerlookup", "integer", "bigint", "double", "decimal", "currency", "percent",
    "boolean", "date", "datetime", "email",
)  # fmt: skip
FITTING = (
    "1", " 12 ", "-3.5", "4%", "true", "FALSE", "2024-02-29", "2024-02-29 10:00:00",
    "2024-02-29T10:00:00+02:00", "a@b.co.uk", "\ta@b.c", "123456789012345678",
)  # fmt: skip
OTHER = ("a@b", "1\n2", "a@b.c\nd@e.f", "1\n", "\n1", "no", "1\x0b", "a @b.c", "1\r\n2", "٣")


def of_type(data_type: str) -> FieldType:
    found = field_type(PlannedColumn(0, "Column", "Field", data_type=data_type), data_type)
    assert found is not None
    return found


@pytest.mark.parametrize("data_type", TYPES)
@given(values=st.lists(st.sampled_from(FITTING + OTHER) | st.text(min_size=1), max_size=4))
def test_all_values_fit_if_each_does(data_type: str, values: list[str]) -> None:
    fits = of_type(data_type)
    fitting = [value for value in values if fits.one(value)]

    assert fits.every(fitting) or any("\n" in value for value in fitting)
    assert not fits.every(values) or fitting == values


@pytest.mark.parametrize("data_type", TYPES)
def test_some_value_of_the_table_fits_each_type(data_type: str) -> None:
    fits = of_type(data_type)

    fitting = [value for value in FITTING if fits.one(value)]

    assert fitting
    assert fits.every(fitting)


def test_one_misfit_after_many_addresses_is_found_without_trying_them_all_again() -> None:
    fits = of_type("email")

    # Each address fits in three ways: backtracking would try 3 ** 500 of them.
    assert not fits.every(["name@mail.example.co.uk"] * 500 + ["nobody"])


NUMBERS = st.lists(
    st.one_of(
        st.decimals(-(10**9), 10**9, places=2, allow_nan=False).map(str),
        st.decimals(-(10**9), 10**9, places=2, allow_nan=False).map(lambda each: f"{each:,}"),
        st.sampled_from(
            ["", " 1", "1,", ",5", "1.", "+1", "1\n2", "12345.678,9", "1 234,5", "1'0"]
        ),
        st.text(st.sampled_from("01,. -+"), max_size=5),
    ).map(lambda cell: cell.translate(str.maketrans(".,", ",."))),
    max_size=5,
)
MARKS = st.sampled_from([None, ".", ",", " "])
RULES = st.builds(ValueRule, decimal=st.sampled_from([None, ".", ","]), thousands=MARKS).filter(
    lambda rule: rule.decimal != rule.thousands
)


@settings(max_examples=500, deadline=None)
@given(NUMBERS, RULES, st.sampled_from([*sorted(NUMBER_TYPES), None]))
def test_numbers_that_are_converted_at_once_are_those_that_are_read_one_by_one(
    values: list[str], rule: ValueRule, data_type: str | None
) -> None:
    kind = NumberKind(PlannedColumn(0, "Sum", "Sum", data_type=data_type, rule=rule))

    converted = kind.converted(values)

    cells = [kind.read(value) for value in values]
    if converted is not None:
        assert converted == [cell.value for cell in cells]
        assert not any(cell.refusal or cell.remarks for cell in cells)


@pytest.mark.parametrize("data_type", ["currency", "double", None])
def test_the_numbers_of_an_export_are_converted_at_once(data_type: str | None) -> None:
    rule = ValueRule(decimal=",", thousands=".")
    kind = NumberKind(PlannedColumn(0, "Sum", "Sum", data_type=data_type, rule=rule))

    assert kind.converted(["1.234,50", "", "-7", "12,5"]) == ["1234.50", "", "-7", "12.5"]
