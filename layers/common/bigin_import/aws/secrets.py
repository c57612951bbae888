"""The two secrets: the user's Zoho client and our signing keys."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from bigin_import.errors import SettingsError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

KEEP_SECONDS: Final = 300
"""A rotated secret is used this late at most; without it every callback would read it twice."""


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

    def text(self, arn: str) -> str:
        """
        Return a secret's current text.

        Raises:
            SettingsError: There is no such secret, or it has no text yet.
        """
        text = self._version(arn, "AWSCURRENT")
        if text is None:
            raise SettingsError(f"{arn} holds no text; put the secret's value there")
        return text

    def signing_keys(self, arn: str) -> tuple[bytes, ...]:
        """
        Return the current key, and after a rotation the previous one too, in this order.

        Raises:
            SettingsError: There is no such secret, or it has no text yet.
        """
        previous = self._version(arn, "AWSPREVIOUS")
        texts = [self.text(arn)] + ([previous] if previous is not None else [])
        return tuple(text.encode() for text in texts)

    def _version(self, arn: str, stage: str) -> str | None:
        kept_at, text = self._kept.get((arn, stage), (float("-inf"), None))
        if self._seconds() - kept_at >= KEEP_SECONDS:
            text = self._ask(arn, stage)
            self._kept[arn, stage] = (self._seconds(), text)
        return text

    def _ask(self, arn: str, stage: str) -> str | None:
        try:
            answer = self._client.get_secret_value(SecretId=arn, VersionStage=stage)
        except self._client.exceptions.ResourceNotFoundException:
            return None
        return answer.get("SecretString")
