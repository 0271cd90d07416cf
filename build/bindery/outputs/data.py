"""Life cycles for programs: in the shape of endoflife.date's API v1, and as OpenEoX core.

The first is the only output that holds a status, because its schema demands one: as of the day that the
caller names, in the vendor's time zone. All dates are those of the catalog.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bindery.kinds.product import Product
from bindery.kinds.release import Release
from bindery.library import Library
from bindery.support import Answer

EOL_SCHEMA = "1.2.0"  # https://endoflife.date/docs/api/v1/
OPENEOX_CORE = "https://docs.oasis-open.org/openeox/v1.0/schema/core.json"
CATEGORY = "app"  # endoflife.date's word for what is neither a system, a language nor a library
Answers = Mapping[tuple[str, str], Answer]


def outputs(library: Library, answers: Answers, *, site_url: str, now: datetime) -> Iterator[tuple[str, str]]:
    """Both shapes of every product, as (path below public, text)."""
    zone = ZoneInfo(library.policy.hours.time_zone)
    today = now.astimezone(zone).date()
    for product in library.products:
        eol = _eol(library, product, answers, site_url, today, zone)
        yield f"data/eol/v1/products/{product.product}.json", _text(eol)
        yield f"data/openeox/{product.product}.json", _text(_openeox(library, product, answers, zone))


def turns(library: Library, answers: Answers) -> tuple[datetime, ...]:
    """The instants at which a status turns: the first moment after each last supported day."""
    zone = ZoneInfo(library.policy.hours.time_zone)
    days = {answer.ends for answer in answers.values() if answer.ends}
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
        turned = answer.ends + timedelta(days=1) if answer.ends else None
        known = (release.released, release.updated, answer.decided, turned)
        changed += [day for day in known if day and day <= today]
    versions = [r for r in library.releases_of(product.product) if r.release_kind == "version"]
    return {
        "schema_version": EOL_SCHEMA,
        "last_modified": _instant(max(changed), zone),
        "result": {
            "name": product.product,
            "label": product.name,
            "aliases": [],
            "category": CATEGORY,
            "tags": [CATEGORY],
            "versionCommand": None,
            "identifiers": [
                {"id": identifier, "type": _type(identifier)} for identifier in product.identifiers
            ],
            "labels": {"eoas": None, "discontinued": None, "eol": "Support", "eoes": None},
            "links": {
                "icon": None,
                "html": site_url + product.url,
                "releasePolicy": site_url + library.policy.url,
            },
            "releases": [
                _cycle(library, version, newest[version.version], answers, site_url, today)
                for version in reversed(versions)
            ],
        },
    }


def _cycle(
    library: Library, version: Release, newest: Release, answers: Answers, site_url: str, today: date
) -> dict[str, Any]:
    ends = answers[version.product, version.version].ends
    over = ends is not None and ends < today
    return {
        "name": version.version,
        "codename": None,
        "label": library.name_of(version),
        "releaseDate": version.released.isoformat(),
        "isLts": False,
        "ltsFrom": None,
        "isEol": over,
        "eolFrom": ends.isoformat() if ends else None,
        "isMaintained": not over,
        "latest": {
            "name": newest.version,
            "date": newest.released.isoformat(),
            "link": site_url + newest.url,
        },
        "custom": {"sample": version.sample_note or "This version is a sample."} if version.sample else None,
    }


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
    last = datetime.combine(answer.ends, time(23, 59, 59), zone).isoformat() if answer.ends else "tba"
    known = max(day for day in (release.released, release.updated, answer.decided) if day)
    return {
        "$schema": OPENEOX_CORE,
        "end_of_life": last,
        "end_of_security_support": last,
        "last_updated": _instant(known, zone),
    }


def _instant(day: date, zone: ZoneInfo) -> str:
    return datetime.combine(day, time(), zone).isoformat()
