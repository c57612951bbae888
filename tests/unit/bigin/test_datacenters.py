"""Which hosts a data centre's name stands for."""

from __future__ import annotations

import pytest

from bigin_import.bigin.datacenters import DATA_CENTERS, ZOHO_DOMAINS, Endpoints, endpoints
from bigin_import.errors import SettingsError
from bigin_import.settings import BiginSettings
from tests.template_reading import template


def settings(
    data_center: str, accounts: str = "", api: str = "", upload: str = ""
) -> BiginSettings:
    return BiginSettings(
        data_center=data_center,
        accounts_url=accounts,
        api_url=api,
        upload_url=upload,
        zoho_secret_arn="arn",
        token_secret_arn="arn",
    )


@pytest.mark.parametrize(
    ("name", "accounts", "api", "upload"),
    [
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
    ],
)
def test_each_data_centre_has_its_three_hosts(
    name: str, accounts: str, api: str, upload: str
) -> None:
    expected = Endpoints(f"https://{accounts}", f"https://{api}", f"https://{upload}")

    assert endpoints(settings(name)) == endpoints(settings(f" {name.lower()} ")) == expected


@pytest.mark.parametrize("name", DATA_CENTERS)
def test_row_results_may_be_fetched_from_the_domains_of_every_data_centre(name: str) -> None:
    for url in (DATA_CENTERS[name].accounts, DATA_CENTERS[name].api, DATA_CENTERS[name].upload):
        assert url.partition("://")[2].partition(".")[2] in ZOHO_DOMAINS


def test_every_data_centre_can_be_deployed() -> None:
    allowed = template()["Parameters"]["DataCenter"]["AllowedValues"]

    assert allowed == list(DATA_CENTERS)


def test_each_base_url_can_be_overridden_alone() -> None:
    eu = DATA_CENTERS["EU"]

    accounts = endpoints(settings("EU", accounts="http://localhost:1/"))
    api = endpoints(settings("EU", api="https://api.example.com/base/"))
    upload = endpoints(settings("EU", upload="https://upload.zoho.eu"))

    assert accounts == Endpoints("http://localhost:1", eu.api, eu.upload)
    assert api == Endpoints(eu.accounts, "https://api.example.com/base", eu.upload)
    assert upload == Endpoints(eu.accounts, eu.api, "https://upload.zoho.eu")


@pytest.mark.parametrize(
    ("written", "nearest"),
    [("USA", "US"), ("com", "US"), ("EUR", "EU"), ("GB", "UK"), ("UAE", "AE"), ("INN", "IN")],
)
def test_an_unknown_data_centre_is_answered_with_the_nearest(written: str, nearest: str) -> None:
    with pytest.raises(SettingsError, match=f"DataCenter .* did you mean {nearest}\\?"):
        endpoints(settings(written))


@pytest.mark.parametrize(
    "url", ["www.zohoapis.com", "ftp://x", "https://", "https://u:p@x", "https://x/?a=b"]
)
def test_an_override_that_is_no_base_url_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"ApiUrl \(BIGIN_API_URL\)"):
        endpoints(settings("US", api=url))
