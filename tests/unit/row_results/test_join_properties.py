"""Whatever Bigin lists, in whatever order: no row is given what belongs to another."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bigin_import.domain.row_result import JobCounts, RowResult, RowStatus
from bigin_import.row_results.bigin_listing import comparable
from bigin_import.row_results.join import JoinedPart, Proof
from tests.unit.row_results.test_join_cases import join, rows_of

WORDS = st.sampled_from(["a", "b", "c", "A ", "", "ä,\n"])
ROW_RESULTS = st.sampled_from(
    [
        RowResult(RowStatus.ADDED),
        RowResult(RowStatus.UPDATED),
        RowResult(RowStatus.REFUSED, error="DUPLICATE_DATA-Key"),
        RowResult(RowStatus.REFUSED, error="INVALID_DATA-Name"),
        RowResult(RowStatus.UNPROCESSED),
    ]
)
HEADER = ("Key", "Name", "City", "Note")
WRITTEN = (RowStatus.ADDED, RowStatus.UPDATED)
BIGINS_WORD = {RowStatus.REFUSED: "SKIPPED"}


@dataclass(frozen=True)
class Case:
    """
    A job and what Bigin lists of it.

    Attributes:
        rewritten: Row and column of the cells that Bigin writes differently; what it writes was
            never sent.
        key: The column by which Bigin finds the records that it updates.
    """

    rows: Sequence[tuple[str, ...]]
    truth: list[RowResult]
    listed: list[int]
    returned: list[int]
    counts: JobCounts
    rewritten: frozenset[tuple[int, int]] = frozenset()
    key: str | None = None

    def joined(self) -> JoinedPart:
        return join(self.listing, [HEADER, *self.rows], counts=self.counts, key=self.key)

    @property
    def listing(self) -> list[tuple[str, ...]]:
        names = tuple(HEADER[at] for at in self.returned)
        return [(*names, "STATUS", "RECORD_ID", "ERRORS"), *map(self._line, self.listed)]

    def _line(self, row: int) -> tuple[str, ...]:
        values = tuple(self._written(row, at) for at in self.returned)
        row_result = self.truth[row]
        word = BIGINS_WORD.get(row_result.status, row_result.status.upper())
        return (*values, word, row_result.record_id, row_result.error)

    def _written(self, row: int, column: int) -> str:
        cell = self.rows[row][column]
        return f"{cell} as Bigin has it" if (row, column) in self.rewritten else cell

    @property
    def takes_a_failure_for_another(self) -> bool:
        """
        Return whether Bigin lists as many lines as rows failed, some twice, others not at all.

        By the design rows that "exactly the non-successful rows" leave out are successes.
        """
        failures = sum(row_result.status not in WRITTEN for row_result in self.truth)
        return len(set(self.listed)) < len(self.listed) == failures < len(self.rows)


def counted(truth: list[RowResult]) -> JobCounts:
    found = Counter(row_result.status for row_result in truth)
    return JobCounts(
        added=found[RowStatus.ADDED],
        updated=found[RowStatus.UPDATED],
        skipped=found[RowStatus.REFUSED],
        total=len(truth) - found[RowStatus.UNPROCESSED],
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    words = draw(st.sampled_from([WORDS, st.sampled_from(["a", "b"])]))
    rows = draw(st.lists(st.tuples(words, words, words, words), min_size=1, max_size=14))
    row_results = draw(st.lists(ROW_RESULTS, min_size=len(rows), max_size=len(rows)))
    key = draw(st.sampled_from([None, "Key"]))
    truth = [
        _with_id(row_result, at, rows[at][0] if key else "")
        for at, row_result in enumerate(row_results)
    ]
    all_rows = list(range(len(rows)))
    failures = [at for at in all_rows if truth[at].status not in WRITTEN]
    listed = draw(
        st.one_of(
            st.permutations(all_rows),
            with_repetitions(all_rows),
            st.permutations(failures),
            st.lists(st.sampled_from(all_rows), max_size=16),
        )
    )
    returned = draw(st.lists(st.sampled_from(range(4)), unique=True, max_size=3))
    counts = draw(st.sampled_from([counted(truth), JobCounts()]))
    cells = st.tuples(st.sampled_from(all_rows), st.integers(0, 3))
    rewritten = draw(st.frozensets(cells, max_size=4))
    case = Case(rows, truth, listed, returned, counts, rewritten, key)
    assume(not case.takes_a_failure_for_another)
    return case


def _with_id(row_result: RowResult, row: int, key: str) -> RowResult:
    """Return a row result with the id of its record; what is updated by one key is one record."""
    if row_result.status is RowStatus.UPDATED and comparable(key):
        return row_result._replace(record_id=f"id of {comparable(key)}")
    return row_result._replace(record_id=f"id{row}") if row_result.status in WRITTEN else row_result


@st.composite
def with_repetitions(draw: st.DrawFn, rows: list[int]) -> list[int]:
    """Return lines as many as *rows*, some of them in place of others."""
    listed = list(draw(st.permutations(rows)))
    object_keys = st.sampled_from(rows)
    for one, other in draw(st.lists(st.tuples(object_keys, object_keys), max_size=3)):
        listed[one] = listed[other]
    return listed


def is_true(said: RowResult, truth: RowResult, errors: Collection[str] = ()) -> bool:
    """
    Return whether *said* claims nothing that is not so; to say less is allowed.

    Args:
        errors: Those that the row may be given as well as its own.
    """
    if said.status is RowStatus.UNCLEAR:
        return True
    if said.either:
        status_holds = truth.status in (RowStatus.ADDED, RowStatus.UPDATED)
    else:
        status_holds = said.status is truth.status
    alternatives = said.error.split(" or ")
    error_holds = {"", "no reason", truth.error, *errors} & set(alternatives)
    return status_holds and said.record_id in ("", truth.record_id) and bool(error_holds)


def without_twins(case: Case) -> list[tuple[RowResult, RowResult, set[str]]]:
    """
    Return what was said, the truth, and the errors of rows that look the same in the listing.

    Rows that Bigin itself cannot tell apart are left out. Where lines are repeated, a row may be
    given the error of another that looks the same, but for cells that Bigin wrote differently.
    """
    said = rows_of(case.joined())
    seen = Counter(case.rows)
    as_sent = [at for at in case.returned if all(column != at for _, column in case.rewritten)]
    looks = [tuple(comparable(row[at]) for at in as_sent) for row in case.rows]
    errors: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    if len(set(case.listed)) < len(case.listed):
        for look, truth in zip(looks, case.truth, strict=True):
            errors[look].add(truth.error)
    return [
        (row_result, truth, errors[look])
        for row_result, truth, row, look in zip(said, case.truth, case.rows, looks, strict=True)
        if seen[row] == 1
    ]


def ids_of(
    rows: Sequence[tuple[str, ...]], row_results: Sequence[RowResult]
) -> Counter[tuple[tuple[str, ...], str]]:
    """Count the records of each row, whichever of the rows that are the same has them."""
    pairs = zip(rows, row_results, strict=True)
    return Counter((row, row_result.record_id) for row, row_result in pairs if row_result.record_id)


@settings(max_examples=2000, deadline=None)
@given(cases())
def test_no_row_is_attributed_wrongly(case: Case) -> None:
    assert all(is_true(said, truth, errors) for said, truth, errors in without_twins(case))


@settings(max_examples=500, deadline=None)
@given(cases())
def test_rows_that_are_the_same_share_only_what_became_of_them(case: Case) -> None:
    joined = case.joined()

    assert ids_of(case.rows, rows_of(joined)) <= ids_of(case.rows, case.truth)


@settings(max_examples=500, deadline=None)
@given(cases())
def test_true_counts_never_disagree(case: Case) -> None:
    joined = case.joined()

    assert not joined.disagrees


@settings(max_examples=300, deadline=None)
@given(st.lists(ROW_RESULTS, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_where_each_row_has_its_own_values_nothing_is_unclear(
    row_results: list[RowResult], random: Random
) -> None:
    rows = [(f"k{at}", "x", "x", "x") for at in range(len(row_results))]
    truth = [
        row_result._replace(record_id=f"id{at}" if row_result.status is RowStatus.ADDED else "")
        for at, row_result in enumerate(row_results)
    ]
    listed = list(range(len(rows)))
    random.shuffle(listed)
    case = Case(rows, truth, listed, [0, 1], counted(truth))

    joined = case.joined()

    assert list(rows_of(joined)) == truth
    assert joined.proof in (Proof.ORDER, Proof.VALUES)


PLACES = st.integers(0, 11)


@settings(max_examples=1000, deadline=None)
@given(
    st.lists(ROW_RESULTS, min_size=12, max_size=40),
    st.lists(st.tuples(PLACES, PLACES), max_size=3),
    st.lists(st.tuples(PLACES, PLACES), max_size=2),
    st.lists(PLACES, max_size=3),
    st.sets(st.integers(0, 2)),
    st.none() | st.integers(6, 19),
)
def test_a_listing_that_is_almost_in_order_misleads_nobody(
    row_results: list[RowResult],
    swaps: list[tuple[int, int]],
    repetitions: list[tuple[int, int]],
    rewritten: list[int],
    columns: set[int],
    twice: int | None,
) -> None:
    """
    The first twelve rows have values of their own; of the others each two are alike.

    Values that Bigin wrote differently may stand in lines that are swapped. Of two that are alike
    one may be listed *twice*; then the other may be given its error.
    """
    names = [f"own {at}" if at < 12 else f"shared {at // 2}" for at in range(len(row_results))]
    rows = [(name, f"phone of {name}", "x", f"city {at}") for at, name in enumerate(names)]
    truth = [
        row_result._replace(record_id=f"id{at}" if row_result.status is RowStatus.ADDED else "")
        for at, row_result in enumerate(row_results)
    ]
    listed = list(range(len(rows)))
    for one, other in [*swaps, *pairwise(rewritten)]:
        listed[one], listed[other] = listed[other], listed[one]
    for one, other in repetitions:
        listed[one] = listed[other]
    errors: set[str] = set()
    if twice is not None and 2 * twice + 1 < len(rows):
        listed[2 * twice + 1] = 2 * twice
        errors = {truth[2 * twice].error}
    cells = frozenset((row, column) for row in rewritten for column in columns)
    case = Case(rows, truth, listed, [0, 1, 2], counted(truth), cells)

    joined = case.joined()

    told = zip(rows_of(joined), truth, strict=True)
    assert all(is_true(said, true, errors) for said, true in told)
    if listed == list(range(len(rows))) and not cells:
        assert list(rows_of(joined)) == truth
