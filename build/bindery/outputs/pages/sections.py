"""The pages that show many things: home and the list of each section.

Their contexts hold titles, days and summaries, never a body: an edit of a text makes no list again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from bindery.kinds.event import Event
from bindery.kinds.item import Item
from bindery.kinds.page import Page
from bindery.kinds.release import Release
from bindery.library import Library
from bindery.lives import OPEN, PARTLY, Life
from bindery.outputs.pages import defects as defects_of
from bindery.outputs.pages import items, shelves, words
from bindery.outputs.pages.items import CRUMBS, changed
from bindery.outputs.pages.papers import paper_row
from bindery.outputs.pages.press import Head, PagePlan, Row, Templates
from bindery.outputs.pages.shelves import Shelf, Split

NEWS = 6
SAMPLE = ("Sample", "sample")


def row(item: Item, day: date | None = None, chips: tuple[tuple[str, str], ...] = ()) -> Row:
    return Row(
        f"/{item.url}",
        item.title,
        day or changed(item),
        item.summary,
        (*chips, SAMPLE) if item.sample else chips,
    )


def release_row(library: Library, release: Release) -> Row:
    chips = [("Version", "version") if release.release_kind == "version" else ("Update", "update")]
    if release.security:
        chips.append(("Security", "security"))
    return row(release, release.released, tuple(chips))._replace(title=library.name_of(release))


def event_row(event: Event) -> Row:
    role = items.ROLES.get(event.role, event.role)
    made = row(event, event.start, ((role, "role"),) if role else ())
    where = event.place if not made.text else f"{event.place}. {made.text}"
    return made._replace(text=where, until=event.end)


def defect_row(library: Library, life: Life, names: Mapping[str, str]) -> Row:
    defect = life.defect
    state = (defects_of.in_words(life.state), defects_of.flavour(life.state))
    fixes = [
        fix.release.version for line in life.lines if line.product == defect.product for fix in line.first
    ]
    fixed = f" Fixed in {_few(fixes)}." if fixes else ""
    return Row(
        f"/{defect.url}",
        f"{defect.id}: {defect.title}" if not defect.title.startswith(defect.id) else defect.title,
        None,
        f"{defect.summary}{fixed}".strip(),
        ((names.get(defect.product, defect.product), "product"), state)
        + ((("Security", "security"),) if defect.cve else ())
        + ((SAMPLE,) if defect.sample else ()),
    )


def _few(names: Sequence[str]) -> str:
    """Some words, the first three of many: a list of all the releases of ten years helps nobody."""
    if len(names) > 3:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def latest(days: Iterable[date | None]) -> date | None:
    return max((day for day in days if day), default=None)


class Intro(NamedTuple):
    """The content file that introduces a list, if there is one: `releases/index.md` for `releases/`."""

    title: str
    summary: str
    digest: str
    item: Item | None


def intro(library: Library, url: str, title: str, summary: str) -> Intro:
    item = library.by_path.get(f"{url}index.md")
    if item is None:
        return Intro(title, summary, "", None)
    return Intro(
        getattr(item, "name", "") or item.title,
        item.summary or summary,
        library.mark(item),
        item,
    )


def section(
    library: Library,
    templates: Templates,
    url: str,
    name: str,
    summary: str,
    rows: Sequence[Row],
    splits: tuple[Split, ...],
    *,
    crumbs: tuple[tuple[str, str], ...] = (),
    empty: str = "There is nothing here yet.",
    lead_title: str = "",
    lead: tuple[Row, ...] = (),
    cards: tuple[Row, ...] = (),
    title: str = "",
    updated: date | None = None,
    ages: bool = True,
    feeds: tuple[tuple[str, str], ...] = (),
) -> Iterator[PagePlan]:
    """A list and its parts, under what staff wrote above it."""
    told = intro(library, url, title or name, summary)
    shelf = Shelf(
        url=url,
        title=told.title,
        section=name,
        crumbs=crumbs,
        rows=tuple(rows),
        splits=splits,
        description=told.summary,
        empty=empty,
        lead_title=lead_title,
        lead=lead,
        cards=cards,
        ages=ages,
        feeds=feeds,
        updated=latest([updated, told.item.updated if told.item else None]),
        dated=splits == DATED,
        sample=told.item.sample_note or "This page is a sample." if told.item and told.item.sample else "",
    )

    def body() -> str:
        return library.resolved_body(told.item) if told.item else ""

    yield from shelves.plans(templates, shelf, told.digest, body)


DATED = (shelves.by_year, shelves.by_month)


def newsletter(library: Library, templates: Templates) -> Iterator[PagePlan]:
    rows = shelves.newest_first([row(issue) for issue in library.issues])
    yield from section(
        library,
        templates,
        "newsletter/",
        items.NEWSLETTER,
        "Every issue of the newsletter.",
        rows,
        DATED,
        empty="No issue of the newsletter is out yet.",
    )


def papers(library: Library, templates: Templates) -> Iterator[PagePlan]:
    rows = [paper_row(paper) for paper in library.papers]
    yield from section(
        library,
        templates,
        "papers/",
        items.PAPERS,
        "Papers given at conferences.",
        shelves.newest_first(rows),
        DATED,
        empty="No paper is published yet.",
    )


def events(library: Library, templates: Templates) -> Iterator[PagePlan]:
    yield from section(
        library,
        templates,
        "events/",
        items.EVENTS,
        "Where to meet us.",
        shelves.newest_first([event_row(event) for event in library.events]),
        DATED,
        empty="No event is planned.",
        ages=False,
        updated=latest(event.updated for event in library.events),
    )


def releases(library: Library, templates: Templates) -> Iterator[PagePlan]:
    """`/releases/`, and the list of each product."""
    everything: list[Row] = []
    cards: list[Row] = []
    for product in library.products:
        own = library.releases_of(product.product)
        rows = shelves.newest_first([release_row(library, release) for release in own])
        everything += rows
        newest = own[-1] if own else None
        cards.append(
            Row(
                f"/{product.url}",
                product.name,
                newest.released if newest else None,
                product.summary,
                ((f"Newest: {newest.version}", "version"),) if newest else (),
            )
        )
        yield from section(
            library,
            templates,
            product.url,
            items.RELEASES,
            product.summary or f"Every release of {product.name}.",
            rows,
            DATED,
            crumbs=(CRUMBS[items.RELEASES],),
            empty=f"No release of {product.name} is out yet.",
            title=product.name,
            cards=_ways_on(library, product.product, newest) if newest else (),
            feeds=((f"releases/{product.product}", f"Releases of {product.name}"),),
        )
    newest_rows = shelves.newest_first(everything)[:12]
    yield from section(
        library,
        templates,
        "releases/",
        items.RELEASES,
        "Release notes of every version and update.",
        (),
        (),
        lead_title="Newest releases" if newest_rows else "",
        lead=newest_rows,
        cards=tuple(cards),
        empty="" if cards else "No release is out yet.",
    )


def _ways_on(library: Library, product: str, newest: Release) -> tuple[Row, ...]:
    """What most readers of a product's page came for, above the list of all its releases."""
    return (
        Row(
            f"/{newest.url}", library.name_of(newest), None, "The newest release: what is new, and its files."
        ),
        Row(f"/upgrade/{product}/", "Plan an upgrade", None, "What changes from your release to the newest."),
        Row(f"/life-cycle/#{product}", "Support dates", None, "Until when each version is supported."),
    )


def defects(library: Library, lives: Mapping[str, Life], templates: Templates) -> Iterator[PagePlan]:
    names = {product.product: product.name for product in library.products}
    rows = [defect_row(library, lives[defect.id], names) for defect in library.defects]
    still_open = tuple(
        made
        for made, defect in zip(rows, library.defects, strict=True)
        if lives[defect.id].state in (OPEN, PARTLY)
    )
    split = len(rows) > shelves.WHOLE
    yield from section(
        library,
        templates,
        "defects/",
        items.DEFECTS,
        "What does not work as designed, and what helps until it is fixed.",
        rows,
        (shelves.by_hundred,) if split else (),
        lead_title="Open" if split and still_open else "",
        lead=still_open[: shelves.FULL] if split else (),
        empty="No known issue is listed.",
        updated=latest(defects_of.day_of(life) for life in lives.values()),
    )


def help_pages(library: Library, templates: Templates) -> Iterator[PagePlan]:
    own = [page for page in library.pages if page.url.startswith("help/") and page.url != "help/"]
    front = library.by_path.get("help/index.md")
    order = {topic: place for place, topic in enumerate(front.topics if isinstance(front, Page) else ())}
    told = {
        words.slug(topic): topic for topic in sorted({page.topic for page in own if page.topic}, reverse=True)
    }
    rows = sorted(
        shelves.by_title(
            [row(page)._replace(day=None, topic=told.get(words.slug(page.topic), "")) for page in own]
        ),
        key=lambda line: (order.get(line.topic, len(order)), line.topic),
    )
    yield from section(
        library,
        templates,
        "help/",
        items.HELP,
        "How-to articles.",
        rows,
        (shelves.by_topic, shelves.by_folder(1), shelves.by_letter),
        empty="No article is written yet.",
        updated=latest(page.updated for page in own),
    )


def policies(library: Library, templates: Templates) -> Iterator[PagePlan]:
    others: Iterable[Item] = [
        page for page in library.pages if page.url.startswith("policy/") and page.url != "policy/"
    ]
    own = [library.policy, *others]
    rows = [row(item)._replace(day=None) for item in own]
    rows.append(Row("/life-cycle/", "Life cycle", None, "Until when each version is supported, and why."))
    yield from section(
        library,
        templates,
        "policy/",
        items.POLICY,
        "What we promise, and to whom.",
        rows,
        (),
        updated=latest(item.updated for item in own),
    )


def home(library: Library, templates: Templates) -> PagePlan:
    """Who the vendor is, the tasks, what is new."""
    item = library.home
    rows = [
        *(row(issue, chips=(("Newsletter", "news"),)) for issue in library.issues[-NEWS:]),
        *(
            release_row(library, release)
            for release in sorted(library.releases, key=lambda r: r.released)[-NEWS:]
        ),
        *(row(paper, chips=(("Paper", "news"),)) for paper in library.papers[-NEWS:]),
    ]
    news = shelves.newest_first(rows)[:NEWS]

    def head() -> Head:
        return Head(
            title=item.title,
            description=item.summary,
            kind="home",
            updated=item.updated or (news[0].day if news else None),
            layout="wide",
        )

    def values() -> dict[str, object]:
        return {"item": item, "news": news, "body": library.resolved_body(item)}

    return templates.plan("", "pages/home.md", head, values, library.mark(item), news)
