"""Files that are no CSV whatever their name says, told by their first bytes."""

from __future__ import annotations

import codecs

from bigin_import.models import Problem

_SAVE_AS_CSV = 'Open it in the spreadsheet program and save it as "CSV UTF-8"'
_EXPORT_AGAIN = "Open it in a text editor to see what it is, and export the data again as CSV"

_MAGIC = (
    (b"PK\x03\x04", "an Excel workbook or another zip archive", _SAVE_AS_CSV),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls)", _SAVE_AS_CSV),
    (b"\x1f\x8b", "gzip", "Name it .csv.gz and drop it again"),
    (b"%PDF-", "a PDF document", _EXPORT_AGAIN),
    (b"\x89PNG", "a picture", _EXPORT_AGAIN),
    (b"\xff\xd8\xff", "a picture", _EXPORT_AGAIN),
    (b"PAR1", "a Parquet file", "Export the data as CSV"),
    (b"SQLite format 3\x00", "a database file", "Export the data as CSV"),
    (b"{\\rtf", "a rich text document", _EXPORT_AGAIN),
)
_MARKUP = (
    (b"<!doctype html", "a web page, perhaps an error page of the program that exported it"),
    (b"<html", "a web page, perhaps an error page of the program that exported it"),
    (b"<table", "an HTML table"),
    (b"<?xml", "an XML file"),
    (b'{"', "JSON"),
    (b"[{", "JSON"),
)

# A CSV may hold a stray NUL; UTF-16 without a BOM and binary files are full of them.
_NUL_SHARE = 0.1
_NULS_TOLERATED = 3

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UTF32_BOMS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)  # the first begins as UTF-16's does


def byte_order_mark(head: bytes) -> tuple[bytes, str] | None:
    """Return the BOM that *head* begins with and the codec it stands for, if there is one."""
    return next(((bom, codec) for bom, codec in _BOMS if head.startswith(bom)), None)


def is_full_of_nuls(head: bytes) -> bool:
    """Return whether *head* is UTF-16 without a BOM, or no text at all."""
    return head.count(0) > max(len(head) * _NUL_SHARE, _NULS_TOLERATED)


def not_a_csv(head: bytes, name: str) -> Problem | None:
    """Say what the file is if its first bytes show that it is no CSV."""
    for magic, kind, remedy in _MAGIC:
        if head.startswith(magic):
            return Problem(name, f"this is {kind}, not a CSV", remedy)
    if head.startswith(_UTF32_BOMS):
        return Problem(name, "the file is in UTF-32, which is not supported", _SAVE_AS_CSV)
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()[:32].lower()
    for magic, kind in _MARKUP:
        if start.startswith(magic):
            return Problem(name, f"this is {kind}, not a CSV", _EXPORT_AGAIN)
    return None


def nuls_problem(name: str) -> Problem:
    """Say that the file has NUL bytes all over and no BOM that would explain them."""
    return Problem(
        name,
        "it is full of NUL bytes: UTF-16 without a byte order mark, or no text at all",
        'Save it as "CSV UTF-8"; if it must be UTF-16, add "character_encoding": "utf-16-le" '
        'or "utf-16-be" to the mapping',
    )
