"""The upgrade guide: for each release a page and a file that lead to the newest, and lists to choose from.

A guide's text is set as HTML at once: pushed through Markdown again, thousands of them would cost more than
all other pages together. Which guides an edit reaches is told by their keys; those are kept by the state of
the product, so that an edit elsewhere asks for none of them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache, partial
from html import escape
from typing import Any, NamedTuple

from markupsafe import Markup

from bindery.kinds.product import Product
from bindery.kinds.release import Release
from bindery.library import Library
from bindery.outputs.pages import guides, items, sections, shelves
from bindery.outputs.pages.items import CRUMBS, RELEASES, reasons
from bindery.outputs.pages.press import Head, PagePlan, Row, Templates
from bindery.tables import Table
from bindery.upgrade import ORDER, Answers, Known, Ways, onward

TITLE = "Upgrade guide"
CRUMB = (TITLE, "/upgrade/")
SCRIPTS = ("assets/js/upgrade.js",)
HtmlOf = Callable[[str], str]
_MARKED = re.compile(r"[\\`*_\[\]<>&!~:^{}|#\n\"]|--|\.\.\.|https?|www\.|^\s*(?:\d+[.)]|[-+=])")
_PARAGRAPH = re.compile(r"<p>((?:(?!<p>).)*)</p>\Z", re.DOTALL)


class Brought(NamedTuple):
    """What one step of a guide brings: how many breaking changes and security fixes, which the page tells
    above, the other entries by section, and the ids of what the start has already."""

    breaking: int
    security: int
    others: dict[str, list[dict[str, Any]]]
    had: list[str]


def brings(told: Mapping[str, Any]) -> dict[str, Brought]:
    """By version what each step of a guide brings; `told` is the guide as `guides.told` gives it."""
    entries: dict[str, list[dict[str, Any]]] = {step["version"]: [] for step in told["steps"]}
    had: dict[str, list[str]] = {version: [] for version in entries}
    for entry in told["entries"]:
        entries[entry["release"]].append(entry)
    for entry in told["already_contained"]:
        had[entry["release"]].append(entry["id"])
    found = {}
    for version, own in entries.items():
        others: dict[str, list[dict[str, Any]]] = {}
        for entry in own:
            if not (entry["breaking"] or entry["security"]):
                others.setdefault(entry["section"], []).append(entry)
        breaking, security = (sum(bool(entry[what]) for entry in own) for what in ("breaking", "security"))
        found[version] = Brought(breaking, security, others, had[version])
    return found


def plans(
    library: Library,
    answers: Answers,
    known: Known,
    templates: Templates,
    html_of: HtmlOf,
    table: Table,
) -> Iterator[PagePlan]:
    """The lists, and a guide from every release of every product."""
    cards = tuple(
        Row(f"/upgrade/{product.product}/", product.name, None, "Choose the release that you have.")
        for product in library.products
    )
    summary = (
        "What changes between the release that you have and the one that you go to, what you must not skip,"
        " and what is known to be wrong."
    )
    yield from sections.section(
        library, templates, "upgrade/", RELEASES, summary, (), (), cards=cards, title=TITLE, empty=""
    )
    for product in library.products:
        yield from _of_product(Guides(library, answers, known, templates, html_of, product), templates, table)


def _of_product(made: Guides, templates: Templates, table: Table) -> Iterator[PagePlan]:
    product, releases = made.product, made.ways.releases
    rows = [
        Row(
            f"/upgrade/{product.product}/{release.version}/",
            f"From {release.version}",
            release.released,
            "",
            (("Version", "version"),) if release.release_kind == "version" else (("Update", "update"),),
        )
        for release in releases
    ]
    yield from sections.section(
        made.library,
        templates,
        f"upgrade/{product.product}/",
        RELEASES,
        "Choose the release that you have. Its page tells what changes up to the newest one, step by step.",
        shelves.newest_first(rows),
        sections.DATED,
        crumbs=(CRUMB,),
        title=f"Upgrade {product.name}",
        empty=f"No release of {product.name} is out yet.",
    )
    keys = table(f"guides-{product.product}", made.state(), made.keys)
    for release in releases:
        url = f"upgrade/{product.product}/{release.version}/"
        yield PagePlan(
            f"{url}index.md",
            url,
            keys[release.version],
            partial(made.text, release),
            ((guides.data_path(product.product, release.version), partial(made.data, release)),),
        )


class Guides:
    """All guides of one product: their keys, and each one's text and data when it is asked for."""

    def __init__(
        self,
        library: Library,
        answers: Answers,
        known: Known,
        templates: Templates,
        html_of: HtmlOf,
        product: Product,
    ) -> None:
        self.library = library
        self.answers = answers
        self.known = known
        self.templates = templates
        self.product = product
        self.ways = Ways(library, product.product)
        self.html_of = lru_cache(maxsize=1024)(html_of)
        self.sections_of = lru_cache(maxsize=256)(self._sections)

    def _sections(self, version: str) -> Mapping[str, str]:
        release = self.library.release(self.product.product, version)
        return guides.sections_of(self.library, release) if release else {}

    def state(self) -> str:
        """A digest of everything that the guides of the product are made from."""
        library = self.library
        digest = hashlib.blake2b(self.templates.stamp, digest_size=16)
        digest.update(f"{self.product.name} {library.policy.digest} {library.rules_to_come}".encode())
        digest.update(" ".join(f"{one.path} {one.digest}" for one in self.ways.releases).encode())
        digest.update(" ".join(f"{one.id} {one.digest}" for one in library.defects).encode())
        return digest.hexdigest()

    def keys(self) -> dict[str, str]:
        """By version what decides its guide: the releases that it tells of, and what it says of its own."""
        library, ways = self.library, self.ways
        defects = frozenset(defect.id for defect in library.defects)
        supports = {one.version: "\n".join(self._support(one)) for one in ways.releases}
        marks = {
            one.version: f"{one.digest} {library.values_of(one)}"
            + (f" {sorted({entry.id for entry in one.entries} & defects)}" if defects else "")
            for one in ways.releases
        }
        newest = ways.newest
        there = repr(self.known[newest.product, newest.version]) if newest else ""
        keys = {}
        for start in ways.releases:
            place, end = ways.part(start)
            way = ways.path[place:end]
            goal = way[-1] if way else newest or start
            whole = end == len(ways.path)
            if whole and newest:
                way = ways.way(start, newest)
            later, cut = ((), False) if whole else ways.grave(end)
            update = ways.update(start)
            shown = (
                self.product.name,
                (start.version, start.released, items.changed(start), start.sample, start.title),
                supports[start.version],
                (goal.version, supports[goal.version], whole, cut),
                [marks[one.version] for one in (*way, *later)],
                ways.repeated(start, (*way, *later)),
                (update.version, update.released, update.title) if update else None,
                there if whole else "",
                [issue.id for issue in self.known[start.product, start.version]] if whole else (),
                [marks[gain.release.version] for gain in ways.losses(start, goal)] if whole else (),
            )
            key = hashlib.sha256(self.templates.stamp)
            key.update(repr(shown).encode())
            keys[start.version] = key.hexdigest()
        return keys

    def _support(self, release: Release) -> tuple[str, ...]:
        answer = self.answers[release.product, release.version]
        return (str(answer.ends), answer.ends_after_next, *answer.because, repr(answer.tiers))

    def told(self, start: Release) -> dict[str, Any]:
        """The guide from there as data."""
        guide = onward(self.ways, start, self.known)
        shown = {one.version: self.sections_of(one.version) for one in guide.way}
        return guides.told(self.library, guide, self.answers, shown)

    def data(self, start: Release) -> str:
        """The text of its file."""
        return json.dumps(self.told(start), ensure_ascii=False, separators=(",", ":")) + "\n"

    def text(self, start: Release) -> str:
        """The text of its page."""
        told = self.told(start)
        url = f"upgrade/{start.product}/{start.version}/"
        name, goal = self.product.name, told["to"]["version"]
        way = [self.library.release(start.product, step["version"]) or start for step in told["steps"]]
        head = Head(
            title=f"Upgrade {name} from {start.version}" + (f" to {goal}" if way else ""),
            description=f"What changes from {name} {start.version} to {goal}, and what you must not skip."
            if way
            else f"{name} {start.version} is the newest release.",
            section=RELEASES,
            crumbs=(CRUMBS[RELEASES], CRUMB, (name, f"/upgrade/{start.product}/")),
            short=f"From {start.version}",
            kind="upgrade",
            layout="wide",
            updated=max((day for one in (start, *way) if (day := items.changed(one))), default=None),
            scripts=SCRIPTS if len(way) > 1 and not told["next"] else (),
            feeds=((f"releases/{start.product}", f"Releases of {name}"),),
            form="html",
        )
        values = {
            "g": told,
            "name": name,
            "data": "/" + guides.data_path(start.product, start.version),
            "sample": any(one.sample for one in (start, *way)),
            "support": {
                which: reasons(self.answers[start.product, told[which]["version"]])
                for which in ("from", "to")
            },
            "order": ORDER,
            "brings": brings(told),
            "places": {one.version: place for place, one in enumerate(way, 1)},
            "day": date.fromisoformat,
            "inline": self.inline,
            "block": self.block,
        }
        return self.templates.text(url, "pages/upgrade.html", lambda: head, lambda: values)

    def block(self, text: str) -> Markup:
        """Markdown as HTML."""
        return Markup(self.html_of(text))  # noqa: S704 -- made by the renderer from our own content

    def inline(self, text: str) -> Markup:
        """The Markdown of a line as HTML; most lines hold no mark, and are not sent through the renderer."""
        if not _MARKED.search(text):
            return Markup(escape(text, quote=False))  # noqa: S704 -- escaped
        html = self.html_of(text)
        paragraph = _PARAGRAPH.match(html)
        return Markup(paragraph[1] if paragraph else html)  # noqa: S704 -- as above
