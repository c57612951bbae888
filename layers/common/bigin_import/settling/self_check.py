"""Use case: what only the role of a function can see, looked at because a person asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import NamedTuple

from bigin_import.bigin.error_codes import SCOPES
from bigin_import.callback_url import NOBODY
from bigin_import.domain.locks import SharedToken
from bigin_import.errors import (
    BiginAccessError,
    BiginError,
    BiginRefusedError,
    SecretUnreadableError,
)
from bigin_import.ledger import update
from bigin_import.plain_values import plain
from bigin_import.ports import Bigin, CallbackUrls, Ledger

MODULES = ("Contacts", "Accounts", "Pipelines", "Products")
NO_JOB = "1"  # ids of Bigin have eighteen digits


class Finding(NamedTuple):
    """
    One thing that was looked at.

    Attributes:
        found: What is there; for a thing that is wrong, what is wrong with it.
        remedy: What to do, without its full stop; "" if it is good.
    """

    what: str
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheck:
    """
    Looks at secrets, token, organisation, fields and scopes; changes nothing in Bigin.

    Attributes:
        read_urls: Reads the signing secret; its URLs are paths, to be put after the API's address.
        probe: Posts to an address, and returns the status of the answer.
        default_encoding: Of the deployment.
    """

    ledger: Ledger
    bigin: Bigin
    read_urls: Callable[[], CallbackUrls]
    probe: Callable[[str], int]
    default_encoding: str = ""

    def examine(self, asked: Mapping[str, object]) -> dict[str, object]:
        """
        Return what was found, as JSON values.

        Args:
            asked: With `module`, only what a mapping for that module is held against; else with
                `callback_url`, where Bigin reaches job_callback: all before the import's id.
        """
        if module := asked.get("module"):
            return self._get_module(str(module))
        found = self._examine_all(str(asked.get("callback_url", "")))
        return {"checks": [each._asdict() for each in found]}

    def _examine_all(self, callback_url: str) -> Iterator[Finding]:
        """Yield one finding after another; one that is wrong ends no other."""
        yield self._examine_signing_secret()
        if callback_url:
            yield self._probe_callback(callback_url)
        self._expire_token()
        before = self._load_token_version()
        organisation = self._ask("token and organisation", self.bigin.get_zgid)
        yield organisation
        if organisation.remedy:
            return  # without a token nothing else can be asked
        yield self._compare_token_version(before)
        for module in MODULES:
            yield self._ask(f"fields of {module}", partial(self._get_field_count, module))
        token = self.ledger.load(SharedToken.at())
        if token is not None and token.scopes:
            yield _compare_scopes(token.scopes)
            return
        yield self._examine_bulk_scope()
        yield Finding("scopes for records and files", "not proven: only an import uses them")

    def _load_token_version(self) -> str:
        token = self.ledger.load(SharedToken.at())
        return token.token_version if token else ""

    def _compare_token_version(self, before: str) -> Finding:
        """Return whether the token that was just made was stored for the other functions."""
        what = "secret of the access token"
        if self._load_token_version() != before:
            return Finding(what, "writable")
        remedy = (
            "Let the roles of the functions read and write TokenSecret of this stack, and use its "
            'key; search the log of settle_jobs for "aws refused"'
        )
        return Finding(what, "cannot be written, so each function makes tokens of its own", remedy)

    def _examine_signing_secret(self) -> Finding:
        try:
            self.read_urls().url(NOBODY, 1, 1)
        except SecretUnreadableError as exc:
            return Finding("signing secret", f"cannot be read ({exc.code})", exc.resolution)
        return Finding("signing secret", "readable")

    def _get_module(self, module: str) -> dict[str, object]:
        known: dict[str, object] = {"module": module, "default_encoding": self.default_encoding}
        try:
            fields = plain(self.bigin.get_fields(module))
        except BiginRefusedError as exc:
            if not exc.concerns_mapping:
                raise
            return {**known, "refused": exc.code}
        return {**known, "fields": fields, "time_zone": self.bigin.get_time_zone()}

    def _probe_callback(self, callback_url: str) -> Finding:
        """Post what only the signing key can sign, for an import that cannot exist."""
        what, remedy = "signed callback", "See the log of job_callback"
        if not callback_url.startswith("https://"):
            return Finding(what, "its address is not https", "Give an address with https")
        try:
            path = self.read_urls().url(NOBODY, 1, 1)
            status = self.probe(callback_url.rstrip("/") + path)
        except SecretUnreadableError as exc:
            return Finding(what, f"cannot be signed ({exc.code})", exc.resolution)
        except BiginError as exc:  # its text may hold the address
            return Finding(what, f"no answer ({type(exc).__name__})", remedy)
        if status == HTTPStatus.FORBIDDEN:
            return Finding(
                what,
                "is refused: job_callback reads another signing key",
                "Wait five minutes after a rotation; else see whether its role may read the secret",
            )
        if status != HTTPStatus.OK:
            return Finding(what, f"answers {status}, not 200", remedy)
        return Finding(what, "accepted")

    def _expire_token(self) -> None:
        """Forget a remembered refusal, and let the next call refresh the token under its lease."""

        def aged(seen: SharedToken) -> SharedToken:
            until = 0 if seen.refused else seen.refresh_until
            return replace(seen, refused=None, refresh_until=until, valid_until=0)

        update(self.ledger, SharedToken.at(), aged)

    def _get_field_count(self, module: str) -> str:
        return f"{len(self.bigin.get_fields(module))} known"

    def _examine_bulk_scope(self) -> Finding:
        """Ask for a job that cannot be: to be told so takes the scope."""
        what = "scope for bulk jobs"
        try:
            self.bigin.get_job(NO_JOB)
        except BiginRefusedError:
            return Finding(what, "granted")
        except BiginError as exc:
            return _refusal(what, exc)
        return Finding(what, "granted")

    def _ask(self, what: str, call: Callable[[], str]) -> Finding:
        try:
            return Finding(what, call())
        except BiginError as exc:
            return _refusal(what, exc)


def _compare_scopes(given: tuple[str, ...]) -> Finding:
    known = {scope.casefold() for scope in given}
    missing = [each for each in SCOPES.split(",") if each.casefold() not in known]
    if not missing:
        return Finding("scopes", "all granted")
    return Finding(
        "scopes",
        f"the refresh token lacks {', '.join(missing)}",
        "Make a new one with all scopes: bigin-drop rotate zoho",
    )


def _refusal(what: str, exc: BiginError) -> Finding:
    if isinstance(exc, BiginAccessError | BiginRefusedError):
        remedy = exc.resolution or "See the log of settle_jobs"
        return Finding(what, f"refused ({exc.code})", remedy)
    return Finding(what, f"no answer ({type(exc).__name__})", "Run the command again in a minute")
