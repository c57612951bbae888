"""The notice: one plain text message for people who wait for imports, and for filters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from unicodedata import category

from bigin_import.domain.drop import Notice, Problem
from bigin_import.domain.row_result import Counts, JobCounts
from bigin_import.domain.states import ImportState
from bigin_import.object_keys import CHECK, INCOMING
from bigin_import.report.summary import Choice, ImportSummary, balance, headline, number, rows
from bigin_import.row_results.reasons import shortened, what_without_quotation

_PLAIN = "or, without bigin-drop:"
MAX_SUBJECT = 99  # SNS takes fewer than 100 characters, ASCII, one line
MAX_REASONS = 10
MAX_PROBLEMS = 30
MAX_PARTS = 10
MAX_CHOICES = 30
MAX_WARNINGS = 20
MAX_FILES = 50
MAX_LINE = 1_000
MAX_BYTES = 200_000  # SNS takes 262,144 with its attributes; the rest is headroom
_LEFT_OUT = "Some lines are left out here; the report has all of them."
_KEPT = ("", "Rows", "Commands", "Check", "Files", "Import")

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
_OTHER_ORGANISATION_ACTION = (
    "Put the refresh token of their organisation back into the Zoho secret with the command below; "
    "they then go on by themselves within a quarter of an hour. One stack serves one "
    "organisation: deploy a second one for the other."
)
_NO_CREDITS_ACTION = (
    "Nothing to do: nothing is lost, and the imports go on by themselves when Bigin takes jobs "
    "again, within a day. If that is too late, buy credits for Bigin's API. Do not drop the files "
    "again."
)
_ZOHO_ACTION = (
    "Correct the Zoho secret with the first of the commands below; the second says what is wrong "
    "with it. The imports go on by themselves within two minutes: nothing is lost. Do not drop "
    "the files again."
)


def compose_notice(summary: ImportSummary) -> Notice:
    """Return what happened, what to do, why, and where the files are, without any cell value."""
    head = headline(summary)
    sections = [_Section("", (_line(head.result), _line(head.action))), *_details(summary)]
    return Notice(
        subject=_subject(summary), body=_fitted(sections), attributes=_attributes(summary)
    )


def compose_waiting(files: Sequence[tuple[str, int]], commands: Sequence[Choice]) -> Notice:
    """
    Return one notice of all imports that wait until Bigin has credits again.

    Args:
        files: Keys of the drops, each with how many of its versions wait.
        commands: What a person may do meanwhile.
    """
    return _compose_pause(
        files,
        commands,
        "for credits: Bigin takes no more jobs for now.",
        _NO_CREDITS_ACTION,
        title="Waiting for credits",
        state="WAITING_FOR_CREDITS",
    )


def compose_other_organisation(
    files: Sequence[tuple[str, int]], commands: Sequence[Choice]
) -> Notice:
    """Return the notice of imports that wait because the secret is another organisation's."""
    return _compose_pause(
        files,
        commands,
        "because the Zoho secret is for another Bigin organisation than the one that they were "
        "prepared for. Nothing of them is sent there.",
        _OTHER_ORGANISATION_ACTION,
        title="Zoho secret of another organisation",
        state="OTHER_ORGANISATION",
    )


def _compose_pause(  # what is told, by name
    files: Sequence[tuple[str, int]],
    commands: Sequence[Choice],
    why: str,
    action: str,
    *,
    title: str,
    state: str,
) -> Notice:
    one = len(files) == 1
    many = "1 file" if one else f"{number(len(files))} files"
    versions = sum(count for _, count in files)
    if versions > len(files):
        many += f" in {number(versions)} versions"
    listed = [key if count == 1 else f"{key} ({number(count)} versions)" for key, count in files]
    lines = (
        f"{many} {'waits' if one else 'wait'} {why}",
        action,
        *_command_lines(commands),
        "",
        "Waiting:",
        *(f"  {_line(line)}" for line in _first(listed, MAX_FILES, of="files")),
    )
    return Notice(
        subject=as_subject(f"{title}: {many}"),
        body="\n".join(lines) + "\n",
        attributes=(("state", state),),
    )


def _command_lines(commands: Sequence[Choice]) -> Iterator[str]:
    yield from ("", "Commands:")
    yield from (f"  {line}" for line in _by_command(commands))


def compose_waiting_for_zoho(
    files: Sequence[str], refused: str, commands: Sequence[Choice]
) -> Notice:
    """
    Return one notice of all imports that wait until the Zoho credentials are corrected.

    Args:
        refused: Zoho's word, such as "invalid_code"; "" if it is Bigin that lets us not in.
        commands: How to correct them, and how to see what is wrong with them.
    """
    many = "1 file waits" if len(files) == 1 else f"{number(len(files))} files wait"
    why = f"Zoho refuses the credentials ({refused})" if refused else "Bigin refuses the access"
    lines = (
        f"{many} for Zoho: {why}.",
        _ZOHO_ACTION,
        *_command_lines(commands),
        "",
        "Waiting:",
        *(f"  {_line(line)}" for line in _first(files, MAX_FILES, of="files")),
    )
    return Notice(
        subject=as_subject(f"Imports wait for Zoho: {many.rpartition(' ')[0]}"),
        body="\n".join(lines) + "\n",
        attributes=(("state", "WAITING_FOR_ZOHO"),),
    )


def compose_no_mapping(  # what is told, by name
    *,
    file: str,
    import_id: str,
    mapping_keys: tuple[str, str],
    suggestion: str,
    command: Choice,
    recognised: Sequence[str],
    problems: Sequence[Problem],
    alike: Sequence[str],
) -> Notice:
    """Return the notice of a drop without mapping: what was recognised, and where to drop one."""
    name = file.rpartition("/")[2]
    own, folder = mapping_keys
    action = f"Drop {own} beside it, or {folder}; it is then taken up by itself."
    if problems:
        action = f"Correct what is listed below. {action}"
    sections = (
        _Section("", (_line(f"{name} waits for a mapping, and none has come."), _line(action))),
        _Section("Problems", tuple(_line(str(each)) for each in problems)),
        _Section("Which of these is its mapping? Give it the name above", tuple(alike)),
        _Section("Commands", tuple(_by_command([command]))),
        _Section("Recognised", tuple(map(_line, _first(recognised, MAX_FILES)))),
        _Section("Files", (f"suggestion: {suggestion}",) if suggestion else ()),
        _Section("Import", (f"file {one_line(file)}", f"import id {import_id}")),
    )
    return Notice(
        subject=as_subject("Waiting for a mapping: ", file.removeprefix(INCOMING)),
        body=_fitted([section for section in sections if section.lines]),
        attributes=(
            ("state", "WAITING_FOR_MAPPING"),
            ("file", one_line(file)),
            ("import_id", import_id),
        ),
    )


def _subject(it: ImportSummary) -> str:
    urgent = "CRITICAL: " if it.is_critical else ""
    words = _SUBJECTS.get(it.state, "Under way")
    if it.is_check and it.state is ImportState.REJECTED:
        words = "Checked, with problems"
    return as_subject(f"{urgent}{words}: ", it.file.removeprefix(CHECK).removeprefix(INCOMING))


def as_subject(words: str, file: str = "") -> str:
    """Return a subject that SNS takes; of a long path the end is kept, with the file's name."""
    start, end = (_ascii(each) for each in (words, file))
    room = MAX_SUBJECT - len(start)
    if len(end) > room:
        name = end.rpartition("/")[2]
        end = f"...{end[3 - room :]}" if len(name) <= room - 3 else f"{name[: room - 3]}..."
    return f"{start}{end}"[:MAX_SUBJECT]


def _ascii(words: str) -> str:
    return "".join(c if " " <= c <= "~" else "?" for c in words)


def _attributes(it: ImportSummary) -> tuple[tuple[str, str], ...]:
    named = (
        ("state", it.state.value),
        ("module", it.module),
        ("file", one_line(it.file)),
        ("import_id", it.import_id),
    )
    return tuple((name, value) for name, value in named if value)


class _Section(NamedTuple):
    """Lines of a notice under their title."""

    title: str
    lines: tuple[str, ...]

    @property
    def may_be_shortened(self) -> bool:
        return self.title not in _KEPT and self.lines != (_LEFT_OUT,)

    def __str__(self) -> str:
        if not self.title:
            return "".join(f"{line}\n" for line in self.lines)
        return f"\n{self.title}:\n" + "".join(f"  {line}\n" for line in self.lines)


def _details(it: ImportSummary) -> Iterator[_Section]:
    sections = (
        ("Rows", _counts(it)),
        ("Bigin's own counts", _first(list(_disagreement(it)), MAX_PARTS)),
        ("Problems", _first(list(map(str, it.problems)), MAX_PROBLEMS)),
        ("Warnings", _first(it.warnings, MAX_WARNINGS)),
        ("Reasons", _first(list(_reasons(it)), MAX_REASONS)),
        ("Parts", _first(list(_parts(it)), MAX_PARTS)),
        ("Commands", _choices(it)),
        ("Check", _check(it)),
        ("Good to know", _first(it.notes, MAX_WARNINGS)),
        ("Files", _files(it)),
        ("Import", _import(it)),
    )
    # A command or a link that is cut is of no use.
    whole = ("Commands", "Files")
    for title, lines in sections:
        listed = tuple(_exactly(line) if title in whole else _line(line) for line in lines)
        if listed:
            yield _Section(title, listed)


def _fitted(sections: Sequence[_Section]) -> str:
    """Put *sections* together; if that is too long, leave lines out, but no link and no command."""
    left = list(sections)
    while len((body := "".join(map(str, left))).encode()) > MAX_BYTES:
        longest = max(
            (at for at, each in enumerate(left) if each.may_be_shortened),
            key=lambda at: len(str(left[at]).encode()),
            default=None,
        )
        if longest is None:
            break
        title, lines = left[longest]
        kept = [line for line in lines if line != _LEFT_OUT]
        left[longest] = _Section(title, (*kept[: len(kept) // 2], _LEFT_OUT))
    return body


def _counts(it: ImportSummary) -> Iterator[str]:
    return (f"{share.rows:,} {share.words}" for share in balance(it.counts))


def _disagreement(it: ImportSummary) -> Iterator[str]:
    if it.counts_disagree and it.misses_rows:
        yield f"The file has {rows(it.rows)}; accounted for are {number(it.counts.total)}"
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
        words = f"{what_without_quotation(ranked.reason)} {ranked.reason.remedy}"
        yield f"{rows(ranked.rows)}: {words.rstrip()}"


def _parts(it: ImportSummary) -> Iterator[str]:
    return (f"Part {part.number}: {part.note}" for part in it.parts if part.note)


def _choices(it: ImportSummary) -> Iterator[str]:
    yield from _by_command(it.choices[:MAX_CHOICES])
    if len(it.choices) > MAX_CHOICES:
        yield "The same commands, with their numbers, are for the other parts that wait."


def _by_command(choices: Sequence[Choice]) -> Iterator[str]:
    for choice in choices:
        yield choice.when
        yield _exactly(choice.command)
        yield _PLAIN
        yield _exactly(choice.plain)


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
    if it.winner and it.state is ImportState.SUPERSEDED:
        yield f"later version: import {it.winner}"
    elif it.winner:
        yield f"same content as import {it.winner}"
    if it.parent:
        link = f": {it.family.parent.url}" if it.family and it.family.parent.url else ""
        yield f"corrects import {it.parent}{link}"
    if it.family and it.family.total:
        yield f"with all corrections, {it.family.total}"


def _first(lines: Sequence[str], limit: int, *, of: str = "in the report") -> Iterator[str]:
    yield from lines[:limit]
    if len(lines) > limit:
        yield f"and {len(lines) - limit} more {of}"


def _line(text: str) -> str:
    return shortened(one_line(text), MAX_LINE)


def _exactly(text: str) -> str:
    """Return *text* as it is, with all its blanks; but for what would break or turn the line."""
    return "".join(c if c.isprintable() or category(c) == "Zs" else "?" for c in text)


def one_line(text: str) -> str:
    """Return *text* without line breaks and control characters; a refused key may hold them."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
