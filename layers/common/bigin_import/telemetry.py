"""What operators hear of the same way wherever it happens: Bigin's errors, and bugs of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bigin_import.domain.edges import ForbiddenEdgeError, check_edge
from bigin_import.domain.locks import Record
from bigin_import.errors import (
    AwsError,
    AwsRefusedError,
    BiginAccessError,
    BiginError,
    BiginRefusedError,
    UnreadableItemError,
)
from bigin_import.ports import Telemetry


def report_bigin_error(telemetry: Telemetry, exc: BiginError, **facts: str | float | None) -> None:
    """
    Report that a call to Bigin failed.

    Without access nothing at all goes on, so that rings an alarm of its own.
    """
    code = exc.code if isinstance(exc, BiginAccessError | BiginRefusedError) else type(exc).__name__
    telemetry.emit("bigin_failed", code=code, **facts)
    if isinstance(exc, BiginAccessError):
        telemetry.emit("token_refused", code=code)


def report_aws_error(telemetry: Telemetry, exc: AwsError, **facts: str | float | None) -> None:
    """
    Report that a call to AWS failed.

    An outage passes; what AWS refuses waits for a person, so that rings an alarm of its own.
    """
    call = {"service": exc.service, "operation": exc.operation, "code": exc.code}
    telemetry.emit("aws_failed", **call, **facts)
    if isinstance(exc, AwsRefusedError):
        telemetry.emit("aws_refused", **call, **facts)


@contextmanager
def report_if_refused(telemetry: Telemetry, **facts: str | float | None) -> Iterator[None]:
    """Go on without what AWS refuses to do in this block, once a person has been called."""
    try:
        yield
    except AwsRefusedError as exc:
        report_aws_error(telemetry, exc, **facts)


def report_unreadable_item(telemetry: Telemetry, exc: UnreadableItemError) -> None:
    """Ring for an item of another release: it waits until a release that knows it is back."""
    telemetry.emit("item_unreadable", item=f"{exc.pk} {exc.sk}")


def report_forbidden_edge(telemetry: Telemetry, old: Record | None, new: Record) -> None:
    """
    Check that *new* may follow *old*, and ring an alarm if it may not.

    Raises:
        ForbiddenEdgeError: It may not.
    """
    try:
        check_edge(old, new)
    except ForbiddenEdgeError as exc:
        telemetry.emit("forbidden_edge", item=exc.item, old=exc.old, new=exc.new)
        raise
