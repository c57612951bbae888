"""Result files that come back, in whatever order and mixture: every row is added once."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bigin_import.corrections import decider
from bigin_import.corrections.family import Families
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.job_request import Field, Job
from bigin_import.domain.locks import Family, members_of
from bigin_import.domain.states import ImportState
from bigin_import.errors import BiginRefusedError, UnderWayError
from tests.fakes.fake_bigin import Verdict
from tests.fakes.harness import MAPPING, Harness
from tests.fakes.refusing_bigin import RefusingBigin

KEY, SIDECAR = "incoming/people.csv", "incoming/people.mapping.json"
UPSERT = {**MAPPING, "operation": "upsert", "find_by": "Email"}
BODY = b"E-mail,Surname\nbad1@example.com,One\nbad2@example.com,Two\nok@example.com,Three\n"
GOOD = ("one@example.com", "two@example.com", "ok@example.com")


def judge(row: Sequence[str]) -> Verdict:
    return ("SKIPPED", "INVALID_DATA-Email") if row[0].startswith("bad") else ("ADDED", "")


class Office:
    """People who drop a file, correct its result files and drop those."""

    def __init__(self, mapping: Mapping[str, object] = MAPPING, *, body: bytes = BODY) -> None:
        self.harness = Harness()
        self.harness.bigin = RefusingBigin(judge)
        self.harness.drop(SIDECAR, mapping)
        self.source = self.drop(KEY, body)

    def drop(self, key: str, body: bytes) -> ObjectVersion:
        source = self.harness.drop(key, body)
        self.harness.tick(minutes=4)
        return source

    def drop_corrected(
        self, key: str, *corrections: str, of: ObjectVersion | None = None
    ) -> ObjectVersion:
        """Drop the failed file with some of its addresses corrected: bad1 and so on."""
        body = self.failed(of)
        for bad in corrections:
            number = bad.removeprefix("bad")
            body = body.replace(f",{bad}@example.com,".encode(), f",{self._good(number)},".encode())
        return self.drop(key, body)

    @staticmethod
    def _good(number: str) -> str:
        return {"1": "one", "2": "two"}[number] + "@example.com"

    def failed(self, of: ObjectVersion | None = None) -> bytes:
        return self.result(of or self.source, "failed")

    def result(self, source: ObjectVersion, kind: str) -> bytes:
        stem = source.key.rpartition("/")[2].removesuffix(".csv")
        return self.harness.result(source, f"{stem}.{kind}.csv")

    def rows(self, source: ObjectVersion, kind: str) -> list[dict[str, str]]:
        text = self.result(source, kind).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def state(self, source: ObjectVersion) -> ImportState:
        return self.harness.import_of(source).state

    def facts(self, source: ObjectVersion) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.harness.result(source, "import.json"))
        return facts

    @property
    def added(self) -> Counter[str]:
        """How often Bigin added a record with each address."""
        return Counter(row[0] for row in self.harness.bigin.records() if judge(row)[0] == "ADDED")


def without_column(body: bytes, name: str) -> bytes:
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    at = rows[0].index(name)
    out = io.StringIO(newline="")
    csv.writer(out).writerows([*row[:at], *row[at + 1 :]] for row in rows)
    return out.getvalue().encode()


def test_a_file_corrected_in_two_goes_adds_every_row_once() -> None:
    office = Office()

    first = office.drop_corrected("incoming/fix.csv", "bad1")
    second = office.drop_corrected("incoming/fix.csv", "bad1", "bad2")

    assert office.state(first) is ImportState.COMPLETED_WITH_ERRORS
    assert office.state(second) is ImportState.COMPLETED
    assert office.added == dict.fromkeys(GOOD, 1)
    (existing, added) = office.rows(second, "success")
    assert (existing["bigin__Status"], added["bigin__Status"]) == ("existing", "added")
    assert existing["bigin__Id"] == office.rows(first, "success")[0]["bigin__Id"]
    assert office.harness.import_of(first).import_id in existing["bigin__Reason"]


def test_a_correction_of_which_no_row_can_be_sent_is_closed_all_the_same() -> None:
    office = Office(body=b"E-mail,Surname\nok@example.com,One\nno address,Two\n")
    rows = office.result(office.source, "success").splitlines(keepends=True)
    rows += office.failed().splitlines(keepends=True)[1:]

    source = office.drop("incoming/all.csv", b"".join(rows))

    assert office.state(source) is ImportState.COMPLETED_WITH_ERRORS
    assert [row["bigin__Status"] for row in office.rows(source, "success")] == ["existing"]
    assert [row["bigin__Status"] for row in office.rows(source, "failed")] == ["invalid"]


def test_two_goes_a_minute_apart_run_one_after_another() -> None:
    office = Office()
    once = office.failed().replace(b",bad1@example.com,", b",one@example.com,")

    first = office.harness.drop("incoming/a/fix.csv", once)
    second = office.harness.drop(
        "incoming/b/fix.csv", once.replace(b",bad2@example.com,", b",two@example.com,")
    )
    office.harness.tick(minutes=20)

    assert office.state(first) is ImportState.COMPLETED_WITH_ERRORS
    assert office.state(second) is ImportState.COMPLETED
    assert office.added == dict.fromkeys(GOOD, 1)


def test_the_later_go_may_come_first() -> None:
    office = Office()
    office.drop_corrected("incoming/fix.csv", "bad2")

    last = office.drop_corrected("incoming/other/fix.csv", "bad1")

    assert office.state(last) is ImportState.COMPLETED
    assert office.added == dict.fromkeys(GOOD, 1)


def test_a_correction_of_a_correction_and_then_the_old_file() -> None:
    office = Office()
    child = office.drop_corrected("incoming/fix.csv", "bad1")
    grandchild = office.drop_corrected("incoming/fix2.csv", "bad2", of=child)

    old = office.drop_corrected("incoming/again.csv", "bad1", "bad2")

    assert office.state(grandchild) is ImportState.COMPLETED
    assert office.state(old) is ImportState.UNCHANGED
    assert office.added == dict.fromkeys(GOOD, 1)


@pytest.mark.parametrize("mapping", [MAPPING, UPSERT])
def test_a_success_file_dropped_again_sends_nothing_and_says_so(
    mapping: Mapping[str, object],
) -> None:
    office = Office(mapping)
    made = len(office.harness.bigin.made)

    again = office.drop("incoming/again.csv", office.result(office.source, "success"))

    assert office.state(again) is ImportState.UNCHANGED
    assert len(office.harness.bigin.made) == made
    assert (
        "delete the columns that begin with bigin__"
        in office.harness.result(again, "report.html").decode()
    )


def test_success_and_failed_rows_in_one_file() -> None:
    office = Office()
    success = office.result(office.source, "success")
    corrected = office.failed().replace(b",bad1@example.com,", b",one@example.com,")

    joined = office.drop("incoming/joined.csv", success + corrected.partition(b"\r\n")[2])

    assert office.facts(joined)["existing"] == 1
    assert office.facts(joined)["refused"] == 1
    assert office.added == {"one@example.com": 1, "ok@example.com": 1}


def test_an_insert_does_not_send_a_row_again_that_was_changed_after_it_got_in() -> None:
    office = Office()
    changed = office.result(office.source, "success").replace(b"Three", b"Four")

    again = office.drop("incoming/again.csv", changed)

    assert office.state(again) is ImportState.UNCHANGED
    assert office.added == {"ok@example.com": 1}
    assert "changed in this file since" in office.harness.result(again, "report.html").decode()


def test_an_upsert_sends_a_row_again_that_was_changed_after_it_got_in() -> None:
    office = Office(UPSERT)
    changed = office.result(office.source, "success").replace(b"Three", b"Four")

    again = office.drop("incoming/again.csv", changed)

    assert office.state(again) is ImportState.COMPLETED
    assert office.harness.bigin.records()[-1] == ["ok@example.com", "Four"]


def test_a_mapping_changed_between_two_goes_of_an_insert_adds_no_row_again() -> None:
    office = Office()
    office.drop_corrected("incoming/fix.csv", "bad1")
    fields = [
        {"column": "E-mail", "api_name": "Email"},
        {"column": "Surname", "api_name": "Last_Name"},
        {"api_name": "First_Name", "default_value": "Ada"},
    ]
    mapping = {"module": "Contacts", "operation": "insert", "field_mappings": fields}
    office.harness.drop("incoming/fix2.mapping.json", mapping)

    second = office.drop_corrected("incoming/fix2.csv", "bad1", "bad2")

    assert office.facts(second)["existing"] == 1
    assert office.added == dict.fromkeys(GOOD, 1)


def test_rows_without_a_number_and_numbers_that_come_twice_are_new_rows() -> None:
    office = Office()
    (header, first, second) = office.failed().decode("utf-8-sig").splitlines()
    twice = first.replace(",bad1@example.com,", ",one@example.com,")
    copied = twice.replace("one@", "copy@")
    bare = second.replace("3,refused,", ",,", 1).replace(",bad2@example.com,", ",new@example.com,")

    fixed = office.drop("incoming/fix.csv", "\n".join([header, twice, copied, bare]).encode())

    assert office.state(fixed) is ImportState.COMPLETED
    assert office.added == {
        **dict.fromkeys(("ok@example.com", "one@example.com"), 1),
        **dict.fromkeys(("copy@example.com", "new@example.com"), 1),
    }
    assert "sent as new: row 3, 4" in office.harness.notices.published[-1].body


@pytest.mark.parametrize("key", ["incoming/fix.csv", "incoming/again.csv"])
def test_a_row_that_somebody_wrote_below_the_failed_ones_is_added_by_one_go_alone(key: str) -> None:
    office = Office()
    before = office.failed().splitlines()[0].split(b",").index(b"E-mail")
    own = b"," * before + b"new@example.com,New\r\n"

    office.drop("incoming/fix.csv", office.failed().replace(b",bad1@", b",one@") + own)
    second = office.drop(key, corrected(office) + own)
    third = office.drop(key, corrected(office) + own + own)

    assert office.facts(second)["existing"] == 2
    assert office.facts(third)["added"] == 1
    assert office.added == {**dict.fromkeys(GOOD, 1), "new@example.com": 2}


@pytest.mark.parametrize("is_named_first", [True, False])
def test_a_new_row_that_was_refused_is_added_by_one_go_alone(is_named_first: bool) -> None:
    office = Office()
    before = office.failed().splitlines()[0].split(b",").index(b"E-mail")
    go = corrected(office) + b"," * before + b"bad9@example.com,New\r\n"
    first = office.drop("incoming/go.csv", go)
    in_failed_file = office.failed(first).replace(b",bad9@", b",new@")
    without_number = go.replace(b",bad9@", b",new@")
    goes = (in_failed_file, without_number) if is_named_first else (without_number, in_failed_file)

    for number, body in enumerate(goes):
        office.drop(f"incoming/go {number}.csv", body)

    assert office.added == {**dict.fromkeys(GOOD, 1), "new@example.com": 1}


def test_equal_new_rows_of_one_file_are_told_apart() -> None:
    office = Office()
    before = office.failed().splitlines()[0].split(b",").index(b"E-mail")
    own = b"," * before + b"new@example.com,New\r\n"
    refused = own.replace(b"new@", b"bad9@")
    first = office.drop("incoming/go.csv", corrected(office) + own + refused)

    office.drop("incoming/mended.csv", office.failed(first).replace(b",bad9@", b",new@"))

    assert office.added == {**dict.fromkeys(GOOD, 1), "new@example.com": 2}


def rows_with_a_copy(office: Office) -> tuple[bytes, bytes, bytes, bytes]:
    """Return the header, a corrected row, a copy of it that is meant for a new one, and another."""
    header, first, second = corrected(office).splitlines(keepends=True)
    return header, first, first.replace(b"one@example.com,One", b"new@example.com,New"), second


@pytest.mark.parametrize("is_copied_at_first", [True, False])
@pytest.mark.parametrize("order", [1, -1], ids=["copy below", "copy above"])
def test_a_copied_row_is_added_once_wherever_it_stands(
    order: int, *, is_copied_at_first: bool
) -> None:
    office = Office()
    header, row, copy, other = rows_with_a_copy(office)
    first, second = (row, copy)[::order], (copy, row)[::order]

    office.drop(
        "incoming/fix.csv", b"".join((header, *(first if is_copied_at_first else (row,)), other))
    )
    office.drop("incoming/fix.csv", b"".join((header, *second, other)))
    last = office.drop("incoming/again.csv", b"".join((header, *first, other)))

    assert office.added == {**dict.fromkeys(GOOD, 1), "new@example.com": 1}
    assert office.state(last) is ImportState.UNCHANGED
    assert "changed in this file since" not in office.harness.result(last, "report.html").decode()


def test_a_copied_row_far_from_the_other_is_not_added_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rows are looked up in windows, so that memory is bounded."""
    monkeypatch.setattr(decider, "WINDOW", 1)
    office = Office()
    header, row, copy, other = rows_with_a_copy(office)

    office.drop("incoming/fix.csv", b"".join((header, row, copy, other)))
    office.drop("incoming/fix.csv", b"".join((header, copy, other, row)))

    assert office.added == {**dict.fromkeys(GOOD, 1), "new@example.com": 1}


@pytest.mark.parametrize("order", [1, -1], ids=["without numbers first", "with numbers first"])
def test_rows_that_had_no_number_in_one_go_are_added_by_one_go_alone(order: int) -> None:
    office = Office()
    goes = (without_column(corrected(office), "bigin__Row"), corrected(office))[::order]

    office.drop("incoming/one.csv", goes[0])
    second = office.drop("incoming/two.csv", goes[1])
    third = office.drop("incoming/three.csv", goes[0])

    assert office.state(second) is office.state(third) is ImportState.UNCHANGED
    assert office.added == dict.fromkeys(GOOD, 1)
    page = office.harness.result(second, "report.html").decode()
    assert "2 rows in Bigin already through this file or a correction of it" in page


def test_one_row_without_its_number_in_one_go_is_added_by_one_go_alone() -> None:
    office = Office()
    header, first, second = corrected(office).splitlines(keepends=True)
    bare = second.removeprefix(b"3")

    office.drop("incoming/one.csv", header + first + bare)
    office.drop("incoming/two.csv", header + bare + first)
    office.drop("incoming/three.csv", header + first + second)

    assert office.added == dict.fromkeys(GOOD, 1)


def test_an_equal_row_without_a_number_beside_the_one_that_has_it_is_a_new_one() -> None:
    office = Office()
    header, first, second = corrected(office).splitlines(keepends=True)
    office.drop("incoming/one.csv", header + first + second)
    bare = first.removeprefix(b"2")

    for _ in range(2):
        office.drop("incoming/two.csv", header + bare + first + second)

    assert office.added == {**dict.fromkeys(GOOD, 1), "one@example.com": 2}


def test_failed_rows_with_the_same_values_are_each_added_once() -> None:
    office = Office()
    alike = office.failed().replace(b"bad2@example.com,Two", b"bad1@example.com,One")
    go = alike.replace(b"bad1@", b"one@")

    for number, body in enumerate((without_column(go, "bigin__Row"), go, go)):
        office.drop(f"incoming/go {number}.csv", body)

    assert office.added == {"ok@example.com": 1, "one@example.com": 2}


@pytest.mark.parametrize("tail", [".0", ",0"])
def test_row_numbers_that_a_tool_saved_with_decimals_are_the_same_rows(tail: str) -> None:
    office = Office()
    (header, *rows) = office.failed().decode("utf-8-sig").splitlines()
    at = header.split(",").index("bigin__Row")
    cells = [row.replace("@", "-good@").replace(",bad", ",good").split(",") for row in rows]
    saved = [[*row[:at], f'"{row[at]}{tail}"', *row[at + 1 :]] for row in cells]
    body = "\n".join([header, *map(",".join, saved)]).encode()

    office.drop("incoming/fix.csv", body)
    again = office.drop("incoming/again.csv", body)

    assert office.state(again) is ImportState.UNCHANGED
    assert set(office.added.values()) == {1}


def test_a_success_file_for_another_module_is_a_drop_like_any_other() -> None:
    office = Office()
    office.harness.bigin.module_fields["Accounts"] = (Field("Account_Name", "Name", "text"),)
    companies = {
        "module": "Accounts",
        "operation": "insert",
        "columns": {"Surname": "Account_Name"},
    }
    office.harness.drop("incoming/companies.mapping.json", companies)

    made = office.drop("incoming/companies.csv", office.result(office.source, "success"))

    assert office.state(made) is ImportState.COMPLETED
    assert office.facts(made)["added"] == 1


def test_without_kept_rows_a_row_is_believed_what_it_says_of_itself() -> None:
    """An import of the release before kept none."""
    office = Office()
    (kept,) = [key for key in office.harness.files.versions if key.endswith("/rows.csv.gz")]
    del office.harness.files.versions[kept]
    success = office.result(office.source, "success")
    failed = office.failed().replace(b",bad1@example.com,", b",one@example.com,")

    joined = office.drop("incoming/joined.csv", success + failed.partition(b"\r\n")[2])

    assert office.facts(joined)["existing"] == 1
    assert office.added == {"one@example.com": 1, "ok@example.com": 1}


def test_what_was_decided_is_not_decided_again_when_the_results_are_written() -> None:
    """The parent's rows go between splitting and closing."""
    office = Office()
    office.drop_corrected("incoming/fix.csv", "bad1")
    corrected = office.failed().replace(b",bad1@example.com,", b",one@example.com,")
    second = office.harness.drop("incoming/fix.csv", corrected.replace(b"bad2@", b"two@"))
    for key in list(office.harness.files.versions):
        if key.endswith("/rows.csv.gz") or key == KEY:
            del office.harness.files.versions[key]

    office.harness.tick(minutes=4)

    assert office.state(second) is ImportState.COMPLETED
    assert office.facts(second)["existing"] == 1
    assert office.added == dict.fromkeys(GOOD, 1)


MANY = BODY + b"".join(b"p%d@example.com,P%d\n" % (number, number) for number in range(30))
MENDED = MANY.replace(b"bad1@", b"one@")


def corrected(office: Office, *, of: ObjectVersion | None = None) -> bytes:
    """Return the failed file with both bad addresses corrected."""
    once = office.failed(of).replace(b",bad1@example.com,", b",one@example.com,")
    return once.replace(b",bad2@example.com,", b",two@example.com,")


def drop_beside(office: Office, *drops: tuple[str, bytes]) -> list[ObjectVersion]:
    """Drop files while the jobs of the first of them still run; then let all of them end."""
    office.harness.bigin.runs = False
    sources = []
    for key, body in drops:
        sources.append(office.harness.drop(key, body))
        office.harness.tick(minutes=3)
    office.harness.bigin.runs = True
    office.harness.tick(minutes=30)
    return sources


def records_of(office: Office) -> Counter[str]:
    """How often a row with each surname is in Bigin, whatever its address."""
    return Counter(row[1] for row in office.harness.bigin.records())


def lenient(office: Office) -> None:
    """Let Bigin take from now on what it refused; forget what was sent before."""
    assert isinstance(office.harness.bigin, RefusingBigin)
    office.harness.bigin.judge = lambda row: ("ADDED", "")


@pytest.mark.parametrize("order", [1, -1], ids=["correction first", "file first"])
def test_the_file_again_and_a_correction_of_it_run_one_after_another(order: int) -> None:
    office = Office()
    refused = records_of(office)
    lenient(office)

    drop_beside(office, *(("incoming/fix.csv", corrected(office)), (KEY, BODY))[::order])

    assert records_of(office) - refused == {"One": 1, "Two": 1}


def test_a_correction_of_rows_that_the_file_dropped_again_got_in_adds_none() -> None:
    office = Office()
    lenient(office)
    office.drop(KEY, BODY)
    before = records_of(office)

    late = office.drop("incoming/fix.csv", corrected(office))

    assert office.state(late) is ImportState.UNCHANGED
    assert records_of(office) == before


def test_failed_files_of_the_first_and_of_the_second_drop_are_about_the_same_rows() -> None:
    office = Office()
    first = corrected(office)
    again = office.drop(KEY, BODY)
    second = office.drop("incoming/second.csv", corrected(office, of=again))
    before = records_of(office)

    late = office.drop("incoming/first.csv", first)
    once_more = office.drop(KEY, BODY)

    assert office.state(second) is ImportState.COMPLETED
    assert office.state(late) is office.state(once_more) is ImportState.UNCHANGED
    assert records_of(office) == before


@pytest.mark.parametrize("order", [1, -1], ids=["correction first", "original first"])
def test_a_row_corrected_in_the_original_and_in_its_failed_file_is_added_once(order: int) -> None:
    office = Office(body=MANY)

    office.drop(*(("incoming/fix.csv", corrected(office)), (KEY, MENDED))[::order][0])
    office.drop(*(("incoming/fix.csv", corrected(office)), (KEY, MENDED))[::order][1])

    assert (office.added["one@example.com"], office.added["two@example.com"]) == (1, 1)
    assert set(office.added.values()) == {1}


@pytest.mark.parametrize("order", [1, -1], ids=["correction first", "original first"])
def test_a_mended_original_and_a_correction_run_one_after_another(order: int) -> None:
    office = Office(body=MANY)

    drop_beside(office, *(("incoming/fix.csv", corrected(office)), (KEY, MENDED))[::order])

    assert (office.added["one@example.com"], office.added["two@example.com"]) == (1, 1)
    assert set(office.added.values()) == {1}


def test_with_upsert_the_file_again_does_not_write_over_what_was_corrected() -> None:
    office = Office(UPSERT)
    assert isinstance(office.harness.bigin, RefusingBigin)
    office.harness.bigin.judge = lambda row: ("SKIPPED", "X") if row[1] == "?" else ("ADDED", "")
    body = b"E-mail,Surname\nada@example.com,?\nalan@example.com,Turing\n"
    key = "incoming/other.csv"
    office.harness.drop("incoming/other.mapping.json", UPSERT)
    source = office.drop(key, body)
    office.drop("incoming/fix.csv", office.failed(source).replace(b",?", b",Lovelace"))
    before = office.harness.bigin.records()

    again = office.drop(key, body)

    assert office.state(again) is ImportState.UNCHANGED
    assert office.harness.bigin.records() == before


def test_with_upsert_the_file_again_puts_back_what_a_corrected_file_wrote_over() -> None:
    office = Office(UPSERT)
    changed = office.result(office.source, "success").replace(b"Three", b"Four")
    office.drop("incoming/change.csv", changed)

    office.drop(KEY, BODY)

    last = {row[0]: row[1] for row in office.harness.bigin.records()}
    assert last["ok@example.com"] == "Three"


def last_of(office: Office) -> dict[str, str]:
    """Return what the last record with each address holds."""
    return {row[0]: row[1] for row in office.harness.bigin.records()}


@pytest.mark.parametrize("operation", ["update", "upsert"])
def test_a_corrected_file_that_is_put_back_counts_in_the_end(operation: str) -> None:
    office = Office({**UPSERT, "operation": operation})
    office.harness.drop("incoming/other.mapping.json", UPSERT)
    fix, success = corrected(office), office.result(office.source, "success")
    office.drop("incoming/fix.csv", fix)
    office.drop("incoming/other.csv", b"E-mail,Surname\nONE@example.com,New\n")

    put_back = office.drop("incoming/fix.csv", fix)
    told = office.harness.result(put_back, "report.html").decode()
    once_more = office.drop("incoming/again.csv", fix)
    untouched = office.drop("incoming/success.csv", success)

    assert last_of(office)["one@example.com"] == "One"
    assert "another file since has had one of its keys" in told
    assert office.state(once_more) is office.state(untouched) is ImportState.UNCHANGED


def test_a_success_file_that_is_put_back_counts_in_the_end() -> None:
    office = Office(UPSERT)
    office.harness.drop("incoming/other.mapping.json", UPSERT)
    office.drop("incoming/other.csv", b"E-mail,Surname\nok@example.com,New\n")

    office.drop("incoming/success.csv", office.result(office.source, "success"))

    assert last_of(office)["ok@example.com"] == "Three"


VERSIONS = b"E-mail,Surname\nada@example.com,Old\nada@example.com,New\nalan@example.com,Alan\n"


def office_that_refused_the_older(*refused: str) -> tuple[Office, ObjectVersion]:
    """Drop two rows of one key; Bigin refuses those with *refused*, but later takes them."""
    office = Office(UPSERT)
    assert isinstance(office.harness.bigin, RefusingBigin)
    office.harness.bigin.judge = lambda row: (
        ("SKIPPED", "X") if row[1] in refused else ("ADDED", "")
    )
    office.harness.drop("incoming/versions.mapping.json", UPSERT)
    source = office.drop("incoming/versions.csv", VERSIONS)
    lenient(office)
    return office, source


def test_an_unchanged_row_does_not_write_over_a_later_one_of_the_file() -> None:
    office, source = office_that_refused_the_older("Old", "Alan")
    failed = office.failed(source)

    first = office.drop("incoming/first.csv", failed)
    told = office.harness.notices.published[-1].body
    again = office.drop("incoming/again.csv", failed)

    last = last_of(office)
    assert (last["ada@example.com"], last["alan@example.com"]) == ("New", "Alan")
    assert office.facts(first)["existing"] == 1
    assert "1 row not sent, for a later row of the file with the same key is in Bigin" in told
    assert office.state(again) is ImportState.UNCHANGED


@pytest.mark.parametrize("is_dropped_unchanged_before", [True, False])
def test_a_changed_row_that_writes_over_a_later_one_is_sent_and_told(
    *, is_dropped_unchanged_before: bool
) -> None:
    office, source = office_that_refused_the_older("Old")
    if is_dropped_unchanged_before:
        office.drop("incoming/first.csv", office.failed(source))

    office.drop("incoming/fix.csv", office.failed(source).replace(b",Old", b",Newest"))

    assert last_of(office)["ada@example.com"] == "Newest"
    told = office.harness.notices.published[-1].body
    assert "a later row of the file with the same key was in Bigin already" in told


@pytest.mark.parametrize("key", ["ada@example.com", "eve@example.com"])
def test_what_counts_of_a_later_row_is_the_key_that_it_got_in_with(key: str) -> None:
    office, source = office_that_refused_the_older("Old", "New")
    (header, old, new) = office.failed(source).splitlines(keepends=True)
    corrected_row = new.replace(b"ada@example.com,New", f"{key},Newer".encode())
    office.drop("incoming/one.csv", header + corrected_row)

    office.drop("incoming/two.csv", header + old)

    is_shared = key == "ada@example.com"
    assert last_of(office)["ada@example.com"] == ("Newer" if is_shared else "Old")


def test_an_unchanged_row_is_sent_where_the_drop_cannot_be_read_any_more() -> None:
    office, source = office_that_refused_the_older("Old")
    failed = office.failed(source)
    del office.harness.files.versions[source.key]

    office.drop("incoming/first.csv", failed)

    assert last_of(office)["ada@example.com"] == "Old"


def test_other_customers_in_other_files_let_no_corrected_row_be_sent_again() -> None:
    office = Office(UPSERT)
    office.harness.drop("incoming/other.mapping.json", UPSERT)
    office.drop_corrected("incoming/one.csv", "bad1")
    office.drop("incoming/other.csv", b"E-mail,Surname\nada@example.com,Lovelace\n")

    second = office.drop_corrected("incoming/two.csv", "bad1", "bad2")

    assert office.facts(second)["existing"] == 1


def test_a_correction_waits_for_a_member_of_its_family_that_a_person_must_decide_about() -> None:
    office = Office()
    ask = office.harness.bigin.get_job
    lie = {"is_told": True}

    def job(job_id: str) -> Job:
        return replace(ask(job_id), ignore_empty=not lie["is_told"])

    office.harness.bigin.get_job = job  # type: ignore[method-assign]
    office.harness.bigin.runs = False
    held = office.drop("incoming/a/fix.csv", corrected(office))
    waiting = office.drop("incoming/b/fix.csv", corrected(office))
    while_held = (office.state(held), office.harness.import_of(waiting).pause)
    lie["is_told"], office.harness.bigin.runs = False, True

    record = office.harness.import_of(held)
    office.harness.clock.begin()
    office.harness.decisions.go_on(record.import_id, record.held_at or 0)
    office.harness.tick(minutes=30)

    assert while_held == (ImportState.ON_HOLD, "HELD_FILE")
    assert office.state(waiting) is ImportState.UNCHANGED
    assert office.added == dict.fromkeys(GOOD, 1)


def facts_of(office: Office, source: ObjectVersion) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(office.harness.result(source, "import.json"))
    return facts


def test_a_correction_tells_of_its_whole_family() -> None:
    office = Office()
    first = office.drop_corrected("incoming/fixed/one.csv", "bad1")
    second = office.drop_corrected("incoming/fixed/two.csv", "bad2", of=first)

    notice = office.harness.notices.published[-1]
    facts = facts_of(office, second)["family"]

    assert notice.subject == "Imported: fixed/two.csv"
    assert "With all corrections, 3 of 3 rows of people.csv are in Bigin." in notice.body
    parent = office.harness.import_of(first)
    assert f"corrects import {parent.import_id}: https://" in notice.body
    assert (facts["rows"], facts["in_bigin"]) == (3, 3)
    assert facts["root"]["file"] == KEY
    assert facts["parent"]["file"] == "incoming/fixed/one.csv"
    assert [each["file"] for each in facts["corrections"]] == [
        "incoming/fixed/one.csv",
        "incoming/fixed/two.csv",
    ]
    assert facts_of(office, first)["family"]["in_bigin"] == 2
    assert facts_of(office, office.source)["family"] is None


def test_the_pages_of_a_drop_and_of_a_parent_name_the_corrections_that_followed() -> None:
    office = Office()
    before = office.harness.result(office.source, "report.html").decode()
    assert "The file and its corrections" not in before

    first = office.drop_corrected("incoming/fixed/one.csv", "bad1")
    second = office.drop_corrected("incoming/fixed/two.csv", "bad2", of=first)

    for source in (office.source, first, second):
        page = office.harness.result(source, "report.html").decode()
        assert page.count("The file and its corrections") == 1
        assert "3 of 3 rows of people.csv are in Bigin" in page
        assert "fixed/one.csv</a>" in page
        assert "fixed/two.csv</a>" in page
    page = office.harness.result(office.source, "report.html").decode()
    assert "2 rows" in page  # that were not in at first: the rest of the page stays


def test_a_report_of_the_release_before_gets_its_links_too() -> None:
    office = Office()
    record = office.harness.import_of(office.source)
    office.harness.files.write(
        f"{record.results}report.html", b"<main>as it was</main>", content_type="text/html"
    )

    office.drop_corrected("incoming/one.csv", "bad1")

    page = office.harness.result(office.source, "report.html").decode()
    assert page.startswith("<main>as it was<!-- family -->")
    assert page.endswith("</main>")
    assert "one.csv</a>" in page


def test_a_row_that_two_corrections_wrote_counts_once() -> None:
    office = Office(UPSERT)
    first = office.drop_corrected("incoming/one.csv", "bad1")
    again = office.result(first, "success").replace(b"One", b"Uno")

    twice = office.drop("incoming/uno.csv", again)

    family = facts_of(office, twice)["family"]
    assert (family["rows"], family["in_bigin"]) == (3, 2)


def joined_file(first: bytes, *others: bytes) -> bytes:
    """Put the rows of result files below each other, under the header of the first."""
    return first + b"".join(other.partition(b"\r\n")[2] for other in others)


def second_file(office: Office, mapping: Mapping[str, object] = MAPPING) -> ObjectVersion:
    office.harness.drop("incoming/second.mapping.json", mapping)
    body = b"E-mail,Surname\nbad1@example.com,Uno\nfine@example.com,Due\n"
    return office.drop("incoming/second.csv", body)


def test_success_of_one_import_inside_the_correction_of_another() -> None:
    office = Office()
    second = second_file(office)
    before = dict(office.added)

    both = joined_file(corrected(office), office.result(second, "success"))
    fixed = office.drop("incoming/fix.csv", both)

    assert office.state(fixed) is ImportState.COMPLETED
    assert office.facts(fixed)["existing"] == 1
    assert office.added == {**before, "one@example.com": 1, "two@example.com": 1}
    existing = [row for row in office.rows(fixed, "success") if row["Surname"] == "Due"]
    assert office.harness.import_of(second).import_id in existing[0]["bigin__Reason"]


def test_rows_with_the_same_number_in_two_imports_are_two_rows_and_each_is_known_again() -> None:
    office = Office()
    second = second_file(office)
    of_second = office.failed(second).replace(b",bad1@example.com,", b",uno@example.com,")

    office.drop("incoming/fix.csv", joined_file(corrected(office), of_second))
    alone = office.drop("incoming/alone.csv", of_second)
    again = office.drop("incoming/again.csv", corrected(office))

    assert office.state(alone) is office.state(again) is ImportState.UNCHANGED
    assert set(office.added.values()) == {1}
    assert {"uno@example.com", "one@example.com", "two@example.com"} < set(office.added)


def test_rows_of_imports_that_were_sent_otherwise_are_not_taken_in_one_file() -> None:
    office = Office()
    second = second_file(office, UPSERT)

    joined = office.drop(
        "incoming/fix.csv", joined_file(corrected(office), office.result(second, "success"))
    )

    assert office.state(joined) is ImportState.REJECTED
    assert "of several imports" in office.harness.notices.published[-1].body


def test_two_files_of_the_same_two_imports_run_one_after_another() -> None:
    office = Office()
    second = second_file(office)
    of_second = office.failed(second).replace(b",bad1@example.com,", b",uno@example.com,")
    ways = (joined_file(corrected(office), of_second), joined_file(of_second, corrected(office)))

    drop_beside(office, ("incoming/a/fix.csv", ways[0]), ("incoming/b/fix.csv", ways[1]))

    assert set(office.added.values()) == {1}
    assert "uno@example.com" in office.added


def test_unprocessed_rows_dropped_twice_are_added_once() -> None:
    office = Office()
    refused = BiginRefusedError(code="FILE_NOT_SUPPORTED", message="no", resolution="ask")
    office.harness.bigin.fail("create_job", refused)
    office.harness.drop("incoming/third.mapping.json", MAPPING)
    failed = office.drop("incoming/third.csv", b"E-mail,Surname\nada@example.com,Ada\n")
    assert office.state(failed) is ImportState.FAILED
    rows = office.result(failed, "unprocessed")

    first = office.drop("incoming/a/third.csv", rows)
    second = office.drop("incoming/b/third.csv", rows)

    assert office.state(first) is ImportState.COMPLETED
    assert office.state(second) is ImportState.UNCHANGED
    assert office.added["ada@example.com"] == 1


def unclear_rows(office: Office) -> bytes:
    """Return the rows of a job that never ended."""
    office.harness.drop("incoming/slow.mapping.json", MAPPING)
    office.harness.bigin.runs = False
    slow = office.drop("incoming/slow.csv", b"E-mail,Surname\nada@example.com,Ada\n")
    office.harness.tick(minutes=26 * 60)
    office.harness.bigin.runs = True
    return office.result(slow, "unclear")


def test_unclear_rows_of_an_insert_are_not_sent_before_a_person_has_looked() -> None:
    office = Office()
    rows = unclear_rows(office)

    again = office.drop("incoming/again.csv", rows)

    assert office.state(again) is ImportState.REJECTED
    assert "delete the rows that are there, empty bigin__Status" in (
        office.harness.notices.published[-1].body
    )


def test_unclear_rows_that_a_person_released_are_sent() -> None:
    office = Office()
    rows = unclear_rows(office)
    made = len(office.harness.bigin.made)

    again = office.drop("incoming/again.csv", rows.replace(b",unclear,", b",,"))

    assert office.state(again) is ImportState.COMPLETED
    assert len(office.harness.bigin.made) == made + 1


def drop_while_no_job_ends(office: Office, key: str, body: bytes) -> ObjectVersion:
    office.harness.bigin.runs = False
    source = office.drop(key, body)
    office.harness.tick(minutes=26 * 60)
    office.harness.bigin.runs = True
    return source


def test_a_release_counts_for_the_outcome_that_the_person_was_shown_alone() -> None:
    office = Office()
    rows = unclear_rows(office).replace(b",unclear,", b",,")
    sent = drop_while_no_job_ends(office, "incoming/again.csv", rows)
    made = len(office.harness.bigin.made)

    refused = office.drop("incoming/once more.csv", rows)
    told = office.harness.notices.published[-1].body
    shown = office.result(sent, "unclear").replace(b",unclear,", b",,")
    released = office.drop("incoming/looked.csv", shown)

    assert office.state(refused) is ImportState.REJECTED
    import_id = office.harness.import_of(sent).import_id
    assert f"Take the unclear file of import {import_id}" in told
    assert office.state(released) is ImportState.COMPLETED
    assert len(office.harness.bigin.made) == made + 1


def test_unclear_rows_of_an_upsert_by_a_field_that_is_not_unique_are_not_sent_again() -> None:
    office = Office()
    by_name = {**MAPPING, "operation": "upsert", "find_by": "Last_Name"}
    office.harness.drop("incoming/by name.mapping.json", by_name)
    body = b"E-mail,Surname\nada@example.com,Ada\n"
    slow = drop_while_no_job_ends(office, "incoming/by name.csv", body)
    made = len(office.harness.bigin.made)

    refused = office.drop("incoming/unclear.csv", office.result(slow, "unclear"))
    told = office.harness.notices.published[-1].body
    again = office.drop(slow.key, body)

    assert office.state(refused) is ImportState.REJECTED
    assert "an upsert by Last_Name, which is not unique, may add them again" in told
    assert office.state(again).is_closed
    assert len(office.harness.bigin.made) == made
    assert "nobody knows whether they are in Bigin" in office.harness.notices.published[-1].body
    released = office.result(slow, "unclear").replace(b",unclear,", b",,")
    assert office.state(office.drop("incoming/looked.csv", released)) is ImportState.COMPLETED


def test_a_released_row_that_was_sent_since_is_named_beside_rows_that_are_sent() -> None:
    office = Office()
    rows = unclear_rows(office).replace(b",unclear,", b",,")
    drop_while_no_job_ends(office, "incoming/again.csv", rows)
    before = rows.splitlines()[0].split(b",").index(b"E-mail")
    own = b"," * before + b"new@example.com,New\r\n"

    again = office.drop("incoming/once more.csv", rows + own)

    assert office.added["new@example.com"] == 1
    assert office.facts(again)["unclear"] == 1
    assert "1 row not sent again, though bigin__Status is empty" in (
        office.harness.notices.published[-1].body
    )


@pytest.mark.parametrize("gone", ["bigin__Status", "bigin__Row"])
def test_a_column_that_somebody_took_out_releases_no_row(gone: str) -> None:
    office = Office()
    refused, unclear = office.failed(), unclear_rows(office)
    once = without_column(refused, gone).replace(b",bad", b",good")
    drop_while_no_job_ends(office, "incoming/go.csv", once)
    made = len(office.harness.bigin.made)

    office.drop("incoming/second.csv", once)
    office.drop("incoming/slow again.csv", without_column(unclear, "bigin__Status"))

    assert len(office.harness.bigin.made) == made


def test_a_mended_original_does_not_send_what_a_correction_may_have_got_in() -> None:
    office = Office(body=MANY)
    office.harness.bigin.runs = False
    unclear = office.drop("incoming/fix.csv", corrected(office))
    office.harness.tick(minutes=26 * 60)
    office.harness.bigin.runs = True
    made = len(office.harness.bigin.made)

    mended = office.drop(KEY, MENDED.replace(b"bad2@", b"two@"))

    assert office.facts(unclear)["unclear"] == 2
    assert office.state(mended) is ImportState.UNCHANGED
    assert "Not sent: 2 rows, for since import" in office.harness.notices.published[-1].body
    assert len(office.harness.bigin.made) == made


def test_a_spreadsheet_that_took_zeros_twice_takes_none_from_bigin() -> None:
    rows = "".join(f"ok{number}@example.com,{number:04}\n" for number in range(10, 30))
    office = Office(
        body=f"E-mail,Surname\n{rows}bad1@example.com,0001\nbad2@example.com,0002\n".encode()
    )

    def without_zeros(of: ObjectVersion, bad: str, good: str) -> bytes:
        body = office.failed(of).replace(bad.encode(), good.encode())
        return re.sub(rb",0+(\d+)\r\n", rb",\1\r\n", body)

    first = office.drop("incoming/one.csv", without_zeros(office.source, "bad1", "one"))
    office.drop("incoming/two.csv", without_zeros(first, "bad2", "two"))

    numbers = dict(row[:2] for row in office.harness.bigin.records())
    assert (numbers["one@example.com"], numbers["two@example.com"]) == ("0001", "0002")


@pytest.mark.parametrize("kind", ["success", "failed"])
def test_a_folders_mapping_for_another_module_that_was_passed_over_is_told(kind: str) -> None:
    office = Office()
    office.harness.bigin.module_fields["Accounts"] = (Field("Account_Name", "Name", "text"),)
    columns = {"Surname": "Account_Name"}
    companies = {"module": "Accounts", "operation": "insert", "columns": columns}
    office.harness.drop("incoming/companies/mapping.json", companies)

    office.drop("incoming/companies/these.csv", office.result(office.source, kind))
    told = office.harness.notices.published[-1].body
    office.harness.drop("incoming/companies/these.mapping.json", companies)
    as_told = office.drop("incoming/companies/these.csv", office.result(office.source, kind))

    assert "incoming/companies/mapping.json was not used: it is for insert into Accounts" in told
    assert "copy it to these.mapping.json beside the file" in told
    assert office.harness.import_of(as_told).module == "Accounts"
    assert office.state(as_told) is ImportState.COMPLETED


def test_a_folders_mapping_for_the_same_is_not_told() -> None:
    office = Office()
    office.harness.drop("incoming/fixed/mapping.json", MAPPING)

    office.drop("incoming/fixed/these.csv", office.failed())

    assert "was not used" not in office.harness.notices.published[-1].body


def holder(office: Office, root: str) -> str | None:
    """Return who has the lock of a family."""
    family = office.harness.ledger.load(Family.at(root))
    return family.open_import if family else None


def test_who_waits_for_one_of_several_families_keeps_none_of_them() -> None:
    office = Office()
    families = Families(ledger=office.harness.ledger, files=office.harness.files)
    office.harness.bigin.runs = False
    first, second = office.drop("incoming/a.csv", BODY), office.drop("incoming/b.csv", BODY)
    running, waiting = office.harness.import_of(first), office.harness.import_of(second)
    families.acquire(running, "b" * 26)

    with pytest.raises(UnderWayError):
        families.acquire_all(waiting, ["a" * 26, "b" * 26])

    assert holder(office, "a" * 26) is None
    assert holder(office, "b" * 26) == running.import_id


def test_who_finds_that_a_member_has_just_ended_does_not_keep_the_family() -> None:
    office = Office()
    families = Families(ledger=office.harness.ledger, files=office.harness.files)
    record = office.harness.import_of(office.source)
    root = "a" * 26
    office.harness.ledger.save(Family(root=root, members=("b" * 26,)))

    with pytest.raises(UnderWayError):
        families.join(record, Family(root=root))

    assert holder(office, root) is None


def test_a_drop_that_waits_for_a_correction_keeps_no_other_family_from_running() -> None:
    """It holds the rows of two files, of which one is corrected at this moment."""
    office = Office()
    office.harness.drop("incoming/mapping.json", MAPPING)
    other = BODY.replace(b"@", b"-of-another@")
    corrected = office.source
    free = office.drop("incoming/free/people.csv", other)
    office.harness.bigin.runs = False
    office.drop_corrected("incoming/fix.csv", "bad1", of=corrected)

    both = office.drop("incoming/both/people.csv", BODY + other.partition(b"\n")[2])

    waits = office.state(both)
    kept_by = holder(office, office.harness.import_of(free).import_id)
    office.harness.bigin.runs = True
    office.harness.tick(minutes=10)
    assert waits is ImportState.PREPARING
    assert kept_by is None
    assert office.state(both).is_closed


def merged_file(office: Office) -> tuple[ObjectVersion, ObjectVersion]:
    """Drop a second file, and one with the failed rows of both, of which the second's are bad."""
    second = second_file(office)
    both = joined_file(corrected(office), office.failed(second))
    return second, office.drop("incoming/merged.csv", both)


def uno(office: Office, of: ObjectVersion) -> bytes:
    return office.failed(of).replace(b",bad1@example.com,", b",uno@example.com,")


@pytest.mark.parametrize("order", [1, -1], ids=["of both first", "of one first"])
@pytest.mark.parametrize("are_beside", [False, True], ids=["after", "beside"])
def test_a_correction_of_rows_of_two_imports_is_of_the_family_of_each(
    order: int, are_beside: bool
) -> None:
    office = Office()
    second, merged = merged_file(office)

    ways = (
        ("incoming/x/fix.csv", uno(office, merged)),
        ("incoming/y/fix.csv", uno(office, second)),
    )
    if are_beside:
        drop_beside(office, *ways[::order])
    else:
        for way in ways[::order]:
            office.drop(*way)

    assert office.added["uno@example.com"] == 1


def test_an_original_that_is_mended_after_a_correction_of_rows_of_two_imports() -> None:
    office = Office()
    _, merged = merged_file(office)
    office.drop("incoming/fix.csv", uno(office, merged))

    body = b"E-mail,Surname\nuno@example.com,Uno\nfine@example.com,Due\n"
    office.drop("incoming/second.csv", body)

    assert office.added["uno@example.com"] == 1


FIRSTS = "".join(f"p{n}@example.com,P{n}\n" for n in range(20)).encode()
OTHERS = "".join(f"q{n}@example.com,Q{n}\n" for n in range(20)).encode()
HEADER, BAD, ONE = b"E-mail,Surname\n", b"bad1@example.com,One\n", b"one@example.com,One\n"


@pytest.mark.parametrize("when", ["before", "between", "after"])
@pytest.mark.parametrize("first_has_it", [True, False])
def test_a_file_that_has_grown_from_two_is_of_the_family_of_each(
    when: str, first_has_it: bool
) -> None:
    """The failed row of one of the two is corrected before, between and after its versions."""
    office = Office()
    office.harness.drop("incoming/mapping.json", MAPPING)
    key, bad = "incoming/team/grown.csv", [BAD, b""][:: 1 if first_has_it else -1]
    sources = [
        office.drop(key, HEADER + FIRSTS + bad[0]),
        office.drop(key, HEADER + OTHERS + bad[1]),
    ]
    of = sources[0 if first_has_it else 1]

    def correct(now: str) -> None:
        if when == now:
            fix = office.failed(of).replace(b",bad1@example.com,", b",one@example.com,")
            office.drop("incoming/fix.csv", fix)

    correct("before")
    office.drop(key, HEADER + FIRSTS + OTHERS + BAD)
    correct("between")
    office.drop(key, HEADER + FIRSTS + OTHERS + ONE)
    correct("after")

    assert set(office.added.values()) == {1}
    assert office.added["one@example.com"] == 1


def test_members_of_several_families_are_in_the_order_in_which_they_ran() -> None:
    one, other = Family(root="a", members=("m", "n")), Family(root="b", members=("y", "m", "z"))

    assert members_of((one, other)) == ("a", "b", "y", "m", "n", "z")
    assert members_of((one,)) == ("a", "m", "n")
    assert set(members_of((Family(root="n", members=("m", "a")), one))) == {"a", "m", "n"}


def test_by_a_field_that_is_not_unique_nothing_that_is_in_is_put_back() -> None:
    by_name = {**MAPPING, "operation": "upsert", "find_by": "Last_Name"}
    office = Office(by_name)
    office.harness.drop("incoming/other.mapping.json", by_name)
    mended = office.failed().replace(b",bad1@", b",one@").replace(b",bad2@", b",two@")
    office.drop("incoming/mended.csv", mended)
    office.drop("incoming/other.csv", b"E-mail,Surname\nzzz@example.com,One\n")

    again = office.drop("incoming/again.csv", mended)

    assert office.state(again) is ImportState.UNCHANGED
    assert office.added["two@example.com"] == 1


def test_a_row_is_not_put_back_over_a_later_one_of_its_file() -> None:
    office = Office(UPSERT)
    lenient(office)
    office.harness.drop("incoming/versions.mapping.json", UPSERT)
    rows = b"E-mail,Surname\nada@example.com,Old\nada@example.com,New\nalan@example.com,Alan\n"
    source = office.drop("incoming/versions.csv", rows)
    office.harness.drop("incoming/other.mapping.json", UPSERT)
    office.drop("incoming/other.csv", b"E-mail,Surname\nalan@example.com,Other\n")
    head, older, *_ = office.result(source, "success").splitlines(keepends=True)

    office.drop("incoming/older.csv", head + older)

    assert dict(row[:2] for row in office.harness.bigin.records())["ada@example.com"] == "New"
