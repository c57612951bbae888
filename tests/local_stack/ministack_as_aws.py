"""
Start MiniStack, mended where it does other than AWS in something this application relies on.

Runs in MiniStack's own environment, as a script. Delete a mend when a newer MiniStack has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ministack import app  # type: ignore[import-not-found]  # only in its own environment
from ministack.core import (  # type: ignore[import-not-found]  # only in its own environment
    lambda_runtime,
)
from ministack.services import (  # type: ignore[import-not-found]  # only in its own environment
    cloudformation,
    lambda_svc,
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


type KillWorkers = Callable[[Iterable[Any]], None]
type ReleaseWorker = Callable[[Any], None]


def runs_to_their_end(
    kill_workers: KillWorkers, release_worker: ReleaseWorker
) -> tuple[KillWorkers, ReleaseWorker]:
    """
    Let a run under way end with the code that it began with; 1.5.33 kills it when that changes.

    AWS: UpdateFunctionCode is for later invocations; an execution environment ends between two.
    """
    outdated: set[Any] = set()

    def kill(workers: Iterable[Any]) -> None:
        found = list(workers)
        outdated.update(worker for worker in found if worker.in_use)
        kill_workers([worker for worker in found if not worker.in_use])

    def release(worker: Any) -> None:  # noqa: ANN401 - only in its own environment
        release_worker(worker)
        if worker in outdated:
            outdated.remove(worker)
            kill_workers([worker])

    return kill, release


if __name__ == "__main__":
    lambda_runtime.kill_workers, lambda_svc.release_worker = runs_to_their_end(
        lambda_runtime.kill_workers, lambda_svc.release_worker
    )
    stacks._validation_errors = import_of_buckets(stacks._validation_errors)
    s3._get_object = ranges_of_versions(s3._get_object)
    app.main()
