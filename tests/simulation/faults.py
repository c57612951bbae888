"""
Which faults strike, and where.

A fault is named by the point it strikes at (a label and its how many-eth time) and by its kind.
All chance comes from hashes of the seed and that name, never from a sequence of random numbers:
taking one fault away leaves all the others where they were, so that a failing run can be shrunk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from hashlib import blake2b
from typing import NamedTuple

RATES = (0.001, 0.004, 0.015)
_UNIT = 2**-32


class Fault(NamedTuple):
    """*kind* strikes when *label* is reached for the *number*-th time."""

    label: str
    number: int
    kind: str


class Faults:
    """
    The faults of one run.

    Args:
        planned: Exactly these strike; None: chance decides.

    Attributes:
        fired, fired_at: What struck, in order, and when.
        cells: (label, state of a part, kind) of everything that struck.
        stopped: Chance strikes no more.
        reached: Everything that could strike so far, if somebody wants to know.
        states: Says which states the parts are in now.
        now: Says what time it is.
    """

    def __init__(self, seed: int, planned: Iterable[Fault] | None = None) -> None:
        self.seed = seed
        self.counts: Counter[str] = Counter()
        self.fired: list[Fault] = []
        self.cells: set[tuple[str, str, str]] = set()
        self.fired_at: list[float] = []
        self.reached: list[Fault] | None = None
        self.states: Callable[[], Iterable[str]] = lambda: ()
        self.now: Callable[[], float] = lambda: 0.0
        self.stopped = False
        self._planned = None if planned is None else {f[:2]: f.kind for f in planned}

    def number(self, name: str) -> float:
        """Return a number from 0 to 1 that depends on the seed and *name* alone."""
        digest = blake2b(f"{self.seed}/{name}".encode(), digest_size=4).digest()
        return int.from_bytes(digest) * _UNIT

    def strike(self, label: str, kinds: tuple[str, ...]) -> tuple[str, float]:
        """Count *label* as reached; return the kind of fault that strikes, or "", and a number."""
        self.counts[label] += 1
        number = self.counts[label]
        digest = blake2b(f"{self.seed}/{label}/{number}".encode(), digest_size=12).digest()
        if self.reached is not None and not self.stopped:
            self.reached.extend(Fault(label, number, kind) for kind in kinds)
        kind = self._kind(label, number, kinds, digest)
        if kind:
            self.fired.append(Fault(label, number, kind))
            self.fired_at.append(self.now())
            self.cells.update((label, state, kind) for state in self.states())
        return kind, int.from_bytes(digest[8:]) * _UNIT

    def _kind(self, label: str, number: int, kinds: tuple[str, ...], digest: bytes) -> str:
        if self._planned is not None:
            return self._planned.get((label, number), "")
        if self.stopped:
            return ""
        if int.from_bytes(digest[:4]) * _UNIT >= self._rate:
            return ""
        possible = [kind for kind in kinds if self._is_on(kind)]
        return possible[digest[4] % len(possible)] if possible else ""

    @cached_property
    def _rate(self) -> float:
        return RATES[int(self.number("rate") * len(RATES))]

    @cached_property
    def _switches(self) -> dict[str, bool]:
        return {}

    def _is_on(self, kind: str) -> bool:
        """Each kind is off in a third of the seeds."""
        if kind not in self._switches:
            self._switches[kind] = self.number(f"off/{kind}") >= 1 / 3
        return self._switches[kind]


def by_kind(fired: Iterable[Fault]) -> Mapping[str, int]:
    """Count faults by kind, the most frequent first."""
    return dict(Counter(fault.kind for fault in fired).most_common())
