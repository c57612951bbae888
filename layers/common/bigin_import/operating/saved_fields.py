"""
What Bigin knows of a module, asked for by way of the stack and kept on this machine.

So a file can be checked where no stack can be reached.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from bigin_import.domain.job_request import Field
from bigin_import.errors import BiginRefusedError
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import CommandRefusedError
from bigin_import.plain_values import Stored


@dataclass(frozen=True, slots=True)
class SavedModule:
    """
    A module as Bigin described it.

    Attributes:
        refused: Bigin's code where it knows no such module.
        default_encoding: Of the deployment.
    """

    module: str
    fields: tuple[Field, ...] = ()
    time_zone: str = ""
    default_encoding: str = ""
    refused: str = ""


_SAVED = Stored[SavedModule](SavedModule)


@dataclass(frozen=True, slots=True)
class SavedMetadata:
    """The port Metadata over one module; *saved* is None where nothing is known of it."""

    saved: SavedModule | None

    def get_fields(self, module: str) -> tuple[Field, ...]:
        if self.saved is None or self.saved.module != module:
            raise _refusal("NOT_KNOWN", f"the fields of {module} are not known here")
        if self.saved.refused:
            raise _refusal(self.saved.refused, f"{module} is none", concerns_mapping=True)
        return self.saved.fields

    def get_time_zone(self) -> str:
        return self.saved.time_zone if self.saved else "UTC"


def _refusal(code: str, message: str, *, concerns_mapping: bool = False) -> BiginRefusedError:
    return BiginRefusedError(
        code=code, message=message, resolution="", concerns_mapping=concerns_mapping
    )


def default_file(stack: Stack, module: str) -> Path:
    """Return where the fields of a module are kept for a stack."""
    folder = Path.home() / ".cache" / "bigin-drop" / f"{stack.session.region_name}-{stack.name}"
    return folder / f"{module}.json"


def ask_stack(stack: Stack, module: str) -> SavedModule:
    """
    Return what Bigin says of *module* now, asked by settle_jobs.

    Raises:
        CommandRefusedError: settle_jobs, or Bigin, could not answer.
    """
    payload = {"doctor": True, "module": module}
    answer = stack.patient_lambda.invoke(
        FunctionName=stack.outputs["SettleFunction"], Payload=json.dumps(payload).encode()
    )
    body = answer["Payload"].read()
    if "FunctionError" in answer:
        raise CommandRefusedError(
            f"Bigin does not say what fields {module} has",
            f"See what is wrong: {stack.command('doctor')}",
        )
    said: SavedModule = _SAVED.read_json(body)
    return said


def save(saved: SavedModule, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_SAVED.as_json(saved, indent=2))


def read(path: Path) -> SavedModule | None:
    """
    Return what was saved; None if there is no such file.

    Raises:
        CommandRefusedError: It is something else.
    """
    try:
        saved: SavedModule = _SAVED.read_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as exc:
        raise CommandRefusedError(
            f"{path} does not hold the fields of a module",
            "Delete it; with a stack in reach it is written again",
        ) from exc
    return saved


def ask_or_read(stack: Stack, module: str) -> tuple[SavedModule | None, str]:
    """Return what is known of *module*, asked now if that can be, and where it comes from."""
    path = default_file(stack, module)
    try:
        asked = ask_stack(stack, module)
    except (ClientError, BotoCoreError, CommandRefusedError) as exc:
        why = str(exc).rstrip(".")
        known = read(path)
        if known is None:
            return None, f"Not compared with Bigin's fields: {why}, and none are saved"
        return known, f"Compared with the fields saved in {path}: {why}"
    save(asked, path)
    return asked, f"Compared with Bigin's fields as they are now; saved in {path}"
