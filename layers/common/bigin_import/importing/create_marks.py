"""
A mark in the bucket for each create, written after the ledger's CREATING and before the call.

The ledger alone cannot tell of what it does not remember: restored from a backup, it knows no
create that left since; and while it is away nobody can write down what came of one. The marks
lie beside the archive, one object for each create, so that nobody writes over another's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from pydantic import TypeAdapter

from bigin_import import object_keys
from bigin_import.domain import part_transitions
from bigin_import.domain.part_record import Attempt, Part
from bigin_import.errors import MissingObjectError
from bigin_import.ports import Files
from bigin_import.validation import hiding_adapter


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateMark:
    """
    What is known of one create without the ledger.

    Attributes:
        attempt: As the ledger had it when the create was about to leave.
        job_id: The job that it made; "" if that is not known, or is in the ledger.
        left: False once it is certain that it made no job.
    """

    attempt: Attempt
    job_id: str = ""
    left: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateMarks:
    """Writes and reads the marks of parts."""

    files: Files

    def write(self, part: Part, mark: CreateMark) -> None:
        """Write *mark*, over an earlier one of the same create."""
        key = object_keys.create_mark(part.import_id, part.number, mark.attempt.create)
        self.files.write(key, _marks().dump_json(mark), content_type="application/json")

    def find_lost(self, part: Part) -> tuple[Attempt, ...]:
        """
        Return the attempts that may have made a job and that the ledger has forgotten.

        There are some only where the table was restored from a backup.
        """
        marks = (mark for mark in self._read_later(part) if mark.left)
        lost = {mark.attempt.number: mark.attempt for mark in marks}
        return tuple(lost[number] for number in sorted(lost) if part.numbered(number) is None)

    def find_outcome(self, part: Part, now: int) -> part_transitions.Step:
        """
        Return what is to be said of a part whose sender ended in the middle of its create.

        Without a mark, or with one that says so, the create never left; but not where the parts
        were cleared away, mark and all.
        """
        attempt = part.attempt
        if attempt is None:
            return lambda _: None
        mark = self._read(part, attempt.create) if attempt.create else CreateMark(attempt=attempt)
        if mark is not None and mark.job_id:
            return part_transitions.record_job(attempt.number, mark.job_id, now)
        if (mark is None and self._check_archive(part)) or (mark is not None and not mark.left):
            return part_transitions.undo_create(attempt.number)
        return part_transitions.mark_unanswered(attempt.number)

    def _read_later(self, part: Part) -> Iterator[CreateMark]:
        """Yield the marks of creates that were begun after the last one that the ledger knows."""
        prefix = object_keys.create_marks(part.import_id, part.number)
        for key in self.files.list_keys(prefix):
            number = int(key.removeprefix(prefix).removesuffix(".json"))
            if number > part.creates and (mark := self._read(part, number)) is not None:
                yield replace(mark, attempt=replace(mark.attempt, create=number))

    def _read(self, part: Part, create: int) -> CreateMark | None:
        try:
            key = object_keys.create_mark(part.import_id, part.number, create)
            return _marks().validate_json(self.files.read(key))
        except MissingObjectError:
            return None

    def _check_archive(self, part: Part) -> bool:
        keys = object_keys.archive(part.import_id, part.number, part.sha256)
        return any(self.files.find_newest(key) is not None for key in keys)


@cache
def _marks() -> TypeAdapter[CreateMark]:
    return hiding_adapter(CreateMark)  # on first use: made on import, it slows cold starts
