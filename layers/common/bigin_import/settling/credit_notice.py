"""Use case: Bigin's credits are used up -> one notice a day, for all imports that wait for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import LastNotice
from bigin_import.domain.states import ImportState, OpenKind
from bigin_import.importing.pauses import Pause
from bigin_import.ports import Clock, Ledger, Notices, Telemetry
from bigin_import.report.notice import compose_waiting

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

    def tell(self) -> None:
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

    def _find_waiting(self, now: int) -> Iterator[str]:
        """Yield the keys of the drops that wait; those are all due within an hour."""
        horizon = now + LONGEST_PAUSE_SECONDS
        for address in self.ledger.find_due(OpenKind.WORK, before=horizon, limit=MOST_COUNTED):
            if address.kind is not Import:
                continue
            record = self.ledger.load(address)
            if isinstance(record, Import) and _waits(record):
                yield record.source.key


def _waits(record: Import) -> bool:
    return record.state is ImportState.SENDING and record.pause == Pause.BUSY.name
