"""A client on stubbed HTTP: answers are stubbed, sessions, headers and repeats are real."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import responses

from bigin_import.bigin.answers import Answer
from bigin_import.bigin.client import BiginClient, OrganisationMemory, Patience
from bigin_import.bigin.datacenters import DATA_CENTERS
from bigin_import.ports import Bigin
from tests.fakes.manual_clock import ManualClock


@dataclass
class NumberedTokens:
    """The AccessTokens port: a refused token is replaced by the next one."""

    made: int = 1
    refused: list[str] = field(default_factory=list)

    def get_token(self) -> str:
        return f"1000.PLANTED-token-{self.made}"

    def renew_token(self, refused: str) -> str:
        self.refused.append(refused)
        self.made += 1
        return self.get_token()


ZGID = "10358250"


class OneOrganisation(OrganisationMemory):
    """Every token is for one organisation, so that Bigin is not asked about any."""

    def find(self, token: str) -> Answer | None:
        return Answer(200, {"org": [{"zgid": ZGID}]})


@pytest.fixture
def tokens() -> NumberedTokens:
    return NumberedTokens()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def http() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as stub:
        yield stub


@pytest.fixture
def bigin(tokens: NumberedTokens, clock: ManualClock) -> Bigin:
    return BiginClient(
        DATA_CENTERS["US"],
        tokens,
        clock,
        patience=Patience(repeats=0),
        organisations=OneOrganisation(),
    )
