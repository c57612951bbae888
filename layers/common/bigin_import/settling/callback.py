"""
Use case: a callback with a valid signature -> the question to Bigin that it is a reason for.

A callback may come before the create call has its answer, late, twice or never, and its body
is undocumented. It never fails for Bigin's sake: what cannot be asked now, the tick asks.
"""

from __future__ import annotations

from dataclasses import dataclass

from bigin_import.callback_url import CallbackTarget
from bigin_import.domain import part_transitions
from bigin_import.domain.part_record import Attempt, Part
from bigin_import.domain.states import ClosedBy, PartState
from bigin_import.errors import BiginError, UnreadableItemError
from bigin_import.ledger import update
from bigin_import.ports import Clock, Ledger, Telemetry
from bigin_import.settling.match_job import JobMatcher
from bigin_import.telemetry import report_bigin_error, report_unreadable_item

ASK_AGAIN_SECONDS = 10  # callbacks of one part make us ask Bigin at most this often
REPORT_REFUSED_EVERY_SECONDS = 10
_DONE = (PartState.SETTLED, PartState.COLLECTED, PartState.JOB_REFUSED, PartState.GIVEN_UP)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRecorder:
    """Everything job_callback does once the signature is verified."""

    ledger: Ledger
    job_matcher: JobMatcher
    clock: Clock
    telemetry: Telemetry

    def receive(self, target: CallbackTarget, hint: str | None) -> None:
        """
        Act on a callback.

        Args:
            hint: The job id that the body named, if it named one; not to be believed.
        """
        try:
            self._record(target, hint)
        except UnreadableItemError as exc:  # asked for when a release that knows it is back
            report_unreadable_item(self.telemetry, exc)

    def _record(self, target: CallbackTarget, hint: str | None) -> None:
        address = Part.at(target.import_id, target.part)
        part = self.ledger.load(address)
        if part is None or (part.state in _DONE and not _is_news(part, hint)):
            self._emit("callback_stale", target)
            return
        self._emit("callback_accepted", target)
        news = hint if _is_news(part, hint) else None
        step = part_transitions.record_callback(target.attempt, self.clock.now(), news)
        part, _ = update(self.ledger, address, step, known=part)
        attempt = part.numbered(target.attempt) if part else None
        if part is None or attempt is None:
            return
        job_id = news or attempt.job_id
        if job_id is None:
            return
        step = part_transitions.record_question(self.clock.now(), ASK_AGAIN_SECONDS)
        part, is_first = update(self.ledger, address, step, known=part)
        if part is not None and is_first:
            self._ask(part, attempt, job_id)

    def _ask(self, part: Part, attempt: Attempt, job_id: str) -> None:
        try:
            self.job_matcher.ask(part, attempt, job_id, ClosedBy.CALLBACK)
        except BiginError as exc:
            # The callback made the part due at once, so the tick asks within a minute.
            report_bigin_error(self.telemetry, exc, import_id=part.import_id, part=part.number)

    def _emit(self, event: str, target: CallbackTarget) -> None:
        self.telemetry.emit(
            event, import_id=target.import_id, part=target.part, attempt=target.attempt
        )


def _is_news(part: Part, hint: str | None) -> bool:
    """Return whether a callback names a job that we do not know: perhaps a second one."""
    return hint is not None and hint not in part.job_ids


@dataclass(slots=True, kw_only=True)
class RefusedCallbacks:
    """
    Counts what strangers send, and reports it in samples: they shall not fill our log.

    Attributes:
        waiting: Refused since the last report; a container that ends takes them with it.
        reported_at: When that was.
    """

    telemetry: Telemetry
    waiting: int = 0
    reported_at: int = 0

    def record(self, address: str | None, now: int) -> None:
        """Count one, and report all that wait if the last report is old enough."""
        self.waiting += 1
        if now - self.reported_at < REPORT_REFUSED_EVERY_SECONDS:
            return
        self.telemetry.emit("callback_refused", address=address, refused=self.waiting)
        self.waiting, self.reported_at = 0, now
