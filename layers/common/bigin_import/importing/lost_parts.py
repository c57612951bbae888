"""
What was prepared for an import is gone from the bucket: a person or a lifecycle rule removed it.

As long as nothing was sent it is prepared again, from the drop and its mapping. What was sent
comes to its end without it, and the rest is kept back.
"""

from __future__ import annotations

from dataclasses import dataclass

from bigin_import import object_keys
from bigin_import.domain import import_transitions, part_transitions
from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import NOT_SENT, Part, Refusal, Sent
from bigin_import.domain.part_transitions import BEFORE_CREATE
from bigin_import.domain.plan import Plan
from bigin_import.errors import ChangedObjectError, DropRejectedError, MissingObjectError
from bigin_import.importing import rejections
from bigin_import.importing.find_mapping import MappingFinder
from bigin_import.importing.lease import Lease
from bigin_import.mapping.model import Mapping
from bigin_import.ports import Clock, Files, Ledger, Telemetry
from bigin_import.stored_plan import read_plan

_PARTS_ARE_GONE = Refusal(
    code=NOT_SENT,
    message="Not sent, because what was prepared for it under parts/ was removed from the bucket",
    resolution="Drop the rows again",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LostParts:
    """Lets an import go on without what was prepared for it."""

    ledger: Ledger
    files: Files
    mappings: MappingFinder
    clock: Clock
    telemetry: Telemetry

    def read_plan(self, record: Import) -> Plan | None:
        """Return the plan; None if it is gone, or something else lies in its place."""
        try:
            return read_plan(self.files, record)
        except (MissingObjectError, ChangedObjectError) as exc:
            self.telemetry.emit("parts_gone", import_id=record.import_id, key=exc.key)
            return None

    def prepare_again(self, lease: Lease, record: Import) -> bool:
        """
        Let an import be prepared once more if no create of it was begun; return whether.

        Raises:
            DropRejectedError: Its mapping is gone as well.
        """
        parts = self.ledger.load_parts(record.import_id)
        if any(part.sent is Sent.CREATE or part.state not in BEFORE_CREATE for part in parts):
            return False
        mapping = self._find_mapping(lease, record)
        lease.check()
        pinned = import_transitions.begin_preparing(
            self.mappings.pin(record, mapping),
            operation=mapping.operation.value,
            dry_run=record.dry_run or mapping.dry_run,
        )
        lease.leave(import_transitions.prepare_again(pinned, self.clock.now()))
        self.telemetry.emit("prepared_again", import_id=record.import_id)
        return True

    def keep_back_lost(self, lease: Lease) -> None:
        """Give up sending the parts whose archive is gone."""
        refuse = part_transitions.refuse(_PARTS_ARE_GONE, self.clock.now())
        for part in self.ledger.load_parts(lease.import_id):
            if part.state in BEFORE_CREATE and not self._check_archive(part):
                lease.change_part(part, refuse)

    def keep_back_all(self, lease: Lease) -> None:
        """Give up sending what was not sent: without the plan nobody knows how."""
        refuse = part_transitions.refuse(_PARTS_ARE_GONE, self.clock.now())
        for part in self.ledger.load_parts(lease.import_id):
            if part.state in BEFORE_CREATE:
                lease.change_part(part, refuse)

    def _check_archive(self, part: Part) -> bool:
        keys = object_keys.archive(part.import_id, part.number, part.sha256)
        return any(self.files.find_newest(key) is not None for key in keys)

    def _find_mapping(self, lease: Lease, record: Import) -> Mapping:
        """Return the mapping that the import began with, or the one that counts now."""
        if record.mapping is not None:
            try:
                return self.mappings.read(record, record.mapping)
            except MissingObjectError as exc:
                self.telemetry.emit("parts_gone", import_id=record.import_id, key=exc.key)
        pin = self.mappings.find(record)
        if pin is None:
            waited = self.clock.now() - record.received_at
            problem = rejections.no_mapping(record.source.key, waited)
            raise DropRejectedError((problem,), concerns_mapping=True)
        record = lease.change(import_transitions.pin_mapping(pin))
        return self.mappings.read(record, pin)
