"""Bigin's metadata, remembered for minutes, so that a night of drops asks for it once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from pydantic import TypeAdapter

from bigin_import.domain.job_request import Field
from bigin_import.domain.locks import CachedResponse
from bigin_import.ledger import create_if_absent, update
from bigin_import.ports import Bigin, Clock, Ledger
from bigin_import.validation import hiding_adapter

FIELDS_SECONDS = 10 * 60  # a new field in Bigin is seen by the next night's drop at the latest
ORGANISATION_SECONDS = 24 * 3600  # an organisation's id does not change
# DynamoDB refuses items over 400 KB, and long pick lists come near; a larger answer is asked for
# anew each time.
MOST_BYTES = 300_000


@dataclass(frozen=True, slots=True)
class MetadataCache:
    """Fields of modules and the organisation's id, by way of the ledger."""

    ledger: Ledger
    bigin: Bigin
    clock: Clock

    def get_fields(self, module: str) -> tuple[Field, ...]:
        """
        Return the fields of *module*.

        Raises:
            BiginError: Bigin was asked and did not tell.
        """
        answer = self._recall_or_ask(
            f"FIELDS#{module}",
            lambda: _fields().dump_json(self.bigin.get_fields(module)).decode(),
            FIELDS_SECONDS,
        )
        return _fields().validate_json(answer)

    def get_zgid(self) -> str:
        """
        Return the organisation's id, which every upload names.

        Raises:
            BiginError: Bigin was asked and did not tell.
        """
        return self._recall_or_ask("ORG", self.bigin.get_zgid, ORGANISATION_SECONDS)

    def get_time_zone(self) -> str:
        """
        Return the organisation's time zone, such as "Europe/Berlin"; "" if Bigin names none.

        Raises:
            BiginError: Bigin was asked and did not tell.
        """
        return self._recall_or_ask("TIME_ZONE", self.bigin.get_time_zone, ORGANISATION_SECONDS)

    def _recall_or_ask(self, what: str, ask: Callable[[], str], seconds: int) -> str:
        now = self.clock.now()
        known = self.ledger.load(CachedResponse.at(what))
        if known is not None and known.until > now:
            return known.answer
        answer = ask()
        if len(answer.encode()) <= MOST_BYTES:
            self._remember(CachedResponse(what=what, answer=answer, until=now + seconds))
        return answer

    def _remember(self, fresh: CachedResponse) -> None:
        _, is_new = create_if_absent(self.ledger, fresh)
        if not is_new:
            update(
                self.ledger,
                fresh.address,
                lambda seen: replace(seen, answer=fresh.answer, until=fresh.until),
            )


@cache
def _fields() -> TypeAdapter[tuple[Field, ...]]:
    return hiding_adapter(tuple[Field, ...])  # on first use: made on import, it slows cold starts
