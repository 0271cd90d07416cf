"""Calendars: known ends of support, and events, as iCalendar (RFC 5545).

UIDs never change and every stamp is a day of the content: the same content, and the same ledger, give the
same
bytes. With the ledger of a target SEQUENCE rises when a date moved, and what is no more stands as cancelled;
without one SEQUENCE is 0, because nothing here knows what was published before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bindery import support
from bindery.channels import CALENDARS, Channel
from bindery.kinds.item import Item
from bindery.library import Library
from bindery.permanence import Dated, Ledger, Trace
from bindery.support import Answer

NEWEST = 200  # entries in a calendar, the last days first
REFRESHED = timedelta(days=1)  # how often a program is to look again
VERSION = 2  # of what this module makes of the same entries; raised with every change of the form
Answers = Mapping[tuple[str, str], Answer]


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """An entry from `first` to `last`, both days included; `stamp` is when it became known, `file` the
    content file that tells it ("" for one that only the ledger knows) and `at` the address of its page."""

    uid: str
    first: date
    last: date
    summary: str
    description: str
    url: str
    place: str
    stamp: datetime
    file: str
    at: str
    sequence: int = 0
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class CalendarPlan:
    """A calendar that a build would make: `path` below public, the key that decides its text, the text; `ids`
    are the UIDs of all its entries, of those too that it shows no more because they are too old."""

    path: str
    key: str
    text: Callable[[], str]
    ids: tuple[tuple[str, Trace], ...] = ()


def outputs(library: Library, answers: Answers, *, site_url: str) -> Iterator[tuple[str, str]]:
    """Every calendar as (path below public, text); see `plans`."""
    for plan in plans(library, answers, site_url=site_url):
        yield plan.path, plan.text()


def plans(
    library: Library, answers: Answers, *, site_url: str, ledger: Ledger | None = None
) -> Iterator[CalendarPlan]:
    """Every calendar. `site_url` ends in a slash; `ledger` is that of the target it will be published at."""
    before = ledger or Ledger()
    zone = ZoneInfo(library.policy.hours.time_zone)
    entries_of = {"life-cycle": _ends(library, answers, site_url), "events": _events(library, site_url)}
    vendor = library.home.vendor.name
    for channel in CALENDARS:
        told = [_numbered(entry, before) for entry in entries_of[channel.name]]
        told += _cancelled(before, channel.name, {entry.uid for entry in told}, zone)
        told.sort(key=lambda entry: (entry.first, entry.uid))
        entries = tuple(told[-NEWEST:])
        yield CalendarPlan(
            f"calendar/{channel.name}.ics",
            repr((VERSION, vendor, channel, entries)),
            partial(_text, vendor, channel, entries),
            tuple((entry.uid, _trace(channel.name, entry)) for entry in told),
        )


def _numbered(entry: Entry, before: Ledger) -> Entry:
    """The entry with its SEQUENCE: one more than was published once its days are others (RFC 5545,
    3.8.7.4)."""
    known = before.dated.get(entry.uid)
    if known is None or known.trace.said is None:
        return entry
    said = known.trace.said
    moved = (said.first, said.last) != (entry.first.isoformat(), entry.last.isoformat()) or said.cancelled
    return replace(entry, sequence=said.sequence + moved)


def _cancelled(before: Ledger, calendar: str, there: Set[str], zone: ZoneInfo) -> Iterator[Entry]:
    """What the calendar once said and the content says no more: a program that knows it must hear that."""
    for uid, known in before.dated.items():
        said = known.trace.said
        if said is None or said.calendar != calendar or uid in there or known.let_go:
            continue
        yield Entry(
            uid=uid,
            first=date.fromisoformat(said.first),
            last=date.fromisoformat(said.last),
            summary=said.summary,
            description="",
            url=said.url,
            place="",
            stamp=datetime.fromisoformat(said.stamp).astimezone(zone),
            file=known.trace.file or "",
            at=known.trace.at,
            sequence=said.sequence + (not said.cancelled),
            cancelled=True,
        )


def _trace(calendar: str, entry: Entry) -> Trace:
    said = Dated(
        calendar=calendar,
        first=entry.first.isoformat(),
        last=entry.last.isoformat(),
        sequence=entry.sequence,
        cancelled=entry.cancelled,
        summary=entry.summary,
        url=entry.url,
        stamp=entry.stamp.astimezone(UTC).isoformat(),
    )
    return Trace(entry.file, entry.at, said)


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
            file=end.release.path,
            at=end.release.url,
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
            file=event.path,
            at=event.url,
        )


def _told(item: Item, text: str) -> str:
    return f"Sample. {item.sample_note}\n{text}" if item.sample else text


def _uid(library: Library, identity: str) -> str:
    return f"{identity}@{urlsplit(library.home.vendor.url).hostname or 'example.com'}"


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _text(vendor: str, channel: Channel, entries: tuple[Entry, ...]) -> str:
    import icalendar  # slow to come, and most builds write no calendar

    calendar = icalendar.Calendar()
    calendar.add("prodid", f"-//{vendor}//bindery//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    title = icalendar.vText(f"{vendor}: {channel.title}")
    calendar.add("name", title)
    calendar.add("x-wr-calname", title)  # what programs read before RFC 7986
    calendar.add("description", channel.about)
    calendar.add("refresh-interval", REFRESHED, {"VALUE": "DURATION"})
    calendar.add("x-published-ttl", icalendar.vDuration(REFRESHED))  # the same, for Outlook
    for entry in entries:
        event = icalendar.Event()
        event.add("uid", entry.uid)
        event.add("dtstamp", entry.stamp.astimezone(UTC))
        event.add("last-modified", entry.stamp.astimezone(UTC))
        event.add("sequence", entry.sequence)
        if entry.cancelled:
            event.add("status", "CANCELLED")
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
