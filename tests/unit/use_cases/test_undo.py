"""An import is taken back: first it is shown what that deletes, then a person confirms it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import pytest

from bigin_import.domain import undo
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import Job
from bigin_import.domain.locks import Family, KeyLock, KeyVersion
from bigin_import.domain.states import ImportState
from bigin_import.domain.undo import Undo, UndoState
from bigin_import.errors import (
    BiginBusyError,
    BiginOutcomeUnknownError,
    BiginRefusedError,
    UndoRefusedError,
)
from bigin_import.identity import place_of
from bigin_import.ledger import update
from bigin_import.object_keys import OVERVIEW
from bigin_import.undoing.show import Asked
from tests.fakes.harness import MAPPING
from tests.unit.use_cases.test_files_dropped_again import (
    DONE,
    PARTLY,
    PHONES,
    SAME,
    SIDECAR,
    TEN,
    UPSERT,
    ChoosyBigin,
    Desk,
    Died,
    with_phones,
)

UNKNOWN = BiginOutcomeUnknownError("no answer")
MANY = [f"p{number}@example.com" for number in range(250)]


class UndoDesk(Desk):
    """A deployment in which imports are undone."""

    def show(self, record: Import, *, changed_too: bool = False) -> Undo:
        self.harness.clock.begin()
        asked = Asked(record.import_id, changed_too=changed_too, by="ada")
        return self.harness.application.undo_desk.show(asked)

    def begin(self, shown: Undo) -> Undo:
        asked = Asked(shown.import_id, by="ada")
        return self.harness.application.undo_desk.begin(asked, shown.token)

    def undo(self, record: Import, *, changed_too: bool = False) -> Undo:
        self.begin(self.show(record, changed_too=changed_too))
        self.harness.settle()
        return self.state(record)

    def state(self, record: Import) -> Undo:
        undo = self.harness.ledger.load(Undo.at(record.import_id))
        assert undo is not None
        return undo

    def ids(self, record: Import, file: str = "success") -> dict[str, str]:
        return {row["E-mail"]: row["bigin__Id"] for row in self.rows_of(record, file)}

    def change(self, record_id: str, *, seconds: int = 0) -> None:
        """Let somebody change a record now."""
        self.bigin.changed[record_id] = datetime.fromtimestamp(
            self.harness.clock.now() + seconds, UTC
        )

    def deleted(self) -> list[str]:
        return [each for call in self.bigin.deletions for each in call]

    def pass_minutes(self, minutes: int = 1) -> None:
        self.harness.tick(minutes=minutes)


@pytest.mark.parametrize("mapping", [MAPPING, UPSERT])
def test_what_an_import_added_is_shown_and_after_that_deleted(
    mapping: Mapping[str, object],
) -> None:
    desk = UndoDesk(mapping)
    record = desk.drop(MANY)
    ids = set(desk.ids(record).values())

    shown = desk.show(record)

    assert (shown.state, shown.rows, shown.added, shown.changed) == (UndoState.SHOWN, 250, 250, 0)
    assert (shown.credits, shown.shown_by) == (4, "ada")  # three calls, and what was changed
    assert desk.bigin.deletions == []
    desk.begin(shown)
    desk.harness.settle()
    undone = desk.state(record)
    assert (undone.state, undone.deleted, undone.kept) == (UndoState.DONE, 250, 0)
    assert desk.bigin.gone == set(desk.deleted()) == ids
    assert [len(call) for call in desk.bigin.deletions] == [100, 100, 50]
    assert undone.open is None


class FindingBigin(ChoosyBigin):
    """Has one of the records already, and updates it."""

    def verdict(self, row: Sequence[str]) -> tuple[str, str]:
        return ("UPDATED", "") if row[0] == TEN[3] else super().verdict(row)

    def get_job(self, job_id: str) -> Job:
        job = super().get_job(job_id)
        return job if job.total is None else replace(job, added=9, updated=1)


def test_what_it_updated_is_never_touched_and_named() -> None:
    desk = UndoDesk(UPSERT)
    desk.bigin = desk.harness.bigin = FindingBigin()
    record = desk.drop(TEN)

    undone = desk.undo(record)

    assert (undone.deleted, undone.updated) == (9, 1)
    assert desk.ids(record)[TEN[3]] not in desk.deleted()
    assert "1 record that the import updated stayed as before" in desk.report(record)


def test_what_was_changed_since_stays_unless_a_person_wants_it_gone() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    changed = desk.ids(record)["p3@example.com"]
    desk.change(changed)

    shown = desk.show(record)
    assert (shown.rows, shown.added, shown.changed) == (9, 10, 1)
    both = desk.show(record, changed_too=True)
    assert (both.rows, both.changed) == (10, 1)

    with pytest.raises(UndoRefusedError, match="not what was shown last"):
        desk.begin(shown)
    desk.begin(both)
    desk.harness.settle()

    assert changed in desk.bigin.gone
    assert len(desk.bigin.gone) == 10


def test_a_change_that_came_before_the_job_ended_is_the_imports_own() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    (part,) = desk.harness.ledger.load_parts(record.import_id)
    for record_id in desk.ids(record).values():
        desk.bigin.changed[record_id] = datetime.fromtimestamp(part.settled_at or 0, UTC)

    assert desk.show(record).changed == 0


def test_where_changes_cannot_be_had_a_person_must_say_that_all_go() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    desk.bigin.fail("list_changed_since", UNKNOWN, UNKNOWN)
    desk.bigin.fail("get_modified_time", UNKNOWN, UNKNOWN)

    with pytest.raises(UndoRefusedError, match="does not say which records were changed") as found:
        desk.show(record)
    assert "--changed-too" in found.value.remedy
    shown = desk.show(record, changed_too=True)

    assert (shown.rows, shown.changed) == (10, None)
    desk.begin(shown)
    desk.harness.settle()
    assert desk.state(record).deleted == 10


def change_others(desk: UndoDesk, count: int) -> None:
    """Let people change so many records that no import has added."""
    for number in range(count):
        desk.change(f"9{number:06}", seconds=1)


@pytest.mark.parametrize(("others", "asks_each"), [(1_990, False), (2_010, True)])
def test_where_the_list_of_changes_would_cost_more_each_record_is_asked_for(
    others: int, asks_each: bool
) -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    ids = desk.ids(record)
    desk.change(ids["p3@example.com"])
    change_others(desk, others)

    shown = desk.show(record)

    asked = desk.bigin.calls.count("get_modified_time")
    assert (shown.rows, shown.changed, shown.asks_each) == (9, 1, asks_each)
    assert asked == (10 if asks_each else 0)
    assert shown.credits == (1 + 9 if asks_each else 1 + 1 + 1_991 // 200)
    desk.change(ids["p4@example.com"], seconds=5)
    desk.begin(shown)
    desk.harness.settle()
    assert desk.bigin.calls.count("get_modified_time") == asked + (9 if asks_each else 0)
    undone = desk.state(record)
    assert (undone.deleted, undone.kept) == (8, 1)
    assert ids["p4@example.com"] in desk.report(record)


def test_where_there_is_no_list_each_of_some_records_is_asked_for() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    ids = desk.ids(record)
    desk.change(ids["p3@example.com"])
    desk.bigin.gone.add(ids["p5@example.com"])
    refused = BiginRefusedError(code="INVALID_DATA", message="sort_by", resolution="none")
    desk.bigin.fail("list_changed_since", refused)

    shown = desk.show(record)

    assert (shown.rows, shown.changed, shown.asks_each) == (9, 1, True)


def test_of_five_hundred_records_none_is_asked_for_alone() -> None:
    desk = UndoDesk()
    record = desk.drop([f"p{number}@example.com" for number in range(500)])
    desk.bigin.fail("list_changed_since", UNKNOWN)

    with pytest.raises(UndoRefusedError, match="does not say which records were changed"):
        desk.show(record)
    assert "get_modified_time" not in desk.bigin.calls


@pytest.mark.parametrize("changed_too", [False, True])
def test_what_is_changed_after_it_was_shown_stays_and_is_named(changed_too: bool) -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    ids = desk.ids(record)
    desk.change(ids["p1@example.com"])
    shown = desk.show(record, changed_too=changed_too)
    desk.change(ids["p4@example.com"], seconds=5)
    if changed_too:
        desk.change(ids["p1@example.com"], seconds=5)

    desk.begin(shown)
    desk.harness.settle()

    undone = desk.state(record)
    stays = {ids["p1@example.com"], ids["p4@example.com"]}
    assert desk.bigin.gone == set(ids.values()) - stays
    assert undone.deleted == 8
    assert ids["p4@example.com"] in desk.report(record)


def test_it_does_no_more_than_was_shown_whatever_lies_in_the_results() -> None:
    desk = UndoDesk()
    record, other = desk.drop(TEN), desk.drop(["x@example.com"], key="incoming/other.csv")
    own = set(desk.ids(record).values())
    forged = "bigin__Row,bigin__Status,bigin__Id\r\n2,added,999\r\n"
    stranger = next(iter(desk.bigin.record_ids() - own))
    text = forged.replace("999", stranger).encode()
    for name in ("contacts.success.csv", "contacts.failed.csv"):
        desk.harness.files.put(f"{record.results}{name}", text)

    desk.undo(record)

    assert set(desk.deleted()) == own
    assert other.state is DONE
    assert stranger not in desk.bigin.gone


def test_a_list_that_somebody_wrote_over_deletes_nothing() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    shown = desk.show(record)
    (key,) = desk.harness.files.list_keys(f"parts/{record.import_id}/undo.")
    desk.harness.files.put(key, b"forged")

    desk.begin(shown)
    desk.harness.settle()

    assert desk.bigin.deletions == []
    assert "parts_gone" in desk.harness.telemetry.names
    assert desk.state(record).due_at is not None


# What refuses


def refusal(desk: UndoDesk, record: Import) -> str:
    with pytest.raises(UndoRefusedError) as found:
        desk.show(record)
    assert found.value.remedy
    assert not found.value.remedy.endswith(".")
    assert desk.bigin.deletions == []
    return str(found.value)


def test_an_import_that_is_open_is_not_undone() -> None:
    desk = UndoDesk()
    desk.bigin.runs = False

    assert "not everything of it is done" in refusal(desk, desk.drop(TEN))


def test_an_import_that_added_nothing_is_not_undone() -> None:
    desk = UndoDesk()
    desk.drop(TEN)

    assert "added no record" in refusal(desk, desk.drop(TEN))


def test_an_import_that_nobody_knows_is_not_undone() -> None:
    desk = UndoDesk()

    assert "no import" in refusal(desk, replace(desk.drop(TEN), import_id="0" * 26))


def test_without_the_row_results_nothing_is_undone() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    desk.harness.files.remove(f"{record.results}rows.csv.gz")

    assert "not kept any more" in refusal(desk, record)


def test_with_the_token_of_another_organisation_nothing_is_undone() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    desk.bigin.zgid = "20358250"

    assert "went into organisation 10358250" in refusal(desk, record)


def test_while_a_version_of_the_same_key_is_open_nothing_is_undone() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    desk.bigin.runs = False
    later = desk.drop([*TEN[:2], "new@example.com"])

    assert later.import_id in refusal(desk, record)


def test_while_a_version_of_the_same_key_waits_nothing_is_undone() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    other = desk.drop(["x@example.com"], key="incoming/other.csv")
    opened = replace(other, state=ImportState.PREPARING, version=other.version)
    desk.harness.ledger.restore(opened)
    lock = desk.harness.ledger.load(KeyLock.at(place_of(record.source)))
    assert lock is not None
    desk.harness.ledger.restore(replace(lock, waiting=(KeyVersion(import_id=other.import_id),)))

    assert other.import_id in refusal(desk, record)


def test_while_a_correction_is_open_nothing_is_undone() -> None:
    desk = UndoDesk(refused="p7")
    record = desk.drop(TEN)
    desk.bigin.refused, desk.bigin.runs = (), False
    failed = desk.harness.files.read(f"{record.results}contacts.failed.csv")
    source = desk.harness.files.put("incoming/failed.csv", failed)
    desk.harness.importer.receive(source)
    desk.harness.settle()

    assert desk.harness.import_of(source).import_id in refusal(desk, record)


def test_what_was_undone_is_not_undone_again() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    desk.undo(record)
    desk.bigin.deletions.clear()

    assert "was undone already" in refusal(desk, record)


def test_while_it_is_undone_it_is_not_shown_anew_and_may_be_confirmed_again() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    shown = desk.show(record)
    desk.begin(shown)

    assert "is being undone" in refusal(desk, record)
    assert desk.begin(shown).state is UndoState.RUNNING
    desk.harness.settle()
    assert desk.state(record).state is UndoState.DONE


def test_when_all_were_changed_nothing_is_left_to_be_shown() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    for record_id in desk.ids(record).values():
        desk.change(record_id)

    assert "all 10 records" in refusal(desk, record)


@pytest.mark.parametrize("wanted", [("before", "load"), ("after", "load"), ("before", "save")])
def test_what_is_removed_while_it_is_confirmed_is_not_undone(wanted: tuple[str, str]) -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    shown = desk.show(record)
    ledger = desk.harness.ledger

    def forget(when: str, call: str, _: object) -> None:
        if (when, call) == wanted:
            ledger._hook = lambda _when, _call, _subject: None
            update(ledger, shown.address, undo.forget)

    ledger._hook = forget
    with pytest.raises(UndoRefusedError, match="is not what was shown last"):
        desk.begin(shown)

    assert desk.harness.queue.undone == []
    assert desk.state(record).open is None
    assert "is being removed, or was" in refusal(desk, record)


def test_what_is_removed_while_it_is_shown_is_not_confirmed() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    ledger = desk.harness.ledger
    nothing = undo.forgotten(record.import_id, desk.harness.clock.now(), None)

    def forget(when: str, call: str, _: object) -> None:
        if (when, call) == ("before", "save"):
            ledger._hook = lambda _when, _call, _subject: None
            ledger.save(nothing)

    ledger._hook = forget

    assert "is being removed, or was" in refusal(desk, record)
    assert desk.state(record).state is UndoState.FORGOTTEN


# What goes wrong on the way


def test_a_call_without_an_answer_is_repeated_and_what_it_deleted_is_found_deleted() -> None:
    desk = UndoDesk()
    record = desk.drop(MANY)
    desk.bigin.unanswered.extend([UNKNOWN])

    undone = desk.undo(record)

    assert (undone.state, undone.deleted) == (UndoState.DONE, 250)
    assert [len(call) for call in desk.bigin.deletions] == [100, 100, 100, 50]
    assert desk.bigin.calls.count("list_deleted_ids") == 1


def test_where_answers_stay_away_it_goes_on_minutes_later() -> None:
    desk = UndoDesk()
    record = desk.drop(MANY)
    desk.bigin.unanswered.extend([UNKNOWN] * 4)

    assert desk.undo(record).state is UndoState.RUNNING
    desk.pass_minutes(5)

    undone = desk.state(record)
    assert (undone.state, undone.deleted) == (UndoState.DONE, 250)


def test_a_record_that_never_was_there_is_named_as_not_deleted() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    merged = desk.ids(record)["p2@example.com"]
    desk.bigin.locked[merged] = "INVALID_DATA"

    undone = desk.undo(record)

    assert undone.deleted == 9
    assert f"{merged} (INVALID_DATA)" in desk.report(record)
    facts = json.loads(desk.harness.files.read(f"{record.results}import.json"))
    assert facts["undone"]["kept"] == {merged: "INVALID_DATA"}


def test_a_record_that_a_person_has_deleted_counts_as_deleted() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    desk.bigin.gone.add(desk.ids(record)["p2@example.com"])

    assert desk.undo(record).deleted == 10


def test_what_bigin_does_not_delete_is_named_with_its_code() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    locked = desk.ids(record)["p2@example.com"]
    desk.bigin.locked[locked] = "NO_PERMISSION"

    undone = desk.undo(record)

    assert undone.deleted == 9
    assert f"{locked} (NO_PERMISSION)" in desk.harness.notices.published[-1].body


def test_a_list_of_deleted_records_that_is_too_long_proves_nothing() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    lost = desk.ids(record)["p2@example.com"]
    desk.bigin.locked[lost] = "INVALID_DATA"
    too_long = BiginRefusedError(code="DISCRETE", message="too long", resolution="none")
    desk.bigin.fail("list_deleted_ids", too_long, too_long)

    assert desk.undo(record).deleted == 9


def test_without_credits_it_waits_and_goes_on() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    desk.bigin.fail("delete_records", BiginBusyError("busy"))

    assert desk.undo(record).state is UndoState.RUNNING
    desk.pass_minutes(10)
    assert desk.bigin.gone == set()
    desk.pass_minutes(10)

    assert desk.state(record).deleted == 10


def run_killed(desk: UndoDesk, moment: str, kind: str, number: int) -> bool:
    """Let a run die at its ledger call *number* of a kind; return whether it came so far."""
    seen = 0

    def die(when: str, call: str, _: object) -> None:
        nonlocal seen
        if (when, call) == (moment, kind):
            seen += 1
            if seen == number:
                raise Died

    desk.harness.ledger._hook = die
    try:
        desk.harness.settle()
    except Died:
        return True
    finally:
        desk.harness.ledger._hook = lambda _when, _call, _subject: None
    return False


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("kind", "least"), [("save", 10), ("load", 10), ("delete", 1)])
def test_a_run_that_is_killed_anywhere_goes_on_where_it_was(
    moment: str, kind: str, least: int
) -> None:
    for number in count(1):
        desk = UndoDesk()
        record = desk.drop(MANY)
        ids = set(desk.ids(record).values())
        desk.begin(desk.show(record))
        if not run_killed(desk, moment, kind, number):
            break
        desk.pass_minutes(20)
        undone = desk.state(record)
        assert (undone.state, undone.deleted) == (UndoState.DONE, 250), number
        assert desk.bigin.gone == ids
        assert set(desk.deleted()) <= ids

    assert number > least


def test_a_run_that_is_out_of_time_lets_the_next_one_go_on() -> None:
    desk = UndoDesk()
    record = desk.drop(MANY)
    desk.begin(desk.show(record))
    desk.harness.clock.begin(remaining_seconds=80)

    desk.harness.application.undo_runner.go_on(record.import_id)

    state = desk.state(record)
    assert (state.state, state.gone_through, state.lease_until) == (UndoState.RUNNING, 0, 0)
    desk.harness.settle()
    assert desk.state(record).deleted == 250


def test_two_runs_at_once_are_one() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    desk.begin(desk.show(record))
    runner = desk.harness.application.undo_runner
    deleting = desk.bigin.delete_records

    def delete(module: str, ids: list[str], *, zgid: str) -> dict[str, str]:
        desk.harness.application.undo_runner.go_on(record.import_id)
        return deleting(module, ids, zgid=zgid)

    desk.bigin.delete_records = delete  # type: ignore[assignment]
    runner.go_on(record.import_id)

    assert len(desk.bigin.deletions) == 1
    assert desk.state(record).state is UndoState.DONE


def test_a_run_that_stood_still_until_another_had_finished_deletes_and_keeps_nothing() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    desk.begin(desk.show(record))
    asked = desk.harness.queue.undone.copy()
    ledger = desk.harness.ledger

    def stand_still(when: str, call: str, subject: object) -> None:
        if (when, call) == ("before", "load") and subject == KeyLock.at(place_of(record.source)):
            ledger._hook = lambda _when, _call, _subject: None
            desk.pass_minutes(10)
            assert desk.state(record).state is UndoState.DONE

    ledger._hook = stand_still
    desk.harness.application.undo_runner.go_on(asked[0])

    lock = ledger.load(KeyLock.at(place_of(record.source)))
    assert lock is not None
    assert lock.undoing == record.import_id
    assert len(desk.bigin.deletions) == 1
    again = desk.drop(TEN)
    assert (again.state, desk.sent(again)) == (DONE, TEN)
    assert desk.undo(again).deleted == 10


# What is in afterwards


@pytest.mark.parametrize("mapping", [MAPPING, UPSERT])
def test_the_same_file_again_sends_all_that_was_undone_once(
    mapping: Mapping[str, object],
) -> None:
    desk = UndoDesk(mapping)
    record = desk.drop(TEN)
    desk.undo(record)

    again = desk.drop(TEN)

    assert (again.state, desk.sent(again)) == (DONE, TEN)
    assert desk.drop(TEN).state is SAME


@pytest.mark.parametrize("mapping", [MAPPING, UPSERT])
def test_the_same_file_again_sends_only_what_was_undone(mapping: Mapping[str, object]) -> None:
    desk = UndoDesk(mapping)
    record = desk.drop(TEN)
    desk.change(desk.ids(record)["p3@example.com"])
    desk.undo(record)

    again = desk.drop(TEN)

    assert desk.sent(again) == [each for each in TEN if not each.startswith("p3")]
    assert desk.drop(TEN).state is SAME


@pytest.mark.parametrize("mapping", [MAPPING, UPSERT])
def test_the_rows_of_an_import_that_repeated_another_are_told_apart(
    mapping: Mapping[str, object],
) -> None:
    desk = UndoDesk(mapping, refused="p7")
    first = desk.drop(TEN)
    desk.bigin.refused = ()
    second = desk.drop(TEN)
    assert desk.sent(second) == ["p7@example.com"]

    desk.undo(first)

    third = desk.drop(TEN)
    assert desk.sent(third) == [each for each in TEN if not each.startswith("p7")]
    desk.undo(second)
    assert desk.sent(desk.drop(TEN)) == ["p7@example.com"]


@pytest.mark.parametrize("mapping", [MAPPING, UPSERT])
def test_what_was_undone_is_sent_by_a_file_that_had_been_unchanged(
    mapping: Mapping[str, object],
) -> None:
    """All was in by a correction, so the claim of the content is of an import without rows."""
    desk = UndoDesk(mapping, refused="p7")
    first = desk.drop(TEN)
    desk.bigin.refused = ()
    drop_file(desk, desk.harness.files.read(f"{first.results}contacts.failed.csv"))
    assert [desk.drop(TEN).state for _ in range(2)] == [SAME, SAME]

    desk.undo(first)

    again = desk.drop(TEN)
    assert desk.sent(again) == [each for each in TEN if not each.startswith("p7")]
    assert [desk.drop(TEN).state for _ in range(2)] == [SAME, SAME]


def undone_csv(desk: UndoDesk, record: Import, name: str = "contacts") -> bytes:
    return desk.harness.files.read(f"{record.results}{name}.undone.csv")


def drop_file(desk: UndoDesk, body: bytes, key: str = "incoming/again.csv") -> Import:
    source = desk.harness.files.put(key, body)
    desk.harness.importer.receive(source)
    desk.harness.settle()
    desk.pass_minutes(3)
    return desk.harness.import_of(source)


@pytest.mark.parametrize("mapping", [MAPPING, UPSERT])
def test_the_file_of_undone_rows_is_taken_as_a_correction(mapping: Mapping[str, object]) -> None:
    desk = UndoDesk(mapping)
    record = desk.drop(TEN)
    stays = desk.ids(record)["p3@example.com"]
    desk.change(stays)
    desk.undo(record)
    body = undone_csv(desk, record)

    again = drop_file(desk, body)

    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    assert [row["E-mail"] for row in rows] == [each for each in TEN if not each.startswith("p3")]
    assert {row["bigin__Status"] for row in rows} == {"unprocessed"}
    assert (again.state, again.root) == (DONE, record.import_id)
    page = desk.harness.files.read(f"{again.results}report.html").decode()
    assert "With all corrections, 10 of 10 rows of contacts.csv are in Bigin" in page
    assert "10 in Bigin, COMPLETED, undone since" in page
    assert desk.sent(again) == [row["E-mail"] for row in rows]
    assert drop_file(desk, body, "incoming/third.csv").state is SAME
    assert desk.drop(TEN).state is SAME


def test_the_file_of_undone_rows_adds_nothing_after_the_same_file_did() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    desk.undo(record)
    desk.drop(TEN)

    assert drop_file(desk, undone_csv(desk, record)).state is SAME


def test_a_correction_is_undone_alone_and_its_rows_are_sent_again() -> None:
    desk = UndoDesk(refused="p7")
    first = desk.drop(TEN)
    desk.bigin.refused = ()
    failed = desk.harness.files.read(f"{first.results}contacts.failed.csv")
    correction = drop_file(desk, failed)
    assert desk.sent(correction) == ["p7@example.com"]

    assert desk.undo(correction).deleted == 1

    assert desk.sent(drop_file(desk, failed, "incoming/second.csv")) == ["p7@example.com"]


@pytest.mark.parametrize("goes", [("whole", "undone"), ("undone", "whole")])
def test_a_new_row_of_a_correction_that_was_undone_is_sent_once(goes: Sequence[str]) -> None:
    desk = UndoDesk(refused="p7")
    first = desk.drop(TEN)
    desk.bigin.refused = ()
    failed = desk.harness.files.read(f"{first.results}contacts.failed.csv")
    empty = b"," * failed.splitlines()[0].split(b",").index(b"E-mail")
    whole = failed + empty + b"new@example.com,New\r\n"
    correction = drop_file(desk, whole)
    desk.undo(correction)
    bodies = {"whole": whole, "undone": undone_csv(desk, correction, "again")}

    sent = [desk.sent(drop_file(desk, bodies[go], f"incoming/{go}.csv")) for go in goes]

    assert sent == [["p7@example.com", "new@example.com"], []]


def test_success_csv_as_a_correction_sends_what_was_undone() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    body = desk.harness.files.read(f"{record.results}contacts.success.csv")
    desk.undo(record)

    assert desk.sent(drop_file(desk, body)) == TEN


def test_another_file_that_had_changed_the_records_is_sent_again() -> None:
    desk = UndoDesk(UPSERT)
    record = desk.drop(TEN)
    other = desk.drop(["p1@example.com,Changed\n"], key="incoming/other.csv")
    desk.change(desk.ids(record)["p1@example.com"])

    desk.undo(record, changed_too=True)

    assert other.state is DONE
    again = desk.drop(["p1@example.com,Changed\n"], key="incoming/other.csv")
    assert (again.state, desk.sent(again)) == (DONE, ["p1@example.com"])


# Who waits for it


def test_while_it_is_undone_the_same_file_waits_and_is_then_sent() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    desk.bigin.fail("delete_records", BiginBusyError("busy"))
    assert desk.undo(record).state is UndoState.RUNNING

    waiting = desk.drop(TEN)
    assert not waiting.state.is_closed
    desk.pass_minutes(40)

    again = desk.harness.import_of(desk.newest)
    assert (again.state, desk.sent(again)) == (DONE, TEN)


def test_while_it_is_undone_a_correction_waits_and_is_then_sent() -> None:
    desk = UndoDesk(refused="p7")
    record = desk.drop(TEN)
    desk.bigin.refused = ()
    desk.bigin.fail("delete_records", BiginBusyError("busy"))
    desk.undo(record)

    failed = desk.harness.files.read(f"{record.results}contacts.failed.csv")
    source = desk.harness.files.put("incoming/failed.csv", failed)
    desk.harness.importer.receive(source)
    assert not desk.harness.import_of(source).state.is_closed
    desk.pass_minutes(40)

    assert desk.state(record).deleted == 9
    assert desk.sent(desk.harness.import_of(source)) == ["p7@example.com"]


def test_what_begins_after_it_was_confirmed_ends_before_anything_is_deleted() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    desk.begin(desk.show(record))
    asked, desk.harness.queue.undone = desk.harness.queue.undone, []
    desk.bigin.runs = False
    later = desk.drop(["new@example.com"])
    desk.harness.queue.undone += asked

    desk.harness.settle()
    assert desk.bigin.deletions == []
    lock = desk.harness.ledger.load(KeyLock.at(place_of(record.source)))
    assert lock is not None
    assert lock.undoing is None
    desk.bigin.runs = True
    desk.pass_minutes(60)

    assert desk.harness.import_of(desk.newest).import_id == later.import_id
    assert desk.state(record).deleted == 10


# What is told


def test_report_and_notice_say_that_it_was_undone() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    desk.change(desk.ids(record)["p3@example.com"])
    before = len(desk.harness.notices.published)

    desk.undo(record)

    (notice,) = desk.harness.notices.published[before:]
    assert notice.subject == "Undone: contacts.csv"
    assert ("state", "UNDONE") in notice.attributes
    assert "9 records that it added were deleted from Bigin" in notice.body
    assert "1 record stayed, changed since the import." in notice.body
    assert "contacts.undone.csv" in notice.body
    page = desk.report(record)
    assert page.index("This import was undone") < page.index("<h1>")
    facts = json.loads(desk.harness.files.read(f"{record.results}import.json"))
    assert (facts["undone"]["deleted"], facts["undone"]["changed"]) == (9, 1)
    assert "@example.com" not in notice.body


def test_the_page_of_all_imports_says_so_with_the_next_tick() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    desk.change(desk.ids(record)["p3@example.com"])
    desk.pass_minutes(3)
    assert "<b>imported</b>" in desk.harness.files.read(OVERVIEW).decode()

    desk.undo(record)
    desk.pass_minutes(1)

    page = desk.harness.files.read(OVERVIEW).decode()
    assert "<b>imported, undone in part: 9 of 10 records deleted</b>" in page


def test_where_the_file_is_gone_the_notice_says_how_to_send_its_rows_again() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    del desk.harness.files.versions[record.source.key]  # for good: every version of it

    desk.undo(record)

    assert "drop your own copy again" in desk.harness.notices.published[-1].body


def test_a_family_knows_that_a_member_was_undone() -> None:
    desk = UndoDesk()
    record = desk.drop(TEN)
    desk.undo(record)

    family = desk.harness.ledger.load(Family.at(record.import_id))
    assert family is not None
    assert (family.undoing, family.undone) == (None, (record.import_id,))


def test_a_partial_import_is_undone_as_far_as_it_went_in() -> None:
    desk = UndoDesk(refused="p7")
    record = desk.drop(TEN)
    assert record.state is PARTLY

    assert desk.undo(record).deleted == 9
    desk.bigin.refused = ()
    assert desk.sent(desk.drop(TEN)) == TEN


@pytest.mark.parametrize("rows", [TEN, [*TEN, "x@example.com"]], ids=["same", "grown"])
def test_an_import_that_was_repeated_is_in_still_after_the_repetition_was_undone(
    rows: list[str],
) -> None:
    desk = UndoDesk()
    first = desk.drop(TEN)
    desk.harness.drop(SIDECAR, {**MAPPING, "force": first.import_id})
    forced = desk.drop(TEN)
    desk.undo(forced)
    jobs = len(desk.bigin.made)
    desk.harness.drop(SIDECAR, MAPPING)

    desk.drop(rows)

    sent = [desk.bigin._rows(job)[1:] for job in list(desk.bigin.made.values())[jobs:]]
    assert [[row[0] for row in each] for each in sent] == ([rows[10:]] if rows[10:] else [])


def test_mended_rows_that_never_got_in_are_no_rewritten_ones() -> None:
    """Six of ten were refused for their zero; a version with one more row came and was undone."""
    phones = [f"{'' if number < 4 else '0'}30123{number}" for number in range(10)]
    desk = UndoDesk(PHONES)
    desk.bigin.refused = ("0",)
    desk.drop_bytes(with_phones(phones))
    desk.undo(desk.drop_bytes(with_phones(phones) + b"x@example.com,X,5\n"))

    mended = desk.drop_bytes(with_phones([phone.lstrip("0") for phone in phones]))

    assert mended.state is DONE
    assert desk.sent(mended) == TEN[4:]
