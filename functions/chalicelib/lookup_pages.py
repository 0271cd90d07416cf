"""The pages of what a customer looked up: what their shells show, from the domain's answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from chalicelib.answers import Answer
from chalicelib.exchange import Exchange
from chalicelib.hours import day_text
from chalicelib.lookups import DownloadAnswer, UpdatesAnswer
from chalicelib.standing import ReleaseName, RenewalAnswer

KILO = 1024


def renewal(here: Exchange, found: RenewalAnswer) -> Answer:
    """The state of an agreement, as a page or as JSON."""
    return here.page_or_json(
        "renewal",
        {
            **found.as_json(),
            "product": found.product_name,
            "covered_from": day(found.covered_from),
            "covered_until": day(found.covered_until),
            "newest_entitled": release_of(found.newest_entitled),
            "phone": here.phone,
        },
        found.as_json(),
    )


def download(here: Exchange, found: DownloadAnswer) -> Answer:
    """A link to a file, as a page or as JSON."""
    return here.page_or_json(
        "download",
        {
            **found.as_json(),
            "product": _name(here, found.product),
            "url": here.path(found.url),
            "expires": {"iso": found.expires.isoformat(), "text": found.expires_text},
            "size_text": size_text(found.size),
        },
        found.as_json(),
    )


def updates(here: Exchange, found: UpdatesAnswer) -> Answer:
    """What is newest, as a page or as JSON."""
    return here.page_or_json(
        "updates",
        {
            **found.as_json(),
            "product": _name(here, found.product),
            "newest": release_of(found.newest),
            "newest_entitled": release_of(found.newest_entitled),
            "supported_until": day(found.supported_until),
            "earliest_end": day(found.earliest_end),
        },
        found.as_json(),
    )


def size_text(size: int) -> str:
    """A size in bytes, for people: `3.2 MB`."""
    if size < KILO:
        return f"{size} bytes"
    number = size / KILO
    for unit in ("KB", "MB"):
        if number < KILO:
            return f"{number:.1f} {unit}"
        number /= KILO
    return f"{number:.1f} GB"


def _name(here: Exchange, product: str) -> str:
    return here.desk.catalog().products[product].name


def day(day: date | None) -> Mapping[str, str] | None:
    return {"iso": day.isoformat(), "text": day_text(day)} if day else None


def release_of(release: ReleaseName | None) -> Mapping[str, Any] | None:
    if release is None:
        return None
    return {"version": release.version, "url": release.url, "released": day(release.released)}
