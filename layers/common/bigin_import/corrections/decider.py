"""
Decides which rows of a result file that comes back are sent.

A row keeps its identity in its family: the import that it was first dropped with, and its number
there. What any member of the family did with it counts, so correcting a file in several goes, in
any order and under any key, adds every row once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import NamedTuple

from bigin_import.corrections.corrections import Healed
from bigin_import.corrections.family_rows import FamilyRows, Identity, RowElsewhere, RowSet
from bigin_import.corrections.overtaken import read_overtaken
from bigin_import.domain.job_request import Operation
from bigin_import.domain.plan import ColumnPlan, RowDecision
from bigin_import.domain.row_result import RowStatus
from bigin_import.reading.row_shapes import ParentRow
from bigin_import.report.summary import Tally
from bigin_import.row_results.kept_rows import Fingerprints, KeptRow
from bigin_import.splitting.content_log import key_hashes

WINDOW = 50_000  # rows that are looked up at once; bounds memory whatever the size of the file
_SAID_IN = frozenset({"added", "updated", "added or updated", "existing"})


class DroppedRow(NamedTuple):
    """
    A row of a result file that came back.

    Attributes:
        parent: What it says of itself in our columns; None if nothing.
        record: What would be sent of it; None if it is not fit to be sent.
        healed: What was done to its cells, or why it is not sent.
    """

    number: int
    parent: ParentRow | None
    record: Sequence[str] | None
    healed: Healed = Healed()


IN_ALREADY = "in Bigin already through this file or a correction of it, not sent again"
CHANGED = (
    "in Bigin already and changed in this file since; an insert does not send them again, "
    "so change them in Bigin, or drop them with an update"
)
WRITTEN_OVER = (
    "sent again, though in Bigin through this file or a correction of it: another file since has "
    "had one of its keys, and may have written over it"
)
OVERTAKEN = "not sent, for a later row of the file with the same key is in Bigin already"
OVERTAKES = (
    "sent, though a later row of the file with the same key was in Bigin already: look there "
    "whether the values of this one are right"
)
STILL_UNCLEAR = "that may be in Bigin already, not sent again"
_RELEASED_BEFORE = (
    "not sent again, though bigin__Status is empty: since import {}, which sent them after this "
    "file was written, nobody knows whether they are in Bigin; look there, and empty bigin__Status "
    "in the unclear file of that import"
)
IN_ANOTHER_FORM = (
    "sent, though a later drop of the file that this one corrects got in another row in its place: "
    "look in Bigin whether it is the same one, and delete one of the two if it is"
)
NEW = "with no number in bigin__Row, or with one that another row has, sent as new"
_NOTES = (IN_ALREADY, WRITTEN_OVER, OVERTAKEN, NEW)


class _Elsewhere(NamedTuple):
    """
    Rows of a family that may be some of a file though nothing says so, by what was sent of them.

    Attributes:
        mended: Those of which a mended original may have another form.
        files: In which drops that are no corrections the rows of the file stand.
        new: Those that corrections have sent.
        corrections: In which of these the rows of the file stand.
    """

    mended: dict[str, list[RowElsewhere]] = {}  # noqa: RUF012  # nothing is added to it
    files: dict[Identity, set[str]] = {}  # noqa: RUF012  # likewise
    new: dict[str, list[RowElsewhere]] = {}  # noqa: RUF012  # likewise
    corrections: dict[Identity, set[str]] = {}  # noqa: RUF012  # likewise


class Decider:
    """
    Decides about the rows of a result file.

    Attributes:
        tally: What was decided, to be told.
        sent: Rows that are to be sent, or are not fit to be.
        unclear: Rows that are not sent because they may be in Bigin.
        sent_since: The import that sent some of those which a person has released, after the file
            that they did it in was written; "" if none did.
    """

    def __init__(
        self,
        family: FamilyRows,
        columns: ColumnPlan,
        check_written_over: Callable[[str], bool],
        read_keys: Callable[[str], Iterable[bytes] | None],
    ) -> None:
        self.tally = Tally()
        self.sent = self.unclear = 0
        self.sent_since = ""
        self._family = family
        self._check_written_over = check_written_over
        self._read_keys = read_keys
        self._put_back: set[int] = set()
        self._keys_put_back: set[bytes] = set()
        self._is_insert = columns.request.operation is Operation.INSERT
        self._may_repeat = columns.may_send_again
        self._fingerprints = Fingerprints(columns)
        find_by = columns.request.find_by
        self._overtaken = {} if self._is_insert else read_overtaken(family, find_by)
        self._key = columns.key
        self._kept = family.find_kept()
        self._corrections = family.corrections if self._is_insert else frozenset[str]()
        self._seen, self._used = RowSet(), RowSet()
        self._shown: Mapping[Identity, str] = {}
        self._places = {each.import_id: at for at, each in enumerate(family.members)}
        self._written: Mapping[bytes, int] = {}

    def decide(self, rows: Iterable[DroppedRow]) -> Iterator[RowDecision]:
        """Yield a decision for each row that is not simply sent as a new one."""
        for window in batched(rows, WINDOW, strict=False):
            named = {name for row in window if (name := self._name_of(row.parent))}
            identities = self._family.read_identities(named)
            results = self._family.read_results(set(identities.values()))
            known = self._with_own_numbers(window, identities, results)
            self._shown, self._written = self._read_shown(known), self._read_written(known)
            elsewhere = self._read_elsewhere(known, identities, results)
            in_place = self._find_in_place_of(identities.values())
            for row in known:
                name = self._name_of(row.parent)
                identity = identities[name] if name else None
                kept = results.get(identity) if identity else None
                if kept is None or not kept.status.is_in_bigin:
                    other = self._take_elsewhere(row, identity, elsewhere)
                    if other is not None and (kept is None or other.kept.status.is_in_bigin):
                        identity, kept = identity or other.identity, other.kept
                decision = self._decided(row, identity, kept)
                if self._is_overtaken(decision, row):
                    through = decision.root_import
                    decision = decision._replace(status=RowStatus.EXISTING, through=through)
                else:
                    self._count(decision, row)
                if decision.status is None and row.record is not None and identity in in_place:
                    self.tally.add(IN_ANOTHER_FORM, row.number)
                if decision != RowDecision(row.number):
                    yield decision

    def _read_shown(self, rows: Iterable[DroppedRow]) -> dict[Identity, str]:
        """Return since which import a person has seen rows unclear that they release."""
        released = (row.parent for row in rows if row.parent and row.parent.is_released)
        names = {name for parent in released if (name := self._name_of(parent))}
        return self._family.read_unclear(names, {each for each, _ in names}) if names else {}

    def _read_written(self, rows: Iterable[DroppedRow]) -> dict[bytes, int]:
        """Return which member had the keys of *rows* last, as far as any but the first had one."""
        if self._is_insert or self._key is None:
            return {}
        records = [row.record for row in rows if row.record is not None]
        wanted, last = set(key_hashes(record[self._key] for record in records)), dict[bytes, int]()
        for member, at in self._places.items():
            keys = self._read_keys(member) if at else ()  # what the first had, nobody had before
            last |= dict.fromkeys(wanted if keys is None else wanted.intersection(keys), at)
        return last

    def _read_elsewhere(
        self,
        rows: Sequence[DroppedRow],
        identities: Mapping[Identity, Identity],
        results: Mapping[Identity, KeptRow],
    ) -> _Elsewhere:
        """Return what may be rows that are not known to be in, sent by others in another form."""
        if not self._is_insert:
            return _Elsewhere()  # what is sent again finds its record
        records = (row.record for row in rows)
        sent = {self._fingerprints.of(record) for record in records if record is not None}
        mended, new = self._family.read_mended(sent), self._read_new(rows, identities, results)
        return _Elsewhere(
            mended,
            self._family.find_files(identities.values() if mended else ()),
            new,
            self._family.find_corrections(identities.values() if new else ()),
        )

    def _read_new(
        self,
        rows: Iterable[DroppedRow],
        identities: Mapping[Identity, Identity],
        results: Mapping[Identity, KeptRow],
    ) -> dict[str, list[RowElsewhere]]:
        """Return what corrections have sent that may be rows which have no number, or had none."""
        if not self._corrections:
            return {}
        wanted = set()
        for row in rows:
            name = self._name_of(row.parent)
            kept = results.get(identities[name]) if name else None
            if row.record is not None and (kept is None or not kept.status.is_in_bigin):
                wanted.add(self._fingerprints.of(row.record))
            if name and kept is not None and self._is_same(row, kept):
                self._used.add(identities[name])
        found = self._family.read_new(wanted) if wanted else {}
        return {
            sent: [each for each in same if each.identity not in self._used]
            for sent, same in found.items()
        }

    def _find_in_place_of(self, rows: Iterable[Identity]) -> frozenset[Identity]:
        """Return those of *rows* in whose place a mended original has another one."""
        originals = self._family.originals
        wanted = [row for row in rows if self._is_insert and row[0] not in originals]
        numbers = self._family.find_in_place_of({number for _, number in wanted})
        return frozenset(row for row in wanted if row[1] in numbers)

    def _take_elsewhere(
        self, row: DroppedRow, identity: Identity | None, known: _Elsewhere
    ) -> RowElsewhere | None:
        """
        Return the row that *row* is in another file, though nothing says so.

        One without a number may be any that a correction has sent; one with a number was mended,
        or had none in another correction. What is equal in a file that has *row* is another row.
        """
        if identity is not None:
            mended = self._take(row, known.files.get(identity, set()), known.mended)
            if mended is not None:
                return mended
            firsts, own = self._family.firsts, known.corrections.get(identity, set())
            new = self._take(row, {identity[0], *firsts, *own}, known.new)
        else:
            new = self._take(row, set(), known.new)
        if new is not None:
            self._used.add(new.identity)
        return new

    def _take(
        self, row: DroppedRow, files: set[str], known: dict[str, list[RowElsewhere]]
    ) -> RowElsewhere | None:
        """
        Return the row of *known* that has the cells of *row*, each once.

        Args:
            files: The drops that have *row* itself: what is equal there is another row.
        """
        same = known.get(self._fingerprints.of(row.record), []) if known and row.record else []
        for at in reversed(range(len(same))):
            if same[at].files.isdisjoint(files):
                return same.pop(at)
        return None

    def _with_own_numbers(
        self,
        rows: Sequence[DroppedRow],
        identities: Mapping[Identity, Identity],
        results: Mapping[Identity, KeptRow],
    ) -> list[DroppedRow]:
        """
        Return *rows*, of those with one number all but one without it.

        It is that of the row which is as it was sent; if none is, of the first. Somebody may have
        copied a row, and put the copy above it.
        """
        owners: dict[Identity, DroppedRow] = {}
        for row in rows:
            name = self._name_of(row.parent)
            if name is None or name in self._seen:
                continue
            first, kept = owners.setdefault(name, row), results.get(identities[name])
            if first is not row and kept and self._is_same(row, kept):
                owners[name] = first if self._is_same(first, kept) else row
        for name in owners:
            self._seen.add(name)
        own = {row.number for row in owners.values()}
        return [
            row._replace(parent=None)
            if self._name_of(row.parent) and row.number not in own
            else row
            for row in rows
        ]

    def _name_of(self, parent: ParentRow | None) -> Identity | None:
        """Return the import that a row names, and its number there; None if it does not say one."""
        if parent is None or not parent.row:
            return None
        return parent.import_id or self._family.parent_id, parent.row

    def _decided(
        self, row: DroppedRow, identity: Identity | None, kept: KeptRow | None
    ) -> RowDecision:
        root_import, root_row = identity or ("", 0)
        decision = RowDecision(
            row.number,
            root_import=root_import,
            root_row=root_row,
            restored=row.healed.restored,
            reason=row.healed.reason,
        )
        if kept is None:
            return self._decided_by_its_word(decision, row)
        settled = decision._replace(record_id=kept.record_id, through=kept.through, reason="")
        if kept.status.is_in_bigin and self._is_in(row, kept):
            existing = settled._replace(status=RowStatus.EXISTING)
            return decision if self._is_to_be_put_back(existing, row) else existing
        if kept.status is RowStatus.UNCLEAR and not self._may_be_sent(row, kept):
            return settled._replace(status=RowStatus.UNCLEAR)
        return decision

    def _decided_by_its_word(self, decision: RowDecision, row: DroppedRow) -> RowDecision:
        """Believe what a row says of itself, where nothing else is known of it."""
        parent = row.parent
        if parent is None or not _says_in(parent):
            return decision
        status, through = RowStatus.EXISTING, parent.import_id or self._family.parent_id
        if parent.row is not None and through in self._kept:
            return decision
        record_id = parent.record_id
        found = decision._replace(status=status, record_id=record_id, through=through, reason="")
        return decision if self._is_to_be_put_back(found, row) else found

    def _is_to_be_put_back(self, existing: RowDecision, row: DroppedRow) -> bool:
        """
        Return whether another file, or another row, may have changed a row since it got in.

        So has a row above it with its key that is put back: the last one of a file counts.
        """
        if row.record is None or row.healed.reason or not self._may_repeat:
            return False
        keys = set() if self._key is None else set(key_hashes([row.record[self._key]]))
        written = max((self._written.get(key, 0) for key in keys), default=0)
        is_changed = written > self._places.get(existing.through, 0)
        is_changed = is_changed or not self._keys_put_back.isdisjoint(keys)
        if is_changed or self._check_written_over(existing.through):
            self._put_back.add(row.number)
            self._keys_put_back |= keys
        return row.number in self._put_back

    def _is_in(self, row: DroppedRow, kept: KeptRow) -> bool:
        """Return whether nothing is to be done for a row that got in."""
        is_unknown = self._is_insert and not kept.sent  # what is sent again finds its record
        is_same = row.record is None or is_unknown or self._is_same(row, kept)
        if self._is_insert and not is_same:
            self.tally.add(CHANGED, row.number)
        return self._is_insert or is_same

    def _is_overtaken(self, decision: RowDecision, row: DroppedRow) -> bool:
        """Return whether an unchanged row would write over a later one of the file."""
        later = self._overtaken.get((decision.root_import, decision.root_row))
        if later is None or row.record is None or self._key is None or not decision.is_sent:
            return False
        if key_hashes([row.record[self._key]]) != [later.key]:
            return False
        is_same = self._fingerprints.of(row.record) == later.sent
        self.tally.add(OVERTAKEN if is_same else OVERTAKES, row.number)
        return is_same

    def _is_same(self, row: DroppedRow, kept: KeptRow) -> bool:
        return row.record is not None and self._fingerprints.of(row.record) == kept.sent

    def _may_be_sent(self, row: DroppedRow, kept: KeptRow) -> bool:
        """
        Return whether an unclear row does no harm if it is sent again, or was released.

        Who released it has looked in Bigin for what they were shown, not for what was sent since.
        """
        if self._may_repeat:
            return True
        name = self._name_of(row.parent)
        return name is not None and self._shown.get(name) == kept.through

    def _count(self, decision: RowDecision, row: DroppedRow) -> None:
        if decision.status is RowStatus.EXISTING:
            self.tally.add(IN_ALREADY, row.number)
        elif decision.status is RowStatus.UNCLEAR:
            self.unclear += 1
            is_released = row.parent is not None and row.parent.is_released
            self.sent_since = decision.through if is_released else self.sent_since
            what = _RELEASED_BEFORE.format(decision.through) if is_released else STILL_UNCLEAR
            self.tally.add(what, row.number)
        else:
            self.sent += 1
            if row.number in self._put_back:
                self.tally.add(WRITTEN_OVER, row.number)
            if not decision.root_row:
                self.tally.add(NEW, row.number)

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(filter(None, map(self.tally.sentence, _NOTES)))

    @property
    def warnings(self) -> tuple[str, ...]:
        told = (what for what in self.tally.counts if what not in _NOTES)
        return tuple(filter(None, map(self.tally.sentence, told)))


def _says_in(parent: ParentRow) -> bool:
    """Return whether a row says that it is in Bigin: by its status, or by the record's id alone."""
    said = parent.status.casefold()
    return said in _SAID_IN or bool(not said and parent.record_id)
