"""Tickets as their visitors use them: sent, read, added to, said to be solved.

Decides; keeps nothing itself and speaks no HTTP. A ticket is never refused for want of an agreement or a
catalog. What staff do stands in `handling`, what the desk does by itself in `attending`.
"""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from chalicelib import drafts, known, life, routes, sessions
from chalicelib.addresses import folded
from chalicelib.catalog import Catalog
from chalicelib.drafts import TicketDraft
from chalicelib.life import NotNow, Occasion
from chalicelib.ports import (
    ANNOUNCED_FOR,
    ArrivedUpload,
    Attachment,
    AttachmentsFull,
    Change,
    Clock,
    Files,
    Identity,
    KeyReused,
    NumberTaken,
    Outgoing,
    Session,
    Store,
    Ticket,
    UploadForm,
)
from chalicelib.refusals import FieldProblem, Invalid, NotFound, TooLarge
from chalicelib.routes import Route
from chalicelib.sessions import Invitation
from chalicelib.signing import Signer, fingerprint, ticket_number
from chalicelib.ticket_mails import TicketMails
from chalicelib.ticket_views import TicketReceipt, TicketView, takes_a_place, view

MAX_FILES = 5
MAX_FILE_SIZE = 20 * 1024 * 1024

__all__ = ["MAX_FILES", "MAX_FILE_SIZE", "Route", "TicketDraft", "TicketReceipt", "TicketView", "Tickets"]


@dataclass(frozen=True, kw_only=True)
class Tickets:
    """The use cases. `catalog` gives the present catalog, or None while there is none; `site` is
    SUPPORT_URL; `sender` gives the address that our mail comes from."""

    store: Store
    files: Files
    signer: Signer
    catalog: Callable[[], Catalog | None]
    clock: Clock
    site: str
    mails: TicketMails
    sender: Callable[[], str]

    def open(self, draft: TicketDraft, *, key: str | None = None, signed_in: str = "") -> TicketReceipt:
        """Take a ticket. It is on disk with its mails when this returns.

        Who has `signed_in` with the address of the ticket has proved it: its mails have no cap, and where no
        agreement is named, the only one of the address is meant.
        The same `key` within 7 days, or without one the same content within 10 minutes, gives the first
        ticket again. Raises Invalid (fields, or a key that was used with other content) and NotStored.
        """
        now, catalog = self.clock(), self.catalog()
        wish = drafts.check(draft, catalog.hours if catalog else None, now)
        content = [getattr(draft, name) for name in (*drafts.FIELDS, *drafts.WISHES)]
        proved = bool(signed_in) and folded(draft.email) == folded(signed_in)
        if proved and not draft.agreement:
            mine = self.store.agreements_of(signed_in)
            draft = replace(draft, agreement=mine[0].agreement if len(mine) == 1 else "")
        agreement = self.store.agreement(draft.agreement) if draft.agreement else None
        route = routes.route(draft, agreement, catalog)
        identity = identified("ticket", key, json.dumps(content))
        for _ in range(5):
            number, salt = ticket_number(), secrets.token_hex(16)
            ticket = Ticket(
                number=number,
                salt=salt,
                token_hash=fingerprint(self._token(number, salt)),
                received=now,
                reply_by=None,
                reply_by_because=(),
                state="open",
                **{name: getattr(draft, name) for name in drafts.FIELDS},
                route=route.name,
                mailbox=route.mailbox,
                route_because=route.because,
                first_in_queue=route.first_in_queue,
                covered=routes.covered(agreement, draft, catalog, now),
                known=self._known(draft, catalog),
            )
            visitor = Occasion(at=now, who="visitor", catalog=catalog)
            ticket = life.opened(ticket, visitor)
            if wish is not None:
                asked = Session(state="asked", start=wish, minutes=sessions.USUAL, uid="", sequence=0)
                ticket = life.session_set(ticket, asked, visitor)
            try:
                kept, repeated = self.store.open_ticket(
                    ticket, identity, self._opening_mails(ticket, route, capped=not proved), now
                )
            except NumberTaken:
                continue
            except KeyReused:
                raise key_reused() from None
            return self._receipt(kept, catalog, repeated)
        raise RuntimeError("five drawn ticket numbers were all taken")

    def read(self, token: str) -> TicketView:
        """The ticket that `token` opens. Raises NotFound, the same for every token that opens none."""
        return self._view(self._by_token(token))

    def add_message(self, token: str, text: str, *, key: str | None = None) -> TicketView:
        """Add what the visitor writes and tell the staff; what was waiting, answered or closed opens again.

        Repetitions as in `open`. Raises NotFound, Invalid, NotStored.
        """
        ticket = self._by_token(token)
        drafts.check_message(text)
        visitor = self._visitor()

        def change(ticket: Ticket) -> Change:
            after = life.visitor_wrote(ticket, text, visitor)
            part = after.messages[-1].sequence
            return Change(ticket=after, mails=self.mails.to_staff("staff_message", after, part))

        identity = identified(f"message {ticket.number}", key, text)
        try:
            ticket, _ = self.store.change_ticket(ticket.number, change, visitor.at, identity=identity)
        except KeyReused:
            raise key_reused() from None
        return self._view(ticket)

    def solved(self, token: str) -> TicketView:
        """The visitor says that nothing is left: the ticket is closed, and staff are told. Twice is once.
        Raises NotFound, NotStored."""
        visitor = self._visitor()

        def change(ticket: Ticket) -> Change:
            after = life.closed(ticket, visitor)
            return Change(ticket=after, mails=self.mails.to_staff("staff_closed", after))

        number = self._by_token(token).number
        return self._view(self.store.change_ticket(number, change, visitor.at)[0])

    def calendar(self, token: str) -> str:
        """The session of a ticket for the visitor's own calendar (RFC 5545). Raises NotFound, and NotNow
        while none was planned."""
        ticket = self._by_token(token)
        invitation = self.invitation(ticket, "PUBLISH", planned_session(ticket))
        return invitation.text()

    def invitation(self, ticket: Ticket, method: str, session: Session, part: int = 0) -> Invitation:
        """What stands in the calendar of both sides; `part` is the event that it was made for, else the
        last one about a session."""
        catalog = self.catalog()
        made = [one for one in ticket.events if one.what.startswith("session ")]
        event = next((one for one in made if one.sequence == part), made[-1])
        return Invitation(
            method=method,
            session=session,
            number=ticket.number,
            vendor=catalog.vendor.name if catalog else "",
            organizer=self.sender(),
            attendee=ticket.email,
            url=self.url(ticket),
            stamp=event.when,
        )

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
        return self._form(ticket, attachment, now)

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

    @property
    def host(self) -> str:
        return urlsplit(self.site).hostname or ""

    def _token(self, number: str, salt: str) -> str:
        return self.signer.token("ticket", number, salt)

    def _by_token(self, token: str) -> Ticket:
        ticket = self.store.ticket_by_token(fingerprint(token))
        if ticket is None:
            raise NotFound
        return ticket

    def _visitor(self) -> Occasion:
        return Occasion(at=self.clock(), who="visitor", catalog=self.catalog())

    def _opening_mails(self, ticket: Ticket, route: Route, *, capped: bool) -> Sequence[Outgoing]:
        told = [self.mails.to_staff("staff_ticket", ticket, to=to) for to in (route.mailbox, *route.told)]
        return [
            self.mails.to_visitor("visitor_receipt", ticket, capped=capped),
            *(mail for mails in told for mail in mails),
        ]

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
            known=ticket.known,
            repeated=repeated,
        )

    def known_now(self, ticket: Ticket) -> dict[str, object] | None:
        """What the catalog says of the ticket's version today; the ticket keeps what it said then."""
        return self._known(ticket, self.catalog())

    def _known(self, asked: TicketDraft | Ticket, catalog: Catalog | None) -> dict[str, object] | None:
        if catalog is None:
            return None
        agreement = self.store.agreement(asked.agreement) if asked.agreement else None
        mine = agreement if agreement and asked.email in agreement.contacts else None
        today = self.clock().astimezone(catalog.hours.zone).date()
        return known.known(catalog, asked.product, asked.version, mine, today)

    def _view(self, ticket: Ticket) -> TicketView:
        now = self.clock()
        places = sum(takes_a_place(one, now) for one in ticket.attachments)
        form = self._form(ticket, None, now) if places < MAX_FILES else None
        return view(ticket, catalog=self.catalog(), now=now, url=self.url(ticket), upload=form)

    def _form(self, ticket: Ticket, attachment: Attachment | None, now: datetime) -> UploadForm:
        return self.files.upload_form(
            ticket=ticket.number,
            attachment=attachment.id if attachment else "",
            name=attachment.name if attachment else "",
            content_type=attachment.content_type if attachment else "",
            expires=now + ANNOUNCED_FOR,
            max_size=MAX_FILE_SIZE,
            back="" if attachment else self.url(ticket),
        )


def planned_session(ticket: Ticket) -> Session:
    """Raises NotNow while none was ever planned."""
    if ticket.session is None or not ticket.session.uid:
        raise NotNow("No session is planned for this ticket yet.")
    return ticket.session


def identified(purpose: str, key: str | None, content: str) -> Identity:
    """What makes two requests the same. Raises Invalid for a key that is no key."""
    if key is not None:
        drafts.check_key(key)
    return Identity(
        key_hash=fingerprint(f"{purpose}\0{key}") if key else "",
        content_hash=fingerprint(f"{purpose}\0{content}"),
    )


def key_reused() -> Invalid:
    message = "This key was already used for something else. Nothing was changed. Send with a new key."
    return Invalid([FieldProblem(field="idempotency_key", message=message)])


def _full() -> TooLarge:
    return TooLarge(f"A ticket holds at most {MAX_FILES} files. Nothing was stored.")
