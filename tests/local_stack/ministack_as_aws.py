"""
Start MiniStack, mended where it does other than AWS in something this application relies on.

Runs in MiniStack's own environment, as a script. Delete a mend when a newer MiniStack has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ministack import app  # type: ignore[import-not-found]  # only in its own environment
from ministack.services import (  # type: ignore[import-not-found]  # only in its own environment
    cloudformation,
    s3,
)
from ministack.services.cloudformation import (  # type: ignore[import-not-found]  # as above
    stacks,
)

CHECKSUM = "x-amz-checksum-"

type Answer = tuple[int, dict[str, str], bytes]
type GetObject = Callable[..., Answer]


def ranges_of_versions(get_object: GetObject) -> GetObject:
    """
    Answer a ranged GET of a version with that range; 1.5.33 sends the whole version.

    AWS: GetObject, request header Range and parameter versionId may be used together.
    """

    def get(
        bucket: str, key: str, headers: Mapping[str, str], query: Mapping[str, Any] | None = None
    ) -> Answer:
        status, answer_headers, body = get_object(bucket, key, headers, query)
        wanted = headers.get("range", "")
        if status == 200 and wanted and (query or {}).get("versionId"):
            return _slice(wanted, answer_headers, body)
        return status, answer_headers, body

    return get


def _slice(wanted: str, headers: dict[str, str], body: bytes) -> Answer:
    found = s3._parse_range(wanted, len(body))
    if found is None:
        refused = {"Content-Type": "application/xml", "Content-Range": f"bytes */{len(body)}"}
        return 416, refused, b"<Error><Code>InvalidRange</Code></Error>"
    start, end = found
    part = body[start : end + 1]
    span = {
        "Content-Length": str(len(part)),
        "Content-Range": f"bytes {start}-{end}/{len(body)}",
    }
    # The checksum is of the whole object; S3 sends none with a part of it.
    kept = {name: headers[name] for name in headers if not name.lower().startswith(CHECKSUM)}
    return 206, kept | span, part


type FindErrors = Callable[..., list[tuple[str, ...]]]


def import_of_buckets(find_errors: FindErrors) -> FindErrors:
    """
    Take a bucket that a new stack imports for no conflict of names; 1.5.33 refuses the stack.

    AWS: CreateChangeSet's ImportExistingResources is there to avoid that conflict.
    """

    def errors(*arguments: Any) -> list[tuple[str, ...]]:  # noqa: ANN401 - as they come
        stack_id = arguments[6]
        imported = {
            name
            for change_set in cloudformation._change_sets.values()
            if change_set["StackId"] == stack_id
            for name in change_set["_import_existing"]
        }
        return [error for error in find_errors(*arguments) if error[0] not in imported]

    return errors


if __name__ == "__main__":
    stacks._validation_errors = import_of_buckets(stacks._validation_errors)
    s3._get_object = ranges_of_versions(s3._get_object)
    app.main()
