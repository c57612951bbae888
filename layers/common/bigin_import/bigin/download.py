"""
Row results: an address that Bigin wrote, at a third host, asking for our token.

An address from outside decides where the token goes, so it is checked before anything is sent:
https, port 443, no user name, and a host of Zoho's. An address at one of the configured base URLs
is fine as it is, whatever scheme and port they have. A redirect is checked the same way, and
another host never gets the token.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urljoin

import requests
from urllib3.util import Url, parse_url

from bigin_import.bigin.answers import Answer
from bigin_import.bigin.datacenters import ZOHO_DOMAINS, Endpoints
from bigin_import.bigin.transport import failure
from bigin_import.errors import BiginRefusedError

MAX_REDIRECTS = 3
MAX_RESULT_BYTES = 200_000_000  # what a result may be unpacked; packed it is far smaller
CHUNK_BYTES = 256 * 1024
ZIP_MAGIC = b"PK"
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
    magic = file.read(len(ZIP_MAGIC))
    file.seek(0)
    return magic == ZIP_MAGIC


def _origin(parts: Url) -> tuple[str | None, str | None, int | None]:
    return parts.scheme, parts.host, parts.port or _PORTS.get(parts.scheme or "")


def _refused(words: str, resolution: str) -> BiginRefusedError:
    return BiginRefusedError(code="RESULT_NOT_FETCHED", message=words, resolution=resolution)
