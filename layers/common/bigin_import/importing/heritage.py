"""What a drop has from the import whose result file it was. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bigin_import.models import ColumnPlan, Problem
from bigin_import.records import MappingPin


@dataclass(frozen=True, slots=True)
class Heritage:
    """
    What a drop has from the import whose result file it was.

    Attributes:
        is_rework: Whether it was one.
        mapping: The mapping that the parent was started with, if that was handed on.
        warnings: Sentences for the report.
        problems: Why it must not be sent.
    """

    is_rework: bool = False
    mapping: MappingPin | None = None
    warnings: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def passed_on(self, columns: ColumnPlan) -> ColumnPlan:
        """
        Return *columns* as they are for a drop with this heritage.

        `on_bad_rows` is there to stop a whole file that is wrong. A few rows that a person has
        corrected are not stopped by one of them that is wrong still.
        """
        if not self.is_rework:
            return columns
        warnings = (*columns.warnings, *self.warnings)
        return replace(columns, max_invalid_share=1.0, warnings=warnings)
