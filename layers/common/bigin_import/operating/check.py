"""
Checking a file and its mapping here, by the use cases that import them over files of this machine.

Nothing is dropped, and nothing is sent.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Never
from zoneinfo import available_timezones

from bigin_import.corrections.corrections import Corrections
from bigin_import.domain.drop import ObjectVersion, Problem
from bigin_import.domain.import_record import Import, MappingPin
from bigin_import.domain.job_request import CREDITS_PER_JOB
from bigin_import.domain.locks import OpenAddress, Record
from bigin_import.domain.part_record import Part
from bigin_import.domain.plan import ColumnPlan, Plan, SplitResult
from bigin_import.domain.states import Address, ImportState, OpenKind
from bigin_import.errors import DropRejectedError, MissingObjectError
from bigin_import.importing.find_mapping import DropCheck
from bigin_import.mapping.column_plan import column_plan, needs_zone
from bigin_import.mapping.model import Mapping
from bigin_import.mapping.parse import read_mapping
from bigin_import.mapping.validate import validate
from bigin_import.object_keys import INCOMING, KeyKind, kind_of
from bigin_import.operating import saved_fields
from bigin_import.operating.saved_fields import SavedMetadata, SavedModule
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import CommandRefusedError, Exit, Terminal, columns
from bigin_import.report.summary import number, rows, sentence
from bigin_import.splitting.content_log import ContentLog
from bigin_import.splitting.dates import day_of
from bigin_import.splitting.splitter import split
from bigin_import.splitting.value_checks import ReadAgainError


class LocalFiles:
    """The Files port over files that are only read; *paths*: by the key that each stands for."""

    def __init__(self, paths: dict[str, Path]) -> None:
        self._paths = paths

    def find_newest(self, key: str) -> ObjectVersion | None:
        return ObjectVersion("", key, "") if key in self._paths else None

    def read(self, key: str, *, version_id: str | None = None, at_most: int = 1_000_000) -> bytes:  # noqa: ARG002  # there is one version
        with self.open_stream(ObjectVersion("", key, "")) as stream:
            body = stream.read(at_most + 1)
        if len(body) > at_most:
            raise DropRejectedError((Problem(key, f"it has more than {at_most:,} bytes"),))
        return body

    def open_stream(self, source: ObjectVersion) -> BinaryIO:
        if source.key not in self._paths:
            raise MissingObjectError(source.key)
        return self._paths[source.key].open("rb")

    def write(self, key: str, body: bytes, *, content_type: str) -> Never:  # noqa: ARG002
        raise TypeError(f"nothing is written here: {key}")

    def open_writer(
        self,
        key: str,
        *,
        content_type: str,  # noqa: ARG002
    ) -> AbstractContextManager[BinaryIO]:
        raise TypeError(f"nothing is written here: {key}")

    def mark_closed(self, source: ObjectVersion) -> None:
        raise TypeError(f"nothing is marked here: {source.key}")

    def mark_open(self, source: ObjectVersion) -> None:
        raise TypeError(f"nothing is marked here: {source.key}")

    def list_keys(self, prefix: str, *, since: int = 0) -> Iterator[str]:  # noqa: ARG002
        return (key for key in sorted(self._paths) if key.startswith(prefix))


class EmptyLedger:
    """The Ledger port where nothing was imported yet."""

    def load[R: Record](self, address: Address[R]) -> R | None:  # noqa: ARG002
        return None

    def save[R: Record](self, record: R, *, over: R | None = None) -> R:  # noqa: ARG002
        raise TypeError("nothing is written here")

    def delete[R: Record](self, record: R) -> None:  # noqa: ARG002
        raise TypeError("nothing is written here")

    def load_parts(self, import_id: str) -> tuple[Part, ...]:  # noqa: ARG002
        return ()

    def find_due(
        self,
        kind: OpenKind,  # noqa: ARG002
        *,
        before: int,  # noqa: ARG002
        limit: int,  # noqa: ARG002
    ) -> tuple[OpenAddress, ...]:
        return ()

    def find_listed(self, heading: str, *, limit: int | None = None) -> tuple[Import, ...]:  # noqa: ARG002
        return ()

    def find_undone(self, *, limit: int) -> tuple[str, ...]:  # noqa: ARG002
        return ()

    def leave_unreadable(self, address: Address[Any], due_at: int) -> None:  # noqa: ARG002
        raise TypeError("nothing is written here")


_MAPPING_BYTES = 1_000_000
_MOST_SHOWN = 20


def check_file(
    stack: Stack, terminal: Terminal, file: Path, *, mapping: Path, fields: Path | None
) -> Exit:
    """
    Hold a file and its mapping against one another, and against the fields of Bigin's module.

    Args:
        fields: A file with saved fields; None to ask the stack, or take what was saved last.

    Raises:
        CommandRefusedError: One of the files cannot be read.
    """
    key = INCOMING + file.name
    if kind_of(key) is not KeyKind.DROP:
        raise CommandRefusedError(
            f"{file} is neither a CSV nor a workbook",
            "Name one that ends in .csv or .xlsx",
        )
    text = _read(mapping)
    reading = read_mapping(text, name=mapping.name)
    module = reading.mapping.module if reading.mapping else ""
    saved, basis = _find_fields(stack, module, fields)
    checking = LocalCheck(key, file, mapping.name, saved)
    try:
        if reading.mapping is None or reading.problems:
            raise checking.drop_check.find_rejection(checking.record, reading)
        plan = checking.read(reading.mapping)
    except DropRejectedError as exc:
        return _show_problems(terminal, file.name, exc.problems, basis)
    return _show_plan(terminal, file.name, plan, basis)


def check_mapping(saved: SavedModule | None, mapping: Path) -> tuple[str, tuple[Problem, ...]]:
    """Return the module that a mapping is for, and what is wrong with it without any drop."""
    reading = read_mapping(_read(mapping), name=mapping.name)
    if reading.mapping is None:
        return "", reading.problems
    known = saved.fields if saved and not saved.refused else None
    found = validate(reading.mapping, None, known, mapping_name=mapping.name, drop_name="the file")
    problems = (*reading.problems, *found.problems)
    return reading.mapping.module, tuple(dict.fromkeys(problems))


def module_of(mapping: Path) -> str:
    """Return the module that a mapping names; "" if it names none."""
    reading = read_mapping(_read(mapping), name=mapping.name)
    return reading.mapping.module if reading.mapping else ""


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_MAPPING_BYTES)
    except OSError as exc:
        raise CommandRefusedError(f"{path}: {exc.strerror}") from exc


def _find_fields(stack: Stack, module: str, fields: Path | None) -> tuple[SavedModule | None, str]:
    if fields is not None:
        saved = saved_fields.read(fields)
        if saved is None:
            raise CommandRefusedError(f"{fields} is not there")
        return saved, f"Compared with the fields saved in {fields}"
    if not module:
        return None, "Not compared with Bigin's fields: the mapping names no module"
    return saved_fields.ask_or_read(stack, module)


@dataclass(frozen=True, slots=True)
class LocalCheck:
    """
    Reads a file of this machine as import_csv reads a drop.

    Attributes:
        key: The key that it would be dropped as.
    """

    key: str
    file: Path
    mapping_name: str
    saved: SavedModule | None

    @property
    def record(self) -> Import:
        return Import(
            import_id="0" * 26,
            source=ObjectVersion("", self.key, ""),
            state=ImportState.PREPARING,
            received_at=int(time.time()),
            dry_run=True,
            mapping=MappingPin(key=self.mapping_name, version_id=""),
        )

    @property
    def drop_check(self) -> DropCheck:
        files = LocalFiles({self.key: self.file})
        encoding = self.saved.default_encoding if self.saved else ""
        return DropCheck(
            files=files,
            metadata=SavedMetadata(self.saved),
            corrections=Corrections(ledger=EmptyLedger(), files=files, default_encoding=encoding),
            default_encoding=encoding,
        )

    def read(self, mapping: Mapping, learned: ColumnPlan | None = None) -> Plan:
        """
        Read the file to its end.

        Raises:
            DropRejectedError: With everything that is wrong.
        """
        try:
            with self.drop_check.open(self.record, mapping) as (table, validated, inherited):
                zone = self._zone() if needs_zone(validated) else ""
                arrived = day_of(self.record.received_at)
                fresh = inherited.passed_on(column_plan(validated, arrived=arrived, zone=zone))
                plan = learned or fresh
                with ContentLog(plan) as log:
                    result = split(table, plan, store=_store_nothing, entry_name=str, log=log)
                return Plan(columns=plan, cut=result, dialect=table.dialect, header=table.header)
        except ReadAgainError as again:
            return self.read(mapping, again.plan)

    def _zone(self) -> str:
        zone = self.saved.time_zone if self.saved else ""
        return zone if zone in available_timezones() else "UTC"


def _store_nothing(_number: int, _archive: bytes) -> None:
    """Nothing is kept of what would be sent."""


def _show_problems(
    terminal: Terminal, name: str, problems: tuple[Problem, ...], basis: str
) -> Exit:
    many = "one problem was" if len(problems) == 1 else f"{number(len(problems))} problems were"
    terminal.say(f"{name} would not be imported: {many} found.")
    terminal.say(*(f"  {sentence(str(each))}" for each in problems), "", sentence(basis))
    said = [{"where": p.where, "what": p.what, "remedy": p.remedy} for p in problems]
    terminal.report({"problems": said, "basis": basis})
    return Exit.FINDINGS


def _show_plan(terminal: Terminal, name: str, plan: Plan, basis: str) -> Exit:
    cut, jobs = plan.cut, len(plan.cut.parts)
    sent = sum(part.rows for part in cut.parts)
    terminal.say(
        f"{name}: {number(sent)} of {rows(cut.rows)} would be sent in {number(jobs)} jobs, "
        f"for {number(jobs * CREDITS_PER_JOB)} credits."
    )
    pairs = [(each.header, "→", each.api_name) for each in plan.columns.columns]
    terminal.say(*(f"  {line}" for line in (columns(pairs) if pairs else ())))
    if plan.columns.ignored:
        terminal.say(f"Not mapped, stays here: {', '.join(plan.columns.ignored)}.")
    findings = tuple(_findings(plan, cut))
    terminal.say(*(f"  {line}" for line in findings), sentence(basis), "Nothing was sent.")
    terminal.report(
        {"rows": cut.rows, "sent": sent, "jobs": jobs, "findings": findings, "basis": basis}
    )
    return Exit.FINDINGS if cut.invalid else Exit.GOOD


def _findings(plan: Plan, cut: SplitResult) -> Iterator[str]:
    yield from cut.warnings
    yield from plan.columns.warnings
    yield from cut.notes
    if cut.invalid:
        yield f"{rows(cut.invalid)} would not be sent:"
        for one in cut.invalid_rows[:_MOST_SHOWN]:
            yield f"row {one.row}: {sentence(one.reason)}"
    if cut.repeated_keys:
        yield f"{rows(cut.repeated_keys)} with the key of an earlier row."
