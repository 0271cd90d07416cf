"""Calendars: known ends of support, and events, as iCalendar (RFC 5545).

UIDs never change and every stamp is a day of the content: the same content gives the same bytes. SEQUENCE
is 0, because nothing here knows what was published before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import icalendar

from bindery import support
from bindery.channels import CALENDARS, Channel
from bindery.kinds.item import Item
from bindery.library import Library
from bindery.support import Answer

NEWEST = 200  # entries in a calendar, the last days first
VERSION = 1  # of what this module makes of the same entries; raised with every change of the form
Answers = Mapping[tuple[str, str], Answer]


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """An entry from `first` to `last`, both days included; `stamp` is when it became known."""

    uid: str
    first: date
    last: date
    summary: str
    description: str
    url: str
    place: str
    stamp: datetime


@dataclass(frozen=True, slots=True)
class CalendarPlan:
    """A calendar that a build would make: `path` below public, the key that decides its text, the text."""

    path: str
    key: str
    text: Callable[[], str]


def outputs(library: Library, answers: Answers, *, site_url: str) -> Iterator[tuple[str, str]]:
    """Every calendar as (path below public, text); see `plans`."""
    for plan in plans(library, answers, site_url=site_url):
        yield plan.path, plan.text()


def plans(library: Library, answers: Answers, *, site_url: str) -> Iterator[CalendarPlan]:
    """Every calendar. `site_url` ends in a slash."""
    entries_of = {"life-cycle": _ends(library, answers, site_url), "events": _events(library, site_url)}
    vendor = library.home.vendor.name
    for channel in CALENDARS:
        entries = tuple(sorted(entries_of[channel.name], key=lambda entry: (entry.first, entry.uid)))
        entries = entries[-NEWEST:]
        yield CalendarPlan(
            f"calendar/{channel.name}.ics",
            repr((VERSION, vendor, channel, entries)),
            partial(_text, vendor, channel, entries),
        )


def _ends(library: Library, answers: Answers, site_url: str) -> Iterator[Entry]:
    zone = ZoneInfo(library.policy.hours.time_zone)
    for end in support.ends(library, answers):
        name = library.name_of(end.release)
        reasons = [support.PLACE.sub("", reason) for reason in end.because]
        yield Entry(
            uid=_uid(library, end.name),
            first=end.day,
            last=end.day,
            summary=f"Last day of {end.tier} support: {name}" if end.tier else f"Last day of support: {name}",
            description=_told(
                end.release, "\n".join(f"{reason[:1].upper()}{reason[1:]}." for reason in reasons)
            ),
            url=site_url + end.release.url,
            place="",
            stamp=_midnight(end.decided, zone),
        )


def _events(library: Library, site_url: str) -> Iterator[Entry]:
    zone = ZoneInfo(library.policy.hours.time_zone)
    for event in library.events:
        yield Entry(
            uid=_uid(library, event.id),
            first=event.start,
            last=event.end,
            summary=event.title,
            description=_told(event, event.summary),
            url=site_url + event.url,
            place=event.place,
            stamp=event.publish_at or _midnight(event.updated or event.start, zone),
        )


def _told(item: Item, text: str) -> str:
    return f"Sample. {item.sample_note}\n{text}" if item.sample else text


def _uid(library: Library, identity: str) -> str:
    return f"{identity}@{urlsplit(library.home.vendor.url).hostname or 'example.com'}"


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _text(vendor: str, channel: Channel, entries: tuple[Entry, ...]) -> str:
    calendar = icalendar.Calendar()
    calendar.add("prodid", f"-//{vendor}//bindery//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    title = icalendar.vText(f"{vendor}: {channel.title}")
    calendar.add("name", title)
    calendar.add("x-wr-calname", title)  # what programs read before RFC 7986
    calendar.add("description", channel.about)
    for entry in entries:
        event = icalendar.Event()
        event.add("uid", entry.uid)
        event.add("dtstamp", entry.stamp.astimezone(UTC))
        event.add("sequence", 0)
        event.add("dtstart", entry.first)
        event.add("dtend", entry.last + timedelta(days=1))  # RFC 5545: the first day after
        event.add("summary", entry.summary)
        if entry.description:
            event.add("description", entry.description)
        if entry.place:
            event.add("location", entry.place)
        event.add("url", entry.url)
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    made: bytes = calendar.to_ical()
    return made.decode()
