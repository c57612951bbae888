"""Bigin's metadata, remembered for minutes, so that a night of drops asks for it once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from pydantic import TypeAdapter

from bigin_import.changes import added, change
from bigin_import.models import Field
from bigin_import.ports import Bigin, Clock, Ledger
from bigin_import.records import Remembered

FIELDS_SECONDS = 10 * 60  # a new field in Bigin is seen by the next night's drop at the latest
ORGANISATION_SECONDS = 24 * 3600  # an organisation's id does not change
# DynamoDB refuses items over 400 KB, and long pick lists come near; a larger answer is asked for
# anew each time.
MOST_BYTES = 300_000


@dataclass(frozen=True, slots=True)
class Metadata:
    """Fields of modules and the organisation's id, by way of the ledger."""

    ledger: Ledger
    bigin: Bigin
    clock: Clock

    def fields(self, module: str) -> tuple[Field, ...]:
        """
        Return the fields of *module*.

        Raises:
            BiginError: Bigin was asked and did not tell.
        """
        answer = self._remembered(
            f"FIELDS#{module}",
            lambda: _fields().dump_json(self.bigin.fields(module)).decode(),
            FIELDS_SECONDS,
        )
        return _fields().validate_json(answer)

    def zgid(self) -> str:
        """
        Return the organisation's id, which every upload names.

        Raises:
            BiginError: Bigin was asked and did not tell.
        """
        return self._remembered("ORG", self.bigin.zgid, ORGANISATION_SECONDS)

    def _remembered(self, what: str, ask: Callable[[], str], seconds: int) -> str:
        now = self.clock.now()
        known = self.ledger.load(Remembered.at(what))
        if known is not None and known.until > now:
            return known.answer
        answer = ask()
        if len(answer.encode()) <= MOST_BYTES:
            self._remember(Remembered(what=what, answer=answer, until=now + seconds))
        return answer

    def _remember(self, fresh: Remembered) -> None:
        _, is_new = added(self.ledger, fresh)
        if not is_new:
            change(
                self.ledger,
                fresh.address,
                lambda seen: replace(seen, answer=fresh.answer, until=fresh.until),
            )


@cache
def _fields() -> TypeAdapter[tuple[Field, ...]]:
    return TypeAdapter(tuple[Field, ...])  # on first use: made on import, it slows cold starts
