"""Which pages readers may find by searching, and the year that each belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bindery.kinds.defect import Defect
from bindery.kinds.event import Event
from bindery.kinds.issue import Issue
from bindery.kinds.page import Page
from bindery.kinds.paper import Paper
from bindery.kinds.policy import Policy
from bindery.kinds.release import Release
from bindery.library import Library

FIXED = ("defects/security/", "feeds/", "life-cycle/", "support/")


class Found(NamedTuple):
    """`url` is below the site's root; `year` None for a page of no day; `help` for one of the help pages."""

    url: str
    year: int | None
    help: bool


def findable(library: Library, urls: frozenset[str]) -> Iterator[Found]:
    """Of the pages at `urls` those that hold something to be found: neither lists nor ways between
    versions, which lead to what is found anyway."""
    for item in library.items:
        if item.url not in urls:
            continue
        match item:
            case Release():
                yield Found(item.url, item.released.year, help=False)
            case Issue() | Paper():
                yield Found(item.url, item.date.year, help=False)
            case Event():
                yield Found(item.url, item.start.year, help=False)
            case Defect():
                yield Found(item.url, item.date.year if item.date else None, help=False)
            case Page() | Policy():
                yield Found(item.url, None, help=item.url.startswith("help/"))
            case _:
                continue
    own = {item.url for item in library.items}
    for url in sorted(urls - own):
        if url in FIXED or (url.startswith("support/") and url.endswith("/")):
            yield Found(url, None, help=False)
