"""The letters about tickets: fixed words to visitors, inert plain text to staff."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage

from chalicelib.catalog import Catalog
from chalicelib.hours import moment_text
from chalicelib.letters import letter
from chalicelib.ports import QueuedMail, Store, Ticket

TEMPLATES = ("visitor_receipt", "visitor_answer", "staff_ticket", "staff_message")


@dataclass(frozen=True, kw_only=True)
class TicketLetters:
    """Makes them. `url` gives a ticket's secret address, for its visitor alone; `sender` the From address."""

    store: Store
    catalog: Callable[[], Catalog | None]
    url: Callable[[Ticket], str]
    sender: Callable[[], str]

    def __call__(self, queued: QueuedMail) -> EmailMessage | None:
        ticket = self.store.ticket(queued.mail.about)
        if ticket is None:
            return None
        return compose(queued, ticket, url=self.url(ticket), catalog=self.catalog(), sender=self.sender())


def compose(
    queued: QueuedMail, ticket: Ticket, *, url: str, catalog: Catalog | None, sender: str
) -> EmailMessage:
    """One letter. `url` is the ticket's secret address, used in those to its visitor only."""
    mail = queued.mail
    to_staff = mail.template.startswith("staff_")
    reply_by = "the promised time"
    if ticket.reply_by:
        reply_by = moment_text(ticket.reply_by, catalog.hours) if catalog else ticket.reply_by.isoformat()
    named = {"number": ticket.number, "severity": ticket.severity, "kind": ticket.kind}
    vendor = catalog.vendor.name if catalog else ""
    values = named | {
        "reply_by": reply_by,
        "vendor": vendor,
        "phone": catalog.vendor.phone if catalog else "",
    }
    return letter(
        mail,
        subject=named,
        body=values | (_for_staff(ticket, mail.message) if to_staff else {"url": url}),
        vendor=vendor,
        sender=sender,
        reply_to=ticket.email if to_staff else "",
    )


def _for_staff(ticket: Ticket, sequence: int) -> dict[str, str]:
    given = {name: getattr(ticket, name) or "-" for name in ("name", "email", "organization", "agreement")}
    given |= {name: getattr(ticket, name) or "-" for name in ("product", "version", "subject", "description")}
    said = [message.text for message in ticket.messages if message.sequence == sequence]
    return given | {
        "first_line": "FIRST IN THE QUEUE: the software does not work as designed."
        if ticket.first_in_queue
        else "A new ticket.",
        "phone_given": ticket.phone or "-",
        "route": f"{ticket.route}. {' '.join(ticket.route_because)}",
        "covered": ticket.covered,
        "message": said[0] if said else "",
    }
