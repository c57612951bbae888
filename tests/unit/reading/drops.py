"""Drops as these tests write them: bytes in, what came out."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bigin_import.domain.job_request import MAX_BYTES, MAX_ROWS, FieldMapping, JobRequest, Operation
from bigin_import.domain.plan import ColumnPlan, Dialect, PlannedColumn, SourceRow, SplitResult
from bigin_import.errors import DropRejectedError
from bigin_import.reading.table import AS_FOUND, FILL, Options, Table, open_table
from bigin_import.splitting.splitter import source_rows, split
from bigin_import.splitting.value_checks import ReadAgainError

NAME = "contacts.csv"


def columns(*headers: str) -> tuple[PlannedColumn, ...]:
    """Columns that feed the fields named like their headers, in the drop's order."""
    return tuple(
        PlannedColumn(at, header, header.strip().replace(" ", "_"))
        for at, header in enumerate(headers)
    )


def plan_of(
    *planned: PlannedColumn,
    key: int | None = None,
    empty_key: str = "invalid",
    duplicate_keys: str = "send",
    max_invalid_share: float | None = 0.01,
) -> ColumnPlan:
    mappings = tuple(FieldMapping(column.api_name, at) for at, column in enumerate(planned))
    return ColumnPlan(
        request=JobRequest(Operation.UPSERT, "Contacts", None, True, mappings),
        columns=planned,
        key=key,
        empty_key=empty_key,
        duplicate_keys=duplicate_keys,
        max_invalid_share=max_invalid_share,
    )


def opened(
    content: bytes,
    *,
    name: str = NAME,
    encoding: str | None = None,
    options: Options = AS_FOUND,
) -> Table:
    @contextmanager
    def reopen(with_options: Options) -> Iterator[Table]:
        yield opened(content, name=name, encoding=encoding, options=with_options)

    return open_table(
        io.BytesIO(content),
        name=name,
        encoding=encoding,
        default_encoding=None,
        options=options,
        reopen=reopen,
    )


@dataclass(frozen=True)
class Cut:
    """What cutting a drop made: its result, the archives, and the CSV in each."""

    result: SplitResult
    archives: list[bytes]
    dialect: Dialect

    @property
    def csvs(self) -> list[bytes]:
        return list(map(unpacked, self.archives))

    @property
    def sent(self) -> str:
        """The CSV of the only part, without its header line."""
        (content,) = self.csvs
        return content.decode().partition("\n")[2]

    @property
    def left_out(self) -> dict[int, str]:
        return {row: group.reason for group in self.result.left_out for row in group.rows}

    @property
    def options(self) -> Options:
        """How the drop is read again."""
        fills = self.dialect.ragged_rows == FILL
        return Options(
            fills, self.dialect.has_header, self.dialect.decoded_twice, left_out=self.left_out
        )

    @property
    def invalid(self) -> dict[int, str]:
        return {row.row: row.reason for row in self.result.invalid_rows}


def unpacked(archive: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened_zip:
        (name,) = opened_zip.namelist()
        return opened_zip.read(name)


def split_drop(
    content: bytes,
    plan: ColumnPlan | None = None,
    *,
    name: str = NAME,
    encoding: str | None = None,
    options: Options = AS_FOUND,
    max_rows: int = MAX_ROWS,
    max_bytes: int = MAX_BYTES,
) -> Cut:
    """Cut a drop; without a plan all of its columns are mapped and any row may be invalid."""
    archives: list[bytes] = []
    table = opened(content, name=name, encoding=encoding, options=options)
    plan = plan or plan_of(*columns(*table.header), max_invalid_share=1.0)
    try:
        result = split(
            table,
            plan,
            store=lambda _, archive: archives.append(archive),
            entry_name=lambda number: f"part-{number}.csv",
            max_rows=max_rows,
            max_bytes=max_bytes,
        )
    except ReadAgainError as again:
        return split_drop(
            content,
            again.plan,
            name=name,
            encoding=encoding,
            options=options,
            max_rows=max_rows,
            max_bytes=max_bytes,
        )
    return Cut(result, archives, table.dialect)


def read_again(
    content: bytes,
    plan: ColumnPlan | None = None,
    *,
    encoding: str | None = None,
    options: Options = AS_FOUND,
) -> Sequence[SourceRow]:
    table = opened(content, encoding=encoding, options=options)
    return list(source_rows(table, plan or plan_of(*columns(*table.header))))


def sentences(error: DropRejectedError) -> str:
    """All problems, one a line, as a person reads them."""
    return "\n".join(map(str, error.problems))
