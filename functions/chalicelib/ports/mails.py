"""Mails that wait to be handed over, and who takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from chalicelib.ports.audit import Act

if TYPE_CHECKING:
    from email.message import EmailMessage


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """A mail that waits: which template, to whom, and about what: `about` names it in words of its template
    (a ticket's number, for one), `message` is that of a ticket, or 0. Its text is made when it is handed
    over, so no token and no visitor text lies in the queue. `capped`: the address is not proved, so it counts
    towards the caps and is suppressed beyond them."""

    id: str
    message_id: str
    template: str
    to: str
    about: str
    message: int
    capped: bool
    created: datetime


MAIL_CAPS: tuple[tuple[timedelta, int], ...] = ((timedelta(hours=1), 3), (timedelta(days=1), 10))
"""At most so many mails in so long a time to an address that nobody has proved they own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueuedMail:
    """A mail with its fate. `state`: waiting, sending, sent, failed (given up) or suppressed (beyond a cap,
    or found unwanted when it was to be handed over: `trouble` says so)."""

    mail: Outgoing
    state: str
    attempts: int
    next_try: datetime
    trouble: str


class MailStore(Protocol):
    """The outbox."""

    def claim_mails(self, now: datetime, limit: int) -> tuple[QueuedMail, ...]:
        """Take waiting mails whose time has come, and those that were being sent when a sender died."""
        ...

    def mail_sent(self, mail_id: str, now: datetime) -> None: ...

    def mail_failed(self, mail_id: str, trouble: str, next_try: datetime | None) -> None:
        """Wait until `next_try`, or give up (None)."""
        ...

    def drop_mail(self, mail_id: str, reason: str) -> None:
        """Suppress a claimed mail: nobody wants it any more. It counts for the caps as if it were sent."""
        ...

    def mails(self, states: Sequence[str]) -> tuple[QueuedMail, ...]: ...

    def retry_mails(self, now: datetime, mail_id: str = "", act: Act | None = None) -> int:
        """Put failed mails (or one) back to waiting, and make waiting ones due now; how many."""
        ...

    def oldest_unsent(self) -> datetime | None: ...


class MailTrouble(Exception):
    """A mail was not taken. `permanent`: trying again is of no use. The words hold no address and no text."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.permanent = permanent


class Mailer(Protocol):
    """Hands one mail over. Raises MailTrouble."""

    def deliver(self, message: EmailMessage, recipient: str) -> None: ...
