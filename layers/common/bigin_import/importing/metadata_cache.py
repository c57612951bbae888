"""
Bigin's metadata, remembered for minutes, so that a night of drops asks for it once.

What is remembered is of one organisation: the Zoho secret may be made another's at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from pydantic import TypeAdapter

from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import Field
from bigin_import.domain.locks import CachedResponse
from bigin_import.errors import OtherOrganisationError, hiding_adapter
from bigin_import.ledger import create_if_absent, update
from bigin_import.ports import Bigin, Clock, Ledger

FIELDS_SECONDS = 10 * 60  # a new field in Bigin is seen by the next night's drop at the latest
ZONE_SECONDS = 24 * 3600
# DynamoDB refuses items over 400 KB, and long pick lists come near; a larger answer is asked for
# anew each time.
MOST_BYTES = 300_000


@dataclass(frozen=True, slots=True)
class MetadataCache:
    """Fields of modules and the organisation's time zone, by way of the ledger."""

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
            f"FIELDS#{self.get_zgid()}#{module}",
            lambda: fields_adapter().dump_json(self.bigin.get_fields(module)).decode(),
            FIELDS_SECONDS,
        )
        return fields_adapter().validate_json(answer)

    def get_zgid(self) -> str:
        """
        Return the id of the organisation that we are let into now.

        Raises:
            BiginError: Bigin was asked and did not tell.
        """
        return self.bigin.get_zgid()

    def get_time_zone(self) -> str:
        """
        Return the organisation's time zone, such as "Europe/Berlin"; "" if Bigin names none.

        Raises:
            BiginError: Bigin was asked and did not tell.
        """
        what = f"TIME_ZONE#{self.get_zgid()}"
        return self._recall_or_ask(what, self.bigin.get_time_zone, ZONE_SECONDS)

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


def check_organisation(ledger: Ledger, bigin: Bigin, import_id: str) -> None:
    """
    Check, where Bigin refuses to tell of an import's job, that it is asked in the right place.

    Raises:
        OtherOrganisationError: The access token is for another organisation than the import.
        BiginError: Bigin did not say whose it is.
    """
    record = ledger.load(Import.at(import_id))
    if record is None or record.zgid is None:
        return
    found = bigin.get_zgid()
    if found != record.zgid:
        raise OtherOrganisationError(wanted=record.zgid, found=found)


@cache
def fields_adapter() -> TypeAdapter[tuple[Field, ...]]:
    """Return what reads and writes fields as JSON."""
    return hiding_adapter(tuple[Field, ...])  # on first use: made on import, it slows cold starts
