"""Citations: each paper as a BibTeX file and as CSL-JSON, beside its page.

What they say is made where the page's own citation is made, so this module only says where they lie.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from bindery import citing
from bindery.library import Library


def plans(library: Library, *, site_url: str) -> Iterator[tuple[str, str, Callable[[], str]]]:
    """Every file as (path below public, the key that decides its text, the text)."""
    for paper in library.papers:
        citable = citing.citable(library, paper, site_url)
        event = citable.event
        told = (paper.digest, event and (event.title, event.place), citable.publisher, citable.url)
        key = hashlib.blake2b(repr(told).encode(), digest_size=16).hexdigest()
        yield f"{paper.url}paper.bib", key, citable.bibtex
        yield f"{paper.url}paper.csl.json", key, citable.csl_json
