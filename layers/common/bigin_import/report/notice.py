"""The notice: one plain text message for people who wait for imports, and for filters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bigin_import.models import Counts, Notice
from bigin_import.models.findings import JobCounts
from bigin_import.records import ImportState
from bigin_import.report.figures import balance, number, rows
from bigin_import.report.summary import ImportSummary
from bigin_import.report.verdict import verdict

MAX_SUBJECT = 99  # SNS takes fewer than 100 characters, ASCII, one line
MAX_REASONS = 10
MAX_PROBLEMS = 30
MAX_PARTS = 10
MAX_FILES = 50
MAX_BYTES = 200_000  # SNS takes 262,144 with its attributes; the rest is headroom

_SUBJECTS = {
    ImportState.COMPLETED: "Imported",
    ImportState.COMPLETED_WITH_ERRORS: "Imported with errors",
    ImportState.FAILED: "Not imported",
    ImportState.REJECTED: "Rejected",
    ImportState.ON_HOLD: "Needs a decision",
    ImportState.DRY_RUN: "Checked, nothing sent",
    ImportState.UNCHANGED: "Unchanged",
    ImportState.WITHDRAWN: "Withdrawn",
    ImportState.SUPERSEDED: "Superseded",
}
_NO_CREDITS_ACTION = (
    "Nothing to do: nothing is lost, and the imports go on by themselves when Bigin takes jobs "
    "again, within a day. If that is too late, buy credits for Bigin's API. Do not drop the files "
    "again."
)


def compose_notice(summary: ImportSummary) -> Notice:
    """Say what happened, what to do, why, and where the files are. It holds no cell value."""
    head = verdict(summary)
    lines = (_one_line(head.result), _one_line(head.action), *_details(summary))
    body = "\n".join(lines) + "\n"
    return Notice(
        subject=_subject(summary),
        body=body.encode()[:MAX_BYTES].decode(errors="ignore"),
        attributes=_attributes(summary),
    )


def compose_waiting(files: Sequence[str]) -> Notice:
    """Say that imports wait until Bigin has credits again: one notice for all of them."""
    one = len(files) == 1
    many = "1 file" if one else f"{number(len(files))} files"
    lines = (
        f"{many} {'waits' if one else 'wait'} for credits: Bigin takes no more jobs for now.",
        _NO_CREDITS_ACTION,
        "",
        "Waiting:",
        *(f"  {_one_line(str(line))}" for line in _first(iter(files), len(files), MAX_FILES)),
    )
    return Notice(
        subject=_as_subject(f"Waiting for credits: {many}"),
        body="\n".join(lines) + "\n",
        attributes=(("state", "WAITING_FOR_CREDITS"),),
    )


def _subject(it: ImportSummary) -> str:
    urgent = "CRITICAL: " if it.counts_disagree or it.doubled else ""
    return _as_subject(f"{urgent}{_SUBJECTS.get(it.state, 'Under way')}: {it.name}")


def _as_subject(words: str) -> str:
    ascii_words = "".join(c if " " <= c <= "~" else "?" for c in words)
    return (
        ascii_words if len(ascii_words) <= MAX_SUBJECT else ascii_words[: MAX_SUBJECT - 3] + "..."
    )


def _attributes(it: ImportSummary) -> tuple[tuple[str, str], ...]:
    named = (
        ("state", it.state.value),
        ("module", it.module),
        ("file", _one_line(it.file)),
        ("import_id", it.import_id),
    )
    return tuple((name, value) for name, value in named if value)


def _details(it: ImportSummary) -> Iterator[str]:
    sections = (
        ("Rows", _counts(it)),
        ("Bigin's own counts", _disagreement(it)),
        ("Problems", _first(map(str, it.problems), len(it.problems), MAX_PROBLEMS)),
        ("Reasons", _first(_reasons(it), len(it.reasons), MAX_REASONS)),
        ("Parts", _parts(it)),
        ("Commands", (line for choice in it.choices for line in (choice.when, choice.command))),
        ("Check", _check(it)),
        ("Good to know", it.warnings),
        ("Files", _files(it)),
        ("Import", _import(it)),
    )
    for title, lines in sections:
        listed = tuple(lines)
        if listed:
            yield ""
            yield f"{title}:"
            yield from (f"  {_one_line(line)}" for line in listed)


def _counts(it: ImportSummary) -> Iterator[str]:
    return (f"{share.rows:,} {share.words}" for share in balance(it.counts))


def _disagreement(it: ImportSummary) -> Iterator[str]:
    for part in it.parts:
        if part.disagrees and part.reported and part.counts:
            yield (
                f"Part {part.number}: Bigin says {_claimed(part.reported)}; "
                f"its {rows(part.rows)} say {_counted(part.counts)}"
            )


def _claimed(counts: JobCounts) -> str:
    named = (
        (counts.added, "added"),
        (counts.updated, "updated"),
        (counts.skipped, "skipped"),
        (counts.total, "in total"),
    )
    return ", ".join(f"{count:,} {word}" for count, word in named if count is not None)


def _counted(counts: Counts) -> str:
    return ", ".join(f"{share.rows:,} {share.words}" for share in balance(counts))


def _reasons(it: ImportSummary) -> Iterator[str]:
    for ranked in it.reasons:
        words = "words of Bigin, in the report" if ranked.reason.quotes else ranked.reason
        yield f"{rows(ranked.rows)}: {words}"


def _parts(it: ImportSummary) -> Iterator[str]:
    noted = [f"Part {part.number}: {part.note}" for part in it.parts if part.note]
    return _first(iter(noted), len(noted), MAX_PARTS)


def _check(it: ImportSummary) -> Iterator[str]:
    if it.dry_run:
        jobs = f"{number(it.dry_run.jobs)} job" + ("" if it.dry_run.jobs == 1 else "s")
        yield (
            f"{rows(it.dry_run.rows)} of {number(it.rows)} would be sent in {jobs}, "
            f"for {number(it.dry_run.credits)} credits"
        )


def _files(it: ImportSummary) -> Iterator[str]:
    for link in it.files:
        count = "" if link.rows is None else f" ({rows(link.rows)})"
        yield f"{link.kind}{count}: {link.url or link.key}"
    if it.files and it.console_url:
        yield f"all: {it.console_url}"


def _import(it: ImportSummary) -> Iterator[str]:
    yield f"file {it.file}"
    yield f"import id {it.import_id}"
    if it.winner:
        yield f"same content as import {it.winner}"
    if it.parent:
        yield f"corrects import {it.parent}"


def _first[T](items: Iterator[T], total: int, limit: int) -> Iterator[T | str]:
    for _, item in zip(range(limit), items, strict=False):
        yield item
    if total > limit:
        yield f"and {total - limit} more in the report"


def _one_line(text: str) -> str:
    """Return *text* without line breaks and control characters; a refused key may hold them."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
