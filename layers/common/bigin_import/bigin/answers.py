"""
What an answer of Bigin's means. The one place that turns status and body into our errors.

Errors come with HTTP 200 as well as with 4xx, so the body's `status` and `code` decide; the file
hosts have a second envelope (ERROR_CODE, x-error, info); a body may not be JSON at all.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self

import requests

from bigin_import.bigin.error_codes import SERVER_FAULTS, UPLOAD, ErrorCode, of_call
from bigin_import.errors import (
    BiginAccessError,
    BiginBusyError,
    BiginError,
    BiginOutcomeUnknownError,
    BiginRefusedError,
)

_GATEWAY_AT_UPLOAD = ErrorCode(
    "Zoho's upload host turned the file away before Bigin received it.",
    "Zoho's upload host turned the file away before Bigin received it: check the template "
    "parameters DataCenter and UploadUrl, and that the user who made the refresh token is still "
    "a member of the organisation; then drop the file again",
    concerns_mapping=False,
)
_GATEWAY_ELSEWHERE = ErrorCode(
    "Zoho's file host does not give this file out.",
    "Zoho's file host does not give this file out (any more): look at the job in Bigin",
    concerns_mapping=False,
)
_UNKNOWN_CODE = ErrorCode(
    "",
    "Mend what Bigin's words name; if they say too little, ask Bigin's support about this code, "
    "which its documentation does not explain",
    concerns_mapping=False,
)
_ACCESS_CODES = ("OAUTH_SCOPE_MISMATCH",)


def refusal(code: str, words: str, *, call: str = "") -> BiginError:
    """Return our error for a code that answers *call*: the operator's to mend, or the mapping's."""
    entry = of_call(code, call) or _UNKNOWN_CODE
    if code in _ACCESS_CODES:
        return BiginAccessError(f"{code}: {words}", code=code, resolution=entry.remedy)
    return _refused(code, words, entry)


def gateway_refusal(status: int, words: str, *, call: str) -> BiginRefusedError:
    """Return our error for a 4xx of the file hosts' own gateway, which has no codes."""
    entry = _GATEWAY_AT_UPLOAD if call == UPLOAD else _GATEWAY_ELSEWHERE
    return _refused(f"HTTP {status}", words, entry)


def _refused(code: str, words: str, entry: ErrorCode) -> BiginRefusedError:
    return BiginRefusedError(
        code=code,
        message=words,
        resolution=entry.remedy,
        concerns_mapping=entry.concerns_mapping,
    )


type Json = dict[str, object]

MAX_DIGITS = 18  # Python refuses to read a number of thousands; no count has that many


def object_of(value: object) -> Json:
    """Return an object; an empty one instead of anything else."""
    return value if isinstance(value, dict) else {}


def first_of(value: object) -> Json:
    """Return the first object of a list."""
    return object_of(value[0]) if isinstance(value, list) and value else {}


def text_of(value: object) -> str | None:
    """Return a text or a number as text; empty is None."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if (isinstance(value, str) and value) or is_number else None


def count_of(value: object) -> int | None:
    text = text_of(value)
    is_number = text and text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS
    return int(text) if text and is_number else None


def truth_of(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


MAX_WORDS = 300

# An address may hold a callback's signature; tokens of Zoho's start with "1000.".
_SECRET_LOOKING = re.compile(r"https?://\S+|1000\.[0-9A-Za-z.]{8,}|(?<![\w-])[\w-]{43}(?![\w-])")


def plain_words(value: object) -> str:
    """Return *value* as one short line without anything that looks like a secret."""
    line = " ".join(str(value).split())
    return _SECRET_LOOKING.sub("[removed]", line)[:MAX_WORDS]


TOKEN_REFUSED = ("INVALID_TOKEN", "AUTHENTICATION_FAILURE")
DONE = range(200, 300)
REFUSED = range(400, 500)


@dataclass(frozen=True, slots=True)
class Answer:
    """
    An answer, read.

    Attributes:
        body: The JSON object, or None if it is anything else.
        retry_after: The header as it came.
    """

    status: int
    body: Json | None
    retry_after: str | None = None

    @classmethod
    def of(cls, response: requests.Response, content: bytes | None = None) -> Self:
        """Read *response*; *content* stands for its body if that was streamed."""
        body = _json_object(response.content if content is None else content)
        return cls(response.status_code, body, response.headers.get("Retry-After"))

    @property
    def code(self) -> str | None:
        return self._text("code")

    @property
    def is_success(self) -> bool:
        return self.status in DONE

    @property
    def decides(self) -> bool:
        """False for 3xx and 5xx: whatever their body says, the call may have had its effect."""
        return self.status in DONE or self.status in REFUSED

    @property
    def gateway_code(self) -> int | None:
        """The file hosts' own status, which may differ from HTTP's."""
        return count_of((self.body or {}).get("ERROR_CODE"))

    @property
    def token_refused(self) -> bool:
        """True if another token may help; such an answer certainly had no effect."""
        if self.code is not None:
            return self.decides and self.code in TOKEN_REFUSED
        return self.decides and HTTPStatus.UNAUTHORIZED in (self.status, self.gateway_code)

    @property
    def busy(self) -> bool:
        says_so = HTTPStatus.TOO_MANY_REQUESTS in (self.status, self.gateway_code)
        return self.decides and (says_so or self.code == "TOO_MANY_REQUESTS")

    @property
    def says_error(self) -> bool:
        """True if the body is Bigin's error envelope, whatever the HTTP status."""
        status = (self._text("status") or "").lower()
        if status:
            return status in ("error", "failure")
        return self.code is not None and (not self.is_success or of_call(self.code) is not None)

    @property
    def words(self) -> str:
        """Bigin's own words, whichever envelope they came in."""
        keys = ("message", "ERROR_MESSAGE", "x-error", "info", "x-info")
        said = [plain_words(text) for key in keys if (text := self._text(key))]
        return ": ".join(said) or "no message"

    @property
    def retry_after_seconds(self) -> int | None:
        """
        What a Retry-After header in whole seconds asks for, or else `details`.

        A header that says anything else (`1.5`, `soon`, a date) hides nothing: it is absent.
        """
        asked = object_of((self.body or {}).get("details")).get("retry_after")
        in_header = count_of(self.retry_after)
        return count_of(asked) if in_header is None else in_header

    def _text(self, key: str) -> str | None:
        value = (self.body or {}).get(key)
        return value if isinstance(value, str) and value else None


def read(answer: Answer, what: str) -> Json:
    """
    Return the body of an answer that is no error; *what* names the call in errors.

    Raises:
        BiginError: One of its five kinds, according to the answer.
    """
    says_error = answer.says_error or answer.busy or answer.token_refused
    if answer.is_success and answer.body is not None and not says_error:
        return answer.body
    raise _error(answer, what)


def read_from_file_host(answer: Answer, what: str) -> Json:
    """Like `read`, for upload and download, where a gateway with its own envelope may answer."""
    gateway = {"ERROR_CODE", "x-error", "info", "x-info"} & set(answer.body or ())
    otherwise_known = answer.code or answer.busy or answer.token_refused
    status = answer.gateway_code or answer.status
    if gateway and answer.decides and status < REFUSED.stop and not otherwise_known:
        raise gateway_refusal(status, answer.words, call=what)
    return read(answer, what)


def _error(answer: Answer, what: str) -> BiginError:
    if answer.busy:
        return BiginBusyError(
            f"{what}: credits or parallel calls are used up ({answer.words})",
            retry_after_seconds=answer.retry_after_seconds,
        )
    if answer.token_refused:
        return BiginAccessError(
            f"{what}: Bigin refuses a fresh access token: {answer.words}",
            code=answer.code or "INVALID_TOKEN",
            resolution="Check that the data centre of the deployment is the account's, and that "
            "the user who made the refresh token is still active",
        )
    code = answer.code if answer.says_error and answer.decides else None
    if code is None or code in SERVER_FAULTS:
        said = f"{answer.code or 'no code'}: {answer.words}" if answer.body else "no JSON object"
        return BiginOutcomeUnknownError(f"{what}: HTTP {answer.status}, {said}")
    return refusal(code, answer.words, call=what)


def _json_object(content: bytes) -> Json | None:
    """Return a body as a JSON object; None if it is empty, no JSON, or no object."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None
