"""On-line sessions: which hours can be chosen, and the invitation that both sides get (RFC 5546).

Pure. The words of an invitation are ours and fixed: it goes to an address that nobody has proved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from chalicelib import calendar_text
from chalicelib.catalog import OpeningHours
from chalicelib.hours import moment_text, nearest_opening
from chalicelib.ports import Session
from chalicelib.refusals import FieldProblem, Invalid

USUAL = 60
"""Minutes of a session for which nobody says how long it is."""
LONGEST = timedelta(hours=8)


@dataclass(frozen=True, kw_only=True, slots=True)
class Invitation:
    """What stands in the calendar of both sides. `method`: REQUEST, CANCEL or PUBLISH (for one's own
    calendar, without attendees). `stamp`: when it was made."""

    method: str
    session: Session
    number: str
    vendor: str
    organizer: str
    attendee: str
    url: str
    stamp: datetime

    def text(self) -> str:
        """The calendar, the same bytes each time."""
        return calendar_text.calendar(self.method, [self.entry()])

    def entry(self) -> str:
        """The event alone, for a calendar that has others too."""
        session, line, text = self.session, calendar_text.line, calendar_text.text
        ends = session.start + timedelta(minutes=session.minutes)
        lines = [
            line("UID", session.uid),
            line("SEQUENCE", str(session.sequence)),
            line("DTSTAMP", calendar_text.instant(self.stamp)),
            line("DTSTART", calendar_text.instant(session.start)),
            line("DTEND", calendar_text.instant(ends)),
            line("SUMMARY", text(f"On-line session, request {self.number}")),
            line("DESCRIPTION", text(f"On-line session of {self.vendor} about request {self.number}.")),
            line("STATUS", "CANCELLED" if session.state == "cancelled" else "CONFIRMED"),
            line("TRANSP", "OPAQUE"),
            line("ORGANIZER", f"mailto:{self.organizer}", ("CN", self.vendor)),
        ]
        if self.url:
            lines.append(line("URL", self.url))
        if self.method != "PUBLISH":
            asks = self.method == "REQUEST"
            lines.append(
                line(
                    "ATTENDEE",
                    f"mailto:{self.attendee}",
                    ("ROLE", "REQ-PARTICIPANT"),
                    ("PARTSTAT", "NEEDS-ACTION"),
                    *((("RSVP", "TRUE"),) if asks else ()),
                )
            )
        return calendar_text.component("VEVENT", lines)


def chosen(hours: OpeningHours | None, start: datetime, minutes: int, now: datetime) -> None:
    """Whether a session can be then. Raises Invalid with the nearest hour that can be chosen; without opening
    hours nothing but the past is refused."""
    length = timedelta(minutes=minutes)
    if start <= now:
        nearest = _nearest(hours, max(start, now), length)
        raise _no(f"Choose an hour to come.{nearest}")
    if hours is None:
        return
    try:
        fits = nearest_opening(hours, start, length) == start
    except ValueError:
        fits = False
    if not fits:
        raise _no(f"We are not open then for as long as that.{_nearest(hours, start, length)}")


def wished(hours: OpeningHours | None, day: str, time: str) -> datetime | None:
    """The hour that a visitor typed, in the vendor's zone (UTC without hours); None when nothing was typed.
    Raises Invalid for what is no day or no time of day, both at once."""
    if not day.strip() and not time.strip():
        return None
    problems = []
    for name, given, form, such_as in (
        ("session_date", day, "%Y-%m-%d", "2026-12-01"),
        ("session_time", time, "%H:%M", "14:30"),
    ):
        what = "a day" if name == "session_date" else "a time"
        if not given.strip():
            problems.append(FieldProblem(field=name, message=f"Enter {what} too, such as {such_as}."))
            continue
        try:
            datetime.strptime(given.strip(), form)  # noqa: DTZ007 - a day or a time alone has no zone
        except ValueError:
            problems.append(FieldProblem(field=name, message=f"Enter {what} such as {such_as}."))
    if problems:
        raise Invalid(problems)
    at = datetime.strptime(f"{day.strip()} {time.strip()}", "%Y-%m-%d %H:%M")  # noqa: DTZ007
    return at.replace(tzinfo=hours.zone if hours else UTC)


def planned(number: str, host: str, before: Session | None, start: datetime, minutes: int) -> Session:
    """A session that both sides are invited to. One that was planned is moved: the same UID, a higher
    SEQUENCE; after one that was called off it is a new one."""
    if before is not None and before.state == "planned":
        return replace(before, start=start, minutes=minutes, sequence=before.sequence + 1)
    count = int(before.uid.partition("@")[0].rpartition("-")[2]) + 1 if before and before.uid else 1
    uid = f"session-{number}-{count}@{host}"
    return Session(state="planned", start=start, minutes=minutes, uid=uid, sequence=0)


def cancelled(before: Session) -> Session:
    return replace(before, state="cancelled", sequence=before.sequence + 1)


def _no(message: str) -> Invalid:
    return Invalid([FieldProblem(field="session_time", message=message)])


def _nearest(hours: OpeningHours | None, start: datetime, length: timedelta) -> str:
    if hours is None:
        return ""
    try:
        nearest = moment_text(nearest_opening(hours, start, length), hours)
    except ValueError:
        return ""
    return f" The nearest hour that we can offer is {nearest}."
