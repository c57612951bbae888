"""The access token: stored for all functions, and where it is not, used by its holder."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from bigin_import.domain.states import ImportState
from tests.integration.handlers.deployed import Deployed
from tests.integration.handlers.story import drop_to_closing

DENIED = b'{"__type": "AccessDeniedException", "Message": "not authorized"}'


class Body(io.BytesIO):
    """As urllib3's responses are read."""

    def stream(self, **_: object) -> Any:  # noqa: ANN401 - an iterator of chunks
        yield self.read()


def deny_writes(request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse | None:
    """Refuse what the secret of the access token needs; it is the only one that is written."""
    if not event_name.endswith("PutSecretValue"):
        return None
    return AWSResponse(str(request.url), 400, HTTPHeaders(), Body(DENIED))


def checks(stack: Deployed) -> dict[str, dict[str, str]]:
    answer = stack.run("settle_jobs", {"doctor": True})
    return {check["what"]: check for check in answer["checks"]}


def test_the_doctor_finds_the_secret_of_the_access_token_writable(stack: Deployed) -> None:
    found = checks(stack)["secret of the access token"]

    assert (found["found"], found["remedy"]) == ("writable", "")


def test_the_doctor_says_what_to_do_where_the_access_token_cannot_be_stored(
    stack: Deployed,
) -> None:
    with stack.disturbed(deny_writes):
        found = checks(stack)

    assert found["token and organisation"]["remedy"] == ""
    assert "TokenSecret" in found["secret of the access token"]["remedy"]


def test_a_token_that_cannot_be_stored_stops_no_import_and_rings(
    stack: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    with stack.disturbed(deny_writes):
        drop_to_closing(stack)

    assert stack.the_import().state is ImportState.COMPLETED_WITH_ERRORS
    assert stack.access_token() is None
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "{" in line]
    refused = [line for line in lines if line.get("message") == "aws refused"]
    assert {line["operation"] for line in refused} == {"PutSecretValue"}
    assert any("AwsRefused" in line for line in lines)
