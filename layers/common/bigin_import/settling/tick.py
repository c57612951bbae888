"""
Use case: whatever is overdue. The ledger is the only clock.

Every minute the tick takes the items that are due, the longest overdue first, moves each one's
`due_at` forward before it acts, and acts. What cannot be done now is due again; one item that
fails never keeps the others from being looked at, nor does one that another release wrote.

It also reports what is open as gauges, so that an alarm lasts as long as its cause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import assert_never

from bigin_import import object_keys
from bigin_import.domain import import_transitions, listing, part_transitions, undo
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import OpenAddress, Record
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import Address, ImportState, OpenKind, PartState
from bigin_import.errors import (
    AwsError,
    AwsUnavailableError,
    BiginError,
    BiginImportError,
    BiginRefusedError,
    ChangedObjectError,
    MissingObjectError,
    UnreadableItemError,
)
from bigin_import.importing import rejections
from bigin_import.importing.pauses import LOOK_AGAIN_SECONDS, Pause, look_again_seconds
from bigin_import.importing.register import Keys, MappingPlaces, Registrar, folder_of
from bigin_import.importing.send_part import CreateMarks
from bigin_import.ledger import update
from bigin_import.object_keys import KeyKind
from bigin_import.ports import (
    Clock,
    CollectQueue,
    FailedDecision,
    Failures,
    Files,
    Ledger,
    Resumer,
    Telemetry,
)
from bigin_import.settling.close import ImportCloser, abandon_parts
from bigin_import.settling.collect import Collector
from bigin_import.settling.match_job import JobMatcher, JobPoller
from bigin_import.settling.waiting import PauseNotices, ZohoAccess
from bigin_import.settling.write_overview import OpenImports, OverviewWriter, find_open
from bigin_import.stored_plan import write_problems
from bigin_import.telemetry import report_aws_error, report_bigin_error, report_unreadable_item


def report_open_work(found: OpenImports, clock: Clock, telemetry: Telemetry) -> None:
    """Report how many imports are open, what they wait for, and how old the oldest is."""
    now = clock.now()
    received = [record.received_at for records in found.values() for record in records]
    telemetry.emit(
        "open_work",
        open=len(received),
        held=len(found[listing.HELD]),
        waiting_for_credits=len(found[listing.CREDITS]),
        oldest_seconds=now - min(received, default=now),
    )


MOST_REMEMBERED = 50_000  # keys of a folder and what is below it: 50 pages of S3's
MOST_ITEMS = 1_200  # of each kind in one tick: 10,000 are looked at within ten minutes
RESERVE_SECONDS = 60  # the longest single item: joining one part
OVERDUE_SECONDS = 15 * 60
STALLED_SECONDS = 24 * 3600
AWS_SECONDS = 240  # the longest pause while AWS is away
AWS_STALLED_SECONDS = 3600
HOUR_SECONDS = 3600
_TOLD_OF_OTHERS = (Pause.TURN.name, Pause.HELD_FILE.name)  # what these wait for is told of
_DECISION_FAILED = (
    'the function import_csv failed on it each time; its log, "bigin-drop logs", says why. Decide '
    "again once that is mended"
)
_SUBMITTED = (ImportState.PREPARING, ImportState.SENDING)


@dataclass(frozen=True, slots=True)
class _Listing:
    """What was listed; *mappings* are those of *keys* that are named like one."""

    keys: frozenset[str]
    mappings: tuple[str, ...]


class ListedFolders:
    """
    The bucket's keys as one tick sees them: each folder is listed once, whatever waits in it.

    A folder with very many keys is asked anew each time, but only for what begins with a name.
    """

    def __init__(self, files: Keys) -> None:
        self._files = files
        self._listed: dict[str, _Listing | None] = {}

    def find_newest(self, key: str) -> ObjectVersion | None:
        return self._files.find_newest(key)

    def find_current(self, key: str) -> bool:
        """Return whether *key* is there, by a listing of its folder."""
        listing = self._list(folder_of(key))
        return self.find_newest(key) is not None if listing is None else key in listing.keys

    def list_keys(self, prefix: str) -> Iterator[str]:
        """Yield the mappings that begin with *prefix*, as its folder was listed, if it was."""
        listing = self._listed.get(folder_of(prefix)) or self._list(prefix)
        if listing is None:
            yield from self._files.list_keys(prefix)
        else:
            yield from (key for key in listing.mappings if key.startswith(prefix))

    def _list(self, prefix: str) -> _Listing | None:
        """Return what begins with *prefix*, listed once; None if that is too much to keep."""
        if prefix not in self._listed:
            keys = tuple(islice(self._files.list_keys(prefix), MOST_REMEMBERED + 1))
            mappings = tuple(key for key in keys if object_keys.kind_of(key) is KeyKind.MAPPING)
            is_whole = len(keys) <= MOST_REMEMBERED
            self._listed[prefix] = _Listing(frozenset(keys), mappings) if is_whole else None
        return self._listed[prefix]


def give_up_hold(ledger: Ledger, files: Files, record: Import, now: int) -> None:
    """End a hold that nobody decided about; what became of its parts is then for the closer."""
    abandon_parts(ledger, files, record.import_id, now)
    if record.totals is not None:
        return
    problem = rejections.nobody_decided(
        record.source.key,
        record.hold_reason or "",
        may_be_in=CreateMarks(files=files).check_any_left(record.import_id),
    )
    write_problems(files, record.import_id, (problem,))
    update(ledger, record.address, import_transitions.fail_unprepared(now))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Everything the tick does."""

    ledger: Ledger
    files: Files
    folders: ListedFolders
    registrar: Registrar
    poller: JobPoller
    job_matcher: JobMatcher
    collector: Collector
    closer: ImportCloser
    pause_notices: PauseNotices
    overview: OverviewWriter
    zoho_access: ZohoAccess
    resumer: Resumer
    queue: CollectQueue
    failures: Failures
    clock: Clock
    telemetry: Telemetry
    bucket: str
    mapping_wait_seconds: int
    job_deadline_seconds: int
    hold_seconds: int

    def tick(self) -> None:
        """
        Act on what is due.

        Raises:
            ExceptionGroup: Some items failed with an error that is not ours; all were tried.
        """
        unexpected: list[Exception] = []
        self._try(self._take_failures_in, "failure queue", unexpected)
        self._try(self.zoho_access.follow_up, "access to Zoho", unexpected)
        examined = 0
        due: list[OpenAddress] = []
        for kind in OpenKind:
            with self._report_outage():
                due += self.ledger.find_due(kind, before=self.clock.now(), limit=MOST_ITEMS)
        for address in due:
            if self.clock.remaining_seconds() < RESERVE_SECONDS:
                break
            examined += 1
            act = partial(self._act, address)
            with self.telemetry.mark_lines(address.import_id):
                self._try(act, address.pk, unexpected)
        with self._report_outage():
            open_imports = find_open(self.ledger)
            report_open_work(open_imports, self.clock, self.telemetry)
            show = partial(self.overview.write_if_changed, open_imports)
            self._try(show, "page of all imports", unexpected)
        self.telemetry.emit("tick", examined=examined, failed=len(unexpected))
        if unexpected:
            raise ExceptionGroup("items of this tick failed", unexpected)

    @contextmanager
    def _report_outage(self) -> Iterator[None]:
        """Leave to the next tick what the table's index does not say now."""
        try:
            yield
        except AwsUnavailableError as exc:
            report_aws_error(self.telemetry, exc)

    def _try(self, act: Callable[[], None], item: str, unexpected: list[Exception]) -> None:
        try:
            act()
        except BiginImportError as exc:
            # Ours: the item stays open and is due again; the log says what stood in the way.
            self.telemetry.emit("item_failed", item=item, error=type(exc).__name__)
            if isinstance(exc, BiginError):
                report_bigin_error(self.telemetry, exc, item=item)
            if isinstance(exc, AwsError):
                report_aws_error(self.telemetry, exc, item=item)
            if isinstance(exc, MissingObjectError | ChangedObjectError):
                self.telemetry.emit("parts_gone", item=item, key=exc.key)
            if isinstance(exc, UnreadableItemError):
                report_unreadable_item(self.telemetry, exc)
        except Exception as exc:  # noqa: BLE001  # raised again when every item had its turn
            self.telemetry.emit("item_failed", item=item, error=type(exc).__name__)
            unexpected.append(exc)

    def _act(self, address: OpenAddress) -> None:
        match self._load(address):
            case Part() as part:
                step = part_transitions.look_by(self.clock.now() + AWS_SECONDS)
                with self._back_off(part.address, step, part.settled_at):
                    self._act_on_part(part)
            case Import() as record:
                again = import_transitions.look_by(self.clock.now() + AWS_SECONDS)
                with self._back_off(record.address, again, _ended_at(record)):
                    self._act_on_import(record)
            case undo.Undo() as taken_back:
                later = undo.look_by(self.clock.now() + AWS_SECONDS)
                with self._back_off(taken_back.address, later, taken_back.confirmed_at):
                    self._ask_to_go_on(taken_back)
            case _:
                pass  # gone since the index was written

    def _load(self, address: OpenAddress) -> Record | None:
        """
        Return what is due, as it stands now.

        Raises:
            UnreadableItemError: Another release wrote it; it is due again later.
        """
        try:
            return self.ledger.load(address)
        except UnreadableItemError:
            self.ledger.leave_unreadable(address, self.clock.now() + HOUR_SECONDS)
            raise

    @contextmanager
    def _back_off[R: Record](
        self, address: Address[R], step: Callable[[R], R | None], since: int | None = None
    ) -> Iterator[None]:
        """
        Apply *step*, which lets an item be looked at within minutes, where AWS was away.

        The first pauses are those of the item's own back-off: 1, 2, then every 4 minutes.

        Args:
            since: Since when its work waits, if that is known.
        """
        try:
            yield
        except AwsError:
            if since is not None:
                self._report_stalled(address.pk, self.clock.now() - since, AWS_STALLED_SECONDS)
            update(self.ledger, address, step)
            raise

    def _act_on_part(self, seen: Part) -> None:
        part, ours = update(
            self.ledger, seen.address, part_transitions.postpone(self.clock.now()), known=seen
        )
        if part is None or not ours:
            return
        self._look_for_stalled(part)
        match part.state:
            case PartState.CREATED:
                self._look_for_end(part)
            case PartState.SETTLED:
                self.collector.collect(part.import_id, part.number)
                self.closer.finish_after_part(part.import_id)
            case PartState.HELD if self._is_held_too_long(part):
                self._give_up(part)
            case PartState.HELD:
                self.job_matcher.ask_about_hint(part)
                self.closer.finish(part.import_id)  # which reminds people
            case (
                PartState.STORED
                | PartState.UPLOADED
                | PartState.CREATING
                | PartState.UNKNOWN
                | PartState.COLLECTED
                | PartState.JOB_REFUSED
                | PartState.GIVEN_UP
            ):
                # Before its create a part moves only with its import, or by a late callback.
                self.job_matcher.ask_about_hint(part)
            case _:
                assert_never(part.state)

    def _ask_to_go_on(self, seen: undo.Undo) -> None:
        """Let an import be taken back further in an invocation of its own: that takes minutes."""
        now = self.clock.now()
        _, ours = update(self.ledger, seen.address, undo.postpone(now), known=seen)
        if ours:
            self._report_stalled(seen.import_id, now - (seen.confirmed_at or now))
            self.queue.go_on_undoing(seen.import_id)

    def _look_for_end(self, part: Part) -> None:
        """Ask how the job is; only what Bigin says has not ended by the deadline is given up."""
        is_past = self.clock.now() - (part.created_at or 0) >= self.job_deadline_seconds
        try:
            self.poller.look(part)
        except BiginRefusedError:
            if not is_past:
                raise
        if is_past:
            self._give_up(part)

    def _look_for_stalled(self, part: Part) -> None:
        """Tell operators of a job, or of results, that should have been had long ago."""
        since = {
            PartState.CREATED: (part.created_at or 0) + self.job_deadline_seconds,
            PartState.SETTLED: part.settled_at or 0,
        }.get(part.state, self.clock.now())
        self._report_stalled(part.import_id, self.clock.now() - since)

    def _report_stalled(self, import_id: str, seconds: int, most: int = STALLED_SECONDS) -> None:
        if seconds > most:
            self.telemetry.emit("stalled", import_id=import_id, seconds=seconds)

    def _is_held_too_long(self, part: Part) -> bool:
        return self.clock.now() - (part.held_at or self.clock.now()) >= self.hold_seconds

    def _is_hold_over(self, record: Import) -> bool:
        return self.clock.now() - (record.held_at or record.received_at) >= self.hold_seconds

    def _give_up(self, part: Part) -> None:
        step = part_transitions.give_up(self.clock.now())
        _, given_up = update(self.ledger, part.address, step, known=part)
        if given_up:
            self.telemetry.emit("part_given_up", import_id=part.import_id, part=part.number)
            self.closer.finish(part.import_id)

    def _act_on_import(self, seen: Import) -> None:
        self._look_for_overdue(seen)
        step = import_transitions.postpone(self.clock.now(), self._pause_seconds)
        record, ours = update(self.ledger, seen.address, step, known=seen)
        if record is None or not ours or record.lease_until > self.clock.now():
            return
        if record.pause == Pause.AWS.name:
            since = record.paused_at or self.clock.now()
            self._report_stalled(record.import_id, self.clock.now() - since, AWS_STALLED_SECONDS)
        if (ended_at := _ended_at(record)) is not None:
            self._report_stalled(record.import_id, self.clock.now() - ended_at)
        if record.state is ImportState.WAITING_FOR_MAPPING:
            self._look_for_mapping(record)
        elif record.state.is_closed:
            self.closer.notify(record)
        elif record.state is ImportState.ON_HOLD and self._is_hold_over(record):
            give_up_hold(self.ledger, self.files, record, self.clock.now())
            self.closer.finish(record.import_id)
        elif record.state in _SUBMITTED:
            self._resume(record)
        else:
            self.closer.finish(record.import_id)

    def _resume(self, record: Import) -> None:
        self.resumer.resume(record.import_id)
        self.telemetry.emit("resumed", import_id=record.import_id)
        if record.pause is None or record.pause in _TOLD_OF_OTHERS:
            return
        if not self.pause_notices.notify(record.pause):
            since = record.paused_at or self.clock.now()
            self._report_stalled(record.import_id, self.clock.now() - since)

    def _look_for_overdue(self, seen: Import) -> None:
        """Tell operators of an import that no tick has looked at in time."""
        now = self.clock.now()
        if seen.due_at is None or seen.lease_until > now:
            return
        if now - seen.due_at > OVERDUE_SECONDS:
            self.telemetry.emit("overdue", import_id=seen.import_id, seconds=now - seen.due_at)

    def _pause_seconds(self, record: Import) -> int:
        if record.state is ImportState.WAITING_FOR_MAPPING:
            waited = self.clock.now() - record.received_at
            return look_again_seconds(waited, left=self.mapping_wait_seconds - waited)
        if record.state in (ImportState.FINISHING, *_SUBMITTED):
            return LOOK_AGAIN_SECONDS
        return HOUR_SECONDS

    def _look_for_mapping(self, record: Import) -> None:
        """Wake import_csv if it has something to do: a mapping, the deadline, a withdrawal, AWS."""
        waited = self.clock.now() - record.received_at
        is_over = waited >= self.mapping_wait_seconds
        key = record.source.key
        if (
            is_over
            or record.pause == Pause.AWS.name
            or not self.folders.find_current(key)
            or MappingPlaces(self.folders).find(key) is not None
        ):
            self.resumer.resume(record.import_id)
        else:
            self.closer.waiting_notice.notify_if_due(record)

    def _take_failures_in(self) -> None:
        """Make sure that drops import_csv failed on are in the ledger, and decisions told of."""
        for subjects in self.failures.drain():
            for subject in subjects:
                try:
                    if isinstance(subject, FailedDecision):
                        self._report_failed(subject)
                    else:
                        self._take_in(subject)
                except UnreadableItemError as exc:  # it is in the table, so it is not forgotten
                    report_unreadable_item(self.telemetry, exc)

    def _report_failed(self, failed: FailedDecision) -> None:
        """Tell people that a decision was not carried out, if what it was about is still held."""
        import_id = failed.import_id
        self.telemetry.emit("decision_failed", import_id=import_id, part=failed.part or None)
        record = self.ledger.load(Import.at(import_id))
        part = self.ledger.load(Part.at(import_id, failed.part)) if failed.part else None
        if record is not None and _is_still_held(record, part, failed):
            step = import_transitions.record_refused_decision(_DECISION_FAILED)
            update(self.ledger, record.address, step, known=record)
            self.queue.collect(import_id)

    def _take_in(self, source: ObjectVersion) -> None:
        if source.bucket != self.bucket:
            self.telemetry.emit("bucket_unknown", bucket=source.bucket)
            return
        match object_keys.kind_of(source.key):
            case KeyKind.IGNORED:
                pass
            case KeyKind.MAPPING:
                for import_id in self.registrar.wake_imports(source):
                    self.resumer.resume(import_id)
            case _:
                self.registrar.register(self.registrar.find_version(source))


def _is_still_held(record: Import, part: Part | None, failed: FailedDecision) -> bool:
    if not failed.part:
        return record.state is ImportState.ON_HOLD and failed.held_at in (0, record.held_at)
    attempt = part.attempt.number if part and part.attempt else 0
    is_held = part is not None and part.state is PartState.HELD
    return is_held and failed.attempt in (0, attempt)


def _ended_at(record: Import) -> int | None:
    """Return since when nothing but its closing, or the notice of that, is left to do."""
    return record.closed_at if record.state.is_closed else record.finishing_at
