"""
Which rows of earlier imports are in Bigin: through the import itself, or through any correction.

Kept rows are the source. A file that is dropped again every night has as many relatives as nights,
so what was read of one is remembered as long as a drop is prepared.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from typing import NamedTuple

from bigin_import import object_keys
from bigin_import.deduplication.earlier_rows import RowIn
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import Family, NamedImport, members_of
from bigin_import.domain.row_result import RowStatus
from bigin_import.errors import MissingObjectError, UnderWayError
from bigin_import.ledger import load_roots, load_undoing
from bigin_import.ports import Files, Ledger
from bigin_import.reading.table import Drop
from bigin_import.row_results.kept_rows import (
    KeptRow,
    read_columns,
    read_kept_rows,
    read_resent,
    without_undone,
)
from bigin_import.splitting.content_log import Fingerprints
from bigin_import.stored_plan import read_plan, read_undone

MOST_BYTES = 500_000_000  # of kept rows, packed; a million rows are a tenth of that
type Identity = tuple[str, int]
"""Who a row is in its family: the import that it was first dropped with, and its number there."""


class _Other(NamedTuple):
    """A row as another member of the family, *through*, has sent it."""

    row: KeptRow
    through: str


@dataclass(slots=True)
class _Remembered:
    """
    What was read while a drop is prepared.

    Attributes:
        closed: Imports that do not change any more.
        body: The kept rows that were read last, packed, by the results that they are beside.
        resent: Rows that imports have sent and that were not new there, by the same.
    """

    closed: dict[str, Import] = field(default_factory=dict)
    body: tuple[str, bytes] = ("", b"")
    resent: dict[str, dict[Identity, KeptRow]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRows:
    """Reads which rows of earlier imports are in."""

    ledger: Ledger
    files: Files
    _remembered: _Remembered = field(default_factory=_Remembered, init=False)

    def load_families(self, import_id: str) -> tuple[Family, ...]:
        """
        Return the families of an import as they stand; that of a drop that nobody corrected.

        Its own is the first; it has the rows of more if it has grown from several files.

        Raises:
            UnderWayError: One of them is being undone: its rows will not be in.
        """
        record = self._load(import_id)
        roots = (import_id,) if record is None else self._load_roots(record)
        families = [self.ledger.load(Family.at(root)) or Family(root=root) for root in roots]
        for family in families:
            if (undone := load_undoing(self.ledger, family)) is not None:
                raise UnderWayError(f"import {undone} is being undone")
        return tuple(families)

    def _load_roots(self, record: Import) -> tuple[str, ...]:
        pairs = self._read_columns(record.results or "", "root_import", "through")
        origins = {origin for origin, _ in pairs if origin} if record.root else set()
        return load_roots(self._load, record, origins)

    def _load(self, import_id: str) -> Import | None:
        closed = self._remembered.closed
        record = closed.get(import_id) or self.ledger.load(Import.at(import_id))
        if record is not None and record.state.is_closed:
            closed[import_id] = record
        return record

    def read_rows(
        self,
        import_id: str,
        results: str,
        families: Sequence[Family],
        *,
        zgid: str | None,
        writes_over: bool,
    ) -> Iterator[RowIn]:
        """
        Yield every row of an import, and the rows of its families that are in.

        Nothing if its kept rows are gone, or if the release before closed it.

        Args:
            zgid: The organisation that they are looked for in; one release let a correction go
                to another than its parent.
            writes_over: A row is not in any more if another member sent it with other values.
        """
        gone = (each for family in families for each in family.undone)
        undone = read_undone(self.files, map(self._load, gone))
        others: dict[Identity, _Other] = {}
        if writes_over or self._check_others_may_tell_more(results, families, undone):
            others = self._read_others(import_id, families, zgid, undone, but_since=writes_over)
        numbers = {}
        for row in self._read_kept_rows(results, undone) if others else ():
            if (identity := _identity(row, import_id)) in others:
                numbers[identity] = row.row
        for identity, number in numbers.items():
            yield _row_in(others[identity].row, number, identity, others[identity].through)
        for row in self._read_kept_rows(results, undone):
            if row.cells:
                identity = _identity(row, import_id)
                own = _row_in(row, row.row, identity, row.through or import_id)
                yield _with_other(own, row, others.get(identity), writes_over=writes_over)

    def _check_others_may_tell_more(
        self, results: str, families: Sequence[Family], undone: Container[str]
    ) -> bool:
        """Return whether rows are not in, or by a correction, which may have changed them."""
        as_dropped = {"", *(family.root for family in families)}
        as_dropped.update(each for family in families for each in family.originals)
        found = set(self._read_columns(results, "status", "through"))
        is_all_in = all(
            RowStatus(status).is_in_bigin and through in as_dropped for status, through in found
        )
        return bool(undone) or not is_all_in

    def check_may_have(
        self,
        named: NamedImport,
        families: Sequence[Family],
        cells: Container[str],
        zgid: str | None,
    ) -> bool:
        """
        Return whether rows with some cells are, or may be, in an import or one of its families.

        Args:
            cells: Fingerprints in hexadecimal.
        """
        pairs = self._read_columns(named.results, "cells", "row")
        if any(family.undone for family in families) or any(own in cells for own, _ in pairs):
            return True
        if not self._check_others_may_tell_more(named.results, families, ()):
            return False
        return any(
            row.cells in cells
            for member in members_of(families)
            for row in self._read_resent(member, zgid).values()
        )

    def read_dropped_rows(self, record: Import) -> Iterator[RowIn]:
        """Yield every row of an import that has not ended: nobody knows whether it is in."""
        if record.plan_sha256 is None:
            return
        plan = read_plan(self.files, record)
        fingerprints = Fingerprints(plan.columns)
        with Drop.of_plan(self.files, record.source, plan).open() as table:
            for batch in table.batches():
                for row, cells in zip(batch.numbers, fingerprints.of_batch(batch), strict=True):
                    yield RowIn(cells, row, "", record.import_id, RowStatus.UNCLEAR)

    def _read_kept_rows(self, results: str, undone: Container[str]) -> Iterator[KeptRow]:
        body = self._read_last(results)
        return without_undone(read_kept_rows(BytesIO(body)), undone) if body else iter(())

    def _read_columns(self, results: str, *names: str) -> Iterator[tuple[str, ...]]:
        body = self._read_last(results)
        return read_columns(BytesIO(body), *names) if body else iter(())

    def _read_last(self, results: str) -> bytes:
        """Return kept rows, packed; those that were read last are remembered."""
        if self._remembered.body[0] != results:
            self._remembered.body = (results, self._read_body(results))
        return self._remembered.body[1]

    def _read_body(self, results: str) -> bytes:
        if results:  # else a person had it forgotten
            with suppress(MissingObjectError):
                return self.files.read(object_keys.kept_rows_file(results), at_most=MOST_BYTES)
        return b""

    def check_kept_rows(self, results: str) -> bool:
        """Return whether it is known what became of the rows of an import."""
        if not results:  # a person had it forgotten
            return False
        return self.files.find_newest(object_keys.kept_rows_file(results)) is not None

    def _read_others(
        self,
        import_id: str,
        families: Sequence[Family],
        zgid: str | None,
        undone: Container[str],
        *,
        but_since: bool,
    ) -> dict[Identity, _Other]:
        """
        Return what other members sent of rows that got in, or may have, by who those are.

        Args:
            but_since: Not what the import itself sent after it, and got in.
        """
        found: dict[Identity, _Other] = {}
        for member in members_of(families):
            for row in without_undone(self._read_resent(member, zgid).values(), undone):
                identity = (row.root_import, row.root_row)
                if member != import_id and _tells_more(row, found.get(identity)):
                    found[identity] = _Other(row, member)
                elif member == import_id and but_since and row.status.is_in_bigin:
                    found.pop(identity, None)
        return found

    def _read_resent(self, import_id: str, zgid: str | None) -> dict[Identity, KeptRow]:
        """Return the rows that a member has sent itself, and that others had before it."""
        record = self._load(import_id)
        if record is None or not record.state.is_closed or not record.results:
            return {}
        if not record.is_for(zgid):
            return {}
        resent = self._remembered.resent
        if record.results not in resent:
            body = self._read_body(record.results)
            rows = read_resent(BytesIO(body)) if body else ()
            resent[record.results] = {(row.root_import, row.root_row): row for row in rows}
        return resent[record.results]


def _identity(row: KeptRow, import_id: str) -> Identity:
    return (row.root_import, row.root_row) if row.root_import else (import_id, row.row)


def _tells_more(row: KeptRow, known: _Other | None) -> bool:
    """Return whether a member has got a row in itself, or may have, and nobody is known to."""
    is_in = known is not None and known.row.status.is_in_bigin
    is_unclear = row.status is RowStatus.UNCLEAR and not is_in
    return not row.through and (row.status.is_in_bigin or is_unclear)


def _row_in(row: KeptRow, number: int, identity: Identity, through: str) -> RowIn:
    status = RowStatus.EXISTING if row.status.is_in_bigin else None
    if row.status is RowStatus.UNCLEAR:
        status = RowStatus.UNCLEAR
    cells = bytes.fromhex(row.cells or row.sent)
    return RowIn(cells, number, row.record_id, through, status, *identity)


def _with_other(own: RowIn, row: KeptRow, other: _Other | None, *, writes_over: bool) -> RowIn:
    """Return a row as it stands after another member of the family has sent it."""
    if other is None:
        return own
    if own.status is not RowStatus.EXISTING:
        status = RowStatus.EXISTING if other.row.status.is_in_bigin else RowStatus.UNCLEAR
        return own._replace(status=status, record_id=other.row.record_id, through=other.through)
    is_other = writes_over and other.row.sent != row.sent and other.through != own.through
    return own._replace(status=None) if is_other else own
