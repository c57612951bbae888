"""job_callback, put together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from bigin_import.assembly.container import Container
from bigin_import.bigin.client import ONE_QUICK_TRY
from bigin_import.lambda_runtime import InvocationContext, LambdaClock
from bigin_import.settings import CallbackSettings
from bigin_import.settling.callback import CallbackRecorder, RefusedCallbacks


@dataclass(frozen=True)
class JobCallback:
    """The parts of job_callback."""

    settings: CallbackSettings

    @cached_property
    def container(self) -> Container:
        settings = self.settings
        return Container(settings.bigin, settings.table, settings.collect_queue_url)

    @cached_property
    def _refused_callbacks(self) -> RefusedCallbacks:
        return RefusedCallbacks(telemetry=self.container.telemetry)

    def record_refused(self, context: InvocationContext, address: str | None) -> None:
        """Record that *address* sent a callback with a wrong signature."""
        self._refused_callbacks.record(address, LambdaClock(context).now())

    def read_signing_keys(self) -> tuple[bytes, ...]:
        return self.container.secrets.read_signing_keys(self.settings.signing_secret_arn)

    def callback_recorder(self, context: InvocationContext) -> CallbackRecorder:
        """Return the use case for one invocation."""
        clock = LambdaClock(context)
        # Bigin waits for our answer, and the tick repeats what fails here.
        bigin = self.container.bigin(clock, ONE_QUICK_TRY)
        return CallbackRecorder(
            ledger=self.container.ledger,
            job_matcher=self.container.job_matcher(bigin, clock, self.read_signing_keys()),
            clock=clock,
            telemetry=self.container.telemetry,
        )
