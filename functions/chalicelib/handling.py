"""What staff do with tickets: answer, ask, close, take back, give away, grade, link, meet.

Each is one transaction with its mails and the act that the audit log keeps. Decides by `life`; speaks no
HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib import drafts, life, routes, sessions
from chalicelib.catalog import Catalog
from chalicelib.drafts import KINDS, SEVERITIES, TicketDraft
from chalicelib.life import NotNow, Occasion
from chalicelib.ports import Act, Change, Clock, Outgoing, Session, Store, Ticket
from chalicelib.refusals import FieldProblem, Invalid, NotFound
from chalicelib.routes import Route
from chalicelib.ticket_mails import TicketMails
from chalicelib.tickets import Tickets, identified

Step = Callable[[Ticket], Ticket]
Mails = Callable[[Ticket, Ticket], tuple[Outgoing, ...]]
"""Of a ticket before and after: what goes out."""


@dataclass(frozen=True, kw_only=True)
class Handling:
    """The use cases of staff. Numbers are read as they are typed; every verb raises NotFound and NotStored,
    and gives the ticket afterwards."""

    store: Store
    tickets: Tickets
    mails: TicketMails
    catalog: Callable[[], Catalog | None]
    clock: Clock

    def reply(
        self, number: str, text: str, act: Act, *, author: str = "", wait: bool = False, draft: str = ""
    ) -> Ticket:
        """Answer, or with `wait` ask the visitor, who gets a mail of fixed words with a link. `draft` is sent
        by this. The same answer within ten minutes is the same one. Raises Invalid, DraftGone."""
        drafts.check_message(text)
        staff = replace(self._staff(act), author=author or act.who)
        template = "visitor_waiting" if wait else "visitor_answer"

        def change(ticket: Ticket) -> Change:
            after = life.staff_replied(ticket, text, staff, wait=wait)
            mail = self.mails.to_visitor(template, after, after.messages[-1].sequence)
            return Change(ticket=after, mails=(mail,), act=act)

        held = self.tickets.by_number(number).number
        identity = identified(f"{'ask' if wait else 'reply'} {held}", None, text)
        return self.store.change_ticket(held, change, staff.at, identity=identity, draft=draft)[0]

    def wait(self, number: str, act: Act) -> Ticket:
        """Wait for the visitor, without a word of ours: what was promised stands still. Raises NotNow."""
        staff = self._staff(act)

        def mails(before: Ticket, after: Ticket) -> tuple[Outgoing, ...]:
            return (self.mails.to_visitor("visitor_waiting", after),)

        return self._step(number, lambda ticket: life.waits(ticket, staff), act, mails)

    def close(self, number: str, act: Act, word: str = "") -> Ticket:
        """Close it, with a last word to the visitor. Raises Invalid."""
        if word:
            drafts.check_message(word)
        staff = self._staff(act)

        def mails(before: Ticket, after: Ticket) -> tuple[Outgoing, ...]:
            return (self.mails.to_visitor("visitor_closed", after),)

        return self._step(number, lambda ticket: life.closed(ticket, staff, word), act, mails)

    def reopen(self, number: str, act: Act) -> Ticket:
        """Take a closing back. Raises NotNow."""
        staff = self._staff(act)
        return self._step(number, lambda ticket: life.reopened(ticket, staff), act)

    def assign(self, number: str, address: str, act: Act) -> Ticket:
        """Give it to a member of staff, who gets a mail, or to nobody (""). Raises Invalid."""
        if address and not drafts.is_email(address):
            raise Invalid([FieldProblem(field="address", message=f"'{address}' is no e-mail address.")])
        staff = self._staff(act)

        def mails(before: Ticket, after: Ticket) -> tuple[Outgoing, ...]:
            return self.mails.to_staff("staff_assigned", after, to=address) if address else ()

        return self._step(number, lambda ticket: life.assigned(ticket, address, staff), act, mails)

    def change(self, number: str, act: Act, *, severity: str = "", kind: str = "", route: str = "") -> Ticket:
        """Grade it anew, say what it really is, or give it to another mailbox of the policy. Who has it now
        gets a mail, and the visitor where the answer is due at another time. Raises Invalid, NotNow."""
        if severity and severity not in SEVERITIES:
            raise _choose("severity", SEVERITIES, severity)
        if kind and kind not in KINDS:
            raise _choose("kind", KINDS, kind)
        staff = self._staff(act)
        if staff.catalog is None:
            raise NotNow(
                "Without a catalog nobody knows the mailboxes and the promised times. Build the site."
            )
        catalog = staff.catalog

        def step(ticket: Ticket) -> Ticket:
            after = life.regraded(ticket, severity or ticket.severity, staff)
            way = self._way(ticket, kind or ticket.kind, route, catalog)
            return life.rerouted(after, kind or ticket.kind, way, staff) if way else after

        def mails(before: Ticket, after: Ticket) -> tuple[Outgoing, ...]:
            moved = after.mailbox != before.mailbox
            part = after.events[-1].sequence
            later = after.reply_by is not None and after.reply_by != before.reply_by
            return (
                *(self.mails.to_staff("staff_ticket", after, part, to=after.mailbox) if moved else ()),
                *((self.mails.to_visitor("visitor_reply_by", after, part),) if later else ()),
            )

        return self._step(number, step, act, mails)

    def session(self, number: str, start: datetime, minutes: int | None, act: Act) -> Ticket:
        """Plan a session, or move the one that is planned; `minutes` None leaves its length. Both sides get
        an invitation. Raises Invalid (outside opening hours, with the nearest hour), NotNow."""
        staff = self._staff(act)
        hours = staff.catalog.hours if staff.catalog else None

        def step(ticket: Ticket) -> Ticket:
            before = ticket.session
            length = minutes or (before.minutes if before else sessions.USUAL)
            sessions.chosen(hours, start, length, staff.at)
            if before and (before.state, before.start, before.minutes) == ("planned", start, length):
                return ticket
            planned = sessions.planned(ticket.number, self.tickets.host, before, start, length)
            return life.session_set(ticket, planned, staff)

        return self._step(number, step, act, self._invited)

    def cancel_session(self, number: str, act: Act) -> Ticket:
        """Call off the session that is planned; both sides are told. Raises NotNow."""
        staff = self._staff(act)

        def step(ticket: Ticket) -> Ticket:
            if ticket.session is None or ticket.session.state != "planned":
                raise NotNow(f"No session is planned for {ticket.number}.")
            return life.session_set(ticket, sessions.cancelled(ticket.session), staff)

        return self._step(number, step, act, self._invited)

    def link(self, number: str, defect: str, act: Act) -> Ticket:
        """Say that a known issue is behind it. Raises Invalid for an id that the catalog does not have."""
        staff = self._staff(act)
        if staff.catalog is None:
            raise NotNow("Without a catalog nobody knows the known issues. Build the site.")
        if defect not in known_defects(staff.catalog):
            message = f"The catalog has no known issue and no fix {defect}."
            raise Invalid([FieldProblem(field="defect", message=message)])
        return self._step(number, lambda ticket: life.linked(ticket, defect, staff), act)

    def unlink(self, number: str, defect: str, act: Act) -> Ticket:
        """Raises NotNow when it is not linked."""
        staff = self._staff(act)
        return self._step(number, lambda ticket: life.unlinked(ticket, defect, staff), act)

    def _invited(self, before: Ticket, after: Ticket) -> tuple[Outgoing, ...]:
        part = after.events[-1].sequence
        kind = "cancelled" if after.session and after.session.state == "cancelled" else "planned"
        return (
            self.mails.to_visitor(f"visitor_session_{kind}", after, part),
            *self.mails.to_staff(f"staff_session_{kind}", after, part),
        )

    def _way(self, ticket: Ticket, kind: str, route: str, catalog: Catalog) -> Route | None:
        agreement = self.store.agreement(ticket.agreement) if ticket.agreement else None
        if route:
            return routes.named(route, agreement, catalog)
        return routes.route(TicketDraft(kind=kind), agreement, catalog) if kind != ticket.kind else None

    def _staff(self, act: Act) -> Occasion:
        return Occasion(at=self.clock(), who="staff", author=act.who, catalog=self.catalog())

    def _step(self, number: str, step: Step, act: Act, mails: Mails | None = None) -> Ticket:
        def change(ticket: Ticket) -> Change:
            after = step(ticket)
            if after == ticket:
                return Change(ticket=ticket)
            return Change(ticket=after, mails=mails(ticket, after) if mails else (), act=act)

        held = self.tickets.by_number(number).number
        return self.store.change_ticket(held, change, self.clock())[0]


def known_defects(catalog: Catalog) -> frozenset[str]:
    """Every id that a known issue or a fix has."""
    known = {issue.id for issues in catalog.known_issues.values() for issue in issues}
    fixed = {
        fix
        for product in catalog.products.values()
        for release in product.releases.values()
        for fix in release.fixes
    }
    return frozenset(known | fixed)


def session_of_event(ticket: Ticket, sequence: int) -> Session:
    """The session as it was when an event about it was noted: what its invitation says. Raises NotFound."""
    event = next((one for one in ticket.events if one.sequence == sequence), None)
    if event is None or "uid" not in event.facts:
        raise NotFound
    return Session(
        state=event.what.removeprefix("session "),
        start=datetime.fromisoformat(event.facts["start"]),
        minutes=event.facts["minutes"],
        uid=event.facts["uid"],
        sequence=event.facts["sequence"],
    )


def _choose(field: str, choices: tuple[str, ...], given: str) -> Invalid:
    return Invalid([FieldProblem(field=field, message=f"Choose one of {', '.join(choices)}, not '{given}'.")])
