"""The report as a browser sees it. Skipped where there is no Chromium."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from bigin_import.report.page import render_report
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


@pytest.mark.parametrize("name", ["with errors", "dry run"])
def test_the_page_is_shown_whole_and_the_console_stays_silent(name: str, tmp_path: Path) -> None:
    dom, console = opened(render_report(SAMPLES[name]), tmp_path)

    assert console == []
    assert "How the file was read" in dom


def test_the_page_allows_no_script_even_if_one_got_in(tmp_path: Path) -> None:
    script = "<script>document.title = 'broken'</script></body>"
    html = render_report(WITH_ERRORS).replace("</body>", script)

    dom, console = opened(html, tmp_path)

    assert "<title>broken" not in dom
    assert any("Content Security Policy" in line for line in console)
