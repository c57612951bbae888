"""Is everything there that an import needs? One line for each thing, and what to do about it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from itertools import batched
from pathlib import Path
from typing import Any

import requests
from botocore.exceptions import BotoCoreError, ClientError

from bigin_import.callback_url import NOBODY
from bigin_import.operating.check import check_mapping, module_of
from bigin_import.operating.saved_fields import ask_stack, default_file, save
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import CommandRefusedError, Exit, Terminal
from bigin_import.report.summary import number

_TICK_SECONDS = 60
_LATE_TICK_SECONDS = 300
_ALARMS_AT_ONCE = 100  # DescribeAlarms' limit
_WRONG_SIGNATURE = "A" * 43
_WORK = "queue of work"
_OUTPUTS = ("BucketName", "TableName", "TopicArn", "ImportFunction", "SettleFunction")


@dataclass(frozen=True, slots=True)
class Check:
    """
    One thing that was looked at.

    Attributes:
        found: What is there; for a thing that is wrong, what is wrong with it.
        remedy: What to do; "" if it is good.
    """

    what: str
    found: str
    remedy: str = ""

    @property
    def is_good(self) -> bool:
        return not self.remedy


type Look = Callable[[Stack], Iterator[Check]]


def examine(
    stack: Stack,
    terminal: Terminal,
    *,
    callback_url: str = "",
    mapping: Path | None = None,
    now: Callable[[], float] = time.time,
) -> Exit:
    """
    Look at the stack from here and, under the role of settle_jobs, from within.

    Args:
        callback_url: Where Bigin reaches the API, if that is not the address of the API itself.
        mapping: A mapping that is held against Bigin's fields as they are now.
    """
    checks: list[Check] = []
    looks: dict[str, Look] = {
        **_FROM_HERE,
        "tick": partial(check_tick, now=now),
        "callback": partial(check_callback, url=callback_url),
        "settle_jobs": partial(check_inside, url=callback_url),
    }
    if mapping is not None:
        looks["mapping"] = partial(check_mapping_live, mapping=mapping)
    for name, look in looks.items():
        for check in _guarded(name, look, stack):
            checks.append(check)
            terminal.say(_line(check))
    wrong = [check for check in checks if not check.is_good]
    terminal.say("", f"{len(wrong)} of {len(checks)} need you." if wrong else "All is well.")
    terminal.report(
        {"checks": [{"what": c.what, "found": c.found, "remedy": c.remedy} for c in checks]}
    )
    return Exit.FINDINGS if wrong else Exit.GOOD


def _line(check: Check) -> str:
    if check.is_good:
        return f"ok     {check.what}: {check.found}"
    return f"WRONG  {check.what}: {check.found}. {check.remedy}."


def _guarded(what: str, look: Look, stack: Stack) -> Iterator[Check]:
    """One look that AWS refuses does not end the others."""
    try:
        yield from look(stack)
    except CommandRefusedError as exc:
        yield Check(what, str(exc), exc.remedy or "See the other lines")
    except KeyError as exc:  # an output, or a variable of a function, of another release
        yield Check(what, f"cannot be looked at (the stack lacks {exc})", "Deploy it again")
    except requests.RequestException as exc:  # its text may hold the address
        reason = type(exc).__name__
        yield Check(what, f"cannot be reached from here ({reason})", "See what stands between")
    except (ClientError, BotoCoreError) as exc:
        reason = (
            exc.response["Error"]["Code"] if isinstance(exc, ClientError) else type(exc).__name__
        )
        yield Check(what, f"cannot be looked at ({reason})", "See whether your role may do that")


def check_outputs(stack: Stack) -> Iterator[Check]:
    missing = [name for name in _OUTPUTS if name not in stack.outputs]
    if missing:
        yield Check(
            "stack", f"{stack.name} lacks the outputs {', '.join(missing)}", "Deploy it again"
        )
    else:
        yield Check("stack", f"{stack.name} in {stack.session.region_name}")


def check_versioning(stack: Stack) -> Iterator[Check]:
    status = stack.client("s3").get_bucket_versioning(Bucket=stack.bucket).get("Status", "off")
    yield Check(
        "bucket",
        f"{stack.bucket}, versioning {status.lower()}",
        ""
        if status == "Enabled"
        else "Deploy again, or enable it: without it a file that is "
        "overwritten while it is imported is lost",
    )


def check_subscriptions(stack: Stack) -> Iterator[Check]:
    found = stack.client("sns").list_subscriptions_by_topic(TopicArn=stack.outputs["TopicArn"])
    pending = [
        each["Endpoint"]
        for each in found["Subscriptions"]
        if each["SubscriptionArn"] in ("PendingConfirmation", "pending confirmation")
    ]
    if not found["Subscriptions"]:
        yield Check(
            "notices", "nobody is subscribed", "Deploy with NoticeEmail, or subscribe to the topic"
        )
    elif pending:
        yield Check(
            "notices",
            f"{', '.join(pending)} has not confirmed",
            "Open the mail from AWS Notifications and follow its link",
        )
    else:
        yield Check("notices", f"{len(found['Subscriptions'])} subscribed")


def check_alarms(stack: Stack) -> Iterator[Check]:
    names = stack.list_resources("AWS::CloudWatch::Alarm")  # no prefix: other stacks' may have it
    red = [
        alarm
        for some in batched(names, _ALARMS_AT_ONCE, strict=False)
        for alarm in stack.client("cloudwatch").describe_alarms(
            AlarmNames=list(some), StateValue="ALARM", MaxRecords=_ALARMS_AT_ONCE
        )["MetricAlarms"]
    ]
    for alarm in red:
        remedy = alarm.get("AlarmDescription", "").rstrip(".") or "See CloudWatch"
        yield Check("alarm", alarm["AlarmName"], remedy)
    if not red:
        yield Check("alarms", "none rings")


def check_queues(stack: Stack) -> Iterator[Check]:
    """Count what lies in the queues; only what has failed too often is wrong."""
    urls = {
        _WORK: stack.settings.collect_queue_url,
        "dead-letter queue": stack.outputs["CollectDeadLetterQueueUrl"],
        "failure queue": stack.settings.failure_queue_url,
    }
    for what, url in urls.items():
        answer = stack.client("sqs").get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        count = int(answer["Attributes"]["ApproximateNumberOfMessages"])
        yield Check(
            what,
            "empty" if not count else f"holds {count}",
            ""
            if not count or what == _WORK
            else "Find the error in the log of settle_jobs, mend it, then start "
            "a redrive of the queue; the failure queue is emptied by the tick",
        )


def check_tick(stack: Stack, now: Callable[[], float] = time.time) -> Iterator[Check]:
    """Look for the last line that a tick has written."""
    groups = [
        group
        for group in stack.list_resources("AWS::Logs::LogGroup")
        if stack.outputs["SettleFunction"] in group
    ]
    since = int((now() - _LATE_TICK_SECONDS) * 1000)
    events = (
        event
        for group in groups
        for event in stack.client("logs").filter_log_events(
            logGroupName=group, startTime=since, filterPattern='"tick"'
        )["events"]
    )
    age = now() - stack.created_at
    if any(_is_tick(event["message"]) for event in events):
        yield Check("tick", f"runs every {_TICK_SECONDS} s")
    elif age < _LATE_TICK_SECONDS:
        yield Check(
            "tick", f"none yet; the stack is {number(int(age))} s old, look again in minutes"
        )
    else:
        yield Check(
            "tick",
            f"none in the last {_LATE_TICK_SECONDS // 60} minutes",
            "See whether the schedule is enabled and settle_jobs starts: nothing that is late is "
            "looked at without it",
        )


def _is_tick(message: str) -> bool:
    try:
        line = json.loads(message)
    except ValueError:
        return False
    return isinstance(line, dict) and line.get("message") == "tick"


def check_architecture(stack: Stack) -> Iterator[Check]:
    """The layer holds native libraries: it must be built for the processor of the functions."""
    client = stack.client("lambda")
    names = (stack.outputs["ImportFunction"], stack.outputs["SettleFunction"])
    found = {name: client.get_function_configuration(FunctionName=name) for name in names}
    for name, function in found.items():
        wanted = function.get("Architectures", ["x86_64"])
        for layer in function.get("Layers", []):
            built = client.get_layer_version_by_arn(Arn=layer["Arn"])
            made_for = built.get("CompatibleArchitectures") or wanted
            is_good = set(wanted) <= set(made_for)
            yield Check(
                name,
                f"runs on {'/'.join(wanted)}, its layer is for {'/'.join(made_for)}",
                "" if is_good else 'Give the same Architecture to "sam build" and "sam deploy"',
            )


def check_callback(stack: Stack, url: str = "") -> Iterator[Check]:
    """A call with a wrong signature must reach the function, and be refused by it."""
    base = _callback_url(stack, url)
    answer = requests.post(f"{base}/{NOBODY}/0001/1/{_WRONG_SIGNATURE}", timeout=20)
    is_good = answer.status_code == HTTPStatus.FORBIDDEN
    yield Check(
        "callback",
        "refuses a wrong signature" if is_good else f"answers {answer.status_code}, not 403",
        ""
        if is_good
        else "See whether the API is deployed; without it the tick finds the end "
        "of each job, minutes later",
    )


def _callback_url(stack: Stack, url: str) -> str:
    known = url or stack.environment_of(stack.outputs["ImportFunction"])["CALLBACK_URL"]
    return known.rstrip("/")


def check_inside(stack: Stack, url: str = "") -> Iterator[Check]:
    """Ask settle_jobs to look with its own role: secrets, token, organisation, fields, callback."""
    payload = {"doctor": True, "callback_url": _callback_url(stack, url)}
    answer = stack.patient_lambda.invoke(
        FunctionName=stack.outputs["SettleFunction"], Payload=json.dumps(payload).encode()
    )
    said: Any = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer or not isinstance(said, dict):
        yield Check("settle_jobs", "ends with an error", "See its log")
        return
    for each in said["checks"]:
        yield Check(each["what"], each["found"], stack.completed(each["remedy"]))


def check_mapping_live(stack: Stack, mapping: Path) -> Iterator[Check]:
    """Hold a mapping against the fields that Bigin has now; they are saved for `check`."""
    module = module_of(mapping)
    saved = ask_stack(stack, module) if module else None
    if saved is not None:
        save(saved, default_file(stack, module))
    _, problems = check_mapping(saved, mapping)
    for problem in problems:
        remedy = problem.remedy.rstrip(".") or "Correct the mapping"
        yield Check("mapping", f"{problem.where}: {problem.what.rstrip('.')}", remedy)
    if not problems:
        yield Check("mapping", f"{mapping.name} fits the fields of {module}")


_FROM_HERE: dict[str, Look] = {
    "stack": check_outputs,
    "bucket": check_versioning,
    "notices": check_subscriptions,
    "alarms": check_alarms,
    "queues": check_queues,
    "tick": check_tick,
    "architecture": check_architecture,
}
