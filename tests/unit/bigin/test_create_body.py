"""The create request equals Bigin's documented bodies, with our two keys added."""

from __future__ import annotations

import pytest

from bigin_import.bigin.wire import create_body
from bigin_import.domain.job_request import FieldMapping, JobRequest, Operation

FILE_ID = "111111000000541958"
CALLBACK = {"url": "https://example.com/bigin/callback?t=secret", "method": "post"}

INSERT = JobRequest(
    operation=Operation.INSERT,
    module="Contacts",
    find_by=None,
    ignore_empty=True,
    field_mappings=(
        FieldMapping("Phone", index=0),
        FieldMapping("Email", index=1),
        FieldMapping("Last_Name", default_value="DefaultValue"),
    ),
)
INSERT_BODY: dict[str, object] = {
    "operation": "insert",
    "callback": CALLBACK,
    "resource": [
        {
            "type": "data",
            "module": {"api_name": "Contacts"},
            "file_id": FILE_ID,
            "field_mappings": [
                {"api_name": "Phone", "index": 0},
                {"api_name": "Email", "index": 1},
                {"api_name": "Last_Name", "default_value": {"value": "DefaultValue"}},
            ],
        }
    ],
}

UPDATE = JobRequest(
    operation=Operation.UPDATE,
    module="Contacts",
    find_by="Id",
    ignore_empty=True,
    field_mappings=(FieldMapping("Last_Name", index=0), FieldMapping("Id", index=1)),
)
# Bigin's page spells `Id` and `callBack` here; `id` and `callback` are what its tables say.
UPDATE_BODY: dict[str, object] = {
    "operation": "update",
    "callback": CALLBACK,
    "resource": [
        {
            "type": "data",
            "module": {"api_name": "Contacts"},
            "file_id": FILE_ID,
            "field_mappings": [
                {"api_name": "Last_Name", "index": 0},
                {"api_name": "id", "index": 1},
            ],
            "find_by": "id",
        }
    ],
}

UPSERT = JobRequest(
    operation=Operation.UPSERT,
    module="Contacts",
    find_by="Email",
    ignore_empty=True,
    field_mappings=(
        FieldMapping("Email", index=0),
        FieldMapping("Last_Name", index=1),
        FieldMapping("Account_Name", index=2, find_by="Account_Name"),
        FieldMapping("Date_of_Birth", index=3, format="yyyy-MM-dd"),
    ),
)
UPSERT_BODY: dict[str, object] = {
    "operation": "upsert",
    "callback": CALLBACK,
    "resource": [
        {
            "type": "data",
            "module": {"api_name": "Contacts"},
            "file_id": FILE_ID,
            "find_by": "Email",
            "field_mappings": [
                {"api_name": "Email", "index": 0},
                {"api_name": "Last_Name", "index": 1},
                {"api_name": "Account_Name", "index": 2, "find_by": "Account_Name"},
                {"api_name": "Date_of_Birth", "index": 3, "format": "yyyy-MM-dd"},
            ],
        }
    ],
}


def with_our_keys(body: dict[str, object], *, ignore_empty: bool) -> dict[str, object]:
    """Add what we always say: how the file is encoded, and what empty cells do."""
    resources = body["resource"]
    assert isinstance(resources, list)
    ours = [{**resource, "ignore_empty": ignore_empty} for resource in resources]
    return {**body, "resource": ours, "character_encoding": "UTF-8"}


@pytest.mark.parametrize(
    ("request_", "documented"),
    [
        pytest.param(INSERT, INSERT_BODY, id="insert"),
        pytest.param(UPDATE, UPDATE_BODY, id="update"),
        pytest.param(UPSERT, UPSERT_BODY, id="upsert"),
    ],
)
def test_the_body_is_the_documented_one_with_our_keys(
    request_: JobRequest, documented: dict[str, object]
) -> None:
    body = create_body(request_, file_id=FILE_ID, callback_url=CALLBACK["url"])

    assert body == with_our_keys(documented, ignore_empty=True)


def test_empty_cells_may_erase_only_if_the_mapping_says_so() -> None:
    erasing = JobRequest(Operation.UPDATE, "Contacts", "id", False, UPDATE.field_mappings)

    body = create_body(erasing, file_id=FILE_ID, callback_url=CALLBACK["url"])

    assert body == with_our_keys(UPDATE_BODY, ignore_empty=False)


def test_an_empty_default_value_is_sent_not_dropped() -> None:
    emptied = JobRequest(
        Operation.INSERT, "Contacts", None, True, (FieldMapping("Title", default_value=""),)
    )

    body = create_body(emptied, file_id=FILE_ID, callback_url=CALLBACK["url"])

    assert '"default_value": {"value": ""}' in str(body).replace("'", '"')
