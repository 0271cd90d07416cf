"""Subscribers and suppressed addresses, on every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chalicelib.ports import Act, Outgoing, Store, Subscriber, Suppression
from chalicelib.ports.subscriptions import CONFIRM, FORGOTTEN, LEAVE, Change

NOW = datetime(2026, 11, 23, 17, 0, 0, 123456, tzinfo=UTC)


def made(name: str, **changes: object) -> Subscriber:
    values: dict[str, object] = {"id": f"id {name}", "email": f"{name}@example.org", "state": "confirmed"}
    values |= {"topics": ("newsletter",), "wanted": (), "salt": "", "asked": (), "source": "form"}
    values |= {"since": NOW, "changed": NOW, "leave_hash": f"leave {name}", "confirm_hash": ""}
    return Subscriber(**{**values, **changes})  # type: ignore[arg-type]


def keep(store: Store, *subscribers: Subscriber) -> None:
    for one in subscribers:
        store.change_subscriber(one.email, lambda held, bar, one=one: Change(subscriber=one))  # type: ignore[misc]


def act(what: str = "leave subscriber") -> Act:
    return Act(id=what, who="robin", what=what, about="ann@example.org", detail="", when=NOW)


def mail(to: str) -> Outgoing:
    return Outgoing(
        id=f"mail to {to}",
        message_id=f"<{to}>",
        template="subscription_confirm",
        to=to,
        about="id ann",
        message=0,
        capped=True,
        created=NOW,
    )


def test_a_subscriber_comes_back_as_kept_however_the_address_is_cased(store: Store) -> None:
    whole = made(
        "Ann",
        state="unconfirmed",
        topics=(),
        wanted=("newsletter", "releases/cityworks"),
        asked=(NOW, NOW + timedelta(days=1)),
        since=None,
        salt="s",
        confirm_hash="c1",
    )
    keep(store, whole)
    assert store.subscriber("aNN@EXAMPLE.org") == whole
    assert store.subscriber_by_token(LEAVE, "leave Ann") == whole
    assert store.subscriber_by_token(CONFIRM, "c1") == whole
    assert store.subscriber_by_token(CONFIRM, "leave Ann") is None
    assert store.subscriber("bo@example.org") is None


def test_a_decision_its_mails_and_its_act_are_kept_together_or_not_at_all(store: Store) -> None:
    one = made("ann")
    seen: list[Subscriber | None] = []

    def decide(held: Subscriber | None, bar: Suppression | None) -> Change | None:
        seen.append(held)
        return Change(subscriber=one, mails=(mail(one.email),)) if held is None else None

    assert store.change_subscriber(one.email, decide, act()) == one
    assert store.change_subscriber(one.email, decide, act()) == one
    assert seen == [None, one]
    assert [queued.mail.to for queued in store.mails(["waiting"])] == ["ann@example.org"]
    assert len(store.acts()[0]) == 1


def test_a_newer_confirmation_ends_the_older_one_and_leave_links_stay(store: Store) -> None:
    keep(store, made("ann", confirm_hash="c1"), made("ann", confirm_hash="c2"))
    assert store.subscriber_by_token(CONFIRM, "c1") is None
    assert store.subscriber_by_token(CONFIRM, "c2") == made("ann", confirm_hash="c2")
    assert store.subscriber_by_token(LEAVE, "leave ann") is not None


def test_who_is_forgotten_leaves_nothing_but_that_the_links_were_theirs(store: Store) -> None:
    keep(store, made("ann", confirm_hash="c1"), made("bo"))
    assert store.change_subscriber("ANN@example.org", lambda held, bar: Change(subscriber=None)) is None
    assert store.subscriber("ann@example.org") is None
    assert store.subscriber_by_token(LEAVE, "leave ann") == FORGOTTEN
    assert store.subscriber_by_token(CONFIRM, "c1") == FORGOTTEN
    assert [one.email for one in store.subscribers(["confirmed"])[0]] == ["bo@example.org"]


def test_subscribers_are_listed_by_state_and_topic_page_by_page(store: Store) -> None:
    keep(store, *(made(f"s{number}") for number in range(7)))
    keep(store, made("s3", topics=("security",)), made("s4", state="left"))
    keep(store, made("s5", state="unconfirmed", topics=()))
    seen: list[str] = []
    mark = "first"
    while mark:
        after = "" if mark == "first" else mark
        found, mark = store.subscribers(["confirmed", "left"], after=after, limit=2)
        assert len(found) <= 2
        seen += [one.email[:2] for one in found]
    assert seen == ["s0", "s1", "s2", "s3", "s4", "s6"]
    found, mark = store.subscribers(["confirmed"], topic="newsletter")
    assert ([one.email[:2] for one in found], mark) == (["s0", "s1", "s2", "s6"], "")


def test_an_import_is_decided_row_by_row_and_told(store: Store) -> None:
    keep(store, made("ann"), made("bo"))

    def becomes(one: Subscriber | None) -> object:
        return lambda held, bar: None if one is None or bar is not None else Change(subscriber=one)

    store.change_suppression("dee@example.org", lambda _: Suppression(**BAR))  # type: ignore[arg-type]
    rows = {
        "Ann@example.org": becomes(made("ann", topics=("security",))),
        "bo@example.org": becomes(None),
        "cy@example.org": becomes(made("cy")),
        "dee@example.org": becomes(made("dee")),
        **{f"n{number:03}@example.org": becomes(made(f"n{number:03}")) for number in range(70)},
    }
    dry = store.import_subscribers(rows, dry_run=True, act=act())  # type: ignore[arg-type]
    assert store.subscriber("ann@example.org") == made("ann")
    assert store.subscriber("cy@example.org") is None
    assert store.acts()[0] == ()
    done = store.import_subscribers(rows, dry_run=False, act=act())  # type: ignore[arg-type]
    assert done == dry
    assert done.changed == ("Ann@example.org",)
    assert done.unchanged == ("bo@example.org", "dee@example.org")
    assert len(done.added) == 71
    assert store.subscriber("ann@example.org") == made("ann", topics=("security",))
    assert store.subscriber("n069@example.org") == made("n069")
    assert store.subscriber_by_token(LEAVE, "leave n069") == made("n069")
    assert store.subscriber("dee@example.org") is None
    assert len(store.acts()[0]) == 1


BAR: dict[str, object] = {
    "email": "dee@example.org",
    "reason": "hard bounce",
    "detail": "5.1.1 unknown",
    "since": NOW,
    "soft": (),
}


def test_a_suppression_is_decided_listed_and_lifted(store: Store) -> None:
    counted = Suppression(**{**BAR, "reason": "", "soft": ("m1",)})  # type: ignore[arg-type]
    assert store.change_suppression("Dee@example.org", lambda held: counted) == counted
    assert not store.is_suppressed("dee@example.org")
    assert store.suppressions() == ((), "")
    barred = replace(counted, reason="complaint", soft=("m1", "m2"))
    assert store.change_suppression("dee@example.org", lambda held: barred, act("suppress")) == barred
    assert store.change_suppression("dee@example.org", lambda held: None) == barred
    assert store.is_suppressed("DEE@example.org")
    other = replace(barred, email="eve@example.org")
    store.change_suppression("eve@example.org", lambda held: other)
    assert store.suppressions(limit=1) == ((barred,), "dee@example.org")
    assert store.suppressions(after="dee@example.org") == ((other,), "")
    assert store.lift_suppression("Dee@example.org", act("send again"))
    assert not store.lift_suppression("Dee@example.org")
    assert not store.is_suppressed("dee@example.org")


def test_a_decision_sees_what_suppresses_the_address(store: Store) -> None:
    store.change_suppression("dee@example.org", lambda _: Suppression(**BAR))  # type: ignore[arg-type]
    seen: list[Suppression | None] = []

    def decide(held: Subscriber | None, bar: Suppression | None) -> Change | None:
        seen.append(bar)
        return None

    store.change_subscriber("DEE@example.org", decide)
    assert seen == [Suppression(**BAR)]  # type: ignore[arg-type]
