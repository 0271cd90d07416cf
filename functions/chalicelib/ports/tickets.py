"""What a store keeps of tickets. No token in the clear."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from chalicelib.ports.audit import Act
from chalicelib.ports.identity import Identity
from chalicelib.ports.mails import Outgoing
from chalicelib.promises import Promise


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
class Event:
    """Something that happened to a ticket. `sequence` counts from 1; `who` is "visitor", "staff" or "desk",
    `author` the name of a member of staff. `facts` are texts and whole numbers, their meaning is `what`'s."""

    sequence: int
    when: datetime
    who: str
    author: str
    what: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """An on-line session. `state`: asked (the visitor's wish), planned or cancelled. `uid` and `sequence` are
    those of its invitations; `uid` is "" while there was none."""

    state: str
    start: datetime
    minutes: int
    uid: str
    sequence: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """A ticket as it is kept. `token_hash` is the SHA-256 of the secret in its address; `salt` makes that
    secret again together with SUPPORT_SECRET. `state`: open, waiting (for the visitor), answered or closed.
    `covered`: yes, no or unknown. `promise`: what is promised, None when nothing is or it was kept;
    `reply_by`: when it is due, None while it is not. `first_due`: when the first answer was due when it was
    given. `attend_at`: when the desk must look at the ticket by itself. `known`: what the visitor was told of
    the version when the ticket was taken. `revision` counts its changes, from 1."""

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
    first_due: datetime | None = None
    promise: Promise | None = None
    attend_at: datetime | None = None
    known: Mapping[str, Any] | None = None
    defects: tuple[str, ...] = ()
    session: Session | None = None
    revision: int = 1
    messages: tuple[Message, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What a ticket becomes, and what goes with it: mails, and the act of staff that did it. Messages and
    events are added at the end; nothing of them is ever changed. Attachments are not changed by this."""

    ticket: Ticket
    mails: tuple[Outgoing, ...] = ()
    act: Act | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplyDraft:
    """A reply that the desk wrote and a person is to send: that `release` fixes `defect`, which a ticket is
    linked to. `id` follows from these three. `state`: waiting, sent or dropped."""

    id: str
    ticket: str
    defect: str
    release: str
    text: str
    state: str
    made: datetime


ANNOUNCED_FOR = timedelta(hours=1)
"""So long an announced file may arrive, and takes one of the places of its ticket."""


class NumberTaken(Exception):
    """A ticket with this number exists; nothing was changed. Draw another."""


class DraftGone(Exception):
    """There is no such draft, or it was sent or dropped already; nothing was changed."""


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

    def change_ticket(
        self,
        number: str,
        change: Callable[[Ticket], Change],
        now: datetime,
        *,
        identity: Identity | None = None,
        draft: str = "",
    ) -> tuple[Ticket, bool]:
        """One step in a ticket's life. `change` is given the ticket as it is, and may be asked again when
        somebody was faster; nobody changes the ticket meanwhile. What it raises changes nothing, and neither
        does giving the same ticket back. `draft` is a waiting draft that is sent with it. The ticket
        afterwards, and True when `identity` was seen before: then it is left alone.

        Raises NotFound, KeyReused, DraftGone.
        """
        ...

    def tickets_to_attend(self, now: datetime, limit: int) -> tuple[Ticket, ...]:
        """Those whose `attend_at` has come, the longest overdue first."""
        ...

    def keep_draft(self, draft: ReplyDraft, act: Act | None = None) -> bool:
        """Keep it, unless it was made before: then False, whatever became of it."""
        ...

    def drafts(self, state: str) -> tuple[ReplyDraft, ...]:
        """In the order in which they were made."""
        ...

    def drop_draft(self, draft_id: str, act: Act | None = None) -> ReplyDraft:
        """Raises DraftGone."""
        ...

    def announce_attachment(self, number: str, attachment: Attachment, limit: int) -> None:
        """Keep that a file was announced. Raises AttachmentsFull when `limit` files are stored, or were
        announced within `ANNOUNCED_FOR`."""
        ...

    def attach(self, number: str, attachment: Attachment, limit: int) -> Ticket:
        """Keep that every byte of a file is stored; the same bytes under the same name once. Raises
        AttachmentsFull."""
        ...
