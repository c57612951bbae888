"""
Every change of an import, as a pure function from the import as it stands to what it should be.

An import is a state machine; `EDGES` has its ways. A step returns None where it does not apply
any more, so that late, repeated and crossing events change nothing. Steps of whoever holds the
lease need no such guard: the import is theirs. Times in seconds since the epoch.

An import is ON_HOLD when nothing of it can go on without a person. A part may be HELD while
others go on; people are told of it all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from bigin_import.domain.import_record import Awaited, Import, MappingPin, Totals
from bigin_import.domain.part_record import Part
from bigin_import.domain.row_result import Counts
from bigin_import.domain.states import HoldCause, ImportState, OpenKind, PartState

type Step = Callable[[Import], Import | None]

HOUR_SECONDS = 3600
DAY_SECONDS = 24 * 3600
FIRST_LOOK_SECONDS = 60
NOTIFY_SECONDS = 60  # after the closing; then the tick tells, for whoever closed has died
SUBMITTER_STATES = frozenset(
    {ImportState.WAITING_FOR_MAPPING, ImportState.PREPARING, ImportState.SENDING}
)
REMINDED_STATES = (ImportState.SENDING, ImportState.SENT, ImportState.ON_HOLD)
_CLOSED = frozenset(state for state in ImportState if state.is_closed)
_WITHOUT_JOB = (PartState.STORED, PartState.UPLOADED, PartState.CREATING, PartState.UNKNOWN)

EDGES: Mapping[ImportState, frozenset[ImportState]] = {
    ImportState.WAITING_FOR_MAPPING: frozenset(
        {ImportState.PREPARING, ImportState.FINISHING, ImportState.ON_HOLD}
    ),
    ImportState.PREPARING: frozenset(
        {ImportState.SENDING, ImportState.FINISHING, ImportState.ON_HOLD}
    ),
    # To FINISHING after a hold in which a later version was sent, if nothing of this one was.
    # Back to PREPARING if what was prepared was removed before anything was sent.
    ImportState.SENDING: frozenset(
        {ImportState.SENT, ImportState.FINISHING, ImportState.ON_HOLD, ImportState.PREPARING}
    ),
    # Back to SENDING when a held part is to be created after all.
    ImportState.SENT: frozenset({ImportState.FINISHING, ImportState.SENDING, ImportState.ON_HOLD}),
    ImportState.ON_HOLD: frozenset(
        {
            ImportState.WAITING_FOR_MAPPING,
            ImportState.PREPARING,
            ImportState.SENDING,
            ImportState.FINISHING,
        }
    ),
    ImportState.FINISHING: _CLOSED,
    **dict.fromkeys(_CLOSED, frozenset[ImportState]()),
}

FIRST_STATES = frozenset({ImportState.WAITING_FOR_MAPPING})


# The lease


def take_lease(now: int, until: int) -> Step:
    """A submitter takes over, unless another one's lease still runs."""

    def step(seen: Import) -> Import | None:
        if seen.state not in SUBMITTER_STATES or seen.lease_until > now:
            return None
        return replace(
            seen,
            epoch=seen.epoch + 1,
            lease_until=until,
            due_at=until,
            idle_resumes=seen.idle_resumes + 1,
        )

    return step


def give_lease_back(epoch: int, *, moved: bool) -> Step:
    """The holder with *epoch* is done; unless it *moved* anything, its resume was idle."""

    def step(seen: Import) -> Import | None:
        if seen.epoch != epoch or seen.state.is_closed:
            return None
        idle = 0 if moved else seen.idle_resumes
        return replace(seen, lease_until=0, idle_resumes=idle)

    return step


def leaving(epoch: int, step: Step) -> Step:
    """*step* is the last thing that the holder with *epoch* does: its lease ends with it."""

    def left(seen: Import) -> Import | None:
        changed = step(seen)
        return changed and give_lease_back(epoch, moved=True)(changed)

    return left


# Preparing and sending, under the lease


def pin_mapping(pin: MappingPin) -> Step:
    """This mapping is the one that counts."""
    return lambda seen: replace(seen, mapping=pin)


def begin_preparing(mapping_sha256: str, *, operation: str, dry_run: bool) -> Step:
    """The pinned mapping lies beside the parts, and the lock of the key is this version's."""
    return lambda seen: replace(
        seen,
        state=ImportState.PREPARING,
        pause=None,
        dry_run=dry_run,
        operation=operation,
        mapping_sha256=mapping_sha256,
        open=OpenKind.WORK,
    )


def prepare_again(pinned: Step, now: int) -> Step:
    """What was prepared is gone, and nothing was sent; *pinned* begins with the mapping anew."""

    def step(seen: Import) -> Import | None:
        begun = pinned(seen)
        if begun is None:
            return None
        times = seen.prepared_again + 1
        return replace(begun, plan_sha256=None, totals=None, due_at=now, prepared_again=times)

    return step


def record_plan(plan_sha256: str, *, zgid: str | None, claim: str | None) -> Step:
    """The plan is stored; *claim* is known before it is made, so that it can be released."""
    return lambda seen: replace(seen, plan_sha256=plan_sha256, zgid=zgid, claim=claim)


def join_family(root: str) -> Step:
    """Its rows are those of the family of the import *root*."""
    return lambda seen: None if seen.root == root else replace(seen, root=root)


def wait_for(awaited: Awaited | None) -> Step:
    """It is not planned before another import of its rows has ended."""
    return lambda seen: None if seen.awaited == awaited else replace(seen, awaited=awaited)


def record_planned(
    totals: Totals,
    *,
    module: str,
    operation: str,
    claim: str | None = None,
    verdict: ImportState | None = None,
    winner: str | None = None,
    tells_unchanged: bool = False,
) -> Step:
    """Every part is in the ledger; with a *verdict* none of them is sent."""
    return lambda seen: replace(
        seen,
        state=ImportState.FINISHING if verdict else ImportState.SENDING,
        verdict=verdict,
        winner=winner,
        tells_unchanged=tells_unchanged,
        claim=claim,
        awaited=None,
        totals=totals,
        module=module,
        operation=operation,
    )


def record_organisation(zgid: str) -> Step:
    """It is for the organisation *zgid*: the release before did not write that down."""
    return lambda seen: replace(seen, zgid=seen.zgid or zgid)


def record_compared(now: int) -> Step:
    """The first job is what was asked for."""
    return lambda seen: replace(seen, compared_at=now)


def record_sent(now: int) -> Step:
    """
    Every part has a job, has ended, or waits for a person; without any, it can be closed now.

    Else the tick looks soon: parts that ended before this have asked for the closing in vain, and
    whoever writes this may die, or find the queue away, before asking again.
    """

    def step(seen: Import) -> Import:
        due_at = now if _has_no_parts(seen) else now + FIRST_LOOK_SECONDS
        return replace(seen, state=ImportState.SENT, pause=None, sent_at=now, due_at=due_at)

    return step


def supersede(later: str, now: int, *, was_unmapped: bool) -> Step:
    """Nothing was sent and nothing will be: the import *later* has a later version of the key."""

    def step(seen: Import) -> Import | None:
        concluded = conclude(ImportState.SUPERSEDED, now)(seen)
        return concluded and replace(concluded, winner=later, was_unmapped=was_unmapped)

    return step


def conclude(verdict: ImportState, now: int, *, concerns_mapping: bool = False) -> Step:
    """Nothing was sent and nothing will be."""
    return lambda seen: replace(
        seen,
        state=ImportState.FINISHING,
        verdict=verdict,
        pause=None,
        concerns_mapping=concerns_mapping,
        open=OpenKind.WORK,
        due_at=now,
    )


# Waiting


def look_again(due_at: int, *, pause: str | None = None) -> Step:
    """It waits for a mapping, or with one for what *pause* says."""
    return lambda seen: replace(seen, pause=pause, due_at=due_at)


def pause(name: str, seconds: Callable[[int], int], now: int) -> Step:
    """
    Sending waits for what *name* says.

    Args:
        seconds: How long, by how often in a row it has waited for the same.
    """

    def step(seen: Import) -> Import:
        again = seen.pause == name
        waits = seen.busy_waits if again else 0
        return replace(
            seen,
            pause=name,
            paused_at=seen.paused_at if again else now,
            busy_waits=waits + 1,
            due_at=now + seconds(waits),
        )

    return step


def postpone(now: int, seconds: Callable[[Import], int]) -> Step:
    """It is due again after *seconds*, or when its submitter's lease ends; before the work."""

    def step(seen: Import) -> Import | None:
        if seen.open is None or seen.due_at is None or seen.due_at > now:
            return None
        if seen.lease_until > now:
            return replace(seen, due_at=seen.lease_until)
        is_news = seen.state is ImportState.FINISHING and seen.finishing_at is None
        finishing_at = now if is_news else seen.finishing_at
        return replace(seen, due_at=now + seconds(seen), finishing_at=finishing_at)

    return step


def look_by(due_at: int) -> Step:
    """It is to be looked at by *due_at* at the latest: AWS was away when its turn came."""

    def step(seen: Import) -> Import | None:
        if seen.open is None or seen.due_at is None or seen.due_at <= due_at:
            return None
        return replace(seen, due_at=due_at)

    return step


# Holds


def put_on_hold(cause: HoldCause, reason: str, now: int) -> Step:
    """A person must decide; it is due at once, so that people are told."""
    return lambda seen: replace(
        seen,
        state=ImportState.ON_HOLD,
        open=OpenKind.WORK,
        pause=None,
        hold_cause=cause,
        hold_reason=reason,
        held_from=seen.state,
        held_at=now,
        contradiction=reason if cause is HoldCause.CONTRADICTION else seen.contradiction,
        due_at=now,
    )


def release(seen: Import, state: ImportState, now: int) -> Import:
    """Let an import go on in *state*, at once, as if it had not been held."""
    return replace(
        seen,
        state=state,
        hold_cause=None,
        hold_reason=None,
        held_from=None,
        held_at=None,
        parts_ended=0,
        refused_decision=None,
        reminded_at=None,
        idle_resumes=0,
        open=OpenKind.WORK,
        due_at=now,
    )


def continue_hold(held_at: int, now: int) -> Step:
    """A person lets an import go on that is on hold since *held_at*."""

    def step(seen: Import) -> Import | None:
        if seen.state is not ImportState.ON_HOLD or seen.held_at != held_at:
            return None
        begun = (ImportState.WAITING_FOR_MAPPING, ImportState.PREPARING)
        before = seen.held_from if seen.held_from in begun else ImportState.SENDING
        released = release(seen, before, now)
        if seen.hold_cause is not HoldCause.CONTRADICTION:
            return released
        # Whoever goes on after a contradiction has compared the job with what was sent.
        return replace(released, compared_at=now, contradiction=None)

    return step


def send_again(now: int) -> Step:
    """A held part is to be created after all."""

    def step(seen: Import) -> Import | None:
        is_held = seen.state is ImportState.ON_HOLD and seen.hold_cause is HoldCause.PART
        if not is_held and seen.state is not ImportState.SENT:
            return None
        return release(seen, ImportState.SENDING, now)

    return step


def record_refused_decision(reason: str) -> Step:
    """A person's decision was not carried out; people are told at once, and why."""

    def step(seen: Import) -> Import | None:
        if seen.state.is_closed:
            return None
        return replace(seen, refused_decision=reason, reminded_at=None)

    return step


def record_reminded(now: int) -> Step:
    """People were told of a hold, or of a held part."""

    def step(seen: Import) -> Import | None:
        if seen.state not in REMINDED_STATES:
            return None
        is_on_hold = seen.state is ImportState.ON_HOLD
        due_at = now + DAY_SECONDS if is_on_hold else seen.due_at
        return replace(seen, reminded_at=now, due_at=due_at)

    return step


def record_waiting_notice(now: int) -> Step:
    """People were told that no mapping has come."""

    def step(seen: Import) -> Import | None:
        if seen.state is not ImportState.WAITING_FOR_MAPPING:
            return None
        return replace(seen, reminded_at=now)

    return step


def fail_unprepared(now: int) -> Step:
    """Nobody decided about a hold from before there was a plan."""

    def step(seen: Import) -> Import | None:
        if seen.state is not ImportState.ON_HOLD:
            return None
        return replace(
            seen,
            state=ImportState.FINISHING,
            verdict=ImportState.FAILED,
            hold_reason=None,
            due_at=now,
        )

    return step


# The end


def follow_parts(parts: Iterable[Part], now: int) -> Step:
    """
    What became of the *parts* decides about an import that was sent or is on hold.

    Its end, if all of them have ended; SENDING, if some may be sent; a hold, if nothing but
    held ones are left.
    """
    parts = tuple(parts)

    def step(seen: Import) -> Import | None:
        if seen.state not in (ImportState.SENT, ImportState.ON_HOLD):
            return None
        if (parts or _has_no_parts(seen)) and all(part.state.is_final for part in parts):
            return release(seen, ImportState.FINISHING, now)
        if _may_go_on(seen, parts):
            return release(seen, ImportState.SENDING, now)
        if _is_stuck(seen, parts):
            reason = told_as_held(seen, parts).hold_reason or ""
            return put_on_hold(HoldCause.PART, reason, now)(seen)
        return None

    return step


def _has_no_parts(seen: Import) -> bool:
    """Return whether none of its rows was to be sent, though not all are in Bigin."""
    return seen.totals is not None and seen.totals.parts == 0


def record_parts_ended(number: int) -> Step:
    """
    Parts 1 to *number* have ended, or wait for a person.

    Whoever looks next begins behind them, so that all parts together are looked at once.
    """

    def step(seen: Import) -> Import | None:
        is_over = seen.state not in (ImportState.SENT, ImportState.ON_HOLD)
        if is_over or seen.parts_ended >= number:
            return None
        return replace(seen, parts_ended=number)

    return step


def close(state: ImportState, counts: Counts, *, disagree: bool, now: int) -> Step:
    """The results are written; it is due until people are told."""

    def step(seen: Import) -> Import | None:
        if seen.state is not ImportState.FINISHING:
            return None
        return replace(
            seen,
            state=state,
            counts=counts,
            counts_disagree=disagree,
            closed_at=now,
            open=OpenKind.WORK,
            due_at=now + NOTIFY_SECONDS,
        )

    return step


def record_noticed(now: int, expires_at: int) -> Step:
    """Everything is said and done: out of the index, and later out of the table."""
    return lambda seen: replace(seen, open=None, due_at=None, noticed_at=now, expires_at=expires_at)


# What a hold is told as


def told_as_held(seen: Import, parts: Iterable[Part]) -> Import:
    """Return *seen* as it is told to people: on hold because of its held parts."""
    numbers = ", ".join(str(part.number) for part in held_parts(parts))
    reason = f"Bigin never said whether it made the job of part {numbers}; look there first"
    if seen.refused_decision:
        reason += f". The last decision was not carried out: {seen.refused_decision}"
    state = ImportState.ON_HOLD
    return replace(seen, state=state, hold_cause=HoldCause.PART, hold_reason=reason)


def held_parts(parts: Iterable[Part]) -> list[Part]:
    """Return the parts that wait for a person."""
    return [part for part in parts if part.state is PartState.HELD]


def held_since(record: Import, parts: Iterable[Part]) -> int | None:
    """Return when the latest thing was held that people are to be told of; None without any."""
    moments = [part.held_at or 0 for part in held_parts(parts)]
    if record.state is ImportState.ON_HOLD and record.hold_cause is not HoldCause.PART:
        moments.append(record.held_at or 0)
    return max(moments, default=None)


def _may_go_on(seen: Import, parts: tuple[Part, ...]) -> bool:
    """
    Return whether an import that is not being sent waits for nobody and has parts to send.

    A person, a late callback or a deadline has then ended what a part was held for, and whoever
    wrote that down died, or knew nothing of the import.
    """
    if seen.state is ImportState.ON_HOLD:
        return seen.hold_cause is HoldCause.PART and not held_parts(parts)
    return seen.state is ImportState.SENT and any(part.state in _WITHOUT_JOB for part in parts)


def _is_stuck(seen: Import, parts: tuple[Part, ...]) -> bool:
    """Return whether a person must decide before anything else can happen to a SENT import."""
    ended = all(part.state.is_final or part.state is PartState.HELD for part in parts)
    return seen.state is ImportState.SENT and ended and bool(held_parts(parts))


def forget_names(seen: Import) -> Import | None:
    """
    Nothing is kept any more that tells what a closed import was about.

    Its id, state and counts stay: with its claim they keep the same content from going in twice.
    """
    if not seen.state.is_closed or seen.open is not None:
        return None
    return replace(
        seen,
        source=replace(seen.source, key=""),
        mapping=None,
        results=None,
        hold_reason=None,
        contradiction=None,
    )
