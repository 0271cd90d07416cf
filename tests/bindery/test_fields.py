"""Values are read as they were written: nothing is guessed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bindery import source
from bindery.fields import Duration, Fields


def fields_of(text: str) -> tuple[Fields, list[source.Problem]]:
    read = source.parse(f"---\n{text}\n---\n", "a.md")
    problems: list[source.Problem] = []
    return Fields(path="a.md", node=read.front, line=read.front_line, problems=problems), problems


@pytest.mark.parametrize("written", ["7.10", "no", "0x10", "1e3", "null", "2025-01-29", "~", "0700"])
def test_a_text_stays_as_it_was_written(written: str) -> None:
    fields, problems = fields_of(f"version: {written}")
    assert fields.text("version", such_as="1.0") == written
    assert problems == []


@pytest.mark.parametrize(
    "written", ["2025-02-29", "2025-1-29", "29.01.2025", "2025-01-29T00:00:00", "２０２５-01-29"]
)
def test_what_is_no_date_is_refused(written: str) -> None:
    fields, problems = fields_of(f"released: {written}")
    assert fields.date("released") is None
    assert [str(problem) for problem in problems] == [
        f"a.md:2: 'released' must be a date such as 2025-01-29, not '{written}'"
    ]


def test_an_instant_needs_its_offset() -> None:
    fields, problems = fields_of("publish_at: 2025-01-29T08:00:00")
    assert fields.instant("publish_at") is None
    assert str(problems[0]) == (
        "a.md:2: 'publish_at' must be a moment with its offset such as 2025-01-29T08:00:00-07:00, "
        "not '2025-01-29T08:00:00'"
    )


@pytest.mark.parametrize(
    ("day", "length", "rounding", "expected"),
    [
        (date(2025, 1, 31), (1, "month"), "same day", date(2025, 2, 28)),
        (date(2024, 1, 31), (1, "month"), "same day", date(2024, 2, 29)),
        (date(2024, 2, 29), (1, "year"), "same day", date(2025, 2, 28)),
        (date(2024, 2, 29), (12, "month"), "month end", date(2025, 2, 28)),
        (date(2025, 1, 2), (12, "month"), "month end", date(2026, 1, 31)),
        (date(2025, 11, 30), (3, "month"), "same day", date(2026, 2, 28)),
        (date(2026, 3, 1), (90, "day"), "same day", date(2026, 5, 30)),
    ],
)
def test_a_length_of_time_after_a_day(
    day: date, length: tuple[int, str], rounding: str, expected: date
) -> None:
    assert Duration(count=length[0], unit=length[1]).after(day, rounding=rounding) == expected


@given(day=st.dates(date(1990, 1, 1), date(2100, 1, 1)), months=st.integers(0, 240))
def test_a_later_day_never_ends_earlier(day: date, months: int) -> None:
    length = Duration(count=months, unit="month")
    assert length.after(day) <= length.after(day + timedelta(days=1))
    assert length.after(day) <= length.after(day, rounding="month end")
    assert length.after(day).day <= day.day
