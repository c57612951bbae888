"""One role for each function, and nothing in it that the function can do without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.template_reading import Template, properties, template, transformed

FUNCTIONS = ("ImportCsv", "JobCallback", "SettleJobs")


def listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def written_statements(value: object) -> Iterator[dict[str, Any]]:
    """Yield every statement of every policy document anywhere in *value*."""
    match value:
        case {"Statement": list(found), "Version": _}:
            yield from found
        case dict():
            for inner in value.values():
                yield from written_statements(inner)
        case list():
            for inner in value:
                yield from written_statements(inner)


def statements(value: object) -> list[dict[str, Any]]:
    """Return every statement in *value*, those behind an Fn::If included."""
    found = []
    for statement in written_statements(value):
        branches = statement["Fn::If"][1:] if "Fn::If" in statement else [statement]
        found += [branch for branch in branches if branch != {"Ref": "AWS::NoValue"}]
    return found


def statement(role: str, sid: str) -> dict[str, Any]:
    """Return the one statement of a role with this Sid."""
    (found,) = [s for s in statements(properties(role)["Policies"]) if s["Sid"] == sid]
    return found


def test_every_statement_says_what_it_is_for() -> None:
    without = [s for s in statements(transformed()["Resources"]) if not s.get("Sid")]

    assert without == []


def test_every_finding_of_the_scanner_that_is_skipped_says_why() -> None:
    skips = [
        skip
        for each in template()["Resources"].values()
        for skip in each.get("Metadata", {}).get("checkov", {}).get("skip", [])
    ]

    assert len(skips) > 10
    assert [skip["id"] for skip in skips if len(skip.get("comment", "")) < 40] == []


def test_no_permission_has_a_wildcard_in_its_action() -> None:
    granted = [s for s in statements(transformed()["Resources"]) if s["Effect"] == "Allow"]

    actions = {action for s in granted for action in listed(s["Action"])}

    assert {action for action in actions if "*" in action} == set()


def test_no_permission_is_for_every_resource() -> None:
    roles = [properties(f"{function}Role") for function in FUNCTIONS]

    resources = [
        resource
        for role in roles
        for each in statements(role["Policies"])
        for resource in listed(each["Resource"])
    ]

    assert "*" not in resources


def test_nobody_scans_the_table() -> None:
    text = str(statements(transformed()["Resources"]))

    assert "Scan" not in text


def test_each_function_has_a_role_of_its_own_and_sam_makes_none() -> None:
    made = transformed()["Resources"]

    roles = {name for name, resource in made.items() if resource["Type"] == "AWS::IAM::Role"}

    assert roles == {f"{name}Role" for name in FUNCTIONS} | {"TickRole"}
    for function in FUNCTIONS:
        role = properties(f"{function}Function")["Role"]
        assert role == {"Fn::GetAtt": [f"{function}Role", "Arn"]}


@pytest.mark.parametrize("role", ["ImportCsvRole", "SettleJobsRole"])
def test_a_missing_object_is_told_from_a_forbidden_one(role: str) -> None:
    """Without these AWS answers 403 for it; the emulator answers 404 all the same."""
    listing = statement(role, "TellMissingFromForbidden")

    # A version that is gone, such as one that expired, needs the second.
    assert listing["Action"] == ["s3:ListBucket", "s3:ListBucketVersions"]
    # A GET has no s3:prefix: a condition without IfExists would forbid what this is for.
    assert list(listing["Condition"]) == ["StringLikeIfExists"]
    assert "incoming/*" in listing["Condition"]["StringLikeIfExists"]["s3:prefix"]


@pytest.mark.parametrize("sid", ["WriteResults", "KeepParts"])
def test_an_upload_that_settle_jobs_abandons_can_be_aborted(sid: str) -> None:
    assert "s3:AbortMultipartUpload" in statement("SettleJobsRole", sid)["Action"]


def test_records_are_only_read_and_written_whole() -> None:
    granted = {role: statement(f"{role}Role", "KeepLedger")["Action"] for role in FUNCTIONS}

    whole = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Query"]
    assert granted == {"ImportCsv": whole, "JobCallback": whole[:2], "SettleJobs": whole}


def test_nobody_but_people_may_write_or_delete_what_people_dropped() -> None:
    roles = [properties(f"{function}Role") for function in FUNCTIONS]

    changes = [
        (s["Sid"], action)
        for role in roles
        for s in statements(role["Policies"])
        for action in listed(s["Action"])
        if action.startswith(("s3:Put", "s3:Delete")) and "incoming" in str(s["Resource"])
    ]

    assert changes == [
        ("KeepOpenDrops", "s3:PutObjectVersionTagging"),  # a tag is not content
        ("LetClosedDropsExpire", "s3:PutObjectVersionTagging"),
    ]


def test_the_callback_has_no_access_to_the_bucket() -> None:
    actions = [a for s in statements(properties("JobCallbackRole")) for a in listed(s["Action"])]

    assert [action for action in actions if action.startswith("s3:")] == []


@pytest.mark.parametrize("role", [f"{function}Role" for function in FUNCTIONS])
def test_inline_policies_fit_into_what_iam_allows_a_role(role: str) -> None:
    """10,240 characters without blanks; long names of stack and bucket need some of them."""
    policies = str(properties(role)["Policies"]).replace(" ", "")

    assert len(policies) < 5_000


def secret_references(value: object) -> Iterator[str]:
    match value:
        case {"Ref": "SigningSecret" | "TokenSecret"}:
            yield "Ref"
        case dict():
            for inner in value.values():
                yield from secret_references(inner)
        case list():
            for inner in value:
                yield from secret_references(inner)


def test_a_secret_is_named_by_its_arn_everywhere() -> None:
    """`!Ref` gives the ARN on AWS and a name on the emulator; `!GetAtt ….Id` the ARN on both."""
    written: Template = template()

    assert list(secret_references(written)) == []
    assert "${SigningSecret}" not in str(written)
    assert "${TokenSecret}" not in str(written)


@pytest.mark.parametrize("role", [f"{function}Role" for function in FUNCTIONS])
def test_only_the_secret_of_the_access_token_is_written(role: str) -> None:
    """It has no value of the template's, which would be put back by a deploy."""
    writing = [s for s in statements(properties(role)["Policies"]) if "PutSecret" in str(s)]

    assert [s["Sid"] for s in writing] == ["ShareAccessToken"]
    assert writing[0]["Resource"] == {"Fn::GetAtt": ["TokenSecret", "Id"]}
    assert not {"SecretString", "GenerateSecretString"} & set(properties("TokenSecret"))


def by_service(of_key: dict[str, Any]) -> set[str]:
    """Return the services by way of which a key may be used."""
    written = of_key["Condition"]["StringEquals"]["kms:ViaService"]
    names = [each["Fn::Sub"].split(".", 1) for each in written]
    assert {rest for _, rest in names} == {"${AWS::Region}.${AWS::URLSuffix}"}
    return {service for service, _ in names}


def services_used(role: str) -> set[str]:
    """Return the services whose encrypted things a role may reach."""
    actions = [a for s in statements(properties(role)["Policies"]) for a in listed(s["Action"])]
    return {action.split(":")[0] for action in actions} - {"kms", "lambda", "logs"}


@pytest.mark.parametrize("role", [f"{function}Role" for function in FUNCTIONS])
def test_keys_are_used_for_what_this_stack_stores_and_for_the_zoho_secret_alone(role: str) -> None:
    ours = statement(role, "UseKeyOfThisStack")
    theirs = statement(role, "DecryptZohoSecret")

    assert ours["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert ours["Resource"] == {"Ref": "KmsKeyArn"}
    assert by_service(ours) == services_used(role)
    assert (theirs["Action"], theirs["Resource"]) == ("kms:Decrypt", {"Ref": "ZohoSecretKmsKeyArn"})
    assert theirs["Condition"] == {
        "StringEquals": {
            "kms:ViaService": {"Fn::Sub": "secretsmanager.${AWS::Region}.${AWS::URLSuffix}"}
        }
    }
