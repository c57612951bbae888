"""
Use case: Zoho does not let us in -> one notice, and the imports go on once the secret is corrected.

A refusal is remembered, so that a wrong secret does not use up the refreshes that Zoho allows.
What it was refused with is remembered too: the tick compares that with the secret as it is now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bigin_import.domain import import_transitions, listing, part_transitions
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import LastNotice, SharedToken
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import OpenKind
from bigin_import.importing.pauses import Pause
from bigin_import.ledger import create_if_absent, update
from bigin_import.ports import Clock, Ledger, Notices, Telemetry, ZohoSecret
from bigin_import.report.notice import compose_waiting_for_zoho

WHAT = "WAITING_FOR_ZOHO"
DAY_SECONDS = 24 * 3600
MOST_WOKEN = 1_200
LONGEST_PAUSE_SECONDS = 3600
_WAIT_FOR_A_SECRET = frozenset({Pause.ACCESS.name, Pause.ORGANISATION.name})


@dataclass(frozen=True, slots=True, kw_only=True)
class ZohoAccess:
    """
    Follows up what the functions remember of Zoho's refusals.

    Attributes:
        secret_name: Name or ARN of the secret, for the command in the notice.
    """

    ledger: Ledger
    secret: ZohoSecret
    secret_name: str
    notices: Notices
    clock: Clock
    telemetry: Telemetry

    def follow_up(self) -> None:
        """
        Tell people of imports that wait for Zoho, or let them go on with a corrected secret.

        Raises:
            NoticeFailedError: The topic did not take it; the next tick tells.
        """
        token = self.ledger.load(SharedToken.at()) or SharedToken()
        waiting = self._find_waiting()
        if token.refused is None and not waiting:
            return
        version = self.secret.read_version()
        shut_out = [record for record in waiting if record.pause == Pause.ACCESS.name]
        if version and version != token.credentials_version:
            self._begin_anew(version)
        elif shut_out:
            self._notify(shut_out, token.refused or "")

    def _find_waiting(self) -> Sequence[Import]:
        found = self.ledger.find_listed(listing.OTHER)
        return [record for record in found if record.pause in _WAIT_FOR_A_SECRET]

    def _begin_anew(self, version: str) -> None:
        """Forget the refusal and the token of the older secret; what waits is due now."""

        def renewed(seen: SharedToken) -> SharedToken | None:
            if seen.credentials_version == version:
                return None
            until = 0 if seen.refused else seen.refresh_until
            return replace(
                seen,
                refused=None,
                refresh_until=until,
                valid_until=0,
                credentials_version=version,
            )

        create_if_absent(self.ledger, SharedToken())
        update(self.ledger, SharedToken.at(), renewed)
        if (told := self.ledger.load(LastNotice.at(WHAT))) is not None:
            self.ledger.delete(told)  # if this secret is wrong too, people hear of it
        self.telemetry.emit("zoho_secret_changed")
        self._wake()

    def _wake(self) -> None:
        now = self.clock.now()
        horizon = now + LONGEST_PAUSE_SECONDS
        for address in self.ledger.find_due(OpenKind.WORK, before=horizon, limit=MOST_WOKEN):
            match self.ledger.load(address):
                case Part() as part:
                    update(self.ledger, part.address, part_transitions.look_by(now), known=part)
                case Import() as record if record.pause in _WAIT_FOR_A_SECRET:
                    step = import_transitions.look_by(now)
                    update(self.ledger, record.address, step, known=record)
                case _:
                    pass  # waits for something else

    def _notify(self, waiting: Sequence[Import], refused: str) -> None:
        now = self.clock.now()
        last = self.ledger.load(LastNotice.at(WHAT)) or LastNotice(what=WHAT)
        if now - last.told_at < DAY_SECONDS:
            return
        files = sorted(record.source.key for record in waiting)
        self.notices.publish(compose_waiting_for_zoho(files, refused, self.secret_name))
        self.ledger.save(replace(last, told_at=now))
        self.telemetry.emit("waiting_for_zoho", files=len(files))
