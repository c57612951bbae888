"""`bigin-drop forget`: every version of what is kept of an import, and nothing else, goes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import boto3
import pytest
from moto import mock_aws

from bigin_import.aws.ledger import DynamoLedger
from bigin_import.domain import undo
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import Family
from bigin_import.domain.states import ImportState
from bigin_import.domain.undo import Undo, UndoState
from bigin_import.ledger import update
from bigin_import.operating.remove import forget
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import CommandRefusedError, Exit, Terminal
from tests.template_reading import table_definition
from tests.unit.ledger.test_undo_record import RUNNING, SHOWN

BUCKET, TABLE = "drops", "ledger"
DROP, CORRECTION = "a" * 26, "b" * 26


class KnownStack(Stack):
    """A stack of which only bucket and table are there."""

    outputs = MappingProxyType({"BucketName": BUCKET, "TableName": TABLE})


@dataclass(frozen=True)
class Kept:
    """An import and its correction, with an object of results each."""

    stack: KnownStack
    ledger: DynamoLedger

    def have(self, import_id: str, state: UndoState) -> None:
        """Let an import be undone as far as *state*."""
        done = replace(RUNNING, state=UndoState.DONE, open=None, due_at=None)
        seen = {UndoState.SHOWN: SHOWN, UndoState.RUNNING: RUNNING, UndoState.DONE: done}[state]
        self.ledger.save(replace(seen, import_id=import_id))

    def forget(self, import_id: str) -> Exit:
        terminal = Terminal(io.StringIO(), io.StringIO(), None)
        return forget(self.stack, terminal, import_id, confirmed=import_id)

    def put(self, key: str) -> tuple[str, str]:
        """Store an object; return its key and version."""
        put = self.stack.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"-")
        return key, put["VersionId"]

    def versions(self) -> set[tuple[str, str]]:
        """Return every version, and every delete marker."""
        found = self.stack.client("s3").list_object_versions(Bucket=BUCKET)
        kinds = (found.get("Versions", []), found.get("DeleteMarkers", []))
        return {(each["Key"], each["VersionId"]) for kind in kinds for each in kind}

    def objects(self) -> set[str]:
        found = self.stack.client("s3").list_object_versions(Bucket=BUCKET)
        return {each["Key"] for each in found.get("Versions", [])}


def closed(import_id: str, *, root: str | None = None) -> Import:
    return Import(
        import_id=import_id,
        source=ObjectVersion(BUCKET, f"incoming/{import_id}.csv", "v1"),
        state=ImportState.COMPLETED,
        received_at=1_000,
        closed_at=1_000,
        root=root,
        results=f"results/{import_id}/",
    )


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        session = boto3.session.Session(region_name="us-east-1")
        session.client("dynamodb").create_table(TableName=TABLE, **table_definition())
        s3 = session.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        for import_id in (DROP, CORRECTION):
            s3.put_object(Bucket=BUCKET, Key=f"results/{import_id}/report.html", Body=b"-")
        ledger = DynamoLedger(session.client("dynamodb"), TABLE, check=lambda _old, _new: None)
        ledger.save(closed(DROP))
        ledger.save(closed(CORRECTION, root=DROP))
        ledger.save(Family(root=DROP, members=(CORRECTION,)))
        yield Kept(KnownStack("bigin-drop", session), ledger)


@pytest.mark.parametrize("undone", [DROP, CORRECTION])
def test_while_one_of_the_family_is_being_undone_nothing_is_forgotten(
    kept: Kept, undone: str
) -> None:
    kept.have(undone, UndoState.RUNNING)
    before = kept.objects()

    with pytest.raises(CommandRefusedError, match=f"import {undone} is being undone") as found:
        kept.forget(DROP)

    assert f"bigin-drop show {undone}" in found.value.remedy
    assert kept.objects() == before
    record = kept.ledger.load(Import.at(DROP))
    assert record is not None
    assert record.source.key


@pytest.mark.parametrize("state", [UndoState.SHOWN, UndoState.DONE])
def test_what_was_undone_or_only_shown_is_forgotten(kept: Kept, state: UndoState) -> None:
    kept.have(DROP, state)

    assert kept.forget(DROP) is Exit.GOOD

    assert kept.objects() == set()


class Confirming(io.StringIO):
    """A terminal at which somebody confirms an undo while it is read what goes."""

    def __init__(self, ledger: DynamoLedger, import_id: str) -> None:
        super().__init__()
        self._confirm = partial(
            update,
            ledger,
            Undo.at(import_id),
            undo.confirm(SHOWN.token, "ada", 1_000),
        )

    def write(self, said: str) -> int:
        if "versions of objects go" in said:
            self._confirm()
        return super().write(said)


@pytest.mark.parametrize("undone", [DROP, CORRECTION])
def test_what_is_confirmed_while_it_is_said_what_goes_is_undone_and_nothing_goes(
    kept: Kept, undone: str
) -> None:
    kept.have(undone, UndoState.SHOWN)
    before = kept.objects()
    terminal = Terminal(Confirming(kept.ledger, undone), io.StringIO(), None)

    with pytest.raises(CommandRefusedError, match=f"import {undone} is being undone"):
        forget(kept.stack, terminal, DROP, confirmed=DROP)

    assert kept.objects() == before


@pytest.mark.parametrize("was_shown", [True, False])
def test_when_the_first_object_goes_no_undo_can_begin_any_more(kept: Kept, was_shown: bool) -> None:
    if was_shown:
        kept.have(DROP, UndoState.SHOWN)
    seen: list[UndoState | None] = []

    def look(**_: object) -> None:
        found = kept.ledger.load(Undo.at(DROP))
        seen.append(found.state if found else None)

    kept.stack.session.events.register("before-call.s3.DeleteObjects", look)
    kept.forget(DROP)

    assert seen == [UndoState.FORGOTTEN]


def test_every_version_goes_of_results_and_parts_but_of_the_key_only_what_was_dropped(
    kept: Kept,
) -> None:
    s3, key = kept.stack.client("s3"), f"incoming/{DROP}.csv"
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    earlier, dropped, later = (kept.put(key) for _ in range(3))
    others = {earlier, later, kept.put(f"{key}.mapping.json"), kept.put("parts/other/0001.zip")}
    for name in (f"parts/{DROP}/0001.zip", f"results/{DROP}/report.html"):
        kept.put(name)
        kept.put(name)
    s3.delete_object(Bucket=BUCKET, Key=f"parts/{DROP}/0001.zip")
    record = kept.ledger.load(Import.at(DROP))
    assert record is not None
    kept.ledger.save(replace(record, source=ObjectVersion(BUCKET, *dropped)), over=record)

    kept.forget(DROP)

    assert kept.versions() == others


def test_it_wants_the_id_and_yes_is_not_enough_and_it_says_what_it_does_not_reach(
    kept: Kept,
) -> None:
    out = io.StringIO()
    before = kept.versions()

    with pytest.raises(CommandRefusedError, match=f"--confirm {DROP}"):
        forget(kept.stack, Terminal(out, out, None, yes=True), DROP, confirmed=CORRECTION)

    said = out.getvalue()
    assert kept.versions() == before
    assert "of this import and of 1 corrections of it" in said
    for beyond in ("recovery keeps 35 days", "log lines, 90 days", "the records in Bigin itself"):
        assert beyond in said
