"""
Use case: what a person decides about an import that is ON_HOLD.

Each decision holds only for the state that the person was shown: a HELD part and its attempt, or a
held import. Deciding twice, or too late, changes nothing: it is idempotent.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bigin_import import object_keys
from bigin_import.domain import import_transitions, part_transitions
from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import PartState
from bigin_import.errors import BiginRefusedError
from bigin_import.ledger import update
from bigin_import.ports import Bigin, CallbackUrls, Clock, CollectQueue, Ledger, Telemetry


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
    urls: CallbackUrls
    queue: CollectQueue
    clock: Clock
    telemetry: Telemetry

    def go_on(self, import_id: str, held_at: int) -> bool:
        """Let an import go on that is on hold since *held_at*; return whether it was."""
        step = import_transitions.continue_hold(held_at, self._now)
        _, changed = update(self.ledger, Import.at(import_id), step)
        self._emit(Decision.CONTINUE, import_id, changed=changed)
        return changed

    def create(self, import_id: str, part: int, attempt: int) -> bool:
        """Let a held part have another attempt; return whether it was held for *attempt*."""
        step = part_transitions.confirm_not_created(self._now)
        decided = self._decide(Decision.CREATE, import_id, part, attempt, step)
        self._go_on(import_id, part, attempt)
        return decided

    def adopt(self, import_id: str, part: int, attempt: int, job_id: str) -> bool:
        """
        Take *job_id* for the job of a held part, unless Bigin says that it is another's.

        Raises:
            BiginError: Bigin did not answer; Lambda repeats the decision.
        """
        reason = self._find_objection(import_id, part, attempt, job_id)
        if reason:
            self._refuse(import_id, part, reason)
            return False
        step = part_transitions.record_job(attempt, job_id, self._now)
        adopted = self._decide(Decision.ADOPT, import_id, part, attempt, step)
        self._go_on(import_id, part, attempt)
        return adopted

    def give_up(self, import_id: str, part: int, attempt: int) -> bool:
        """Stop waiting for a held part."""
        step = part_transitions.give_up(self._now)
        given_up = self._decide(Decision.GIVE_UP, import_id, part, attempt, step)
        self._go_on(import_id, part, attempt)
        return given_up

    @property
    def _now(self) -> int:
        return self.clock.now()

    def _decide(
        self,
        decision: Decision,
        import_id: str,
        part: int,
        attempt: int,
        step: part_transitions.Step,
    ) -> bool:
        def decided(seen: Part) -> Part | None:
            is_current = seen.attempt is not None and seen.attempt.number == attempt
            return step(seen) if seen.state is PartState.HELD and is_current else None

        _, changed = update(self.ledger, Part.at(import_id, part), decided)
        self._emit(decision, import_id, changed=changed, part=part)
        return changed

    def _go_on(self, import_id: str, number: int, attempt: int) -> None:
        """
        Let the import go on if the part is not held for *attempt* any more, whoever decided that.

        An earlier delivery of the same decision may have got as far as the part.
        """
        part = self.ledger.load(Part.at(import_id, number))
        current = part.attempt if part else None
        if part is None or current is None or current.number != attempt:
            return
        if part.state is PartState.HELD:
            return
        self.queue.collect(import_id)  # which closes the import, or sends what is left
        if part.state is PartState.STORED:
            # It is carried out at once, by the invocation that took it.
            update(self.ledger, Import.at(import_id), import_transitions.send_again(self._now))

    def _find_objection(self, import_id: str, number: int, attempt: int, job_id: str) -> str:
        """Return why *job_id* cannot be the job of a held part; "" if it can."""
        try:
            job = self.bigin.get_job(job_id)
        except BiginRefusedError as exc:
            return f"Bigin does not know a job {job_id} ({exc.code})"
        is_ours = self.urls.names(job, import_id, number, attempt)
        is_same_file = job.file_name in (None, object_keys.entry_name(import_id, number))
        if is_ours or (is_ours is None and is_same_file):
            return ""
        return f"the job {job_id} was not made for this part"

    def _refuse(self, import_id: str, part: int, reason: str) -> None:
        """Tell people again, and why their decision was not carried out."""
        self.telemetry.emit("decision_refused", import_id=import_id, part=part)
        step = import_transitions.record_refused_decision(reason)
        update(self.ledger, Import.at(import_id), step)
        self.queue.collect(import_id)

    def _emit(
        self, decision: Decision, import_id: str, *, changed: bool, part: int | None = None
    ) -> None:
        event = "decision_taken" if changed else "decision_stale"
        self.telemetry.emit(event, import_id=import_id, decision=decision.value, part=part)
