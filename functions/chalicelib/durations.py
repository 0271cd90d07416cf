"""Lengths of time as the policy writes them: "1 hour", "90 days", "12 months", "1 year"; and periods of days.

Calendar arithmetic only: no clock, no zone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

_SHAPE = re.compile(r"(\d{1,4}) (hour|day|month|year)s?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Duration:
    """So many of a unit: hour, day, month or year."""

    count: int
    unit: str

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"


def duration(text: str) -> Duration:
    """Read "12 months". Raises ValueError with the words that a person needs."""
    found = _SHAPE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"must be a length of time such as '12 months', not '{text}'")
    return Duration(count=int(found[1]), unit=found[2])


def same_day_later(day: date, length: Duration) -> date:
    """The same day so much later; the last of the month where that day does not exist (31 January and 1
    month is 28 or 29 February). Raises ValueError for hours."""
    if length.unit == "day":
        return day + timedelta(days=length.count)
    if length.unit not in ("month", "year"):
        raise ValueError(f"a period of days cannot be measured in {length.unit}s")
    months = day.month - 1 + length.count * (12 if length.unit == "year" else 1)
    year, month = day.year + months // 12, months % 12 + 1
    return date(year, month, min(day.day, _days(year, month)))


def last_day(first: date, length: Duration) -> date:
    """The last day of a period that begins on `first`; both days count.

    Months and years end on the day before the same day (2026-03-01 and 1 year: 2027-02-28). Where that
    same day
    does not exist, they end on the last day of that month, so that nobody loses a day: 2024-02-29 and 1
    year is 2025-02-28. Raises ValueError for hours and for a length of nothing.
    """
    if length.count < 1:
        raise ValueError(f"a period of days cannot be {length} long")
    end = same_day_later(first, length)
    return end if length.unit != "day" and end.day < first.day else end - timedelta(days=1)


def _days(year: int, month: int) -> int:
    """How many days a month has. (The standard library's calendar takes milliseconds to import.)"""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31
