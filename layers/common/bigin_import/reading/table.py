"""A drop as a table: its header, its options, and its numbered rows in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from operator import itemgetter
from types import MappingProxyType
from typing import BinaryIO, NamedTuple

from bigin_import.domain.drop import ObjectVersion, Problem, is_workbook
from bigin_import.domain.plan import Dialect, LeftOut, Plan, RowDecision, ValueRule
from bigin_import.errors import DropRejectedError
from bigin_import.ports import Files
from bigin_import.reading.blocks import Block, read_blocks
from bigin_import.reading.decoding import (
    DropBytes,
    DropText,
    byte_order_mark,
    codec_problem,
    is_full_of_nuls,
    is_wide,
    not_a_csv,
    nuls_problem,
)
from bigin_import.reading.dialect import (
    Layout,
    find_layout,
    first_rows,
    is_blank,
    is_own_column,
    read_opening,
)
from bigin_import.reading.parents import ParentReferences
from bigin_import.reading.records import RecordBatch, record_batches
from bigin_import.reading.row_shapes import ParentRow, Row, RowShapes
from bigin_import.reading.totals import are_totals
from bigin_import.reading.workbook import ALL_COLUMNS, SheetColumns, WorkbookText, as_file

FILL = "fill"  # ragged_rows


def strip_result_columns(header: Sequence[str]) -> tuple[int, ...]:
    """Return the positions of the columns that are not ours."""
    return tuple(at for at, name in enumerate(header) if not is_own_column(name))


@dataclass(frozen=True, slots=True)
class Options:
    """
    How a drop is to be read, by its mapping or as it was read before.

    Attributes:
        fills: Rows that are too short or have empty cells too many are filled and cut, whatever
            the first rows look like.
        has_header: False if the first row is a record; a result file has a header all the same.
        decoded_twice: As in `Dialect`; None to look for it.
        left_out: Number of a row that was found to be no record -> why; None to find them.
        by_blocks: Rows may be given many at once, where text is proven to be CSV of one width.
        sheet: Of a workbook; None for the first one.
        columns: What the mapping says of those of a workbook, whose cells are given so.
    """

    fills: bool = False
    has_header: bool = True
    decoded_twice: str | None = None
    left_out: Mapping[int, str] | None = None
    by_blocks: bool = True
    sheet: str | None = None
    columns: SheetColumns = ALL_COLUMNS

    @classmethod
    def of_plan(cls, plan: Plan) -> Options:
        """Return how to read the drop of *plan* again, so that nothing is decided anew."""
        return cls(
            fills=plan.dialect.ragged_rows == FILL,
            has_header=plan.dialect.has_header,
            decoded_twice=plan.dialect.decoded_twice,
            left_out={row: group.reason for group in plan.cut.left_out for row in group.rows},
            sheet=plan.dialect.sheet or None,
            columns=_columns_of(plan),
        )


def _columns_of(plan: Plan) -> SheetColumns:
    columns = {
        column.header if plan.dialect.has_header else column.source: column.rule or ValueRule()
        for column in plan.columns.columns
    }
    return SheetColumns(columns, frozenset(columns))


AS_FOUND = Options()


class Batch(NamedTuple):
    """
    Some data rows of a drop.

    Attributes:
        rows: As wide as the header; those in *faults* as they are.
        numbers: The row number of each.
        faults: Position in *rows* -> why the row cannot be used.
        parents: Row number -> which row it says to be of the drop that this is a result file of.
        left_out: Positions in *faults* of rows that are no records.
        decided: Positions -> what was decided about the row before; if that is not to send it,
            it is in *faults* too.
    """

    rows: list[list[str]]
    numbers: Sequence[int]
    faults: dict[int, str]
    parents: dict[int, ParentRow]
    left_out: frozenset[int] = frozenset()
    decided: Mapping[int, RowDecision] = MappingProxyType({})

    @property
    def lines(self) -> None:
        """The rows as text, which is not kept."""

    @property
    def delimiter(self) -> str:
        return ""

    def column(self, at: int) -> list[str]:
        """Return the cells of a column; all rows must have it."""
        return list(map(itemgetter(at), self.rows))

    def row(self, at: int) -> list[str]:
        """Return the cells of a row, counted from 0."""
        return self.rows[at]


type Rows = Batch | Block


def some_of(rows: Rows, begin: int, end: int) -> Rows:
    """Return the rows from *begin* to *end* of a batch, without what is said of them."""
    if (begin, end) == (0, len(rows.numbers)):
        return rows
    return Batch(rows.rows[begin:end], rows.numbers[begin:end], {}, {})


class Table:
    """
    An open drop: its header, and its rows once, from front to back.

    Attributes:
        name: What messages call it.
        header: Without our own `bigin__*` columns, which are cut out of every row too.
        first_rows: The rows in the first chunk of text, as wide as they are; they are read again
            with the batches.
        is_result_file: Whether there were such columns.
        rows: Counted so far, as in `SplitResult`; so are blank, padded and trimmed.
    """

    def __init__(
        self,
        *,
        name: str,
        source: DropBytes | WorkbookText,
        text: DropText | WorkbookText,
        chunks: Iterator[str],
        layout: Layout,
        first_rows: list[list[str]],
        options: Options,
        reopen: Reopen | None,
    ) -> None:
        self.name = name
        self.rows = 0
        self._source = source
        self._text = text
        self._chunks = chunks
        self._layout = layout
        self._raw_header = layout.header
        self._kept = strip_result_columns(layout.header)
        self.is_result_file = len(self._kept) < len(layout.header)
        self.header = tuple(layout.header[at] for at in self._kept)
        self._parents = ParentReferences(layout.header) if self.is_result_file else None
        if self._parents is not None:
            self._parents.meet(first_rows)
        self._is_parent_searched = False
        self.first_rows = list(map(self._without_own, first_rows))
        self._options = options
        self._reopen = reopen
        self._shapes: RowShapes | None = None
        self._decisions: Iterator[RowDecision] = iter(())
        self._next_decision: RowDecision | None = None

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Rows read so far that are no records, by the reason for it."""
        found: dict[str, list[int]] = {}
        for number, why in (self._shapes.left_out if self._shapes else {}).items():
            found.setdefault(why, []).append(number)
        return tuple(LeftOut(why, tuple(rows)) for why, rows in found.items())

    @property
    def blank(self) -> int:
        return self._shapes.blank if self._shapes else 0

    @property
    def padded(self) -> int:
        return self._shapes.padded if self._shapes else 0

    @property
    def trimmed(self) -> int:
        return self._shapes.trimmed if self._shapes else 0

    def find_parent(self) -> str | None:
        """
        Return the import whose result file the drop is; None if no row says one.

        Where none of the first rows does, the drop is read once more for it: new rows may stand
        above those of the result file.

        Raises:
            DropRejectedError: Its rows cannot be read.
        """
        parents = self._parents
        if parents is None or parents.imports or self._is_parent_searched or not self._reopen:
            return next(iter(self.parent_imports), None)
        with self._reopen(self._options) as again:
            for read in again.read_records():
                if not isinstance(read, Block):  # as no part of a result file is read
                    parents.rows(_numbers(read), read.rows)
                if parents.imports:
                    break
        self._is_parent_searched = True
        return next(iter(self.parent_imports), None)

    @property
    def parent_imports(self) -> tuple[str, ...]:
        """All imports that the rows read so far say that they come from."""
        return tuple(self._parents.imports) if self._parents else ()

    @property
    def unnamed_row(self) -> int | None:
        """The first row read so far that is of an import and does not say of which."""
        return self._parents.unnamed if self._parents else None

    @property
    def dialect(self) -> Dialect:
        """How the drop is written; the encoding is certain once all rows are read."""
        return Dialect(
            encoding=self._text.encoding,
            delimiter=self._layout.delimiter,
            header_row=self._layout.header_row,
            bom=self._text.bom,
            ragged_rows=FILL if self._options.fills else "invalid",
            has_header=self._layout.has_header,
            decoded_twice=self._text.decoded_twice,
            sheet=self._text.sheet,
        )

    @property
    def other_sheets(self) -> tuple[str, ...]:
        """Names of the sheets of a workbook that are shown and not read."""
        return self._text.others

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences on what a person should look at, once all rows are read."""
        controls = (_controls(self._text.encoding),) if self._text.has_controls else ()
        shapes = self._shapes.warnings if self._shapes else ()
        return (*controls, *self._text.warnings, *shapes)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what is good to know, once all rows are read."""
        restored = (_DECODED_TWICE,) if self._text.decoded_twice else ()
        shapes = self._shapes.notes if self._shapes else ()
        return (*self._text.notes, *restored, *self._layout.notes, *shapes)

    @property
    def content_sha256(self) -> str:
        """Hexadecimal SHA-256 of the drop as stored, once all rows are read."""
        return self._source.sha256

    def batches(self) -> Iterator[Rows]:
        """
        Yield the data rows; works once.

        Raises:
            DropRejectedError: Quotes do not tell where rows end, or the encoding is not known
                after all.
        """
        for read in self.read_records():
            rows = read if isinstance(read, Block) else self._numbered(read)
            shapes = self._shapes = self._shapes or self._shapes_after(rows.rows)
            is_wide = isinstance(rows, Block) or _is_wide(rows, len(self.header))
            if not (is_wide and shapes.take_plain(rows)):
                rows = _batch(shapes.sort(_rows(rows)))
            yield from self._counted(rows)
        if self._shapes is not None:
            yield from self._counted(_batch(self._shapes.finish()))

    def read_records(self) -> Iterator[Block | RecordBatch]:
        """
        Yield what `batches` makes its rows of; works once, and in its place.

        Result files and workbooks are read by rows: they say of a row what is not in its text.
        """
        has_words = self.is_result_file or self._text.sheet
        by_blocks = self._options.by_blocks and not has_words
        read = partial(read_blocks, width=len(self.header)) if by_blocks else record_batches
        return read(
            self._chunks,
            delimiter=self._layout.delimiter,
            name=self.name,
            skip=self._layout.rows_skipped,
            rows_above=self._layout.rows_above,
        )

    def _numbered(self, read: RecordBatch) -> Batch:
        numbers = _numbers(read)
        faults, left_out = read.faults, dict[int, str]()
        if self._text.faults:
            faults |= _at_positions(self._text.faults, numbers)
        if self._text.left_out and self._options.left_out is None:
            left_out = _at_positions(self._text.left_out, numbers)
            faults |= left_out
        if self._parents is None:
            return Batch(read.rows, numbers, faults, {}, frozenset(left_out))
        parents = self._parents.rows(numbers, read.rows)
        rows = list(map(self._without_own, read.rows))
        return Batch(rows, numbers, faults, parents, frozenset(left_out))

    def decide(self, decisions: Iterable[RowDecision]) -> None:
        """Yield rows as was decided about them; *decisions* in the order of the rows."""
        self._decisions = iter(decisions)
        self._next_decision = next(self._decisions, None)

    def _counted(self, rows: Rows) -> Iterator[Rows]:
        self.rows += len(rows.numbers)
        if rows.numbers:
            next_ = self._next_decision
            yield rows if next_ is None or next_.row > rows.numbers[-1] else self._decided(rows)

    def _decided(self, rows: Rows) -> Batch:
        batch = Batch(rows.rows, rows.numbers, dict(rows.faults), dict(rows.parents), rows.left_out)
        decided = {}
        for at, number in enumerate(batch.numbers):
            if self._next_decision is not None and self._next_decision.row == number:
                decided[at] = self._next_decision
                self._next_decision = next(self._decisions, None)
        for at, decision in decided.items():
            for column, cell in decision.restored:
                batch.rows[at][column] = cell
            if decision.status is not None:
                batch.faults[at] = f"it is {decision.status} through import {decision.through}"
            elif decision.reason:
                batch.faults[at] = decision.reason
        return batch._replace(decided=decided)

    def _shapes_after(self, first_rows: list[list[str]]) -> RowShapes:
        return RowShapes(
            self.header,
            first_rows=[row for row in first_rows if not is_blank(row)],
            fills=self._options.fills,
            has_header=self._layout.has_header,
            decided=self._options.left_out,
            is_total=self._read_again_for_total,
        )

    def _read_again_for_total(self, total: Row) -> bool:
        """Return whether *total* adds up the records above; they are read once more for it."""
        if self._reopen is None or self._shapes is None:
            return False
        with self._reopen(replace(self._options, left_out=dict(self._shapes.left_out))) as table:
            above = (
                row
                for batch in table.batches()
                for at, row in enumerate(batch.rows)
                if at not in batch.left_out and batch.numbers[at] < total.number
            )
            return are_totals(total.cells, above)

    def _without_own(self, row: list[str]) -> list[str]:
        return [row[at] for at in self._kept if at < len(row)] + row[len(self._raw_header) :]


_DECODED_TWICE = (
    "The file had been decoded twice, so that it began with a byte order mark read as text, such "
    "as ï»¿: its text was restored."
)


def _numbers(read: RecordBatch) -> range:
    return range(read.first, read.first + len(read.rows))


def _at_positions(faults: Mapping[int, str], numbers: Sequence[int]) -> dict[int, str]:
    """Return *faults*, which are by the number of the row, by the position in a batch."""
    return {at: faults[number] for at, number in enumerate(numbers) if number in faults}


def _is_wide(batch: Batch, width: int) -> bool:
    """Return whether all rows of a batch are sound and *width* cells wide."""
    return not batch.faults and set(map(len, batch.rows)) == {width}


def _rows(batch: Rows) -> Iterator[Row]:
    for at, (number, cells) in enumerate(zip(batch.numbers, batch.rows, strict=True)):
        parent, fault = batch.parents.get(number), batch.faults.get(at)
        yield Row(number, cells, parent, fault, at in batch.left_out)


def _batch(rows: Iterable[Row]) -> Batch:
    made = list(rows)
    return Batch(
        rows=[row.cells for row in made],
        numbers=[row.number for row in made],
        faults={at: row.fault for at, row in enumerate(made) if row.fault},
        parents={row.number: row.parent for row in made if row.parent is not None},
        left_out=frozenset(at for at, row in enumerate(made) if row.is_left_out),
    )


def _controls(encoding: str) -> str:
    return (
        f"Read as {encoding}, the file has control characters (U+0080 to U+009F), which no text "
        "has. It is probably in a Windows encoding, where they are the euro sign, quotes and "
        'dashes: write for example "character_encoding": "windows-1252" in the mapping and drop '
        "the file again."
    )


# Enough to see that it is no text, or in which encoding.
_HEAD_BYTES = 64 * 1024


type Reopen = Callable[[Options], AbstractContextManager[Table]]


def open_table(
    stream: BinaryIO,
    *,
    name: str,
    encoding: str | None,
    default_encoding: str | None,
    options: Options = AS_FOUND,
    reopen: Reopen | None = None,
) -> Table:
    """
    Read the beginning of a drop and return its table; the rest is read with its batches.

    Args:
        name: Of the drop; it is unpacked if this ends in .gz. Messages begin with it.
        encoding: What the mapping says of drops that are not UTF-8.
        default_encoding: What the deployment says of them.
        reopen: Opens the same drop once more, should its last row have to be added up.

    Raises:
        DropRejectedError: It is empty, no CSV, or in an encoding that nothing names.
    """
    source, text = _open_text(stream, name, encoding or default_encoding, options)
    chunks = iter(text)
    opening = read_opening(chunks)
    layout = find_layout(opening, name, has_header=options.has_header)
    return Table(
        name=name,
        source=source,
        text=text,
        chunks=chain([opening.text], chunks),
        layout=layout,
        first_rows=first_rows(layout, opening),
        options=options,
        reopen=reopen,
    )


def _open_text(
    stream: BinaryIO, name: str, stated: str | None, options: Options
) -> tuple[DropBytes, DropText] | tuple[WorkbookText, WorkbookText]:
    if is_workbook(name):
        sheet = WorkbookText(stream, name=name, sheet=options.sheet, columns=options.columns)
        return sheet, sheet
    source = DropBytes(stream, name=name)
    head = _head(source)
    if problems := _no_text(head, name, stated):
        raise DropRejectedError(problems, concerns_mapping=True)
    twice = options.decoded_twice
    return source, DropText(head, source, name=name, stated_encoding=stated, decoded_twice=twice)


def _head(source: DropBytes) -> bytes:
    head = b""
    for chunk in source:
        head += chunk
        if len(head) >= _HEAD_BYTES:
            break
    return head


def _no_text(head: bytes, name: str, stated: str | None) -> tuple[Problem, ...]:
    """Return why the drop, or what is stated of its encoding, cannot be read."""
    found = (not_a_csv(head, name), codec_problem(stated, name) if stated else None)
    problems = tuple(problem for problem in found if problem)
    if problems or not is_full_of_nuls(head):
        return problems
    is_explained = byte_order_mark(head) or (stated and is_wide(stated))
    return () if is_explained else (nuls_problem(name),)


# It explains every byte, so with it what is ASCII can be read whatever the encoding really is.
ANY_ENCODING = "latin-1"


@dataclass(frozen=True, slots=True)
class Drop:
    """
    One version of a drop, and what is said of its encoding should it not be UTF-8.

    Attributes:
        encoding: By its mapping.
        default_encoding: By the deployment; "" if nothing is.
        options: How its rows are to be read.
    """

    files: Files
    source: ObjectVersion
    encoding: str | None = None
    default_encoding: str = ""
    options: Options = AS_FOUND

    @classmethod
    def of_plan(cls, files: Files, source: ObjectVersion, plan: Plan) -> Drop:
        """Return the drop as it was read for *plan*: nothing is decided anew."""
        return cls(files, source, plan.dialect.encoding, options=Options.of_plan(plan))

    @contextmanager
    def open(self, options: Options | None = None) -> Iterator[Table]:
        """
        Yield the table of the drop, read by *options* if there are any, else by its own.

        Raises:
            MissingObjectError: The version is gone.
            DropRejectedError: It is no table that can be read.
        """
        key = self.source.key
        with ExitStack() as opened:
            stream = opened.enter_context(self.files.open_stream(self.source))
            if is_workbook(key):
                stream = opened.enter_context(as_file(stream, key))
            yield open_table(
                stream,
                name=key,
                encoding=self.encoding,
                default_encoding=self.default_encoding or None,
                options=options or self.options,
                reopen=self.open,
            )

    def read_values(self, column: int) -> Iterator[str]:
        """
        Yield the values of a column, in a whole read of the drop.

        Args:
            column: Position in the header without our own columns.
        """
        with self.open() as table:
            for batch in table.batches():
                yield from (row[column] for row in batch.rows if column < len(row))
