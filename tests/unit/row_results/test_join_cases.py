"""Bigin's row results as they may come, and what the join makes of them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import BytesIO, StringIO

import pytest

from bigin_import.domain.row_result import JobCounts, RowResult, RowStatus
from bigin_import.row_results.join import JoinedPart, Proof, join_part

SENT = (
    ("Email", "Last_Name", "Phone", "City"),
    ("a@x.example", "Adams", "1", "Bath"),
    ("b@x.example", "Brown", "2", "Cork"),
    ("c@x.example", "Clark", "", "Ely"),
)
ADDED_1 = RowResult(RowStatus.ADDED, "id1")
UPDATED_2 = RowResult(RowStatus.UPDATED, "id2")
REFUSED = RowResult(RowStatus.REFUSED, error="INVALID_DATA-Phone")
UNCLEAR = RowResult(RowStatus.UNCLEAR)


def csv_file(text: str | Sequence[Sequence[str]]) -> BytesIO:
    if not isinstance(text, str):
        buffer = StringIO(newline="")
        csv.writer(buffer).writerows(text)
        text = buffer.getvalue()
    return BytesIO(text.encode())


def join(
    result: str | Sequence[Sequence[str]] | None,
    sent: Sequence[Sequence[str]] = SENT,
    *,
    existing_is_asked: bool = False,
    counts: JobCounts | None = None,
    key: str | None = None,
) -> JoinedPart:
    listing = None if result is None else csv_file(result)
    return join_part(
        csv_file(sent), listing, existing_is_asked=existing_is_asked, counts=counts, key=key
    )


def rows_of(joined: JoinedPart) -> tuple[RowResult, ...]:
    return tuple(joined.results.one_by_one())


@pytest.mark.parametrize(
    "result",
    [
        pytest.param(
            "Email,Last_Name,Phone,STATUS,RECORD_ID,ERRORS\n"
            "a@x.example,Adams,1,added,id1,\n"
            "b@x.example,Brown,2,updated,id2,\n"
            "c@x.example,Clark,,skipped,,INVALID_DATA-Phone\n",
            id="as documented",
        ),
        pytest.param(
            "Email,Last_Name,Phone,STATUS,RECORD_ID,ERRORS\n"
            "c@x.example,Clark,,SKIPPED,,INVALID_DATA-Phone\n"
            "a@x.example,Adams,1,Added,id1,\n"
            "b@x.example,Brown,2,UPDATED,id2,\n",
            id="another order, any case of STATUS",
        ),
        pytest.param(
            "ERRORS,RECORD_ID,STATUS,phone,EMAIL\n"
            ",id1,added,1,a@x.example\n"
            ",id2,updated,2,b@x.example\n"
            "INVALID_DATA-Phone,,skipped,,c@x.example\n",
            id="other columns in another order and case",
        ),
        *(
            pytest.param(
                f"Email,STATUS,{name},ERRORS\n"
                "a@x.example,added,id1,\nb@x.example,updated,id2,\n"
                "c@x.example,skipped,,INVALID_DATA-Phone\n",
                id=f"ids under {name}",
            )
            for name in ("Record Id", "RECORDID", "RECORD ID", "record_id")
        ),
        pytest.param(
            "Email,STATUS,ID,ERRORS\n"
            "a@x.example,added,id1,\nb@x.example,updated,id2,\n"
            "c@x.example,skipped,,INVALID_DATA-Phone\n",
            id="one returned column, ID for RECORD_ID",
        ),
        pytest.param(
            "\ufeffEmail,STATUS,RECORD_ID,ERRORS\r\n"
            " A@X.example ,added,id1,\r\nB@x.EXAMPLE,updated,id2,\r\n"
            "c@x.example,skipped,,INVALID_DATA-Phone\r\n",
            id="BOM, CRLF, trimmed and lower-cased values",
        ),
        pytest.param(
            "Email,STATUS,RECORD_ID,ERRORS\n"
            "a@x.example,added,id1,\na@x.example,added,id1,\nb@x.example,updated,id2,\n"
            "c@x.example,skipped,,INVALID_DATA-Phone\n",
            id="a repeated line",
        ),
        pytest.param(
            "Email,STATUS,RECORD_ID,ERRORS\n"
            "z@x.example,added,id9,\na@x.example,added,id1,\nb@x.example,updated,id2,\n"
            "c@x.example,skipped,,INVALID_DATA-Phone\n",
            id="a line that is not ours",
        ),
        pytest.param(
            "Email,Phone,STATUS,RECORD_ID,ERRORS\n"
            "a@x.example,+00 1,added,id1,\nb@x.example,+00 2,updated,id2,\n"
            "c@x.example,-,skipped,,INVALID_DATA-Phone\n",
            id="a column that Bigin wrote differently",
        ),
    ],
)
def test_every_row_gets_its_own_line(result: str | None) -> None:
    assert rows_of(join(result)) == (ADDED_1, UPDATED_2, REFUSED)


def test_a_listing_in_the_sent_order_is_proven_by_its_values() -> None:
    joined = join(
        "Email,STATUS,RECORD_ID,ERRORS\n"
        "a@x.example,added,id1,\nb@x.example,updated,id2,\nc@x.example,added,id3,\n"
    )

    assert joined.proof is Proof.ORDER
    assert joined.warnings == ()


@pytest.mark.parametrize(
    ("result", "row_results"),
    [
        pytest.param(
            "Email,STATUS,RECORD_ID,ERRORS\na@x.example,added,id1,\n",
            (ADDED_1, UNCLEAR, UNCLEAR),
            id="missing lines",
        ),
        pytest.param(
            "Email,STATUS,RECORD_ID,ERRORS\n"
            "a@x.example,added,id1,\na@x.example,skipped,,DUPLICATE_DATA-Email\n",
            (UNCLEAR, UNCLEAR, UNCLEAR),
            id="two lines that contradict each other",
        ),
        pytest.param(
            "STATUS,RECORD_ID,ERRORS\nadded,id1,\nskipped,,X\nadded,id3,\n",
            (UNCLEAR, UNCLEAR, UNCLEAR),
            id="no returned column and different row_results",
        ),
        pytest.param("Email,Outcome\na@x.example,fine\n", (UNCLEAR,) * 3, id="no STATUS"),
        pytest.param(
            "Email,STATUS\na@x.example,vanished\n",
            (RowResult(RowStatus.UNCLEAR, error="STATUS vanished"), UNCLEAR, UNCLEAR),
            id="an unknown STATUS",
        ),
        pytest.param("", (UNCLEAR,) * 3, id="an empty listing"),
        pytest.param(None, (UNCLEAR,) * 3, id="no listing"),
    ],
)
def test_what_is_not_proven_stays_unclear(
    result: str | None, row_results: tuple[RowResult, ...]
) -> None:
    assert rows_of(join(result)) == row_results


def test_without_returned_columns_equal_row_results_are_certain_but_ids_are_not() -> None:
    joined = join("STATUS,RECORD_ID,ERRORS\nadded,id1,\nadded,id2,\nadded,id3,\n")

    assert rows_of(joined) == (RowResult(RowStatus.ADDED),) * 3


def test_rows_with_equal_returned_values_are_told_apart_by_a_proven_order() -> None:
    names = [f"n{number}" for number in range(8)]
    sent = [("Name", "City"), *((name, "x") for name in names), ("twin", "1"), ("twin", "2")]
    result = [
        ("Name", "STATUS", "RECORD_ID", "ERRORS"),
        *((name, "added", name, "") for name in names),
        ("twin", "added", "id1", ""),
        ("twin", "skipped", "", "DUPLICATE_DATA-Name"),
    ]

    joined = join(result, sent)

    assert rows_of(joined)[-2:] == (
        ADDED_1,
        RowResult(RowStatus.REFUSED, error="DUPLICATE_DATA-Name"),
    )


def test_rows_with_equal_returned_values_and_no_proven_order_stay_unclear() -> None:
    sent = [("Name", "City"), ("twin", "1"), ("twin", "2"), ("other", "3")]
    result = "Name,STATUS,RECORD_ID,ERRORS\nother,added,id3,\ntwin,added,id1,\ntwin,skipped,,X\n"

    joined = join(result, sent)

    assert rows_of(joined) == (UNCLEAR, UNCLEAR, RowResult(RowStatus.ADDED, "id3"))


def test_rows_that_are_the_same_to_the_last_cell_share_their_lines() -> None:
    sent = [("Name", "City"), ("twin", "1"), ("other", "3"), ("twin", "1")]
    result = "Name,STATUS,RECORD_ID,ERRORS\nother,added,id3,\ntwin,added,id1,\ntwin,skipped,,X\n"

    joined = join(result, sent)

    assert rows_of(joined)[0] == ADDED_1
    assert rows_of(joined)[2] == RowResult(RowStatus.REFUSED, error="X")


def test_two_rows_of_one_record_keep_its_id_even_if_their_lines_cannot_be_told_apart() -> None:
    sent = [("Name", "City"), ("twin", "1"), ("twin", "2")]
    result = "Name,STATUS,RECORD_ID,ERRORS\ntwin,updated,id1,\ntwin,added,id1,\n"

    joined = join(result, sent)

    assert rows_of(joined) == (RowResult(RowStatus.UPDATED, "id1", either=True),) * 2


def test_a_value_that_bigin_rewrote_in_one_row_does_not_break_a_proven_order() -> None:
    names = [f"n{number}" for number in range(12)]
    sent = [("Name", "Amount"), *((name, f"{name}.50") for name in names)]
    lines = [(name, f"{name}.50", "added", name, "") for name in names]
    lines[3] = ("n3", "n3.5", "added", "n3", "")

    joined = join([("Name", "Amount", "STATUS", "RECORD_ID", "ERRORS"), *lines], sent)

    assert [row_result.record_id for row_result in rows_of(joined)] == names


@pytest.mark.parametrize(
    ("counts", "others"),
    [
        (JobCounts(added=2, updated=0, skipped=1, total=3), RowResult(RowStatus.ADDED)),
        (JobCounts(added=0, updated=2, skipped=1, total=3), RowResult(RowStatus.UPDATED)),
        (JobCounts(added=1, updated=1, skipped=1), RowResult(RowStatus.UPDATED, either=True)),
        (JobCounts(added=2, updated=0, skipped=1, total=4), UNCLEAR),
        (JobCounts(added=1, updated=0, skipped=2, total=3), UNCLEAR),
        (JobCounts(), UNCLEAR),
        (None, UNCLEAR),
    ],
)
def test_rows_that_a_listing_of_failures_leaves_out_succeeded_if_the_counts_prove_it(
    counts: JobCounts | None, others: RowResult
) -> None:
    failures = "Email,STATUS,RECORD_ID,ERRORS\nc@x.example,skipped,,INVALID_DATA-Phone\n"

    joined = join(failures, counts=counts)

    assert rows_of(joined) == (others, others, REFUSED)


def test_without_any_listing_the_counts_may_still_decide_for_all_rows() -> None:
    joined = join(None, counts=JobCounts(added=0, updated=0, skipped=3, total=3))

    assert rows_of(joined) == (RowResult(RowStatus.REFUSED),) * 3


TWINS = [
    ("Email", "Last_Name", "Phone", "City"),
    *((f"n{number}@x.example", "Adams", "1", "Bath") for number in range(20)),
    ("", "Brown", "2", "Cork"),
    ("", "Brown", "2", "Cork"),
]
TWINS_FAILED = JobCounts(added=20, updated=0, skipped=2, total=22)
EMPTY = "MANDATORY_NOT_FOUND-Email"


def test_failed_rows_that_look_the_same_leave_no_other_row_unclear() -> None:
    line = f",Brown,2,skipped,,{EMPTY}\n"
    result = f"Email,Last_Name,Phone,STATUS,RECORD_ID,ERRORS\n{line}{line}"

    joined = join(result, TWINS, counts=TWINS_FAILED)

    assert set(rows_of(joined)[:20]) == {RowResult(RowStatus.ADDED)}
    assert set(rows_of(joined)[20:]) == {RowResult(RowStatus.REFUSED, error=EMPTY)}


@pytest.mark.parametrize("lines", [1, 3], ids=["a line is missing", "a line is repeated"])
def test_a_listing_of_failures_that_is_not_whole_proves_nothing_of_other_rows(lines: int) -> None:
    line = f",Brown,2,skipped,,{EMPTY}\n"
    result = f"Email,Last_Name,Phone,STATUS,RECORD_ID,ERRORS\n{line * lines}"

    joined = join(result, TWINS, counts=TWINS_FAILED)

    assert set(rows_of(joined)[:20]) == {UNCLEAR}


def test_rows_that_look_the_same_keep_the_error_that_all_their_lines_have() -> None:
    """The listing is whole and in no order."""
    failed = [("", "Brown", "2", "skipped", "", EMPTY)] * 2
    added = [(*row[:3], "added", row[0], "") for row in TWINS[1:21]]
    header = ("Email", "Last_Name", "Phone", "STATUS", "RECORD_ID", "ERRORS")

    joined = join([header, *failed, *reversed(added)], TWINS, counts=TWINS_FAILED)

    assert [row_result.record_id for row_result in rows_of(joined)[:20]] == [
        row[0] for row in TWINS[1:21]
    ]
    assert set(rows_of(joined)[20:]) == {RowResult(RowStatus.REFUSED, error=EMPTY)}


def test_rows_whose_lines_have_different_errors_are_given_both() -> None:
    sent = [*TWINS[:2], ("", "Brown", "2", "Cork"), ("", "Brown", "2", "Ely")]
    result = (
        "Email,Last_Name,Phone,STATUS,RECORD_ID,ERRORS\n"
        f",Brown,2,skipped,,{EMPTY}\n,Brown,2,skipped,,INVALID_DATA-City\n"
    )

    joined = join(result, sent, counts=JobCounts(added=1, updated=0, skipped=2, total=3))

    assert {row_result.error for row_result in rows_of(joined)[1:]} == {
        f"{EMPTY} or INVALID_DATA-City"
    }


def test_what_the_counts_decide_keeps_the_reasons_that_bigin_gave() -> None:
    """A third row of that look is missing from the listing; all were skipped by the counts."""
    sent = [TWINS[0], *(("", "Brown", "2", city) for city in ("Bath", "Cork", "Ely"))]
    line = f",Brown,2,skipped,,{EMPTY}\n"
    result = f"Email,Last_Name,Phone,STATUS,RECORD_ID,ERRORS\n{line}{line}"

    joined = join(result, sent, counts=JobCounts(added=0, updated=0, skipped=3, total=3))

    assert set(rows_of(joined)) == {RowResult(RowStatus.REFUSED, error=f"{EMPTY} or no reason")}


@pytest.mark.parametrize("listed", [3, 2], ids=["all rows", "not all rows"])
def test_rows_with_one_key_that_are_all_there_already_are_existing(listed: int) -> None:
    sent = [SENT[0], *(("a@x.example", "Adams", "1", city) for city in ("Bath", "Cork", "Ely"))]
    line = "a@x.example,Adams,1,skipped,,DUPLICATE_DATA-Email\n"
    result = "Email,Last_Name,Phone,STATUS,RECORD_ID,ERRORS\n" + line * listed

    joined = join(
        result,
        sent,
        existing_is_asked=True,
        counts=JobCounts(added=0, updated=0, skipped=3, total=3),
        key="Email",
    )

    assert {row_result.status for row_result in rows_of(joined)} == {RowStatus.EXISTING}


MATES = [
    ("Email", "Last_Name", "City"),
    *((f"n{number}@x.example", "Adams", "Bath") for number in range(10)),
    ("mate@x.example", "Brown", "Cork"),
    ("mate@x.example", "Brown", "Ely"),
]
MATE = ("mate@x.example", "Brown")
MATES_HEADER: tuple[str, ...] = ("Email", "Last_Name", "STATUS", "RECORD_ID", "ERRORS")
ADDED: list[tuple[str, ...]] = [(*row[:2], "added", row[0], "") for row in MATES[1:11]]


def mates(*lines: tuple[str, ...], shuffled: bool) -> list[tuple[str, ...]]:
    """Return a listing in which the last two rows, which look alike, have *lines*."""
    both = [(*MATE, *line) for line in lines]
    return [MATES_HEADER, *(both + ADDED[::-1] if shuffled else ADDED + both)]


@pytest.mark.parametrize("shuffled", [False, True], ids=["in order", "in no order"])
def test_a_line_that_is_listed_twice_in_place_of_a_look_alikes_is_noticed_by_the_counts(
    shuffled: bool,
) -> None:
    listing = mates(("skipped", "", EMPTY), ("skipped", "", EMPTY), shuffled=shuffled)

    joined = join(listing, MATES, counts=JobCounts(added=11, updated=0, skipped=1, total=12))

    assert rows_of(joined)[10:] == (UNCLEAR, UNCLEAR)
    assert [row_result.record_id for row_result in rows_of(joined)[:10]] == [
        row[0] for row in MATES[1:11]
    ]


@pytest.mark.parametrize("shuffled", [False, True], ids=["in order", "in no order"])
def test_the_same_line_of_look_alikes_is_believed_if_the_counts_confirm_it(shuffled: bool) -> None:
    listing = mates(("skipped", "", EMPTY), ("skipped", "", EMPTY), shuffled=shuffled)

    joined = join(listing, MATES, counts=JobCounts(added=10, updated=0, skipped=2, total=12))

    assert rows_of(joined)[10:] == (RowResult(RowStatus.REFUSED, error=EMPTY),) * 2


@pytest.mark.parametrize("shuffled", [False, True], ids=["in order", "in no order"])
@pytest.mark.parametrize(("key", "record_id"), [("Email", "id1"), (None, "")])
def test_look_alikes_share_an_id_only_if_they_name_one_record(
    key: str | None, record_id: str, shuffled: bool
) -> None:
    """Without that, the second line may be the first one again, and the other's id unknown."""
    listing = mates(("updated", "id1", ""), ("updated", "id1", ""), shuffled=shuffled)
    counts = JobCounts(added=10, updated=2, skipped=0, total=12)

    joined = join(listing, MATES, counts=counts, key=key)

    assert rows_of(joined)[10:] == (RowResult(RowStatus.UPDATED, record_id),) * 2


def test_look_alikes_of_two_kinds_are_unclear_where_two_repetitions_could_cancel_out() -> None:
    """Both pairs may be one success and one failure, each with one line listed twice."""
    pairs = [("", "Brown", "Cork"), ("", "Brown", "Ely"), ("", "Clark", "Cork"), ("", "Clark", "")]
    lines = [("", "Clark", "skipped", "", EMPTY)] * 2 + [("", "Brown", "updated", "id1", "")] * 2

    joined = join(
        [MATES_HEADER, *lines, *ADDED],
        [*MATES[:11], *pairs],
        counts=JobCounts(added=10, updated=2, skipped=2, total=14),
    )

    assert rows_of(joined)[10:] == (UNCLEAR,) * 4
    assert {row_result.status for row_result in rows_of(joined)[:10]} == {RowStatus.ADDED}


def test_a_value_that_others_share_is_no_proof_of_order_where_the_rest_was_rewritten() -> None:
    """Lines 19 and 20 are swapped; what Bigin left as it was in them is one surname."""
    sent = [
        ("Email", "Last_Name", "Phone"),
        *((f"n{number}@x.example", f"Name {number}", str(number)) for number in range(18)),
        ("x@x.example", "Miller", "1"),
        ("y@x.example", "Miller", "2"),
    ]
    lines = [(*row, "added", row[0], "") for row in sent[1:19]]
    lines += [("y@x.test", "Miller", "+2", "skipped", "", "NOT_APPROVED")]
    lines += [("x@x.test", "Miller", "+1", "added", "id of x", "")]

    joined = join([(*sent[0], "STATUS", "RECORD_ID", "ERRORS"), *lines], sent)

    assert joined.proof is not Proof.ORDER
    assert rows_of(joined)[18:] == (UNCLEAR, UNCLEAR)


@pytest.mark.parametrize(
    ("error", "existing_is_asked", "status"),
    [
        ("", True, RowStatus.EXISTING),
        ("DUPLICATE_DATA", True, RowStatus.EXISTING),
        ("DUPLICATE_DATA-Email", True, RowStatus.EXISTING),
        ("DUPLICATE_DATA-Phone", True, RowStatus.REFUSED),
        ("DUPLICATE_DATA-Email,Phone", True, RowStatus.REFUSED),
        ("DUPLICATE_DATA-Email:INVALID_DATA-Phone", True, RowStatus.REFUSED),
        ("MANDATORY_NOT_FOUND-Email", True, RowStatus.REFUSED),
        ("already there", True, RowStatus.REFUSED),
        ("DUPLICATE_DATA-Email", False, RowStatus.REFUSED),
        ("", False, RowStatus.REFUSED),
    ],
)
def test_a_row_that_bigin_skipped_is_existing_only_if_that_was_asked_and_nothing_else_is_wrong(
    error: str, existing_is_asked: bool, status: RowStatus
) -> None:
    result = [("Email", "STATUS", "RECORD_ID", "ERRORS"), ("a@x.example", "skipped", "", error)]

    joined = join(result, SENT[:2], existing_is_asked=existing_is_asked)

    assert rows_of(joined) == (RowResult(status, error=error),)


def test_fields_that_are_named_like_bigins_own_columns_are_told_apart() -> None:
    sent = [("id", "Status", "City"), ("77", "open", "x"), ("78", "shut", "x")]
    result = "id,Status,STATUS,ID,ERRORS\n78,shut,updated,78,\n77,open,skipped,,NOT_APPROVED\n"

    joined = join(result, sent)

    assert rows_of(joined) == (
        RowResult(RowStatus.REFUSED, error="NOT_APPROVED"),
        RowResult(RowStatus.UPDATED, "78"),
    )


@pytest.mark.parametrize(
    ("counts", "disagrees"),
    [
        (JobCounts(added=1, updated=1, skipped=1, total=3), False),
        (JobCounts(added=1, updated=1), False),
        (JobCounts(), False),
        (JobCounts(added=2, updated=1, skipped=0, total=3), True),
        (JobCounts(added=1, updated=1, skipped=1, total=4), True),
    ],
)
def test_bigins_counts_are_held_against_the_rows(counts: JobCounts | None, disagrees: bool) -> None:
    joined = join(
        "Email,STATUS,RECORD_ID,ERRORS\n"
        "a@x.example,added,id1,\nb@x.example,updated,id2,\nc@x.example,skipped,,X\n",
        counts=counts,
    )

    assert joined.disagrees is disagrees


def test_unclear_rows_may_be_what_bigin_counts() -> None:
    listing = "Email,STATUS,RECORD_ID,ERRORS\na@x.example,added,id1,\n"

    joined = join(listing, counts=JobCounts(added=1, updated=1, skipped=1, total=3))

    assert joined.results.counts.unclear == 2
    assert not joined.disagrees


def test_more_lines_than_rows_are_reported() -> None:
    joined = join(
        "Email,STATUS,RECORD_ID,ERRORS\nz@x.example,added,id9,\n",
        SENT[:1],
    )

    assert rows_of(joined) == ()
    assert len(joined.warnings) == 2


@pytest.mark.parametrize("status", ["ADDED", "SKIPPED"])
def test_row_results_that_show_no_value_of_ours_say_nothing_whatever_the_counts(
    status: str,
) -> None:
    foreign = f"Email,Last_Name,STATUS,RECORD_ID,ERRORS\nz@x.example,Zorn,{status},id9,\n"

    joined = join(foreign, counts=JobCounts(added=3, updated=0, skipped=0, total=3))

    assert rows_of(joined) == (UNCLEAR,) * 3
    assert "another job's" in joined.warnings[-1]


def test_one_value_of_ours_in_another_case_shows_that_they_are_not_foreign() -> None:
    ours = "Email,STATUS,RECORD_ID,ERRORS\n A@X.example ,ADDED,id1,\n"

    joined = join(ours, counts=JobCounts(added=3, updated=0, skipped=0, total=3))

    assert not any("another job's" in warning for warning in joined.warnings)
    assert all(each.status is RowStatus.ADDED for each in rows_of(joined))


NO_PHONES = [("Last_Name", "Phone", "City"), *((name, "", "Bath") for name in ("Adams", "Brown"))]
COUNTRY = [("Last_Name", "Country"), ("Adams", "Germany"), ("Brown", "Germany")]
ADDED_TWO = JobCounts(added=2, updated=0, skipped=0, total=2)


@pytest.mark.parametrize("counts", [None, ADDED_TWO])
@pytest.mark.parametrize("line", ["skipped,,INVALID_DATA-Phone", "added,id{},"])
@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        pytest.param(NO_PHONES, ("Last_Name,Phone", "Zorn,", "York,"), id="empty beside them"),
        pytest.param(
            COUNTRY, ("Last_Name,Country", "Zorn,Germany", "York,Germany"), id="the same in all"
        ),
        pytest.param(
            [("Email", "Country"), ("a1@x.example", "Italy"), ("b2@x.example", "Italy")],
            ("Email,Country", "y8@x.example,Italy", "z9@x.example,Italy"),
            id="the same in all beside addresses",
        ),
        pytest.param(
            COUNTRY, ("Account_Name,Website", "Zorn,w.example", "York,w.example"), id="no column"
        ),
        pytest.param(COUNTRY[:2], ("Account_Name", "Zorn"), id="one row, no column"),
    ],
)
def test_row_results_of_other_rows_say_nothing_whatever_else_they_show(
    sent: Sequence[Sequence[str]], shown: Sequence[str], line: str, counts: JobCounts | None
) -> None:
    header, *lines = shown
    listed = [f"{values},{line.format(at)}" for at, values in enumerate(lines)]

    joined = join("\n".join([f"{header},STATUS,RECORD_ID,ERRORS", *listed]), sent, counts=counts)

    assert rows_of(joined) == (UNCLEAR,) * (len(sent) - 1)
    assert "another job's" in joined.warnings[-1]


@pytest.mark.parametrize(
    ("sent", "returned"),
    [
        pytest.param(("2024-02-01", "2024-03-01"), ("01/02/2024", "01/03/2024"), id="dates"),
        pytest.param(("1250.50", "7.10"), ("1250.5", "7.1"), id="numbers"),
        pytest.param(("Acme", "Zenith"), ("4871", "4872"), id="lookups, as ids"),
        pytest.param(("a@x.example", "b@x.example"), ("Ada", "Bob"), id="owners, as names"),
        pytest.param(("yes", "no") * 2, ("true", "false") * 2, id="words for yes and no"),
        pytest.param(("A & B", "C & D"), ("A &amp; B", "C &amp; D"), id="marks, encoded"),
        pytest.param(
            ("acme.example", "zenith.example"),
            ("http://acme.example", "http://zenith.example"),
            id="addresses of pages",
        ),
    ],
)
def test_what_bigin_may_rewrite_beside_a_column_that_is_the_same_in_all_is_not_foreign(
    sent: Sequence[str], returned: Sequence[str]
) -> None:
    rows = [("Value", "Country"), *((cell, "Germany") for cell in sent)]
    lines = [(cell, "Germany", "added", f"id{at}", "") for at, cell in enumerate(returned)]
    header = ("Value", "Country", "STATUS", "RECORD_ID", "ERRORS")

    assert {each.status for each in rows_of(join([header, *lines], rows))} == {RowStatus.ADDED}


def test_a_failed_row_whose_shown_cells_are_empty_does_not_make_its_listing_foreign() -> None:
    sent = [("Email", "City"), ("a@x.example", "Bath"), ("b@x.example", "Cork"), ("", "Ely")]
    listing = f"Email,STATUS,RECORD_ID,ERRORS\n,skipped,,{EMPTY}\n"

    joined = join(listing, sent, counts=JobCounts(added=2, updated=0, skipped=1, total=3))

    added = RowResult(RowStatus.ADDED)
    assert rows_of(joined) == (added, added, RowResult(RowStatus.REFUSED, error=EMPTY))


def test_that_nothing_came_back_as_nothing_proves_no_line() -> None:
    """One name is in both; the others are not ours, and so less than half came back as sent."""
    sent = [NO_PHONES[0], *((name, "", "Bath") for name in ("Adams", "Brown", "Clark"))]
    lines = [(name, "", "skipped", "", "X") for name in ("Adams", "York", "Zorn")]

    joined = join([("Last_Name", "Phone", "STATUS", "RECORD_ID", "ERRORS"), *lines], sent)

    assert rows_of(joined) == (RowResult(RowStatus.REFUSED, error="X"), UNCLEAR, UNCLEAR)


def test_columns_may_come_back_with_spaces_in_their_names() -> None:
    joined = join("last name,STATUS,RECORD_ID,ERRORS\nAdams,added,id1,\n", SENT[:2])

    assert rows_of(joined) == (ADDED_1,)
