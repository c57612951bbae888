"""One word for one thing: the field's term, and no other name for it beside."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.architecture.source import ROOT

# What was said before -> what is said.
WORDS = {
    r"fates?": "row result",
    r"doubt(?:s|ed)?|in_doubt": "unknown outcome, unclear",
    r"heritage|ancest(?:or|ors|ry)": "parent import, inherited mapping",
    r"rework(?:s|ed|ing)?": "correction",
    r"magic": "file signature",
    r"look-?alikes?": "ambiguous value",
    r"sandbox(?:es)?": "container",
    r"surroundings": "console links",
    r"cutters?": "splitter",
    r"shortage": "out-of-credits notice",
    r"take_turn|turn_of": "acquire a key lock",
}
# Said by others, or stored so by releases before.
KEPT = ("--no-sandbox", ".fates.csv.gz")
DIALECT = re.compile(
    rf"(?<![^\W_])(?:{'|'.join(WORDS)}|(?:Tell|Say) whether)(?![^\W_])", re.IGNORECASE
)
PLACES = ("layers", "functions", "tests", "findings", ".github")


def texts() -> list[Path]:
    return [
        path
        for place in PLACES
        for path in sorted((ROOT / place).rglob("*"))
        if path.suffix in (".py", ".md", ".j2", ".yml") and path != Path(__file__)
    ]


def dialect_in(line: str) -> list[str]:
    for kept in KEPT:
        line = line.replace(kept, "")
    return DIALECT.findall(line)


def test_what_has_a_word_is_called_by_it() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {word}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for word in dialect_in(line)
    ]

    assert found == [], WORDS


TERMS = {
    "idempotent": "domain/part_transitions.py",
    "optimistic lock": "ledger.py",
    "lease": "importing/lease.py",
    "fencing token": "importing/lease.py",
    "deduplication": "deduplication/claims.py",
    "state machine": "domain/import_transitions.py",
    "back-off": "importing/pauses.py",
    "dead-letter queue": "aws/queue.py",
    "at least once": "aws/events.py",
}


@pytest.mark.parametrize(("term", "module"), TERMS.items())
def test_the_term_that_a_reader_searches_for_stands_where_the_thing_is(
    term: str, module: str
) -> None:
    text = (ROOT / "layers/common/bigin_import" / module).read_text(encoding="utf-8")

    assert term in " ".join(text.casefold().split())
