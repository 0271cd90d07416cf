"""First responses against the promise: by month and severity, in opening time. Pure.

A month is that in which a ticket was received, in the vendor's zone. What was in time was decided when the
answer was given, by what was promised then. Time in which the vendor waited for the customer does not count.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from statistics import median

from chalicelib.catalog import OpeningHours
from chalicelib.drafts import SEVERITIES
from chalicelib.hours import open_time
from chalicelib.ports import Ticket

BECAUSE = (
    "A ticket counts in the month in which it was received, in the vendor's time zone, under the severity "
    "that it has now.",
    "In time: the first answer came by the time that was promised then, or nothing was promised.",
    "Late: answered after that time, or not answered and that time is over.",
    "Open: not answered yet, and not late. Unanswered: closed without an answer.",
    "Hours are opening hours from receipt to the first answer, without the time in which we waited for the "
    "customer; the 90th percentile is the smallest that nine of ten answers do not exceed.",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One month and severity. `received` is the sum of the four after it; hours None when nothing was
    answered."""

    month: str
    severity: str
    received: int
    in_time: int
    late: int
    open: int
    unanswered: int
    median_hours: float | None
    p90_hours: float | None

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def report(
    tickets: Iterable[Ticket], hours: OpeningHours, now: datetime, *, first: str = "", last: str = ""
) -> tuple[Row, ...]:
    """A row for each month (from `first` to `last`, as 2026-11; "" for no bound) and severity that has
    tickets."""
    groups: dict[tuple[str, str], list[Ticket]] = {}
    for ticket in tickets:
        month = f"{ticket.received.astimezone(hours.zone):%Y-%m}"
        if (not first or month >= first) and (not last or month <= last):
            groups.setdefault((month, ticket.severity), []).append(ticket)
    order = {severity: place for place, severity in enumerate(SEVERITIES)}
    return tuple(
        _row(month, severity, groups[month, severity], hours, now)
        for month, severity in sorted(groups, key=lambda key: (key[0], order.get(key[1], 9)))
    )


def response_time(ticket: Ticket, hours: OpeningHours) -> timedelta | None:
    """Opening time to the first answer, without that in which the customer was waited for; None when there
    was no answer."""
    answered = ticket.first_answered
    if answered is None:
        return None
    total, since = open_time(hours, ticket.received, answered), None
    for event in ticket.events:
        if event.when > answered:
            break
        if since is None and event.what in ("waits", "closed"):
            since = event.when
        elif since is not None and event.what in ("wrote", "reopened"):
            total -= open_time(hours, since, event.when)
            since = None
    return total - (open_time(hours, since, answered) if since is not None else timedelta(0))


def _row(month: str, severity: str, group: Sequence[Ticket], hours: OpeningHours, now: datetime) -> Row:
    answered = [ticket for ticket in group if ticket.first_answered is not None]
    late = sum(_late(ticket) for ticket in answered)
    rest = [ticket for ticket in group if ticket.first_answered is None]
    unanswered = sum(ticket.state == "closed" for ticket in rest)
    overdue = sum(ticket.reply_by is not None and ticket.reply_by < now for ticket in rest)
    took = sorted(
        time / timedelta(hours=1) for ticket in answered if (time := response_time(ticket, hours)) is not None
    )
    return Row(
        month=month,
        severity=severity,
        received=len(group),
        in_time=len(answered) - late,
        late=late + overdue,
        open=len(rest) - unanswered - overdue,
        unanswered=unanswered,
        median_hours=round(median(took), 2) if took else None,
        p90_hours=round(took[math.ceil(len(took) * 0.9) - 1], 2) if took else None,
    )


def _late(ticket: Ticket) -> bool:
    due, answered = ticket.first_due, ticket.first_answered
    return due is not None and answered is not None and answered > due
