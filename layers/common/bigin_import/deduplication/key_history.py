"""
Which key values the latest imports into each module had: whether what one of them wrote still
stands, or a later one may have written over it.

What is not known counts as written over: then the same content is sent once more, and finds the
records that it made. The history is bounded, so a claim on content never has to be searched for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import batched

from bigin_import import identity, object_keys
from bigin_import.domain.history import ModuleHistory, SentDrop
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import JobRequest, Operation
from bigin_import.domain.locks import KeyLock
from bigin_import.errors import MissingObjectError
from bigin_import.ledger import create_if_absent, update
from bigin_import.ports import Clock, Files, Ledger
from bigin_import.splitting.content_log import KEY_HASH_BYTES, ContentLog
from bigin_import.splitting.hash_ranges import shares_a_hash

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

    def _store_keys(self, record: Import, request: JobRequest, log: ContentLog) -> str | None:
        if not log.has_keys or request.find_by is None:
            return None
        key = object_keys.keys_file(record.results or "")
        with self.files.open_writer(key, content_type="application/octet-stream") as file:
            for chunk in batched(_hashes(log), _CHUNK_KEYS, strict=False):
                file.write(b"".join(chunk))
        return key

    def check_written_over(self, earlier: Import, request: JobRequest, log: ContentLog) -> bool:
        """
        Return whether an import may have changed since what *earlier* wrote.

        Args:
            log: Of the same content, so its keys are those of *earlier*.
        """
        if request.operation is Operation.INSERT:
            return False  # what is added is not changed by other rows
        history = self.ledger.load(ModuleHistory.at(request.module))
        history = history or ModuleHistory(module=request.module)
        if not log.has_keys or self._check_unknown(earlier, history):
            return True
        return any(
            self._check_shares_keys(sent, request, log)
            for sent in self._find_later(earlier, history)
            if not self._check_wrote_nothing(sent)
        )

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

    def _check_wrote_nothing(self, sent: SentDrop) -> bool:
        record = self.ledger.load(Import.at(sent.import_id))
        return record is not None and record.state.wrote_nothing

    def _check_shares_keys(self, sent: SentDrop, request: JobRequest, log: ContentLog) -> bool:
        if sent.keys is None or sent.find_by != request.find_by:
            return True
        try:
            theirs = self.files.read(sent.keys, at_most=MOST_KEY_BYTES)
        except MissingObjectError:
            return True
        hashes = (theirs[at : at + KEY_HASH_BYTES] for at in range(0, len(theirs), KEY_HASH_BYTES))
        return shares_a_hash(_hashes(log), hashes, KEY_HASH_BYTES)


def _hashes(log: ContentLog) -> Iterator[bytes]:
    return (key for key, _ in log.keyed_rows())
