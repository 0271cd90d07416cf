"""Which days an agreement covers, which releases it gives, and why: boundary days and laws."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.agreements import Agreement, Period, coverage, renewal, stretches
from chalicelib.catalog import read
from chalicelib.durations import duration, last_day
from chalicelib.entitlement import entitlement

CATALOG = read((Path(__file__).with_name("catalog.json")).read_text(encoding="utf-8"))
RULES = CATALOG.rules
DAYS = st.dates(date(2000, 1, 1), date(2060, 12, 31))


def site(starts: str, *paid: tuple[str, str], **changes: object) -> Agreement:
    values: dict[str, object] = {
        "agreement": "US-1",
        "customer": "City of Example",
        "stage": "accepted",
        "client_manager": "",
        "product": "cityworks",
        "licence": "site",
        "seats": None,
        "starts": date.fromisoformat(starts),
        "paid": tuple(
            Period(first=date.fromisoformat(first), last=date.fromisoformat(last)) for first, last in paid
        ),
    }
    return Agreement(**{**values, **changes})  # type: ignore[arg-type]


def seat(starts: str, *paid: tuple[str, str]) -> Agreement:
    return site(starts, *paid, licence="seat", seats=5)


@pytest.mark.parametrize(
    ("agreement", "today", "state", "days_left"),
    [
        (site("2026-03-01"), "2026-02-28", "not started", 0),
        (site("2026-03-01"), "2026-03-01", "complimentary", 364),
        (site("2026-03-01"), "2027-02-28", "complimentary", 0),
        (site("2026-03-01"), "2027-03-01", "lapsed", 0),
        (site("2023-03-01"), "2024-02-29", "complimentary", 0),
        (site("2023-03-01"), "2024-03-01", "lapsed", 0),
        (site("2024-02-29"), "2025-02-28", "complimentary", 0),
        (site("2024-02-29"), "2025-03-01", "lapsed", 0),
        (seat("2026-03-01"), "2026-05-29", "complimentary", 0),
        (seat("2026-03-01"), "2026-05-30", "lapsed", 0),
        (site("2026-03-01", ("2027-03-01", "2028-02-29")), "2027-02-28", "complimentary", 366),
        (site("2026-03-01", ("2027-03-01", "2028-02-29")), "2027-03-01", "current", 365),
        (site("2026-03-01", ("2027-03-01", "2028-02-29")), "2028-02-29", "current", 0),
        (site("2026-03-01", ("2027-03-01", "2028-02-29")), "2028-03-01", "lapsed", 0),
        (seat("2026-03-01", ("2026-07-01", "2027-06-30")), "2026-06-15", "lapsed", 0),
        (site("2026-03-01", withdrawn=date(2026, 6, 1)), "2026-05-31", "complimentary", 273),
        (site("2026-03-01", withdrawn=date(2026, 6, 1)), "2026-06-01", "withdrawn", 0),
    ],
)
def test_state_on_boundary_days(agreement: Agreement, today: str, state: str, days_left: int) -> None:
    cover = coverage(agreement, RULES, date.fromisoformat(today))
    assert (cover.state, cover.days_left) == (state, days_left)


def test_grace_is_counted_from_the_day_after_the_last() -> None:
    rules = [replace(RULES[0], grace=duration("10 days"))]
    ends = site("2026-03-01")
    assert coverage(ends, rules, date(2027, 3, 10)).state == "grace"
    assert coverage(ends, rules, date(2027, 3, 11)).state == "lapsed"


@pytest.mark.parametrize(
    ("agreement", "version", "today", "entitled"),
    [
        # 24 was released on 2026-02-28, the last covered day of the first, one day late for the next.
        (site("2025-03-01"), "24", "2026-11-23", True),
        (site("2025-02-28"), "24", "2026-11-23", False),
        (site("2026-03-01"), "24", "2027-03-01", False),
        (site("2026-03-01"), "24", "2027-02-28", True),
        (seat("2025-12-01"), "24", "2026-11-23", True),
        (seat("2025-11-30"), "24", "2026-11-23", False),
        # 23 was released on 29 February 2024.
        (site("2023-03-01"), "23", "2026-11-23", True),
        (site("2024-02-29"), "23", "2026-11-23", True),
        (site("2024-03-01"), "23", "2026-11-23", False),
        (site("2027-01-01"), "23", "2026-11-23", False),
        (site("2026-03-01", withdrawn=date(2026, 3, 2)), "24.1", "2026-11-23", False),
    ],
)
def test_entitlement_on_boundary_days(agreement: Agreement, version: str, today: str, entitled: bool) -> None:
    release = CATALOG.products["cityworks"].releases[version]
    assert entitlement(agreement, RULES, release, date.fromisoformat(today)).entitled is entitled


def test_a_refusal_names_rule_dates_and_remedy() -> None:
    release = CATALOG.products["cityworks"].releases["24.1"]
    decision = entitlement(site("2023-01-01"), RULES, release, date(2026, 11, 23))
    assert decision.because == (
        "A lapsed agreement gives what was released while it was covered (policy/support.md:5).",
        "Today, 2026-11-23, is not covered: cover was 2023-01-01 to 2023-12-31.",
        "24.1 was released on 2026-06-01, in no covered period.",
    )
    assert decision.would_change == (
        "Renewing the agreement would give it: a current agreement gives every release of its product."
    )


def test_another_product_is_not_given() -> None:
    release = CATALOG.products["storeroom"].releases["1"]
    decision = entitlement(site("2026-03-01"), RULES, release, date(2026, 11, 23))
    assert not decision.entitled
    assert decision.because == ("The agreement is for cityworks; this is a release of storeroom.",)


def test_renewal_follows_the_last_covered_day() -> None:
    held = site("2026-03-01")
    assert str(renewal(held, RULES, None, None)) == "2027-03-01..2028-02-29"
    with pytest.raises(ValueError, match=r"overlaps 2027-03-01\.\.2028-02-29, which is already paid$"):
        renewal(site("2026-03-01", ("2027-03-01", "2028-02-29")), RULES, date(2028, 2, 29), None)


@given(DAYS, st.integers(1, 400), st.sampled_from(["day", "month", "year"]))
def test_law_a_later_start_never_ends_earlier(start: date, count: int, unit: str) -> None:
    length = duration(f"{count if unit == 'day' else count % 30 + 1} {unit}s")
    assert start <= last_day(start, length) <= last_day(start + timedelta(days=1), length)


@given(DAYS, DAYS)
def test_law_one_site_year_is_365_or_366_days(start: date, today: date) -> None:
    cover = coverage(site(start.isoformat()), RULES, today)
    assert (cover.covered_until - cover.covered_from).days + 1 in (365, 366)
    assert cover.covered == (cover.covered_from <= today <= cover.covered_until)


@given(st.lists(st.tuples(DAYS, st.integers(0, 800)), min_size=1, max_size=6), DAYS)
def test_law_stretches_hold_the_same_days(spans: list[tuple[date, int]], day: date) -> None:
    periods = [Period(first=first, last=first + timedelta(days=length)) for first, length in spans]
    runs = stretches(periods)
    assert any(day in run for run in runs) == any(day in period for period in periods)
    for left, right in pairwise(runs):
        assert left.last + timedelta(days=1) < right.first


@given(DAYS, DAYS, st.integers(1, 500))
def test_law_paying_never_takes_a_release_away(start: date, today: date, length: int) -> None:
    held = site(start.isoformat())
    first = last_day(start, duration("1 year")) + timedelta(days=1)
    assume(first.year < 2059)
    paid = site(start.isoformat(), (first.isoformat(), (first + timedelta(days=length)).isoformat()))
    for release in CATALOG.products["cityworks"].releases.values():
        if entitlement(held, RULES, release, today).entitled:
            assert entitlement(paid, RULES, release, today).entitled
