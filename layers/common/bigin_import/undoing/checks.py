"""Whether an import can be undone at all; and the locks that let nothing else of it run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from bigin_import import identity, object_keys
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import Family, KeyLock
from bigin_import.domain.states import Address
from bigin_import.errors import UndoRefusedError
from bigin_import.ledger import create_if_absent, load_undoing, update
from bigin_import.ports import Bigin, Files, Ledger

ALONE = "Delete them in Bigin; success.csv, if you still have it, names their ids"


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoChecks:
    """Looks whether an import can be undone, before it is shown and again when it is confirmed."""

    ledger: Ledger
    files: Files
    bigin: Bigin

    @property
    def locks(self) -> UndoLocks:
        return UndoLocks(ledger=self.ledger)

    def load_closed(self, import_id: str) -> Import:
        """
        Return an import that was made in the organisation that Bigin is asked in.

        Raises:
            UndoRefusedError: It is not closed, added nothing, or nobody knows any more what.
        """
        record = self.ledger.load(Import.at(import_id))
        if record is None:
            raise UndoRefusedError(f"no import {import_id} is known", "Look for its id in a notice")
        if not record.state.is_closed or record.open is not None:
            raise UndoRefusedError(
                f"import {import_id} is {record.state}, and not everything of it is done",
                f"Wait for its end: bigin-drop watch {import_id}",
            )
        if record.counts is None or not record.counts.added:
            raise UndoRefusedError(
                f"import {import_id} is {record.state} and added no record to Bigin",
                "There is nothing to undo; what an import updated stays as it is",
            )
        if not self._check_kept(record):
            raise UndoRefusedError(
                f"what became of each row of import {import_id} is not kept any more", ALONE
            )
        self._check_organisation(record)
        return record

    def _check_kept(self, record: Import) -> bool:
        if not record.results:  # a person had it forgotten
            return False
        return self.files.find_newest(object_keys.kept_rows_file(record.results)) is not None

    def _check_organisation(self, record: Import) -> None:
        found = self.bigin.get_zgid()
        if record.zgid is None:
            raise UndoRefusedError(
                f"it is not known into which organisation import {record.import_id} went", ALONE
            )
        if found != record.zgid:
            raise UndoRefusedError(
                f"import {record.import_id} went into organisation {record.zgid}, and the Zoho "
                f"secret is for {found}",
                "Put the refresh token of its organisation into the secret: bigin-drop connect",
            )

    def check_nothing_open(self, record: Import, families: Iterable[str]) -> None:
        """
        Look whether another import may be sending rows of this one.

        Raises:
            UndoRefusedError: A version of its key, or a correction of it, is open.
        """
        if (other := self.locks.find_open(record, families)) is not None:
            raise UndoRefusedError(
                f"import {other} of the same file, or of a correction of it, is open",
                f"Wait for its end, or decide about it: bigin-drop show {other}",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoLocks:
    """
    The locks of a key and of the families of an import, while it is undone.

    Who has them lets no version of the key and no member of the families begin. They are taken
    only while none is open, and given back together.
    """

    ledger: Ledger

    def find_open(self, record: Import, families: Iterable[str]) -> str | None:
        """Return an import that has one of the locks, or waits for the key's; None without one."""
        lock = self.ledger.load(KeyLock.at(identity.place_of(record.source)))
        if lock is not None and (other := self._find_open_version(lock, record)):
            return other
        for root in families:
            family = self.ledger.load(Family.at(root))
            if family is not None and (other := self._find_open_member(family, record)):
                return other
        return None

    def acquire(self, record: Import, families: Iterable[str]) -> bool:
        """Take all locks, or none; return whether they are ours. Idempotent."""
        families, own = tuple(families), record.import_id

        def key_taken(seen: KeyLock) -> KeyLock | None:
            is_free = self._find_open_version(seen, record) is None
            return replace(seen, undoing=own) if is_free and seen.undoing != own else None

        def family_taken(seen: Family) -> Family | None:
            is_free = self._find_open_member(seen, record) is None
            return replace(seen, undoing=own) if is_free and seen.undoing != own else None

        key = KeyLock(place=identity.place_of(record.source))
        taken = self._take(key, key_taken) == own
        for root in families if taken else ():
            taken = taken and self._take(Family(root=root), family_taken) == own
        if not taken:
            self.release(record, families)
        return taken

    def release(self, record: Import, families: Iterable[str], *, undone: bool = False) -> None:
        """Give the locks back that the import has; *undone*: rows that it added are not in."""
        own = record.import_id

        def family_left(seen: Family) -> Family | None:
            if seen.undoing != own:
                return None
            more = (own,) if undone and own not in seen.undone else ()
            return replace(seen, undoing=None, undone=(*seen.undone, *more))

        def key_left(seen: KeyLock) -> KeyLock | None:
            return replace(seen, undoing=None) if seen.undoing == own else None

        for root in families:
            update(self.ledger, Family.at(root), family_left)
        update(self.ledger, KeyLock.at(identity.place_of(record.source)), key_left)

    def _take[L: (KeyLock, Family)](self, empty: L, step: Callable[[L], L | None]) -> str | None:
        """Apply *step* to a lock, which is made if there is none; return who has it to undo."""
        create_if_absent(self.ledger, empty)
        address: Address[L] = empty.address
        lock, _ = update(self.ledger, address, step)
        return lock.undoing if lock is not None else None

    def _find_open_version(self, lock: KeyLock, record: Import) -> str | None:
        own = record.import_id
        if (other := load_undoing(self.ledger, lock)) not in (None, own):
            return other
        others = (lock.open_import, *(each.import_id for each in lock.waiting))
        return next((each for each in others if each != own and self._check_open(each)), None)

    def _find_open_member(self, family: Family, record: Import) -> str | None:
        own = record.import_id
        if (undone := load_undoing(self.ledger, family)) not in (None, own):
            return undone
        other = family.open_import
        return other if other != own and self._check_open(other) else None

    def _check_open(self, import_id: str | None) -> bool:
        record = self.ledger.load(Import.at(import_id)) if import_id else None
        return record is not None and not record.state.is_closed
