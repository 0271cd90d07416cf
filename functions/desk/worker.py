"""Work that nobody waits for, done while the desk serves: notes files that came past the desk, sees to
tickets whose time has come, hands over the mails of the outbox, gives the reminders of the day."""

from __future__ import annotations

import sys
import threading
from datetime import date

from chalicelib.refusals import NotAvailable, NotStored
from chalicelib.wiring import Desk

PAUSE = 2.0
"""Seconds between looks at an empty outbox."""


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


class Worker:
    """A thread that works until it is stopped. Trouble is said on stderr, and tried again."""

    def __init__(self, desk: Desk, pause: float = PAUSE) -> None:
        self._desk = desk
        self._pause = pause
        self._daily = DailyReminders(desk)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="desk-worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish the mail in hand and end; waits for at most 30 seconds."""
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        said = ""
        while not self._stop.is_set():
            busy = False
            try:
                noted = self._desk.arrivals.note() + self._desk.attending.run() + self._daily()
                busy = noted + sum(self._desk.outbox.run()) > 0
                said = ""
            except NotStored:
                trouble = "The store cannot be written; mails wait."
                if trouble != said:
                    print(trouble, file=sys.stderr, flush=True)  # noqa: T201 - the server's log
                said = trouble
            if not busy:
                self._stop.wait(self._pause)
