"""
Content claims (deduplication): whether what a drop says is in Bigin already.

A claim says "is in", not "was in once": for update and upsert it counts only while no import sent
since shares a key value with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

from bigin_import.deduplication.earlier_rows import EarlierRows
from bigin_import.deduplication.key_history import KeyHistory
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import JobRequest, Operation
from bigin_import.domain.locks import ContentClaim
from bigin_import.domain.states import ImportState
from bigin_import.ledger import create_if_absent, update
from bigin_import.ports import Ledger
from bigin_import.splitting.content_log import ContentLog


@dataclass(frozen=True, slots=True)
class Content:
    """
    What a drop says and what it asks for.

    Attributes:
        claim: Its name.
        claim_before: Its name in the release before.
    """

    claim: str
    claim_before: str
    request: JobRequest
    log: ContentLog


class Acquired(NamedTuple):
    """
    What came of claiming a content.

    Attributes:
        winner: The import through which all of it is in Bigin, or on its way; None if the claim
            is ours.
        repeats: The import that got only some of its rows in: the others are still to be sent.
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

    def acquire(self, content: Content, import_id: str) -> Acquired:
        """Claim *content* for an import; idempotent."""
        own = ContentClaim(digest=content.claim, import_id=import_id)
        claim, _ = create_if_absent(self.ledger, own)
        held: ContentClaim | None = claim
        if claim.import_id == import_id:
            if claim.repeats is not None:
                return Acquired(repeats=claim.repeats)
            held = self.ledger.load(ContentClaim.at(content.claim_before))
        if held is None:
            return Acquired()
        standing = self._check_standing(held, content)
        if standing is _Standing.ALL:
            is_news = held.told_by in (None, import_id)
            told_by = import_id if is_news else held.told_by
            self._give(claim, held.import_id, repeats=held.repeats, told_by=told_by)
            return Acquired(winner=held.import_id, is_news=is_news)
        repeats = held.import_id if standing is _Standing.SOME else None
        if not self._give(claim, import_id, repeats=repeats):
            return self.acquire(content, import_id)
        return Acquired(repeats=repeats)

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

    def _check_standing(self, claim: ContentClaim, content: Content) -> _Standing:
        winner = self.ledger.load(Import.at(claim.import_id))
        if winner is None:  # it is not remembered as long as its claim
            is_insert = content.request.operation is Operation.INSERT
            return _Standing.ALL if is_insert else _Standing.NONE
        if winner.state.wrote_nothing or self.history.check_written_over(
            winner, content.request, content.log
        ):
            return _Standing.NONE
        is_partial = winner.state is ImportState.COMPLETED_WITH_ERRORS
        if is_partial and self.earlier.check_kept_rows(winner.results or ""):
            return _Standing.SOME
        return _Standing.ALL
