"""The picture of the life cycles: a bar for each version, from its release to the end of its support.

Only places and lengths are reckoned here; the picture is a template. It tells what the table beside it tells,
and no status: where "today" is, a reader's browser may show.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple, Protocol

from bindery.outputs.pages import words
from bindery.outputs.pages.items import Support

WIDTH = 760
LEFT, RIGHT, TOP, ROW, LABEL = 8, 16, 38, 42, 36  # of the drawing, in its own units
WORDS = 210  # the room that a version and its day need above their bar
MOST = 20
"""Versions in one picture, the newest: what is further down nobody compares by eye."""
OPEN_FOR = timedelta(days=365)
"""How far past the last known day an end is drawn that is still open."""


class Version(Protocol):
    """What a bar is made of: a row of the table."""

    @property
    def label(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def released(self) -> date: ...
    @property
    def support(self) -> Support | None: ...


class Piece(NamedTuple):
    """A part of a bar. `tier` counts from 0, the fullest support; `open` when no end of it is known."""

    x: float
    width: float
    tier: int
    open: bool


class Bar(NamedTuple):
    """`told` says in words what the bar shows; `y` is the top of its row; `until` its last day in words,
    if known.

    The label stands above its bar, so that it is seen wherever a narrow screen has scrolled to: from
    `words_at` on, or, where the drawing ends too soon for that (`words_end`), up to it.
    """

    label: str
    url: str
    until: str
    words_at: float
    words_end: bool
    y: int
    pieces: tuple[Piece, ...]
    told: str


class Timeline(NamedTuple):
    """`years` are places and labels of 1 January; `first` and `last` the days at the drawing's ends."""

    width: int
    height: int
    left: int
    right: int
    bars: tuple[Bar, ...]
    years: tuple[tuple[float, str], ...]
    first: date
    last: date
    tiers: tuple[str, ...]
    left_out: int


def timeline(rows: Sequence[Version], tiers: Sequence[str]) -> Timeline | None:
    """The picture of a table's rows, the newest first; None where there is nothing to compare."""
    shown = [row for row in rows[:MOST] if row.support]
    if len(shown) < 2:
        return None
    days = [row.released for row in shown] + [end for row in shown for _, end in _ends(row, tiers) if end]
    first = date(min(days).year, 1, 1)
    last = max(days) + OPEN_FOR

    def place(day: date) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (day - first) / (last - first), 1)

    bars = []
    for number, row in enumerate(shown):
        pieces, start = [], row.released
        for tier, (_, end) in enumerate(_ends(row, tiers)):
            until = end or last
            if until > start:
                pieces.append(Piece(place(start), round(place(until) - place(start), 1), tier, end is None))
                start = until
            if end is None:
                break
        ends = [end for _, end in _ends(row, tiers)]
        begins = place(row.released)
        late = begins + WORDS > WIDTH - RIGHT
        bars.append(
            Bar(
                label=row.label,
                url=row.url,
                until=words.in_words(ends[-1]) if ends and ends[-1] else "",
                words_at=WIDTH - RIGHT if late else begins,
                words_end=late,
                y=TOP + number * ROW,
                pieces=tuple(pieces),
                told=_told(row, tiers),
            )
        )
    years = range(first.year, last.year + 1)
    step = next(step for step in (1, 2, 5, 10, 20, 50) if len(years) / step <= 12)
    return Timeline(
        width=WIDTH,
        height=TOP + len(bars) * ROW + 8,
        left=LEFT,
        right=WIDTH - RIGHT,
        bars=tuple(bars),
        years=tuple(
            (place(day), str(day.year))
            for day in (date(year, 1, 1) for year in years if (year - first.year) % step == 0)
            if place(day) < WIDTH - RIGHT - LABEL
        ),
        first=first,
        last=last,
        tiers=tuple(tiers),
        left_out=len(rows) - len(shown),
    )


def _ends(row: Version, tiers: Sequence[str]) -> list[tuple[str, date | None]]:
    """The parts of a version's support with the last day of each, in order."""
    if row.support is None:
        return []
    if row.support.tiers and tiers:
        own = {tier.name: tier.ends for tier in row.support.tiers}
        return [(name, own[name]) for name in tiers if name in own]
    return [("", row.support.ends)]


def _told(row: Version, tiers: Sequence[str]) -> str:
    after = row.support.ends_after_next if row.support else ""
    parts = [f"{row.label}: released {words.in_words(row.released)}"]
    for name, end in _ends(row, tiers):
        until = words.in_words(end) if end else f"{after} after the next version is released"
        parts.append(f"{name or 'supported'} until {until}")
    return ", ".join(parts) + "."
