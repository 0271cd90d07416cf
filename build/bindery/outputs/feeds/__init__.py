"""Feeds: every channel with all its history, and their list as OPML 2.0.

A build plans them without reading a body; what has not changed is not made again. The same content gives the
same bytes. What an entry tells is in `entries`, how history is cut in `chain`, how it is written in `forms`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from bindery.channels import Channel, feeds
from bindery.library import Library
from bindery.lives import Known
from bindery.outputs.feeds.chain import Document, documents
from bindery.outputs.feeds.entries import TAG_YEAR, Answers, Bodies, Chronicle, Entry, Render, authority
from bindery.outputs.feeds.frames import NAMES, Frame

__all__ = ["Bodies", "FeedPlan", "plans"]
VERSION = 2  # of what this package makes of the same entries; raised with every change of the form


@dataclass(frozen=True, slots=True)
class FeedPlan:
    """A feed that a build would make: `path` below public, the key that decides its text, the text; `ids` are
    those of its entries, each with its content file and the address of its page."""

    path: str
    key: str
    text: Callable[[], str]
    ids: tuple[tuple[str, str, str], ...] = ()


def plans(
    library: Library,
    answers: Answers,
    known: Known,
    *,
    site_url: str,
    bodies: Bodies,
    render: Render,
) -> Iterator[FeedPlan]:
    """Every document of every feed, and the list of the feeds for readers' programs (OPML).

    `site_url` ends in a slash; `render` fills in a template below `site/templates`.
    """
    chronicle = Chronicle(library, answers, known, site_url=site_url, bodies=bodies, render=render)
    making = _Making()
    channels = feeds(library)
    for channel in channels:
        for document in documents(channel.name, chronicle.of(channel.name)):
            frame = _frame(library, channel, document, site_url)
            decisive = [repr((VERSION, frame, library.home.vendor.url, library.policy.hours.time_zone))]
            decisive += [told.mark for told in document.told]
            key = hashlib.blake2b("\n".join(decisive).encode(), digest_size=16).hexdigest()
            ids = tuple((told.id, told.path, told.url) for told in document.told)
            for form in NAMES:
                text = partial(making.text, form, frame, document)
                yield FeedPlan(f"{document.stem}.{form}", f"{form} {key}", text, ids)
    told = {"vendor": library.home.vendor.name, "site_url": site_url, "channels": channels}
    yield FeedPlan("feeds/feeds.opml", repr(told), partial(render, "feeds/feeds.opml", told))


def _frame(library: Library, channel: Channel, document: Document, site_url: str) -> Frame:
    vendor = library.home.vendor.name
    title = f"{vendor} support: {channel.title[0].lower()}{channel.title[1:]}"
    if channel.name == "newsletter":
        title = f"{vendor} newsletter"
    return Frame(
        vendor=vendor,
        title=title,
        identity=f"tag:{authority(library)},{TAG_YEAR}:feeds/{channel.name}",
        home=site_url + channel.page,
        own=site_url + document.stem,
        current=site_url + document.current,
        before=document.before and site_url + document.before,
        after=document.after and site_url + document.after,
        hub="" if document.archived else library.home.hub,
    )


class _Making:
    """Makes the forms of a document one after another from the same entries, and then forgets them."""

    def __init__(self) -> None:
        self._stem = ""
        self._entries: tuple[Entry, ...] = ()

    def text(self, form: str, frame: Frame, document: Document) -> str:
        from bindery.outputs.feeds.forms import FORMS  # its libraries are slow to come

        if self._stem != document.stem:
            self._stem = document.stem
            self._entries = tuple(told.make() for told in document.told)
        return FORMS[form](frame, self._entries)
