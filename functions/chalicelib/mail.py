"""Mails made of templates: fixed words to visitors, inert plain text to staff.

No text of a visitor stands in any header but a checked Reply-To; every mail says that it is automatic (RFC
3834).
A mail is made when it is handed over, the same bytes each time, under the Message-ID it was given when it was
queued. The templates are files in `mails/`: a line `Subject: …`, an empty line, the body.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from string import Template

from chalicelib.catalog import Catalog
from chalicelib.drafts import is_email
from chalicelib.hours import moment_text
from chalicelib.ports import Clock, Mailer, MailTrouble, QueuedMail, Store, Ticket

WAITS = (1, 5, 15, 60, 240, 720, 1440)
"""Minutes before the next try after each failure; after the last one a mail is given up and listed."""

_FOLDER = Path(__file__).parent / "mails"


@cache
def _template(name: str) -> tuple[Template, Template]:
    head, _, body = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").partition("\n\n")
    return Template(head.removeprefix("Subject: ")), Template(body)


def compose(
    queued: QueuedMail, ticket: Ticket, *, url: str, catalog: Catalog | None, sender: str
) -> EmailMessage:
    """One mail. `url` is the ticket's secret address, used in mails to its visitor only."""
    mail = queued.mail
    to_staff = mail.template.startswith("staff_")
    reply_by = "the promised time"
    if ticket.reply_by:
        reply_by = moment_text(ticket.reply_by, catalog.hours) if catalog else ticket.reply_by.isoformat()
    values = {
        "number": ticket.number,
        "severity": ticket.severity,
        "kind": ticket.kind,
        "reply_by": reply_by,
        "vendor": catalog.vendor.name if catalog else "",
        "phone": catalog.vendor.phone if catalog else "",
    }
    subject, body = _template(mail.template)
    if to_staff:
        text = body.substitute(values | _for_staff(ticket, mail.message))
    else:
        text = body.substitute(values | {"url": url})
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(values["vendor"], addr_spec=sender)
    message["To"] = Address(addr_spec=mail.to)
    message["Subject"] = subject.substitute(number=ticket.number, severity=ticket.severity, kind=ticket.kind)
    message["Date"] = format_datetime(mail.created)
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if to_staff and is_email(ticket.email):
        message["Reply-To"] = Address(addr_spec=ticket.email)
    message.set_content(text.rstrip() + "\n", cte="quoted-printable")
    return message


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


@dataclass(frozen=True, kw_only=True)
class Outbox:
    """Hands over what waits. `url` gives a ticket's secret address, `sender` the From address."""

    store: Store
    mailer: Mailer
    catalog: Callable[[], Catalog | None]
    url: Callable[[Ticket], str]
    sender: Callable[[], str]
    clock: Clock

    def run(self, limit: int = 50) -> tuple[int, int]:
        """Hand over at most `limit` due mails; how many were sent and how many were not. Raises NotStored.

        A mail that cannot be made or taken never holds up the next one.
        """
        sent = failed = 0
        for queued in self.store.claim_mails(self.clock(), limit):
            trouble = self._hand_over(queued)
            if trouble is None:
                self.store.mail_sent(queued.mail.id, self.clock())
                sent += 1
                continue
            failed += 1
            wait = None
            if not trouble.permanent and queued.attempts <= len(WAITS):
                wait = self.clock() + timedelta(minutes=WAITS[queued.attempts - 1])
            self.store.mail_failed(queued.mail.id, str(trouble), wait)
        return sent, failed

    def _hand_over(self, queued: QueuedMail) -> MailTrouble | None:
        ticket = self.store.ticket(queued.mail.ticket)
        if ticket is None:
            return MailTrouble("the ticket is gone", permanent=True)
        try:
            made = compose(queued, ticket, url=self.url(ticket), catalog=self.catalog(), sender=self.sender())
            self.mailer.deliver(made, queued.mail.to)
        except MailTrouble as trouble:
            return trouble
        except (ValueError, KeyError, UnicodeError) as trouble:
            return MailTrouble(f"the mail could not be made ({type(trouble).__name__})", permanent=True)
        return None


def oldest_text(oldest: datetime | None) -> str | None:
    """For the health answer."""
    return oldest.isoformat() if oldest else None
