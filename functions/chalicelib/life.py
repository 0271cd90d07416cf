"""The life of a ticket: open, waiting for its customer, answered, closed, opened again; what moves it on.

Each function takes a ticket and gives it as it is afterwards, with the event that says so. Pure: it sends
nothing, keeps nothing and has no clock; a step that is not possible is a Refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from chalicelib import promises
from chalicelib.catalog import Catalog
from chalicelib.hours import moment_text, span_text, working_time
from chalicelib.ports import Event, Message, Session, Ticket
from chalicelib.refusals import Refused
from chalicelib.routes import Route

STATES = ("open", "waiting", "answered", "closed")
AT_WORK = ("open", "waiting", "answered")


class NotNow(Refused):
    """The ticket's state does not let this be done."""

    status = 409
    title = "Not in this state"


@dataclass(frozen=True, kw_only=True, slots=True)
class Occasion:
    """When something happens and who does it: "visitor", "staff" (then `author` is a name) or "desk", and
    the catalog of that moment, None while there is none."""

    at: datetime
    who: str
    author: str = ""
    catalog: Catalog | None = None


def opened(ticket: Ticket, now: Occasion) -> Ticket:
    """A new ticket, with the time that is promised to it."""
    promise = promises.promised(now.catalog, ticket.severity, ticket.received)
    began = noted(replace(ticket, promise=promise), now, "opened", route=ticket.route)
    return _settled(_reasoned(began, now), now)


def visitor_wrote(ticket: Ticket, text: str, now: Occasion) -> Ticket:
    """What the visitor adds. It opens again what was waiting, answered or closed: what was stopped goes on,
    what was answered or closed is promised a time anew."""
    told = _said(ticket, text, now)
    message = told.messages[-1].sequence
    if ticket.state == "open":
        return noted(told, now, "wrote", message=message)
    before = ticket.promise if ticket.state == "waiting" else None
    told = noted(replace(told, state="open", promise=before), now, "wrote", message=message, was=ticket.state)
    return _settled(_counting(told, now), now)


def staff_replied(ticket: Ticket, text: str, now: Occasion, *, wait: bool = False) -> Ticket:
    """An answer; with `wait` one that asks the customer, whose time stops what we promised."""
    told = _answered_first(_said(ticket, text, now), now)
    promise = promises.stop(ticket.promise, now.at) if wait and ticket.promise else None
    state = "waiting" if wait else "answered"
    told = replace(told, state=state, promise=promise)
    return _settled(noted(told, now, "asked" if wait else "replied", message=told.messages[-1].sequence), now)


def waits(ticket: Ticket, now: Occasion) -> Ticket:
    """We wait for the customer: the promised time stops. Raises NotNow for a closed ticket."""
    _open(ticket)
    if ticket.state == "waiting":
        return ticket
    promise = promises.stop(ticket.promise, now.at) if ticket.promise else None
    return _settled(noted(replace(ticket, state="waiting", promise=promise), now, "waits"), now)


def closed(ticket: Ticket, now: Occasion, word: str = "") -> Ticket:
    """Closed by staff, with a last word, or by the visitor. Closing twice is closing once."""
    if ticket.state == "closed":
        return ticket
    told = ticket
    if word:
        told = _answered_first(_said(ticket, word, now), now)
    promise = promises.stop(ticket.promise, now.at) if ticket.promise else None
    told = replace(told, state="closed", promise=promise)
    facts = {"message": told.messages[-1].sequence} if word else {}
    return _settled(noted(told, now, "closed", was=ticket.state, **facts), now)


def reopened(ticket: Ticket, now: Occasion) -> Ticket:
    """A closing taken back by staff: the ticket is as it was, and the time meanwhile does not count. Raises
    NotNow."""
    if ticket.state != "closed":
        raise NotNow(f"{ticket.number} is not closed: it is {ticket.state}.")
    was = next((str(e.facts["was"]) for e in reversed(ticket.events) if e.what == "closed"), "open")
    told = noted(replace(ticket, state=was), now, "reopened", to=was)
    return _settled(_counting(told, now) if was == "open" else told, now)


def assigned(ticket: Ticket, address: str, now: Occasion) -> Ticket:
    """Given to a member of staff, or to nobody ("")."""
    if ticket.assignee == address:
        return ticket
    return noted(
        replace(ticket, assignee=address), now, "assigned", was=ticket.assignee or None, to=address or None
    )


def regraded(ticket: Ticket, severity: str, now: Occasion) -> Ticket:
    """As bad as `severity` says: the promised time is counted anew, from the same beginning."""
    if severity == ticket.severity:
        return ticket
    told = replace(ticket, severity=severity)
    if ticket.promise is not None and now.catalog is not None:
        length = now.catalog.first_response.get(severity)
        promise = ticket.promise
        anew = replace(promise, length=working_time(now.catalog.hours, length)) if length else None
        told = _reasoned(replace(told, promise=anew), now)
    told = noted(told, now, "severity", was=ticket.severity, to=severity)
    return _settled(told, now)


def rerouted(ticket: Ticket, kind: str, route: Route, now: Occasion) -> Ticket:
    """Of another kind, or with somebody else."""
    told = ticket
    if kind != ticket.kind:
        told = noted(replace(told, kind=kind), now, "kind", was=ticket.kind, to=kind)
    if (route.name, route.mailbox) == (ticket.route, ticket.mailbox):
        return told
    return noted(_with(told, route), now, "route", was=ticket.route, to=route.name)


def escalated(ticket: Ticket, to: str, now: Occasion) -> Ticket:
    """`to` was told that the time to answer nears; once for each time that was promised."""
    assert ticket.reply_by is not None, "what has no reply-by does not near it"  # noqa: S101
    return _settled(noted(ticket, now, "escalated", due=_iso(ticket.reply_by), to=to), now)


def completed(ticket: Ticket, route: Route | None, now: Occasion) -> Ticket:
    """What a catalog would have said when the ticket was taken: its way (`route`) and the promised time,
    counted from when it came."""
    told = ticket
    if route is not None and not ticket.mailbox and route.mailbox:
        told = _with(told, route)
    if told.state == "open" and (told.promise is None or told.promise.stopped):
        told = _counting(told, replace(now, at=_open_since(told)))
    if told == ticket:
        return _reckoned(replace(told, attend_at=None), now)
    return _settled(noted(replace(told, attend_at=None), now, "completed", route=told.route), now)


def linked(ticket: Ticket, defect: str, now: Occasion) -> Ticket:
    if defect in ticket.defects:
        return ticket
    defects = tuple(sorted((*ticket.defects, defect)))
    return noted(replace(ticket, defects=defects), now, "linked", defect=defect)


def unlinked(ticket: Ticket, defect: str, now: Occasion) -> Ticket:
    """Raises NotNow when it is not linked."""
    if defect not in ticket.defects:
        raise NotNow(f"{ticket.number} is not linked to {defect}.")
    defects = tuple(one for one in ticket.defects if one != defect)
    return noted(replace(ticket, defects=defects), now, "unlinked", defect=defect)


def session_set(ticket: Ticket, session: Session, now: Occasion) -> Ticket:
    """A session wished for, planned, moved or called off."""
    facts: dict[str, object] = {"start": _iso(session.start), "minutes": session.minutes}
    facts |= {"uid": session.uid, "sequence": session.sequence}
    return noted(replace(ticket, session=session), now, f"session {session.state}", **facts)


def due_told(ticket: Ticket, sequence: int) -> datetime | None:
    """When the answer was due by what the history says up to an event; 0 for the first one."""
    told = [
        event.facts["due"]
        for event in ticket.events
        if event.sequence <= max(sequence, 1) and "due" in event.facts
    ]
    return datetime.fromisoformat(told[-1]) if told else None


def noted(ticket: Ticket, now: Occasion, what: str, **facts: object) -> Ticket:
    """The ticket with one more event."""
    event = Event(
        sequence=len(ticket.events) + 1,
        when=now.at,
        who=now.who,
        author=now.author,
        what=what,
        facts={name: value for name, value in facts.items() if value is not None},
    )
    return replace(ticket, events=(*ticket.events, event))


def _said(ticket: Ticket, text: str, now: Occasion) -> Ticket:
    message = Message(
        sequence=len(ticket.messages) + 1, who=now.who, author=now.author, text=text, when=now.at
    )
    return replace(ticket, messages=(*ticket.messages, message))


def _answered_first(ticket: Ticket, now: Occasion) -> Ticket:
    """Keep when the first answer was given, and by when it was due."""
    if ticket.first_answered is not None:
        return ticket
    due, promise = ticket.reply_by, ticket.promise
    if promise is not None and promise.stopped is not None and now.catalog is not None:
        due = promises.due(now.catalog.hours, promises.go_on(now.catalog.hours, promise, now.at))
    return replace(ticket, first_answered=now.at, first_due=due)


def _counting(ticket: Ticket, now: Occasion) -> Ticket:
    """The promised time runs: on, where it was stopped, else from now."""
    if now.catalog is None:
        return ticket
    hours, promise = now.catalog.hours, ticket.promise
    if promise is None:
        promise = promises.promised(now.catalog, ticket.severity, now.at)
    else:
        promise = promises.go_on(hours, promise, now.at)
    return _reasoned(replace(ticket, promise=promise), now)


def _reasoned(ticket: Ticket, now: Occasion) -> Ticket:
    if now.catalog is None:
        return ticket
    if ticket.promise is None:
        return replace(ticket, reply_by_because=())
    reasons = list(promises.because(now.catalog, ticket.severity))
    if ticket.promise.start != ticket.received:
        since = moment_text(ticket.promise.start, now.catalog.hours)
        reasons.append(f"It counts from your message of {since}.")
    if ticket.promise.waited:
        waited = span_text(ticket.promise.waited)
        reasons.append(f"We waited for you for {waited} of opening time: they do not count.")
    return replace(ticket, reply_by_because=tuple(reasons))


def _settled(ticket: Ticket, now: Occasion) -> Ticket:
    """Reckoned after an event that was just noted, which then says when the answer is due: a mail about it
    says so too, whenever it is made."""
    ticket = _reckoned(ticket, now)
    *before, last = ticket.events
    if ticket.reply_by is None or "due" in last.facts:
        return ticket
    last = replace(last, facts={**last.facts, "due": _iso(ticket.reply_by)})
    return replace(ticket, events=(*before, last))


def _reckoned(ticket: Ticket, now: Occasion) -> Ticket:
    """When the answer is due, and when the desk must look at the ticket by itself."""
    catalog, promise = now.catalog, ticket.promise
    if ticket.state != "open":
        unrouted = not ticket.mailbox and (catalog is None or ticket.attend_at is not None)
        return replace(ticket, reply_by=None, attend_at=(ticket.attend_at or now.at) if unrouted else None)
    if catalog is None:
        stopped = promise is None or promise.stopped is not None
        return replace(ticket, reply_by=None if stopped else ticket.reply_by, attend_at=now.at)
    if promise is None or promise.stopped is not None:
        # Nothing is promised; or what could not be reckoned for want of a catalog is still to be made up for.
        return replace(ticket, reply_by=None)
    due = promises.due(catalog.hours, promise)
    told = due is not None and any(
        event.what == "escalated" and event.facts.get("due") == _iso(due) for event in ticket.events
    )
    attend_at = None if told else promises.nears(catalog.hours, promise, catalog.escalation.percent)
    if not ticket.mailbox and ticket.attend_at is not None:
        attend_at = ticket.attend_at  # nobody has it yet
    return replace(ticket, reply_by=due, attend_at=attend_at)


def _open_since(ticket: Ticket) -> datetime:
    """Since when we owe an answer: the visitor's message that opened it, or a closing that was undone."""
    for event in reversed(ticket.events):
        if event.what in ("opened", "reopened") or (event.what == "wrote" and "was" in event.facts):
            return event.when
    return ticket.received


def _with(ticket: Ticket, route: Route) -> Ticket:
    return replace(
        ticket,
        route=route.name,
        mailbox=route.mailbox,
        route_because=route.because,
        first_in_queue=route.first_in_queue,
    )


def _open(ticket: Ticket) -> None:
    if ticket.state == "closed":
        raise NotNow(f"{ticket.number} is closed. Open it again first: desk tickets reopen {ticket.number}")


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
