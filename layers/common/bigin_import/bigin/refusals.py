"""Bigin's refusals of whole calls as our errors."""

from __future__ import annotations

from bigin_import.bigin.error_codes import UPLOAD, ErrorCode, Scope, of_call
from bigin_import.errors import BiginAccessError, BiginError, BiginRefusedError

_GATEWAY_AT_UPLOAD = ErrorCode(
    "HTTP 4xx",
    Scope.UPLOAD,
    "Zoho's upload host turned the file away before Bigin received it.",
    "Zoho's upload host turned the file away before Bigin received it: check the template "
    "parameters DataCenter and UploadUrl, and that the user who made the refresh token is still "
    "a member of the organisation; then drop the file again",
    concerns_mapping=False,
)
_GATEWAY_ELSEWHERE = ErrorCode(
    "HTTP 4xx",
    Scope.JOB,
    "Zoho's file host does not give this file out.",
    "Zoho's file host does not give this file out (any more): look at the job in Bigin",
    concerns_mapping=False,
)
_UNKNOWN_CODE = ErrorCode(
    "",
    Scope.JOB,
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
