"""job_callback, put together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from bigin_import.assembly.sandbox import Sandbox
from bigin_import.bigin.client import ONE_QUICK_TRY
from bigin_import.runtime.lambda_clock import InvocationContext, LambdaClock
from bigin_import.settings import CallbackSettings
from bigin_import.settling.receiver import Receiver


@dataclass(frozen=True)
class JobCallback:
    """The parts of job_callback."""

    settings: CallbackSettings

    @cached_property
    def sandbox(self) -> Sandbox:
        settings = self.settings
        return Sandbox(settings.bigin, settings.table, settings.collect_queue_url)

    def signing_keys(self) -> tuple[bytes, ...]:
        return self.sandbox.secrets.signing_keys(self.settings.signing_secret_arn)

    def receiver(self, context: InvocationContext) -> Receiver:
        """Return the use case for one invocation."""
        clock = LambdaClock(context)
        # Bigin waits for our answer, and the tick repeats what fails here.
        bigin = self.sandbox.bigin(clock, ONE_QUICK_TRY)
        return Receiver(
            ledger=self.sandbox.ledger,
            adopter=self.sandbox.adopter(bigin, clock, self.signing_keys()),
            clock=clock,
            observer=self.sandbox.observer,
        )
