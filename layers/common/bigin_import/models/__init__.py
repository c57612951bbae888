"""Frozen values that the rooms pass to one another. What the ledger remembers is in `records`."""

from __future__ import annotations

from bigin_import.models.drop import Notice, ObjectVersion, Problem
from bigin_import.models.job import Job, JobStatus
from bigin_import.models.plan import (
    ColumnFindings,
    ColumnPlan,
    CutPart,
    CutResult,
    Dialect,
    InvalidRow,
    Plan,
    PlannedColumn,
    SourceRow,
    ValueRule,
)
from bigin_import.models.request import Field, FieldMapping, JobRequest, Operation
from bigin_import.models.rows import Counts, RowFate, RowStatus

__all__ = [
    "ColumnFindings",
    "ColumnPlan",
    "Counts",
    "CutPart",
    "CutResult",
    "Dialect",
    "Field",
    "FieldMapping",
    "InvalidRow",
    "Job",
    "JobRequest",
    "JobStatus",
    "Notice",
    "ObjectVersion",
    "Operation",
    "Plan",
    "PlannedColumn",
    "Problem",
    "RowFate",
    "RowStatus",
    "SourceRow",
    "ValueRule",
]
