"""Removing what was kept: of one import, or the whole stack."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import batched
from typing import Any

from bigin_import.domain import import_transitions, listing, undo
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import Family, FileHistory, ModuleHistory
from bigin_import.domain.states import OpenKind
from bigin_import.domain.undo import Undo
from bigin_import.errors import ChangedObjectError, MissingObjectError
from bigin_import.identity import file_name_of
from bigin_import.ledger import create_if_absent, update
from bigin_import.object_keys import OVERVIEW, overview_of_month
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import CommandRefusedError, Exit, Terminal
from bigin_import.report.summary import number
from bigin_import.settling.write_overview import forget_pages
from bigin_import.stored_plan import read_plan

_DELETED_AT_ONCE = 1_000  # S3's limit for one DeleteObjects
_BEYOND_REACH = (
    "Not reached by this:",
    "- backups of the table: point-in-time recovery keeps 35 days",
    "- log lines, 90 days: names of files, and no cell",
    "- the records in Bigin itself",
    "- notices that were sent, and copies that people made of result files",
)


def forget(stack: Stack, terminal: Terminal, name: str, *, confirmed: str) -> Exit:
    """
    Remove every version of what is kept of a closed import and of all corrections of it.

    Ids and claims stay: so the same content does not go in a second time, and nothing tells any
    more what it was.

    Raises:
        CommandRefusedError: One of them is open, or it was not confirmed by its id.
    """
    record = stack.find_import(name)
    family = (record, *_load_corrections(stack, record))
    for each in family:
        _check_done(stack, each)
    months = sorted({listing.month_of(each.closed_at or 0) for each in family})
    versions = [version for each in family for version in _list_versions_of(stack, each)]
    for page in (OVERVIEW, *map(overview_of_month, months)):
        versions += _list_versions(stack, page)
    terminal.say(
        f"{number(len(versions))} versions of objects go: the drop, what was sent, the results; "
        f"of this import and of {number(len(family) - 1)} corrections of it; and the pages of all "
        "imports, which are written anew without them.",
        *(f"  {each.import_id}  {each.source.key}" for each in family),
        *_BEYOND_REACH,
    )
    if confirmed != record.import_id:
        raise CommandRefusedError(f"they go only with --confirm {record.import_id}")
    for each in family:
        _forget_undo(stack, each)
    _delete(stack, versions)
    for each in family:
        _forget_names(stack, each)
    forget_pages(stack.ledger, months)
    terminal.say("Forgotten.")
    ids = [each.import_id for each in family]
    facts = {"import_id": record.import_id, "forgotten": ids, "versions": len(versions)}
    terminal.report({**facts, "not_reached": list(_BEYOND_REACH)})
    return Exit.GOOD


def _check_done(stack: Stack, record: Import) -> None:
    """
    Look whether nothing of an import goes on any more.

    Raises:
        CommandRefusedError: It is open, or it is being undone.
    """
    undone = stack.ledger.load(Undo.at(record.import_id))
    if not record.state.is_closed or record.open is not None:
        raise CommandRefusedError(
            f"import {record.import_id} is {record.state}, and not everything of it is done",
            "Only closed imports can be forgotten: wait for its end, or decide about it",
        )
    if undone is not None and undone.open is not None:
        raise _being_undone(stack, record)


def _forget_undo(stack: Stack, record: Import) -> None:
    """
    Let nobody confirm from now on that an import is undone: its list is deleted.

    Raises:
        CommandRefusedError: Somebody has, while it was said here what goes.
    """
    nothing = undo.forgotten(record.import_id, int(time.time()), record.expires_at)
    seen, _ = create_if_absent(stack.ledger, nothing)
    seen = update(stack.ledger, nothing.address, undo.forget, known=seen)[0] or seen
    if seen.open is not None:
        raise _being_undone(stack, record)


def _being_undone(stack: Stack, record: Import) -> CommandRefusedError:
    return CommandRefusedError(
        f"import {record.import_id} is being undone",
        f"Wait for its end: {stack.command(f'show {record.import_id}')}",
    )


def _load_corrections(stack: Stack, record: Import) -> tuple[Import, ...]:
    """Return the imports that correct *record*, and those that correct these."""
    family = stack.ledger.load(Family.at(record.root or record.import_id))
    loaded = (stack.ledger.load(Import.at(each)) for each in (family.members if family else ()))
    members = [each for each in loaded if each and each.import_id != record.import_id]
    if record.root is None:
        return tuple(members)
    found: dict[str, Import] = {}
    for each in members:  # in the order in which they ran
        if _read_parent(stack, each) in {record.import_id, *found}:
            found[each.import_id] = each
    return tuple(found.values())


def _read_parent(stack: Stack, record: Import) -> str | None:
    """Return whose result file an import was; None if its plan is not kept any more."""
    try:
        return read_plan(stack.files, record).parent or None
    except (MissingObjectError, ChangedObjectError):
        return None


def _forget_names(stack: Stack, record: Import) -> None:
    """Take the name of the drop, and of what was made of it, out of the table."""
    import_id = record.import_id

    def without_results(seen: FileHistory) -> FileHistory:
        imports = (
            replace(each, results="") if each.import_id == import_id else each
            for each in seen.imports
        )
        return replace(seen, imports=tuple(imports))

    def without_keys(seen: ModuleHistory) -> ModuleHistory:
        sent = (
            replace(each, keys=None) if each.import_id == import_id else each for each in seen.sent
        )
        return replace(seen, sent=tuple(sent))

    if record.source.key:  # else it was forgotten before
        update(stack.ledger, FileHistory.at(file_name_of(record.source)), without_results)
    if record.module:
        update(stack.ledger, ModuleHistory.at(record.module), without_keys)
    update(stack.ledger, record.address, import_transitions.forget_names)


def _list_versions_of(stack: Stack, record: Import) -> Iterator[dict[str, str]]:
    yield from _list_versions(stack, f"parts/{record.import_id}/")
    if record.results:
        yield from _list_versions(stack, record.results)
    source = record.source
    if source.key:
        yield from (
            version
            for version in _list_versions(stack, source.key)
            if version == {"Key": source.key, "VersionId": source.version_id}
        )


def _list_versions(stack: Stack, prefix: str) -> Iterator[dict[str, str]]:
    """Yield every version and delete marker below *prefix*."""
    return _list_versions_in(stack, stack.bucket, prefix)


def _list_versions_in(stack: Stack, bucket: str, prefix: str) -> Iterator[dict[str, str]]:
    pages = stack.client("s3").get_paginator("list_object_versions")
    for page in pages.paginate(Bucket=bucket, Prefix=prefix):
        for found in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
            yield {"Key": found["Key"], "VersionId": found["VersionId"]}


def _delete(stack: Stack, versions: list[dict[str, str]], *, bucket: str = "") -> None:
    """
    Delete exactly these versions.

    Raises:
        CommandRefusedError: S3 did not delete some of them; nothing else was done.
    """
    for some in batched(versions, _DELETED_AT_ONCE, strict=False):
        answer: Any = stack.client("s3").delete_objects(
            Bucket=bucket or stack.bucket, Delete={"Objects": list(some), "Quiet": True}
        )
        if errors := answer.get("Errors"):
            raise CommandRefusedError(
                f"S3 did not delete {number(len(errors))} versions ({errors[0]['Code']})",
                "See whether your role may delete object versions, and run the command again",
            )


@dataclass(frozen=True, slots=True)
class Kept:
    """What outlives the stack, read while its outputs are there; *arns* are of secrets."""

    bucket: str
    table: str
    secret: str

    @classmethod
    def of(cls, stack: Stack) -> Kept:
        secret = stack.settings.bigin.zoho_secret_arn
        return cls(stack.bucket, stack.outputs["TableName"], secret)


def uninstall(
    stack: Stack, terminal: Terminal, *, confirmed: str, with_data: bool, with_secret: bool
) -> Exit:
    """
    Delete the stack; bucket, table and the Zoho secret stay, unless they are named too.

    Raises:
        CommandRefusedError: Imports are open, or it was not confirmed by the stack's name.
    """
    kept = Kept.of(stack)
    if any(stack.ledger.find_due(kind, before=2**40, limit=1) for kind in OpenKind):
        raise CommandRefusedError(
            "imports are open",
            f"Let them end, or decide about them; {stack.command('status')} lists them",
        )
    data = "go, with all that is in them" if with_data else "stay, with all that is in them"
    terminal.say(
        f"The stack {stack.name} is deleted. Of what it does not own:",
        f"  bucket {kept.bucket} and table {kept.table} {data}",
        f"  secret {kept.secret} {'goes, after 30 days' if with_secret else 'stays'}",
    )
    if confirmed != stack.name:
        raise CommandRefusedError(f"it goes only with --confirm {stack.name}")
    client = stack.client("cloudformation")
    client.delete_stack(StackName=stack.name)
    client.get_waiter("stack_delete_complete").wait(StackName=stack.name)
    if with_data:
        _delete_data(stack, kept)
    if with_secret:
        stack.client("secretsmanager").delete_secret(SecretId=kept.secret, RecoveryWindowInDays=30)
    come_back = stack.command(f"adopt --bucket {kept.bucket} --table {kept.table}")
    terminal.say("Deleted.", *([] if with_data else [f"To come back: {come_back}"]))
    stays = {**({} if with_data else {"bucket": kept.bucket, "table": kept.table})}
    stays |= {} if with_secret else {"secret": kept.secret}
    terminal.report({"deleted": stack.name, "kept": stays})
    return Exit.GOOD


def _delete_data(stack: Stack, kept: Kept) -> None:
    """Delete bucket and table; only now is the table's protection switched off."""
    _delete(stack, list(_list_versions_in(stack, kept.bucket, "")), bucket=kept.bucket)
    stack.client("s3").delete_bucket(Bucket=kept.bucket)
    dynamodb = stack.client("dynamodb")
    dynamodb.update_table(TableName=kept.table, DeletionProtectionEnabled=False)
    dynamodb.get_waiter("table_exists").wait(TableName=kept.table)
    dynamodb.delete_table(TableName=kept.table)
