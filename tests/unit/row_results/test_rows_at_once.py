"""Rows that come many at once are written as if each came alone."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO, StringIO

from hypothesis import given, settings
from hypothesis import strategies as st

from bigin_import.domain.job_request import JobRequest, Operation
from bigin_import.domain.plan import ColumnPlan, PlannedColumn
from bigin_import.domain.row_result import Reason, RowResult, RowResults, RowStatus
from bigin_import.reading.blocks import Block, read_blocks
from bigin_import.reading.table import Batch, Rows
from bigin_import.row_results.bigin_listing import next_columns
from bigin_import.row_results.kept_rows import write_kept_rows
from bigin_import.row_results.reasons import SentColumn, SentColumns
from bigin_import.row_results.result_files import DropRow, SentRows, WrittenResults, write_results
from bigin_import.splitting.content_log import Fingerprints
from tests.unit.row_results.test_result_files import Folder

HEADER = ("E-mail", "Surname")
PLAN = ColumnPlan(
    JobRequest(Operation.INSERT, "Contacts", None, True, ()),
    (PlannedColumn(1, "Surname", "Last_Name"), PlannedColumn(0, "E-mail", "Email")),
)
SENT = SentColumns((SentColumn("Last_Name", "Surname", 1), SentColumn("Email", "E-mail", 0)))
CELLS = st.text(st.sampled_from("aé =+,;'\"\\\n\r\x01\xa0"), max_size=4)
ERRORS = st.sampled_from(
    [
        *("", "DUPLICATE_DATA-Email", "INVALID_DATA-Email", "INVALID_DATA-Email:DUPLICATE_DATA"),
        *("INVALID_DATA-Email or DUPLICATE_DATA-Email", '=a,"b"', "x\r\n" * 400),
    ]
)
SENT_STATUSES = [status for status in RowStatus if status.value not in ("invalid", "left_out")]
RESULTS = st.builds(
    RowResult,
    st.sampled_from(SENT_STATUSES),
    st.sampled_from(["", "1", "22", "=3", "4,4", '"']),
    ERRORS,
    st.booleans(),
)
BECAUSE = st.dictionaries(
    st.sampled_from(SENT_STATUSES),
    st.sampled_from([Reason("", "Why.", "-Do."), Reason("A", "Other, why.", quotes=True)]),
    max_size=2,
)


@st.composite
def batches(draw: st.DrawFn, first: int, delimiter: str) -> Rows:
    """A batch of the drop, a block of it where its text is proven to be one."""
    text = StringIO(newline="")
    cells = draw(st.sampled_from([CELLS, st.sampled_from(["a", "b c", ""])]))
    writer = csv.writer(
        text,
        delimiter=delimiter,
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    )
    writer.writerows(draw(st.lists(st.tuples(cells, cells), min_size=1, max_size=12)))
    chunks = iter([text.getvalue()])
    (read,) = read_blocks(
        chunks, delimiter=delimiter, name="x", width=2, skip=0, rows_above=first - 1
    )
    if isinstance(read, Block):
        return read
    return Batch(read.rows, range(first, first + len(read.rows)), {}, {})


@st.composite
def some_sent_rows(draw: st.DrawFn, first: int, delimiter: str) -> SentRows:
    rows = draw(batches(first, delimiter))
    count = len(rows.numbers)
    results = draw(st.lists(RESULTS, min_size=count, max_size=count))
    sent = list(zip(*([row[1].strip(), row[0]] for row in rows.rows), strict=True))
    is_kept = draw(st.booleans())
    return SentRows(rows, RowResults.of(results), draw(BECAUSE), sent if is_kept else None)


@st.composite
def drops(draw: st.DrawFn, delimiter: str) -> list[DropRow | SentRows]:
    found: list[DropRow | SentRows] = []
    first = 2
    for _ in range(draw(st.integers(1, 4))):
        some = draw(some_sent_rows(first, delimiter))
        first += len(some.rows.numbers)
        found += [some, DropRow(first, ("a", "b"), invalid='column "Surname" is odd')]
        first += 1
    return found


def one_by_one(rows: Sequence[DropRow | SentRows]) -> Iterator[DropRow]:
    for some in rows:
        if isinstance(some, DropRow):
            yield some
            continue
        results = some.results.one_by_one()
        for at, (number, found) in enumerate(zip(some.rows.numbers, results, strict=True)):
            record = None if some.sent is None else [column[at] for column in some.sent]
            because = some.because.get(found.status)
            yield DropRow(number, some.rows.row(at), None, found, because, record)


def written(
    rows: Sequence[DropRow] | Sequence[DropRow | SentRows], delimiter: str
) -> tuple[WrittenResults, Mapping[str, bytes], bytes]:
    """Return what is told of *rows*, the result files, and the kept rows."""
    folder, kept = Folder(), BytesIO()
    fingerprints = Fingerprints(PLAN)

    def cells_of(batch: Rows) -> list[str]:
        return list(map(bytes.hex, fingerprints.of_batch(batch)))

    results = write_results(
        write_kept_rows(kept, rows, PLAN, cells_of=cells_of),
        header=HEADER,
        sent=SENT,
        delimiter=delimiter,
        import_id="k3v7q2mzt5ab9cdefgh1jklmn4",
        open_file=folder.open,
    )
    return results, {file.value: body for file, body in folder.files.items()}, unpacked(kept)


def unpacked(kept: BytesIO) -> bytes:
    return gzip.decompress(kept.getvalue())


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(",;\t").flatmap(lambda mark: st.tuples(st.just(mark), drops(mark))))
def test_rows_at_once_come_to_the_same_as_one_by_one(
    drop: tuple[str, list[DropRow | SentRows]],
) -> None:
    delimiter, rows = drop

    at_once = written(rows, delimiter)

    assert at_once == written(list(one_by_one(rows)), delimiter)


@settings(max_examples=500, deadline=None)
@given(
    st.integers(1, 3).flatmap(
        lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=12)
    ),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 5),
)
def test_columns_that_are_taken_off_lines_are_those_that_were_written(
    rows: list[list[str]], line_end: str, count: int
) -> None:
    text = StringIO(newline="")
    csv.writer(text, lineterminator=line_end).writerows(rows)
    text.seek(0)

    taken = [next_columns(text, count) for _ in range(0, len(rows), count)]

    assert [list(row) for columns in taken for row in zip(*columns, strict=True)] == rows
    assert next_columns(text, count) == []
