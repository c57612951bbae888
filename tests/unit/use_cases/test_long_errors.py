"""ERRORS of any length: they are kept, read again and understood, each text once."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from bigin_import.domain.row_result import Reason
from bigin_import.row_results import result_files
from bigin_import.row_results.reasons import SentColumns, row_reasons
from bigin_import.stored_plan import read_row_results_file
from tests.fakes.fake_bigin import Verdict
from tests.fakes.harness import MAPPING, Harness
from tests.fakes.refusing_bigin import RefusingBigin

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"


def rows(count: int) -> bytes:
    lines = (f"person{number}@example.com,Name{number}\n" for number in range(count))
    return b"E-mail,Surname\n" + "".join(lines).encode()


def test_row_results_that_are_written_are_read_again_whatever_their_size() -> None:
    """Twenty megabytes, packed, were once the end of an import: it could never be closed."""
    words = random.Random(1)

    def judge(row: object) -> Verdict:
        return "SKIPPED", f"INVALID_DATA-Email:{words.randbytes(100_000).hex()}"

    harness = Harness()
    harness.bigin = RefusingBigin(judge)
    harness.drop(SIDECAR, MAPPING)
    source = harness.drop(CSV, rows(250))

    harness.tick(minutes=3)

    record = harness.import_of(source)
    (part,) = harness.parts_of(source)
    assert len(read_row_results_file(harness.files, part)) > 20_000_000
    assert record.state.is_closed
    assert record.counts is not None
    assert record.counts.refused == 250


def test_a_long_text_of_errors_is_understood_once_however_many_rows_have_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: Counter[int] = Counter()

    def counted(error: str, sent: SentColumns) -> tuple[Reason, ...]:
        asked[len(error)] += 1
        return row_reasons(error, sent)

    monkeypatch.setattr(result_files, "row_reasons", counted)
    long = "INVALID_DATA-Email:" * 10_000
    harness = Harness()
    harness.bigin = RefusingBigin(lambda _: ("SKIPPED", long))
    harness.drop(SIDECAR, MAPPING)
    source = harness.drop(CSV, rows(500))

    harness.tick(minutes=3)

    assert harness.import_of(source).state.is_closed
    assert asked == {len(long): 1}
