"""
Content claims (deduplication): whether what a drop says is in Bigin already.

A claim says "is in", not "was in once": for update and upsert it counts only while no import sent
since shares a key value with it. For that the latest imports into each module have their key
values remembered. What is not known counts as written over: then the same content is sent once
more, and finds the records that it made. The history is bounded, so a claim on content never has
to be searched for.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from itertools import batched
from typing import NamedTuple

from bigin_import import identity, object_keys
from bigin_import.deduplication.earlier_rows import stated
from bigin_import.deduplication.rows_in import EarlierRows
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import FieldMapping, JobRequest, Operation
from bigin_import.domain.locks import (
    ContentClaim,
    Family,
    KeyLock,
    ModuleHistory,
    SentDrop,
    members_of,
)
from bigin_import.domain.plan import ColumnPlan, Plan, PlannedColumn, ValueRule
from bigin_import.domain.states import ImportState
from bigin_import.errors import MissingObjectError
from bigin_import.identity import digest_of
from bigin_import.ledger import create_if_absent, update
from bigin_import.mapping.keys import RULE_KEYS
from bigin_import.mapping.model import MappedField, Mapping
from bigin_import.ports import Clock, Files, Ledger
from bigin_import.splitting.content_log import KEY_HASH_BYTES, ContentLog, shares_a_hash

MOST_REMEMBERED = 50
_CHUNK_KEYS = 8_192
MOST_KEY_BYTES = 200_000_000  # of 25 million keys; a drop has at most half of that


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHistory:
    """Remembers and compares the key values of imports, module by module."""

    ledger: Ledger
    files: Files
    clock: Clock

    def record(self, record: Import, request: JobRequest, log: ContentLog) -> None:
        """Remember an import before anything of it is sent; idempotent."""
        sent = SentDrop(
            import_id=record.import_id,
            at=self.clock.now(),
            find_by=request.find_by,
            keys=self._store_keys(record, request, log),
        )

        def step(seen: ModuleHistory) -> ModuleHistory | None:
            if any(each.import_id == sent.import_id for each in seen.sent):
                return None
            forgot = seen.forgot or len(seen.sent) >= MOST_REMEMBERED
            return replace(seen, sent=(*seen.sent, sent)[-MOST_REMEMBERED:], forgot=forgot)

        address = ModuleHistory.at(request.module)
        if update(self.ledger, address, step)[0] is None:
            fresh = ModuleHistory(module=request.module, sent=(sent,))
            if not create_if_absent(self.ledger, fresh)[1]:
                update(self.ledger, address, step)

    def record_undone(self, record: Import, at: int) -> None:
        """
        Remember that records were deleted which others may have written since; idempotent.

        Args:
            at: Tells it from the import itself, in seconds since the epoch.
        """

        def step(seen: ModuleHistory) -> ModuleHistory | None:
            own = [each for each in seen.sent if each.import_id == record.import_id]
            if any(each.at == at for each in own):
                return None
            undone = replace(own[0], at=at) if own else SentDrop(import_id=record.import_id, at=at)
            forgot = seen.forgot or len(seen.sent) >= MOST_REMEMBERED
            return replace(seen, sent=(*seen.sent, undone)[-MOST_REMEMBERED:], forgot=forgot)

        update(self.ledger, ModuleHistory.at(record.module or ""), step)

    def _store_keys(self, record: Import, request: JobRequest, log: ContentLog) -> str | None:
        if not log.has_keys or request.find_by is None:
            return None
        key = object_keys.keys_file(record.results or "")
        with self.files.open_writer(key, content_type="application/octet-stream") as file:
            for chunk in batched(_hashes(log), _CHUNK_KEYS, strict=False):
                file.write(b"".join(chunk))
        return key

    def check_written_over(
        self,
        earlier: Import,
        request: JobRequest,
        log: ContentLog,
        *,
        but_by: Container[str] = (),
    ) -> bool:
        """
        Return whether an import may have changed since what *earlier* wrote.

        Args:
            log: Of the same content, so its keys are those of *earlier*.
            but_by: Imports that do not count.
        """
        if request.operation is Operation.INSERT:
            return False  # what is added is not changed by other rows
        history = self.ledger.load(ModuleHistory.at(request.module))
        history = history or ModuleHistory(module=request.module)
        if not log.has_keys or self._check_unknown(earlier, history):
            return True
        return any(
            self._check_shares_keys(sent, request, _hashes(log))
            for sent in self._find_later(earlier, history)
            if sent.import_id not in but_by and self._check_may_have_written(sent, earlier)
        )

    def check_rows_written_over(
        self, request: JobRequest, earlier: Import, but_by: Container[str]
    ) -> bool:
        """
        Return whether an import since *earlier* may have changed a row that it wrote.

        Args:
            request: Of rows that *earlier* got in, and that are dropped again.
            but_by: Imports that do not count.
        """
        history = self.ledger.load(ModuleHistory.at(request.module))
        history = history or ModuleHistory(module=request.module)
        if self._check_unknown(earlier, history):
            return True
        return any(
            self._check_shares_keys(sent, request, self._read_keys(earlier))
            for sent in self._find_later(earlier, history)
            if sent.import_id not in but_by and self._check_may_have_written(sent, earlier)
        )

    def read_keys_of(self, import_id: str, request: JobRequest) -> Iterator[bytes] | None:
        """
        Return the hashes of the keys that an import has written, or may have.

        None if they are not known, or if it found its records by another field.
        """
        record = self.ledger.load(Import.at(import_id))
        if record is not None and (not record.state.is_closed or _wrote_nothing(record)):
            return iter(())
        history = self.ledger.load(ModuleHistory.at(request.module))
        sent = [each for each in history.sent if each.import_id == import_id] if history else []
        if record is None or not sent or sent[0].find_by != request.find_by:
            return None
        return self._read_keys(record)

    def _check_unknown(self, earlier: Import, history: ModuleHistory) -> bool:
        """Return whether the imports since *earlier* are not all in *history*."""
        if any(sent.import_id == earlier.import_id for sent in history.sent):
            return False
        if history.forgot:
            return True
        # Of the release before: it wrote down at least which version of a key was sent last.
        lock = self.ledger.load(KeyLock.at(identity.place_of(earlier.source)))
        return lock is not None and lock.last_sequencer not in ("", earlier.source.sequencer)

    def _find_later(self, earlier: Import, history: ModuleHistory) -> Iterator[SentDrop]:
        """Yield what was planned after *earlier*, and what was before and still went on then."""
        ids = [sent.import_id for sent in history.sent]
        if earlier.import_id not in ids:
            yield from history.sent
            return
        at = ids.index(earlier.import_id)
        planned_at = history.sent[at].at
        for sent in history.sent[:at]:
            before = self.ledger.load(Import.at(sent.import_id))
            if before is not None and (before.closed_at is None or before.closed_at >= planned_at):
                yield sent
        yield from history.sent[at + 1 :]

    def _check_may_have_written(self, sent: SentDrop, earlier: Import) -> bool:
        """Return whether *sent* may have written where *earlier* did: in its organisation."""
        record = self.ledger.load(Import.at(sent.import_id))
        if record is None:
            return True
        return record.is_for(earlier.zgid) and not record.state.wrote_nothing

    def _check_shares_keys(
        self, sent: SentDrop, request: JobRequest, ours: Iterator[bytes] | None
    ) -> bool:
        if sent.keys is None or sent.find_by != request.find_by:
            return True
        theirs = self._read_hashes(sent.keys)
        return ours is None or theirs is None or shares_a_hash(ours, theirs, KEY_HASH_BYTES)

    def _read_keys(self, record: Import) -> Iterator[bytes] | None:
        """Return the hashes of the keys of an import; None if they are not known."""
        return self._read_hashes(object_keys.keys_file(record.results)) if record.results else None

    def _read_hashes(self, key: str) -> Iterator[bytes] | None:
        try:
            body = self.files.read(key, at_most=MOST_KEY_BYTES)
        except MissingObjectError:
            return None
        return (body[at : at + KEY_HASH_BYTES] for at in range(0, len(body), KEY_HASH_BYTES))


def _hashes(log: ContentLog) -> Iterator[bytes]:
    return (key for key, _ in log.keyed_rows())


@dataclass(frozen=True, slots=True)
class Content:
    """
    What a drop says and what it asks for.

    Attributes:
        claim: Its name.
        claims_before: Its names in earlier releases, the latest first; they say no organisation.
        forced_before: Its names in earlier releases if it is to be repeated; else none.
        zgid: The organisation that it goes to: what is in one is not in another.
    """

    claim: str
    claims_before: tuple[str, ...]
    forced_before: tuple[str, ...]
    zgid: str | None
    request: JobRequest
    log: ContentLog


class Acquired(NamedTuple):
    """
    What came of claiming a content.

    Attributes:
        winner: The import through which all of it is in Bigin, or on its way; None if the claim
            is ours.
        repeats: The import that sent it, where rows may not be in, or not any more: its kept rows
            tell which are still to be sent.
        is_news: It is the first time that there is a winner.
    """

    winner: str | None = None
    repeats: str | None = None
    is_news: bool = False


class _Standing(Enum):
    """What an import did with a content that it has claimed."""

    ALL = "all of it is in Bigin, or nobody knows better"
    SOME = "only some of its rows are"
    NONE = "nothing of it is, or it may have been written over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Claims contents for imports, each for one at a time."""

    ledger: Ledger
    history: KeyHistory
    earlier: EarlierRows

    def acquire_force(self, content: Content, record: Import, force: str | None) -> str | None:
        """
        Return the import that *force* counts for; None without it. Idempotent.

        Of the files that are called alike it is the first, and another one after an import that
        wrote nothing.
        """
        if force is None:
            return None
        digest, own = force_of(record.source, force), record.import_id
        held = self.ledger.load(ContentClaim.at(digest))
        if held is None:
            user = self._find_forced_before(content) or own
            if user != own:
                self.take_over(content, user)
            held, _ = create_if_absent(self.ledger, ContentClaim(digest=digest, import_id=user))
        if held.import_id != own and self._check_wrote_nothing(held.import_id):
            if not self._give(held, own, repeats=None):
                return self.acquire_force(content, record, force)
            return own
        return held.import_id

    def _find_forced_before(self, content: Content) -> str | None:
        """Return the import that has repeated *content* by an earlier release."""
        for name in content.forced_before:
            held = self.ledger.load(ContentClaim.at(name))
            if held is not None and not self._check_wrote_nothing(held.import_id):
                return held.import_id
        return None

    def _check_wrote_nothing(self, import_id: str) -> bool:
        record = self.ledger.load(Import.at(import_id))
        return record is not None and record.state.wrote_nothing

    def take_over(self, content: Content, import_id: str) -> None:
        """
        Claim *content* for an import, whoever has it: he has it again if that writes nothing.

        Idempotent.
        """
        own = ContentClaim(digest=content.claim, import_id=import_id)
        claim, _ = create_if_absent(self.ledger, own)
        held: ContentClaim | None = claim
        if claim.import_id == import_id:
            held = self._find_before(content) if claim.repeats is None else None
        if held is None:
            return
        standing, sender = self._check_standing(held, content)
        before = None if standing is _Standing.NONE else sender or held.import_id
        if not self._give(claim, import_id, repeats=before):
            self.take_over(content, import_id)

    def acquire(self, content: Content, import_id: str) -> Acquired:
        """Claim *content* for an import; idempotent."""
        own = ContentClaim(digest=content.claim, import_id=import_id)
        claim, _ = create_if_absent(self.ledger, own)
        held: ContentClaim | None = claim
        if claim.import_id == import_id:
            if claim.repeats is not None:
                return Acquired(repeats=claim.repeats)
            held = self._find_before(content)
        if held is None:
            return Acquired()
        standing, sender = self._check_standing(held, content)
        if standing is _Standing.ALL:
            is_news = held.told_by in (None, import_id)
            told_by = import_id if is_news else held.told_by
            self._give(claim, held.import_id, repeats=held.repeats, told_by=told_by)
            return Acquired(winner=held.import_id, is_news=is_news)
        repeats = sender if standing is _Standing.SOME else None
        if not self._give(claim, import_id, repeats=repeats):
            return self.acquire(content, import_id)
        return Acquired(repeats=repeats)

    def _find_before(self, content: Content) -> ContentClaim | None:
        """Return what an earlier release claimed, unless that is known to be elsewhere."""
        others = (name for name in content.claims_before if name != content.claim)
        for name in others:
            held = self.ledger.load(ContentClaim.at(name))
            holder = self.ledger.load(Import.at(held.import_id)) if held else None
            if held is not None and (holder is None or holder.is_for(content.zgid)):
                return held
        return None

    def _give(
        self,
        claim: ContentClaim,
        import_id: str,
        *,
        repeats: str | None,
        told_by: str | None = None,
    ) -> bool:
        """Return whether the import has the claim now; it may have been given away meanwhile."""

        def step(seen: ContentClaim) -> ContentClaim | None:
            wanted = replace(seen, import_id=import_id, repeats=repeats, told_by=told_by)
            return wanted if seen.import_id == claim.import_id and wanted != seen else None

        given, _ = update(self.ledger, claim.address, step)
        return given is not None and given.import_id == import_id

    def _check_standing(
        self, claim: ContentClaim, content: Content
    ) -> tuple[_Standing, str | None]:
        """Return how far a content is in, and the import that sent it."""
        winner = self.ledger.load(Import.at(claim.import_id))
        sender = self._find_sender(claim, winner)
        is_insert = content.request.operation is Operation.INSERT
        if winner is None or sender is None:  # it is not remembered as long as its claim
            return (_Standing.ALL if is_insert else _Standing.NONE), None
        families = self.earlier.load_families(winner.import_id)
        relatives = frozenset(members_of(families))
        if sender.state.wrote_nothing or self.history.check_written_over(
            sender, content.request, content.log, but_by=relatives
        ):
            return _Standing.NONE, sender.import_id
        # Its corrections were for rows that it had not got in; those that wrote over others are
        # found row by row.
        is_corrected = not is_insert and any(_members_since(winner, each) for each in families)
        is_undone = any(family.undone for family in families)
        is_partly_in = winner.state is ImportState.COMPLETED_WITH_ERRORS or is_undone
        is_kept = self.earlier.check_kept_rows(sender.results or "")
        may_lack_rows = is_kept and (is_corrected or is_partly_in)
        return (_Standing.SOME if may_lack_rows else _Standing.ALL), sender.import_id

    def _find_sender(self, claim: ContentClaim, winner: Import | None) -> Import | None:
        """Return the import that sent a content; what was unchanged has sent nothing itself."""
        if winner is None or not _was_unchanged(winner):
            return winner
        return self.ledger.load(Import.at(claim.repeats or winner.winner or ""))


def _was_unchanged(record: Import) -> bool:
    return ImportState.UNCHANGED in (record.state, record.verdict)


def _wrote_nothing(record: Import) -> bool:
    """Return whether no row of a closed import was sent, or Bigin has refused each that was."""
    counts = record.counts
    if counts is None:
        return record.state.wrote_nothing or _was_unchanged(record)
    return not (counts.added or counts.updated or counts.unclear)


def _members_since(winner: Import, family: Family) -> tuple[str, ...]:
    """Return who may have written over what *winner* says is in: members run one by one."""
    is_member = _was_unchanged(winner) and winner.import_id in family.members
    since = family.members.index(winner.import_id) + 1 if is_member else 0
    return family.members[since:]


def content_of(record: Import, mapping: Mapping, plan: Plan, log: ContentLog) -> Content:
    """Return what a drop says and asks for, by all the names that releases have given to it."""
    request = plan.columns.request
    rules = rules_of(mapping, [field.api_name for field in request.field_mappings])
    now = partial(claim_of, record.source, log.sha256, rules, parent=plan.parent)
    of_bytes = partial(
        claim_of_release_before,
        *(record.source, plan.cut.content_sha256, plan.columns),
        parent=plan.parent,
    )

    def names(force: str | None) -> tuple[str, ...]:
        own, unplaced = now(force=force, zgid=record.zgid), now(force=force, zgid=None)
        return own, unplaced, of_bytes(force=force)

    claim, *before = names(None)
    return Content(
        claim=claim,
        claims_before=tuple(before),
        forced_before=names(mapping.force) if mapping.force else (),
        zgid=record.zgid,
        request=request,
        log=log,
    )


def force_of(source: ObjectVersion, force: str) -> str:
    """Name the leave to repeat the import *force* with files that are called like *source*."""
    return digest_of("force", force, identity.file_name_of(source))


def claim_of(
    source: ObjectVersion,
    cells_sha256: str,
    rules: str,
    *,
    parent: str,
    force: str | None,
    zgid: str | None,
) -> str:
    """
    Name what the mapped cells of *source* say, together with what the mapping makes of them.

    Args:
        cells_sha256: Of `ContentLog`.
        rules: See `rules_of`.
        parent: The import whose rows it corrects: these are the same rows under whatever key.
        zgid: The organisation that they go to; None as a release before named it, without one.
    """
    place = parent or source.key
    organisation = () if zgid is None else (zgid,)
    return digest_of(source.bucket, place, cells_sha256, rules, force or "", *organisation)


def claim_of_release_before(
    source: ObjectVersion, content_sha256: str, plan: ColumnPlan, *, parent: str, force: str | None
) -> str:
    """Name the same work as an earlier release did, by the bytes of the drop: it still counts."""
    mapping = normalised_mapping(plan)
    return digest_of(source.bucket, parent or source.key, content_sha256, mapping, force or "")


def rules_of(mapping: Mapping, api_names: Iterable[str]) -> str:
    """
    Return canonical JSON of what *mapping* makes of mapped cells: part of the content claim.

    Nothing that stands at its default is in it, so that a key which is added later makes no other
    work of files that were imported before there was one; nor is anything that Bigin's metadata
    say. `ignore_empty` counts where records that exist are changed: dropping a file again to
    erase with it is other work.

    Args:
        api_names: Of all fields that are filled.
    """
    stated = {field.api_name.casefold(): field for field in mapping.fields}
    names = sorted(name.casefold() for name in api_names)
    work: dict[str, object] = {
        "module": mapping.module,
        "operation": mapping.operation,
        "fields": {name: _stated_of(stated.get(name)) for name in names},
    }
    if mapping.find_by is not None:
        work["find_by"] = mapping.find_by.casefold()
    if not mapping.ignore_empty and mapping.operation is not Operation.INSERT:
        work["ignore_empty"] = False
    return json.dumps(work, sort_keys=True, separators=(",", ":"))


def _stated_of(field: MappedField | None) -> dict[str, object]:
    """Return what is stated of a field, but for the column that fills it."""
    if field is None:
        return {}
    plain = {"default_value": field.default_value, "find_by": field.find_by}
    return dict(stated(field.rule)) | {
        name: value for name, value in plain.items() if value is not None
    }


def normalised_mapping(plan: ColumnPlan) -> str:
    """
    Return canonical JSON of what *plan* does with a given content, as the release before did.

    It does not depend on the order of the mapping, on whether columns were named or counted,
    or on whether Bigin's metadata could be had. `ignore_empty` counts where records that exist
    are changed: dropping a file again to erase with it is other work.
    """
    request = plan.request
    columns = {column.api_name: column for column in plan.columns}
    work = {
        "module": request.module,
        "operation": request.operation,
        "find_by": request.find_by,
        "ignore_empty": request.ignore_empty or request.operation is Operation.INSERT,
        "fields": sorted(
            (_field(field, columns.get(field.api_name)) for field in request.field_mappings),
            key=lambda field: str(field["api_name"]),
        ),
    }
    return json.dumps(work, sort_keys=True, separators=(",", ":"))


def _field(field: FieldMapping, column: PlannedColumn | None) -> dict[str, object]:
    rule = column.rule if column else None
    return {
        "api_name": field.api_name,
        "source": column.source if column else None,
        "default_value": field.default_value,
        "find_by": field.find_by,
        "rule": dict(_stated(rule)) if rule and _is_work(rule) else {"values": []},
    }


def _is_work(rule: ValueRule) -> bool:
    return any(key.is_claimed and getattr(rule, key.place) != key.default for key in RULE_KEYS)


def _stated(rule: ValueRule) -> Iterator[tuple[str, object]]:
    """
    Yield what a person asked for.

    What stands at its default is left out but for the keys of the first releases: a key that is
    added later must not make other work of files that were imported before there was one.
    """
    for key in RULE_KEYS:
        value = getattr(rule, key.place)
        if key.is_always_claimed or (key.is_claimed and value != key.default):
            yield key.place, sorted(value) if key.is_dict else value
