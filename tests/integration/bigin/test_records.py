"""Deleting records and asking what has changed: what is sent, and which answers are believed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from bigin_import.bigin.client import BiginClient, OrganisationMemory, Patience
from bigin_import.bigin.datacenters import DATA_CENTERS
from bigin_import.errors import (
    BiginAccessError,
    BiginBusyError,
    BiginError,
    BiginOutcomeUnknownError,
    BiginRefusedError,
    BiginUnreachableError,
    OtherOrganisationError,
)
from bigin_import.ports import Records
from tests.fakes.manual_clock import ManualClock
from tests.integration.bigin.conftest import ZGID, NumberedTokens, OneOrganisation

API = "https://www.zohoapis.com/bigin/v2"
CONTACTS = f"{API}/Contacts"
DELETED = f"{CONTACTS}/deleted"
LAST = {"more_records": False}
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def records(tokens: NumberedTokens, clock: ManualClock) -> Records:
    return patient(tokens, clock, repeats=0)


def patient(tokens: NumberedTokens, clock: ManualClock, *, repeats: int) -> Records:
    return BiginClient(
        DATA_CENTERS["US"],
        tokens,
        clock,
        patience=Patience(repeats=repeats),
        organisations=OneOrganisation(),
    )


def item(record_id: str, code: str = "SUCCESS") -> dict[str, Any]:
    status = "success" if code == "SUCCESS" else "error"
    return {"code": code, "details": {"id": record_id}, "message": "", "status": status}


def changed(record_id: str, time: str) -> dict[str, str]:
    return {"id": record_id, "Modified_Time": f"2026-11-29T{time}+00:00"}


def queries(http: responses.RequestsMock) -> list[dict[str, str]]:
    sent = [parse_qs(urlsplit(str(call.request.url)).query) for call in http.calls]
    return [{name: value for name, (value,) in query.items()} for query in sent]


# Deleting


def test_records_are_deleted_without_their_workflows(
    records: Records, http: responses.RequestsMock
) -> None:
    http.delete(CONTACTS, json={"data": [item("11"), item("12", "INVALID_DATA")]}, status=207)

    codes = records.delete_records("Contacts", ["11", "12"], zgid=ZGID)

    assert codes == {"11": "SUCCESS", "12": "INVALID_DATA"}
    assert queries(http) == [{"ids": "11,12", "wf_trigger": "false"}]


def test_nothing_is_believed_of_a_record_that_was_not_asked_for(
    records: Records, http: responses.RequestsMock
) -> None:
    http.delete(CONTACTS, json={"data": [item("11"), item("99")]})

    assert records.delete_records("Contacts", ["11", "12"], zgid=ZGID) == {"11": "SUCCESS"}


@pytest.mark.parametrize("status", [200, 207, 400])
def test_refusals_of_every_record_are_no_refusal_of_the_call(
    records: Records, http: responses.RequestsMock, status: int
) -> None:
    http.delete(CONTACTS, json={"data": [item("11", "INVALID_DATA")]}, status=status)

    assert records.delete_records("Contacts", ["11"], zgid=ZGID) == {"11": "INVALID_DATA"}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, {"data": [item("99")]}, BiginOutcomeUnknownError),
        (200, {"data": []}, BiginOutcomeUnknownError),
        (200, {}, BiginOutcomeUnknownError),
        (200, "<html>", BiginOutcomeUnknownError),
        (204, "", BiginOutcomeUnknownError),
        (500, {"data": [item("11")]}, BiginOutcomeUnknownError),
        (302, {"data": [item("11")]}, BiginOutcomeUnknownError),
        (500, {"code": "INTERNAL_ERROR", "status": "error"}, BiginOutcomeUnknownError),
        (429, {"code": "TOO_MANY_REQUESTS", "status": "error"}, BiginBusyError),
        (401, {"code": "OAUTH_SCOPE_MISMATCH", "status": "error"}, BiginAccessError),
        (401, {"code": "INVALID_TOKEN", "status": "error"}, BiginAccessError),
        (403, {"code": "NO_PERMISSION", "status": "error"}, BiginRefusedError),
        (400, {"code": "INVALID_MODULE", "status": "error"}, BiginRefusedError),
    ],
)
def test_an_answer_that_names_no_record_asked_for_is_an_error(
    records: Records,
    http: responses.RequestsMock,
    status: int,
    body: object,
    error: type[BiginError],
) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    http.delete(CONTACTS, body=text, status=status)

    with pytest.raises(error):
        records.delete_records("Contacts", ["11"], zgid=ZGID)


def test_a_deletion_without_an_answer_is_sent_again(
    tokens: NumberedTokens, clock: ManualClock, http: responses.RequestsMock
) -> None:
    http.delete(CONTACTS, status=503)
    http.delete(CONTACTS, json={"data": [item("11", "INVALID_DATA")]})

    again = patient(tokens, clock, repeats=1)

    assert again.delete_records("Contacts", ["11"], zgid=ZGID) == {"11": "INVALID_DATA"}
    assert len(http.calls) == 2


def test_a_refused_token_is_replaced_before_a_deletion(
    records: Records, http: responses.RequestsMock, tokens: NumberedTokens
) -> None:
    http.delete(CONTACTS, json={"code": "INVALID_TOKEN", "status": "error"}, status=401)
    http.delete(CONTACTS, json={"data": [item("11")]})

    assert records.delete_records("Contacts", ["11"], zgid=ZGID) == {"11": "SUCCESS"}
    assert tokens.made == 2


def test_nothing_is_deleted_with_the_token_of_another_organisation(
    tokens: NumberedTokens, clock: ManualClock, http: responses.RequestsMock
) -> None:
    http.get(f"{API}/org", json={"org": [{"zgid": "999"}]})
    records = BiginClient(DATA_CENTERS["US"], tokens, clock, organisations=OrganisationMemory())

    with pytest.raises(OtherOrganisationError):
        records.delete_records("Contacts", ["11"], zgid=ZGID)

    assert [call.request.method for call in http.calls] == ["GET"]


def test_no_ids_are_no_call(records: Records, http: responses.RequestsMock) -> None:
    assert records.delete_records("Contacts", [], zgid=ZGID) == {}
    assert len(http.calls) == 0


@pytest.mark.parametrize(
    "ids", [["11,12"], ["11", ""], ["११"], ["11 "], ["a"], [str(n) for n in range(101)]]
)
def test_ids_that_could_name_other_records_are_never_sent(
    records: Records, http: responses.RequestsMock, ids: list[str]
) -> None:
    with pytest.raises(ValueError, match="ids: Bigin takes 100"):
        records.delete_records("Contacts", ids, zgid=ZGID)

    assert len(http.calls) == 0


def test_a_hundred_ids_are_one_call(records: Records, http: responses.RequestsMock) -> None:
    ids = [str(111_111_000_000_600_001 + n) for n in range(100)]
    http.delete(CONTACTS, json={"data": [item(each) for each in ids]})

    assert records.delete_records("Contacts", ids, zgid=ZGID) == dict.fromkeys(ids, "SUCCESS")


# What was deleted


def test_the_list_of_deleted_records_is_read_page_by_page_until_all_are_found(
    records: Records, http: responses.RequestsMock
) -> None:
    http.get(DELETED, json={"data": [{"id": "1"}, {"id": "2"}], "info": {"more_records": True}})
    http.get(DELETED, json={"data": [{"id": "3"}], "info": {"more_records": True}})

    assert records.list_deleted_ids("Contacts", ["2", "3"]) == {"2", "3"}
    assert queries(http) == [
        {"type": "all", "per_page": "200"},
        {"type": "all", "per_page": "200", "page": "2"},
    ]


def test_ids_that_are_not_in_the_list_are_not_found(
    records: Records, http: responses.RequestsMock
) -> None:
    http.get(DELETED, json={"data": [{"id": "1"}], "info": LAST})

    assert records.list_deleted_ids("Contacts", {"1", "2"}) == {"1"}


def test_an_empty_list_is_answered_without_a_body(
    records: Records, http: responses.RequestsMock
) -> None:
    http.get(DELETED, status=204)
    http.get(CONTACTS, status=204)

    assert records.list_deleted_ids("Contacts", {"1"}) == set()
    assert list(records.list_changed_since("Contacts", NOON)) == []


def test_no_ids_of_interest_are_no_call(records: Records, http: responses.RequestsMock) -> None:
    assert records.list_deleted_ids("Contacts", ()) == set()
    assert len(http.calls) == 0


# What has changed


def test_changes_are_listed_from_the_latest_to_the_moment_asked_for(
    records: Records, http: responses.RequestsMock
) -> None:
    first = [changed("1", "14:00:00"), changed("2", "13:00:00")]
    then = [changed("3", "12:00:00"), changed("4", "11:59:59")]
    http.get(CONTACTS, json={"data": first, "info": {"more_records": True, "next_page_token": "t"}})
    http.get(CONTACTS, json={"data": then, "info": {"more_records": True, "next_page_token": "u"}})

    found = [record.id for record in records.list_changed_since("Contacts", NOON)]

    asked = {
        "fields": "id,Modified_Time",
        "sort_by": "Modified_Time",
        "sort_order": "desc",
        "approved": "both",  # a record that waits for approval has changed as well
        "per_page": "200",
    }
    assert found == ["1", "2", "3"]
    assert queries(http) == [asked, {**asked, "page_token": "t"}]


def test_when_one_record_was_changed_is_said_by_itself(
    records: Records, http: responses.RequestsMock
) -> None:
    http.get(f"{CONTACTS}/1", json={"data": [changed("1", "14:00:00")]})
    http.get(f"{CONTACTS}/2", status=204)

    assert records.get_modified_time("Contacts", "1") == NOON + timedelta(hours=2)
    assert records.get_modified_time("Contacts", "2") is None


@pytest.mark.parametrize("listed", [[], [{"id": "1"}], [changed("2", "14:00:00")]])
def test_an_answer_that_does_not_say_when_is_none(
    records: Records, http: responses.RequestsMock, listed: list[object]
) -> None:
    http.get(f"{CONTACTS}/1", json={"data": listed})

    with pytest.raises(BiginOutcomeUnknownError):
        records.get_modified_time("Contacts", "1")


def test_a_list_in_another_order_says_nothing_of_what_has_changed(
    records: Records, http: responses.RequestsMock
) -> None:
    listed = [changed("1", "13:00:00"), changed("2", "14:00:00")]
    http.get(CONTACTS, json={"data": listed, "info": LAST})

    with pytest.raises(BiginOutcomeUnknownError, match="order"):
        list(records.list_changed_since("Contacts", NOON))


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"id": "1"}], "info": LAST},
        {"data": [changed("1", "13:00:00")]},
        {"info": LAST},
        {"data": {"id": "1"}, "info": LAST},
    ],
)
def test_a_page_that_lacks_what_was_asked_for_is_no_answer(
    records: Records, http: responses.RequestsMock, body: object
) -> None:
    http.get(CONTACTS, json=body)

    with pytest.raises(BiginOutcomeUnknownError):
        list(records.list_changed_since("Contacts", NOON))


def test_a_page_that_comes_again_and_again_is_not_asked_for_without_end(
    records: Records, http: responses.RequestsMock
) -> None:
    http.get(DELETED, json={"data": [{"id": "1"}], "info": {"more_records": True}})

    with pytest.raises(BiginOutcomeUnknownError, match="page 2"):
        records.list_deleted_ids("Contacts", {"2"})

    assert len(http.calls) == 2


def test_a_list_that_is_longer_than_bigin_gives_out_is_refused(
    records: Records, http: responses.RequestsMock
) -> None:
    http.get(DELETED, json={"data": [{"id": "1"}], "info": {"more_records": True}})
    code = "DISCRETE_PAGINATION_LIMIT_EXCEEDED"
    http.get(DELETED, json={"code": code, "status": "error"}, status=400)

    with pytest.raises(BiginRefusedError) as caught:
        records.list_deleted_ids("Contacts", {"2"})

    assert caught.value.code == code


def test_the_name_of_a_module_stays_within_its_place_in_the_address(
    records: Records, http: responses.RequestsMock
) -> None:
    http.delete(f"{API}/..%2Forg", json={"data": [item("1")]})

    assert records.delete_records("../org", ["1"], zgid=ZGID) == {"1": "SUCCESS"}


def test_a_call_that_never_left_has_certainly_deleted_nothing(
    records: Records, http: responses.RequestsMock, clock: ManualClock
) -> None:
    clock.advance(299)

    with pytest.raises(BiginUnreachableError):
        records.delete_records("Contacts", ["1"], zgid=ZGID)
