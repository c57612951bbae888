"""
Rows of a drop that are not in, of whose key a later row of it is: sent alone, they would write
older values over that one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import dropwhile
from struct import Struct
from typing import NamedTuple

from bigin_import.corrections.family_rows import FamilyRows, Identity, identity_of
from bigin_import.domain.import_record import Import
from bigin_import.domain.plan import Plan
from bigin_import.errors import NOT_TO_BE_READ
from bigin_import.ports import Files
from bigin_import.reading.table import Drop
from bigin_import.row_results.kept_rows import KeptRow
from bigin_import.splitting.content_log import (
    FINGERPRINT_BYTES,
    KEY_HASH_BYTES,
    RANGES,
    HashRanges,
    key_hashes,
)
from bigin_import.splitting.splitter import check_of
from bigin_import.stored_plan import read_decisions, read_plan

_ENTRY = Struct(f"={KEY_HASH_BYTES}sI?{FINGERPRINT_BYTES}s")


class Overtaken(NamedTuple):
    """
    A row that is not in, though a later one with its key is.

    Attributes:
        key: The hash of its key.
        sent: Fingerprint of what was sent of it.
    """

    key: bytes
    sent: str


def read_overtaken(family: FamilyRows, find_by: str | None) -> dict[Identity, Overtaken]:
    """
    Return the rows of a family that a later row of their drop has overtaken.

    Only drops that have a key twice are read once more.

    Args:
        find_by: The field that tells which rows have one key.
    """
    found: dict[Identity, Overtaken] = {}
    for root in (member for member in family.members if member.root is None):
        plan = _read_plan(family.files, root, find_by)
        if plan is not None and plan.cut.repeated_keys:
            found |= _read_overtaken_of(family, root, find_by)
    return found


def _read_overtaken_of(
    family: FamilyRows, root: Import, find_by: str | None
) -> dict[Identity, Overtaken]:
    found: dict[Identity, Overtaken] = {}
    with HashRanges(_ENTRY) as keys:
        for member in family.members:
            for key, kept in _read_sent(family, member, find_by):
                origin, number = identity_of(kept, member)
                is_in = kept.status.is_in_bigin
                if origin == root.import_id and kept.sent and (is_in or member is root):
                    keys.add(key, number, is_in, bytes.fromhex(kept.sent))
        for at in range(RANGES):
            last: dict[bytes, int] = {}
            for key, number, is_in, _ in keys.entries(at):
                last[key] = max(last.get(key, 0), number if is_in else 0)
            for key, number, _, sent in keys.entries(at):
                if number < last[key]:
                    found[root.import_id, number] = Overtaken(key, sent.hex())
    return found


def _read_sent(
    family: FamilyRows, member: Import, find_by: str | None
) -> Iterator[tuple[bytes, KeptRow]]:
    """Yield the hash of the key of each row that an import has sent itself, and what was kept."""
    plan = _read_plan(family.files, member, find_by)
    rows = family.read_kept(member)
    for key, number in _read_keys(family.files, member, plan) if plan else ():
        kept = next(dropwhile(lambda row, at=number: row.row < at, rows), None)  # type: ignore[misc]
        if kept is None:
            return
        if kept.row == number and not kept.through:
            yield key, kept


def _read_keys(files: Files, member: Import, plan: Plan) -> Iterator[tuple[bytes, int]]:
    check, key = check_of(plan.columns), plan.columns.key
    try:
        with Drop.of_plan(files, member.source, plan).open() as table:
            table.decide(read_decisions(files, member.import_id, plan.decisions))
            for batch in table.batches():
                checked = check.check(batch)
                hashes = key_hashes(record[key] for record in checked.records if key is not None)
                yield from zip(hashes, checked.numbers, strict=True)
    except NOT_TO_BE_READ:  # the drop is not kept any more
        return


def _read_plan(files: Files, member: Import, find_by: str | None) -> Plan | None:
    """Return how an import read its drop; None if it is not known, or finds rows otherwise."""
    try:
        plan = read_plan(files, member) if member.plan_sha256 else None
    except NOT_TO_BE_READ:  # it is not kept any more
        return None
    if plan is None or plan.columns.key is None or plan.columns.request.find_by != find_by:
        return None
    return plan
