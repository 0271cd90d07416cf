"""Cards: what the picture says that a link to a page shows where it is posted, and which page has which.

One card costs 20 ms of CPU (10 to set it, 10 to bring it from 80 kB to 25), a page 10. So what people post
has a card of its own: an issue, a paper, an event, a version, an update that mends a security fault, a
product, the policy, the home page. Another page below a product, such as one of its hundreds of updates, has
the product's; any other that of its section, which for thousands of help pages is one picture; what is in no
section has the site's.

A card tells facts that do not age, for the picture stays where it was posted: days, never a status. Its
address stays too when its facts change, or old posts would lose their picture; `?v=` says that it is new.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bindery import source
from bindery.kinds.item import Item
from bindery.library import Library
from bindery.outputs.pages import items, words
from bindery.outputs.pages.press import Picture

FOLDER = "cards/"
NAMED = 3
UNSEEN = {"Cc": " ", "Zl": " ", "Zp": " ", "Cf": ""}  # by Unicode's category
JOINERS = "\u200c\u200d"  # without them words of Persian and Hindi are others


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """What a card says. `path` is its picture's below dist/public; `facts` are lines below the title; `look`
    names how it is drawn."""

    path: str
    look: str
    vendor: str
    site: str
    kind: str
    title: str
    facts: tuple[str, ...] = ()
    sample: bool = False

    def data(self) -> dict[str, Any]:
        """What the template is given."""
        return {
            "vendor": self.vendor,
            "site": self.site,
            "kind": self.kind,
            "title": self.title,
            "facts": list(self.facts),
            "sample": self.sample,
            "whole": False,
        }

    def key(self) -> str:
        """The same for the same words, drawn in the same way."""
        return source.digest_of(repr(self))

    def shown(self) -> Picture:
        """How a page names it."""
        named = f"{self.kind}: {self.title}" if self.kind else self.title
        told = (f"{self.vendor} {self.site}", named, "Sample" if self.sample else "", *self.facts)
        alt = ". ".join(part.rstrip(".") for part in told if part) + "."
        return Picture(f"{self.path}?v={self.key()[:10]}", alt)


class Cards:
    """All cards of a site: `of` names that of a page, iterating gives every one that is to be drawn."""

    def __init__(self, library: Library, *, site_name: str, site_url: str, look: str) -> None:
        self._look = look
        self._vendor = _clean(library.home.vendor.name)
        self._site = _clean(site_name)
        self._host = urlsplit(site_url).netloc
        self._own = {card.path: card for card in self._of_items(library)}
        sections = {name: self._section(name) for name in items.CRUMBS}
        self._sections: Mapping[str, Card] = sections
        self._site_card = self._card("site", "", site_name, (self._host,))
        self._shown: dict[str, Picture] = {}

    def __iter__(self) -> Iterator[Card]:
        yield self._site_card
        yield from self._sections.values()
        yield from self._own.values()

    def of(self, url: str, section: str = "") -> Picture:
        """The card of the page at that address: its own or, without one, what stands for many."""
        card = self._own.get(_path(url))
        if card is None and url.startswith("releases/"):
            card = self._own.get(_path("/".join(url.split("/")[:2])))
        card = card or self._sections.get(section, self._site_card)
        if card.path not in self._shown:
            self._shown[card.path] = card.shown()
        return self._shown[card.path]

    def _of_items(self, library: Library) -> Iterator[Card]:
        for issue in library.issues:
            yield self._of(issue, "Newsletter", issue.title, (words.in_words(issue.date),))
        for paper in library.papers:
            yield self._of(
                paper,
                "Paper",
                paper.title,
                (_named(author.name for author in paper.authors), words.in_words(paper.date)),
            )
        for event in library.events:
            days = str(words.span(event.start, event.end).striptags())
            yield self._of(event, "Event", event.title, (event.place, days))
        for product in library.products:
            yield self._of(product, "Releases", product.name, (self._host,))
        for release in library.releases:
            if release.release_kind == "version" or release.security:
                fixes = f"Fixes {_named(release.security)}" if release.security else ""
                facts = (f"Released {words.in_words(release.released)}", fixes)
                yield self._of(release, "Release", library.name_of(release), facts)
        yield self._of(library.home, "", library.home.title, (self._host,))
        yield self._of(library.policy, "Policy", library.policy.title, (self._host,))

    def _section(self, name: str) -> Card:
        return self._card(f"sections/{words.slug(name)}", "", name, (self._host,))

    def _of(self, item: Item, kind: str, title: str, facts: Iterable[str]) -> Card:
        return self._card(item.url.rstrip("/"), kind, title, facts, item.sample)

    def _card(self, name: str, kind: str, title: str, facts: Iterable[str], sample: bool = False) -> Card:
        return Card(
            path=_path(name),
            look=self._look,
            vendor=self._vendor,
            site=self._site,
            kind=kind,
            title=_clean(title),
            facts=tuple(filter(None, map(_clean, facts))),
            sample=sample,
        )


def _path(name: str) -> str:
    return f"{FOLDER}{name.rstrip('/') or 'home'}.png"


def _named(names: Iterable[str]) -> str:
    """The names as a phrase, the first of many."""
    *first, last = names
    if len(first) >= NAMED:
        return f"{', '.join(first[:NAMED])} and others"
    return f"{', '.join(first)} and {last}" if first else last


def _clean(text: str) -> str:
    """The text on one line, without signs that nobody sees: one of them could turn a whole line around."""
    if text.isprintable():
        return " ".join(text.split())
    seen = (UNSEEN.get(unicodedata.category(sign), sign) if sign not in JOINERS else sign for sign in text)
    return " ".join("".join(seen).split())
