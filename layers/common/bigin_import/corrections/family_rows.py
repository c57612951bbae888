"""
What a family did with its rows, as its members have kept it.

A row keeps its identity in its family: the import that it was first dropped with, and its number
there.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import NamedTuple

from bigin_import import object_keys
from bigin_import.domain.import_record import Import
from bigin_import.domain.row_result import RowStatus
from bigin_import.errors import MissingObjectError
from bigin_import.ports import Files
from bigin_import.row_results.kept_rows import KeptRow, read_kept_rows, without_undone

MOST_BYTES = 500_000_000  # of kept rows, packed; a million rows are a tenth of that
type Identity = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyRows:
    """
    What a family did with its rows.

    Attributes:
        parent_id: The import whose result file has come back.
        members: The imports of the family that are remembered and have ended, the one that they
            all go back to first.
        originals: Ids of those that are no corrections: the drop again, mended or grown.
        undone: Ids of the records that they added and that were deleted since.
    """

    files: Files
    parent_id: str
    members: tuple[Import, ...]
    originals: frozenset[str] = frozenset()
    undone: frozenset[str] = frozenset()

    def read_identities(self, rows: Iterable[Identity]) -> dict[Identity, Identity]:
        """Return who rows are in their family, by the import that they name and its number."""
        found = {row: row for row in rows}
        parents = {parent for parent, _ in found}
        for member in self.members:
            for kept in self.read_kept(member) if member.import_id in parents else ():
                row = (member.import_id, kept.row)
                if kept.root_import and row in found:
                    found[row] = (kept.root_import, kept.root_row)
        return found

    def find_origins(self) -> frozenset[str]:
        """Return the imports that rows of the members were first dropped with."""
        rows = ((kept, member) for member in self.members for kept in self.read_kept(member))
        return frozenset(identity_of(kept, member)[0] for kept, member in rows)

    def read_unclear(
        self, rows: Container[Identity], parents: Container[str]
    ) -> dict[Identity, str]:
        """
        Return since which import rows are unclear, as the files of their parents say it.

        Args:
            rows: By the import that they name and its number.
            parents: The imports that they name.
        """
        return {
            (member.import_id, kept.row): kept.through or member.import_id
            for member in self.members
            for kept in (self.read_kept(member) if member.import_id in parents else ())
            if kept.status is RowStatus.UNCLEAR and (member.import_id, kept.row) in rows
        }

    def read_results(self, wanted: set[Identity]) -> dict[Identity, KeptRow]:
        """Return what became of rows that are in Bigin, or may be; *through* is always set."""
        found: dict[Identity, KeptRow] = {}
        for member in self.members:
            for kept in self.read_kept(member):
                if (identity := identity_of(kept, member)) in wanted:
                    _take_in(found, identity, kept, member.import_id)
        return found

    def read_mended(self, wanted: Container[str]) -> dict[str, list[RowElsewhere]]:
        """
        Return rows that are in, or may be, by the fingerprint of what was sent; those that are in
        come last. Nothing if nobody has mended the drop itself.

        There a row may have been corrected that a result file has as well.
        """
        rows: dict[Identity, KeptRow] = {}
        for member in self.members if self.originals else ():
            for kept in self.read_kept(member):
                if kept.sent in wanted:
                    _take_in(rows, identity_of(kept, member), kept, member.import_id)
        files = self.find_files(rows)
        found: dict[str, list[RowElsewhere]] = {}
        for identity, kept in sorted(rows.items(), key=lambda row: row[1].status.is_in_bigin):
            found.setdefault(kept.sent, []).append(RowElsewhere(kept, files[identity], identity))
        return found

    @property
    def corrections(self) -> frozenset[str]:
        """The members that correct others: rows with no number there are new ones of theirs."""
        corrections = (member for member in self.members if member.root is not None)
        return frozenset(member.import_id for member in corrections) - self.originals

    @property
    def firsts(self) -> frozenset[str]:
        """The members that are no corrections."""
        return frozenset(member.import_id for member in self.members) - self.corrections

    def read_new(self, wanted: Container[str]) -> dict[str, list[RowElsewhere]]:
        """
        Return rows that corrections have sent and that are in, or may be, by what was sent of
        them; those that are in come last.

        A row that was new there has its correction for its file; another one the drop that had it.
        """
        rows: dict[Identity, KeptRow] = {}
        for member in self.members:
            for kept in self.read_kept(member):
                if kept.sent in wanted:
                    _take_in(rows, identity_of(kept, member), kept, member.import_id)
        corrections, records = self.corrections, set[str]()
        found: dict[str, list[RowElsewhere]] = {}
        for identity, kept in sorted(rows.items(), key=lambda row: row[1].status.is_in_bigin):
            is_ours = identity[0] in corrections or kept.through in corrections
            if is_ours and kept.record_id not in records:
                elsewhere = RowElsewhere(kept, {identity[0]}, identity)
                found.setdefault(kept.sent, []).append(elsewhere)
                records.update(filter(None, (kept.record_id,)))
        return found

    def find_files(self, rows: Iterable[Identity]) -> dict[Identity, set[str]]:
        """Return in which drops that are no corrections rows stand, by the imports of those."""
        found = {identity: {identity[0]} for identity in rows}
        self._read_files(found, self.originals)
        return found

    def find_corrections(self, rows: Iterable[Identity]) -> dict[Identity, set[str]]:
        """Return in which corrections rows stand."""
        found: dict[Identity, set[str]] = {identity: set() for identity in rows}
        self._read_files(found, self.corrections)
        return found

    def _read_files(self, found: dict[Identity, set[str]], files: Container[str]) -> None:
        for member in self.members if found else ():
            for kept in self.read_kept(member) if member.import_id in files else ():
                if (identity := identity_of(kept, member)) in found:
                    found[identity].add(member.import_id)

    def find_in_place_of(self, rows: Container[int]) -> frozenset[int]:
        """Return at which numbers of *rows* a mended original has got a row of its own in."""
        identities = (
            identity_of(kept, member)
            for member in self.members
            for kept in (self.read_kept(member) if self.originals else ())
            if kept.status.is_in_bigin
        )
        own = (number for origin, number in identities if origin in self.originals)
        return frozenset(number for number in own if number in rows)

    def find_kept(self) -> frozenset[str]:
        """Return the members whose rows were kept; before a release, they were not."""
        kept = (member for member in self.members if next(self.read_kept(member), None) is not None)
        return frozenset(member.import_id for member in kept)

    def read_kept(self, member: Import) -> Iterator[KeptRow]:
        """Yield what is kept of the rows of a member."""
        if not member.results:  # a person had it forgotten
            return
        key = object_keys.kept_rows_file(member.results)
        try:
            body = self.files.read(key, at_most=MOST_BYTES)
        except MissingObjectError:  # nothing of it was sent; or a release before did not keep it
            return
        yield from without_undone(read_kept_rows(BytesIO(body)), self.undone)


class RowElsewhere(NamedTuple):
    """
    A row that may be one of this file in another form.

    Attributes:
        files: The imports that have it.
        identity: Who it is in the family.
    """

    kept: KeptRow
    files: set[str]
    identity: Identity


class RowSet:
    """Rows of imports, in half the memory of a set of identities."""

    def __init__(self) -> None:
        self._numbers: dict[str, set[int]] = {}

    def __contains__(self, row: Identity) -> bool:
        return row[1] in self._numbers.get(row[0], ())

    def add(self, row: Identity) -> None:
        self._numbers.setdefault(row[0], set()).add(row[1])


def identity_of(kept: KeptRow, member: Import) -> Identity:
    """Return who a row of *member* is in its family."""
    return (kept.root_import or member.import_id, kept.root_row or kept.row)


def _take_in(
    found: dict[Identity, KeptRow], identity: Identity, kept: KeptRow, import_id: str
) -> None:
    """Note the latest that got a row in; else the latest since which it is unclear."""
    earlier = found.get(identity)
    if kept.status.is_in_bigin:
        if not kept.through or earlier is None:
            found[identity] = kept._replace(through=kept.through or import_id)
    elif kept.status is RowStatus.UNCLEAR and (
        earlier is None or not (kept.through or earlier.status.is_in_bigin)
    ):
        found[identity] = kept._replace(through=kept.through or import_id)
