"""The report: one page that loads nothing, runs nothing and leaves nothing out."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from html.parser import HTMLParser

import pytest

from bigin_import.domain.row_result import Counts, RowStatus
from bigin_import.domain.states import ImportState, PartState
from bigin_import.report.page import render_report
from bigin_import.report.summary import ImportSummary
from tests.unit.report.sample_summaries import (
    COMPLETED,
    DRY_RUN,
    ON_HOLD,
    REJECTED,
    SAMPLES,
    WITH_ERRORS,
    file_link,
)

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
TOLD = {state for state in ImportState if state.is_closed} | {ImportState.ON_HOLD}


class Page(HTMLParser):
    """The elements, attributes and words of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)


def test_every_state_that_people_are_told_of_has_a_sample() -> None:
    assert {summary.state for summary in SAMPLES.values()} == TOLD


@pytest.mark.parametrize("name", SAMPLES)
def test_a_page_is_whole_and_loads_nothing(name: str) -> None:
    html = render_report(SAMPLES[name])

    page = Page(html)

    assert page.open == []
    assert not {"script", "img", "link", "iframe", "object", "form"} & set(page.tags)
    assert "default-src 'none'" in html
    assert not re.search(r"url\(|@import", html)
    assert "None" not in page.text


@pytest.mark.parametrize("name", SAMPLES)
def test_the_first_words_are_the_result_and_what_to_do(name: str) -> None:
    html = render_report(SAMPLES[name])

    assert html.index("<h1>") < html.index('class="action"') < html.index("<section>")


def test_counts_are_shown_and_balance() -> None:
    page = Page(render_report(WITH_ERRORS))

    assert "60,000 rows" in page.text
    for words in (
        "57,400 added",
        "573 existing in Bigin before",
        "1,527 refused by Bigin",
        "10 unclear",
    ):
        assert words in page.text
    assert "these counts speak of" not in page.text


def test_counts_that_do_not_balance_are_pointed_out() -> None:
    page = Page(render_report(replace(COMPLETED, counts=Counts(added=23_999))))

    assert "The file has 24,000 rows; these counts speak of 23,999." in page.text


def test_both_sets_of_numbers_are_shown_where_bigin_disagrees() -> None:
    page = Page(render_report(SAMPLES["disagreeing"]))

    assert "Bigin counts them differently" in page.text
    assert "1 added, – updated, – skipped of – Rows: 24,000 added" in page.text


def test_reasons_come_ranked_with_rows_and_remedy() -> None:
    page = Page(render_report(WITH_ERRORS))

    first = page.text.index("1,204")
    assert first < page.text.index("310") < page.text.index("Bigin says:")
    assert "rows 17, 93, 94, 251, 300, …" in page.text
    assert "row 59999" in page.text
    assert "Fill it in and drop the corrected file." in page.text


@pytest.mark.parametrize(
    ("counts", "title"),
    [
        (Counts(added=1, refused=2), "Why rows are not in Bigin"),
        (Counts(added=1, unclear=2), "Why it is unclear whether rows are in Bigin"),
        (Counts(refused=1, unclear=2), "Why rows are not in Bigin, or why that is unclear"),
    ],
)
def test_unclear_rows_are_not_said_to_be_missing(counts: Counts, title: str) -> None:
    html = render_report(replace(WITH_ERRORS, counts=counts, rows=counts.total))

    assert f"<h2>{title}</h2>" in html


def test_a_failed_row_is_told_by_its_key_its_wrong_cells_and_a_short_reason() -> None:
    page = Page(render_report(WITH_ERRORS))

    assert (
        "Row E-mail Cells What is wrong "
        "17 person17@shop.example Birthday: 31.02.1980 Bigin cannot store the value of"
    ) in page.text
    assert '22 person22@shop.example Surname: (empty) "Surname" (Last_Name) is empty' in page.text


@pytest.mark.parametrize(
    ("status", "title"),
    [
        ({RowStatus.REFUSED}, "The first failed rows"),
        ({RowStatus.UNCLEAR}, "The first unclear rows"),
        ({RowStatus.REFUSED, RowStatus.UNCLEAR}, "The first failed and unclear rows"),
    ],
)
def test_rows_are_called_what_they_are(status: set[RowStatus], title: str) -> None:
    rows = tuple(replace(WITH_ERRORS.failed_rows[0], status=each) for each in sorted(status))

    assert f"<h2>{title}</h2>" in render_report(replace(WITH_ERRORS, failed_rows=rows))


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("with errors", "drop it unchanged"),
        ("not processed", "drop it unchanged"),
        ("mend first", "mend the cause, then drop it"),
        ("failed", "no row was sent"),
    ],
)
def test_the_file_of_unprocessed_rows_has_the_advice_of_the_first_lines(
    name: str, advice: str
) -> None:
    samples = {**SAMPLES, "mend first": replace(WITH_ERRORS, mend_first=True)}
    files = (file_link("unprocessed", 100),)

    html = render_report(replace(samples[name], files=files))

    assert f"<b>unprocessed</b> · 100 rows · {advice}<br>" in html


def test_a_lay_reader_knows_the_words_for_the_states_of_parts() -> None:
    states = [
        state
        for state in PartState
        if state.value.lower()
        in render_report(
            replace(WITH_ERRORS, parts=(replace(WITH_ERRORS.parts[0], state=state),))
        ).lower()
    ]

    assert states == [PartState.JOB_REFUSED]


def test_all_problems_are_shown_with_place_and_remedy() -> None:
    page = Page(render_report(REJECTED))

    for problem in REJECTED.problems:
        assert problem.where in page.text
        assert problem.what in page.text
        assert problem.remedy in page.text
        assert all(" ".join(cell.split()) in page.text for cell in problem.cells)


def test_a_dry_run_says_what_would_happen_and_what_it_cannot_know() -> None:
    page = Page(render_report(DRY_RUN))

    assert page.text.count("Nothing was sent.") == 2  # title and first line
    for words in (
        "23,998 of 24,000 rows in 1 job, 500 credits.",
        "E-mail Email email ada@shop.example · bo@shop.example · cy@shop.example",
        "never leaves the account: Note, Internal id.",
        '"operation": "upsert"',
        "Which records exist already.",
    ):
        assert words in page.text


def test_a_check_that_ends_in_problems_shows_what_it_knows_of_the_columns() -> None:
    page = Page(render_report(replace(SAMPLES["checked and rejected"], dry_run=DRY_RUN.dry_run)))

    assert page.text.startswith("Nothing was sent.")
    assert "E-mail Email email ada@shop.example" in page.text


def test_texts_of_megabytes_make_a_small_page() -> None:
    huge = "x" * 3_000_000
    summary = resized(
        replace(WITH_ERRORS, problems=REJECTED.problems, dry_run=DRY_RUN.dry_run), huge
    )

    assert len(render_report(summary)) < 200_000


def resized(summary: ImportSummary, text: str) -> ImportSummary:
    """Return *summary* with *text* wherever Bigin, a drop or a mapping may bring a long one."""
    dry_run = summary.dry_run
    assert dry_run is not None
    return replace(
        summary,
        reasons=tuple(
            replace(each, reason=replace(each.reason, what=text, remedy=text))
            for each in summary.reasons
        ),
        problems=tuple(
            replace(each, where=text, what=text, remedy=text, cells=(text,))
            for each in summary.problems
        ),
        warnings=(text,),
        parts=tuple(replace(each, note=text) for each in summary.parts),
        dry_run=replace(
            dry_run,
            columns=tuple(replace(each, header=text, samples=(text,)) for each in dry_run.columns),
            ignored=(text,),
            findings=(text,),
        ),
    )


def test_a_hold_gives_the_commands() -> None:
    page = Page(render_report(ON_HOLD))

    (choice,) = ON_HOLD.choices
    assert f"{choice.when} {choice.command} or, without bigin-drop: {choice.plain}" in page.text


def test_the_failed_rows_can_be_taken_from_the_page() -> None:
    page = Page(render_report(WITH_ERRORS))

    (href,) = [value for name, value in page.attributes if value.startswith("data:")]
    assert base64.b64decode(href.partition("base64,")[2]) == WITH_ERRORS.failed_csv
    assert ("download", "contacts.failed.csv") in page.attributes


def test_failed_rows_that_are_too_many_to_embed_are_only_linked() -> None:
    html = render_report(replace(WITH_ERRORS, failed_csv=None))

    assert "data:text/csv" not in html
    assert "contacts.failed.csv" in html


def test_a_link_that_is_no_console_link_is_only_text() -> None:
    files = (replace(WITH_ERRORS.files[0], url="javascript:alert(1)"),)

    html = render_report(replace(WITH_ERRORS, files=files, console_url=""))

    assert "javascript:" not in html


def planted(value: object) -> object:
    """Return *value* with EVIL in every text that it holds, at any depth."""
    match value:
        case Enum():
            return value
        case str():
            return EVIL
        case tuple():
            return tuple(planted(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: planted(getattr(value, f.name)) for f in fields(value)})
    return value


def texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case tuple():
            for item in value:
                yield from texts(item)
    if is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from texts(getattr(value, each.name))


@pytest.mark.parametrize("name", SAMPLES)
def test_no_field_can_bring_markup_into_the_page(name: str) -> None:
    summary = planted(SAMPLES[name])
    assert isinstance(summary, ImportSummary)
    assert EVIL in set(texts(summary))

    page = Page(render_report(summary))

    assert "<script>alert(1)</script>" in page.text
    assert not {"script", "img"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
