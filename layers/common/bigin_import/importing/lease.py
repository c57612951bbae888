"""
The right to prepare and send one import: held by one submitter at a time, never renewed.

The lease outlives its holder: the platform ends the holder's invocation a minute before the
lease ends, so nobody takes over from someone who may still send.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bigin_import.domain import import_transitions, part_transitions
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import KeyLock
from bigin_import.domain.part_record import Part
from bigin_import.errors import LeaseLostError
from bigin_import.ledger import update
from bigin_import.ports import Clock, Ledger

OUTLIVES_SECONDS = 60
EFFECTS_SECONDS = 300  # a call that left before its sender died may still take effect this long


@dataclass(slots=True)
class Lease:
    """
    A held lease. All writes of a submitter go through it, under the optimistic lock.

    The epoch is the fencing token: whoever takes over raises it, so that an earlier holder
    which stood still finds out before it writes.

    Attributes:
        record: The import as it was last read or written; read again only after a conflict.
        epoch: Ours; a higher one in the ledger means that another has taken over.
        until: When the lease ends, in seconds since the epoch.
        key_lock: The lock of its key as we last wrote it, which spares a reading.
    """

    ledger: Ledger
    clock: Clock
    record: Import
    epoch: int
    until: int
    key_lock: KeyLock | None = None

    @property
    def import_id(self) -> str:
        return self.record.import_id

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
            self.ledger,
            self.record.address,
            lambda seen: step(self._ours(seen)),
            known=self.record,
        )
        if record is None:
            raise LeaseLostError(f"import {self.import_id} is gone")
        self.record = record
        return record

    def leave(self, step: import_transitions.Step) -> Import:
        """Change the import for the last time and give the lease back, in one write."""
        return self.change(import_transitions.leaving(self.epoch, step))

    def change_part(self, part: Part, step: part_transitions.Step) -> Part:
        """
        Change a part, from *part* as it was last read, and mark it as written by us.

        Raises:
            LeaseLostError: A later holder has written this part.
        """

        def ours(seen: Part) -> Part | None:
            if seen.epoch > self.epoch:
                what = f"part {part.number} of {self.import_id} belongs to a later holder"
                raise LeaseLostError(what)
            wanted = step(seen)
            return None if wanted is None else replace(wanted, epoch=self.epoch)

        changed, _ = update(self.ledger, part.address, ours, known=part)
        if changed is None:
            raise LeaseLostError(f"part {part.number} of {self.import_id} is gone")
        return changed

    def give_back(self, *, moved: bool) -> None:
        """
        End the lease early, so that the next holder need not wait for its end.

        Args:
            moved: This holder got the import on, or waits for something outside with good
                reason; else the next holder sees one more idle resume.
        """
        if self.record.lease_until == 0:
            return  # with our last change
        step = import_transitions.give_lease_back(self.epoch, moved=moved)
        update(self.ledger, self.record.address, step, known=self.record)

    def _ours(self, seen: Import) -> Import:
        if seen.epoch != self.epoch or self.clock.now() >= self.until:
            raise LeaseLostError(f"the lease on import {self.import_id} has ended")
        if seen.state not in import_transitions.SUBMITTER_STATES:
            # Our own last write, whose answer was lost, and what others have made of it since.
            raise LeaseLostError(f"import {self.import_id} has gone on to {seen.state}")
        return seen


def take_lease(
    ledger: Ledger, clock: Clock, import_id: str, *, known: Import | None = None
) -> Lease | None:
    """
    Take the lease on an import that still has something to prepare or send.

    Args:
        known: The import as the caller has just seen it.

    Returns:
        None if another holds it or nothing is to do.
    """
    now = clock.now()
    until = now + int(clock.remaining_seconds()) + OUTLIVES_SECONDS
    step = import_transitions.take_lease(now, until)
    record, ours = update(ledger, Import.at(import_id), step, known=known)
    if record is None or not ours:
        return None
    return Lease(ledger, clock, record, record.epoch, until)
