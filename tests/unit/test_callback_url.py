"""The callback's address and body: what is ours, and what may be believed."""

from __future__ import annotations

import pytest

from bigin_import.callback_url import (
    MAX_BODY_BYTES,
    CallbackTarget,
    SignedCallbacks,
    read_job_id,
    same_callback_path,
    sign,
    verify,
)
from bigin_import.domain.job_request import Job, JobStatus
from bigin_import.ports import CallbackUrls

IMPORT_ID = "abcdefghijklmnopqrstuvwx23"
KEY, OLD_KEY, FOREIGN_KEY = b"current", b"previous", b"foreign"
SIGNATURE = sign(KEY, IMPORT_ID, 7, 1)


def callbacks(*keys: bytes) -> CallbackUrls:
    return SignedCallbacks("https://api.example.com/prod/v1/callback/", keys)


def test_a_signed_url_is_verified_back_to_its_attempt() -> None:
    url = callbacks(KEY, OLD_KEY).url(IMPORT_ID, 7, 1)

    base, import_id, part, attempt, signature = url.rsplit("/", 4)

    assert base == "https://api.example.com/prod/v1/callback"
    assert (import_id, part, attempt) == (IMPORT_ID, "0007", "1")
    assert verify(import_id, part, attempt, signature, [KEY]) == CallbackTarget(IMPORT_ID, 7, 1)


def test_a_signature_made_before_a_rotation_is_still_accepted() -> None:
    signature = sign(OLD_KEY, IMPORT_ID, 7, 1)

    assert verify(IMPORT_ID, "0007", "1", signature, [KEY, OLD_KEY]) is not None
    assert verify(IMPORT_ID, "0007", "1", signature, [KEY]) is None


def test_the_newest_key_signs() -> None:
    assert callbacks(KEY, OLD_KEY).url(IMPORT_ID, 7, 1).endswith(SIGNATURE)


@pytest.mark.parametrize(
    ("import_id", "part", "attempt", "signature"),
    [
        pytest.param(IMPORT_ID, "0008", "1", SIGNATURE, id="another part"),
        pytest.param(IMPORT_ID, "0007", "2", SIGNATURE, id="another attempt"),
        pytest.param("b" * 26, "0007", "1", SIGNATURE, id="another import"),
        pytest.param(IMPORT_ID, "0007", "1", "A" * 43, id="an invented signature"),
        pytest.param(IMPORT_ID, "0007", "1", "", id="no signature"),
        pytest.param(IMPORT_ID, "0007", "1", SIGNATURE + "=", id="padding"),
        pytest.param(IMPORT_ID, "0007", "1", SIGNATURE + "\n", id="a trailing newline"),
        pytest.param(IMPORT_ID, "7", "1", SIGNATURE, id="a short part"),
        pytest.param(IMPORT_ID, "٠٠٠٧", "1", SIGNATURE, id="digits of another script"),
        pytest.param(IMPORT_ID, "0007", "-1", SIGNATURE, id="a negative attempt"),
        pytest.param(IMPORT_ID.upper(), "0007", "1", SIGNATURE, id="capitals"),
        pytest.param(IMPORT_ID, "0007", "1", "é" * 43, id="not ASCII"),
    ],
)
def test_a_wrong_path_is_nobodys(import_id: str, part: str, attempt: str, signature: str) -> None:
    assert verify(import_id, part, attempt, signature, [KEY, OLD_KEY]) is None


def test_without_a_key_nothing_is_accepted() -> None:
    assert verify(IMPORT_ID, "0007", "1", SIGNATURE, []) is None


@pytest.mark.parametrize(
    ("body", "content_type", "job_id"),
    [
        (b'{"job_id": "111111000000541958"}', "application/json", "111111000000541958"),
        (b'{"id": 111111000000541958}', "application/json", "111111000000541958"),
        (b'{"details": {"id": "42"}}', None, "42"),
        (b'{"job_id": "7", "id": "8"}', "text/plain", "7"),
        (b'{"job_id": null, "id": "8"}', "application/json", "8"),
        (b'\xef\xbb\xbf{"job_id": "7"}', "application/json", "7"),
        (b"job_id=7&state=COMPLETED", "application/x-www-form-urlencoded", "7"),
        (b"id=7", None, "7"),
        (b"details.id=7", "application/json", "7"),
        (b'{"job_id": "7"}', "application/x-www-form-urlencoded", "7"),
        (b"", "application/json", None),
        (b"{", "application/json", None),
        (b"[7]", "application/json", None),
        (b'"7"', "application/json", None),
        (b'{"details": "7"}', "application/json", None),
        (b'{"job_id": true}', "application/json", None),
        (b'{"job_id": -7}', "application/json", None),
        (b'{"job_id": "../../org"}', "application/json", None),
        (b'{"job_id": "7\\n"}', "application/json", None),
        (b'{"job_id": "' + b"7" * 21 + b'"}', "application/json", None),
        (b'{"job_id": ' + b"7" * 5000 + b"}", "application/json", None),
        (b"\xff\xfe\x00", None, None),
        (b"[" * 60_000, "application/json", None),
        (b"&".join(b"a%d=1" % n for n in range(200)), "application/x-www-form-urlencoded", None),
    ],
)
def test_a_body_gives_a_job_id_or_nothing(
    body: bytes, content_type: str | None, job_id: str | None
) -> None:
    assert read_job_id(body, content_type) == job_id


def test_at_most_64_kilobytes_are_read() -> None:
    start = b'{"job_id": "7"'

    fits = start + b" " * (MAX_BODY_BYTES - len(start) - 1) + b"}"
    too_long = start + b" " * (MAX_BODY_BYTES - len(start)) + b"}"

    assert read_job_id(fits, "application/json") == "7"
    assert read_job_id(too_long, "application/json") is None


def job(callback_path: str | None) -> Job:
    return Job(job_id="1", status=JobStatus.COMPLETED, callback_path=callback_path)


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        (f"/prod/v1/callback/{IMPORT_ID}/0007/1/{SIGNATURE}", True),
        (f"/{IMPORT_ID}/0007/1/{SIGNATURE}", True),
        (f"/v1/callback/{IMPORT_ID}/0007/1/{SIGNATURE}/", True),
        (f"/v1/callback/{IMPORT_ID}/0007/1/{sign(OLD_KEY, IMPORT_ID, 7, 1)}", True),
        (f"/v1/callback/{IMPORT_ID}/0007/1/{sign(FOREIGN_KEY, IMPORT_ID, 7, 1)}", None),
        (f"/v1/callback/{IMPORT_ID}/0007/2/{SIGNATURE}", False),
        (f"/v1/callback/{IMPORT_ID}/0008/1/{sign(KEY, IMPORT_ID, 8, 1)}", False),
        (f"/v1/callback/{IMPORT_ID}/0007/1/{SIGNATURE[:-1]}", False),
        (f"/v1/callback/{IMPORT_ID}/0007/1/no-signature", False),
        ("/somebody/else", False),
        ("/\udcff\u00e9", False),
        ("", None),
        (None, None),
    ],
)
def test_an_echoed_callback_proves_whose_job_it_is(path: str | None, ours: bool | None) -> None:
    assert same_callback_path(job(path), IMPORT_ID, 7, 1, [KEY, OLD_KEY]) is ours
    assert callbacks(KEY, OLD_KEY).names(job(path), IMPORT_ID, 7, 1) is ours


def test_a_job_that_outlives_two_rotations_is_no_other_job() -> None:
    path = f"/v1/callback/{IMPORT_ID}/0007/1/{sign(b'before the previous', IMPORT_ID, 7, 1)}"

    assert same_callback_path(job(path), IMPORT_ID, 7, 1, [KEY, OLD_KEY]) is None
    assert same_callback_path(job(path), IMPORT_ID, 7, 2, [KEY, OLD_KEY]) is False


@pytest.mark.parametrize("at", range(43))
def test_a_signature_is_compared_to_its_last_character(at: int) -> None:
    other = "A" if SIGNATURE[at] != "A" else "E"  # E: the last one holds four bits alone
    changed = SIGNATURE[:at] + other + SIGNATURE[at + 1 :]

    assert verify(IMPORT_ID, "0007", "1", changed, [KEY, OLD_KEY]) is None
    echoed = job(f"/v1/callback/{IMPORT_ID}/0007/1/{changed}")
    assert same_callback_path(echoed, IMPORT_ID, 7, 1, [KEY]) is not True
