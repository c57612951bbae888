"""
What every ledger promises, in memory and in DynamoDB alike.

With LEDGER_ENDPOINT the same tests also run against a real endpoint: the URL of DynamoDB Local,
or "aws" for the account and region of the environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import boto3
import pytest
from hypothesis import HealthCheck, given, settings

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.listing import HELD, OTHER
from bigin_import.domain.locks import ContentClaim, Record
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import ImportState, OpenKind, PartState
from bigin_import.domain.undo import confirm
from bigin_import.errors import ConflictError
from bigin_import.ledger import update
from bigin_import.ports import Ledger
from tests.integration.aws.ledger_bench import LedgerBench, dynamo_bench, memory_bench
from tests.integration.aws.record_values import records
from tests.unit.ledger.test_undo_record import SHOWN

ENDPOINT = os.environ.get("LEDGER_ENDPOINT", "")
CLAIM = ContentClaim(digest="d1", import_id="i1")


@pytest.fixture(params=["memory", "moto", *(["endpoint"] if ENDPOINT else [])])
def bench(request: pytest.FixtureRequest) -> Iterator[LedgerBench]:
    match request.param:
        case "memory":
            yield memory_bench()
        case "moto":
            with dynamo_bench(request.getfixturevalue("aws").client("dynamodb")) as made:
                yield made
        case _:
            url = None if ENDPOINT == "aws" else ENDPOINT
            with dynamo_bench(boto3.client("dynamodb", endpoint_url=url)) as made:
                yield made


@pytest.fixture
def ledger(bench: LedgerBench) -> Ledger:
    return bench.ledger


def an_import(
    import_id: str,
    *,
    due_at: int | None = 100,
    kind: OpenKind = OpenKind.WORK,
    epoch: int = 0,
) -> Import:
    return Import(
        import_id=import_id,
        source=ObjectVersion("bucket", "incoming/contacts.csv", "v1"),
        state=ImportState.SENDING,
        received_at=50,
        epoch=epoch,
        open=None if due_at is None else kind,
        due_at=due_at,
    )


def a_part(import_id: str, number: int, *, sha256: str = "00", due_at: int = 100) -> Part:
    return Part(
        import_id=import_id,
        number=number,
        state=PartState.STORED,
        rows=10,
        csv_bytes=100,
        sha256=sha256,
        first_row=2,
        last_row=11,
        repeatable=True,
        open=OpenKind.WORK,
        due_at=due_at,
    )


def test_a_record_that_was_never_saved_is_none(ledger: Ledger) -> None:
    assert ledger.load(Import.at("i1")) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(record=records())
def test_a_record_of_any_kind_comes_back_as_it_was_saved(ledger: Ledger, record: Record) -> None:
    before = ledger.load(record.address)

    saved = ledger.save(replace(record, version=before.version if before else 0))

    assert ledger.load(record.address) == saved
    assert replace(saved, version=0) == record


def test_every_save_raises_the_version(ledger: Ledger) -> None:
    first = ledger.save(CLAIM)
    second = ledger.save(first)

    assert 0 < first.version < second.version


def test_a_new_record_is_not_written_over_a_stored_one(ledger: Ledger) -> None:
    ledger.save(CLAIM)

    with pytest.raises(ConflictError):
        ledger.save(replace(CLAIM, import_id="i2"))

    stored = ledger.load(ContentClaim.at("d1"))
    assert stored is not None
    assert stored.import_id == "i1"


def test_of_two_that_read_the_same_version_one_writes(ledger: Ledger) -> None:
    read = ledger.save(an_import("i1"))
    first = ledger.save(replace(read, epoch=1))

    with pytest.raises(ConflictError, match="IMPORT#i1 IMPORT"):
        ledger.save(replace(read, epoch=2))

    assert ledger.load(Import.at("i1")) == first


def test_a_deleted_record_is_not_written_again(ledger: Ledger) -> None:
    read = ledger.save(CLAIM)
    ledger.delete(read)

    with pytest.raises(ConflictError):
        ledger.save(read)

    assert ledger.load(ContentClaim.at("d1")) is None


@pytest.mark.parametrize("stored", [False, True], ids=["first write", "later write"])
def test_a_write_whose_answer_is_lost_is_known_as_our_own(bench: LedgerBench, stored: bool) -> None:
    record = bench.ledger.save(an_import("i1")) if stored else an_import("i1")
    bench.lose_answer(lambda: None)

    saved = bench.ledger.save(replace(record, epoch=7))

    assert bench.ledger.load(Import.at("i1")) == saved
    assert saved.epoch == 7


def test_a_write_whose_answer_is_lost_and_that_another_replaced_conflicts(
    bench: LedgerBench,
) -> None:
    ledger = bench.ledger

    def replace_it() -> None:
        ours = ledger.load(Import.at("i1"))
        assert ours is not None
        ledger.save(replace(ours, epoch=8))

    bench.lose_answer(replace_it)

    with pytest.raises(ConflictError):
        ledger.save(an_import("i1", epoch=7))

    stored = ledger.load(Import.at("i1"))
    assert stored is not None
    assert stored.epoch == 8


def test_a_delete_whose_answer_is_lost_is_done(bench: LedgerBench) -> None:
    read = bench.ledger.save(CLAIM)
    bench.lose_answer(lambda: None)

    bench.ledger.delete(read)

    assert bench.ledger.load(ContentClaim.at("d1")) is None


def test_a_repeated_delete_spares_what_another_made_anew(bench: LedgerBench) -> None:
    ours = bench.ledger.save(CLAIM)
    bench.lose_answer(lambda: bench.ledger.save(replace(CLAIM, import_id="i2")))

    with pytest.raises(ConflictError):
        bench.ledger.delete(ours)

    theirs = bench.ledger.load(ContentClaim.at("d1"))
    assert theirs is not None
    assert theirs.import_id == "i2"


def test_deleting_twice_is_fine(ledger: Ledger) -> None:
    read = ledger.save(CLAIM)

    ledger.delete(read)
    ledger.delete(read)

    assert ledger.load(ContentClaim.at("d1")) is None


def test_a_record_that_another_changed_is_not_deleted(ledger: Ledger) -> None:
    read = ledger.save(CLAIM)
    changed = ledger.save(replace(read, import_id="i2"))

    with pytest.raises(ConflictError):
        ledger.delete(read)

    assert ledger.load(ContentClaim.at("d1")) == changed


def test_parts_come_by_number_and_only_those_of_the_import(ledger: Ledger) -> None:
    numbers = list(range(1, 13))
    Random(1).shuffle(numbers)
    for number in numbers:
        ledger.save(a_part("i1", number))
    ledger.save(a_part("i10", 1))
    ledger.save(an_import("i1"))

    parts = ledger.load_parts("i1")

    assert [(part.import_id, part.number) for part in parts] == [("i1", n) for n in range(1, 13)]


def test_parts_come_whole_when_one_answer_cannot_hold_them(ledger: Ledger) -> None:
    for number in range(1, 8):
        ledger.save(a_part("i1", number, sha256="0" * 200_000))

    assert [part.number for part in ledger.load_parts("i1")] == [1, 2, 3, 4, 5, 6, 7]


def test_due_work_comes_longest_overdue_first(ledger: Ledger) -> None:
    ledger.save(an_import("i1", due_at=300))
    ledger.save(a_part("i1", 2, due_at=100))
    ledger.save(an_import("i2", due_at=200))
    ledger.save(an_import("i3", due_at=301))

    due = ledger.find_due(OpenKind.WORK, before=300, limit=10)

    assert due == (Part.at("i1", 2), Import.at("i2"), Import.at("i1"))


def test_due_names_no_more_than_asked_for(ledger: Ledger) -> None:
    for number in (3, 1, 2):
        ledger.save(a_part("i1", number, due_at=number))

    due = ledger.find_due(OpenKind.WORK, before=300, limit=2)

    assert due == (Part.at("i1", 1), Part.at("i1", 2))


def test_due_keeps_waiting_and_work_apart(ledger: Ledger) -> None:
    ledger.save(an_import("i1", kind=OpenKind.WAITING))
    ledger.save(an_import("i2", kind=OpenKind.WORK))

    waiting = ledger.find_due(OpenKind.WAITING, before=300, limit=10)

    assert waiting == (Import.at("i1"),)


def test_a_record_without_open_is_never_due(ledger: Ledger) -> None:
    stored = ledger.save(an_import("i1"))
    ledger.save(replace(stored, open=None, due_at=None))
    ledger.save(an_import("i2", due_at=None))
    ledger.save(CLAIM)

    assert ledger.find_due(OpenKind.WORK, before=10**10, limit=10) == ()


def test_a_record_that_was_put_off_is_due_once_and_later(ledger: Ledger) -> None:
    stored = ledger.save(an_import("i1", due_at=100))
    ledger.save(replace(stored, due_at=200))

    assert ledger.find_due(OpenKind.WORK, before=199, limit=10) == ()
    assert ledger.find_due(OpenKind.WORK, before=200, limit=10) == (Import.at("i1"),)


def test_what_is_due_can_be_loaded(ledger: Ledger) -> None:
    part = ledger.save(a_part("i1", 12))

    (address,) = ledger.find_due(OpenKind.WORK, before=100, limit=10)

    assert ledger.load(address) == part


def test_imports_are_listed_by_heading_the_newest_first(ledger: Ledger) -> None:
    ledger.save(replace(an_import("i1"), received_at=100))
    ledger.save(replace(an_import("i2"), received_at=300))
    ledger.save(replace(an_import("i3"), received_at=200))
    ledger.save(a_part("i1", 1))

    found = ledger.find_listed(OTHER)
    newest = ledger.find_listed(OTHER, limit=1)

    assert [record.import_id for record in found] == ["i2", "i3", "i1"]
    assert [record.import_id for record in newest] == ["i2"]
    assert found[0].source == an_import("i2").source
    assert ledger.find_listed(HELD) == ()


def test_undos_that_were_confirmed_are_found_the_last_first(ledger: Ledger) -> None:
    for number, confirmed_at in enumerate((100, 300, None, 200)):
        shown = replace(SHOWN, import_id=f"i{number}")
        ledger.save(shown)
        if confirmed_at:
            update(ledger, shown.address, confirm(shown.token, "ada", confirmed_at))

    assert ledger.find_undone(limit=9) == ("i1", "i3", "i0")
    assert ledger.find_undone(limit=1) == ("i1",)
    assert ledger.find_listed(OTHER) == ()
