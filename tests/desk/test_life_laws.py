"""Laws of a ticket's life, over any sequence of steps at any hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from chalicelib import life, promises
from chalicelib.catalog import read
from chalicelib.history import for_staff, for_visitor
from chalicelib.life import NotNow, Occasion
from chalicelib.ports import Ticket
from chalicelib.response_report import response_time
from chalicelib.routes import Route

CATALOG = read((Path(__file__).with_name("catalog.json")).read_text(encoding="utf-8"))
START = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
ROUTE = Route(name="Programming", mailbox="programming@example.com", because=("b",))
STEPS = {
    "wrote": lambda ticket, now: life.visitor_wrote(ticket, "words", visitor(now)),
    "replied": lambda ticket, now: life.staff_replied(ticket, "words", now),
    "asked": lambda ticket, now: life.staff_replied(ticket, "words", now, wait=True),
    "waits": life.waits,
    "closed": life.closed,
    "solved": lambda ticket, now: life.closed(ticket, visitor(now)),
    "word": lambda ticket, now: life.closed(ticket, now, "last words"),
    "reopened": life.reopened,
    "P1": lambda ticket, now: life.regraded(ticket, "P1", now),
    "P4": lambda ticket, now: life.regraded(ticket, "P4", now),
    "assigned": lambda ticket, now: life.assigned(ticket, "bo@example.com", now),
    "routed": lambda ticket, now: life.rerouted(ticket, "defect", ROUTE, now),
    "completed": lambda ticket, now: life.completed(ticket, ROUTE, now),
}
SPANS = st.integers(0, 4 * 86400).map(lambda seconds: timedelta(seconds=seconds))
LIVES = st.lists(st.tuples(st.sampled_from(sorted(STEPS)), SPANS, st.booleans()), max_size=14)


def visitor(now: Occasion) -> Occasion:
    return replace(now, who="visitor", author="")


def new(blind: bool) -> Ticket:
    ticket = Ticket(
        number="AAAA-1111",
        salt="s",
        token_hash="t",
        received=START,
        reply_by=None,
        reply_by_because=(),
        state="open",
        **dict.fromkeys(("name", "email", "organization", "phone", "agreement", "product", "version"), ""),
        kind="question",
        severity="P2",
        subject="s",
        description="d",
        route="Client Services",
        mailbox="" if blind else "services@example.com",
        route_because=(),
        first_in_queue=False,
        covered="unknown",
    )
    return life.opened(ticket, Occasion(at=START, who="visitor", catalog=None if blind else CATALOG))


def lived(steps: list[tuple[str, timedelta, bool]]) -> list[tuple[Ticket, Occasion]]:
    """The ticket after each step that was possible; a step is blind while there is no catalog."""
    at = START
    ticket = new(bool(steps) and steps[0][2])
    found = [(ticket, Occasion(at=at, who="visitor"))]
    for name, span, blind in steps:
        at += span
        now = Occasion(at=at, who="staff", author="Bo", catalog=None if blind else CATALOG)
        try:
            ticket = STEPS[name](ticket, now)
        except NotNow:
            continue
        found.append((ticket, now))
    return found


@given(LIVES)
def test_law_only_an_open_ticket_is_due_and_what_is_due_will_be_looked_at(
    steps: list[tuple[str, timedelta, bool]],
) -> None:
    for ticket, now in lived(steps):
        assert ticket.state in life.STATES
        if ticket.reply_by is not None:
            assert ticket.state == "open"
            assert ticket.promise is not None
            assert ticket.promise.stopped is None
            assert ticket.attend_at is None or ticket.attend_at <= max(ticket.reply_by, now.at)
        if not ticket.mailbox:
            assert ticket.attend_at is not None
            assert ticket.attend_at <= now.at
        if ticket.state == "open" and ticket.reply_by is None:
            assert ticket.attend_at is not None  # there was no catalog: the desk makes up for it


@given(LIVES)
def test_law_once_there_is_a_catalog_nothing_is_left_to_make_up_for(
    steps: list[tuple[str, timedelta, bool]],
) -> None:
    ticket, now = lived(steps)[-1]
    done = life.completed(ticket, ROUTE, Occasion(at=now.at, who="desk", catalog=CATALOG))
    assert (done.state == "open") == (done.reply_by is not None)
    assert done.mailbox
    assert life.completed(done, ROUTE, Occasion(at=now.at, who="desk", catalog=CATALOG)) == done


@given(LIVES)
def test_law_history_grows_and_nothing_of_it_changes(steps: list[tuple[str, timedelta, bool]]) -> None:
    before: Ticket | None = None
    for ticket, _ in lived(steps):
        assert [event.sequence for event in ticket.events] == list(range(1, len(ticket.events) + 1))
        if before is not None:
            assert ticket.events[: len(before.events)] == before.events
            assert ticket.messages[: len(before.messages)] == before.messages
            # Only when the desk looks at it next may change without a word.
            silent = replace(ticket, attend_at=before.attend_at) == before
            assert silent or len(ticket.events) > len(before.events)
        before = ticket
        assert len(for_staff(ticket, CATALOG)) == len(ticket.events)
        assert "bo@example.com" not in repr(for_visitor(ticket, CATALOG))


@given(LIVES)
def test_law_a_first_answer_stays_the_first_and_never_takes_less_than_nothing(
    steps: list[tuple[str, timedelta, bool]],
) -> None:
    answered = None
    for ticket, _ in lived(steps):
        if answered is not None:
            assert ticket.first_answered == answered
        answered = ticket.first_answered
        time = response_time(ticket, CATALOG.hours)
        assert (time is None) == (answered is None)
        assert time is None or time >= timedelta(0)


@given(LIVES)
def test_law_closing_and_taking_it_back_changes_no_promise(steps: list[tuple[str, timedelta, bool]]) -> None:
    ticket, now = lived(steps)[-1]
    if ticket.state == "closed":
        return
    seen = replace(now, catalog=CATALOG)
    settled = life.completed(ticket, ROUTE, seen)
    later = replace(seen, at=now.at + timedelta(days=2))
    back = life.reopened(life.closed(settled, seen), later)
    assert back.state == settled.state
    if settled.promise is not None:
        assert back.promise is not None
        hours = CATALOG.hours
        assert promises.left(hours, back.promise, later.at) == promises.left(hours, settled.promise, seen.at)
