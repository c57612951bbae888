"""What the doctor sees under the role of settle_jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bigin_import.bigin.error_codes import SCOPES
from bigin_import.domain.locks import SharedToken
from bigin_import.errors import BiginAccessError, BiginOutcomeUnknownError, BiginRefusedError
from tests.fakes.harness import BASE_URL, Harness

NO_JOB = BiginRefusedError(code="INVALID_DATA", message="no such job", resolution="")
REFUSED = BiginAccessError("no", code="invalid_code", resolution="Mend it")


def examine(harness: Harness, **asked: object) -> dict[str, tuple[str, str]]:
    """Return what was found and what to do, by what was looked at."""
    harness.bigin.fail("job", NO_JOB)  # as Bigin says of one that cannot be
    checks: Any = harness.application.self_check.examine({"doctor": True, **asked})["checks"]
    return {each["what"]: (each["found"], each["remedy"]) for each in checks}


def test_a_callback_that_is_signed_for_nobody_is_accepted() -> None:
    found = examine(Harness(), callback_url=BASE_URL)

    assert found["signed callback"] == ("accepted", "")


class Refusing(Harness):
    """job_callback reads another key."""

    def probe(self, url: str) -> int:
        return super().probe(f"{url[:-1]}A" if not url.endswith("A") else f"{url[:-1]}B")


class Silent(Harness):
    """Nobody answers."""

    def probe(self, url: str) -> int:
        raise BiginOutcomeUnknownError(f"no answer from {url}")


@pytest.mark.parametrize(
    ("harness", "url", "words"),
    [
        (Refusing(), BASE_URL, "is refused: job_callback reads another signing key"),
        (Silent(), BASE_URL, "no answer (BiginOutcomeUnknownError)"),
        (Harness(), "http://callback.example/v1", "its address is not https"),
    ],
    ids=["another key", "no answer", "no TLS"],
)
def test_a_callback_that_does_not_arrive_is_told_without_its_address(
    harness: Harness, url: str, words: str
) -> None:
    found, remedy = examine(harness, callback_url=url)["signed callback"]

    assert found == words
    assert remedy
    assert "callback.example" not in found + remedy


def test_a_remembered_refusal_is_forgotten_and_the_token_refreshed() -> None:
    harness = Harness()
    harness.ledger.save(SharedToken(refused="invalid_code", refresh_until=2**40, valid_until=2**40))

    examine(harness)

    token = harness.ledger.load(SharedToken.at())
    assert token is not None
    assert (token.refused, token.refresh_until, token.valid_until) == (None, 0, 0)


def test_scopes_that_the_refresh_did_not_give_are_named() -> None:
    harness = Harness()
    given = tuple(SCOPES.split(","))
    harness.ledger.save(SharedToken(scopes=given[:-1]))

    found, remedy = examine(harness)["scopes"]
    token = harness.ledger.load(SharedToken.at())
    harness.ledger.save(replace(token or SharedToken(), scopes=given))

    assert found == f"the refresh token lacks {given[-1]}"
    assert "bigin-drop rotate zoho" in remedy
    assert examine(harness)["scopes"] == ("all granted", "")


def test_the_fields_of_all_modules_are_asked_for() -> None:
    harness = Harness()
    known = harness.bigin.module_fields["Contacts"]
    modules = ("Contacts", "Accounts", "Pipelines", "Products")
    harness.bigin.module_fields = dict.fromkeys(modules, known)

    found = examine(harness)

    assert {found[f"fields of {module}"] for module in modules} == {(f"{len(known)} known", "")}


def test_where_zoho_says_no_scopes_it_is_said_that_they_are_not_proven() -> None:
    found = examine(Harness())

    assert found["scope for bulk jobs"] == ("granted", "")
    assert found["scopes for records and files"][0].startswith("not proven")


def test_a_refused_token_ends_the_questions_that_need_one() -> None:
    harness = Harness()
    harness.bigin.fail("zgid", REFUSED)

    found = examine(harness)

    assert found["token and organisation"] == ("refused (invalid_code)", "Mend it")
    assert not [what for what in found if what.startswith("fields")]


def test_a_module_is_described_for_a_check_of_a_mapping() -> None:
    described = Harness().application.self_check.examine({"doctor": True, "module": "Contacts"})

    assert described["module"] == "Contacts"
    assert described["fields"]


def test_a_module_that_bigin_does_not_know_is_said_to_be_none() -> None:
    harness = Harness()
    unknown = BiginRefusedError(
        code="INVALID_MODULE", message="no", resolution="", concerns_mapping=True
    )
    harness.bigin.fail("fields", unknown)

    described = harness.application.self_check.examine({"doctor": True, "module": "Nothing"})

    assert described["refused"] == "INVALID_MODULE"
    assert "fields" not in described
