"""What fails must be seen by Lambda, and what worked must not be done again for it."""

from __future__ import annotations

import pytest
from aws_lambda_powertools.utilities.parser import ValidationError

from bigin_import.domain.states import PartState
from bigin_import.errors import AwsRefusedError, NoticeFailedError
from bigin_import.plain_values import UnreadableValueError
from tests.bigin_twin.faults import Fault, FaultName
from tests.integration.handlers.deployed import Deployed
from tests.integration.handlers.sample_events import s3_sample, sample, sqs_sample
from tests.integration.handlers.story import CSV, CSV_KEY, call_back, drop_both, settled
from tests.integration.handlers.written_logs import log_lines


def test_import_csv_fails_when_its_table_is_gone(stack: Deployed) -> None:
    version_id = stack.drop(CSV_KEY, CSV)
    stack.remove_table()

    with pytest.raises(AwsRefusedError):
        stack.run("import_csv", s3_sample("s3-put-csv", version_id))


def test_job_callback_fails_when_its_table_is_gone(stack: Deployed) -> None:
    drop_both(stack)
    stack.remove_table()

    with pytest.raises(AwsRefusedError):
        call_back(stack)


def test_the_tick_fails_when_its_table_is_gone(stack: Deployed) -> None:
    stack.remove_table()

    with pytest.raises(AwsRefusedError):
        stack.run("settle_jobs", sample("tick"))


def test_a_decision_with_an_unknown_key_is_refused(stack: Deployed) -> None:
    """It was typed by a person: "attemp" must not silently decide about attempt 0."""
    event = sample("decision-create")
    event["attemp"] = event.pop("attempt")

    with pytest.raises(ValidationError, match="attemp"):
        stack.run("import_csv", event)


def test_a_bad_message_does_not_have_the_good_one_done_again(stack: Deployed) -> None:
    good = settled(stack)
    stack.calls.clear()

    answer = stack.run("settle_jobs", sqs_sample(good, "no message of ours"))

    (part,) = stack.parts()
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-2"}]}
    assert part.state is PartState.COLLECTED
    assert len(stack.notices()) == 1


def test_a_message_that_fails_beside_a_good_one_is_in_the_log(
    stack: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    good = settled(stack)
    capsys.readouterr()

    stack.run("settle_jobs", sqs_sample(good, "no message of ours"))

    (line,) = (
        each for each in log_lines(capsys.readouterr().out) if each["message"] == "message failed"
    )
    assert (line["message_id"], line["error"]) == ("message-2", "UnreadableValueError")
    assert "no message of ours" not in str(line)


def test_a_message_that_finds_its_part_collected_does_it_no_second_time(stack: Deployed) -> None:
    message = settled(stack)
    stack.run("settle_jobs", sqs_sample(message))
    before = stack.items()

    answer = stack.run("settle_jobs", sqs_sample(message, message))

    assert answer == {"batchItemFailures": []}
    assert stack.items() == before


@pytest.mark.parametrize(
    "message",
    ["", "[]", "{}", '{"import_id": 7}', '{"import_id": "x", "part": "one"}'],
)
def test_a_batch_of_nothing_but_bad_messages_fails_whole(stack: Deployed, message: str) -> None:
    """So that the function's error alarm rings before the message is in the dead-letter queue."""
    with pytest.raises(UnreadableValueError):
        stack.run("settle_jobs", sqs_sample(message))


def test_results_that_cannot_be_had_now_leave_the_part_to_the_tick(stack: Deployed) -> None:
    message = settled(stack)
    with stack.twin.server.bigin() as bigin:
        bigin.faults.add(Fault(name=FaultName.RESULT_DEAD_LINK, times=2))

    answer = stack.run("settle_jobs", sqs_sample(message))
    before = stack.parts()[0].state
    stack.let_everything_be_due()
    stack.run("settle_jobs", sample("tick"))

    assert answer == {"batchItemFailures": []}
    assert before is PartState.SETTLED
    assert stack.parts()[0].state is PartState.COLLECTED


def test_a_topic_that_is_gone_fails_the_message_and_the_notice_is_not_lost(
    stack: Deployed,
) -> None:
    message = settled(stack)
    stack.remove_topic()

    with pytest.raises(NoticeFailedError):
        stack.run("settle_jobs", sqs_sample(message))

    record = stack.the_import()
    assert record.state.is_closed
    assert record.open is not None
