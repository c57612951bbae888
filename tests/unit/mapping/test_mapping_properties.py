"""What holds for any mapping and for any bytes at all."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bigin_import.mapping.model import Mapping
from bigin_import.mapping.parse import read_mapping
from bigin_import.mapping.schema import Entry, MappingSchema
from bigin_import.mapping.suggest import suggest_mapping
from bigin_import.mapping.validate import validate
from bigin_import.reading.dialect import matching_form
from bigin_import.splitting.dates import DatePattern, date_format_flaw
from tests.unit.mapping.contacts import CONTACTS, parse_mapping

# Real keys in impossible places break a parser sooner than noise does.
KEYS = st.sampled_from(
    [*MappingSchema.model_fields, *Entry.model_fields, "value", "resource", "type", "callback"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
WORDS = st.sampled_from(["upsert", "insert", "Contacts", "Email", "Id", "1%", "dd.MM.yyyy", ","])
JSON = st.recursive(
    SCALARS | WORDS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=8,
)
ENTRIES = st.lists(st.dictionaries(KEYS, JSON, max_size=5), max_size=3)
# U+FFFD stands for bytes that were no text: what has one is unclear, which is not pinned.
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"), min_size=1).filter(
    lambda name: name.casefold() != "id"
)
Strategies = dict[str, st.SearchStrategy[Any]]
ALWAYS_IN_AN_ENTRY: Strategies = {"column": NAMES, "api_name": NAMES}
SOMETIMES_IN_AN_ENTRY: Strategies = {
    "default_value": st.text(),
    "find_by": NAMES,
    "values": st.dictionaries(st.text(), st.text()),
}
ENTRY = st.fixed_dictionaries(ALWAYS_IN_AN_ENTRY, optional=SOMETIMES_IN_AN_ENTRY)
ALWAYS: Strategies = {
    "module": st.sampled_from(["Contacts", "Accounts", "Own_Module"]),
    "operation": st.sampled_from(["insert", "update", "upsert"]),
    "find_by": NAMES,
    "field_mappings": st.lists(ENTRY, min_size=1, unique_by=lambda entry: str(entry["api_name"])),
}
SOMETIMES: Strategies = {
    "ignore_empty": st.booleans(),
    "on_bad_rows": st.integers(0, 100).map("{}%".format),
    "empty_key": st.sampled_from(["invalid", "send"]),
    "character_encoding": st.sampled_from(["UTF-8", "cp850", "windows-1252"]),
}
VALID = st.fixed_dictionaries(ALWAYS, optional=SOMETIMES)


# Marks that a person forgets, doubles or misplaces.
MARKS = st.sampled_from(["{", "}", "[", "]", ",", ":", '"', "'", "”", "//", "#", "/*", "\\", "\n"])


def refuses_or_reads(raw: bytes) -> None:
    """Whatever is understood of *raw* can be held against a drop and made a suggestion of."""
    reading = read_mapping(raw, name="m.json")
    problems = reading.problems
    assert reading.mapping is not None or problems
    if reading.mapping is not None:
        for header in (("Email", "Last Name", "Email"), None):
            examined = validate(
                reading.mapping, header, CONTACTS, mapping_name="m.json", drop_name="d.csv"
            )
            problems += examined.problems
        json.loads(suggest_mapping(("Email", "Last Name"), CONTACTS, mapping=reading.mapping))
    "".join(map(str, problems)).encode()  # it goes into a report


@given(st.binary())
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    refuses_or_reads(raw)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    refuses_or_reads(text.encode())


@given(JSON | st.dictionaries(KEYS, JSON | ENTRIES, max_size=6))
def test_any_json_is_read_or_refused(value: object) -> None:
    refuses_or_reads(json.dumps(value).encode())


@given(VALID, st.lists(st.tuples(st.integers(0, 2000), MARKS, st.booleans()), max_size=4))
def test_any_mistake_in_the_syntax_is_read_or_refused(
    written: dict[str, Any], slips: list[tuple[int, str, bool]]
) -> None:
    text = json.dumps(written, indent=1)
    for at, mark, replaces in slips:
        text = text[:at] + mark + text[at + replaces :]

    refuses_or_reads(text.encode())


@given(VALID)
def test_what_was_pinned_is_read_back_as_it_was(written: dict[str, Any]) -> None:
    mapping = parse_mapping(json.dumps(written).encode(), name="m.json")

    assert Mapping.model_validate_json(mapping.model_dump_json()) == mapping
    assert [field.column for field in mapping.fields] == [
        entry["column"] for entry in written["field_mappings"]
    ]


@given(st.text())
def test_the_matching_form_of_a_header_is_its_own_matching_form(header: str) -> None:
    assert matching_form(matching_form(header)) == matching_form(header)


@given(st.lists(st.sampled_from([*"yMdHhmsSaTEz'.-/: "]) | st.sampled_from(["yyyy", "MM", "dd"])))
def test_every_format_that_a_mapping_may_state_can_be_read_from_a_drop(pieces: list[str]) -> None:
    pattern = "".join(pieces)

    if date_format_flaw(pattern) is None:
        DatePattern(pattern)


@given(st.lists(st.text() | st.sampled_from(["Email", "Phone", "Date of Birth"])))
def test_a_suggestion_is_json_that_fills_a_field_once_from_a_column_of_the_drop(
    header: list[str],
) -> None:
    suggestion = suggest_mapping(tuple(header), CONTACTS)

    entries = json.loads(suggestion)["field_mappings"]
    filled = [entry["api_name"] for entry in entries]
    assert len(set(filled)) == len(filled)
    named = [entry for entry in entries if not entry.get("column", "").startswith("write here")]
    assert all(entry.get("column", "") in ("", *header) for entry in named)
    assert all(entry.get("index", 0) < len(header) for entry in named if "index" in entry)
