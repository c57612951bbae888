"""What is told of an import that was undone: in its report, in `import.json`, and to people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from bigin_import.domain.drop import Notice
from bigin_import.domain.undo import Undo, UndoState
from bigin_import.report.notice import as_subject, one_line
from bigin_import.report.page import templates
from bigin_import.report.summary import FileLink, moment, number

MOST_NAMED = 20  # ids of records that were not deleted
_MARKS = ("<!-- undone -->", "<!-- end of undone -->")
_BEGIN = "<main>"
COMPANIES = "Accounts"
CUTS_LINKS = (
    "Where a company is deleted, what others linked to it is cut: contacts, deals and activities "
    "stay, without their company."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """
    What came of undoing an import.

    Attributes:
        deleted: Records that were deleted.
        changed: Records that were left from the first, for they were changed.
        updated: Records that the import had only updated.
        kept: Why further ones were not deleted, by their ids: CHANGED, or Bigin's code.
        rows: The file with the rows that were undone; None if it could not be made.
    """

    import_id: str
    file: str
    module: str
    deleted: int
    at: int
    changed: int = 0
    updated: int = 0
    kept: Mapping[str, str] = field(default_factory=dict)
    rows: FileLink | None = None


def records(count: int) -> str:
    """Return "1 record" or "2 records"."""
    return f"{number(count)} record" + ("" if count == 1 else "s")


def how_far(undo: Undo, added: int) -> str:
    """
    Return in some words how far an import is undone; "" if that was only shown.

    Args:
        added: Records that the import added.
    """
    match undo.state:
        case UndoState.RUNNING:
            return f"being undone: {number(undo.deleted)} of {records(added)} deleted"
        case UndoState.DONE if undo.deleted == added:
            return f"undone: {records(added)} deleted, all that it added"
        case UndoState.DONE:
            return f"undone in part: {number(undo.deleted)} of {records(added)} deleted"
    return ""


def sentences(undone: Undone) -> Iterator[str]:
    """Yield what happened, without any cell."""
    gone = "record that it added was" if undone.deleted == 1 else "records that it added were"
    yield (
        f"{number(undone.deleted)} {gone} deleted from Bigin by {moment(undone.at)}; their rows "
        "are not in Bigin any more, and dropping the same file again sends them."
    )
    if undone.changed:
        yield f"{records(undone.changed)} stayed, changed since the import."
    if undone.kept:
        named = ", ".join(
            f"{each} ({code})" for each, code in islice(undone.kept.items(), MOST_NAMED)
        )
        more = ", …" if len(undone.kept) > MOST_NAMED else ""
        yield (
            f"{records(len(undone.kept))} could not be deleted, or changed after it was shown what "
            f"would be deleted: {named}{more}. Look at them in Bigin."
        )
    if undone.updated:
        yield f"{records(undone.updated)} that the import updated stayed as before."
    if undone.deleted and undone.rows is None:
        yield (
            "There is no file of these rows, for the original file is not kept any more: drop your "
            "own copy again."
        )
    if undone.module == COMPANIES:
        yield CUTS_LINKS


def with_undone(page: str, undone: Undone) -> str:
    """Return the report of an import, written when it closed, with what became of it since."""
    template = templates().get_template("undone.html.j2")
    body = template.render(sentences=tuple(sentences(undone)), rows=undone.rows)
    part = f"{_MARKS[0]}{body}{_MARKS[1]}"
    start, mark, rest = page.partition(_MARKS[0])
    if mark:
        return f"{start}{part}{rest.partition(_MARKS[1])[2]}"
    start, mark, rest = page.partition(_BEGIN)
    return f"{start}{mark}\n{part}{rest}" if mark else page


def undone_facts(undone: Undone) -> dict[str, Any]:
    """Return the value of the key "undone" of `import.json`."""
    return {
        "at": undone.at,
        "deleted": undone.deleted,
        "changed": undone.changed,
        "updated": undone.updated,
        "kept": dict(undone.kept),
        "rows": undone.rows.key if undone.rows else None,
    }


def compose_undone(undone: Undone) -> Notice:
    """Return the notice that an import was undone."""
    lines = list(sentences(undone))
    if undone.rows is not None:
        lines += ["", "To import these rows again, drop this file under incoming/:"]
        lines.append(f"  {one_line(undone.rows.key)}")
    lines += ["", "Import", f"  {undone.import_id}", f"  {one_line(undone.file)}"]
    named = (
        ("state", "UNDONE"),
        ("module", undone.module),
        ("file", one_line(undone.file)),
        ("import_id", undone.import_id),
    )
    return Notice(
        subject=as_subject("Undone: ", undone.file.removeprefix("incoming/")),
        body="\n".join(lines) + "\n",
        attributes=tuple((name, value) for name, value in named if value),
    )
