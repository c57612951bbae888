"""Which drops may be deleted once files are kept no longer: those whose import is closed."""

from __future__ import annotations

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.states import ImportState
from bigin_import.errors import AwsRefusedError, AwsUnavailableError
from tests.fakes.harness import MAPPING, ROWS, Harness

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"


def dropped(harness: Harness, body: bytes = ROWS) -> ObjectVersion:
    harness.drop(SIDECAR, MAPPING)
    return harness.drop(CSV, body)


def closed(harness: Harness) -> ObjectVersion:
    source = dropped(harness)
    harness.call_back(harness.parts_of(source)[0])
    harness.settle()
    return source


def marks(harness: Harness) -> set[tuple[str, str]]:
    return harness.files.marked


def test_a_drop_is_kept_while_its_import_is_open_and_its_mapping_always() -> None:
    harness = Harness()

    source = dropped(harness)
    before = set(marks(harness))
    harness.call_back(harness.parts_of(source)[0])
    harness.settle()

    assert before == set()
    assert marks(harness) == {(source.key, source.version_id)}


@pytest.mark.parametrize("body", [b"", b"E-mail\nada@example.com\n"])
def test_a_drop_that_was_rejected_may_be_deleted_too(body: bytes) -> None:
    harness = Harness()

    source = dropped(harness, body)
    harness.settle()

    assert harness.import_of(source).state is ImportState.REJECTED
    assert marks(harness) == {(source.key, source.version_id)}


def test_a_copy_that_brought_the_mark_along_loses_it_when_its_import_begins() -> None:
    harness = Harness()
    harness.drop(SIDECAR, MAPPING)
    copy = harness.files.put(CSV, ROWS)
    harness.files.mark_closed(copy)

    harness.importer.receive(copy)

    assert harness.import_of(copy).state.is_closed is False
    assert marks(harness) == set()


class Untaggable:
    """S3 does not let us tag."""

    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error

    def __call__(self, _source: ObjectVersion) -> None:
        if self.error is not None:
            raise self.error


def test_people_are_told_also_where_tagging_is_forbidden_and_it_rings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    harness = Harness()
    refuse = Untaggable(AwsRefusedError("s3", "PutObjectTagging", "AccessDenied"))
    monkeypatch.setattr(harness.files, "mark_open", refuse)
    monkeypatch.setattr(harness.files, "mark_closed", refuse)

    source = closed(harness)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert len(harness.notices.published) == 1
    assert len(harness.telemetry.facts("aws_refused")) == 2


def test_an_outage_of_s3_while_a_drop_is_tagged_is_made_good_by_the_tick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    harness = Harness()
    source = dropped(harness)
    with monkeypatch.context() as patched:
        away = Untaggable(AwsUnavailableError("s3", "PutObjectTagging", "SlowDown"))
        patched.setattr(harness.files, "mark_closed", away)
        harness.call_back(harness.parts_of(source)[0])
        harness.settle()
        assert marks(harness) == set()

    harness.tick(minutes=10)

    assert marks(harness) == {(source.key, source.version_id)}
    assert len(harness.notices.published) == 1
