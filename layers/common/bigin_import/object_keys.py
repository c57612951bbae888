"""
Where things lie in the bucket, and what a key under `incoming/` is. Pure.

Keys are decoded S3 keys; the prefixes are part of the contract with the people who drop files.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from posixpath import basename, dirname

from bigin_import.domain.drop import ObjectVersion

INCOMING = "incoming/"
CHECK = "incoming/_check/"
MAX_KEY_BYTES = 800  # with a folder and MAX_STEM_BYTES below results/ it stays in S3's 1,024
MAX_STEM_BYTES = 150
_MAPPING_ENDINGS = (".mapping.json", ".mapping.json.txt")
_FOLDER_MAPPINGS = ("mapping.json", "mapping.json.txt")
DROP_ENDINGS = (".csv", ".csv.gz", ".xlsx", ".xlsm")
_ENDING = "|".join(map(re.escape, DROP_ENDINGS))
_DROP = re.compile(f"({_ENDING})$", re.IGNORECASE)
_LEFTOVERS = re.compile(
    r"(^\.DS_Store|^\._.*|^~\$.*|^\.~lock.*|^desktop\.ini|\.filepart)$", re.IGNORECASE
)
_ENTRY = re.compile(r"(?<![a-z2-7])([a-z2-7]{26})-([0-9]{4,})(?![0-9])", re.ASCII)
_CREATE_MARK = re.compile(r"/([0-9]{4,})[.]create-([0-9]{4,})[.]json$", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")


class KeyKind(StrEnum):
    """What an object under `incoming/` is taken for."""

    DROP = "drop"
    MAPPING = "mapping"
    IGNORED = "ignored"
    UNSUPPORTED = "unsupported"
    REFUSED = "refused"


def kind_of(key: str) -> KeyKind:
    """Classify *key*; editors' and uploaders' leftovers and other prefixes are IGNORED."""
    name = basename(key)
    if not key.startswith(INCOMING) or not name or _LEFTOVERS.search(name):
        return KeyKind.IGNORED
    if not _is_safe(key):
        return KeyKind.REFUSED
    if _is_mapping(key):
        return KeyKind.MAPPING
    return KeyKind.DROP if _DROP.search(name) else KeyKind.UNSUPPORTED


def _is_safe(key: str) -> bool:
    segments = key.split("/")
    return (
        len(key.encode()) <= MAX_KEY_BYTES
        and not any(segment in ("", ".", "..") for segment in segments)
        and not _CONTROL.search(key)
    )


def _is_mapping(key: str) -> bool:
    name = basename(key).casefold()
    return name in _FOLDER_MAPPINGS or name.endswith(_MAPPING_ENDINGS)


def is_check(key: str) -> bool:
    """Return whether a drop is a dry run because of where it lies."""
    return key.startswith(CHECK)


type Names = tuple[str, frozenset[str]]
"""A prefix to list, and the case-folded keys that count as a mapping there."""


def own_mapping_names(key: str) -> tuple[Names, ...]:
    """Return where the mapping that bears the name of the drop *key* may lie."""
    return tuple(_own_names(each) for each in _stand_ins(key))


def folder_mapping_names(key: str) -> tuple[Names, ...]:
    """Return where a mapping of the folders of the drop *key* may lie, the nearest first."""
    return tuple(names for each in _stand_ins(key) for names in _folder_names(each))


def _stand_ins(key: str) -> tuple[str, ...]:
    """Return *key*, and for a dry run below `_check/` the place of the file it stands for."""
    return (key, INCOMING + key.removeprefix(CHECK)) if is_check(key) else (key,)


def _own_names(key: str) -> Names:
    stem = _DROP.sub("", key)
    middles = ("", *DROP_ENDINGS)
    names = (stem + middle + ending for middle in middles for ending in _MAPPING_ENDINGS)
    # With the dot: a folder may hold any number of files whose names only begin like this one's.
    return f"{stem}.", frozenset(name.casefold() for name in names)


def _folder_names(key: str) -> Iterator[Names]:
    folder = dirname(key)
    while folder.startswith(INCOMING.rstrip("/")):
        names = frozenset(f"{folder}/{name}".casefold() for name in _FOLDER_MAPPINGS)
        for start in ("mapping", "Mapping", "MAPPING"):
            yield f"{folder}/{start}", names
        folder = dirname(folder)


def reaches(mapping_key: str, key: str) -> bool:
    """Return whether the drop *key* looks for its mapping at *mapping_key*."""
    places = (*own_mapping_names(key), *folder_mapping_names(key))
    is_exact = any(mapping_key.casefold() in names for _, names in places)
    return is_exact or is_named_alike(mapping_key, key)


def is_named_alike(mapping_key: str, key: str) -> bool:
    """
    Return whether a mapping beside the drop *key* bears its name but for Unicode form or case.

    macOS writes é as two characters, and people do not see letter case in all of their programs.
    """
    _, names = _own_names(key)
    return _form(mapping_key) in map(_form, names)


def _form(key: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", key).casefold())


def reach_of(mapping_key: str) -> str:
    """
    Return the prefix under which every drop lies that *mapping_key* may be the mapping of.

    It is the folder also for a mapping of one file, whose name may differ in letter case or in
    its Unicode form.
    """
    return mapping_key.removesuffix(basename(mapping_key))


def is_ours(key: str) -> bool:
    """Return whether we wrote the object *key* ourselves, beside the parts of an import."""
    return key.startswith("parts/")


def is_of_import(key: str, import_id: str) -> bool:
    """Return whether *key* lies beside the parts of that import."""
    return key.startswith(beside_parts(import_id))


type Keys = tuple[str, ...]
"""
Where an object of one content may lie: the key that holds its SHA-256, under which nobody can
write anything else, and then the keys that the release before gave it.
"""


def pinned_mapping(import_id: str, sha256: str) -> Keys:
    folder = f"parts/{import_id}/"
    return f"{folder}mapping.{sha256}.json", f"{folder}mapping.json"


def plan_file(import_id: str, sha256: str) -> Keys:
    folder = f"parts/{import_id}/plan"
    return f"{folder}.{sha256}.json", f"{folder}.{sha256[:16]}.json", f"{folder}.json"


def decisions_file(import_id: str, sha256: str) -> str:
    """Return where it is kept what was decided about rows before they were split."""
    return f"parts/{import_id}/decisions.{sha256}.csv.gz"


OVERVIEW = "results/index.html"


def overview_of_month(month: str) -> str:
    """Return the key of the page of a month, such as "2026-11"; no drop has results there."""
    return f"results/{month}.html"


def kept_rows_file(results: str) -> str:
    """Return the key, among the results of an import, of what became of each row, for machines."""
    return f"{results}rows.csv.gz"


def rows_file(results: str, key: str, kind: str) -> str:
    """Return where the rows of the drop *key* lie that became of one *kind*, such as "failed"."""
    return f"{results}{result_name(key)}.{kind}.csv"


def undone_file(results: str) -> str:
    """Return the key, among the results of an import, of the ids that undoing it deleted."""
    return f"{results}undone.txt.gz"


def undo_list(import_id: str, sha256: str) -> str:
    """Return where the list lies of what undoing an import deletes."""
    return f"{beside_parts(import_id)}undo.{sha256}.csv.gz"


def undo_remainders(import_id: str, sha256: str, begin: int | None = None) -> str:
    """
    Return where it is kept what of such a list was not deleted.

    Args:
        begin: Of one call, how many rows of the list were behind it; None: the prefix of all.
    """
    prefix = f"{beside_parts(import_id)}undo.{sha256}.kept-"
    return prefix if begin is None else f"{prefix}{begin:08d}.json"


def problems_file(import_id: str) -> str:
    return f"parts/{import_id}/problems.json"


def notice_file(import_id: str) -> str:
    return f"parts/{import_id}/notice.json"


def archive(import_id: str, part: int, sha256: str) -> Keys:
    """Return the keys of exactly the bytes that are sent to Bigin."""
    return f"parts/{import_id}/{part:04d}.{sha256}.zip", f"parts/{import_id}/{part:04d}.zip"


def beside_parts(import_id: str) -> str:
    """Return what the keys begin with of all that is prepared and kept for an import."""
    return f"parts/{import_id}/"


def create_mark(import_id: str, part: int, create: int) -> str:
    return f"{beside_parts(import_id)}{part:04d}.create-{create:04d}.json"


def numbers_of_mark(key: str) -> tuple[int, int] | None:
    """Return part and create of the mark of a create; None if *key* is of something else."""
    found = _CREATE_MARK.search(key)
    return (int(found[1]), int(found[2])) if found else None


def entry_name(import_id: str, part: int) -> str:
    """Return the name of the CSV inside a part's archive; Bigin shows it in the job's details."""
    return f"{import_id}-{part:04d}.csv"


def part_of_entry(name: str) -> tuple[str, int] | None:
    """
    Return import and number of the part whose `entry_name` is in *name*; None if none is.

    Bigin's documentation names the CSV of row results `<module>-<file>`, without an ending.
    """
    found = _ENTRY.search(name)
    return (found[1], int(found[2])) if found else None


def result_archive(import_id: str, part: int, sha256: str) -> str:
    """Return the key of Bigin's own row results, kept as they came."""
    return f"parts/{import_id}/{part:04d}.{sha256}.result.zip"


def row_results_file(import_id: str, part: int, sha256: str) -> Keys:
    """Return the keys of what became of each row of a part."""
    place = f"parts/{import_id}/{part:04d}"
    return f"{place}.{sha256}.fates.csv.gz", f"{place}.fates.csv.gz"


def keys_file(results: str) -> str:
    """Return where the hashes of an import's key values lie, beside its result files."""
    return f"{results}keys.bin"


def results_prefix(source: ObjectVersion, import_id: str, received_at: int) -> str:
    """Return where the result files go; *received_at* in seconds since the epoch."""
    if kind_of(source.key) is KeyKind.REFUSED:
        return f"results/_refused/{import_id}/"
    moment = time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime(received_at))
    return f"results/{source.key.removeprefix(INCOMING)}/{moment}-{import_id[:8]}/"


def stem(key: str) -> str:
    """Return what a mapping is named after: `contacts` for `incoming/contacts.csv`."""
    return _DROP.sub("", basename(key))


_DATE = (
    r"\d{4}([-_. ]?)(0[1-9]|1[0-2])\1(0[1-9]|[12]\d|3[01])"
    r"([T_ -]+\d{2}[-:.h]?\d{2}([-:.m]?\d{2})?Z?)?"
    r"|\d{1,2}([-_.])\d{1,2}\6(\d{4}|\d{2})"
)
_COPY = (
    r"\(\d+\)|(?<![^\W_])(copy|kopie|copie|copia)( ?\(?\d+\)?)?(?![^\W_])(?: (of|von|de)(?!\w))?"
)
_COPY_OR_DATE = re.compile(f"(?<!\\d)(?:{_DATE})(?!\\d)|{_COPY}", re.IGNORECASE)


_ROWS_NOT_IN = re.compile(r"\.(failed|unprocessed|unclear)(?![^\W_])", re.IGNORECASE)


def is_named_as_rows_not_in(key: str) -> bool:
    """Return whether a drop bears the name of a result file with rows that are not in Bigin."""
    return _ROWS_NOT_IN.search(stem(key)) is not None


def common_name(key: str) -> str:
    """
    Return what the name of a drop is without a copy's mark, dates and what we add for results.

    `contacts (1).csv`, `Contacts - Copy.csv`, `contacts_2026-11-28.csv.gz` and
    `contacts.failed.csv` are `contacts`.
    """
    plain = _ROWS_NOT_IN.sub(" ", stem(key))
    words = re.split(r"[\s_.-]+", _COPY_OR_DATE.sub(" ", plain).casefold())
    return " ".join(filter(None, words))


def result_name(key: str) -> str:
    """Return what result files are named after: the stem, cut where a key would be too long."""
    return stem(key).encode()[:MAX_STEM_BYTES].decode(errors="ignore")
