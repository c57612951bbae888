"""The report and the page of all imports as a browser sees them. Skipped without Chromium."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass, replace
from html import escape, unescape
from pathlib import Path

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.row_result import Counts
from bigin_import.domain.states import ImportState
from bigin_import.report.page import Line, Page, render_overview, render_report
from bigin_import.report.summary import headline
from tests.unit.report.sample_summaries import SAMPLES, WITH_ERRORS

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


def opened(html: str, folder: Path) -> tuple[str, list[str]]:
    """Open *html*; return the page as the browser built it and what its console said."""
    page = folder / "report.html"
    page.write_text(html, encoding="utf-8")
    assert CHROMIUM is not None
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
            f"--user-data-dir={folder / 'profile'}",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        check=True,
        encoding="utf-8",
        timeout=60,
    )
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


# What a person finds on the page: selectors that Chromium looks up, and what it then shows.
LOOK = """
<body><script>
addEventListener("load", () => {
  const page = document.querySelector("iframe").contentDocument;
  const shown = (selector) =>
    [...page.querySelectorAll(selector)]
      .filter((element) => element.getClientRects().length)
      .map((element) => element.innerText.trim());
  const wide = [...page.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > page.documentElement.clientWidth)
    .map((element) => element.outerHTML.slice(0, 80));
  const seen = document.createElement("pre");
  seen.textContent = JSON.stringify({
    wide,
    overflow: page.documentElement.scrollWidth - page.documentElement.clientWidth,
    headline: shown("h1"),
    action: shown(".action"),
    heads: shown(".rows th"),
    imports: shown(".imports .file"),
    none: shown(".none"),
    reasons: shown(".reasons tbody tr"),
    rows: shown(".rows tbody tr"),
  });
  document.body.replaceChildren(seen);
});
</script>
"""
DESKTOP, PHONE = 1200, 360


@dataclass(frozen=True)
class Seen:
    """What the browser shows of a page at some width, texts as `innerText` has them."""

    wide: list[str]
    overflow: int
    headline: list[str]
    action: list[str]
    heads: list[str]
    imports: list[str]
    none: list[str]
    reasons: list[str]
    rows: list[str]


def seen_at(width: int, html: str, folder: Path) -> Seen:
    """Show *html* in a frame of *width* pixels, which is what a window of that width shows."""
    frame = f'<iframe width="{width}" height="2000" srcdoc="{escape(html)}"></iframe></body>'
    dom, _ = opened(LOOK + frame, folder)
    text = dom.partition("<pre>")[2].partition("</pre>")[0]
    return Seen(**json.loads(unescape(text)))


@pytest.mark.parametrize("width", [DESKTOP, 800, PHONE])
@pytest.mark.parametrize("name", ["disagreeing", "rejected", "dry run", "on hold", "failed"])
def test_no_page_is_wider_than_its_window(name: str, width: int, tmp_path: Path) -> None:
    seen = seen_at(width, render_report(SAMPLES[name]), tmp_path)

    assert seen.wide == []
    assert seen.overflow == 0


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_long_words_do_not_make_a_page_wider_than_its_window(width: int, tmp_path: Path) -> None:
    word = "W" * 40
    rows = tuple(
        replace(row, why=word * 4, cells=((word, word), (word, word)))
        for row in WITH_ERRORS.failed_rows
    )
    reasons = tuple(
        replace(each, reason=replace(each.reason, what=word * 9)) for each in WITH_ERRORS.reasons
    )
    name = f"incoming/{word * 9}.csv"
    summary = replace(WITH_ERRORS, failed_rows=rows, reasons=reasons, file=name)

    seen = seen_at(width, render_report(summary), tmp_path)

    assert seen.wide == []


def test_a_desktop_shows_headline_reasons_and_failed_rows_as_tables(tmp_path: Path) -> None:
    seen = seen_at(DESKTOP, render_report(WITH_ERRORS), tmp_path)

    assert seen.headline == [headline(WITH_ERRORS).result]
    assert seen.action == [headline(WITH_ERRORS).action]
    assert seen.heads == ["Row", "E-mail", "Cells", "What is wrong"]
    assert len(seen.reasons) == len(WITH_ERRORS.reasons)
    rows, reason, remedy = seen.reasons[1].split("\t")
    assert (rows, remedy) == ("310", "Fill it in and drop the corrected file.")
    assert reason.splitlines() == [
        '"Surname" (Last_Name) is empty, and Bigin requires it.',
        "MANDATORY_NOT_FOUND · rows 21, 22, 23, 24, 25, …",
    ]
    assert len(seen.rows) == len(WITH_ERRORS.failed_rows)
    row, key, cells, _ = map(str.strip, seen.rows[0].split("\t"))
    assert (row, key, cells) == ("17", "person17@shop.example", "Birthday: 31.02.1980")


def test_a_phone_shows_them_as_cards(tmp_path: Path) -> None:
    seen = seen_at(PHONE, render_report(WITH_ERRORS), tmp_path)

    assert seen.headline == [headline(WITH_ERRORS).result]
    assert seen.heads == []
    assert len(seen.reasons) == len(WITH_ERRORS.reasons)
    assert seen.reasons[1].splitlines()[0] == "310"
    assert seen.rows[0].splitlines() == [
        "17",
        "person17@shop.example",
        "Birthday: 31.02.1980",
        'Bigin cannot store the value of "Birthday" (Date_of_Birth).',
    ]
    assert "–" not in seen.rows[1]  # a row whose key is wrong shows no other cell


@pytest.mark.parametrize("name", ["with errors", "dry run"])
def test_the_page_is_shown_whole_and_the_console_stays_silent(name: str, tmp_path: Path) -> None:
    dom, console = opened(render_report(SAMPLES[name]), tmp_path)

    assert console == []
    assert "How the file was read" in dom


def page_of_imports(*, word: str = "people") -> str:
    """Return the page with one import of each kind, the only checked one of its filters as is."""
    states = {
        "held": ImportState.ON_HOLD,
        "open": ImportState.SENDING,
        "bad": ImportState.REJECTED,
        "good": ImportState.COMPLETED,
        "calm": ImportState.UNCHANGED,
    }
    records = [
        Import(
            import_id=f"{number:026}",
            source=ObjectVersion("bucket", f"incoming/{word}/{kind} {word}.csv", "v"),
            state=state,
            received_at=1_795_824_000,
            closed_at=1_795_824_000 if state.is_closed else None,
            results=f"results/{kind}/",
            counts=Counts(added=900, refused=100) if kind == "good" else None,
        )
        for number, (kind, state) in enumerate(states.items())
    ]
    lines = [Line(record, needs_person=not number) for number, record in enumerate(records)]
    return render_overview(Page(title="All imports", lines=lines, written_at=0))


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("word", ["people", "W" * 200])
def test_the_page_of_all_imports_fits_its_window(width: int, word: str, tmp_path: Path) -> None:
    seen = seen_at(width, page_of_imports(word=word), tmp_path)

    assert seen.wide == []
    assert seen.overflow == 0
    assert len(seen.imports) == 5
    assert seen.none == []


@pytest.mark.parametrize("kind", ["held", "open", "bad", "good", "calm"])
def test_its_filters_show_one_kind_without_a_script(kind: str, tmp_path: Path) -> None:
    chosen = page_of_imports().replace(" checked", "", 1)
    chosen = chosen.replace(f'id="show-{kind}"', f'id="show-{kind}" checked')

    seen = seen_at(DESKTOP, chosen, tmp_path)

    assert [name.partition(" ")[0] for name in seen.imports] == [kind]


def test_a_filter_without_imports_says_so(tmp_path: Path) -> None:
    chosen = page_of_imports().replace(" checked", "", 1)
    chosen = chosen.replace('id="show-warn"', 'id="show-warn" checked')

    seen = seen_at(DESKTOP, chosen, tmp_path)

    assert (seen.imports, seen.none) == ([], ["No import of this kind."])


def test_the_page_allows_no_script_even_if_one_got_in(tmp_path: Path) -> None:
    script = "<script>document.title = 'broken'</script></body>"
    html = render_report(WITH_ERRORS).replace("</body>", script)

    dom, console = opened(html, tmp_path)

    assert "<title>broken" not in dom
    assert any("Content Security Policy" in line for line in console)
