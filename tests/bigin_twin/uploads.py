"""Uploaded files: the checks of the upload call, and what it keeps."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from tests.bigin_twin.answers import RefusedError, success

MOST_BYTES = 25_000_000
FIRST_FILE_ID = 111_111_000_000_500_001


@dataclass(slots=True)
class Upload:
    """A stored zip. *uses* counts the jobs that were made from it."""

    file_id: str
    name: str
    archive: bytes
    zgid: str
    uses: int = 0


@dataclass(frozen=True, slots=True)
class UploadCall:
    """What the upload endpoint receives; None is a header or a form part that is missing."""

    feature: str | None
    org: str | None
    name: str | None
    archive: bytes | None


class Uploads:
    """All uploads, by file id."""

    def __init__(self) -> None:
        self._files: dict[str, Upload] = {}

    def __getitem__(self, file_id: str) -> Upload:
        """Return an upload; RefusedError INVALID_FILE_ID if there is none."""
        if file_id not in self._files:
            raise RefusedError("INVALID_FILE_ID")
        return self._files[file_id]

    def store(
        self, call: UploadCall, now: float, *, zgid: str, errors: Literal["200", "4xx"]
    ) -> dict[str, Any]:
        """
        Check and keep an upload to the organisation *zgid*; return the answer.

        Raises:
            RefusedError: As the upload page documents it, with the status that *errors* asks for.
        """
        try:
            archive = self._checked(call, zgid, older_wording=errors == "200")
        except RefusedError as refusal:
            refusal.body["details"] = {"created_time": iso_time(now)}
            refusal.status = 200 if errors == "200" else refusal.status
            raise
        file_id = str(FIRST_FILE_ID + len(self._files))
        self._files[file_id] = Upload(file_id, call.name or "", archive, zgid)
        details = {"file_id": file_id, "created_time": iso_time(now)}
        return success("FILE_UPLOAD_SUCCESS", "file uploaded.", details)

    def _checked(self, call: UploadCall, zgid: str, *, older_wording: bool) -> bytes:
        if call.feature is None:
            raise _missing("feature")
        if call.feature != "bulk-write":
            raise RefusedError("NOT_SUPPORTED_FEATURE")
        if call.org is None:
            raise _missing("x-crm-org")
        if call.org != zgid:
            raise RefusedError("INVALID_DATA", "Invalid data - x-crm-org")
        if call.archive is None:
            raise _missing("file")
        if len(call.archive) > MOST_BYTES:
            raise _too_large(older_wording=older_wording)
        if not zipfile.is_zipfile(io.BytesIO(call.archive)):
            raise RefusedError("INVALID_FILE_FORMAT")
        return call.archive


def iso_time(now: float) -> str:
    """Return a time as Bigin writes it: whole seconds with an offset."""
    return datetime.fromtimestamp(int(now), UTC).isoformat()


def _missing(key: str) -> RefusedError:
    return RefusedError("MANDATORY_NOT_FOUND", f"Required key {key} is not available")


def _too_large(*, older_wording: bool) -> RefusedError:
    if older_wording:
        return RefusedError("FILE_TOO_LARGE")
    return RefusedError("INVALID_DATA", "Import file size should be less than 25 mb.")
