"""The pages at addresses that are gone on purpose: what was there, and why it is not any more."""

from __future__ import annotations

from collections.abc import Iterator

from bindery.kinds.tombstone import Tombstone
from bindery.library import Library
from bindery.outputs.pages.press import Head, PagePlan, Templates


def tombstones(library: Library, templates: Templates) -> Iterator[PagePlan]:
    for stone in library.tombstones:
        for address in stone.pages:
            yield _page(library, templates, stone, address)


def _page(library: Library, templates: Templates, stone: Tombstone, address: str) -> PagePlan:
    def head() -> Head:
        return Head(
            title=stone.title,
            description=stone.because,
            kind="tombstone",
            updated=stone.updated,
            robots="noindex",
        )

    def values() -> dict[str, object]:
        return {"item": stone, "body": library.resolved_body(stone)}

    shown = (stone.digest, library.links_of(stone), library.values_of(stone))
    return templates.plan(address, "pages/tombstone.md", head, values, shown)
