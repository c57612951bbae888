"""
Rows that are wrong in every way that Bigin has a code for.

A unit test holds that each row code of `bigin/error_codes` is made here or stands in NOT_MADE.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.e2e.desk import PLANTED

WRONG_EVERY = 25  # every 25th row is wrong
NOT_MADE: Mapping[str, str] = {}
"""Row codes that no row here brings about -> why not."""

# Cells for which Bigin refuses their row, and why: what these tests cannot bring about by hand. Of
# an insert no row is sent whose mandatory cell is empty.
REFUSED = {
    f"{PLANTED} {code.title()}": code
    for code in (
        "BLOCKED_RECORD",
        "NOT_APPROVED",
        "CANNOT_PROCESS",
        "LIMIT_EXCEEDED",
        "MANDATORY_NOT_FOUND",
    )
}
FIRST = "the number of the first row"
# What is wrong -> column, wrong value, and Bigin's error in failed.csv; "" if the row is not sent,
# because Bigin would certainly refuse it.
WRONG = (
    ("Surname", "", ""),
    ("E-mail", f"{PLANTED} at home", ""),
    ("No", FIRST, "DUPLICATE_DATA-Customer_Number"),
    ("City", PLANTED * 4, ""),
    ("Visits", "many", ""),
    ("Phone", "none!", "INVALID_DATA-Phone"),
    ("Company", f"{PLANTED} & Nobody", "RESOURCE_NOT_FOUND-Account_Name"),
    *(("Surname", cell, f"{code}-Last_Name") for cell, code in REFUSED.items()),
    ("Born", "31.02.1990", ""),
)


def wrong_at(at: int) -> tuple[str, str, str]:
    """Return what is wrong with the row at *at*, a multiple of `WRONG_EVERY`."""
    return WRONG[at // WRONG_EVERY % len(WRONG)]
