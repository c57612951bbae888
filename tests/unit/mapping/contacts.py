"""The fields of a module as its metadata gives them, for the tests of this package."""

from __future__ import annotations

import json
from typing import Any

from bigin_import.domain.job_request import Field
from bigin_import.domain.plan import ColumnPlan
from bigin_import.errors import DropRejectedError
from bigin_import.mapping.column_plan import column_plan
from bigin_import.mapping.model import Mapping
from bigin_import.mapping.parse import read_mapping
from bigin_import.mapping.validate import DateFormats, validate

CONTACTS = (
    Field("Last_Name", "Last Name", "text", length=80, mandatory=True),
    Field("Email", "E-mail", "email", length=100),
    Field("Secondary_Email", "Secondary E-mail", "email"),
    Field("Phone", "Phone", "phone"),
    Field("Customer_No", "Customer No.", "text", unique=True),
    Field("Account_Name", "Company Name", "lookup", lookup_module="Accounts"),
    Field("Supplier", "Supplier", "lookup", lookup_module="Suppliers"),
    Field("Owner", "Contact Owner", "ownerlookup", mandatory=True),
    Field("Date_of_Birth", "Date of Birth", "date"),
    Field("Last_Call", "Last Call", "datetime"),
    Field("Revenue", "Revenue", "currency"),
    Field("Lead_Source", "Lead Source", "picklist", pick_list=("-None-", "Web", "Fair")),
    Field("Created_Time", "Created Time", "datetime", writable=False, mandatory=True),
)


def parse_mapping(text: bytes, *, name: str) -> Mapping:
    """Return a mapping; raise DropRejectedError if anything is wrong with it."""
    reading = read_mapping(text, name=name)
    if reading.mapping is None or reading.problems:
        raise DropRejectedError(reading.problems, concerns_mapping=True)
    return reading.mapping


def mapping_of(**keys: object) -> Mapping:
    """Return a mapping for an insert into Contacts, or whatever *keys* say instead."""
    written: dict[str, Any] = {"module": "Contacts", "operation": "insert"} | keys
    return parse_mapping(json.dumps(written).encode(), name="m.json")


def planned(
    mapping: Mapping,
    *header: str,
    fields: tuple[Field, ...] | None = None,
    date_formats: DateFormats | None = None,
) -> ColumnPlan:
    """Return the plan of a mapping; raise DropRejectedError if anything is wrong with it."""
    examined = validate(
        mapping,
        header,
        fields,
        mapping_name="m.json",
        drop_name="d.csv",
        date_formats=date_formats,
    )
    if examined.problems:
        raise DropRejectedError(examined.problems, concerns_mapping=True)
    return column_plan(examined)
