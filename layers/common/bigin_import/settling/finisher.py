"""
Use case: an import whose parts have all ended -> results, closed, and people told. In that order.

Every step may be repeated: results lie under keys that do not change, the closing is written
once, and `open` goes only after the notice was published, so a notice is never lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, partial

from pydantic import TypeAdapter

from bigin_import import places
from bigin_import.changes import change
from bigin_import.errors import NoticeFailedError
from bigin_import.importing.intake import Intake
from bigin_import.models import Notice
from bigin_import.ports import Clock, Files, Ledger, Notices, Observer, Resumer
from bigin_import.records import (
    Claim,
    HoldCause,
    Import,
    ImportState,
    OpenKind,
    Part,
    PartState,
    holds,
)
from bigin_import.settling.abandoning import abandon_parts
from bigin_import.settling.closing import Closing, Writer

DAY_SECONDS = 24 * 3600
TELL_SECONDS = 60  # after the closing; then the tick tells, for whoever closed has died
_WITH_JOB = (PartState.CREATED, PartState.SETTLED, PartState.COLLECTED)
_REMINDED = (ImportState.SENDING, ImportState.SENT, ImportState.ON_HOLD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finisher:
    """Closes imports. *keep_seconds*: how long the table remembers them afterwards."""

    ledger: Ledger
    files: Files
    writer: Writer
    intake: Intake
    notices: Notices
    resumer: Resumer
    clock: Clock
    observer: Observer
    keep_seconds: int

    def finish(self, import_id: str) -> None:
        """Bring an import towards its end, as far as its parts allow."""
        record = self.ledger.load(Import.at(import_id))
        if record is None or record.open is None:
            return
        parts = self.ledger.parts(import_id)
        if record.state is ImportState.WAITING_FOR_MAPPING:
            self.writer.suggest(record)
        if record.state is ImportState.SENDING:
            self._wake(record, parts)
        if record.state in (ImportState.SENT, ImportState.ON_HOLD):
            record = self._ended(record, parts)
        self._remind(record, parts)
        if record.state is ImportState.FINISHING:
            closed = self._close(record)
            if closed is not None:
                self.tell(closed)

    def tell(self, record: Import) -> None:
        """
        Tell people of a closed import, once; call it only for one who closed or claimed it.

        Whoever closed the import tells of it. If that process dies, the import is still open and
        due, and the tick claims it.
        """
        if record.open is None:
            return
        self._release(record)
        again = self.intake.take_up(record)
        if again is not None:
            self.resumer.resume(again.import_id)
        if not record.state.is_quiet:
            text = self.files.read(places.notice_file(record.import_id))
            self._publish(record, _notices().validate_json(text))
        self._forget_in_time(record)

    def _wake(self, record: Import, parts: tuple[Part, ...]) -> None:
        """
        Let a paused import go on when what it waits for is there.

        That is the end of the part before, where parts run one after another; and a job for every
        part, when a callback told of the one whose create had no answer.
        """
        under_way = any(part.attempts and not part.state.is_final for part in parts)
        in_order = record.totals is not None and record.totals.in_order
        all_have_jobs = all(part.state in _WITH_JOB for part in parts)
        if (in_order and not under_way) or all_have_jobs:
            self.resumer.resume(record.import_id)

    def _ended(self, record: Import, parts: tuple[Part, ...]) -> Import:
        """Tell whether all parts have ended, or have nothing left but a person's decision."""
        now = self.clock.now()

        def ended(seen: Import) -> Import | None:
            if seen.state not in (ImportState.SENT, ImportState.ON_HOLD):
                return None
            if parts and all(part.state.is_final for part in parts):
                return holds.off_hold(seen, ImportState.FINISHING, now)
            if holds.may_go_on(seen, parts):
                return holds.off_hold(seen, ImportState.SENDING, now)
            if _is_stuck(seen, parts):
                reason = holds.about_parts(seen, parts).hold_reason or ""
                return holds.on_hold(seen, HoldCause.PART, reason, now)
            return None

        changed, ours = change(self.ledger, record.address, ended)
        if changed is not None and ours and changed.state is ImportState.SENDING:
            self.resumer.resume(changed.import_id)
        return changed or record

    def _close(self, record: Import) -> Import | None:
        """Write the results and close; return the closed import if it was this call that did."""
        if record.verdict is not None:
            abandon_parts(self.ledger, record.import_id, self.clock.now())
        # Read again: what was read before another process moved the import on may be older.
        parts = self.ledger.parts(record.import_id)
        closing = self.writer.write(record, parts)
        notice = _notices().dump_json(closing.notice)
        key = places.notice_file(record.import_id)
        self.files.write(key, notice, content_type="application/json")
        closed, ours = change(self.ledger, record.address, lambda seen: self._closed(seen, closing))
        if closed is None or not ours:
            return None
        self._report(closed, closing)
        return closed

    def _closed(self, seen: Import, closing: Closing) -> Import | None:
        if seen.state is not ImportState.FINISHING:
            return None
        now = self.clock.now()
        return replace(
            seen,
            state=closing.state,
            counts=closing.counts,
            counts_disagree=closing.counts_disagree,
            closed_at=now,
            open=OpenKind.WORK,
            due_at=now + TELL_SECONDS,
        )

    def _release(self, record: Import) -> None:
        """Let the same content be dropped again."""
        if record.claim is None or not record.state.wrote_nothing:
            return
        claim = self.ledger.load(Claim.at(record.claim))
        if claim is not None and claim.import_id == record.import_id:
            self.ledger.delete(claim)

    def _forget_in_time(self, record: Import) -> None:
        """Everything is said and done: take the import out of the index, then out of the table."""
        now = self.clock.now()
        expires_at = now + self.keep_seconds
        for part in self.ledger.parts(record.import_id):
            change(self.ledger, part.address, lambda seen: replace(seen, expires_at=expires_at))
        change(
            self.ledger,
            record.address,
            lambda seen: replace(
                seen, open=None, due_at=None, noticed_at=now, expires_at=expires_at
            ),
        )

    def _remind(self, record: Import, parts: tuple[Part, ...]) -> None:
        """Tell people of a hold at once, then every day; also of a part while others go on."""
        now, since = self.clock.now(), holds.held_since(record, parts)
        if record.state not in _REMINDED or since is None:
            return
        told_at = record.reminded_at
        if told_at is not None and told_at >= since and now - told_at < DAY_SECONDS:
            return
        told = holds.about_parts(record, parts) if holds.held(parts) else record
        self._publish(record, self.writer.hold_notice(told, parts))
        self.observer.saw("on_hold", import_id=record.import_id)
        change(self.ledger, record.address, partial(_reminded, now=now))

    def _publish(self, record: Import, notice: Notice) -> None:
        try:
            self.notices.publish(notice)
        except NoticeFailedError:
            self.observer.saw("notice_failed", import_id=record.import_id)
            raise
        self.observer.saw("notice_published", import_id=record.import_id)

    def _report(self, record: Import, closing: Closing) -> None:
        counts = closing.counts
        self.observer.saw(
            "import_closed",
            import_id=record.import_id,
            file=record.source.key,
            bigin_module=record.module,
            state=record.state.value,
            rows=counts.total,
            added=counts.added,
            updated=counts.updated,
            existing=counts.existing,
            skipped=counts.skipped,
            unprocessed=counts.unprocessed,
            invalid=counts.invalid,
            unclear=counts.unclear,
            jobs=closing.jobs,
            seconds=(record.closed_at or 0) - record.received_at,
        )


@cache
def _notices() -> TypeAdapter[Notice]:
    return TypeAdapter(Notice)  # on first use: made on import, it slows cold starts


def _is_stuck(record: Import, parts: tuple[Part, ...]) -> bool:
    """Tell whether a person must decide before anything else can happen to a SENT import."""
    ended = all(part.state.is_final or part.state is PartState.HELD for part in parts)
    return record.state is ImportState.SENT and ended and bool(holds.held(parts))


def _reminded(seen: Import, *, now: int) -> Import | None:
    if seen.state not in _REMINDED:
        return None
    is_on_hold = seen.state is ImportState.ON_HOLD
    return replace(seen, reminded_at=now, due_at=now + DAY_SECONDS if is_on_hold else seen.due_at)
