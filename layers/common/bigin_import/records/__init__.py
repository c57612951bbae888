"""
What the ledger remembers, item by item, and the states that imports and parts move through.

Every record is frozen and carries the `version` it was read with; the ledger writes it only
if that is still the stored one. All times are whole seconds since the epoch, in UTC.
"""

from __future__ import annotations

from bigin_import.records.address import Address
from bigin_import.records.imports import Import, MappingPin, Totals
from bigin_import.records.parts import Attempt, Outcome, Part, Refusal
from bigin_import.records.shared import Claim, Remembered, SharedToken, Told, Turn
from bigin_import.records.states import ClosedBy, HoldCause, ImportState, OpenKind, PartState

type Record = Import | Part | Turn | Claim | SharedToken | Told | Remembered

__all__ = [
    "Address",
    "Attempt",
    "Claim",
    "ClosedBy",
    "HoldCause",
    "Import",
    "ImportState",
    "MappingPin",
    "OpenKind",
    "Outcome",
    "Part",
    "PartState",
    "Record",
    "Refusal",
    "Remembered",
    "SharedToken",
    "Told",
    "Totals",
    "Turn",
]
