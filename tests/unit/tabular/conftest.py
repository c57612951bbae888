"""How many examples Hypothesis tries: few while working, `--hypothesis-profile=ci` for CI."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("ci", max_examples=2_000, deadline=None)
