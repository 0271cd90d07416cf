"""May this agreement have this release? One table of rules, in order; the first that holds decides.

Every answer of the desk about a download comes from this table: downloads, updates, renewals, a customer's
own page and the staff's command. A decision names its rule, the dates that it compared, and what would change
it. A release that is not in the catalog, one under embargo for one, is not there for anybody. Decides nothing
about which days are covered (see agreements).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from chalicelib.agreements import Agreement, Coverage, Period, coverage
from chalicelib.catalog import Product, Release, Rule, rule_in_force

RELEASED_WHILE_COVERED = "released while covered"
"""What the policy's `lapsed_downloads` says when a lapsed agreement keeps what came out in its time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entitlement:
    """A decision. `rule` is the name of the one that decided; `compared` the dates that it looked at, by
    name, in order; `because` the same in words; `would_change` what would give it, "" when entitled."""

    entitled: bool
    rule: str
    compared: tuple[tuple[str, date], ...]
    because: tuple[str, ...]
    would_change: str

    def as_json(self) -> dict[str, object]:
        return {
            "entitled": self.entitled,
            "rule": self.rule,
            "compared": {name: day.isoformat() for name, day in self.compared},
            "because": list(self.because),
            "would_change": self.would_change,
        }


@dataclass(frozen=True, kw_only=True)
class Case:
    """What the rules look at: an agreement, a release of the catalog, and the day at the vendor's."""

    agreement: Agreement
    rules: Sequence[Rule]
    release: Release
    today: date

    @cached_property
    def cover(self) -> Coverage:
        return coverage(self.agreement, self.rules, self.today)

    @cached_property
    def policy(self) -> Rule:
        """The support rule in force today. Raises NoRule."""
        return rule_in_force(self.rules, self.agreement.product, self.today)

    @cached_property
    def held(self) -> Period | None:
        """The covered period in which the release came out."""
        return next((period for period in self.cover.periods if self.release.released in period), None)


@dataclass(frozen=True, kw_only=True)
class EntitlementRule:
    """A line of the table. `holds` may count on it that no rule above holds. `compares` names dates of
    `_DATES`."""

    name: str
    holds: Callable[[Case], bool]
    entitled: bool
    compares: tuple[str, ...]
    because: Callable[[Case], tuple[str, ...]]
    would_change: Callable[[Case], str] = lambda case: ""


_DATES: dict[str, Callable[[Case], date | None]] = {
    "today": lambda case: case.today,
    "released": lambda case: case.release.released,
    "covered_from": lambda case: case.cover.covered_from,
    "covered_until": lambda case: case.cover.covered_until,
    "grace_until": lambda case: case.cover.grace_until,
    "period_from": lambda case: case.held.first if case.held else None,
    "period_until": lambda case: case.held.last if case.held else None,
    "withdrawn": lambda case: case.agreement.withdrawn,
}


def _uncovered(case: Case) -> str:
    cover = case.cover
    return f"Today, {case.today}, is not covered: cover was {cover.covered_from} to {cover.covered_until}."


def _released(case: Case) -> str:
    return f"{case.release.version} was released on {case.release.released}"


def _lapsed_gives(case: Case) -> str:
    return f"A lapsed agreement gives what was released while it was covered ({case.policy.because})."


_EVERY = "A current agreement gives every release of its product."
_RENEW = f"Renewing the agreement would give it: {_EVERY[0].lower()}{_EVERY[1:]}"

RULES: tuple[EntitlementRule, ...] = (
    EntitlementRule(
        name="withdrawn",
        holds=lambda case: case.cover.state == "withdrawn",
        entitled=False,
        compares=("today", "withdrawn"),
        because=lambda case: (f"Withdrawn on {case.agreement.withdrawn}; today is {case.today}.",),
        would_change=lambda case: "Call us about this agreement.",
    ),
    EntitlementRule(
        name="another product",
        holds=lambda case: case.release.product != case.agreement.product,
        entitled=False,
        compares=(),
        because=lambda case: (
            f"The agreement is for {case.agreement.product}; this is a release of {case.release.product}.",
        ),
        would_change=lambda case: f"An agreement for {case.release.product} would give it.",
    ),
    EntitlementRule(
        name="not released yet",
        holds=lambda case: case.today < case.release.released,
        entitled=False,
        compares=("today", "released"),
        because=lambda case: (
            f"{case.release.version} is released on {case.release.released}; today is {case.today}.",
        ),
        would_change=lambda case: f"Ask again on {case.release.released}.",
    ),
    EntitlementRule(
        name="grace",
        holds=lambda case: case.cover.state == "grace",
        entitled=True,
        compares=("today", "covered_from", "covered_until", "grace_until"),
        because=lambda case: (
            _EVERY,
            f"Today, {case.today}, is covered: {case.cover.covered_from} to {case.cover.covered_until}, and "
            f"grace to {case.cover.grace_until}.",
        ),
    ),
    EntitlementRule(
        name="current agreement",
        holds=lambda case: case.cover.covered,
        entitled=True,
        compares=("today", "covered_from", "covered_until"),
        because=lambda case: (
            _EVERY,
            f"Today, {case.today}, is covered: {case.cover.covered_from} to {case.cover.covered_until}.",
        ),
    ),
    EntitlementRule(
        name="not started",
        holds=lambda case: case.cover.state == "not started",
        entitled=False,
        compares=("today", "covered_from"),
        because=lambda case: (f"Cover starts on {case.cover.covered_from}; today is {case.today}.",),
        would_change=lambda case: f"Ask again on {case.cover.covered_from}.",
    ),
    EntitlementRule(
        name="lapsed gives nothing",
        holds=lambda case: case.policy.lapsed_downloads != RELEASED_WHILE_COVERED,
        entitled=False,
        compares=("today", "covered_from", "covered_until"),
        because=lambda case: (
            f"A lapsed agreement gives no download ({case.policy.because}).",
            _uncovered(case),
        ),
        would_change=lambda case: _RENEW,
    ),
    EntitlementRule(
        name=RELEASED_WHILE_COVERED,
        holds=lambda case: case.held is not None,
        entitled=True,
        compares=("today", "covered_from", "covered_until", "released", "period_from", "period_until"),
        because=lambda case: (
            _lapsed_gives(case),
            _uncovered(case),
            f"{_released(case)}, within {case.held and case.held.first} to {case.held and case.held.last}.",
        ),
    ),
    EntitlementRule(
        name="released outside cover",
        holds=lambda case: True,
        entitled=False,
        compares=("today", "covered_from", "covered_until", "released"),
        because=lambda case: (
            _lapsed_gives(case),
            _uncovered(case),
            f"{_released(case)}, in no covered period.",
        ),
        would_change=lambda case: _RENEW,
    ),
)


def entitlement(agreement: Agreement, rules: Sequence[Rule], release: Release, today: date) -> Entitlement:
    """The decision of the first rule that holds. Raises NoRule when the policy says nothing of a day."""
    case = Case(agreement=agreement, rules=rules, release=release, today=today)
    rule = next(rule for rule in RULES if rule.holds(case))
    dates = ((name, _DATES[name](case)) for name in rule.compares)
    return Entitlement(
        entitled=rule.entitled,
        rule=rule.name,
        compared=tuple((name, day) for name, day in dates if day is not None),
        because=rule.because(case),
        would_change=rule.would_change(case),
    )


def newest_entitled(
    agreement: Agreement, rules: Sequence[Rule], product: Product, today: date
) -> tuple[Release | None, Entitlement | None]:
    """The newest release that the agreement gives, with its decision. When it gives none: None, and the
    decision about the oldest that is out; None for that too when nothing is out yet."""
    last: Entitlement | None = None
    for release in reversed([one for one in product.ordered if one.released <= today]):
        last = entitlement(agreement, rules, release, today)
        if last.entitled:
            return release, last
    return None, last
