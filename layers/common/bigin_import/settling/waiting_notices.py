"""
Use case: nobody waits in the dark. A drop without a mapping is noticed once, and imports that
wait for Bigin's credits once a day, all in one notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from posixpath import dirname

from bigin_import import object_keys
from bigin_import.domain import import_transitions
from bigin_import.domain.drop import Notice, Problem
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import LastNotice
from bigin_import.domain.states import ImportState, OpenKind
from bigin_import.errors import NoticeFailedError
from bigin_import.importing.key_locks import KeyLocks
from bigin_import.importing.pauses import Pause
from bigin_import.importing.register import Registrar
from bigin_import.ledger import update
from bigin_import.ports import Clock, Ledger, Notices, Telemetry
from bigin_import.report.notice import compose_no_mapping, compose_waiting


@dataclass(frozen=True, slots=True)
class Suggestion:
    """
    What a drop looks like to one who knows no mapping of it.

    Attributes:
        key: Where the suggested mapping lies; None if there is none.
        recognised: The module, then `"header" → field` for each column.
        problems: Why the drop cannot be read whatever its mapping says, or not without one that
            says how.
    """

    key: str | None = None
    recognised: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


type Suggest = Callable[[Import], Suggestion]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingNotice:
    """Tells of drops that wait for a mapping; *wait_seconds*: how long nobody is told."""

    ledger: Ledger
    intake: Registrar
    notices: Notices
    clock: Clock
    telemetry: Telemetry
    suggest: Suggest
    url_of: Callable[[str], str]
    wait_seconds: int

    def notify_if_due(self, record: Import) -> None:
        """
        Suggest a mapping; tell people of it after a while, and at once if the drop is unreadable.

        A notice may come twice if this process dies before it is remembered, but never not at all.
        """
        if record.state is not ImportState.WAITING_FOR_MAPPING or record.pause is not None:
            return
        suggestion = self.suggest(record)
        waited = self.clock.now() - record.received_at
        is_due = waited >= self.wait_seconds or bool(suggestion.problems)
        if record.reminded_at is not None or not is_due:
            return
        self._publish(record, self._compose(record, suggestion))
        update(
            self.ledger, record.address, import_transitions.record_waiting_notice(self.clock.now())
        )

    def _compose(self, record: Import, suggestion: Suggestion) -> Notice:
        key = record.source.key
        alike = self.intake.find_alike_mappings(key)
        return compose_no_mapping(
            file=key,
            import_id=record.import_id,
            mapping_key=f"{object_keys.stem(key)}.mapping.json",
            folder_key=f"{dirname(key)}/mapping.json",
            suggestion=self.url_of(suggestion.key) if suggestion.key else "",
            recognised=suggestion.recognised,
            problems=suggestion.problems,
            alike=alike if len(alike) > 1 else (),
        )

    def _publish(self, record: Import, notice: Notice) -> None:
        try:
            self.notices.publish(notice)
        except NoticeFailedError:
            self.telemetry.emit("notice_failed", import_id=record.import_id)
            raise
        self.telemetry.emit("notice_published", import_id=record.import_id)


WHAT = "WAITING_FOR_CREDITS"
DAY_SECONDS = 24 * 3600
LONGEST_PAUSE_SECONDS = 3600
MOST_COUNTED = 1000  # of what is open; looked at once a day


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfCreditsNotice:
    """Tells of imports that wait for credits. A quarter of an hour without any is not told."""

    ledger: Ledger
    notices: Notices
    clock: Clock
    telemetry: Telemetry

    def notify(self) -> None:
        """
        Tell of all imports that wait for credits, unless people were told within a day.

        Raises:
            NoticeFailedError: The topic did not take it; the next import that is due tells.
        """
        now = self.clock.now()
        last = self.ledger.load(LastNotice.at(WHAT)) or LastNotice(what=WHAT)
        if now - last.told_at < DAY_SECONDS:
            return
        waiting = sorted(self._find_waiting(now))
        if not waiting:
            return
        self.notices.publish(compose_waiting(waiting))
        self.ledger.save(replace(last, told_at=now))
        self.telemetry.emit("waiting_for_credits", files=len(waiting))

    def _find_waiting(self, now: int) -> Iterator[tuple[str, int]]:
        """
        Yield the keys of the drops that wait, each with how many of its versions do.

        Those that wait for credits themselves are all due within an hour.
        """
        locks = KeyLocks(ledger=self.ledger)
        horizon = now + LONGEST_PAUSE_SECONDS
        for address in self.ledger.find_due(OpenKind.WORK, before=horizon, limit=MOST_COUNTED):
            if address.kind is not Import:
                continue
            record = self.ledger.load(address)
            if isinstance(record, Import) and _waits(record):
                yield record.source.key, 1 + len(locks.find_waiting(record))


def _waits(record: Import) -> bool:
    return record.state is ImportState.SENDING and record.pause == Pause.BUSY.name
