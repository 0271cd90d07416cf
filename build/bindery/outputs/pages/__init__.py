"""Every page of the site as a plan: its address, the key that says whether it must be made again, its text.

`plan` is pure and cheap: it reads no body and renders nothing. What a page shows stands in its own text, so
that pages can be rendered alone. This package must not know how Markdown becomes HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from types import MappingProxyType

from bindery import authors, lives, opening
from bindery.library import Library
from bindery.outputs.pages import (
    defects,
    fixed,
    items,
    life_cycles,
    papers,
    sections,
    tombstones,
    upgrades,
)
from bindery.outputs.pages.cards import Cards
from bindery.outputs.pages.press import PagePlan, Templates
from bindery.outputs.pages.upgrades import HtmlOf
from bindery.tables import Table
from bindery.upgrade import Answers, Known

__all__ = ["Cards", "PagePlan", "plan"]


def _made(_name: str, _key: str, make: Callable[[], dict[str, str]]) -> Mapping[str, str]:
    return make()


def plan(
    library: Library,
    answers: Answers,
    known: Known,
    templates: Mapping[str, str],
    site_url: str = "/",
    closed: Mapping[date, str] = MappingProxyType({}),
    *,
    html_of: HtmlOf,
    table: Table = _made,
    cards: Cards | None = None,
) -> list[PagePlan]:
    """All pages, sorted by url. `templates` are the sources below `site/templates`, by path.

    `known` is what `support.known_issues` says of this library. `site_url` begins the addresses that other
    sites are to keep, and ends in a slash; `closed` are the days on which nobody answers, as the policy's
    page lists them. `html_of` makes HTML of a piece of Markdown; `table` keeps a table by its name and key
    between builds; `cards` are pictures for links to pages, where there are to be any.
    """
    frame: dict[str, object] = dict(asdict(library.home.vendor))
    frame["hours"] = opening.hours(library.policy.hours)
    frame["zone"] = library.policy.hours.time_zone
    # Pages at the root (about, accessibility …) are linked from every page's foot.
    foot = [(page.title, f"/{page.url}") for page in library.pages if "/" not in page.path]
    frame["pages"] = foot
    press = Templates(templates, frame, library.prefix, cards.of if cards else None)
    written_by = authors.authors(library)
    lived = lives.lives(library, known)
    lists = [
        *sections.releases(library, press),
        *sections.newsletter(library, press),
        *sections.papers(library, press),
        *papers.author_index(library, written_by, press),
        *sections.events(library, press),
        *sections.defects(library, lived, press),
        *defects.security(library, lived, press),
        *sections.help_pages(library, press),
        *sections.policies(library, press),
        *life_cycles.life_cycle(library, answers, press),
        *upgrades.plans(library, answers, known, press, html_of, table),
        *fixed.plans(library, press),
        sections.home(library, press),
    ]
    own = [
        *items.releases(library, answers, defects.IssuesOf(library, known).of, press, table),
        *items.issues(library, press),
        *papers.papers(library, written_by, press, site_url),
        *papers.authors(written_by, press, site_url),
        *papers.events(library, press, site_url),
        *defects.plans(library, lived, press),
        *items.policy(library, press, closed),
        *items.pages(library, press, frozenset(made.url for made in lists)),
        *tombstones.tombstones(library, press),
    ]
    return sorted([*lists, *own], key=lambda made: made.url)
