"""The mapping of a drop: which one counts, what it says, and the copy that is kept of it."""

from __future__ import annotations

from dataclasses import dataclass

from bigin_import import object_keys
from bigin_import.corrections.corrections import Corrections
from bigin_import.domain.import_record import Import, MappingPin
from bigin_import.errors import DropRejectedError
from bigin_import.importing.check import DropCheck
from bigin_import.importing.register import Registrar
from bigin_import.mapping.model import Mapping
from bigin_import.mapping.parse import read_mapping
from bigin_import.ports import Files
from bigin_import.stored_plan import MOST_BYTES, read_mapping_text, write_mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingFinder:
    """Finds, reads and keeps the mappings of drops."""

    files: Files
    intake: Registrar
    corrections: Corrections
    checking: DropCheck

    def find(self, record: Import) -> MappingPin | None:
        """Return the mapping that counts for a drop now: its own, its parent's, its folder's."""
        key = record.source.key
        return (
            self.intake.find_own_mapping(key)
            or self.corrections.find_parents_mapping(record.source)
            or self.intake.find_folder_mapping(key)
        )

    def read(self, record: Import, pin: MappingPin) -> Mapping:
        """Return the mapping; a wrong one is told of together with all else that is wrong."""
        if object_keys.is_ours(pin.key):
            return Mapping.model_validate_json(self.files.read(pin.key, at_most=MOST_BYTES))
        try:
            text = self.files.read(pin.key, version_id=pin.version_id or None)
        except DropRejectedError as exc:  # too large: another mapping is the way out
            raise DropRejectedError(exc.problems, concerns_mapping=True) from exc
        reading = read_mapping(text, name=pin.key)
        if reading.mapping is None or reading.problems:
            raise self.checking.find_rejection(record, reading)
        return reading.mapping

    def pin(self, record: Import, mapping: Mapping) -> str:
        """Keep *mapping* beside the parts of an import, and return its SHA-256."""
        return write_mapping(self.files, record.import_id, mapping.model_dump_json().encode())

    def read_pinned(self, record: Import) -> Mapping:
        """Return the mapping that was pinned."""
        return Mapping.model_validate_json(read_mapping_text(self.files, record))
