"""Ledger records and plan -> the summary that report and notice are made of. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from posixpath import dirname
from shlex import quote as quoted
from urllib.parse import quote

from bigin_import.domain.drop import NO_VERSION
from bigin_import.domain.import_record import Import, MappingPin
from bigin_import.domain.job_request import CREDITS_PER_JOB, JobRequest, JobStatus
from bigin_import.domain.part_record import Part
from bigin_import.domain.plan import ColumnFindings, Plan
from bigin_import.domain.row_result import Counts, JobCounts
from bigin_import.domain.states import ImportState, PartState
from bigin_import.object_keys import INCOMING, OVERVIEW, stem
from bigin_import.report.summary import (
    CheckedColumn,
    Choice,
    DryRun,
    FileLink,
    ImportSummary,
    PartSummary,
    rows,
    sentence,
    span,
)

FAILED = JobStatus.FAILED.value
DEFAULT_STACK = "bigin-drop"  # as samconfig.toml has it
_IMPORT_FUNCTION = "-import-csv"  # what template.yaml adds to the stack's name
_SETTLE_FUNCTION = "-settle-jobs"
_DECISION_WORDS = {"adopt": "adopt JOB_ID", "give_up": "give-up"}
_REPEATED = (ImportState.FAILED, ImportState.REJECTED)


def part_summary(part: Part) -> PartSummary:
    attempt = part.attempt
    outcome = attempt.outcome if attempt else None
    return PartSummary(
        number=part.number,
        state=part.state.value,
        rows=part.rows,
        first_row=part.first_row,
        last_row=part.last_row,
        job_ids=part.job_ids,
        created_by=(outcome.created_by or "") if outcome else "",
        closed_by=outcome.closed_by.value if outcome else "",
        seconds=outcome.at - part.created_at if outcome and part.created_at else None,
        credits=CREDITS_PER_JOB * part.charged_jobs,
        counts=_counts(part),
        reported=JobCounts(outcome.added, outcome.updated, outcome.skipped, outcome.total)
        if outcome
        else None,
        disagrees=part.counts_disagree,
        note=_note(part),
    )


def _counts(part: Part) -> Counts | None:
    return Counts(unclear=part.rows) if part.may_have_earlier_job else part.counts


def why_unclear(part: Part) -> str:
    """Return why it is not certain what became of a part's rows; "" if Bigin's results say it."""
    attempt = part.attempt
    if part.may_have_earlier_job:
        return "Bigin never said whether it made an earlier job for these rows"
    if part.state in (PartState.HELD, PartState.UNKNOWN):
        return "Bigin never said whether it made the job"
    if part.state is PartState.GIVEN_UP and attempt is not None:
        return (
            "The job never ended, and the waiting was ended"
            if attempt.job_id
            else "Bigin never said whether it made the job, and the waiting was ended"
        )
    if attempt is not None and attempt.outcome is not None and attempt.outcome.status == FAILED:
        words = f": {attempt.outcome.message}" if attempt.outcome.message else ""
        return f"Bigin says that the job failed{words}"
    return ""


def _note(part: Part) -> str:
    return " ".join(sentence(each) for each in _remarks(part) if each)


def _remarks(part: Part) -> Iterator[str]:
    if part.refusal is not None:
        yield f"{part.refusal.code}: {part.refusal.message}"
        yield part.refusal.resolution
    yield why_unclear(part)
    jobs = part.job_ids
    if len(jobs) > 1:
        yield f"Bigin made {len(jobs)} jobs for it, {_listed(jobs)}; look for doubled records"
    elif len(part.attempts) > 1 and part.state is PartState.COLLECTED:
        yield (
            "Bigin did not answer the first create, so it was repeated; "
            "added and updated may be those of the repetition"
        )


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


_HELD_CHOICES = (
    (
        "create",
        "Part {part}, if none of {rows} is in Bigin: make its job, for {credits} credits.",
    ),
    (
        "adopt",
        "Part {part}, if they are there and you know the job's id: write it for JOB_ID.",
    ),
    (
        "give_up",
        "Part {part}, if nobody can tell: stop waiting; its rows are then reported as unclear.",
    ),
)
_UNKNOWABLE = (
    "Which rows are in Bigin already: only Bigin can tell, when it runs the job.",
    "Fields that a page layout makes mandatory: Bigin names them when the job is created.",
    "Rules, approvals and duplicates that Bigin checks row by row.",
)


@dataclass(frozen=True, slots=True)
class ConsoleLinks:
    """
    What a person needs to find things and to act.

    Attributes:
        import_function: Name of import_csv, for the commands; it begins with the stack's.
        request_text: Writes a create body as it would be sent.
        zoho_secret: Name or ARN of the Zoho secret.
    """

    region: str
    bucket: str
    import_function: str
    request_text: Callable[[JobRequest], str]
    zoho_secret: str = ""

    def console_url(self, key: str) -> str:
        """Return the page of an object, or of a folder if *key* ends in a slash."""
        kind = "buckets" if key.endswith("/") else "object"
        base = f"https://{self.region}.{_console(self.region)}/s3/{kind}/{self.bucket}"
        return f"{base}?region={self.region}&prefix={quote(key, safe='/')}"

    def link(self, kind: str, key: str, rows: int | None = None) -> FileLink:
        return FileLink(kind=kind, key=key, url=self.console_url(key), rows=rows)

    def decision(
        self, record: Import, decision: str, when: str, part: Part | None = None
    ) -> Choice:
        """Return a decision with whole commands that a person can copy."""
        payload: dict[str, str | int] = {"resume": record.import_id, "decision": decision}
        words = f"decide {record.import_id}"
        if part is not None and part.attempt is not None:
            payload |= {"part": part.number, "attempt": part.attempt.number}
            words += f" --part {part.number}"
        if decision == "continue":
            payload["held_at"] = record.held_at or 0
        if decision == "adopt":
            payload["job_id"] = "JOB_ID"
        words += f" {_DECISION_WORDS.get(decision, decision)}"
        if decision == "create":
            words += f" --confirm {record.import_id}"
        # Version 2 of the CLI takes a payload for base64, and the option that says otherwise is
        # unknown to version 1; both read a file as it is.
        plain = (
            f"echo '{json.dumps(payload)}' | aws lambda invoke --function-name "
            f"{self.import_function} --invocation-type Event --payload fileb:///dev/stdin "
            f"--region {self.region} /dev/null"
        )
        return Choice(when, self._command(words), plain)

    def fetch_results(self, record: Import) -> Choice:
        """Return how to have the result files on one's own machine."""
        source = quoted(f"s3://{self.bucket}/{record.results}")
        return Choice(
            "Have the result files here:",
            self._command(f"results {record.import_id}"),
            f"aws s3 cp --recursive {source} . --region {self.region}",
        )

    def retry(self, record: Import, when: str) -> Choice:
        """Return how to import exactly what was dropped once more: it becomes a new version."""
        source = record.source
        version = f"?versionId={source.version_id}" if source.version_id else ""
        copied = quoted(f"{self.bucket}/{source.key}{version}")  # both CLIs encode it themselves
        return Choice(
            when,
            self._command(f"retry {record.import_id}"),
            f"aws s3api copy-object --bucket {self.bucket} --key {quoted(source.key)} "
            f"--copy-source {copied} "
            f"--metadata-directive REPLACE --region {self.region}",
        )

    def drop_mapping(self, key: str) -> Choice:
        """Return how to drop the mapping of the drop *key*."""
        name, folder = f"{stem(key)}.mapping.json", dirname(key)
        below = folder.removeprefix(INCOMING.rstrip("/")).lstrip("/")
        to = f" --to {quoted(below)}" if below else ""
        target = quoted(f"s3://{self.bucket}/{folder}/{name}")
        return Choice(
            "Once you have the mapping, drop it:",
            self._command(f"drop {quoted(name)}{to}"),
            f"aws s3 cp {quoted(name)} {target} --region {self.region}",
        )

    def look_at_all(self) -> Choice:
        """Return how to see all that is open."""
        return Choice(
            "See what waits:",
            self._command("status"),
            f"aws s3 cp s3://{self.bucket}/{OVERVIEW} . --region {self.region}",
        )

    def store_credentials(self) -> Choice:
        """Return how to put other credentials into the Zoho secret."""
        return Choice(
            "Put the right credentials in place (zoho.json holds client_id, client_secret and "
            "refresh_token as JSON):",
            self._command("rotate zoho"),
            f"aws secretsmanager put-secret-value --secret-id {quoted(self.zoho_secret)} "
            f"--secret-string file://zoho.json --region {self.region}",
        )

    def examine(self) -> Choice:
        """Return how to hear what Zoho and Bigin say to the credentials as they are now."""
        return Choice(
            "See what is wrong, or whether it is mended:",
            self._command("doctor"),
            f"echo '{{\"doctor\": true}}' | aws lambda invoke --function-name "
            f"{self._stack}{_SETTLE_FUNCTION} --payload fileb:///dev/stdin "
            f"--region {self.region} /dev/stdout",
        )

    @property
    def _stack(self) -> str:
        return self.import_function.removesuffix(_IMPORT_FUNCTION)

    def _command(self, words: str) -> str:
        options = "" if self._stack == DEFAULT_STACK else f" --stack {self._stack}"
        return f"bigin-drop {words} --region {self.region}{options}"


def _console(region: str) -> str:
    """Return the console's domain: each partition of AWS has its own."""
    partitions = (("cn-", "console.amazonaws.cn"), ("us-gov-", "console.amazonaws-us-gov.com"))
    return next(
        (domain for prefix, domain in partitions if region.startswith(prefix)),
        "console.aws.amazon.com",
    )


def summarize(
    record: Import, parts: tuple[Part, ...], plan: Plan | None, around: ConsoleLinks
) -> ImportSummary:
    """Return what is known of an import before its rows are counted."""
    read, pin = plan.dialect if plan else None, _mapping(record, plan)
    return ImportSummary(
        import_id=record.import_id,
        file=record.source.key,
        state=record.verdict or record.state,
        received_at=record.received_at,
        module=record.module or "",
        operation=record.operation or "",
        find_by=(plan.columns.request.find_by or "") if plan else "",
        rows=record.totals.rows if record.totals else 0,
        blank=record.totals.blank if record.totals else 0,
        encoding=read.encoding if read else "",
        delimiter=read.delimiter if read else "",
        mapping_key=pin.key if pin else "",
        mapping_version=pin.version_id if pin else "",
        parent=plan.parent if plan else "",
        winner=record.winner or "",
        was_unmapped=record.was_unmapped,
        is_check=record.dry_run,
        hold_reason=record.hold_reason or "",
        contradiction=record.contradiction or "",
        choices=tuple(_choices(record, parts, around)),
        warnings=plan.cut.warnings if plan else (),
        notes=(*_notes(plan), *_part_notes(parts)) if plan else (),
        new_values=tuple(_new_values(plan)) if plan else (),
        header=plan.header if plan else (),
        parts=tuple(map(part_summary, parts)),
        console_url=around.console_url(record.results or ""),
        dry_run=_dry_run(plan, around) if plan and record.dry_run else None,
    )


def _mapping(record: Import, plan: Plan | None) -> MappingPin | None:
    """Name the mapping as a person wrote it, also where a corrected file has inherited it."""
    if plan is not None and plan.mapping_key:
        return MappingPin(key=plan.mapping_key, version_id=plan.mapping_version)
    return record.mapping


def _choices(record: Import, parts: tuple[Part, ...], around: ConsoleLinks) -> Iterator[Choice]:
    if ImportState.SUPERSEDED in (record.state, record.verdict):
        yield from _superseded_choices(record, around)
    if record.hold_reason is None:
        return
    held = [part for part in parts if part.state is PartState.HELD]
    for part in held:
        where = span(part.first_row, part.last_row)
        for decision, when in _HELD_CHOICES:
            words = when.format(part=part.number, rows=where, credits=CREDITS_PER_JOB)
            yield around.decision(record, decision, words, part)
    if not held:
        yield around.decision(record, "continue", "Once the cause is mended, go on:")


def next_steps(it: ImportSummary, record: Import, around: ConsoleLinks) -> Iterator[Choice]:
    """Yield what a person may do about an import that is closed."""
    if it.counts.data > it.counts.succeeded:
        yield around.fetch_results(record)
    if it.state.wrote_nothing and not it.is_check and it.state in _REPEATED:
        yield around.retry(record, "Once the cause is mended, import the same file again:")


def _superseded_choices(record: Import, around: ConsoleLinks) -> Iterator[Choice]:
    """Yield what makes a new version of exactly what was dropped, if it is still there."""
    if record.source.version_id not in ("", NO_VERSION):
        yield around.retry(record, "To import it all the same:")


def _notes(plan: Plan) -> Iterator[str]:
    """Yield what is good to know and asks for nothing."""
    yield from plan.columns.warnings
    yield from plan.cut.notes
    for left_out in plan.cut.left_out:
        where = ", ".join(map(str, left_out.rows[:10])) + (", …" if left_out.rows[10:] else "")
        if len(left_out.rows) == 1:
            yield f"Row {where} was left out: it {left_out.reason}."
        else:
            yield f"{len(left_out.rows):,} rows were left out, {where}: each {left_out.reason}."
    if plan.cut.repeated_keys_across_parts:
        yield "Rows with the same key lie in different parts, so the parts ran one after another."


def _new_values(plan: Plan) -> Iterator[str]:
    """Yield the values that picklists do not have yet: cells, so only for the report."""
    for column in plan.cut.columns:
        if column.unknown:
            values = ", ".join(column.unknown)
            yield f"Values that {column.api_name} does not have yet in Bigin: {values}."


def _part_notes(parts: tuple[Part, ...]) -> Iterator[str]:
    for part in parts:
        yield from (f"Part {part.number}: {warning}" for warning in part.warnings)


def _dry_run(plan: Plan, around: ConsoleLinks) -> DryRun:
    found = {column.api_name: column for column in plan.cut.columns}
    jobs = len(plan.cut.parts)
    return DryRun(
        columns=tuple(
            CheckedColumn(
                header=column.header,
                api_name=column.api_name,
                data_type=column.data_type or "",
                samples=_samples(found.get(column.api_name)),
            )
            for column in plan.columns.columns
        ),
        rows=sum(part.rows for part in plan.cut.parts),
        jobs=jobs,
        credits=jobs * CREDITS_PER_JOB,
        invalid=plan.cut.invalid,
        left_out=sum(len(group.rows) for group in plan.cut.left_out),
        request=around.request_text(plan.columns.request),
        ignored=plan.columns.ignored,
        findings=tuple(_findings(plan)),
        unknown=_UNKNOWABLE,
    )


def _samples(found: ColumnFindings | None) -> tuple[str, ...]:
    return found.samples if found else ()


def _findings(plan: Plan) -> Iterator[str]:
    cut = plan.cut
    if cut.empty_keys:
        has = "has" if cut.empty_keys == 1 else "have"
        yield f"{rows(cut.empty_keys)} {has} no value in the key column."
    if cut.repeated_keys:
        where = ", ".join(map(str, cut.repeated_key_rows[:10]))
        yield f"{rows(cut.repeated_keys)} with the key of an earlier row; see rows {where}."
    if cut.invalid:
        yield f"{rows(cut.invalid)} would not be sent."
        yield from (f"Row {one.row}: {sentence(one.reason)}" for one in cut.invalid_rows[:10])
    yield from _new_values(plan)
