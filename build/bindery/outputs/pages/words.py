"""Values as a reader meets them: dates, sizes, text that Markdown leaves alone. No kind is known here."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import escape

from markupsafe import Markup

# Not strftime: its words follow the machine's locale.
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
SPECIAL = re.compile(r"([\\`*_\[\]{}<>#|~])")


def in_words(day: date) -> str:
    """January 29, 2025."""
    return f"{MONTHS[day.month - 1]} {day.day}, {day.year}"


def as_time(day: date | None) -> Markup:
    """The day as HTML, readable by people and by script."""
    return Markup("") if day is None else Markup('<time datetime="{}">{}</time>').format(day, in_words(day))


def span(start: date, end: date) -> Markup:
    """Two days as one phrase: what both share stands once, a whole month or year is called by its name."""
    if start == end:
        return as_time(start)
    if start.day == 1 and (end + timedelta(days=1)).day == 1 and start.year == end.year:
        if (start.month, end.month) == (1, 12):
            return Markup('<time datetime="{0}">{0}</time>').format(start.year)
        if start.month == end.month:
            named = f"{MONTHS[start.month - 1]} {start.year}"
            return Markup('<time datetime="{}">{}</time>').format(f"{start:%Y-%m}", named)
    if start.year == end.year:
        first = Markup('<time datetime="{}">{}</time>').format(
            start, f"{MONTHS[start.month - 1]} {start.day}"
        )
        return Markup("{} to {}").format(first, as_time(end))
    return Markup("{} to {}").format(as_time(start), as_time(end))


def size(octets: int) -> str:
    """1,288,490,189 octets are 1.29 GB."""
    if octets < 1000:
        return f"{octets} bytes"
    power = min(3, (len(str(octets)) - 1) // 3)
    amount = octets / 1000**power
    unit = ("", "kB", "MB", "GB")[power]
    return f"{amount:.3g} {unit}" if amount < 100 else f"{amount:.0f} {unit}"


def plain(text: str) -> Markup:
    """Text that Markdown must not read as anything but text, for headings."""
    escaped = SPECIAL.sub(r"\\\1", escape(text, quote=False)).replace("\n", " ")
    return Markup(escaped)  # noqa: S704 -- escaped in the line before


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "other"
