"""Reading a drop from the bucket, as a table or one column of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.plan import Plan
from bigin_import.ports import Files
from bigin_import.reading.table import AS_FOUND, Options, Table, open_table

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
        with self.files.open_stream(self.source) as stream:
            yield open_table(
                stream,
                name=self.source.key,
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
