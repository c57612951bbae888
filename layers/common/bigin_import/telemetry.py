"""Bigin's errors as operators hear of them: by code, and louder where it does not let us in."""

from __future__ import annotations

from bigin_import.errors import BiginAccessError, BiginError, BiginRefusedError
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
