"""`force` lets one import repeat what is in, and no other: nor the corrections of that one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from bigin_import.deduplication import claims
from bigin_import.domain.locks import ContentClaim
from bigin_import.domain.states import ImportState
from bigin_import.stored_plan import read_plan
from tests.fakes.fake_bigin import Verdict
from tests.fakes.harness import MAPPING
from tests.fakes.refusing_bigin import RefusingBigin
from tests.unit.use_cases.test_families import BODY, KEY, SIDECAR, Office, judge, lenient

FOLDER, COPY = "incoming/mapping.json", "incoming/people (1).csv"
MENDED = BODY.replace(b"bad1@", b"one@")
ALL_MENDED = MENDED.replace(b"bad2@", b"two@")
USED = "works once"
REFUSED: Verdict = ("SKIPPED", "INVALID_DATA-Email")


class Forced(Office):
    """
    People who had a file repeated that was partly refused.

    Attributes:
        first: Id of the import that was repeated.
        forced: The drop that repeated it.
    """

    def __init__(self, mapping: Mapping[str, object] = MAPPING) -> None:
        super().__init__(mapping)
        self.mapping = mapping
        self.first = self.harness.import_of(self.source).import_id
        self.harness.drop(SIDECAR, {**mapping, "force": self.first})
        self.forced = self.drop(KEY, BODY)

    @property
    def last_notice(self) -> str:
        return " ".join(self.harness.notices.published[-1].body.split())


def let_judge(office: Office, judges: Callable[[Sequence[str]], Verdict]) -> None:
    assert isinstance(office.harness.bigin, RefusingBigin)
    office.harness.bigin.judge = judges


def test_a_forced_import_that_failed_in_part_is_corrected_in_two_goes() -> None:
    office = Forced()

    office.drop_corrected("incoming/fix.csv", "bad1", of=office.forced)
    last = office.drop_corrected("incoming/fix.csv", "bad1", "bad2", of=office.forced)

    assert office.state(last) is ImportState.COMPLETED
    assert office.added == {"one@example.com": 1, "two@example.com": 1, "ok@example.com": 2}


def test_rows_that_a_forced_import_did_not_get_in_are_sent_though_the_first_has_them() -> None:
    office = Office()
    first = office.harness.import_of(office.source).import_id
    office.harness.drop(SIDECAR, {**MAPPING, "force": first})
    let_judge(office, lambda row: REFUSED if row[1] == "Three" else judge(row))
    forced = office.drop(KEY, MENDED)
    let_judge(office, judge)

    again = office.drop("incoming/fix.csv", office.failed(forced))

    assert office.state(again) is ImportState.COMPLETED_WITH_ERRORS
    assert jobs_of(office)[-1] == ["bad2", "ok"]


@pytest.mark.parametrize("is_taken_out", [False, True])
def test_rows_that_a_forced_import_got_in_are_not_sent_by_its_result_files(
    is_taken_out: bool,
) -> None:
    office = Forced()
    if is_taken_out:
        office.harness.drop(SIDECAR, MAPPING)

    again = office.drop("incoming/success.csv", office.result(office.forced, "success"))

    assert office.state(again) is ImportState.UNCHANGED
    assert office.added == {"ok@example.com": 2}


def test_a_result_file_with_a_mapping_of_its_own_is_told_that_force_does_not_count() -> None:
    office = Forced()
    office.harness.drop("incoming/ok.mapping.json", {**MAPPING, "force": office.first})

    again = office.drop("incoming/ok.csv", office.result(office.forced, "success"))

    assert office.state(again) is ImportState.UNCHANGED
    assert office.added == {"ok@example.com": 2}
    assert '"force" in the mapping does not count for a result file' in office.last_notice


def jobs_of(office: Office) -> list[list[str]]:
    """Return the addresses that each job has sent, whatever became of them."""
    bigin = office.harness.bigin
    return [[row[0].split("@")[0] for row in bigin._rows(job)[1:]] for job in bigin.made.values()]


@pytest.mark.parametrize("key", [KEY, COPY])
def test_mended_versions_add_no_row_again_while_force_is_still_in_the_mapping(key: str) -> None:
    office = Forced()
    office.harness.drop(FOLDER, {**MAPPING, "force": office.first})
    forced = office.harness.import_of(office.forced).import_id

    office.drop(key, MENDED)
    told = office.last_notice
    last = office.drop(key, ALL_MENDED)

    assert office.state(last) is ImportState.COMPLETED
    assert office.added == {"one@example.com": 1, "two@example.com": 1, "ok@example.com": 2}
    assert USED in told
    assert f'write "force": "{forced}"' in told


@pytest.mark.parametrize("order", [1, -1], ids=["mended first", "correction first"])
def test_a_mended_version_and_a_correction_of_a_forced_import_add_every_row_once(
    order: int,
) -> None:
    office = Forced()
    office.harness.drop(SIDECAR, MAPPING)
    fix = office.failed(office.forced).replace(b",bad1@example.com,", b",one@example.com,")

    for key, body in ((KEY, MENDED), ("incoming/fix.csv", fix))[::order]:
        office.drop(key, body)

    assert office.added == {"one@example.com": 1, "ok@example.com": 2}


@pytest.mark.parametrize("is_taken_out", [False, True])
def test_the_same_file_once_more_sends_what_the_forced_import_did_not_get_in(
    is_taken_out: bool,
) -> None:
    office = Office()
    first = office.harness.import_of(office.source).import_id
    office.harness.drop(SIDECAR, {**MAPPING, "force": first})
    let_judge(office, lambda row: REFUSED if row[1] == "One" else ("ADDED", ""))
    office.drop(KEY, BODY)
    if is_taken_out:
        office.harness.drop(SIDECAR, MAPPING)
    lenient(office)

    last = office.drop(KEY, BODY)
    same = office.drop(KEY, BODY)

    assert office.state(last) is ImportState.COMPLETED
    assert office.state(same) is ImportState.UNCHANGED
    assert jobs_of(office)[1:] == [["bad1", "bad2", "ok"], ["bad1"]]


def test_a_forced_import_is_repeated_by_its_own_id() -> None:
    office = Forced()
    forced = office.harness.import_of(office.forced).import_id
    office.harness.drop(SIDECAR, {**MAPPING, "force": forced})

    office.drop(KEY, BODY)

    assert office.added == {"ok@example.com": 3}


def refuse_all(office: Office) -> None:
    let_judge(office, lambda _row: REFUSED)


def test_force_counts_again_after_an_import_that_wrote_nothing() -> None:
    office = Office()
    first = office.harness.import_of(office.source).import_id
    office.harness.drop(SIDECAR, {**MAPPING, "force": first})
    refuse_all(office)
    failed = office.drop(KEY, BODY)
    lenient(office)

    office.drop(KEY, BODY)

    assert office.state(failed) is ImportState.FAILED
    assert jobs_of(office)[-1] == ["bad1", "bad2", "ok"]


@pytest.mark.parametrize("body", [BODY, MENDED], ids=["same", "mended"])
def test_force_that_is_taken_out_after_it_wrote_nothing_repeats_nothing(body: bytes) -> None:
    office = Office()
    first = office.harness.import_of(office.source).import_id
    office.harness.drop(SIDECAR, {**MAPPING, "force": first})
    refuse_all(office)
    office.drop(KEY, BODY)
    office.harness.drop(SIDECAR, MAPPING)
    let_judge(office, judge)

    office.drop(KEY, body)

    assert "ok" not in jobs_of(office)[-1]


def test_with_upsert_force_counts_once_too() -> None:
    office = Forced({**MAPPING, "operation": "upsert", "find_by": "Email"})

    again = office.drop(KEY, BODY)

    assert office.state(again) in {ImportState.COMPLETED_WITH_ERRORS, ImportState.FAILED}
    assert [len(rows) for rows in jobs_of(office)] == [3, 3, 2]


def forced_by_the_release_before(office: Forced) -> None:
    """Let the ledger stand as the release before would have left it."""
    ledger, record = office.harness.ledger, office.harness.import_of(office.forced)
    held = [each for each in ledger.records.values() if isinstance(each, ContentClaim)]
    mine = [each for each in held if each.import_id == record.import_id]
    for each in mine:
        ledger.delete(each)
    plan = read_plan(office.harness.files, record)
    name = claims.claim_of_release_before(
        record.source,
        plan.cut.content_sha256,
        plan.columns,
        parent="",
        force=office.first,
    )
    ledger.restore(ContentClaim(digest=name, import_id=record.import_id, version=1))


def test_what_the_release_before_repeated_is_not_repeated_again() -> None:
    office = Forced()
    forced_by_the_release_before(office)
    lenient(office)

    office.drop(KEY, BODY)

    assert jobs_of(office)[2:] == [["bad1", "bad2"]]
    assert USED in office.last_notice


def test_a_dry_run_does_not_use_force_up() -> None:
    office = Office()
    first = office.harness.import_of(office.source).import_id
    office.harness.drop(SIDECAR, {**MAPPING, "force": first, "dry_run": True})
    office.drop(KEY, BODY)
    office.harness.drop(SIDECAR, {**MAPPING, "force": first})

    office.drop(KEY, BODY)

    assert office.added == {"ok@example.com": 2}
