"""People mend a cause and drop the same file again, or mend the file itself, or add to it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from bigin_import.corrections.family import Families
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import Job
from bigin_import.domain.locks import Family
from bigin_import.domain.states import ImportState
from bigin_import.errors import BiginOutcomeUnknownError, BiginRefusedError
from tests.fakes.fake_bigin import FakeBigin
from tests.fakes.harness import MAPPING, Harness
from tests.fakes.memory_files import MemoryFiles

KEY, SIDECAR = "incoming/contacts.csv", "incoming/mapping.json"
UPSERT: Mapping[str, object] = {**MAPPING, "operation": "upsert", "find_by": "Email"}
DONE, PARTLY, SAME = (
    ImportState.COMPLETED,
    ImportState.COMPLETED_WITH_ERRORS,
    ImportState.UNCHANGED,
)


class Died(BaseException):
    """The process ends here."""


class ChoosyBigin(FakeBigin):
    """
    Refuses some rows.

    Attributes:
        refused: Beginnings of cells that it does not take.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refused: tuple[str, ...] = ()

    def verdict(self, row: Sequence[str]) -> tuple[str, str]:
        bad = any(cell.startswith(self.refused) for cell in row) if self.refused else False
        return ("SKIPPED", "INVALID_DATA-Email") if bad else ("ADDED", "")

    def get_job(self, job_id: str) -> Job:
        job = super().get_job(job_id)
        rows = self._rows(self.made[job_id])[1:]
        bad = sum(self.verdict(row)[0] == "SKIPPED" for row in rows)
        return job if job.total is None else replace(job, added=len(rows) - bad, skipped=bad)


class Desk:
    """A deployment with one mapping for all files."""

    def __init__(self, mapping: Mapping[str, object] = MAPPING, *, refused: str = "") -> None:
        self.harness = Harness()
        self.bigin = ChoosyBigin()
        self.bigin.refused = (refused,) if refused else ()
        self.harness.bigin = self.bigin
        self.harness.drop(SIDECAR, mapping)

    def drop(self, rows: Sequence[str], key: str = KEY) -> Import:
        body = "".join(row if "," in row else f"{row},{row.title()}\n" for row in rows)
        return self.drop_bytes(f"E-mail,Surname\n{body}".encode(), key)

    def drop_bytes(self, content: bytes, key: str = KEY) -> Import:
        source = self.newest = self.harness.files.put(key, content)
        self.harness.clock.begin()
        self.harness.importer.receive(source)
        self.harness.settle()
        self.harness.tick(minutes=3)
        return self.harness.import_of(source)

    def sent(self, record: Import) -> list[str]:
        """E-mail addresses that were sent for an import."""
        jobs = [
            job_id
            for part in self.harness.ledger.load_parts(record.import_id)
            for job_id in part.job_ids
        ]
        return [row[0] for job_id in jobs for row in self.bigin._rows(self.bigin.made[job_id])[1:]]

    def last_names(self) -> dict[str, str]:
        """What Bigin has of each address, as far as it took it."""
        return {
            row[0]: row[1]
            for content in self.bigin.made.values()
            for row in self.bigin._rows(content)[1:]
            if not self.bigin.verdict(row)[1]
        }

    def rows_of(self, record: Import, file: str) -> list[dict[str, str]]:
        key = f"{record.results}contacts.{file}.csv"
        text = self.harness.files.read(key).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def report(self, record: Import) -> str:
        return self.harness.files.read(f"{record.results}report.html").decode()


TEN = [f"p{number}@example.com" for number in range(10)]


@pytest.mark.parametrize("mapping", [MAPPING, UPSERT])
def test_the_same_file_after_a_partial_failure_sends_what_is_not_in(
    mapping: Mapping[str, object],
) -> None:
    desk = Desk(mapping, refused="p7")
    first = desk.drop(TEN)
    desk.bigin.refused = ()

    again = desk.drop(TEN)

    assert (first.state, again.state) == (PARTLY, DONE)
    assert desk.sent(again) == ["p7@example.com"]
    assert again.counts is not None
    assert (again.counts.added, again.counts.existing) == (1, 9)
    assert desk.drop(TEN).state is SAME


@pytest.mark.parametrize("mapping", [MAPPING, UPSERT])
def test_a_file_whose_rows_are_all_in_by_a_correction_stays_unchanged(
    mapping: Mapping[str, object],
) -> None:
    desk, _ = corrected(mapping)

    again = [desk.drop(TEN) for _ in range(4)]

    assert [each.state for each in again] == [SAME] * 4
    assert [each.tells_unchanged for each in again] == [True, True, False, False]


def test_with_upsert_a_file_that_was_unchanged_puts_back_what_a_correction_wrote_over() -> None:
    desk, first = corrected(UPSERT)
    assert desk.drop(TEN).state is SAME
    body = desk.harness.files.read(f"{first.results}contacts.success.csv")
    desk.harness.drop("incoming/change.csv", body.replace(b",P3@Example.Com", b",Changed"))
    desk.harness.tick(minutes=3)

    assert desk.sent(desk.drop(TEN)) == ["p3@example.com"]
    assert desk.drop(TEN).state is SAME


def test_with_upsert_a_file_puts_back_what_a_correction_wrote_by_the_key_of_another_row() -> None:
    """The second row was refused and, in the failed file, given the address of the first."""
    desk = Desk(UPSERT, refused="bad")
    rows = ["ada@example.com,Byron\n", "bad@example.com,Lovelace\n", "eve@example.com,Eve\n"]
    first = desk.drop(rows)
    failed = desk.harness.files.read(f"{first.results}contacts.failed.csv")
    desk.harness.drop("incoming/fix.csv", failed.replace(b"bad@", b"ada@"))
    desk.harness.tick(minutes=3)
    desk.bigin.refused = ()

    again = desk.drop(rows)

    assert desk.sent(again) == ["ada@example.com"]
    assert "Sent again: 1 row" in desk.report(again)
    assert desk.drop(rows).state is SAME
    corrected_again = desk.drop_bytes(failed.replace(b"bad@", b"ada@"), "incoming/fix.csv")
    assert desk.sent(corrected_again) == ["ada@example.com"]
    assert desk.drop_bytes(failed.replace(b"bad@", b"ada@"), "incoming/fix.csv").state is SAME


def test_with_upsert_a_later_row_that_was_corrected_keeps_the_key_that_an_earlier_one_has() -> None:
    desk = Desk(UPSERT, refused="Lovelace")
    rows = ["ada@example.com,Byron\n", "ada@example.com,Lovelace\n", "eve@example.com,Eve\n"]
    first = desk.drop(rows)
    desk.bigin.refused = ()
    failed = desk.harness.files.read(f"{first.results}contacts.failed.csv")
    desk.harness.drop("incoming/fix.csv", failed)
    desk.harness.tick(minutes=3)

    assert desk.drop(rows).state is SAME


def test_with_upsert_a_row_is_sent_whose_key_a_correction_took_from_a_later_one() -> None:
    desk = Desk(UPSERT, refused="bad")
    rows = ["ada@example.com,bad1\n", "ada@example.com,bad2\n", "eve@example.com,Eve\n"]
    first = desk.drop(rows)
    failed = desk.harness.files.read(f"{first.results}contacts.failed.csv")
    header, _, second = failed.splitlines(keepends=True)
    mended = second.replace(b"ada@", b"bob@").replace(b"bad2", b"Bob")
    desk.harness.drop("incoming/fix.csv", header + mended)
    desk.harness.tick(minutes=3)
    desk.bigin.refused = ()

    again = desk.drop(rows)

    assert [row["Surname"] for row in desk.rows_of(again, "success")] == ["bad1", "bad2", "Eve"]
    assert desk.sent(again) == ["ada@example.com"]


def test_with_upsert_the_last_row_of_a_correction_stays_the_last_however_it_got_in() -> None:
    """Of two rows with one key the second is refused at first, and gets in by a correction."""
    desk = Desk(UPSERT, refused="bad")
    first = desk.drop(["bad1@example.com,One\n", "bad2@example.com,Two\n", "eve@example.com,Eve\n"])
    failed = desk.harness.files.read(f"{first.results}contacts.failed.csv")
    both = failed.replace(b"bad1@", b"ada@").replace(b"bad2@", b"ada@")
    desk.bigin.refused = ("Two",)
    go = desk.drop_bytes(both, "incoming/fix.csv")
    rest = desk.harness.files.read(f"{go.results}fix.failed.csv")
    desk.bigin.refused = ()
    desk.drop_bytes(rest, "incoming/rest.csv")

    desk.drop_bytes(both, "incoming/fix.csv")

    assert desk.last_names()["ada@example.com"] == "Two"


def test_with_upsert_a_later_row_of_a_file_is_put_back_with_an_earlier_one_of_its_key() -> None:
    desk = Desk(UPSERT, refused="bad")
    first = desk.drop(["ada@example.com,Byron\n", "bad@example.com,Lovelace\n"])
    failed = desk.harness.files.read(f"{first.results}contacts.failed.csv").replace(
        b"bad@", b"ada@"
    )
    success = desk.harness.files.read(f"{first.results}contacts.success.csv")
    desk.drop_bytes(failed, "incoming/fix.csv")
    row = failed.splitlines(keepends=True)[1]

    desk.drop_bytes(success + row, "incoming/both.csv")

    assert desk.last_names() == {"ada@example.com": "Lovelace"}


def test_with_upsert_a_row_is_not_sent_again_for_one_with_its_key_that_is_always_refused() -> None:
    desk = Desk(UPSERT, refused="bad")
    rows = ["ada@example.com,Ada\n", "eve@example.com,Eve\n", "eve@example.com,bad\n"]
    desk.drop(rows)

    again = [desk.drop(rows) for _ in range(3)]

    assert [len(desk.sent(each)) for each in again] == [1, 1, 1]
    assert "Sent again" not in "".join(map(desk.report, again))


def corrected(mapping: Mapping[str, object]) -> tuple[Desk, Import]:
    """Return a desk where a row was refused and its correction dropped, and the first import."""
    desk = Desk(mapping, refused="p7")
    first = desk.drop(TEN)
    desk.bigin.refused = ()
    failed = desk.harness.files.read(f"{first.results}contacts.failed.csv")
    desk.harness.drop("incoming/fix.csv", failed)
    desk.harness.tick(minutes=3)
    return desk, first


def test_rows_that_were_left_out_are_told_with_their_ids_and_how_to_send_them() -> None:
    desk = Desk(refused="p7")
    first = desk.drop(TEN)
    ids = {row["E-mail"]: row["bigin__Id"] for row in desk.rows_of(first, "success")}
    desk.bigin.refused = ()

    again = desk.drop(TEN)

    rows = [row for row in desk.rows_of(again, "success") if row["bigin__Status"] == "existing"]
    assert {row["E-mail"]: row["bigin__Id"] for row in rows} == ids
    assert all(first.import_id in row["bigin__Reason"] for row in rows)
    assert f'"force": "{first.import_id}"' in desk.report(again).replace("&#34;", '"')


def test_a_failure_that_is_repeated_loses_nothing() -> None:
    desk = Desk(refused="p7")
    records = [desk.drop(TEN) for _ in range(3)]
    desk.bigin.refused = ()
    last = desk.drop(TEN)

    assert [record.state for record in records] == [PARTLY, PARTLY, PARTLY]
    assert [desk.sent(record) for record in records[1:]] == [["p7@example.com"]] * 2
    assert last.state is DONE
    assert desk.sent(last) == ["p7@example.com"]


def test_a_row_is_not_sent_again_whose_key_a_later_row_of_the_file_has_got_in() -> None:
    desk = Desk(UPSERT, refused="p1")
    rows = ["x@example.com,p1\n", "y@example.com,p2\n", " X@example.com,p3\n"]

    first = desk.drop(rows)
    desk.bigin.refused = ()
    again = desk.drop(rows)

    assert (first.state, again.state) == (PARTLY, SAME)
    assert "a later row with the same key" in desk.report(again)


@pytest.mark.parametrize(
    "key",
    [
        KEY,
        "incoming/contacts (1).csv",
        "incoming/Contacts - Copy.csv",
        "incoming/contacts_2026-11-28.csv",
    ],
)
def test_a_mended_original_adds_each_row_once(key: str) -> None:
    desk = Desk(refused="bad")
    first = desk.drop([*TEN, "bad@example.com"])

    mended = desk.drop([*TEN, "good@example.com"], key)

    assert (first.state, mended.state) == (PARTLY, DONE)
    assert desk.sent(mended) == ["good@example.com"]


def test_the_same_file_plus_a_row_adds_the_row() -> None:
    desk = Desk()
    desk.drop(TEN)

    assert desk.sent(desk.drop([*TEN, "one@example.com"])) == ["one@example.com"]


def test_a_copy_of_a_file_is_unchanged() -> None:
    desk = Desk()
    first = desk.drop(TEN)

    copy = desk.drop(TEN, "incoming/contacts (1).csv")

    assert (copy.state, copy.winner) == (SAME, first.import_id)


def test_a_nightly_file_may_repeat_a_line() -> None:
    desk = Desk()
    desk.drop(TEN, "incoming/orders-2026-11-27.csv")

    night = desk.drop([TEN[0], "x@example.com"], "incoming/orders-2026-11-28.csv")

    assert desk.sent(night) == [TEN[0], "x@example.com"]
    assert "Sent: 1 row equal to rows that import" in desk.report(night)


def test_an_original_whose_event_comes_after_that_of_its_grown_version_adds_nothing() -> None:
    desk = Desk()
    body = b"E-mail,Surname\np0@example.com,Zero\np1@example.com,One\n"
    late = desk.harness.files.put(KEY, body)
    grown = desk.drop(["p0@example.com,Zero\n", "p1@example.com,One\n", "p2@example.com,Two\n"])

    desk.harness.clock.begin()
    desk.harness.importer.receive(late)
    desk.harness.tick(minutes=3)

    assert grown.state is DONE
    assert desk.harness.import_of(late).state is SAME
    assert [row[1] for row in desk.bigin.records()] == ["Zero", "One", "Two"]


def test_an_original_adds_nothing_beside_its_grown_version_that_was_on_hold() -> None:
    desk = Desk()
    body = b"E-mail,Surname\np0@example.com,Zero\np1@example.com,One\n"
    late = desk.harness.files.put(KEY, body)
    ask = desk.bigin.get_job
    desk.bigin.get_job = lambda job_id: replace(ask(job_id), ignore_empty=False)  # type: ignore[method-assign]
    source = desk.harness.files.put(KEY, body + b"p2@example.com,Two\n")
    desk.harness.clock.begin()
    desk.harness.importer.receive(source)
    desk.bigin.get_job = ask  # type: ignore[method-assign]
    assert desk.harness.import_of(source).state is ImportState.ON_HOLD

    desk.harness.clock.begin()
    desk.harness.importer.receive(late)
    desk.harness.tick(minutes=3)

    assert desk.harness.import_of(late).state is SAME
    assert [row[1] for row in desk.bigin.records()] == ["Zero", "One", "Two"]


def test_an_original_is_asked_about_whose_grown_version_is_in_by_other_columns() -> None:
    desk = Desk()
    late = desk.harness.files.put(KEY, b"E-mail,Surname\np0@example.com,Zero\n")
    grown = desk.drop(["p0@example.com,Zero\n", "p1@example.com,One\n"])
    desk.harness.drop(SIDECAR, {**MAPPING, "columns": {"Surname": "Last_Name"}})

    desk.harness.clock.begin()
    desk.harness.importer.receive(late)
    desk.harness.tick(minutes=3)

    assert grown.state is DONE
    assert desk.harness.import_of(late).state is ImportState.REJECTED
    assert f"import {grown.import_id} has got 1 row of this file in" in (
        desk.harness.notices.published[-1].body
    )


def test_a_row_that_comes_back_to_a_grown_file_is_in_through_an_old_version() -> None:
    desk = Desk(refused="bad")
    desk.drop([*TEN, "back@example.com", "bad@example.com"])
    grown = [f"q{number}@example.com" for number in range(5)]
    for count in range(1, 5):
        desk.drop([*TEN, *grown[:count], "bad@example.com"])

    last = desk.drop([*TEN, *grown, "back@example.com"])

    assert desk.sent(last) == ["q4@example.com"]


def test_a_corrected_row_that_comes_back_to_a_grown_file_is_in_through_its_correction() -> None:
    desk = Desk(refused="bad")
    first = desk.drop([*TEN, "bad@example.com"])
    failed = desk.harness.files.read(f"{first.results}contacts.failed.csv")
    desk.harness.drop("incoming/fix.csv", failed.replace(b"bad@", b"good@"))
    desk.harness.tick(minutes=3)
    grown = [f"q{number}@example.com" for number in range(5)]
    for count in range(1, 5):
        desk.drop([*TEN, *grown[:count]])

    last = desk.drop([*TEN, *grown, "good@example.com,Bad@Example.Com\n"])

    assert desk.sent(last) == ["q4@example.com"]


def test_of_a_file_that_grows_every_night_each_relative_is_read_once_or_twice() -> None:
    """Its own kept rows are read; those of its relatives once more if rows had failed."""
    desk = Desk(refused="bad")
    nights = 30
    files, reads = desk.harness.files, list[str]()
    read = files.read

    def noted(key: str, *, version_id: str | None = None, at_most: int = 1_000_000) -> bytes:
        reads.append(key)
        return read(key, version_id=version_id, at_most=at_most)

    files.read = noted  # type: ignore[method-assign]
    for night in range(nights):
        reads.clear()
        desk.drop([*TEN, "bad@example.com", *(f"q{each}@example.com" for each in range(night))])

    assert sum(key.endswith("rows.csv.gz") for key in reads) <= 3 * nights


def test_another_name_is_another_file() -> None:
    desk = Desk()
    desk.drop(TEN)

    assert desk.sent(desk.drop([*TEN, "x@example.com"], "incoming/guests.csv")) == [
        *TEN,
        "x@example.com",
    ]


def test_force_sends_them_all_the_same() -> None:
    desk = Desk()
    first = desk.drop(TEN)
    desk.harness.drop(SIDECAR, {**MAPPING, "force": first.import_id})

    assert desk.sent(desk.drop([*TEN, "x@example.com"])) == [*TEN, "x@example.com"]


def test_rows_are_left_out_from_several_earlier_imports() -> None:
    desk = Desk()
    desk.drop(TEN)
    more = [f"q{number}@example.com" for number in range(5)]
    desk.drop(more)

    assert desk.sent(desk.drop([*TEN, "new@example.com", *more])) == ["new@example.com"]


def test_a_copy_waits_for_the_file_that_is_under_way() -> None:
    desk = Desk()
    desk.bigin.runs = False
    desk.drop(TEN)
    copy = desk.drop([*TEN, "x@example.com"], "incoming/contacts (1).csv")
    assert copy.state is ImportState.PREPARING
    desk.bigin.runs = True

    desk.harness.tick(minutes=40)

    record = desk.harness.import_of(copy.source)
    assert record.state is DONE
    assert desk.sent(record) == ["x@example.com"]


def test_a_copy_adds_no_row_whose_correction_ends_while_the_rows_are_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk(refused="p7")
    first = desk.drop(TEN)
    desk.bigin.refused = ()
    desk.bigin.runs = False
    failed = desk.harness.files.read(f"{first.results}contacts.failed.csv")
    desk.harness.drop("incoming/fix.csv", failed)
    join = Families.join

    def end_and_join(families: Families, record: Import, seen: Family) -> Family:
        monkeypatch.setattr(Families, "join", join)
        desk.bigin.runs = True
        desk.harness.tick(minutes=3)
        return join(families, record, seen)

    monkeypatch.setattr(Families, "join", end_and_join)
    copy = desk.drop([*TEN, "x@example.com"], "incoming/contacts (1).csv")
    desk.bigin.runs = True
    desk.harness.tick(minutes=40)

    assert desk.sent(copy) == ["x@example.com"]
    assert desk.harness.import_of(copy.source).state is DONE


def test_an_unclear_row_of_an_insert_is_not_sent_again_but_named() -> None:
    desk = Desk()
    desk.bigin.after_effect.append(BiginOutcomeUnknownError("no answer"))
    first = desk.drop(TEN)
    desk.harness.tick(minutes=120)
    held = desk.harness.import_of(first.source)
    assert held.held_at is not None
    desk.harness.tick(minutes=15 * 24 * 60)
    given_up = desk.harness.import_of(first.source)
    assert given_up.counts is not None
    assert given_up.counts.unclear == 10

    again = desk.drop([*TEN, "x@example.com"])

    assert desk.sent(again) == ["x@example.com"]
    assert again.state is PARTLY
    assert len(desk.rows_of(again, "unclear")) == 10


def test_a_failure_of_the_rest_gives_the_content_back_to_the_import_before() -> None:
    desk = Desk(UPSERT, refused="p7")
    first = desk.drop(TEN)
    refusal = BiginRefusedError(code="X", message="no", resolution="", concerns_mapping=True)
    desk.bigin.fail("create_job", refusal)
    failed = desk.drop(TEN)
    desk.bigin.refused = ()

    last = desk.drop(TEN)

    assert (first.state, last.state) == (PARTLY, DONE)
    assert failed.counts is not None
    assert failed.counts.unprocessed == 1
    assert desk.sent(last) == ["p7@example.com"]


@pytest.mark.parametrize("call", ["load", "save"])
@pytest.mark.parametrize("at", range(1, 25))
def test_a_process_that_dies_anywhere_adds_no_row_twice(call: str, at: int) -> None:
    desk = Desk(refused="p7")
    desk.drop(TEN)
    desk.bigin.refused = ()
    left = [at]

    def die(moment: str, name: str, _: object) -> None:
        left[0] -= moment == "after" and name == call
        if left[0] == 0 and moment == "after" and name == call:
            left[0] = -1_000_000
            raise Died

    desk.harness.ledger._hook = die
    try:
        again = desk.drop(TEN)
    except Died:
        desk.harness.tick(minutes=60)
        again = desk.harness.import_of(desk.newest)

    sent = [row[0] for row in desk.bigin.records()[10:]]
    # One that dies with its create under way leaves to a person what nobody can know.
    assert again.state in (DONE, ImportState.ON_HOLD)
    assert sent == [TEN[7]] if again.state is DONE else sent in ([], [TEN[7]])


def test_a_mapping_that_was_changed_between_is_no_reason_to_add_rows_twice() -> None:
    desk = Desk(refused="p7")
    desk.drop(TEN)
    desk.bigin.refused = ()
    columns = [
        {"column": "E-mail", "api_name": "Email"},
        {"column": "Surname", "api_name": "Last_Name", "values": {"X": "Y"}},
    ]
    entries = {"module": "Contacts", "operation": "insert", "field_mappings": columns}
    desk.harness.drop(SIDECAR, entries)

    assert desk.sent(desk.drop(TEN)) == ["p7@example.com"]


def test_the_rows_of_another_module_are_others() -> None:
    desk = Desk()
    desk.drop(TEN)
    desk.bigin.module_fields["Leads"] = desk.bigin.module_fields["Contacts"]
    desk.harness.drop(SIDECAR, {**MAPPING, "module": "Leads"})

    assert len(desk.sent(desk.drop(TEN))) == 10


def test_what_is_left_out_is_read_from_what_was_decided() -> None:
    desk = Desk()
    first = desk.drop(TEN)
    desk.bigin.runs = False
    grown = desk.drop([*TEN, "x@example.com"])
    for key in list(desk.harness.files.versions):
        if key.startswith(first.results or ""):
            del desk.harness.files.versions[key]
    desk.bigin.runs = True
    desk.harness.tick(minutes=40)

    closed = desk.harness.import_of(grown.source)
    assert closed.state is DONE
    assert closed.counts is not None
    assert (closed.counts.added, closed.counts.existing) == (1, 10)


def test_a_drop_that_is_removed_before_its_results_were_written_tells_what_was_left_out() -> None:
    desk = Desk()
    desk.drop(TEN)
    desk.bigin.runs = False
    grown = desk.drop([*TEN, "x@example.com"])
    desk.harness.files.versions[KEY].pop()
    desk.bigin.runs = True
    desk.harness.tick(minutes=40)

    counts = desk.harness.import_of(grown.source).counts
    assert counts is not None
    assert (counts.added, counts.existing) == (1, 10)


def test_an_insert_of_a_file_that_is_in_by_other_columns_is_asked_about() -> None:
    desk = Desk()
    first = desk.drop(TEN)
    desk.harness.drop(SIDECAR, {**MAPPING, "columns": {"Surname": "Last_Name"}})

    again = desk.drop(TEN)
    told = desk.harness.notices.published[-1].body
    forced = {**MAPPING, "columns": {"Surname": "Last_Name"}, "force": first.import_id}
    desk.harness.drop(SIDECAR, forced)
    desk.harness.tick(minutes=5)

    assert again.state is ImportState.REJECTED
    assert f"import {first.import_id} has got 10 rows of exactly this file in" in told
    assert '"operation": "upsert"' in told
    assert f'"force": "{first.import_id}"' in told
    assert len(desk.bigin.records()) == 20


def test_an_insert_of_a_mended_file_that_is_in_by_other_columns_is_asked_about() -> None:
    desk = Desk(refused="bad")
    first = desk.drop([*TEN, "bad@example.com"])
    fewer = {**MAPPING, "columns": {"Surname": "Last_Name"}}
    desk.harness.drop(SIDECAR, fewer)

    mended = desk.drop([*TEN, "good@example.com"])
    told = desk.harness.notices.published[-1].body
    sent = len(desk.bigin.records())
    desk.harness.drop(SIDECAR, {**fewer, "force": first.import_id})
    desk.harness.tick(minutes=5)

    assert mended.state is ImportState.REJECTED
    assert f"import {first.import_id} has got 10 rows of this file in" in told
    assert sent == 11
    assert len(desk.bigin.records()) == 22


def test_another_file_of_that_name_is_sent_by_other_columns() -> None:
    desk = Desk()
    desk.drop(TEN)
    desk.harness.drop(SIDECAR, {**MAPPING, "columns": {"Surname": "Last_Name"}})

    night = desk.drop([*TEN[:8], "x@example.com", "y@example.com"])

    assert night.state is DONE


def test_a_file_without_a_column_that_was_mapped_is_another_file() -> None:
    desk = Desk()
    desk.drop(TEN)
    desk.harness.drop(SIDECAR, {**MAPPING, "columns": {"Surname": "Last_Name"}})

    body = "".join(f"{row.title()}\n" for row in [*TEN, "x@example.com"])
    source = desk.harness.drop(KEY, f"Surname\n{body}".encode())
    desk.harness.tick(minutes=5)

    assert desk.harness.import_of(source).state is DONE


def test_an_upsert_of_a_file_that_is_in_by_other_columns_is_sent() -> None:
    desk = Desk()
    desk.drop(TEN)
    desk.harness.drop(SIDECAR, UPSERT)

    assert desk.drop(TEN).state is DONE


PHONES: Mapping[str, object] = {
    **MAPPING,
    "columns": {"E-mail": "Email", "Surname": "Last_Name", "Phone": "Phone"},
}


def with_phones(phones: Sequence[str]) -> bytes:
    rows = (f"{each},{each.title()},{phone}\n" for each, phone in zip(TEN, phones, strict=True))
    return ("E-mail,Surname,Phone\n" + "".join(rows)).encode()


@pytest.mark.parametrize("untouched", [0, 4])
def test_an_original_that_a_spreadsheet_has_rewritten_is_asked_about(untouched: int) -> None:
    """It takes the zero away from each number that has one."""
    whole = [f"{number < untouched or 0:d}30123{number}" for number in range(10)]
    desk = Desk(PHONES, refused="P7")
    first = desk.drop_bytes(with_phones(whole))
    desk.bigin.refused = ()

    saved = desk.drop_bytes(with_phones([phone.lstrip("0") for phone in whole]))

    assert (first.state, saved.state) == (PARTLY, ImportState.REJECTED)
    told = desk.report(saved).replace("&#34;", '"')
    assert f"it is the file of import {first.import_id}" in told
    assert 'removed leading zeros in column "Phone"' in told
    desk.harness.drop(SIDECAR, {**PHONES, "force": first.import_id})
    desk.harness.tick(minutes=5)
    assert len(desk.bigin.records()) == len(TEN) * 2


def test_one_row_of_a_nightly_file_is_no_rewritten_file() -> None:
    desk = Desk(PHONES)
    desk.drop_bytes(with_phones([f"0{number}5" for number in range(10)]))

    night = desk.drop_bytes(b"E-mail,Surname,Phone\np1@example.com,P1@Example.Com,15\n")

    assert night.state is DONE


LOST = pytest.mark.parametrize(
    ("what", "gone"),
    [
        ("drop", "removed"),
        ("drop", "archived"),
        ("plan", "removed"),
        ("plan", "replaced"),
        ("plan", "archived"),
    ],
)


def lose(files: MemoryFiles, key: str, how: str) -> None:
    match how:
        case "removed":
            files.versions.pop(key)
        case "replaced":
            files.put(key, b"something else")
        case _:
            files.unreadable.add((key, files.versions[key][-1].source.version_id))


@LOST
def test_another_file_is_sent_though_the_one_before_it_cannot_be_read(what: str, gone: str) -> None:
    desk = Desk(PHONES)
    before = desk.drop_bytes(with_phones([f"030123{number}" for number in range(10)]))
    files = desk.harness.files
    (plan,) = (key for key in files.versions if before.import_id in key and "plan" in key)
    key = before.source.key if what == "drop" else plan
    lose(files, key, gone)

    night = desk.drop_bytes(b"E-mail,Surname,Phone\nq@example.com,Q,77\nr@example.com,R,78\n")

    assert night.state is DONE


@LOST
@pytest.mark.parametrize("mapping", [MAPPING, UPSERT])
def test_a_correction_is_sent_though_what_it_corrects_cannot_be_read(
    mapping: Mapping[str, object], what: str, gone: str
) -> None:
    desk = Desk(mapping, refused="p7")
    first = desk.drop(TEN)
    files = desk.harness.files
    failed = files.read(f"{first.results}contacts.failed.csv")
    (plan,) = (key for key in files.versions if first.import_id in key and "plan" in key)
    lose(files, KEY if what == "drop" else plan, gone)
    desk.bigin.refused = ()

    fix = desk.drop_bytes(failed, "incoming/fix.csv")

    assert fix.state is DONE
    assert desk.sent(fix) == ["p7@example.com"]


def test_a_nightly_file_of_the_same_people_is_no_rewritten_one() -> None:
    desk = Desk(PHONES)
    desk.drop_bytes(with_phones([f"030123{number}" for number in range(10)]))

    again = desk.drop_bytes(with_phones([f"040123{number}" for number in range(10)]))

    assert again.state is DONE


def test_rows_that_are_not_in_are_sent_though_a_spreadsheet_has_rewritten_them() -> None:
    """A person kept only what had failed of a file."""
    whole = [f"030123{number}" for number in range(10)]
    desk = Desk(PHONES, refused="P")
    desk.bigin.refused = tuple(f"P{number}" for number in range(5))
    desk.drop_bytes(with_phones(whole))
    desk.bigin.refused = ()
    header, *rows = with_phones([phone.lstrip("0") for phone in whole]).splitlines(keepends=True)

    rest = desk.drop_bytes(header + b"".join(rows[:5]))

    assert rest.state is DONE
