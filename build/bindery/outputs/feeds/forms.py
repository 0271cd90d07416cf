"""Forms: a feed as Atom 1.0, RSS 2.0 and JSON Feed 1.1, the same entries with the same ids in each.

feedgen writes Atom and RSS. What it leaves out of RSS (RFC 5005's and WebSub's links), and the mark of an
archive in both, is put in by an extension of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from feedgen.ext.base import BaseExtension
from feedgen.feed import FeedGenerator

from bindery.outputs.feeds.entries import Entry, last_change
from bindery.outputs.feeds.frames import Frame

ATOM = "http://www.w3.org/2005/Atom"
HISTORY = "http://purl.org/syndication/history/1.0"  # RFC 5005
MEDIA = {"atom": "application/atom+xml", "rss": "application/rss+xml"}


class HistoryExtension(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """RFC 5005 and WebSub in feedgen's documents; `frame` is set once it is loaded."""

    frame: Frame

    def extend_ns(self) -> dict[str, str]:
        return {"fh": HISTORY} if self.frame.archived else {}

    def extend_atom(self, feed: Any) -> Any:
        return self._mark(feed)

    def extend_rss(self, feed: Any) -> Any:
        channel = feed[0]
        for relation, address in self.frame.links("rss"):
            attributes = {"href": address, "rel": relation}
            if relation != "hub":
                attributes["type"] = MEDIA["rss"]
            channel.append(channel.makeelement(f"{{{ATOM}}}link", attributes))
        self._mark(channel)
        return feed

    def _mark(self, head: Any) -> Any:
        if self.frame.archived:
            head.append(head.makeelement(f"{{{HISTORY}}}archive", {}))
        return head


def _generator(frame: Frame, identity: str) -> FeedGenerator:
    feed = FeedGenerator()
    feed.register_extension("history", HistoryExtension)
    feed.history.frame = frame
    feed.id(identity)
    feed.title(frame.title)
    feed.author({"name": frame.vendor})
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
            # RSS's own author is a mail address, and the site publishes none.
            made.dc.dc_creator(list(entry.authors))
            made.description(entry.summary or entry.title)
            made.guid(entry.id, permalink=False)
        else:
            made.author([{"name": author} for author in entry.authors])
            if entry.summary:
                made.summary(entry.summary)
        made.content(entry.html, type=content_type)


def atom(frame: Frame, entries: Sequence[Entry]) -> str:
    """RFC 4287."""
    feed = _generator(frame, frame.identity)
    feed.link(href=f"{frame.own}.atom", rel="self", type=MEDIA["atom"])
    for relation, address in frame.links("atom"):
        media = {"type": MEDIA["atom"]} if relation != "hub" else {}
        feed.link(href=address, rel=relation, **media)
    feed.link(href=frame.home, rel="alternate", type="text/html")
    feed.updated(last_change(entries))
    _fill(feed, entries, "html")
    return _text(feed.atom_str(pretty=True))


def rss(frame: Frame, entries: Sequence[Entry]) -> str:
    """RSS 2.0, with the whole text in content:encoded and authors in dc:creator."""
    own = f"{frame.own}.rss"
    feed = _generator(frame, own)
    feed.load_extension("dc", atom=False)
    feed.description(f"What is new on the support site of {frame.vendor}, in full.")
    feed.link(href=own, rel="self", type=MEDIA["rss"])
    # feedgen takes the last link as the channel's own.
    feed.link(href=frame.home, rel="alternate")
    feed.lastBuildDate(last_change(entries))
    feed.updated(last_change(entries))
    _fill(feed, entries, "CDATA")
    return _text(feed.rss_str(pretty=True))


def _text(made: bytes) -> str:
    return made.decode().rstrip("\n") + "\n"


def json_feed(frame: Frame, entries: Sequence[Entry]) -> str:
    """JSON Feed 1.1; its `next_url` walks to the archives."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": frame.title,
        "home_page_url": frame.home,
        "feed_url": f"{frame.own}.json",
        **({"next_url": f"{frame.before}.json"} if frame.before else {}),
        "language": "en",
        "authors": [{"name": frame.vendor}],
        **({"hubs": [{"type": "WebSub", "url": frame.hub}]} if frame.hub else {}),
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


FORMS = {"atom": atom, "rss": rss, "json": json_feed}
