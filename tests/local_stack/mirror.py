"""Copies what a stack tells people to this machine, where a browser and `cat` can read it."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.local_stack.stack import LocalStack

logger = logging.getLogger(__name__)

_RESULTS = "results/"
_NOT_FOR_NAMES = re.compile(r"[^\w .()-]+")


class Mirror:
    """The folders `results` and `notices` in *folder*."""

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder
        self._s3 = stack.client("s3")
        self._copied: dict[str, str] = {}
        self._written = 0
        for name in ("results", "notices"):
            (folder / name).mkdir(exist_ok=True)

    def copy(self) -> None:
        """Copy what is new; what cannot be had now is copied the next time."""
        try:
            self._copy_results()
            self._copy_notices()
        except (BotoCoreError, ClientError) as exc:
            logger.warning("not copied now: %s", exc)

    def _copy_results(self) -> None:
        pages = self._s3.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._stack.bucket, Prefix=_RESULTS):
            for found in page.get("Contents", []):
                self._copy_result(found["Key"], found["ETag"])

    def _copy_result(self, key: str, etag: str) -> None:
        path = (self._folder / key).resolve()
        if self._copied.get(key) == etag or not path.is_relative_to(self._folder.resolve()):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        self._s3.download_file(self._stack.bucket, key, str(path))
        self._copied[key] = etag

    def _copy_notices(self) -> None:
        notices: list[dict[str, Any]] = self._stack.inbox.notices()
        for number, notice in enumerate(notices[self._written :], self._written + 1):
            subject = notice.get("Subject", "notice")
            name = f"{number:03} {_NOT_FOR_NAMES.sub(' ', subject)}.txt"
            text = f"Subject: {subject}\n\n{notice['Message']}"
            (self._folder / "notices" / name).write_text(text)
            self._written = number
