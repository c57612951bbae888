"""
The table of what a mapping may say.

One row for each key: what may be written, which fields take it, its default.
Schema, model, checks, column plan, suggestion and identity read the table. They name a key of a
rule only where it depends on another key, the field, the drop or the organisation. A new one is a
row here, an attribute of `ValueRule`, what `splitting.kinds` makes of it, what it changes of plain
cells in `_cell` of `splitting.column_reader`, a section of README.md beside this, which is the
reference for people, and the schema file, which the command in `mapping.schema` makes.
"""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from bigin_import.domain.plan import ValueRule
from bigin_import.mapping.names import loose_form, nearest
from bigin_import.splitting.dates import date_format_flaw, date_format_remedy
from bigin_import.splitting.numbers import NUMBER_TYPES

DATE_TYPES = frozenset({"date", "datetime"})

ENCODINGS = ("UTF-8", "UTF-16", "windows-1252", "windows-1250", "ISO-8859-1", "cp850", "macroman")
_SOME_ENCODINGS = '"UTF-8", "windows-1252", "cp850" or "macroman"'
PERCENT = r"^\d{1,3}(\.\d+)?\s*%$"
IMPORT_ID = r"^[0-9a-z]{26}$"

# What programs call an encoding in their menus.
_ENCODING_ALIASES = {
    "ansi": "windows-1252",
    "windowsansi": "windows-1252",
    "westerneuropean": "windows-1252",
    "excel": "windows-1252",
    "unicode": "UTF-16",
    "dos": "cp850",
    "mac": "macroman",
    "macintosh": "macroman",
}

# Python calls these text encodings, but nobody's spreadsheet writes them.
_NOT_FOR_FILES = frozenset(
    {"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined"}
)


def _share(percent: str) -> float:
    """Return "1%" as 0.01."""
    return float(Decimal(percent.rstrip("% ")) / 100)


def refusal(what: str, remedy: str, *, meant: str | None = None) -> PydanticCustomError:
    """Return an error that becomes a problem as it stands; *meant*: see `parse.Said`."""
    return PydanticCustomError(
        "refused", "{what}", {"what": what, "remedy": remedy, "meant": meant}
    )


def as_text(value: object) -> object:
    """Let `true` and `5` stand for the texts that Bigin would read in a cell."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


def _as_plain_space(mark: str) -> str:
    """Let one space stand for all that look like it; numbers are read that way too."""
    return " " if mark.isspace() else mark


def _checked_date_format(pattern: str) -> str:
    if flaw := date_format_flaw(pattern):
        raise refusal(f'"{pattern}" is not a date format: {flaw}', date_format_remedy(pattern))
    return pattern


def _checked_zone(name: str) -> str:
    if name not in available_timezones():
        meant = nearest(name, available_timezones(), similarity=0.8)
        remedy = f'Did you mean "{meant}"?' if meant else 'Write it like "Europe/Berlin"'
        raise refusal(f'"{name}" is not a time zone', remedy, meant=meant)
    return name


def _codec_name(name: str) -> str:
    """Return the name of the Python codec that *name* means."""
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=name)  # refuses "base64", which is no text
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        codec = ""
    if not codec or codec in _NOT_FOR_FILES:
        meant = _ENCODING_ALIASES.get(loose_form(name)) or nearest(name, ENCODINGS)
        remedy = f'Did you mean "{meant}"?' if meant else f"Write for example {_SOME_ENCODINGS}"
        raise refusal(f'"{name}" is not an encoding', remedy, meant=meant)
    return codec


def _checked_percentage(percent: object) -> object:
    is_share = isinstance(percent, str) and re.fullmatch(PERCENT, percent)
    if percent is not None and not (is_share and _share(str(percent)) <= 1):
        raise refusal(
            f"{json.dumps(percent)} is not a percentage from 0% to 100%",
            'Write it in quotes, such as "1%"',
        )
    return percent


def _checked_import_id(text: str) -> str:
    if not re.fullmatch(IMPORT_ID, text):
        raise refusal(
            f'"{text}" is not the id of an import',
            "Copy the 26 characters from the report of the import to repeat",
        )
    return text


type Text = Annotated[str, BeforeValidator(as_text, json_schema_input_type=str | int | bool)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleKey:
    """
    A key of an entry of `field_mappings` that says how the cells of its column are read.

    Attributes:
        written: What may be written, as an annotation for pydantic.
        types: Data types of the fields that take it; None: those of every field.
        subject: What it is for, in a word for messages; "" if it is for every field.
        attribute: Of `ValueRule`, where its value is kept.
        is_dict: It is kept as pairs, for a rule is hashable.
        is_claimed: It changes what is sent for a cell.
        is_always_claimed: The content claim names it at its default too, as the first releases
            did; all others are left out of it there.
    """

    name: str
    written: Any
    description: str
    types: frozenset[str] | None = None
    subject: str = ""
    attribute: str = ""
    is_dict: bool = False
    is_claimed: bool = True
    is_always_claimed: bool = False

    @property
    def place(self) -> str:
        return self.attribute or self.name

    @property
    def default(self) -> object:
        """What a rule has where nothing is said."""
        return getattr(ValueRule(), self.place)

    def of(self, rule: ValueRule) -> Any:  # noqa: ANN401  # each key has a type of its own
        """Return its value in *rule* as people write it; None at its default."""
        value = getattr(rule, self.place)
        if value == self.default:
            return None
        return dict(value) if self.is_dict else value

    @property
    def excludes(self) -> frozenset[str]:
        """Keys that cannot stand beside it, because no field takes both."""
        types = self.types
        return frozenset(
            other.name
            for other in RULE_KEYS
            if types is not None and other.types is not None and types.isdisjoint(other.types)
        )

    def suits(self, data_type: str) -> bool:
        """Return whether it is of use for a field of this type."""
        return self.types is None or data_type in self.types


RULE_KEYS = (
    RuleKey(
        name="format",
        written=Annotated[str, AfterValidator(_checked_date_format)],
        description="How the CSV writes dates, such as dd.MM.yyyy.",
        types=DATE_TYPES,
        subject="dates",
        attribute="date_format",
        is_always_claimed=True,
    ),
    RuleKey(
        name="decimal",
        written=Literal[",", "."],
        description="Decimal mark of the CSV.",
        types=NUMBER_TYPES,
        subject="numbers",
        is_always_claimed=True,
    ),
    RuleKey(
        name="thousands",
        written=Annotated[
            Literal[",", ".", " ", "'", "’", "\u00a0", "\u202f"], AfterValidator(_as_plain_space)
        ],
        description="Thousands mark of the CSV; it is removed.",
        types=NUMBER_TYPES,
        subject="numbers",
        is_always_claimed=True,
    ),
    RuleKey(
        name="values",
        written=dict[str, Text],
        description="Cells to replace: what the CSV says, what Bigin gets.",
        is_dict=True,
        is_always_claimed=True,
    ),
    RuleKey(
        name="century",
        written=Literal["past", "19", "20"],
        description="Century of years with two digits; past: the latest that is not in the future.",
        types=DATE_TYPES,
        subject="dates",
    ),
    RuleKey(
        name="zone",
        written=Annotated[str, AfterValidator(_checked_zone)],
        description="Time zone in which Bigin is to show times with an offset.",
        types=frozenset({"datetime"}),
        subject="times",
    ),
    RuleKey(
        name="separator",
        written=Annotated[str, Field(min_length=1, max_length=3)],
        description="What stands between several values in a cell, if not a semicolon.",
        types=frozenset({"multiselectpicklist"}),
        subject="fields with several values",
    ),
    RuleKey(
        name="new_values",
        written=Literal["add", "reject"],
        description="Values that the picklist does not have: Bigin adds them, or the drop is "
        "rejected; without it only for values that are nearly known ones.",
        types=frozenset({"picklist", "multiselectpicklist"}),
        subject="picklists",
        is_claimed=False,
    ),
)


def rule_of(stated: dict[str, Any]) -> ValueRule:
    """Return the rule that *stated* makes, which has keys as people write them."""
    given: dict[str, Any] = {
        key.place: tuple(dict(value).items()) if key.is_dict else value
        for key in RULE_KEYS
        if (value := stated.get(key.name)) is not None
    }
    return ValueRule(**given)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingKey:
    """
    A key of the whole mapping that has a default.

    Attributes:
        written: What may be written, as an annotation for pydantic.
        default: Of `model.Mapping`, and what README.md says.
        attribute: Of `model.Mapping`, where its value is kept.
        as_kept, as_written: From the one form to the other.
        is_kept: A suggested mapping repeats it.
        schema: What the JSON schema says besides.
    """

    name: str
    written: Any
    description: str
    default: object
    attribute: str = ""
    as_kept: Callable[[Any], object] = lambda written: written
    as_written: Callable[[Any], object] = lambda kept: kept
    is_kept: bool = True
    schema: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return self.attribute or self.name


def _percentage(share_allowed: float) -> str:
    """Return 0.01 as "1%"."""
    return f"{share_allowed:.10%}".rstrip("%0").rstrip(".") + "%"


SETTING_KEYS = (
    SettingKey(
        name="ignore_empty",
        written=bool,
        description="true, our default: empty cells erase nothing in Bigin.",
        default=True,
    ),
    SettingKey(
        name="character_encoding",
        written=Annotated[str, AfterValidator(_codec_name)],
        description="Encoding of the CSV if it is not UTF-8, such as windows-1252.",
        default=None,
    ),
    SettingKey(
        name="header",
        written=bool,
        description="false: the CSV has no header row; its columns are then counted by index.",
        default=True,
    ),
    SettingKey(
        name="ragged_rows",
        written=Literal["invalid", "fill"],
        description="Rows that look broken or shifted: not sent (our default), or filled with "
        "empty cells, and empty cells too many cut off.",
        default="invalid",
    ),
    SettingKey(
        name="sheet",
        written=str,
        description="Of an Excel workbook, the sheet to read; our default: the first one.",
        default=None,
    ),
    SettingKey(
        name="empty_key",
        written=Literal["invalid", "send"],
        description="Rows whose find_by cell is empty: not sent (our default), or sent.",
        default="invalid",
    ),
    SettingKey(
        name="duplicate_keys",
        written=Literal["send", "reject"],
        description="Rows with the same key: sent (our default), or the drop is rejected.",
        default="send",
    ),
    SettingKey(
        name="on_bad_rows",
        written=Annotated[str | None, BeforeValidator(_checked_percentage)],
        description="Share of invalid rows above which the drop is rejected; our default: ten rows "
        "or 1%, whichever is more, but never more than a quarter.",
        default=None,
        attribute="max_invalid_share",
        as_kept=_share,
        as_written=_percentage,
        schema={"pattern": PERCENT},
    ),
    SettingKey(
        name="force",
        written=Annotated[str, AfterValidator(_checked_import_id)],
        description="Id of an earlier import that may be repeated; works once.",
        default=None,
        is_kept=False,
        schema={"pattern": IMPORT_ID},
    ),
    SettingKey(
        name="dry_run",
        written=bool,
        description="true: check everything, send nothing.",
        default=False,
    ),
)
