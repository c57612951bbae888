"""
What is not about one import: key locks, claims, the access token, notices, metadata, the page of
all imports, and what was imported, in its order, by module and by the name of the file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import Address
from bigin_import.domain.undo import Undo


@dataclass(frozen=True, slots=True, kw_only=True)
class SentDrop:
    """
    An import whose rows may have come into a module.

    Attributes:
        find_by: API name of its key; None if it had none.
        keys: Key of the object with the hashes of its key values; None if they are not known.
        at: When it was planned, in seconds since the epoch.
    """

    import_id: str
    at: int
    find_by: str | None = None
    keys: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleHistory:
    """
    The latest imports into a module, the newest last.

    Attributes:
        forgot: There were more; of these nothing is known any more.
    """

    module: str
    sent: tuple[SentDrop, ...] = ()
    forgot: bool = False
    version: int = 0

    @classmethod
    def at(cls, module: str) -> Address[ModuleHistory]:
        return Address(cls, f"MODULE#{module}", "HISTORY")

    @property
    def address(self) -> Address[ModuleHistory]:
        return ModuleHistory.at(self.module)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedImport:
    """
    An import of a file; what the release before did not write down is "".

    Attributes:
        results: Prefix of its result files.
        zgid: Its organisation; None if the release before wrote this down.
        columns: Hash of which column fills which field.
        values: Hash of its constants and value rules.
        sample: The beginnings of fingerprints of a few of its rows, in hexadecimal.
        is_forced: It was to repeat what was in.
    """

    import_id: str
    module: str
    results: str
    zgid: str | None = None
    columns: str = ""
    values: str = ""
    sample: str = ""
    is_forced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHistory:
    """
    The latest imports of files whose names differ by no more than a copy's mark or a date.

    Attributes:
        name: Hash of the bucket and of what the names have in common.
        imports: In the order in which they were planned, the newest last. In a release before
            only those that add rows.
    """

    name: str
    imports: tuple[NamedImport, ...] = ()
    version: int = 0

    @classmethod
    def at(cls, name: str) -> Address[FileHistory]:
        return Address(cls, f"FILE#{name}", "HISTORY")

    @property
    def address(self) -> Address[FileHistory]:
        return FileHistory.at(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyVersion:
    """A version of a key, by its import; *sequencer* is S3's order."""

    import_id: str
    sequencer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLock:
    """
    The versions of one key go one after another, in their order.

    Attributes:
        place: Hash of bucket and key.
        open_import: The import that is being prepared or sent; the lock is its until it is closed
            or on hold.
        waiting: Those that could go but for the lock, the oldest first; of very many the oldest.
        last_sequencer, last_import: Of the latest version that was sent.
        unmapped: The latest version that was there while the key still waited for a mapping.
        unversioned: The latest that was dropped while the bucket kept no versions: all of those
            have the same version id.
        undoing: The import of a version that is being taken back; nobody gets the lock until then.
    """

    place: str
    open_import: str | None = None
    waiting: tuple[KeyVersion, ...] = ()
    last_sequencer: str = ""
    last_import: str | None = None
    unmapped: KeyVersion | None = None
    unversioned: KeyVersion | None = None
    undoing: str | None = None
    version: int = 0

    @classmethod
    def at(cls, place: str) -> Address[KeyLock]:
        return Address(cls, f"DROP#{place}", "DROP")

    @property
    def address(self) -> Address[KeyLock]:
        return KeyLock.at(self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentClaim:
    """
    This content with this mapping belongs to that import.

    Attributes:
        repeats: The import that had it before, and whose kept rows told which of its rows were in;
            they tell it again where the one that has it now was unchanged. Or the one that was
            repeated in spite of it.
        told_by: The import by which people heard that the content is unchanged.
    """

    digest: str
    import_id: str
    repeats: str | None = None
    told_by: str | None = None
    version: int = 0

    @classmethod
    def at(cls, digest: str) -> Address[ContentClaim]:
        return Address(cls, f"CLAIM#{digest}", "CLAIM")

    @property
    def address(self) -> Address[ContentClaim]:
        return ContentClaim.at(self.digest)

    def given_back(self, import_id: str) -> ContentClaim | None:
        """Return it as the import before *import_id* has it again; None if that has it not."""
        if self.import_id != import_id or self.repeats is None:
            return None
        return replace(self, import_id=self.repeats, repeats=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """
    A drop, its corrections, and theirs: their rows are the same rows. One of them runs at a time.

    Attributes:
        root: The import of the drop that all of them go back to.
        members: The other imports, in the order in which they ran.
        originals: Those of them that are no corrections: the drop again, mended or grown.
        open_import: The member that runs; the lock is free once that is closed.
        undoing: The member that is being taken back; nobody gets the lock until then.
        undone: Those that were: the records that they added are not in Bigin any more.
    """

    root: str
    members: tuple[str, ...] = ()
    originals: tuple[str, ...] = ()
    open_import: str | None = None
    undoing: str | None = None
    undone: tuple[str, ...] = ()
    version: int = 0

    @classmethod
    def at(cls, root: str) -> Address[Family]:
        return Address(cls, f"FAMILY#{root}", "FAMILY")

    @property
    def address(self) -> Address[Family]:
        return Family.at(self.root)


def members_of(families: Iterable[Family]) -> tuple[str, ...]:
    """
    Return the imports of all *families*, roots included, each once and after those it ran after.

    A row may be corrected in a file of several families; whoever is in two of them ran alone in
    both, so their orders do not contradict each other.
    """
    rows = [deque((family.root, *family.members)) for family in families]
    found: list[str] = []
    while rows := [row for row in rows if row]:
        heads = (row[0] for row in rows)
        first = next((each for each in heads if _is_first(each, rows)), rows[0][0])
        found.append(first)
        for row in rows:
            if row[0] == first:
                row.popleft()
    return tuple(dict.fromkeys(found))


def _is_first(member: str, rows: Iterable[deque[str]]) -> bool:
    return all(row[0] == member or member not in row for row in rows)


class FreshToken(NamedTuple):
    """What Zoho gives for a refresh token; *scopes* are empty where it does not say them."""

    token: str
    life_seconds: int
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedToken:
    """
    The access token that all functions share; it lies in a secret of the stack.

    Attributes:
        token_version: Version of that secret that has the token; "" before the first refresh.
        access_token: Of the release before, which kept it here; emptied by the next write.
        valid_until: When it is refreshed, five minutes before Zoho ends it.
        refresh_until: Somebody is refreshing until then; the others use what there is or wait.
        refreshed_at: Times of the latest refreshes; Zoho allows 10 in 10 minutes.
        refused: Zoho's word if it refuses the refresh token, until a refresh works again.
        credentials_version: Version of the Zoho secret that the latest refresh was made with; ""
            where it could not be read, or by the release before.
        scopes: What the latest refresh gave access to, if Zoho said so.
    """

    token_version: str = ""
    access_token: str = field(default="", repr=False)
    generation: int = 0
    valid_until: int = 0
    refresh_until: int = 0
    refreshed_at: tuple[int, ...] = ()
    refused: str | None = None
    credentials_version: str = ""
    scopes: tuple[str, ...] = ()
    version: int = 0

    @property
    def is_answered(self) -> bool:
        """Return whether Zoho has refused the secret of now, or given a token for it."""
        return self.refused is not None or self.valid_until > 0

    @classmethod
    def at(cls) -> Address[SharedToken]:
        return Address(cls, "TOKEN", "TOKEN")

    @property
    def address(self) -> Address[SharedToken]:
        return SharedToken.at()


@dataclass(frozen=True, slots=True, kw_only=True)
class LastNotice:
    """When people were last told something that is not about one import."""

    what: str
    told_at: int = 0
    version: int = 0

    @classmethod
    def at(cls, what: str) -> Address[LastNotice]:
        return Address(cls, f"TOLD#{what}", "TOLD")

    @property
    def address(self) -> Address[LastNotice]:
        return LastNotice.at(self.what)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """
    The page of all imports, as it was last written.

    Attributes:
        mark: Hash of what it shows; "" if it must be written whatever it shows.
        again_at: When it is written once more, since the index that it is read from lags.
        leased_until: Somebody is writing it until then.
        months: Those that have a page of their own, such as "2026-11", the oldest first.
        months_at: When pages of months were last looked at.
        stale: Months whose page is written anew, and once more with the first one.
    """

    mark: str = ""
    again_at: int | None = None
    leased_until: int = 0
    months: tuple[str, ...] = ()
    months_at: int = 0
    stale: tuple[str, ...] = ()
    version: int = 0

    @classmethod
    def at(cls) -> Address[Overview]:
        return Address(cls, "OVERVIEW", "OVERVIEW")

    @property
    def address(self) -> Address[Overview]:
        return Overview.at()


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedResponse:
    """An answer of Bigin's metadata, kept for minutes; *answer* is JSON text."""

    what: str
    answer: str
    until: int
    version: int = 0

    @classmethod
    def at(cls, what: str) -> Address[CachedResponse]:
        return Address(cls, what, what)

    @property
    def address(self) -> Address[CachedResponse]:
        return CachedResponse.at(self.what)


type OpenAddress = Address[Import] | Address[Part] | Address[Undo]
"""Of what the index of open work may have."""

type Record = (
    Import
    | Part
    | Undo
    | KeyLock
    | ContentClaim
    | Family
    | ModuleHistory
    | FileHistory
    | SharedToken
    | LastNotice
    | Overview
    | CachedResponse
)
