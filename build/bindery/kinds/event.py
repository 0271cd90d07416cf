"""Events: conferences, user days, sessions where the vendor hosts, exhibits or speaks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from bindery.kinds.item import Item, common, fields_of
from bindery.source import Problem, Source

_URL = re.compile(r"https?://[^\s]+\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Event(Item):
    """An event from `start` to `end`, both days included; `event_url` is the organiser's page."""

    start: date
    end: date
    place: str
    event_url: str
    role: str


def parse(source: Source, problems: list[Problem]) -> Event | None:
    """One event from `events/<slug>.md`; None when it cannot be made (see problems)."""
    fields = fields_of(source, problems)
    before = len(problems)
    shared = common("event", source, fields)
    start = fields.date("start", required=True, such_as="2016-12-05")
    end = fields.date("end", required=True, such_as="2016-12-07")
    if start and end and end < start:
        fields.wrong("end", "the day of 'start' or a later one", f"{start}", f"'{end}'")
    place = fields.text("place", such_as="'Salt Lake City, Utah'", required=True)
    event_url = fields.text("url", such_as="https://example.com/", must_be="an address", pattern=_URL)
    role = fields.choice("role", ("host", "exhibitor", "speaker"))
    fields.finish("an event")
    if len(problems) > before or start is None or end is None:
        return None
    return Event(**shared, start=start, end=end, place=place, event_url=event_url, role=role)
