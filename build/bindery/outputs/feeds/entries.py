"""Entries: what a feed tells of one item, and the order of all that each channel tells.

Ids never change (tag URIs, RFC 4151), content is whole and its links are absolute, every date comes from the
content. The order is cheap: no body is read for it. Nothing here knows in what form a feed is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import partial
from operator import itemgetter
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bindery import lives, support
from bindery.kinds.event import Event
from bindery.kinds.issue import Issue
from bindery.kinds.item import Item
from bindery.kinds.paper import Paper
from bindery.kinds.release import Release
from bindery.library import Library
from bindery.lives import Life
from bindery.support import Answer

TAG_YEAR = "2026"  # RFC 4151: the authority held its name in this year
Answers = Mapping[tuple[str, str], Answer]
Render = Callable[[str, Mapping[str, object]], str]
Feedable = Release | Issue | Paper | Event
_ROOTED = re.compile(r'(\s(?:href|src)=")/(?!/)')


class Bodies(Protocol):
    """The bodies of items as HTML whose links are absolute paths."""

    def mark(self, item: Item) -> str:
        """What decides the HTML, told without making it."""

    def html(self, item: Item, shelf: str) -> str:
        """The HTML. Bodies that are often asked for together stand on one shelf."""


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


class Told(NamedTuple):
    """An entry that can be made: its place in time (`at`, then `path`), what decides it, how, its permanent
    id, and the address of the page that it stands for."""

    at: datetime
    path: str
    mark: str
    make: Callable[[], Entry]
    id: str
    url: str


def authority(library: Library) -> str:
    """The host name that the tag URIs are minted under: the vendor's own."""
    return urlsplit(library.home.vendor.url).hostname or "example.com"


class Chronicle:
    """All that the channels tell, each from old to new; an item that stands in several is told once."""

    def __init__(
        self,
        library: Library,
        answers: Answers,
        known: lives.Known,
        *,
        site_url: str,
        bodies: Bodies,
        render: Render,
    ) -> None:
        self._library = library
        self._site_url = site_url
        self._origin = "{0.scheme}://{0.netloc}/".format(urlsplit(site_url))
        self._bodies = bodies
        self._render = render
        self._zone = ZoneInfo(library.policy.hours.time_zone)
        self._authority = authority(library)
        self._names = {product.product: product.name for product in library.products}
        dated: list[Release | Issue | Paper] = [
            *sorted(library.releases, key=_day)[-1:], *library.issues[-1:], *library.papers[-1:]
        ]  # fmt: skip
        self._last_day = max((_day(item) for item in dated), default=None)
        releases = [(release, self._told(release)) for release in library.releases]
        self._channels: dict[str, list[Told]] = {
            "releases": _ordered(told for _, told in releases),
            "security": _ordered(told for release, told in releases if release.secures),
            "newsletter": _ordered(self._told(issue) for issue in library.issues),
            "papers": _ordered(self._told(paper) for paper in library.papers),
            "events": _ordered(self._told(event) for event in library.events),
            "defects": _ordered(self._told_defect(life) for life in lives.lives(library, known).values()),
            "life-cycle": _ordered(self._told_end(end) for end in support.ends(library, answers)),
        }
        self._channels["all"] = _ordered(
            told for name in ("releases", "newsletter", "papers", "events") for told in self._channels[name]
        )
        of_product: dict[str, list[Told]] = {product.product: [] for product in library.products}
        for release, told in releases:
            of_product[release.product].append(told)
        self._channels |= {f"releases/{product}": _ordered(told) for product, told in of_product.items()}

    def of(self, channel: str) -> list[Told]:
        """What the channel of that name tells, from old to new."""
        return self._channels[channel]

    def _told(self, item: Feedable) -> Told:
        at = item.publish_at or datetime.combine(self._day_of(item), time(), self._zone)
        # What else an entry shows stands in the item's file, whose digest is part of what marks its body.
        context = ""
        if isinstance(item, Release):
            context = self._names.get(item.product, "")
        elif isinstance(item, Event):
            context = str(at)
        mark = f"{item.path} {self._bodies.mark(item)} {context}"
        return Told(at, item.path, mark, partial(self._entry, item, at), self._tag(item.id), item.url)

    def _tag(self, identity: str) -> str:
        """A tag URI (RFC 4151)."""
        return f"tag:{self._authority},{TAG_YEAR}:{identity}"

    def _day_of(self, item: Feedable) -> date:
        """The day of an entry. An event is told before it starts: on the day that its file names as its last
        change, or, where it names none, not after the newest day of anything else."""
        if not isinstance(item, Event):
            return _day(item)
        return min([day for day in (item.updated or self._last_day, item.start) if day])

    def _entry(self, item: Feedable, at: datetime) -> Entry:
        changed = datetime.combine(item.updated, time(), self._zone) if item.updated else at
        html = self._bodies.html(item, f"{item.kind}-{at.year}")
        html = _ROOTED.sub(lambda match: match[1] + self._origin, html)
        title = item.title
        categories: tuple[str, ...] = (item.kind,)
        authors: tuple[str, ...] = (self._library.home.vendor.name,)
        if isinstance(item, Release):
            title = self._library.name_of(item)
            named = self._names.get(item.product, item.product)
            categories = (named, item.release_kind, *item.security)
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
            id=self._tag(item.id),
            url=self._site_url + item.url,
            title=title,
            summary=item.summary,
            authors=authors,
            categories=categories,
            published=at,
            updated=max(changed, at),
            html=html,
        )

    def _told_defect(self, life: Life) -> Told:
        """A defect stands at the day on which it became known, and stays there: an archive of RFC 5005 keeps
        its place. Its entry changes when a release fixes it, or its page says something new."""
        defect = life.defect
        found = [self._library.release(defect.product, version) for version in defect.found_in]
        known_since = defect.date or max(release.released for release in found if release)
        at = defect.publish_at or datetime.combine(known_since, time(), self._zone)
        changes = [at, *(_since(fix.release, self._zone) for fix in life.fixes)]
        if defect.updated:
            changes.append(datetime.combine(defect.updated, time(), self._zone))
        shown = _shown(self._library, life)
        html_of = self._bodies.mark(defect)
        name = self._names.get(defect.product, defect.product)
        mark = f"{defect.path} {html_of} {name} {at} {max(changes)} {shown}"
        make = partial(self._defect, life, at, max(changes), shown)
        return Told(at, defect.path, mark, make, self._tag(defect.id), defect.url)

    def _defect(self, life: Life, at: datetime, changed: datetime, shown: Mapping[str, object]) -> Entry:
        defect = life.defect
        body = self._bodies.html(defect, f"defect-{at.year}")
        head = self._render("feeds/defect.html", {"item": defect, "site_url": self._site_url, **shown})
        return Entry(
            id=self._tag(defect.id),
            url=self._site_url + defect.url,
            title=f"{defect.id}: {defect.title}",
            summary=defect.summary,
            authors=(self._library.home.vendor.name,),
            categories=(
                self._names.get(defect.product, defect.product),
                "known issue",
                life.state,
                *defect.cve,
            ),
            published=at,
            updated=changed,
            html=head + _ROOTED.sub(lambda match: match[1] + self._origin, body),
        )

    def _told_end(self, end: support.End) -> Told:
        """An end of support is told as soon as it is known."""
        at = datetime.combine(end.decided, time(), self._zone)
        if end.release.publish_at:
            at = max(at, end.release.publish_at)
        name = self._library.name_of(end.release)
        sample = (end.release.sample, end.release.sample_note)
        mark = f"{end.release.path} {name} {end.tier} {end.day} {at} {end.because} {sample}"
        tag = self._tag(end.name)
        return Told(at, end.release.path, mark, partial(self._end, end, at), tag, end.release.url)

    def _end(self, end: support.End, at: datetime) -> Entry:
        release = end.release
        name = self._library.name_of(release)
        html = self._render(
            "feeds/end.html",
            {
                "name": name,
                "tier": end.tier,
                "day": end.day,
                "reasons": [support.PLACE.sub("", reason) for reason in end.because],
                "life_cycle": f"{self._site_url}life-cycle/",
                "sample": release.sample,
                "sample_note": release.sample_note,
            },
        )
        return Entry(
            id=self._tag(end.name),
            url=self._site_url + release.url,
            title=f"{name}: {end.tier} support until {end.day}"
            if end.tier
            else f"{name}: supported until {end.day}",
            summary=f"{name} has {end.tier} support until {end.day}, that day included."
            if end.tier
            else f"{name} is supported until {end.day}, that day included.",
            authors=(self._library.home.vendor.name,),
            categories=(self._names.get(release.product, release.product), "end of support"),
            published=at,
            updated=at,
            html=html,
        )


def _since(release: Release, zone: ZoneInfo) -> datetime:
    """The moment since which readers know a release."""
    return release.publish_at or datetime.combine(release.released, time(), zone)


def _shown(library: Library, life: Life) -> dict[str, object]:
    """What an entry tells of a defect's life: its state, and what fixes it, a release that repeats it not."""
    defect = life.defect
    return {
        "state": life.state,
        "found_in": defect.found_in,
        "fixes": tuple(
            (library.name_of(fix.release), f"{fix.release.url}#{fix.entry_id}", fix.release.released)
            for line in life.lines
            for fix in line.first
        ),
    }


def _ordered(told: Iterable[Told]) -> list[Told]:
    return sorted(told, key=itemgetter(0, 1))  # at, path


def _day(item: Release | Issue | Paper) -> date:
    return item.released if isinstance(item, Release) else item.date


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def last_change(entries: Iterable[Entry]) -> datetime:
    """When the newest change of any of them was; a day long past when there are none."""
    return max((entry.updated for entry in entries), default=datetime(1990, 1, 1, tzinfo=UTC))
