"""
What Lambda itself writes of our functions, by the runtime that runs them there (awslambdaric).

It logs what nobody catches as JSON, for template.yaml asks for LogFormat JSON at INFO; the Errors
widget of the dashboard reads these names, which the emulator does not write.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.template_reading import properties

ROOT = Path(__file__).parents[3]
RUNTIME = ROOT / ".local" / "awslambdaric"  # the Makefile puts it there, on Linux
SECRET = "a cell that nobody may read"

pytestmark = pytest.mark.skipif(not RUNTIME.is_dir(), reason="awslambdaric is not installed")


class RuntimeApi(BaseHTTPRequestHandler):
    """Lambda's runtime API: one event, then nothing more to do."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.server.told.is_set():
            self.server.over.wait()
            return
        self.server.told.set()
        body = json.dumps({"neither": SECRET}).encode()
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", "r1")
        self.send_header("Lambda-Runtime-Deadline-Ms", "9999999999999")
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:x:1:function:f")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.answered.set()


class Server(ThreadingHTTPServer):
    """Attributes: whether the event was given out, answered, and whether the test is over."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), RuntimeApi)
        self.told, self.answered, self.over = (threading.Event() for _ in range(3))


@pytest.fixture
def api() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


def logged_by(function: str, api: Server) -> list[dict[str, Any]]:
    """Run a function as Lambda does, on an event that no function takes."""
    folder = ROOT / "functions" / function
    logging = properties("SettleJobsFunction")["LoggingConfig"]
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, (RUNTIME, ROOT / "layers/common", folder))),
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}",
        "AWS_LAMBDA_LOG_FORMAT": logging["LogFormat"],
        "AWS_LAMBDA_LOG_LEVEL": logging["ApplicationLogLevel"],
        "LAMBDA_TASK_ROOT": str(folder),
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "AWS_LAMBDA_LOG_GROUP_NAME": "group",
        "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    command = [sys.executable, "-m", "awslambdaric", "app.lambda_handler"]
    with subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert api.answered.wait(60)
        process.terminate()
        output, _ = process.communicate()
    return [json.loads(line) for line in output.splitlines() if line.strip()]


def test_an_error_that_nobody_catches_is_one_json_line_that_the_errors_widget_finds(
    api: Server,
) -> None:
    lines = logged_by("settle_jobs", api)

    (failed,) = [line for line in lines if "errorType" in line]
    assert failed["level"] == "ERROR"
    assert failed["errorType"] == "SettingsError"
    assert failed["requestId"] == "r1"
    assert SECRET not in str(lines)
    query = properties("Dashboard")["DashboardBody"]["Fn::Sub"]
    assert "filter level in ['ERROR', 'CRITICAL']" in query
    assert "errorType" in query
