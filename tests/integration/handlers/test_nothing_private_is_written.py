"""Secrets and cells are planted, and looked for in logs, metrics, errors and notices."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator

import pytest

from bigin_import.callback_url import sign
from bigin_import.errors import AwsRefusedError
from tests.bigin_twin.faults import Fault, FaultName
from tests.bigin_twin.tokens import Client
from tests.integration.handlers.deployed import SIGNING_KEY, Deployed
from tests.integration.handlers.sample_events import callback_sample, s3_sample, sample, sqs_sample
from tests.integration.handlers.story import (
    CELLS,
    CSV,
    CSV_KEY,
    MAPPING,
    MAPPING_KEY,
    call_back,
    collect,
    drop_both,
    drop_to_closing,
    settled,
)


@pytest.fixture(autouse=True)
def everything_is_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """
    Lambda's root logger writes WARNING and above; INFO of every library is more than that.

    And somebody who looks for a fault has set the variable that logs whole events.
    """
    monkeypatch.setenv("POWERTOOLS_LOGGER_LOG_EVENT", "true")
    with caplog.at_level(logging.INFO):
        yield


def secrets(stack: Deployed) -> dict[str, str]:
    """Return what must never be seen, by what it is."""
    known = Client()
    held = stack.access_token()
    signatures = {
        f"signature of job {job_id}": stack.callback_path(job_id).rsplit("/", 1)[1]
        for job_id in stack.job_ids()
    }
    token = {"access token": held} if held else {}
    return (
        signatures
        | token
        | {
            "client id": known.client_id,
            "client secret": known.client_secret,
            "refresh token": known.refresh_token,
            "signing key": SIGNING_KEY,
            "feigned signature": sample("callback-json")["pathParameters"]["signature"],
        }
    )


def cells() -> dict[str, str]:
    return {f"cell {number}": cell for number, cell in enumerate(CELLS)}


def leaked(text: str, planted: dict[str, str]) -> list[str]:
    return [what for what, value in planted.items() if value.casefold() in text.casefold()]


def written(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> str:
    streams = capsys.readouterr()
    return "\n".join((streams.out, streams.err, caplog.text))


def test_nothing_private_is_written_from_drop_to_closing(
    stack: Deployed, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    drop_to_closing(stack)
    stack.run("job_callback", sample("callback-json"))
    stack.run("settle_jobs", sample("tick"))

    text = written(capsys, caplog)
    planted = secrets(stack)
    assert {"access token", "client secret"} < planted.keys()
    assert leaked(text, planted | cells()) == []
    assert stack.the_import().import_id in text


def test_no_notice_holds_a_secret_or_a_cell(stack: Deployed) -> None:
    drop_to_closing(stack)

    (notice,) = stack.notices()
    assert leaked(json.dumps(notice, ensure_ascii=False), secrets(stack) | cells()) == []


def test_the_access_token_is_in_no_item_of_the_table(stack: Deployed) -> None:
    drop_to_closing(stack)

    token = stack.access_token()
    assert token
    assert token not in json.dumps(stack.items())


def test_results_hold_cells_and_no_secret(stack: Deployed) -> None:
    """They are the customer's own rows in the customer's own bucket."""
    drop_to_closing(stack)

    files = [stack.body(key).decode(errors="replace") for key in stack.keys("results/")]
    text = "\n".join(files)
    assert leaked(text, secrets(stack)) == []
    assert set(leaked(text, cells())) == set(cells())


TROUBLE: dict[str, dict[str, object]] = {
    "the token is refused": {"name": FaultName.TOKEN_REFUSED, "code": "invalid_code"},
    "the upload is refused": {"name": FaultName.UPLOAD_REFUSED, "code": "FILE_TOO_LARGE"},
    "the create is refused": {"name": FaultName.CREATE_REFUSED, "code": "INVALID_MODULE"},
    "the create has no answer": {"name": FaultName.CREATE_TIMEOUT_AFTER_EFFECT},
    "the server fails": {"name": FaultName.SERVER_ERROR, "status": 500, "path": "/bulk/"},
    "Bigin is busy": {"name": FaultName.BUSY, "retry_after": 3600, "times": 3},
    "the job fails": {"name": FaultName.JOB_FAILED},
    "rows are left": {"name": FaultName.ROWS_UNPROCESSED, "after_rows": 1},
    "the result link is dead": {"name": FaultName.RESULT_DEAD_LINK, "times": 5},
}


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE)
def test_nothing_private_is_written_when_bigin_is_in_trouble(
    stack: Deployed,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    trouble: dict[str, object],
) -> None:
    with stack.twin.server.bigin() as bigin:
        bigin.faults.add(Fault.model_validate(trouble))

    drop_both(stack)
    if stack.job_ids():
        call_back(stack)
    collect(stack)
    stack.let_everything_be_due()
    stack.run("settle_jobs", sample("tick"))

    assert leaked(written(capsys, caplog), secrets(stack) | cells()) == []


WRONG_FILES = {
    "a value that does not fit": CSV.replace(b"\r\n", b",x\r\n", 2),
    "an unclosed quote": b'E-mail,Surname\r\n"' + CSV,
    "bytes of no encoding": CSV + b"\xff\xfe\x81",
    "surplus cells": CSV + f"{CELLS[0]},{CELLS[1]},{CELLS[3]},{CELLS[2]}\r\n".encode(),
    "no mapped column": CSV.replace(b"E-mail", b"Post"),
}


@pytest.mark.parametrize("body", WRONG_FILES.values(), ids=WRONG_FILES)
def test_nothing_private_is_written_about_a_file_that_is_wrong(
    stack: Deployed,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    body: bytes,
) -> None:
    stack.drop(MAPPING_KEY, json.dumps(MAPPING).encode())
    stack.run("import_csv", s3_sample("s3-put-csv", stack.drop(CSV_KEY, body)))
    collect(stack)

    notices = json.dumps(stack.notices(), ensure_ascii=False)
    assert leaked(written(capsys, caplog) + notices, secrets(stack) | cells()) == []


def test_the_first_row_of_a_file_without_header_is_in_no_log(
    stack: Deployed, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """It is taken for the header, and a notice must name headers; a log need not."""
    stack.drop(MAPPING_KEY, json.dumps(MAPPING).encode())
    without_header = CSV.split(b"\r\n", 1)[1]
    stack.run("import_csv", s3_sample("s3-put-csv", stack.drop(CSV_KEY, without_header)))
    collect(stack)

    assert leaked(written(capsys, caplog), secrets(stack) | cells()) == []


def test_no_error_that_reaches_lambda_shows_anything_private(
    stack: Deployed, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Lambda writes the traceback of an unknown error into the log."""
    message = settled(stack)
    planted = secrets(stack) | cells()
    (job_id,) = stack.job_ids()
    event = callback_sample("callback-json", stack.callback_path(job_id), job_id)
    version_id = stack.the_import().source.version_id
    stack.remove_table()

    with pytest.raises(AwsRefusedError) as of_import:
        stack.run("import_csv", s3_sample("s3-put-csv", version_id))
    with pytest.raises(AwsRefusedError) as of_callback:
        stack.run("job_callback", event)
    with pytest.raises(AwsRefusedError) as of_collection:
        stack.run("settle_jobs", sqs_sample(message))

    for caught in (of_import, of_callback, of_collection):
        shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
        assert leaked(shown, planted) == []
    assert leaked(written(capsys, caplog), planted) == []


def test_the_search_finds_what_is_planted(
    stack: Deployed, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    drop_both(stack)
    (job_id,) = stack.job_ids()
    signature = sign(SIGNING_KEY.encode(), stack.the_import().import_id, 1, 1)

    logging.getLogger("any").info("sent %s and %s", signature, CELLS[0].upper())

    found = leaked(written(capsys, caplog), secrets(stack) | cells())
    assert found == [f"signature of job {job_id}", "cell 0"]
