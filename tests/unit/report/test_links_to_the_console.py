"""Links into the AWS console."""

from __future__ import annotations

import pytest

from bigin_import.settling.summarize import ConsoleLinks


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-central-1", "eu-central-1.console.aws.amazon.com"),
        ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_a_link_leads_to_the_console_of_its_partition(region: str, host: str) -> None:
    around = ConsoleLinks(region=region, bucket="b", import_function="f", request_text=str)

    assert around.console_url("results/a b.csv").startswith(f"https://{host}/s3/object/b?region=")
