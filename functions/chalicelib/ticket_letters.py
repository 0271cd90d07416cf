"""The letters about tickets: fixed words to visitors, inert plain text to staff."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from email.message import EmailMessage

from chalicelib.catalog import Catalog
from chalicelib.handling import session_of_event
from chalicelib.history import minutes_text
from chalicelib.letters import letter
from chalicelib.life import due_told
from chalicelib.ports import QueuedMail, Session, Store, Ticket
from chalicelib.sessions import Invitation
from chalicelib.ticket_views import moment

TEMPLATES = (
    *("visitor_receipt", "visitor_answer", "visitor_waiting", "visitor_closed", "visitor_reply_by"),
    *("visitor_session_planned", "visitor_session_cancelled"),
    *("staff_ticket", "staff_message", "staff_assigned", "staff_closed", "staff_escalation"),
    *("staff_session_planned", "staff_session_cancelled"),
)


@dataclass(frozen=True, kw_only=True)
class TicketLetters:
    """Makes them. `url` gives a ticket's secret address, for its visitor alone; `sender` the From address."""

    store: Store
    catalog: Callable[[], Catalog | None]
    url: Callable[[Ticket], str]
    sender: Callable[[], str]
    invitation: Callable[[Ticket, str, Session, int], Invitation]

    def __call__(self, queued: QueuedMail) -> EmailMessage | None:
        ticket = self.store.ticket(queued.mail.about)
        if ticket is None:
            return None
        calendar = session = None
        if "_session_" in queued.mail.template:
            session = session_of_event(ticket, queued.mail.message)
            method = "CANCEL" if session.state == "cancelled" else "REQUEST"
            invitation = self.invitation(ticket, method, session, queued.mail.message)
            if queued.mail.template.startswith("staff_"):
                invitation = replace(invitation, url="")  # the address is for its visitor alone
            calendar = (method, invitation.text())
        return compose(
            queued,
            ticket,
            url=self.url(ticket),
            catalog=self.catalog(),
            sender=self.sender(),
            session=session,
            calendar=calendar,
        )


def compose(
    queued: QueuedMail,
    ticket: Ticket,
    *,
    url: str,
    catalog: Catalog | None,
    sender: str,
    session: Session | None = None,
    calendar: tuple[str, str] | None = None,
) -> EmailMessage:
    """One letter. `url` is the ticket's secret address, used in those to its visitor only; `session` and its
    `calendar` (method and text) belong to letters about one."""
    mail = queued.mail
    to_staff = mail.template.startswith("staff_")
    named = {"number": ticket.number, "severity": ticket.severity, "kind": ticket.kind}
    vendor = catalog.vendor.name if catalog else ""
    due = due_told(ticket, mail.message) or ticket.reply_by
    values = named | {
        "reply_by": moment(due, catalog) if due else "the promised time",
        "vendor": vendor,
        "phone": catalog.vendor.phone if catalog else "",
        "session": moment(session.start, catalog) if session else "",
        "length": minutes_text(session.minutes) if session else "",
    }
    return letter(
        mail,
        subject=named,
        body=values | (_for_staff(ticket, mail.message) if to_staff else {"url": url}),
        vendor=vendor,
        sender=sender,
        reply_to=ticket.email if to_staff else "",
        calendar=calendar,
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
        "assignee": ticket.assignee or "nobody",
    }
