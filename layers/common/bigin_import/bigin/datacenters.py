"""
Zoho's data centres: where accounts, API and file upload live. Checked in November 2026.

US EU AU IN CN JP: all hosts from Bigin's own multi-DC and upload pages; certain.
SA CA: accounts and API from Bigin's multi-DC page, certain; upload from Zoho CRM's SDK 8.0, likely.
UK AE: accounts and API from lists of others, doubtful; upload by analogy with the rest, a guess.

Bigin's v2 upload page prints `www.content.zohoapis.com` in one place and, in its own sample,
`content.zohoapis.com`; the latter is what every other source has. Where a host turns out to be
wrong, the template parameters AccountsUrl, ApiUrl and UploadUrl each override one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from urllib.parse import urlsplit

from bigin_import.errors import SettingsError
from bigin_import.settings import BiginSettings


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Base URLs without a trailing slash."""

    accounts: str
    api: str
    upload: str


DATA_CENTERS = {
    name: Endpoints(f"https://{accounts}", f"https://{api}", f"https://{upload}")
    for name, accounts, api, upload in (
        ("US", "accounts.zoho.com", "www.zohoapis.com", "content.zohoapis.com"),
        ("EU", "accounts.zoho.eu", "www.zohoapis.eu", "content.zohoapis.eu"),
        ("AU", "accounts.zoho.com.au", "www.zohoapis.com.au", "content.zohoapis.com.au"),
        ("IN", "accounts.zoho.in", "www.zohoapis.in", "content.zohoapis.in"),
        ("CN", "accounts.zoho.com.cn", "www.zohoapis.com.cn", "content.zohoapis.com.cn"),
        ("JP", "accounts.zoho.jp", "www.zohoapis.jp", "content.zohoapis.jp"),
        ("SA", "accounts.zoho.sa", "www.zohoapis.sa", "files.zoho.sa"),
        ("CA", "accounts.zohocloud.ca", "www.zohoapis.ca", "upload.zohocloud.ca"),
        ("UK", "accounts.zoho.uk", "www.zohoapis.uk", "content.zohoapis.uk"),
        ("AE", "accounts.zoho.ae", "www.zohoapis.ae", "content.zohoapis.ae"),
    )
}

# Countries by their other names, so that the answer to a near miss names the right one.
_OTHER_NAMES = {"COM": "US", "USA": "US", "GB": "UK", "UAE": "AE", "KSA": "SA", "EUROPE": "EU"}

_TOP_LEVEL_DOMAINS = ("com", "eu", "com.au", "in", "com.cn", "jp", "sa", "ca", "uk", "ae")

# Row results come from a third host that no Bigin page names; these are the domains of Zoho's
# that its documentation and its SDK's samples show.
ZOHO_DOMAINS = (
    *(f"zoho.{domain}" for domain in _TOP_LEVEL_DOMAINS if domain != "ca"),
    *(f"zohoapis.{domain}" for domain in _TOP_LEVEL_DOMAINS),
    "zohocloud.ca",
    "zohocrm.com",
)


def endpoints(settings: BiginSettings) -> Endpoints:
    """
    Return the base URLs of the configured data centre, each override applied.

    Raises:
        SettingsError: No such data centre, or an override that is not a base URL.
    """
    name = settings.data_center.strip().upper()
    if name not in DATA_CENTERS:
        raise SettingsError(
            f"DataCenter (BIGIN_DATA_CENTER) {settings.data_center!r} is not a data centre of "
            f"Zoho's; did you mean {_nearest(name)}? Known are {', '.join(DATA_CENTERS)}"
        )
    known = DATA_CENTERS[name]
    return Endpoints(
        accounts=_override("AccountsUrl", "BIGIN_ACCOUNTS_URL", settings.accounts_url)
        or known.accounts,
        api=_override("ApiUrl", "BIGIN_API_URL", settings.api_url) or known.api,
        upload=_override("UploadUrl", "BIGIN_UPLOAD_URL", settings.upload_url) or known.upload,
    )


def _nearest(name: str) -> str:
    names = [*DATA_CENTERS, *_OTHER_NAMES]
    found = get_close_matches(name, names, n=1, cutoff=0.0)[0]
    return _OTHER_NAMES.get(found, found)


def _override(parameter: str, variable: str, url: str) -> str:
    """Return *url* as a base URL; it came from a parameter of the template, by a variable."""
    if not url:
        return ""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or "@" in url:
        raise SettingsError(
            f"{parameter} ({variable}) must be a base URL such as https://www.zohoapis.com, or "
            "empty for the data centre's own"
        )
    return url.rstrip("/")
