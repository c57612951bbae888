"""
A drop that is read by blocks comes to the same as one that is read row by row.

The beginning of a drop is always read by rows, so what is drawn stands behind it, in chunks of
text that a block may take.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigin_import.domain.plan import ColumnPlan, PlannedColumn, SplitResult, ValueRule
from bigin_import.errors import DropRejectedError
from bigin_import.reading.blocks import Block, read_blocks
from bigin_import.reading.records import record_batches
from bigin_import.reading.table import Options
from bigin_import.splitting.content_log import ContentLog
from bigin_import.splitting.splitter import source_rows, split
from bigin_import.splitting.value_checks import ReadAgainError
from tests.unit.reading.drops import opened, plan_of, unpacked

ROWS_BEFORE = 4_000  # more than the first chunk of text holds
PLAIN = (
    "ada{n}@example.com", "Ada {n}", "+49 30 {n}", "2024-05-1{d}", "{n}.50", "{n}", "yes it is {n}",
)  # fmt: skip
NAMES = ("Email", "Name", "Phone", "Born", "Amount", "Count", "Note")
COLUMNS = (
    PlannedColumn(0, "Email", "Email", data_type="email", length=40),
    PlannedColumn(1, "Name", "Name", data_type="text", length=20),
    PlannedColumn(2, "Phone", "Phone", data_type="phone", length=30),
    PlannedColumn(3, "Born", "Born", data_type="date"),
    PlannedColumn(4, "Amount", "Amount", data_type="currency", length=16),
    PlannedColumn(5, "Count", "Count", data_type="integer", length=9),
    PlannedColumn(6, "Note", "Note", data_type="textarea", length=2_000),
)
ODD = st.sampled_from(
    [
        *("", " ", "\n", "\r\n", ",", ";", '"', '""', "\0", "\t", "nan", "NULL", "None", "=1"),
        *('="007"', "Total", "Sum", "Email", "email", " Email", "ß", "\ufffd", "\x01", "\x85"),
        *("x" * 21, "x" * 41, "1,5", "1.5", "1.250", "1e5", "1001.0", "12%", "2024-5-1", "no mail"),
        *("a@b.de", " a@b.de", "ä@b.de", "a@b,c.de", "a@b\n.de", "+49 (30) 1", "ext. 5", "-", "+"),
        *("\x03", "٣", "1\u00a0000", "€ 5", "zcrm_1", "111110000014930000", "true", "'n' all"),
        *("\u2028", "'12", ".", "Straße", "😀"),
    ]
)  # fmt: skip


SHAPES = st.sampled_from(
    [[], [""] * 7, ["only"], [*PLAIN, ""], [*PLAIN, "more"], list(NAMES), ["Total"], ["x"] * 3]
)
# Of a row that is always drawn, the cell that only a rule changes.
RULED = replace(COLUMNS[1], rule=ValueRule(values=(("Ada -1", "Grace"), ("NULL", ""))))
RULED_PLANS = (
    plan_of(COLUMNS[0], RULED, max_invalid_share=1.0),
    plan_of(COLUMNS[0], RULED, key=1, max_invalid_share=1.0),
    plan_of(COLUMNS[0], replace(RULED, is_mandatory=True), max_invalid_share=1.0),
)
PLANS = st.sampled_from(
    [
        plan_of(*COLUMNS, key=0, max_invalid_share=1.0),
        plan_of(*COLUMNS, key=1, max_invalid_share=1.0),
        plan_of(*COLUMNS, max_invalid_share=1.0),
        plan_of(COLUMNS[6], COLUMNS[0], COLUMNS[4], key=1, max_invalid_share=1.0),
        *RULED_PLANS,
        plan_of(*(PlannedColumn(at, name, name) for at, name in enumerate(NAMES))),
        plan_of(
            replace(COLUMNS[3], rule=ValueRule(date_format="yyyy-MM-dd")),
            replace(COLUMNS[1], is_mandatory=True),
            replace(COLUMNS[5], data_type="picklist", pick_list=("1", "17", "a,b")),
            key=1,
            max_invalid_share=1.0,
        ),
    ]
)


def plain_row(n: int) -> list[str]:
    return [cell.format(n=n, d=abs(n) % 10) for cell in PLAIN]


@st.composite
def drops(draw: st.DrawFn) -> bytes:
    """Plain rows, and behind them some of which a few have a cell that is not plain."""
    rows = [plain_row(-n) for n in range(1, draw(st.integers(2, 40)))]
    for _ in range(draw(st.integers(0, 4))):
        row, column = draw(st.integers(0, len(rows) - 1)), draw(st.integers(0, len(PLAIN) - 1))
        rows[row][column] = draw(ODD)
    if draw(st.booleans()):
        rows.insert(draw(st.integers(0, len(rows))), draw(SHAPES))
    return drop_of(
        [*rows, *map(plain_row, range(ROWS_BEFORE, ROWS_BEFORE + draw(st.integers(0, 30))))],
        delimiter=draw(st.sampled_from(",;\t")),
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    )


def drop_of(rows: list[list[str]], **written: Any) -> bytes:  # noqa: ANN401  # of csv.writer
    """Return a drop that has *rows* behind its beginning."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, **written)
    writer.writerow(NAMES)
    writer.writerows(map(plain_row, range(ROWS_BEFORE)))
    writer.writerows(rows)
    return buffer.getvalue().encode()


def outcome(content: bytes, plan: ColumnPlan, *, by_blocks: bool) -> list[object]:
    """Return all that can be seen of a drop that is cut and then read again."""
    options = Options(by_blocks=by_blocks)
    archives: list[bytes] = []
    with ContentLog(plan) as log:
        try:
            result: object = split(
                opened(content, options=options),
                plan,
                store=lambda _, archive: archives.append(unpacked(archive)),
                entry_name="{}.csv".format,
                max_rows=1_500,
                log=log,
            )
        except DropRejectedError as rejected:
            result = rejected.problems
        except ReadAgainError as again:
            return [again.plan]
        if isinstance(result, SplitResult):
            parts = [replace(part, sha256="") for part in result.parts]  # packed in other pieces
            result = replace(result, parts=tuple(parts))
        seen = [result, archives, log.sha256, list(log.rows()), list(log.keyed_rows())]
    return [*seen, list(source_rows(opened(content, options=options), plan))]


@settings(max_examples=60, deadline=None)
@given(drops(), PLANS)
def test_blocks_come_to_the_same_as_rows(content: bytes, plan: ColumnPlan) -> None:
    by_rows = outcome(content, plan, by_blocks=False)

    by_blocks = outcome(content, plan, by_blocks=True)

    assert by_blocks == by_rows


@pytest.mark.parametrize("plan", RULED_PLANS, ids=["plain", "key", "mandatory"])
def test_what_a_rule_changes_alone_is_changed_in_a_block_too(plan: ColumnPlan) -> None:
    content = drop_of([plain_row(-n) for n in range(1, 10)])

    by_blocks = outcome(content, plan, by_blocks=True)

    assert by_blocks == outcome(content, plan, by_blocks=False)
    assert b"Grace" in b"".join(by_blocks[1])  # type: ignore[arg-type]  # the archives


CHUNKS = st.lists(
    st.text(st.sampled_from('ab,\n"\r\x01é'), max_size=12).map(lambda text: text + "\n"), max_size=8
)


@settings(max_examples=400)
@given(CHUNKS)
def test_any_text_has_the_same_rows_by_blocks(chunks: list[str]) -> None:
    def rows(read: Callable[..., Any], **options: int) -> list[object]:
        found: list[object] = []
        try:
            for batch in read(
                iter(chunks), delimiter=",", name="x.csv", skip=0, rows_above=0, **options
            ):
                first = batch.numbers[0] if isinstance(batch, Block) else batch.first
                # A blank line has no cell to the csv module, and an empty one where it is split.
                found += [(n, row or [""]) for n, row in enumerate(batch.rows, first)]
        except DropRejectedError as rejected:
            return [str(rejected)]
        return found

    assert rows(read_blocks, width=2) == rows(record_batches)


def test_plain_text_is_one_block_whether_cells_are_in_quotes_or_not() -> None:
    for text in ("a,b\nc,d\n", '"a","b"\r\n"c","d"\r\n', 'a,"b"\n"c",d\n'):
        (block,) = read_blocks(
            iter([text]), delimiter=",", name="x.csv", width=2, skip=0, rows_above=0
        )

        assert isinstance(block, Block)
        assert block.rows == [["a", "b"], ["c", "d"]]
