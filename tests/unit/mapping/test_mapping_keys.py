"""Every key of a mapping goes its whole way: README, schema, model, checks, plan, suggestion."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest

import bigin_import.mapping
from bigin_import.deduplication.claims import normalised_mapping
from bigin_import.domain.job_request import Field
from bigin_import.domain.plan import ColumnPlan, PlannedColumn, ValueRule
from bigin_import.errors import DropRejectedError
from bigin_import.mapping.keys import DATE_TYPES, RULE_KEYS, SETTING_KEYS, RuleKey, SettingKey
from bigin_import.mapping.model import MappedField, Mapping
from bigin_import.mapping.parse import read_mapping
from bigin_import.mapping.schema import Entry, MappingSchema
from bigin_import.mapping.suggest import suggest_mapping
from bigin_import.reading.blocks import Block, read_blocks
from bigin_import.splitting.column_reader import ColumnReader, RowPattern
from bigin_import.splitting.numbers import NUMBER_TYPES
from tests.unit.mapping.contacts import CONTACTS, mapping_of, parse_mapping, planned

README = Path(bigin_import.mapping.__file__).with_name("README.md").read_text(encoding="utf-8")
SECTIONS = dict(
    re.findall(r"^### `([\w$]+)`(?: .*)?\n(.*?)(?=^##|\Z)", README, re.DOTALL | re.MULTILINE)
)
PLAIN_TYPES = ("text", "picklist", "boolean", "email", "phone")
ALL_TYPES = frozenset(PLAIN_TYPES) | DATE_TYPES | NUMBER_TYPES | {"lookup", "multiselectpicklist"}

rule_keys = pytest.mark.parametrize("key", RULE_KEYS, ids=lambda key: key.name)
setting_keys = pytest.mark.parametrize("key", SETTING_KEYS, ids=lambda key: key.name)


def example_of(name: str) -> dict[str, Any]:
    """Return the example of a key in README.md as a whole mapping."""
    (text,) = re.findall(r"```json\n(.*?)```", SECTIONS[name], re.DOTALL)
    example: dict[str, Any] = json.loads(text)
    if "api_name" in example:
        example = {"field_mappings": [example]}
    whole = {"module": "Contacts", "operation": "insert", "columns": {"Name": "Last_Name"}}
    return whole | example


def entry_of(key: RuleKey) -> dict[str, Any]:
    entry: dict[str, Any] = example_of(key.name)["field_mappings"][0]
    return entry


def example_mapping(key: RuleKey) -> Mapping:
    return parse_mapping(json.dumps(example_of(key.name)).encode(), name="m.json")


def example_plan(
    key: RuleKey, kind: str | None = None, *, role: str = "plain", **stated: str
) -> tuple[ColumnPlan, PlannedColumn]:
    """
    Return the plan of a key's example, and in it the column that has the key.

    Args:
        kind: Of the field; None for the first type that takes the key.
        role: What the column is besides: one of ROLES.
        stated: What its entry says instead.
    """
    example, kind = example_of(key.name), kind or min(key.types or {"text"})
    entry = example["field_mappings"][0]
    entry |= stated
    if kind in DATE_TYPES:
        entry.setdefault("format", "dd.MM.yyyy")
    if kind == "lookup":
        entry["find_by"] = "Account_Name"
    values = ("Open", "Won") if "list" in kind else ()
    parent = "Accounts" if kind == "lookup" else None
    field = Field(entry["api_name"], "Label", kind, pick_list=values, lookup_module=parent)
    mapping = parse_mapping(json.dumps(example).encode(), name="m.json")
    plan = planned(mapping, "Name", entry["column"], fields=(*CONTACTS[:1], field))
    (at,) = (n for n, each in enumerate(plan.columns) if each.api_name == entry["api_name"])
    column = replace(plan.columns[at], is_mandatory=role == "mandatory")
    columns = (*plan.columns[:at], column, *plan.columns[at + 1 :])
    key_at = at if role == "key" else None
    return replace(plan, columns=columns, key=key_at, arrived="2026-11-28"), column


def cells_in_readme(key: RuleKey) -> dict[str, str]:
    """Return cells, and what README.md says becomes of them."""
    return dict(re.findall(r"`([^`]*)` becomes `([^`]*)`", SECTIONS[key.name]))


def is_sent_as_it_is(plan: ColumnPlan, column: PlannedColumn, cell: str) -> bool:
    """Return whether a block with *cell* is sent whole: see `splitting.column_reader`."""
    numbers = [20_000]  # behind the rows of which samples are taken
    readers = [ColumnReader(plan, place) for place in range(len(plan.columns))]
    row = ["Ada"] * len(plan.columns)
    row[column.source] = cell
    for reader in readers:
        reader.commit(reader.read([row[reader.planned.source]], numbers), numbers)
        reader.has_fitting = True  # as by other rows, whatever became of this one
    lines = iter(["\t".join(row) + "\n"])
    (block,) = read_blocks(
        lines, delimiter="\t", name="x.csv", width=len(row), skip=0, rows_above=20_000
    )
    assert isinstance(block, Block)
    return RowPattern(plan, readers).matches(block)


def documented() -> list[str]:
    entries = [name for name in Entry.model_fields if name not in MappingSchema.model_fields]
    return [*(name for name in MappingSchema.model_fields if not name.endswith("_")), *entries]


@pytest.mark.parametrize("name", documented())
def test_every_key_has_its_section_in_the_readme_and_its_example_is_read(name: str) -> None:
    reading = read_mapping(json.dumps(example_of(name)).encode(), name="m.json")

    assert reading.problems == ()
    assert f'"{name}"' in json.dumps(example_of(name))
    assert "Default:" in SECTIONS[name]


def test_the_readme_tells_of_no_key_that_there_is_not() -> None:
    assert set(SECTIONS) == set(documented())


@setting_keys
def test_a_setting_has_the_default_that_table_model_and_readme_say(key: SettingKey) -> None:
    default = Mapping.model_fields[key.place].default
    written = None if default is None else key.as_written(default)

    assert default == key.default
    assert (
        "Default: none" in SECTIONS[key.name]
        if written is None
        else (f"Default: `{json.dumps(written)}`" in SECTIONS[key.name])
    )


@setting_keys
def test_a_setting_that_is_stated_reaches_the_mapping_and_a_suggestion(key: SettingKey) -> None:
    example = example_of(key.name)
    mapping = mapping_of(**example)
    suggested = json.loads(suggest_mapping(("Name",), None, mapping=mapping))

    assert getattr(mapping, key.place) != key.default
    assert (key.name in suggested) == key.is_kept
    assert not key.is_kept or getattr(mapping_of(**suggested), key.place) == getattr(
        mapping, key.place
    )


def test_every_attribute_of_a_rule_is_a_key_or_follows_from_one() -> None:
    follows_from_the_field = {"with_time"}

    assert {each.name for each in fields(ValueRule)} - follows_from_the_field == {
        key.place for key in RULE_KEYS
    }


@rule_keys
def test_a_rule_is_pinned_and_read_back(key: RuleKey) -> None:
    mapping = example_mapping(key)

    assert key.of(mapping.fields[-1].rule) is not None
    assert Mapping.model_validate_json(mapping.model_dump_json()) == mapping


@rule_keys
def test_a_rule_that_is_stated_is_planned(key: RuleKey) -> None:
    _, column = example_plan(key)

    assert column.rule is not None
    assert getattr(column.rule, key.place) != key.default


@rule_keys
def test_a_rule_that_is_stated_is_kept_in_a_suggestion(key: RuleKey) -> None:
    header = ("Name", entry_of(key)["column"])
    suggested = json.loads(suggest_mapping(header, None, mapping=example_mapping(key)))

    assert suggested["field_mappings"][-1][key.name] == entry_of(key)[key.name]


@rule_keys
def test_a_rule_says_what_fields_take_it(key: RuleKey) -> None:
    refusing = [kind for kind in PLAIN_TYPES if not key.suits(kind)]
    mapping = example_mapping(key)

    for kind in refusing:
        field = Field(entry_of(key)["api_name"], "Label", kind)
        with pytest.raises(DropRejectedError, match=f"{key.name} is for {key.subject}, but"):
            planned(mapping, "Name", entry_of(key)["column"], fields=(*CONTACTS[:1], field))

    assert (key.types is None) == (not refusing)


@rule_keys
def test_a_rule_cannot_stand_beside_what_it_excludes(key: RuleKey) -> None:
    by_name = {each.name: each for each in RULE_KEYS}
    for other in key.excludes:
        entry = entry_of(by_name[other]) | entry_of(key)
        text = json.dumps({"module": "Contacts", "operation": "insert", "field_mappings": [entry]})
        reading = read_mapping(text.encode(), name="m.json")

        assert any("cannot stand beside" in problem.what for problem in reading.problems)


@rule_keys
def test_a_rule_is_part_of_the_content_claim_unless_it_changes_no_cell(key: RuleKey) -> None:
    plan, _ = example_plan(key)
    plain = tuple(replace(column, rule=None) for column in plan.columns)

    is_other_work = normalised_mapping(plan) != normalised_mapping(replace(plan, columns=plain))
    assert is_other_work == key.is_claimed


@rule_keys
def test_a_rule_makes_of_a_cell_what_the_readme_says(key: RuleKey) -> None:
    plan, column = example_plan(key)
    reader = ColumnReader(plan, plan.columns.index(column))
    shown = cells_in_readme(key)

    assert bool(shown) == key.is_claimed
    assert {cell: reader.read([cell], [2]).values[0] for cell in shown} == shown


# Of each word of a key that takes one of a few: cells, and what is sent of them.
WORDS = {
    ("decimal", ","): {"1.234,50": "1234.50", "0,125": "0.125"},
    ("decimal", "."): {"1,234.50": "1234.50", "1.250,50": "1.250,50"},
    ("thousands", ","): {"1,234.50": "1234.50", "1'234.50": "1'234.50"},
    ("thousands", "."): {"1.234,50": "1234.50", "1 234,50": "1 234,50"},
    ("thousands", " "): {"1 234.50": "1234.50", "1,234.50": "1,234.50"},
    ("thousands", "'"): {"1'234.50": "1234.50", "1,234.50": "1,234.50"},
    ("thousands", "’"): {"1’234.50": "1234.50", "1,234.50": "1,234.50"},
    ("thousands", "\u00a0"): {"1\u00a0234.50": "1234.50", "1,234.50": "1,234.50"},
    ("thousands", "\u202f"): {"1\u202f234.50": "1234.50", "1,234.50": "1,234.50"},
    ("century", "past"): {"05.04.31": "1931-04-05", "05.04.24": "2024-04-05"},
    ("century", "19"): {"05.04.31": "1931-04-05", "05.04.24": "1924-04-05"},
    ("century", "20"): {"05.04.31": "2031-04-05", "05.04.75": "2075-04-05"},
}


def words_of(written: Any) -> tuple[str, ...]:  # noqa: ANN401  # whatever pydantic takes
    """Return the words of a Literal; () if anything may be written."""
    bare = get_args(written)[0] if get_origin(written) is Annotated else written
    return get_args(bare) if get_origin(bare) is Literal else ()


def test_what_each_word_of_a_rule_means_is_tried() -> None:
    words = {
        (key.name, word) for key in RULE_KEYS if key.is_claimed for word in words_of(key.written)
    }

    assert WORDS.keys() == words


@pytest.mark.parametrize(("name", "word"), WORDS)
def test_each_word_of_a_rule_is_followed(name: str, word: str) -> None:
    cells = WORDS[name, word]
    other = {"decimal": ","} if (name, word) == ("thousands", ".") else {}
    (key,) = (each for each in RULE_KEYS if each.name == name)
    plan, column = example_plan(key, **{name: word}, **other)
    reader = ColumnReader(plan, plan.columns.index(column))

    assert {cell: reader.read([cell], [2]).values[0] for cell in cells} == cells
    changed = [cell for cell, sent in cells.items() if cell != sent]
    assert not any(is_sent_as_it_is(plan, column, cell) for cell in changed)


# A key is read trimmed, a mandatory cell is never empty: both have patterns of their own.
ROLES = ("plain", "key", "mandatory")
roles = pytest.mark.parametrize("role", ROLES)
keys_and_kinds = pytest.mark.parametrize(
    ("key", "kind"),
    [(key, kind) for key in RULE_KEYS for kind in sorted(key.types or ALL_TYPES)],
    ids=lambda each: getattr(each, "name", each),
)


@roles
@keys_and_kinds
def test_a_rule_is_followed_for_every_type_of_field_that_takes_it(
    key: RuleKey, kind: str, role: str
) -> None:
    plan, column = example_plan(key, kind, role=role)
    reader = ColumnReader(plan, plan.columns.index(column))

    assert key.of(column.rule or ValueRule()) == entry_of(key)[key.name]
    for cell, sent in cells_in_readme(key).items():
        value = reader.read([cell], [2]).values[0]
        assert value == sent or value == f"{sent} 00:00:00"  # noqa: PLR1714  # of a datetime


@roles
@keys_and_kinds
def test_no_rows_are_sent_as_they_are_in_which_a_rule_changes_a_cell(
    key: RuleKey, kind: str, role: str
) -> None:
    plan, column = example_plan(key, kind, role=role)

    assert not any(is_sent_as_it_is(plan, column, cell) for cell in cells_in_readme(key))


def test_numbers_are_the_same_types_for_mapping_and_reading() -> None:
    marks = {each.types for each in RULE_KEYS if each.name in ("decimal", "thousands")}

    assert marks == {NUMBER_TYPES}


def test_rules_that_the_release_before_pinned_are_read() -> None:
    pinned = {
        "place": "line 1",
        "api_name": "Revenue",
        "column": "Sum",
        "format": None,
        "decimal": ",",
        "thousands": ".",
        "values": [["-", ""]],
    }

    assert MappedField.model_validate(pinned).rule == ValueRule(
        values=(("-", ""),), decimal=",", thousands="."
    )


@rule_keys
def test_a_key_of_some_types_says_what_it_is_for(key: RuleKey) -> None:
    """A message would read "case is for , but" without it."""
    assert bool(key.subject) == (key.types is not None)
