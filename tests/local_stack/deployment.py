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
from tests.local_stack.workspace import LOCAL, ROOT, locked

STACK_NAME = "bigin-drop"
BUILD = LOCAL / "sam"
TOOLS = Path(sys.executable).parent
# Where the Makefile puts uv if the machine has none; else the layer's build would fetch its own.
OUR_UV = LOCAL / "uv" / "bin"

# uname's words, and AWS's
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def deploy(
    emulator: Emulator,
    *,
    source: Path,
    folder: Path,
    parameters: Mapping[str, str],
    name: str = STACK_NAME,
) -> dict[str, str]:
    """
    Build and deploy *source*/template.yaml as the stack *name*; return its outputs.

    Raises:
        CommandFailedError: SAM refused; the message holds its last words.
    """
    given = {**parameters, "Architecture": architecture()}
    options = ["--stack-name", name, "--parameter-overrides"]
    options += [f"{parameter}={value}" for parameter, value in given.items()]
    with locked(BUILD / "build.lock", wait=True):
        _build(source, _place_of(source, folder), folder / "build.log")
        _deploy(emulator, source, _place_of(source, folder), options, folder)
    return outputs_of(emulator, name)


def build(source: Path, *, folder: Path) -> None:
    """Build *source*/template.yaml, so that its next deploy takes less."""
    with locked(BUILD / "build.lock", wait=True):
        _build(source, _place_of(source, folder), folder / "build.log")


def delete(emulator: Emulator, name: str = STACK_NAME) -> None:
    """Delete a stack, as `aws cloudformation delete-stack` does, and wait for its end."""
    client = emulator.client("cloudformation")
    client.delete_stack(StackName=name)
    client.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})


def architecture() -> str:
    """Return AWS's word for this machine's processor."""
    return _ARCHITECTURES[platform.machine().lower()]


def _place_of(source: Path, folder: Path) -> Path:
    """What others than ours are built into is theirs: tests look at what ours was built to."""
    return BUILD if source == ROOT else folder / "sam" / source.name


def _build(source: Path, built: Path, log: Path) -> None:
    """Build with this machine's own trust and package settings: it may download."""
    command = ["sam", "build", "--build-dir", str(built / "build")]
    command += ["--cache-dir", str(built / "cache")]
    env = dict(os.environ) | tool_settings()
    processes.run(command, env=env, cwd=source, log=log)


def _deploy(
    emulator: Emulator, source: Path, built: Path, options: list[str], folder: Path
) -> None:
    command = ["sam", "deploy", "--template-file", str(built / "build" / "template.yaml")]
    command += ["--config-file", str(source / "samconfig.toml")]
    command += ["--no-confirm-changeset", "--no-progressbar", *options]
    env = processes.environment(**emulator.environment()) | tool_settings()
    processes.run(command, env=env, cwd=source, log=folder / "deploy.log")


def tool_settings() -> dict[str, str]:
    """Return what SAM needs: no telemetry, the tools of this interpreter, and some uv."""
    return {"SAM_CLI_TELEMETRY": "0", "PATH": f"{TOOLS}:{os.environ['PATH']}:{OUR_UV}"}


def outputs_of(emulator: Emulator, name: str) -> dict[str, str]:
    stacks = emulator.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}


def create_zoho_secret(emulator: Emulator, client: Mapping[str, str]) -> str:
    """Create the secret that a user creates by hand, and return its ARN."""
    created = emulator.client("secretsmanager").create_secret(
        Name="zoho", SecretString=json.dumps(dict(client))
    )
    arn: str = created["ARN"]
    return arn
