"""Report, notice and import.json of whole imports: what people read is what happened."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import Field
from bigin_import.domain.states import ImportState
from bigin_import.errors import BiginOutcomeUnknownError, BiginRefusedError, BiginUnreachableError
from bigin_import.importing.decisions import Decision
from bigin_import.ledger import update
from tests.fakes.fake_bigin import Verdict
from tests.fakes.harness import MAPPING, ROWS, Harness
from tests.fakes.refusing_bigin import RefusingBigin

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"
CHECKED = "incoming/_check/contacts.csv"
UPSERT: dict[str, Any] = {**MAPPING, "operation": "upsert", "find_by": "Email"}
LOST = BiginOutcomeUnknownError("read timed out")
NO_LAYOUT_FIELD = BiginRefusedError(
    code="MANDATORY_FIELDS_NOT_MAPPED",
    message="All mandatory fields are not mapped",
    resolution="Map Lead_Source",
    concerns_mapping=True,
)
TOO_MANY = BiginRefusedError(
    code="LIMIT_EXCEEDED", message="Too many records", resolution="Make room"
)
STATUSES = ("added", "updated", "existing", "refused", "unprocessed", "invalid", "unclear")


def judge(row: Sequence[str]) -> Verdict:
    """Refuse a Turing, update a Hopper."""
    if "Turing" in row:
        return "SKIPPED", "DUPLICATE_DATA-Email"
    return ("UPDATED" if "Hopper" in row else "ADDED"), ""


@dataclass
class Reported:
    """One drop in an application of its own, and what came of it."""

    harness: Harness
    source: ObjectVersion

    @property
    def import_id(self) -> str:
        return self.harness.import_of(self.source).import_id

    @property
    def first_lines(self) -> list[str]:
        return self.harness.notices.published[-1].body.splitlines()[:2]

    @property
    def notice(self) -> str:
        return self.harness.notices.published[-1].body

    @property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.harness.result(self.source, "import.json"))
        return facts

    @property
    def report(self) -> str:
        return self.harness.result(self.source, "report.html").decode()


def dropped(
    prepare: Callable[[Harness], object] = lambda _: None,
    *,
    mapping: dict[str, Any] | None = None,
    body: bytes = ROWS,
    key: str = CSV,
    max_rows: int = 25_000,
    minutes: int = 3,
) -> Reported:
    """Drop *body* into an application that *prepare* has changed, and let time pass."""
    harness = SmallParts(max_rows)
    harness.bigin = RefusingBigin()
    prepare(harness)
    harness.drop(SIDECAR, mapping or dict(MAPPING))
    source = harness.drop(key, body)
    harness.tick(minutes)
    return Reported(harness, source)


class SmallParts(Harness):
    """A harness whose parts hold few rows."""

    def __init__(self, max_rows: int) -> None:
        super().__init__()
        self.max_rows = max_rows

    @property
    def importer(self) -> Any:  # noqa: ANN401 - the Importer, with another Preparer
        usual = super().importer
        return replace(usual, preparer=replace(usual.preparer, max_rows=self.max_rows))


def judging(harness: Harness) -> None:
    harness.bigin = RefusingBigin(judge)


def refusing(harness: Harness) -> None:
    harness.bigin.fail("create_job", NO_LAYOUT_FIELD)


def losing(harness: Harness) -> None:
    harness.bigin.after_effect.append(LOST)


def failing(harness: Harness) -> None:
    harness.bigin = RefusingBigin()
    harness.bigin.failed["7000"] = "Storage is full"


@pytest.mark.parametrize(
    ("reported", "first", "second"),
    [
        (
            dropped,
            "All 2 rows of contacts.csv are in Bigin: 2 added.",
            "Nothing to do.",
        ),
        (
            lambda: dropped(judging),
            "1 of 2 rows of contacts.csv is in Bigin, 1 is not.",
            "Correct contacts.failed.csv and drop it under incoming/.",
        ),
        (
            lambda: dropped(failing),
            "0 of 2 rows of contacts.csv are in Bigin, 0 are not, and 2 are unclear.",
            "Do not drop contacts.unclear.csv; look for its rows in Bigin first.",
        ),
        (
            lambda: dropped(refusing),
            "contacts.csv was not imported: nothing was written to Bigin.",
            "Mend the cause named below, then drop contacts.csv again.",
        ),
        (
            lambda: dropped(mapping={**MAPPING, "columns": {"E-mail": "Email", "X": "Last_Name"}}),
            "contacts.csv was not imported: one problem was found, and nothing was sent to Bigin.",
            (
                "Correct what is listed below and drop the file again; where only the mapping is "
                "wrong, dropping the corrected mapping imports the newest version of the "
                "file; an older one needs its command below."
            ),
        ),
        (
            lambda: dropped(losing, minutes=70),
            (
                "contacts.csv waits for a decision: Bigin never said whether it made the job of "
                "part 1; look there first."
            ),
            "Do not drop the file again. Look in Bigin, then give one of the commands below.",
        ),
        (
            lambda: dropped(key=CHECKED),
            "Nothing was sent. contacts.csv was only checked.",
            (
                "If the check below looks right, drop the file under incoming/, outside of _check/ "
                "and with no dry_run in the mapping."
            ),
        ),
    ],
    ids=["completed", "errors", "failed job", "refused", "rejected", "on hold", "dry run"],
)
def test_the_first_lines_say_what_happened_and_what_to_do(
    reported: Callable[[], Reported], first: str, second: str
) -> None:
    assert reported().first_lines == [first, second]


def test_the_same_drop_again_is_told_once_and_then_only_in_its_report() -> None:
    reported = dropped()
    for _ in range(2):
        again = Reported(reported.harness, reported.harness.drop(CSV, ROWS))
        reported.harness.tick(minutes=3)

    assert again.facts["state"] == ImportState.UNCHANGED
    assert again.facts["winner"] == reported.facts["import_id"]
    assert "was imported before, with the same mapping" in again.report
    subjects = [notice.subject for notice in reported.harness.notices.published]
    assert subjects == ["Imported: contacts.csv", "Unchanged: contacts.csv"]


@pytest.mark.parametrize(
    ("reported", "counts"),
    [
        (lambda: dropped(judging), {"added": 1, "refused": 1}),
        (lambda: dropped(refusing), {"unprocessed": 2}),
        (lambda: dropped(failing), {"unclear": 2}),
        (
            lambda: dropped(
                mapping={**UPSERT, "on_bad_rows": "50%"}, body=ROWS + b",Hopper\n", max_rows=1
            ),
            {"added": 2, "invalid": 1},
        ),
    ],
    ids=["refused row", "refused job", "failed job", "invalid row"],
)
def test_every_row_is_counted_once(
    reported: Callable[[], Reported], counts: dict[str, int]
) -> None:
    facts = reported().facts

    assert {status: facts[status] for status in STATUSES if facts[status]} == counts
    assert sum(counts.values()) == facts["rows"]
    files = [file["rows"] for name, file in facts["files"].items() if name != "report"]
    assert sum(files) == facts["rows"]
    parts = [part["counts"] for part in facts["parts"]]
    counted = sum(part[status] for part in parts for status in STATUSES)
    assert counted == facts["rows"] - facts["invalid"]


def test_a_refused_mapping_costs_nothing_and_names_the_cause_once_for_all_its_rows() -> None:
    reported = dropped(refusing, max_rows=1)

    assert reported.facts["credits"] == 0
    assert reported.facts["jobs"] == 0
    assert [part["state"] for part in reported.facts["parts"]] == ["REFUSED", "REFUSED"]
    assert [reason["code"] for reason in reported.facts["reasons"]] == [
        "MANDATORY_FIELDS_NOT_MAPPED",
        "NOT_SENT",
    ]
    assert "Bigin refused these rows as a whole: NOT_SENT" not in reported.notice
    assert "Not sent, because Bigin refused another part" in reported.notice


def test_a_job_that_may_have_been_made_is_counted_among_the_credits() -> None:
    reported = dropped(losing, minutes=70)

    reported.harness.decisions.give_up(reported.import_id, 1, 1)
    reported.harness.tick(minutes=3)

    (part,) = reported.facts["parts"]
    assert (part["state"], part["credits"], part["job_ids"]) == ("GIVEN_UP", 500, [])
    assert "Bigin never said whether it made the job" in part["note"]
    assert "Bigin never said whether it made the job" in reported.facts["reasons"][0]["what"]
    assert reported.facts["unclear"] == 2
    assert "given up" in reported.report


def test_a_create_that_was_repeated_is_said_and_paid_twice() -> None:
    reported = dropped(losing, mapping=UPSERT, minutes=150)

    (part,) = reported.facts["parts"]
    assert (reported.facts["state"], part["credits"]) == (ImportState.COMPLETED, 1_000)
    assert "it was repeated; added and updated may be those of the repetition." in part["note"]


def test_rows_are_unclear_if_only_the_repeated_create_was_refused() -> None:
    reported = dropped(losing, mapping=UPSERT, minutes=2)

    reported.harness.bigin.fail("create_job", NO_LAYOUT_FIELD)
    reported.harness.tick(minutes=150)

    (part,) = reported.facts["parts"]
    assert reported.facts["state"] == ImportState.COMPLETED_WITH_ERRORS
    assert (reported.facts["unclear"], reported.facts["unprocessed"], part["credits"]) == (
        2,
        0,
        500,
    )
    assert part["counts"]["unclear"] == 2
    assert "never said whether it made an earlier job" in reported.facts["reasons"][0]["what"]


def test_a_create_that_certainly_never_left_costs_nothing_twice() -> None:
    reported = dropped(
        lambda harness: harness.bigin.fail("create_job", BiginUnreachableError("no route")),
        minutes=90,
    )

    assert (reported.facts["state"], reported.facts["credits"]) == (ImportState.COMPLETED, 500)


def test_two_jobs_of_one_part_are_pointed_out() -> None:
    reported = dropped(losing, mapping=UPSERT, minutes=2)
    reported.harness.bigin.runs = False
    reported.harness.tick(minutes=150)
    part = reported.harness.parts_of(reported.source)[0]
    first = replace(part, attempts=part.attempts[:1])
    reported.harness.call_back(first, hint="7000")

    reported.harness.bigin.runs = True
    reported.harness.tick(minutes=60)

    assert reported.facts["parts"][0]["job_ids"] == ["7000", "7001"]
    assert reported.harness.notices.published[-1].subject.startswith(
        "CRITICAL: Imported with errors"
    )
    assert "so its rows may be there twice" in reported.first_lines[0]
    assert "Bigin made 2 jobs for it, 7000 and 7001; look for doubled records." in reported.notice


def test_rows_that_are_in_no_count_close_an_import_as_critical() -> None:
    reported = dropped(minutes=0)

    def with_one_row_more(seen: Import) -> Import | None:
        totals = seen.totals
        return replace(seen, totals=replace(totals, rows=totals.rows + 1)) if totals else None

    update(reported.harness.ledger, Import.at(reported.import_id), with_one_row_more)
    reported.harness.tick(minutes=3)

    assert reported.facts["state"] == ImportState.COMPLETED_WITH_ERRORS
    assert reported.facts["counts_disagree"]
    assert reported.harness.notices.published[-1].subject.startswith("CRITICAL: ")
    assert "The file has 3 rows; accounted for are 2" in reported.notice


def test_what_bigin_says_of_a_failed_job_is_the_reason_of_its_rows() -> None:
    reported = dropped(failing)

    assert reported.facts["reasons"][0]["what"].startswith(
        "Bigin says that the job failed: Storage is full. It is not certain"
    )
    assert (
        "bigin__Reason" in reported.harness.result(reported.source, "contacts.unclear.csv").decode()
    )


def test_a_part_that_was_refused_does_not_touch_the_others() -> None:
    def refuse_second(harness: Harness) -> None:
        first = harness.bigin.create_job

        def create(*args: Any, **kwargs: Any) -> str:  # noqa: ANN401 - passed on
            if harness.bigin.made:
                raise TOO_MANY
            return first(*args, **kwargs)

        harness.bigin.create_job = create  # type: ignore[method-assign]  # full after one job

    reported = dropped(refuse_second, max_rows=1)

    assert reported.first_lines == [
        "1 of 2 rows of contacts.csv is in Bigin, 1 is not.",
        "Mend the cause named below, then drop contacts.unprocessed.csv.",
    ]
    assert [part["credits"] for part in reported.facts["parts"]] == [500, 0]


def test_a_dry_run_shows_what_would_be_sent() -> None:
    body = ROWS.replace(b"Surname", b"Surname,Shoe size").replace(b"\n", b",44\n")
    body = body.replace(b"Shoe size,44", b"Shoe size") + b"ada@example.com,Byron,40\n,Nobody,41\n"
    reported = dropped(key=CHECKED, mapping={**UPSERT, "on_bad_rows": "50%"}, body=body)

    assert "3 rows of 4 would be sent in 1 job, for 500 credits" in reported.notice
    for words in (
        "3 of 4 rows in 1 job, 500 credits.",
        '<td data-label="Column">E-mail</td><td data-label="Field">Email</td>',
        "ada@example.com · alan@example.com",
        "never leaves the account: Shoe size.",
        "1 row has no value in the key column.",
        "1 row with the key of an earlier row; see rows 2, 4.",
        "Row 5: ",
    ):
        assert words in reported.report
    assert reported.harness.bigin.made == {}


def unprocessing(error: str) -> Callable[[Harness], None]:
    def prepare(harness: Harness) -> None:
        harness.bigin = RefusingBigin(lambda _: ("UNPROCESSED", error))

    return prepare


@pytest.mark.parametrize(
    ("error", "action", "remedy"),
    [
        (
            "",
            "Drop contacts.unprocessed.csv unchanged.",
            "Drop the file of unprocessed rows unchanged.",
        ),
        (
            "LIMIT_EXCEEDED",
            "Mend the cause named below, then drop contacts.unprocessed.csv.",
            "Make room or change the Bigin plan, then drop the row again.",
        ),
    ],
)
def test_all_of_what_is_said_of_unprocessed_rows_agrees(
    error: str, action: str, remedy: str
) -> None:
    reported = dropped(unprocessing(error))

    assert reported.first_lines == [
        "contacts.csv was not imported: nothing was written to Bigin.",
        action,
    ]
    (reason,) = reported.facts["reasons"]
    assert reason["remedy"] == remedy
    assert ("unchanged" in reported.report) == (not error)
    assert remedy in reported.harness.result(reported.source, "contacts.unprocessed.csv").decode()


def test_a_check_that_finds_problems_says_first_that_nothing_was_sent() -> None:
    reported = dropped(
        key=CHECKED, mapping={**MAPPING, "columns": {"E-mail": "Email", "X": "Phone"}}
    )

    assert reported.first_lines[0].startswith(
        "Nothing was sent. contacts.csv was only checked, and"
    )
    assert reported.harness.notices.published[-1].subject == "Checked, with problems: contacts.csv"
    assert reported.facts["state"] == ImportState.REJECTED


def test_a_cell_in_bigins_errors_is_in_no_notice() -> None:
    def prepare(harness: Harness) -> None:
        harness.bigin = RefusingBigin(lambda _: ("SKIPPED", "INVALID_DATA-Lovelace,Turing"))

    reported = dropped(prepare)

    assert "Lovelace" in reported.report
    for text in (
        reported.notice,
        json.dumps(reported.facts),
        repr(reported.harness.telemetry.events),
    ):
        assert "Lovelace" not in text
        assert "Turing" not in text


def test_the_module_of_a_missing_parent_is_named() -> None:
    columns = {"E-mail": "Email", "Surname": "Last_Name", "Company": "Account_Name"}
    body = b"E-mail,Surname,Company\nada@example.com,Lovelace,Nobody\n"

    def prepare(harness: Harness) -> None:
        harness.bigin = RefusingBigin(lambda _: ("SKIPPED", "RESOURCE_NOT_FOUND-Account_Name"))
        company = Field("Account_Name", "Company", "lookup", lookup_module="Accounts")
        harness.bigin.module_fields["Contacts"] += (company,)

    reported = dropped(prepare, mapping={**UPSERT, "columns": columns}, body=body)

    assert "create it in Companies (Accounts) or correct the value" in reported.notice


def test_links_lead_to_the_report_and_to_each_result_file() -> None:
    reported = dropped(judging)
    folder = reported.harness.import_of(reported.source).results

    lines = [line.split(": ", 1) for line in reported.notice.splitlines() if "https://" in line]

    named = dict(lines)
    assert [name.strip() for name in named] == [
        "report",
        "success (1 row)",
        "failed (1 row)",
        "all",
    ]
    assert all(f"prefix={folder}" in url for url in named.values())
    assert {file["key"] for file in reported.facts["files"].values()} <= set(
        reported.harness.files.versions
    )
    assert named["  failed (1 row)"] in reported.report.replace("&amp;", "&")


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        (Decision.CREATE, "if none of rows 2 to 3 is in Bigin: make its job, for 500 credits"),
        (Decision.ADOPT, '"job_id": "JOB_ID"'),
        (Decision.GIVE_UP, "its rows are then reported as unclear"),
    ],
)
def test_a_hold_says_when_to_give_which_command(decision: Decision, words: str) -> None:
    reported = dropped(losing, minutes=70)

    assert words in reported.notice
    payload = f'"resume": "{reported.import_id}", "decision": "{decision}", "part": 1, "attempt": 1'
    assert payload in reported.notice


def test_new_values_of_a_picklist_are_listed_on_the_page_and_not_in_the_notice() -> None:
    def with_stages(harness: Harness) -> None:
        stage = Field("Stage", "Stage", "picklist", pick_list=("Open", "Closed won"))
        harness.bigin.module_fields["Contacts"] += (stage,)

    columns = {"E-mail": "Email", "Surname": "Last_Name", "Stage": "Stage"}
    rows = [f"p{n}@example.com,N{n},{stage}" for n, stage in enumerate(["Open", "Lost", "Lost"])]
    body = "\n".join(["E-mail,Surname,Stage", *rows]).encode()

    reported = dropped(with_stages, mapping={**MAPPING, "columns": columns}, body=body)

    assert "2 cells hold 1 values that the picklist Stage does not have" in reported.notice
    assert "Nothing to do." not in reported.notice
    assert "Values that Stage does not have yet in Bigin: Lost (2)." in reported.report
    assert "Lost" not in reported.notice


def test_repeated_keys_are_told_once_in_a_real_run() -> None:
    reported = dropped(mapping=UPSERT, body=ROWS + b"Ada@example.com ,Byron\n")

    assert reported.notice.count("the key of an earlier row") == 1
    assert "the last one counts in Bigin. Look at rows 2, 4." in reported.notice
    assert "Nothing to do." not in reported.notice
