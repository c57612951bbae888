"""What each function reads from its environment; `template.yaml` writes exactly these names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bigin_import.errors import SettingsError


@dataclass(frozen=True, slots=True)
class BiginSettings:
    """
    Where Bigin is and how we get in.

    Attributes:
        data_center: One of `bigin.datacenters`: US, EU, AU, IN, CN, JP, SA, CA, UK, AE.
        accounts_url, api_url, upload_url: Override the data centre's base URL if not empty.
        zoho_secret_arn: Secret with the JSON keys client_id, client_secret, refresh_token.
    """

    data_center: str
    accounts_url: str
    api_url: str
    upload_url: str
    zoho_secret_arn: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> BiginSettings:
        return cls(
            data_center=_text(env, "BIGIN_DATA_CENTER"),
            accounts_url=env.get("BIGIN_ACCOUNTS_URL", ""),
            api_url=env.get("BIGIN_API_URL", ""),
            upload_url=env.get("BIGIN_UPLOAD_URL", ""),
            zoho_secret_arn=_text(env, "ZOHO_SECRET_ARN"),
        )


@dataclass(frozen=True, slots=True)
class ImportSettings:
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
    default_encoding: str
    max_parallel_calls: int
    mapping_wait_minutes: int
    unknown_create_minutes: int

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> ImportSettings:
        return cls(
            bigin=BiginSettings.from_env(env),
            bucket=_text(env, "BUCKET_NAME"),
            table=_text(env, "TABLE_NAME"),
            collect_queue_url=_text(env, "COLLECT_QUEUE_URL"),
            callback_url=_text(env, "CALLBACK_URL"),
            signing_secret_arn=_text(env, "SIGNING_SECRET_ARN"),
            default_encoding=env.get("DEFAULT_ENCODING", ""),
            max_parallel_calls=_number(env, "MAX_PARALLEL_CALLS"),
            mapping_wait_minutes=_number(env, "MAPPING_WAIT_MINUTES"),
            unknown_create_minutes=_number(env, "UNKNOWN_CREATE_MINUTES"),
        )


@dataclass(frozen=True, slots=True)
class CallbackSettings:
    """Settings of job_callback."""

    bigin: BiginSettings
    table: str
    collect_queue_url: str
    signing_secret_arn: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> CallbackSettings:
        return cls(
            bigin=BiginSettings.from_env(env),
            table=_text(env, "TABLE_NAME"),
            collect_queue_url=_text(env, "COLLECT_QUEUE_URL"),
            signing_secret_arn=_text(env, "SIGNING_SECRET_ARN"),
        )


@dataclass(frozen=True, slots=True)
class SettleSettings:
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
    default_encoding: str
    mapping_wait_minutes: int
    job_deadline_hours: int
    hold_days: int
    keep_days: int

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> SettleSettings:
        return cls(
            bigin=BiginSettings.from_env(env),
            bucket=_text(env, "BUCKET_NAME"),
            table=_text(env, "TABLE_NAME"),
            collect_queue_url=_text(env, "COLLECT_QUEUE_URL"),
            failure_queue_url=_text(env, "FAILURE_QUEUE_URL"),
            topic_arn=_text(env, "TOPIC_ARN"),
            import_function=_text(env, "IMPORT_FUNCTION"),
            signing_secret_arn=_text(env, "SIGNING_SECRET_ARN"),
            default_encoding=env.get("DEFAULT_ENCODING", ""),
            mapping_wait_minutes=_number(env, "MAPPING_WAIT_MINUTES"),
            job_deadline_hours=_number(env, "JOB_DEADLINE_HOURS"),
            hold_days=_number(env, "HOLD_DAYS"),
            keep_days=_number(env, "KEEP_DAYS"),
        )


def _text(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise SettingsError(f"{name} is not set; deploy template.yaml again")
    return value


def _number(env: Mapping[str, str], name: str) -> int:
    value = _text(env, name)
    if not value.isascii() or not value.isdecimal():
        raise SettingsError(f"{name} must be a whole number, not {value!r}")
    return int(value)
