"""
One deployed stack for all end-to-end tests; they run with --e2e only, for they take minutes.

The tests share it: each has a folder of its own under `incoming/`, and puts Bigin back as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from bigin_import.aws.ledger import DynamoLedger
from bigin_import.domain.locks import FileHistory, SharedToken
from bigin_import.ledger import update
from tests.e2e.desk import Desk
from tests.e2e.seen_bigin import SeenBigin
from tests.local_stack import LocalStack

# The shortest wait for a mapping that the template allows.
PARAMETERS = {"MappingWaitMinutes": "1"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--e2e", action="store_true", help="deploy template.yaml locally and try it")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "after_all: looks at what all other tests left behind")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what is below this folder unless it was asked for, and run `after_all` at the end."""
    items.sort(key=lambda item: item.get_closest_marker("after_all") is not None)
    # The option is unknown when pytest met this file too late, as in a run of all of tests/.
    if config.getoption("--e2e", default=False):
        return
    for item in items:
        if item.path.is_relative_to(__file__.removesuffix("/conftest.py")):
            item.add_marker(pytest.mark.skip(reason="needs --e2e"))


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """The application, deployed as it is for AWS, with IAM and TLS enforced."""
    with LocalStack.running("e2e", parameters=PARAMETERS) as running:
        yield running


@pytest.fixture(scope="session")
def http(stack: LocalStack) -> Iterator[requests.Session]:
    """A session that trusts the stack's certificates."""
    with requests.Session() as session:
        session.trust_env = False  # REQUESTS_CA_BUNDLE would win over what is set here
        session.verify = stack.authority
        yield session


@pytest.fixture(scope="session")
def s3(stack: LocalStack) -> Any:  # noqa: ANN401 - boto3's own types hang on the service
    return stack.client("s3")


@pytest.fixture(scope="session")
def ledger(stack: LocalStack) -> DynamoLedger:
    return DynamoLedger(stack.client("dynamodb"), stack.table)


@pytest.fixture(scope="session")
def twin(stack: LocalStack, http: requests.Session) -> SeenBigin:
    """Bigin, for those who only look, or put back what they change."""
    seen = SeenBigin(stack.twin_url, http)
    seen.change(daily_credits=10_000_000)  # all tests together spend more than a day has
    return seen


@pytest.fixture
def bigin(twin: SeenBigin) -> Iterator[SeenBigin]:
    """Bigin, in a good mood again after the test."""
    with twin.changed():
        yield twin


@pytest.fixture(autouse=True)
def own_history(stack: LocalStack, ledger: DynamoLedger) -> None:
    """
    Forget which files there were, and how often a token was asked for: ten in ten minutes.

    Files of one name are told apart by no folder: an insert would wait for whatever another test
    has left open of a file with its name.
    """
    update(ledger, SharedToken.at(), lambda seen: replace(seen, refreshed_at=()))
    dynamodb = stack.client("dynamodb")
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=stack.table,
        FilterExpression="begins_with(pk, :history)",
        ExpressionAttributeValues={":history": {"S": FileHistory.at("").pk}},
    )
    for item in (item for page in pages for item in page["Items"]):
        key = {"pk": item["pk"], "sk": item["sk"]}
        dynamodb.delete_item(TableName=stack.table, Key=key)


@pytest.fixture
def refreshes(twin: SeenBigin) -> None:
    """Let Bigin count refreshes anew too; it then knows no token any more."""
    twin.revoke_tokens()


@pytest.fixture
def desk(request: pytest.FixtureRequest, desk_at: Callable[[str], Desk]) -> Desk:
    """The test's own folder."""
    return desk_at(request.node.name.removeprefix("test_"))


@pytest.fixture(scope="session")
def desk_at(
    stack: LocalStack,
    s3: Any,  # noqa: ANN401 - as above
    ledger: DynamoLedger,
) -> Callable[[str], Desk]:
    """Open a folder for several tests that look at the same drops."""

    def desk(name: str) -> Desk:
        words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        return Desk(stack, s3, ledger, words[-50:].strip("-"))

    return desk
