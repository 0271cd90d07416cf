"""One page's plan: what decides whether it must be made again (`key`), and its text, made only then.

A plan's key covers everything that the page shows: the source of its item, its context (all the rest), the
frame that every page carries, the templates. Nothing here knows what a page is about.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any, NamedTuple

import jinja2

from bindery import prose
from bindery.channels import FORMATS
from bindery.compiled import Compiled
from bindery.outputs.pages import words

DESCRIBED = 200  # signs of a page's first words that describe it where it has no summary
FEEDS = (("all", "Everything"), ("releases", "Releases"), ("newsletter", "Newsletter"))
FINDABLE = frozenset(
    (
        "defect",
        "event",
        "feeds",
        "form",
        "issue",
        "life-cycle",
        "page",
        "paper",
        "policy",
        "release",
        "security",
    )
)
"""Kinds of pages that search finds; lists, and ways between versions, lead to what it finds anyway."""
SECTION_FEEDS = {  # what a page's section adds to them
    "Releases": (("security", "Security"),),
    "Known issues": (("defects", "Known issues"), ("security", "Security")),
    "Life cycle": (("life-cycle", "Life cycle"),),
    "Papers": (("papers", "Papers"),),
    "Events": (("events", "Events"),),
}


@dataclass(frozen=True, slots=True)
class PagePlan:
    """A page that a build would make. `path` is below dist/pages, `url` below the site's root.

    `beside` are files that tell the same, as (path below dist/public, text): the key decides them too.
    """

    path: str
    url: str
    key: str
    text: Callable[[], str]
    beside: tuple[tuple[str, Callable[[], str]], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """What stands around an article. `crumbs` are (label, absolute path), the page itself left out."""

    title: str
    description: str = ""
    section: str = ""
    crumbs: tuple[tuple[str, str], ...] = ()
    short: str = ""
    kind: str = "page"
    layout: str = ""
    updated: date | None = None
    robots: str = ""
    scripts: tuple[str, ...] = ()
    meta: tuple[tuple[str, str], ...] = ()  # <meta name= content=>
    data: str = ""  # JSON-LD, with nothing in it that ends an element
    feeds: tuple[tuple[str, str], ...] = ()  # (name, title) of the page's own, beside those of its section
    form: str = ""  # "html" when the text is HTML already and not Markdown


class Picture(NamedTuple):
    """The card of a page: `address` is below the site's, `alt` tells what it shows."""

    address: str
    alt: str


CardOf = Callable[[str, str], Picture | None]
"""The card of the page at an address, in a section ("" asks for what is the page's own in any section)."""


class Templates:
    """The templates of generated pages, and the frame of all pages."""

    def __init__(
        self,
        sources: Mapping[str, str],
        vendor: Mapping[str, object],
        prefix: str = "/",
        card_of: CardOf | None = None,
    ) -> None:
        self.sources = sources
        self.vendor = dict(vendor)
        self.card_of: CardOf = card_of or (lambda _url, _section: None)
        digest = hashlib.sha256()
        for name, source in sorted(sources.items()):
            if not name.startswith(("pages/", "answers/")):
                continue
            digest.update(f"{name} {len(source)}\n{source}".encode())
        digest.update(f"{prefix} {sorted(vendor.items())!r} {card_of is None}".encode())
        self.stamp = digest.digest()
        self._environment: jinja2.Environment | None = None

    @property
    def environment(self) -> jinja2.Environment:
        if self._environment is None:
            environment = jinja2.Environment(
                loader=jinja2.DictLoader(dict(self.sources)),
                autoescape=True,
                undefined=jinja2.StrictUndefined,
                trim_blocks=True,
                lstrip_blocks=True,
                keep_trailing_newline=True,
                auto_reload=False,
                bytecode_cache=Compiled("pages"),
            )
            environment.filters |= {
                "time": words.as_time,
                "size": words.size,
                "plain": words.plain,
                "slug": words.slug,
            }
            environment.globals["span"] = words.span
            self._environment = environment
        return self._environment

    def plan(
        self,
        url: str,
        template: str,
        head: Callable[[], Head],
        values: Callable[[], Mapping[str, object]],
        *decisive: object,
        path: str = "",
    ) -> PagePlan:
        """`decisive` is all that `head` and `values` are made from, in values whose repr tells them apart."""
        key = hashlib.sha256(self.stamp)
        # What a section's card says is decided by the looks and the vendor; another may change with its item.
        key.update(f"{url} {template} {self.card_of(url, '')} {decisive!r}".encode())
        return PagePlan(
            path or page_path(url), url, key.hexdigest(), partial(self.text, url, template, head, values)
        )

    def text(
        self, url: str, template: str, head: Callable[[], Head], values: Callable[[], Mapping[str, object]]
    ) -> str:
        made, shown = head(), values()
        body = self.environment.get_template(template).render(shown, head=made, vendor=self.vendor)
        if not made.description and not made.robots:
            first = prose.opening(str(shown.get("body", "")), DESCRIBED)
            made = replace(made, description=first or made.title)
        # Python-Markdown ends a block of HTML at nothing but its end tag, but a page is read by people too.
        return (
            self.front_matter(made, self.card_of(url, made.section))
            + re.sub(r"\n{3,}", "\n\n", body).strip("\n")
            + "\n"
        )

    def front_matter(self, head: Head, card: Picture | None = None) -> str:
        """YAML whose values are JSON, which YAML contains: no guessing of types."""
        fields: dict[str, Any] = {
            "title": head.title,
            "description": head.description,
            "kind": head.kind,
            "section": head.section,
            "crumbs": head.crumbs,
            "short": head.short,
            "layout": head.layout,
            "robots": head.robots,
            "form": head.form,
            "find": _find(head),
            "scripts": head.scripts,
            "head": head.meta,
            "data": head.data,
            "card": card._asdict() if card else None,
        }
        if head.updated:
            fields |= {"updated": head.updated.isoformat(), "updated_text": words.in_words(head.updated)}
        if not head.robots:
            fields["feeds"] = [
                {"title": f"{title} ({name.upper()})", "type": media, "url": f"/feeds/{feed}.{name}"}
                for feed, title in (*FEEDS, *SECTION_FEEDS.get(head.section, ()), *head.feeds)
                for name, media in FORMATS
            ]
        fields["vendor"] = self.vendor
        lines = [
            f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items() if value
        ]
        return "---\n" + "\n".join(lines) + "\n---\n\n"


def _find(head: Head) -> dict[str, str]:
    """What search tells pages apart by; nothing for a page that is not to be found."""
    if head.kind not in FINDABLE or head.robots:
        return {}
    told = {"kind": head.section or "About"}
    if head.kind == "release":
        told |= {"product": head.crumbs[-1][0], "version": head.short}
    return told


def page_path(url: str) -> str:
    """Where a page's text lies below dist/pages."""
    return url.removesuffix(".html") + ".md" if url.endswith(".html") else f"{url}index.md"


class Row(NamedTuple):
    """A line of a list. `text` is a sentence, `chips` (label, flavour), `until` the last of several days,
    `topic` the heading that it stands under where a list has such."""

    url: str
    title: str
    day: date | None = None
    text: str = ""
    chips: tuple[tuple[str, str], ...] = ()
    until: date | None = None
    topic: str = ""
