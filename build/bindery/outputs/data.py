"""Life cycles for programs: in the shape of endoflife.date's API v1, and as OpenEoX core.

The first is the only output that holds a status, because its schema demands one: as of the day that the
caller names, in the vendor's time zone. As there, a day such as `eolFrom` is the last supported one: the
status turns on the day after. Where support has tiers, the one that ends first is active support (`eoas`);
of three, the last is extended support (`eoes`); security remediation, which OpenEoX tells apart, ends with
the tier before that. All dates are those of the catalog.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from bindery.kinds.product import Product
from bindery.kinds.release import Release
from bindery.library import Library
from bindery.support import Answer, Tier

EOL_SCHEMA = "1.1.0"  # https://endoflife.date/docs/api/v1/
OPENEOX_CORE = "https://docs.oasis-open.org/openeox/eox-core/v1.0/schema/core.json"
CATEGORY = "app"  # endoflife.date's word for what is neither a system, a language nor a library
Answers = Mapping[tuple[str, str], Answer]


def outputs(library: Library, answers: Answers, *, site_url: str, now: datetime) -> Iterator[tuple[str, str]]:
    """Both shapes of every product, as (path below public, text)."""
    for path, _, make in plans(library, answers, site_url=site_url, now=now):
        yield path, make()


NOTICE = "data/notice.json"
"""What every page shows at its top, so that no page is made again when staff switch it on or off."""


def plans(
    library: Library, answers: Answers, *, site_url: str, now: datetime
) -> Iterator[tuple[str, str, Callable[[], str]]]:
    """The same as (path below public, the key that decides its text, what makes the text)."""
    zone = ZoneInfo(library.policy.hours.time_zone)
    today = now.astimezone(zone).date()
    key = f"{library.facts} {today}"
    yield "data/eol/v1/products.json", key, lambda: _text(_products(library, site_url))
    notice = library.home.notice
    yield NOTICE, notice, lambda: _text({"format": 1, "notice": notice})
    for product in library.products:
        yield (
            f"data/eol/v1/products/{product.product}.json",
            key,
            partial(_eol_text, library, product, answers, site_url, today, zone),
        )
        yield (
            f"data/openeox/{product.product}.json",
            key,
            partial(_openeox_text, library, product, answers, zone),
        )


def _eol_text(
    library: Library, product: Product, answers: Answers, site_url: str, today: date, zone: ZoneInfo
) -> str:
    return _text(_eol(library, product, answers, site_url, today, zone))


def _openeox_text(library: Library, product: Product, answers: Answers, zone: ZoneInfo) -> str:
    return _text(_openeox(library, product, answers, zone))


def _products(library: Library, site_url: str) -> dict[str, Any]:
    return {
        "schema_version": EOL_SCHEMA,
        "total": len(library.products),
        "result": [
            {
                **_summary(product),
                "uri": f"{site_url}data/eol/v1/products/{product.product}.json",
            }
            for product in library.products
        ],
    }


def _summary(product: Product) -> dict[str, Any]:
    return {
        "name": product.product,
        "label": product.name,
        "aliases": [],
        "category": CATEGORY,
        "tags": [CATEGORY],
    }


class _Phases(NamedTuple):
    """The ends of a release as endoflife.date tells them apart; None for what it does not have."""

    active: Tier | None
    security: Tier
    extended: Tier | None


def _phases(answer: Answer) -> _Phases:
    tiers = answer.tiers
    if len(tiers) < 2:
        return _Phases(None, Tier(name="", ends=answer.ends, ends_after_next="", because=()), None)
    if len(tiers) == 2:
        return _Phases(tiers[0], tiers[1], None)
    return _Phases(tiers[0], tiers[-2], tiers[-1])


def turns(library: Library, answers: Answers) -> tuple[datetime, ...]:
    """The instants at which a status turns: the first moment after each last supported day."""
    zone = ZoneInfo(library.policy.hours.time_zone)
    days = {day for answer in answers.values() for day in answer.days}
    return tuple(datetime.combine(day + timedelta(days=1), time(), zone) for day in sorted(days))


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _eol(
    library: Library, product: Product, answers: Answers, site_url: str, today: date, zone: ZoneInfo
) -> dict[str, Any]:
    """A version is a "release" here, and its newest update is what the schema calls the latest."""
    newest: dict[str, Release] = {}
    changed = [date(1990, 1, 1)]
    for release in library.releases_of(product.product):
        newest[release.of or release.version] = release
        answer = answers[release.product, release.version]
        turned = [day + timedelta(days=1) for day in answer.days]
        known = (release.released, release.updated, answer.decided, *turned)
        changed += [day for day in known if day and day <= today]
    versions = [r for r in library.releases_of(product.product) if r.release_kind == "version"]
    phases = {version.version: _phases(answers[version.product, version.version]) for version in versions}
    label_of = {
        "eoas": _label([one.active for one in phases.values()]),
        "discontinued": None,
        "eol": _label([one.security for one in phases.values() if one.active]) or "Support",
        "eoes": _label([one.extended for one in phases.values()]),
    }
    return {
        "schema_version": EOL_SCHEMA,
        "last_modified": _instant(max(changed), zone),
        "result": {
            **_summary(product),
            "versionCommand": None,
            "identifiers": [
                {"id": identifier, "type": _type(identifier)} for identifier in product.identifiers
            ],
            "labels": label_of,
            "links": {
                "icon": None,
                "html": site_url + product.url,
                "releasePolicy": site_url + library.policy.url,
            },
            "releases": [
                _cycle(
                    library,
                    version,
                    newest[version.version],
                    phases[version.version],
                    label_of,
                    site_url,
                    today,
                )
                for version in reversed(versions)
            ],
        },
    }


def _cycle(
    library: Library,
    version: Release,
    newest: Release,
    phases: _Phases,
    label_of: Mapping[str, str | None],
    site_url: str,
    today: date,
) -> dict[str, Any]:
    def over(tier: Tier) -> bool:
        end = tier.ends or tier.at_latest
        return end is not None and end < today

    def day(tier: Tier) -> str | None:
        return tier.ends.isoformat() if tier.ends else None

    active, extended = phases.active or phases.security, phases.extended
    return {
        "name": version.version,
        "codename": None,
        "label": library.name_of(version),
        "releaseDate": version.released.isoformat(),
        "isLts": False,
        "ltsFrom": None,
        **({"isEoas": over(active), "eoasFrom": day(active)} if label_of["eoas"] else {}),
        "isEol": over(phases.security),
        "eolFrom": day(phases.security),
        **(
            {
                "isEoes": over(extended) if extended else None,
                "eoesFrom": day(extended) if extended else None,
            }
            if label_of["eoes"]
            else {}
        ),
        "isMaintained": not over(extended or phases.security),
        "latest": {
            "name": newest.version,
            "date": newest.released.isoformat(),
            "link": site_url + newest.url,
        },
        "custom": {"sample": version.sample_note or "This version is a sample."} if version.sample else None,
    }


def _label(tiers: Iterable[Tier | None]) -> str | None:
    """What a phase is called: the names of its tiers."""
    names = dict.fromkeys(tier.name for tier in tiers if tier)
    return " & ".join(f"{name[0].upper()}{name[1:]} support" for name in names) or None


def _type(identifier: str) -> str:
    scheme = identifier.partition(":")[0]
    return "purl" if scheme == "pkg" else scheme


def _openeox(library: Library, product: Product, answers: Answers, zone: ZoneInfo) -> dict[str, Any]:
    """A core object by version and update: the core itself has no place for what it speaks of."""
    return {
        release.version: _core(release, answers[release.product, release.version], zone)
        for release in reversed(library.releases_of(product.product))
    }


def _core(release: Release, answer: Answer, zone: ZoneInfo) -> dict[str, str]:
    def last(end: Answer | Tier) -> str:
        return datetime.combine(end.ends, time(23, 59, 59), zone).isoformat() if end.ends else "tba"

    known = max(day for day in (release.released, release.updated, answer.decided) if day)
    return {
        "$schema": OPENEOX_CORE,
        "end_of_life": last(answer),
        "end_of_security_support": last(_phases(answer).security),
        "general_availability": _instant(release.released, zone),
        "last_updated": _instant(known, zone),
    }


def _instant(day: date, zone: ZoneInfo) -> str:
    return datetime.combine(day, time(), zone).isoformat()
