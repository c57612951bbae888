"""From the bytes of a mapping file to a Mapping and to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bigin_import.mapping.document import Document, read_document
from bigin_import.mapping.documented import Flaw, flatten
from bigin_import.mapping.model import Mapping
from bigin_import.mapping.normalise import normalised
from bigin_import.mapping.understand import understand
from bigin_import.models import Problem


@dataclass(frozen=True, slots=True)
class Reading:
    """
    What a mapping file says, and what is wrong with it.

    Attributes:
        mapping: With problems, what was most likely meant: good enough to look for further
            problems and to suggest a better one, never to import by. None if it is no JSON object.
        problems: In the order of the file, each with its place.
    """

    mapping: Mapping | None
    problems: tuple[Problem, ...]


def read_mapping(text: bytes, *, name: str) -> Reading:
    """
    Read a mapping: long form, short form, or the documented body of Bigin's create request.

    Args:
        text: The file as it is, with or without BOM.
        name: What people call the file; begins each problem.
    """
    document, problems = read_document(text, name=name)
    if document is None:
        return Reading(None, problems)
    understood = understand(flatten(document.body))
    problems += tuple(_problems(document, understood.flaws))
    return Reading(normalised(understood, document), problems)


def _problems(document: Document, flaws: list[Flaw]) -> Iterator[Problem]:
    """Yield *flaws* as problems with their places, in the order of the file."""
    found = [
        (document.position(path), Problem(document.where(path), what, remedy))
        for path, what, remedy in flaws
    ]
    for path, position in document.repeated:
        first_line, _ = document.positions[path]
        what = f"this key was already given in line {first_line}"
        found.append((position, Problem(document.where(path, position), what, "Keep one of them")))
    for _, problem in sorted(found, key=lambda item: item[0]):
        yield problem
