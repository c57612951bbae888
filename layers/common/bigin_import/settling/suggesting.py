"""Use case: a mapping to start from, where there is none or where it does not fit the drop."""

from __future__ import annotations

from dataclasses import dataclass

from bigin_import import places
from bigin_import.errors import BiginError, DropRejectedError, MissingObjectError
from bigin_import.importing.drops import Drop
from bigin_import.importing.metadata import Metadata
from bigin_import.mapping.likeness import guess_module
from bigin_import.mapping.model import Mapping
from bigin_import.mapping.suggest import suggest_mapping
from bigin_import.models import Field
from bigin_import.ports import Files
from bigin_import.records import Import


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggester:
    """Writes `<name>.mapping.suggested.json` beside the results."""

    files: Files
    metadata: Metadata
    default_encoding: str

    def suggest(self, record: Import) -> str | None:
        """
        Store a suggested mapping for a drop and return its key.

        Returns:
            None if the drop is no table, or is gone: then a mapping is not what it lacks.
        """
        mapping = self._pinned(record)
        encoding = mapping.character_encoding if mapping else None
        drop = Drop(self.files, record.source, encoding, self.default_encoding)
        try:
            with drop.opened() as table:
                header = table.header
            module = mapping.module if mapping else guess_module(header)
            text = suggest_mapping(
                header,
                self._fields(module),
                module=module,
                mapping=mapping,
                date_formats=drop.date_formats,
            )
        except (DropRejectedError, MissingObjectError):
            return None
        name = places.result_name(record.source.key)
        key = f"{record.results}{name}.mapping.suggested.json"
        self.files.write(key, text.encode(), content_type="application/json")
        return key

    def _pinned(self, record: Import) -> Mapping | None:
        """Return the mapping that does not fit; None if there was none that could be read."""
        try:
            text = self.files.read(places.pinned_mapping(record.import_id))
        except MissingObjectError:
            return None
        return Mapping.model_validate_json(text)

    def _fields(self, module: str | None) -> tuple[Field, ...] | None:
        try:
            return self.metadata.fields(module) if module else None
        except BiginError:
            return None  # a suggestion from the usual names is better than none
