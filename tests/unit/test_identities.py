"""
By what imports, files, contents and rows are known again, pinned as table and bucket have it.

Whoever changes one of these makes strangers of all that was imported before, and lets it in twice.
"""

from __future__ import annotations

from typing import Any

import pytest

from bigin_import import identity
from bigin_import.deduplication import claims
from bigin_import.domain.drop import NO_VERSION, ObjectVersion
from bigin_import.row_results.kept_rows import Fingerprints as SentFingerprints
from bigin_import.splitting.content_log import Fingerprints, key_hashes
from tests.unit.mapping.contacts import CONTACTS, mapping_of, planned

SOURCE = ObjectVersion("drops", "incoming/Kunden (1).csv", "v1")
UNVERSIONED = ObjectVersion("drops", SOURCE.key, NO_VERSION, sequencer="0055AED6DCD90281E5")
HEADER = ("Mail", "Name", "Born", "Sum")
ROW = (" ada@shop.example", "Quill\r\nMiller", "31.12.1990", "1.234,50")
RECORD = ("ada@shop.example", "Quill", "1990-12-31", "1234.50", "Web")
WRITTEN: dict[str, Any] = {
    "operation": "upsert",
    "find_by": "Email",
    "ignore_empty": False,
    "field_mappings": [
        {"column": "Mail", "api_name": "Email"},
        {"column": "Name", "api_name": "Last_Name", "values": {"b": "2", "a": "1"}},
        {"column": "Born", "api_name": "Last_Call", "format": "dd.MM.yyyy"},
        {"column": "Sum", "api_name": "Revenue", "decimal": ",", "thousands": "."},
        {"api_name": "Lead_Source", "default_value": "Web"},
    ],
}
MAPPING = mapping_of(**WRITTEN)
PLAN = planned(MAPPING, *HEADER, fields=CONTACTS)
RULES = claims.rules_of(MAPPING, [field.api_name for field in MAPPING.fields])


def claim(*, parent: str = "", force: str | None = None, zgid: str | None = None) -> str:
    return claims.claim_of(SOURCE, "c" * 64, RULES, parent=parent, force=force, zgid=zgid)


@pytest.mark.parametrize(
    ("name", "pinned"),
    [
        (identity.import_id_of(SOURCE), "f7pxf45z6smvknrkafrceua7cc"),
        (identity.import_id_of(SOURCE, take=2), "zotlpb6okbcy6lpw4y2qwaomsm"),
        (identity.import_id_of(UNVERSIONED), "2w3uw6ushd4o7c4jwey2fo66rp"),
        (identity.place_of(SOURCE), "fwoyw4uks7qcfkh7sfjwlcgaiz"),
        (identity.file_name_of(SOURCE), "baqvsghalfiapbip7rxvpmkywn"),
        (claim(), "bouhwzp6dcexudhyrbpptvqpce"),
        (claim(parent="p" * 26), "kisnkizlgginb3wy2tqqcolbdg"),
        (claim(force="f" * 26), "6oss7iapvnxehcg2bdp5jjynlk"),
        (claim(zgid="10358250"), "agfdkyqxcuq2lp6g3mbjdjliiq"),
        (key_hashes([" Ada@Shop.example "])[0].hex(), "93cc5adb458c6be5"),
        (Fingerprints(PLAN).of([ROW])[0].hex(), "01deb376d479e624a5e96dff47a7fe4d"),
        (SentFingerprints(PLAN).of(RECORD), "a901df3efb34bc1c7191afa9c718ffaf"),
    ],
    ids=[
        *("import", "second take", "unversioned", "key of the bucket", "file name"),
        *("claim", "claim of a correction", "forced claim", "claim of an organisation"),
        *("key value", "row as read", "row as sent"),
    ],
)
def test_what_names_something_names_it_for_good(name: str, pinned: str) -> None:
    assert name == pinned


def test_what_a_mapping_makes_of_cells_is_said_as_it_was() -> None:
    assert RULES == (
        '{"fields":{"email":{},"last_call":{"date_format":"dd.MM.yyyy"},'
        '"last_name":{"values":[["a","1"],["b","2"]]},"lead_source":{"default_value":"Web"},'
        '"revenue":{"decimal":",","thousands":"."}},"find_by":"email","ignore_empty":false,'
        '"module":"Contacts","operation":"upsert"}'
    )
