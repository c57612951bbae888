"""After all other tests: what the logs do not say, and what Bigin has that the ledger knows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from bigin_import.aws.ledger import DynamoLedger
from tests.bigin_twin.tokens import Client
from tests.e2e.desk import CONTACTS, PLANTED, Desk
from tests.e2e.seen_bigin import SeenBigin
from tests.local_stack import LocalStack
from tests.local_stack.stack import FunctionName

pytestmark = [pytest.mark.after_all, pytest.mark.usefixtures("an_import")]

FUNCTIONS: tuple[FunctionName, ...] = ("import-csv", "job-callback", "settle-jobs")
ACCESS_TOKEN = re.compile(r"1000\.[0-9a-f]{32}\.[0-9a-f]{32}")


@pytest.fixture(scope="session")
def an_import(desk_at: Callable[[str], Desk]) -> None:
    """Something to look at, also where these tests run alone."""
    desk = desk_at("left behind")
    desk.closed(desk.drop("people.csv", desk.contacts(), CONTACTS))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_log_holds_a_secret_a_token_a_signature_or_a_cell(
    function: FunctionName, stack: LocalStack, twin: SeenBigin
) -> None:
    forbidden = [PLANTED, *secrets(stack), *signatures(twin)]

    log = "\n".join(stack.logs(function))

    assert '"import_id"' in log
    assert [word for word in forbidden if word in log] == []
    assert ACCESS_TOKEN.findall(log) == []


def test_the_access_token_lies_in_its_secret_and_in_no_item_of_the_table(stack: LocalStack) -> None:
    answer = stack.client("secretsmanager").get_secret_value(SecretId=stack.resource("TokenSecret"))
    pages = stack.client("dynamodb").get_paginator("scan").paginate(TableName=stack.table)
    items = str([item for page in pages for item in page["Items"]])

    assert ACCESS_TOKEN.fullmatch(answer["SecretString"])
    assert "TOKEN" in items
    assert ACCESS_TOKEN.findall(items) == []


def secrets(stack: LocalStack) -> Iterator[str]:
    zoho = Client()
    yield from (zoho.client_secret, zoho.refresh_token)
    signing = stack.resource("SigningSecret")
    yield stack.client("secretsmanager").get_secret_value(SecretId=signing)["SecretString"]


def signatures(twin: SeenBigin) -> Iterator[str]:
    for body in twin.creates():
        yield body["callback"]["url"].rpartition("/")[2]


def test_every_job_that_bigin_made_is_in_the_ledger_once(
    stack: LocalStack, twin: SeenBigin, ledger: DynamoLedger
) -> None:
    pages = stack.client("dynamodb").get_paginator("scan").paginate(TableName=stack.table)
    keys = {item["pk"]["S"].partition("#")[2] for page in pages for item in page["Items"]}

    parts = [part for import_id in keys for part in ledger.load_parts(import_id)]

    known = Counter(attempt.job_id for part in parts for attempt in part.attempts if attempt.job_id)
    assert known == dict.fromkeys((job["id"] for job in twin.jobs()), 1)
