"""What the desk does for tickets by itself: says that an answer is nearly due, and makes up for what could
not be said while there was no catalog.

A ticket says when it must be looked at; nothing here looks at all of them. Each notice goes once for each
time that was promised, however often this runs and whatever the clock does: the ticket's history knows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from chalicelib import life, routes
from chalicelib.catalog import Catalog
from chalicelib.drafts import TicketDraft
from chalicelib.life import Occasion
from chalicelib.ports import Change, Clock, Outgoing, Store, Ticket
from chalicelib.refusals import Refused
from chalicelib.ticket_mails import TicketMails

_log = logging.getLogger("desk")


@dataclass(frozen=True, kw_only=True)
class Attending:
    """The work of the desk itself on tickets."""

    store: Store
    mails: TicketMails
    catalog: Callable[[], Catalog | None]
    clock: Clock
    _failed: set[str] = field(default_factory=set, repr=False)

    def run(self, limit: int = 50) -> int:
        """Look at the tickets whose time has come, `limit` at most; how many were changed. Without a catalog
        nothing can be said: they wait. Raises NotStored."""
        catalog, now = self.catalog(), self.clock()
        if catalog is None:
            return 0
        desk = Occasion(at=now, who="desk", catalog=catalog)
        done = 0
        for ticket in self.store.tickets_to_attend(now, limit):
            try:
                done += self._seen_to(ticket, catalog, desk)
            except Refused:
                raise
            except Exception:
                # It holds up no other; it is tried again, and told of once.
                if ticket.number not in self._failed:
                    _log.exception("ticket %s cannot be seen to", ticket.number)
                self._failed.add(ticket.number)
        return done

    def _seen_to(self, ticket: Ticket, catalog: Catalog, desk: Occasion) -> bool:
        """Whether it was changed."""
        agreement = self.store.agreement(ticket.agreement) if ticket.agreement else None
        way = routes.route(TicketDraft(kind=ticket.kind), agreement, catalog)

        def change(held: Ticket) -> Change:
            return self._attended(held, way, catalog, desk)

        after, _ = self.store.change_ticket(ticket.number, change, desk.at)
        return after.revision != ticket.revision

    def _attended(self, ticket: Ticket, way: routes.Route, catalog: Catalog, desk: Occasion) -> Change:
        if ticket.attend_at is None or ticket.attend_at > desk.at:
            return Change(ticket=ticket)  # somebody was faster
        mails: list[Outgoing] = []
        after = life.completed(ticket, way, desk)
        if after.mailbox != ticket.mailbox:
            for to in (way.mailbox, *way.told):
                mails += self.mails.to_staff("staff_ticket", after, after.events[-1].sequence, to=to)
        if after.attend_at is not None and after.attend_at <= desk.at and after.reply_by is not None:
            to = routes.next_mailbox(after.mailbox, catalog)
            after = life.escalated(after, to, desk)
            if to:
                mails += self.mails.to_staff("staff_escalation", after, after.events[-1].sequence, to=to)
        return Change(ticket=after, mails=tuple(mails))
