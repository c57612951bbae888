"""What all suites share: how many examples Hypothesis tries with `--hypothesis-profile=ci`."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("ci", max_examples=2_000, deadline=None)
