"""
`make prove-iam`: every permission of the four roles is there because something asks for it.

In one running stack each action is taken out of its role's policy, the smallest scenario that
needs it is played, and something must go wrong; then it is put back. What the emulator does not
ask for, or no small scenario reaches, is named with its reason; anything else that nobody misses
is a failure. `python -m tests.local_stack.prove_iam settle-jobs ReadSecrets` tries only the
permissions in whose line all these words stand.
"""

from __future__ import annotations

import copy
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final
from urllib.parse import quote, urlsplit

import requests

from bigin_import import identity
from bigin_import.aws.ledger import DynamoLedger
from bigin_import.domain.drop import ObjectVersion
from tests.e2e.desk import Desk, as_csv, as_json
from tests.e2e.seen_bigin import SeenBigin
from tests.e2e.waiting import until
from tests.local_stack.stack import FunctionFailedError, FunctionName, LocalStack
from tests.local_stack.workers import kill_workers

MAPPING: Final[Mapping[str, object]] = {
    "module": "Contacts",
    "operation": "upsert",
    "find_by": "Email",
    "columns": {"E-mail": "Email", "Surname": "Last_Name"},
}
ROLES: Final[Mapping[str, FunctionName]] = {
    "import-csv": "import-csv",
    "job-callback": "job-callback",
    "settle-jobs": "settle-jobs",
    "tick": "settle-jobs",
}
LOGICAL: Final = {
    "import-csv": "ImportCsvRole",
    "job-callback": "JobCallbackRole",
    "settle-jobs": "SettleJobsRole",
    "tick": "TickRole",
}
# Why nothing can go wrong here, by Sid or by Sid and action.
NOT_MISSED: Final = {
    "WriteOwnLog": "the emulator writes logs itself",
    "HandOverFailedEvents": "the emulator's Lambda delivers to destinations as itself",
    "WakeSettleJobs": "the emulator's scheduler invokes as itself",
    "TakeAndGiveCollectWork sqs:ReceiveMessage": "the emulator's Lambda polls as itself",
    "TakeAndGiveCollectWork sqs:DeleteMessage": "the emulator's Lambda polls as itself",
    "TakeAndGiveCollectWork sqs:GetQueueAttributes": "the emulator's Lambda polls as itself",
    "TellMissingFromForbidden s3:ListBucketVersions": "the emulator answers 404 without it",
    "ReadDropsAndMappings s3:GetObject": "the emulator asks for GetObjectVersion alone",
    "s3:AbortMultipartUpload": "asked for only while an upload of more than 5 MB breaks off",
    "ReadReasons": "asked for only where a person deleted the reasons of a corrected file",
    "KeepKeysThatWereSent s3:GetObject": "asked for only where content comes again after other "
    "content with its keys",
    "KeepLedger dynamodb:DeleteItem": "asked for only where two imports meet",
}


@dataclass(slots=True)
class Prover:
    """
    A stack whose functions run only when they are invoked here.

    Attributes:
        twin: Bigin, which reports no job's end.
    """

    stack: LocalStack
    twin: SeenBigin
    desk: Desk
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def put(self, name: str, body: bytes, tagging: str = "") -> ObjectVersion:
        key = f"incoming/iam/{name}"
        put = self.desk.s3.put_object(
            Bucket=self.stack.bucket,
            Key=key,
            Body=body,
            **({"Tagging": tagging} if tagging else {}),
        )
        return ObjectVersion(self.stack.bucket, key, put["VersionId"], size=len(body))

    def notify(self, source: ObjectVersion) -> None:
        """Let import_csv hear of an object."""
        self.stack.invoke("import-csv", created_event(source))

    def rows(self) -> bytes:
        number = next(self.numbers)
        people = [[f"a{number}.{n}@iam.example", f"Person {n}"] for n in range(2)]
        return as_csv([["E-mail", "Surname"], *people])

    def send(self, body: bytes | None = None, tagging: str = "") -> ObjectVersion:
        source = self.put(f"{next(self.numbers)}.csv", body or self.rows(), tagging)
        self.notify(source)
        return source

    def sent(self, body: bytes | None = None) -> ObjectVersion:
        """Send a file, and wait until its job has ended at Bigin."""
        source = self.send(body)
        import_id = identity.import_id_of(source)

        def has_ended() -> bool:
            jobs = self.twin.jobs_of(import_id)
            return bool(jobs) and all(job["status"] == "COMPLETED" for job in jobs)

        until(has_ended, what=f"the job of {source.key} has ended")
        return source

    def callback_event(self, source: ObjectVersion) -> dict[str, Any]:
        (create,) = self.twin.creates_of(identity.import_id_of(source))
        segments = urlsplit(create["callback"]["url"]).path.split("/")[-4:]
        names = ("import_id", "part", "attempt", "signature")
        (job,) = self.twin.jobs_of(identity.import_id_of(source))
        return {
            "pathParameters": dict(zip(names, segments, strict=True)),
            "headers": {"content-type": "application/json"},
            "body": json.dumps({"job_id": job["id"]}),
        }

    def call_back(self, source: ObjectVersion) -> None:
        self.stack.invoke("job-callback", self.callback_event(source))

    def collect(self, source: ObjectVersion) -> None:
        self.stack.invoke("settle-jobs", collect_event(source))

    def closed(self, body: bytes | None = None) -> ObjectVersion:
        source = self.sent(body)
        self.call_back(source)
        self.collect(source)
        self.desk.closed(source)
        return source

    def complaints(self, function: FunctionName, since: float) -> list[str]:
        """Return what a function logged as a warning or worse."""
        pages = (
            self.stack.client("logs")
            .get_paginator("filter_log_events")
            .paginate(
                logGroupName=f"/aws/lambda/{self.stack.name}-{function}",
                startTime=int(since * 1000),
            )
        )
        lines = [event["message"] for page in pages for event in page["events"]]
        return [line for line in lines if '"level":"WARNING"' in line or '"level":"ERROR"' in line]


def created_event(source: ObjectVersion) -> dict[str, Any]:
    stored = {"key": quote(source.key), "versionId": source.version_id, "size": source.size}
    return {"Records": [{"s3": {"bucket": {"name": source.bucket}, "object": stored}}]}


def collect_event(source: ObjectVersion) -> dict[str, Any]:
    body = json.dumps({"import_id": identity.import_id_of(source), "part": 1})
    return {"Records": [{"messageId": "m", "body": body, "eventSource": "aws:sqs"}]}


type Prepare = Callable[[Prover], Any]
type Act = Callable[[Prover, Any], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    What needs a permission.

    Attributes:
        prepare: With all permissions; what it returns is given to *act*.
        is_cold: Whether the function must start anew, for it remembers secrets.
    """

    prepare: Prepare
    act: Act
    is_cold: bool = False


def nothing(_prover: Prover) -> None:
    return None


def waiting_for_its_mapping(prover: Prover) -> ObjectVersion:
    name = f"late-{next(prover.numbers)}"
    source = prover.put(f"{name}/a.csv", prover.rows())
    prover.desk.s3.delete_object(Bucket=prover.stack.bucket, Key="incoming/iam/mapping.json")
    prover.notify(source)
    mapping = prover.put("mapping.json", as_json(MAPPING))
    prover.desk.make_due(source)
    return mapping


def a_failed_event(prover: Prover) -> None:
    queue = prover.stack.resource("FailureQueue")
    event: dict[str, Any] = {"requestPayload": {"Records": []}}
    prover.stack.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(event))


def an_invalid_row_corrected(prover: Prover) -> bytes:
    number = next(prover.numbers)
    good, bad = f"g{number}@iam.example", f"b{number}@iam.example"
    record = prover.desk.closed(
        prover.closed(as_csv([["E-mail", "Surname"], [good, "Good"], [bad, ""]]))
    )
    failed = prover.desk.result(record, "failed.csv")
    return failed.replace(f"{bad},".encode(), f"{bad},Mended".encode())


def due_job(prover: Prover) -> None:
    prover.desk.make_due(prover.sent())


def settled(prover: Prover) -> ObjectVersion:
    source = prover.sent()
    prover.call_back(source)
    return source


def send(prover: Prover, _: object) -> None:
    prover.send()


def send_tagged(prover: Prover, _: object) -> None:
    prover.send(tagging="bigin-drop=closed")


def send_with_a_new_token(prover: Prover, _: object) -> None:
    prover.twin.revoke_tokens()
    prover.send()


def call_back_with_a_new_token(prover: Prover, source: ObjectVersion) -> None:
    prover.twin.revoke_tokens()
    prover.call_back(source)


def tick_with_a_new_token(prover: Prover, _: object) -> None:
    prover.twin.revoke_tokens()
    tick(prover, None)


def settled_correction(prover: Prover) -> ObjectVersion:
    source = prover.sent(an_invalid_row_corrected(prover))
    prover.call_back(source)
    return source


def send_again(prover: Prover, body: bytes) -> None:
    prover.send(body)


def tick(prover: Prover, _: object) -> None:
    prover.stack.invoke_tick()


SEND = Scenario(nothing, send)
COLD_SEND = Scenario(nothing, send, is_cold=True)
TAGGED = Scenario(nothing, send_tagged)
NEW_TOKEN = Scenario(nothing, send_with_a_new_token, is_cold=True)
NOTIFY_MAPPING = Scenario(waiting_for_its_mapping, Prover.notify)
CORRECT = Scenario(an_invalid_row_corrected, send_again)
NEW_TOKEN_CALL_BACK = Scenario(Prover.sent, call_back_with_a_new_token, is_cold=True)
NEW_TOKEN_POLL = Scenario(due_job, tick_with_a_new_token, is_cold=True)
COLLECT_CORRECTION = Scenario(settled_correction, Prover.collect)
CALL_BACK = Scenario(Prover.sent, Prover.call_back)
COLD_CALL_BACK = Scenario(Prover.sent, Prover.call_back, is_cold=True)
COLLECT = Scenario(settled, Prover.collect)
TICK = Scenario(nothing, tick)
POLL = Scenario(due_job, tick)
COLD_POLL = Scenario(due_job, tick, is_cold=True)
RESUME = Scenario(waiting_for_its_mapping, tick)
DRAIN = Scenario(a_failed_event, tick)

SCENARIOS: Final[Mapping[str, Mapping[str, Scenario]]] = {
    "import-csv": {
        "": SEND,
        "KeepOpenDrops": TAGGED,
        "ReadKeptRows": CORRECT,
        "FindOpenWork": NOTIFY_MAPPING,
        "ReadSecrets": COLD_SEND,
        "ShareAccessToken": COLD_SEND,
        "ShareAccessToken secretsmanager:PutSecretValue": NEW_TOKEN,
    },
    "job-callback": {
        "": CALL_BACK,
        "ReadSecrets": COLD_CALL_BACK,
        "ShareAccessToken": COLD_CALL_BACK,
        "ShareAccessToken secretsmanager:PutSecretValue": NEW_TOKEN_CALL_BACK,
    },
    "settle-jobs": {
        "": COLLECT,
        "TellMissingFromForbidden": RESUME,
        "FindOpenWork": TICK,
        "MeasureOpenWork": TICK,
        "TakeAndGiveCollectWork": POLL,
        "DrainFailures": DRAIN,
        "ResumeImports": RESUME,
        "WriteResults s3:GetObject": COLLECT_CORRECTION,
        "ReadSecrets": COLD_POLL,
        "ShareAccessToken": COLD_POLL,
        "ShareAccessToken secretsmanager:PutSecretValue": NEW_TOKEN_POLL,
    },
    "tick": {},
}


@dataclass(frozen=True, slots=True)
class Permission:
    """One action of one statement."""

    role: str
    sid: str
    action: str

    def __str__(self) -> str:
        return f"{self.role:<13} {self.sid:<25} {self.action:<35}"

    def look_up[T](self, known: Mapping[str, T]) -> T | None:
        for name in (f"{self.sid} {self.action}", self.sid, self.action):
            if name in known:
                return known[name]
        return None

    @property
    def scenario(self) -> Scenario:
        known = SCENARIOS[self.role]
        return self.look_up(known) or known[""]


class Policies:
    """The inline policies of the roles, as they were deployed."""

    def __init__(self, stack: LocalStack) -> None:
        self._iam = stack.client("iam")
        self._names = {role: stack.resource(logical) for role, logical in LOGICAL.items()}
        self._documents = {role: self._read(role) for role in LOGICAL}

    def _read(self, role: str) -> dict[str, Any]:
        answer = self._iam.get_role_policy(RoleName=self._names[role], PolicyName=role)
        document: dict[str, Any] = answer["PolicyDocument"]
        return document

    def permissions(self) -> Iterator[Permission]:
        for role, document in self._documents.items():
            for statement in document["Statement"]:
                for action in _listed(statement["Action"]):
                    yield Permission(role, statement["Sid"], action)

    @contextmanager
    def without(self, permission: Permission) -> Iterator[None]:
        """Take one action away until the block ends."""
        role = permission.role
        document = copy.deepcopy(self._documents[role])
        for statement in document["Statement"]:
            if statement["Sid"] == permission.sid:
                kept = [each for each in _listed(statement["Action"]) if each != permission.action]
                statement["Action"] = kept or ["sts:GetCallerIdentity"]
        self._write(role, document)
        try:
            yield
        finally:
            self._write(role, self._documents[role])

    def _write(self, role: str, document: Mapping[str, Any]) -> None:
        self._iam.put_role_policy(
            RoleName=self._names[role], PolicyName=role, PolicyDocument=json.dumps(document)
        )


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def play(prover: Prover, policies: Policies, permission: Permission) -> str:
    """Return what goes wrong without a permission; "" if nothing does."""
    scenario, function = permission.scenario, ROLES[permission.role]
    given = scenario.prepare(prover)
    with policies.without(permission):
        return complaint_of(prover, scenario, function, given)


def complaint_of(prover: Prover, scenario: Scenario, function: FunctionName, given: object) -> str:
    if scenario.is_cold:
        kill_workers(prover.stack, function)
    since = time.time()
    try:
        scenario.act(prover, given)
    except FunctionFailedError as exc:
        return str(exc)
    return next(iter(prover.complaints(function, since)), "")


def silence(stack: LocalStack) -> None:
    """Let nothing but us invoke the functions."""
    stack.client("s3").put_bucket_notification_configuration(
        Bucket=stack.bucket, NotificationConfiguration={}
    )
    client = stack.client("lambda")
    for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    stack.client("scheduler").delete_schedule(Name=f"{stack.name}-tick")


def prove(prover: Prover, words: Sequence[str]) -> int:
    """Play what *words* name; return how many permissions nobody misses without a reason."""
    policies = Policies(prover.stack)
    wanted = [each for each in policies.permissions() if all(word in str(each) for word in words)]
    for role, function in ROLES.items() if not words else ():
        for scenario in {id(each): each for each in SCENARIOS[role].values()}.values():
            wrong = complaint_of(prover, scenario, function, scenario.prepare(prover))
            if wrong:
                raise RuntimeError(f"{role} has all permissions, and all the same: {wrong[:1000]}")
    unexplained = 0
    for permission in wanted:
        reason = permission.look_up(NOT_MISSED)
        wrong = "" if reason else play(prover, policies, permission)
        mark = "missed " if wrong else "not asked for" if reason else "NOT MISSED"
        unexplained += not (wrong or reason)
        _say(f"{permission} {mark}  {reason or ' '.join(wrong.split())[:110]}")
    return unexplained


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@contextmanager
def deployed(name: str) -> Iterator[Prover]:
    with LocalStack.running(name) as stack, requests.Session() as session:
        session.trust_env = False
        session.verify = stack.authority
        ledger = DynamoLedger(stack.client("dynamodb"), stack.table)
        twin = SeenBigin(stack.twin_url, session)
        twin.change(callback_when="never", daily_credits=10_000_000)
        prover = Prover(stack, twin, Desk(stack, stack.client("s3"), ledger, "iam"))
        silence(stack)
        prover.put("mapping.json", as_json(MAPPING))
        yield prover


def main() -> int:
    with deployed("prove-iam") as prover:
        started = time.monotonic()
        unexplained = prove(prover, sys.argv[1:])
        _say(f"\n{unexplained} permissions are not missed; {time.monotonic() - started:.0f} s")
        return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
