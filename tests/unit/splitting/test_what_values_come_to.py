"""
Values as businesses really export them: what arrives, what is asked, what is told.

Each case stands beside an ordinary column of its kind, which passes unchanged and untold.
"""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bigin_import.domain.job_request import Field
from bigin_import.domain.plan import ColumnPlan
from bigin_import.errors import DropRejectedError
from bigin_import.mapping.column_plan import column_plan
from bigin_import.mapping.validate import validate
from tests.unit.mapping.contacts import mapping_of
from tests.unit.reading.drops import Cut, sentences, split_drop

TODAY = "2026-11-28"
NAME = Field("Last_Name", "Last Name", "text", length=80, mandatory=True)
FIELDS = {
    "currency": Field("Value", "Value", "currency"),
    "two places": Field("Value", "Value", "currency", decimal_place=2),
    "percent": Field("Value", "Value", "percent"),
    "integer": Field("Value", "Value", "integer"),
    "text": Field("Value", "Value", "text", length=12),
    "phone": Field("Value", "Value", "phone", length=30),
    "email": Field("Value", "Value", "email", length=100),
    "boolean": Field("Value", "Value", "boolean"),
    "date": Field("Value", "Value", "date"),
    "birth": Field("Value", "Birth date", "date"),
    "datetime": Field("Value", "Value", "datetime"),
    "lookup": Field("Value", "Value", "lookup", lookup_module="Accounts"),
    "needed": Field("Value", "Value", "text", mandatory=True),
    "picklist": Field(
        "Value",
        "Value",
        "picklist",
        pick_list=("Open", "Closed won", "Region 2", "Key account", "Köln", "None"),
        display_values=(("Offen", "Open"),),
    ),
    "many": Field("Value", "Value", "multiselectpicklist", pick_list=("Red", "Green", "Blue")),
}


@dataclass(frozen=True)
class Outcome:
    """What came of the column Value, and of its drop."""

    cut: Cut
    sent: list[str]

    @property
    def told(self) -> str:
        return "\n".join(self.cut.result.warnings)

    @property
    def noted(self) -> str:
        return "\n".join(self.cut.result.notes)


def plan_for(kind: str, keys: dict[str, Any], **settings: object) -> ColumnPlan:
    entry = {"column": "Value", "api_name": "Value"} | keys
    names = {"column": "Name", "api_name": "Last_Name"}
    mapping = mapping_of(field_mappings=[names, entry], **settings)
    checked = validate(
        mapping, ("Value", "Name"), (NAME, FIELDS[kind]), mapping_name="m.json", drop_name="d.csv"
    )
    if checked.problems:
        raise DropRejectedError(checked.problems)
    return column_plan(checked, arrived=TODAY, zone="America/New_York")


def imported(kind: str, cells: list[str], **keys: object) -> Outcome:
    names = {"key": "find_by", "operation": "operation", "on_bad_rows": "on_bad_rows"}
    settings = {names[name]: keys.pop(name) for name in [*keys] if name in names}
    text = io.StringIO()
    csv.writer(text).writerows([("Value", "Name"), *((cell, "Ada") for cell in cells)])
    cut = split_drop(text.getvalue().encode(), plan_for(kind, keys, **settings), name="d.csv")
    header = [column.api_name for column in cut.result.columns]
    rows = csv.reader(io.StringIO("".join(part.decode().partition("\n")[2] for part in cut.csvs)))
    return Outcome(cut, [row[header.index("Value")] for row in rows])


def problems(kind: str, cells: list[str], **keys: object) -> DropRejectedError:
    with pytest.raises(DropRejectedError) as rejected:
        imported(kind, cells, **keys)
    return rejected.value


ORDINARY: list[tuple[str, list[str], dict[str, Any]]] = [
    ("currency", ["1", "-2.50", "1234.5", ""], {}),
    ("two places", ["0.25", "12.50"], {}),
    ("percent", ["12.5"], {}),
    ("percent", ["0.15", "-0.5", "15"], {}),
    ("date", ["2126-01-01", "1926-02-03"], {"format": "yyyy-MM-dd"}),
    ("integer", ["3", "-4", "007"], {}),
    ("text", ["1E5", "2e3", "AE+12", "E+10"], {}),
    ("text", ["O'Brien", "a=b", "#12", "'47 Brand", "NULLE"], {}),
    ("text", ["AT&T", "R&D; more", "a & b;", "?a=1&b=2", "&amp", "&&;"], {}),
    ("text", ["علی‌رضا", "👨‍👩‍👧", "so\u00a0what"], {}),
    ("email", ["o'brien@example.com", "a.b@c.co.uk"], {}),
    ("phone", ["+49 30 123", "(030) 45-67", "0301234567890"], {}),
    ("email", ["ada@example.com"], {}),
    ("boolean", ["true", "FALSE", ""], {}),
    ("lookup", ["Acme", "Acme 2.0"], {"find_by": "Account_Name"}),
    ("picklist", ["Open", "Closed won", "", "None"], {}),
    ("text", ["Ã la carte", "+49 30 123", "-5.50", "+1 x 12"], {}),
    ("integer", ["1001", "1002"], {"key": "Value"}),
    ("text", ["1,001", "1001"], {"key": "Value"}),
    ("text", ["1.001", "A-2"], {"key": "Value"}),
    ("text", ["0.001", "1.01"], {"key": "Value"}),
    ("text", ["1", "999"], {"key": "Value"}),
    ("date", ["2026-02-01"], {"format": "yyyy-MM-dd"}),
    ("many", ["Red;Green", "Blue"], {}),
]


@pytest.mark.parametrize(("kind", "cells", "keys"), ORDINARY)
def test_an_ordinary_column_passes_unchanged_and_untold(
    kind: str, cells: list[str], keys: dict[str, Any]
) -> None:
    outcome = imported(kind, cells, **keys)

    assert outcome.sent == cells
    assert (outcome.told, outcome.noted) == ("", "")


CONVERTED: list[tuple[str, list[str], list[str], str, dict[str, Any]]] = [
    # kind, cells, what is sent, what is noted, keys of the mapping
    ("currency", ["8.000", "1.250,50"], ["8000", "1250.50"], "decimal comma", {}),
    ("currency", ["1.250,50", "8.000", "3"], ["1250.50", "8000", "3"], "decimal comma", {}),
    ("currency", ["8.000", "0.250"], ["8.000", "0.250"], "decimal point", {}),
    ("currency", ["8,000", "1,250.50"], ["8000", "1250.50"], "decimal point", {}),
    ("currency", ["1,5", "8.000"], ["1.5", "8000"], "decimal comma", {}),
    ("currency", ["1.234.567", "8.000"], ["1234567", "8000"], "decimal comma", {}),
    ("two places", ["8.000"], ["8000"], "decimal comma", {}),
    ("two places", ["8,000"], ["8000"], "decimal point", {}),
    ("currency", ["€ 1.250,50", "8,00 €"], ["1250.50", "8.00"], "2 numbers say EUR", {}),
    ("currency", ["$5", "USD 6.50", "-$7"], ["5", "6.50", "-7"], "say USD", {}),
    ("currency", ["(1,250.50)", "12.5"], ["-1250.50", "12.5"], "brackets", {}),
    ("currency", ["1.250,50-"], ["-1250.50"], "minus behind", {}),
    ("currency", ["\u22125.50", "1\u202f250.00"], ["-5.50", "1250.00"], "", {}),
    ("currency", ["1’250.50", "1'000.00"], ["1250.50", "1000.00"], "", {}),
    (
        "currency",
        ["5.-", "CHF 7.—", "8,-"],
        ["5", "7", "8"],
        "3 amounts end in .- for no cents",
        {},
    ),
    ("currency", ["€ 1.250,-", "8.000"], ["1250", "8000"], "decimal comma", {}),
    ("currency", ["- 5", "€ - 1.250,50"], ["-5", "-1250.50"], "decimal comma", {}),
    ("currency", ["12.50-", "3.00"], ["-12.50", "3.00"], "minus behind", {}),
    (
        "date",
        ["1er mars 2026", "2 mai 2026"],
        ["2026-03-01", "2026-05-02"],
        "",
        {"format": "d MMMM yyyy"},
    ),
    ("date", ["May 1st, 2026"], ["2026-05-01"], "", {"format": "MMMM d, yyyy"}),
    ("date", ["\u200e02.07.2026"], ["2026-07-02"], "nobody sees", {"format": "dd.MM.yyyy"}),
    ("currency", ["5\u200b"], ["5"], "nobody sees", {}),
    ("phone", ["\u202a+49 30 1\u202c"], ["+49 30 1"], "1 cells hold characters that nobody", {}),
    ("picklist", ["open\u200b"], ["Open"], "nobody sees", {}),
    ("boolean", ["yes\u200b"], ["true"], "nobody sees", {}),
    ("text", ["k1\u200b", "k\u00ad2", "\u200dk3"], ["k1", "k2", "k3"], "3 cells", {"key": "Value"}),
    ("lookup", ["Acme\ufeff"], ["Acme"], "nobody sees", {"find_by": "Account_Name"}),
    ("text", ["\u200b", "x"], ["", "x"], "nobody sees", {}),
    ("email", ["mailto:a@b.de", "A <c@b.de>"], ["a@b.de", "c@b.de"], "2 cells hold more than", {}),
    ("email", ["'a@b.de'", "<b@b.de>", "c@b.de,"], ["a@b.de", "b@b.de", "c@b.de"], "3 cells", {}),
    ("currency", ["¢5", "6"], ["5", "6"], "1 numbers say ¢", {}),
    ("currency", ["₡5.00"], ["5.00"], "say CRC", {}),
    ("currency", ["RM5.00", "6.00 rm"], ["5.00", "6.00"], "2 numbers say MYR", {}),
    ("currency", ["NT$5.00", ""], ["5.00", ""], "say TWD", {}),
    ("currency", ["usd 5.00", "6.00 Usd"], ["5.00", "6.00"], "2 numbers say USD", {}),
    ("currency", ["5,00 Euro", "5,00 euros"], ["5.00", "5.00"], "2 numbers say EUR", {}),
    ("currency", ["￥500", "500円"], ["500", "500"], "say ¥", {}),
    ("currency", ["12 EUR", "1.000 EUR"], ["12", "1000"], "EUR", {"decimal": ","}),
    ("integer", ["3.0", "4"], ["3", "4"], "1 whole numbers are written with .0", {}),
    ("percent", ["12%", "3"], ["12", "3"], "1 percent signs", {}),
    ("percent", ["%12", "5％"], ["12", "5"], "2 percent signs", {}),
    ("integer", ["7.0"], ["7"], "whole numbers", {"key": "Value"}),
    ("text", ["=sum", "@home"], ["=sum", "@home"], "2 cells begin with =, @", {}),
    ("text", ["- none -", "+ 1 more"], ["- none -", "+ 1 more"], "row 2, 3; sent as they are", {}),
    ("phone", ["+49 (30) 12", "=49"], ["+49 (30) 12", "=49"], "1 cells begin with", {}),
    ("text", ["a"], ["a"], 'no cell is "b" or "c d"', {"values": {"b": "x", "c d": ""}}),
    ("boolean", ["sì", "No"], ["true", "false"], "in other words", {}),
    ("picklist", ["Ko\u0308ln"], ["Köln"], "as Bigin spells", {}),
    ("percent", ["12.5%", "3 %"], ["12.5", "3"], "2 percent signs", {}),
    ("text", ['="01067"', "x"], ["01067", "x"], "1 cells are formulas for a text", {}),
    ("text", [' ="0106"', '="0107" ', "x"], ["0106", "0107", "x"], "2 cells are formulas", {}),
    ("text", ["'0151", "'+49 (30) 1"], ["0151", "+49 (30) 1"], "an apostrophe before", {}),
    ("boolean", ["yes", "NO", ""], ["true", "false", ""], "in other words", {}),
    ("boolean", ["Ja", "nein", "1"], ["true", "false", "true"], "in other words", {}),
    *[
        ("boolean", [yes, no, ""], ["true", "false", ""], "in other words", {})
        for yes, no in (("y", "N"), ("1", "0"), ("ON", "off"), ("Oui", "non"), ("si", "No"))
    ],
    ("boolean", ["JA!", "nö "], ["true", "false"], "", {"values": {"ja!": "true", "NÖ": "false"}}),
    ("boolean", ["sí", "no"], ["true", "false"], "in other words", {}),
    ("picklist", ["open", " Closed Won "], ["Open", "Closed won"], "as Bigin spells", {}),
    ("picklist", ["Offen"], ["Open"], "as Bigin spells", {}),
    ("picklist", ["OFFEN?"], ["Open"], "", {"values": {"offen?": "Open"}}),
    ("many", ["Red, green"], ["Red;Green"], "", {"separator": ","}),
    ("lookup", [" Acme "], ["Acme"], "", {"find_by": "Account_Name"}),
    (
        "lookup",
        ["zcrm_5725767000000091023"],
        ["5725767000000091023"],
        "begin with zcrm_",
        {"find_by": "id"},
    ),
    ("text", [" n/a ", "x"], ["", "x"], "", {"values": {"n/a": ""}}),
    ("date", ["01.02.49"], ["1949-02-01"], "", {"format": "dd.MM.yy", "century": "past"}),
    (
        "date",
        ["01.02.26", "01.12.26"],
        ["2026-02-01", "1926-12-01"],
        "",
        {"format": "dd.MM.yy", "century": "past"},
    ),
    ("date", ["01.02.49"], ["2049-02-01"], "", {"format": "dd.MM.yy", "century": "20"}),
    ("date", ["01.02.49"], ["1949-02-01"], "", {"format": "dd.MM.yy", "century": "19"}),
    ("date", ["1.\u00a02.\u202f2024"], ["2024-02-01"], "", {"format": "d. M. yyyy"}),
    (
        "datetime",
        ["2026-07-01T10:00:00Z", "2026-01-01T10:00:00+01:00"],
        ["2026-07-01 06:00:00", "2026-01-01 04:00:00"],
        "",
        {"format": "yyyy-MM-dd'T'HH:mm:ssXXX"},
    ),
    (
        "datetime",
        ["2026-07-01 10:00:00 UTC"],
        ["2026-07-01 12:00:00"],
        "",
        {"format": "yyyy-MM-dd HH:mm:ss 'UTC'", "zone": "Europe/Berlin"},
    ),
    (
        "datetime",
        ["2026-07-01 10:00:00 +00:00"],
        ["2026-07-01 06:00:00"],
        "",
        {"format": "yyyy-MM-dd HH:mm:ss +00:00"},
    ),
    (
        "datetime",
        ["2026-07-01 10:00:00+05:30"],
        ["2026-07-01 00:30:00"],
        "",
        {"format": "yyyy-MM-dd HH:mm:ss+05:30"},
    ),
    *[
        (
            "datetime",
            [f"2026-07-01 10:00:00 {end}"],
            [f"2026-07-01 {sent}:00:00"],
            "",
            {"format": f"yyyy-MM-dd HH:mm:ss '{end}'"},
        )
        for end, sent in (
            ("(UTC)", "06"),
            ("(GMT)", "06"),
            ("UTC+02:00", "04"),
            ("MEZ", "10"),
            ("MESZ", "10"),
            ("EST", "10"),
            ("Uhr", "10"),
        )
    ],
    ("date", ["1. März 2026"], ["2026-03-01"], "", {"format": "d. MMMM yyyy"}),
    ("date", ["03-Dez-26"], ["2026-12-03"], "", {"format": "dd-MMM-yy"}),
    ("date", ["Sept. 3, 2026"], ["2026-09-03"], "", {"format": "MMM d, yyyy"}),
    (
        "datetime",
        ["1/7/2026 10:30 p. m."],
        ["2026-07-01 22:30:00"],
        "",
        {"format": "d/M/yyyy h:mm a"},
    ),
    (
        "datetime",
        ["2026-07-01 10:00:00"],
        ["2026-07-01 10:00:00"],
        "",
        {"format": "yyyy-MM-dd HH:mm:ss"},
    ),
    (
        "date",
        ["2026-07-01 23:30:00 -0500"],
        ["2026-07-01"],
        "",
        {"format": "yyyy-MM-dd HH:mm:ss XX"},
    ),
]


@pytest.mark.parametrize(("kind", "cells", "sent", "noted", "keys"), CONVERTED)
def test_what_has_one_meaning_is_sent_so_and_noted(
    kind: str, cells: list[str], sent: list[str], noted: str, keys: dict[str, Any]
) -> None:
    outcome = imported(kind, cells, **keys)

    assert outcome.sent == sent
    assert noted in outcome.noted
    assert outcome.told == ""


ASKED: list[tuple[str, list[str], str, str, dict[str, Any]]] = [
    # kind, cells, what is asked, the line to write
    (
        "currency",
        ["8.000", "12"],
        "1 numbers can be read in two ways, first in row 2",
        '"decimal": ","',
        {},
    ),
    ("currency", ["8,000"], "can be read in two ways", '"decimal": "."', {}),
    ("two places", ["8.000", "8,000"], "can be read in two ways", '"decimal"', {}),
    ("integer", ["3.000"], "can be read in two ways", '"decimal": ","', {}),
    (
        "currency",
        ["1.250,50", "1,250.50"],
        "decimal point (row 3), some a decimal comma (row 2)",
        '"decimal"',
        {},
    ),
    ("currency", ["5 €", "$6"], "several currencies: EUR in row 2; $ in row 3", "of its own", {}),
    (
        "picklist",
        ["Key acount"],
        "1 values are not in the picklist Value in Bigin but nearly",
        '"new_values": "add"',
        {},
    ),
    ("picklist", ["open!"], "but nearly", '"new_values": "add"', {}),
    ("picklist", ["Key-Account"], "but nearly", '"new_values": "add"', {}),
    ("picklist", ["Lost"], "not in the picklist", '"values"', {"new_values": "reject"}),
    ("many", ["Red, Blue"], "commas between them", '"separator": ","', {}),
    ("many", ["Red|Blue"], "a | between them", '"separator": "|"', {}),
    ("many", ["Red\nBlue"], "line breaks between them", '"separator": "\\n"', {}),
    ("many", ["Red;Blue"], "semicolons between them", '"separator": ";"', {"separator": ","}),
    ("picklist", ["Neu"] * 12, "none of 12 values fits", '"new_values": "add"', {}),
    (
        "boolean",
        ["yes", "no", "maybe"],
        "not all words for yes and no: look at row 4",
        "values",
        {},
    ),
    (
        "boolean",
        ["yes", "no", "maybe"],
        'of the "values" in the mapping no cell is "perhaps"',
        "same letter case",
        {"values": {"perhaps": ""}},
    ),
    ("currency", ["$5", "₿6"], "several currencies: $ in row 2; ₿ in row 3", "of its own", {}),
    ("date", ["46022", "46023,5"], "no value is a date", "day numbers", {"format": "dd.MM.yy"}),
    ("lookup", ["2001.0"], "1 keys end in .0", "dtype=str", {"find_by": "Account_Name"}),
    ("lookup", ["1.1E+12"], "scientific notation", "export", {"find_by": "Account_Name"}),
    ("text", ["2001,0", "2002,0"], "2 keys end in .0", "dtype=str", {"key": "Value"}),
    ("text", ["2001.00"], "1 keys end in .0", "dtype=str", {"key": "Value"}),
    ("integer", ["1.2E+8"], "scientific notation", "export", {"key": "Value"}),
    ("text", ["2001.0", "2002.0"], "2 keys end in .0", "dtype=str", {"key": "Value"}),
    (
        "text",
        ["A1", "1.11111000001493E+017"],
        "scientific notation",
        "export",
        {"key": "Value"},
    ),
]


@pytest.mark.parametrize(("kind", "cells", "asked", "line", "keys"), ASKED)
def test_what_has_two_meanings_is_asked_before_anything_is_sent(
    kind: str, cells: list[str], asked: str, line: str, keys: dict[str, Any]
) -> None:
    rejected = problems(kind, cells, **keys)

    assert asked in sentences(rejected)
    assert line in sentences(rejected)
    assert rejected.concerns_mapping
    assert not any(cell in sentences(rejected) for cell in cells if len(cell) > 4)


PRINTED = re.compile(r'"(decimal|new_values|separator|values)": ("(?:[^"\\]|\\.)*"|\{[^}]*\})')
WITH_LINES = [(kind, cells, keys) for kind, cells, _, line, keys in ASKED if PRINTED.search(line)]


@pytest.mark.parametrize(("kind", "cells", "keys"), WITH_LINES)
def test_each_line_that_is_printed_lets_the_drop_through_once_it_is_written(
    kind: str, cells: list[str], keys: dict[str, Any]
) -> None:
    lines = PRINTED.findall(sentences(problems(kind, cells, **keys)))

    for key, value in lines:
        outcome = imported(kind, cells, **{**keys, key: json.loads(value)})
        assert len(outcome.sent) == len(cells)
    assert lines


@pytest.mark.parametrize(
    ("kind", "keys"), [("text", {"key": "Value"}), ("lookup", {"find_by": "Account_Name"})]
)
def test_keys_that_are_meant_to_end_in_0_are_sent_once_values_says_so(
    kind: str, keys: dict[str, Any]
) -> None:
    cells = ["2001.0", " 2002,0 "]
    values = {"2001.0": "2001.0", "2002,0": "2002"}

    assert '{"1.0": "1.0"}' in sentences(problems(kind, cells, **keys))
    assert imported(kind, cells, values=values, **keys).sent == ["2001.0", "2002"]
    assert "1 keys end in .0" in sentences(
        problems(kind, [*cells, "2003.0"], values=values, **keys)
    )


def test_both_readings_of_a_number_are_shown_by_the_report_alone() -> None:
    (problem,) = problems("currency", ["8.000"]).problems

    assert problem.cells == ("8.000: 8000 or 8.000",)


def test_new_values_are_shown_with_counts_and_the_nearest_known_one() -> None:
    (problem,) = problems("picklist", ["Key acount", "Key acount", "Fresh"]).problems

    assert problem.cells == ("Key acount (2): in Bigin Key account",)


@pytest.mark.parametrize(
    ("value", "is_near"),
    [("Region 3", False), ("Region 22", False), ("Regian 2", True), ("Ope", False), ("Opéń", True)],
)
def test_a_digit_or_a_short_word_is_never_nearly_another(value: str, is_near: bool) -> None:
    if is_near:
        assert "but nearly" in sentences(problems("picklist", [value]))
    else:
        assert imported("picklist", [value]).sent == [value]


def test_with_new_values_added_none_is_asked_about() -> None:
    outcome = imported("picklist", ["Opne"] * 12, new_values="add")

    assert set(outcome.sent) == {"Opne"}
    assert "Bigin adds them" in outcome.told


def test_what_an_ordinary_column_proves_a_correction_inherits() -> None:
    plan = plan_for("currency", {})
    columns = tuple(replace(column, proven_decimal=",") for column in plan.columns)

    cut = split_drop(b"Value,Name\n8.000,Ada\n", replace(plan, columns=columns))
    (value,) = (at for at, column in enumerate(plan.columns) if column.api_name == "Value")

    assert sorted(cut.sent.strip().split(",")) == ["8000", "Ada"]
    proven = imported("currency", ["8.000", "1.250,50"]).cut.result.columns[value].decimal
    assert proven == ","


TOLD: list[tuple[str, list[str], list[str], str, dict[str, Any]]] = [
    ("phone", ["+49 30 1 ext. 12"], ["+49 30 1 ext. 12"], "hold letters", {}),
    ("text", ["NULL", "x"], ["NULL", "x"], 'write "values": {"NULL": ""}', {}),
    ("text", ["-", "x - y", "-5", "e-mail"], ["-", "x - y", "-5", "e-mail"], '{"-": ""}', {}),
    *[
        (kind, [dash, "030"], [dash, "030"], f"1 cells say {dash.strip()}, which stands for no", {})
        for dash in ("--", "---", "–", "— ", "\u2212")
        for kind in ("text", "phone")
    ],
    *[
        ("text", [word], [word], "1 cells have letters written as in a web page (&amp;)", {})
        for word in ("AT&amp;T", "Caf&eacute;", "&#39;47", "a&nbsp;b", "&quot;x", "&#xE9;")
    ],
    (
        "text",
        ["999", "1,001", "1,234,567", ""],
        ["999", "1,001", "1,234,567"],
        "all keys are numbers, and 2 of them have marks of thousands (1,001)",
        {"key": "Value", "on_bad_rows": "100%"},
    ),
    (
        "lookup",
        ["1.001", "2.002"],
        ["1.001", "2.002"],
        "marks of thou",
        {"find_by": "Account_Name"},
    ),
    ("lookup", ["A&amp;B"], ["A&amp;B"], "as in a web page", {"find_by": "Account_Name"}),
    ("lookup", ["-", "Acme"], ["-", "Acme"], '{"-": ""}', {"find_by": "Account_Name"}),
    ("text", ["NULL ", " x"], ["NULL ", " x"], 'write "values": {"NULL": ""}', {}),
    ("text", [" nan", "x"], [" nan", "x"], "1 cells say nan", {}),
    ("text", ["#ERROR!", "#Н/Д"], ["#ERROR!", "#Н/Д"], '"values": {"#Н/Д": ""}', {}),
    ("text", ["=A1+B1", "x"], ["=A1+B1", "x"], "1 cells are formulas of a spreadsheet", {}),
    ("text", ["Ada\u200b"], ["Ada\u200b"], "a search may not find them", {}),
    ("text", ["A\u00a01"], ["A\u00a01"], "no-break space", {"key": "Value"}),
    ("currency", ["5", "-"], ["5", "-"], '"values": {"-": "0"} or {"-": ""}', {}),
    (
        "birth",
        ["2030-01-01"],
        ["2030-01-01"],
        "1 birth dates are in the future",
        {"format": "yyyy-MM-dd"},
    ),
    (
        "date",
        ["2567-02-03", "2026-02-03"],
        ["2567-02-03", "2026-02-03"],
        "1 dates are more than a hundred years ahead, first in row 2",
        {"format": "yyyy-MM-dd"},
    ),
    ("date", ["0024-12-31"], ["0024-12-31"], "their years are cut off", {"format": "yyyy-MM-dd"}),
    ("text", ["\\N"], ["\\N"], 'write "values": {"\\\\N": ""}', {}),
    ("text", ["#N/A", "nan", "x"], ["#N/A", "nan", "x"], "1 cells say nan", {}),
    ("text", ["M\ufffdller"], ["M\ufffdller"], "\ufffd, first in row 2", {}),
    ("text", ["'0151", "0152"], ["'0151", "0152"], "1 cells have an apostrophe", {}),
    ("text", ["1.2E+11", "1E5"], ["1.2E+11", "1E5"], "1 cells are powers of ten (1.2E+11)", {}),
    ("text", ["1,2E+011"], ["1,2E+011"], "their last digits are lost", {}),
    ("text", ["MÃ¼ller", "São Paulo"], ["MÃ¼ller", "São Paulo"], "decoded twice", {}),
    *[
        ("text", [word], [word], f'write "values": {{"{word}": ""}}', {})
        for word in ("null", "(null)", "N/A", "n/a", "#NV", "#WERT!", "#N/D", "Err:502", "-nan")
    ],
    ("picklist", ["-None-"], ["-None-"], 'write "values": {"-None-": ""}', {}),
    (
        "date",
        ["31.12.9999", "01.01.1900", "30.12.1899"],
        ["9999-12-31", "1900-01-01", "1899-12-30"],
        "1 dates are 01.01.1900, which programs write for no date",
        {"format": "dd.MM.yyyy"},
    ),
    ("boolean", ["true", "yes", "WAHR"], ["true", "yes", "WAHR"], "do not fit the field", {}),
    ("picklist", ["Lost"], ["Lost"], "1 cells hold 1 values", {}),
    ("text", ["k1", "k2", "K1"], ["k1", "k2", "K1"], "Look at rows 2, 4", {"key": "Value"}),
]


@pytest.mark.parametrize(("kind", "cells", "sent", "told", "keys"), TOLD)
def test_what_is_odd_is_sent_and_told_with_its_rows(
    kind: str, cells: list[str], sent: list[str], told: str, keys: dict[str, Any]
) -> None:
    outcome = imported(kind, cells, **keys)

    assert outcome.sent == sent
    assert told in outcome.told
    assert outcome.noted == ""


REFUSED: list[tuple[str, list[str], dict[int, str], dict[str, Any]]] = [
    ("currency", ["5", "five"], {3: "the cell holds letters"}, {}),
    ("currency", ["5", "nan"], {3: '"values": {"nan": ""}'}, {}),
    ("currency", ["5", "1.5E+07"], {3: "a power of ten"}, {}),
    ("currency", ["5", "5 EUR 6"], {3: "the cell holds letters"}, {}),
    ("email", ["a@b.de", "#N/A"], {3: '"values": {"#N/A": ""}'}, {}),
    ("email", ["a@b.de", "None"], {3: '"values": {"None": ""}'}, {}),
    ("email", ["a@b.de", "—"], {3: '"values": {"—": ""}'}, {}),
    ("needed", ["x", "\u200b"], {3: "is empty, and Value is mandatory"}, {}),
    ("email", ["a@b.de", "nobody"], {3: "it has no @"}, {}),
    ("email", ["a@b.de", "x" * 96 + "@b.de"], {3: "longer than the 100 characters"}, {}),
    ("text", ["short", "x" * 13], {3: "longer than the 12 characters"}, {}),
    ("needed", ["x", " "], {3: "is empty, and Value is mandatory"}, {}),
    ("needed", ["x", " "], {}, {"default_value": "?"}),
    ("needed", ["x", ""], {}, {"operation": "update", "key": "Last_Name"}),
]


@pytest.mark.parametrize(("kind", "cells", "reasons", "keys"), REFUSED)
def test_what_bigin_would_refuse_for_certain_stays_at_home_and_does_not_count(
    kind: str, cells: list[str], reasons: dict[int, str], keys: dict[str, Any]
) -> None:
    outcome = imported(kind, cells, on_bad_rows="0%", **keys)

    found = outcome.cut.invalid
    assert found.keys() == reasons.keys()
    assert all(reason in found[row] for row, reason in reasons.items())
    assert len(outcome.sent) == len(cells) - len(reasons)


@pytest.mark.parametrize(
    ("kind", "cell"), [("currency", "five"), ("email", "nobody"), ("needed", "")]
)
def test_a_column_of_which_every_row_would_be_refused_stops_the_drop(kind: str, cell: str) -> None:
    assert "cannot be sent" in sentences(problems(kind, [cell] * 3, on_bad_rows="100%"))


@pytest.mark.parametrize("cell", ["0000-00-00", "NaT"])
def test_a_word_or_zeros_for_no_date_are_not_sent_and_the_line_is_told(cell: str) -> None:
    found = imported("date", [cell] + ["2026-12-31"] * 9, format="yyyy-MM-dd").cut.invalid

    assert f'"values": {{"{cell}": ""}}' in found[2]


def test_a_word_that_only_begins_as_a_month_is_none() -> None:
    cut = imported("date", ["Marble 3, 2026"] + ["May 3, 2026"] * 9, format="MMMM d, yyyy").cut

    assert cut.invalid.keys() == {2}


def test_a_known_value_that_is_also_a_word_for_none_is_not_told() -> None:
    outcome = imported("picklist", ["None", "open"])

    assert (outcome.sent, outcome.told) == (["None", "Open"], "")


@pytest.mark.parametrize("phone", ["4.91512E+11", "491512345678.0", "123.0"])
def test_a_phone_that_was_taken_for_a_number_is_held_back(phone: str) -> None:
    outcome = imported("phone", ["030 1", "030 2", "030 3", "030 4", phone])

    assert "is no phone number any more" in outcome.cut.invalid[6]


@pytest.mark.parametrize("word", ["NULL", "-", " --", "–"])
def test_a_placeholder_in_a_key_counts_as_empty(word: str) -> None:
    outcome = imported("text", ["k1", "k2", "k-3", "k4", word], key="Value")

    assert 'its key, column "Value", is empty' in outcome.cut.invalid[6]
    assert f'"values": {{"{word.strip()}": ""}}' in outcome.told


def test_dashes_are_told_in_a_long_file_too() -> None:
    cells = ["x"] * 3_000 + ["–"] + ["x"] * 3_000 + ["-"]

    told = imported("text", cells).told
    assert "say –, which stands for no value, first in row 3002" in told
    assert "say -, which stands for no value, first in row 6003" in told


def test_a_key_is_trimmed_before_it_is_sent() -> None:
    assert imported("text", [" k1", "k2\u00a0"], key="Value").sent == ["k1", "k2"]


def test_an_address_that_is_a_key_is_trimmed_too() -> None:
    assert imported("email", [" ada@example.com "], key="Value").sent == ["ada@example.com"]


def test_a_birth_date_in_the_future_is_not_sent_and_the_line_is_told() -> None:
    outcome = imported("birth", ["01.02.45", *["01.02.80"] * 3], format="dd.MM.yy")

    assert outcome.sent == ["1980-02-01"] * 3
    assert '"century": "past"' in outcome.cut.invalid[2]
    assert imported("date", ["01.02.45"], format="dd.MM.yy").sent == ["2045-02-01"]


@pytest.mark.parametrize("share", ["100%", "1%"])
def test_dates_that_another_format_reads_better_stop_the_drop(share: str) -> None:
    cells = ["13/01/2024", "14/02/2024", "05/06/2024"]

    rejected = problems("date", cells, format="MM/dd/yyyy", on_bad_rows=share)

    assert 'Write "format": "dd/MM/yyyy" in the mapping' in sentences(rejected)


def test_one_mistyped_date_does_not_stop_the_drop() -> None:
    cells = ["01/13/2024", "02/14/2024", "05/16/2024", "05/17/2024", "13/01/2024"]

    assert len(imported("date", cells, format="MM/dd/yyyy").sent) == 4


@pytest.mark.parametrize(
    ("rows", "bad", "is_sent"),
    [
        (40, 10, True),
        (40, 11, False),
        (2_000, 20, True),
        (2_000, 21, False),
        (4, 1, True),
        (8, 3, False),
    ],
)
def test_by_default_ten_rows_or_one_percent_may_be_bad_but_no_more_than_a_quarter(
    rows: int, bad: int, is_sent: bool
) -> None:
    cells = ["2024-01-01"] * (rows - bad) + ["soon"] * bad
    if is_sent:
        assert len(imported("date", cells, format="yyyy-MM-dd").sent) == rows - bad
    else:
        rejected = problems("date", cells, format="yyyy-MM-dd")
        assert '"on_bad_rows": "' in sentences(rejected)


@pytest.mark.parametrize("fraction", ["0.15", "-.5", "0,15 "])
def test_a_fraction_beside_percent_signs_is_told(fraction: str) -> None:
    mixed, alike = imported("percent", ["15%", fraction]), imported("percent", ["15%", "1.5", "0"])

    assert "1 numbers have no percent sign and are below 1, first in row 3" in mixed.told
    assert alike.told == ""


@pytest.mark.parametrize("keys", [{}, {"decimal": "."}])
def test_fractions_are_counted_wherever_the_percent_signs_are(keys: dict[str, str]) -> None:
    cells = ["0.15"] * 4_000 + ["1.5"] * 4_000 + ["15%"]

    assert "4,000 numbers have no percent sign" in imported("percent", cells, **keys).told


def test_of_a_row_that_is_not_sent_nothing_is_told_as_sent() -> None:
    outcome = imported("phone", ["030 1", "030 2", "030 3", "030 4", "+4.91512E+11"])

    assert list(outcome.cut.invalid) == [6]
    assert (outcome.told, outcome.noted) == ("", "")


def test_a_tab_at_the_begin_of_a_quoted_cell_is_told_in_a_file_of_tabs() -> None:
    drop = "Value\tName\n" + "x\tAda\n" * 3_000 + '"\tx"\tAda\n' + "x\tAda\n" * 3_000

    cut = split_drop(drop.encode(), plan_for("text", {}))
    assert "1 cells begin with =, @, a tab" in "".join(cut.result.notes)
