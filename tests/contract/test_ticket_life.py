"""The life of a ticket on every store: one step is one transaction, whoever else takes one."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chalicelib.ports import (
    Act,
    Change,
    DraftGone,
    Event,
    KeyReused,
    Message,
    ReplyDraft,
    Session,
    Store,
    Ticket,
)
from chalicelib.promises import Promise
from chalicelib.refusals import NotFound

_spec = importlib.util.spec_from_file_location("store_values", Path(__file__).with_name("test_store.py"))
assert _spec
assert _spec.loader
values = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(values)
NOW = datetime(2026, 11, 23, 17, 0, 0, 123456, tzinfo=UTC)
NUMBER = "AAAA-1111"


def event(sequence: int, what: str = "opened", **facts: object) -> Event:
    return Event(sequence=sequence, when=NOW, who="visitor", author="", what=what, facts=facts)


def message(sequence: int, text: str, who: str = "visitor") -> Message:
    return Message(sequence=sequence, who=who, author="", text=text, when=NOW)


def says(text: str) -> Callable[[Ticket], Change]:
    """A message, its event, and a mail about it."""

    def change(ticket: Ticket) -> Change:
        place = len(ticket.messages) + 1
        after = replace(
            ticket,
            messages=(*ticket.messages, message(place, text)),
            events=(*ticket.events, event(len(ticket.events) + 1, "wrote", message=place)),
        )
        return Change(ticket=after, mails=(replace(values.mail(f"mail {text}"), message=place),))

    return change


def draft(name: str = "d", minute: int = 0) -> ReplyDraft:
    return ReplyDraft(
        id=name,
        ticket=NUMBER,
        defect="CW-1",
        release="24",
        text="It is fixed in “24”.",
        state="waiting",
        made=NOW + timedelta(minutes=minute),
    )


def test_all_of_a_ticket_comes_back_as_it_was_given(store: Store) -> None:
    given = values.ticket(
        reply_by=None,
        state="waiting",
        assignee="bo@example.com",
        first_answered=NOW,
        first_due=NOW + timedelta(hours=1),
        promise=Promise(
            start=NOW,
            length=timedelta(hours=4),
            waited=timedelta(minutes=7, microseconds=1),
            stopped=NOW + timedelta(hours=2),
        ),
        attend_at=NOW + timedelta(hours=3),
        known={"version": "23.4", "known_issues": [{"id": "CW-1"}], "supported_until": None},
        defects=("CW-1", "CW-2"),
        session=Session(state="planned", start=NOW, minutes=60, uid="u@x", sequence=2),
        events=(event(1, "opened", due="2026"), event(2, "waits")),
        messages=(message(1, "Montréal 😀"),),
    )
    store.open_ticket(given, values.identity("c"), [], NOW)
    assert store.ticket(NUMBER) == given
    plain = replace(given, promise=None, session=None, known=None, defects=(), attend_at=None, state="closed")
    changed, _ = store.change_ticket(NUMBER, lambda _: Change(ticket=plain), NOW)
    assert store.ticket(NUMBER) == changed == replace(plain, revision=2)


def test_a_step_keeps_its_message_event_and_mail_together(store: Store) -> None:
    store.open_ticket(values.ticket(events=(event(1),)), values.identity("c"), [], NOW)
    first, repeated = store.change_ticket(NUMBER, says("one"), NOW)
    store.change_ticket(NUMBER, says("two"), NOW)
    found = store.ticket(NUMBER)
    assert found is not None
    assert (repeated, first.revision, found.revision) == (False, 2, 3)
    assert [(one.sequence, one.text) for one in found.messages] == [(1, "one"), (2, "two")]
    assert [(one.what, one.facts) for one in found.events] == [
        ("opened", {}),
        ("wrote", {"message": 1}),
        ("wrote", {"message": 2}),
    ]
    assert [(one.mail.id, one.mail.message) for one in store.mails(["waiting"])] == [
        ("mail one", 1),
        ("mail two", 2),
    ]


def test_a_step_that_was_taken_before_is_not_taken_again(store: Store) -> None:
    store.open_ticket(values.ticket(), values.identity("c"), [], NOW)
    key = values.identity("one", "key")
    store.change_ticket(NUMBER, says("one"), NOW, identity=key)
    again, repeated = store.change_ticket(NUMBER, says("more"), NOW, identity=key)
    assert repeated
    assert [one.text for one in again.messages] == ["one"]
    with pytest.raises(KeyReused):
        store.change_ticket(NUMBER, says("more"), NOW, identity=values.identity("more", "key"))


def test_what_a_change_raises_changes_nothing(store: Store) -> None:
    store.open_ticket(values.ticket(), values.identity("c"), [], NOW)

    def change(ticket: Ticket) -> Change:
        raise RuntimeError("not now")

    key = values.identity("one", "key")
    with pytest.raises(RuntimeError, match="not now"):
        store.change_ticket(NUMBER, change, NOW, identity=key)
    assert store.ticket(NUMBER) == values.ticket()
    assert store.change_ticket(NUMBER, says("one"), NOW, identity=key)[1] is False
    with pytest.raises(NotFound):
        store.change_ticket("BBBB-2222", says("one"), NOW)


def test_the_same_ticket_given_back_keeps_no_act_and_no_mail(store: Store) -> None:
    store.open_ticket(values.ticket(), values.identity("c"), [], NOW)
    act = Act(id="a", who="Bo", what="w", about=NUMBER, detail="", when=NOW)
    same, _ = store.change_ticket(
        NUMBER, lambda held: Change(ticket=held, mails=(values.mail("m"),), act=act), NOW
    )
    assert (same, store.mails(["waiting"]), store.acts()[0]) == (values.ticket(), (), ())


def test_steps_taken_at_once_are_all_there(open_store: Callable[[], Store]) -> None:
    stores = [open_store() for _ in range(4)]
    stores[0].open_ticket(values.ticket(), values.identity("c"), [], NOW)
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda n: stores[n % 4].change_ticket(NUMBER, says(f"m{n}"), NOW), range(24)))
    found = stores[0].ticket(NUMBER)
    assert found is not None
    assert [one.sequence for one in found.messages] == list(range(1, 25))
    assert {one.text for one in found.messages} == {f"m{n}" for n in range(24)}
    assert found.revision == 25


def test_a_file_that_arrives_meanwhile_is_not_lost(open_store: Callable[[], Store]) -> None:
    one, other = open_store(), open_store()
    one.open_ticket(values.ticket(), values.identity("c"), [], NOW)
    with ThreadPoolExecutor(2) as pool:
        steps = pool.submit(lambda: [one.change_ticket(NUMBER, says(f"m{n}"), NOW) for n in range(6)])
        files = pool.submit(lambda: [other.attach(NUMBER, values.attachment(f"f{n}"), 9) for n in range(6)])
        steps.result(), files.result()
    found = one.ticket(NUMBER)
    assert found is not None
    assert (len(found.messages), len(found.attachments), found.revision) == (6, 6, 13)


def test_tickets_to_attend_come_when_their_time_has_come(store: Store) -> None:
    for number, minute in (("A", 3), ("B", 1), ("C", 2), ("D", 9)):
        given = values.ticket(number, attend_at=NOW + timedelta(minutes=minute))
        store.open_ticket(given, values.identity(number), [], NOW)
    store.open_ticket(values.ticket("E"), values.identity("E"), [], NOW)
    at = NOW + timedelta(minutes=3)
    assert [one.number for one in store.tickets_to_attend(at, 10)] == ["B", "C", "A"]
    assert [one.number for one in store.tickets_to_attend(at, 2)] == ["B", "C"]
    store.change_ticket("B", lambda held: Change(ticket=replace(held, attend_at=None)), NOW)
    later = NOW + timedelta(minutes=7)
    store.change_ticket("C", lambda held: Change(ticket=replace(held, attend_at=later)), NOW)
    assert [one.number for one in store.tickets_to_attend(at, 10)] == ["A"]
    assert [one.number for one in store.tickets_to_attend(NOW + timedelta(hours=1), 10)] == ["A", "C", "D"]


def test_a_draft_is_made_once_whatever_became_of_it(store: Store) -> None:
    store.open_ticket(values.ticket(), values.identity("c"), [], NOW)
    assert store.keep_draft(draft("b", 1))
    assert store.keep_draft(draft("a", 2))
    assert not store.keep_draft(draft("b", 3))
    assert store.drafts("waiting") == (draft("b", 1), draft("a", 2))
    assert store.drop_draft("b") == replace(draft("b", 1), state="dropped")
    assert not store.keep_draft(draft("b", 4))
    with pytest.raises(DraftGone):
        store.drop_draft("b")
    assert [one.id for one in store.drafts("waiting")] == ["a"]


def test_a_draft_is_sent_with_its_reply_or_not_at_all(store: Store) -> None:
    store.open_ticket(values.ticket(), values.identity("c"), [], NOW)
    store.keep_draft(draft())
    store.change_ticket(NUMBER, says("one"), NOW, draft="d")
    assert (store.drafts("waiting"), [one.id for one in store.drafts("sent")]) == ((), ["d"])
    for gone in ("d", "x"):
        with pytest.raises(DraftGone):
            store.change_ticket(NUMBER, says("two"), NOW, draft=gone)
    found = store.ticket(NUMBER)
    assert found is not None
    assert [one.text for one in found.messages] == ["one"]
