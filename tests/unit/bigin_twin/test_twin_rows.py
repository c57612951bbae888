"""What a job of the twin does with each row."""

from __future__ import annotations

import pytest

from tests.unit.bigin_twin.scenario import Desk, mapping

ADDRESS = "p.boyle@example.com"


def row_result(row: dict[str, str]) -> tuple[str, str]:
    return row["STATUS"], row["ERRORS"]


def test_an_insert_adds_rows_and_the_result_names_their_ids() -> None:
    desk = Desk()

    (row,) = desk.run(f"Last_Name,Email,Phone,Title\nBoyle,{ADDRESS},555-0100,Dr\n")

    assert row["RECORD_ID"] in desk.bigin.tables["Contacts"].records
    assert list(row) == ["Last_Name", "Email", "Phone", "STATUS", "RECORD_ID", "ERRORS"]
    assert desk.records() == [
        {"Last_Name": "Boyle", "Email": ADDRESS, "Phone": "555-0100", "Title": "Dr"}
    ]


@pytest.mark.parametrize(
    ("header", "cells", "errors"),
    [
        ("Last_Name,Email", ",a@example.com", "MANDATORY_NOT_FOUND-Last_Name"),
        ("Last_Name,Email", "Boyle,nobody", "INVALID_DATA-Email"),
        ("Last_Name,Phone", f"Boyle,{'1' * 31}", "INVALID_DATA-Phone"),
        ("Last_Name,First_Name", f"Boyle,{'x' * 41}", "INVALID_DATA-First_Name"),
        ("Last_Name,Visits", "Boyle,1234567890", "INVALID_DATA-Visits"),
        ("Last_Name,Visits", "Boyle,1.5", "INVALID_DATA-Visits"),
        ("Last_Name,Revenue", 'Boyle,"1,000"', "INVALID_DATA-Revenue"),
        ("Last_Name,Email_Opt_Out", "Boyle,yes", "INVALID_DATA-Email_Opt_Out"),
        ("Last_Name,Date_of_Birth", "Boyle,04/01/1990", "INVALID_DATA-Date_of_Birth"),
        ("Last_Name,Last_Purchase", "Boyle,1990-04-01", "INVALID_DATA-Last_Purchase"),
        ("Last_Name,Owner", "Boyle,x@example.com", "INVALID_DATA-Owner"),
        (
            "Last_Name,Account_Name.Account_Name",
            "Boyle,Nobody Ltd",
            "RESOURCE_NOT_FOUND-Account_Name",
        ),
        (
            "Last_Name,Email,Visits",
            ",nobody,x",
            "INVALID_DATA-Email,Visits:MANDATORY_NOT_FOUND-Last_Name",
        ),
    ],
)
def test_a_bad_row_is_skipped_with_the_documented_errors(
    header: str, cells: str, errors: str
) -> None:
    desk = Desk()

    (row,) = desk.run(f"{header}\n{cells}\n")

    assert row_result(row) == ("SKIPPED", errors)
    assert row["RECORD_ID"] == ""
    assert desk.records() == []


@pytest.mark.parametrize(
    ("name", "cell", "stored"),
    [
        ("Visits", "007", 7),
        ("Revenue", "12.345", 12.35),
        ("Email_Opt_Out", "TRUE", True),
        ("Date_of_Birth", "1990-04-01", "1990-04-01"),
        ("Last_Purchase", "1990-04-01 10:20:30", "1990-04-01T10:20:30"),
        ("Interests", "News;Offers", ["News", "Offers"]),
        ("Owner", "J.Meyer@zylker.example.com", "111111000000035801"),
    ],
)
def test_a_value_is_stored_in_its_type(name: str, cell: str, stored: object) -> None:
    desk = Desk()

    desk.run(f"Last_Name,{name}\nBoyle,{cell}\n")

    assert desk.records()[0][name] == stored


def test_a_unique_field_bites_on_a_plain_insert_whatever_the_letter_case() -> None:
    desk = Desk()

    rows = desk.run(f"Last_Name,Email\nBoyle,{ADDRESS}\nHill,{ADDRESS.upper()}\n")

    assert [row_result(row) for row in rows] == [("ADDED", ""), ("SKIPPED", "DUPLICATE_DATA-Email")]


def test_a_repeated_insert_without_a_unique_field_makes_every_record_twice() -> None:
    desk = Desk()

    desk.run("Last_Name\nBoyle\n")
    desk.run("Last_Name\nBoyle\n")

    assert desk.records() == [{"Last_Name": "Boyle"}, {"Last_Name": "Boyle"}]


def test_an_insert_with_find_by_skips_rows_that_exist() -> None:
    desk = Desk()
    desk.run(f"Last_Name,Email\nBoyle,{ADDRESS}\n")

    rows = desk.run(f"Last_Name,Email\nHill,{ADDRESS}\nMeyer,m@example.com\n", find_by="Email")

    assert [row["STATUS"] for row in rows] == ["SKIPPED", "ADDED"]
    assert [record["Last_Name"] for record in desk.records()] == ["Boyle", "Meyer"]


def test_an_update_changes_what_exists_and_creates_nothing() -> None:
    desk = Desk()
    desk.run(f"Last_Name,Email\nBoyle,{ADDRESS}\n")
    update = f"Email,Title\n{ADDRESS},Dr\nm@example.com,Dr\n,Dr\n"

    rows = desk.run(update, "update", find_by="Email")

    assert [row_result(row) for row in rows] == [
        ("UPDATED", ""),
        ("SKIPPED", "RESOURCE_NOT_FOUND-Email"),
        ("SKIPPED", "MANDATORY_NOT_FOUND-Email"),
    ]
    assert desk.records() == [{"Last_Name": "Boyle", "Email": ADDRESS, "Title": "Dr"}]


def test_an_upsert_updates_what_exists_and_adds_the_rest() -> None:
    desk = Desk()
    desk.run(f"Last_Name,Email\nBoyle,{ADDRESS}\n")
    upsert = f"Last_Name,Email\nHill,{ADDRESS}\nMeyer,m@example.com\n"

    first = desk.run(upsert, "upsert", find_by="Email")
    again = desk.run(upsert, "upsert", find_by="Email")

    assert [row["STATUS"] for row in first] == ["UPDATED", "ADDED"]
    assert [row["STATUS"] for row in again] == ["UPDATED", "UPDATED"]
    assert len(desk.records()) == 2


def test_an_upsert_by_id_cannot_choose_the_id_of_a_new_record() -> None:
    desk = Desk()

    (row,) = desk.run("Last_Name,id\nBoyle,4711\n", "upsert", find_by="id")

    assert row_result(row) == ("SKIPPED", "RESOURCE_NOT_FOUND-id")


@pytest.mark.parametrize(
    ("ignore_empty", "title"),
    [(None, None), (False, None), (True, "Dr")],
)
def test_empty_cells_erase_unless_ignore_empty_is_true(
    ignore_empty: bool | None, title: str | None
) -> None:
    desk = Desk()
    desk.run(f"Last_Name,Email,Title\nBoyle,{ADDRESS},Dr\n")
    blank = f"Email,Title\n{ADDRESS},\n"

    desk.run(blank, "update", find_by="Email", ignore_empty=ignore_empty)

    assert desk.records()[0]["Title"] == title


def test_an_update_may_not_blank_a_mandatory_field_nor_take_a_unique_value() -> None:
    desk = Desk()
    desk.run("Last_Name,Email,Customer_Number\nA,a@example.com,1\nB,b@example.com,2\n")
    update = "Email,Last_Name,Customer_Number\na@example.com,,2\n"

    (row,) = desk.run(update, "update", find_by="Email")

    assert row_result(row) == (
        "SKIPPED",
        "MANDATORY_NOT_FOUND-Last_Name:DUPLICATE_DATA-Customer_Number",
    )


def test_a_changed_unique_value_is_free_again() -> None:
    desk = Desk()
    desk.run("Last_Name,Email\nA,old@example.com\n")
    (record,) = desk.bigin.tables["Contacts"].records.values()
    desk.run(f"id,Email\n{record.id},new@example.com\n", "update", find_by="id")

    rows = desk.run("Last_Name,Email\nB,old@example.com\nC,new@example.com\n")

    assert [row["STATUS"] for row in rows] == ["ADDED", "SKIPPED"]


def test_a_default_value_fills_empty_cells_and_whole_columns() -> None:
    desk = Desk()
    source = {"api_name": "Lead_Source", "default_value": {"value": "Trade Show"}}
    name = {"api_name": "Last_Name", "index": 0, "default_value": {"value": "Unknown"}}

    desk.run("n,e\nBoyle,a@example.com\n,b@example.com\n", field_mappings=[name, source])

    assert [(r["Last_Name"], r["Lead_Source"]) for r in desk.records()] == [
        ("Boyle", "Trade Show"),
        ("Unknown", "Trade Show"),
    ]


def test_a_lookup_finds_its_parent_by_field_or_by_id() -> None:
    desk = Desk()
    (account,) = desk.run("Account_Name\nZylker\n", module="Accounts")
    by_name = {"api_name": "Account_Name", "index": 1, "find_by": "Account_Name"}

    desk.run("n,c\nBoyle,zylker\n", field_mappings=[*mapping("Last_Name"), by_name])
    desk.run(f"Last_Name,Account_Name.id\nHill,{account['RECORD_ID']}\n")

    assert {r["Account_Name"] for r in desk.records()} == {account["RECORD_ID"]}


def test_an_unknown_picklist_value_is_added_to_the_list() -> None:
    desk = Desk()

    (row,) = desk.run("Last_Name,Lead_Source\nBoyle,Podcast\n")

    fields = desk.bigin.module("Contacts").field_metadata
    source = next(field for field in fields if field["api_name"] == "Lead_Source")
    assert row["STATUS"] == "ADDED"
    assert source["pick_list_values"][-1]["actual_value"] == "Podcast"


@pytest.mark.parametrize("code", ["NOT_APPROVED", "BLOCKED_RECORD", "CANNOT_PROCESS"])
def test_a_row_is_refused_to_order_with_any_code(code: str) -> None:
    desk = Desk(refused_cells={"Boyle": code})

    rows = desk.run("Last_Name\nBoyle\nHill\n")

    assert [row_result(row) for row in rows] == [("SKIPPED", f"{code}-Last_Name"), ("ADDED", "")]


def test_a_read_only_field_is_ignored() -> None:
    desk = Desk()

    (row,) = desk.run("Last_Name,Created_Time\nBoyle,whenever\n")

    assert row["STATUS"] == "ADDED"
    assert desk.records() == [{"Last_Name": "Boyle"}]


@pytest.mark.parametrize(
    ("format_sent", "honoured", "cell", "stored"),
    [
        ("dd.MM.yyyy", True, "01.04.1990", "1990-04-01"),
        ("yyyy-MM-dd", True, "1990-04-01", "1990-04-01"),
        (None, True, "04/01/1990", "1990-04-01"),
        ("dd/MM/yyyy", False, "04/01/1990", "1990-04-01"),
    ],
)
def test_a_mapped_date_follows_its_format_or_the_american_default(
    format_sent: str | None, honoured: bool, cell: str, stored: object
) -> None:
    desk = Desk(honour_format=honoured)
    born = {"api_name": "Date_of_Birth", "index": 1, "format": format_sent}

    desk.run(f"n,d\nBoyle,{cell}\n", field_mappings=[*mapping("Last_Name"), born])

    assert desk.records()[0]["Date_of_Birth"] == stored


def test_an_ignored_format_fails_visibly_for_iso_dates() -> None:
    desk = Desk(honour_format=False)
    born = {"api_name": "Date_of_Birth", "index": 1, "format": "yyyy-MM-dd"}

    (row,) = desk.run("n,d\nBoyle,1990-04-01\n", field_mappings=[*mapping("Last_Name"), born])

    assert row_result(row) == ("SKIPPED", "INVALID_DATA-Date_of_Birth")


@pytest.mark.parametrize("delimiter", [",", ";", ":", "|"])
def test_the_delimiter_is_found_from_the_header(delimiter: str) -> None:
    desk = Desk()

    desk.run(f"Last_Name{delimiter}First_Name\nBoyle{delimiter}Patricia\n")

    assert desk.records() == [{"Last_Name": "Boyle", "First_Name": "Patricia"}]


def test_results_list_the_first_three_mapped_columns_in_the_order_of_the_file() -> None:
    desk = Desk()
    shuffled = [mapping("Title", "Phone", "Email", "Last_Name")[at] for at in (3, 2, 1)]

    (row,) = desk.run(f"t,p,e,n\nDr,555,{ADDRESS},Boyle\n", field_mappings=shuffled)

    assert list(row)[:4] == ["p", "e", "n", "STATUS"]


def test_results_may_be_shuffled_lower_case_and_list_failures_only() -> None:
    names = [f"N{n}" for n in range(20)]
    text = "Last_Name\n" + "".join(f"{name}\n" for name in names)
    odd = Desk(result_order="shuffled", status_case="lower")
    failures = Desk(result_rows="unsuccessful")

    rows = odd.run(text)
    failed = failures.run("Last_Name,Email\nBoyle,nobody\nHill,h@example.com\n")

    assert {row["STATUS"] for row in rows} == {"added"}
    assert [row["Last_Name"] for row in rows] != names
    assert sorted(row["Last_Name"] for row in rows) == sorted(names)
    assert [row["Last_Name"] for row in failed] == ["Boyle"]


def test_60000_rows_are_inserted() -> None:
    desk = Desk()
    header = "Email,Last_Name,First_Name,Phone,Title,Mailing_City,Lead_Source,Revenue,Date_of_Birth"
    row = "a{0}@example.com,Name {0},Ann,555-0100,Dr,Oslo,Chat,{0}.5,1990-04-01\n"
    parts = [
        header + "\n" + "".join(map(row.format, range(n, n + 20_000)))
        for n in range(0, 60_000, 20_000)
    ]

    results = [desk.run(part) for part in parts]

    assert {r["STATUS"] for part in results for r in part} == {"ADDED"}
    assert len(desk.records()) == 60_000


def test_one_seed_gives_one_result() -> None:
    archives = []
    for _ in range(2):
        desk = Desk(result_order="shuffled")
        job_id = desk.create("Last_Name\n" + "".join(f"N{n}\n" for n in range(50)))
        desk.now += 60
        archives.append(desk.bigin.result("10358250", job_id, desk.now))

    assert archives[0] == archives[1]
