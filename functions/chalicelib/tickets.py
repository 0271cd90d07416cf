"""Tickets: taken from visitors, routed, promised a time, answered, added to.

Decides; keeps nothing itself and speaks no HTTP. A ticket is never refused for want of an agreement or a
catalog.
"""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib import drafts, known, routes
from chalicelib.catalog import Catalog
from chalicelib.drafts import TicketDraft
from chalicelib.hours import after, moment_text, working_time
from chalicelib.ports import (
    ANNOUNCED_FOR,
    Act,
    ArrivedUpload,
    Attachment,
    AttachmentsFull,
    Clock,
    Files,
    Identity,
    KeyReused,
    Message,
    NumberTaken,
    Outgoing,
    Store,
    Ticket,
    UploadForm,
)
from chalicelib.refusals import FieldProblem, Invalid, NotFound, TooLarge
from chalicelib.routes import Route
from chalicelib.signing import Signer, fingerprint, ticket_number

MAX_FILES = 5
MAX_FILE_SIZE = 20 * 1024 * 1024

__all__ = ["MAX_FILES", "MAX_FILE_SIZE", "Route", "TicketDraft", "TicketReceipt", "TicketView", "Tickets"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketReceipt:
    """What the sender of a ticket gets. `token` opens the ticket; `url` is its absolute address;
    `repeated`: this
    had been received before, and these are the particulars of the first time. Instants in the vendor's
    zone."""

    number: str
    token: str
    url: str
    received: datetime
    route: Route
    reply_by: datetime | None
    reply_by_because: tuple[str, ...]
    known: Mapping[str, object] | None
    repeated: bool

    def as_json(self) -> dict[str, object]:
        return {
            "number": self.number,
            "url": self.url,
            "received": self.received.isoformat(),
            "route": self.route.as_json(),
            "reply_by": self.reply_by.isoformat() if self.reply_by else None,
            "reply_by_because": list(self.reply_by_because),
            "known": dict(self.known) if self.known is not None else None,
            "repeated": self.repeated,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketView:
    """A ticket as its sender sees it. `upload` is None when no more files fit; `message_url` and `url` are
    absolute.

    `received_text`, `reply_by_text`: the instants in words, in the vendor's zone.
    """

    number: str
    subject: str
    received: datetime
    received_text: str
    reply_by: datetime | None
    reply_by_text: str
    reply_by_because: tuple[str, ...]
    state: str
    route_name: str
    next_steps: tuple[str, ...]
    messages: tuple[Mapping[str, object], ...]
    attachments: tuple[Mapping[str, object], ...]
    known: Mapping[str, object] | None
    url: str
    message_url: str
    upload: UploadForm | None
    phone: str
    not_covered_note: str

    def as_json(self) -> dict[str, object]:
        return {
            "number": self.number,
            "subject": self.subject,
            "received": self.received.isoformat(),
            "reply_by": self.reply_by.isoformat() if self.reply_by else None,
            "reply_by_because": list(self.reply_by_because),
            "state": self.state,
            "route": self.route_name,
            "next_steps": list(self.next_steps),
            "messages": [dict(message) for message in self.messages],
            "attachments": [dict(attachment) for attachment in self.attachments],
            "known": dict(self.known) if self.known is not None else None,
            "url": self.url,
            "message_url": self.message_url,
            "upload": self.upload.as_json() if self.upload else None,
            "phone": self.phone,
            "not_covered_note": self.not_covered_note,
        }


@dataclass(frozen=True, kw_only=True)
class Tickets:
    """The use cases. `catalog` gives the present catalog, or None while there is none; `site` is
    SUPPORT_URL."""

    store: Store
    files: Files
    signer: Signer
    catalog: Callable[[], Catalog | None]
    clock: Clock
    site: str
    message_id: Callable[[], str]

    def open(self, draft: TicketDraft, *, key: str | None = None) -> TicketReceipt:
        """Take a ticket. It is on disk with its mails when this returns.

        The same `key` within 7 days, or without one the same content within 10 minutes, gives the first
        ticket again. Raises Invalid (fields, or a key that was used with other content) and NotStored.
        """
        drafts.check(draft)
        now, catalog = self.clock(), self.catalog()
        agreement = self.store.agreement(draft.agreement) if draft.agreement else None
        route = routes.route(draft, agreement, catalog)
        reply_by, because = _promise(draft.severity, catalog, now)
        identity = _identity("ticket", key, json.dumps([getattr(draft, name) for name in drafts.FIELDS]))
        for _ in range(5):
            number, salt = ticket_number(), secrets.token_hex(16)
            ticket = Ticket(
                number=number,
                salt=salt,
                token_hash=fingerprint(self._token(number, salt)),
                received=now,
                reply_by=reply_by,
                reply_by_because=because,
                state="open",
                **{name: getattr(draft, name) for name in drafts.FIELDS},
                route=route.name,
                mailbox=route.mailbox,
                route_because=route.because,
                first_in_queue=route.first_in_queue,
                covered=routes.covered(agreement, draft, catalog, now),
            )
            try:
                kept, repeated = self.store.open_ticket(
                    ticket, identity, self._opening_mails(ticket, route), now
                )
            except NumberTaken:
                continue
            except KeyReused:
                raise _key_reused() from None
            return self._receipt(kept, catalog, repeated)
        raise RuntimeError("five drawn ticket numbers were all taken")

    def read(self, token: str) -> TicketView:
        """The ticket that `token` opens. Raises NotFound, the same for every token that opens none."""
        return self._view(self._by_token(token))

    def add_message(self, token: str, text: str, *, key: str | None = None) -> TicketView:
        """Add what the visitor writes and tell the staff; a closed ticket opens again.

        Repetitions as in `open`. Raises NotFound, Invalid, NotStored.
        """
        ticket = self._by_token(token)
        drafts.check_message(text)
        now = self.clock()
        message = Message(sequence=0, who="visitor", author="", text=text, when=now)
        mails = [self._mail("staff_message", to, ticket.number) for to in _staff(ticket)]
        identity = _identity(f"message {ticket.number}", key, text)
        try:
            ticket, _ = self.store.add_message(ticket.number, message, "open", identity, mails, now)
        except KeyReused:
            raise _key_reused() from None
        return self._view(ticket)

    def reply(
        self, number: str, text: str, *, author: str, key: str | None = None, act: Act | None = None
    ) -> Ticket:
        """Answer as staff: the visitor gets a mail of fixed words with a link. Raises NotFound, Invalid,
        NotStored."""
        ticket = self.by_number(number)
        drafts.check_message(text)
        now = self.clock()
        message = Message(sequence=0, who="staff", author=author, text=text, when=now)
        mail = replace(self._mail("visitor_answer", ticket.email, ticket.number), capped=True)
        identity = _identity(f"reply {ticket.number}", key, text)
        return self.store.add_message(ticket.number, message, "answered", identity, [mail], now, act)[0]

    def by_number(self, number: str) -> Ticket:
        """For staff only. Raises NotFound."""
        ticket = self.store.ticket(number.strip().upper())
        if ticket is None:
            raise NotFound(f"There is no ticket {number}.")
        return ticket

    def upload_form(self, token: str, name: str, content_type: str, size: int) -> UploadForm:
        """Announce a file (size in bytes) and get the form that takes it, for one hour. Raises NotFound,
        Invalid, TooLarge, NotStored."""
        ticket = self._by_token(token)
        clean = drafts.file_name(name)
        if size < 1:
            raise Invalid([FieldProblem(field="size", message="Give the size of the file in bytes.")])
        if size > MAX_FILE_SIZE:
            raise TooLarge(f"A file may have at most {MAX_FILE_SIZE // 1024**2} MB.")
        now = self.clock()
        attachment = Attachment(
            id=uuid.uuid4().hex,
            name=clean,
            content_type=drafts.content_type(content_type),
            size=size,
            sha256="",
            state="waiting",
            when=now,
        )
        try:
            self.store.announce_attachment(ticket.number, attachment, MAX_FILES)
        except AttachmentsFull:
            raise _full() from None
        return self.files.upload_form(
            ticket=ticket.number,
            attachment=attachment.id,
            name=clean,
            content_type=attachment.content_type,
            expires=now + ANNOUNCED_FOR,
            max_size=MAX_FILE_SIZE,
            back="",
        )

    def attach(self, arrived: ArrivedUpload) -> TicketView:
        """A file arrived whole: show it on its ticket. Raises NotFound, TooLarge (too many files),
        NotStored."""
        ticket = self.by_number(arrived.ticket)
        attachment = Attachment(
            id=arrived.attachment,
            name=drafts.file_name(arrived.name),
            content_type=drafts.content_type(arrived.content_type),
            size=arrived.size,
            sha256=arrived.sha256,
            state="stored",
            when=self.clock(),
        )
        try:
            return self._view(self.store.attach(ticket.number, attachment, MAX_FILES))
        except AttachmentsFull:
            raise _full() from None

    def holds(self, arrived: ArrivedUpload) -> bool:
        """Whether the ticket shows this very file. Raises NotStored when that cannot be known."""
        ticket = self.store.ticket(arrived.ticket)
        return ticket is not None and any(
            one.id == arrived.attachment and one.state == "stored" for one in ticket.attachments
        )

    def url(self, ticket: Ticket) -> str:
        """The secret address of a ticket; for its sender's eyes only."""
        return f"{self.site}/api/tickets/{self._token(ticket.number, ticket.salt)}"

    def _token(self, number: str, salt: str) -> str:
        return self.signer.token("ticket", number, salt)

    def _by_token(self, token: str) -> Ticket:
        ticket = self.store.ticket_by_token(fingerprint(token))
        if ticket is None:
            raise NotFound
        return ticket

    def _mail(self, template: str, to: str, number: str) -> Outgoing:
        return Outgoing(
            id=uuid.uuid4().hex,
            message_id=self.message_id(),
            template=template,
            to=to,
            about=number,
            message=0,
            capped=False,
            created=self.clock(),
        )

    def _opening_mails(self, ticket: Ticket, route: Route) -> Sequence[Outgoing]:
        receipt = replace(self._mail("visitor_receipt", ticket.email, ticket.number), capped=True)
        told = [self._mail("staff_ticket", to, ticket.number) for to in (route.mailbox, *route.told) if to]
        return [receipt, *told]

    def _receipt(self, ticket: Ticket, catalog: Catalog | None, repeated: bool) -> TicketReceipt:
        zone = catalog.hours.zone if catalog else None
        return TicketReceipt(
            number=ticket.number,
            token=self._token(ticket.number, ticket.salt),
            url=self.url(ticket),
            received=ticket.received.astimezone(zone),
            route=Route(name=ticket.route, mailbox=ticket.mailbox, because=ticket.route_because),
            reply_by=ticket.reply_by.astimezone(zone) if ticket.reply_by else None,
            reply_by_because=ticket.reply_by_because,
            known=self._known(ticket, catalog),
            repeated=repeated,
        )

    def _known(self, ticket: Ticket, catalog: Catalog | None) -> dict[str, object] | None:
        if catalog is None:
            return None
        agreement = self.store.agreement(ticket.agreement) if ticket.agreement else None
        mine = agreement if agreement and ticket.email in agreement.contacts else None
        today = self.clock().astimezone(catalog.hours.zone).date()
        return known.known(catalog, ticket.product, ticket.version, mine, today)

    def _view(self, ticket: Ticket) -> TicketView:
        catalog, now = self.catalog(), self.clock()
        zone = catalog.hours.zone if catalog else None

        def text(at: datetime) -> str:
            return moment_text(at, catalog.hours) if catalog else f"{at:%Y-%m-%d %H:%M} UTC"

        url, reply_by = self.url(ticket), ticket.reply_by
        phone = catalog.vendor.phone if catalog else ""
        described = Message(
            sequence=0, who="visitor", author="", text=ticket.description, when=ticket.received
        )
        form = None
        if sum(_takes_a_place(one, now) for one in ticket.attachments) < MAX_FILES:
            form = self.files.upload_form(
                ticket=ticket.number,
                attachment="",
                name="",
                content_type="",
                expires=now + ANNOUNCED_FOR,
                max_size=MAX_FILE_SIZE,
                back=url,
            )
        return TicketView(
            number=ticket.number,
            subject=ticket.subject,
            received=ticket.received.astimezone(zone),
            received_text=text(ticket.received),
            reply_by=reply_by.astimezone(zone) if reply_by else None,
            reply_by_text=text(reply_by) if reply_by else "",
            reply_by_because=ticket.reply_by_because,
            state=ticket.state,
            route_name=ticket.route,
            next_steps=_next_steps(ticket, text(reply_by) if reply_by else "", phone),
            messages=tuple(
                {
                    "who": "you" if message.who == "visitor" else "us",
                    "when": {"iso": message.when.astimezone(zone).isoformat(), "text": text(message.when)},
                    "text": message.text,
                }
                for message in (described, *ticket.messages)
            ),
            attachments=tuple(_attachment(attachment, now) for attachment in ticket.attachments),
            known=self._known(ticket, catalog),
            url=url,
            message_url=f"{url}/messages",
            upload=form,
            phone=phone,
            not_covered_note=routes.NOT_COVERED[ticket.covered],
        )


def _promise(
    severity: str, catalog: Catalog | None, now: datetime
) -> tuple[datetime | None, tuple[str, ...]]:
    if catalog is None or severity not in catalog.first_response:
        return None, ()
    length = catalog.first_response[severity]
    due = after(catalog.hours, now, working_time(catalog.hours, length))
    hours = catalog.hours
    return due, (
        f"The first response to {severity} comes within {length} of opening time.",
        f"Opening time is {', '.join(hours.days)}, {hours.open:%H:%M} to {hours.close:%H:%M} "
        f"({hours.zone.key}); holidays do not count.",
    )


def _identity(purpose: str, key: str | None, content: str) -> Identity:
    if key is not None:
        drafts.check_key(key)
    return Identity(
        key_hash=fingerprint(f"{purpose}\0{key}") if key else "",
        content_hash=fingerprint(f"{purpose}\0{content}"),
    )


def _staff(ticket: Ticket) -> tuple[str, ...]:
    to = ticket.assignee or ticket.mailbox
    return (to,) if to else ()


def _key_reused() -> Invalid:
    message = "This key was already used for something else. Nothing was changed. Send with a new key."
    return Invalid([FieldProblem(field="idempotency_key", message=message)])


def _full() -> TooLarge:
    return TooLarge(f"A ticket holds at most {MAX_FILES} files. Nothing was stored.")


def _takes_a_place(attachment: Attachment, now: datetime) -> bool:
    return attachment.state == "stored" or now <= attachment.when + ANNOUNCED_FOR


def _attachment(attachment: Attachment, now: datetime) -> dict[str, object]:
    state = attachment.state
    if not _takes_a_place(attachment, now):
        state = "did not arrive: please send it again"
    size = attachment.size
    text = f"{size / 1024**2:.1f} MB" if size >= 1024**2 else f"{max(1, round(size / 1024))} KB"
    return {"name": attachment.name, "size": size, "size_text": text, "state": state}


def _next_steps(ticket: Ticket, reply_by: str, phone: str) -> tuple[str, ...]:
    steps = []
    if ticket.state == "open" and ticket.first_answered is None:
        steps.append(f"{ticket.route} answers by {reply_by}." if reply_by else f"{ticket.route} answers.")
    if ticket.state == "answered":
        steps.append("Read our answer below, and write back here if something is left.")
    if ticket.state == "closed":
        steps.append("This ticket is closed. A new message opens it again.")
    steps.append("Add a message or a file on this page whenever you have something to add.")
    if phone:
        steps.append(f"If it gets worse, call {phone} and give the number {ticket.number}.")
    return tuple(steps)
