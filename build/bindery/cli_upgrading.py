"""What `bindery upgrade` answers. It decides nothing: the guide is that of the pages, for any two."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

import click

from bindery import support
from bindery.kinds.release import Release
from bindery.library import Library
from bindery.outputs.pages import guides
from bindery.upgrade import ORDER, Ways, between


def known_release(library: Library, product: str, version: str) -> Release:
    """The release. Raises ClickException with those that are called nearly so."""
    release = library.release(product, version)
    if release is None:
        versions = [one.version for one in library.releases_of(product)]
        known = versions or [one.product for one in library.products]
        given = version if versions else product
        near = difflib.get_close_matches(given, known, 3, 0.3) or known[-3:]
        what = f"a release of {product}" if versions else "a product"
        raise click.ClickException(f"there must be {what} such as {', '.join(near)}, not '{given}'")
    return release


def answer(library: Library, product: str, start: str, goal: str) -> dict[str, Any]:
    """The guide from one release to another, in the shape of `/data/upgrade/…`.

    Raises ClickException for a release that is not there, and for a way back.
    """
    first, last = (known_release(library, product, version) for version in (start, goal))
    ways = Ways(library, product)
    if ways.relation(first, last) == "back":
        raise click.ClickException(
            f"TO must be a release that {start} has not left behind, such as "
            f"{ways.newest.version if ways.newest else start}, not '{goal}': {start} is newer, and no"
            " upgrade leads back"
        )
    guide = between(ways, first, last, support.known_issues(library))
    shown = {one.version: guides.sections_of(library, one) for one in guide.way}
    return guides.told(library, guide, support.answers(library), shown)


def lines(told: dict[str, Any]) -> Iterator[str]:
    """The answer for people, line by line."""
    start, goal = told["from"], told["to"]
    if told["relation"] == "same":
        yield f"{start['name']} to itself: nothing changes."
    else:
        yield f"From {start['name']} to {goal['name']}."
    if told["relation"] == "apart":
        yield (
            "No release leads from one to the other: told is what the second contains and the first does not."
        )
    for one, life in ((start, told["life_cycle"]["from"]), (goal, told["life_cycle"]["to"])):
        after = (
            life["ends_after_next"] and f"until {life['ends_after_next']} after the next version is released"
        )
        until = f"until {life['support_ends']}" if life["support_ends"] else after or "until a day not stated"
        yield f"{one['name']}, released {one['released']}, is supported {until}, because"
        yield from (f"  - {reason}" for reason in life["because"])
        if start is goal or told["relation"] == "same":
            break
    if told["required_stops"]:
        yield f"Do not skip {', '.join(told['required_stops'])}."
    for section in ORDER:
        yield from _below(section, [_line(one) for one in told["entries"] if one["section"] == section])
    for name, title in (("requirements", "Requirements"), ("upgrade_notes", "Upgrade notes")):
        for one in told[name]:
            yield from _below(f"{title} of {one['release']}", one["text"].splitlines(), mark="")
    had = [f"{one['id']} ({one['release']})" for one in told["already_contained"]]
    yield from _below(f"On the way, and in {start['version']} already", had)
    yield from _below(
        f"Fixes of {start['version']} that {goal['version']} lacks",
        [_line(one) for one in told["missing_fixes"]],
    )
    yield from _below(
        f"Known issues in {goal['version']}",
        [
            f"{one['id']}: {one['title']}"
            + (f" What helps: {one['workaround']}" if one["workaround"] else "")
            for one in told["known_issues"]
        ],
    )


def _line(one: dict[str, Any]) -> str:
    return (f"{one['id']}: " if one["id"] else "") + f"{one['text']} ({one['release']})"


def _below(heading: str, told: list[str], mark: str = "- ") -> Iterator[str]:
    if told:
        yield f"{heading}:"
        yield from (f"  {mark}{line}".rstrip() for line in told)
