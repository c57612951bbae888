"""Why rows are not in Bigin, in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bigin_import.bigin.error_codes import ROW_CODES, ErrorCode, listed, of_call
from bigin_import.domain.job_request import Operation
from bigin_import.domain.part_record import NOT_SENT
from bigin_import.domain.row_result import RankedReason, Reason, RowStatus
from bigin_import.row_results.bigin_listing import RowError, parse_errors

MAX_REASONS = 200
MAX_EXAMPLES = 5
OTHER_REASONS = Reason("", "Other reasons.", "The column bigin__Reason says them row by row.")


class Ranking:
    """Counts reasons; those met after the first MAX_REASONS are counted together."""

    def __init__(self) -> None:
        self._counts: dict[Reason, int] = {}
        self._examples: dict[Reason, list[int]] = {}

    def add(self, rows_of: Mapping[tuple[Reason, ...], Sequence[int | None]]) -> None:
        """Take neighbouring rows by their reasons; of a row each reason counts once."""
        met: dict[Reason, list[int]] = {}
        for reasons, rows in rows_of.items():
            known = [row for row in rows[:MAX_EXAMPLES] if row is not None]
            for reason in dict.fromkeys(map(self._kept, reasons)):
                self._counts[reason] = self._counts.get(reason, 0) + len(rows)
                met.setdefault(reason, []).extend(known)
        for reason, found in met.items():
            examples = self._examples.setdefault(reason, [])
            examples += sorted(found)[: MAX_EXAMPLES - len(examples)]

    def _kept(self, reason: Reason) -> Reason:
        is_kept = reason in self._counts or len(self._counts) < MAX_REASONS
        return reason if is_kept else OTHER_REASONS

    def ranked(self) -> tuple[RankedReason, ...]:
        """Return the reasons, the most frequent first; equal ones as they were met."""
        return tuple(
            RankedReason(reason, self._counts[reason], tuple(self._examples[reason]))
            for reason in sorted(self._counts, key=lambda reason: -self._counts[reason])
        )


def shortened(text: str, at_most: int) -> str:
    """Return *text* with as many characters, the last an ellipsis if it had more."""
    return text if len(text) <= at_most else text[: at_most - 1] + "…"


_SHOWN_CHARACTERS = 80


def in_quotes(header: str) -> str:
    """Return what reasons call the column of *header*."""
    return f'"{shortened(header, _SHOWN_CHARACTERS)}"'


@dataclass(frozen=True, slots=True)
class SentColumn:
    """
    One column of what was sent.

    Attributes:
        header: What the drop calls it.
        at: Position of its cell in the rows of the result files, our own columns not counted.
        parent: For a lookup, what people call the module that it points to; else "".
    """

    api_name: str
    header: str
    at: int
    is_lookup: bool = False
    parent: str = ""

    @property
    def name(self) -> str:
        """Return what to call it before people: its header, and Bigin's name if that differs."""
        header, api_name = in_quotes(self.header), shortened(self.api_name, _SHOWN_CHARACTERS)
        return header if header == f'"{api_name}"' else f"{header} ({api_name})"


@dataclass(frozen=True, slots=True)
class SentColumns:
    """
    All columns of what was sent, in that order.

    Attributes:
        key: API name of the `find_by` column; None without one.
    """

    columns: tuple[SentColumn, ...] = ()
    operation: Operation | None = None
    key: str | None = None

    def named(self, api_name: str) -> SentColumn | None:
        return next((column for column in self.columns if column.api_name == api_name), None)


NOT_DONE = Reason(
    "", "This row was not written to Bigin.", "Drop the file of unprocessed rows unchanged."
)
NOT_CLEAR = Reason(
    "",
    "It is not certain what became of this row.",
    "Look for it in Bigin; drop it again only if it is not there.",
)
RELEASE = (
    "Look in Bigin, delete the rows that are there, empty bigin__Status in the rest, and drop "
    "the file again."
)
_NO_REASON = Reason("", "Bigin refused this row and gave no reason.", "Compare it with Bigin.")
_QUOTED_CHARACTERS = 200
_MOST_NAMES = 10
_MOST_REASONS = 20  # of one row; the column bigin__Error has the rest
_OR = " or "
_MOST_ALTERNATIVES = 3
_NONE = "no reason"


def any_of(errors: Iterable[str]) -> str:
    """Return an ERRORS text for rows that look alike, of which each has one of *errors*."""
    distinct = list(dict.fromkeys(errors))
    if len(distinct) <= 1:
        return "".join(distinct)
    return _OR.join(error or _NONE for error in distinct[:_MOST_ALTERNATIVES])


def row_reasons(error: str, sent: SentColumns) -> tuple[Reason, ...]:
    """
    Return why Bigin did not take a row.

    Args:
        error: The ERRORS cell as it came, or what `any_of` made of several.
    """
    alternatives = [each.strip() for each in error.split(_OR)]
    if len(alternatives) > 1 and all(_is_one(each, sent) for each in alternatives):
        return (_one_of(alternatives, sent),)
    return _reasons(error.strip(), sent)


def _is_one(text: str, sent: SentColumns) -> bool:
    return text == _NONE or all(found.code in ROW_CODES for found in _parsed(text, sent))


def _one_of(alternatives: Iterable[str], sent: SentColumns) -> Reason:
    reasons = [
        reason for text in alternatives for reason in _reasons("" if text == _NONE else text, sent)
    ]
    found = " Or: ".join(reason.what for reason in reasons)
    return Reason(
        "",
        f"Bigin refused this row and others that look the same in its results. {found}",
        "Correct what is wrong with it and drop the corrected file.",
        quotes=any(reason.quotes for reason in reasons),
    )


def _reasons(text: str, sent: SentColumns) -> tuple[Reason, ...]:
    found = dict.fromkeys(_row_reason(error, sent) for error in _parsed(text, sent))
    return tuple(found)[:_MOST_REASONS] or (_NO_REASON,)


def _parsed(text: str, sent: SentColumns) -> tuple[RowError, ...]:
    return parse_errors(text, (column.api_name for column in sent.columns))


def _row_reason(error: RowError, sent: SentColumns) -> Reason:
    words = ROW_CODES.get(error.code)
    if words is None:
        said = shortened(str(error), _QUOTED_CHARACTERS)
        return Reason("", f'Bigin says: "{said}".', quotes=True)
    columns = {name: sent.named(name) for name in error.columns[:_MOST_NAMES]}
    names = [column.name if column else _quoted(name) for name, column in columns.items()]
    if more := len(error.columns[_MOST_NAMES:]):
        names.append(f"{more} more")
    return Reason(
        error.code,
        words.meaning_for(names),
        _remedy(error.code, words, list(columns.values()), sent.operation),
        quotes=None in columns.values(),
    )


def _quoted(name: str) -> str:
    """Return a name that is none of a column we sent: it may be a cell."""
    return f'"{shortened(name, _QUOTED_CHARACTERS)}"'


def _remedy(
    code: str,
    words: ErrorCode,
    columns: Sequence[SentColumn | None],
    operation: Operation | None,
) -> str:
    if code != "RESOURCE_NOT_FOUND":
        return words.remedy
    if lookups := [column for column in columns if column and column.is_lookup]:
        modules = dict.fromkeys(column.parent for column in lookups if column.parent)
        where = f" in {listed(list(modules))}" if modules else ""
        return (
            f"The record that it belongs to must be in Bigin first: create it{where} or correct "
            "the value, then drop the corrected file."
        )
    if operation is Operation.UPDATE:
        return 'Correct the value, or create the missing record first ("upsert" creates it).'
    return words.remedy


def what_without_quotation(reason: Reason) -> str:
    """Return what is wrong, for notices and machines: without words of Bigin that hold a cell."""
    if not reason.quotes:
        return reason.what
    words = ROW_CODES.get(reason.code)
    return words.meaning if words else "Bigin's own words for it are in the report."


def unclear_reason(why: str) -> Reason:
    """Return why, by the sentence *why*, it is not certain what became of a whole part."""
    return Reason("", f"{why} {NOT_CLEAR.what}", NOT_CLEAR.remedy)


def settled_reason(status: RowStatus, through: str) -> Reason:
    """Return why a row is not sent again, by what the import *through* did with it."""
    if status is RowStatus.EXISTING:
        by = f" through import {through}" if through else ", says its bigin__Status"
        return Reason("", f"It is in Bigin{by}.")
    why = f"It is not certain whether import {through} got it in, so it was not sent again."
    return Reason("", why, RELEASE)


def job_reason(code: str, message: str, resolution: str) -> Reason:
    """
    Return why a whole job was refused.

    Args:
        message, resolution: What came with the code, each may be "".
    """
    resolution = _with_full_stop(resolution)
    if code == NOT_SENT:
        return Reason(code, _with_full_stop(message), resolution)
    what = f"Bigin refused these rows as a whole: {code}" + (f" ({message})." if message else ".")
    known = of_call(code)
    return Reason(code, f"{what} {known.meaning}" if known else what, resolution)


def _with_full_stop(text: str) -> str:
    return text if not text or text.endswith((".", "?", "!")) else f"{text}."
