"""
Use case: what a person decides about an import that is ON_HOLD.

Each decision holds only for the state the person saw: a HELD part and its attempt, or a held
import. Deciding twice, or too late, changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from bigin_import.changes import change
from bigin_import.importing.pauses import Pause
from bigin_import.ports import Bigin, Clock, CollectQueue, Ledger, Observer
from bigin_import.records import Import, ImportState, OpenKind, Part, PartState, steps


class Decision(StrEnum):
    """
    What can be decided.

    CONTINUE: the cause is mended, go on with the import.
    CREATE: no job was made for this part; make one.
    ADOPT: this job was made for this part; go on with it.
    GIVE_UP: stop waiting; the part's rows are reported as unclear.
    """

    CONTINUE = "continue"
    CREATE = "create"
    ADOPT = "adopt"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """Carries out one decision, conditional on what it was made about."""

    ledger: Ledger
    bigin: Bigin
    queue: CollectQueue
    clock: Clock
    observer: Observer

    def go_on(self, import_id: str) -> bool:
        """Let a held import go on where it stopped; return whether it was held."""
        _, changed = change(self.ledger, Import.at(import_id), self._off_hold)
        self._saw(Decision.CONTINUE, import_id, changed=changed)
        return changed

    def create(self, import_id: str, part: int, attempt: int) -> bool:
        """Let a held part have another attempt; return whether it was held for *attempt*."""
        step = steps.sent_again(self.clock.now())
        decided = self._decide(Decision.CREATE, import_id, part, attempt, step)
        if decided or self._is_to_be_sent(import_id, part, attempt):
            change(self.ledger, Import.at(import_id), self._sending_again)
        return decided

    def _is_to_be_sent(self, import_id: str, number: int, attempt: int) -> bool:
        """Tell whether an earlier delivery of the same decision got as far as the part."""
        part = self.ledger.load(Part.at(import_id, number))
        current = part.attempt if part and part.state is PartState.UPLOADED else None
        return current is not None and current.number == attempt

    def adopt(self, import_id: str, part: int, attempt: int, job_id: str) -> bool:
        """
        Take *job_id* for the job of a held part.

        Raises:
            BiginError: Bigin does not know that job, or did not answer.
        """
        self.bigin.job(job_id)
        step = steps.created(attempt, job_id, self.clock.now())
        adopted = self._decide(Decision.ADOPT, import_id, part, attempt, step)
        if adopted:
            self._go_on_sending(import_id)
        return adopted

    def give_up(self, import_id: str, part: int, attempt: int) -> bool:
        """Stop waiting for a held part."""
        step = steps.given_up(self.clock.now())
        given_up = self._decide(Decision.GIVE_UP, import_id, part, attempt, step)
        if given_up:
            self._go_on_sending(import_id)
            self.queue.collect(import_id)
        return given_up

    def _go_on_sending(self, import_id: str) -> None:
        """Parts that had to wait for the held one may be sent now; often there are none."""
        change(
            self.ledger,
            Import.at(import_id),
            lambda seen: (
                self._resumable(seen, ImportState.SENDING)
                if seen.state is ImportState.ON_HOLD
                else None
            ),
        )

    def _decide(
        self, decision: Decision, import_id: str, part: int, attempt: int, step: steps.Step
    ) -> bool:
        def decided(seen: Part) -> Part | None:
            is_current = seen.attempt is not None and seen.attempt.number == attempt
            return step(seen) if seen.state is PartState.HELD and is_current else None

        _, changed = change(self.ledger, Part.at(import_id, part), decided)
        self._saw(decision, import_id, changed=changed, part=part)
        return changed

    def _off_hold(self, seen: Import) -> Import | None:
        if seen.state is not ImportState.ON_HOLD:
            return None
        return self._resumable(self._compared(seen), _state_to_go_on_from(seen))

    def _compared(self, seen: Import) -> Import:
        """Whoever goes on after a contradiction has compared the job with what was sent."""
        contradicted = (seen.hold_reason or "").startswith(Pause.CONTRADICTION)
        return replace(seen, compared_at=self.clock.now()) if contradicted else seen

    def _sending_again(self, seen: Import) -> Import | None:
        if seen.state not in (ImportState.ON_HOLD, ImportState.SENT):
            return None
        return self._resumable(seen, ImportState.SENDING)

    def _resumable(self, seen: Import, state: ImportState) -> Import:
        return replace(
            seen,
            state=state,
            hold_reason=None,
            held_at=None,
            reminded_at=None,
            idle_resumes=0,
            open=OpenKind.WORK,
            due_at=self.clock.now(),
        )

    def _saw(
        self, decision: Decision, import_id: str, *, changed: bool, part: int | None = None
    ) -> None:
        event = "decision_taken" if changed else "decision_stale"
        self.observer.saw(event, import_id=import_id, decision=decision.value, part=part)


def _state_to_go_on_from(record: Import) -> ImportState:
    if record.totals is not None:
        return ImportState.SENDING
    return ImportState.PREPARING if record.mapping else ImportState.WAITING_FOR_MAPPING
