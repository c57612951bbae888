"""Modules and fields: the metadata that Bigin shows, and what bulk write reads from it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.bigin_twin.answers import RefusedError

FIXTURES = Path(__file__).parent / "fixtures"
#: Fields by which Bigin itself looks for duplicates, whether flagged unique or not.
SYSTEM_KEYS = {
    "Contacts": "Email",
    "Accounts": "Account_Name",
    "Pipelines": "Deal_Name",
    "Products": "Product_Name",
}
READ_ONLY_TYPES = ("formula", "autonumber", "fileupload", "imageupload", "profileimage")


@dataclass(frozen=True, slots=True)
class Field:
    """One field, as bulk write sees it."""

    api_name: str
    data_type: str
    length: int | None = None
    decimal_places: int | None = None
    mandatory: bool = False
    unique: bool = False
    writable: bool = True
    parent: str | None = None

    @classmethod
    def from_metadata(cls, entry: dict[str, Any]) -> Field:
        lookup = entry.get("lookup") or {}
        return cls(
            api_name=entry["api_name"],
            data_type=entry["data_type"],
            length=entry["length"],
            decimal_places=entry["decimal_place"],
            mandatory=entry["system_mandatory"],
            unique=bool(entry["unique"]),
            writable=not (entry["read_only"] or entry["field_read_only"])
            and entry["data_type"] not in READ_ONLY_TYPES,
            parent=lookup["module"]["api_name"] if lookup else None,
        )


#: Always there, though the fields metadata does not list them.
RECORD_ID = Field("id", "bigint", 20, unique=True)
LAYOUT = Field("Layout", "bigint", 20)


@dataclass
class Module:
    """A module: its own metadata and its fields' metadata, as the API shows them."""

    metadata: dict[str, Any]
    field_metadata: list[dict[str, Any]]

    @property
    def name(self) -> str:
        return str(self.metadata["api_name"])

    @cached_property
    def fields(self) -> dict[str, Field]:
        listed = (Field.from_metadata(entry) for entry in self.field_metadata)
        return {known.api_name: known for known in (*listed, RECORD_ID, LAYOUT)}

    @property
    def unique_fields(self) -> tuple[str, ...]:
        return tuple(f.api_name for f in self.fields.values() if f.unique and f is not RECORD_ID)

    def field(self, api_name: str) -> Field | None:
        """Return a field by API name; the documentation's own sample spells `id` as `Id`."""
        return self.fields.get("id" if api_name == "Id" else api_name)

    def learn_value(self, api_name: str, value: str) -> None:
        """Add a value to a picklist, as bulk write does with values it does not know."""
        entry = next(e for e in self.field_metadata if e["api_name"] == api_name)
        known: list[dict[str, Any]] = entry["pick_list_values"]
        if any(option["actual_value"] == value for option in known):
            return
        new_id = str(int(entry["id"]) + 700_000_000 + len(known))
        names = dict.fromkeys(("display_value", "actual_value", "reference_value"), value)
        known.append(
            {"id": new_id, **names, "sequence_number": len(known) + 1, "type": "used"}
            | {"colour_code": None}
        )


@dataclass
class Catalogue:
    """All modules, the organisation and its users."""

    modules: dict[str, Module]
    org: dict[str, Any]
    users: list[dict[str, str]] = field(default_factory=list)

    @property
    def zgid(self) -> str:
        return str(self.org["zgid"])

    def module(self, name: str) -> Module:
        """
        Return a module that bulk write supports.

        Raises:
            RefusedError: MODULE_NOT_AVAILABLE.
        """
        if name not in self.modules:
            raise RefusedError(
                "MODULE_NOT_AVAILABLE", f"Requested module '{name}' is not available."
            )
        return self.modules[name]

    def user_id(self, text: str) -> str | None:
        """Return the id of the user with this id or e-mail address, or None."""
        wanted = text.casefold()
        for user in self.users:
            if wanted in (user["id"], user["email"].casefold()):
                return user["id"]
        return None


def load_catalogue(folder: Path = FIXTURES) -> Catalogue:
    """Read the fixtures: one file per module and one for the organisation."""
    modules = {}
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        if "module" in content:
            module = Module(content["module"], content["fields"])
            modules[module.name] = module
    organisation = json.loads((folder / "organisation.json").read_text(encoding="utf-8"))
    return Catalogue(modules, organisation["org"], organisation["users"])
