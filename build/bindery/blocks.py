"""Blocks: what an issue of the newsletter takes from the rest of the site, so that no author copies it.

Each is a name that stands alone on its line, such as `{{ releases_since_last }}`, and becomes a list in
Markdown: on the page, in the feed and in the mail alike. It depends on days of the content alone, never on
the clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

RELEASES_SINCE_LAST = "releases_since_last"
EVENTS_SINCE_LAST = "events_since_last"
EVENTS_TO_COME = "events_to_come"
BLOCKS = {
    RELEASES_SINCE_LAST: "Nothing was released since the issue before.",
    EVENTS_SINCE_LAST: "There was no event since the issue before.",
    EVENTS_TO_COME: "No event is planned.",
}
"""Each block, and what stands there when it is empty."""
FIRST_ISSUE = timedelta(days=365)
"""How far the first issue looks back, which has none before it."""
AHEAD = timedelta(days=365)
"""How far an issue looks ahead."""
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October"),
    *("November", "December"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Announced:
    """A release or an event, as a block tells it; `url` is an absolute path."""

    title: str
    url: str
    first: date
    last: date
    text: str
    security: tuple[str, ...]
    sample: bool


def between(name: str, *, since: date | None, day: date) -> tuple[date, date]:
    """The days that a block tells of, for an issue of that `day`: after the first of them, up to the second.

    `since` is the day of the issue before. What came on the day of an issue is that issue's.
    """
    if name == EVENTS_TO_COME:
        return day, day + AHEAD
    return since or day - FIRST_ISSUE, day


def block(name: str, entries: Sequence[Announced]) -> str:
    """The block as a list in Markdown: what comes in the order of its days, what has been newest first."""
    shown = sorted(entries, key=lambda one: (one.first, one.title), reverse=name != EVENTS_TO_COME)
    return "\n".join(map(_line, shown)) or BLOCKS[name]


def _line(one: Announced) -> str:
    days = _in_words(one.first)
    if one.last != one.first:
        days = f"{days} to {_in_words(one.last)}"
    mark = " (sample)" if one.sample else ""
    security = f" **Security:** {', '.join(one.security)}." if one.security else ""
    text = f": {_plain(one.text)}" if one.text else "."
    return f"- [{_plain(one.title)}]({one.url}), {days}{mark}{text}{security}"


def _in_words(day: date) -> str:
    return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"


def _plain(text: str) -> str:
    """Text of a field, which Markdown must not read as anything but text."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{sign}" if sign in "\\`*_[]#|~{}" else sign for sign in escaped)
