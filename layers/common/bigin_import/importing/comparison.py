"""Is the job that Bigin made the one we asked for? Pure."""

from __future__ import annotations

from collections.abc import Iterator

from bigin_import.models import FieldMapping, Job, JobRequest


def contradictions(job: Job, request: JobRequest, callback_matches: bool | None) -> tuple[str, ...]:
    """
    Say in which points *job* is not what *request* asked for.

    What Bigin did not send back is no contradiction: its answers leave keys out at will.

    Args:
        callback_matches: Whether the echoed callback is ours; None if nothing was echoed.
    """
    return tuple(_contradictions(job, request, callback_matches))


def _contradictions(job: Job, request: JobRequest, callback_matches: bool | None) -> Iterator[str]:
    if job.operation not in (None, request.operation.value):
        yield f"the operation is {job.operation}, we asked for {request.operation.value}"
    if job.module not in (None, request.module):
        yield f"the module is {job.module}, we asked for {request.module}"
    if job.ignore_empty not in (None, request.ignore_empty):
        yield f"ignore_empty is {job.ignore_empty}, we asked for {request.ignore_empty}"
    if callback_matches is False:
        yield "the callback is not the one we gave"
    if job.mappings is not None:
        yield from _of_mappings(job.mappings, request.field_mappings)


def _of_mappings(theirs: frozenset[FieldMapping], ours: tuple[FieldMapping, ...]) -> Iterator[str]:
    by_name = {mapping.api_name: mapping for mapping in theirs}
    for wanted in ours:
        found = by_name.pop(wanted.api_name, None)
        if found is None:
            yield f"field {wanted.api_name} is not mapped"
        else:
            yield from _of_field(found, wanted)
    yield from (f"field {name} is mapped, we did not ask for it" for name in sorted(by_name))


def _of_field(found: FieldMapping, wanted: FieldMapping) -> Iterator[str]:
    for key in ("index", "find_by", "format", "default_value"):
        theirs, ours = getattr(found, key), getattr(wanted, key)
        if theirs is not None and theirs != ours:
            yield f"{key} of field {wanted.api_name} is {theirs!r}, we asked for {ours!r}"
