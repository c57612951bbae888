"""New secrets in place of the old ones: the key that signs callbacks, and the Zoho credentials."""

from __future__ import annotations

import secrets
import time

from bigin_import.domain.part_record import Part
from bigin_import.domain.states import OpenKind
from bigin_import.operating.connect import Wanted, connect
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import CommandRefusedError, Exit, Terminal
from bigin_import.report.summary import number

_OPEN_LOOKED_AT = 1_000


def rotate_zoho(stack: Stack, terminal: Terminal, *, confirmed: str) -> Exit:
    """Give the stack's Zoho secret a new refresh token, of the same client or of another one."""
    deployed = stack.settings.bigin
    wanted = Wanted(
        deployed.data_center,
        deployed.zoho_secret_arn,
        deployed.accounts_url,
        deployed.api_url,
        confirmed,
        is_deployed=True,
    )
    return connect(stack.client("secretsmanager"), terminal, wanted)


def rotate_signing_key(stack: Stack, terminal: Terminal) -> Exit:
    """
    Put a new signing key in place; the one before stays good for the jobs that were made with it.

    Raises:
        CommandRefusedError: Jobs made with the key before that are still open: it would be lost.
    """
    client, arn = stack.client("secretsmanager"), stack.settings.signing_secret_arn
    current = client.describe_secret(SecretId=arn)
    has_previous = any("AWSPREVIOUS" in each for each in current["VersionIdsToStages"].values())
    made_at = client.get_secret_value(SecretId=arn)["CreatedDate"].timestamp()
    older = sum(_oldest_attempt(part) < made_at for part in _load_open_parts(stack))
    if has_previous and older:
        raise CommandRefusedError(
            f"{number(older)} open jobs were made with the key before the current one",
            "Wait until they have ended: bigin-drop status shows them",
        )
    terminal.say("Bigin's callbacks for jobs made from now on are signed with a new key.")
    terminal.confirm("Make it?")
    client.put_secret_value(SecretId=arn, SecretString=secrets.token_urlsafe(48))
    terminal.say("Done. The functions use it within five minutes.")
    terminal.report({"rotated": "signing"})
    return Exit.GOOD


def _load_open_parts(stack: Stack) -> list[Part]:
    far = int(time.time()) + 365 * 86_400
    addresses = stack.ledger.find_due(OpenKind.WORK, before=far, limit=_OPEN_LOOKED_AT)
    found = (stack.ledger.load(address) for address in addresses)
    return [part for part in found if isinstance(part, Part)]


def _oldest_attempt(part: Part) -> float:
    return min((attempt.started_at for attempt in part.attempts), default=float("inf"))
