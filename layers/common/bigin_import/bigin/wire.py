"""
Bigin's JSON and our values, both ways. Nothing here sends or decides.

Answers are read with tolerance: keys go missing, numbers come as texts, `IN PROGRESS` has three
spellings. What is not there is None, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit

from bigin_import.bigin.answers import (
    Json,
    count_of,
    first_of,
    object_of,
    plain_words,
    text_of,
    truth_of,
)
from bigin_import.domain.job_request import Field, FieldMapping, Job, JobRequest, JobStatus
from bigin_import.ports import ChangedRecord

# Types that bulk write cannot fill.
UNWRITABLE_TYPES = ("formula", "autonumber", "fileupload", "imageupload", "profileimage")

_SAYS_NOTHING = ("SUCCESS", *JobStatus)


def create_body(request: JobRequest, *, file_id: str, callback_url: str) -> Json:
    """Return the body of Create Bulk Write Job, its keys in the documentation's order."""
    resource: Json = {
        "type": "data",
        "module": {"api_name": request.module},
        "file_id": file_id,
        "ignore_empty": request.ignore_empty,  # in the resource: so says Bigin's page
    }
    if request.find_by is not None:
        resource["find_by"] = _system_name(request.find_by)
    if request.field_mappings:
        resource["field_mappings"] = [_mapping_body(one) for one in request.field_mappings]
    return {
        "character_encoding": "UTF-8",
        "operation": request.operation.value,
        "callback": {"url": callback_url, "method": "post"},
        "resource": [resource],
    }


def file_id(answer: Json) -> str | None:
    """Return the id of an uploaded file: opaque, a text, never a number."""
    return text_of(object_of(answer.get("details")).get("file_id"))


def job_id(answer: Json) -> str | None:
    """Return the id of a created job, if the answer says success."""
    succeeded = "success" in (text_of(answer.get("status")) or "").lower()
    found = text_of(object_of(answer.get("details")).get("id"))
    return found if succeeded and found and found.isascii() and found.isdecimal() else None


def job(answer: Json, *, asked: str) -> Job | None:
    """Return Job Details as a value; None if the answer does not describe a job."""
    details = _unwrapped(answer)
    resource = first_of(details.get("resource"))
    file = object_of(resource.get("file"))
    status = _status(details.get("status"))
    if status is None:
        return None
    return Job(
        job_id=text_of(details.get("id")) or text_of(details.get("job_id")) or asked,
        status=status,
        operation=text_of(details.get("operation")),
        module=_name(resource.get("module")),
        file_name=text_of(file.get("name")),
        # First where it was asked for: the engine has a key of that name at the top, too.
        ignore_empty=_truth_of_first(resource.get("ignore_empty"), details.get("ignore_empty")),
        mappings=_mappings(resource.get("field_mappings")),
        callback_path=_callback_path(details),
        download_url=text_of(object_of(details.get("result")).get("download_url")),
        added=count_of(file.get("added_count")),
        updated=count_of(file.get("updated_count")),
        skipped=count_of(file.get("skipped_count")),
        total=count_of(file.get("total_count")),
        message=_message(details, resource),
        created_at=_seconds(details.get("created_time")),
        created_by=text_of(object_of(details.get("created_by")).get("name")),
    )


def fields(answer: Json) -> tuple[Field, ...] | None:
    """Return the fields of a module; None if the answer has no list of them."""
    listed = answer.get("fields")
    if not isinstance(listed, list):
        return None
    entries = [object_of(entry) for entry in listed]
    return tuple(_field(entry) for entry in entries if text_of(entry.get("api_name")))


def zgid(answer: Json) -> str | None:
    """Return the organisation's id."""
    return text_of(first_of(answer.get("org")).get("zgid"))


def time_zone(answer: Json) -> str:
    """Return the organisation's time zone; "" if the answer names none."""
    return text_of(first_of(answer.get("org")).get("time_zone")) or ""


def codes_by_id(answer: Json) -> dict[str, str]:
    """Return what Bigin did with each record, by its id; without entries that name none."""
    entries = [(entry, object_of(entry.get("details"))) for entry in listed(answer) or ()]
    codes = {text_of(details.get("id")): text_of(entry.get("code")) for entry, details in entries}
    return {record_id: code for record_id, code in codes.items() if record_id and code}


def listed(answer: Json) -> list[Json] | None:
    """Return the entries of a list of records; None if there is no list."""
    entries = answer.get("data")
    return [object_of(entry) for entry in entries] if isinstance(entries, list) else None


def next_page(answer: Json, *, number: int) -> dict[str, str] | None:
    """
    Return the parameters that ask for the page after this one, which is page *number*.

    A token where Bigin gives one: pages with a number end at 2,000 records.

    Returns:
        None if the answer leaves open if there is a next one; empty if there is none.
    """
    page = object_of(answer.get("info"))
    more = truth_of(page.get("more_records"))
    if not more:
        return None if more is None else {}
    token = text_of(page.get("next_page_token"))
    return {"page": str(number + 1)} if token is None else {"page_token": token}


def record_id(entry: Json) -> str | None:
    return text_of(entry.get("id"))


def changed_record(entry: Json) -> ChangedRecord | None:
    """Return the id and the last change of a record; None if either is missing."""
    found, modified_time = record_id(entry), _moment(entry.get("Modified_Time"))
    return ChangedRecord(found, modified_time) if found and modified_time else None


def _mapping_body(mapping: FieldMapping) -> Json:
    default = None if mapping.default_value is None else {"value": mapping.default_value}
    keys = {
        "api_name": _system_name(mapping.api_name),
        "index": mapping.index,
        "default_value": default,
        "find_by": mapping.find_by,
        "format": mapping.format,
    }
    return {key: value for key, value in keys.items() if value is not None}


def _system_name(api_name: str) -> str:
    """Bigin's update sample writes `Id`; its engine's other pages, and what was seen, `id`."""
    return "id" if api_name == "Id" else api_name


def _status(value: object) -> JobStatus | None:
    """Return a job's state; one we do not know means that the job still runs."""
    spelled = (text_of(value) or "").upper()
    for separator in " -_":
        spelled = spelled.replace(separator, "")
    if not spelled:
        return None
    return JobStatus(spelled) if spelled in JobStatus else JobStatus.IN_PROGRESS


def _mappings(value: object) -> frozenset[FieldMapping] | None:
    if not isinstance(value, list):
        return None
    return frozenset(_mapping(object_of(entry)) for entry in value)


def _mapping(entry: Json) -> FieldMapping:
    default = entry.get("default_value")
    return FieldMapping(
        api_name=_system_name(text_of(entry.get("api_name")) or ""),
        index=count_of(entry.get("index")),
        default_value=text_of(default.get("value") if isinstance(default, dict) else default),
        find_by=text_of(entry.get("find_by")),
        format=text_of(entry.get("format")),
    )


def _truth_of_first(*values: object) -> bool | None:
    return next((found for value in values if (found := truth_of(value)) is not None), None)


def _seconds(value: object) -> int | None:
    """Return an ISO time with its offset in seconds since the epoch."""
    moment = _moment(value)
    return None if moment is None else int(moment.timestamp())


def _moment(value: object) -> datetime | None:
    """Return an ISO time; None if it has no offset, for then nobody knows when it was."""
    try:
        moment = datetime.fromisoformat(text_of(value) or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _callback_path(details: Json) -> str | None:
    callback = object_of(details.get("callback") or details.get("callBack"))
    try:
        return urlsplit(text_of(callback.get("url")) or "").path or None
    except ValueError:  # no address at all
        return None


def _message(details: Json, resource: Json) -> str | None:
    """Return what Bigin says about a failure: words, or at least a code that is no state."""
    for said in (details.get("message"), resource.get("message"), resource.get("code")):
        text = text_of(said)
        if text and text.upper() not in _SAYS_NOTHING:
            return plain_words(text)
    return None


def _field(entry: Json) -> Field:
    data_type = text_of(entry.get("data_type")) or "text"
    read_only = bool(entry.get("read_only")) or bool(entry.get("field_read_only"))
    name = text_of(entry.get("api_name")) or ""
    return Field(
        api_name=name,
        label=text_of(entry.get("field_label")) or text_of(entry.get("display_label")) or name,
        data_type=data_type,
        length=count_of(entry.get("length")),
        mandatory=bool(entry.get("system_mandatory")),
        writable=not read_only and data_type not in UNWRITABLE_TYPES,
        unique=bool(entry.get("unique")),
        lookup_module=_name(object_of(entry.get("lookup")).get("module")),
        pick_list=tuple(_pick_list(entry.get("pick_list_values"))),
        display_values=tuple(_display_values(entry.get("pick_list_values"))),
        decimal_place=count_of(entry.get("decimal_place")),
    )


def _pick_list(values: object) -> Iterable[str]:
    for entry in values if isinstance(values, list) else ():
        stored = text_of(object_of(entry).get("actual_value"))
        if stored is not None:
            yield stored


def _display_values(values: object) -> Iterable[tuple[str, str]]:
    for entry in map(object_of, values if isinstance(values, list) else ()):
        stored, seen = text_of(entry.get("actual_value")), text_of(entry.get("display_value"))
        if stored is not None and seen is not None and seen != stored:
            yield seen, stored


def _unwrapped(answer: Json) -> Json:
    """Bulk read wraps its details as {"data": [...]}; the same was once prepared for write."""
    return first_of(answer["data"]) if isinstance(answer.get("data"), list) else answer


def _name(value: object) -> str | None:
    """Return a module's API name, which comes as a text or as an object."""
    return text_of(value.get("api_name") if isinstance(value, dict) else value)
