"""The three secrets: the user's Zoho client, our signing keys and the access token."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from botocore.exceptions import ClientError

from bigin_import.errors import AwsRefusedError, SecretUnreadableError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

KEEP_SECONDS: Final = 300
"""A rotated secret is used this late at most; without it every callback would read it twice."""

RECHECK_SECONDS: Final = 10
"""So late at most if what is kept may be too old; shorter, wrong signatures would cost calls."""

_NOT_THERE: Final = "ResourceNotFoundException"
_RESOLUTIONS: Final = {
    _NOT_THERE: "Put its value there; if there is no such secret, create it and deploy with the "
    "new one's ARN",
    "InvalidRequestException": "It is about to be deleted: restore it, or deploy with another "
    "one's ARN",
    "AccessDeniedException": "Deploy with its whole ARN, the six characters at the end included; "
    "if it has a policy or a KMS key of its own, let that admit the roles of the functions",
    "DecryptionFailure": "Enable its KMS key again, or store it with another key",
}


class SecretVersion(NamedTuple):
    """One version of a secret; its text is None where it is binary."""

    text: str | None
    version_id: str


class Secrets:
    """
    Secrets by their ARN, kept for some minutes.

    Args:
        seconds: A clock that only has to run evenly.
    """

    def __init__(
        self, client: SecretsManagerClient, *, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._seconds = seconds
        self._kept: dict[tuple[str, str], tuple[float, str | None]] = {}

    def read_text(self, arn: str) -> str:
        """
        Return a secret's current text.

        Raises:
            SecretUnreadableError: It is not there, has no text yet, or is not ours to read.
        """
        text = self._read_version(arn, "AWSCURRENT")
        if text is None:
            raise _unreadable(arn, _NOT_THERE)
        return text

    def read_current(self, arn: str) -> tuple[str, str]:
        """
        Return a secret's current text and the id of this version, as they are now.

        Raises:
            SecretUnreadableError: It is not there, has no text yet, or is not ours to read.
        """
        answer = self._ask(arn, "AWSCURRENT")
        if answer is None or answer.text is None:
            raise _unreadable(arn, _NOT_THERE)
        return answer.text, answer.version_id

    def read_signing_keys(
        self, arn: str, *, keep_seconds: float = KEEP_SECONDS
    ) -> tuple[bytes, ...]:
        """
        Return the current key, and after a rotation the previous one too, in this order.

        Args:
            keep_seconds: What was read longer ago than this is read again.

        Raises:
            SecretUnreadableError: It is not there, has no text yet, or is not ours to read.
        """
        current = self._read_version(arn, "AWSCURRENT", keep_seconds)
        if current is None:
            raise _unreadable(arn, _NOT_THERE)
        previous = self._read_version(arn, "AWSPREVIOUS", keep_seconds)
        return tuple(text.encode() for text in (current, previous) if text is not None)

    def _read_version(self, arn: str, stage: str, keep_seconds: float = KEEP_SECONDS) -> str | None:
        kept_at, text = self._kept.get((arn, stage), (float("-inf"), None))
        if self._seconds() - kept_at >= keep_seconds:
            answer = self._ask(arn, stage)
            text = answer.text if answer else None
            self._kept[arn, stage] = (self._seconds(), text)
        return text

    def _ask(self, arn: str, stage: str) -> SecretVersion | None:
        try:
            answer = self._client.get_secret_value(SecretId=arn, VersionStage=stage)
        except ClientError as exc:
            code = exc.response["Error"]["Code"]
            if code == _NOT_THERE:
                return None
            if code in _RESOLUTIONS:
                raise _unreadable(arn, code) from exc
            raise
        return SecretVersion(answer.get("SecretString"), answer["VersionId"])


class ZohoSecret:
    """The secret *arn* with a person's Zoho client, read anew each time: a new one counts."""

    def __init__(self, secrets: Secrets, arn: str) -> None:
        self._secrets = secrets
        self._arn = arn

    def read_text(self) -> str:
        """
        Return its text.

        Raises:
            SecretUnreadableError: It is not there, has no text yet, or is not ours to read.
        """
        return self._secrets.read_current(self._arn)[0]

    def read_version(self) -> str:
        try:
            return self._secrets.read_current(self._arn)[1]
        except SecretUnreadableError:
            return ""


def _unreadable(arn: str, code: str) -> SecretUnreadableError:
    return SecretUnreadableError(arn, code=code, resolution=_RESOLUTIONS[code])


class AccessTokenSecret:
    """The port TokenSecret: a secret of the stack, which has no value before the first token."""

    def __init__(self, client: SecretsManagerClient, arn: str) -> None:
        self._client = client
        self._arn = arn

    def write(self, token: str) -> str:
        try:
            answer = self._client.put_secret_value(SecretId=self._arn, SecretString=token)
        except ClientError as exc:
            raise _refused("PutSecretValue", exc) from exc
        return answer["VersionId"]

    def read(self, version_id: str) -> str | None:
        # AWS removes versions that have no stage any more; it does not say when.
        return self._get(VersionId=version_id) or self._get(VersionStage="AWSCURRENT")

    def _get(self, **which: str) -> str | None:
        try:
            answer = self._client.get_secret_value(SecretId=self._arn, **which)
        except ClientError as exc:
            if exc.response["Error"]["Code"] == _NOT_THERE:
                return None
            raise _refused("GetSecretValue", exc) from exc
        return answer.get("SecretString")


def _refused(operation: str, exc: ClientError) -> AwsRefusedError:
    return AwsRefusedError("secretsmanager", operation, exc.response["Error"]["Code"])
