"""What is said about drops that never get as far as being read, and of what Bigin refuses then."""

from __future__ import annotations

from posixpath import basename, dirname, splitext

from bigin_import import object_keys
from bigin_import.domain.drop import Problem
from bigin_import.errors import BiginRefusedError
from bigin_import.object_keys import KeyKind

_INSTEAD = {
    ".xls": 'In Excel choose "Save As" and the type "Excel Workbook (.xlsx)", and drop that file',
    ".xlsb": 'In Excel choose "Save As" and the type "Excel Workbook (.xlsx)", and drop that file',
    ".ods": 'In LibreOffice choose "Save As" and the type "Excel 2007-365 (.xlsx)"; drop that file',
    ".numbers": "In Numbers choose File, Export To, Excel (.xlsx), and drop that file",
    ".zip": "Unpack it and drop the CSV itself, or pack it with gzip as .csv.gz",
    ".txt": "If it holds comma-separated rows, rename it to end in .csv",
    ".tsv": "Rename it to end in .csv; tabs between the cells are understood",
    ".json": "A mapping ends in .mapping.json, or is called mapping.json",
}


def no_mapping(key: str, waited_seconds: int) -> Problem:
    """Nobody dropped a mapping for the CSV *key*."""
    return Problem(
        where=key,
        what=f"no mapping for it was found within {waited_seconds // 60} minutes",
        remedy=(
            f"Drop {object_keys.stem(key)}.mapping.json beside it, or mapping.json in "
            f"{dirname(key)}/; the file is then taken up by itself within a minute"
        ),
    )


def too_many_rows(key: str, rows: int, most: int) -> Problem:
    """Return that a drop is too large to be accounted for in one go."""
    return Problem(
        where=key,
        what=f"it has {rows:,} rows, and one drop may have {most:,}",
        remedy="Split it into smaller files and drop them one by one",
    )


def not_a_drop(key: str) -> Problem:
    """What lies at *key* is neither a CSV nor a mapping, or the key itself cannot be used."""
    if object_keys.kind_of(key) is KeyKind.REFUSED:
        return Problem(
            where=repr(key),
            what="the name cannot be used",
            remedy=(
                f"Use at most {object_keys.MAX_KEY_BYTES} bytes, no backslashes or control "
                "characters, "
                "and no empty, '.' or '..' folder names"
            ),
        )
    ending = splitext(basename(key))[1].casefold()
    return Problem(
        where=key,
        what="it is neither a CSV, nor an Excel workbook, nor a mapping",
        remedy=_INSTEAD.get(ending, "Drop a file whose name ends in .csv, .csv.gz or .xlsx"),
    )


def unreadable(key: str) -> Problem:
    """S3 refuses to give out the object *key*, which a person dropped."""
    return Problem(
        where=key,
        what="S3 does not let the importer read it; most likely it is encrypted with a KMS key of "
        "your own",
        remedy="Drop it again without naming a key, or allow the role of import_csv kms:Decrypt "
        "with that key and then drop it again",
    )


def nobody_decided(key: str, hold_reason: str, *, may_be_in: bool) -> Problem:
    """
    The import was held before its drop was read, and nobody decided about it.

    Args:
        may_be_in: Something of it was sent before the table was restored from a backup.
    """
    again = "drop the file again; nothing of it was sent"
    if may_be_in:
        again = (
            "look in Bigin before you drop the file again: some of it was sent before the table "
            "was restored from a backup"
        )
    return Problem(
        where=key,
        what=f"it was held and nobody decided about it in time ({hold_reason})",
        remedy=f"Mend the cause and {again}",
    )


def unknown_module(mapping_key: str, module: str, refused: BiginRefusedError) -> Problem:
    """Bigin was asked for the fields of *module* and does not know it."""
    return Problem(
        where=f"{mapping_key}, module",
        what=f"Bigin does not know the module {module!r} ({refused.code})",
        remedy=refused.resolution,
    )
