"""One deployed stack for all end-to-end tests; they run with --e2e only, for they take minutes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.local_stack import LocalStack


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--e2e", action="store_true", help="deploy template.yaml locally and try it")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what is below this folder unless it was asked for."""
    # The option is unknown when pytest met this file too late, as in a run of all of tests/.
    if config.getoption("--e2e", default=False):
        return
    for item in items:
        if item.path.is_relative_to(__file__.removesuffix("/conftest.py")):
            item.add_marker(pytest.mark.skip(reason="needs --e2e"))


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """The application, deployed as it is for AWS, with IAM and TLS enforced."""
    with LocalStack.running("e2e") as running:
        yield running
