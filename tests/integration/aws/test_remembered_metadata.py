"""Bigin's metadata in the table, which takes no item over 400 KB."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest

from bigin_import.domain.job_request import Field
from bigin_import.importing.find_mapping import MetadataCache
from bigin_import.ports import Ledger
from tests.fakes.fake_bigin import FakeBigin
from tests.fakes.manual_clock import ManualClock
from tests.integration.aws.ledger_bench import dynamo_bench


@pytest.fixture
def ledger(aws: boto3.Session) -> Iterator[Ledger]:
    with dynamo_bench(aws.client("dynamodb")) as bench:
        yield bench.ledger


def with_pick_list(values: int) -> tuple[Field, ...]:
    choices = tuple(f"straße {number:08}" for number in range(values))
    return (Field("Street", "Street", "picklist", pick_list=choices),)


@pytest.mark.parametrize(("values", "asked"), [(10_000, 1), (30_000, 2)])
def test_fields_are_remembered_unless_no_item_can_hold_them(
    ledger: Ledger, values: int, asked: int
) -> None:
    bigin = FakeBigin()
    bigin.module_fields["Contacts"] = with_pick_list(values)
    metadata = MetadataCache(ledger, bigin, ManualClock())

    answers = [metadata.get_fields("Contacts"), metadata.get_fields("Contacts")]

    assert answers == [with_pick_list(values)] * 2
    assert bigin.calls.count("fields") == asked
