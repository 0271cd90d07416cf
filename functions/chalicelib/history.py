"""The history of a ticket in words: what its visitor may read, and what staff read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.catalog import Catalog
from chalicelib.hours import moment_text
from chalicelib.ports import Event, Ticket

STATE_WORDS = {
    "open": "Open",
    "waiting": "Waiting for you",
    "answered": "Answered",
    "closed": "Closed",
}
KIND_WORDS = {
    "question": "a question",
    "defect": "a defect",
    "installation": "an installation",
    "session": "a session",
    "enhancement": "a wish for a later version",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of a history. `who` for staff; a visitor's line tells it in its words."""

    when: datetime
    who: str
    text: str


def for_visitor(ticket: Ticket, catalog: Catalog | None) -> tuple[Line, ...]:
    """What concerns the visitor, in order; no name or address of staff."""
    lines = ((event, _to_visitor(event, catalog)) for event in ticket.events)
    return tuple(Line(when=event.when, who="", text=text) for event, text in lines if text)


def for_staff(ticket: Ticket, catalog: Catalog | None) -> tuple[Line, ...]:
    """All of it."""
    return tuple(
        Line(when=event.when, who=event.author or event.who, text=_to_staff(event, catalog))
        for event in ticket.events
    )


def _to_visitor(event: Event, catalog: Catalog | None) -> str:
    facts, ours = event.facts, event.who != "visitor"
    if event.what == "wrote":
        return "You wrote, and the ticket was opened again." if "was" in facts else "You wrote to us."
    if event.what == "closed":
        return "We closed the ticket." if ours else "You closed the ticket."
    if event.what == "severity":
        return f"The severity was changed from {facts['was']} to {facts['to']}."
    if event.what == "kind":
        return f"It is now handled as {KIND_WORDS.get(str(facts['to']), str(facts['to']))}."
    if event.what in ("route", "completed"):
        return f"It is now with {facts.get('to') or facts.get('route')}."
    if event.what in ("linked", "unlinked"):
        return f"It {'is' if event.what == 'linked' else 'is no longer'} linked to {facts['defect']}."
    if event.what.startswith("session "):
        start = _moment(str(facts["start"]), catalog)
        return {
            "session asked": f"You asked for a session on {start}.",
            "session planned": f"We planned a session: {start}, for {minutes_text(int(facts['minutes']))}.",
            "session cancelled": f"We called off the session of {start}.",
        }[event.what]
    return {
        "opened": "You sent the ticket.",
        "replied": "We answered.",
        "asked": "We asked you something.",
        "waits": "We are waiting for you.",
        "reopened": "We opened the ticket again.",
    }.get(event.what, "")


def _to_staff(event: Event, catalog: Catalog | None) -> str:
    facts = {
        name: _moment(str(fact), catalog) if name in ("due", "start") else str(fact)
        for name, fact in event.facts.items()
    }
    told = ", ".join(f"{name} {fact}" for name, fact in facts.items() if name not in ("uid",))
    return f"{event.what}: {told}" if told else event.what


def minutes_text(minutes: int) -> str:
    """A length in words: "1 hour", "90 minutes"."""
    hours, rest = divmod(minutes, 60)
    if rest or not hours:
        return f"{minutes} minutes"
    return f"{hours} hour{'s' * (hours != 1)}"


def _moment(iso: str, catalog: Catalog | None) -> str:
    at = datetime.fromisoformat(iso)
    return moment_text(at, catalog.hours) if catalog else f"{at:%Y-%m-%d %H:%M} UTC"
