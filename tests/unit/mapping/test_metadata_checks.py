"""A mapping in the light of Bigin's metadata: what is refused, and what is only said."""

from __future__ import annotations

from typing import Any

import pytest

from bigin_import.domain.job_request import Field
from bigin_import.errors import DropRejectedError
from bigin_import.mapping.model import Mapping
from tests.unit.mapping.contacts import CONTACTS, mapping_of, planned

NAME = {"column": "Name", "api_name": "Last_Name"}


WITH_TYPES = (
    *CONTACTS,
    Field("Age", "Age", "integer"),
    Field("Email_Opt_Out", "Email Opt Out", "boolean"),
)


def refused_default(entry: dict[str, Any]) -> str:
    name = {"column": "Name", "api_name": "Last_Name"}
    first = NAME if entry["api_name"] != "Last_Name" else name | {"api_name": "Phone"}
    with pytest.raises(DropRejectedError) as caught:
        planned(mapping_of(field_mappings=[first, entry]), "Name", fields=WITH_TYPES)
    (problem,) = caught.value.problems
    return str(problem)


def refused(entry: dict[str, Any], **keys: object) -> str:
    """Return the one sentence about a mapping of Name and *entry* that is not about Name."""
    mapping = mapping_of(field_mappings=[NAME, entry], **keys)
    with pytest.raises(DropRejectedError) as caught:
        planned(mapping, "A", "Name", fields=CONTACTS)
    assert caught.value.concerns_mapping
    (problem,) = caught.value.problems
    return str(problem)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (
            {"api_name": "Company Name"},
            (
                '.api_name: Contacts has no field "Company Name". '
                '"Company Name" is the label of Account_Name; write "Account_Name"'
            ),
        ),
        (
            {"api_name": "Phnoe"},
            '.api_name: Contacts has no field "Phnoe". Did you mean "Phone"?',
        ),
        (
            {"api_name": "email"},
            '.api_name: Contacts has no field "email". Did you mean "Email"?',
        ),
        (
            {"api_name": "Xyzzy"},
            ('.api_name: Contacts has no field "Xyzzy". Write the API name of a field of Contacts'),
        ),
        (
            {"api_name": "Created_Time"},
            '.api_name: Created_Time ("Created Time") is read-only in Bigin. Remove this entry',
        ),
        (
            {"api_name": "Phone", "format": "dd.MM.yyyy"},
            (
                ".format: format is for dates, but Phone is of the type phone. "
                "Remove format, or map the column to a field for dates"
            ),
        ),
        (
            {"api_name": "Lead_Source", "decimal": ","},
            (
                '.decimal: decimal is for numbers, but Lead_Source ("Lead Source") is of the type '
                "picklist. Remove decimal, or map the column to a field for numbers"
            ),
        ),
        (
            {"api_name": "Lead_Source", "thousands": ","},
            (
                '.thousands: thousands is for numbers, but Lead_Source ("Lead Source") is of the '
                "type picklist. Remove thousands, or map the column to a field for numbers"
            ),
        ),
        (
            {"api_name": "Phone", "find_by": "Email"},
            (
                ".find_by: find_by is for lookups, but Phone is of the type phone. "
                "Remove find_by from this entry"
            ),
        ),
        (
            {"api_name": "Supplier"},
            (
                ".find_by: Supplier is a lookup, and nothing says what its cells name. "
                'Write {"column": "A", "api_name": "Supplier", "find_by": "id"} in '
                "field_mappings, or a unique field of the parent instead of id"
            ),
        ),
        (
            {"api_name": "Date_of_Birth", "format": "dd.MM.yyyy", "default_value": "1.1.2000"},
            (
                ".default_value: the default for the date field Date_of_Birth is not written as "
                'Bigin\'s. Write it like "2026-12-31"'
            ),
        ),
        (
            {"api_name": "Last_Call", "format": "dd.MM.yyyy", "default_value": "2026-01-01"},
            (
                ".default_value: the default for the datetime field Last_Call is not written as "
                'Bigin\'s. Write it like "2026-12-31 23:59:00"'
            ),
        ),
    ],
)
def test_what_bigin_would_not_take_is_refused_before_anything_is_sent(
    keys: dict[str, str], sentence: str
) -> None:
    assert refused({"column": "A"} | keys) == f"m.json, line 1, field_mappings[1]{sentence}"


@pytest.mark.parametrize(
    ("fitting", "written", "hint"),
    [
        (("dd.MM.yyyy",), "dd.MM.yyyy", ""),
        (
            ("MM/dd/yyyy", "dd/MM/yyyy"),
            "MM/dd/yyyy or dd/MM/yyyy",
            "; each of these fits most values or all, choose the one that is meant",
        ),
        ((), "dd.MM.yyyy", ", with the format that the file has"),
    ],
)
def test_a_date_column_without_a_format_is_refused_with_the_formats_that_fit(
    fitting: tuple[str, ...], written: str, hint: str
) -> None:
    formats = {1: fitting}
    mapping = mapping_of(columns={"Name": "Last_Name", "Born": "Date_of_Birth"})

    with pytest.raises(DropRejectedError) as caught:
        planned(mapping, "Name", "Born", fields=CONTACTS, date_formats=formats.__getitem__)

    assert str(caught.value) == (
        'm.json, line 1, columns["Born"]: "Born" goes into the date field Date_of_Birth, but '
        "nothing says how the file writes dates. "
        'Write {"column": "Born", "api_name": "Date_of_Birth", "format": '
        f'"{written}"}} in field_mappings{hint}'
    )


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (
            {"operation": "upsert", "find_by": "Email"},
            (
                "m.json, find_by: find_by is Email, but nothing fills Email. "
                "Map a column to Email, or use another find_by"
            ),
        ),
        (
            {"operation": "upsert", "find_by": "Last Name"},
            (
                "m.json, find_by: find_by is Last Name, but nothing fills Last Name. "
                'Did you mean "Last_Name"?'
            ),
        ),
        (
            {"operation": "update", "find_by": "PHONE"},
            ('m.json, find_by: find_by is PHONE, but nothing fills PHONE. Did you mean "Phone"?'),
        ),
    ],
)
def test_a_key_that_nothing_fills_is_refused(keys: dict[str, str], sentence: str) -> None:
    assert refused({"column": "A", "api_name": "Phone"}, **keys) == sentence


@pytest.mark.parametrize("operation", ["insert", "upsert"])
def test_a_mandatory_field_that_nothing_fills_is_refused(operation: str) -> None:
    mapping = mapping_of(operation=operation, find_by="Email", columns={"A": "Email"})

    with pytest.raises(DropRejectedError) as caught:
        planned(mapping, "A", fields=CONTACTS)

    assert str(caught.value) == (
        'm.json: Last_Name ("Last Name") is mandatory in Contacts, and nothing fills it. '
        'Map a column to it, or add {"api_name": "Last_Name", "default_value": "..."}'
    )


def test_an_update_needs_no_mandatory_field_and_a_constant_fills_one() -> None:
    update = mapping_of(operation="update", find_by="Email", columns={"A": "Email"})
    constant = mapping_of(
        columns={"A": "Email"}, field_mappings=[{"api_name": "Last_Name", "default_value": "?"}]
    )

    assert planned(update, "A", fields=CONTACTS).header == ("Email",)
    assert planned(constant, "A", fields=CONTACTS).header == ("Email",)


def test_more_than_200_fields_are_refused() -> None:
    columns = {f"c{number}": f"Field_{number}" for number in range(201)}

    assert len(planned(mapping_of(columns=dict(list(columns.items())[:200])), *columns).columns)
    with pytest.raises(DropRejectedError) as caught:
        planned(mapping_of(columns=columns), *columns)

    assert str(caught.value) == (
        "m.json: 201 fields are mapped; Bigin takes 200 at most. "
        "Leave out columns, or import the file in two passes"
    )


def test_of_very_many_entries_their_number_is_told_first_and_a_thousand_are_looked_at() -> None:
    columns = {f"c{number}": f"Field_{number}" for number in range(1200)} | {"A": "Last_Name"}

    with pytest.raises(DropRejectedError) as caught:
        planned(mapping_of(columns=columns), *columns, fields=CONTACTS)

    problems = caught.value.problems
    assert len(problems) == 1001
    assert problems[0].what == "1201 fields are mapped; Bigin takes 200 at most"


def test_everything_that_is_wrong_comes_at_once() -> None:
    mapping = mapping_of(
        operation="upsert", find_by="Email", columns={"Nmae": "Company Name", "A": "Created_Time"}
    )

    with pytest.raises(DropRejectedError) as caught:
        planned(mapping, "A", "Name", fields=CONTACTS)

    assert [problem.where for problem in caught.value.problems] == [
        'm.json, line 1, columns["Nmae"]',
        'm.json, line 1, columns["Nmae"]',
        'm.json, line 1, columns["A"]',
        "m.json, find_by",
        "m.json",
    ]


@pytest.mark.parametrize("api_name", ["id", "Id", "Layout", "Owner"])
def test_fields_that_every_module_takes_are_known(api_name: str) -> None:
    fields = (Field("Last_Name", "Last Name", "text"),)
    mapping = mapping_of(columns={"Name": "Last_Name", "A": api_name})

    plan = planned(mapping, "A", "Name", fields=fields)

    assert plan.columns[1].api_name == api_name.replace("Id", "id")
    assert plan.request.field_mappings[1].find_by is None


@pytest.mark.parametrize(
    ("module", "key", "is_unique"),
    [
        ("Contacts", "Email", True),
        ("Accounts", "Account_Name", True),
        ("Pipelines", "Deal_Name", True),
        ("Products", "Product_Name", True),
        ("Contacts", "id", True),
        ("Contacts", "Customer_No", True),
        ("Contacts", "Phone", False),
        ("Accounts", "Email", False),
    ],
)
def test_a_key_is_unique_if_bigin_says_so_or_uses_it_itself(
    module: str, key: str, is_unique: bool
) -> None:
    names = (*(field.api_name for field in CONTACTS), "Account_Name", "Deal_Name", "Product_Name")
    fields = tuple(
        Field(name, name, "text", unique=name == "Customer_No") for name in dict.fromkeys(names)
    )
    mapping = mapping_of(module=module, operation="update", find_by=key, columns={"A": key})

    plan = planned(mapping, "A", fields=fields)

    assert plan.key_is_unique is is_unique
    assert plan.warnings == (
        ()
        if is_unique
        else (
            (
                f"{key} is not marked unique in Bigin: several records may share a value, and "
                "repeating an import may add records twice."
            ),
        )
    )


@pytest.mark.parametrize(
    ("entry", "keys", "sentence"),
    [
        (
            {"column": "A", "api_name": "Phone", "default_value": "none"},
            {"operation": "upsert", "find_by": "Last_Name"},
            (
                "Phone has a default_value: with upsert it may overwrite what records in Bigin "
                "already have."
            ),
        ),
        (
            {"column": "A", "api_name": "Account_Name"},
            {},
            "Account_Name has no find_by; its parent is found by Account_Name.",
        ),
        (
            {"column": "A", "api_name": "Lead_Source", "values": {"Messe": "Trade Show"}},
            {},
            '"Trade Show" is not yet a value of Lead_Source ("Lead Source"); Bigin will add it.',
        ),
        (
            {"api_name": "Lead_Source", "default_value": "Internet"},
            {},
            '"Internet" is not yet a value of Lead_Source ("Lead Source"); Bigin will add it.',
        ),
        (
            {"column": "A", "api_name": "Date_of_Birth", "format": "dd.MM.yyyy HH:mm"},
            {},
            'Date_of_Birth is a date: of "A" the day is sent, not the time.',
        ),
        (
            {
                "column": "A",
                "api_name": "Last_Call",
                "format": "yyyy-MM-dd'T'HH:mm:ss'Z'",
                "zone": "Asia/Tokyo",
            },
            {},
            (
                'The times of "A" say how far from UTC they are: they are sent as clocks show them '
                "in Asia/Tokyo."
            ),
        ),
        (
            {"column": "A", "api_name": "Last_Call", "format": "dd.MM.yyyy HH:mm 'MEZ'"},
            {},
            (
                'The times of "A" end in MEZ, which is no certain distance from UTC: they are sent '
                "as they are written."
            ),
        ),
        (
            {"column": "A", "api_name": "Phone"},
            {"operation": "update", "find_by": "Last_Name", "ignore_empty": False},
            "ignore_empty is false: empty cells erase what Bigin has in mapped fields.",
        ),
    ],
)
def test_what_a_person_should_know_is_a_warning(
    entry: dict[str, Any], keys: dict[str, Any], sentence: str
) -> None:
    mapping = mapping_of(field_mappings=[NAME, entry], **keys)

    assert sentence in planned(mapping, "A", "Name", fields=CONTACTS).warnings


def test_a_mapping_that_is_in_order_needs_no_warning() -> None:
    mapping = mapping_of(
        field_mappings=[
            NAME,
            {"column": "B", "api_name": "Last_Call", "format": "dd.MM.yyyy HH:mm 'Uhr'"},
            {"column": "A", "api_name": "Lead_Source", "values": {"Messe": "Fair"}},
            {"api_name": "Phone", "default_value": "none"},
        ]
    )

    assert planned(mapping, "A", "B", "Name", fields=CONTACTS).warnings == ()


def test_without_metadata_the_import_goes_on_and_says_so() -> None:
    plan = planned(mapping_of(columns={"A": "Anything", "B": "Lead_Source"}), "A", "B")

    assert plan.header == ("Anything", "Lead_Source")
    assert plan.warnings == (
        (
            "The fields of Contacts could not be asked of Bigin, so names, types and mandatory "
            "fields were not checked."
        ),
    )


def test_bigin_s_own_dates_need_their_format_even_without_metadata() -> None:
    born = {"column": "Born", "api_name": "Date_of_Birth"}

    with pytest.raises(DropRejectedError) as caught:
        planned(mapping_of(field_mappings=[born]), "Born")
    plan = planned(mapping_of(field_mappings=[born | {"format": "dd.MM.yyyy HH:mm"}]), "Born")

    assert '"Born" goes into the date field Date_of_Birth' in str(caught.value)
    assert plan.request.field_mappings[0].format == "yyyy-MM-dd"


def test_a_date_column_that_the_file_lacks_is_asked_for_its_format_all_the_same() -> None:
    mapping = mapping_of(columns={"Name": "Last_Name", "Bron": "Date_of_Birth"})

    with pytest.raises(DropRejectedError) as caught:
        planned(mapping, "Name", "Born", fields=CONTACTS)

    assert [problem.what.partition(",")[0] for problem in caught.value.problems] == [
        'd.csv has no column "Bron"',
        '"Bron" goes into the date field Date_of_Birth',
    ]


@pytest.mark.parametrize(
    ("api_name", "value", "remedy"),
    [
        ("Age", "many", 'Write a whole number, such as "5"'),
        ("Revenue", "1.234,50", 'Write digits with a point, such as "1234.5"'),
        ("Date_of_Birth", "2020-13-45", 'Write it like "2026-12-31"'),
        ("Last_Call", "2020-02-30 10:00:00", 'Write it like "2026-12-31 23:59:00"'),
        ("Email_Opt_Out", "ja", "Write true or false"),
        ("Email", "nobody", 'Write an address, such as "info@example.com"'),
        ("Owner", "Bob", "Write the id of a user of Bigin"),
        ("Supplier", "Acme", "Write the id of a record, or say by find_by what the value names"),
        ("Last_Name", "x" * 81, "The field takes 80 characters"),
        ("id", "new", "Write the id of a record"),
    ],
)
def test_a_default_that_its_field_does_not_take_is_refused(
    api_name: str, value: str, remedy: str
) -> None:
    find_by = {"find_by": "id"} if api_name == "Supplier" else {}

    refusal = refused_default({"api_name": api_name, "default_value": value} | find_by)

    assert refusal.startswith("m.json, line 1, field_mappings[1].default_value: the default for ")
    assert refusal.endswith(f". {remedy}")
    assert value not in refusal


@pytest.mark.parametrize(
    ("api_name", "value"),
    [
        ("Age", "-5"),
        ("Revenue", "1234.50"),
        ("Date_of_Birth", "2024-02-29"),
        ("Last_Call", "2024-02-29 23:59:59"),
        ("Email_Opt_Out", "true"),
        ("Email_Opt_Out", "False"),
        ("Owner", "111111000000541958"),
        ("Account_Name", "Acme"),
        ("Phone", ""),
        ("Lead_Source", "Trade show"),
    ],
)
def test_a_default_that_its_field_takes_is_accepted(api_name: str, value: str) -> None:
    entry = {"api_name": api_name, "default_value": value}
    mapping = mapping_of(field_mappings=[NAME, entry])

    plan = planned(mapping, "A", "Name", fields=WITH_TYPES)

    assert plan.request.field_mappings[1].default_value == value


def test_the_owner_and_the_id_have_their_types_even_without_metadata() -> None:
    for api_name in ("Owner", "id"):
        entry = {"api_name": api_name, "default_value": "Bob"}
        with pytest.raises(DropRejectedError):
            planned(mapping_of(field_mappings=[NAME, entry]), "Name")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"Nachname": "LastName"}, 'Did you mean "Last_Name"?'),
        (
            {"Nachname": "Last Name"},
            '"Last Name" is the label of Last_Name; write "Last_Name"',
        ),
        ({"Nachname": "Surname"}, 'Did you mean "Last_Name"?'),
    ],
)
def test_a_field_that_a_wrong_entry_was_meant_for_is_not_also_called_missing(
    wrong: dict[str, str], sentence: str
) -> None:
    columns = {"A": "E-mail"} | wrong
    mapping = mapping_of(operation="upsert", find_by="Email", columns=columns)

    with pytest.raises(DropRejectedError) as caught:
        planned(mapping, "A", "Nachname", fields=CONTACTS)

    assert [problem.remedy for problem in caught.value.problems] == [
        '"E-mail" is the label of Email; write "Email"',
        sentence,
    ]


@pytest.mark.parametrize("written", ["Date of Birth", "dateOfBirth", "Geburtstag"])
def test_an_entry_that_means_a_field_for_certain_is_checked_as_if_it_named_it(
    written: str,
) -> None:
    mapping = mapping_of(columns={"Name": "Last_Name", "Born": written})

    with pytest.raises(DropRejectedError) as caught:
        planned(mapping, "Name", "Born", fields=CONTACTS, date_formats=lambda _: ("dd.MM.yyyy",))

    unknown, no_format = caught.value.problems
    assert unknown.what == f'Contacts has no field "{written}"'
    assert '"api_name": "Date_of_Birth", "format": "dd.MM.yyyy"' in no_format.remedy


def test_an_entry_whose_field_is_guessed_is_not_checked_by_the_guess() -> None:
    mapping = mapping_of(columns={"Name": "Last_Name", "Born": "Date_of_Brith"})

    with pytest.raises(DropRejectedError) as caught:
        planned(mapping, "Name", "Born", fields=CONTACTS)

    (problem,) = caught.value.problems
    assert problem.remedy == 'Did you mean "Date_of_Birth"?'


def test_a_field_that_no_wrong_entry_was_meant_for_is_still_called_missing() -> None:
    with pytest.raises(DropRejectedError) as caught:
        planned(mapping_of(columns={"A": "Phnoe"}), "A", fields=CONTACTS)

    assert len(caught.value.problems) == 2
    assert 'Last_Name ("Last Name") is mandatory' in caught.value.problems[1].what


def test_a_key_that_is_wrong_in_the_same_way_as_its_entry_is_told_of_too() -> None:
    mapping = mapping_of(
        operation="upsert", find_by="E-Mail", columns={"A": "E-Mail", "Name": "Last_Name"}
    )

    with pytest.raises(DropRejectedError) as caught:
        planned(mapping, "A", "Name", fields=CONTACTS)

    label = '"E-mail" is the label of Email; write "Email"'
    assert list(map(str, caught.value.problems)) == [
        f'm.json, line 1, columns["A"]: Contacts has no field "E-Mail". {label}',
        f'm.json, find_by: Contacts has no field "E-Mail". {label}',
    ]


def test_what_pasted_keys_of_bigin_s_request_do_not_do_reaches_the_report() -> None:
    plan = planned(mapping_of(file_id="1", columns={"A": "Last_Name"}), "A", fields=CONTACTS)

    assert plan.warnings == (
        (
            "file_id in the mapping is not used: the dropped file gets an id of its own when it is "
            "uploaded."
        ),
    )


@pytest.mark.parametrize(
    ("mapping", "header"),
    [(mapping_of(), "Twin"), (mapping_of(columns={"Surname": "Last_Name", "X": "Twin"}), "X")],
    ids=["as a header", "in the mapping"],
)
def test_of_two_fields_with_one_label_none_is_taken_and_both_are_named(
    mapping: Mapping, header: str
) -> None:
    twins = (Field("Twin_1", "Twin", "text"), Field("Twin_2", "Twin", "text"))
    names = ("Last_Name" if header == "Twin" else "Surname", header)

    with pytest.raises(DropRejectedError) as rejected:
        planned(mapping, *names, fields=(*CONTACTS, *twins))

    assert "is the label of Twin_1 and Twin_2" in str(rejected.value)
