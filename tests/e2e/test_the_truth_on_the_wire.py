"""Rare answers that HTTP allows, and answers that belong to another call: none is believed."""

from __future__ import annotations

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.states import ImportState, PartState
from tests.e2e.desk import CONTACTS, Desk, as_csv, read_csv
from tests.e2e.seen_bigin import CREATE_PATH, UPLOAD_PATH, SeenBigin
from tests.e2e.waiting import until

# Each of the calls that an import makes, the token's included.
EVERYWHERE = ""


@pytest.mark.parametrize(("status", "count"), [(103, 1), (102, 3)])
def test_interim_answers_before_every_answer_shift_none_to_another_call(
    desk: Desk, bigin: SeenBigin, status: int, count: int
) -> None:
    bigin.revoke_tokens()
    bigin.break_once(
        "interim_answers", times=None, path=EVERYWHERE, status=status, count=count, seconds=0.3
    )

    few = desk.drop("few.csv", desk.contacts(2), CONTACTS)
    many = desk.drop("many.csv", desk.contacts(5, first=3), CONTACTS)

    records = [desk.closed(few), desk.closed(many)]
    assert [record.state for record in records] == [ImportState.COMPLETED] * 2
    assert [record.counts.added for record in records if record.counts] == [2, 5]
    assert bigin.emails_at(desk.name) == dict.fromkeys(desk.emails(7), 1)
    assert [len(bigin.creates_of(record.import_id)) for record in records] == [1, 1]


def test_a_create_that_announces_itself_for_ever_is_neither_believed_nor_repeated(
    desk: Desk, bigin: SeenBigin
) -> None:
    """More than twenty: the outcome is unknown until the callback names the job."""
    bigin.change(callback_delay_seconds=3)
    bigin.break_once("interim_answers", path=CREATE_PATH, count=25)

    source = desk.drop("people.csv", desk.contacts(), CONTACTS)

    unknown = desk.part_reached(source, PartState.UNKNOWN, PartState.CREATED, PartState.COLLECTED)
    record = desk.closed(source)
    assert unknown.attempt is not None
    assert record.state is ImportState.COMPLETED
    assert len(bigin.creates_of(record.import_id)) == 1
    assert bigin.emails_at(desk.name) == dict.fromkeys(desk.emails(), 1)


def _ask_until_closed(desk: Desk, source: ObjectVersion) -> Import:
    """Let Bigin be asked again at once, and not after minutes, until the import is closed."""

    def ask_again() -> bool:
        desk.make_due(source)
        desk.stack.invoke_tick()
        record = desk.import_of(source)
        return record is not None and record.noticed_at is not None

    until(ask_again, what="the import is closed")
    return desk.closed(source)


def test_what_bigin_says_of_another_job_closes_no_import(desk: Desk, bigin: SeenBigin) -> None:
    other = desk.closed(desk.drop("other.csv", desk.contacts(5), CONTACTS))
    bigin.change(row_seconds=1)
    bigin.break_once("foreign_job", times=3)

    source = desk.drop("people.csv", desk.contacts(2, first=6), CONTACTS)

    desk.reached(source, lambda seen: seen.state is ImportState.SENDING, what="is being sent")

    record = _ask_until_closed(desk, source)
    assert record.state is ImportState.COMPLETED
    assert record.counts is not None
    assert (record.counts.added, other.counts.added if other.counts else 0) == (2, 5)
    (part,) = desk.parts_of(source)
    assert part.attempt is not None
    assert part.attempt.outcome is not None
    assert part.attempt.outcome.total == 2


def test_row_results_of_another_job_are_asked_for_again(desk: Desk, bigin: SeenBigin) -> None:
    """They tell of the same rows: only the file that they are named after is another."""
    desk.closed(desk.drop("other.csv", desk.contacts(2), CONTACTS))
    bigin.break_once("foreign_rows")

    source = desk.drop("people.csv", desk.contacts(2), CONTACTS)

    desk.reached(source, lambda seen: seen.sent_at is not None, what="is sent")

    record = _ask_until_closed(desk, source)
    assert record.counts is not None  # Bigin has both from the other drop, whose rows it added
    assert (record.counts.added, record.counts.refused) == (0, 2)


def test_row_results_of_another_job_make_no_row_certain(desk: Desk, bigin: SeenBigin) -> None:
    """Where Bigin names them after no file of ours, the values decide."""
    bigin.change(result_name="bulkwrite")
    others = [[email, "Hill"] for email in desk.emails(3)]
    rows = [[email, "Plantagenet"] for email in desk.emails(3, first=4)]
    desk.closed(desk.drop("other.csv", as_csv([["E-mail", "Surname"], *others]), CONTACTS))
    bigin.break_once("foreign_rows", times=None)

    source = desk.drop("people.csv", as_csv([["E-mail", "Surname"], *rows]), CONTACTS)

    record = desk.closed(source)
    assert record.counts is not None
    assert (record.counts.added, record.counts.unclear) == (0, 3)
    unclear = read_csv(desk.result(record, "unclear.csv"))
    assert [row["E-mail"] for row in unclear] == desk.emails(3, first=4)


@pytest.mark.parametrize("wait", ["1.5", "soon", -3])
def test_a_retry_after_that_nobody_can_read_hides_nothing(
    desk: Desk, bigin: SeenBigin, wait: str | int
) -> None:
    bigin.break_once("busy", path=UPLOAD_PATH, retry_after=wait)

    source = desk.drop("people.csv", desk.contacts(), CONTACTS)

    assert desk.closed(source).state is ImportState.COMPLETED
    assert bigin.emails_at(desk.name) == dict.fromkeys(desk.emails(), 1)


def test_an_upload_that_is_too_large_is_not_sent_again_though_it_may_be_after_a_while(
    desk: Desk, bigin: SeenBigin
) -> None:
    bigin.break_once("upload_refused", times=None, code="FILE_TOO_LARGE", status=413, retry_after=1)

    source = desk.drop("people.csv", desk.contacts(), CONTACTS)

    record = desk.closed(source)
    uploads = [call for call in bigin.sent_for(record.import_id) if call["path"] == UPLOAD_PATH]
    assert record.state is ImportState.FAILED
    assert len(uploads) == 1


def test_a_create_whose_answer_is_late_is_waited_for(desk: Desk, bigin: SeenBigin) -> None:
    """The job's callback comes before it."""
    bigin.break_once("late_answer", path=CREATE_PATH, seconds=3)

    source = desk.drop("people.csv", desk.contacts(), CONTACTS)

    record = desk.closed(source)
    assert record.state is ImportState.COMPLETED
    assert len(bigin.creates_of(record.import_id)) == 1
