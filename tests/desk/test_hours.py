"""Reply-by and openings, from the vectors that readers were promised."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.catalog import read
from chalicelib.durations import duration
from chalicelib.hours import after, is_open, moment_text, next_opening, opening, week_text, working_time

HOURS = read((Path(__file__).with_name("catalog.json")).read_text(encoding="utf-8")).hours
START = datetime(2026, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 2 * 365 * 86400).map(lambda seconds: START + timedelta(seconds=seconds))
AMOUNTS = st.integers(0, 60 * 60).map(lambda minutes: timedelta(minutes=minutes))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HOURS.zone)


@pytest.mark.parametrize(
    ("sent", "promise", "due"),
    [
        ("2026-11-20T17:30", "1 hour", "2026-11-23T07:30:00-07:00"),
        ("2026-11-25T16:00", "4 hours", "2026-11-30T09:00:00-07:00"),
        ("2026-10-30T17:30", "1 hour", "2026-11-02T07:30:00-07:00"),
        ("2026-11-21T03:00", "1 hour", "2026-11-23T08:00:00-07:00"),
        ("2026-11-20T18:00", "1 hour", "2026-11-23T08:00:00-07:00"),
        ("2026-11-20T17:00", "1 hour", "2026-11-20T18:00:00-07:00"),
        ("2026-11-23T09:15", "1 day", "2026-11-24T09:15:00-07:00"),
        ("2026-11-24T09:15", "2 days", "2026-11-30T09:15:00-07:00"),
        ("2026-11-23T07:00", "1 day", "2026-11-23T18:00:00-07:00"),
    ],
)
def test_reply_by(sent: str, promise: str, due: str) -> None:
    assert after(HOURS, at(sent), working_time(HOURS, duration(promise))).isoformat() == due


def test_next_opening_jumps_over_closed_days() -> None:
    assert next_opening(HOURS, at("2026-11-25T18:00")).isoformat() == "2026-11-30T07:00:00-07:00"
    assert is_open(HOURS, at("2026-11-25T17:59"))
    assert not is_open(HOURS, at("2026-11-25T18:00"))
    assert not is_open(HOURS, at("2026-11-26T12:00"))


def test_an_instant_in_words() -> None:
    assert moment_text(at("2026-11-23T07:30"), HOURS) == "Monday, November 23, 2026, 7:30 a.m. MST"


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (("Mon", "Tue", "Wed", "Thu", "Fri"), "Monday to Friday"),
        (("Mon", "Tue", "Thu", "Fri"), "Monday, Tuesday, Thursday, Friday"),
        (("Sat", "Sun"), "Saturday, Sunday"),
    ],
)
def test_the_week_is_told_in_words_of_readers(days: tuple[str, ...], told: str) -> None:
    assert week_text(replace(HOURS, days=days)) == f"{told}, 7:00 a.m. to 6:00 p.m. (Denver time)"


def test_a_promise_in_months_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a first response is promised in hours or days, not '1 month'$"):
        working_time(HOURS, duration("1 month"))


def open_minutes(first: datetime, last: datetime) -> timedelta:
    """Opening time between two instants, counted day by day: the long way round."""
    total, day = timedelta(0), date(2025, 12, 30)
    while day <= last.date() + timedelta(days=1):
        span = opening(HOURS, day)
        if span:
            total += max(timedelta(0), min(last, span[1]) - max(first, span[0]))
        day += timedelta(days=1)
    return total


@given(INSTANTS, AMOUNTS)
def test_law_as_much_opening_time_passes_as_was_asked(sent: datetime, amount: timedelta) -> None:
    due = after(HOURS, sent, amount).astimezone(UTC)
    assert due >= sent
    assert open_minutes(sent, due) == amount


@given(INSTANTS, AMOUNTS, AMOUNTS)
def test_law_a_longer_promise_is_never_due_earlier(sent: datetime, one: timedelta, more: timedelta) -> None:
    assert after(HOURS, sent, one) <= after(HOURS, sent, one + more)
