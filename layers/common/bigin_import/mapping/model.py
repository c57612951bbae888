"""The mapping in its one normalised form, whatever form a person wrote it in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bigin_import.domain.job_request import Field as ModuleField
from bigin_import.domain.job_request import Operation
from bigin_import.domain.plan import ValueRule
from bigin_import.mapping.keys import RULE_KEYS, rule_of
from bigin_import.reading.table import FILL, Options
from bigin_import.reading.workbook import SheetColumns
from bigin_import.splitting.numbers import NUMBER_TYPES

# Built on first use: an import that is sending needs no mapping any more.
# Read from what was stored, too, so its errors show no value.
_FROZEN = ConfigDict(frozen=True, extra="forbid", defer_build=True, hide_input_in_errors=True)


type Decimals = Iterable[tuple[str, str]]

_FORMATS_OF_TYPES = {"date": "yyyy-MM-dd", "datetime": "yyyy-MM-dd'T'HH:mm:ss"}


def format_of_type(data_type: str | None) -> str | None:
    """Return how a workbook's dates are written for a field of *data_type*; None for no date."""
    return _FORMATS_OF_TYPES.get(data_type or "")


class MappedField(BaseModel):
    """
    One field of Bigin and what fills it.

    Attributes:
        place: Where it stands in the mapping as written: "line 7, field_mappings[2]".
        has_keys: False if it was written as one name beside another, without keys of its own.
        api_name: "" only if it is unclear.
        column: Header of the drop; None if *index* counts instead, or for a constant.
        index: Column of the drop, from 0.
        default_value: Fills empty cells, or, without a column, every record.
        find_by: For a lookup, the field of the parent that the cells name.
        optional: The drop may lack the column.
        rule: What is stated of its cells.
        unclear: Keys that are missing or cannot be read. That has been told; nothing more is
            to be said about them. Never pinned: what is pinned has none.
    """

    model_config = _FROZEN

    place: str
    has_keys: bool = True
    api_name: str
    column: str | None = None
    index: int | None = None
    default_value: str | None = None
    find_by: str | None = None
    optional: bool = False
    rule: ValueRule = ValueRule()
    unclear: frozenset[str] = Field(frozenset(), exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _with_rule(cls, given: Any) -> Any:  # noqa: ANN401  # whatever is to be read
        """Read the keys of a rule beside the others, where earlier releases pinned them."""
        if not isinstance(given, dict):
            return given
        names = {key.name for key in RULE_KEYS}
        rest = {name: value for name, value in given.items() if name not in names}
        beside = {name: given[name] for name in names & given.keys()}
        return rest | {"rule": rule_of(beside)} if beside else rest

    @property
    def is_constant(self) -> bool:
        return not self.names_a_column and "column" not in self.unclear

    @property
    def names_a_column(self) -> bool:
        return self.column is not None or self.index is not None

    def at(self, key: str) -> str:
        """Return the place of *key*."""
        return f"{self.place}.{key}" if self.has_keys else self.place


class Mapping(BaseModel):
    """
    What a person asked for, complete and in one form. `model_dump_json()` is what gets pinned.

    Attributes:
        module: "" only if it is unclear.
        fields: Empty if the headers of the drop are themselves API names.
        ignore_empty: True, unlike Bigin's own default: empty cells erase nothing.
        character_encoding: Of the drop, a Python codec name.
        header: False if the drop has no header row.
        sheet: Of a workbook; None for the first one.
        ragged_rows: What becomes of rows that look broken or shifted.
        max_invalid_share: `on_bad_rows` as a number from 0 to 1; None if nothing is stated.
        force: Id of an earlier import that may be repeated.
        has_types: The cells of the drop have types, as those of a workbook. Never pinned.
        types: Of the fields then, label or API name -> data type. Never pinned.
        warnings: Sentences for the report about what was left out of the mapping as written.
        unclear: As for a field; with "field_mappings" in it, *fields* may lack some.
    """

    model_config = _FROZEN

    module: str
    operation: Operation
    find_by: str | None = None
    fields: tuple[MappedField, ...] = ()
    ignore_empty: bool = True
    character_encoding: str | None = None
    header: bool = True
    ragged_rows: Literal["invalid", "fill"] = "invalid"
    sheet: str | None = None
    empty_key: Literal["invalid", "send"] = "invalid"
    duplicate_keys: Literal["send", "reject"] = "send"
    max_invalid_share: float | None = None
    force: str | None = None
    dry_run: bool = False
    has_types: bool = Field(False, exclude=True)
    types: dict[str, str] = Field({}, exclude=True)
    warnings: tuple[str, ...] = ()
    unclear: frozenset[str] = Field(frozenset(), exclude=True)

    def with_types(self, fields: Iterable[ModuleField], decimals: Decimals = ()) -> Mapping:
        """
        Return it for a drop whose cells have types: what it does not state is certain all the same.

        Args:
            decimals: API name -> decimal mark of the texts among the numbers.
        """
        known = tuple(fields)
        types = {each.label: each.data_type for each in known}
        types |= {each.api_name: each.data_type for each in known}
        marks = dict(decimals)
        typed = []
        for mapped in self.fields:
            rule = replace(
                mapped.rule,
                date_format=mapped.rule.date_format or format_of_type(types.get(mapped.api_name)),
                decimal=mapped.rule.decimal or marks.get(mapped.api_name),
            )
            typed.append(mapped.model_copy(update={"rule": rule}))
        update = {"fields": tuple(typed), "has_types": True, "types": types}
        return self.model_copy(update=update)

    @property
    def options(self) -> Options:
        """How the rows of the drop are to be read."""
        return Options(
            fills=self.ragged_rows == FILL,
            has_header=self.header,
            sheet=self.sheet,
            columns=self._sheet_columns(),
        )

    def _sheet_columns(self) -> SheetColumns:
        columns = self._columns()
        return SheetColumns(
            rules={key: rule for key, (rule, _) in columns.items()},
            mapped=None if self.names_fields_by_header else frozenset(columns),
            numbers=frozenset(
                key
                for key, (rule, data_type) in columns.items()
                if data_type in NUMBER_TYPES and not rule.decimal
            ),
        )

    def _columns(self) -> dict[str | int, tuple[ValueRule, str | None]]:
        """Return, by header or by position, the rule of a column and the type of its field."""
        if self.names_fields_by_header:
            kinds = self.types.items()
            return {name: (ValueRule(date_format=format_of_type(t)), t) for name, t in kinds}
        return {
            key: (field.rule, self.types.get(field.api_name))
            for field in self.fields
            if (key := field.column if field.column is not None else field.index) is not None
        }

    @property
    def names_fields_by_header(self) -> bool:
        """Return whether nothing is mapped, so that the headers of the drop name the fields."""
        return not self.fields and "field_mappings" not in self.unclear

    @property
    def may_fill_more(self) -> bool:
        """Return whether it may have been meant to fill more fields than could be read."""
        return "field_mappings" in self.unclear or any(not field.api_name for field in self.fields)
