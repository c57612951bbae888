"""Dates, numbers and replacements: what a cell becomes, and what no rule can read."""

from __future__ import annotations

from collections import Counter

import pytest

from bigin_import.domain.plan import PlannedColumn, ValueRule
from bigin_import.errors import DropRejectedError
from bigin_import.splitting.column_reader import converter
from bigin_import.splitting.dates import DatePattern, date_format_flaw, fitting_formats
from tests.unit.reading.drops import columns, plan_of, sentences, split_drop


def converted(cell: str, rule: ValueRule) -> str:
    convert = converter(PlannedColumn(0, "Column", "Field", rule=rule))
    assert convert is not None
    return convert(cell)


@pytest.mark.parametrize(
    ("cell", "pattern", "sent"),
    [
        ("31.12.2024", "dd.MM.yyyy", "2024-12-31"),
        ("1.2.2024", "dd.MM.yyyy", "2024-02-01"),
        (" 31.12.2024 ", "dd.MM.yyyy", "2024-12-31"),
        ("02/01/2024", "MM/dd/yyyy", "2024-02-01"),
        ("02/01/2024", "dd/MM/yyyy", "2024-01-02"),
        ("20240229", "yyyyMMdd", "2024-02-29"),
        ("5-Jan-2024", "dd-MMM-yyyy", "2024-01-05"),
        ("January 5, 2024", "MMMM d, yyyy", "2024-01-05"),
        ("01.01.68", "dd.MM.yy", "2068-01-01"),
        ("01.01.69", "dd.MM.yy", "1969-01-01"),
        ("0800-12-25", "yyyy-MM-dd", "0800-12-25"),
        ("", "dd.MM.yyyy", ""),
        ("  ", "dd.MM.yyyy", ""),
    ],
)
def test_a_date_is_sent_with_year_month_and_day(cell: str, pattern: str, sent: str) -> None:
    assert converted(cell, ValueRule(date_format=pattern)) == sent


@pytest.mark.parametrize(
    ("cell", "pattern", "sent"),
    [
        ("2024-01-05T10:20:30", "yyyy-MM-dd'T'HH:mm:ss", "2024-01-05 10:20:30"),
        ("05.01.2024 9:05", "dd.MM.yyyy HH:mm", "2024-01-05 09:05:00"),
        ("1/5/2024 12:00 AM", "M/d/yyyy hh:mm a", "2024-01-05 00:00:00"),
        ("1/5/2024 12:30 pm", "M/d/yyyy hh:mm a", "2024-01-05 12:30:00"),
        ("1/5/2024 1:30 p.m.", "M/d/yyyy h:mm a", "2024-01-05 13:30:00"),
        ("2024-01-05", "yyyy-MM-dd", "2024-01-05 00:00:00"),
        ("2024-01-05 10:20:30.123", "yyyy-MM-dd HH:mm:ss.SSS", "2024-01-05 10:20:30"),
    ],
)
def test_a_datetime_is_sent_with_its_time(cell: str, pattern: str, sent: str) -> None:
    assert converted(cell, ValueRule(date_format=pattern, with_time=True)) == sent


@pytest.mark.parametrize(
    ("cell", "pattern"),
    [
        ("29.02.2023", "dd.MM.yyyy"),
        ("31.04.2024", "dd.MM.yyyy"),
        ("12/31/2024", "dd/MM/yyyy"),
        ("0000-00-00", "yyyy-MM-dd"),
        ("2024-01-05 24:00", "yyyy-MM-dd HH:mm"),
        ("2024-01-05 13:00 PM", "yyyy-MM-dd hh:mm a"),
        ("31.12.24", "dd.MM.yyyy"),
        ("31.12.2024", "dd.MM.yy"),
        ("yesterday", "dd.MM.yyyy"),
        ("45321", "dd.MM.yyyy"),
        ("٣١.١٢.٢٠٢٤", "dd.MM.yyyy"),
    ],
)
def test_what_is_no_such_date_is_refused_by_column_and_not_by_value(
    cell: str, pattern: str
) -> None:
    with pytest.raises(ValueError, match=r'^column "Column" is not a date of the form') as refused:
        converted(cell, ValueRule(date_format=pattern))

    assert cell not in str(refused.value)


@pytest.mark.parametrize(
    ("cell", "decimal", "thousands", "sent"),
    [
        ("1.234,56", ",", ".", "1234.56"),
        ("-1.234.567", ",", ".", "-1234567"),
        ("1,5", ",", None, "1.5"),
        (",5", ",", None, ".5"),
        ("1,234.5", ".", ",", "1234.5"),
        ("1,234.5", None, ",", "1234.5"),
        ("12,34,567", ".", ",", "1234567"),
        ("1\u00a0234,5", ",", " ", "1234.5"),
        ("1\u202f234,5", ",", " ", "1234.5"),
        ("1'234.5", ".", "'", "1234.5"),
        (" 7 ", ",", ".", "7"),
        ("", ",", ".", ""),
    ],
)
def test_a_number_is_sent_with_a_point(
    cell: str, decimal: str | None, thousands: str | None, sent: str
) -> None:
    assert converted(cell, ValueRule(decimal=decimal, thousands=thousands)) == sent


@pytest.mark.parametrize(
    ("cell", "decimal", "thousands"),
    [
        ("1.50", ",", "."),
        ("1.2345", ",", "."),
        ("1,5", ".", ","),
        ("1.5", ",", None),
        ("1,2,3", ",", None),
        ("12 EUR", ",", "."),
        ("(5)", ",", "."),
        ("1e5", ",", "."),
        ("-", ",", "."),
    ],
)
def test_a_number_that_the_marks_do_not_explain_is_refused(
    cell: str, decimal: str, thousands: str | None
) -> None:
    with pytest.raises(ValueError, match=r'^column "Column" is not a number with decimal'):
        converted(cell, ValueRule(decimal=decimal, thousands=thousands))


def test_a_replaced_cell_meets_no_other_rule() -> None:
    rule = ValueRule(values=(("n/a", ""), ("never", "x")), date_format="dd.MM.yyyy")

    assert converted("n/a", rule) == ""
    assert converted("never", rule) == "x"
    assert converted("01.02.2024", rule) == "2024-02-01"


def test_a_replacement_is_exact() -> None:
    rule = ValueRule(values=(("yes", "true"),))

    assert [converted(cell, rule) for cell in ("yes", "Yes", " yes", "")] == [
        "true",
        "Yes",
        " yes",
        "",
    ]


def test_a_column_without_a_rule_has_no_converter() -> None:
    assert converter(PlannedColumn(0, "Column", "Field")) is None
    assert converter(PlannedColumn(0, "Column", "Field", rule=ValueRule())) is None


def test_a_row_that_a_rule_cannot_read_is_left_out_with_the_reason() -> None:
    name, born = columns("Name", "Born")
    born = PlannedColumn(1, "Born", "Date_of_Birth", rule=ValueRule(date_format="dd.MM.yyyy"))

    outcome = split_drop(
        b"Name,Born\nA,01.02.2024\nB,30.02.2024\nC,\n",
        plan_of(born, name, max_invalid_share=0.5),
    )

    assert outcome.sent == "2024-02-01,A\n,C\n"
    assert outcome.invalid == {3: 'column "Born" is not a date of the form dd.MM.yyyy'}


@pytest.mark.parametrize(
    ("values", "formats"),
    [
        (["31.12.2024", "", "01.02.2023"], ("dd.MM.yyyy",)),
        (["01/02/2024"], ("MM/dd/yyyy", "dd/MM/yyyy")),
        (["01/02/2024", "13/02/2024"], ("dd/MM/yyyy",)),
        (["2024-12-31"], ("yyyy-MM-dd",)),
        (["2024-12-31 10:00:00"], ("yyyy-MM-dd HH:mm:ss",)),
        (["2024-12-31T10:00:00"], ("yyyy-MM-dd'T'HH:mm:ss",)),
        (["5-Jan-24"], ("dd-MMM-yy",)),
        (["12/31/2024 11:59 PM"], ("MM/dd/yyyy hh:mm a",)),
        (["31.12.2024", "2024-12-31"], ()),
        (["30.02.1990", *["12.01.1990"] * 4], ("dd.MM.yyyy",)),
        (["30.02.1990", *["12.01.1990"] * 3], ()),
        (["12.01.1990"] * 1_500 + ["1990-01-12"] * 300, ("dd.MM.yyyy",)),
        (["1990-01-12"] * 501 + ["12.01.1990"] * 4_000, ()),
        (["x", *["01/02/2024"] * 9], ("MM/dd/yyyy", "dd/MM/yyyy")),
        (["x", "13/02/2024", *["01/02/2024"] * 8], ("dd/MM/yyyy",)),
        (["", " "], ()),
        ([], ()),
        (["word"], ()),
    ],
)
def test_the_formats_that_fit_every_value_or_most_of_them_are_found(
    values: list[str], formats: tuple[str, ...]
) -> None:
    assert fitting_formats(values) == formats


def test_a_long_column_is_tried_with_all_formats_at_its_beginning_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dates = (f"{1 + n % 28:02}.{1 + n % 12:02}.{1950 + n % 70}" for n in range(3_000))
    tried, fits = Counter[str](), DatePattern.fits

    def seen(pattern: DatePattern, value: str) -> bool:
        tried[pattern.pattern] += 1
        return fits(pattern, value)

    monkeypatch.setattr(DatePattern, "fits", seen)

    assert fitting_formats(dates) == ("dd.MM.yyyy",)

    assert {pattern for pattern, times in tried.items() if times > 1_000} == {"dd.MM.yyyy"}


UNREAD = [
    # dates of the drop, format stated, what is said of the column, and what to do
    (
        ["12/31/2024", "01/13/2024", ""],
        "dd.MM.yyyy",
        'dd.MM.yyyy. Write "format": "MM/dd/yyyy" in the mapping',
    ),
    (
        ["2024-01-02", "30.02.2024", "2024-01-03", "2024-01-04", "2024-01-05"],
        "MM/dd/yyyy",
        'Write "format": "yyyy-MM-dd" in the mapping',
    ),
    (["01/02/2024"], "dd.MM.yyyy", '"format": "MM/dd/yyyy" or "dd/MM/yyyy" in the mapping'),
    (["soon"], "dd.MM.yyyy", 'Write the "format" of the file in the mapping'),
    (["12/31/2024", "01.02.2024"], "dd.MM.yyyy", None),
    (["never"], "dd.MM.yyyy", None),
]


@pytest.mark.parametrize(("dates", "stated", "said"), UNREAD)
def test_a_column_of_which_no_date_can_be_read_is_rejected_with_formats_that_can(
    dates: list[str], stated: str, said: str | None
) -> None:
    rule = ValueRule((("never", ""),), date_format=stated)
    born = PlannedColumn(0, "Born", "Date_of_Birth", rule=rule)
    since = PlannedColumn(1, "Since", "Since", rule=ValueRule(date_format="yyyy-MM-dd"))
    drop = "".join(f"{date},x\n" for date in ["Born", *dates]).replace("n,x", "n,Since", 1)

    with pytest.raises(DropRejectedError) as rejected:
        split_drop(drop.encode(), plan_of(born, since))

    text = sentences(rejected.value)
    assert (said or "Since") in text
    assert ('column "Born": no value' in text) == (said is not None)
    assert 'column "Since": no value is a date of the form yyyy-MM-dd' in text


@pytest.mark.parametrize("pattern", ["DD.MM.YYYY", "dd.MM", "yyyy-MM", "dd.mm.yyyy", "x", "yyyy Q"])
def test_a_pattern_that_names_no_date_is_refused(pattern: str) -> None:
    assert date_format_flaw(pattern) is not None
    with pytest.raises(ValueError, match=r"format|means nothing"):
        DatePattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "y-M-d",
        "d MMM yy",
        "EEE",
        "yyyy-MM-dd'T'HH:mm:ss.SSS",
        "MMMM dd yyyy h:mm:ss a",
        "d''M''yyyy",
    ],
)
def test_the_mapping_accepts_exactly_the_patterns_that_can_be_read(pattern: str) -> None:
    try:
        DatePattern(pattern)
        is_readable = True
    except ValueError:
        is_readable = False

    assert (date_format_flaw(pattern) is None) == is_readable
