"""Foreign text, made fit to be shown and logged."""

from __future__ import annotations

import re

MAX_WORDS = 300

# An address may hold a callback's signature; tokens of Zoho's start with "1000.".
_SECRET_LOOKING = re.compile(r"https?://\S+|1000\.[0-9A-Za-z.]{8,}|(?<![\w-])[\w-]{43}(?![\w-])")


def plain_words(value: object) -> str:
    """Return *value* as one short line without anything that looks like a secret."""
    line = " ".join(str(value).split())
    return _SECRET_LOOKING.sub("[removed]", line)[:MAX_WORDS]
