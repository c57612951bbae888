"""Use case: a mapping to start from, where there is none or where it is wrong or does not fit."""

from __future__ import annotations

from dataclasses import dataclass

from bigin_import import object_keys
from bigin_import.domain.import_record import Import, MappingPin
from bigin_import.domain.job_request import Field
from bigin_import.errors import (
    BiginError,
    DropRejectedError,
    MissingObjectError,
    UnreadableObjectError,
)
from bigin_import.importing.metadata_cache import MetadataCache
from bigin_import.mapping.model import Mapping
from bigin_import.mapping.parse import read_mapping
from bigin_import.mapping.suggest import guess_module, suggest_mapping
from bigin_import.ports import Files
from bigin_import.reading.drop import Drop
from bigin_import.reading.table import Options
from bigin_import.splitting.dates import fitting_formats
from bigin_import.stored_plan import MOST_BYTES, read_mapping_text, read_problems

_NOT_TO_BE_HAD = (MissingObjectError, UnreadableObjectError)
_READS_ANY_BYTES = "iso8859-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggester:
    """Writes `<name>.mapping.suggested.json` beside the results."""

    files: Files
    metadata: MetadataCache
    default_encoding: str

    def suggest(self, record: Import) -> str | None:
        """
        Store a suggested mapping for a drop and return its key.

        Returns:
            None if the drop is no table, is gone, or may not be read: then a mapping is not what
            it lacks.
        """
        try:
            text = self._read_and_suggest(record, self._read_mapping(record))
        except (DropRejectedError, *_NOT_TO_BE_HAD):
            return None
        if text is None:
            return None
        name = object_keys.result_name(record.source.key)
        key = f"{record.results}{name}.mapping.suggested.json"
        self.files.write(key, text.encode(), content_type="application/json")
        return key

    def _read_and_suggest(self, record: Import, mapping: Mapping | None) -> str | None:
        encoding = mapping.character_encoding if mapping else None
        options = mapping.options if mapping else Options()
        drop = Drop(self.files, record.source, encoding, self.default_encoding, options)
        try:
            if self._check_reads_undecoded(record):
                _read_to_its_end(drop)
            return self._suggest_from(drop, mapping)
        except DropRejectedError as exc:
            if not exc.concerns_mapping:
                raise
        # Nothing says how the drop is encoded; but its headers may be ASCII, and dates are.
        drop = Drop(self.files, record.source, _READS_ANY_BYTES, options=options)
        return self._suggest_from(drop, mapping, encoding_is_known=False)

    def _check_reads_undecoded(self, record: Import) -> bool:
        """Return whether the drop may hold bytes in an encoding nobody stated."""
        problems = read_problems(self.files, record.import_id)
        return any(problem.cells and problem.where == record.source.key for problem in problems)

    def _suggest_from(
        self, drop: Drop, mapping: Mapping | None, *, encoding_is_known: bool = True
    ) -> str | None:
        with drop.open() as table:
            header, samples = table.header, table.first_rows
        if not encoding_is_known and not "".join(header).isascii():
            return None
        module = (mapping.module if mapping else "") or guess_module(header)
        return suggest_mapping(
            header,
            self._ask_fields(module),
            module=module,
            mapping=mapping,
            date_formats=lambda column: fitting_formats(drop.read_values(column)),
            samples=samples,
            encoding_is_known=encoding_is_known,
        )

    def _read_mapping(self, record: Import) -> Mapping | None:
        """Return the mapping that does not fit, or what can be understood of a wrong one."""
        try:
            return Mapping.model_validate_json(read_mapping_text(self.files, record))
        except MissingObjectError:
            return self._read_as_dropped(record.mapping) if record.mapping else None

    def _read_as_dropped(self, pin: MappingPin) -> Mapping | None:
        try:
            if object_keys.is_ours(pin.key):
                return Mapping.model_validate_json(self.files.read(pin.key, at_most=MOST_BYTES))
            text = self.files.read(pin.key, version_id=pin.version_id or None)
        except (DropRejectedError, *_NOT_TO_BE_HAD):
            return None
        return read_mapping(text, name=pin.key).mapping

    def _ask_fields(self, module: str | None) -> tuple[Field, ...] | None:
        try:
            return self.metadata.get_fields(module) if module else None
        except BiginError:
            return None  # a suggestion from the usual names is better than none


def _read_to_its_end(drop: Drop) -> None:
    with drop.open() as table:
        for _ in table.batches():
            pass
