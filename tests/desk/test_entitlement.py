"""The table of entitlement: which rule decides, on every boundary day; and its laws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.agreements import Agreement, Period, complimentary, coverage, next_change
from chalicelib.catalog import Release, Rule, read
from chalicelib.durations import duration
from chalicelib.entitlement import RULES, entitlement, newest_entitled

CATALOG = read((Path(__file__).with_name("catalog.json")).read_text(encoding="utf-8"))
KEPT = CATALOG.rules
GRACE = (replace(KEPT[0], grace=duration("10 days")),)
NOTHING = (replace(KEPT[0], lapsed_downloads="none", because="policy/support.md:9"),)
LATER = (KEPT[0], replace(NOTHING[0], since=date(2027, 1, 1)))
CITYWORKS = CATALOG.products["cityworks"]


def day(text: str) -> date:
    return date.fromisoformat(text)


def held(starts: str, *paid: str, **changes: object) -> Agreement:
    periods = [period.split("..") for period in paid]
    values: dict[str, object] = {
        "agreement": "US-1",
        "customer": "City of Example",
        "stage": "accepted",
        "client_manager": "",
        "product": "cityworks",
        "licence": "site",
        "seats": None,
        "starts": day(starts),
        "paid": tuple(Period(first=day(first), last=day(last)) for first, last in periods),
    }
    return Agreement(**{**values, **changes})  # type: ignore[arg-type]


def out(released: str, product: str = "cityworks") -> Release:
    return replace(CITYWORKS.releases["24"], product=product, released=day(released))


SEAT = {"licence": "seat", "seats": 5}
GAP = held("2024-01-01", "2026-01-01..2026-12-31")  # covered 2024 and 2026
BACK = held("2024-01-01", "2025-03-01..2026-02-28")  # renewed after a lapse of two months
AHEAD = held("2026-03-01", "2027-03-01..2028-02-29")  # renewed in advance
LEAP = held("2024-02-29")  # to 2025-02-28
GONE = held("2026-03-01", withdrawn=day("2026-06-01"))

TABLE: list[tuple[Sequence[Rule], Agreement, str, str, str]] = [
    # today is the first or the last covered day, the day before and the day after
    (KEPT, held("2026-03-01"), "2026-03-01", "2020-01-01", "current agreement"),
    (KEPT, held("2026-03-01"), "2027-02-28", "2020-01-01", "current agreement"),
    (KEPT, held("2026-03-01"), "2026-02-28", "2020-01-01", "not started"),
    (KEPT, held("2026-03-01"), "2027-03-01", "2020-01-01", "released outside cover"),
    (KEPT, held("2026-03-01", **SEAT), "2026-05-29", "2020-01-01", "current agreement"),
    (KEPT, held("2026-03-01", **SEAT), "2026-05-30", "2020-01-01", "released outside cover"),
    # the release came out on the first or the last covered day, the day before and the day after
    (KEPT, held("2026-03-01"), "2027-03-01", "2026-03-01", "released while covered"),
    (KEPT, held("2026-03-01"), "2027-03-01", "2027-02-28", "released while covered"),
    (KEPT, held("2026-03-01"), "2027-03-01", "2026-02-28", "released outside cover"),
    (KEPT, held("2026-03-01"), "2027-03-01", "2027-03-01", "released outside cover"),
    # the policy keeps nothing after a lapse, or says so from a day on
    (NOTHING, held("2026-03-01"), "2027-02-28", "2026-06-01", "current agreement"),
    (NOTHING, held("2026-03-01"), "2027-03-01", "2026-06-01", "lapsed gives nothing"),
    (LATER, held("2025-03-01"), "2026-12-31", "2025-06-01", "released while covered"),
    (LATER, held("2025-03-01"), "2027-01-01", "2025-06-01", "lapsed gives nothing"),
    # a gap between two periods
    (KEPT, GAP, "2025-06-01", "2024-12-31", "released while covered"),
    (KEPT, GAP, "2025-06-01", "2025-01-01", "released outside cover"),
    (KEPT, GAP, "2026-01-01", "2025-06-01", "current agreement"),
    (KEPT, GAP, "2027-01-01", "2025-06-01", "released outside cover"),
    (KEPT, GAP, "2027-01-01", "2026-01-01", "released while covered"),
    (KEPT, GAP, "2027-01-01", "2026-12-31", "released while covered"),
    # renewed after a lapse
    (KEPT, BACK, "2025-02-28", "2025-02-15", "released outside cover"),
    (KEPT, BACK, "2025-03-01", "2025-02-15", "current agreement"),
    (KEPT, BACK, "2026-03-01", "2025-02-15", "released outside cover"),
    # renewed in advance
    (KEPT, AHEAD, "2026-02-28", "2020-01-01", "not started"),
    (KEPT, AHEAD, "2027-02-28", "2020-01-01", "current agreement"),
    (KEPT, AHEAD, "2027-03-01", "2020-01-01", "current agreement"),
    (KEPT, AHEAD, "2028-02-29", "2020-01-01", "current agreement"),
    (KEPT, AHEAD, "2028-03-01", "2028-02-29", "released while covered"),
    (KEPT, AHEAD, "2028-03-01", "2028-03-01", "released outside cover"),
    # leap days
    (KEPT, LEAP, "2024-02-28", "2020-01-01", "not started"),
    (KEPT, LEAP, "2024-02-29", "2020-01-01", "current agreement"),
    (KEPT, LEAP, "2025-02-28", "2020-01-01", "current agreement"),
    (KEPT, LEAP, "2025-03-01", "2024-02-29", "released while covered"),
    (KEPT, held("2023-03-01"), "2024-02-29", "2020-01-01", "current agreement"),
    # withdrawn: before, on and after its day
    (KEPT, GONE, "2026-05-31", "2020-01-01", "current agreement"),
    (KEPT, GONE, "2026-06-01", "2026-04-01", "withdrawn"),
    (KEPT, GONE, "2028-01-01", "2026-04-01", "withdrawn"),
    (KEPT, replace(GONE, withdrawn=day("2026-01-01")), "2026-02-01", "2020-01-01", "withdrawn"),
    # grace: its first and last day, and the day after; it gives what comes out in it, and keeps nothing
    (GRACE, held("2026-03-01"), "2027-02-28", "2020-01-01", "current agreement"),
    (GRACE, held("2026-03-01"), "2027-03-01", "2020-01-01", "grace"),
    (GRACE, held("2026-03-01"), "2027-03-10", "2027-03-10", "grace"),
    (GRACE, held("2026-03-01"), "2027-03-11", "2027-03-10", "released outside cover"),
    (GRACE, held("2026-03-01", withdrawn=day("2027-03-05")), "2027-03-05", "2020-01-01", "withdrawn"),
    # a release of the future is not out for anybody, also on the day before; on its day it is
    (KEPT, held("2026-03-01"), "2026-11-23", "2026-11-24", "not released yet"),
    (KEPT, held("2026-03-01"), "2026-11-24", "2026-11-24", "current agreement"),
    (KEPT, held("2020-03-01"), "2026-11-23", "2026-11-24", "not released yet"),
    (GRACE, held("2026-03-01"), "2027-03-01", "2027-03-02", "not released yet"),
]
GIVES = {"current agreement", "grace", "released while covered"}


@pytest.mark.parametrize(("rules", "agreement", "today", "released", "rule"), TABLE)
def test_the_rule_that_decides(
    rules: Sequence[Rule], agreement: Agreement, today: str, released: str, rule: str
) -> None:
    decision = entitlement(agreement, rules, out(released), day(today))
    assert (decision.rule, decision.entitled) == (rule, rule in GIVES)
    assert bool(decision.would_change) is not decision.entitled
    assert dict(decision.compared)["today"] == day(today)
    told = " ".join(decision.because)
    assert all(str(compared) in told for _, compared in decision.compared)


def test_every_rule_of_the_table_decides_some_case_above() -> None:
    assert {rule for *_, rule in TABLE} | {"another product"} == {rule.name for rule in RULES}
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_another_product_is_told_apart_from_a_release_that_is_not_out() -> None:
    decision = entitlement(held("2026-03-01"), KEPT, out("2030-01-01", "storeroom"), day("2026-11-23"))
    assert decision.as_json() == {
        "entitled": False,
        "rule": "another product",
        "compared": {},
        "because": ["The agreement is for cityworks; this is a release of storeroom."],
        "would_change": "An agreement for storeroom would give it.",
    }


def test_a_decision_names_its_rule_its_dates_and_what_would_change_it() -> None:
    decision = entitlement(GAP, KEPT, out("2024-07-01"), day("2027-01-01"))
    assert decision.as_json() == {
        "entitled": True,
        "rule": "released while covered",
        "compared": {
            "today": "2027-01-01",
            "covered_from": "2026-01-01",
            "covered_until": "2026-12-31",
            "released": "2024-07-01",
            "period_from": "2024-01-01",
            "period_until": "2024-12-31",
        },
        "because": [
            "A lapsed agreement gives what was released while it was covered (policy/support.md:5).",
            "Today, 2027-01-01, is not covered: cover was 2026-01-01 to 2026-12-31.",
            "24 was released on 2024-07-01, within 2024-01-01 to 2024-12-31.",
        ],
        "would_change": "",
    }


def test_grace_names_its_last_day() -> None:
    decision = entitlement(held("2026-03-01"), GRACE, out("2027-03-01"), day("2027-03-02"))
    assert decision.because == (
        "A current agreement gives every release of its product.",
        "Today, 2027-03-02, is covered: 2026-03-01 to 2027-02-28, and grace to 2027-03-10.",
    )


def test_a_renewal_under_a_rule_with_less_grace_takes_no_grace_away() -> None:
    rules = (GRACE[0], replace(KEPT[0], since=day("2027-03-01")))
    longer = held("2026-03-01", "2027-03-01..2027-03-03")
    assert coverage(held("2026-03-01"), rules, day("2027-03-08")).state == "grace"
    assert coverage(longer, rules, day("2027-03-08")).state == "grace"


@pytest.mark.parametrize(
    ("agreement", "today", "changes"),
    [
        (held("2026-03-01"), "2026-02-01", ("2026-03-01", "complimentary")),
        (held("2026-03-01"), "2026-03-01", ("2027-03-01", "lapsed")),
        (held("2026-03-01"), "2027-03-01", None),
        (AHEAD, "2026-11-23", ("2027-03-01", "current")),
        (AHEAD, "2027-06-01", ("2028-03-01", "lapsed")),
        (GAP, "2025-06-01", ("2026-01-01", "current")),
        (GONE, "2026-05-31", ("2026-06-01", "withdrawn")),
        (GONE, "2026-06-01", None),
    ],
)
def test_the_next_change_of_an_agreement(
    agreement: Agreement, today: str, changes: tuple[str, str] | None
) -> None:
    found = next_change(agreement, KEPT, day(today))
    assert (found and (str(found[0]), found[1].state)) == changes


def test_grace_is_the_next_change_and_its_end_the_one_after() -> None:
    assert [
        (str(changed[0]), changed[1].state)
        for today in ("2026-06-01", "2027-03-01")
        if (changed := next_change(held("2026-03-01"), GRACE, day(today)))
    ] == [("2027-03-01", "grace"), ("2027-03-11", "lapsed")]


# Laws

DAYS = st.dates(date(2018, 1, 1), date(2034, 12, 31))
PERIODS = st.builds(
    lambda first, length: Period(first=first, last=first + timedelta(days=length)), DAYS, st.integers(0, 900)
)
POLICIES = st.builds(
    lambda grace, kept, since, later_grace: (
        replace(KEPT[0], grace=duration(f"{grace} days"), lapsed_downloads=kept),
        replace(KEPT[0], since=since, grace=duration(f"{later_grace} days"), lapsed_downloads=kept),
    ),
    st.integers(0, 60),
    st.sampled_from(["released while covered", "none"]),
    DAYS,
    st.integers(0, 60),
)
AGREEMENTS = st.builds(
    lambda starts, seat, paid, withdrawn: held(
        str(starts), **(SEAT if seat else {}), paid=tuple(sorted(paid)), withdrawn=withdrawn
    ),
    DAYS,
    st.booleans(),
    st.lists(PERIODS, max_size=4),
    st.none() | DAYS,
)


@given(AGREEMENTS, PERIODS, POLICIES, DAYS, DAYS)
def test_law_more_coverage_never_takes_a_download_away(
    agreement: Agreement, more: Period, rules: Sequence[Rule], released: date, today: date
) -> None:
    release = out(str(released))
    longer = replace(agreement, paid=tuple(sorted((*agreement.paid, more))))
    before, after = (entitlement(one, rules, release, today) for one in (agreement, longer))
    assert before.entitled <= after.entitled


@given(AGREEMENTS, POLICIES, DAYS, DAYS)
def test_law_a_yes_lies_in_cover_and_a_covered_day_gives_all(
    agreement: Agreement, rules: Sequence[Rule], released: date, today: date
) -> None:
    """The table against the sentence of the design, said another way."""
    decision = entitlement(agreement, rules, out(str(released)), today)
    periods = (complimentary(agreement, rules)[0], *agreement.paid)
    gone = agreement.withdrawn is not None and agreement.withdrawn <= today
    covered = any(today in period for period in periods) or decision.rule == "grace"
    kept = rules[0].lapsed_downloads == "released while covered" and any(
        released in period for period in periods
    )
    started = today >= min(period.first for period in periods)
    assert decision.entitled == (not gone and released <= today and (covered or (started and kept)))


@given(AGREEMENTS, POLICIES, DAYS)
def test_law_the_newest_given_is_given_and_nothing_newer_is(
    agreement: Agreement, rules: Sequence[Rule], today: date
) -> None:
    newest, decision = newest_entitled(agreement, rules, CITYWORKS, today)
    given_ = [
        release for release in CITYWORKS.ordered if entitlement(agreement, rules, release, today).entitled
    ]
    assert newest == (given_[-1] if given_ else None)
    if decision is not None:
        assert decision.entitled == bool(given_)


@given(AGREEMENTS, POLICIES, DAYS)
def test_law_the_state_stays_until_its_next_change(
    agreement: Agreement, rules: Sequence[Rule], today: date
) -> None:
    state = coverage(agreement, rules, today).state
    changes = next_change(agreement, rules, today)
    if changes is None:
        for days in (1, 40, 400, 4000):
            assert coverage(agreement, rules, today + timedelta(days=days)).state == state
    else:
        assert coverage(agreement, rules, changes[0] - timedelta(days=1)).state == state
        assert coverage(agreement, rules, changes[0]).state == changes[1].state != state
