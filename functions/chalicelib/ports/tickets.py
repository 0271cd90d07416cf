"""What a store keeps of tickets. No token in the clear."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from chalicelib.ports.audit import Act
from chalicelib.ports.identity import Identity
from chalicelib.ports.mails import Outgoing


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message of a ticket. `sequence` counts from 1; `who` is "visitor" or "staff"; `author` for staff
    only."""

    sequence: int
    who: str
    author: str
    text: str
    when: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A file of a ticket. `state`: "waiting" (announced, not arrived) or "stored" (every byte is on disk)."""

    id: str
    name: str
    content_type: str
    size: int
    sha256: str
    state: str
    when: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """A ticket as it is kept. `token_hash` is the SHA-256 of the secret in its address; `salt` makes that
    secret again together with SUPPORT_SECRET. `state`: open, answered or closed. `covered`: yes, no
    or unknown."""

    number: str
    salt: str
    token_hash: str
    received: datetime
    reply_by: datetime | None
    reply_by_because: tuple[str, ...]
    state: str
    name: str
    email: str
    organization: str
    phone: str
    agreement: str
    product: str
    version: str
    kind: str
    severity: str
    subject: str
    description: str
    route: str
    mailbox: str
    route_because: tuple[str, ...]
    first_in_queue: bool
    covered: str
    assignee: str = ""
    first_answered: datetime | None = None
    messages: tuple[Message, ...] = ()
    attachments: tuple[Attachment, ...] = ()


ANNOUNCED_FOR = timedelta(hours=1)
"""So long an announced file may arrive, and takes one of the places of its ticket."""


class NumberTaken(Exception):
    """A ticket with this number exists; nothing was changed. Draw another."""


class AttachmentsFull(Exception):
    """The ticket holds as many attachments as it may; nothing was changed."""


def place(ticket: Ticket) -> str:
    """Where a ticket stands among those of its address: text that sorts as they came."""
    return f"{ticket.received.astimezone(UTC).isoformat(timespec='microseconds')} {ticket.number}"


def mark_of(ticket: Ticket) -> str:
    """The mark of a list that ended with this ticket: a word for a URL, that nobody reads."""
    return urlsafe_b64encode(place(ticket).encode()).rstrip(b"=").decode()


def place_of(mark: str) -> str:
    """The place that a mark means; "" for none, and for what is no mark."""
    try:
        text = urlsafe_b64decode(mark.encode() + b"=" * (-len(mark) % 4)).decode()
        when, _, number = text.partition(" ")
        datetime.fromisoformat(when)
    except ValueError:
        return ""
    return text if number else ""


class TicketStore(Protocol):
    """Tickets, their messages and files."""

    def open_ticket(
        self, ticket: Ticket, identity: Identity, mails: Sequence[Outgoing], now: datetime
    ) -> tuple[Ticket, bool]:
        """Keep a ticket and its mails; the ticket and False, or the first one and True when this is a
        repetition.

        Raises KeyReused, NumberTaken.
        """
        ...

    def ticket_by_token(self, token_hash: str) -> Ticket | None: ...

    def ticket(self, number: str) -> Ticket | None: ...

    def tickets(self, states: Sequence[str]) -> tuple[Ticket, ...]:
        """Those in one of the states, defects that are first in their queue before the rest, then by
        reply-by."""
        ...

    def tickets_of(self, email: str, *, before: str = "", limit: int = 20) -> tuple[tuple[Ticket, ...], str]:
        """Those that came from an address, however its ASCII letters are written, the newest first; and the
        mark that `before` takes for those that follow, "" when there are no more. A mark that is none of
        ours begins anew."""
        ...

    def add_message(
        self,
        number: str,
        message: Message,
        state: str,
        identity: Identity,
        mails: Sequence[Outgoing],
        now: datetime,
        act: Act | None = None,
    ) -> tuple[Ticket, bool]:
        """Add a message (its sequence is given by the store, also to the mails), set the state; a staff
        message
        sets `first_answered` once. Returns the ticket, and True when this is a repetition. Raises
        KeyReused."""
        ...

    def assign(self, number: str, assignee: str, act: Act | None = None) -> Ticket: ...

    def set_state(self, number: str, state: str, act: Act | None = None) -> Ticket: ...

    def announce_attachment(self, number: str, attachment: Attachment, limit: int) -> None:
        """Keep that a file was announced. Raises AttachmentsFull when `limit` files are stored, or were
        announced within `ANNOUNCED_FOR`."""
        ...

    def attach(self, number: str, attachment: Attachment, limit: int) -> Ticket:
        """Keep that every byte of a file is stored; the same bytes under the same name once. Raises
        AttachmentsFull."""
        ...
