"""The layer: built from locked wheels for one processor, compiled, and the one that is deployed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.local_stack import LocalStack
from tests.local_stack.deployment import BUILD, STACK_NAME, architecture, tool_settings
from tests.local_stack.workspace import ROOT

LAYERS = {"arm64": "CommonLayerArm64", "x86_64": "CommonLayerX86"}
# ELF's e_machine, bytes 18 and 19 of the header.
MACHINES = {"arm64": 183, "x86_64": 62}
UNCHECKED_HASH = 1  # PEP 552: the second word of a .pyc file


def run(*command: str, cwd: Path, env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Return exit status and output of a command as a user would type it."""
    settings = dict(os.environ) | tool_settings() | {"AWS_DEFAULT_REGION": "eu-central-1"}
    done = subprocess.run(
        command,
        cwd=cwd,
        env=settings | dict(env or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What a user has cloned, for a test that changes it."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("layers", "functions"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for name in ("template.yaml", "samconfig.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("processor", LAYERS)
def test_native_files_are_for_the_processor_that_the_layer_is_for(
    stack: LocalStack, processor: str
) -> None:
    packages = BUILD / "build" / LAYERS[processor] / "python"

    native = list(packages.rglob("*.so"))

    assert len(native) >= 2
    for path in native:
        header = path.read_bytes()[:20]
        assert int.from_bytes(header[18:20], "little") == MACHINES[processor], path


def test_the_layer_that_is_deployed_is_for_the_processor_of_the_functions(
    stack: LocalStack,
) -> None:
    client = stack.client("lambda")

    for function in ("import-csv", "job-callback", "settle-jobs"):
        deployed = client.get_function_configuration(FunctionName=f"{STACK_NAME}-{function}")
        (layer,) = deployed["Layers"]
        described = client.get_layer_version_by_arn(Arn=layer["Arn"])

        assert deployed["Architectures"] == [architecture()]
        assert described["CompatibleArchitectures"] == [architecture()]
        assert LAYERS[architecture()] in layer["Arn"]


@pytest.mark.parametrize("processor", LAYERS)
def test_every_module_is_compiled_and_its_bytecode_is_used_without_a_look_at_the_source(
    stack: LocalStack, processor: str
) -> None:
    """SAM's zip gives the sources other times than they had when they were compiled."""
    packages = BUILD / "build" / LAYERS[processor] / "python"

    ours = list((packages / "bigin_import").rglob("*.py"))
    compiled = list(packages.rglob("*.pyc"))

    assert {path.suffixes[0] for path in compiled} == {".cpython-313"}
    assert {int.from_bytes(path.read_bytes()[4:8], "little") for path in compiled} == {
        UNCHECKED_HASH
    }
    for source in ours:
        assert source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc" in compiled


def test_wheels_of_another_processor_do_not_build(project: Path) -> None:
    layer = project / "layers" / "common"

    status, output = run(
        *("make", "build-CommonLayerX86", "PLATFORM=aarch64-manylinux_2_28"),
        cwd=layer,
        env={"ARTIFACTS_DIR": str(project / "built")},
    )

    assert status != 0
    assert "not built for x86_64" in output


def test_a_lock_without_the_right_hash_does_not_build(project: Path) -> None:
    lock = project / "layers" / "common" / "requirements.txt"
    name, rest = lock.read_text().split("requests==", 1)
    own, others = re.split(r"\n(?! )", rest, maxsplit=1)
    wrong = re.sub("sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", own)
    lock.write_text(f"{name}requests=={wrong}\n{others}")

    status, output = run("sam", "build", "CommonLayerX86", cwd=project)

    assert status != 0
    assert re.search("hash", output, re.IGNORECASE)
    assert "requests" in output
    assert not (project / ".aws-sam" / "build" / "template.yaml").exists()
