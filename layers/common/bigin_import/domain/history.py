"""What was imported, in its order: by module, and by the name of the file."""

from __future__ import annotations

from dataclasses import dataclass

from bigin_import.domain.states import Address


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
    """An import of a file; *results* is the prefix of its result files."""

    import_id: str
    module: str
    results: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHistory:
    """
    The latest imports of files whose names differ by no more than a copy's mark or a date.

    Attributes:
        name: Hash of the bucket and of what the names have in common.
        imports: That add rows, in the order in which they were planned, the newest last.
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
