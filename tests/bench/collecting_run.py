"""
Settles two prepared imports, as settle_jobs does, and reports time and memory of the second.

    python -m tests.bench.collecting_run '{"bucket": ..., "imports": [{...}, {...}]}'

The first is tiny: after it everything is imported and every client has been used, and that is
the idle process above which memory is counted. S3 is another process, reached as in the cloud.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import boto3

from bigin_import.aws.files import S3Files
from bigin_import.container import CLIENT_CONFIG
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.importing.find_mapping import MetadataCache
from bigin_import.importing.register import Registrar
from bigin_import.ports import Bigin
from bigin_import.settling.close import ImportCloser, ResultWriter
from bigin_import.settling.collect import Collector
from bigin_import.settling.suggest_mapping import Suggester
from bigin_import.settling.summarize import ConsoleLinks
from tests.bench.collecting_import import sent_import
from tests.fakes.manual_clock import ManualClock
from tests.fakes.memory_ledger import MemoryLedger
from tests.fakes.memory_notices import MemoryNotices
from tests.fakes.memory_queue import MemoryResumer
from tests.fakes.seen_events import SeenEvents

KIB = 1024


@dataclass(frozen=True)
class RowResults:
    """The one call to Bigin that is left: row results, as a file that lies on the disk."""

    folder: Path

    @contextmanager
    def download_result(self, url: str) -> Iterator[BinaryIO]:
        with (self.folder / url).open("rb") as file:
            yield file


def settled(
    files: S3Files, source: ObjectVersion, plan_sha256: str, folder: Path
) -> dict[str, dict[str, float]]:
    """Collect every part, then close the import; return seconds and peak KiB of both."""
    record, parts = sent_import(files, source, plan_sha256)
    ledger = MemoryLedger(check=lambda _old, _new: None)
    ledger.save(record)
    for part in parts:
        ledger.save(part)
    bigin = cast(Bigin, RowResults(folder))
    collector = Collector(
        ledger=ledger, files=files, bigin=bigin, clock=ManualClock(), telemetry=SeenEvents()
    )

    def collect() -> None:
        for part in parts:
            collector.collect(part.import_id, part.number)

    closer = _finisher(files, ledger, bigin)
    measured = {
        "collecting": _measured(collect),
        "closing": _measured(lambda: closer.finish(record.import_id)),
    }
    closed = ledger.load(Import.at(record.import_id))
    if closed is None or not closed.state.is_closed:
        raise RuntimeError("the import was not closed")
    return measured


def _finisher(files: S3Files, ledger: MemoryLedger, bigin: Bigin) -> ImportCloser:
    clock = ManualClock()
    around = ConsoleLinks(
        region="eu-central-1", bucket="bench", import_function="import-csv", request_text=str
    )
    metadata = MetadataCache(ledger, bigin, clock)
    return ImportCloser(
        ledger=ledger,
        files=files,
        writer=ResultWriter(
            ledger=ledger,
            files=files,
            clock=clock,
            around=around,
            suggest=Suggester(files=files, metadata=metadata, default_encoding="").suggest,
        ),
        registrar=Registrar(ledger=ledger, files=files, clock=clock, telemetry=SeenEvents()),
        notices=MemoryNotices(),
        resumer=MemoryResumer(),
        clock=clock,
        telemetry=SeenEvents(),
        keep_seconds=1,
        notice_wait_seconds=120,
    )


def _measured(work: Callable[[], None]) -> dict[str, float]:
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    started, processor = time.perf_counter(), time.process_time()
    work()
    return {
        "seconds": time.perf_counter() - started,
        "processor_seconds": time.process_time() - processor,
        "peak_kib": _memory_kib("VmHWM"),
    }


def _memory_kib(what: str) -> int:
    """Read VmRSS (now) or VmHWM (the peak since it was last forgotten); Linux only."""
    found = re.search(rf"^{what}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    if not found:
        raise OSError(f"/proc/self/status has no {what}")
    return int(found[1])


def main(job: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return for each phase seconds, and peak MiB above the idle process."""
    files = S3Files(boto3.client("s3", config=CLIENT_CONFIG), job["bucket"])
    tiny, large = (
        (ObjectVersion(**one["source"]), one["plan_sha256"], Path(one["folder"]))
        for one in job["imports"]
    )
    settled(files, *tiny)
    idle = _memory_kib("VmRSS")
    phases = settled(files, *large)
    for phase in phases.values():
        phase["peak_mib"] = (phase.pop("peak_kib") - idle) / KIB
    return phases


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(sys.argv[1]))))
