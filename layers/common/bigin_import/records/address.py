"""Where a record lives in the table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address[R]:
    """Where a record lives in the table, and what kind it is."""

    kind: type[R]
    pk: str
    sk: str
