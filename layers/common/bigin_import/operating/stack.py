"""A deployed stack: its outputs, and the adapters to look at it with the rights of whoever asks."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from shlex import quote
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from bigin_import import identity
from bigin_import.aws.files import S3Files
from bigin_import.aws.ledger import DynamoLedger
from bigin_import.domain.drop import NO_VERSION, ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import KeyLock
from bigin_import.object_keys import INCOMING
from bigin_import.operating.terminal import CommandRefusedError, Exit
from bigin_import.settings import SettleSettings
from bigin_import.settling.summarize import DEFAULT_STACK

if TYPE_CHECKING:
    from datetime import datetime

    from boto3.session import Session

_IMPORT_ID = re.compile(r"[0-9a-z]{26}")
_COMMAND = re.compile(
    r"\bbigin-drop [^;,.)]+"
)  # as remedies name one: to their end, or in brackets
LOOK_SECONDS = 1.0
_MOST_TAKES = 20  # a drop is taken up again at most a few times
# A command waits for what it asked a function to do, and must not ask twice (a function may run
# for 300 s).
_PATIENT = Config(connect_timeout=5, read_timeout=320, retries={"total_max_attempts": 1})


@dataclass(frozen=True)
class Stack:
    """
    The stack *name* in one region, as its outputs describe it.

    Attributes:
        session: With the region and the credentials of the person.
        options: Those that named it on the command line; "" for the default.
    """

    name: str
    session: Session
    options: str = ""

    @classmethod
    def of(cls, name: str, *, region: str | None, profile: str | None) -> Stack:
        """Return the stack that the options of a command name."""
        given = {
            "stack": "" if name == DEFAULT_STACK else name,
            "region": region,
            "profile": profile,
        }
        options = "".join(f" --{each} {quote(value)}" for each, value in given.items() if value)
        return cls(name, boto3.session.Session(region_name=region, profile_name=profile), options)

    def command(self, words: str) -> str:
        """Return a line that whoever typed this command can type next."""
        return f"bigin-drop {words}{self.options}"

    def completed(self, sentence: str) -> str:
        """Return what a function says, with the commands in it as they can be typed next."""
        return _COMMAND.sub(lambda found: found[0] + self.options, sentence)

    def client(self, service: str) -> Any:  # noqa: ANN401 - its type hangs on *service*
        return self.session.client(service)  # type: ignore[call-overload]

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """
        Outputs of template.yaml.

        Raises:
            CommandRefusedError: There is no such stack in this account and region.
        """
        return {each["OutputKey"]: each["OutputValue"] for each in self._found.get("Outputs", [])}

    @property
    def created_at(self) -> float:
        """When it was first deployed, in seconds since 1970."""
        created: datetime = self._found["CreationTime"]
        return created.timestamp()

    @cached_property
    def _found(self) -> Mapping[str, Any]:
        try:
            found: Mapping[str, Any] = self.client("cloudformation").describe_stacks(
                StackName=self.name
            )["Stacks"][0]
        except ClientError as exc:
            if exc.response["Error"]["Code"] != "ValidationError":
                raise
            raise CommandRefusedError(
                f"there is no stack {self.name} in {self.session.region_name}",
                "Deploy it, or name the right one with --stack and --region",
            ) from exc
        return found

    def list_resources(self, kind: str) -> tuple[str, ...]:
        """Return the names of what the stack has of a *kind*, such as AWS::Logs::LogGroup."""
        resources = self.client("cloudformation").get_paginator("list_stack_resources")
        return tuple(
            found["PhysicalResourceId"]
            for page in resources.paginate(StackName=self.name)
            for found in page["StackResourceSummaries"]
            if found["ResourceType"] == kind
        )

    @cached_property
    def settings(self) -> SettleSettings:
        """What settle_jobs was deployed with; import_csv has the same secrets and limits."""
        return SettleSettings.from_env(self.environment_of(self.outputs["SettleFunction"]))

    def environment_of(self, function: str) -> Mapping[str, str]:
        """Return the variables of a function, read from Lambda."""
        answer = self.client("lambda").get_function_configuration(FunctionName=function)
        variables: Mapping[str, str] = answer["Environment"]["Variables"]
        return variables

    @cached_property
    def ledger(self) -> DynamoLedger:
        return DynamoLedger(self.client("dynamodb"), self.outputs["TableName"])

    @property
    def bucket(self) -> str:
        return self.outputs["BucketName"]

    @cached_property
    def files(self) -> S3Files:
        return S3Files(self.client("s3"), self.bucket)

    @cached_property
    def patient_lambda(self) -> Any:  # noqa: ANN401 - boto3's own type is not there at run time
        """A Lambda client that waits for an answer as long as a function may run."""
        return self.session.client("lambda", config=_PATIENT)

    def find_import(self, name: str) -> Import:
        """
        Return the import with the id *name*, or the latest of the file with that key.

        Raises:
            CommandRefusedError: There is none.
        """
        if _IMPORT_ID.fullmatch(name):
            record = self.ledger.load(Import.at(name))
        else:
            key = name if name.startswith(INCOMING) else INCOMING + name
            record = next(self._load_imports(key), None)
        if record is None:
            raise CommandRefusedError(
                f"no import {name} is known",
                "Give the 26 characters of its id, as its notice has it, or the key of the file",
            )
        return record

    def wait_for_import(self, import_id: str, *, seconds: float) -> Import:
        """
        Return an import once S3's event has made it known.

        Raises:
            CommandRefusedError: It is not there after *seconds*.
        """
        ends_at = time.monotonic() + seconds
        while (record := self.ledger.load(Import.at(import_id))) is None:
            if time.monotonic() >= ends_at:
                raise _not_known(seconds)
            time.sleep(LOOK_SECONDS)
        return record

    def find_unversioned(self, source: ObjectVersion) -> str | None:
        """Return the import of the latest drop of a key in a bucket that keeps no versions."""
        lock = self.ledger.load(KeyLock.at(identity.place_of(source)))
        return lock.unversioned.import_id if lock and lock.unversioned else None

    def wait_for_drop(self, source: ObjectVersion, *, before: str | None, seconds: float) -> str:
        """
        Return the id of the import of what was just dropped, once S3's event has made it known.

        Args:
            before: What `find_unversioned` said before it was dropped.

        Raises:
            CommandRefusedError: It is not there after *seconds*.
        """
        if source.version_id != NO_VERSION:
            return identity.import_id_of(source)
        ends_at = time.monotonic() + seconds
        while (import_id := self.find_unversioned(source)) in (None, before):
            if time.monotonic() >= ends_at:
                raise _not_known(seconds)
            time.sleep(LOOK_SECONDS)
        return str(import_id)

    def _load_imports(self, key: str) -> Iterator[Import]:
        """Yield the imports of a key, those of its newest version first."""
        pages = self.client("s3").get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self.bucket, Prefix=key):
            for version in page.get("Versions", []):
                if version["Key"] == key:
                    source = ObjectVersion(self.bucket, key, version["VersionId"])
                    yield from reversed(self._load_takes(self._with_sequencer(source)))

    def _with_sequencer(self, source: ObjectVersion) -> ObjectVersion:
        """Return *source* as its event had it: without versions the sequencer is in the id."""
        import_id = self.find_unversioned(source) if source.version_id == NO_VERSION else None
        record = self.ledger.load(Import.at(import_id)) if import_id else None
        return record.source if record else source

    def _load_takes(self, source: ObjectVersion) -> list[Import]:
        takes: list[Import] = []
        for take in range(1, _MOST_TAKES):
            record = self.ledger.load(Import.at(identity.import_id_of(source, take)))
            if record is None:
                break
            takes.append(record)
        return takes


def _not_known(seconds: float) -> CommandRefusedError:
    return CommandRefusedError(
        f"the drop is not known after {seconds:g} s",
        "Look at the log of import_csv, and run the command doctor",
        exit_code=Exit.TIMED_OUT,
    )
