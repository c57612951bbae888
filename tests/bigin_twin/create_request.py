"""The body of Create Bulk Write Job: its keys and their types, before any meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.bigin_twin.answers import RefusedError

OPERATIONS = ("insert", "update", "upsert")


@dataclass(frozen=True, slots=True)
class Callback:
    """Where the end of a job is reported."""

    url: str
    method: str = "post"


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """A body whose keys are all there and of the right type; *mappings* None if not sent."""

    operation: str
    character_encoding: str | None
    callback: Callback | None
    module: str
    file_id: str
    ignore_empty: bool
    find_by: str | None
    mappings: list[dict[str, Any]] | None


def parse_request(body: object, *, allow_http_callback: bool = False) -> CreateRequest:
    """
    Check the shape of *body*.

    Raises:
        RefusedError: INVALID_DATA, MISSING_REQUIRED_KEY, MANDATORY_NOT_FOUND (find_by),
            INVALID_CALLBACK_URL, INVALID_CALLBACK_METHOD.
    """
    if not isinstance(body, dict):
        raise wrong_type("$", "$")
    operation = _required(body, "operation", str, "$")
    if operation not in OPERATIONS:
        raise wrong_type("operation", "$.operation")
    resource = _only_resource(body)
    request = CreateRequest(
        operation=operation,
        character_encoding=_optional(body, "character_encoding", str, "$"),
        callback=_callback(body, allow_http=allow_http_callback),
        module=_module(resource),
        file_id=_required(resource, "file_id", str, "$.resource[0]"),
        ignore_empty=_ignore_empty(body, resource),
        find_by=_find_by(resource),
        mappings=_mappings(resource),
    )
    if request.find_by is None and operation != "insert":
        raise RefusedError("MANDATORY_NOT_FOUND", "Required key find_by is not available")
    return request


def wrong_type(api_name: str, json_path: str) -> RefusedError:
    """Return INVALID_DATA for a value of a wrong type or outside its range."""
    return RefusedError("INVALID_DATA", details={"api_name": api_name, "json_path": json_path})


def missing_key(message: str, json_path: str) -> RefusedError:
    """Return MISSING_REQUIRED_KEY with the place that lacks the key."""
    return RefusedError("MISSING_REQUIRED_KEY", message, details={"json_path": json_path})


def _required[T](holder: dict[str, Any], key: str, kind: type[T], place: str) -> T:
    if key not in holder:
        message = f"required key {key} is not found in request body."
        raise missing_key(message, f"{place}.{key}")
    value = holder[key]
    if not isinstance(value, kind) or value == "":
        raise wrong_type(key, f"{place}.{key}")
    return value


def _optional[T](holder: dict[str, Any], key: str, kind: type[T], place: str) -> T | None:
    return None if holder.get(key) is None else _required(holder, key, kind, place)


def _only_resource(body: dict[str, Any]) -> dict[str, Any]:
    """Return `resource[0]`. One zipped CSV per request, so one resource."""
    resources = _required(body, "resource", list, "$")
    if len(resources) != 1 or not isinstance(resources[0], dict):
        raise wrong_type("resource", "$.resource")
    resource: dict[str, Any] = resources[0]
    if _required(resource, "type", str, "$.resource[0]") != "data":
        raise wrong_type("type", "$.resource[0].type")
    return resource


def _callback(body: dict[str, Any], *, allow_http: bool) -> Callback | None:
    """Read `callback`; one documented sample spells it `callBack`."""
    key = "callBack" if "callBack" in body else "callback"
    sent = _optional(body, key, dict, "$")
    if sent is None:
        return None
    url = _required(sent, "url", str, f"$.{key}")
    if _required(sent, "method", str, f"$.{key}") != "post":
        details = {"supported_callback_methods": ["post"]}
        raise RefusedError("INVALID_CALLBACK_METHOD", details=details)
    parts = urlsplit(url)
    if parts.scheme not in (("https", "http") if allow_http else ("https",)) or not parts.hostname:
        raise RefusedError("INVALID_CALLBACK_URL")
    return Callback(url)


def _module(resource: dict[str, Any]) -> str:
    """Read `module`: the samples show an object, the parameter table a string."""
    if isinstance(resource.get("module"), str):
        return _required(resource, "module", str, "$.resource[0]")
    module = _required(resource, "module", dict, "$.resource[0]")
    return _required(module, "api_name", str, "$.resource[0].module")


def _ignore_empty(body: dict[str, Any], resource: dict[str, Any]) -> bool:
    """Read `ignore_empty` from the resource, where Bigin documents it, or the top level."""
    in_resource = _optional(resource, "ignore_empty", bool, "$.resource[0]")
    at_top = _optional(body, "ignore_empty", bool, "$")
    return bool(at_top if in_resource is None else in_resource)


def _find_by(resource: dict[str, Any]) -> str | None:
    sent = _optional(resource, "find_by", str, "$.resource[0]")
    return "id" if sent == "Id" else sent


def _mappings(resource: dict[str, Any]) -> list[dict[str, Any]] | None:
    sent = _optional(resource, "field_mappings", list, "$.resource[0]")
    for position, entry in enumerate(sent or ()):
        if not isinstance(entry, dict):
            raise wrong_type("field_mappings", f"$.resource[0].field_mappings[{position}]")
    return sent
