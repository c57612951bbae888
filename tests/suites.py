"""
`python -m tests.suites check unit integration e2e`: run all that is named, then sum up.

A failure does not keep the rest from running: one run shows everything that is wrong.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / ".local" / "reports"
TOOLS = Path(sys.executable).parent
SOURCES = ("layers", "functions", "tests")

CHECKS: dict[str, tuple[str, ...]] = {
    "ruff": ("ruff", "check", *SOURCES),
    "format": ("ruff", "format", "--check", *SOURCES),
    "mypy": ("mypy", *SOURCES),
    "sam": ("sam", "validate", "--lint"),
    # Offline: without --skip-download it asks for guidelines. Each skip stands in the template.
    "checkov": (
        *(str(ROOT / ".local/checkov/bin/checkov"), "--file", "template.yaml"),
        *("--framework", "cloudformation", "--skip-download", "--quiet", "--compact"),
    ),
}
# The tests of one file run one after another: what is made for a module is made once.
SIDE_BY_SIDE = ("--numprocesses=logical", "--dist=loadfile")
# A person's run tries a hundred examples of each property; CI tries two thousand.
EXAMPLES = ("--hypothesis-profile=ci",) if "CI" in os.environ else ()
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "e2e": ("--e2e",),
    "integration": SIDE_BY_SIDE,
    "unit": (*SIDE_BY_SIDE, *EXAMPLES),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one check or suite."""

    name: str
    passed: bool
    seconds: float
    words: str


def main(names: Sequence[str]) -> int:
    """Run what *names* says; 0 if all of it passed."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    verdicts: list[Verdict] = []
    for name in names:
        if name == "check":
            verdicts += [_check(each, command) for each, command in CHECKS.items()]
        else:
            verdicts.append(_suite(name))
    sys.stdout.write("\n" + "\n".join(_line(verdict) for verdict in verdicts) + "\n")
    return 0 if all(verdict.passed for verdict in verdicts) else 1


def _check(name: str, command: Sequence[str]) -> Verdict:
    status, seconds = _timed(command)
    return Verdict(name, status == 0, seconds, "clean" if status == 0 else "see above")


def _suite(name: str) -> Verdict:
    """Run the tests of one folder; a folder without tests is a failure, not a success."""
    report = REPORTS / f"{name}.xml"
    report.unlink(missing_ok=True)
    command = ["pytest", f"tests/{name}", "-q", f"--junitxml={report}", *ARGUMENTS.get(name, ())]
    status, seconds = _timed(command)
    return Verdict(name, status == 0, seconds, _counts(report))


def _timed(command: Sequence[str]) -> tuple[int, float]:
    sys.stdout.write(f"\n$ {' '.join(command)}\n")
    sys.stdout.flush()
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=_environment(), check=False)
    return done.returncode, time.monotonic() - started


def _environment() -> dict[str, str]:
    """Return ours, with the tools of this interpreter first and a region for `sam validate`."""
    path = f"{TOOLS}:{os.environ['PATH']}"
    added = {"PATH": path, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "eu-central-1"}
    return dict(os.environ) | added


def _counts(report: Path) -> str:
    if not report.exists():
        return "no tests ran"
    suites = ET.parse(report).getroot().iter("testsuite")  # noqa: S314 - pytest wrote it
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for suite in suites:
        for kind in totals:
            totals[kind] += int(suite.get(kind, "0"))
    wrong = totals["failures"] + totals["errors"]
    return f"{totals['tests']} tests, {wrong} failed, {totals['skipped']} skipped"


def _line(verdict: Verdict) -> str:
    mark = "ok    " if verdict.passed else "FAILED"
    return f"{mark} {verdict.name:<12} {verdict.words:<40} {verdict.seconds:6.1f} s"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
