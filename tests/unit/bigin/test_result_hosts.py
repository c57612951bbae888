"""Which addresses of row results may have our token."""

from __future__ import annotations

import pytest

from bigin_import.bigin.client import ResultHosts
from bigin_import.bigin.datacenters import Endpoints
from bigin_import.errors import BiginRefusedError

HOSTS = ResultHosts(
    Endpoints(
        accounts="https://accounts.zoho.eu",
        api="https://www.zohoapis.eu",
        upload="https://content.zohoapis.eu",
    )
)
TWIN = ResultHosts(Endpoints(*["http://127.0.0.1:8500"] * 3))


@pytest.mark.parametrize(
    ("url", "resolved"),
    [
        (
            "/v7/crm/org6196138/bulk-write/1/1.zip",
            "https://www.zohoapis.eu/v7/crm/org6196138/bulk-write/1/1.zip",
        ),
        ("https://download-accl.zoho.com/v2/1.zip", "https://download-accl.zoho.com/v2/1.zip"),
        ("https://download.zohocrm.com:443/x", "https://download.zohocrm.com:443/x"),
        ("https://upload.zohocloud.ca/x", "https://upload.zohocloud.ca/x"),
        ("https://zoho.com.au/x", "https://zoho.com.au/x"),
        ("https:evil.example", "https://www.zohoapis.eu/evil.example"),  # relative, says RFC 3986
        ("HTTPS://Download.Zoho.EU/x", "https://Download.Zoho.EU/x"),
    ],
)
def test_an_address_of_zohos_is_resolved(url: str, resolved: str) -> None:
    assert HOSTS.resolve(url).replace("HTTPS", "https") == resolved


@pytest.mark.parametrize(
    "url",
    [
        "http://download.zoho.com/x",
        "https://download.zoho.com:8443/x",
        "https://user@download.zoho.com/x",
        "https://user:pass@download.zoho.com/x",
        "https://zoho.com@evil.example/x",
        "https://evil.example/x",
        "//evil.example/x",
        "https://evilzoho.com/x",
        "https://zoho.com.evil.example/x",
        "https://zoho.com\\@evil.example/x",
        "https://evil.example\\.zoho.com/x",
        "https://evil.example#.zoho.com/x",
        "https://evil.example?.zoho.com/x",
        "https://zoho.com./x",
        "https://zoho.com /x",
        "https://dоwnload.zoho.com/x",  # noqa: RUF001, RUF100  # a Cyrillic o
        "https://[::1]/x",
        "https://169.254.169.254/latest",
        "https://[/x",
        "ftp://zoho.com/x",
        "file:///etc/passwd",
        "data:text/plain,x",
        "javascript:x",
        "http://127.0.0.1:8500/x",
        "https://zoho.co/x",
    ],
)
def test_any_other_address_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(BiginRefusedError) as caught:
        HOSTS.resolve(url)

    assert caught.value.code == "RESULT_NOT_FETCHED"


@pytest.mark.parametrize("url", ["/result/1.zip", "http://127.0.0.1:8500/result/1.zip"])
def test_a_configured_base_url_is_trusted_as_it_is(url: str) -> None:
    assert TWIN.resolve(url) == "http://127.0.0.1:8500/result/1.zip"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8501/x", "http://u@127.0.0.1:8500/x"])
def test_only_the_very_base_url_is_trusted(url: str) -> None:
    with pytest.raises(BiginRefusedError):
        TWIN.resolve(url)
