"""Get, delete and change records in the twin, over HTTP and under a clock that the test moves."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bigin_twin.answering import NoAnswerError
from tests.unit.bigin_twin.test_twin_over_http import Caller

CONTACTS = "/bigin/v2/Contacts"
DELETED = f"{CONTACTS}/deleted"
CHANGES = f"{CONTACTS}?fields=id,Modified_Time&sort_by=Modified_Time&sort_order=desc"


@pytest.fixture
def caller() -> Caller:
    return Caller()


def add(caller: Caller, number: int, module: str = "Contacts", **values: str) -> list[str]:
    """Add records a second apart; return their ids."""
    ids = []
    with caller.server.bigin() as bigin:
        for _ in range(number):
            ids.append(bigin.tables[module].add(dict(values), "", caller.now).id)
            caller.now += 1
    return ids


def delete(caller: Caller, *ids: str, **params: str) -> Any:  # noqa: ANN401 - a test response
    query = {"ids": ",".join(ids), **params}
    return caller.http.delete(CONTACTS, query_string=query, headers=caller.auth)


def ids_of(answer: Any) -> list[str]:  # noqa: ANN401
    return [record["id"] for record in answer.get_json()["data"]]


def test_the_rows_of_a_job_are_records_with_the_time_of_its_end(caller: Caller) -> None:
    caller.create()
    caller.now += 60

    (record,) = caller.get(f"{CONTACTS}?fields=Email,Created_Time,Modified_Time").get_json()["data"]

    assert record["Email"] == "p.boyle@example.com"
    assert record["Created_Time"] == record["Modified_Time"] == "2027-01-15T08:00:00+00:00"


def test_a_record_is_shown_whole_and_what_is_not_there_is_an_empty_answer(caller: Caller) -> None:
    (known,) = add(caller, 1, Last_Name="Boyle")

    shown = caller.get(f"{CONTACTS}/{known}").get_json()["data"][0]
    unknown = caller.get(f"{CONTACTS}/1")

    assert (shown["id"], shown["Last_Name"]) == (known, "Boyle")
    assert "Modified_Time" in shown
    assert (unknown.status_code, unknown.data) == (204, b"")


def test_each_id_has_its_own_item_when_records_are_deleted(caller: Caller) -> None:
    (known,) = add(caller, 1)

    answer = delete(caller, known, "1", wf_trigger="false")
    again = delete(caller, known)

    items = answer.get_json()["data"]
    assert answer.status_code == again.status_code == 207
    assert [(item["code"], item["details"]["id"], item["status"]) for item in items] == [
        ("SUCCESS", known, "success"),
        ("INVALID_DATA", "1", "error"),
    ]
    assert [item["message"] for item in items] == ["record deleted", "record not deleted"]
    assert again.get_json()["data"][0]["code"] == "INVALID_DATA"
    assert caller.get(f"{CONTACTS}/{known}").status_code == 204


def test_deleted_records_alone_are_answered_with_200(caller: Caller) -> None:
    assert delete(caller, *add(caller, 100)).status_code == 200


def test_a_deleted_records_unique_value_is_free_again(caller: Caller) -> None:
    (known,) = add(caller, 1, Email="p.boyle@example.com")
    delete(caller, known)

    with caller.server.bigin() as bigin:
        assert bigin.tables["Contacts"].find("Email", "p.boyle@example.com") is None


def test_a_deleted_company_is_cut_from_the_contacts_that_name_it(caller: Caller) -> None:
    (company,) = add(caller, 1, "Accounts", Account_Name="Zylker")
    (contact,) = add(caller, 1, Account_Name=company)

    caller.http.delete(f"/bigin/v2/Accounts?ids={company}", headers=caller.auth)

    shown = caller.get(f"{CONTACTS}/{contact}").get_json()["data"][0]
    assert shown["Account_Name"] is None


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "REQUIRED_PARAM_MISSING"),
        ("?ids=" + ",".join(map(str, range(101))), "LIMIT_EXCEEDED"),
        ("?ids=1&wf_trigger=no", "INVALID_DATA"),
    ],
)
def test_a_wrong_deletion_deletes_nothing(caller: Caller, query: str, code: str) -> None:
    add(caller, 1)

    answer = caller.http.delete(CONTACTS + query, headers=caller.auth)

    assert (answer.status_code, answer.get_json()["code"]) == (400, code)
    assert caller.http.get("/_twin/records").get_json()["count"] == 1


def test_deleted_records_are_listed_page_by_page_the_latest_first(caller: Caller) -> None:
    ids = add(caller, 3)
    for each in ids:
        delete(caller, each)

    first = caller.get(f"{DELETED}?type=all&per_page=2")
    second = caller.get(f"{DELETED}?type=recycle&per_page=2&page=2")

    assert ids_of(first) + ids_of(second) == ids[::-1]
    assert [page.get_json()["info"]["more_records"] for page in (first, second)] == [True, False]
    assert {"type", "display_name", "deleted_time", "deleted_by"} <= set(first.json["data"][0])


@pytest.mark.parametrize("query", ["?type=permanent", "?page=2"])
def test_an_empty_list_has_no_body(caller: Caller, query: str) -> None:
    delete(caller, *add(caller, 1))

    assert caller.get(DELETED + query).status_code == 204
    assert caller.get(CHANGES).status_code == 204


def test_a_record_that_a_person_changes_comes_first(caller: Caller) -> None:
    ids = add(caller, 3)
    caller.now += 60
    order = {"id": ids[0], "values": {"Phone": "1"}}

    changed = caller.http.post("/_twin/records", json=order).get_json()

    assert changed["Phone"] == "1"
    assert ids_of(caller.get(CHANGES)) == [ids[0], ids[2], ids[1]]
    assert ids_of(caller.get(CHANGES.replace("desc", "asc"))) == [ids[1], ids[2], ids[0]]


def test_page_tokens_go_on_where_page_numbers_end(caller: Caller) -> None:
    ids = add(caller, 2_100)
    seen, token = [], ""
    for _ in range(11):
        page = caller.get(f"{CHANGES}&per_page=200{token}")
        seen += ids_of(page)
        token = f"&page_token={page.get_json()['info']['next_page_token']}"

    by_number = caller.get(f"{CHANGES}&per_page=200&page=11")

    assert seen == ids[::-1]
    assert by_number.get_json()["code"] == "DISCRETE_PAGINATION_LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "REQUIRED_PARAM_MISSING"),
        ("?fields=id&per_page=201", "INVALID_DATA"),
        ("?fields=id&sort_by=Nothing", "INVALID_DATA"),
        ("?fields=id&page=1&page_token=e30=", "AMBIGUITY_DURING_PROCESSING"),
        ("?fields=id&page_token=nonsense", "INVALID_DATA"),
    ],
)
def test_a_wrong_list_call_is_refused(caller: Caller, query: str, code: str) -> None:
    add(caller, 1)

    assert caller.get(CONTACTS + query).get_json()["code"] == code


def test_a_page_token_ends_after_a_day(caller: Caller) -> None:
    add(caller, 2)
    token = caller.get(f"{CHANGES}&per_page=1").get_json()["info"]["next_page_token"]
    caller.now += 86_401
    caller.renew_token()

    answer = caller.get(f"{CHANGES}&per_page=1&page_token={token}")

    assert answer.get_json()["code"] == "EXPIRED_VALUE"


def test_every_call_about_records_costs_a_credit(caller: Caller) -> None:
    (known,) = add(caller, 1)
    before = caller.http.get("/_twin/health").get_json()["credits_spent"]

    caller.get(CHANGES)
    caller.get(f"{CONTACTS}/{known}")
    delete(caller, known)
    caller.get(DELETED)

    assert caller.http.get("/_twin/health").get_json()["credits_spent"] - before == 4


@pytest.mark.parametrize(
    ("name", "deleted"),
    [("delete_timeout_before_effect", False), ("delete_timeout_after_effect", True)],
)
def test_a_deletion_whose_answer_is_lost_may_have_had_its_effect(
    caller: Caller, name: str, *, deleted: bool
) -> None:
    (known,) = add(caller, 1)
    caller.fault(name)

    with pytest.raises(NoAnswerError):
        delete(caller, known)

    assert (caller.get(f"{CONTACTS}/{known}").status_code == 204) == deleted


def test_a_deletion_can_be_answered_with_a_server_error(caller: Caller) -> None:
    (known,) = add(caller, 1)
    caller.fault("delete_timeout_after_effect", status=503)

    assert delete(caller, known).status_code == 503
    assert caller.get(f"{CONTACTS}/{known}").status_code == 204


def test_a_module_that_does_not_exist_has_no_records(caller: Caller) -> None:
    assert caller.get("/bigin/v2/Companies?fields=id").get_json()["code"] == "INVALID_MODULE"


def test_a_scope_of_reading_does_not_let_delete(caller: Caller) -> None:
    (known,) = add(caller, 1)
    caller.settings(missing_scopes=["ZohoBigin.modules.ALL"])

    assert delete(caller, known).get_json()["code"] == "OAUTH_SCOPE_MISMATCH"
