"""Secrets: read once in some minutes, and both keys after a rotation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from bigin_import.aws.secrets import (
    KEEP_SECONDS,
    RECHECK_SECONDS,
    AccessTokenSecret,
    Secrets,
)
from bigin_import.errors import SecretUnreadableError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


@pytest.fixture
def manager(aws: boto3.Session) -> Iterator[SecretsManagerClient]:
    client = aws.client("secretsmanager")
    yield client
    client.close()


def test_a_secret_is_read_again_only_after_some_minutes(manager: SecretsManagerClient) -> None:
    arn = manager.create_secret(Name="zoho", SecretString="old")["ARN"]
    time = [1000.0]
    secrets = Secrets(manager, seconds=lambda: time[0])
    assert secrets.read_text(arn) == "old"
    manager.put_secret_value(SecretId=arn, SecretString="new")

    time[0] += KEEP_SECONDS - 1
    assert secrets.read_text(arn) == "old"

    time[0] += 1
    assert secrets.read_text(arn) == "new"


def test_a_key_that_was_never_rotated_is_alone(manager: SecretsManagerClient) -> None:
    arn = manager.create_secret(Name="signing", SecretString="first")["ARN"]

    assert Secrets(manager).read_signing_keys(arn) == (b"first",)


def test_after_a_rotation_the_current_key_comes_before_the_previous(
    manager: SecretsManagerClient,
) -> None:
    arn = manager.create_secret(Name="signing", SecretString="first")["ARN"]
    manager.put_secret_value(SecretId=arn, SecretString="second")

    assert Secrets(manager).read_signing_keys(arn) == (b"second", b"first")


def test_keys_that_may_be_old_are_read_again_at_most_every_ten_seconds(
    manager: SecretsManagerClient,
) -> None:
    arn = manager.create_secret(Name="signing", SecretString="first")["ARN"]
    time = [1000.0]
    secrets = Secrets(manager, seconds=lambda: time[0])
    secrets.read_signing_keys(arn)
    manager.put_secret_value(SecretId=arn, SecretString="second")

    time[0] += RECHECK_SECONDS - 1
    assert secrets.read_signing_keys(arn, keep_seconds=RECHECK_SECONDS) == (b"first",)

    time[0] += 1
    assert secrets.read_signing_keys(arn) == (b"first",)
    assert secrets.read_signing_keys(arn, keep_seconds=RECHECK_SECONDS) == (b"second", b"first")


@pytest.mark.parametrize("exists", [False, True], ids=["no such secret", "no value yet"])
def test_a_secret_without_a_text_is_the_operators_to_mend(
    manager: SecretsManagerClient, exists: bool
) -> None:
    if exists:
        manager.create_secret(Name="zoho")

    with pytest.raises(SecretUnreadableError, match="Put its value there"):
        Secrets(manager).read_text("zoho")
    with pytest.raises(SecretUnreadableError, match="zoho cannot be read"):
        Secrets(manager).read_signing_keys("zoho")


def test_a_secret_that_waits_for_its_deletion_is_the_operators_to_restore(
    manager: SecretsManagerClient,
) -> None:
    manager.create_secret(Name="zoho", SecretString="text")
    manager.delete_secret(SecretId="zoho")

    with pytest.raises(SecretUnreadableError, match="restore it") as caught:
        Secrets(manager).read_text("zoho")

    assert caught.value.code == "InvalidRequestException"


@pytest.mark.parametrize(
    ("code", "says"),
    [("AccessDeniedException", "whole ARN"), ("DecryptionFailure", "Enable its KMS key")],
)
def test_a_secret_that_we_may_not_read_is_the_operators_to_open(
    manager: SecretsManagerClient, code: str, says: str
) -> None:
    with Stubber(manager) as stubber:
        stubber.add_client_error("get_secret_value", code)

        with pytest.raises(SecretUnreadableError, match=code) as caught:
            Secrets(manager).read_text("zoho")

    assert says in caught.value.resolution


def test_a_fault_of_secrets_manager_is_nobodys_to_mend(manager: SecretsManagerClient) -> None:
    with Stubber(manager) as stubber:
        stubber.add_client_error("get_secret_value", "InternalServiceError")

        with pytest.raises(ClientError, match="InternalServiceError"):
            Secrets(manager).read_text("zoho")


def test_each_token_is_a_version_that_can_be_asked_for(manager: SecretsManagerClient) -> None:
    tokens = AccessTokenSecret(manager, manager.create_secret(Name="token")["ARN"])

    versions = [tokens.write(text) for text in ("first", "second", "third")]

    assert len(set(versions)) == 3
    assert [tokens.read(version) for version in versions[1:]] == ["second", "third"]


def test_where_a_version_of_the_token_is_gone_the_current_one_is_read(
    manager: SecretsManagerClient,
) -> None:
    tokens = AccessTokenSecret(manager, manager.create_secret(Name="token")["ARN"])
    tokens.write("current")

    assert tokens.read("0" * 32) == "current"


def test_a_token_secret_has_no_value_before_the_first_token(manager: SecretsManagerClient) -> None:
    tokens = AccessTokenSecret(manager, manager.create_secret(Name="token")["ARN"])

    assert tokens.read("0" * 32) is None
