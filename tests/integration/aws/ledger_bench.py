"""The ledgers under test, each with a way to lose an answer between the table and the client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from bigin_import.aws.ledger import DynamoLedger
from bigin_import.domain.locks import Record
from bigin_import.ports import Ledger
from tests.fakes.memory_ledger import MemoryLedger
from tests.template_reading import table_definition

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

type Meanwhile = Callable[[], object]


@dataclass(frozen=True, slots=True)
class LedgerBench:
    """
    A ledger on an empty table.

    Attributes:
        lose_answer: Lose the answer to the next write, which the client then repeats; call
            the argument in between.
    """

    ledger: Ledger
    lose_answer: Callable[[Meanwhile], None]


def memory_bench() -> LedgerBench:
    """Return a ledger in memory that lets records go every way."""
    losses: list[Meanwhile] = []

    def answer_lost() -> bool:
        if not losses:
            return False
        losses.pop()()
        return True

    return LedgerBench(MemoryLedger(check=any_way, answer_lost=answer_lost), losses.append)


@contextmanager
def dynamo_bench(client: DynamoDBClient) -> Iterator[LedgerBench]:
    """Yield a ledger on a new table with template.yaml's keys; it goes at the end."""
    name = f"ledger-{uuid4().hex}"
    client.create_table(TableName=name, **table_definition())
    client.get_waiter("table_exists").wait(TableName=name)
    losses: list[Meanwhile] = []

    def repeat_once(**_: object) -> int | None:
        """Answer botocore's question whether to send a request again: yes, in 0 seconds."""
        if not losses:
            return None
        losses.pop()()
        return 0

    for operation in ("PutItem", "DeleteItem"):
        client.meta.events.register_first(
            f"needs-retry.dynamodb.{operation}",
            repeat_once,  # type: ignore[arg-type]  # the stub forgets that handlers answer
        )
    try:
        yield LedgerBench(DynamoLedger(client, name, check=any_way), losses.append)
    finally:
        client.delete_table(TableName=name)


def any_way(_old: Record | None, _new: Record) -> None:
    """Allow every write: the contract speaks of versions, not of states."""
