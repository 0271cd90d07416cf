"""May this agreement have this release? The rule, the dates that were compared, and what would change the
answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chalicelib.agreements import Agreement, coverage
from chalicelib.catalog import Release, Rule, rule_in_force


@dataclass(frozen=True, kw_only=True, slots=True)
class Entitlement:
    """`would_change` is "" when entitled."""

    entitled: bool
    because: tuple[str, ...]
    would_change: str


def entitlement(agreement: Agreement, rules: Sequence[Rule], release: Release, today: date) -> Entitlement:
    """A release of the agreement's product, if today is covered; else, while the rule in force today says
    "released while covered", one whose release date lies in a covered period."""
    if release.product != agreement.product:
        return Entitlement(
            entitled=False,
            because=(f"The agreement is for {agreement.product}; this is a release of {release.product}.",),
            would_change=f"An agreement for {release.product} would give it.",
        )
    if release.released > today:
        return Entitlement(
            entitled=False,
            because=(f"{release.version} is released on {release.released}; today is {today}.",),
            would_change=f"Ask again on {release.released}.",
        )
    cover = coverage(agreement, rules, today)
    if cover.state == "withdrawn":
        return Entitlement(
            entitled=False, because=cover.because[-1:], would_change="Call us about this agreement."
        )
    if cover.covered:
        return Entitlement(
            entitled=True,
            because=(
                "A current agreement gives every release of its product.",
                f"Today, {today}, is covered: {cover.covered_from} to {cover.covered_until}"
                f"{', and grace' if cover.state == 'grace' else ''}.",
            ),
            would_change="",
        )
    rule = rule_in_force(rules, agreement.product, today)
    compared = f"Today, {today}, is not covered: cover was {cover.covered_from} to {cover.covered_until}."
    if cover.state == "not started":
        return Entitlement(
            entitled=False,
            because=(f"Cover starts on {cover.covered_from}; today is {today}.",),
            would_change=f"Ask again on {cover.covered_from}.",
        )
    renew = "Renewing the agreement would give it: a current agreement gives every release of its product."
    if rule.lapsed_downloads != "released while covered":
        return Entitlement(
            entitled=False,
            because=(f"A lapsed agreement gives no download ({rule.because}).", compared),
            would_change=renew,
        )
    held = next((period for period in cover.periods if release.released in period), None)
    if held is None:
        return Entitlement(
            entitled=False,
            because=(
                f"A lapsed agreement gives what was released while it was covered ({rule.because}).",
                compared,
                f"{release.version} was released on {release.released}, in no covered period.",
            ),
            would_change=renew,
        )
    return Entitlement(
        entitled=True,
        because=(
            f"A lapsed agreement gives what was released while it was covered ({rule.because}).",
            compared,
            f"{release.version} was released on {release.released}, within {held.first} to {held.last}.",
        ),
        would_change="",
    )
