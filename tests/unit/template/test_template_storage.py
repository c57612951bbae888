"""What the customer owns is kept, private and found again; queues fit the functions they feed."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from bigin_import import object_keys
from bigin_import.aws.files import CLOSED_TAG
from bigin_import.domain.listing import PROJECTED
from bigin_import.settling.summarize import DEFAULT_STACK
from tests.local_stack.workspace import ROOT
from tests.template_reading import properties, resources_of_type, table_definition, template


@pytest.mark.parametrize(
    ("resource", "policy"), [("DropBucket", "RetainExceptOnCreate"), ("LedgerTable", "Retain")]
)
def test_deleting_the_stack_deletes_nothing_the_customer_owns(resource: str, policy: str) -> None:
    written = template()["Resources"][resource]

    assert written["DeletionPolicy"] == policy
    assert written["UpdateReplacePolicy"] == "Retain"


def test_what_stays_is_bucket_and_table_and_nothing_else() -> None:
    """A policy that stayed behind could not be made again, and would refuse who comes back."""
    kept = {name for name, each in template()["Resources"].items() if "DeletionPolicy" in each}

    assert kept == {"DropBucket", "LedgerTable"}


def test_the_table_is_protected_from_deletion_and_its_first_deploy_can_still_fail() -> None:
    """CloudFormation cannot delete a protected table, so it must not try when it rolls back."""
    assert properties("LedgerTable")["DeletionProtectionEnabled"] is True
    assert template()["Resources"]["LedgerTable"]["DeletionPolicy"] == "Retain"


def test_what_comes_back_to_bucket_and_table_names_both() -> None:
    """CloudFormation imports only what has a name of its own in the template."""
    assert properties("LedgerTable")["TableName"] == {
        "Fn::If": ["HasTableName", {"Ref": "TableName"}, {"Ref": "AWS::NoValue"}]
    }
    assert "DropBucket" in str(template()["Outputs"]["BucketName"]["Value"])
    assert "LedgerTable" in str(template()["Outputs"]["TableName"]["Value"])


def test_the_bucket_is_versioned_encrypted_and_private() -> None:
    bucket = properties("DropBucket")

    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert "BucketEncryption" in bucket
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4


def test_the_bucket_refuses_plain_http() -> None:
    (statement,) = properties("DropBucketPolicy")["PolicyDocument"]["Statement"]

    assert statement["Effect"] == "Deny"
    assert statement["Principal"] == "*"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(statement["Resource"]) == 2


def test_every_object_created_under_incoming_is_an_event_whatever_its_name_ends_in() -> None:
    event = properties("ImportCsvFunction")["Events"]["Dropped"]["Properties"]

    assert event["Events"] == "s3:ObjectCreated:*"
    assert event["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "incoming/"}]


def rules() -> dict[str, dict[str, Any]]:
    """Return the rules that always apply."""
    written = properties("DropBucket")["LifecycleConfiguration"]["Rules"]
    return {rule["Id"]: rule for rule in written if "Id" in rule}


def rules_on_request() -> dict[str, dict[str, Any]]:
    """Return the rules that apply where KeepFilesDays is not 0."""
    written = properties("DropBucket")["LifecycleConfiguration"]["Rules"]
    chosen = [rule["Fn::If"] for rule in written if "Fn::If" in rule]
    assert {str([when, otherwise]) for when, _, otherwise in chosen} == {
        str(["DeletesFiles", {"Ref": "AWS::NoValue"}])
    }
    return {rule["Id"]: rule for _, rule, _ in chosen}


def kept_after_hold(which: str) -> dict[int, int]:
    kept = template()["Mappings"]["KeptAfterHold"]
    return {int(hold): days[which] for hold, days in kept.items()}


def looked_up(which: str) -> dict[str, Any]:
    return {"Fn::FindInMap": ["KeptAfterHold", {"Ref": "HoldDays"}, which]}


def test_old_versions_and_parts_outlive_every_hold_by_sixteen_days() -> None:
    choices = template()["Parameters"]["HoldDays"]["AllowedValues"]

    assert kept_after_hold("Days") == {hold: hold + 16 for hold in choices}
    assert all(days >= hold + 16 for hold, days in kept_after_hold("PartsDays").items())
    assert rules()["PartsExpire"]["ExpirationInDays"] == looked_up("PartsDays")
    noncurrent = rules()["OldVersionsExpire"]["NoncurrentVersionExpiration"]
    assert noncurrent["NoncurrentDays"] == looked_up("Days")


def test_the_marks_of_creates_outlive_what_a_restored_table_may_have_forgotten() -> None:
    """Point-in-time recovery reaches back 35 days; S3 counts days from midnight to midnight."""
    recovery = properties("LedgerTable")["PointInTimeRecoverySpecification"]
    reaches_back = recovery.get("RecoveryPeriodInDays", 35)

    assert min(kept_after_hold("PartsDays").values()) > reaches_back


def test_drops_and_results_never_expire_unless_somebody_asks_for_it() -> None:
    expiring = {rule["Prefix"] for rule in rules().values() if "ExpirationInDays" in rule}

    assert expiring == {"parts/"}
    assert template()["Parameters"]["KeepFilesDays"]["Default"] == 0


def test_of_what_people_drop_only_that_expires_which_closing_has_tagged() -> None:
    asked = rules_on_request()

    assert set(asked) == {"FilesExpire", "ResultsExpire"}
    assert asked["FilesExpire"]["Prefix"] == object_keys.INCOMING
    assert asked["FilesExpire"]["TagFilters"] == [CLOSED_TAG]
    assert asked["ResultsExpire"]["Prefix"] == "results/"
    assert {str(rule["ExpirationInDays"]) for rule in asked.values()} == {
        str({"Ref": "KeepFilesDays"})
    }


def is_refused(hold: int, keep: int) -> bool:
    """Evaluate the template's rules as CloudFormation does, for these two parameters."""
    values = {"HoldDays": str(hold), "KeepFilesDays": str(keep)}

    def contains(function: dict[str, Any]) -> bool:
        choices, value = function["Fn::Contains"]
        return values[value["Ref"]] in choices

    return any(
        contains(assertion["Assert"]["Fn::Not"][0])
        for rule in template()["Rules"].values()
        if "RuleCondition" not in rule or contains(rule["RuleCondition"])
        for assertion in rule["Assertions"]
    )


@pytest.mark.parametrize("hold", [7, 14, 30, 60])
def test_files_are_kept_for_ever_or_for_longer_than_any_hold(hold: int) -> None:
    allowed = {keep for keep in range(3651) if not is_refused(hold, keep)}

    assert allowed == {0, *range(hold + 17, 3651)}


def test_unfinished_uploads_are_thrown_away() -> None:
    assert "AbortIncompleteMultipartUpload" in rules()["UnfinishedUploadsExpire"]


def test_the_table_has_the_index_that_finds_open_work() -> None:
    index, _ = table_definition()["GlobalSecondaryIndexes"]

    assert index["IndexName"] == "open"
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["open", "due_at"]
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}


def test_the_index_of_all_imports_holds_what_a_line_of_a_list_needs() -> None:
    _, index = table_definition()["GlobalSecondaryIndexes"]

    assert index["IndexName"] == "listing"
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["listed", "listed_at"]
    assert tuple(index["Projection"]["NonKeyAttributes"]) == PROJECTED


def test_the_table_forgets_by_expires_at_and_can_be_restored_to_any_second() -> None:
    table = properties("LedgerTable")

    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_a_message_stays_hidden_for_six_times_the_time_a_function_may_take() -> None:
    """Lambda refuses less on AWS than the function's time-out; the emulator accepts anything."""
    hidden = properties("CollectQueue")["VisibilityTimeout"]

    assert hidden >= 6 * properties("SettleJobsFunction")["Timeout"]


def test_a_failed_event_stays_hidden_while_a_tick_drains_it() -> None:
    hidden = properties("FailureQueue")["VisibilityTimeout"]

    assert hidden > properties("SettleJobsFunction")["Timeout"]


def test_messages_that_cannot_be_collected_end_in_the_dead_letter_queue() -> None:
    redrive = properties("CollectQueue")["RedrivePolicy"]

    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["CollectDeadLetterQueue", "Arn"]}
    # Lambda advises five or more, so that throttling alone sends nothing there.
    assert redrive["maxReceiveCount"] >= 5


def test_one_bad_message_does_not_bring_the_others_back() -> None:
    source = properties("SettleJobsFunction")["Events"]["Collect"]["Properties"]

    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_events_that_import_csv_failed_on_go_to_the_failure_queue() -> None:
    config = properties("ImportCsvFunction")["EventInvokeConfig"]

    assert config["MaximumRetryAttempts"] == 2
    assert config["DestinationConfig"]["OnFailure"] == {
        "Type": "SQS",
        "Destination": {"Fn::GetAtt": ["FailureQueue", "Arn"]},
    }


def test_the_tick_comes_every_minute_and_is_not_repeated() -> None:
    tick = properties("SettleJobsFunction")["Events"]["Tick"]["Properties"]

    assert tick["ScheduleExpression"] == "rate(1 minute)"
    assert tick["Input"] == '{"tick": true}'
    assert properties("SettleJobsFunction")["EventInvokeConfig"]["MaximumRetryAttempts"] == 0


def test_every_parameter_and_output_tells_a_person_what_to_do() -> None:
    described = [*template()["Parameters"].items(), *template()["Outputs"].items()]

    terse = [name for name, each in described if len(each.get("Description", "")) < 40]

    assert terse == []


@pytest.mark.parametrize(
    "kind",
    [
        "AWS::Serverless::HttpApi",  # the emulator gives it no routes
        "AWS::Logs::QueryDefinition",  # the emulator refuses it
        "AWS::ApiGateway::ApiKey",
    ],
)
def test_kinds_that_cannot_be_tried_locally_are_not_used(kind: str) -> None:
    assert resources_of_type(kind) == {}


def test_the_longest_stack_name_that_fits_is_long_enough_for_people() -> None:
    """Function names end at 64 characters, bucket names at 63."""
    longest_suffix = max(
        len(properties(name)["FunctionName"]["Fn::Sub"]) - len("${AWS::StackName}")
        for name in resources_of_type("AWS::Serverless::Function")
    )

    assert 64 - longest_suffix >= 40
    assert 63 - len("-123456789012-ap-southeast-1") >= 30


@pytest.mark.parametrize(
    ("name", "is_taken"),
    [
        ("", True),
        ("acme-drops.eu", True),
        ("a" * 63, True),
        ("a" * 64, False),
        ("ab", False),
        ("Acme", False),
        ("acme_drops", False),
        ("-acme", False),
        ("s3://acme", False),
    ],
)
def test_a_bucket_name_that_s3_would_refuse_is_refused_at_once(name: str, is_taken: bool) -> None:
    pattern = template()["Parameters"]["BucketName"]["AllowedPattern"]

    assert bool(re.fullmatch(pattern, name)) is is_taken


def test_the_stack_name_of_samconfig_is_the_commands_and_fits_into_a_bucket_name() -> None:
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))
    name = settings["default"]["global"]["parameters"]["stack_name"]
    bucket = f"{name}-123456789012-ap-southeast-1"

    assert name == DEFAULT_STACK
    assert re.fullmatch(template()["Parameters"]["BucketName"]["AllowedPattern"], bucket)


ENCRYPTED = {
    "LedgerTable": "KMSMasterKeyId",
    "CollectQueue": "KmsMasterKeyId",
    "CollectDeadLetterQueue": "KmsMasterKeyId",
    "FailureQueue": "KmsMasterKeyId",
    "NoticeTopic": "KmsMasterKeyId",
    "SigningSecret": "KmsKeyId",
    "TokenSecret": "KmsKeyId",
    "ImportCsvLogGroup": "KmsKeyId",
    "JobCallbackLogGroup": "KmsKeyId",
    "SettleJobsLogGroup": "KmsKeyId",
    "CallbackAccessLogGroup": "KmsKeyId",
    "DropBucket": "KMSMasterKeyID",
}
KEY_IF_GIVEN = {"Fn::If": ["HasKmsKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}


@pytest.mark.parametrize("resource", ENCRYPTED)
def test_one_key_encrypts_everything_that_is_stored(resource: str) -> None:
    assert f"'{ENCRYPTED[resource]}': {KEY_IF_GIVEN}" in str(properties(resource))


def test_the_list_of_what_is_stored_is_whole() -> None:
    """Without a key of the customer's, alarms could not publish to alias/aws/sns."""
    storing = ("::Bucket", "::Table", "::Queue", "::Topic", "::Secret", "::LogGroup")
    kinds = {name: each["Type"] for name, each in template()["Resources"].items()}

    assert {name for name, kind in kinds.items() if kind.endswith(storing)} == set(ENCRYPTED)


def test_a_bucket_with_a_key_asks_for_it_once_per_bucket_and_not_per_object() -> None:
    encryption = properties("DropBucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert encryption[0]["BucketKeyEnabled"]["Fn::If"][:2] == ["HasKmsKey", True]
