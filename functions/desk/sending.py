"""A mailing handed over from a terminal: alone on this machine, at a pace, with its progress told, and ended
after the mail in hand when somebody wants it ended."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

import click

from chalicelib.bulk_mail import BulkMail
from chalicelib.mailing_sender import Ended, MailingSender
from chalicelib.ports import Delivery, Mailing, Outcome
from chalicelib.ports.mailings import SenderBusy
from chalicelib.ports.subscriptions import LEAVE
from chalicelib.signing import fingerprint
from chalicelib.wiring import Desk
from desk.terminal import moment

TOLD_EVERY = 10.0
"""Seconds between lines of progress where nobody looks; on a terminal one line changes each second."""


class AtWork(click.ClickException):
    """Another send is at work on this machine."""


def send(desk: Desk, bulk: BulkMail, mailing: Mailing, *, per_second: float) -> Ended:
    """Hand over what is due of a frozen mailing. Raises ClickException when another send is at work."""
    pace, progress = _Pace(per_second), _Progress(mailing)
    with _alone(desk) as alone, _wish_to_stop() as wished:
        sender = MailingSender(
            store=desk.store,
            subscribers=desk.store,
            mailer=desk.mailer,
            clock=desk.clock,
            pause=pace,
            stop=lambda: bool(wished),
        )
        try:
            ended = sender.send(
                mailing.id, _Composer(desk, bulk), sender=uuid.uuid4().hex, alone=alone, tell=progress
            )
        except SenderBusy as busy:
            raise click.ClickException(
                f"Another send has this mailing, for all we know until {moment(desk, busy.until)}. Run this "
                "again after that."
            ) from None
    progress.end()
    return ended


def settled(desk: Desk, mailing: Mailing) -> Mailing:
    """The mailing; what a sender that lives no more left in its hands is unknown then."""
    if not mailing.counts["sending"]:
        return mailing
    sender, now = uuid.uuid4().hex, desk.clock()
    try:
        with _alone(desk) as alone:
            desk.store.take_over(mailing.id, sender, now=now, until=now, alone=alone)
            desk.store.release(mailing.id, sender)
    except (AtWork, SenderBusy):
        return mailing
    return desk.store.mailing(mailing.id) or mailing


def rested(desk: Desk, mailing: str, sleep: Callable[[float], None] = time.sleep) -> bool:
    """Wait until the next of those that were refused for the moment is due; False when there is none."""
    rest, _ = desk.store.deliveries(mailing, ["pending"])
    if not rest:
        return False
    soonest = min(one.next_try for one in rest)
    click.echo(f"{len(rest)} wait to be tried again at {moment(desk, soonest)}.", err=True)
    sleep(max(0.0, (soonest - desk.clock()).total_seconds()))
    return True


def told(desk: Desk, mailing: str, ended: Ended, again: str) -> None:
    """Say how it ended, and what is left to do; exit 1 when it is not through. `again`: the command that
    goes on."""
    held = desk.store.mailing(mailing)
    counts: Mapping[str, int] = held.counts if held else {}
    click.echo(in_words(counts))
    waiting = counts.get("pending", 0)
    if ended.why:
        click.echo(f"It is not through: {ended.why}. Nothing is lost. Go on with: {again}", err=True)
        raise click.exceptions.Exit(1)
    if waiting:
        rest, _ = desk.store.deliveries(mailing, ["pending"])
        soonest = moment(desk, min((one.next_try for one in rest), default=None))
        click.echo(f"{waiting} were not taken yet: try them again after {soonest} with: {again}", err=True)
    if counts.get("unknown"):
        click.echo(
            f"{counts['unknown']} may have been sent or not: desk newsletter status tells which.", err=True
        )


def in_words(counts: Mapping[str, int]) -> str:
    """Counts of deliveries, those that are none left out."""
    named = [f"{number:,} {state}" for state, number in counts.items() if number]
    return f"{', '.join(named) or 'nobody'}; {sum(counts.values()):,} in all."


class _Composer:
    """Makes each recipient's mail. Refuses to begin with links that would open nothing."""

    def __init__(self, desk: Desk, bulk: BulkMail) -> None:
        self._desk = desk
        self._bulk = bulk
        self._leave = desk.leave_address()
        self._checked = False

    def __call__(self, delivery: Delivery, started: datetime) -> EmailMessage:
        leave_url = self._desk.subscriptions.leave_url(delivery.subscriber)
        if not self._checked:
            token = fingerprint(leave_url.rsplit("/", 1)[1])
            if self._desk.store.subscriber_by_token(LEAVE, token) is None:
                raise click.ClickException(
                    "SUPPORT_SECRET is not the one that the subscribers were kept with: their links to leave "
                    "would open nothing. Nothing was sent."
                )
            self._checked = True
        return self._bulk.to(
            delivery.email,
            message_id=self._bulk.message_id(delivery.subscriber),
            date=started,
            leave_url=leave_url,
            leave_address=self._leave,
        )


class _Pace:
    """Waits so long that no more than so many mails go in a second; 0: as fast as they are taken."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0

    def __call__(self) -> None:
        if not self._gap:
            return
        now = time.monotonic()
        if now < self._next:
            time.sleep(self._next - now)
        self._next = max(now, self._next) + self._gap


class _Progress:
    """Tells how far it is, on standard error."""

    def __init__(self, mailing: Mailing) -> None:
        self._done = mailing.total - mailing.counts.get("pending", 0) - mailing.counts.get("sending", 0)
        self._first = self._done
        self._total = mailing.total
        self._began = self._last = time.monotonic()
        self._screen = sys.stderr.isatty()

    def __call__(self, delivery: Delivery, outcome: Outcome) -> None:
        self._done += outcome.state != "pending"
        now = time.monotonic()
        if now - self._last >= (1.0 if self._screen else TOLD_EVERY):
            self._last = now
            self._tell(now)

    def end(self) -> None:
        if self._screen:
            click.echo("\r\x1b[K", nl=False, err=True)

    def _tell(self, now: float) -> None:
        speed = (self._done - self._first) / max(now - self._began, 0.001)
        left = (self._total - self._done) / speed if speed else 0
        line = f"{self._done:,} of {self._total:,}, {speed:,.0f} a second, about {_span(left)} left"
        click.echo(f"\r\x1b[K{line}" if self._screen else line, nl=not self._screen, err=True)


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def _alone(desk: Desk) -> Iterator[bool]:
    """Whether no other send can be at work: known where the store is a file of this machine, by a lock that
    ends with its process, however that ends."""
    if not desk.settings.store.startswith("sqlite:"):
        yield False
        return
    lock = Path(desk.settings.store.removeprefix("sqlite:") + ".sending")
    lock.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AtWork("Another send is at work on this machine. Wait for it, or end it.") from None
        yield True
    finally:
        os.close(handle)


@contextmanager
def _wish_to_stop() -> Iterator[list[int]]:
    """Gets an entry when the process is asked to end; a second time it ends at once."""
    wished: list[int] = []

    def wish(number: int, frame: object) -> None:
        if wished:
            raise KeyboardInterrupt
        wished.append(number)
        click.echo("Ending after the mail in hand …", err=True)

    try:
        earlier = {one: signal.signal(one, wish) for one in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not in the main thread: nobody sends us signals there
        earlier = {}
    try:
        yield wished
    finally:
        for one, handler in earlier.items():
            signal.signal(one, handler)
