"""How a paper of ours is cited and described: one set of facts, in every form that programs read.

CSL-JSON, BibTeX, the line "how to cite", Highwire's tags and JSON-LD are all made here, so title, authors and
date cannot differ. A sample says in those that leave the site that it is one. Nothing here knows a page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bindery import authors, bibtex_entry
from bindery.kinds.event import Event
from bindery.kinds.paper import Paper
from bindery.library import Library
from bindery.reference_style import Run, formatted

GENRE = "White paper"
SAMPLE = "Sample, not a real publication"
ORCID = "https://orcid.org/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Citable:
    """A paper with what its own file does not say. `site_url` ends in a slash."""

    paper: Paper
    event: Event | None
    publisher: str
    publisher_url: str
    site_url: str

    @property
    def url(self) -> str:
        return self.site_url + self.paper.url

    @property
    def key(self) -> str:
        """The key of the BibTeX entry, and the id in CSL-JSON: the name of the paper's file."""
        return self.paper.path.removeprefix("papers/").removesuffix(".md")

    def csl(self) -> dict[str, Any]:
        """An item of CSL-JSON 1.0."""
        paper, day = self.paper, self.paper.date
        told: dict[str, Any] = {
            "id": self.key,
            "type": "paper-conference" if self.event else "report",
            "title": paper.title,
            "author": [authors.parts(author) for author in paper.authors],
            "issued": {"date-parts": [[day.year, day.month, day.day]]},
            "genre": "" if self.event else GENRE,
            "event": self.event.title if self.event else "",
            "event-place": self.event.place if self.event else "",
            "publisher": self.publisher,
            "keyword": ", ".join(paper.keywords),
            "abstract": paper.abstract,
            "language": "en",
            "note": SAMPLE if paper.sample else "",
            "URL": self.url,
        }
        return {name: value for name, value in told.items() if value}

    def csl_json(self) -> str:
        return json.dumps([self.csl()], ensure_ascii=False, indent=1) + "\n"

    def how_to_cite(self) -> tuple[Run, ...]:
        """The line that others put into their list of references."""
        return formatted(self.csl())

    def bibtex(self) -> str:
        """The same as a BibTeX entry."""
        csl, day = self.csl(), self.paper.date
        fields = [
            ("author", bibtex_entry.Made(" and ".join(map(bibtex_entry.name, csl["author"])))),
            ("title", bibtex_entry.Made(bibtex_entry.title(csl["title"]))),
            ("booktitle", csl.get("event", "")),
            ("type", csl.get("genre", "")),
            ("address", csl.get("event-place", "")),
            ("publisher" if self.event else "institution", self.publisher),
            ("year", str(day.year)),
            ("month", bibtex_entry.MONTHS[day.month - 1]),
            ("date", day.isoformat()),
            ("url", self.url),
            ("keywords", csl.get("keyword", "")),
            ("abstract", csl.get("abstract", "")),
            ("note", csl.get("note", "")),
        ]
        return bibtex_entry.entry("inproceedings" if self.event else "techreport", self.key, fields)

    def highwire(self) -> tuple[tuple[str, str], ...]:
        """Highwire's tags, by which catalogues of papers read a page; an author's follow their name."""
        paper = self.paper
        tags = [("citation_title", paper.title)]
        for author in paper.authors:
            tags.append(("citation_author", author.name))
            if author.affiliation:
                tags.append(("citation_author_institution", author.affiliation))
            if author.orcid:
                tags.append(("citation_author_orcid", ORCID + author.orcid))
        tags.append(("citation_publication_date", paper.date.strftime("%Y/%m/%d")))
        if self.event:
            tags.append(("citation_conference_title", self.event.title))
        else:
            tags.append(("citation_technical_report_institution", self.publisher))
        tags += [("citation_keywords", word) for word in paper.keywords]
        tags += [("citation_language", "en"), ("citation_abstract_html_url", self.url)]
        if paper.pdf:
            tags.append(("citation_pdf_url", f"{self.url}paper.pdf"))
        return tuple(tags)

    def json_ld(self, features: Mapping[str, str], cited: tuple[str, ...]) -> str:
        """schema.org's ScholarlyArticle. `features`: address of a release → its name."""
        paper = self.paper
        told: dict[str, Any] = {
            "@context": "https://schema.org",
            "@type": "ScholarlyArticle",
            "@id": self.url,
            "url": self.url,
            "name": paper.title,
            "headline": paper.title,
            "author": [_person(author.name, author.affiliation, author.orcid) for author in paper.authors],
            "datePublished": paper.date.isoformat(),
            "dateModified": paper.updated.isoformat() if paper.updated else "",
            "abstract": paper.abstract,
            "keywords": list(paper.keywords),
            "inLanguage": "en",
            "creativeWorkStatus": SAMPLE if paper.sample else "Published",
            "publisher": {"@type": "Organization", "name": self.publisher, "url": self.publisher_url},
            "releasedEvent": {
                "@type": "PublicationEvent",
                "name": self.event.title,
                "startDate": self.event.start.isoformat(),
                "endDate": self.event.end.isoformat(),
                "url": self.site_url + self.event.url,
            }
            if self.event
            else {},
            "about": [
                {"@type": "SoftwareApplication", "name": name, "url": self.site_url + url}
                for url, name in features.items()
            ],
            "citation": list(cited),
            "encoding": {
                "@type": "MediaObject",
                "encodingFormat": "application/pdf",
                "contentUrl": f"{self.url}paper.pdf",
            }
            if paper.pdf
            else {},
        }
        return data_block({name: value for name, value in told.items() if value})


def citable(library: Library, paper: Paper, site_url: str) -> Citable:
    """A paper with its event and its publisher."""
    event = library.by_path.get(f"events/{paper.event}.md") if paper.event else None
    vendor = library.home.vendor
    return Citable(
        paper=paper,
        event=event if isinstance(event, Event) else None,
        publisher=vendor.name,
        publisher_url=vendor.url,
        site_url=site_url,
    )


def _person(name: str, affiliation: str, orcid: str) -> dict[str, Any]:
    told: dict[str, Any] = {"@type": "Person", "name": name}
    if affiliation:
        told["affiliation"] = {"@type": "Organization", "name": affiliation}
    if orcid:
        told["sameAs"] = ORCID + orcid
    return told


def author_json_ld(person: authors.Person, site_url: str) -> str:
    """schema.org's Person."""
    told = _person(person.name, person.affiliation, person.orcid)
    return data_block({"@context": "https://schema.org", **told, "url": site_url + person.url})


def event_json_ld(event: Event, papers: tuple[tuple[str, str], ...], host: str, site_url: str) -> str:
    """schema.org's Event. `papers` are (title, absolute path); `host` is "" when we do not hold it."""
    told: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": event.title,
        "description": f"{SAMPLE.split(',')[0]}: {event.summary}" if event.sample else event.summary,
        "startDate": event.start.isoformat(),
        "endDate": event.end.isoformat(),
        "location": {"@type": "Place", "name": event.place, "address": event.place},
        "url": event.event_url or site_url + event.url,
        "organizer": {"@type": "Organization", "name": host} if host else {},
        "workFeatured": [
            {"@type": "ScholarlyArticle", "name": title, "url": site_url + path.lstrip("/")}
            for title, path in papers
        ],
    }
    return data_block({name: value for name, value in told.items() if value})


def data_block(told: Mapping[str, Any]) -> str:
    """JSON that may stand in a <script> element: nothing in it can end one."""
    return re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", json.dumps(told, ensure_ascii=False))
