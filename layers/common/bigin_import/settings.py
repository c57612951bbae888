"""What each function reads from its environment; `template.yaml` writes exactly these names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from typing import Self, get_type_hints

from bigin_import.errors import SettingsError

# Where the variable is not called as the attribute is.
_VARIABLES = {
    "bucket": "BUCKET_NAME",
    "table": "TABLE_NAME",
    "data_center": "BIGIN_DATA_CENTER",
    "accounts_url": "BIGIN_ACCOUNTS_URL",
    "api_url": "BIGIN_API_URL",
    "upload_url": "BIGIN_UPLOAD_URL",
}


class _Settings:
    """What one function reads: an attribute with a default may be missing or empty."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """
        Read every attribute from the variable that is called like it.

        Raises:
            SettingsError: One is missing, or is no number where it must be one.
        """
        assert is_dataclass(cls)  # noqa: S101  # for mypy
        kinds = get_type_hints(cls)
        return cls(**{each.name: _read(each, kinds[each.name], env) for each in fields(cls)})


def _read(attribute: Field[object], kind: type, env: Mapping[str, str]) -> object:
    if issubclass(kind, _Settings):
        return kind.from_env(env)
    name = _VARIABLES.get(attribute.name, attribute.name.upper())
    value = env.get(name, "")
    if not value and attribute.default is MISSING:
        raise SettingsError(f"{name} is not set; deploy template.yaml again")
    if kind is not int:
        return value
    if not value.isascii() or not value.isdecimal():
        raise SettingsError(f"{name} must be a whole number, not {value!r}")
    return int(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class BiginSettings(_Settings):
    """
    Where Bigin is and how we get in.

    Attributes:
        data_center: One of `bigin.datacenters`: US, EU, AU, IN, CN, JP, SA, CA, UK, AE.
        accounts_url, api_url, upload_url: Override the data centre's base URL if not empty.
        zoho_secret_arn: Secret with the JSON keys client_id, client_secret, refresh_token.
        token_secret_arn: Secret of the stack with the access token that all functions share.
    """

    data_center: str
    accounts_url: str = ""
    api_url: str = ""
    upload_url: str = ""
    zoho_secret_arn: str
    token_secret_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSettings(_Settings):
    """
    Settings of import_csv.

    Attributes:
        callback_url: Base of the callback: everything before /{import_id}.
        default_encoding: Tried when a drop is neither UTF-8 nor described by its mapping.
        max_parallel_calls: Calls to Bigin side by side, after the first create.
        unknown_create_minutes: How long an unanswered create is waited for before a second.
    """

    bigin: BiginSettings
    bucket: str
    table: str
    collect_queue_url: str
    callback_url: str
    signing_secret_arn: str
    default_encoding: str = ""
    max_parallel_calls: int
    mapping_wait_minutes: int
    unknown_create_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackSettings(_Settings):
    """Settings of job_callback."""

    bigin: BiginSettings
    table: str
    collect_queue_url: str
    signing_secret_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleSettings(_Settings):
    """
    Settings of settle_jobs.

    Attributes:
        failure_queue_url: Where Lambda puts events that import_csv failed on.
        default_encoding: As import_csv has it; suggestions read drops too.
        signing_secret_arn: To know our own address in what Bigin says of a job.
        job_deadline_hours: A job that Bigin has not finished by then is given up.
        hold_days: A held part that nobody decided about is given up after this.
        keep_days: How long closed items stay in the table.
    """

    bigin: BiginSettings
    bucket: str
    table: str
    collect_queue_url: str
    failure_queue_url: str
    topic_arn: str
    import_function: str
    signing_secret_arn: str
    default_encoding: str = ""
    mapping_wait_minutes: int
    mapping_notice_minutes: int
    job_deadline_hours: int
    hold_days: int
    keep_days: int
