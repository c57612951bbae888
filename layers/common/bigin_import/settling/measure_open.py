"""Use case: what is open -> gauges, each minute, so that an alarm lasts as long as its cause."""

from __future__ import annotations

from bigin_import.domain import listing
from bigin_import.ports import Clock, Ledger, Telemetry


def report_open_work(ledger: Ledger, clock: Clock, telemetry: Telemetry) -> None:
    """Report how many imports are open, what they wait for, and how old the oldest is."""
    found = {heading: ledger.find_listed(heading) for heading in listing.OPEN}
    now = clock.now()
    received = [record.received_at for records in found.values() for record in records]
    telemetry.emit(
        "open_work",
        open=len(received),
        held=len(found[listing.HELD]),
        waiting_for_credits=len(found[listing.CREDITS]),
        oldest_seconds=now - min(received, default=now),
    )
