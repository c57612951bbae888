"""The two sentences that matter most: what happened, and what to do now."""

from __future__ import annotations

from dataclasses import dataclass

from bigin_import.domain.states import ImportState
from bigin_import.report.summary import ImportSummary, rows

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
    """Say what became of an import that is closed or on hold; others are still under way."""
    say = _VERDICTS.get(it.state)
    if say is None:
        return Headline("calm", f"{it.name} is still being imported.", "Wait for the next notice.")
    return say(it)


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
        "dropping the corrected mapping is enough.",
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
    return Headline(
        "calm",
        result,
        f'{NOTHING_TO_DO} To repeat it, put "force" with the import\'s id in the mapping.',
    )


def _nothing_left(it: ImportSummary) -> Headline:
    """Of a result file that came back every row is in Bigin."""
    result = f"Every row of {it.name} is in Bigin already; nothing was sent again."
    action = (
        f"{NOTHING_TO_DO} If these rows are meant for something new, delete the columns that "
        "begin with bigin__, put a mapping beside the file and drop it again."
    )
    if it.warnings:
        return Headline("warn", result, f"{_LOOK_AT_WARNINGS} {action}")
    return Headline("calm", result, action)


def _withdrawn(it: ImportSummary) -> Headline:
    result = f"{it.name} was deleted before it was imported; nothing was sent."
    return Headline("calm", result, NOTHING_TO_DO)


def _superseded(it: ImportSummary) -> Headline:
    result = f"A newer version of {it.name} was imported; nothing of this one was sent."
    return Headline("calm", result, NOTHING_TO_DO)


def _successes(it: ImportSummary) -> str:
    counts = it.counts
    named = (
        (counts.added, "added"),
        (counts.updated, "updated"),
        (counts.existing, "existing"),
    )
    return ", ".join(f"{count:,} {word}" for count, word in named if count) or "none"


def _mend(it: ImportSummary) -> str:
    """Say what to do with each of the result files that there are."""
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
