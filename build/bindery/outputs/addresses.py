"""Addresses: the site map, robots.txt, and what stands where something was before.

An old address leads to the new one: as a page for browsers, in `data/moved.json` for whoever serves the site
or keeps links to it. That file names too what is gone on purpose.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from xml.sax.saxutils import escape

from bindery.library import Library
from bindery.permanence import Ledger, speaks_of
from bindery.source import Problem

FORMAT = 1


def outputs(
    library: Library,
    *,
    site_url: str,
    urls: Iterable[str],
    led_on: Mapping[str, str],
    also: Mapping[str, str],
    redirect: Callable[[Mapping[str, str]], str],
) -> Iterator[tuple[str, str]]:
    """(path below public, text). `urls` are the pages' addresses, `led_on` where addresses lead that no
    content file speaks of, `also` what `aliases` gave; `redirect` sets a page that leads on."""
    changed = {item.url: item.updated for item in library.items if item.updated}
    graves = {page for stone in library.tombstones for page in stone.pages}
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append('<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">')
    for url in sorted(set(urls) - graves):
        day = changed.get(url)
        lastmod = f"<lastmod>{day}</lastmod>" if day else ""
        lines.append(f"<url><loc>{escape(site_url + url)}</loc>{lastmod}</url>")
    lines.append("</urlset>")
    yield "sitemap.xml", "\n".join(lines) + "\n"
    yield "robots.txt", f"User-agent: *\nDisallow: {library.prefix}api/\nSitemap: {site_url}sitemap.xml\n"
    moved = {old: (item.url, item.title or item.id) for item in library.items for old in item.redirect_from}
    pages = {_page(old): _page(new) for old, new in also.items() if old.endswith(".html")} | dict(led_on)
    moved |= {old: (new, f"/{new}") for old, new in pages.items() if old not in moved}
    for old, (url, title) in moved.items():
        yield (
            f"{old}index.html",
            redirect({"path": library.address(url), "url": site_url + url, "title": title}),
        )
    leads = {old: url for old, (url, _) in moved.items()}
    leads |= {old: new for old, new in also.items() if not old.endswith(".html")}
    told = {
        "format": FORMAT,
        "moved": {f"/{old}": library.address(url) for old, url in leads.items()},
        "gone": {f"/{old}": stone.because for stone in library.tombstones for old in stone.gone},
    }
    yield "data/moved.json", json.dumps(told, ensure_ascii=False, sort_keys=True, indent=1) + "\n"


def _page(path: str) -> str:
    return path.removesuffix("index.html")


def led_on(library: Library, before: Ledger | None, made: Set[str]) -> dict[str, str]:
    """Pages that the build once made and makes no more, such as a part of a list: each to the page above it.

    `made` are the addresses of all that the build makes, by which a page is known to be there.
    """
    if before is None:
        return {}
    spoken_of = {old for item in library.items for old in item.redirect_from}
    spoken_of |= {address for stone in library.tombstones for address in stone.gone}
    found = {}
    for address in before.made():
        if address not in made and address not in spoken_of:
            above = address.rstrip("/").rpartition("/")[0]
            while above and f"{above}/" not in made:
                above = above.rpartition("/")[0]
            found[address] = f"{above}/" if above else ""
    return found


def aliases(library: Library, paths: Iterable[str]) -> dict[str, str]:
    """What stands at the old name too of a renamed product, release or page: files by their path below
    public, each with that of the file that it leads to. `paths` are all that the build makes."""
    renamed: dict[str, set[str]] = {}  # what files speak of, or a page's folder: its earlier names
    for item in library.items:
        if not item.url:
            continue
        for old in item.redirect_from:
            renamed.setdefault(item.url, set()).add(old)
            if item.kind in ("release", "product") and old.startswith("releases/"):
                name = item.url.removeprefix("releases/").rstrip("/")
                renamed.setdefault(name, set()).add(old.removeprefix("releases/").rstrip("/"))
    if not renamed:
        return {}
    made = set(paths)
    found: dict[str, str] = {}
    for path in sorted(made):
        folder, _, file = path.rpartition("/")
        if not path.endswith(".html"):
            found |= {f"{old}{file}": path for old in renamed.get(f"{folder}/", ())}
        for before, name, after in speaks_of(path):
            found |= {f"{before}{old}{after}": path for old in renamed.get(name, ())}
    return {old: path for old, path in found.items() if old not in made}


def clashes(library: Library, pages: Iterable[str], files: Set[str]) -> list[Problem]:
    """Old addresses at which the build itself makes something. `pages` are the addresses of all pages (one of
    a tombstone that is somebody else's too is there twice), `files` the paths of all else below public."""
    once: set[str] = set()
    twice: set[str] = set()
    for page in pages:
        (twice if page in once else once).add(page)
    problems = []
    for item in library.items:
        for old in item.redirect_from:
            if old in once:
                problems.append(_clash(item.path, item.lines.get("redirect_from", 1), "redirect_from", old))
    for stone in library.tombstones:
        for address in stone.gone:
            if address in twice or address in files:
                problems.append(_clash(stone.path, stone.lines.get("gone", 1), "gone", address))
    return problems


def _clash(path: str, line: int, field: str, address: str) -> Problem:
    message = f"'{field}' must be an address at which nothing stands, not '{address}', which the build makes"
    return Problem(path=path, line=line, message=message)
