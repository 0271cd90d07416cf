"""The facts that the bindery publishes for the desk: one JSON file, read anew whenever the pointer moves.

Keys that are not known are ignored; a format that is not known is refused. Holds facts and dates, never a
status.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chalicelib.durations import Duration, duration
from chalicelib.refusals import NotAvailable

FORMAT = 1
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class CatalogTrouble(Exception):
    """The catalog cannot be used; the message says why and what to do."""


class NoRule(NotAvailable, ValueError):
    """The support policy says nothing about a product on a day that is asked about."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """The support rules from `since` on, for one product or (None) all. `because` names file and line;
    `reminders` are days before the end of cover."""

    since: date
    product: str | None
    complimentary: Mapping[str, Duration]
    renewal: Duration
    grace: Duration
    lapsed_downloads: str
    because: str
    reminders: tuple[int, ...] = ()


def rule_in_force(rules: Sequence[Rule], product: str, day: date) -> Rule:
    """The most specific of the latest rules that hold on `day`. Raises NoRule when there is none."""
    held = [rule for rule in rules if rule.since <= day and rule.product in (None, product)]
    if not held:
        raise NoRule(f"No rule of the support policy is in force for {product} on {day}.")
    return max(held, key=lambda rule: (rule.product is not None, rule.since))


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A download of a release: `size` in bytes, `sha256` in hexadecimal."""

    name: str
    size: int
    sha256: str
    platform: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """A release as published. `support_ends` is None while no next version exists; then `ends_after_next`
    says how long after it ("12 months"). `url` is a path from the site's root."""

    product: str
    version: str
    kind: str
    of: str
    line: str
    released: date
    support_ends: date | None
    ends_after_next: str
    because: tuple[str, ...]
    url: str
    security: tuple[str, ...]
    fixes: tuple[str, ...]
    files: tuple[File, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownIssue:
    """A defect that is open in a version. `fixed_in` names versions of the same product."""

    id: str
    title: str
    url: str
    fixed_in: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Product:
    """A product with its releases by version."""

    slug: str
    name: str
    url: str
    releases: Mapping[str, Release]

    @cached_property
    def ordered(self) -> tuple[Release, ...]:
        """Oldest first: by the date of the version that a release belongs to, then its own date, then its
        number.

        So an update of an older line, however late it comes, stays behind the newest version.
        """
        return tuple(sorted(self.releases.values(), key=self._rank))

    def _rank(self, release: Release) -> tuple[date, date, tuple[int, ...]]:
        version = self.releases.get(release.of, release)
        return (
            version.released,
            release.released,
            tuple(int(part) for part in re.findall(r"\d+", release.version)),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class OpeningHours:
    """When the vendor works: local times of day, days as Mon … Sun, and closed dates with their names."""

    zone: ZoneInfo
    days: tuple[str, ...]
    open: time
    close: time
    closed: Mapping[date, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Vendor:
    """Who answers. `url` and `phone` as printed on the site."""

    name: str
    url: str
    phone: str
    email: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Escalation:
    """Who is told that an answer is nearly due: when `percent` of the promised time is over, the mailbox that
    stands in `to` beside the one that has the ticket. Names of mailboxes, and `client_manager`."""

    percent: int
    to: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalog:
    """All of it. `text` is the file's; `first_response` holds opening time by severity."""

    text: str = field(repr=False)
    vendor: Vendor
    rules: tuple[Rule, ...]
    first_response: Mapping[str, Duration]
    mailboxes: Mapping[str, str]
    escalation: Escalation
    hours: OpeningHours
    products: Mapping[str, Product]
    known_issues: Mapping[tuple[str, str], tuple[KnownIssue, ...]]

    @property
    def build(self) -> str:
        """The beginning of the file's SHA-256."""
        from hashlib import sha256

        return sha256(self.text.encode()).hexdigest()[:12]

    def release(self, product: str, version: str) -> Release | None:
        found = self.products.get(product)
        return found.releases.get(version) if found else None


def read(text: str) -> Catalog:
    """Make a catalog of the text of catalog.json. Raises CatalogTrouble."""
    try:
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            found = data.get("format") if isinstance(data, dict) else None
            raise CatalogTrouble(
                f"the catalog has format {found!r}, this desk reads format {FORMAT}: build the site "
                "again with the "
                "bindery that belongs to this desk"
            )
        return _catalog(data, text)
    except (KeyError, TypeError, ValueError, AttributeError, ZoneInfoNotFoundError) as trouble:
        raise CatalogTrouble(
            f"the catalog is damaged ({type(trouble).__name__}: {trouble}): build it again"
        ) from None


def _catalog(data: dict[str, Any], text: str) -> Catalog:
    policy, hours, vendor = data["policy"], data["hours"], data["vendor"]
    return Catalog(
        text=text,
        vendor=Vendor(
            name=vendor["name"],
            url=vendor.get("url") or "",
            phone=vendor.get("phone") or "",
            email=vendor.get("email") or "",
        ),
        rules=tuple(_rule(rule) for rule in policy["rules"]),
        first_response={severity: duration(text) for severity, text in policy["first_response"].items()},
        mailboxes=dict(policy["mailboxes"]),
        escalation=_escalation(policy.get("escalation") or {}),
        hours=OpeningHours(
            zone=ZoneInfo(hours["time_zone"]),
            days=tuple(DAYS[DAYS.index(day)] for day in hours["days"]),
            open=time.fromisoformat(hours["open"]),
            close=time.fromisoformat(hours["close"]),
            closed={date.fromisoformat(day): name for day, name in (hours.get("closed") or {}).items()},
        ),
        products={slug: _product(slug, product) for slug, product in data["products"].items()},
        known_issues={
            (slug, version): tuple(
                KnownIssue(
                    id=issue["id"],
                    title=issue["title"],
                    url=issue["url"],
                    fixed_in=tuple(issue.get("fixed_in") or ()),
                )
                for issue in issues
            )
            for slug, versions in (data.get("known_issues") or {}).items()
            for version, issues in versions.items()
        },
    )


def _escalation(said: dict[str, Any]) -> Escalation:
    return Escalation(percent=int(said.get("percent", 75)), to=dict(said.get("to") or {}))


def _rule(rule: dict[str, Any]) -> Rule:
    return Rule(
        since=date.fromisoformat(rule["since"]),
        product=rule.get("product"),
        complimentary={licence: duration(text) for licence, text in rule["complimentary"].items()},
        renewal=duration(rule["renewal"]),
        grace=duration(rule["grace"]),
        lapsed_downloads=rule["lapsed_downloads"],
        because=rule.get("because") or "",
        reminders=tuple(int(days) for days in rule.get("reminders") or ()),
    )


def _product(slug: str, product: dict[str, Any]) -> Product:
    return Product(
        slug=slug,
        name=product["name"],
        url=product["url"],
        releases={
            version: _release(slug, version, release) for version, release in product["releases"].items()
        },
    )


def _release(slug: str, version: str, release: dict[str, Any]) -> Release:
    ends = release.get("support_ends")
    return Release(
        product=slug,
        version=version,
        kind=release["kind"],
        of=release.get("of") or "",
        line=release.get("line") or "",
        released=date.fromisoformat(release["released"]),
        support_ends=date.fromisoformat(ends) if ends else None,
        ends_after_next=release.get("ends_after_next") or "",
        because=tuple(release.get("because") or ()),
        url=release["url"],
        security=tuple(release.get("security") or ()),
        fixes=tuple(release.get("fixes") or ()),
        files=tuple(
            File(
                name=file["name"],
                size=int(file["size"]),
                sha256=file["sha256"],
                platform=file.get("platform") or "",
            )
            for file in release.get("files") or ()
        ),
    )


class CatalogFile:
    """catalog.json on a disk, behind a pointer that may be flipped: resolved at each call, parsed once per
    file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known: tuple[tuple[str, int, int, int], Catalog] | None = None

    def __call__(self) -> Catalog:
        """The catalog of the present publication. Raises CatalogTrouble."""
        real = os.path.realpath(self._path)
        try:
            stat = os.stat(real)  # noqa: PTH116 - the resolved name must be the one that is opened
            mark = (real, stat.st_ino, stat.st_mtime_ns, stat.st_size)
            known = self._known
            if known is not None and known[0] == mark:
                return known[1]
            with self._lock:
                catalog = read(Path(real).read_text(encoding="utf-8"))
                self._known = (mark, catalog)
                return catalog
        except (OSError, UnicodeDecodeError) as trouble:
            raise CatalogTrouble(
                f"there is no readable catalog ({type(trouble).__name__}): build the site, or set "
                "SUPPORT_CATALOG"
            ) from None
