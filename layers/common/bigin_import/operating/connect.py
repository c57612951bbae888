"""From a Zoho login to a secret that the stack can use, and to new ones in place of the old."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from bigin_import.bigin.auth import (
    Grant,
    Organisation,
    exchange_code,
    find_data_centers,
    read_organisation,
)
from bigin_import.bigin.datacenters import DATA_CENTERS, Endpoints, endpoints
from bigin_import.bigin.error_codes import SCOPES
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import OpenKind
from bigin_import.errors import BiginAccessError
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import CommandRefusedError, Exit, Terminal
from bigin_import.report.summary import number
from bigin_import.settings import BiginSettings
from bigin_import.settling.summarize import DEFAULT_STACK

_CONSOLES = {"CA": "https://api-console.zohocloud.ca"}
_ORGANISATION = "organisation"  # beside the three keys that the functions read
_ZGID = "zgid"


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    What is to be connected.

    Attributes:
        secret: Name of the secret that is made, or updated.
        accounts_url, api_url: Instead of the data centre's own, as the template has them.
        confirmed: Name of the organisation that is now in the secret, to replace it.
        is_deployed: A stack reads the secret already: its client may stay as it is.
        stack: Name of the stack that it is for.
    """

    data_center: str
    secret: str
    accounts_url: str = ""
    api_url: str = ""
    confirmed: str = ""
    is_deployed: bool = False
    stack: str = DEFAULT_STACK

    @property
    def endpoints(self) -> Endpoints:
        return endpoints(
            BiginSettings(
                data_center=self.data_center,
                accounts_url=self.accounts_url,
                api_url=self.api_url,
                zoho_secret_arn="",
                token_secret_arn="",
            )
        )


def connect(secrets: Any, terminal: Terminal, wanted: Wanted) -> Exit:  # noqa: ANN401 - a client
    """
    Lead a person through Zoho's console, and keep what comes of it in a secret.

    Raises:
        CommandRefusedError: Zoho or the person refused; nothing was stored.
    """
    name, before = _read_secret(secrets, wanted.secret)
    terminal.say(*_instructions(wanted))
    client_id, client_secret = _ask_for_client(terminal, before if wanted.is_deployed else None)
    code = terminal.ask_secret("Code")
    grant = _exchange(terminal, wanted, client_id, client_secret, code)
    found = read_organisation(wanted.endpoints, grant.access_token)
    missing = _missing_scopes(grant)
    if missing:
        raise CommandRefusedError(
            f"the code was generated without the scopes {', '.join(missing)}",
            "Generate another code with the whole list, as above",
        )
    terminal.say(
        "", f'This is the Bigin of "{found.name}" (id {found.zgid}, {found.primary_email}).'
    )
    terminal.confirm("Is this yours?")
    _confirm_replacement(terminal, before, found, name, wanted.confirmed)
    held = _secret_of(client_id, client_secret, grant, found)
    arn = _store(secrets, wanted.secret, held, exists=before is not None)
    terminal.say("", *_next_steps(arn, wanted))
    terminal.report(
        {"secret_arn": arn, _ORGANISATION: found.name, _ZGID: found.zgid, "scopes": grant.scopes}
    )
    return Exit.GOOD


def _ask_for_client(terminal: Terminal, before: dict[str, str] | None) -> tuple[str, str]:
    """Return client id and secret; nothing typed stands for those of *before*."""
    known = before if before and {"client_id", "client_secret"} <= set(before) else None
    kept = " (nothing: as before)" if known else ""
    client_id = terminal.ask(f"Client ID{kept}")
    if known and client_id in ("", known["client_id"]):
        client_id, kept = known["client_id"], " (nothing: as before)"
        return client_id, terminal.ask_secret(f"Client Secret{kept}") or known["client_secret"]
    return client_id, terminal.ask_secret("Client Secret")


def _instructions(wanted: Wanted) -> Iterator[str]:
    name = wanted.data_center.strip().upper()
    host = DATA_CENTERS[name].accounts.partition("accounts.")[2]
    console = _CONSOLES.get(name, f"https://api-console.{host}")
    yield f"Open {console} and log in as an administrator of Bigin."
    yield "1. Choose Self Client (add it if it is not there), then Generate Code."
    yield "2. Scope, in one line:"
    yield f"   {SCOPES}"
    yield "3. Time duration: 10 minutes. Description: anything. Choose your Bigin organisation."
    yield "4. Create, and copy the code. Client ID and Client Secret are on the next tab."
    yield "Each code serves once and makes a refresh token; Zoho keeps the last 20 of them."
    yield ""


def _exchange(
    terminal: Terminal, wanted: Wanted, client_id: str, client_secret: str, code: str
) -> Grant:
    """Exchange the code; where the data centre is the wrong one, name the right one."""
    try:
        return exchange_code(wanted.endpoints, client_id, client_secret, code)
    except BiginAccessError as exc:
        remedy = exc.resolution
        if exc.code == "invalid_client" and not wanted.accounts_url:
            terminal.say("This data centre does not know the client; asking the others.")
            others = ", ".join(find_data_centers(client_id))
            remedy = (
                f"It is known in {others}: give --data-center {others.partition(',')[0]}"
                if others
                else "No documented data centre knows it: copy the Client ID again"
            )
        raise CommandRefusedError(f"Zoho says {exc.code}", remedy) from exc


def _missing_scopes(grant: Grant) -> list[str]:
    """Return what the answer lacks, if it says anything of scopes."""
    given = {scope.casefold() for scope in grant.scopes}
    return [each for each in SCOPES.split(",") if given and each.casefold() not in given]


def _confirm_replacement(
    terminal: Terminal,
    before: dict[str, str] | None,
    found: Organisation,
    secret: str,
    confirmed: str,
) -> None:
    """Replace another organisation's secret only for one who types that organisation's name."""
    if before is None or before.get(_ZGID) == found.zgid:
        return
    name = before.get(_ORGANISATION) or before.get(_ZGID) or secret
    if _ZGID in before:
        terminal.say(
            f'The secret {secret} is for "{name}" (id {before[_ZGID]}), another organisation: '
            "the rows of a stack that reads it would go to this one from now on."
        )
    else:
        terminal.say(f"The secret {secret} does not say which organisation it is for.")
    remedy = f'Give another name with --secret, or --confirm "{name}"'
    terminal.confirm_by_name(name, confirmed, remedy)


def _secret_of(
    client_id: str, client_secret: str, grant: Grant, found: Organisation
) -> dict[str, str]:
    return {
        "client_id": client_id,
        "client_secret": client_secret,
        "refresh_token": grant.refresh_token,
        _ORGANISATION: found.name,
        _ZGID: found.zgid,
    }


def _read_secret(
    secrets: Any,  # noqa: ANN401 - a client
    name: str,
) -> tuple[str, dict[str, str] | None]:
    """Return a secret's name and what it holds, empty if that cannot be read; None: no secret."""
    try:
        answer = secrets.get_secret_value(SecretId=name)
    except ClientError as exc:
        if exc.response["Error"]["Code"] == "ResourceNotFoundException":
            return name, None
        raise
    try:
        held = json.loads(answer.get("SecretString", ""))
    except ValueError:
        held = {}
    return answer["Name"], held if isinstance(held, dict) else {}


def _store(secrets: Any, name: str, held: dict[str, str], *, exists: bool) -> str:  # noqa: ANN401
    """Create the secret, or give it a new version; return its ARN."""
    text = json.dumps(held)
    answer = (
        secrets.put_secret_value(SecretId=name, SecretString=text)
        if exists
        else secrets.create_secret(Name=name, SecretString=text)
    )
    arn: str = answer["ARN"]
    return arn


def _next_steps(arn: str, wanted: Wanted) -> Iterator[str]:
    if wanted.is_deployed:
        yield "Stored. The functions use it within a minute, and imports that wait go on."
        return
    yield "Stored. Now deploy:"
    yield "  sam build"
    name = "" if wanted.stack == DEFAULT_STACK else f"--stack-name {wanted.stack} "
    yield (
        f"  sam deploy {name}--parameter-overrides ZohoSecretArn={arn} "
        f"DataCenter={wanted.data_center.strip().upper()} NoticeEmail=you@example.com"
    )


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
            f"Wait until they have ended: {stack.command('status')} shows them",
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
