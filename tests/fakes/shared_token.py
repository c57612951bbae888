"""The shared access token over fakes."""

from __future__ import annotations

from bigin_import.bigin.token_store import SharedAccessToken, TokenMemory
from bigin_import.errors import AwsError
from bigin_import.ports import Accounts, Clock, Ledger, TokenSecret
from tests.fakes.memory_ledger import MemoryLedger
from tests.fakes.memory_token_secret import MemoryTokenSecret


def shared_token(
    accounts: Accounts,
    clock: Clock,
    *,
    ledger: Ledger | None = None,
    secret: TokenSecret | None = None,
    reported: list[AwsError] | None = None,
) -> SharedAccessToken:
    """Return the token as a process of its own has it, nothing yet in its memory."""
    return SharedAccessToken(
        ledger if ledger is not None else MemoryLedger(),
        secret if secret is not None else MemoryTokenSecret(),
        accounts,
        clock,
        memory=TokenMemory(),
        report=(reported if reported is not None else []).append,
    )
