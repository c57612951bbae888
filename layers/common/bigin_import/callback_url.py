"""
The callback: an address for each attempt that nobody can guess, and what may be read from a POST.

The address is {base}/{import_id}/{part}/{attempt}/{signature}. Bigin signs nothing itself and
its callback's body is undocumented, so the signature says which attempt a call is about, and the
body is only a hint at the job's id.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from bigin_import.domain.job_request import Job

MAX_BODY_BYTES = 65_536  # the body is undocumented, but to report one job takes far less
MAX_FORM_FIELDS = 100

_IMPORT_ID = re.compile(r"[0-9a-z]{26}", re.ASCII)
_PART = re.compile(r"[0-9]{4}", re.ASCII)
_ATTEMPT = re.compile(r"[0-9]{1,2}", re.ASCII)
_SIGNATURE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_JOB_ID = re.compile(r"[0-9]{1,20}", re.ASCII)
_SIGNED_SEGMENTS = 4

NOBODY = "0" * 26
"""In place of an import's id, which is a hash, where `bigin-drop doctor` tries the address."""


@dataclass(frozen=True, slots=True)
class CallbackTarget:
    """The attempt that a callback with a valid signature is about."""

    import_id: str
    part: int
    attempt: int


class SignedCallbacks:
    """
    The port CallbackUrls.

    Args:
        base_url: Everything before /{import_id}.
        keys: Signing keys, the current one first: it signs, all of them are accepted.
    """

    def __init__(self, base_url: str, keys: Sequence[bytes]) -> None:
        self._base_url = base_url.rstrip("/")
        self._keys = tuple(keys)

    def url(self, import_id: str, part: int, attempt: int) -> str:
        return f"{self._base_url}/{_signed_path(self._keys[0], import_id, part, attempt)}"

    def names(self, job: Job, import_id: str, part: int, attempt: int) -> bool | None:
        return same_callback_path(job, import_id, part, attempt, self._keys)


def sign(key: bytes, import_id: str, part: int, attempt: int) -> str:
    """Return the signature of one attempt: base64url without padding, 43 characters."""
    message = f"v1|{import_id}|{part}|{attempt}".encode()
    digest = hmac.digest(key, message, hashlib.sha256)
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def verify(
    import_id: str, part: str, attempt: str, signature: str, keys: Sequence[bytes]
) -> CallbackTarget | None:
    """
    Return what a callback's path is about, or None if it is not one of ours.

    Args:
        import_id, part, attempt, signature: The path's segments as they came.
        keys: AWSCURRENT and, while it lives, AWSPREVIOUS: a job may outlive a rotation.
    """
    well_formed = (
        _IMPORT_ID.fullmatch(import_id)
        and _PART.fullmatch(part)
        and _ATTEMPT.fullmatch(attempt)
        and _SIGNATURE.fullmatch(signature)
    )
    if not well_formed:
        return None
    target = CallbackTarget(import_id, int(part), int(attempt))
    expected = [sign(key, target.import_id, target.part, target.attempt) for key in keys]
    return target if _equals_any(signature, expected) else None


def same_callback_path(
    job: Job, import_id: str, part: int, attempt: int, keys: Sequence[bytes]
) -> bool | None:
    """
    Return whether *job* reports to this attempt's address, or None if that cannot be said.

    It cannot if Bigin echoed no address, or one of this attempt whose signature none of the keys
    made: after two rotations the key that made it is gone, and the job as good as before. Host
    and stage are ignored: a custom domain in front of the API changes both.
    """
    if not job.callback_path:
        return None
    *named, signature = job.callback_path.rstrip("/").split("/")[-_SIGNED_SEGMENTS:]
    if "/".join(named) != _named_path(import_id, part, attempt):
        return False
    signed = _equals_any(signature, [sign(key, import_id, part, attempt) for key in keys])
    return signed or (None if _SIGNATURE.fullmatch(signature) else False)


def read_job_id(body: bytes, content_type: str | None) -> str | None:
    """
    Return the job id that a callback's body names, or None.

    JSON and form posts are read, whatever the content type claims; anything else, and a body
    over 64 KB, is nonsense and says nothing. The id is a hint: ask Bigin before believing it.
    """
    if len(body) > MAX_BODY_BYTES:
        return None
    readers = [_json_values, _form_values]
    if content_type and "form" in content_type.lower():
        readers.reverse()
    ids = (_digits(value) for read in readers for value in read(body))
    return next((job_id for job_id in ids if job_id), None)


def _signed_path(key: bytes, import_id: str, part: int, attempt: int) -> str:
    named = _named_path(import_id, part, attempt)
    return f"{named}/{sign(key, import_id, part, attempt)}"


def _named_path(import_id: str, part: int, attempt: int) -> str:
    return f"{import_id}/{part:04d}/{attempt}"


def _equals_any(given: str, expected: Sequence[str]) -> bool:
    """Compare in constant time: how long it takes says nothing about where they differ."""
    seen = given.encode("utf-8", "surrogateescape")
    return any(hmac.compare_digest(seen, one.encode("ascii")) for one in expected)


def _json_values(body: bytes) -> Iterator[object]:
    """Yield what stands where a job id may stand; nothing if the body is no JSON object."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):  # RecursionError: 60,000 opening brackets
        return
    if isinstance(answer, dict):
        yield answer.get("job_id")
        yield answer.get("id")
        details = answer.get("details")
        if isinstance(details, dict):
            yield details.get("id")


def _form_values(body: bytes) -> Iterator[object]:
    try:
        fields = dict(parse_qsl(body.decode("utf-8"), max_num_fields=MAX_FORM_FIELDS))
    except ValueError:  # not UTF-8, or more fields than any honest form has
        return
    yield from (fields.get("job_id"), fields.get("id"), fields.get("details.id"))


def _digits(value: object) -> str | None:
    """Return an id as text; ids come as strings, and as numbers from some senders."""
    text = str(value) if isinstance(value, (str, int)) else ""
    return text if _JOB_ID.fullmatch(text) else None
