"""The CSV inside an uploaded zip, read as Bigin's limitations page allows it."""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
from dataclasses import dataclass

from tests.bigin_twin.answers import RefusedError

MOST_RECORDS = 25_000
MOST_HEADERS = 200
DELIMITERS = (",", ";", ":", "|")


@dataclass(frozen=True, slots=True)
class CsvFile:
    """Header and rows; blank lines are no rows. A BOM stays part of the first header."""

    name: str
    header: tuple[str, ...]
    rows: list[list[str]]


def read_csv(archive: bytes, encoding: str | None) -> CsvFile:
    """
    Read the one CSV of a zip.

    Raises:
        RefusedError: FILE_NOT_SUPPORTED (no or several CSVs, no header, too many rows or
            columns, bytes that are not in *encoding*), INVALID_DATA (unknown encoding).
    """
    name, content = _only_entry(archive)
    text = _decoded(content, encoding)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        header, *rows = [line for line in lines if line]
    except (csv.Error, ValueError) as exc:
        raise RefusedError("FILE_NOT_SUPPORTED") from exc
    if len(rows) > MOST_RECORDS or len(header) > MOST_HEADERS:
        raise RefusedError("FILE_NOT_SUPPORTED")
    return CsvFile(name, tuple(cell.strip() for cell in header), rows)


def _only_entry(archive: bytes) -> tuple[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as entries:
        files = [entry for entry in entries.infolist() if not entry.is_dir()]
        if len(files) != 1 or not files[0].filename.casefold().endswith(".csv"):
            raise RefusedError("FILE_NOT_SUPPORTED")
        return files[0].filename.rsplit("/", 1)[-1], entries.read(files[0])


def _decoded(content: bytes, encoding: str | None) -> str:
    if encoding is None:
        return _guessed(content)
    try:
        return content.decode(codecs.lookup(encoding).name)
    except LookupError as exc:
        raise RefusedError("INVALID_DATA", details={"api_name": "character_encoding"}) from exc
    except UnicodeDecodeError as exc:
        raise RefusedError("FILE_NOT_SUPPORTED") from exc


def _guessed(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _delimiter(text: str) -> str:
    """Return the delimiter that occurs most in the first line; the first of them on a tie."""
    first_line = text.partition("\n")[0]
    return max(DELIMITERS, key=first_line.count)
