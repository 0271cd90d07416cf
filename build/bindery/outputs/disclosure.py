"""security.txt (RFC 9116): whom to tell of a weakness.

It must say until when it may be believed, and that must lie ahead: so it ends at the turn of the half-year
after the next, and is made anew at each turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from bindery.library import Library

PATH = ".well-known/security.txt"


def plans(library: Library, *, site_url: str, now: datetime) -> Iterator[tuple[str, str, Callable[[], str]]]:
    """The file as (path below public, the key that decides it, what makes its text); none where no address
    is told."""
    contact = _contact(library)
    if not contact:
        return
    ends = turns(turns(now)[0])[0]
    lines = (
        f"Contact: {contact if '://' in contact else f'mailto:{contact}'}",
        f"Expires: {ends:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {site_url}{PATH}",
        f"Policy: {site_url}policy/",
    )
    text = "\n".join(lines) + "\n"
    yield PATH, text, lambda: text


def due(library: Library, now: datetime) -> tuple[datetime, ...]:
    """The instants at which the file is made anew; none where there is none."""
    return turns(now) if _contact(library) else ()


def _contact(library: Library) -> str:
    return library.home.security_contact or library.home.vendor.email


def turns(now: datetime) -> tuple[datetime, ...]:
    """The next turns of the half-year after `now`, three of them."""
    year = now.astimezone(UTC).year
    ahead = (datetime(each, month, 1, tzinfo=UTC) for each in range(year, year + 3) for month in (1, 7))
    return tuple(turn for turn in ahead if turn > now)[:3]
