"""Embargo: what readers may see at a moment, and what would tell them of something before its time.

A part of `checks`. An item under embargo, and a draft, is checked like any other, but nothing of it comes
out: no page, no entry, no file that belongs to it alone. What is seen must not point at it; what comes out on
a day must not point at what comes later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from bindery.kinds.defect import Defect
from bindery.kinds.home import Home
from bindery.kinds.item import Item
from bindery.kinds.paper import Paper
from bindery.kinds.policy import Policy
from bindery.kinds.release import Release
from bindery.library import Library, beside
from bindery.source import Found, Problem

_AFTER_A_NAME = (".", "-", "_", "/")


def files(library: Library, now: datetime) -> tuple[Found, ...]:
    """The files beside the content that are to be published at that moment.

    A file that only hidden items link to is not; nor is one that is named after a hidden item, such as
    `papers/valves-plan.png` or `papers/valves/plan.png` of `papers/valves.md`, unless a visible one links
    to it.
    """
    hidden = [item for item in library.items if not item.shown_at(now)]
    if not hidden or not library.attached:
        return library.attached
    there = {file.path for file in library.attached}
    stems = tuple(
        f"{item.path.removesuffix('.md').removesuffix('/index')}{mark}"
        for item in hidden
        for mark in (_AFTER_A_NAME if not item.path.endswith("/index.md") else ("/",))
    )
    theirs = _linked(hidden) & there
    theirs |= {path for path in there if path.startswith(stems)}
    if theirs:
        theirs -= _linked(item for item in library.items if item.shown_at(now))
    return tuple(file for file in library.attached if file.path not in theirs)


def _linked(items: Iterable[Item]) -> set[str]:
    """The paths below the content folder that the items link to."""
    return {_path(item, link.target) for item in items for link in item.links}


def _path(item: Item, target: str) -> str:
    path = target.partition("#")[0].partition("?")[0]
    if not path:
        return item.path
    return path[1:] if path.startswith("/") else beside(item.path, path)


def dangling(library: Library, now: datetime) -> Iterator[Problem]:
    """Where an item points at one that readers may not see yet when they see it: now, or on its own day."""
    hidden = {item.path: item for item in library.items if not item.shown_at(now)}
    if not hidden:
        return
    by_url = {item.url: item for item in hidden.values()}
    for item in library.items:
        if item.draft:
            continue
        moment = max(now, item.publish_at or now)
        for line, field, target, must_be, given in _references(item):
            found = hidden.get(target) or (by_url.get(target) if not target.endswith(".md") else None)
            if found is None or found.shown_at(moment):
                continue
            by_then = "" if item.shown_at(now) else f" by {item.publish_at}"
            if not field:
                message = f"the link must lead to {must_be}{by_then}, not '{given}'"
            elif must_be:
                message = f"'{field}' must be {must_be}{by_then}, not '{given}'"
            else:
                message = f"the product must be published{by_then}, such as its releases are"
            yield Problem(path=item.path, line=line, message=message)


Reference = tuple[int, str, str, str, str]  # line, field or "" for a link, path or address, must be, given


def _references(item: Item) -> Iterator[Reference]:
    """All that an item names of others."""
    for link in item.links:
        target = link.target.partition("#")[0]
        if target:
            yield link.line, "", _path(item, target), "a page that is published", link.target

    def named(field: str, path: str, must_be: str, given: str) -> Reference:
        return item.lines.get(field, 1), field, path, must_be, given

    if isinstance(item, Home):
        for task in item.tasks:
            yield named(
                "tasks", task.url.partition("#")[0][1:], "addresses of pages that are published", task.url
            )
    if isinstance(item, Release):
        for field, version in (("of", item.of), ("after", item.after)):
            if version:
                path = f"releases/{item.product}/{version}.md"
                yield named(field, path, "a release that is published", version)
        yield 1, "product", f"releases/{item.product}/index.md", "", item.product
    if isinstance(item, Defect):
        product = f"releases/{item.product}/index.md"
        yield named("product", product, "a product that is published", item.product)
        for field, versions in (("found_in", item.found_in), ("not_in", item.not_in)):
            for version in versions:
                path = f"releases/{item.product}/{version}.md"
                yield named(field, path, "releases that are published", version)
        if item.duplicate_of:
            path = f"defects/{item.duplicate_of}.md"
            yield named("duplicate_of", path, "a defect that is published", item.duplicate_of)
    if isinstance(item, Policy):
        for rule in item.rules:
            if rule.product:
                path = f"releases/{rule.product}/index.md"
                yield named("rules", path, "rules of products that are published", rule.product)
    if isinstance(item, Paper):
        if item.event:
            yield named("event", f"events/{item.event}.md", "an event that is published", item.event)
        for feature in item.features:
            yield named("features", f"releases/{feature}.md", "releases that are published", feature)
