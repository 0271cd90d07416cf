"""`data/catalog.json`: what the functions answer from. Facts and reasons, never a status."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from bindery.kinds.policy import Policy, Rule
from bindery.kinds.release import Release
from bindery.library import Library
from bindery.support import Answer, KnownIssue

FORMAT = 1
Answers = Mapping[tuple[str, str], Answer]


PATH = "data/catalog.json"


def outputs(
    library: Library,
    answers: Answers,
    known: Mapping[tuple[str, str], tuple[KnownIssue, ...]],
    holidays: Callable[[str], Mapping[date, str]],
) -> Iterator[tuple[str, str]]:
    """The catalog as (path below public, text). `holidays` gives the closed days of a country or state."""
    yield PATH, text(library, answers, known, holidays)


def text(
    library: Library,
    answers: Answers,
    known: Mapping[tuple[str, str], tuple[KnownIssue, ...]],
    holidays: Callable[[str], Mapping[date, str]],
) -> str:
    """The catalog. It follows from `library.facts` and the holidays alone."""
    policy = library.policy
    vendor = library.home.vendor
    hours = policy.hours
    closed = hours.closed_days(holidays(hours.holidays) if hours.holidays else {})
    catalog: dict[str, Any] = {
        "format": FORMAT,
        "vendor": {
            "name": vendor.name,
            "url": vendor.url,
            "address": vendor.address,
            "phone": vendor.phone,
            "email": vendor.email,
            "hours_note": vendor.hours_note,
        },
        "policy": _policy(library, policy),
        "hours": {
            "time_zone": hours.time_zone,
            "days": list(hours.days),
            "open": hours.open,
            "close": hours.close,
            "closed": {day.isoformat(): name for day, name in closed.items()},
        },
        "products": {
            product.product: {
                "name": product.name,
                "url": library.address(product.url),
                "releases": {
                    release.version: _release(library, release, answers[(release.product, release.version)])
                    for release in library.releases_of(product.product)
                },
            }
            for product in library.products
        },
        "known_issues": _known_issues(library, known),
    }
    return json.dumps(catalog, ensure_ascii=False, separators=(",", ":")) + "\n"


def _policy(library: Library, policy: Policy) -> dict[str, Any]:
    return {
        "url": library.address(policy.url),
        "rules": [_rule(rule) for rule in policy.rules],
        "first_response": {severity: str(promised) for severity, promised in policy.first_response.items()},
        "mailboxes": dict(policy.mailboxes),
        "escalation": {"percent": policy.escalate_at, "to": dict(policy.escalate_to)},
    }


def _rule(rule: Rule) -> dict[str, Any]:
    made: dict[str, Any] = {
        "since": rule.since.isoformat(),
        "product": rule.product or None,
        "prior_version_support": str(rule.prior_version_support),
        "rounding": rule.rounding,
        "complimentary": {"site": str(rule.complimentary_site), "seat": str(rule.complimentary_seat)},
        "renewal": str(rule.renewal),
        "grace": str(rule.grace),
        "lapsed_downloads": rule.lapsed_downloads,
        "reminders": list(rule.reminders),
        "because": rule.place,
    }
    if rule.tiers:
        made["tiers"] = [{"name": tier.name, "for": str(tier.length)} for tier in rule.tiers]
    return made


def _release(library: Library, release: Release, answer: Answer) -> dict[str, Any]:
    before = library.predecessor(release)
    made: dict[str, Any] = {
        "kind": release.release_kind,
        "of": release.of or None,
        "line": library.line_of(release) or None,
        "after": before.version if before else None,
        "released": release.released.isoformat(),
        "support_ends": answer.ends.isoformat() if answer.ends else None,
        "because": [f"released on {release.released} ({release.where('released')})", *answer.because],
        "url": library.address(release.url),
        "sample": release.sample,
        "security": list(release.security),
        "fixes": list(library.fixes[release.product, release.version]),
        "files": [
            {"name": file.name, "size": file.size, "sha256": file.sha256, "platform": file.platform or None}
            for file in release.files
        ],
    }
    if answer.ends is None:
        made["ends_after_next"] = answer.ends_after_next
    if answer.tiers:
        made["tiers"] = [
            {
                "name": tier.name,
                "ends": tier.ends.isoformat() if tier.ends else None,
                "ends_after_next": tier.ends_after_next or None,
                "because": list(tier.because),
                **({"at_latest": tier.at_latest.isoformat()} if tier.at_latest else {}),
            }
            for tier in answer.tiers
        ]
    if release.requires_stop:
        made["requires_stop"] = True
    return made


def _known_issues(
    library: Library, known: Mapping[tuple[str, str], tuple[KnownIssue, ...]]
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    made: dict[str, dict[str, list[dict[str, Any]]]] = {product.product: {} for product in library.products}
    for (product, version), issues in known.items():
        if issues:
            made[product][version] = [
                {
                    "id": issue.id,
                    "title": issue.title,
                    "url": library.address(issue.url),
                    "workaround": issue.workaround or None,
                    "fixed_in": list(issue.fixed_in),
                }
                for issue in issues
            ]
    return made
