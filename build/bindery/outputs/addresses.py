"""Addresses: the site map, robots.txt, and pages that lead from an old address to the new one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from xml.sax.saxutils import escape

from bindery.library import Library


def outputs(
    library: Library,
    *,
    site_url: str,
    urls: Iterable[str],
    redirect: Callable[[Mapping[str, str]], str],
) -> Iterator[tuple[str, str]]:
    """(path below public, text). `urls` are the pages' addresses; `redirect` sets a page that leads on."""
    changed = {item.url: item.updated for item in library.items if item.updated}
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append('<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">')
    for url in sorted(urls):
        day = changed.get(url)
        lastmod = f"<lastmod>{day}</lastmod>" if day else ""
        lines.append(f"<url><loc>{escape(site_url + url)}</loc>{lastmod}</url>")
    lines.append("</urlset>")
    yield "sitemap.xml", "\n".join(lines) + "\n"
    yield "robots.txt", f"User-agent: *\nDisallow: {library.prefix}api/\nSitemap: {site_url}sitemap.xml\n"
    for item in library.items:
        for old in item.redirect_from:
            title = item.title or item.id
            yield (
                f"{old}index.html",
                redirect({"path": library.address(item.url), "url": site_url + item.url, "title": title}),
            )
