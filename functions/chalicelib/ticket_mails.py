"""Which mails go out about a ticket, and to whom: envelopes only.

Their text is made when they are handed over. Mail to a visitor is capped: nobody has proved that the address
is theirs.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.ports import Clock, Outgoing, Ticket


@dataclass(frozen=True, kw_only=True)
class TicketMails:
    """`message_id` draws a new Message-ID."""

    message_id: Callable[[], str]
    clock: Clock

    def to_visitor(self, template: str, ticket: Ticket, part: int = 0, *, capped: bool = True) -> Outgoing:
        """`part`: the message or event that it is about; `capped`: not for somebody who has just proved that
        the address is theirs."""
        return self._mail(template, ticket.email, ticket, part, capped=capped)

    def to_staff(self, template: str, ticket: Ticket, part: int = 0, *, to: str = "") -> tuple[Outgoing, ...]:
        """To `to`, or to whoever has the ticket; nothing while nobody has it."""
        address = to or ticket.assignee or ticket.mailbox
        return (self._mail(template, address, ticket, part, capped=False),) if address else ()

    def _mail(self, template: str, to: str, ticket: Ticket, part: int, *, capped: bool) -> Outgoing:
        return Outgoing(
            id=uuid.uuid4().hex,
            message_id=self.message_id(),
            template=template,
            to=to,
            about=ticket.number,
            message=part,
            capped=capped,
            created=self.clock(),
        )
