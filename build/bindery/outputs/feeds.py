"""Feeds: RSS 2.0, Atom 1.0 and JSON Feed 1.1 of everything, of releases and of the newsletter.

feedgen writes RSS and Atom. Full content with absolute links, ids that never change (tag URIs, RFC 4151),
every date from the content: the same content gives the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from feedgen.feed import FeedGenerator

from bindery.kinds.issue import Issue
from bindery.kinds.item import Item
from bindery.kinds.paper import Paper
from bindery.kinds.release import Release
from bindery.library import Library

NEWEST = 50  # entries in a feed; the older ones stay on the site
TAG_YEAR = "2026"  # RFC 4151: the authority held its name in this year
_ROOTED = re.compile(r'(\s(?:href|src)=")/(?!/)')
Feedable = Release | Issue | Paper


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry; `html` is its content with absolute links."""

    id: str
    url: str
    title: str
    summary: str
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    published: datetime
    updated: datetime
    html: str


def outputs(library: Library, *, site_url: str, html_of: Callable[[Item], str]) -> Iterator[tuple[str, str]]:
    """Every feed as (path below public, text).

    `site_url` ends in a slash; `html_of` gives an item's body as HTML whose links are absolute paths.
    """
    releases = sorted(library.releases, key=lambda one: (one.released, one.path), reverse=True)[:NEWEST]
    issues = sorted(library.issues, key=lambda one: (one.date, one.path), reverse=True)[:NEWEST]
    papers = sorted(library.papers, key=lambda one: (one.date, one.path), reverse=True)[:NEWEST]
    everything: list[Feedable] = [*releases, *issues, *papers]
    everything.sort(key=lambda one: (_day(one), one.path), reverse=True)
    made: dict[str, Entry] = {}

    def entry(item: Feedable) -> Entry:
        if item.path not in made:
            made[item.path] = _entry(library, item, site_url, html_of)
        return made[item.path]

    vendor = library.home.vendor.name
    for name, title, page, items in (
        ("all", f"{vendor} support: everything new", "", everything[:NEWEST]),
        ("releases", f"{vendor} support: releases", "releases/", releases),
        ("newsletter", f"{vendor} newsletter", "newsletter/", issues),
    ):
        entries = [entry(item) for item in items]
        where = f"{site_url}feeds/{name}"
        home = site_url + page
        identity = f"tag:{_authority(library)},{TAG_YEAR}:feeds/{name}"
        yield f"feeds/{name}.atom", _atom(library, title, identity, home, f"{where}.atom", entries)
        yield f"feeds/{name}.rss", _rss(library, title, home, f"{where}.rss", entries)
        yield f"feeds/{name}.json", _json(library, title, home, f"{where}.json", entries)


def _authority(library: Library) -> str:
    return urlsplit(library.home.vendor.url).hostname or "example.com"


def _day(item: Feedable) -> date:
    return item.released if isinstance(item, Release) else item.date


def _entry(library: Library, item: Feedable, site_url: str, html_of: Callable[[Item], str]) -> Entry:
    zone = ZoneInfo(library.policy.hours.time_zone)
    published = item.publish_at or datetime.combine(_day(item), time(), zone)
    updated = datetime.combine(item.updated, time(), zone) if item.updated else published
    origin = "{0.scheme}://{0.netloc}/".format(urlsplit(site_url))
    html = _ROOTED.sub(lambda match: match[1] + origin, html_of(item))
    title = item.title
    categories: tuple[str, ...] = (item.kind,)
    authors: tuple[str, ...] = (library.home.vendor.name,)
    if isinstance(item, Release):
        title = library.name_of(item)
        product = library.product(item.product)
        categories = (product.name if product else item.product, item.release_kind, *item.security)
    elif isinstance(item, Paper):
        html = f"<p>{_escaped(item.abstract)}</p>\n{html}"
        authors = tuple(author.name for author in item.authors)
        categories = ("paper", *item.keywords)
    if item.sample:
        html = f"<p><strong>Sample.</strong> {_escaped(item.sample_note)}</p>\n{html}"
    return Entry(
        id=f"tag:{_authority(library)},{TAG_YEAR}:{item.id}",
        url=site_url + item.url,
        title=title,
        summary=item.summary,
        authors=authors,
        categories=categories,
        published=published,
        updated=max(updated, published),
        html=html,
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _newest(entries: Sequence[Entry]) -> datetime:
    return max((entry.updated for entry in entries), default=datetime(1990, 1, 1, tzinfo=UTC))


def _generator(library: Library, title: str, identity: str) -> FeedGenerator:
    feed = FeedGenerator()
    feed.id(identity)
    feed.title(title)
    feed.author({"name": library.home.vendor.name})
    feed.language("en")
    feed.generator("bindery")
    return feed


def _fill(feed: FeedGenerator, entries: Sequence[Entry], content_type: str) -> None:
    for entry in entries:
        made = feed.add_entry(order="append")
        made.id(entry.id)
        made.title(entry.title)
        made.link(href=entry.url, rel="alternate")
        made.published(entry.published)
        made.updated(entry.updated)
        made.category([{"term": category} for category in entry.categories])
        if content_type == "CDATA":
            # RSS names people by mail address only; the site publishes none.
            made.description(entry.summary or entry.title)
            made.guid(entry.id, permalink=False)
        else:
            made.author([{"name": author} for author in entry.authors])
            if entry.summary:
                made.summary(entry.summary)
        made.content(entry.html, type=content_type)


def _atom(library: Library, title: str, identity: str, home: str, own: str, entries: Sequence[Entry]) -> str:
    feed = _generator(library, title, identity)
    feed.link(href=own, rel="self", type="application/atom+xml")
    feed.link(href=home, rel="alternate", type="text/html")
    feed.updated(_newest(entries))
    _fill(feed, entries, "html")
    return _text(feed.atom_str(pretty=True))


def _rss(library: Library, title: str, home: str, own: str, entries: Sequence[Entry]) -> str:
    feed = _generator(library, title, own)
    feed.description(f"What is new on the support site of {library.home.vendor.name}, in full.")
    feed.link(href=own, rel="self", type="application/rss+xml")
    # feedgen takes the last link as the channel's own.
    feed.link(href=home, rel="alternate")
    feed.lastBuildDate(_newest(entries))
    feed.updated(_newest(entries))
    _fill(feed, entries, "CDATA")
    return _text(feed.rss_str(pretty=True))


def _text(made: bytes) -> str:
    return made.decode().rstrip("\n") + "\n"


def _json(library: Library, title: str, home: str, own: str, entries: Sequence[Entry]) -> str:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": title,
        "home_page_url": home,
        "feed_url": own,
        "language": "en",
        "authors": [{"name": library.home.vendor.name}],
        "items": [
            {
                "id": entry.id,
                "url": entry.url,
                "title": entry.title,
                **({"summary": entry.summary} if entry.summary else {}),
                "content_html": entry.html,
                "date_published": entry.published.isoformat(),
                "date_modified": entry.updated.isoformat(),
                "authors": [{"name": author} for author in entry.authors],
                "tags": list(entry.categories),
            }
            for entry in entries
        ],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1) + "\n"
