"""The Telemetry port: each event is one log line, and those in the table are metrics, too."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from bigin_import.domain.job_request import CREDITS_PER_JOB
from bigin_import.domain.row_result import RowStatus

CALLER_OF_EMIT: Final = 3
"""Frames between logging and the use case, whose line the log is to name."""

type Facts = Mapping[str, str | float | None]
type Reading = tuple[str, float, dict[str, str]]
"""A metric's name, its value, and its dimension, if it has one."""
type Gauge = Callable[[Facts], Iterator[Reading]]


@dataclass(frozen=True, slots=True)
class Signal:
    """How loud an event is, and what it is measured by."""

    level: int = logging.INFO
    gauges: tuple[Gauge, ...] = ()


class PowertoolsTelemetry:
    """
    Logs to *logger* and writes metrics in embedded metric format, each with its own dimensions.

    Their namespace is POWERTOOLS_METRICS_NAMESPACE, which template.yaml sets to the stack's own.

    A fact is a key of the log line under its own name; names that logging keeps for itself,
    such as "module" or "level", are refused by it.
    """

    def __init__(self, logger: Logger) -> None:
        self._logger = logger
        self._write = {
            logging.INFO: logger.info,
            logging.WARNING: logger.warning,
            logging.ERROR: logger.error,
        }

    def emit(self, event: str, **facts: str | float | None) -> None:
        signal = SIGNALS.get(event, Signal())
        write = self._write[signal.level]
        write(event.replace("_", " "), extra=facts, stacklevel=CALLER_OF_EMIT)
        for gauge in signal.gauges:
            for name, value, dimension in gauge(facts):
                _emit(name, value, dimension)

    @contextmanager
    def mark_lines(self, import_id: str) -> Iterator[None]:
        """
        Put *import_id* on every line; also on one about the error that ends the block, if one does.

        Lambda writes uncaught errors itself, and knows nothing of imports.
        """
        outer = self._logger.get_current_keys().get("import_id")
        self._logger.append_keys(import_id=import_id)
        try:
            yield
        except Exception as exc:
            self.emit("work_failed", error=type(exc).__name__)
            raise
        finally:
            # Powertools' own context manager would take the outer one's id away too.
            if outer is None:
                self._logger.remove_keys(["import_id"])
            else:
                self._logger.append_keys(import_id=outer)


def _emit(name: str, value: float, dimension: dict[str, str]) -> None:
    with single_metric(
        name=name,
        unit=MetricUnit.Count,
        value=value,
        default_dimensions=dimension,
    ) as metric:
        metric.service = ""  # else the function's name becomes a dimension of every metric


def _count(name: str) -> Gauge:
    """Return a gauge that counts every event."""

    def count(_facts: Facts) -> Iterator[Reading]:
        yield name, 1, {}

    return count


def _total(name: str, fact: str) -> Gauge:
    """Return a gauge that adds up a fact of the events."""

    def total(facts: Facts) -> Iterator[Reading]:
        value = facts.get(fact)
        yield name, value if isinstance(value, int | float) else 1, {}

    return total


def _level(name: str, fact: str) -> Gauge:
    """Return a gauge that shows how much there is now."""

    def level(facts: Facts) -> Iterator[Reading]:
        value = facts.get(fact)
        if isinstance(value, int | float):
            yield name, value, {}

    return level


def _count_by(name: str, dimension: str, fact: str) -> Gauge:
    """Return a gauge that counts events apart by one of their facts."""

    def count(facts: Facts) -> Iterator[Reading]:
        yield name, 1, {dimension: str(facts.get(fact) or "none")}

    return count


def _rows(facts: Facts) -> Iterator[Reading]:
    """Yield how many rows ended with each status; what did not occur is no reading."""
    for status in RowStatus:
        rows = facts.get(status)
        if isinstance(rows, int | float) and rows > 0:
            yield "Rows", rows, {"Status": status.value}


def _credits(_facts: Facts) -> Iterator[Reading]:
    yield "CreditsUsed", CREDITS_PER_JOB, {}


_BIGIN_ERRORS = _count_by("BiginErrors", "Code", "code")

SIGNALS: Final[Mapping[str, Signal]] = {
    "drop_received": Signal(gauges=(_count("Drops"),)),
    "drop_rejected": Signal(logging.WARNING),
    "job_created": Signal(gauges=(_count("JobsCreated"), _credits)),
    "job_refused": Signal(logging.WARNING, (_BIGIN_ERRORS,)),
    # Counted: whether Bigin has made that job is found out later, and what it costs is gone then.
    "create_unknown": Signal(logging.WARNING, (_credits,)),
    "bigin_busy": Signal(logging.WARNING, (_count("BiginBusy"),)),
    "bigin_failed": Signal(logging.WARNING, (_BIGIN_ERRORS,)),
    "sending_paused": Signal(logging.WARNING),
    "part_held": Signal(logging.WARNING),
    "part_given_up": Signal(logging.WARNING),
    "on_hold": Signal(logging.ERROR, (_count("OnHold"),)),
    "callback_refused": Signal(logging.WARNING, (_total("CallbacksRefused", "refused"),)),
    # Counted too: anybody may pretend to be the doctor.
    "callback_probed": Signal(gauges=(_total("CallbacksRefused", "refused"),)),
    "adoption_unproven": Signal(logging.WARNING),
    "late_job": Signal(logging.WARNING),
    "second_job": Signal(logging.ERROR, (_count("SecondJobs"),)),
    "job_settled": Signal(gauges=(_count_by("JobsSettled", "ClosedBy", "closed_by"),)),
    "result_link_dead": Signal(logging.WARNING),
    "import_closed": Signal(gauges=(_count_by("ImportsClosed", "State", "state"), _rows)),
    "notice_failed": Signal(logging.ERROR, (_count("NoticesFailed"),)),
    "aws_failed": Signal(logging.WARNING, (_count("AwsFailed"),)),
    "aws_refused": Signal(logging.ERROR, (_count("AwsRefused"),)),
    "forbidden_edge": Signal(logging.ERROR, (_count("ForbiddenEdges"),)),
    "open_work": Signal(
        gauges=(
            _level("OpenImports", "open"),
            _level("HeldImports", "held"),
            _level("WaitingForCredits", "waiting_for_credits"),
            _level("OldestOpenSeconds", "oldest_seconds"),
        )
    ),
    "tick": Signal(gauges=(_count("Ticks"),)),
    "item_failed": Signal(logging.ERROR),
    "work_failed": Signal(logging.ERROR),
    "item_unreadable": Signal(logging.ERROR, (_count("ItemsUnreadable"),)),
    "failed_event_unreadable": Signal(logging.ERROR),
    "decision_failed": Signal(logging.ERROR),
    "message_failed": Signal(logging.ERROR),
    "overdue": Signal(logging.ERROR, (_count("Overdue"),)),
    "stalled": Signal(logging.ERROR, (_count("Stalled"),)),
    "token_refused": Signal(logging.ERROR, (_count("TokenRefused"),)),
}
"""Events that are not here are logged at INFO and not measured."""
