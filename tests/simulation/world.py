"""
Virtual time, and the processes that live in it.

Every invocation of a function is a process: one fiber (a greenlet), and more while it works side
by side. Whatever a process asks of the world goes through `point`: there time passes, others run
and faults strike. A process that was killed never comes back, and nothing it still tries on its
way out has an effect.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import cast

from greenlet import getcurrent, greenlet

from bigin_import.errors import AwsUnavailableError, BiginImportError
from tests.simulation.faults import Faults

START = 1_760_000_000.0
HOUR = 3600.0
STALL_SECONDS = 90.0
FREEZE_SECONDS = 420.0  # longer than a lease: the container stands still, and its deadline with it
SKEW_SECONDS = 5.0
MOST_EVENTS = 600_000  # twenty versions behind a hold of two weeks need half of it
EVERYWHERE = ("kill", "stall", "freeze")


class KilledError(BaseException):
    """Unwinds the fibers of a process that was killed."""


def away(what: str) -> AwsUnavailableError:
    """Return the error of an AWS call that failed with all its repetitions."""
    return AwsUnavailableError(what, "call", "ServiceUnavailable")


class Process:
    """
    One invocation of a function.

    Attributes:
        skew: Seconds by which its clock is ahead of the world's.
        ended: Hears, once, whether it ended well.
        forbidden: If not empty, why this process must not touch anything.
    """

    def __init__(
        self, name: str, deadline: float, skew: float, ended: Callable[[bool], object]
    ) -> None:
        self.name = name
        self.deadline = deadline
        self.skew = skew
        self.ended = ended
        self.alive = True
        self.fibers: list[Fiber] = []
        self.forbidden = ""


class Fiber(greenlet):
    """One line of work within a process."""

    def __init__(self, process: Process, work: Callable[[], object], hub: greenlet) -> None:
        def live() -> None:
            with suppress(KilledError):
                work()

        super().__init__(live, hub)
        self.process = process
        process.fibers.append(self)


class World:
    """
    The scheduler: the earliest event comes next; equal ones in the order they were planned.

    Attributes:
        violations: Every promise that was broken.
        stops_early: One broken promise is enough; nothing is to happen after it.
        trace: What happened, if somebody wants to know.
        calls: Points by hour since the start.
        outage: The service that is away, from when, and until when.
        restored_at: When the table was restored from a backup; 0.0: never.
    """

    def __init__(self, faults: Faults) -> None:
        self.now = START
        self.faults = faults
        self.violations: list[str] = []
        self.stops_early = False
        self.trace: list[str] | None = None
        self.calls: dict[int, int] = {}
        self.outage = ("", 0.0, 0.0)
        self.restored_at = 0.0
        self._living: set[Process] = set()
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = count(1)
        self._steps = count(1)
        self._hub = getcurrent()

    # Time

    def at(self, moment: float, action: Callable[[], object]) -> None:
        """Do *action* at *moment*, outside of every process."""
        heapq.heappush(self._events, (max(moment, self.now), next(self._numbers), action))

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        self.at(self.now + seconds, action)

    def run(self, until: float) -> None:
        """Let everything happen that is planned up to *until*."""
        while self._events and self._events[0][0] <= until and not self._has_enough:
            if next(self._steps) > MOST_EVENTS:
                self.violate("it never comes to rest")
                self.close()
                break
            moment, _, action = heapq.heappop(self._events)
            self.now = max(self.now, moment)
            action()
        self.now = max(self.now, until)

    @property
    def _has_enough(self) -> bool:
        return self.stops_early and bool(self.violations)

    def pause(self, seconds: float) -> None:
        """Let time pass for the fiber that calls."""
        wake_at = self.now + seconds
        if not self._events or self._events[0][0] > wake_at:
            self.now = wake_at  # nobody else has anything to do before: no need to switch
            return
        self.wake(self.fiber, wake_at)
        self.park()

    def park(self) -> None:
        """Stop the fiber that calls until somebody wakes it."""
        self._hub.switch()
        if not self.process.alive:
            raise KilledError

    def wake(self, fiber: Fiber, moment: float | None = None) -> None:
        """Let *fiber* go on, now or at *moment*, if it still lives then."""
        self.at(self.now if moment is None else moment, lambda: fiber.dead or fiber.switch())

    # Processes

    @property
    def fiber(self) -> Fiber:
        return cast(Fiber, getcurrent())

    @property
    def process(self) -> Process:
        """The process that runs now."""
        return self.fiber.process

    def start(
        self,
        name: str,
        seconds: float,
        work: Callable[[], object],
        ended: Callable[[bool], object] = lambda well: None,
    ) -> Process:
        """Begin an invocation now; it may last *seconds*."""
        skew = SKEW_SECONDS * (2 * self.faults.number(f"skew/{next(self._numbers)}") - 1)
        process = Process(name, self.now + seconds, skew, ended)
        self._living.add(process)
        self.wake(Fiber(process, lambda: self._run(process, work), self._hub))
        self.at(process.deadline, lambda: self._expire(process))
        return process

    def spawn(self, work: Callable[[], object]) -> Fiber:
        """Begin another line of work in the process that calls."""
        fiber = Fiber(self.process, work, self._hub)
        self.wake(fiber)
        return fiber

    def stand_still(self) -> None:
        """End every process, as people do before they restore a table."""
        for process in sorted(self._living, key=lambda each: each.deadline):
            self.kill(process)

    def kill(self, process: Process) -> None:
        if process.alive:
            self.note(process.name, "killed")
            self._over(process, well=False)

    def _run(self, process: Process, work: Callable[[], object]) -> None:
        well = True
        try:
            work()
        except Exception as exc:  # noqa: BLE001  # what a function raises, the platform sees
            well = False
            self._judge(process, exc)
        if any(not fiber.dead for fiber in process.fibers if fiber is not getcurrent()):
            self.violate(f"{process.name} ended with work under way")
        self._over(process, well=well)

    def _judge(self, process: Process, exc: BaseException) -> None:
        """Note an error that ended a function; one that has no business there is a violation."""
        self.note(process.name, f"failed: {exc!r}")
        inner = exc.exceptions if isinstance(exc, BaseExceptionGroup) else (exc,)
        for error in inner:
            if not isinstance(error, BiginImportError):
                self.violate(f"{process.name} failed: {error!r}")
        if not (self.faults.fired or self.outage[0] or self.restored_at):
            self.violate(f"{process.name} failed without any fault: {exc!r}")

    def _over(self, process: Process, *, well: bool) -> None:
        process.alive = False
        self._living.discard(process)
        process.ended(well)
        if len(process.fibers) > 1 or process.fibers[0] is not getcurrent():
            self.at(self.now, lambda: self._unwind(process))

    def _unwind(self, process: Process) -> None:
        for fiber in process.fibers:
            if bool(fiber) and not fiber.dead:  # begun, and not at its end
                fiber.throw(KilledError)

    def _expire(self, process: Process) -> None:
        if process.alive and self.now < process.deadline:
            self.at(process.deadline, lambda: self._expire(process))
        else:
            self.kill(process)

    # Points

    def point(self, label: str, kinds: tuple[str, ...] = (), *, longest: float = 0.02) -> str:
        """
        Let others run and faults strike.

        Args:
            kinds: Faults that can strike here besides those that can strike everywhere.
            longest: The most seconds that pass here by themselves.

        Returns:
            The fault of *kinds* that the caller must carry out, or "".
        """
        process = self.process
        if not process.alive:
            raise KilledError
        if process.forbidden:
            self.violate(f"{process.forbidden}: {label}")
        self.note(process.name, label)
        kind, number = self.faults.strike(label, EVERYWHERE + kinds)
        if kind == "kill":
            self.kill(process)
            raise KilledError
        if kind == "freeze":
            process.deadline += FREEZE_SECONDS
        if kind in ("stall", "freeze"):
            self.pause(STALL_SECONDS if kind == "stall" else FREEZE_SECONDS)
        self.pause(longest * number)
        return "" if kind in EVERYWHERE else kind

    def is_away(self, service: str) -> bool:
        """Return whether a service of AWS answers nobody now."""
        name, since, until = self.outage
        return service == name and since <= self.now < until

    def note(self, who: str, what: str) -> None:
        hour = int((self.now - START) // HOUR)
        self.calls[hour] = self.calls.get(hour, 0) + 1
        if self.trace is not None:
            self.trace.append(f"{self.now - START:.3f} {who} {what}")

    def violate(self, what: str) -> None:
        self.violations.append(f"{self.now - START:.1f} s: {what}")

    def close(self) -> None:
        """End what is still under way, so that nothing of it acts when it is swept up."""
        self._events.clear()

    def die(self) -> None:
        """Kill the process that calls."""
        self.kill(self.process)
        raise KilledError
