"""How this Bigin behaves where the documentation leaves a choice, and how fast it is."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

type Seconds = float


class Settings(BaseModel):
    """
    Standing behaviour; `changed` gives a copy with other values, checked.

    Attributes:
        public_url: Base of `api_domain` and of absolute download URLs.
        upload_seconds, create_seconds, call_seconds: Time an answer takes; the server waits it.
        added_seconds: Time a job stays ADDED.
        job_seconds, row_seconds: Time it is INPROGRESS: once, and for each row.
        create_late_seconds: The job comes into being this long after its create call.
        daily_credits: Budget of any 24 hours.
        create_credits: Price of a bulk write job.
        parallel_calls: Calls answered side by side; more are refused with 429.
        token_seconds: Life of an access token.
        token_host: The one host at which the token endpoint knows the client; "" for any. Each
            data centre of Zoho's knows its own clients.
        missing_scopes: Of all scopes, those that the client was not given.
        upload_errors: "200" as Bigin v1 documents them, "4xx" as CRM v8 does.
        download_url: Form of `result.download_url`.
        in_progress: Spelling of the state; samples and prose of the documentation differ.
        status_case: Letter case of STATUS in result files.
        result_rows: Whether result files list every row or only the unsuccessful ones.
        result_order: Order of the rows in result files.
        result_name: Of the file in a result zip: "file" as documented, after the CSV that was
            sent; "bulkwrite" as in the documentation's example.
        echo_callback: Whether job details show the callback.
        single_use_files: A file_id serves one job only.
        default_date_format, default_datetime_format: Of mapped columns without a `format`.
        honour_format: False: `format` is accepted and ignored.
        refused_cells: Text -> code: a cell with this text has its row skipped with this code,
            such as BLOCKED_RECORD or NOT_APPROVED.
        layout_mandatory: Module -> fields that are mandatory on its layout, unseen by metadata.
        callback_when: "before_completed": half-way through; "before_answer": as the job is made.
        callback_times: How often a finished job is reported; early modes count as the first.
        allow_http_callback: Accept callback URLs that are not https.
        probe_callback: POST an empty body to the URL when a job is created, refuse if it fails.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    public_url: str = "https://www.zohoapis.com"
    upload_seconds: Seconds = 0
    create_seconds: Seconds = 0
    call_seconds: Seconds = 0
    added_seconds: Seconds = 0.2
    job_seconds: Seconds = 0.5
    row_seconds: Seconds = 0
    create_late_seconds: Seconds = 0
    daily_credits: int = 51_250  # Express: 50,000 and 250 for each of five users
    create_credits: int = 500
    parallel_calls: int = 10
    missing_scopes: tuple[str, ...] = ()
    token_seconds: int = 3600
    token_host: str = ""
    upload_errors: Literal["200", "4xx"] = "200"
    download_url: Literal["relative", "absolute"] = "absolute"
    in_progress: Literal["INPROGRESS", "IN PROGRESS"] = "INPROGRESS"
    status_case: Literal["upper", "lower"] = "upper"
    result_rows: Literal["all", "unsuccessful"] = "all"
    result_order: Literal["file", "shuffled"] = "file"
    result_name: Literal["file", "bulkwrite"] = "file"
    echo_callback: bool = True
    single_use_files: bool = False
    default_date_format: str = "MM/dd/yyyy"
    default_datetime_format: str = "MM/dd/yyyy HH:mm:ss"
    honour_format: bool = True
    refused_cells: dict[str, str] = {}
    layout_mandatory: dict[str, tuple[str, ...]] = {}
    callback_when: Literal["completed", "before_completed", "before_answer", "never"] = "completed"
    callback_body: Literal["json", "form", "empty", "no_id", "other_keys"] = "json"
    callback_times: int = 1
    callback_delay_seconds: Seconds = 0
    allow_http_callback: bool = False
    probe_callback: bool = False

    def changed(self, changes: dict[str, Any]) -> Settings:
        """
        Return these settings with *changes*.

        Raises:
            pydantic.ValidationError: An unknown name or a value that does not fit.
        """
        return Settings.model_validate(self.model_dump() | changes)
