"""Whether a default value is one that its field takes: Bigin charges before it looks at it."""

from __future__ import annotations

import re

from bigin_import.mapping.date_formats import SENT_DATE, SENT_DATETIME
from bigin_import.mapping.model import MappedField
from bigin_import.mapping.module_fields import DATE_TYPES, NUMBER_TYPES, ModuleFields
from bigin_import.models import PlannedColumn
from bigin_import.tabular.dates import DatePattern
from bigin_import.tabular.fitness import fitness

_DATES = {
    "date": (SENT_DATE, re.compile(r"\d{4}-\d\d-\d\d"), "2026-12-31"),
    "datetime": (
        SENT_DATETIME,
        re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
        "2026-12-31 23:59:00",
    ),
}
_A_NUMBER = 'Write digits with a point, such as "1234.5"'
_REMEDIES = dict.fromkeys(NUMBER_TYPES, _A_NUMBER) | {
    "integer": 'Write a whole number, such as "5"',
    "bigint": 'Write a whole number, such as "5"',
    "boolean": "Write true or false",
    "email": 'Write an address, such as "info@example.com"',
    "ownerlookup": "Write the id of a user of Bigin",
    "lookup": "Write the id of a record, or say by find_by what the value names",
    "id": "Write the id of a record",
}
# Of fields that every module has, whether or not its metadata lists them.
_ALWAYS = {"id": "id", "Owner": "ownerlookup"}


def default_flaw(mapped: MappedField, fields: ModuleFields) -> tuple[str, str] | None:
    """Return what is wrong with the default value of *mapped* and what to do, if anything is."""
    value, api_name = mapped.default_value, mapped.api_name
    kind = _ALWAYS.get(api_name) or fields.data_type(api_name)
    if not value or kind is None:
        return None
    if kind in DATE_TYPES:
        return _date_flaw(value, kind, api_name)
    if kind == "lookup" and fields.parent_key(mapped) != "id":
        return None  # it is text that Bigin looks for in the parent
    field = fields.by_name.get(api_name)
    length = field.length if field else None
    fits = fitness(PlannedColumn(0, "", api_name, length=length), kind)
    if fits is None or fits.one(value):
        return None
    what = f"the default for the {kind} field {api_name} is not one that Bigin takes"
    return what, _REMEDIES.get(kind, fits.remedy)


def _date_flaw(value: str, kind: str, api_name: str) -> tuple[str, str] | None:
    pattern, shape, example = _DATES[kind]
    if not shape.fullmatch(value):
        what = f"the default for the {kind} field {api_name} is not written as Bigin's"
        return what, f'Write it like "{example}"'
    try:
        DatePattern(pattern).read(value)
    except ValueError:
        what = f"the default for the {kind} field {api_name} is no day of the calendar"
        return what, f'Write it like "{example}"'
    return None
