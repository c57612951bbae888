"""
The right to prepare and send one import: held by one submitter at a time, never renewed.

The lease outlives its holder: the platform ends the holder's invocation a minute before the
lease ends, so nobody takes over from someone who may still send.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bigin_import.domain import import_transitions
from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Part
from bigin_import.errors import LeaseLostError
from bigin_import.ledger import update
from bigin_import.ports import Clock, Ledger

OUTLIVES_SECONDS = 60
EFFECTS_SECONDS = 300  # a call that left before its sender died may still take effect this long


@dataclass(frozen=True, slots=True)
class Lease:
    """
    A held lease. All writes of a submitter go through it.

    Attributes:
        epoch: Ours; a higher one in the ledger means that another has taken over.
        until: When the lease ends, in seconds since the epoch.
    """

    ledger: Ledger
    clock: Clock
    import_id: str
    epoch: int
    until: int

    @property
    def decide_after(self) -> int:
        """From when on nothing that this holder has sent can still take effect."""
        return self.until - OUTLIVES_SECONDS + EFFECTS_SECONDS

    def has_time_for(self, seconds: float) -> bool:
        """Return whether a call that may last *seconds* would end while we still hold the lease."""
        ends_at = self.clock.now() + seconds
        return ends_at < self.until and seconds < self.clock.remaining_seconds()

    def check(self) -> None:
        """
        Make sure, by the clock alone, that we may still write where no condition can be set.

        Raises:
            LeaseLostError: We stood still until the lease had ended.
        """
        if self.clock.now() >= self.until:
            raise LeaseLostError(f"the lease on import {self.import_id} has ended")

    def change(self, step: import_transitions.Step) -> Import:
        """
        Change the import, if we still hold it.

        Raises:
            LeaseLostError: Another submitter took over, the lease has ended, or the import is not
                a submitter's any more.
        """
        record, _ = update(
            self.ledger, Import.at(self.import_id), lambda seen: step(self._ours(seen))
        )
        if record is None:
            raise LeaseLostError(f"import {self.import_id} is gone")
        return record

    def change_part(self, number: int, step: Callable[[Part], Part | None]) -> Part:
        """
        Change a part and mark it as written by us.

        Raises:
            LeaseLostError: A later holder has written this part.
        """

        def ours(seen: Part) -> Part | None:
            if seen.epoch > self.epoch:
                raise LeaseLostError(f"part {number} of {self.import_id} belongs to a later holder")
            wanted = step(seen)
            return None if wanted is None else replace(wanted, epoch=self.epoch)

        part, _ = update(self.ledger, Part.at(self.import_id, number), ours)
        if part is None:
            raise LeaseLostError(f"part {number} of {self.import_id} is gone")
        return part

    def give_back(self, *, moved: bool) -> None:
        """
        End the lease early, so that the next holder need not wait for its end.

        Args:
            moved: This holder got the import on, or waits for something outside with good
                reason; else the next holder sees one more idle resume.
        """
        step = import_transitions.give_lease_back(self.epoch, moved=moved)
        update(self.ledger, Import.at(self.import_id), step)

    def _ours(self, seen: Import) -> Import:
        if seen.epoch != self.epoch or self.clock.now() >= self.until:
            raise LeaseLostError(f"the lease on import {self.import_id} has ended")
        if seen.state not in import_transitions.SUBMITTER_STATES:
            # Our own last write, whose answer was lost, and what others have made of it since.
            raise LeaseLostError(f"import {self.import_id} has gone on to {seen.state}")
        return seen


def take_lease(ledger: Ledger, clock: Clock, import_id: str) -> tuple[Lease, Import] | None:
    """
    Take the lease on an import that still has something to prepare or send.

    Returns:
        The lease and the import as it stands, or None if another holds it or nothing is to do.
    """
    now = clock.now()
    until = now + int(clock.remaining_seconds()) + OUTLIVES_SECONDS
    step = import_transitions.take_lease(now, until)
    record, ours = update(ledger, Import.at(import_id), step)
    if record is None or not ours:
        return None
    return Lease(ledger, clock, import_id, record.epoch, until), record
