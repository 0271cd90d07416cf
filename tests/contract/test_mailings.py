"""Mails to many, on every store: promises 14, 15 and 16 where they are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.ports import Act, Delivery, Mailing, Outcome, Store, Subscriber, Suppression
from chalicelib.ports.mailings import DELIVERY_STATES, SenderBusy
from chalicelib.ports.subscriptions import Change
from chalicelib.refusals import NotFound

NOW = datetime(2026, 11, 23, 17, 0, 0, 123456, tzinfo=UTC)
SOON = NOW + timedelta(minutes=5)


def subscribe(store: Store, name: str, *topics: str, state: str = "confirmed") -> Subscriber:
    one = Subscriber(
        id=name,
        email=f"{name}@example.org",
        state=state,
        topics=topics or ("newsletter",),
        changed=NOW,
        leave_hash=f"leave {name}",
    )
    store.change_subscriber(one.email, lambda held, bar: Change(subscriber=one))
    return one


def issue(name: str = "newsletter/a", *topics: str) -> Mailing:
    chosen = topics or ("newsletter",)
    return Mailing(id=name, topics=chosen, subject="Subject", digest="d", started=NOW)


def counted(**numbers: int) -> dict[str, int]:
    return dict.fromkeys(DELIVERY_STATES, 0) | numbers


def step(
    store: Store, done: Outcome | None = None, *, after: str = "", sender: str = "me", now: datetime = NOW
) -> Delivery | None:
    return store.next_delivery("newsletter/a", sender, done=done, after=after, now=now, until=SOON)


def begin(store: Store, sender: str = "me") -> Mailing:
    store.freeze_mailing(issue())
    return store.take_over("newsletter/a", sender, now=NOW, until=SOON, alone=False)


def barred(email: str) -> Suppression:
    return Suppression(email=email, reason="hard bounce", detail="", since=NOW)


def test_the_list_is_who_is_confirmed_gets_a_topic_and_is_not_suppressed(store: Store) -> None:
    for number in range(200):
        subscribe(store, f"s{number:03}", "newsletter" if number % 2 else "security")
    subscribe(store, "both", "newsletter", "security")
    subscribe(store, "gone", state="left")
    subscribe(store, "asks", state="unconfirmed")
    subscribe(store, "dead")
    store.change_suppression("dead@example.org", lambda held: barred("dead@example.org"))
    assert store.recipients(["newsletter"]) == 101
    assert store.recipients(["newsletter", "security"]) == 201
    assert store.recipients(["releases"]) == 0
    act = Act(id="a", who="robin", what="begin mailing", about="newsletter/a", detail="", when=NOW)
    made = store.freeze_mailing(issue(), act)
    assert made == replace(issue(), counts=counted(pending=101))
    subscribe(store, "late")
    assert store.freeze_mailing(replace(issue(), subject="Other"), act) == made
    assert store.mailing("newsletter/a") == made
    assert store.mailing("newsletter/b") is None
    assert len(store.acts()[0]) == 1
    found, mark = store.deliveries("newsletter/a", ["pending"], limit=100)
    rest, end = store.deliveries("newsletter/a", ["pending"], after=mark, limit=100)
    assert [one.subscriber for one in (*found, *rest)] == [
        "both",
        *(f"s{number:03}" for number in range(1, 200, 2)),
    ]
    assert end == ""


def test_one_at_a_time_is_handed_over_and_each_ends_with_its_outcome(store: Store) -> None:
    for name in ("a", "b", "c", "d"):
        subscribe(store, name)
    begin(store)
    first = step(store)
    assert first is not None and (first.subscriber, first.email) == ("a", "a@example.org")
    assert store.mailing("newsletter/a").counts == counted(pending=3, sending=1)  # type: ignore[union-attr]
    second = step(store, Outcome(subscriber="a", state="sent"), after="a")
    assert second is not None and second.subscriber == "b"
    third = step(store, Outcome(subscriber="b", state="failed", trouble="550"), after="b")
    assert third is not None and third.subscriber == "c"
    later = NOW + timedelta(minutes=5)
    waits = Outcome(subscriber="c", state="pending", trouble="451", next_try=later)
    fourth = step(store, waits, after="c")
    assert fourth is not None and fourth.subscriber == "d"
    assert step(store, Outcome(subscriber="d", state="unknown", trouble="lost"), after="d") is None
    assert step(store) is None
    counts = store.mailing("newsletter/a").counts  # type: ignore[union-attr]
    assert counts == counted(pending=1, sent=1, failed=1, unknown=1)
    again = step(store, now=later)
    assert again is not None
    assert (again.subscriber, again.attempts, again.trouble) == ("c", 1, "451")
    listed, _ = store.deliveries("newsletter/a", ["failed", "unknown"])
    assert [(one.subscriber, one.state, one.trouble) for one in listed] == [
        ("b", "failed", "550"),
        ("d", "unknown", "lost"),
    ]


def test_promise_14_who_leaves_in_the_middle_gets_nothing_and_who_is_suppressed_neither(
    store: Store,
) -> None:
    for name in ("a", "b", "c", "d", "e"):
        subscribe(store, name)
    begin(store)
    assert step(store) is not None
    subscribe(store, "b", state="left")
    subscribe(store, "c", "security")
    store.change_suppression("D@example.org", lambda held: barred("d@example.org"))
    last = step(store, Outcome(subscriber="a", state="sent"), after="a")
    assert last is not None and last.subscriber == "e"
    assert store.mailing("newsletter/a").counts == counted(  # type: ignore[union-attr]
        sent=1, sending=1, left=2, suppressed=1
    )


def test_many_who_left_are_passed_by(store: Store) -> None:
    for number in range(120):
        subscribe(store, f"s{number:03}")
    begin(store)
    for number in range(119):
        subscribe(store, f"s{number:03}", state="left")
    found = step(store)
    assert found is not None and found.subscriber == "s119"
    assert store.mailing("newsletter/a").counts == counted(sending=1, left=119)  # type: ignore[union-attr]


def test_promise_15_what_a_dead_sender_had_in_hand_is_unknown_and_sent_again_by_command_alone(
    store: Store,
) -> None:
    for name in ("a", "b", "c"):
        subscribe(store, name)
    begin(store, "dead")
    step(store, sender="dead")
    with pytest.raises(SenderBusy) as busy:
        store.take_over("newsletter/a", "next", now=NOW, until=SOON, alone=False)
    assert busy.value.until == SOON
    taken = store.take_over("newsletter/a", "next", now=NOW, until=SOON, alone=True)
    assert taken.counts == counted(pending=2, unknown=1)
    with pytest.raises(SenderBusy):
        step(store, Outcome(subscriber="a", state="sent"), sender="dead")
    seen = []
    done, after = None, ""
    while (found := step(store, done, after=after, sender="next")) is not None:
        seen.append(found.subscriber)
        done, after = Outcome(subscriber=found.subscriber, state="sent"), found.subscriber
    assert seen == ["b", "c"]
    assert store.resend_unknown("newsletter/a", NOW) == 1
    again = step(store, sender="next")
    assert again is not None and again.subscriber == "a"
    assert store.resend_unknown("newsletter/a", NOW) == 0


def test_a_sender_whose_time_is_over_is_followed_and_one_that_ended_is_too(store: Store) -> None:
    subscribe(store, "a")
    begin(store, "first")
    store.take_over("newsletter/a", "second", now=SOON, until=SOON, alone=False)
    store.take_over("newsletter/a", "third", now=SOON, until=SOON + timedelta(hours=1), alone=False)
    store.release("newsletter/a", "second")
    with pytest.raises(SenderBusy):
        store.take_over("newsletter/a", "fourth", now=SOON, until=SOON, alone=False)
    store.release("newsletter/a", "third")
    store.take_over("newsletter/a", "fourth", now=SOON, until=SOON, alone=False)
    with pytest.raises(NotFound):
        store.take_over("newsletter/b", "me", now=NOW, until=SOON, alone=True)


def test_mailings_are_listed_newest_first_page_by_page(store: Store) -> None:
    for number in range(5):
        store.freeze_mailing(replace(issue(f"n/{number}"), started=NOW + timedelta(days=number)))
    first, mark = store.mailings(limit=3)
    rest, end = store.mailings(before=mark, limit=3)
    assert [one.id for one in (*first, *rest)] == ["n/4", "n/3", "n/2", "n/1", "n/0"]
    assert (len(first), end) == (3, "")


def test_of_who_is_forgotten_no_delivery_keeps_the_address(store: Store) -> None:
    for name in ("a", "b"):
        subscribe(store, name)
    begin(store)
    step(store)
    step(store, Outcome(subscriber="a", state="sent"), after="a")
    store.freeze_mailing(issue("newsletter/b"))
    store.forget_deliveries("a")
    for name, state in (("newsletter/a", "sent"), ("newsletter/b", "left")):
        found, _ = store.deliveries(name, DELIVERY_STATES)
        assert [(one.email, one.state) for one in found if one.subscriber == "a"] == [("", state)]
    assert store.mailing("newsletter/b").counts == counted(pending=1, left=1)  # type: ignore[union-attr]


def test_notices_are_kept_once(store: Store) -> None:
    assert store.notices() == frozenset()
    store.keep_notices([f"release/x/{number}" for number in range(60)], NOW)
    store.keep_notices(["release/x/1", "end/x/1"], NOW)
    assert len(store.notices()) == 61
    assert "end/x/1" in store.notices()
