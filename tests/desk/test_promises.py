"""A promised time: it stands still while the customer is waited for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.catalog import DAYS, read
from chalicelib.hours import nearest_opening, open_time, span_text
from chalicelib.promises import Promise, due, go_on, left, left_text, nears, stop

HOURS = read((Path(__file__).with_name("catalog.json")).read_text(encoding="utf-8")).hours
START = datetime(2026, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 2 * 365 * 86400).map(lambda seconds: START + timedelta(seconds=seconds))
LENGTHS = st.integers(1, 30 * 60).map(lambda minutes: timedelta(minutes=minutes))
SPANS = st.integers(0, 20 * 86400).map(lambda seconds: timedelta(seconds=seconds))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HOURS.zone)


def promise(start: datetime, length: timedelta) -> Promise:
    return Promise(start=start, length=length)


def test_what_is_left_is_counted_on_when_the_customer_writes() -> None:
    # Four hours from Wednesday 14:00; after one of them we ask, on Monday after Thanksgiving they answer.
    held = stop(promise(at("2026-11-25T14:00"), timedelta(hours=4)), at("2026-11-25T15:00"))
    assert due(HOURS, held) is None
    assert left(HOURS, held, at("2026-11-29T12:00")) == timedelta(hours=3)
    assert left_text(HOURS, held, at("2026-11-29T12:00")) == "3 hours of opening time"
    again = go_on(HOURS, held, at("2026-11-30T16:00"))
    assert due(HOURS, again) == at("2026-12-01T08:00")


def test_what_was_late_stays_late_by_as_much() -> None:
    held = stop(promise(at("2026-11-23T08:00"), timedelta(hours=1)), at("2026-11-23T11:00"))
    assert left(HOURS, held, held.start) == timedelta(hours=-2)
    assert left_text(HOURS, held, held.start) == "no opening time"
    assert due(HOURS, go_on(HOURS, held, at("2026-11-24T10:00"))) == at("2026-11-24T08:00")


def test_it_nears_when_three_quarters_are_over() -> None:
    assert nears(HOURS, promise(at("2026-11-23T08:00"), timedelta(hours=4)), 75) == at("2026-11-23T11:00")


def test_an_hour_is_found_that_is_open_for_as_long_as_asked() -> None:
    hour = timedelta(hours=1)
    assert nearest_opening(HOURS, at("2026-11-23T10:00"), hour) == at("2026-11-23T10:00")
    assert nearest_opening(HOURS, at("2026-11-23T17:30"), hour) == at("2026-11-23T17:00")
    assert nearest_opening(HOURS, at("2026-11-23T18:00"), hour) == at("2026-11-23T17:00")
    assert nearest_opening(HOURS, at("2026-11-25T19:00"), hour) == at("2026-11-30T07:00")
    assert nearest_opening(HOURS, at("2026-11-28T12:00"), hour) == at("2026-11-30T07:00")


def test_opening_time_passes_as_the_sun_does_when_clocks_change() -> None:
    always = replace(HOURS, days=DAYS, open=time(0), close=time(23))
    assert open_time(always, at("2026-03-08T00:00"), at("2026-03-08T04:00")) == timedelta(hours=3)
    assert open_time(always, at("2026-11-01T00:00"), at("2026-11-01T04:00")) == timedelta(hours=5)


def test_spans_in_words() -> None:
    told = [span_text(timedelta(minutes=minutes)) for minutes in (0, 1, 60, 185, -5)]
    assert told == ["0 minutes", "1 minute", "1 hour", "3 hours 5 minutes", "0 minutes"]


@given(INSTANTS, LENGTHS, SPANS, SPANS)
def test_law_time_waiting_never_counts(
    start: datetime, length: timedelta, before: timedelta, waiting: timedelta
) -> None:
    asked, wrote = start + before, start + before + waiting
    held = promise(start, length)
    resumed = go_on(HOURS, stop(held, asked), wrote)
    assert left(HOURS, resumed, wrote) == left(HOURS, held, asked)
    end = due(HOURS, resumed)
    assert end is not None
    counted = open_time(HOURS, start, end) - open_time(HOURS, asked, wrote)
    if open_time(HOURS, start, asked) <= length:
        assert counted == length
        assert end.astimezone(UTC) >= min(wrote, end)


@given(INSTANTS, LENGTHS, SPANS, SPANS, SPANS, SPANS)
def test_law_two_waits_are_one_of_their_sum(
    start: datetime, length: timedelta, one: timedelta, two: timedelta, three: timedelta, four: timedelta
) -> None:
    instants = [start + one, start + one + two, start + one + two + three, start + one + two + three + four]
    held = promise(start, length)
    first = go_on(HOURS, stop(held, instants[0]), instants[1])
    both = go_on(HOURS, stop(first, instants[2]), instants[3])
    waited = open_time(HOURS, instants[0], instants[1]) + open_time(HOURS, instants[2], instants[3])
    assert both == replace(held, waited=waited)


@given(INSTANTS, LENGTHS, LENGTHS, SPANS, SPANS)
def test_law_a_longer_promise_or_wait_is_never_due_earlier(
    start: datetime, length: timedelta, more: timedelta, wait: timedelta, longer: timedelta
) -> None:
    def end(length: timedelta, wait: timedelta) -> datetime:
        found = due(HOURS, go_on(HOURS, stop(promise(start, length), start), start + wait))
        assert found is not None
        return found

    assert end(length, wait) <= end(length + more, wait)
    assert end(length, wait) <= end(length, wait + longer)


@given(INSTANTS, LENGTHS, SPANS)
def test_law_stopping_twice_is_stopping_once_and_an_earlier_clock_gives_nothing_back(
    start: datetime, length: timedelta, later: timedelta
) -> None:
    held = stop(promise(start, length), start + later)
    assert stop(held, start + later + later) == held
    assert go_on(HOURS, held, start) == promise(start, length)
