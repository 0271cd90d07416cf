"""Lists of many things that stay usable and cheap: whole while they are short, else split into pages.

A split must be stable: a new entry changes the page that it stands on and the counts above it, and no other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from operator import attrgetter

from bindery.outputs.pages import words
from bindery.outputs.pages.press import Head, PagePlan, Row, Templates

WHOLE = 60  # entries that the first page of a list shows all of
FULL = 200  # entries after which a part is split once more
NEWEST = 20  # entries that the first page shows when the rest stands on pages of its own

Split = Callable[[Row], tuple[str, str]]  # (path below the list, heading)


def by_year(row: Row) -> tuple[str, str]:
    year = str(row.day.year) if row.day else "undated"
    return f"years/{year}", year


def by_month(row: Row) -> tuple[str, str]:
    if row.day is None:
        return "undated", "Undated"
    return f"{row.day.month:02}", f"{words.MONTHS[row.day.month - 1]} {row.day.year}"


def by_letter(row: Row) -> tuple[str, str]:
    letter = next((c for c in row.title.upper() if c.isalnum() and c.isascii()), "0")
    return ("a-z/0-9", "0 to 9") if letter.isdigit() else (f"a-z/{letter.lower()}", letter)


def by_topic(row: Row) -> tuple[str, str]:
    """The topic that an article names, else the folder that it lies in."""
    if not row.topic:
        return by_folder(0)(row)
    return f"list/{words.slug(row.topic)}", row.topic


def by_folder(depth: int) -> Split:
    """The folder that an article lies in, `depth` folders below the section's own."""

    def split(row: Row) -> tuple[str, str]:
        folders = row.url.strip("/").split("/")[1:-1]
        name = folders[depth] if len(folders) > depth else "general"
        return (f"list/{name}" if depth == 0 else name), name.replace("-", " ").capitalize()

    return split


def by_hundred(row: Row) -> tuple[str, str]:
    """Ids such as CW-1234, in hundreds; the title of the row begins with the id."""
    match = re.match(r"(\S*?)(\d+)(?=\D*(?:\s|:|$))", row.title)
    if match is None:
        return "list/other", "Other"
    low = int(match[2]) // 100 * 100
    return f"list/{match[1]}{low}", f"{match[1]}{low} to {match[1]}{low + 99}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelf:
    """A list with its own page. `intro` is Markdown above it; `lead` a few rows shown before all others."""

    url: str
    title: str
    section: str
    crumbs: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    splits: tuple[Split, ...]
    description: str = ""
    intro: str = ""
    lead_title: str = ""
    lead: tuple[Row, ...] = ()
    empty: str = "There is nothing here yet."
    feeds: tuple[tuple[str, str], ...] = ()
    updated: date | None = None
    sample: str = ""
    kind: str = "list"
    dated: bool = True
    cards: tuple[Row, ...] = ()
    deeper: bool = False
    ages: bool = True  # whether the days of the rows say when the list changed: those of events do not


@dataclass(frozen=True, slots=True)
class Part:
    """A group on a page: its rows, or only a link and a count."""

    heading: str
    url: str
    count: int
    rows: tuple[Row, ...]


def plans(
    templates: Templates, shelf: Shelf, source: str = "", body: Callable[[], str] = str
) -> Iterator[PagePlan]:
    """The page of the list and, where it is long, those of its parts. `source` is the digest of `body`."""
    whole = len(shelf.rows) <= (FULL if shelf.deeper else WHOLE)
    groups: dict[tuple[str, str], list[Row]] = {}
    if shelf.splits:
        for row in shelf.rows:
            groups.setdefault(shelf.splits[0](row), []).append(row)
    else:
        groups[("", "")] = list(shelf.rows)
        whole = True
    parts = tuple(
        Part(heading, "" if whole else f"{shelf.url}{path}/", len(rows), tuple(rows) if whole else ())
        for (path, heading), rows in groups.items()
    )
    if not whole:
        for (path, heading), rows in groups.items():
            yield from plans(templates, _below(shelf, path, heading, rows))
    newest = shelf.rows[:NEWEST] if not whole and shelf.dated else ()
    days = [row.day for row in (*shelf.rows, *shelf.lead) if row.day and shelf.ages]
    updated = max([*days, shelf.updated] if shelf.updated else days, default=None)

    def head() -> Head:
        return Head(
            title=shelf.title,
            description=shelf.description,
            section=shelf.section,
            crumbs=shelf.crumbs,
            kind=shelf.kind,
            updated=updated,
            feeds=shelf.feeds,
        )

    def values() -> dict[str, object]:
        return {"shelf": shelf, "parts": parts, "newest": newest, "body": body(), "whole": whole}

    shown = replace(shelf, rows=(), splits=(), updated=updated)
    yield templates.plan(shelf.url, "pages/list.md", head, values, shown, parts, newest, source)


def _below(shelf: Shelf, path: str, heading: str, rows: Sequence[Row]) -> Shelf:
    return Shelf(
        url=f"{shelf.url}{path}/",
        title=f"{shelf.title}: {heading}" if not shelf.deeper else f"{shelf.title.split(':')[0]}: {heading}",
        section=shelf.section,
        crumbs=(*shelf.crumbs, (shelf.title, f"/{shelf.url}")),
        rows=tuple(rows),
        splits=shelf.splits[1:],
        empty=shelf.empty,
        kind=shelf.kind,
        dated=shelf.dated,
        deeper=True,
        ages=shelf.ages,
        updated=None if shelf.ages else shelf.updated,
    )


def newest_first(rows: Sequence[Row]) -> tuple[Row, ...]:
    """By day, the newest on top; on one day by title."""
    return tuple(sorted(rows, key=lambda row: (row.day or date.min, row.title), reverse=True))


def by_title(rows: Sequence[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=attrgetter("title")))
