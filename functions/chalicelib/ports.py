"""The doors of the domain: what it asks of a store, a file store and a mailer.

The verbs are business transactions: each is one SQLite transaction (or one DynamoDB write or transaction),
with the mails that belong to it. The values are what a store keeps; they hold no token in the clear.
Nothing here knows a technique.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from typing import BinaryIO, Protocol

from chalicelib.agreements import Agreement, Period

Clock = Callable[[], datetime]
"""Gives the present as an instant in UTC."""


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
    secret
    again together with SUPPORT_SECRET. `state`: open, answered or closed. `covered`: yes, no or unknown."""

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """What makes two requests the same: a key (hash, or "" without) for `KEY_KEPT`, else the content
    (hash) for `CONTENT_KEPT`."""

    key_hash: str
    content_hash: str


KEY_KEPT = timedelta(days=7)
CONTENT_KEPT = timedelta(minutes=10)
ANNOUNCED_FOR = timedelta(hours=1)
"""So long an announced file may arrive, and takes one of the places of its ticket."""


class KeyReused(Exception):
    """The key was used before with other content; nothing was changed."""


class NumberTaken(Exception):
    """A ticket with this number exists; nothing was changed. Draw another."""


class AttachmentsFull(Exception):
    """The ticket holds as many attachments as it may; nothing was changed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """A mail that waits: which template, to whom, about which ticket and message. Its text is made when it is
    handed over, so no token and no visitor text lies in the queue. `capped`: the address is not proved, so it
    counts towards the caps and is suppressed beyond them."""

    id: str
    message_id: str
    template: str
    to: str
    ticket: str
    message: int
    capped: bool
    created: datetime


MAIL_CAPS: tuple[tuple[timedelta, int], ...] = ((timedelta(hours=1), 3), (timedelta(days=1), 10))
"""At most so many mails in so long a time to an address that nobody has proved they own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueuedMail:
    """A mail with its fate. `state`: waiting, sending, sent, failed (given up) or suppressed (beyond a
    cap)."""

    mail: Outgoing
    state: str
    attempts: int
    next_try: datetime
    trouble: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """What an import did, by agreement number."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]


class Store(Protocol):
    """Everything that must not be lost. Every verb raises `NotStored` when the disk is full, read-only or
    gone; then nothing of it was kept. A verb that returns has been committed and synced."""

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

    def add_message(
        self,
        number: str,
        message: Message,
        state: str,
        identity: Identity,
        mails: Sequence[Outgoing],
        now: datetime,
    ) -> tuple[Ticket, bool]:
        """Add a message (its sequence is given by the store, also to the mails), set the state; a staff
        message
        sets `first_answered` once. Returns the ticket, and True when this is a repetition. Raises
        KeyReused."""
        ...

    def assign(self, number: str, assignee: str) -> Ticket: ...

    def set_state(self, number: str, state: str) -> Ticket: ...

    def announce_attachment(self, number: str, attachment: Attachment, limit: int) -> None:
        """Keep that a file was announced. Raises AttachmentsFull when `limit` files are stored, or were
        announced within `ANNOUNCED_FOR`."""
        ...

    def attach(self, number: str, attachment: Attachment, limit: int) -> Ticket:
        """Keep that every byte of a file is stored; the same bytes under the same name once. Raises
        AttachmentsFull."""
        ...

    def agreement(self, number: str) -> Agreement | None: ...

    def agreements(self) -> tuple[Agreement, ...]: ...

    def import_agreements(self, agreements: Iterable[Agreement], *, dry_run: bool) -> Imported:
        """All or none. Keys are left as they are."""
        ...

    def renew(self, number: str, period: Period) -> Agreement:
        """Add a paid period. Raises ValueError when it overlaps one that is there."""
        ...

    def withdraw(self, number: str, day: date | None) -> Agreement: ...

    def key_hash(self, number: str) -> str:
        """The hash of an agreement's key, or "" when there is no key or no such agreement."""
        ...

    def set_key(self, number: str, key_hash: str, now: datetime) -> None: ...

    def claim_mails(self, now: datetime, limit: int) -> tuple[QueuedMail, ...]:
        """Take waiting mails whose time has come, and those that were being sent when a sender died."""
        ...

    def mail_sent(self, mail_id: str, now: datetime) -> None: ...

    def mail_failed(self, mail_id: str, trouble: str, next_try: datetime | None) -> None:
        """Wait until `next_try`, or give up (None)."""
        ...

    def mails(self, states: Sequence[str]) -> tuple[QueuedMail, ...]: ...

    def retry_mails(self, now: datetime, mail_id: str = "") -> int:
        """Put failed mails (or one) back to waiting, and make waiting ones due now; how many."""
        ...

    def oldest_unsent(self) -> datetime | None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadForm:
    """A form to be posted as multipart/form-data: `url`, the hidden `fields`, then the file in a field
    `file`."""

    url: str
    fields: Mapping[str, str]
    expires: datetime
    max_size: int

    def as_json(self) -> dict[str, object]:
        return {
            "url": self.url,
            "fields": dict(self.fields),
            "expires": self.expires.isoformat(),
            "max_size": self.max_size,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class ArrivedUpload:
    """A file of which every byte is on disk, with what its signed form said. `attachment` is "" when the
    form was made without announcing a file."""

    ticket: str
    attachment: str
    name: str
    content_type: str
    size: int
    sha256: str


class Files(Protocol):
    """Where release files and attachments lie."""

    def link(self, path: str, *, size: int, sha256: str, expires: datetime) -> str:
        """An absolute link to one release file (`releases/<product>/<version>/<name>`). Raises
        NotAvailable when the file is not there, or is not the one that was published."""
        ...

    def upload_form(
        self, *, ticket: str, attachment: str, name: str, content_type: str, expires: datetime, max_size: int
    ) -> UploadForm: ...


class UploadReceiver(Protocol):
    """A file store that takes uploads itself (S3 does not need one)."""

    def receive(
        self, fields: Mapping[str, str], filename: str, content_type: str, content: BinaryIO, now: datetime
    ) -> ArrivedUpload: ...

    def discard(self, arrived: ArrivedUpload) -> None: ...


class MailTrouble(Exception):
    """A mail was not taken. `permanent`: trying again is of no use. The words hold no address and no text."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.permanent = permanent


class Mailer(Protocol):
    """Hands one mail over. Raises MailTrouble."""

    def deliver(self, message: EmailMessage, recipient: str) -> None: ...
