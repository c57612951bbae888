"""
Use case: nobody waits in the dark. A drop without a mapping is noticed once, and imports that
wait for Bigin's credits once a day, all in one notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from posixpath import dirname

from bigin_import import object_keys
from bigin_import.domain import import_transitions
from bigin_import.domain.drop import Notice, Problem
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import LastNotice
from bigin_import.domain.states import ImportState, OpenKind
from bigin_import.errors import NoticeFailedError
from bigin_import.importing.pauses import Pause
from bigin_import.importing.register import KeyLocks, Registrar
from bigin_import.ledger import update
from bigin_import.ports import Clock, Ledger, Notices, Telemetry
from bigin_import.report.notice import (
    compose_no_mapping,
    compose_other_organisation,
    compose_waiting,
)
from bigin_import.settling.summarize import ConsoleLinks


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


def publish(notices: Notices, telemetry: Telemetry, notice: Notice, *, import_id: str) -> None:
    """
    Publish a notice about an import.

    Raises:
        NoticeFailedError: The topic did not take it; operators hear of that by an alarm.
    """
    try:
        notices.publish(notice)
    except NoticeFailedError:
        telemetry.emit("notice_failed", import_id=import_id)
        raise
    telemetry.emit("notice_published", import_id=import_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingNotice:
    """Tells of drops that wait for a mapping; *wait_seconds*: how long nobody is told."""

    ledger: Ledger
    registrar: Registrar
    notices: Notices
    clock: Clock
    telemetry: Telemetry
    suggest: Suggest
    around: ConsoleLinks
    wait_seconds: int

    def notify_if_due(self, record: Import) -> None:
        """
        Suggest a mapping; tell people of it after a while, and at once if the drop is unreadable.

        A notice may come twice if this process dies before it is remembered, but never not at all.
        """
        if record.state is not ImportState.WAITING_FOR_MAPPING or record.pause is not None:
            return
        if record.reminded_at is not None:
            return
        suggestion = self.suggest(record)
        waited = self.clock.now() - record.received_at
        is_due = waited >= self.wait_seconds or bool(suggestion.problems)
        if not is_due:
            return
        notice = self._compose(record, suggestion)
        publish(self.notices, self.telemetry, notice, import_id=record.import_id)
        update(
            self.ledger, record.address, import_transitions.record_waiting_notice(self.clock.now())
        )

    def _compose(self, record: Import, suggestion: Suggestion) -> Notice:
        key = record.source.key
        alike = self.registrar.mappings.find_alike(key)
        return compose_no_mapping(
            file=key,
            import_id=record.import_id,
            mapping_keys=(f"{object_keys.stem(key)}.mapping.json", f"{dirname(key)}/mapping.json"),
            suggestion=self.around.console_url(suggestion.key) if suggestion.key else "",
            command=self.around.drop_mapping(key),
            recognised=suggestion.recognised,
            problems=suggestion.problems,
            alike=alike if len(alike) > 1 else (),
        )


DAY_SECONDS = 24 * 3600
LONGEST_PAUSE_SECONDS = 3600
MOST_COUNTED = 1000  # of what is open; looked at once a day


@dataclass(frozen=True, slots=True)
class _Announced:
    """What people hear of a pause: the key of its memory, the event, and the notice."""

    what: str
    event: str
    compose: Callable[[Sequence[tuple[str, int]]], Notice]


_ANNOUNCED = {
    Pause.BUSY.name: _Announced("WAITING_FOR_CREDITS", "waiting_for_credits", compose_waiting),
    Pause.ORGANISATION.name: _Announced(
        "OTHER_ORGANISATION", "other_organisation", compose_other_organisation
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseNotices:
    """Tells of all imports that wait for one thing together, once a day."""

    ledger: Ledger
    notices: Notices
    clock: Clock
    telemetry: Telemetry

    def notify(self, pause: str) -> bool:
        """
        Notify of the imports that wait for *pause*, unless people were told within a day.

        Returns:
            False if this is nothing that people are told of here.

        Raises:
            NoticeFailedError: The topic did not take it; the next import that is due tells.
        """
        told = _ANNOUNCED.get(pause)
        if told is None:
            return False
        now = self.clock.now()
        last = self.ledger.load(LastNotice.at(told.what)) or LastNotice(what=told.what)
        if now - last.told_at < DAY_SECONDS:
            return True
        waiting = sorted(self._find_waiting(pause, now))
        if waiting:
            self.notices.publish(told.compose(waiting))
            self.ledger.save(replace(last, told_at=now))
            self.telemetry.emit(told.event, files=len(waiting))
        return True

    def _find_waiting(self, pause: str, now: int) -> Iterator[tuple[str, int]]:
        """
        Yield the keys of the drops that wait, each with how many of its versions do.

        Those that wait for it themselves are all due within an hour.
        """
        locks = KeyLocks(ledger=self.ledger)
        horizon = now + LONGEST_PAUSE_SECONDS
        for address in self.ledger.find_due(OpenKind.WORK, before=horizon, limit=MOST_COUNTED):
            if address.kind is not Import:
                continue
            record = self.ledger.load(address)
            if isinstance(record, Import) and _waits(record, pause):
                yield record.source.key, 1 + len(locks.find_waiting(record))


def _waits(record: Import, pause: str) -> bool:
    return record.state is ImportState.SENDING and record.pause == pause
