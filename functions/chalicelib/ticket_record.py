"""A ticket as plain JSON values, for whoever keeps it; what has records of its own (messages, files, events)
is not in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.ports.tickets import Attachment, Event, Message, Session, Ticket
from chalicelib.promises import Promise

PARTS = ("messages", "attachments", "events")
_INSTANTS = ("received", "reply_by", "first_answered", "first_due", "attend_at")
_LISTS = ("reply_by_because", "route_because", "defects")
_MICROSECOND = timedelta(microseconds=1)


def record(ticket: Ticket) -> dict[str, Any]:
    """Instants as UTC text of one width, opening time as whole microseconds."""
    made = {field.name: getattr(ticket, field.name) for field in fields(Ticket) if field.name not in PARTS}
    made |= {name: instant(made[name]) for name in _INSTANTS}
    made |= {name: list(made[name]) for name in _LISTS}
    promise, session = ticket.promise, ticket.session
    made["promise"] = promise and {
        "start": instant(promise.start),
        "length": promise.length // _MICROSECOND,
        "waited": promise.waited // _MICROSECOND,
        "stopped": instant(promise.stopped),
    }
    made["session"] = session and {
        "state": session.state,
        "start": instant(session.start),
        "minutes": session.minutes,
        "uid": session.uid,
        "sequence": session.sequence,
    }
    return made


def ticket_of(
    values: Mapping[str, Any],
    messages: Sequence[Message],
    attachments: Sequence[Attachment],
    events: Sequence[Event],
) -> Ticket:
    """The ticket of a record; what an older desk did not keep is as if nothing had been said of it."""
    made = dict(values)
    made |= {name: at(made.get(name)) for name in _INSTANTS}
    made |= {name: tuple(made.get(name) or ()) for name in _LISTS}
    made["first_in_queue"] = bool(made["first_in_queue"])
    if promise := made.get("promise"):
        made["promise"] = Promise(
            start=datetime.fromisoformat(promise["start"]),
            length=promise["length"] * _MICROSECOND,
            waited=promise["waited"] * _MICROSECOND,
            stopped=at(promise["stopped"]),
        )
    if session := made.get("session"):
        made["session"] = Session(**{**session, "start": datetime.fromisoformat(session["start"])})
    return Ticket(**made, messages=tuple(messages), attachments=tuple(attachments), events=tuple(events))


def instant(when: datetime | None) -> str | None:
    """UTC text of one width, so that text sorts as time does."""
    return when.astimezone(UTC).isoformat(timespec="microseconds") if when else None


def at(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
