"""Dropping a file with its mapping, as a person would by hand."""

from __future__ import annotations

from pathlib import Path

from bigin_import.domain.drop import NO_VERSION, ObjectVersion
from bigin_import.object_keys import CHECK, INCOMING, KeyKind, kind_of, stem
from bigin_import.operating.look import watch
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import CommandRefusedError, Exit, Terminal

_REGISTER_SECONDS = 60  # S3's event, a cold start; then the import is in the ledger


def drop(  # what may be typed, by name
    stack: Stack,
    terminal: Terminal,
    file: Path,
    *,
    mapping: Path | None,
    folder: str,
    is_check: bool,
    wait_seconds: float | None,
) -> Exit:
    """
    Put *file* under `incoming/`, after its mapping if one is given; or a mapping alone.

    Args:
        folder: Below `incoming/`, or below `incoming/_check/` where nothing is to be sent.
        wait_seconds: Follow the import that long; None leaves it alone.

    Raises:
        CommandRefusedError: There is no such file, or the key would be none that is read.
    """
    below = f"{folder.strip('/')}/" if folder.strip("/") else ""
    prefix = (CHECK if is_check else INCOMING) + below
    key = prefix + file.name
    _verify(key, file, mapping)
    if mapping is not None:
        put(stack, f"{prefix}{stem(key)}.mapping.json", mapping)
    before = stack.find_unversioned(ObjectVersion(stack.bucket, key, NO_VERSION))
    source = put(stack, key, file)
    if kind_of(key) is KeyKind.MAPPING:
        terminal.say(f"Dropped {key}; files that wait for it go on by themselves.")
        terminal.report({"key": key, "version_id": source.version_id})
        return Exit.GOOD
    import_id = stack.wait_for_drop(source, before=before, seconds=_REGISTER_SECONDS)
    terminal.say(f"Dropped {key}", f"import id {import_id}")
    if wait_seconds is None:
        terminal.say(f"Follow it: {stack.command(f'watch {import_id}')}")
        terminal.report({"import_id": import_id, "key": key, "version_id": source.version_id})
        return Exit.GOOD
    stack.wait_for_import(import_id, seconds=_REGISTER_SECONDS)
    return watch(stack, terminal, import_id, seconds=wait_seconds)


def _verify(key: str, file: Path, mapping: Path | None) -> None:
    """Refuse before anything is dropped what could not be read there."""
    if kind_of(key) is not KeyKind.DROP and (mapping or kind_of(key) is not KeyKind.MAPPING):
        raise CommandRefusedError(
            f"{key} is no CSV that is read there",
            "Name a file that ends in .csv, .csv.gz or .xlsx, and a folder without odd characters",
        )
    for path in (file, *([mapping] if mapping else [])):
        if not path.is_file():
            raise CommandRefusedError(f"there is no file {path}")


def put(stack: Stack, key: str, file: Path) -> ObjectVersion:
    """Store *file* and return the version that S3 made of it."""
    with file.open("rb") as body:
        answer = stack.client("s3").put_object(Bucket=stack.bucket, Key=key, Body=body)
    return ObjectVersion(stack.bucket, key, answer.get("VersionId", NO_VERSION))
