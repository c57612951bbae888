"""The Zoho secret: read strictly, never shown."""

from __future__ import annotations

import json
import traceback

import pytest

from bigin_import.bigin.auth import Credentials
from bigin_import.errors import SettingsError

SECRET = {"client_id": "1000.PLANTED1", "client_secret": "PLANTED2", "refresh_token": "PLANTED3"}


def test_the_secret_is_read_without_stray_blanks() -> None:
    text = json.dumps({**SECRET, "refresh_token": " PLANTED3\n", "note": "ours"})

    assert Credentials.from_json(text) == Credentials("1000.PLANTED1", "PLANTED2", "PLANTED3")


def test_credentials_do_not_show_themselves() -> None:
    assert "PLANTED" not in repr(Credentials.from_json(json.dumps(SECRET)))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("PLANTED", "not a JSON object"),
        ('"PLANTED"', "not a JSON object"),
        ('{"client_id": "PLANTED"', "not a JSON object"),
        ('{"client_id": "PLANTED"}', "client_secret, refresh_token"),
        (json.dumps({**SECRET, "client_secret": " "}), "client_secret"),
        (json.dumps({**SECRET, "refresh_token": 7}), "refresh_token"),
    ],
)
def test_a_bad_secret_is_named_but_not_shown(text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        Credentials.from_json(text)

    assert "PLANTED" not in "".join(traceback.format_exception(caught.value))
