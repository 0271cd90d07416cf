"""The table of life cycles: every version with its dates and their reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

from bindery.kinds.release import Release
from bindery.library import Library
from bindery.outputs.pages import items, sections, shelves, timelines
from bindery.outputs.pages.items import CRUMBS, Neighbour, Support, reasons
from bindery.outputs.pages.press import Head, PagePlan, Templates
from bindery.support import Answer


class Cycle(NamedTuple):
    """A version in the table of life cycles."""

    label: str
    url: str
    released: date
    line: str
    newest: Neighbour | None
    support: Support | None
    sample: bool


class ProductCycles(NamedTuple):
    """A table: `tiers` are the levels of support that its versions have, a column each."""

    name: str
    product: str
    url: str
    rows: tuple[Cycle, ...]
    tiers: tuple[str, ...] = ()


def life_cycle(
    library: Library, answers: Mapping[tuple[str, str], Answer], templates: Templates
) -> Iterator[PagePlan]:
    """Every version with its dates and reasons; past `FULL` versions each product has a table of its own."""
    told = sections.intro(
        library, "life-cycle/", items.LIFE_CYCLE, "Until when each version is supported, and why."
    )
    tables = []
    for product in library.products:
        newest: dict[str, Release] = {}
        for release in library.releases_of(product.product):
            if release.of:
                newest[release.of] = release
        versions = [r for r in library.releases_of(product.product) if r.release_kind == "version"]
        rows = tuple(
            Cycle(
                version.version,
                f"/{version.url}",
                version.released,
                version.line,
                items.neighbour(newest.get(version.version)),
                reasons(answers.get((version.product, version.version))),
                version.sample,
            )
            for version in reversed(versions)
        )
        if rows:
            tables.append(ProductCycles(product.name, product.product, f"/{product.url}", rows, _tiers(rows)))
    apart = len(tables) > 1 and sum(len(table.rows) for table in tables) > shelves.FULL
    first = tuple(table._replace(rows=()) for table in tables) if apart else tuple(tables)
    yield _cycles(library, templates, "life-cycle/", told.title, told, first, ())
    if apart:
        for table in tables:
            url = f"life-cycle/{table.product}/"
            title = f"Life cycle of {table.name}"
            yield _cycles(
                library,
                templates,
                url,
                title,
                sections.Intro(title, told.summary, "", None),
                (table,),
                (CRUMBS[items.LIFE_CYCLE],),
            )


def _tiers(rows: tuple[Cycle, ...]) -> tuple[str, ...]:
    """The tiers of a table, those that end first before the others: each as far along as it ever stands."""
    places: dict[str, int] = {}
    for row in rows:
        for place, tier in enumerate(row.support.tiers if row.support else ()):
            places[tier.name] = max(place, places.get(tier.name, 0))
    return tuple(sorted(places, key=lambda name: (places[name], name)))


def _cycles(
    library: Library,
    templates: Templates,
    url: str,
    title: str,
    told: sections.Intro,
    tables: tuple[ProductCycles, ...],
    crumbs: tuple[tuple[str, str], ...],
) -> PagePlan:
    days = [
        cycle.newest.day if cycle.newest and cycle.newest.day else cycle.released
        for t in tables
        for cycle in t.rows
    ]

    def head() -> Head:
        return Head(
            title=title,
            description=told.summary,
            section=items.LIFE_CYCLE,
            crumbs=crumbs,
            kind="life-cycle",
            updated=max(days, default=None),
            layout="wide",
        )

    def values() -> dict[str, object]:
        body = library.resolved_body(told.item) if told.item else ""
        sample = told.item.sample_note if told.item and told.item.sample else ""
        return {
            "tables": tables,
            "body": body,
            "title": title,
            "sample": sample,
            "timeline": timelines.timeline,
        }

    return templates.plan(url, "pages/life-cycle.md", head, values, title, told.digest, tables, crumbs)
