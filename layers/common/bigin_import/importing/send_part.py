"""
One part: its archive goes to Bigin, and one create call for it leaves, at most once.

A create costs 500 credits and cannot be undone, and Bigin has neither an idempotency key nor
a list of jobs. So every create is in the ledger, and marked beside its archive, before it leaves;
what certainly did not happen may be repeated, and what nobody knows is never repeated blindly.

The mark is written after the ledger's CREATING and before the call. The ledger alone cannot tell
of what it does not remember: restored from a backup, it knows no create that left since; and while
it is away nobody can write down what came of one. Each create has an object of its own, so that
nobody writes over another's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bigin_import import object_keys
from bigin_import.domain import part_transitions
from bigin_import.domain.job_request import JobRequest
from bigin_import.domain.part_record import Attempt, Part, Refusal
from bigin_import.domain.states import PartState
from bigin_import.errors import (
    AwsError,
    BiginAccessError,
    BiginBusyError,
    BiginImportError,
    BiginOutcomeUnknownError,
    BiginRefusedError,
    BiginUnreachableError,
    ChangedObjectError,
    DropRejectedError,
    MissingObjectError,
    OtherOrganisationError,
)
from bigin_import.importing.lease import Lease
from bigin_import.importing.pauses import Pause, pause_after
from bigin_import.plain_values import Stored, UnreadableValueError
from bigin_import.ports import Bigin, CallbackUrls, Clock, Files, Telemetry
from bigin_import.stored_plan import check_archive, read_archive


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateMark:
    """
    What is known of one create without the ledger.

    Attributes:
        attempt: As the ledger had it when the create was about to leave.
        job_id: The job that it made; "" if that is not known, or is in the ledger.
        left: False once it is certain that it made no job.
    """

    attempt: Attempt
    job_id: str = ""
    left: bool = True


_MARKS = Stored[CreateMark](CreateMark)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateMarks:
    """Writes and reads the marks of parts."""

    files: Files

    def write(self, part: Part, mark: CreateMark) -> None:
        """Write *mark*, over an earlier one of the same create."""
        key = object_keys.create_mark(part.import_id, part.number, mark.attempt.create)
        self.files.write(key, _MARKS.as_json(mark), content_type="application/json")

    def find_lost(self, parts: Iterable[Part]) -> dict[int, tuple[Attempt, ...]]:
        """
        Return, by the number of their part, attempts that the ledger has forgotten.

        There are some only where the table was restored from a backup. They may have made jobs.

        Args:
            parts: Of one import.
        """
        known = {part.number: part for part in parts}
        import_id = next((part.import_id for part in known.values()), None)
        found: dict[int, dict[int, Attempt]] = {}
        for key in self.files.list_keys(object_keys.beside_parts(import_id)) if import_id else ():
            named = object_keys.numbers_of_mark(key)
            part = known.get(named[0]) if named else None
            if named and part and named[1] > part.creates:
                mark = self._read(part.import_id, *named)
                if mark and mark.left and part.numbered(mark.attempt.number) is None:
                    found.setdefault(part.number, {})[mark.attempt.number] = mark.attempt
        return {
            number: tuple(lost[each] for each in sorted(lost)) for number, lost in found.items()
        }

    def find_outcome(self, part: Part, now: int) -> part_transitions.Step:
        """
        Return what is to be said of a part whose sender ended in the middle of its create.

        Without a mark, or with one that says so, the create never left; but not where the parts
        were cleared away, mark and all.
        """
        attempt = part.attempt
        if attempt is None:
            return lambda _: None
        mark: CreateMark | None = CreateMark(attempt=attempt)
        if attempt.create:
            mark = self._read(part.import_id, part.number, attempt.create)
        if mark is not None and mark.job_id:
            return part_transitions.record_job(attempt.number, mark.job_id, now)
        never_left = check_archive(self.files, part) if mark is None else not mark.left
        if never_left:
            return part_transitions.undo_create(attempt.number)
        return part_transitions.mark_unanswered(attempt.number)

    def check_any_left(self, import_id: str) -> bool:
        """Return whether a create of an import may have made a job, whatever the ledger knows."""
        keys = self.files.list_keys(object_keys.beside_parts(import_id))
        marks = (
            self._read(import_id, *named)
            for named in map(object_keys.numbers_of_mark, keys)
            if named
        )
        return any(mark is not None and mark.left for mark in marks)

    def _read(self, import_id: str, part: int, create: int) -> CreateMark | None:
        """Return a mark; with something else in its place, one of which only the name is known."""
        try:
            key = object_keys.create_mark(import_id, part, create)
            return _MARKS.read_json(self.files.read(key))
        except MissingObjectError:
            return None
        except (DropRejectedError, UnreadableValueError):
            attempt = Attempt(number=create, started_at=0, decide_after=0, create=create)
            return CreateMark(attempt=attempt)


CREATE_SECONDS = 150  # read time-out of a create, 120 s, and 30 s to write down its answer
PATIENCE_SECONDS = 60  # Bigin's parallel calls free up within that; its credits do not
PATIENCE_STEP_SECONDS = 10


class StoppedError(BiginImportError):
    """
    Ends the sending of one invocation in good order.

    Args:
        detail: For people, behind the words of *pause*.
    """

    def __init__(self, pause: Pause, detail: str = "") -> None:
        self.pause = pause
        super().__init__(f"{pause}: {detail}" if detail else pause)


# After these the create has certainly not left; AWS is asked for the access token before it does.
_NOT_SENT = (
    AwsError,
    BiginAccessError,
    BiginBusyError,
    BiginUnreachableError,
    OtherOrganisationError,
    StoppedError,
)


@dataclass(slots=True)
class Round:
    """
    One submitter's sending of one import, part after part or side by side.

    Attributes:
        zgid: The organisation that the import is for.
        record_sending: Called before the first create is begun; repeating it changes nothing.
        stopped: What ended it; no further create may start, those in flight finish.
    """

    lease: Lease
    request: JobRequest
    zgid: str
    record_sending: Callable[[], None]
    is_sending: bool = False
    stopped: StoppedError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSender:
    """Uploads one archive and creates one job, under the lease of its import."""

    files: Files
    bigin: Bigin
    urls: CallbackUrls
    clock: Clock
    telemetry: Telemetry

    def send(self, current: Round, part: Part) -> Part:
        """
        Bring *part* from STORED or UPLOADED to CREATED, or to JOB_REFUSED.

        Raises:
            StoppedError: It is not there yet, and no other part should be tried now.
            LeaseLostError: Another submitter took over.
        """
        try:
            return self._advance(current, part)
        except StoppedError as stopped:
            current.stopped = current.stopped or stopped
            raise

    def _advance(self, current: Round, part: Part) -> Part:
        lease = current.lease
        if part_transitions.expire_upload(self.clock.now())(part) is not None:
            part = lease.change_part(part, part_transitions.expire_upload(self.clock.now()))
        if part.state is PartState.STORED:
            part = self._repeat_while_busy(lease, lambda: self._upload(current, part))
        if part.state is PartState.UPLOADED:
            part = self._repeat_while_busy(lease, lambda: self._create(current, part))
        if part.refusal is not None and part.refusal.concerns_mapping:
            raise StoppedError(Pause.REFUSED, part.refusal.code)
        return part

    def _repeat_while_busy(self, lease: Lease, call: Callable[[], Part]) -> Part:
        """Repeat *call* while Bigin is only short of parallel calls."""
        give_up_at = self.clock.now() + PATIENCE_SECONDS
        while True:
            try:
                return call()
            except BiginBusyError as exc:
                self.telemetry.emit("bigin_busy", import_id=lease.import_id)
                pause = exc.retry_after_seconds or PATIENCE_STEP_SECONDS
                patient = self.clock.now() + pause <= give_up_at
                if not patient or not lease.has_time_for(pause + CREATE_SECONDS):
                    raise StoppedError(pause_after(exc)) from exc
                self.clock.sleep(pause)
            except (BiginUnreachableError, BiginAccessError, OtherOrganisationError) as exc:
                if isinstance(exc, BiginAccessError):
                    self.telemetry.emit("token_refused", code=exc.code)
                raise StoppedError(pause_after(exc), str(exc)) from exc

    def _upload(self, current: Round, part: Part) -> Part:
        """Upload the stored archive; an upload may be repeated at will."""
        lease = current.lease
        archive = self._read_archive(part)
        name = f"{object_keys.entry_name(part.import_id, part.number)}.zip"
        try:
            file_id = self.bigin.upload(archive, name=name, zgid=current.zgid)
        except BiginRefusedError as exc:
            return self._record_refusal(lease, part, exc)
        except BiginOutcomeUnknownError as exc:
            raise StoppedError(Pause.UNREACHABLE, str(exc)) from exc
        self.telemetry.emit("part_uploaded", import_id=part.import_id, part=part.number)
        return lease.change_part(part, part_transitions.record_upload(file_id, self.clock.now()))

    def _read_archive(self, part: Part) -> bytes:
        try:
            return read_archive(self.files, part)
        except ChangedObjectError as exc:
            raise StoppedError(Pause.CONTRADICTION, str(exc)) from exc

    @property
    def marks(self) -> CreateMarks:
        return CreateMarks(files=self.files)

    def _create(self, current: Round, part: Part) -> Part:
        """Write the attempt down, send its create, write down what came of it."""
        lease = current.lease
        self._check_may_start(current)
        if not current.is_sending:
            current.record_sending()
            current.is_sending = True
        step = part_transitions.begin_create(self.clock.now(), lease.decide_after)
        part = lease.change_part(part, step)
        attempt = part.attempt
        if part.state is not PartState.CREATING or attempt is None:
            return part
        if part.epoch != lease.epoch:
            # A submitter whose lease has ended was frozen and woke up; the attempt is its own.
            raise StoppedError(
                Pause.UNKNOWN, f"part {part.number} is in an earlier submitter's hands"
            )
        try:
            job_id = self._send_create(current, part, attempt)
        except BiginRefusedError as exc:
            return self._record_refusal(lease, part, exc)
        except BiginOutcomeUnknownError as exc:
            lease.change_part(part, part_transitions.mark_unanswered(attempt.number))
            self._emit("create_unknown", part)
            raise StoppedError(Pause.UNKNOWN, str(exc)) from exc
        except _NOT_SENT:
            step = part_transitions.undo_create(attempt.number)
            self._record_no_job(lease, part, step, attempt)
            raise
        self._emit("job_created", part, job_id=job_id)
        step = part_transitions.record_job(attempt.number, job_id, self.clock.now())
        return self._record_end(lease, part, step, CreateMark(attempt=attempt, job_id=job_id))

    def _record_end(
        self, lease: Lease, part: Part, step: part_transitions.Step, mark: CreateMark
    ) -> Part:
        """
        Write down what came of a create.

        Where the ledger is away, beside the archive: whoever takes over finds it there.
        """
        try:
            return lease.change_part(part, step)
        except AwsError:
            self.marks.write(part, mark)
            raise

    def _record_no_job(
        self, lease: Lease, part: Part, step: part_transitions.Step, attempt: Attempt
    ) -> Part:
        """Write down that a create made no job, for a table that is restored from a backup too."""
        mark = CreateMark(attempt=attempt, left=False)
        changed = self._record_end(lease, part, step, mark)
        self.marks.write(part, mark)
        return changed

    def _send_create(self, current: Round, part: Part, attempt: Attempt) -> str:
        if part.file_id is None:
            raise StoppedError(Pause.CONTRADICTION, f"part {part.number} has no file_id")
        url = self.urls.url(part.import_id, part.number, attempt.number)
        self.marks.write(part, CreateMark(attempt=attempt))
        # The last look before the one call that cannot be taken back.
        self._check_may_start(current)
        return self.bigin.create_job(
            current.request, file_id=part.file_id, callback_url=url, zgid=current.zgid
        )

    def _check_may_start(self, current: Round) -> None:
        """Let no create start after another was stopped, or without the time for its answer."""
        if current.stopped is not None:
            raise StoppedError(current.stopped.pause)
        if not current.lease.has_time_for(CREATE_SECONDS):
            raise StoppedError(Pause.NO_TIME)

    def _record_refusal(self, lease: Lease, part: Part, exc: BiginRefusedError) -> Part:
        refusal = Refusal(
            code=exc.code,
            message=exc.message,
            resolution=exc.resolution,
            concerns_mapping=exc.concerns_mapping,
        )
        self._emit("job_refused", part, code=exc.code)
        step = part_transitions.refuse(refusal, self.clock.now())
        if part.state is not PartState.CREATING or part.attempt is None:
            return lease.change_part(part, step)
        return self._record_no_job(lease, part, step, part.attempt)

    def _emit(self, event: str, part: Part, **facts: str) -> None:
        attempt = part.attempt.number if part.attempt else None
        self.telemetry.emit(
            event, import_id=part.import_id, part=part.number, attempt=attempt, **facts
        )
