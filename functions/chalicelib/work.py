"""Work that nobody waits for: notes files that came past the desk, sees to tickets whose time has come, gives
the reminders of the day. The mails that come of it wait in the outbox.

On one machine a thread does it again and again, on AWS a function every minute; it may be done by several
at once.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from chalicelib.refusals import NotAvailable

if TYPE_CHECKING:
    from chalicelib.wiring import Desk


class DailyReminders:
    """Gives the day's reminders when the vendor opens, or as soon after it as it is asked. Being asked again,
    on the same day or by another desk, gives nothing twice: the store sees to that."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._done: date | None = None

    def __call__(self) -> int:
        """How many were given now. Raises NotStored."""
        try:
            hours = self._desk.catalog().hours
            local = self._desk.clock().astimezone(hours.zone)
            if local.date() == self._done or local.time() < hours.open:
                return 0
            given = [one for one in self._desk.reminders.give() if one.outcome == "given"]
        except NotAvailable:  # no site yet: there is no policy to remind by
            return 0
        self._done = local.date()
        return len(given)


class Work:
    """All of it but handing over mails, which is `Desk.outbox`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._daily = DailyReminders(desk)

    def noted(self) -> int:
        """Do what there is to do now; how many things were done. Raises NotStored."""
        return self._desk.arrivals.note() + self._desk.attending.run() + self._daily()
