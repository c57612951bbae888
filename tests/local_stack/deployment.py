"""`sam build` and `sam deploy` of the unmodified template.yaml, by the tools a user has."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.local_stack import processes
from tests.local_stack.emulator import Emulator
from tests.local_stack.workspace import LOCAL, locked

STACK_NAME = "bigin-drop"
BUILD = LOCAL / "sam"
TOOLS = Path(sys.executable).parent
# Where the Makefile puts uv if the machine has none; else the layer's build would fetch its own.
OUR_UV = LOCAL / "uv" / "bin"

# uname's words, and AWS's
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def deploy(
    emulator: Emulator, *, source: Path, folder: Path, parameters: Mapping[str, str]
) -> dict[str, str]:
    """
    Build and deploy *source*/template.yaml with *parameters*; return the stack's outputs.

    Raises:
        CommandFailedError: SAM refused; the message holds its last words.
    """
    overrides = [f"{name}={value}" for name, value in parameters.items()]
    overrides.append(f"Architecture={architecture()}")
    with locked(BUILD / "build.lock", wait=True):
        _build(source, folder / "build.log")
        _deploy(emulator, source, overrides, folder / "deploy.log")
    return _outputs(emulator)


def architecture() -> str:
    """Return AWS's word for this machine's processor."""
    return _ARCHITECTURES[platform.machine().lower()]


def _build(source: Path, log: Path) -> None:
    """Build with this machine's own trust and package settings: it may download."""
    command = ["sam", "build", "--build-dir", str(BUILD / "build")]
    command += ["--cache-dir", str(BUILD / "cache")]
    env = dict(os.environ) | tool_settings()
    processes.run(command, env=env, cwd=source, log=log)


def _deploy(emulator: Emulator, source: Path, overrides: list[str], log: Path) -> None:
    command = ["sam", "deploy", "--template-file", str(BUILD / "build" / "template.yaml")]
    command += ["--config-file", str(source / "samconfig.toml")]
    command += ["--stack-name", STACK_NAME, "--no-confirm-changeset", "--no-progressbar"]
    command += ["--parameter-overrides", *overrides]
    env = processes.environment(**emulator.environment()) | tool_settings()
    processes.run(command, env=env, cwd=source, log=log)


def tool_settings() -> dict[str, str]:
    """Return what SAM needs: no telemetry, the tools of this interpreter, and some uv."""
    return {"SAM_CLI_TELEMETRY": "0", "PATH": f"{TOOLS}:{os.environ['PATH']}:{OUR_UV}"}


def _outputs(emulator: Emulator) -> dict[str, str]:
    stacks = emulator.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}


def create_zoho_secret(emulator: Emulator, client: Mapping[str, str]) -> str:
    """Create the secret that a user creates by hand, and return its ARN."""
    created = emulator.client("secretsmanager").create_secret(
        Name="zoho", SecretString=json.dumps(dict(client))
    )
    arn: str = created["ARN"]
    return arn
