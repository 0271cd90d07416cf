"""What of a build is to stay: its addresses, and the ids of its feed entries, calendar entries and fixes.

Addresses are taken from what the build makes, not from a list of what it should make. Nothing here knows what
was published before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from bindery.library import Library
from bindery.permanence import (
    ADDRESS,
    ENTRY,
    EVENT,
    FIX,
    Published,
    Trace,
    address_of,
    names_as_json,
    speaks_of,
)
from bindery.tables import Table


def published(
    library: Library,
    *,
    paths: Iterable[str],
    entries: Iterable[tuple[str, str, str]],
    events: Iterable[tuple[str, Trace]],
    table: Table,
) -> str:
    """The names of a build, as a publication keeps them. `paths` are those of all its files below public,
    `entries` the ids of feed entries, each with its content file and address. `table` keeps those of fixes,
    the most of all, as long as no fact changes."""
    made = Published(
        names={
            ADDRESS: _addresses(library, paths),
            ENTRY: {identity: Trace(file, at) for identity, file, at in entries},
            EVENT: dict(events),
        },
        gone={name: stone.path for stone in library.tombstones for name in (*stone.gone, *stone.ids)},
    )
    return made.as_json(table("fixes", library.facts, lambda: {FIX: names_as_json(_fixes(library))}))


def key(
    library: Library,
    paths: Iterable[str],
    entries: Iterable[tuple[str, str, str]],
    events: Iterable[tuple[str, Trace]],
) -> str:
    """What decides `published`, without making it."""
    digest = hashlib.blake2b(library.facts.encode(), digest_size=16)
    for told in (  # joined, for the repr of a hundred thousand names takes longer than all else here
        (f"{item.path}\t{item.url}\t{' '.join(item.redirect_from)}" for item in library.items),
        (file.path for file in library.attached),
        paths,
        map("\t".join, entries),
        map(repr, events),
    ):
        digest.update(("\n".join(told) + "\n\n").encode())
    return digest.hexdigest()


def _addresses(library: Library, paths: Iterable[str]) -> dict[str, Trace]:
    files = {item.url: item.path for item in library.items}
    files |= {old: item.path for item in library.items for old in item.redirect_from}
    files |= {page: stone.path for stone in library.tombstones for page in stone.pages}
    files |= {file.path: file.path for file in library.attached}
    pages = {item.path: item.url for item in library.items}
    found = {}
    for path in paths:
        address = address_of(path)
        if address is not None:
            file = files.get(address, "")
            found[address] = Trace(file, "" if file else _goes_with(path, pages))
    return found


def _goes_with(path: str, pages: Mapping[str, str]) -> str:
    """The address of the release or product of which a made file speaks; "" when it speaks of many."""
    for _, name, _ in speaks_of(path):
        page = pages.get(f"releases/{name}.md") or pages.get(f"releases/{name}/index.md")
        if page:
            return page
    return ""


def _fixes(library: Library) -> Mapping[str, Trace]:
    """Ids of entries in release notes, each below its product: `cityworks/CW-1234`."""
    products = {product.product: _identity(product.id) for product in library.products}
    found: dict[str, Trace] = {}
    for release in library.releases:
        for entry in release.entries:
            name = f"{products[release.product]}/{entry.id}"
            found.setdefault(name, Trace(release.path, release.url))
    return found


def _identity(product_id: str) -> str:
    """The product as ids of fixes name it: as its folder was called first."""
    return product_id.removeprefix("releases/").removesuffix("/index")
