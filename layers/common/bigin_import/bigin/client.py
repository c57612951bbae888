"""
The Bulk Write API, call by call, and the records that an undo deletes.

Two rules for repeats: uploads, reads and deletions may be sent again, and are; creating a job
costs 500 credits and cannot be taken back, so it leaves once, on a connection of its own.

An answer that nobody asked for shifts all later ones on its connection: each call gets what the
one before it asked for. Nothing in the answer to an upload says of which file it is, so each has a
connection of its own, too. Other calls share one, which is closed after an answer that is an error,
cannot be read, or is about something else: such an answer may be one that nobody asked for.

Row results lie at an address that Bigin wrote, at a third host that asks for our token. An address
from outside decides where the token goes, so it is checked before anything is sent: https, port
443, no user name, and a host of Zoho's. An address at one of the configured base URLs is fine as
it is, whatever scheme and port they have. A redirect is checked the same way, and another host
never gets the token.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from itertools import chain, count
from math import inf
from tempfile import TemporaryFile
from typing import BinaryIO, Unpack
from urllib.parse import quote, urljoin

import requests
from urllib3 import Timeout
from urllib3.util import Url, parse_url

from bigin_import.bigin import wire
from bigin_import.bigin.answers import Answer, Json, read, read_from_file_host
from bigin_import.bigin.datacenters import ZOHO_DOMAINS, Endpoints
from bigin_import.bigin.error_codes import UPLOAD
from bigin_import.bigin.transport import (
    CONNECT_TIMEOUT_SECONDS,
    RESERVE_SECONDS,
    SEND_TIMEOUT_SECONDS,
    BoundedRetry,
    Content,
    ZohoToken,
    failure,
    send,
    session,
)
from bigin_import.domain.job_request import Field, Job, JobRequest
from bigin_import.errors import (
    BiginError,
    BiginOutcomeUnknownError,
    BiginRefusedError,
    BiginUnreachableError,
    OtherOrganisationError,
)
from bigin_import.ports import AccessTokens, ChangedRecord, Clock

ORG = "organisation"
MAX_DELETED_RECORDS = 100  # of one call
PAGE_RECORDS = 200  # the most that Bigin puts on a page
MAX_REDIRECTS = 3
MAX_RESULT_BYTES = 200_000_000  # what a result may be unpacked; packed it is far smaller
CHUNK_BYTES = 256 * 1024
ZIP_SIGNATURE = b"PK"
MAX_ERROR_BYTES = 65_536  # of a body that is no zip: an error, read for its words

_PRINTABLE = re.compile(r"[!-\[\]-~]+", re.ASCII)  # no blanks, no control characters, no backslash
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class ResultHosts:
    """Where row results may be fetched from, and the token be sent to."""

    endpoints: Endpoints

    def resolve(self, url: str, *, base: str = "") -> str:
        """
        Return *url* as an absolute address that may have the token.

        Args:
            base: What a relative address is relative to; the API host if empty.

        Raises:
            BiginRefusedError: It is none of Zoho's.
        """
        resolved, parts = "", Url()
        with suppress(ValueError):  # no address at all: refused below
            resolved = urljoin(base or f"{self.endpoints.api}/", url)
            # The parser that the request is sent with: two parsers may see two different hosts.
            parts = parse_url(resolved)
        if not (_PRINTABLE.fullmatch(resolved) and self._may_have_token(parts)):
            raise _refused(
                f"the row results are said to be at {parts.host or 'no host'}",
                "Nothing was sent there. Look at the job in Bigin; if the host is Zoho's, report "
                "it, so that it is added to the known ones",
            )
        return resolved

    def _may_have_token(self, parts: Url) -> bool:
        if parts.auth is not None or not parts.host:
            return False
        configured = (self.endpoints.api, self.endpoints.upload, self.endpoints.accounts)
        if _origin(parts) in [_origin(parse_url(base)) for base in configured]:
            return True
        return _origin(parts)[::2] == ("https", 443) and any(
            parts.host == domain or parts.host.endswith(f".{domain}") for domain in ZOHO_DOMAINS
        )


def same_origin(one: str, other: str) -> bool:
    return _origin(parse_url(one)) == _origin(parse_url(other))


def spool(response: requests.Response, file: BinaryIO, *, what: str) -> Answer:
    """
    Copy the body of *response* to *file*, from its start, and return the answer.

    Raises:
        BiginRefusedError: It is larger than any result can be.
        BiginOutcomeUnknownError: The stream broke.
    """
    file.seek(0)
    file.truncate()
    try:
        for chunk in response.iter_content(CHUNK_BYTES):
            if file.tell() + len(chunk) > MAX_RESULT_BYTES:
                raise _refused(
                    f"the row results are larger than {MAX_RESULT_BYTES:,} bytes",
                    "Look at the job in Bigin; report this, no part is large enough for it",
                )
            file.write(chunk)
    except requests.RequestException as exc:
        raise failure(exc, what) from exc
    file.seek(0)
    return Answer.of(response, file.read(MAX_ERROR_BYTES))


def is_zip(file: BinaryIO) -> bool:
    """Return whether *file* holds a zip; leaves it at its start."""
    file.seek(0)
    signature = file.read(len(ZIP_SIGNATURE))
    file.seek(0)
    return signature == ZIP_SIGNATURE


def _origin(parts: Url) -> tuple[str | None, str | None, int | None]:
    return parts.scheme, parts.host, parts.port or _PORTS.get(parts.scheme or "")


def _refused(words: str, resolution: str) -> BiginRefusedError:
    return BiginRefusedError(code="RESULT_NOT_FETCHED", message=words, resolution=resolution)


# From connecting to the answer; the importer keeps this and 30 s more in reserve.
CREATE_TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call that may be repeated is tried."""

    read_timeout_seconds: float = 30.0
    repeats: int = 4
    total_seconds: float = 60.0


ONE_QUICK_TRY = Patience(read_timeout_seconds=5.0, repeats=0, total_seconds=0.0)


@dataclass(slots=True)
class OrganisationMemory:
    """Bigin's answer about the organisation of the latest access token, by that token."""

    _known: tuple[str, Answer] | None = field(default=None, repr=False)

    def find(self, token: str) -> Answer | None:
        known = self._known
        return known[1] if known is not None and known[0] == token else None

    def keep(self, token: str, answer: Answer) -> None:
        self._known = (token, answer)


class BiginClient:
    """
    The ports Bigin and Records.

    Args:
        patience: For uploads and reads; ONE_QUICK_TRY where somebody waits for our answer.
        organisations: Of this process; it outlives an invocation.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        tokens: AccessTokens,
        clock: Clock,
        *,
        patience: Patience = Patience(),
        organisations: OrganisationMemory | None = None,
    ) -> None:
        self._endpoints = endpoints
        self._tokens = tokens
        self._clock = clock
        self._patience = patience
        self._result_hosts = ResultHosts(endpoints)
        self._organisations = organisations or OrganisationMemory()
        self._of_this_thread = threading.local()

    def upload(self, archive: bytes, *, name: str, zgid: str) -> str:
        what = UPLOAD
        answer = self._send_to(
            zgid,
            lambda token: self._send_upload(
                token,
                what,
                headers={"feature": "bulk-write", "X-CRM-ORG": zgid},
                files={"file": (name, archive, "application/zip")},
            ),
        )
        return _there(wire.file_id(read_from_file_host(answer, what)), what)

    def create_job(self, request: JobRequest, *, file_id: str, callback_url: str, zgid: str) -> str:
        what = "create job"
        body = wire.create_body(request, file_id=file_id, callback_url=callback_url)
        answer = self._send_to(zgid, lambda token: self._send_create(token, body, what))
        return _there(wire.job_id(read(answer, what)), what)

    def get_job(self, job_id: str) -> Job:
        what = "job details"
        with self._hanging_up_on_errors():
            body = self._get(f"/bigin/bulk/v2/write/{quote(job_id, safe='')}", what)
            found = _there(wire.job(body, asked=job_id), what)
            if found.job_id != job_id:
                raise BiginOutcomeUnknownError(f"{what}: the answer is about another job")
            return found

    @contextmanager
    def download_result(self, url: str) -> Iterator[BinaryIO]:
        what = "download of row results"
        with self._hanging_up_on_errors(), TemporaryFile() as file:
            answer = self._send_authorized(lambda token: self._fetch(token, url, file, what))
            if not answer.is_success or not is_zip(file):
                read_from_file_host(answer, what)
                raise BiginOutcomeUnknownError(f"{what}: the answer is no zip")
            yield file

    def get_fields(self, module: str) -> tuple[Field, ...]:
        with self._hanging_up_on_errors():
            body = self._get("/bigin/v2/settings/fields", "fields", params={"module": module})
            return _there(wire.fields(body), "fields")

    def get_zgid(self) -> str:
        return _there(wire.zgid(read(self._send_authorized(self._ask_of), ORG)), ORG)

    def get_time_zone(self) -> str:
        return wire.time_zone(read(self._send_authorized(self._ask_of), ORG))

    def delete_records(self, module: str, ids: Sequence[str], *, zgid: str) -> dict[str, str]:
        what = "delete records"
        # A comma inside one of them would delete a record that nobody asked for.
        if len(ids) > MAX_DELETED_RECORDS or not all(_is_id(each) for each in ids):
            raise ValueError(f"{len(ids)} ids: Bigin takes {MAX_DELETED_RECORDS}, each of digits")
        if not ids:
            return {}
        params = {"ids": ",".join(ids), "wf_trigger": "false"}
        url = self._endpoints.api + _path_of(module)
        with self._hanging_up_on_errors():
            answer = self._send_to(
                zgid, lambda token: self._send_repeatable(token, "DELETE", url, what, params=params)
            )
            # Whatever the status: 200, 207 or 4xx, by how many of the records it is about.
            told = wire.codes_by_id(answer.body or {}) if answer.decides else {}
            if not (codes := {each: told[each] for each in ids if each in told}):
                read(answer, what)
                raise BiginOutcomeUnknownError(f"{what}: the answer names none of the records")
            return codes

    def list_deleted_ids(self, module: str, ids_of_interest: Collection[str]) -> set[str]:
        wanted, found = set(ids_of_interest), set[str]()
        pages = self._list_pages(f"{_path_of(module)}/deleted", "deleted records", type="all")
        while wanted - found and (page := next(pages, None)) is not None:
            found |= wanted & {wire.record_id(entry) for entry in page}
        return found

    def list_changed_since(self, module: str, since: datetime) -> Iterator[ChangedRecord]:
        what = "changed records"
        order = {"sort_by": "Modified_Time", "sort_order": "desc", "approved": "both"}
        latest: datetime | None = None
        pages = self._list_pages(_path_of(module), what, fields="id,Modified_Time", **order)
        with self._hanging_up_on_errors():
            for entry in chain.from_iterable(pages):
                record = _there(wire.changed_record(entry), what)
                if latest is not None and record.modified_time > latest:
                    raise BiginOutcomeUnknownError(f"{what}: they are not in order of their times")
                if (latest := record.modified_time) < since:
                    return
                yield record

    def get_modified_time(self, module: str, record_id: str) -> datetime | None:
        what = "record"
        with self._hanging_up_on_errors():
            answer = self._get_answer(f"{_path_of(module)}/{record_id}", what, {})
            if answer.status == HTTPStatus.NO_CONTENT:
                return None
            entries = _there(wire.listed(read(answer, what)), what)
            record = _there(next(filter(None, map(wire.changed_record, entries)), None), what)
            if record.id != record_id:
                raise BiginOutcomeUnknownError(f"{what}: the answer is about another one")
            return record.modified_time

    def _list_pages(self, path: str, what: str, **params: str) -> Iterator[list[Json]]:
        """Yield a list of records page by page; Bigin answers an empty one with 204."""
        place: dict[str, str] = {}
        before: list[Json] | None = None
        for number in count(1):
            sent = params | {"per_page": str(PAGE_RECORDS)} | place
            with self._hanging_up_on_errors():
                answer = self._get_answer(path, what, sent)
                if answer.status == HTTPStatus.NO_CONTENT:
                    return
                body = read(answer, what)
                page = _there(wire.listed(body), what)
                if page == before:  # it would be asked for without end, a credit each time
                    raise BiginOutcomeUnknownError(f"{what}: page {number} is the one before it")
            yield page
            place = _there(wire.next_page(body, number=number), what)
            if not place:
                return
            before = page

    def _get(self, path: str, what: str, params: dict[str, str] | None = None) -> Json:
        return read(self._get_answer(path, what, params or {}), what)

    def _get_answer(self, path: str, what: str, params: dict[str, str]) -> Answer:
        url = self._endpoints.api + path
        return self._send_authorized(
            lambda token: self._send_repeatable(token, "GET", url, what, params=params)
        )

    def _send_authorized(self, call: Callable[[str], Answer]) -> Answer:
        """
        Return the answer of *call*, made again once if Bigin refused the token.

        That holds for creating a job as well: such an answer certainly had no effect.
        """
        token = self._tokens.get_token()
        answer = call(token)
        if answer.token_refused:
            self._hang_up()
            return call(self._tokens.renew_token(token))
        return answer

    def _send_to(self, zgid: str, call: Callable[[str], Answer]) -> Answer:
        """Return the answer of *call*, made with a token of the organisation *zgid* only."""
        return self._send_authorized(lambda token: self._refusal_of(token, zgid) or call(token))

    def _ask_of(self, token: str) -> Answer:
        """Return Bigin's answer about the organisation of *token*; asked once for each."""
        known = self._organisations.find(token)
        if known is not None:
            return known
        url = f"{self._endpoints.api}/bigin/v2/org"
        answer = self._send_repeatable(token, "GET", url, ORG)
        if answer.is_success and wire.zgid(answer.body or {}) is not None:
            self._organisations.keep(token, answer)
        else:
            self._hang_up()
        return answer

    def _refusal_of(self, token: str, zgid: str) -> Answer | None:
        """
        Return Bigin's answer if it refuses *token*, None if the token is for *zgid*.

        Raises:
            OtherOrganisationError: It is for another one.
        """
        try:
            answer = self._ask_of(token)
            if answer.token_refused:
                return answer
            found = _there(wire.zgid(read(answer, ORG)), ORG)
        except (BiginRefusedError, BiginOutcomeUnknownError) as exc:
            # About this question only: the call that wants to know was not sent.
            raise BiginUnreachableError(f"not sent: {exc}") from exc
        if found != zgid:
            raise OtherOrganisationError(wanted=zgid, found=found)
        return None

    def _send_repeatable(
        self, token: str, method: str, url: str, what: str, **content: Unpack[Content]
    ) -> Answer:
        """Send what may be sent again."""
        return Answer.of(self._send(token, method, url, what, **content))

    def _send(
        self, token: str | None, method: str, url: str, what: str, **content: Unpack[Content]
    ) -> requests.Response:
        auth = ZohoToken(token) if token is not None else None
        timeout = self._timeout(what, read_seconds=self._patience.read_timeout_seconds)
        return send(self._session(), method, url, what=what, auth=auth, timeout=timeout, **content)

    def _send_upload(self, token: str, what: str, **content: Unpack[Content]) -> Answer:
        timeout = self._timeout(what, read_seconds=self._patience.read_timeout_seconds)
        url = f"{self._endpoints.upload}/bigin/v2/upload"
        with session(self._repeats()) as own:
            auth = ZohoToken(token)
            return Answer.of(
                send(own, "POST", url, what=what, auth=auth, timeout=timeout, **content)
            )

    def _send_create(self, token: str, body: Json, what: str) -> Answer:
        timeout = self._timeout(what, at_most=CREATE_TIMEOUT_SECONDS)
        url = f"{self._endpoints.api}/bigin/bulk/v2/write"
        with session() as own:
            auth = ZohoToken(token)
            return Answer.of(
                send(own, "POST", url, what=what, auth=auth, json=body, timeout=timeout)
            )

    def _fetch(self, token: str, url: str, file: BinaryIO, what: str) -> Answer:
        """Download to *file*, redirects followed; only the first host gets the token."""
        first = place = self._result_hosts.resolve(url)
        for _ in range(MAX_REDIRECTS + 1):
            known = token if same_origin(first, place) else None
            with self._send(known, "GET", place, what, stream=True) as response:
                if not response.is_redirect:
                    return spool(response, file, what=what)
                place = self._result_hosts.resolve(response.headers["Location"], base=place)
        raise BiginOutcomeUnknownError(f"{what}: more than {MAX_REDIRECTS} redirects")

    def _session(self) -> requests.Session:
        """Return this thread's session for what may be repeated: requests shares none safely."""
        made: requests.Session | None = getattr(self._of_this_thread, "session", None)
        if made is None:
            made = self._of_this_thread.session = session(self._repeats())
        return made

    def _repeats(self) -> BoundedRetry:
        return BoundedRetry.of_safe_calls(
            self._patience.repeats, total_seconds=self._patience.total_seconds, clock=self._clock
        )

    @contextmanager
    def _hanging_up_on_errors(self) -> Iterator[None]:
        try:
            yield
        except BiginError:
            self._hang_up()
            raise

    def _hang_up(self) -> None:
        """Close this thread's connections; the next call makes new ones."""
        self._session().close()

    def _timeout(
        self, what: str, *, read_seconds: float | None = None, at_most: float = inf
    ) -> Timeout:
        """Return time-outs that together are within what this invocation still has."""
        left = self._clock.remaining_seconds() - RESERVE_SECONDS
        if left <= CONNECT_TIMEOUT_SECONDS:
            raise BiginUnreachableError(f"{what}: not sent, this invocation is about to end")
        return Timeout(total=min(left, at_most), connect=SEND_TIMEOUT_SECONDS, read=read_seconds)


def _path_of(module: str) -> str:
    return f"/bigin/v2/{quote(module, safe='')}"


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _there[T](value: T | None, what: str) -> T:
    if value is None:
        raise BiginOutcomeUnknownError(f"{what}: the answer lacks what was asked for")
    return value
