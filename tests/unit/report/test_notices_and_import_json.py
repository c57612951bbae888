"""What people get by e-mail, and what machines read."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bigin_import.domain.drop import Problem
from bigin_import.domain.row_result import Counts, RankedReason, Reason
from bigin_import.domain.states import ImportState
from bigin_import.report.notice import (
    MAX_BYTES,
    MAX_LINE,
    MAX_SUBJECT,
    compose_notice,
    compose_waiting,
)
from bigin_import.report.page import import_json
from bigin_import.report.summary import Choice, headline
from tests.unit.report.sample_summaries import (
    COMPLETED,
    DRY_RUN,
    IMPORT_ID,
    ON_HOLD,
    REASONS,
    REJECTED,
    SAMPLES,
    WITH_ERRORS,
)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_notice_begins_with_the_result_and_what_to_do(name: str) -> None:
    summary = SAMPLES[name]

    notice = compose_notice(summary)

    result, action, blank, *_ = notice.body.splitlines()
    assert (result, action) == (headline(summary).result, headline(summary).action)
    assert blank == ""
    assert summary.name in result
    assert IMPORT_ID in notice.body


@pytest.mark.parametrize(
    ("name", "result", "action"),
    [
        (
            "completed",
            "All 24,000 rows of contacts.csv are in Bigin: 23,000 added, 1,000 updated.",
            "Nothing to do.",
        ),
        (
            "with errors",
            (
                "57,973 of 60,000 rows of contacts.csv are in Bigin, 2,017 are not, "
                "and 10 are unclear."
            ),
            (
                "Correct contacts.failed.csv and drop it under incoming/. "
                "Drop contacts.unprocessed.csv unchanged. "
                "Do not drop contacts.unclear.csv; look for its rows in Bigin first."
            ),
        ),
        (
            "failed",
            "contacts.csv was not imported: nothing was written to Bigin.",
            "Mend the cause named below, then drop contacts.csv again.",
        ),
        (
            "not processed",
            "contacts.csv was not imported: nothing was written to Bigin.",
            "Drop contacts.unprocessed.csv unchanged.",
        ),
        (
            "checked and rejected",
            "Nothing was sent. contacts.csv was only checked, and 4 problems were found.",
            "Correct what is listed below, then check the file again.",
        ),
        (
            "rejected",
            "contacts.csv was not imported: 4 problems were found, and nothing was sent to Bigin.",
            (
                "Correct what is listed below and drop the file again; where only the mapping is "
                "wrong, dropping the corrected mapping imports the newest version of the "
                "file; an older one needs its command below."
            ),
        ),
        (
            "on hold",
            (
                "contacts.csv waits for a decision: Bigin did not answer when the job of part 2 "
                "was created."
            ),
            "Do not drop the file again. Mend the cause, then give the command below.",
        ),
    ],
)
def test_the_first_two_lines_are_for_a_shop_owner(name: str, result: str, action: str) -> None:
    head = headline(SAMPLES[name])

    assert (head.result, head.action) == (result, action)


@pytest.mark.parametrize("state", ImportState)
@pytest.mark.parametrize("key", ["a.csv", "ü\nx\x07.csv", "x" * 300 + ".csv", "客戶.csv"])
def test_a_subject_is_what_sns_accepts(state: ImportState, key: str) -> None:
    notice = compose_notice(replace(SAMPLES["disagreeing"], state=state, file=f"incoming/{key}"))

    assert 0 < len(notice.subject) <= MAX_SUBJECT
    assert all(" " <= character <= "~" for character in notice.subject)
    assert all(character.isprintable() for _, text in notice.attributes for character in text)
    assert notice.body.splitlines()[2] == ""


def test_attributes_are_for_subscription_filters() -> None:
    assert compose_notice(COMPLETED).attributes == (
        ("state", "COMPLETED"),
        ("module", "Contacts"),
        ("file", "incoming/shop/contacts.csv"),
        ("import_id", IMPORT_ID),
    )
    assert "module" not in dict(compose_notice(replace(REJECTED, module="")).attributes)


def test_every_problem_is_named() -> None:
    body = compose_notice(REJECTED).body

    assert all(str(problem) in body for problem in REJECTED.problems)


def test_problems_without_end_point_to_the_report() -> None:
    problems = tuple(Problem(f"row {n}", "It is odd") for n in range(100))

    body = compose_notice(replace(REJECTED, problems=problems)).body

    assert "row 29: It is odd\n  and 70 more in the report\n" in body


def test_a_disagreement_is_critical_and_shows_both_sets_of_numbers() -> None:
    notice = compose_notice(SAMPLES["disagreeing"])

    assert notice.subject.startswith("CRITICAL: ")
    assert (
        "Part 1: Bigin says 1 added; its 25,000 rows say 24,000 added, "
        "73 existing in Bigin before, 927 refused by Bigin" in notice.body
    )


def test_rows_that_are_in_no_count_are_critical_and_both_numbers_are_shown() -> None:
    counts = Counts(added=23_999)
    missing = replace(
        COMPLETED, state=ImportState.COMPLETED_WITH_ERRORS, counts=counts, counts_disagree=True
    )

    notice = compose_notice(missing)

    assert notice.subject.startswith("CRITICAL: ")
    assert "so not every row is accounted for" in notice.body.splitlines()[0]
    assert "The file has 24,000 rows; accounted for are 23,999" in notice.body


def test_rows_left_unprocessed_for_a_cause_are_not_to_be_dropped_unchanged() -> None:
    summary = replace(
        WITH_ERRORS,
        counts=Counts(added=1, unprocessed=1),
        mend_first=True,
        reasons=(RankedReason(Reason("X", "A limit is reached.", "Make room."), 1, (2,)),),
    )

    body = compose_notice(summary).body

    assert "Mend the cause named below, then drop contacts.unprocessed.csv." in body.splitlines()[1]
    assert "unchanged" not in body


def test_a_notice_repeats_no_cell_and_no_words_of_bigin_that_may_hold_one() -> None:
    body = compose_notice(WITH_ERRORS).body

    cells = {cell for row in WITH_ERRORS.failed_rows for _, cell in row.cells if cell}
    assert not [cell for cell in cells if cell in body]
    assert REASONS[-1].reason.what not in body
    assert "1 row: Bigin's own words for it are in the report." in body
    assert REASONS[-1].reason.what not in import_json(WITH_ERRORS).decode()


def test_a_notice_shows_no_cell_that_a_problem_shows() -> None:
    (problem,) = [problem for problem in REJECTED.problems if problem.cells]

    texts = (compose_notice(REJECTED).body, import_json(REJECTED).decode())

    assert not [cell for cell in problem.cells for text in texts if cell in text]


LONG = "\U0001f600" * 9_000  # four bytes each
TOO_MUCH = replace(
    WITH_ERRORS,
    problems=tuple(Problem(LONG, "It is odd") for _ in range(50)),
    reasons=tuple(RankedReason(Reason("X", f"{n} {LONG}"), 1, (2,)) for n in range(200)),
    warnings=(LONG,) * 100,
    parts=tuple(replace(WITH_ERRORS.parts[0], note=LONG, disagrees=True) for _ in range(1_000)),
    choices=ON_HOLD.choices * 3_000,
)


def test_a_notice_that_is_too_long_loses_reasons_but_no_link_and_no_command() -> None:
    body = compose_notice(TOO_MUCH).body

    assert 100_000 < len(body.encode()) <= MAX_BYTES
    assert all(f"{link.kind} ({link.rows:,} rows): {link.url}\n" in body for link in TOO_MUCH.files)
    assert f"  import id {IMPORT_ID}\n" in body
    assert ON_HOLD.choices[0].command in body
    assert "Some lines are left out here; the report has all of them." in body


def test_no_line_but_links_and_commands_is_longer_than_people_read() -> None:
    lines = compose_notice(replace(REJECTED, problems=(Problem(LONG, "It is odd"),))).body

    assert max(map(len, lines.splitlines())) < MAX_LINE + 10


def test_a_hold_gives_its_commands() -> None:
    choice = ON_HOLD.choices[0]

    body = compose_notice(ON_HOLD).body
    assert f"  {choice.when}\n  {choice.command}\n" in body
    assert f"  or, without bigin-drop:\n  {choice.plain}\n" in body


@pytest.mark.parametrize("name", SAMPLES)
def test_import_json_has_the_same_keys_in_every_state(name: str) -> None:
    facts = json.loads(import_json(SAMPLES[name]))

    assert list(facts)[:15] == [
        "import_id", "file", "state", "rows", "added", "updated", "existing", "refused",
        "unprocessed", "invalid", "unclear", "left_out", "skipped", "jobs", "seconds",
    ]  # fmt: skip
    assert list(facts) == list(json.loads(import_json(COMPLETED)))


@pytest.mark.parametrize("name", sorted(SAMPLES.keys() - {"withdrawn", "superseded"}))  # never read
def test_nothing_to_do_never_stands_beside_a_warning(name: str) -> None:
    warned = replace(SAMPLES[name], warnings=("Row 7 looks odd.",))

    assert "Nothing to do" not in headline(warned).action


def test_a_warning_is_something_to_do_and_a_note_is_not() -> None:
    warned = replace(COMPLETED, warnings=("Row 7 looks odd.",), notes=("Shoe size is not mapped.",))
    noted = replace(warned, warnings=())

    assert "Nothing to do." not in compose_notice(warned).body
    assert "\nWarnings:\n  Row 7 looks odd.\n" in compose_notice(warned).body
    assert "\nGood to know:\n  Shoe size is not mapped.\n" in compose_notice(warned).body
    assert headline(noted).action == "Nothing to do."


def test_rows_that_are_no_data_are_neither_missing_nor_in_bigin() -> None:
    summary = replace(COMPLETED, rows=24_002, counts=Counts(added=24_000, left_out=2))

    assert headline(summary).result == (
        "All 24,000 rows of contacts.csv are in Bigin: 24,000 added; 2 rows that are no data left "
        "out."
    )


def test_import_json_of_a_dry_run_tells_which_rows_would_not_be_sent() -> None:
    found = replace(DRY_RUN.dry_run, invalid=2, left_out=1) if DRY_RUN.dry_run else None

    facts = json.loads(import_json(replace(DRY_RUN, dry_run=found)))

    assert (facts["invalid"], facts["left_out"], facts["added"]) == (2, 1, 0)
    assert facts["dry_run"] == {"rows": 23_998, "jobs": 1, "credits": 500}
    assert (facts["jobs"], facts["credits"]) == (0, 0)
    assert json.loads(import_json(COMPLETED))["dry_run"] is None


def test_import_json_tells_what_the_summary_holds() -> None:
    facts = json.loads(import_json(WITH_ERRORS))

    assert [facts[key] for key in ("rows", "added", "jobs", "credits")] == [60000, 57400, 3, 1500]
    assert facts["parts"][2]["closed_by"] == "tick"
    assert facts["parts"][0]["reported"]["total"] == 25_000
    assert facts["reasons"][0] == {
        "code": "DUPLICATE_DATA",
        "what": REASONS[0].reason.what,
        "remedy": REASONS[0].reason.remedy,
        "rows": 1204,
        "examples": [17, 93, 94, 251, 300],
    }
    assert facts["files"]["failed"]["rows"] == 1917


@pytest.mark.parametrize(
    ("file", "subject"),
    [
        ("incoming/contacts.csv", "Imported: contacts.csv"),
        ("incoming/shop/berlin/contacts.csv", "Imported: shop/berlin/contacts.csv"),
        (
            f"incoming/{'deep/' * 30}contacts.csv",
            f"Imported: ...{('deep/' * 30 + 'contacts.csv')[-86:]}",
        ),
        (f"incoming/shop/{'n' * 120}.csv", f"Imported: {'n' * 86}..."),
    ],
    ids=["no folder", "folders", "a long path keeps its end", "a long name keeps its start"],
)
def test_a_subject_names_the_folder(file: str, subject: str) -> None:
    told = compose_notice(replace(COMPLETED, file=file)).subject

    assert told == subject
    assert len(told) <= 99


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("two  blanks.csv", "two  blanks.csv"),
        ("at 3.04\u202fPM.csv", "at 3.04\u202fPM.csv"),  # as macOS writes the time in names
        ("of\nlines.csv", "of?lines.csv"),
        ("turned\u202e.csv", "turned?.csv"),
    ],
)
def test_a_command_keeps_every_blank_of_a_name_and_stays_one_line(written: str, shown: str) -> None:
    choice = Choice("Again:", f"bigin-drop drop '{written}'", f"aws s3 cp '{written}' x")

    lines = compose_notice(replace(ON_HOLD, choices=(choice,))).body.splitlines()

    waiting = compose_waiting([("incoming/a.csv", 1)], [choice]).body.splitlines()
    for said in (lines, waiting):
        assert f"  bigin-drop drop '{shown}'" in said
        assert f"  aws s3 cp '{shown}' x" in said
