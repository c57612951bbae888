"""The three functions as they are deployed, in this process: moto is AWS, the twin is Bigin."""

from __future__ import annotations

import importlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from types import ModuleType
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.model import OperationModel
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

from bigin_import.aws.ledger import DynamoLedger
from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import OpenKind
from tests.bigin_twin.serving import Running
from tests.bigin_twin.tokens import Client
from tests.integration.aws.ledger_bench import any_way
from tests.integration.handlers.environment import environment_of
from tests.integration.handlers.sample_events import Event
from tests.template_reading import table_definition

ACCOUNT = "123456789012"
REGION = "eu-central-1"
BUCKET = f"bigin-drop-{ACCOUNT}-{REGION}"  # as the sample events have it
TABLE = "bigin-drop-LedgerTable"
SIGNING_KEY = "planted0signing0key0of0this0test"
FUNCTIONS = {
    "ImportCsvFunction": "import_csv",
    "JobCallbackFunction": "job_callback",
    "SettleJobsFunction": "settle_jobs",
}
AWS_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
}
SECONDS = {"import_csv": 300, "job_callback": 15, "settle_jobs": 300}


@dataclass(frozen=True, slots=True)
class Invocation:
    """What Lambda tells a handler; the part that Powertools and we read."""

    function_name: str
    seconds: int
    memory_limit_in_mb: int = 1769
    aws_request_id: str = "e4b46cbf-b738-4880-8a18-5a9b2f1c8e77"

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return self.seconds * 1000


@dataclass(frozen=True, slots=True)
class Call:
    """One call to AWS, such as ("dynamodb", "GetItem"), and what was asked."""

    service: str
    operation: str
    asked: Mapping[str, Any] = field(repr=False)


class Deployed:
    """
    The stack. Attributes:

    calls: What the functions asked AWS, oldest first.
    invocations: Payloads of asynchronous invocations of import_csv; nobody has run them yet.
    """

    def __init__(self, twin: Running) -> None:
        self.twin = twin
        self.calls: list[Call] = []
        self.invocations: list[Event] = []
        self._clients: dict[str, Any] = {}
        self._ready: dict[str, ModuleType] = {}
        self._names = self._created()

    # What a person or AWS does

    def drop(self, key: str, body: bytes) -> str:
        """Put an object; return its version id."""
        answer = self._client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        return str(answer["VersionId"])

    def run(self, function: str, event: Event) -> Any:  # noqa: ANN401 - as each handler says
        """Invoke a function (the name of its folder) in its own environment."""
        with patch.dict(os.environ, self.environment(function)):
            return self.app(function).lambda_handler(event, invocation(function))

    def run_resumes(self) -> None:
        """Let Lambda deliver the invocations that were asked for."""
        while self.invocations:
            self.run("import_csv", self.invocations.pop(0))

    def let_everything_be_due(self) -> None:
        """Bring the open work of the ledger to its time, as if that had passed."""
        for kind in OpenKind:
            for address in self.ledger.find_due(kind, before=2**40, limit=100):
                record = self.ledger.load(address)
                if isinstance(record, Import | Part):
                    self.ledger.save(replace(record, due_at=0))

    # What is there

    def environment(self, function: str) -> dict[str, str]:
        (logical_id,) = (name for name, folder in FUNCTIONS.items() if folder == function)
        return environment_of(logical_id, self._names)

    @cached_property
    def ledger(self) -> DynamoLedger:
        return DynamoLedger(self._client("dynamodb"), TABLE, check=any_way)

    def items(self) -> list[dict[str, Any]]:
        """Return the whole table."""
        items: list[dict[str, Any]] = self._client("dynamodb").scan(TableName=TABLE)["Items"]
        return items

    def put_item(self, item: dict[str, Any]) -> None:
        """Write an item as another release may have written it."""
        self._client("dynamodb").put_item(TableName=TABLE, Item=item)

    def the_import(self) -> Import:
        """Return the only import."""
        (pk,) = (item["pk"]["S"] for item in self.items() if item["sk"]["S"] == "IMPORT")
        record = self.ledger.load(Import.at(pk.removeprefix("IMPORT#")))
        assert record is not None
        return record

    def imports(self) -> list[Import]:
        """Return all imports."""
        found = (item["pk"]["S"] for item in self.items() if item["sk"]["S"] == "IMPORT")
        records = (self.ledger.load(Import.at(pk.removeprefix("IMPORT#"))) for pk in found)
        return [record for record in records if record is not None]

    def access_token(self) -> str | None:
        """Return the token that the functions share, if they have one."""
        client = self._client("secretsmanager")
        try:
            answer = client.get_secret_value(SecretId=self._names["TokenSecret.Id"])
        except client.exceptions.ResourceNotFoundException:
            return None
        return str(answer["SecretString"])

    def rotate_signing_key(self, key: str) -> None:
        arn = self._names["SigningSecret.Id"]
        self._client("secretsmanager").put_secret_value(SecretId=arn, SecretString=key)

    def parts(self) -> tuple[Part, ...]:
        return self.ledger.load_parts(self.the_import().import_id)

    def messages(self) -> list[str]:
        """Take all messages off the collect queue."""
        return self.taken(self._names["CollectQueue"])

    def send_again(self, message: str) -> None:
        """Put a message back into the collect queue, as SQS does with one that failed."""
        queue = self._names["CollectQueue"]
        self._client("sqs").send_message(QueueUrl=queue, MessageBody=message)

    @contextmanager
    def disturbed(self, trouble: Callable[..., AWSResponse | None]) -> Iterator[None]:
        """Let *trouble* see each request of the functions; what it answers never reaches AWS."""
        events: Any = _session("the functions'").events
        answered: set[int] = set()
        real = BotocoreStubber.__call__

        def see(request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse | None:
            answer = trouble(request, event_name)
            if answer is not None:
                answered.add(id(request))
            return answer

        def act(moto: Any, event_name: str, request: Any, **others: Any) -> Any:  # noqa: ANN401
            """Botocore asks every handler, also when the first one has an answer."""
            if id(request) in answered:
                answered.discard(id(request))
                return None
            return real(moto, event_name, request, **others)

        events.register_first("before-send", see)
        with patch.object(BotocoreStubber, "__call__", act):
            yield
        events.unregister("before-send", see)

    def taken(self, queue: str) -> list[str]:
        client = self._client("sqs")
        answer = client.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            client.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in answer.get("Messages", [])]

    def fail(self, message: Event) -> None:
        """Put a message into the failure queue, as Lambda's destination does."""
        queue = self._names["FailureQueue"]
        self._client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(message))

    def remove_topic(self) -> None:
        self._client("sns").delete_topic(TopicArn=self._names["NoticeTopic"])

    def remove_table(self) -> None:
        self._client("dynamodb").delete_table(TableName=TABLE)

    def keys(self, prefix: str) -> list[str]:
        answer = self._client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [each["Key"] for each in answer.get("Contents", [])]

    def body(self, key: str) -> bytes:
        return bytes(self._client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def calls_to(self, *services: str) -> list[Call]:
        return [call for call in self.calls if call.service in services]

    def notices(self) -> list[Mapping[str, Any]]:
        return [call.asked for call in self.calls_to("sns")]

    def callback_path(self, job_id: str) -> str:
        """Return what the create call of a job gave as its callback, below the stage."""
        with self.twin.server.bigin() as bigin:
            callback = bigin.jobs[job_id].request.callback
        assert callback is not None
        return urlsplit(callback.url).path.removeprefix("/live")

    def job_ids(self) -> list[str]:
        """Return the jobs that Bigin has, whoever knows of them."""
        with self.twin.server.bigin() as bigin:
            return list(bigin.jobs)

    # How it is put together

    def _client(self, service: str) -> Any:  # noqa: ANN401 - as many types as services
        """Return a client of the test's own: its calls are not the functions'."""
        if service not in self._clients:
            self._clients[service] = _session("the test's").client(service)  # type: ignore[call-overload]  # not a literal
        return self._clients[service]

    def _created(self) -> dict[str, str]:
        """Create what the template creates; return its names, and the parameters."""
        self._client("dynamodb").create_table(TableName=TABLE, **table_definition())
        s3 = self._client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        versioned = {"Status": "Enabled"}
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration=versioned)
        known = Client()
        zoho = {
            "client_id": known.client_id,
            "client_secret": known.client_secret,
            "refresh_token": known.refresh_token,
        }
        return {
            "AccountsUrl": self.twin.url,
            "ApiUrl": self.twin.url,
            "UploadUrl": self.twin.url,
            "ZohoSecretArn": self._secret("zoho", json.dumps(zoho)),
            "SigningSecret.Id": self._secret("signing", SIGNING_KEY),
            "TokenSecret.Id": self._client("secretsmanager").create_secret(Name="token")["ARN"],
            "CollectQueue": self._queue("collect"),
            "FailureQueue": self._queue("failure"),
            "NoticeTopic": self._client("sns").create_topic(Name="notices")["TopicArn"],
            "LedgerTable": TABLE,
            "DropBucket": BUCKET,
            "ImportCsvFunction": "bigin-drop-import-csv",
            "CallbackApi": "a1b2c3d4e5",
            "AWS::StackName": "bigin-drop",
            "AWS::AccountId": ACCOUNT,
            "AWS::Region": REGION,
            "AWS::URLSuffix": "amazonaws.com",
        }

    def _secret(self, name: str, text: str) -> str:
        answer = self._client("secretsmanager").create_secret(Name=name, SecretString=text)
        return str(answer["ARN"])

    def _queue(self, name: str) -> str:
        return str(self._client("sqs").create_queue(QueueName=name)["QueueUrl"])

    def app(self, function: str) -> ModuleType:
        """Import a handler as a new container does: once, in the function's environment."""
        if function not in self._ready:
            name = f"bigin_import.functions.{function}"
            app = importlib.reload(importlib.import_module(name))
            # An earlier test's logger lives on in this process, and so does its closed stream.
            app.logger.registered_handler.stream = sys.stdout
            self._ready[function] = app
        return self._ready[function]

    def note(self, params: dict[str, Any], model: OperationModel, **_: object) -> None:
        """Keep a call of a function's."""
        service = model.service_model.service_name
        self.calls.append(Call(service, model.name, dict(params)))

    def accept(self, request: AWSRequest, **_: object) -> AWSResponse:
        """Answer an asynchronous invocation as Lambda does; moto would want Docker."""
        self.invocations.append(json.loads(request.body))
        return AWSResponse(str(request.url), 202, HTTPHeaders(), io.BytesIO())


def invocation(function: str) -> Invocation:
    return Invocation(f"bigin-drop-{function}", SECONDS[function])


@contextmanager
def deployed(twin: Running) -> Iterator[Deployed]:
    """Yield the stack on an empty account, and watch what the functions ask of it."""
    session = _session("the functions'")
    with (
        patch.dict(os.environ, AWS_ENVIRONMENT),
        mock_aws(),
        patch.object(boto3, "DEFAULT_SESSION", session),
    ):
        stack = Deployed(twin)
        events: Any = session.events  # the stubs know no handler that gives an answer
        events.register("provide-client-params", stack.note)
        events.register_first("before-send.lambda.Invoke", stack.accept)
        yield stack
        events.unregister("provide-client-params", stack.note)
        events.unregister("before-send.lambda.Invoke", stack.accept)


@cache
def _session(_whose: str) -> boto3.Session:
    """Return a session that all tests share: each new one reads boto3's large models again."""
    return boto3.Session("testing", "testing", region_name=REGION)
