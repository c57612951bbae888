"""A mapping meets a header row: which cells fill which fields, in what order they are sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bigin_import.domain.job_request import Field, FieldMapping, JobRequest
from bigin_import.domain.plan import ValueRule
from bigin_import.errors import DropRejectedError
from bigin_import.mapping.validate import MAP_ALL
from tests.unit.mapping.contacts import CONTACTS, mapping_of, parse_mapping, planned

SAMPLES = Path(__file__).parents[2] / "samples" / "mappings"


@pytest.mark.parametrize(
    ("written", "header", "source"),
    [
        ("E-mail", ("Name", "E-mail"), 1),
        ("e-MAIL", ("Name", "E-mail"), 1),
        ("Straße", ("STRASSE", "Name"), 0),
        ("Ä", ("Name", "A\u0308"), 1),
        ("First name", ("First\u00a0name",), 0),
        ("First name", ("  First \t name ",), 0),
        ("E-mail", ("\ufeffE-mail", "Name"), 0),
        ("E-mail", ("E-\u200bmail", "Name"), 0),
        ("E-mail", ("E-m\u00adail", "Name"), 0),
        ("Email", ("email", "Email", "EMAIL"), 1),
        ("Name;Vorname", ("Vorname", "Name;Vorname"), 1),
    ],
)
def test_a_header_is_found_however_it_is_spaced_cased_or_composed(
    written: str, header: tuple[str, ...], source: int
) -> None:
    plan = planned(mapping_of(columns={written: "Phone"}), *header)

    assert [column.source for column in plan.columns] == [source]
    assert plan.columns[0].header == header[source].strip()


@pytest.mark.parametrize(
    ("entry", "header", "sentence"),
    [
        (
            {"column": "Emial"},
            ("Name", "E-mail"),
            '.column: d.csv has no column "Emial". Did you mean "E-mail"?',
        ),
        (
            {"column": "Quantity"},
            ("Name", "E-mail", ""),
            (
                '.column: d.csv has no column "Quantity". '
                "Its columns are: Name, E-mail, column 3 (no header)"
            ),
        ),
        (
            {"column": "E-Mail"},
            ("Name", "E-Mail Adresse"),
            '.column: d.csv has no column "E-Mail". Did you mean "E-Mail Adresse"?',
        ),
        (
            {"column": "Telefon (geschäftlich, Zentrale)"},
            ("Name", "Telefon"),
            (
                '.column: d.csv has no column "Telefon (geschäftlich, Zentrale)". '
                'Did you mean "Telefon"?'
            ),
        ),
        (
            {"column": "E-Mail"},
            ("E-Mail 1", "E-Mail privat", "E-Mail Adresse"),
            '.column: d.csv has no column "E-Mail". Did you mean "E-Mail 1"?',
        ),
        (
            {"column": "E-Mail"},
            ("E-Mail privat", "E-Mail Adresse"),
            (
                '.column: d.csv has no column "E-Mail". '
                "Its columns are: E-Mail privat, E-Mail Adresse"
            ),
        ),
        (
            {"column": "No"},
            ("Customer No", "A remark"),
            '.column: d.csv has no column "No". Its columns are: Customer No, A remark',
        ),
        (
            {"column": "Mail"},
            ("Mailbox 17 of the house", "A remark"),
            (
                '.column: d.csv has no column "Mail". '
                "Its columns are: Mailbox 17 of the house, A remark"
            ),
        ),
        (
            {"column": "Quantity"},
            tuple(f"c{number}" for number in range(23)),
            (
                '.column: d.csv has no column "Quantity". Its columns are: '
                + ", ".join(f"c{number}" for number in range(20))
                + ", … and 3 more"
            ),
        ),
        (
            {"column": "Quantity"},
            ("A", "x" * 61),
            f'.column: d.csv has no column "Quantity". Its columns are: A, {"x" * 60}…',
        ),
        (
            {"column": "E-Mail"},
            ("E-mail", "Name", "e-mail"),
            (
                '.column: "E-Mail" fits columns 1 and 3 of d.csv alike. '
                'Rename one in the file, or write "index": 0 (counted from 0)'
            ),
        ),
        (
            {"column": "E-mail"},
            ("E-mail", "E-mail"),
            (
                '.column: "E-mail" fits columns 1 and 2 of d.csv alike. '
                'Rename one in the file, or write "index": 0 (counted from 0)'
            ),
        ),
        (
            {"index": 2},
            ("Name", "E-mail"),
            (
                ".index: d.csv has no column 2; it has 2 columns. "
                "The first column is 0; or name it by column"
            ),
        ),
    ],
)
def test_a_column_that_cannot_be_told_is_refused(
    entry: dict[str, Any], header: tuple[str, ...], sentence: str
) -> None:
    mapping = mapping_of(field_mappings=[{"api_name": "Phone"} | entry])

    with pytest.raises(DropRejectedError) as caught:
        planned(mapping, *header)

    (problem,) = caught.value.problems
    assert caught.value.concerns_mapping
    assert str(problem) == f"m.json, line 1, field_mappings[0]{sentence}"


def test_in_the_short_form_the_place_is_the_header() -> None:
    with pytest.raises(DropRejectedError) as caught:
        planned(mapping_of(columns={"Tel": "Phone"}), "Name")

    assert caught.value.problems[0].where == 'm.json, line 1, columns["Tel"]'


def test_one_column_may_feed_several_fields() -> None:
    mapping = mapping_of(
        field_mappings=[
            {"column": "Tel", "api_name": "Phone"},
            {"column": "Tel", "api_name": "Mobile"},
        ]
    )

    plan = planned(mapping, "Name", "Tel")

    assert [(column.api_name, column.source) for column in plan.columns] == [
        ("Phone", 1),
        ("Mobile", 1),
    ]


def test_columns_that_are_not_mapped_are_listed_and_not_sent() -> None:
    plan = planned(mapping_of(columns={"Tel": "Phone"}), "Secret", "Tel", "")

    assert plan.header == ("Phone",)
    assert plan.ignored == ("Secret", "column 3 (no header)")


def test_columns_of_our_result_files_do_not_count() -> None:
    mapping = mapping_of(field_mappings=[{"index": 1, "api_name": "Phone"}])

    plan = planned(mapping, "bigin__Row", "bigin__Status", "Name", "Tel")

    assert [column.source for column in plan.columns] == [3]
    assert plan.ignored == ("Name",)


def test_the_key_goes_first_then_what_tells_rows_apart_then_the_mapping_s_order() -> None:
    mapping = mapping_of(
        operation="upsert",
        find_by="Phone",
        columns={
            "a": "Lead_Source",
            "b": "Last_Name",
            "c": "Revenue",
            "d": "Secondary_Email",
            "e": "Customer_No",
            "f": "Phone",
        },
        field_mappings=[
            {"api_name": "Supplier", "find_by": "id", "default_value": "111111000000541958"}
        ],
    )

    plan = planned(mapping, "a", "b", "c", "d", "e", "f", fields=CONTACTS)

    assert plan.header == (
        "Phone",
        "Customer_No",
        "Secondary_Email",
        "Last_Name",
        "Lead_Source",
        "Revenue",
    )
    assert plan.key == 0
    assert [(field.api_name, field.index) for field in plan.request.field_mappings] == [
        ("Phone", 0),
        ("Customer_No", 1),
        ("Secondary_Email", 2),
        ("Last_Name", 3),
        ("Lead_Source", 4),
        ("Revenue", 5),
        ("Supplier", None),
    ]


def test_up_to_three_columns_all_come_back_so_they_keep_the_mapping_s_order() -> None:
    mapping = mapping_of(
        operation="update", find_by="id", columns={"Name": "Last_Name", "Id": "Id"}
    )

    plan = planned(mapping, "Id", "Name")

    assert plan.header == ("Last_Name", "id")
    assert plan.key == 1


@pytest.mark.parametrize(
    "sample", ["documented-insert.json", "documented-update.json", "documented-upsert.json"]
)
@pytest.mark.parametrize("fields", [CONTACTS, None], ids=["metadata", "no metadata"])
def test_a_documented_mapping_gives_the_documented_request(
    sample: str, fields: tuple[Field, ...] | None
) -> None:
    text = (SAMPLES / sample).read_bytes()
    documented = json.loads(text)
    header = ("one", "two", "three", "four")

    request = planned(parse_mapping(text, name=sample), *header, fields=fields).request

    resource = documented["resource"][0] | {"operation": documented["operation"]}
    expected = _with_lower_case_id(resource) | {"ignore_empty": True}
    assert _in_bigins_words(request) == {
        key: value for key, value in expected.items() if key not in {"type", "file_id"}
    }


def _in_bigins_words(request: JobRequest) -> dict[str, Any]:
    words: dict[str, Any] = {
        "operation": request.operation,
        "module": {"api_name": request.module},
        "ignore_empty": request.ignore_empty,
        "field_mappings": [_entry(field) for field in request.field_mappings],
    }
    return words | ({"find_by": request.find_by} if request.find_by else {})


def _entry(field: FieldMapping) -> dict[str, Any]:
    default = {"value": field.default_value} if field.default_value is not None else None
    entry = {
        "api_name": field.api_name,
        "index": field.index,
        "default_value": default,
        "find_by": field.find_by,
        "format": field.format,
    }
    return {key: value for key, value in entry.items() if value is not None}


def _with_lower_case_id(resource: dict[str, Any]) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(json.dumps(resource).replace('"Id"', '"id"'))
    return loaded


def test_without_a_mapping_of_fields_the_headers_are_api_names() -> None:
    plan = planned(
        mapping_of(operation="upsert", find_by="Email"),
        "Last_Name",
        "email",
        "Account_Name.Account_Name",
        "",
        fields=CONTACTS,
    )

    assert plan.request.field_mappings == (
        FieldMapping("Last_Name", index=0),
        FieldMapping("Email", index=1),
        FieldMapping("Account_Name", index=2, find_by="Account_Name"),
    )
    assert plan.ignored == ("column 4 (no header)",)


def test_headers_that_are_no_api_names_are_refused_with_the_name_to_give_them() -> None:
    with pytest.raises(DropRejectedError) as caught:
        planned(mapping_of(), "Last_Name", "Company", "xyzzy", "last_name", fields=CONTACTS)

    says = "is no field of Contacts, and the mapping says nothing about it"
    assert [str(problem) for problem in caught.value.problems] == [
        f'd.csv, column 2: "Company" {says}. Name the column "Account_Name", or {MAP_ALL}',
        f'd.csv, column 3: "xyzzy" {says}. Remove the column, or {MAP_ALL}',
        "d.csv, column 4: Last_Name is filled by column 1 already. Remove one of the two columns",
    ]


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("Created_Time", f"is read-only in Bigin. Remove the column, or {MAP_ALL}"),
        (
            "Date_of_Birth",
            (
                "nothing says how the file writes dates. "
                f'{MAP_ALL.capitalize()}, and this one with "format": "dd.MM.yyyy"'
            ),
        ),
        (
            "Supplier",
            'Name the column "Supplier.id", or write a unique field of the parent for id',
        ),
        ("Phone.Email", 'but Phone is of the type phone. Name the column "Phone"'),
    ],
)
def test_where_headers_name_the_fields_no_entry_is_told_to_be_changed(
    header: str, sentence: str
) -> None:
    with pytest.raises(DropRejectedError) as caught:
        planned(
            mapping_of(),
            "Last_Name",
            header,
            fields=CONTACTS,
            date_formats=lambda _: ("dd.MM.yyyy",),
        )

    (problem,) = caught.value.problems
    assert problem.where == "d.csv, column 2"
    assert str(problem).endswith(sentence)


def test_where_headers_name_the_fields_one_that_is_missing_is_to_be_a_header() -> None:
    with pytest.raises(DropRejectedError) as caught:
        planned(mapping_of(operation="upsert", find_by="Email"), "Phone", fields=CONTACTS)

    assert [problem.remedy for problem in caught.value.problems] == [
        'Name a column of the file "Email", or use another find_by',
        f'Name a column of the file "Last_Name", or {MAP_ALL}',
    ]


@pytest.mark.parametrize("fields", [CONTACTS, None], ids=["metadata", "no metadata"])
@pytest.mark.parametrize("header", ["Sur-Name", "Familien-Name"])
def test_a_wrong_header_is_not_also_called_a_field_that_nothing_fills(
    header: str, fields: tuple[Field, ...] | None
) -> None:
    with pytest.raises(DropRejectedError) as caught:
        planned(mapping_of(), header, "E-mail address", "Phone", fields=fields)

    assert [problem.where for problem in caught.value.problems] == [
        "d.csv, column 1",
        "d.csv, column 2",
    ]
    assert 'Name the column "Last_Name"' in caught.value.problems[0].remedy


def test_a_header_that_is_the_label_of_one_field_is_accepted_and_told() -> None:
    plan = planned(mapping_of(), "Last Name", "Customer No.", fields=CONTACTS)

    assert [column.api_name for column in plan.columns] == ["Last_Name", "Customer_No"]
    assert '"Customer No." is the label of Customer_No, and fills it.' in plan.warnings


def test_a_label_that_two_fields_have_is_not_accepted() -> None:
    twins = (*CONTACTS, Field("Phone_2", "Phone 2", "phone"), Field("Tel", "Phone 2", "phone"))

    with pytest.raises(DropRejectedError, match='"Phone 2" is no field of Contacts'):
        planned(mapping_of(), "Last_Name", "Phone 2", fields=twins)


@pytest.mark.parametrize(("header", "sent"), [(("A", "N"), 2), (("N",), 1)])
def test_an_optional_column_that_the_drop_lacks_is_left_out_of_the_job(
    header: tuple[str, ...], sent: int
) -> None:
    optional = {"column": "A", "api_name": "Phone", "optional": True}
    mapping = mapping_of(field_mappings=[{"column": "N", "api_name": "Last_Name"}, optional])

    plan = planned(mapping, *header, fields=CONTACTS)

    assert len(plan.request.field_mappings) == sent
    assert any("optional column" in told for told in plan.warnings) == (sent == 1)


@pytest.mark.parametrize("header", ["Company Name", "E-mail", "a.b.c", "1st"])
def test_a_header_that_can_be_no_api_name_is_refused_even_without_metadata(header: str) -> None:
    with pytest.raises(DropRejectedError):
        planned(mapping_of(), "Last_Name", header)


@pytest.mark.parametrize(
    ("entry", "find_by"),
    [
        ({"api_name": "Account_Name"}, "Account_Name"),
        ({"api_name": "Account_Name", "find_by": "id"}, "id"),
        ({"api_name": "Owner"}, None),
        ({"api_name": "Phone"}, None),
    ],
)
@pytest.mark.parametrize("fields", [CONTACTS, None], ids=["metadata", "no metadata"])
def test_a_lookup_is_found_by_its_parent_s_own_key_unless_said_otherwise(
    entry: dict[str, str], find_by: str | None, fields: tuple[Field, ...] | None
) -> None:
    name = {"column": "Name", "api_name": "Last_Name"}
    mapping = mapping_of(field_mappings=[name, {"column": "A"} | entry])

    plan = planned(mapping, "A", "Name", fields=fields)

    assert plan.request.field_mappings[1].find_by == find_by


def test_a_constant_goes_last_and_alone_and_a_column_keeps_its_default() -> None:
    mapping = mapping_of(
        field_mappings=[
            {"api_name": "Lead_Source", "default_value": "Web"},
            {"column": "Tel", "api_name": "Phone", "default_value": "unknown"},
        ]
    )

    plan = planned(mapping, "Tel")

    assert plan.request.field_mappings == (
        FieldMapping("Phone", index=0, default_value="unknown"),
        FieldMapping("Lead_Source", default_value="Web"),
    )
    assert plan.header == ("Phone",)


@pytest.mark.parametrize(
    ("entry", "rule", "sent"),
    [
        (
            {"api_name": "Date_of_Birth", "format": "dd.MM.yyyy"},
            ValueRule(date_format="dd.MM.yyyy"),
            "yyyy-MM-dd",
        ),
        (
            {"api_name": "Date_of_Birth", "format": "dd.MM.yyyy HH:mm"},
            ValueRule(date_format="dd.MM.yyyy HH:mm"),
            "yyyy-MM-dd",
        ),
        (
            {"api_name": "Last_Call", "format": "dd.MM.yyyy"},
            ValueRule(date_format="dd.MM.yyyy", with_time=True),
            "yyyy-MM-dd HH:mm:ss",
        ),
        (
            {"api_name": "Revenue", "decimal": ",", "thousands": "."},
            ValueRule(decimal=",", thousands="."),
            None,
        ),
        (
            {"api_name": "Lead_Source", "values": {"Messe": "Fair"}},
            ValueRule(values=(("Messe", "Fair"),)),
            None,
        ),
        ({"api_name": "Phone"}, None, None),
    ],
)
def test_cells_are_rewritten_only_by_the_rules_that_were_written(
    entry: dict[str, Any], rule: ValueRule | None, sent: str | None
) -> None:
    name = {"column": "Name", "api_name": "Last_Name"}
    mapping = mapping_of(field_mappings=[name, {"column": "A"} | entry])

    plan = planned(mapping, "A", "Name", fields=CONTACTS)

    assert plan.columns[1].rule == rule
    assert plan.request.field_mappings[1].format == sent


@pytest.mark.parametrize(
    ("pattern", "sent"),
    [
        ("dd.MM.yyyy", "yyyy-MM-dd"),
        ("MM/dd/yyyy hh:mm a", "yyyy-MM-dd HH:mm:ss"),
        ("yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm:ss"),
        ("yyyy'H'MMdd", "yyyy-MM-dd"),
    ],
)
def test_without_metadata_the_format_tells_whether_a_time_is_sent(pattern: str, sent: str) -> None:
    entry = {"column": "A", "api_name": "Some_Date", "format": pattern}

    plan = planned(mapping_of(field_mappings=[entry]), "A")

    assert plan.request.field_mappings[0].format == sent


def test_settings_reach_the_plan() -> None:
    mapping = mapping_of(
        operation="upsert",
        find_by="Email",
        ignore_empty=False,
        empty_key="send",
        duplicate_keys="reject",
        on_bad_rows="5%",
        columns={"Mail": "Email"},
    )

    plan = planned(mapping, "Mail")

    assert plan.request.ignore_empty is False
    assert plan.request.find_by == "Email"
    assert (plan.empty_key, plan.duplicate_keys) == ("send", "reject")
    assert plan.max_invalid_share == 0.05


def test_type_length_and_values_of_a_field_travel_with_its_column() -> None:
    mapping = mapping_of(columns={"Name": "Last_Name", "Source": "Lead_Source"})

    name, source = planned(mapping, "Name", "Source", fields=CONTACTS).columns

    assert (name.data_type, name.length) == ("text", 80)
    assert (source.data_type, source.pick_list) == ("picklist", ("-None-", "Web", "Fair"))


def test_a_key_that_is_a_constant_has_no_column() -> None:
    mapping = mapping_of(
        operation="update",
        find_by="id",
        field_mappings=[
            {"api_name": "id", "default_value": "111111000000541958"},
            {"column": "Tel", "api_name": "Phone"},
        ],
    )

    plan = planned(mapping, "Tel")

    assert plan.key is None
    assert not plan.key_is_unique  # no row has a key of its own
    assert "find_by is id, which a constant fills: every row finds the same record." in (
        plan.warnings
    )
