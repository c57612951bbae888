"""template.yaml writes exactly the environment that the settings read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from bigin_import.errors import SettingsError
from bigin_import.settings import CallbackSettings, ImportSettings, SettleSettings
from tests.template_reading import properties, template, transformed

READERS: dict[str, Callable[[Mapping[str, str]], Any]] = {
    "ImportCsvFunction": ImportSettings.from_env,
    "JobCallbackFunction": CallbackSettings.from_env,
    "SettleJobsFunction": SettleSettings.from_env,
}


class Recording(Mapping[str, str]):
    """An environment that remembers which names were asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def environment(function: str) -> dict[str, str]:
    """Return a function's variables as they are with every parameter left at its default."""
    written = template()["Globals"]["Function"]["Environment"]["Variables"]
    written |= properties(function)["Environment"]["Variables"]
    return {name: resolved(value) for name, value in written.items()}


def resolved(value: object) -> str:
    match value:
        case {"Ref": str(name)} if name in template()["Parameters"]:
            return str(template()["Parameters"][name].get("Default", f"value of {name}"))
        case dict():
            return f"value of {value}"
    return str(value)


@pytest.mark.parametrize("function", READERS)
def test_settings_can_be_read_from_what_the_template_writes(function: str) -> None:
    settings = READERS[function](environment(function))

    assert settings.bigin.data_center == "US"
    assert settings.bigin.api_url == ""
    assert "LedgerTable" in settings.table


@pytest.mark.parametrize("function", READERS)
def test_the_template_writes_no_variable_that_nobody_reads(function: str) -> None:
    variables = Recording(environment(function))

    READERS[function](variables)

    ours = {name for name in variables if not name.startswith("POWERTOOLS_")}
    assert ours == variables.asked


@pytest.mark.parametrize("function", READERS)
def test_a_variable_that_is_missing_is_named(function: str) -> None:
    variables = environment(function)
    del variables["TABLE_NAME"]

    with pytest.raises(SettingsError, match="TABLE_NAME is not set"):
        READERS[function](variables)


def test_parameters_reach_the_settings_they_are_named_after() -> None:
    importing = ImportSettings.from_env(environment("ImportCsvFunction"))
    settling = SettleSettings.from_env(environment("SettleJobsFunction"))

    assert (importing.max_parallel_calls, importing.unknown_create_minutes) == (3, 60)
    assert importing.mapping_wait_minutes == settling.mapping_wait_minutes == 60
    assert settling.mapping_notice_minutes == 2
    assert importing.default_encoding == ""
    assert importing.callback_url.endswith("/live/v1/callback'}")
    assert (settling.job_deadline_hours, settling.hold_days, settling.keep_days) == (24, 14, 90)
    assert "ImportCsvFunction" in settling.import_function


def test_no_function_has_an_alias() -> None:
    """SAM publishes a version only for new code: an alias would keep the old settings."""
    kinds = {each["Type"] for each in transformed()["Resources"].values()}

    assert "AWS::Lambda::Function" in kinds
    assert kinds.isdisjoint({"AWS::Lambda::Alias", "AWS::Lambda::Version"})


def test_only_import_csv_knows_the_callback_url() -> None:
    """job_callback is named by the API; knowing the API in turn would be a cycle."""
    knowing = [name for name in READERS if "CALLBACK_URL" in environment(name)]

    assert knowing == ["ImportCsvFunction"]


ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:"


@pytest.mark.parametrize(
    ("arn", "is_taken"),
    [
        (f"{ARN}zoho-a1B2c3", True),
        (f"{ARN}apps/zoho_client+1=2.3@4-AbCdEf", True),
        ("arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:zoho-a1B2c3", True),
        (f"{ARN}zoho", False),
        (f"{ARN}zoho-a1B2c3-??????", False),
        (f"{ARN}a1B2c3", False),
        ("zoho-a1B2c3", False),
    ],
)
def test_the_arn_of_the_zoho_secret_is_taken_only_whole(arn: str, is_taken: bool) -> None:
    """Without its last six characters it names nothing in a policy; reading would be forbidden."""
    pattern = template()["Parameters"]["ZohoSecretArn"]["AllowedPattern"]

    # CloudFormation matches the entire value, anchors or not.
    assert bool(re.fullmatch(pattern, arn)) is is_taken


@pytest.mark.parametrize("name", ["AccountsUrl", "ApiUrl", "UploadUrl"])
@pytest.mark.parametrize(
    ("url", "is_taken"),
    [
        ("", True),
        ("https://accounts.zoho.eu", True),
        ("https://localhost:8443/prefix", True),
        ("http://accounts.zoho.eu", False),
        ("HTTP://accounts.zoho.eu", False),
        ("accounts.zoho.eu", False),
        ("https://", False),
        ("https://accounts.zoho.eu@elsewhere.example", False),
        ("ftp://https://accounts.zoho.eu", False),
    ],
)
def test_tokens_and_rows_go_over_tls_only(name: str, url: str, is_taken: bool) -> None:
    pattern = template()["Parameters"][name]["AllowedPattern"]

    assert bool(re.fullmatch(pattern, url)) is is_taken
