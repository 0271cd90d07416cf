"""Update and Support agreements: which days they cover, and what state that makes.

Days are inclusive and belong to the vendor's time zone; "today" is handed in. The rules come from the
catalog. This module decides nothing about releases (see entitlement) and stores nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from chalicelib.addresses import folded
from chalicelib.catalog import NoRule, Rule, rule_in_force
from chalicelib.durations import last_day

EARLIEST, LATEST = date(1970, 1, 1), date(2199, 12, 31)
"""What a day of an agreement may be: what is reckoned from it stays within the calendar."""
MOST_CONTACTS = 50
"""Of one agreement: each gets its reminders, in one transaction."""
STAGES = ("implementation", "accepted")
LICENCES = ("site", "seat")


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Period:
    """Days from `first` to `last`, both covered."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """One agreement as staff keep it. `seats` is None for a site licence; `client_manager` an e-mail
    address or "";
    `paid` sorted and without overlaps; `withdrawn` the first day on which it gives nothing more."""

    agreement: str
    customer: str
    stage: str
    client_manager: str
    product: str
    licence: str
    seats: int | None
    starts: date
    paid: tuple[Period, ...] = ()
    contacts: tuple[str, ...] = ()
    withdrawn: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """What an agreement covers, as of one day.

    `periods`: every covered period, sorted; the first is the complimentary one. `covered_from`,
    `covered_until`: the
    days without a gap that hold the day asked about, else the last such stretch before it, else the first
    after it.
    `days_left`: days after today that are still covered, 0 when none. `state`: complimentary, current,
    grace, lapsed, not started or withdrawn. `covered`: whether today is covered (grace included).
    `grace_until` the last day of grace while the state is grace.
    """

    state: str
    covered: bool
    covered_from: date
    covered_until: date
    days_left: int
    periods: tuple[Period, ...]
    because: tuple[str, ...] = field(default=())
    grace_until: date | None = None


def complimentary(agreement: Agreement, rules: Sequence[Rule]) -> tuple[Period, Rule]:
    """The first period, by the rule that was in force on the day it starts. Raises ValueError without a
    rule."""
    rule = rule_in_force(rules, agreement.product, agreement.starts)
    length = rule.complimentary[agreement.licence]
    return Period(first=agreement.starts, last=last_day(agreement.starts, length)), rule


def stretches(periods: Sequence[Period]) -> tuple[Period, ...]:
    """The same days with touching and overlapping periods joined, sorted."""
    joined: list[Period] = []
    for period in sorted(periods):
        if joined and period.first <= joined[-1].last + timedelta(days=1):
            joined[-1] = Period(first=joined[-1].first, last=max(joined[-1].last, period.last))
        else:
            joined.append(period)
    return tuple(joined)


def coverage(agreement: Agreement, rules: Sequence[Rule], today: date) -> Coverage:
    """What `agreement` covers as of `today`, with the reasons."""
    first, rule = complimentary(agreement, rules)
    periods = tuple(sorted((first, *agreement.paid)))
    runs = stretches(periods)
    because = [
        f"A {agreement.licence} license is supported without charge for "
        f"{rule.complimentary[agreement.licence]} from "
        f"its start ({rule.because}): {first.first} to {first.last}.",
        *(f"Paid: {period.first} to {period.last}." for period in agreement.paid),
    ]
    held = next((run for run in runs if today in run), None)
    past = [run for run in runs if run.last < today]
    run = held or (past[-1] if past else runs[0])
    grace_end = max(
        (_grace_end(rules, agreement.product, one.last) for one in periods if one.last < today),
        default=run.last,
    )
    if agreement.withdrawn is not None and today >= agreement.withdrawn:
        state = "withdrawn"
        because.append(f"Withdrawn on {agreement.withdrawn}.")
    elif held is not None:
        state = "current" if any(today in period for period in agreement.paid) else "complimentary"
        because.append(f"Today, {today}, is covered until {run.last}, that day included.")
    elif not past:
        state = "not started"
        because.append(f"Today, {today}, is before the first covered day, {run.first}.")
    elif today <= grace_end:
        state = "grace"
        because.append(f"Cover ended on {run.last}; grace lasts until {grace_end}; today is {today}.")
    else:
        state = "lapsed"
        because.append(f"Cover ended on {run.last}; today is {today}.")
    covered = state in ("complimentary", "current", "grace")
    return Coverage(
        state=state,
        covered=covered,
        covered_from=run.first,
        covered_until=run.last,
        days_left=(run.last - today).days if held is not None and covered else 0,
        periods=periods,
        because=tuple(because),
        grace_until=grace_end if state == "grace" else None,
    )


def next_change(agreement: Agreement, rules: Sequence[Rule], today: date) -> tuple[date, Coverage] | None:
    """The first day after `today` on which the state is another one, and what is covered then; None when it
    stays as it is for good."""
    now = coverage(agreement, rules, today)
    edges = {period.first for period in now.periods}
    for period in now.periods:
        edges.add(period.last + timedelta(days=1))
        edges.add(_grace_end(rules, agreement.product, period.last) + timedelta(days=1))
    if agreement.withdrawn is not None:
        edges.add(agreement.withdrawn)
    for day in sorted(edge for edge in edges if edge > today):
        then = coverage(agreement, rules, day)
        if then.state != now.state:
            return day, then
    return None


def _grace_end(rules: Sequence[Rule], product: str, last: date) -> date:
    """The last day of grace after a period that ended on `last`, by the rule in force on that day. Reckoned
    for each period, so that a later one, paid under a rule with less grace, takes none away."""
    try:
        grace = rule_in_force(rules, product, last).grace
    except NoRule:
        return last
    return last_day(last + timedelta(days=1), grace) if grace.count else last


def renewal(agreement: Agreement, rules: Sequence[Rule], first: date | None, last: date | None) -> Period:
    """The next paid period: from `first`, or else the day after the last covered day; to `last`, or else
    as long as
    the rule says. Raises ValueError when it would end before it begins or overlap a paid period."""
    whole = stretches((complimentary(agreement, rules)[0], *agreement.paid))
    start = first or whole[-1].last + timedelta(days=1)
    end = last or last_day(start, rule_in_force(rules, agreement.product, start).renewal)
    return checked_period(Period(first=start, last=end), agreement.paid)


def checked_period(period: Period, paid: Sequence[Period]) -> Period:
    """`period`, when it can stand beside those already paid. Raises ValueError."""
    if period.last < period.first:
        raise ValueError(f"the period {period} ends before it begins")
    if period.first < EARLIEST or period.last > LATEST:
        raise ValueError(f"the period {period} is not between {EARLIEST} and {LATEST}")
    for other in paid:
        if period.first <= other.last and other.first <= period.last:
            raise ValueError(f"the period {period} overlaps {other}, which is already paid")
    return period


def with_period(agreement: Agreement, period: Period) -> Agreement:
    """`agreement` with one more paid period. Raises ValueError as `checked_period` does."""
    return replace(agreement, paid=tuple(sorted((*agreement.paid, checked_period(period, agreement.paid)))))


def without_period(agreement: Agreement, period: Period | None) -> tuple[Agreement, Period]:
    """`agreement` without a paid period (None: the last one), and that period. Raises ValueError when it is
    not there."""
    if not agreement.paid:
        raise ValueError(f"{agreement.agreement} has no paid period")
    gone = period or agreement.paid[-1]
    if gone not in agreement.paid:
        held = "; ".join(map(str, agreement.paid))
        raise ValueError(f"{agreement.agreement} has no paid period {gone}; it has {held}")
    return replace(agreement, paid=tuple(one for one in agreement.paid if one != gone)), gone


def accepted(agreement: Agreement) -> Agreement:
    """`agreement` after final acceptance. Raises ValueError when it is accepted already."""
    if agreement.stage == "accepted":
        raise ValueError(f"{agreement.agreement} is accepted already")
    return replace(agreement, stage="accepted")


def reopened(agreement: Agreement) -> Agreement:
    """`agreement` before final acceptance. Raises ValueError when it is, and without a client manager."""
    if agreement.stage == "implementation":
        raise ValueError(f"{agreement.agreement} is in implementation already")
    if not agreement.client_manager:
        raise ValueError(f"{agreement.agreement} has no client manager; import it with one")
    return replace(agreement, stage="implementation")


def with_contact(agreement: Agreement, address: str) -> Agreement:
    """`agreement` with one more contact. Raises ValueError when it is one, or when there are too many."""
    if folded(address) in map(folded, agreement.contacts):
        raise ValueError(f"{address} is a contact of {agreement.agreement} already")
    if len(agreement.contacts) >= MOST_CONTACTS:
        raise ValueError(f"{agreement.agreement} has {MOST_CONTACTS} contacts, and may have no more")
    return replace(agreement, contacts=(*agreement.contacts, address))


def without_contact(agreement: Agreement, address: str) -> Agreement:
    """`agreement` without a contact. Raises ValueError when it is none."""
    kept = tuple(one for one in agreement.contacts if folded(one) != folded(address))
    if kept == agreement.contacts:
        raise ValueError(f"{address} is no contact of {agreement.agreement}")
    return replace(agreement, contacts=kept)
