"""
Content claims (deduplication): whether what a drop says is in Bigin already.

A claim says "is in", not "was in once": for update and upsert it counts only while no import sent
since shares a key value with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import JobRequest, Operation
from bigin_import.domain.locks import ContentClaim
from bigin_import.importing.key_history import KeyHistory
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Claims contents for imports, each for one at a time."""

    ledger: Ledger
    history: KeyHistory

    def acquire(self, content: Content, import_id: str) -> str | None:
        """
        Claim *content* for an import; idempotent.

        Returns:
            The import through which all of it is in Bigin, or on its way; None if the claim is
            ours.
        """
        own = ContentClaim(digest=content.claim, import_id=import_id)
        claim, _ = create_if_absent(self.ledger, own)
        if claim.import_id == import_id:
            return self._take_over_release_before(claim, content)
        if self._check_standing(claim, content):
            return claim.import_id
        self._give(claim, import_id)
        return self.acquire(content, import_id)

    def _take_over_release_before(self, own: ContentClaim, content: Content) -> str | None:
        """Let a claim of the release before go on under its new name, if it still counts."""
        before = self.ledger.load(ContentClaim.at(content.claim_before))
        if before is None or not self._check_standing(before, content):
            return None
        self._give(own, before.import_id)
        return before.import_id

    def _give(self, claim: ContentClaim, import_id: str) -> None:
        """Give a claim to another import, unless it was given away meanwhile, or is gone."""

        def step(seen: ContentClaim) -> ContentClaim | None:
            is_as_read = seen.import_id == claim.import_id
            return replace(seen, import_id=import_id) if is_as_read else None

        update(self.ledger, claim.address, step)

    def _check_standing(self, claim: ContentClaim, content: Content) -> bool:
        winner = self.ledger.load(Import.at(claim.import_id))
        if winner is None:  # it is not remembered as long as its claim
            return content.request.operation is Operation.INSERT
        if winner.state.wrote_nothing:
            return False
        return not self.history.check_written_over(winner, content.request, content.log)
