"""A lifecycle rule or a person removes `parts/` while an import waits."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bigin_import import object_keys
from bigin_import.domain.drop import Notice, ObjectVersion
from bigin_import.domain.states import ImportState, PartState
from bigin_import.errors import BiginBusyError, BiginOutcomeUnknownError, NoticeFailedError
from bigin_import.importing.importer import Importer
from tests.fakes.harness import MAPPING, ROWS, Harness
from tests.fakes.memory_ledger import Backup

CSV = "incoming/contacts.csv"
BUSY = BiginBusyError("no credits", retry_after_seconds=3600)
UNKNOWN = BiginOutcomeUnknownError("no answer")
HOUR, DAY = 60, 24 * 60
MORE = b"".join(b"person%d@example.com,Person %d\n" % (n, n) for n in range(3))


def remove(harness: Harness, *endings: str) -> None:
    for key in list(harness.files.list_keys("parts/")):
        if not endings or any(each in key for each in endings):
            harness.files.remove(key)


def days_pass(harness: Harness, days: int) -> None:
    for _ in range(days * 24):
        harness.clock.advance(59 * 60)
        harness.tick()


def waiting(harness: Harness, error: Exception = BUSY, times: int = 1) -> ObjectVersion:
    harness.drop("incoming/contacts.mapping.json", MAPPING)
    harness.bigin.fail("create_job", *[error] * times)
    return harness.drop(CSV, ROWS)


def only(harness: Harness, state: ImportState) -> bool:
    """Return whether people were told of one import, once, and of its end."""
    told = [dict(each.attributes)["state"] for each in harness.notices.published]
    return [each for each in told if each != "WAITING_FOR_CREDITS"] == [state]


@pytest.mark.parametrize("endings", [(), (".zip",), ("/plan.",), (".zip", ".json")])
def test_what_was_not_sent_is_prepared_again(endings: tuple[str, ...]) -> None:
    harness = Harness()
    source = waiting(harness)
    remove(harness, *endings)

    harness.tick(2 * HOUR)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert len(harness.bigin.records()) == 2
    assert only(harness, ImportState.COMPLETED)


def test_it_is_prepared_with_the_mapping_that_it_began_with() -> None:
    harness = Harness()
    source = waiting(harness)
    harness.drop("incoming/contacts.mapping.json", {**MAPPING, "columns": {"Surname": "Last_Name"}})
    remove(harness)

    harness.tick(2 * HOUR)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert ["ada@example.com", "Lovelace"] in harness.bigin.records()


def test_with_the_drop_gone_too_it_is_withdrawn() -> None:
    harness = Harness()
    source = waiting(harness)
    remove(harness)
    del harness.files.versions[CSV]

    harness.tick(2 * HOUR)

    assert harness.import_of(source).state is ImportState.WITHDRAWN
    assert harness.bigin.made == {}


def test_with_the_mapping_gone_too_a_mapping_lets_it_go_on() -> None:
    harness = Harness()
    source = waiting(harness)
    remove(harness)
    del harness.files.versions["incoming/contacts.mapping.json"]
    harness.tick(2 * HOUR)
    assert harness.import_of(source).state is ImportState.REJECTED

    harness.drop("incoming/contacts.mapping.json", MAPPING)
    harness.tick(5)

    assert harness.import_of(source, take=2).state is ImportState.COMPLETED


def test_what_was_sent_is_closed_by_what_the_ledger_counts() -> None:
    harness = Harness()
    harness.drop("incoming/contacts.mapping.json", MAPPING)
    source = harness.drop(CSV, ROWS)
    assert harness.import_of(source).state is ImportState.SENT
    remove(harness)

    harness.tick(2 * HOUR)

    record = harness.import_of(source)
    assert record.state is ImportState.COMPLETED
    assert record.counts is not None
    assert record.counts.added == 2
    assert only(harness, ImportState.COMPLETED)
    assert "under parts/ was removed" in harness.result(source, "report.html").decode()


def test_the_same_rows_are_not_sent_again_after_that() -> None:
    harness = Harness()
    harness.bigin.verdict = lambda row: ("ADDED", "") if row[0][0] == "a" else ("SKIPPED", "no")  # type: ignore[method-assign]
    harness.drop("incoming/contacts.mapping.json", MAPPING)
    harness.drop(CSV, ROWS)
    remove(harness)
    harness.tick(2 * HOUR)

    harness.drop(CSV, ROWS)
    harness.tick(2 * HOUR)

    assert len(harness.bigin.records()) == 2


class SmallParts(Harness):
    """Three rows to a part."""

    @property
    def importer(self) -> Importer:
        usual = super().importer
        return replace(usual, preparer=replace(usual.preparer, max_rows=3))


@pytest.mark.parametrize(
    ("endings", "unprocessed"), [((), 2), ((".zip",), 2), (("/0002.",), 2), (("/plan.",), 2)]
)
def test_of_several_parts_what_was_sent_ends_and_the_rest_is_kept_back(
    endings: tuple[str, ...], unprocessed: int
) -> None:
    harness = SmallParts()
    harness.drop("incoming/contacts.mapping.json", MAPPING)
    create = harness.bigin.create_job
    made: list[str] = []

    def once(*args: object, **named: object) -> str:
        if made:
            raise BUSY
        made.append(create(*args, **named))  # type: ignore[arg-type]
        return made[0]

    harness.bigin.create_job = once  # type: ignore[method-assign]
    source = harness.drop(CSV, ROWS + MORE)
    remove(harness, *endings)
    harness.clock.advance(25 * 3600)  # the upload is too old by now
    harness.tick(5 * HOUR)

    record = harness.import_of(source)
    assert record.state is ImportState.COMPLETED_WITH_ERRORS
    assert record.counts is not None
    assert (record.counts.added, record.counts.unprocessed) == (3, unprocessed)


def test_a_held_part_is_told_of_and_decided_about_without_the_plan() -> None:
    harness = Harness()
    source = waiting(harness, UNKNOWN)
    remove(harness)

    harness.tick(HOUR)
    (part,) = harness.parts_of(source)
    assert part.state is PartState.HELD
    assert [dict(each.attributes)["state"] for each in harness.notices.published] == ["ON_HOLD"]
    harness.decisions.create(part.import_id, 1, 1)
    harness.tick(HOUR)

    record = harness.import_of(source)
    assert record.state is ImportState.FAILED
    assert record.counts is not None
    assert record.counts.unprocessed == 2


def test_a_hold_that_nobody_decides_about_ends_without_the_plan() -> None:
    harness = Harness()
    source = waiting(harness, UNKNOWN)
    remove(harness)

    days_pass(harness, 20)

    record = harness.import_of(source)
    assert record.state is ImportState.COMPLETED_WITH_ERRORS
    assert record.open is None
    assert record.counts is not None
    assert record.counts.unclear == 2


def test_a_notice_that_is_gone_before_it_was_published_is_written_again() -> None:
    harness = Harness()
    harness.drop("incoming/contacts.mapping.json", MAPPING)
    source = harness.drop(CSV, ROWS)
    publish = harness.notices.publish

    def refused(notice: Notice) -> None:
        raise NoticeFailedError(notice.subject)

    harness.notices.publish = refused  # type: ignore[method-assign]
    with pytest.raises(NoticeFailedError):
        harness.tick(3)
    remove(harness)
    harness.notices.publish = publish  # type: ignore[method-assign]

    harness.tick(2 * HOUR)

    assert harness.import_of(source).open is None
    assert only(harness, ImportState.COMPLETED)


@pytest.mark.parametrize("other", [b"something else", b"x" * 30_000_000], ids=len)
def test_an_archive_that_was_replaced_is_named(other: bytes) -> None:
    harness = Harness()
    harness.drop("incoming/contacts.mapping.json", MAPPING)
    source = harness.drop(CSV, ROWS)
    (part,) = harness.parts_of(source)
    key, *_ = object_keys.archive(part.import_id, 1, part.sha256)
    harness.files.write(key, other, content_type="application/zip")

    days_pass(harness, 2)
    assert harness.import_of(source).state is ImportState.SENT
    assert any(facts.get("key") == key for name, facts in harness.telemetry.events)
    assert "stalled" in harness.telemetry.names
    days_pass(harness, 2)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert key in harness.result(source, "report.html").decode()


@pytest.mark.parametrize("name", ["/plan.", ".zip"])
def test_what_was_replaced_by_something_large_keeps_no_import_open(name: str) -> None:
    harness = Harness()
    harness.drop("incoming/contacts.mapping.json", MAPPING)
    source = harness.drop(CSV, ROWS)
    for key in list(harness.files.list_keys("parts/")):
        if name in key:
            harness.files.write(key, b"x" * 30_000_000, content_type="application/zip")

    days_pass(harness, 4)

    record = harness.import_of(source)
    assert record.state is ImportState.COMPLETED
    assert record.counts is not None
    assert record.counts.added == 2


@pytest.mark.parametrize("other", [b"\xff garbage", b"", b'{"a": [1]}', b"x" * 30_000_000], ids=len)
def test_a_notice_that_was_replaced_before_it_was_published_is_written_again(other: bytes) -> None:
    harness = Harness()
    harness.drop("incoming/contacts.mapping.json", MAPPING)
    source = harness.drop(CSV, ROWS)
    publish = harness.notices.publish

    def refused(notice: Notice) -> None:
        raise NoticeFailedError(notice.subject)

    harness.notices.publish = refused  # type: ignore[method-assign]
    with pytest.raises(NoticeFailedError):
        harness.tick(3)
    key = object_keys.notice_file(harness.import_of(source).import_id)
    harness.files.write(key, other, content_type="application/json")
    harness.notices.publish = publish  # type: ignore[method-assign]

    harness.tick(2 * HOUR)

    assert harness.import_of(source).open is None
    assert only(harness, ImportState.COMPLETED)


@pytest.mark.parametrize(
    "other", [None, b"garbage", b"[1]", b"x" * 30_000_000], ids=["none", "text", "other", "large"]
)
def test_problems_that_were_replaced_before_they_were_told_keep_no_import_open(
    other: bytes | None,
) -> None:
    harness = Harness()
    harness.drop("incoming/contacts.mapping.json", MAPPING)
    write = harness.files.write

    def removed(key: str, body: bytes, *, content_type: str) -> None:
        if key != object_keys.problems_file(key.split("/")[1]):
            write(key, body, content_type=content_type)
        elif other is not None:
            write(key, other, content_type=content_type)

    harness.files.write = removed  # type: ignore[method-assign]
    source = harness.drop(CSV, b"E-mail\nada@example.com\n")
    harness.tick(HOUR)

    assert harness.import_of(source).state is ImportState.REJECTED
    assert "why the file was rejected cannot be read" in harness.notices.published[-1].body


def test_a_notice_of_many_long_problems_is_read_again() -> None:
    harness = Harness()
    harness.drop("incoming/contacts.mapping.json", MAPPING)
    source = harness.drop(CSV, ROWS)
    notice_file = object_keys.notice_file(harness.import_of(source).import_id)
    write = harness.files.write

    def lengthened(key: str, body: bytes, *, content_type: str) -> None:
        if key == notice_file:
            notice = {**json.loads(body), "body": "many words " * 200_000}
            body = json.dumps(notice).encode()
        write(key, body, content_type=content_type)

    harness.files.write = lengthened  # type: ignore[method-assign]
    harness.tick(HOUR)

    (notice,) = harness.notices.published
    assert notice.body.startswith("many words")
    assert harness.import_of(source).open is None


class KilledError(Exception):
    """The process died."""


@pytest.mark.parametrize("other", [b"garbage", b"", b"{}", b"x" * 2_000_000], ids=len)
@pytest.mark.parametrize("restored", [False, True])
def test_a_mark_that_was_replaced_makes_its_create_unknown(other: bytes, restored: bool) -> None:
    harness = Harness()
    create = harness.bigin.create_job
    backups: list[Backup] = []

    def killed(*args: object, **named: object) -> str:
        create(*args, **named)  # type: ignore[arg-type]
        raise KilledError

    harness.bigin.create_job = killed  # type: ignore[method-assign]
    upload = harness.bigin.upload

    def backed_up(*args: object, **named: object) -> str:
        backups.append(harness.ledger.back_up())
        return upload(*args, **named)  # type: ignore[arg-type]

    harness.bigin.upload = backed_up  # type: ignore[method-assign]
    harness.drop("incoming/contacts.mapping.json", MAPPING)
    with pytest.raises(KilledError):
        harness.drop(CSV, ROWS)
    harness.bigin.create_job = create  # type: ignore[method-assign]
    if restored:
        harness.ledger.restore_table(backups[0])
    (mark,) = (key for key in harness.files.list_keys("parts/") if ".create-0001" in key)
    harness.files.write(mark, other, content_type="application/json")

    harness.tick(HOUR)

    (part,) = harness.parts_of(harness.files.versions[CSV][0].source)
    assert part.state is PartState.HELD
    assert len(harness.bigin.made) == 1
    assert "tries got nowhere" not in harness.notices.published[0].body


def test_finishing_for_a_day_rings() -> None:
    harness = Harness()
    harness.drop("incoming/contacts.mapping.json", MAPPING)
    harness.drop(CSV, ROWS)
    write = harness.files.write

    def failing(key: str, body: bytes, *, content_type: str) -> None:
        if key.endswith("report.html"):
            raise KeyError(key)  # a bug of ours: tried again and again
        write(key, body, content_type=content_type)

    harness.files.write = failing  # type: ignore[method-assign]
    for _ in range(28):
        harness.clock.advance(59 * 60)
        with pytest.raises((KeyError, ExceptionGroup)):
            harness.tick()

    assert "stalled" in harness.telemetry.names
