"""Work that nobody waits for, done by a thread while the desk serves."""

from __future__ import annotations

import sys
import threading
import time

from chalicelib.refusals import NotStored
from chalicelib.wiring import Desk
from chalicelib.work import Work

PAUSE = 2.0
"""Seconds between looks at an empty outbox."""
BATCH = 10
GIVE_WAY = 0.05
"""Mails at once, and seconds at most after them for those who wait for an answer: a mail takes more
processor than a ticket, and each ticket sends two."""


class Worker:
    """A thread that works until it is stopped. Trouble is said on stderr, and tried again."""

    def __init__(self, desk: Desk, pause: float = PAUSE) -> None:
        self._desk = desk
        self._pause = pause
        self._work = Work(desk)
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
            busy, began = False, time.monotonic()
            try:
                busy = self._work.noted() + sum(self._desk.outbox.run(BATCH)) > 0
                said = ""
            except NotStored:
                trouble = "The store cannot be written; mails wait."
                if trouble != said:
                    print(trouble, file=sys.stderr, flush=True)  # noqa: T201 - the server's log
                said = trouble
            took = time.monotonic() - began
            self._stop.wait(min(took, GIVE_WAY) if busy else self._pause)
