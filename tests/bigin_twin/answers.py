"""How Bigin says no: one exception that carries the answer, and the documented codes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

#: Code -> HTTP status and message, as the reference pages and captured answers give them.
KNOWN: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "MANDATORY_FIELDS_NOT_MAPPED": (400, "All mandatory fields are not mapped for the layout"),
        "MANDATORY_NOT_FOUND": (400, "Required key find_by is not available"),
        "INVALID_FIELD": (400, "invalid mapping. invalid api_name."),
        "INVALID_FORMAT": (400, "invalid date format"),
        "INVALID_FILE_ID": (400, "improper file id"),
        "HEADER_LIMIT_EXCEEDED": (400, "The number of mapped fields exceeds the limit of 200"),
        "COLUMN_INDEX_NOT_FOUND": (400, "column index not found"),
        "MODULE_NOT_AVAILABLE": (400, "Requested module is not available."),
        "INVALID_URL_PATTERN": (404, "Please check if the URL trying to access is a correct one"),
        "OAUTH_SCOPE_MISMATCH": (401, "invalid oauth scope to access this URL"),
        "NO_PERMISSION": (403, "Permission denied to create"),
        "INTERNAL_ERROR": (500, "Internal Server Error"),
        "INVALID_REQUEST_METHOD": (400, "The http request method type is not a valid one"),
        "AUTHORIZATION_FAILED": (400, "User does not have sufficient privilege to create."),
        "MISSING_REQUIRED_KEY": (400, "required key is not found in request body."),
        "INVALID_CALLBACK_URL": (400, "Invalid callback URL provided"),
        "INVALID_CALLBACK_METHOD": (400, "Invalid callback method provided"),
        "FILE_NOT_SUPPORTED": (400, "File not supported for bulk write"),
        "ALREADY_USED": (400, "The file id is already used"),
        "INVALID_DATA": (400, "invalid data"),
        "INVALID_REQUEST": (400, "Unable to process your request. Please verify the request."),
        "INVALID_TOKEN": (401, "invalid oauth token"),
        "AUTHENTICATION_FAILURE": (401, "Authentication failed"),
        "TOO_MANY_REQUESTS": (429, "Rate limit exceeded. Please retry after the specified time."),
        "RESOURCE_NOT_FOUND": (404, "The requested resource doesn't exist."),
        "INVALID_MODULE": (400, "the module name given seems to be invalid"),
        "REQUIRED_PARAM_MISSING": (400, "One of the expected parameter is missing"),
        "INVALID_FILE_FORMAT": (400, "invalid file format. only zip format is supported"),
        "FILE_TOO_LARGE": (413, "File size too large to process"),
        "NOT_SUPPORTED_FEATURE": (400, "Feature is not supported"),
        "LIMIT_EXCEEDED": (400, "the limit of records of one call is exceeded"),
        "DISCRETE_PAGINATION_LIMIT_EXCEEDED": (
            400,
            "You can only get the first 2000 records without using page_token param.",
        ),
        "AMBIGUITY_DURING_PROCESSING": (400, "You cannot use both page and page_token."),
        "EXPIRED_VALUE": (400, "The page_token value is expired."),
    }
)


class RefusedError(Exception):
    """
    Bigin refuses a request.

    Attributes:
        status: HTTP status of the answer.
        code: Bigin's code.
        body: The whole answer, in whichever envelope the host in question uses.
    """

    def __init__(
        self,
        code: str,
        message: str | None = None,
        *,
        status: int | None = None,
        details: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        known_status, known_message = KNOWN.get(code, (400, code))
        self.code = code
        self.status = status or known_status
        self.body: dict[str, Any] = dict(body) if body is not None else {
            "code": code,
            "details": dict(details or {}),
            "message": known_message if message is None else message,
            "status": "error",
        }  # fmt: skip
        super().__init__(f"{self.status} {code}")


def success(code: str, message: str, details: Mapping[str, Any]) -> dict[str, Any]:
    """Return the envelope of a success."""
    return {"status": "success", "code": code, "message": message, "details": dict(details)}
