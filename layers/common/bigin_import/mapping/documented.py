"""The body of Bigin's Create Bulk Write Job request, pasted as it is, brought into flat form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bigin_import.mapping.document import Path

# Keys of the request that we fill ourselves, and why they have no effect in a mapping.
_OURS = {
    "callback": "Bigin reports to this application",
    "callBack": "Bigin reports to this application",
    "file_id": "the dropped file gets an id of its own when it is uploaded",
    "file_names": "the dropped file is packed under a name of its own",
}

type Flaw = tuple[Path, str, str]


@dataclass(frozen=True, slots=True)
class Flat:
    """
    A mapping without a `resource` list around it.

    Attributes:
        moved: Keys that stood in `resource[0]`, so that places can be told as written.
        flaws: Path as written, what is wrong, what to do.
        warnings: What was left out, in sentences.
    """

    body: dict[str, Any]
    moved: frozenset[str]
    flaws: tuple[Flaw, ...]
    warnings: tuple[str, ...]

    def as_written(self, path: Path) -> Path:
        """Return where *path* of the flat body stands in the file."""
        return ("resource", 0, *path) if path and path[0] in self.moved else path


def flatten(written: dict[str, Any]) -> Flat:
    """Bring *written* into flat form; a body without `resource` has it already."""
    resources = written.get("resource", [{}])
    first = resources[0] if isinstance(resources, list) and resources else None
    resource = first if isinstance(first, dict) else {}
    top = {key: value for key, value in written.items() if key != "resource"}
    body = top | resource
    return Flat(
        {key: value for key, value in body.items() if key not in _OURS and key != "type"},
        frozenset(resource),
        tuple(_flaws(top, first)),
        tuple(_warnings(body, resources)),
    )


def _flaws(top: dict[str, Any], resource: object) -> Iterator[Flaw]:
    if not isinstance(resource, dict):
        remedy = 'Write it as Bigin does: "resource": [{"module": ..., "field_mappings": [...]}]'
        yield ("resource",), "this must be a list with one object in it", remedy
        return
    for key in sorted(resource.keys() & top.keys()):
        if resource[key] != top[key]:
            what = f"{key} also stands outside of resource, with another value"
            yield ("resource", 0, key), what, "Remove one of the two"
    for path, parent in ((("type",), top), (("resource", 0, "type"), resource)):
        if parent.get("type") not in ("data", None):
            yield path, "the only type there is to import is data", 'Write "type": "data"'


def _warnings(body: dict[str, Any], resources: object) -> Iterator[str]:
    if isinstance(resources, list) and len(resources) > 1:
        yield f"Only the first of the {len(resources)} entries of resource is used."
    for key, reason in _OURS.items():
        if key in body:
            yield f"{key} in the mapping is not used: {reason}."
