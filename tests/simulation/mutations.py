# ruff: noqa: ANN401 - a mutation has the signature of what it stands in for, seen from outside
"""
Mistakes that the searches must notice: each a small change to the use cases, the fakes or the
ports, put in place for some runs. A search that does not notice one of them proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from bigin_import import callback_url
from bigin_import.corrections import family
from bigin_import.corrections.corrections import Healing
from bigin_import.corrections.decider import Decider, DroppedRow
from bigin_import.corrections.family import Families
from bigin_import.corrections.family_rows import FamilyRows, RowElsewhere
from bigin_import.deduplication import claims, repeats, rows_in
from bigin_import.deduplication.claims import Claims, KeyHistory
from bigin_import.deduplication.earlier_rows import RowIn
from bigin_import.deduplication.in_other_form import OtherForms
from bigin_import.deduplication.repeats import Repeats
from bigin_import.deduplication.rows_in import EarlierRows
from bigin_import.deduplication.rows_of_a_key import ByKey
from bigin_import.domain import import_transitions, part_transitions, undo
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import ContentClaim, KeyLock
from bigin_import.domain.part_record import Part
from bigin_import.domain.plan import Plan, RowDecision
from bigin_import.domain.row_result import RowStatus
from bigin_import.domain.states import ImportState, OpenKind, PartState
from bigin_import.errors import BiginBusyError, BiginOutcomeUnknownError, ConflictError
from bigin_import.importing import importer, prepare, register
from bigin_import.importing.decisions import Decision, Decisions
from bigin_import.importing.importer import Importer
from bigin_import.importing.lease import OUTLIVES_SECONDS, Lease
from bigin_import.importing.pauses import Pause
from bigin_import.importing.prepare import Preparer
from bigin_import.importing.register import Acquired, KeyLocks
from bigin_import.importing.send import LostParts, Sender
from bigin_import.importing.send_part import (
    CREATE_SECONDS,
    CreateMarks,
    PartSender,
    Round,
    StoppedError,
)
from bigin_import.ledger import create_if_absent, update
from bigin_import.row_results.kept_rows import KeptRow, read_kept_rows
from bigin_import.settling import collect
from bigin_import.settling.close import ImportCloser
from bigin_import.settling.match_job import JobMatcher
from bigin_import.settling.row_files import Rows
from bigin_import.settling.write_overview import RowsAlsoIn
from bigin_import.undoing import conclude, run, show
from bigin_import.undoing.checks import UndoLocks
from bigin_import.undoing.run import UndoRunner
from tests.fakes.memory_ledger import MemoryLedger
from tests.simulation import bigin_port, functions
from tests.simulation.account import Account
from tests.simulation.bigin_port import BiginServer
from tests.simulation.ports import Fibers, SimulatedLedger

type Patch = tuple[Any, str, Any]


@contextmanager
def applied(patches: Iterable[Patch]) -> Iterator[None]:
    """Put *patches* (holder, name, new value) in place for the length of a block."""
    patches = tuple(patches)
    kept = [(holder, name, vars(holder)[name]) for holder, name, _ in patches]
    for holder, name, value in patches:
        setattr(holder, name, value)
    try:
        yield
    finally:
        for holder, name, value in kept:
            setattr(holder, name, value)


# Sending


def _create_unannounced(self: PartSender, current: Round, part: Part) -> Part:
    lease = current.lease
    begin = part_transitions.begin_create(self.clock.now(), lease.decide_after)
    begun = begin(part)
    assert begun is not None
    assert begun.attempt is not None
    job_id = self._send_create(current, part, begun.attempt)
    part = lease.change_part(part, begin)
    step = part_transitions.record_job(begun.attempt.number, job_id, self.clock.now())
    return lease.change_part(part, step)


def _take_lease(raised: int, *, live: bool) -> Callable[..., Lease | None]:
    def take(ledger: Any, clock: Any, import_id: str, *, known: Any = None) -> Lease | None:
        until = clock.now() + int(clock.remaining_seconds()) + OUTLIVES_SECONDS

        def taken(seen: Import) -> Import | None:
            busy = seen.lease_until > clock.now() and not live
            if seen.state not in import_transitions.SUBMITTER_STATES or busy:
                return None
            idle = seen.idle_resumes + 1
            epoch = seen.epoch + raised
            return replace(seen, epoch=epoch, lease_until=until, due_at=until, idle_resumes=idle)

        record, ours = update(ledger, Import.at(import_id), taken, known=known)
        if record is None or not ours:
            return None
        return Lease(ledger, clock, record, record.epoch, until)

    return take


_send_create = PartSender._send_create


def _create_retried(self: PartSender, *about: Any) -> str:
    try:
        return _send_create(self, *about)
    except BiginOutcomeUnknownError:
        return _send_create(self, *about)


def _busy_is_unknown(self: PartSender, *about: Any) -> str:
    try:
        return _send_create(self, *about)
    except BiginBusyError as exc:
        raise BiginOutcomeUnknownError("429") from exc


def _start_anyway(self: PartSender, current: Round) -> None:
    if not current.lease.has_time_for(CREATE_SECONDS):
        raise StoppedError(Pause.NO_TIME)


_send = Sender.send


def _sent_anyway(self: Sender, *about: Any, **named: Any) -> None:
    try:
        _send(self, *about, **named)
    except StoppedError:
        return


def _check_by_own_columns(self: Repeats, earlier: Import, ours: Any, grew_from_this: bool) -> bool:
    if earlier.state is not ImportState.ON_HOLD:
        return not earlier.state.is_closed
    return self._check_shares_rows(earlier, ours.log, grew_from_this)


_pinned = Importer._pin_mapping


def _pinned_to_send(self: Importer, lease: Lease, record: Import, mapping: Any) -> Import:
    return _pinned(self, lease, record, mapping.model_copy(update={"dry_run": False}))


_send_import = Importer._send
_send_parts = Importer._send_parts


def _split_again(self: Importer, lease: Lease, record: Import, *, is_overtaken: bool) -> None:
    mapping = self.mappings.read_pinned(record)
    with ExitStack() as opened:
        plan, *_ = self.preparer._split(lease, record, mapping, opened)
    self.preparer._plan_parts(lease, record.import_id, plan)
    _send_import(self, lease, record, is_overtaken=is_overtaken)


def _free_when_closed(self: KeyLocks, turn: KeyLock, record: Import) -> bool:
    if turn.open_import in (None, record.import_id):
        return True
    holder = self.ledger.load(Import.at(turn.open_import))
    return holder is None or holder.state.is_closed


_acquire_lock = KeyLocks.acquire


def _acquire(*, writes_over: bool) -> Callable[..., Acquired]:
    def acquire(self: KeyLocks, record: Import, **_told: bool) -> Acquired:
        return _acquire_lock(self, record, writes_over=writes_over)

    return acquire


def _recorded_before_its_upload(
    self: Importer, lease: Lease, record: Import, plan: Plan, *, is_overtaken: bool
) -> bool:
    self.key_locks.record_sending(record, known=None)
    return _send_parts(self, lease, record, plan, is_overtaken=is_overtaken)


def _is_quiet(state: ImportState) -> bool:
    quiet = (ImportState.UNCHANGED, ImportState.WITHDRAWN, ImportState.SUPERSEDED)
    return state in quiet


def _read_as_own(
    self: FamilyRows, rows: Iterable[tuple[str, int]]
) -> dict[tuple[str, int], tuple[str, int]]:
    return {row: row for row in rows}


_read_mended = FamilyRows.read_mended


def _read_mended_that_is_in(self: FamilyRows, wanted: Any) -> dict[str, list[RowElsewhere]]:
    found = _read_mended(self, wanted)
    return {
        cells: [row for row in rows if row.kept.status.is_in_bigin] for cells, rows in found.items()
    }


_decided = Decider._decided


def _new_is_in(self: Decider, row: DroppedRow, identity: Any, kept: Any) -> RowDecision:
    decision = _decided(self, row, identity, kept)
    return decision if identity else decision._replace(status=RowStatus.EXISTING)


def _without_claim(ledger: Any, record: Any) -> tuple[Any, bool]:
    return (record, True) if isinstance(record, ContentClaim) else create_if_absent(ledger, record)


def _each_unjoined(self: Fibers, work: Any, items: Iterable[Any], *, at_most: int) -> None:
    for item in items:
        self._world.spawn(partial(work, item))


def _write_to_ledger_alone(
    self: PartSender, lease: Lease, part: Part, step: Any, mark: Any
) -> Part:
    return lease.change_part(part, step)


def _fail_for_an_unreadable_item(telemetry: Any, exc: Exception) -> None:
    raise exc


# Hearing


def _sign_without_attempt(key: bytes, import_id: str, part: int, attempt: int) -> str:
    return _sign(key, import_id, part, 0)


_sign = callback_url.sign


def _believe(import_id: str, part: str, attempt: str, signature: str, keys: Any) -> Any:
    return callback_url.CallbackTarget(import_id, int(part), int(attempt))


def _adopt_anything(self: JobMatcher, part: Part, attempt: Any, job: Any) -> Part | None:
    step = part_transitions.record_job(attempt.number, job.job_id, self.clock.now())
    return update(self.ledger, part.address, step)[0]


_decide = Decisions._decide


def _decide_any(
    self: Decisions, decision: Decision, import_id: str, part: int, attempt: int, step: Any
) -> bool:
    def decided(seen: Part) -> Part | None:
        return step(seen) if seen.state is PartState.HELD else None

    return update(self.ledger, Part.at(import_id, part), decided)[1]


# The ledger and the tick


def _put_over(self: MemoryLedger, record: Any, saved: Any, write_id: int) -> None:
    place = (record.address.pk, record.address.sk)
    self._check(self.records.get(place), record)
    self.records[place] = saved
    self._write_ids[place] = write_id
    self._reindex(saved, gone=False)


_put = MemoryLedger._put


def _put_part_over(self: MemoryLedger, record: Any, saved: Any, write_id: int) -> None:
    put = _put_over if isinstance(record, Part) else _put
    put(self, record, saved, write_id)


def _own_is_anothers(self: MemoryLedger, record: Any, saved: Any, write_id: int) -> None:
    self._put(record, saved, write_id)


_put_later = SimulatedLedger._put


def _anothers_is_own(self: SimulatedLedger, record: Any, saved: Any, write_id: int) -> None:
    try:
        _put_later(self, record, saved, write_id)
    except ConflictError:
        if not self.repeats:
            raise


def _postponed_unseen(now: int, seconds: Any) -> import_transitions.Step:
    return lambda seen: replace(seen, open=OpenKind.WORK, due_at=now + 3600, expires_at=None)


def _later_unmoved(now: int) -> part_transitions.Step:
    def step(part: Part) -> Part | None:
        return None if part.open is None else replace(part, polls=part.polls + 1)

    return step


_settled = part_transitions.record_outcome


def _settled_for_good(number: int, outcome: Any) -> part_transitions.Step:
    def step(part: Part) -> Part | None:
        settled = _settled(number, outcome)(part)
        return settled and replace(settled, open=None, due_at=None)

    return step


def _tell_later(self: ImportCloser, record: Import, parts: Any = None) -> None:
    self._forget_in_time(record, parts)
    _tell(self, record, parts)


_tell = ImportCloser.notify
_close = import_transitions.close


def _close_unchecked(*about: Any, **told: Any) -> import_transitions.Step:
    def step(seen: Import) -> Import | None:
        return _close(*about, **told)(replace(seen, state=ImportState.FINISHING))

    return step


_row_in = rows_in._row_in


def _row_not_in(*about: Any) -> RowIn:
    row = _row_in(*about)
    return row._replace(status=None) if row.status is RowStatus.UNCLEAR else row


def _read_as_added(stream: Any) -> Iterator[KeptRow]:
    """Take rows that are in through another import for rows of this one."""
    for row in read_kept_rows(stream):
        yield row._replace(through="", status=RowStatus.ADDED) if row.through else row


def _taken_for_good(now: int, until: int) -> undo.UndoStep:
    def step(seen: undo.Undo) -> undo.Undo | None:
        is_free = seen.state is undo.UndoState.RUNNING and seen.lease_until <= now
        return replace(seen, lease_until=until, due_at=until + 24 * 3600) if is_free else None

    return step


def _taken_at_once(now: int, until: int) -> undo.UndoStep:
    def step(seen: undo.Undo) -> undo.Undo | None:
        is_running = seen.state is undo.UndoState.RUNNING
        return replace(seen, lease_until=until, due_at=until) if is_running else None

    return step


MUTATIONS: dict[str, tuple[Patch, ...]] = {
    "create not marked": ((CreateMarks, "write", lambda *_about: None),),
    "forgotten creates not recalled": ((CreateMarks, "find_lost", lambda *_about: {}),),
    "forgotten create told as not sent": ((CreateMarks, "check_any_left", lambda *_about: False),),
    "job lost with the ledger away": ((PartSender, "_record_end", _write_to_ledger_alone),),
    "removed parts not prepared again": ((LostParts, "prepare_again", lambda *_about: False),),
    "item of another release fails a function": (
        (importer, "report_unreadable_item", _fail_for_an_unreadable_item),
    ),
    "CREATING not written first": ((PartSender, "_create", _create_unannounced),),
    "written without condition": ((MemoryLedger, "_put", _put_part_over),),
    "takeover without epoch": ((importer, "take_lease", _take_lease(0, live=False)),),
    "takeover of a live lease": ((importer, "take_lease", _take_lease(1, live=True)),),
    "decide_after ignored": ((Lease, "decide_after", property(lambda self: 0)),),
    "attempt left out of the signature": ((callback_url, "sign", _sign_without_attempt),),
    "answer about another job believed": ((bigin_port, "verified", lambda job, _job_id: job),),
    "row results of another part taken": ((collect, "check_part", lambda *_about: None),),
    "adoption without proof": ((JobMatcher, "_adopt", _adopt_anything),),
    "signature check skipped": ((functions, "verify", _believe),),
    "content claim skipped": ((claims, "create_if_absent", _without_claim),),
    "closed-check removed": ((import_transitions, "close", _close_unchecked),),
    "own lost-answer write taken for another's": ((MemoryLedger, "_repeat_put", _own_is_anothers),),
    "another's write taken for own": ((SimulatedLedger, "_put", _anothers_is_own),),
    "index trusted without a re-read": ((import_transitions, "postpone", _postponed_unseen),),
    "due_at not moved before work": ((part_transitions, "postpone", _later_unmoved),),
    "open removed before collection": ((part_transitions, "record_outcome", _settled_for_good),),
    "notice after open is gone": ((ImportCloser, "notify", _tell_later),),
    "5xx on create retried": ((PartSender, "_send_create", _create_retried),),
    "create begun after an unknown one": ((PartSender, "_check_may_start", _start_anyway),),
    "hold keeps the turn": ((KeyLocks, "_check_free", _free_when_closed),),
    "claim counts though written over": (
        (KeyHistory, "check_written_over", lambda *_about, **_told: False),
    ),
    "rows that are in sent again": ((Repeats, "decide", lambda *_about, **_named: None),),
    "force ignored": ((Claims, "acquire_force", lambda *_about: None),),
    "dry run sent": ((Importer, "_pin_mapping", _pinned_to_send),),
    "429 taken for unknown": ((PartSender, "_send_create", _busy_is_unknown),),
    "plain insert re-created": ((prepare, "_is_repeatable", lambda plan, part: True),),
    "decision without attempt": ((Decisions, "_decide", _decide_any),),
    "SENT with a part not created": ((Sender, "send", _sent_anyway),),
    "split again on resume": ((Importer, "_send", _split_again),),
    "thread not joined": ((Fibers, "each", _each_unjoined),),
    # Dropping again: versions, mended files, repeats, result files, families, spreadsheets.
    "later version goes first": ((register, "_is_behind", lambda *_about: False),),
    "insert superseded by a later version": ((KeyLocks, "acquire", _acquire(writes_over=True)),),
    "older version written over a later one": ((KeyLocks, "acquire", _acquire(writes_over=False)),),
    "refused upload taken for sent": ((Importer, "_send_parts", _recorded_before_its_upload),),
    "replaced without a mapping and sent": (
        (KeyLocks, "record_unmapped", lambda self, record: None),
    ),
    "overtaken version begins creates": (
        (Sender, "_keep_back_unbegun", lambda self, lease, part: part),
    ),
    "versions that wait not counted": ((KeyLocks, "find_waiting", lambda self, record: ()),),
    "superseded without a word": ((ImportState, "is_quiet", property(_is_quiet)),),
    "mended file taken for another": ((repeats, "MENDED_SHARE", 2.0),),
    "original taken for another than its grown version": (
        (repeats, "is_later_version", lambda *_about: False),
    ),
    "wholly mended file taken for another": (
        (repeats, "_left_rows_out", lambda *_about, **_told: False),
    ),
    "unclear row of a mended file sent again": (
        (FamilyRows, "read_mended", _read_mended_that_is_in),
    ),
    "rows mended in another file sent": ((FamilyRows, "read_mended", lambda *_about: {}),),
    "rows that may be in sent again": ((rows_in, "_row_in", _row_not_in),),
    "some rows in taken for all": ((EarlierRows, "check_kept_rows", lambda *_about: False),),
    "result files not known": ((Preparer, "_decide_rows", lambda *_about: None),),
    "family without a lock": ((Families, "_load_holder_is_done", lambda *_about: True),),
    "file dropped again joins no family": ((Families, "join", lambda self, record, seen: seen),),
    "correction of a correction not known": ((FamilyRows, "read_identities", _read_as_own),),
    "later row with its key not heeded": ((repeats, "find_by_key", lambda *_about: ByKey()),),
    "unclear row sent by a correction": ((Decider, "_may_be_sent", lambda *_about: True),),
    "file that is in by other columns added": ((OtherForms, "reject_if_in", lambda *_about: None),),
    "mended file that is in by other columns added": (
        (OtherForms, "_reject_if_in_by", lambda *_about: None),
    ),
    "held file passed by itself by other columns": (
        (Repeats, "_check_under_way", _check_by_own_columns),
    ),
    "row that is in by another name not told": ((RowsAlsoIn, "find", lambda *_about: ()),),
    "new row below failed ones added twice": ((FamilyRows, "read_new", lambda *_about: {}),),
    "new row below failed ones left out": ((Decider, "_decided", _new_is_in),),
    "spreadsheet's cells sent": ((Healing, "restore", lambda *_about: {}),),
    "closed without what was decided": ((Rows, "_read_decisions", lambda self: iter(())),),
    # Taking back what an import added.
    "undone without the locks": ((UndoLocks, "acquire", lambda *_about: True),),
    "undone rows still count as in": ((conclude, "write_undone", lambda *_about: None),),
    "what was unchanged asked for its own rows": (
        (Claims, "_find_sender", lambda _self, _claim, winner: winner),
    ),
    "rows of another import undone": ((show, "read_kept_rows", _read_as_added),),
    "record found deleted taken for one that is left": (
        (UndoRunner, "_find_not_gone", lambda self, module, refused: refused),
    ),
    "record deleted though people changed it": ((run, "_is_changed_since", lambda *_about: False),),
    "undo that has ended keeps the locks": tuple(
        (reader, "load_undoing", lambda _ledger, lock: lock.undoing)
        for reader in (register, family, rows_in)
    ),
    "undo not looked at again": ((undo, "take_lease", _taken_for_good),),
    "lease of an undo that runs taken": ((undo, "take_lease", _taken_at_once),),
}

_create = BiginServer.create


def _create_twice(self: BiginServer, body: dict[str, Any]) -> dict[str, Any]:
    _create(self, body)
    return _create(self, body)


SABOTAGES: dict[str, tuple[Patch, ...]] = {
    "conditions-ignored": ((MemoryLedger, "_put", _put_over),),
    "create-twice": ((BiginServer, "create", _create_twice),),
    "notices-dropped": ((Account, "_publish", lambda self, notice: None),),
}
