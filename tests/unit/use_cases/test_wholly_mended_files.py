"""A file of which no row got in is mended in every row, and its failed rows are corrected, too."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.states import ImportState
from tests.fakes.harness import MAPPING
from tests.unit.use_cases.test_families import KEY, SIDECAR, Office, drop_beside

COPY = "incoming/people (1).csv"
OTHERS = b"E-mail,Surname\nada@example.com,Ada\nalan@example.com,Alan\n"
BAD = b"bad1@example.com,One\nbad2@example.com,Two\n"
BODY = b"E-mail,Surname\n" + BAD
MENDED = BODY.replace(b"bad1@", b"one@").replace(b"bad2@", b"two@")
ONCE = {"one@example.com": 1, "two@example.com": 1}


class Place(Office):
    """An office with one mapping for all files, where rows of a file were refused."""

    def __init__(self, body: bytes = BODY, mapping: Mapping[str, object] = MAPPING) -> None:
        super().__init__(mapping, body=body)
        self.harness.drop("incoming/mapping.json", MAPPING)


def correct(office: Office, of: ObjectVersion | None = None) -> bytes:
    body = office.failed(of)
    body = body.replace(b",bad1@example.com,", b",one@example.com,")
    return body.replace(b",bad2@example.com,", b",two@example.com,")


@pytest.mark.parametrize("key", [KEY, COPY])
@pytest.mark.parametrize("order", [1, -1], ids=["mended first", "correction first"])
def test_a_row_mended_in_the_file_and_in_its_failed_rows_is_added_once(
    key: str, order: int
) -> None:
    office = Place()

    ways = ((key, MENDED), ("incoming/fix.csv", correct(office)))[::order]
    first, second = (office.drop(*way) for way in ways)

    assert office.state(first) is ImportState.COMPLETED
    assert office.state(second) is ImportState.UNCHANGED
    assert office.added == ONCE


@pytest.mark.parametrize("order", [1, -1], ids=["mended first", "correction first"])
def test_they_run_one_after_another(order: int) -> None:
    office = Place()

    drop_beside(office, *((KEY, MENDED), ("incoming/fix.csv", correct(office)))[::order])

    assert office.added == ONCE


def test_a_row_that_was_corrected_in_a_go_at_the_mended_file_is_known_to_the_first() -> None:
    office = Place()
    mended = office.drop(KEY, BODY.replace(b"bad1@", b"one@"))
    of_mended = office.drop("incoming/go.csv", correct(office, of=mended))

    late = office.drop("incoming/fix.csv", correct(office))

    assert office.state(of_mended) is ImportState.COMPLETED
    assert office.state(late) is ImportState.UNCHANGED
    assert office.added == ONCE


def test_a_row_that_was_corrected_in_a_go_at_the_first_is_known_to_the_mended_file() -> None:
    office = Place()
    mended = office.drop(KEY, BODY.replace(b"bad1@", b"one@"))
    of_first = office.drop("incoming/fix.csv", correct(office))

    late = office.drop("incoming/go.csv", correct(office, of=mended))

    assert office.state(of_first) is ImportState.COMPLETED
    assert office.state(late) is ImportState.UNCHANGED
    assert office.added == ONCE


def test_a_row_corrected_so_that_it_repeats_one_of_its_own_file_is_sent() -> None:
    office = Place()
    mended = office.drop(KEY, BODY.replace(b"bad1@", b"one@"))
    body = office.failed(mended).replace(b",bad2@example.com,Two", b",one@example.com,One")

    twice = office.drop("incoming/go.csv", body)

    assert office.state(twice) is ImportState.COMPLETED
    assert office.added == {"one@example.com": 2}


def test_a_row_that_was_mended_in_two_ways_is_sent_and_told() -> None:
    office = Place()
    office.drop(KEY, MENDED)

    office.drop("incoming/fix.csv", correct(office).replace(b"two@", b"second@"))

    assert office.added == {**ONCE, "second@example.com": 1}
    assert "got in another row in its place" in office.harness.notices.published[-1].body
    assert "1 row sent, though" in office.harness.notices.published[-1].body


def test_rows_of_a_mended_file_that_may_be_in_are_not_sent_by_a_correction() -> None:
    office = Place()
    office.harness.bigin.runs = False
    office.drop(KEY, MENDED)
    office.harness.tick(minutes=26 * 60)
    office.harness.bigin.runs = True
    made = len(office.harness.bigin.made)

    office.drop("incoming/fix.csv", correct(office))

    assert len(office.harness.bigin.made) == made
    assert "nobody knows whether its rows are in" in office.harness.notices.published[-1].body


def test_the_next_file_of_that_name_is_sent_whole_and_says_nothing_wrong_of_the_first() -> None:
    office = Place()

    other = office.drop(KEY, b"E-mail,Surname\nada@example.com,Ada\nalan@example.com,Alan\n")
    fixed = office.drop("incoming/fix.csv", correct(office))

    assert office.state(other) is ImportState.COMPLETED
    assert office.state(fixed) is ImportState.COMPLETED
    assert office.added == {**ONCE, "ada@example.com": 1, "alan@example.com": 1}
    assert "0 of 2 rows" not in "".join(each.body for each in office.harness.notices.published)


def test_a_file_that_came_after_a_mended_one_is_not_of_the_family_of_the_first() -> None:
    office = Place()
    office.drop(KEY, MENDED)

    other = office.drop(KEY, b"E-mail,Surname\nada@example.com,Ada\n")

    assert office.harness.import_of(other).root is None


def bare(body: bytes) -> bytes:
    """Return a result file without the columns that are ours, as somebody may tidy it."""
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    kept = [at for at, title in enumerate(rows[0]) if not title.startswith("bigin__")]
    return "".join(f"{','.join(row[at] for at in kept)}\n" for row in rows).encode()


@pytest.mark.parametrize("name", ["people.failed.csv", "people.failed (1).csv"])
@pytest.mark.parametrize("order", [1, -1], ids=["bare first", "with its columns first"])
def test_failed_rows_without_our_columns_are_known_by_the_files_name(name: str, order: int) -> None:
    office = Place(OTHERS + BAD)

    ways = ((f"incoming/{name}", bare(correct(office))), ("incoming/fix.csv", correct(office)))
    first, second = (office.drop(*way) for way in ways[::order])

    assert office.state(first) is ImportState.COMPLETED
    assert office.state(second) is ImportState.UNCHANGED
    assert {office.added[each] for each in ONCE} == {1}


def test_failed_rows_without_our_columns_and_the_mended_file_add_each_row_once() -> None:
    office = Place(OTHERS + BAD)

    office.drop("incoming/people.failed.csv", bare(correct(office)))
    mended = office.drop(KEY, OTHERS + BAD.replace(b"bad1@", b"one@").replace(b"bad2@", b"two@"))

    assert office.state(mended) is ImportState.UNCHANGED
    assert set(office.added.values()) == {1}


def test_failed_rows_without_our_columns_of_which_some_were_corrected_before() -> None:
    office = Place(OTHERS + BAD)
    once = office.failed().replace(b",bad1@example.com,", b",one@example.com,")
    office.drop("incoming/fix.csv", once)

    rest = office.drop("incoming/people.failed.csv", bare(correct(office)))

    assert office.state(rest) is ImportState.COMPLETED
    assert office.facts(rest)["existing"] == 1
    assert {office.added[each] for each in ONCE} == {1}


@pytest.mark.parametrize("order", [1, -1], ids=["bare first", "with its columns first"])
def test_failed_rows_under_a_name_of_ones_own_are_sent_and_told_with_their_rows(order: int) -> None:
    office = Place(OTHERS + BAD)
    ways = (("incoming/rest.csv", bare(correct(office))), ("incoming/fix.csv", correct(office)))
    first, second = ways[::order]
    done = office.drop(*first)
    before = office.harness.notices.published[-1].body

    office.drop(*second)

    told = office.harness.notices.published[-1].body
    assert {office.added[each] for each in ONCE} == {2}
    assert "sent, though" not in before
    assert f"2 rows sent, though import {office.harness.import_of(done).import_id}" in told
    assert f"({first[0]}) got in rows with the same values" in told
    assert "row 2, 3." in told
    assert "Nothing to do" not in told


def test_rows_that_another_file_had_before_are_not_told_of() -> None:
    """Only where failed rows are corrected there may be the same ones under another name."""
    office = Place(OTHERS)

    office.drop("incoming/guests.csv", OTHERS)

    assert "sent, though" not in office.harness.notices.published[-1].body


def test_a_row_that_a_correction_has_in_another_organisation_is_not_told_of() -> None:
    office = Place(OTHERS + BAD)
    fixed = office.harness.import_of(office.drop("incoming/fix.csv", correct(office)))
    office.harness.ledger.restore(replace(fixed, zgid="another"))

    office.drop("incoming/rest.csv", MENDED)

    assert "sent, though" not in office.harness.notices.published[-1].body


@pytest.mark.parametrize("module", ["Contacts", "Leads"])
def test_a_row_alone_that_a_correction_has_is_told_of_in_its_module(module: str) -> None:
    office = Place(OTHERS + BAD)
    office.harness.bigin.module_fields["Leads"] = office.harness.bigin.module_fields["Contacts"]
    office.drop("incoming/fix.csv", correct(office))
    office.harness.drop("incoming/mapping.json", {**MAPPING, "module": module})

    office.drop("incoming/guests.csv", b"E-mail,Surname\nx@example.com,X\none@example.com,One\n")

    told = office.harness.notices.published[-1].body
    assert ("1 row sent, though" in told and "row 3." in told) is (module == "Contacts")


@pytest.mark.parametrize("operation", ["upsert", "update"])
def test_an_insert_knows_rows_that_an_earlier_version_has_in_by_another_operation(
    operation: str,
) -> None:
    earlier = {**MAPPING, "operation": operation, "find_by": "Email"}
    office = Place(OTHERS + BAD, earlier)
    office.harness.drop(SIDECAR, MAPPING)

    mended = office.drop(KEY, OTHERS + BAD.replace(b"bad1@", b"one@"))

    assert office.facts(mended)["existing"] == OTHERS.count(b"\n") - 1
    assert office.added["one@example.com"] == 1
    assert "to send all the same" in office.harness.notices.published[-1].body.lower()


def test_a_mended_file_sends_none_of_the_rows_again_that_may_be_in_however_many_were_mended() -> (
    None
):
    office = Place()
    office.harness.bigin.runs = False
    office.drop("incoming/slow.csv", OTHERS + b"bad1@example.com,One\n")
    office.harness.tick(minutes=26 * 60)
    office.harness.bigin.runs = True
    made = len(office.harness.bigin.made)

    office.drop("incoming/slow.csv", OTHERS.replace(b"alan@", b"turing@") + b"bad2@example.com,X\n")

    (sent,) = list(office.harness.bigin.made)[made:]
    rows = office.harness.bigin._rows(office.harness.bigin.made[sent])[1:]
    assert rows == [["turing@example.com", "Alan"], ["bad2@example.com", "X"]]
    notice = office.harness.notices.published[-1].body
    assert "Not sent: 1 row, for since import" in notice
    assert "nobody knows whether they are in Bigin" in notice
