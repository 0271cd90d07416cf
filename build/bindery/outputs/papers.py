"""Papers as PDF: of each paper that asks for one, the tree that Typst sets, from what its page shows.

Pure but for `typeset`, which is given. What an author wrote goes in as text and as names of pictures that the
library holds, never as anything that is run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from bindery import manuscript, references, source
from bindery.composition import PICTURES
from bindery.kinds.paper import Paper
from bindery.library import Library, beside
from bindery.reference_style import Run
from bindery.references import Piece
from bindery.source import Problem, Problems

NAME = "paper.pdf"
Typeset = Callable[[Mapping[str, Any], date], bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperPlan:
    """A PDF that a build would make: `path` below the public folder, `key` of all that decides it."""

    path: str
    key: str
    paper: Paper
    make: Callable[[], bytes]


def plans(library: Library, *, site_url: str, typeset: Typeset, version: str) -> Iterator[PaperPlan]:
    """The PDFs of all papers that ask for one. `version` is that of the tool behind `typeset`."""
    papers = [paper for paper in library.papers if paper.pdf]
    if not papers:
        return
    files = {found.path: found for found in library.attached if found.path.lower().endswith(PICTURES)}
    events = {event.path.removeprefix("events/").removesuffix(".md"): event.title for event in library.events}
    vendor = library.home.vendor.name
    for paper in papers:
        event = events.get(paper.event, paper.event)
        pictures = [files.get(beside(paper.path, link.target)) for link in paper.links]
        decisive = (
            paper.digest,
            library.links_of(paper),
            library.values_of(paper),
            library.cited_by(paper),
            [(one.path, one.size, one.modified, one.inode) for one in pictures if one],
            event,
            vendor,
            version,
        )
        yield PaperPlan(
            path=f"{paper.url}{NAME}",
            key=source.digest_of(repr(decisive)),
            paper=paper,
            make=partial(_made, library, paper, event, site_url, typeset),
        )


def _made(library: Library, paper: Paper, event: str, site_url: str, typeset: Typeset) -> bytes:
    return typeset(tree(library, paper, event, site_url), paper.date)


def tree(library: Library, paper: Paper, event: str, site_url: str) -> dict[str, Any]:
    """All that the template sets. Raises Problems for what `check` would have told of another text."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(site_url))
    listed = library.apparatus(paper).listed
    text = library.manuscript(paper, cited)
    read = manuscript.read(
        text,
        link=lambda target: origin + target if target.startswith("/") else target,
        picture=lambda target: f"/{target.removeprefix(library.prefix)}",
        anchors=[references.anchor(one.reference.key) for one in listed],
    )
    if read.trouble:
        # The text alone was checked when it was read; here links and values stand in it.
        raise Problems([Problem(path=paper.path, line=1, message=message) for message in read.trouble])
    return {
        "title": paper.title,
        "authors": [
            {"name": author.name, "affiliation": author.affiliation, "orcid": author.orcid}
            for author in paper.authors
        ],
        "date": [paper.date.year, paper.date.month, paper.date.day],
        "event": event,
        "abstract": paper.abstract,
        "keywords": list(paper.keywords),
        "vendor": library.home.vendor.name,
        "url": site_url + paper.url,
        "sample": paper.sample_note if paper.sample else None,
        "blocks": read.blocks,
        "references": [
            {"id": references.anchor(one.reference.key), "parts": _parts(one.reference.formatted)}
            for one in listed
        ],
    }


def cited(pieces: Sequence[Piece]) -> str:
    """A citation in print: each number leads to the list at the end."""
    return "".join(
        f"[{piece.text}](#{references.anchor(piece.key)})" if piece.number else piece.as_markdown()
        for piece in pieces
    )


def _parts(runs: Sequence[Run]) -> list[Any]:
    parts: list[Any] = []
    for run in runs:
        part: Any = ["em", [run.text]] if run.italic else run.text
        parts.append(["link", run.url, [part]] if run.url else part)
    return parts


def trouble(
    library: Library,
    paper: Paper,
    unshown: Sequence[str],
    sound: Callable[[str], bool],
) -> list[Problem]:
    """What Typst could not set, as problems of the files that it stands in; none when it is not the paper's.

    `unshown` are texts that no font can show; `sound` says whether a picture of that path can be set.
    """
    problems = []
    for text in unshown:
        path, line = _place(library, paper, text)
        problems.append(
            Problem(
                path=path,
                line=line,
                message="the text must be letters that the fonts of the PDF have such as Latin, Greek or "
                f"Cyrillic ones, not '{text}'",
            )
        )
    for link in paper.links:
        target = beside(paper.path, link.target)
        if target.lower().endswith(PICTURES) and not sound(f"/{target}"):
            problems.append(
                Problem(
                    path=paper.path,
                    line=link.line,
                    message="the picture must be one that can be read such as a PNG, JPEG or SVG file, "
                    f"not '{link.target}'",
                )
            )
    return problems


def _place(library: Library, paper: Paper, text: str) -> tuple[str, int]:
    """The file and line that the text is first found in, the paper itself when it is in none."""
    beside_it = [beside(paper.path, paper.bibliography)] if paper.bibliography else []
    for path in (paper.path, *beside_it):
        whole = source.read_text(library.content, path)
        at = whole.find(text)
        if at >= 0:
            return path, whole.count("\n", 0, at) + 1
    return paper.path, 1
