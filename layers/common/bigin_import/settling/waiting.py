"""
Use case: nobody waits in the dark. People are told of a drop without a mapping once, and of all
imports that wait for one thing outside together, once a day: Bigin's credits, another
organisation's secret, a secret that Zoho refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from posixpath import dirname

from bigin_import import object_keys
from bigin_import.domain import import_transitions, listing, part_transitions
from bigin_import.domain.drop import Notice, Problem
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import LastNotice, SharedToken
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import ImportState, OpenKind
from bigin_import.domain.undo import Undo, look_by
from bigin_import.errors import NoticeFailedError
from bigin_import.importing.pauses import Pause
from bigin_import.importing.register import KeyLocks, Registrar
from bigin_import.ledger import create_if_absent, update
from bigin_import.ports import Clock, Ledger, Notices, Telemetry, ZohoSecret
from bigin_import.report.notice import (
    compose_no_mapping,
    compose_other_organisation,
    compose_waiting,
    compose_waiting_for_zoho,
)
from bigin_import.report.summary import Choice
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
    """What people hear of a pause: the key of its memory, the event, the notice, its commands."""

    what: str
    event: str
    compose: Callable[[Sequence[tuple[str, int]], Sequence[Choice]], Notice]
    command: Callable[[ConsoleLinks], Choice]


_ANNOUNCED = {
    Pause.BUSY.name: _Announced(
        "WAITING_FOR_CREDITS", "waiting_for_credits", compose_waiting, ConsoleLinks.look_at_all
    ),
    Pause.ORGANISATION.name: _Announced(
        "OTHER_ORGANISATION",
        "other_organisation",
        compose_other_organisation,
        ConsoleLinks.store_credentials,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseNotices:
    """Tells of all imports that wait for one thing together, once a day."""

    ledger: Ledger
    notices: Notices
    clock: Clock
    telemetry: Telemetry
    around: ConsoleLinks

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
        last = _load_last_notice(self.ledger, told.what, now)
        if last is None:
            return True
        waiting = sorted(self._find_waiting(pause, now))
        if waiting:
            self.notices.publish(told.compose(waiting, [told.command(self.around)]))
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


def _load_last_notice(ledger: Ledger, what: str, now: int) -> LastNotice | None:
    """Return what remembers when people were told of *what*; None if that was within a day."""
    last = ledger.load(LastNotice.at(what)) or LastNotice(what=what)
    return None if now - last.told_at < DAY_SECONDS else last


def _waits(record: Import, pause: str) -> bool:
    is_submitted = record.state in (ImportState.PREPARING, ImportState.SENDING)
    return is_submitted and record.pause == pause


WAITING_FOR_ZOHO = "WAITING_FOR_ZOHO"
MOST_WOKEN = 1_200
_WAIT_FOR_A_SECRET = frozenset({Pause.ACCESS.name, Pause.ORGANISATION.name})


@dataclass(frozen=True, slots=True, kw_only=True)
class ZohoAccess:
    """
    Follows up what the functions remember of Zoho's refusals: one notice, and the imports go on
    once the secret is corrected.

    A refusal is remembered, so that a wrong secret does not use up the refreshes that Zoho allows.
    What each token was asked for with is remembered too, and the tick compares that with the
    secret as it is now: a token of the one before would serve for up to an hour, and what is
    dropped meanwhile would go to an organisation that nobody means any more.
    """

    ledger: Ledger
    secret: ZohoSecret
    notices: Notices
    clock: Clock
    telemetry: Telemetry
    around: ConsoleLinks

    def follow_up(self) -> None:
        """
        Tell people of imports that wait for Zoho, or let them go on with a corrected secret.

        Raises:
            NoticeFailedError: The topic did not take it; the next tick tells.
        """
        token = self.ledger.load(SharedToken.at()) or SharedToken()
        waiting = self._find_waiting()
        if token.refused is None and not waiting and not token.credentials_version:
            return  # nobody has asked for a token yet, or with what is not known
        version = self.secret.read_version()
        shut_out = [record for record in waiting if record.pause == Pause.ACCESS.name]
        if version and version != token.credentials_version:
            self._begin_anew(version)
        elif shut_out and token.is_answered:
            self._notify(shut_out, token.refused or "")

    def _find_waiting(self) -> Sequence[Import]:
        headings = (listing.OTHER, listing.HELD)  # with another organisation's a person is needed
        found = chain.from_iterable(map(self.ledger.find_listed, headings))
        return [record for record in found if record.pause in _WAIT_FOR_A_SECRET]

    def _begin_anew(self, version: str) -> None:
        """Forget the refusal and the token of the older secret; what waits is due now."""

        def renewed(seen: SharedToken) -> SharedToken | None:
            if seen.credentials_version == version:
                return None
            until = 0 if seen.refused else seen.refresh_until
            return replace(
                seen,
                refused=None,
                refresh_until=until,
                valid_until=0,
                credentials_version=version,
            )

        create_if_absent(self.ledger, SharedToken())
        update(self.ledger, SharedToken.at(), renewed)
        if (told := self.ledger.load(LastNotice.at(WAITING_FOR_ZOHO))) is not None:
            self.ledger.delete(told)  # if this secret is wrong too, people hear of it
        self.telemetry.emit("zoho_secret_changed")
        self._wake()

    def _wake(self) -> None:
        now = self.clock.now()
        horizon = now + LONGEST_PAUSE_SECONDS
        for address in self.ledger.find_due(OpenKind.WORK, before=horizon, limit=MOST_WOKEN):
            match self.ledger.load(address):
                case Part() as part:
                    update(self.ledger, part.address, part_transitions.look_by(now), known=part)
                case Import() as record if record.pause in _WAIT_FOR_A_SECRET:
                    step = import_transitions.look_by(now)
                    update(self.ledger, record.address, step, known=record)
                case Undo() as undo:
                    update(self.ledger, undo.address, look_by(now), known=undo)
                case _:
                    pass  # waits for something else

    def _notify(self, waiting: Sequence[Import], refused: str) -> None:
        now = self.clock.now()
        last = _load_last_notice(self.ledger, WAITING_FOR_ZOHO, now)
        if last is None:
            return
        files = sorted(record.source.key for record in waiting)
        commands = (self.around.store_credentials(), self.around.examine())
        self.notices.publish(compose_waiting_for_zoho(files, refused, commands))
        self.ledger.save(replace(last, told_at=now))
        self.telemetry.emit("waiting_for_zoho", files=len(files))
