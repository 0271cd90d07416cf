"""Feeds: RSS 2.0, Atom 1.0 and JSON Feed 1.1 of every channel, and their list as OPML 2.0.

feedgen writes RSS and Atom. Full content with absolute links, ids that never change (tag URIs, RFC 4151),
every date from the content: the same content gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import partial
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from feedgen.feed import FeedGenerator

from bindery import support
from bindery.channels import feeds
from bindery.kinds.event import Event
from bindery.kinds.issue import Issue
from bindery.kinds.item import Item
from bindery.kinds.paper import Paper
from bindery.kinds.release import Release
from bindery.library import Library
from bindery.support import Answer

NEWEST = 50  # entries in a feed; the older ones stay on the site
TAG_YEAR = "2026"  # RFC 4151: the authority held its name in this year
VERSION = 1  # of what this module makes of the same entries; raised with every change of the form
Answers = Mapping[tuple[str, str], Answer]
Render = Callable[[str, Mapping[str, object]], str]
_ROOTED = re.compile(r'(\s(?:href|src)=")/(?!/)')
Feedable = Release | Issue | Paper | Event


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


@dataclass(frozen=True, slots=True)
class FeedPlan:
    """A feed that a build would make: `path` below public, the key that decides its text, the text."""

    path: str
    key: str
    text: Callable[[], str]


def outputs(
    library: Library, answers: Answers, *, site_url: str, html_of: Callable[[Item], str], render: Render
) -> Iterator[tuple[str, str]]:
    """Every feed as (path below public, text); see `plans`."""
    for plan in plans(library, answers, site_url=site_url, html_of=html_of, render=render):
        yield plan.path, plan.text()


def plans(
    library: Library, answers: Answers, *, site_url: str, html_of: Callable[[Item], str], render: Render
) -> Iterator[FeedPlan]:
    """Every feed, and the list of them for feed readers (OPML).

    `site_url` ends in a slash; `html_of` gives an item's body as HTML whose links are absolute paths;
    `render` fills in a template below `site/templates`.
    """
    vendor = library.home.vendor.name
    newest = _Newest(library, answers, site_url, html_of, render)
    channels = feeds(library)
    for channel in channels:
        title = f"{vendor} support: {channel.title[0].lower()}{channel.title[1:]}"
        if channel.name == "newsletter":
            title = f"{vendor} newsletter"
        entries = tuple(newest.entries(channel.name))
        where = f"{site_url}feeds/{channel.name}"
        home = site_url + channel.page
        identity = f"tag:{_authority(library)},{TAG_YEAR}:feeds/{channel.name}"
        key = hashlib.blake2b(
            repr((VERSION, vendor, title, identity, where, home, entries)).encode(), digest_size=16
        ).hexdigest()
        makers: dict[str, Callable[[], str]] = {
            "atom": partial(_atom, library, title, identity, home, f"{where}.atom", entries),
            "rss": partial(_rss, library, title, home, f"{where}.rss", entries),
            "json": partial(_json, library, title, home, f"{where}.json", entries),
        }
        for form, make in makers.items():
            yield FeedPlan(f"feeds/{channel.name}.{form}", f"{form} {key}", make)
    told = {"vendor": vendor, "site_url": site_url, "channels": channels}
    yield FeedPlan("feeds/feeds.opml", repr(told), partial(render, "feeds/feeds.opml", told))


class _Newest:
    """The newest entries of each feed; an item that stands in several is made once."""

    def __init__(
        self,
        library: Library,
        answers: Answers,
        site_url: str,
        html_of: Callable[[Item], str],
        render: Render,
    ) -> None:
        self._library = library
        self._answers = answers
        self._site_url = site_url
        self._html_of = html_of
        self._render = render
        self._zone = ZoneInfo(library.policy.hours.time_zone)
        self._made: dict[str, Entry] = {}
        releases = sorted(library.releases, key=lambda one: (one.released, one.path), reverse=True)
        self._releases = releases
        dated: list[Release | Issue | Paper] = [
            *releases[:1], *library.issues[-1:], *library.papers[-1:]
        ]  # fmt: skip
        self._last_day = max((_day(item) for item in dated), default=None)
        issues = sorted(library.issues, key=lambda one: (one.date, one.path), reverse=True)
        papers = sorted(library.papers, key=lambda one: (one.date, one.path), reverse=True)
        events = sorted(library.events, key=lambda one: (self.day(one), one.path), reverse=True)
        everything: list[Feedable] = [
            *releases[:NEWEST], *issues[:NEWEST], *papers[:NEWEST], *events[:NEWEST]
        ]  # fmt: skip
        everything.sort(key=lambda one: (self.day(one), one.path), reverse=True)
        self._items: dict[str, Sequence[Feedable]] = {
            "all": everything,
            "releases": releases,
            "security": [release for release in releases if _mends(release)],
            "newsletter": issues,
            "papers": papers,
            "events": events,
        }

    def entries(self, name: str) -> Iterator[Entry]:
        if name == "life-cycle":
            ends = sorted(
                support.ends(self._library, self._answers), key=lambda end: (end.decided, end.release.path)
            )
            for end in ends[: -NEWEST - 1 : -1]:
                yield _end(self._library, end, self._site_url, self._zone, self._render)
            return
        items = self._items.get(name)
        if items is None:
            product = name.removeprefix("releases/")
            items = self._library.releases_of(product)[: -NEWEST - 1 : -1]
        for item in items[:NEWEST]:
            if item.path not in self._made:
                self._made[item.path] = _entry(
                    self._library, item, self.day(item), self._site_url, self._html_of
                )
            yield self._made[item.path]

    def day(self, item: Feedable) -> date:
        """The day of an entry. An event is told before it starts: on the day that its file names as its last
        change, or, where it names none, not after the newest day of anything else."""
        if not isinstance(item, Event):
            return _day(item)
        if item.publish_at:
            return item.publish_at.astimezone(self._zone).date()
        return min([day for day in (item.updated or self._last_day, item.start) if day])


def _mends(release: Release) -> bool:
    return bool(release.security) or any(entry.section == "Security" for entry in release.entries)


def _end(library: Library, end: support.End, site_url: str, zone: ZoneInfo, render: Render) -> Entry:
    """The entry of a known end of support, dated to the day since which it is known."""
    release = end.release
    name = library.name_of(release)
    at = max(
        datetime.combine(end.decided, time(), zone), release.publish_at or datetime.min.replace(tzinfo=UTC)
    )
    product = library.product(release.product)
    title = f"{name}: supported until {end.day}"
    html = render(
        "feeds/end.html",
        {
            "name": name,
            "day": end.day,
            "reasons": [support.PLACE.sub("", reason) for reason in end.because],
            "life_cycle": f"{site_url}life-cycle/",
            "sample": release.sample,
            "sample_note": release.sample_note,
        },
    )
    return Entry(
        id=f"tag:{_authority(library)},{TAG_YEAR}:life-cycle/{release.product}/{release.version}",
        url=site_url + release.url,
        title=title,
        summary=f"{name} is supported until {end.day}, that day included.",
        authors=(library.home.vendor.name,),
        categories=(product.name if product else release.product, "end of support"),
        published=at,
        updated=at,
        html=html,
    )


def _authority(library: Library) -> str:
    return urlsplit(library.home.vendor.url).hostname or "example.com"


def _day(item: Release | Issue | Paper) -> date:
    return item.released if isinstance(item, Release) else item.date


def _entry(
    library: Library, item: Feedable, day: date, site_url: str, html_of: Callable[[Item], str]
) -> Entry:
    zone = ZoneInfo(library.policy.hours.time_zone)
    published = item.publish_at or datetime.combine(day, time(), zone)
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
    elif isinstance(item, Event):
        days = f"{item.start}" if item.start == item.end else f"{item.start} to {item.end}"
        html = f"<p>{days}, {_escaped(item.place)}</p>\n{html}"
        categories = ("event", *([item.role] if item.role else []))
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
