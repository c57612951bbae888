"""The bench at a small size: what it times is right; how fast it is, no test says."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from zipfile import ZipFile

import pytest

from bigin_import.row_results.result_files import RESULT_COLUMNS, ResultCells
from tests.bench import cutting, excel, projecting, results, results_ways
from tests.bench.collecting_import import FILES, file_of, prepare, record_id, sent_import
from tests.bench.cutting_drops import KINDS, drop_file
from tests.bench.cutting_ways import WAYS
from tests.bench.figures import ROOT, Most, Target, table_of
from tests.fakes.memory_files import MemoryFiles

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


def test_the_naive_way_of_the_bench_writes_our_columns(tmp_path: Path) -> None:
    drop = drop_file(tmp_path, "plain", ROWS)
    files = MemoryFiles()
    found = prepare(files, drop, tmp_path, order="in order")
    record, parts = sent_import(files, found.source, found.plan_sha256)

    results_ways.naive(record, parts, tmp_path, drop)

    dropped = dict(enumerate(csv.reader(drop.read_text("utf-8").splitlines()), 1))
    for file in FILES:
        lines = (tmp_path / f"{file}.csv").read_text("utf-8-sig").splitlines()
        head, *rows = csv.reader(lines)
        assert head == [*RESULT_COLUMNS, *dropped[1]]
        for row in rows:
            own, cells = row[: len(RESULT_COLUMNS)], row[len(RESULT_COLUMNS) :]
            said = ResultCells(*own)
            number = int(said.row)
            assert cells == dropped[number]
            assert file_of(number) == file
            assert said.id_ == (record_id(number) if file == "success" else "")
            assert said.import_ == record.import_id


def test_of_a_bench_drop_six_columns_are_cut_and_two_of_them_rewritten(tmp_path: Path) -> None:
    drop = projecting.projected_drop(tmp_path, ROWS)
    expected = ["Email,Last_Name,Phone,Mailing_City,Created,Amount"]
    for line in drop.read_text().splitlines()[1:]:
        *plain, date, amount = line.split(";")[:6]
        day, month, year = date.split(".")
        expected.append(",".join((*plain, f"{year}-{month}-{day}", amount.replace(",", "."))))

    answer = projecting.tried(drop, ROOT)

    assert answer["sent"] == hashlib.sha256("\n".join([*expected, ""]).encode()).hexdigest()


def test_a_workbook_of_the_bench_says_what_its_csv_says(tmp_path: Path) -> None:
    drop = drop_file(tmp_path, "plain", ROWS)
    expected = []
    for line in drop.read_text().splitlines()[1:]:
        *cells, amount, note = line.split(",")
        expected.append(",".join((*cells, f"{float(amount):.15g}", note)))
    parts = tmp_path / "parts"
    parts.mkdir()

    WAYS[excel.WAY](excel.workbook_of(drop), parts)

    (part,) = parts.iterdir()
    with ZipFile(part) as archive:
        sent = archive.read(archive.namelist()[0]).decode().splitlines()[1:]
    assert sent == expected


def test_one_table_has_what_is_compared_and_what_may_take_so_much_at_most() -> None:
    faster = Target("cut plain", 1000, {"baseline": 1.5, "csv": 3}, 1.9, 1.6)
    starts = Most("first answer", 2.25, "times a bare handler", 1.2, 1.25)

    head, *lines = (line.split() for line in table_of([faster, starts]).splitlines())

    assert head[:5] == ["what", "rows/s", "measured", "goal", "floor"]
    assert lines == [
        ["cut", "plain", "1,000", "1.50", "1.9", "1.6", "3.00", "csv"],
        [
            "first",
            "answer",
            "2.25",
            "1.2",
            "1.25",
            *["times", "a", "bare", "handler,", "at", "most"],
        ],
    ]
