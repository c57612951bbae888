"""Ids of imports, and names of places and files, fit for the table."""

from __future__ import annotations

import base64
import hashlib

from bigin_import import object_keys
from bigin_import.domain.drop import NO_VERSION, ObjectVersion


def import_id_of(source: ObjectVersion, take: int = 1) -> str:
    """
    Return the 26 characters that name the import of *source*: the same for every event of it.

    Where the bucket keeps no versions, all that is ever written under a key is version "null",
    and the sequencer tells one from the next.
    """
    version = source.version_id
    if version == NO_VERSION and source.sequencer:
        version = f"{NO_VERSION} {source.sequencer}"
    return digest_of(source.bucket, source.key, version, str(take))


def place_of(source: ObjectVersion) -> str:
    """Return the name of the key that *source* is a version of, fit for the table."""
    return digest_of(source.bucket, source.key)


def file_name_of(source: ObjectVersion) -> str:
    """Return the name of all files that are called like *source*, fit for the table."""
    return digest_of(source.bucket, object_keys.common_name(source.key))


def digest_of(*words: str) -> str:
    """Return 26 characters that stand for all *words* together."""
    joined = "\0".join(words).encode()
    return base64.b32encode(hashlib.sha256(joined).digest()).decode().lower()[:26]
