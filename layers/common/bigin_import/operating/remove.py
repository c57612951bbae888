"""Removing what was kept: of one import, or the whole stack."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import batched
from typing import Any

from bigin_import.domain import import_transitions
from bigin_import.domain.import_record import Import
from bigin_import.domain.states import OpenKind
from bigin_import.ledger import update
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import CommandRefusedError, Exit, Terminal
from bigin_import.report.summary import number

_DELETED_AT_ONCE = 1_000  # S3's limit for one DeleteObjects
_BEYOND_REACH = (
    "Not reached by this: backups of the table (35 days), log lines without any cell (90 days), "
    "the records in Bigin, and copies that people made of the result files."
)


def forget(stack: Stack, terminal: Terminal, name: str, *, confirmed: str) -> Exit:
    """
    Remove every version of what is kept of a closed import; its id and its claim stay.

    So the same content does not go in a second time, and nothing tells any more what it was.

    Raises:
        CommandRefusedError: It is open, or was not confirmed by its id.
    """
    record = stack.find_import(name)
    if not record.state.is_closed:
        raise CommandRefusedError(
            f"import {record.import_id} is {record.state}",
            "Only closed imports can be forgotten: wait for its end, or decide about it",
        )
    versions = list(_list_versions_of(stack, record))
    terminal.say(
        f"{number(len(versions))} versions of objects go: the drop, what was sent, the results.",
        _BEYOND_REACH,
    )
    if confirmed != record.import_id:
        raise CommandRefusedError(f"they go only with --confirm {record.import_id}")
    _delete(stack, versions)
    update(stack.ledger, record.address, import_transitions.forget_names)
    terminal.say("Forgotten.")
    terminal.report({"import_id": record.import_id, "versions": len(versions)})
    return Exit.GOOD


def _list_versions_of(stack: Stack, record: Import) -> Iterator[dict[str, str]]:
    yield from _list_versions(stack, f"parts/{record.import_id}/")
    if record.results:
        yield from _list_versions(stack, record.results)
    source = record.source
    yield from (
        version
        for version in _list_versions(stack, source.key)
        if version == {"Key": source.key, "VersionId": source.version_id}
    )


def _list_versions(stack: Stack, prefix: str) -> Iterator[dict[str, str]]:
    """Yield every version and delete marker below *prefix*."""
    pages = stack.client("s3").get_paginator("list_object_versions")
    for page in pages.paginate(Bucket=stack.bucket, Prefix=prefix):
        for found in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
            yield {"Key": found["Key"], "VersionId": found["VersionId"]}


def _delete(stack: Stack, versions: list[dict[str, str]]) -> None:
    """
    Delete exactly these versions.

    Raises:
        CommandRefusedError: S3 did not delete some of them; nothing else was done.
    """
    for some in batched(versions, _DELETED_AT_ONCE, strict=False):
        answer: Any = stack.client("s3").delete_objects(
            Bucket=stack.bucket, Delete={"Objects": list(some), "Quiet": True}
        )
        if errors := answer.get("Errors"):
            raise CommandRefusedError(
                f"S3 did not delete {number(len(errors))} versions ({errors[0]['Code']})",
                "See whether your role may delete object versions, and run the command again",
            )


def uninstall(stack: Stack, terminal: Terminal, *, confirmed: str) -> Exit:
    """
    Delete the stack; bucket, table and the Zoho secret stay.

    Raises:
        CommandRefusedError: Imports are open, or it was not confirmed by the stack's name.
    """
    kept = {"bucket": stack.bucket, "table": stack.outputs["TableName"]}
    secret = stack.settings.bigin.zoho_secret_arn
    is_open = any(stack.ledger.find_due(kind, before=2**40, limit=1) for kind in OpenKind)
    if is_open:
        raise CommandRefusedError(
            "imports are open", "Let them end, or decide about them; bigin-drop status lists them"
        )
    terminal.say(
        f"The stack {stack.name} is deleted. These stay, with all that is in them:",
        f"  bucket {kept['bucket']}",
        f"  table  {kept['table']}",
        f"  secret {secret}",
    )
    if confirmed != stack.name:
        raise CommandRefusedError(f"it goes only with --confirm {stack.name}")
    client = stack.client("cloudformation")
    client.delete_stack(StackName=stack.name)
    client.get_waiter("stack_delete_complete").wait(StackName=stack.name)
    terminal.say("Deleted. To come back, deploy with the same bucket and table; see the README.")
    terminal.report({"deleted": stack.name, "kept": {**kept, "secret": secret}})
    return Exit.GOOD
