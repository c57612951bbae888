"""A secret in memory whose versions are numbered, and of which old ones may be gone."""

from __future__ import annotations

from bigin_import.errors import AwsError


class MemoryTokenSecret:
    """
    The port TokenSecret.

    Attributes:
        versions: What is stored, by version; the last is the current one.
        reads: Versions that were asked for.
        refusal: What the next writes raise, while there is one.
    """

    def __init__(self) -> None:
        self.versions: dict[str, str] = {}
        self.reads: list[str] = []
        self.refusal: AwsError | None = None

    def write(self, token: str) -> str:
        if self.refusal is not None:
            raise self.refusal
        version_id = f"version-{len(self.versions) + 1}"
        self.versions[version_id] = token
        return version_id

    def read(self, version_id: str) -> str | None:
        self.reads.append(version_id)
        return self.versions.get(version_id, next(reversed(self.versions.values()), None))
