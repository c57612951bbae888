"""
What became of each row that was sent: our rows joined with Bigin's row results.

Bigin's listing has no row numbers and promises neither order nor completeness. A row gets the
result of a line only where that is proven:

- by order: the listing is as long as the part, and every line has its row's values. Where
  neighbours have the same values and the same line, one of them may be listed twice in place of
  the other: of these only what Bigin's counts confirm;
- by values: the values that came back occur once in the part;
- by Bigin's counts: what the matched lines leave over admits one answer for all other rows, or
  the listing has exactly the lines that it must have. One of only the failed rows is such a case.

What is not proven is UNCLEAR.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from io import BytesIO, TextIOWrapper
from itertools import chain, repeat
from typing import BinaryIO

from isal import igzip

from bigin_import.domain.row_result import JobCounts, RowResults, RowStatus
from bigin_import.row_results.bigin_listing import (
    LINES_AT_ONCE,
    Key,
    Listing,
    csv_lines,
    keys_of,
    next_columns,
    read_listing,
)
from bigin_import.row_results.matching import (
    UNCLEAR,
    are_in_order,
    by_order,
    by_values,
    by_whole_listing,
    disagrees,
    left_over,
    matched_one_to_one,
    said_of_equal_rows,
)
from bigin_import.row_results.result_files import LINE_END, CsvLines, are_plain

_EITHER = "either"
_EITHER_WAY = (
    "{} rows are in Bigin, but Bigin does not say which of them it added and which it updated; "
    "they are counted as updated."
)
_REWRITTEN = frozenset("@.;&/")
_FOREIGN = (
    "Bigin's row results do not show the values that were sent: they are another job's, or "
    "unreadable."
)


def write_row_results(results: RowResults) -> bytes:
    """Return *results* as a gzipped CSV without a header; the same give the same bytes."""
    statuses, record_ids, errors, eithers = results
    said = list(zip(statuses, errors, eithers, strict=True))
    line = CsvLines(",").of
    behind = {
        each: line(("", each[1], _EITHER if each[2] else "")) + LINE_END for each in set(said)
    }
    ids = record_ids if are_plain(record_ids) else CsvLines(",").cells(record_ids)
    lines = zip(statuses, repeat(","), ids, map(behind.__getitem__, said), strict=False)
    return igzip.compress("".join(chain.from_iterable(lines)).encode(), 1, mtime=0)


class RowResultReader:
    """Reads what `write_row_results` wrote, in this release or the one before."""

    def __init__(self, body: bytes) -> None:
        unpacked = igzip.IGzipFile(fileobj=BytesIO(body))  # type: ignore[no-untyped-call]  # isal's stub
        self._lines = TextIOWrapper(unpacked, encoding="utf-8", newline="")

    def take(self, count: int) -> RowResults:
        """Return the next row results; fewer than *count* if there are no more."""
        columns = next_columns(self._lines, count)
        if not columns:
            return RowResults()
        words, record_ids, errors, eithers = columns
        statuses = {word: RowStatus(word) for word in set(words)}
        return RowResults(
            list(map(statuses.__getitem__, words)),
            record_ids,
            errors,
            list(map(_EITHER.__eq__, eithers)),
        )


class Proof(StrEnum):
    """How the rows of a part were matched; MIXED is by values, and by Bigin's counts."""

    ORDER = "order"
    VALUES = "values"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class JoinedPart:
    """
    The row results of one part.

    Attributes:
        results: One for each row that was sent, in that order.
        disagrees: Bigin's counts contradict the rows, whatever became of the unclear ones.
        warnings: Sentences for the report.
    """

    results: RowResults
    proof: Proof
    disagrees: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sent:
    """What we sent: for each row its comparable values, and a hash of the whole row."""

    keys: tuple[Key, ...]
    wholes: tuple[int, ...]


def join_part(
    sent: BinaryIO,
    result: BinaryIO | None,
    *,
    existing_is_asked: bool,
    counts: JobCounts | None = None,
    key: str | None = None,
) -> JoinedPart:
    """
    Find out what became of every row of a part.

    Args:
        sent: The CSV that was sent: comma, UTF-8, a header of API names.
        result: The CSV inside Bigin's result zip; None if the job left none.
        existing_is_asked: An `insert` with `find_by`: skipped as it is there already is success.
        counts: Bigin's own counts for the job.
        key: API name of its `find_by`; None: the first column.
    """
    with csv_lines(sent) as lines:
        header = [name for (name,) in next_columns(lines, 1)]
        listing = Listing()
        if result is not None:
            listing = read_listing(result, header, existing_is_asked=existing_is_asked, key=key)
        ours = _read_sent(lines, listing.columns)
    counts = counts or JobCounts()
    places = None if listing.is_strange else matched_one_to_one(ours.keys, listing.keys)
    warnings = listing.warnings
    if places is None:
        if listing.is_strange or _is_foreign(ours.keys, listing.keys):
            return _all_unclear(len(ours.keys), listing)
        ours, listing = _without_rewritten_columns(ours, listing)
        warnings = (*listing.warnings, *_warnings(ours, listing))
    results, proof = _matched(ours, listing, places, counts)
    said = partial(said_of_equal_rows, ours.keys, listing, results.statuses)
    if rest := left_over(results, said, counts, existing_is_asked=existing_is_asked):
        proof = Proof.MIXED
        results = RowResults.of(rest.get(at, row) for at, row in enumerate(results.one_by_one()))
    if either := sum(results.eithers):
        warnings = (*warnings, _EITHER_WAY.format(either))
    return JoinedPart(results, proof, disagrees(results, counts), warnings)


def _is_foreign(ours: Sequence[Key], listed: Sequence[Key]) -> bool:
    """
    Return whether what the listing shows is another job's.

    It is if no value of ours comes back although we filled a column. A value that most of our rows
    have is in another job's rows, too: where only such ones come back, it is foreign if it also
    shows names or addresses, of which Bigin rewrites some and never all, and none of them is ours.
    """
    known = frozenset(ours)
    lines = [line for line in listed if any(line) or line not in known]
    if not ours or not lines:
        return False
    sent = [_counted_values(column) for column in zip(*ours, strict=True)]
    came = [_counted_values(column) for column in zip(*lines, strict=True)]
    shared = [column.keys() & said.keys() for column, said in zip(sent, came, strict=True)]
    if not any(shared):
        return any(sent)
    if any(map(_tells, shared, sent)):
        return False
    return any(
        len(column) > 1 and said and not both and _kind(column) == _kind(said) is not None
        for column, said, both in zip(sent, came, shared, strict=True)
    )


def _counted_values(cells: Iterable[str]) -> Counter[str]:
    return Counter(filter(None, cells))


def _tells(values: Iterable[str], column: Counter[str]) -> bool:
    """Return whether one of *values* is that of few of the rows; of a single row any is."""
    rows = column.total()
    return rows == 1 or any(2 * column[value] <= rows for value in values)


def _kind(column: Counter[str]) -> str | None:
    """
    Return if the values of a column are addresses, or names; None if Bigin may rewrite all of them.

    It may dates, numbers and ids; words for yes and no, of a picklist or of a month, which many
    rows share; and what has marks that it encodes, joins or completes.
    """
    text = "\n".join(column)
    if all("@" in value for value in column):
        return "addresses"
    are_shared = 2 * len(column) <= column.total()
    may_be_rewritten = any(each in _REWRITTEN or each.isdigit() for each in text)
    return None if are_shared or may_be_rewritten else "names"


def _all_unclear(rows: int, listing: Listing) -> JoinedPart:
    warnings = (*listing.warnings, _FOREIGN)
    return JoinedPart(RowResults.of([UNCLEAR] * rows), Proof.VALUES, warnings=warnings)


def _matched(
    ours: _Sent, listing: Listing, places: Sequence[int] | None, counts: JobCounts
) -> tuple[RowResults, Proof]:
    """Return the results of the rows; *places* are those of their lines, if all is one to one."""
    if places is not None:
        is_in_order = isinstance(places, range)
        results = listing.results if is_in_order else listing.results.at(places)
        return results, Proof.ORDER if is_in_order else Proof.VALUES
    if are_in_order(ours.keys, listing.keys):
        return RowResults.of(by_order(ours.keys, listing, counts)), Proof.ORDER
    results = RowResults.of(by_values(ours.keys, ours.wholes, listing))
    if RowStatus.UNCLEAR not in results.statuses:
        return results, Proof.VALUES
    whole = by_whole_listing(ours.keys, ours.wholes, listing, counts)
    return (results, Proof.VALUES) if whole is None else (RowResults.of(whole), Proof.MIXED)


def _read_sent(lines: Iterator[str], shown: Sequence[int]) -> _Sent:
    keys: list[Key] = []
    wholes: list[int] = []
    while columns := next_columns(lines, LINES_AT_ONCE):
        keys += keys_of(columns, shown)
        wholes += [hash(row) for row in zip(*columns, strict=True)]
    return _Sent(tuple(keys), tuple(wholes))


def _without_rewritten_columns(ours: _Sent, listing: Listing) -> tuple[_Sent, Listing]:
    """
    Leave out a returned column that Bigin wrote differently (a date, a number).

    It is one in which less than half of the lines hold a value that we sent. If no column is
    left in which we sent anything, all stay: that nothing came back as nothing proves no line.
    """
    if ours.keys == listing.keys:
        return ours, listing
    kept = [at for at in range(len(listing.columns)) if _is_as_sent(at, ours, listing)]
    if len(kept) == len(listing.columns) or not any(map(any, _only(kept, ours.keys))):
        return ours, listing
    lost = len(listing.columns) - len(kept)
    return (
        _Sent(_only(kept, ours.keys), ours.wholes),
        replace(
            listing,
            columns=tuple(listing.columns[at] for at in kept),
            keys=_only(kept, listing.keys),
            warnings=(
                *listing.warnings,
                f"Bigin wrote {lost} of the returned columns differently.",
            ),
        ),
    )


def _is_as_sent(at: int, ours: _Sent, listing: Listing) -> bool:
    values = {key[at] for key in ours.keys}
    return 2 * sum(key[at] in values for key in listing.keys) >= len(listing.keys)


def _only(kept: Sequence[int], keys: Sequence[Key]) -> tuple[Key, ...]:
    return tuple(tuple(key[at] for at in kept) for key in keys)


def _not_sent(ours: _Sent, listing: Listing) -> list[Key]:
    known = frozenset(ours.keys)
    return [key for key in listing.keys if key not in known]


def _warnings(ours: _Sent, listing: Listing) -> Iterator[str]:
    foreign = len(_not_sent(ours, listing))
    if foreign and listing.columns:
        yield f"Bigin's row results hold {foreign} lines whose values were not sent."
    if len(listing.keys) > len(ours.keys):
        yield f"Bigin lists {len(listing.keys)} rows, but {len(ours.keys)} were sent."
