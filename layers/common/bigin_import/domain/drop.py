"""What people drop, and what is said to them about it."""

from __future__ import annotations

from dataclasses import dataclass, field

# What is written while the bucket's versioning is suspended, or was never on, has this version
# id, says S3; only events leave it out.
NO_VERSION = "null"


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """
    One version of one object; *key* is decoded. *sequencer* orders the versions of one key.

    Attributes:
        etag: What tells its content from what is written over it, where no version is kept.
    """

    bucket: str
    key: str
    version_id: str
    size: int = 0
    sequencer: str = ""
    etag: str = ""


def is_older(sequencer: str, than: str) -> bool:
    """
    Return whether one version of a key was written before another, by their sequencers.

    S3's event message structure: pad the shorter one with zeros on the right, then compare as
    text. Where either is "" nobody knows, and it is not.
    """
    width = max(len(sequencer), len(than))
    return "" not in (sequencer, than) and sequencer.ljust(width, "0") < than.ljust(width, "0")


@dataclass(frozen=True, slots=True)
class Problem:
    """
    One thing that is wrong, said so that a person can act on it.

    Attributes:
        where: The file and the place in it: "contacts.mapping.json, field_mappings[2].column"
            or "contacts.csv, row 17".
        what: What is wrong there, in one sentence without a full stop.
        remedy: What to do about it, in one sentence without a full stop.
        cells: Cells of the drop that show it, for the report only: never in a log or a notice.
    """

    where: str
    what: str
    remedy: str = ""
    cells: tuple[str, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f". {self.remedy}" if self.remedy else "")


@dataclass(frozen=True, slots=True)
class Notice:
    """
    What is told to people when something closes or needs them.

    Attributes:
        subject: ASCII, one line, at most 99 characters (what SNS accepts).
        attributes: For subscription filters: state, module, file, import_id.
    """

    subject: str
    body: str
    attributes: tuple[tuple[str, str], ...] = ()


def is_workbook(key: str) -> bool:
    """Return whether the drop *key* is read as a workbook of Excel."""
    return key.lower().endswith((".xlsx", ".xlsm"))
