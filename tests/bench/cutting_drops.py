"""The three drops of the bench: plain, every tenth row with a quoted newline, everything quoted."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

HEADER = (
    "Email", "Last_Name", "First_Name", "Phone", "City", "Street", "Company", "Created", "Amount",
    "Note",
)  # fmt: skip
KINDS = ("plain", "newlines", "quoted")

# About 130 bytes a row.
ROWS = {"10 MB": 77_000, "130 MB": 1_000_000, "1.3 GB": 10_000_000}


def drop_file(folder: Path, kind: str, rows: int) -> Path:
    """Return the drop, written once and kept; the same kind and rows make the same bytes."""
    path = folder / f"{kind}-{rows}.csv"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with unfinished.open("w", encoding="utf-8", newline="") as out:
            out.writelines(_lines(kind, rows))
        unfinished.rename(path)
    return path


def _lines(kind: str, rows: int) -> Iterator[str]:
    chance = random.Random(20240229)
    yield _line(HEADER, kind)
    for number in range(rows):
        note = f"called again in week {number % 52}"
        if kind == "newlines" and number % 10 == 0:
            note = f'"{note},\nwants ""more"""'
        yield _line(_cells(number, note, chance), kind)


def _cells(number: int, note: str, chance: random.Random) -> tuple[str, ...]:
    draw = chance.randrange(10**9)
    return (
        f"person{number}@example.com",
        f"Lastname{draw % 9973}",
        f"First{draw % 997}",
        f"+49 30 {draw % 10**7}",
        f"City {draw % 499}",
        f"Long Street {draw % 199}",
        f"Company {draw % 99991}",
        f"2024-0{1 + draw % 9}-{10 + draw % 19}",
        f"{draw % 10**6 / 100:.2f}",
        note,
    )


def _line(cells: tuple[str, ...], kind: str) -> str:
    if kind == "quoted":
        return '"' + '","'.join(cells) + '"\n'
    return ",".join(cells) + "\n"
