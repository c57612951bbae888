"""`bigin-drop connect`: from Zoho's console to a secret, and nothing stored where it goes wrong."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
import responses
from moto import mock_aws

from bigin_import.bigin.auth import DOCUMENTED
from bigin_import.bigin.datacenters import DATA_CENTERS
from bigin_import.bigin.error_codes import SCOPES
from bigin_import.operating.connect import Wanted, connect
from bigin_import.operating.terminal import CommandRefusedError, Exit, Terminal

TOKEN_URL = "https://accounts.zoho.eu/oauth/v2/token"
ORG_URL = "https://www.zohoapis.eu/bigin/v2/org"
ORG = {"zgid": "10358250", "company_name": "Zylker", "primary_email": "boss@zylker.example"}
GRANT = {
    "access_token": "1000.PLANTED-access",
    "refresh_token": "1000.PLANTED-refresh",
    "scope": SCOPES.replace(",", " "),
    "expires_in": 3600,
}
TYPED = ["1000.CLIENT", "PLANTED-secret", "1000.PLANTED-code", "y"]


@dataclass
class Desk:
    """What a person sees and types, and the account that secrets are kept in."""

    secrets: Any
    out: io.StringIO
    err: io.StringIO

    def connect(
        self,
        *typed: str,
        confirmed: str = "",
        is_deployed: bool = False,
        stack: str = "bigin-drop",
        yes: bool = False,
    ) -> Exit:
        answers = io.StringIO("".join(f"{line}\n" for line in typed))
        wanted = Wanted("EU", "zoho", confirmed=confirmed, is_deployed=is_deployed, stack=stack)
        return connect(self.secrets, Terminal(self.out, self.err, answers, yes=yes), wanted)

    def stored(self) -> dict[str, str] | None:
        found = self.secrets.list_secrets()["SecretList"]
        if not found:
            return None
        held: dict[str, str] = json.loads(
            self.secrets.get_secret_value(SecretId="zoho")["SecretString"]
        )
        return held

    def said(self) -> str:
        return self.out.getvalue() + self.err.getvalue()


@pytest.fixture
def desk() -> Iterator[Desk]:
    with mock_aws():
        secrets = boto3.client(
            "secretsmanager",
            region_name="eu-central-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        yield Desk(secrets, io.StringIO(), io.StringIO())


@pytest.fixture
def zoho() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as stub:
        yield stub


def test_a_code_becomes_a_secret_and_the_line_to_deploy_with(
    desk: Desk, zoho: responses.RequestsMock
) -> None:
    zoho.post(TOKEN_URL, json=GRANT)
    zoho.get(ORG_URL, json={"org": [ORG]})

    assert desk.connect(*TYPED) is Exit.GOOD

    assert parse_qs(str(zoho.calls[0].request.body)) == {
        "grant_type": ["authorization_code"],
        "client_id": ["1000.CLIENT"],
        "client_secret": ["PLANTED-secret"],
        "code": ["1000.PLANTED-code"],
    }
    assert desk.stored() == {
        "client_id": "1000.CLIENT",
        "client_secret": "PLANTED-secret",
        "refresh_token": "1000.PLANTED-refresh",
        "organisation": "Zylker",
        "zgid": "10358250",
    }
    said = desk.said()
    assert "https://api-console.zoho.eu" in said
    assert SCOPES in said
    for words in (
        "Choose Self Client",
        "10 minutes",
        "makes a refresh token; Zoho keeps the last 20",
    ):
        assert words in said
    assert 'This is the Bigin of "Zylker" (id 10358250, boss@zylker.example).' in said
    assert "sam deploy --parameter-overrides ZohoSecretArn=arn:aws:secretsmanager:" in said
    assert "DataCenter=EU" in said
    assert "PLANTED" not in said


def test_the_line_to_deploy_a_second_stack_with_has_its_name(
    desk: Desk, zoho: responses.RequestsMock
) -> None:
    zoho.post(TOKEN_URL, json=GRANT)
    zoho.get(ORG_URL, json={"org": [ORG]})

    assert desk.connect(*TYPED, stack="second") is Exit.GOOD

    assert "sam deploy --stack-name second --parameter-overrides ZohoSecretArn=" in desk.said()


def test_in_a_wrong_data_centre_the_right_one_is_named_without_the_secret_leaving(
    desk: Desk, zoho: responses.RequestsMock
) -> None:
    for name in DOCUMENTED:
        error = "invalid_client_secret" if name == "IN" else "invalid_client"
        zoho.post(f"{DATA_CENTERS[name].accounts}/oauth/v2/token", json={"error": error})

    with pytest.raises(CommandRefusedError) as refused:
        desk.connect(*TYPED)

    assert str(refused.value) == "Zoho says invalid_client"
    assert refused.value.remedy == "It is known in IN: give --data-center IN"
    assert desk.stored() is None
    asked = [str(call.request.body) for call in zoho.calls[1:]]
    assert len(asked) == len(DOCUMENTED)
    assert not any("PLANTED" in body or "client_secret" in body for body in asked)
    assert not {"zoho.uk", "zoho.ae"} & {str(call.request.url).split("/")[2] for call in zoho.calls}


@pytest.mark.parametrize(
    ("answer", "what", "remedy"),
    [
        (
            {"error": "invalid_code"},
            "Zoho says invalid_code",
            (
                "The code is wrong, was used before, or is older than the minutes chosen for it: "
                "generate another one in the console"
            ),
        ),
        (
            {"error": "invalid_client_secret"},
            "Zoho says invalid_client_secret",
            "The client secret is wrong: copy it again from the console",
        ),
        (
            {"access_token": "1000.PLANTED-access"},
            "Zoho says no_refresh_token",
            "Make a Self Client in the console; other clients are asked for consent",
        ),
    ],
)
def test_what_zoho_refuses_is_told_and_nothing_stored(
    desk: Desk, zoho: responses.RequestsMock, answer: dict[str, str], what: str, remedy: str
) -> None:
    zoho.post(TOKEN_URL, json=answer)

    with pytest.raises(CommandRefusedError) as refused:
        desk.connect(*TYPED)

    assert (str(refused.value), refused.value.remedy) == (what, remedy)
    assert desk.stored() is None


def test_a_code_without_all_scopes_is_not_stored(desk: Desk, zoho: responses.RequestsMock) -> None:
    zoho.post(TOKEN_URL, json=GRANT | {"scope": "ZohoBigin.bulk.ALL ZohoBigin.org.READ"})
    zoho.get(ORG_URL, json={"org": [ORG]})

    with pytest.raises(CommandRefusedError, match=r"without the scopes ZohoBigin\.modules\.ALL, "):
        desk.connect(*TYPED)

    assert desk.stored() is None


def test_who_says_that_it_is_not_theirs_stores_nothing(
    desk: Desk, zoho: responses.RequestsMock
) -> None:
    zoho.post(TOKEN_URL, json=GRANT)
    zoho.get(ORG_URL, json={"org": [ORG]})

    with pytest.raises(CommandRefusedError, match="nothing was changed"):
        desk.connect(*TYPED[:3], "n")

    assert desk.stored() is None


def test_another_organisation_replaces_the_secret_only_by_its_name(
    desk: Desk, zoho: responses.RequestsMock
) -> None:
    zoho.post(TOKEN_URL, json=GRANT)
    zoho.get(ORG_URL, json={"org": [ORG | {"zgid": "1", "company_name": "Acme"}]})
    desk.connect(*TYPED)
    zoho.replace("GET", ORG_URL, json={"org": [ORG]})

    for typed in ((), ("Zylker",), ("y",)):
        with pytest.raises(CommandRefusedError, match='"Acme" was not given'):
            desk.connect(*TYPED, *typed)
    with pytest.raises(CommandRefusedError, match='"Acme" was not given'):
        desk.connect(*TYPED[:3], yes=True)
    assert 'is for "Acme" (id 1), another organisation' in desk.said()
    assert (desk.stored() or {})["organisation"] == "Acme"

    assert desk.connect(*TYPED, "Acme") is Exit.GOOD
    assert (desk.stored() or {})["organisation"] == "Zylker"
    zoho.replace("GET", ORG_URL, json={"org": [ORG | {"zgid": "1", "company_name": "Acme"}]})
    assert desk.connect(*TYPED, confirmed="Zylker") is Exit.GOOD
    assert (desk.stored() or {})["organisation"] == "Acme"


def test_a_secret_made_by_hand_is_replaced_only_by_its_name(
    desk: Desk, zoho: responses.RequestsMock
) -> None:
    desk.secrets.create_secret(Name="zoho", SecretString='{"client_id": "1000.OLD"}')
    zoho.post(TOKEN_URL, json=GRANT)
    zoho.get(ORG_URL, json={"org": [ORG]})

    with pytest.raises(CommandRefusedError, match='"zoho" was not given'):
        desk.connect(*TYPED)
    assert (desk.stored() or {})["client_id"] == "1000.OLD"

    assert desk.connect(*TYPED, "zoho") is Exit.GOOD
    assert (desk.stored() or {})["client_id"] == "1000.CLIENT"


def test_the_client_of_a_deployed_secret_is_kept_where_nothing_is_typed(
    desk: Desk, zoho: responses.RequestsMock
) -> None:
    zoho.post(TOKEN_URL, json=GRANT)
    zoho.get(ORG_URL, json={"org": [ORG]})
    desk.connect(*TYPED)
    zoho.replace("POST", TOKEN_URL, json=GRANT | {"refresh_token": "1000.PLANTED-newer"})

    assert desk.connect("", "", "1000.PLANTED-code", "y", is_deployed=True) is Exit.GOOD

    stored = desk.stored() or {}
    assert stored["client_secret"] == "PLANTED-secret"
    assert stored["refresh_token"] == "1000.PLANTED-newer"
    assert "The functions use it within a minute" in desk.said()
    assert "PLANTED" not in desk.said()
