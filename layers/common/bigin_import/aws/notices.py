"""The Notices port on an SNS topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from bigin_import.domain.drop import Notice
from bigin_import.errors import AwsError, NoticeFailedError

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

SUBJECT_CHARACTERS: Final = 99
"""SNS takes fewer than 100."""
BODY_BYTES: Final = 250_000
"""SNS takes 262,144, attributes included."""


class SnsNotices:
    """
    Publishes to one topic.

    SNS refuses a message for its subject or its length; a notice that is refused would never
    be told, so what it does not take is replaced or cut off here.
    """

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def publish(self, notice: Notice) -> None:
        try:
            self._client.publish(
                TopicArn=self._topic_arn,
                Subject=_subject(notice.subject),
                Message=_body(notice.body),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in notice.attributes
                    if value  # SNS refuses empty ones
                },
            )
        except (AwsError, BotoCoreError, ClientError) as exc:
            raise NoticeFailedError(f"{self._topic_arn}: {exc}") from exc


def _subject(text: str) -> str:
    """Return *text* in printable ASCII, on one line, at most 99 characters long."""
    one_line = " ".join(text.split()).encode("ascii", "replace").decode()
    printable = "".join(character if character.isprintable() else "?" for character in one_line)
    return printable[:SUBJECT_CHARACTERS].strip()


def _body(text: str) -> str:
    return text.encode()[:BODY_BYTES].decode(errors="ignore")
