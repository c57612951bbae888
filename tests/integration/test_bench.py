"""The bench at a small size: what it times is right; how fast it is, no test says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import cutting, results
from tests.bench.cutting_drops import KINDS, drop_file
from tests.bench.figures import ROOT

ROWS = 6_000  # three chunks of text: the beginning, which is read by rows, and two blocks


@pytest.mark.parametrize("way", cutting.LARGEST_WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_parts_of_a_bench_drop_are_the_drop(tmp_path: Path, kind: str, way: str) -> None:
    drop = drop_file(tmp_path, kind, ROWS)

    tried = cutting.tried(way, drop, is_checked=True)

    assert tried.keys() == {"seconds", "peak_mib"}


@pytest.mark.parametrize("order", results.GOALS)
@pytest.mark.parametrize("way", ["ours", "naive"])
def test_an_import_of_the_bench_is_collected_and_closed(
    tmp_path: Path, order: str, way: str
) -> None:
    drop = drop_file(tmp_path, "plain", ROWS)

    assert results.tried(way, drop, order, ROOT) > 0
