"""Papers, their authors and the events where they were given: each page leads to the others.

What leads from one to the other is computed once for all pages; a page's key holds only what it shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from typing import NamedTuple

from bindery import citing, prose, references
from bindery.authors import Authors, sorted_name, unaccented
from bindery.checks import AUTHORS
from bindery.citing import Citable
from bindery.kinds.event import Event
from bindery.kinds.paper import Paper
from bindery.library import Library
from bindery.outputs.pages import shelves
from bindery.outputs.pages.items import COPY, CRUMBS, EVENTS, PAPERS, ROLES, changed
from bindery.outputs.pages.press import Head, PagePlan, Row, Templates
from bindery.outputs.pages.shelves import Shelf
from bindery.reference_style import as_text
from bindery.references import Piece

_NOTE = re.compile(r"^ {0,3}\[\^[^\]]+\]:", re.MULTILINE)  # a footnote; where there are any, they come first


class Writer(NamedTuple):
    """An author as the paper names them, and their page."""

    name: str
    affiliation: str
    orcid: str
    url: str


class PaperContext(NamedTuple):
    """What a paper's page shows beside its own file."""

    authors: tuple[Writer, ...]
    event: tuple[str, str, str, date, date] | None  # title, path, place, start, end
    features: tuple[tuple[str, str], ...]
    cited: tuple[str, ...]  # names what it cites, which is looked at when the page is made


def papers(library: Library, authors: Authors, templates: Templates, site_url: str) -> Iterator[PagePlan]:
    """Each paper with its citation, its references and what it speaks of."""
    for paper in library.papers:
        citable = citing.citable(library, paper, site_url)
        event = citable.event
        context = PaperContext(
            authors=tuple(
                Writer(author.name, author.affiliation, author.orcid, f"/{authors.of[paper.path, place].url}")
                for place, author in enumerate(paper.authors)
            ),
            event=(event.title, f"/{event.url}", event.place, event.start, event.end) if event else None,
            features=tuple(_feature(library, name) for name in paper.features),
            cited=library.cited_by(paper),
        )
        yield templates.plan(
            paper.url,
            "pages/paper.md",
            lambda paper=paper, citable=citable, context=context: Head(  # type: ignore[misc]
                title=paper.title,
                description=paper.summary or paper.abstract,
                section=PAPERS,
                crumbs=(CRUMBS[PAPERS],),
                kind="paper",
                updated=changed(paper),
                meta=citable.highwire(),
                data=citable.json_ld(
                    {url.lstrip("/"): name for name, url in context.features if url},
                    tuple(as_text(one.reference.formatted) for one in library.apparatus(paper).listed),
                ),
                scripts=(COPY,),
            ),
            partial(_shown, library, citable, context),
            library.mark(paper),
            context,
            site_url,
        )


def _shown(library: Library, citable: Citable, context: PaperContext) -> dict[str, object]:
    body = library.resolved_body(citable.paper, cited_here)
    return {
        "item": citable.paper,
        "c": context,
        "listed": library.apparatus(citable.paper).listed,
        "how_to_cite": citable.how_to_cite(),
        "bibtex": citable.bibtex(),
        "body": body,
        "notes": bool(_NOTE.search(prose.without_code(body))),
    }


def cited_here(pieces: Sequence[Piece]) -> str:
    """A citation on the paper's own page: each number leads to the list below, and can be led back to."""
    return "".join(
        f"[{piece.text}](#{references.anchor(piece.key)})"
        f"{{: #{references.mark(piece.number, piece.mention)} .cite }}"
        if piece.number
        else piece.as_markdown()
        for piece in pieces
    )


def _feature(library: Library, name: str) -> tuple[str, str]:
    product, _, version = name.partition("/")
    release = library.release(product, version)
    return (library.name_of(release), f"/{release.url}") if release else (name, "")


def authors(authors: Authors, templates: Templates, site_url: str) -> Iterator[PagePlan]:
    """Each author with their papers."""
    for person in authors.persons:
        rows = tuple(paper_row(paper, but=person.name) for paper in person.papers)
        yield templates.plan(
            person.url,
            "pages/author.md",
            lambda person=person, rows=rows: Head(  # type: ignore[misc]
                title=person.name,
                description=f"Papers by {person.name}.",
                section=PAPERS,
                crumbs=(CRUMBS[PAPERS], ("Authors", f"/{AUTHORS}")),
                kind="author",
                updated=max(row.day for row in rows if row.day),
                data=citing.author_json_ld(person, site_url),
            ),
            lambda person=person, rows=rows: {"person": person, "rows": rows},  # type: ignore[misc]
            (person.name, person.orcid, person.affiliation, person.sample),
            rows,
            site_url,
        )


def paper_row(paper: Paper, *, but: str = "") -> Row:
    """A paper in a list, under its authors; `but` is the one whose list it is."""
    others = [author.name for author in paper.authors if author.name != but]
    by = f"{'With ' if but else ''}{', '.join(others)}." if others else ""
    return Row(
        f"/{paper.url}",
        paper.title,
        paper.date,
        " ".join(part for part in (by, paper.summary) if part),
        (("Sample", "sample"),) if paper.sample else (),
    )


def author_index(library: Library, authors: Authors, templates: Templates) -> Iterator[PagePlan]:
    """All authors, by family name; none while there is no paper."""
    if not authors.persons:
        return
    rows = []
    for person in authors.persons:
        count = len(person.papers)
        told = f"{count} paper{'' if count == 1 else 's'}"
        text = f"{person.affiliation}. {told}." if person.affiliation else f"{told}."
        chips = (("Sample", "sample"),) if person.sample else ()
        rows.append(Row(f"/{person.url}", sorted_name(person), None, text, chips))
    shelf = Shelf(
        url=AUTHORS,
        title="Authors",
        section=PAPERS,
        crumbs=(CRUMBS[PAPERS],),
        rows=tuple(sorted(rows, key=lambda row: (unaccented(row.title), row.url))),
        splits=(_by_letter,),
        description="Everybody who wrote a paper that can be read here.",
        dated=False,
        updated=max(paper.date for paper in library.papers),
    )
    yield from shelves.plans(templates, shelf)


def _by_letter(row: Row) -> tuple[str, str]:
    return shelves.by_letter(row._replace(title=unaccented(row.title)))


def events(library: Library, templates: Templates, site_url: str) -> Iterator[PagePlan]:
    """Each event with the papers that were given there."""
    given: dict[str, list[Paper]] = {}
    for paper in library.papers:
        if paper.event:
            given.setdefault(f"events/{paper.event}.md", []).append(paper)
    host = library.home.vendor.name
    for event in library.events:
        told = sorted(given.get(event.path, ()), key=lambda paper: (paper.date, paper.title))
        rows = tuple(paper_row(paper) for paper in told)
        yield templates.plan(
            event.url,
            "pages/event.md",
            lambda event=event, rows=rows: Head(  # type: ignore[misc]
                title=event.title,
                description=event.summary,
                section=EVENTS,
                crumbs=(CRUMBS[EVENTS],),
                kind="event",
                updated=event.updated,
                data=_event_data(event, rows, host, site_url),
            ),
            lambda event=event, rows=rows: {  # type: ignore[misc]
                "item": event,
                "role": ROLES.get(event.role, event.role),
                "papers": rows,
                "body": library.resolved_body(event),
            },
            library.mark(event),
            rows,
            site_url,
        )


def _event_data(event: Event, rows: Sequence[Row], host: str, site_url: str) -> str:
    works = tuple((row.title, row.url) for row in rows)
    return citing.event_json_ld(event, works, host if event.role == "host" else "", site_url)
