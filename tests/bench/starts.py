"""
`python -m tests.bench.starts`: what a function takes to start and give its first answer.

The functions are those that `sam build` makes, bytecode included, run by AWS's runtime under the
runtime emulator that the SAM CLI carries; AWS is MiniStack, Bigin the twin. The measure is a bare
handler that makes the boto3 clients which the answer uses, and calls nothing. Each answer is one
of a new process; rounds are interleaved, and processor seconds of that process are counted.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import boto3
import requests
import samcli  # type: ignore[import-untyped]  # it ships no types
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from bigin_import.domain.drop import ObjectVersion
from bigin_import.settling.write_overview import find_open
from tests.bench.figures import LOCAL, Budget, Most, Report, progress, publish
from tests.local_stack import deployment
from tests.local_stack.emulator import REGION
from tests.local_stack.prove_iam import (
    Prover,
    collect_event,
    created_event,
    deployed,
    settled,
)
from tests.local_stack.stack import FunctionName
from tests.local_stack.workspace import free_port

_SAM_CLI = Path(samcli.__file__).parent
EMULATOR = _SAM_CLI / "local" / "rapid" / f"aws-lambda-rie-{deployment.architecture()}"
RUNTIME = LOCAL / "awslambdaric"
FOLDERS: Final[Mapping[FunctionName, str]] = {
    "import-csv": "ImportCsvFunction",
    "job-callback": "JobCallbackFunction",
    "settle-jobs": "SettleJobsFunction",
}
# What Lambda's runtime has and our layer has not; ours is what the development environment has.
OF_LAMBDA: Final = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py")
BARE_HANDLER = """
import boto3
clients = [boto3.client(service) for service in {services!r}]
def lambda_handler(event, context):
    return len(clients)
"""
LAYERS: Final = {"arm64": "CommonLayerArm64", "x86_64": "CommonLayerX86"}
FAILED: Final = ("errorMessage", "errorType", "batchItemFailures")
TICKS: Final = os.sysconf("SC_CLK_TCK")


class Cost(NamedTuple):
    """Seconds of a processor; the most memory that there was, the idle process's too."""

    seconds: float
    peak_mib: float


@dataclass(frozen=True, slots=True)
class Start:
    """
    A first answer.

    Attributes:
        event: Makes what it answers to, in a stack; other runs do that.
        services: AWS services that it calls.
        goal, most: Times the bare handler.
    """

    function: FunctionName
    event: Callable[[Prover], Mapping[str, Any]]
    services: tuple[str, ...]
    goal: float
    most: float


def dropped(prover: Prover) -> dict[str, Any]:
    return created_event(prover.put(f"{next(prover.numbers)}.csv", prover.rows()))


def forged(prover: Prover) -> dict[str, Any]:
    event = called_back(prover)
    event["pathParameters"]["signature"] = "A" * 43
    return event


def called_back(prover: Prover) -> dict[str, Any]:
    source: ObjectVersion = prover.sent()
    return prover.callback_event(source)


def idle_tick(prover: Prover) -> dict[str, Any]:
    """Return a tick's event; nothing is due, as in all minutes but a few."""
    for records in find_open(prover.desk.ledger).values():
        for record in records:
            prover.desk.leave_alone(record.source)
    prover.stack.invoke_tick()
    return {"tick": True}


STARTS: Final[Mapping[str, Start]] = {
    "import_csv sends a drop": Start(
        "import-csv", dropped, ("s3", "dynamodb", "secretsmanager", "sqs"), 1.35, 1.45
    ),
    "job_callback refuses a signature": Start(
        "job-callback", forged, ("secretsmanager",), 1.2, 1.25
    ),
    "job_callback settles a part": Start(
        "job-callback", called_back, ("dynamodb", "secretsmanager", "sqs"), 1.2, 1.25
    ),
    "settle_jobs ticks": Start(
        "settle-jobs", idle_tick, ("s3", "dynamodb", "secretsmanager", "sqs"), 1.35, 1.4
    ),
    "settle_jobs collects and closes": Start(
        "settle-jobs",
        lambda prover: collect_event(settled(prover)),
        ("s3", "dynamodb", "secretsmanager", "sqs", "sns"),
        1.35,
        1.4,
    ),
}


def run(*, rounds: int = 5) -> Report:
    """Take the median processor seconds of each first answer, and of the bare handler's."""
    taken: dict[str, list[tuple[Cost, Cost]]] = {name: [] for name in STARTS}
    with deployed("bench-starts") as prover, tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        _link_boto3(folder / "runtime")
        for number in range(1, rounds + 1):
            progress(f"first answers, round {number} of {rounds}")
            for name, start in STARTS.items():
                event = start.event(prover)
                taken[name].append(_pair(prover, folder, start, event))
    figures = {name: _figures(pairs) for name, pairs in taken.items()}
    return Report(figures, table(figures), tuple(budgets(figures)), tuple(targets(figures)))


def _figures(pairs: list[tuple[Cost, Cost]]) -> dict[str, float]:
    ours = statistics.median(cost.seconds for cost, _ in pairs)
    bare = statistics.median(cost.seconds for _, cost in pairs)
    return {
        "seconds": round(ours, 2),
        "bare": round(bare, 2),
        "times": round(ours / bare, 2),
        "peak_mib": round(max(cost.peak_mib for cost, _ in pairs), 1),
    }


def budgets(figures: Mapping[str, Mapping[str, float]]) -> Iterator[Budget]:
    """Yield what each first answer may take."""
    for name, start in STARTS.items():
        unit = "times a bare handler"
        yield Budget(f"first answer, {name}", figures[name]["times"], start.most, unit)


def targets(figures: Mapping[str, Mapping[str, float]]) -> Iterator[Most]:
    """Yield each first answer as a line of the one table."""
    for name, start in STARTS.items():
        what = f"first answer, {name}"
        yield Most(what, figures[name]["times"], "times a bare handler", start.goal, start.most)


def table(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Return the figures as a text table."""
    head = f"{'first answer':<34} {'seconds':>8} {'bare':>6} {'times':>6} {'MiB':>6}"
    body = (
        f"{name:<34} {line['seconds']:>8.2f} {line['bare']:>6.2f} {line['times']:>6.2f} "
        f"{line['peak_mib']:>6.1f}"
        for name, line in figures.items()
    )
    return "\n".join([head, *body])


def _link_boto3(folder: Path) -> None:
    """Fill *folder* with what Lambda has, and with nothing that only a developer has."""
    folder.mkdir()
    for name in OF_LAMBDA:
        (folder / name).symlink_to(Path(boto3.__file__).parents[1] / name)


def _pair(
    prover: Prover, folder: Path, start: Start, event: Mapping[str, Any]
) -> tuple[Cost, Cost]:
    """Return what our first answer costs, and the bare handler's."""
    name = f"{prover.stack.name}-{start.function}"
    configured = prover.stack.client("lambda").get_function_configuration(FunctionName=name)
    variables: dict[str, str] = configured["Environment"]["Variables"]
    bare = folder / "bare"
    bare.mkdir(exist_ok=True)
    (bare / "app.py").write_text(BARE_HANDLER.format(services=start.services))
    base = prover.stack.emulator.environment() | {
        "PATH": os.environ["PATH"],
        "PYTHONNOUSERSITE": "1",
        "AWS_REGION": REGION,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
    }
    runtime = (folder / "runtime", RUNTIME)
    return (
        _first_answer(_built(FOLDERS[start.function]), runtime, event, base | variables),
        _first_answer(bare, runtime, {}, base),
    )


def _built(name: str) -> Path:
    return deployment.BUILD / "build" / name


def _first_answer(
    folder: Path, runtime: tuple[Path, ...], event: Mapping[str, Any], env: Mapping[str, str]
) -> Cost:
    """Return what the runtime costs from its start to its first answer."""
    paths = (folder, _built(LAYERS[deployment.architecture()]) / "python", *runtime)
    with _emulated(folder, {**env, "PYTHONPATH": os.pathsep.join(map(str, paths))}) as started:
        process_id, address = started
        answer = _invoke(address, event)
        if isinstance(answer, dict) and any(map(answer.get, FAILED)):
            raise AssertionError(f"{folder.name}: {answer}")
        return _cost(_child_of(process_id))


@contextmanager
def _emulated(folder: Path, env: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Start a function as Lambda does; yield its emulator's id and the address to invoke it at."""
    address, api = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    python = Path(sys.base_prefix) / "bin" / "python3"
    command = [str(EMULATOR), "--runtime-interface-emulator-address", address]
    command += ["--runtime-api-address", api, "--log-level", "error"]
    command += [str(python), "-m", "awslambdaric", "app.lambda_handler"]
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process.pid, address
    finally:
        process.kill()
        process.wait()


def _invoke(address: str, event: Mapping[str, Any]) -> object:
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", HTTPAdapter(max_retries=Retry(connect=50, backoff_factor=0.05)))
        url = f"http://{address}/2015-03-31/functions/function/invocations"
        return session.post(url, data=json.dumps(event), timeout=120).json()


def _child_of(process_id: int) -> int:
    threads = Path(f"/proc/{process_id}/task").iterdir()
    (child,) = (
        int(each) for thread in threads for each in (thread / "children").read_text().split()
    )
    return child


def _cost(process_id: int) -> Cost:
    """Return what a process has taken so far, in its own code and the kernel's."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    seconds = (int(fields[11]) + int(fields[12])) / TICKS
    status = Path(f"/proc/{process_id}/status").read_text()
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return Cost(seconds, int(peak) / 1024)


if __name__ == "__main__":
    publish("starts", run())
