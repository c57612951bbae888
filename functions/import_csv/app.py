"""Names the handler, which lives in the layer: a deploy replaces all code of ours at once."""

from __future__ import annotations

from bigin_import.functions.import_csv import lambda_handler

__all__ = ["lambda_handler"]
