"""
All that report, notice and `import.json` know of an import, its figures in words, and the two
sentences that matter most: what happened, and what to do now.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from bigin_import.domain.drop import Problem
from bigin_import.domain.row_result import Counts, FailedRow, JobCounts, RankedReason
from bigin_import.domain.states import ImportState, PartState
from bigin_import.object_keys import INCOMING


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSummary:
    """
    One part and its job.

    Attributes:
        state: The part's state, in Bigin's and our words.
        job_ids: Of every attempt, in order; almost always one.
        created_by: Name of the user of Bigin whose token made the job; "" if it is not known.
        closed_by: "callback", "tick", or "" if no job ended.
        credits: Of every job that Bigin made or may have made.
        seconds: From the job's creation to its end; None if it has none.
        counts: Rows by status; None while they are not known.
        reported: Bigin's own counts for the job.
        note: Why the part was refused, held or given up; "" if it was not.
    """

    number: int
    state: str
    rows: int
    first_row: int
    last_row: int
    job_ids: tuple[str, ...] = ()
    created_by: str = ""
    closed_by: str = ""
    seconds: int | None = None
    credits: int = 0
    counts: Counts | None = None
    reported: JobCounts | None = None
    disagrees: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLink:
    """
    A file in the bucket that a person may want.

    Attributes:
        kind: "success", "failed", "unprocessed", "unclear", "report", "suggestion", ...
        rows: Rows in it, if it is a result file.
        url: Its page in the AWS console.
    """

    kind: str
    key: str
    url: str
    rows: int | None = None

    @property
    def name(self) -> str:
        """The file's name without its folders."""
        return self.key.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Choice:
    """
    What a person may do now: *when* it is the right thing, and the whole command.

    Attributes:
        command: Of bigin-drop.
        plain: The same with the AWS CLI alone.
    """

    when: str
    command: str
    plain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedColumn:
    """A column of the drop as a dry run explains it."""

    header: str
    api_name: str
    data_type: str
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """
    What a dry run found.

    Attributes:
        rows: Rows that would be sent.
        invalid, left_out: Rows that would not.
        ignored: Headers that are not mapped and never leave the account.
        findings: Sentences: keys, values with their rows, picklists, defaults that overwrite.
        request: The create body as it would be sent, as JSON text.
        unknown: What a dry run cannot know, as sentences.
    """

    columns: tuple[CheckedColumn, ...]
    rows: int
    jobs: int
    credits: int
    request: str
    invalid: int = 0
    left_out: int = 0
    ignored: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyMember:
    """
    A drop, or a correction of it.

    Attributes:
        rows_in: Rows of this file that are in Bigin.
        url: Its report in the AWS console; "" if it is not kept any more.
        is_undone: Records that it added were deleted since.
    """

    import_id: str
    file: str
    state: ImportState
    rows_in: int = 0
    url: str = ""
    is_undone: bool = False

    @property
    def name(self) -> str:
        """Its key below `incoming/`."""
        return self.file.removeprefix(INCOMING)


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilySummary:
    """
    A drop and all corrections of it, for the pages of each of them.

    Attributes:
        root: The drop that all of them go back to.
        parent: Whose result file this correction is.
        corrections: In the order in which they ran.
        rows, rows_in: Data rows of the root, and how many of them are in Bigin by now, through
            whichever of them; 0 rows where that is not known.
    """

    root: FamilyMember
    parent: FamilyMember
    corrections: tuple[FamilyMember, ...]
    rows: int = 0
    rows_in: int = 0

    @property
    def total(self) -> str:
        """Return how far the root is; "" if that is not known."""
        if not self.rows:
            return ""
        return f"{self.rows_in:,} of {rows(self.rows)} of {self.root.name} are in Bigin"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSummary:
    """
    An import, closed or on hold.

    Attributes:
        file: Key of the drop.
        rows: Data rows of the drop; 0 if it was not read.
        seconds: From the event to the closing.
        parent: Import whose result file this drop was, corrected.
        family: Of a correction, the drop that it goes back to and all that followed.
        winner: Import that brought the same content in, if this one is UNCHANGED; that of the later
            version, if it is SUPERSEDED.
        was_unmapped: The later version came while there was no mapping for either.
        is_check: It was a dry run, whether or not its file could be read.
        mend_first: Rows that were not processed have a cause that must be mended first.
        counts_disagree: Bigin's counts contradict the rows, or the counts of rows each other.
        hold_reason: Why a person must decide, in plain words.
        contradiction: In which points Bigin's job is not what was sent, and nobody has said that
            this is fine.
        choices: What a person may decide about a hold, or do about an import that is closed.
        warnings: Sentences on values or rows: with one of them there is something to do.
        notes: Sentences that are good to know and ask for nothing.
        new_values: Sentences on values that picklists do not have yet. They hold cells, so that
            only the page shows them.
        failed_csv: The failed file whole, for the embedded download; None if it is too large.
        console_url: The results folder in the AWS console.
    """

    import_id: str
    file: str
    state: ImportState
    received_at: int
    module: str = ""
    operation: str = ""
    find_by: str = ""
    rows: int = 0
    blank: int = 0
    counts: Counts = field(default_factory=Counts)
    counts_disagree: bool = False
    seconds: int | None = None
    encoding: str = ""
    delimiter: str = ""
    mapping_key: str = ""
    mapping_version: str = ""
    parent: str = ""
    family: FamilySummary | None = None
    winner: str = ""
    was_unmapped: bool = False
    is_check: bool = False
    mend_first: bool = False
    hold_reason: str = ""
    contradiction: str = ""
    choices: tuple[Choice, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    new_values: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    reasons: tuple[RankedReason, ...] = ()
    failed_rows: tuple[FailedRow, ...] = ()
    failed_csv: bytes | None = None
    header: tuple[str, ...] = ()
    parts: tuple[PartSummary, ...] = ()
    files: tuple[FileLink, ...] = ()
    console_url: str = ""
    dry_run: DryRun | None = None

    @property
    def name(self) -> str:
        """The drop's name without its folders."""
        return self.file.rpartition("/")[2]

    @property
    def misses_rows(self) -> bool:
        """Not every row that was read is in the counts, or more are."""
        return self.rows != self.counts.total

    @property
    def is_refused(self) -> bool:
        """Bigin refused whole parts, perhaps for the mapping."""
        return any(part.state == PartState.JOB_REFUSED for part in self.parts)

    @property
    def is_critical(self) -> bool:
        """Return whether what Bigin holds may not be what was meant."""
        return self.counts_disagree or bool(self.doubled) or bool(self.contradiction)

    @property
    def doubled(self) -> tuple[int, ...]:
        """Numbers of the parts that Bigin made more than one job for."""
        return tuple(part.number for part in self.parts if len(part.job_ids) > 1)

    @property
    def credits(self) -> int:
        """Credits that the jobs of this import took, or may have taken."""
        return sum(part.credits for part in self.parts)


_MINUTE, _HOUR = 60, 3600
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", ":": "colon"}
_WORDS = {
    "added": "added",
    "updated": "updated",
    "existing": "existing in Bigin before",
    "refused": "refused by Bigin",
    "invalid": "invalid, not sent",
    "unprocessed": "unprocessed",
    "unclear": "unclear",
    "left_out": "left out, as no data",
}


@dataclass(frozen=True, slots=True)
class Share:
    """One colour of the bar: rows with one status."""

    status: str
    words: str
    rows: int
    percent: float


def balance(counts: Counts) -> tuple[Share, ...]:
    """Split all rows by their status; those that no row has are left out."""
    return tuple(
        Share(status, words, rows, 100 * rows / counts.total)
        for status, words in _WORDS.items()
        if (rows := getattr(counts, status))
    )


def number(value: int) -> str:
    return f"{value:,}"


def rows(value: int) -> str:
    """Return "1 row" or "2 rows"."""
    return f"{value:,} row" + ("" if value == 1 else "s")


_TALLIED = 10


@dataclass(slots=True)
class Tally:
    """Counts rows by what was decided, and keeps the numbers of the first."""

    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, list[int]] = field(default_factory=dict)

    def add(self, what: str, row: int) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1
        first = self.first.setdefault(what, [])
        if len(first) < _TALLIED:
            first.append(row)

    def sentence(self, what: str) -> str | None:
        """Return *what*, with how many rows it is said of and which; None if of none."""
        if what not in self.counts:
            return None
        numbers = ", ".join(map(str, self.first[what]))
        more = ", …" if self.counts[what] > len(self.first[what]) else ""
        return f"{rows(self.counts[what])} {what}: row {numbers}{more}."


def span(first: int, last: int) -> str:
    """Return "row 2" or "rows 2 to 25001"."""
    return f"row {first}" if first == last else f"rows {first} to {last}"


def duration(seconds: int) -> str:
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min {seconds % _MINUTE} s"
    return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE} min"


def moment(seconds: int) -> str:
    """Return a time since the epoch as date and time in UTC."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def delimiter_name(delimiter: str) -> str:
    return _DELIMITERS.get(delimiter, delimiter)


def sentence(text: str) -> str:
    """Return *text* with a full stop, if it has no end of its own."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


NOTHING_TO_DO = "Nothing to do."
_LOOK_AT_WARNINGS = "Read the warnings below and look at the rows that they name."
_ASK = "Tell whoever runs this importer, with the import id below."


@dataclass(frozen=True, slots=True)
class Headline:
    """
    The head of report and notice.

    Attributes:
        tone: "good", "warn", "bad" or "calm".
        result: What happened, in a sentence or two.
        action: What to do now.
    """

    tone: str
    result: str
    action: str


def headline(it: ImportSummary) -> Headline:
    """Return what became of an import that is closed or on hold; others are still under way."""
    say = _VERDICTS.get(it.state)
    if say is None:
        return Headline("calm", f"{it.name} is still being imported.", "Wait for the next notice.")
    head = say(it)
    total = it.family.total if it.family and it.state.is_closed else ""
    if not total:
        return head
    return replace(head, result=f"{head.result} With all corrections, {total}.")


def _completed(it: ImportSummary) -> Headline:
    all_rows = f"All {rows(it.counts.data)} of {it.name} are"
    if it.counts.data == 1:
        all_rows = f"The one row of {it.name} is"
    result = f"{all_rows} in Bigin: {_successes(it)}{_left_out(it)}."
    if it.warnings:
        return Headline("warn", result, _LOOK_AT_WARNINGS)
    return Headline("good", result, NOTHING_TO_DO)


def _left_out(it: ImportSummary) -> str:
    count = it.counts.left_out
    return f"; {rows(count)} that {'is' if count == 1 else 'are'} no data left out" if count else ""


def _with_errors(it: ImportSummary) -> Headline:
    counts = it.counts
    missing = counts.data - counts.succeeded - counts.unclear
    unclear = f", and {_are(counts.unclear)} unclear" if counts.unclear else ""
    all_rows = f"{counts.succeeded:,} of {rows(counts.data)} of {it.name}"
    is_in = "is in" if counts.succeeded == 1 else "are in"
    result = f"{all_rows} {is_in} Bigin, {_are(missing)} not{unclear}{_left_out(it)}."
    if it.contradiction:
        return Headline("bad", f"{result} {_contradiction(it)}", _look_first(it, "these records"))
    if it.doubled:
        return Headline("bad", f"{result} {_doubled(it)}", _look_first(it, "doubled records"))
    if it.counts_disagree:
        return Headline("bad", f"{result} {_disagreement(it)}", f"{_mend(it)} {_ASK}")
    return Headline("warn", result, _mend(it))


def _disagreement(it: ImportSummary) -> str:
    if it.misses_rows:
        return f"The file has {rows(it.rows)}, so not every row is accounted for."
    return "Bigin counts them differently."


def _doubled(it: ImportSummary) -> str:
    parts = ", ".join(map(str, it.doubled))
    return f"Bigin made more than one job for part {parts}, so its rows may be there twice."


def _contradiction(it: ImportSummary) -> str:
    return f"But {it.contradiction}."


def _look_first(it: ImportSummary, what: str) -> str:
    first = f"Look for {what} in Bigin before anything else."
    return first if it.counts.succeeded == it.counts.data else f"{first} {_mend(it)}"


def _failed(it: ImportSummary) -> Headline:
    result = f"{it.name} was not imported: nothing was written to Bigin."
    if it.is_refused and it.counts.unprocessed == it.counts.data:
        return Headline("bad", result, f"Mend the cause named below, then drop {it.name} again.")
    return Headline("bad", result, _mend(it))


def _rejected(it: ImportSummary) -> Headline:
    many = len(it.problems) != 1
    found = f"{len(it.problems)} problems were found" if many else "one problem was found"
    if it.is_check:
        result = f"Nothing was sent. {it.name} was only checked, and {found}."
        return Headline("bad", result, "Correct what is listed below, then check the file again.")
    return Headline(
        "bad",
        f"{it.name} was not imported: {found}, and nothing was sent to Bigin.",
        "Correct what is listed below and drop the file again; where only the mapping is wrong, "
        "dropping the corrected mapping imports the newest version of the file; an older one needs "
        "its command below.",
    )


def _on_hold(it: ImportSummary) -> Headline:
    why = it.hold_reason.rstrip(".") or "the importer cannot know what became of some rows"
    act = "Look in Bigin, then give one of the commands below."
    if len(it.choices) == 1:
        act = "Mend the cause, then give the command below."
    return Headline(
        "bad", f"{it.name} waits for a decision: {why}.", f"Do not drop the file again. {act}"
    )


def _dry_run(it: ImportSummary) -> Headline:
    action = (
        "If the check below looks right, drop the file under incoming/, outside of _check/ "
        "and with no dry_run in the mapping."
    )
    return Headline("calm", f"Nothing was sent. {it.name} was only checked.", action)


def _unchanged(it: ImportSummary) -> Headline:
    if it.parent and it.parent == it.winner:
        return _nothing_left(it)
    result = f"{it.name} was imported before, with the same mapping; nothing was sent again."
    return _unless_warned(
        it, result, 'To repeat it, put "force" with the import\'s id in the mapping.'
    )


def _nothing_left(it: ImportSummary) -> Headline:
    """Of a result file that came back every row is in Bigin."""
    result = f"Every row of {it.name} is in Bigin already; nothing was sent again."
    return _unless_warned(
        it,
        result,
        "If these rows are meant for something new, delete the columns that begin with bigin__, "
        "put a mapping beside the file and drop it again.",
    )


def _unless_warned(it: ImportSummary, result: str, otherwise: str) -> Headline:
    """Say that there is nothing to do, unless rows must be looked at; then what else there is."""
    if it.warnings:
        return Headline("warn", result, f"{_LOOK_AT_WARNINGS} {otherwise}")
    return Headline("calm", result, f"{NOTHING_TO_DO} {otherwise}")


def _withdrawn(it: ImportSummary) -> Headline:
    result = f"{it.name} was deleted before it was imported; nothing was sent."
    return Headline("calm", result, NOTHING_TO_DO)


def _superseded(it: ImportSummary) -> Headline:
    result = (
        f"A later version of {it.name} was sent before this one, which would have written older "
        "values over it; nothing of this one was sent."
    )
    if it.was_unmapped:
        result = (
            f"A newer version of {it.name} came while there was no mapping for it, and goes in its "
            "place; nothing of this one was sent."
        )
    again = "give one of the commands below" if it.choices else "drop it again"
    return Headline(
        "warn", result, f"{NOTHING_TO_DO} If this one is to be imported all the same, {again}."
    )


def _successes(it: ImportSummary) -> str:
    counts = it.counts
    named = (
        (counts.added, "added"),
        (counts.updated, "updated"),
        (counts.existing, "existing"),
    )
    return ", ".join(f"{count:,} {word}" for count, word in named if count) or "none"


def _mend(it: ImportSummary) -> str:
    """Return what to do with each of the result files that there are."""
    counts = it.counts
    failed, unprocessed, unclear = (
        _file(it, kind) for kind in ("failed", "unprocessed", "unclear")
    )
    unchanged = f"Drop {unprocessed} unchanged."
    if it.mend_first:
        unchanged = f"Mend the cause named below, then drop {unprocessed}."
    steps = (
        (counts.refused + counts.invalid, f"Correct {failed} and drop it under incoming/."),
        (counts.unprocessed, unchanged),
        (counts.unclear, f"Do not drop {unclear}; look for its rows in Bigin first."),
        (len(it.warnings), _LOOK_AT_WARNINGS),
    )
    return " ".join(step for count, step in steps if count) or _ASK


def _file(it: ImportSummary, kind: str) -> str:
    return next((link.name for link in it.files if link.kind == kind), f"the {kind} file")


def _are(count: int) -> str:
    return f"{count:,} is" if count == 1 else f"{count:,} are"


_VERDICTS = {
    ImportState.COMPLETED: _completed,
    ImportState.COMPLETED_WITH_ERRORS: _with_errors,
    ImportState.FAILED: _failed,
    ImportState.REJECTED: _rejected,
    ImportState.ON_HOLD: _on_hold,
    ImportState.DRY_RUN: _dry_run,
    ImportState.UNCHANGED: _unchanged,
    ImportState.WITHDRAWN: _withdrawn,
    ImportState.SUPERSEDED: _superseded,
}
