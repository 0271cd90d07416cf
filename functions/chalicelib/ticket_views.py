"""A ticket as its visitor sees it: in words, with what happens next. Decides nothing, keeps nothing.

Nothing of staff's own stands in it: no address, no name but the author of an answer's house.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from chalicelib import history, promises, routes
from chalicelib.catalog import Catalog
from chalicelib.hours import day_text, moment_text
from chalicelib.ports import ANNOUNCED_FOR, Attachment, Message, Ticket, UploadForm
from chalicelib.routes import Route


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketReceipt:
    """What the sender of a ticket gets. `token` opens the ticket; `url` is its absolute address;
    `repeated`: this had been received before, and these are the particulars of the first time. Instants in
    the vendor's zone."""

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
    """A ticket as its sender sees it. `upload` is None when no more files fit; addresses are absolute.

    `…_text`: in words, instants in the vendor's zone. `waiting_note` says what stands still while we wait,
    `session` is `{"state", "start", "start_text", "minutes", "length_text", "calendar_url"}` or None.
    `known` is what was told when the ticket was taken, `known_text` says when that was.
    """

    number: str
    subject: str
    received: datetime
    received_text: str
    reply_by: datetime | None
    reply_by_text: str
    reply_by_because: tuple[str, ...]
    state: str
    state_text: str
    waiting_note: str
    route_name: str
    next_steps: tuple[str, ...]
    messages: tuple[Mapping[str, object], ...]
    history: tuple[Mapping[str, object], ...]
    attachments: tuple[Mapping[str, object], ...]
    session: Mapping[str, object] | None
    known: Mapping[str, Any] | None
    known_text: str
    url: str
    message_url: str
    close_url: str
    upload: UploadForm | None
    phone: str
    not_covered_note: str

    def as_json(self) -> dict[str, object]:
        shown: dict[str, object] = {}
        for field in fields(TicketView):
            value = getattr(self, field.name)
            if isinstance(value, datetime):
                value = value.isoformat()
            elif isinstance(value, UploadForm):
                value = value.as_json()
            elif isinstance(value, tuple):
                value = [dict(one) if isinstance(one, Mapping) else one for one in value]
            elif isinstance(value, Mapping):
                value = dict(value)
            if field.name not in ("received_text", "reply_by_text"):
                shown["route" if field.name == "route_name" else field.name] = value
        return shown


def view(
    ticket: Ticket, *, catalog: Catalog | None, now: datetime, url: str, upload: UploadForm | None
) -> TicketView:
    """`url` is the ticket's secret address."""
    zone = catalog.hours.zone if catalog else None
    phone = catalog.vendor.phone if catalog else ""
    reply_by = moment(ticket.reply_by, catalog) if ticket.reply_by else ""
    first = Message(sequence=0, who="visitor", author="", text=ticket.description, when=ticket.received)
    return TicketView(
        number=ticket.number,
        subject=ticket.subject,
        received=ticket.received.astimezone(zone),
        received_text=moment(ticket.received, catalog),
        reply_by=ticket.reply_by.astimezone(zone) if ticket.reply_by else None,
        reply_by_text=reply_by,
        reply_by_because=ticket.reply_by_because,
        state=ticket.state,
        state_text=history.STATE_WORDS[ticket.state],
        waiting_note=_waiting_note(ticket, catalog, now),
        route_name=ticket.route,
        next_steps=_next_steps(ticket, reply_by, phone),
        messages=tuple(
            {
                "who": "you" if message.who == "visitor" else "us",
                "when": _when(message.when, catalog),
                "text": message.text,
            }
            for message in (first, *ticket.messages)
        ),
        history=tuple(
            {"when": _when(line.when, catalog), "text": line.text}
            for line in history.for_visitor(ticket, catalog)
        ),
        attachments=tuple(_attachment(attachment, now) for attachment in ticket.attachments),
        session=_session(ticket, catalog, url),
        known=ticket.known,
        known_text=_known_text(ticket, catalog),
        url=url,
        message_url=f"{url}/messages",
        close_url=f"{url}/close",
        upload=upload,
        phone=phone,
        not_covered_note=routes.NOT_COVERED[ticket.covered],
    )


def moment(at: datetime, catalog: Catalog | None) -> str:
    """An instant in words."""
    return moment_text(at, catalog.hours) if catalog else f"{at:%Y-%m-%d %H:%M} UTC"


def takes_a_place(attachment: Attachment, now: datetime) -> bool:
    """Whether a file counts towards how many a ticket holds."""
    return attachment.state == "stored" or now <= attachment.when + ANNOUNCED_FOR


def _when(at: datetime, catalog: Catalog | None) -> dict[str, str]:
    zone = catalog.hours.zone if catalog else None
    return {"iso": at.astimezone(zone).isoformat(), "text": moment(at, catalog)}


def _waiting_note(ticket: Ticket, catalog: Catalog | None, now: datetime) -> str:
    if ticket.state != "waiting":
        return ""
    note = "We need something from you to go on. Write it below, and we go on."
    if ticket.promise is None or catalog is None:
        return note
    rest = promises.left_text(catalog.hours, ticket.promise, now)
    return f"{note} The promised time stands still until then; {rest} is left of it."


def _known_text(ticket: Ticket, catalog: Catalog | None) -> str:
    if ticket.known is None:
        return ""
    zone = catalog.hours.zone if catalog else None
    return f"As of {day_text(ticket.received.astimezone(zone).date())}, when we received the ticket."


def _session(ticket: Ticket, catalog: Catalog | None, url: str) -> Mapping[str, object] | None:
    session = ticket.session
    if session is None:
        return None
    zone = catalog.hours.zone if catalog else None
    return {
        "state": session.state,
        "start": session.start.astimezone(zone).isoformat(),
        "start_text": moment(session.start, catalog),
        "minutes": session.minutes,
        "length_text": history.minutes_text(session.minutes),
        "calendar_url": f"{url}/session.ics" if session.state != "asked" else "",
    }


def _attachment(attachment: Attachment, now: datetime) -> dict[str, object]:
    state = attachment.state
    if not takes_a_place(attachment, now):
        state = "did not arrive: please send it again"
    size = attachment.size
    text = f"{size / 1024**2:.1f} MB" if size >= 1024**2 else f"{max(1, round(size / 1024))} KB"
    return {"name": attachment.name, "size": size, "size_text": text, "state": state}


def _next_steps(ticket: Ticket, reply_by: str, phone: str) -> tuple[str, ...]:
    steps = []
    if ticket.state == "open":
        who = ticket.route[:1].upper() + ticket.route[1:]
        steps.append(f"{who} answers by {reply_by}." if reply_by else f"{who} answers.")
        if ticket.session and ticket.session.state == "asked":
            steps.append("We confirm the hour of your session, or offer another.")
    if ticket.state == "waiting":
        steps.append("Read what we need, and write back below.")
    if ticket.state == "answered":
        steps.append("Read our answer below, and write back here if something is left.")
        steps.append("If nothing is left, say that it is solved: the button below closes the ticket.")
    if ticket.state == "closed":
        steps.append("This ticket is closed. A new message opens it again.")
    else:
        steps.append("Add a message or a file on this page whenever you have something to add.")
    if phone:
        steps.append(f"If it gets worse, call {phone} and give the number {ticket.number}.")
    return tuple(steps)
