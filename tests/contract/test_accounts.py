"""Sign-in links, sessions and calendars: what every store must do, whatever its technique."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.ports import Act, CalendarLink, Forgotten, Outgoing, SignIn, Store, WebSession

NOW = datetime(2026, 11, 23, 17, 0, 0, 123456, tzinfo=UTC)
ANN = "ann@example.org"


def sign_in(name: str = "one", address: str = ANN, **changes: object) -> SignIn:
    values: dict[str, object] = {
        "id": name,
        "address": address,
        "salt": "s",
        "token_hash": f"hash {name} {address}",
        "browsers": (f"browser of {name}",),
        "goes_to": "/api/me",
        "expires": NOW + timedelta(minutes=10),
    }
    return SignIn(**{**values, **changes})  # type: ignore[arg-type]


def mail(name: str, to: str = "Ann@example.org", created: datetime = NOW) -> Outgoing:
    return Outgoing(
        id=name,
        message_id=f"<{name}@x>",
        template="sign_in_link",
        to=to,
        about=name,
        message=0,
        capped=True,
        created=created,
    )


def session(name: str = "one", address: str = ANN, minute: int = 0) -> WebSession:
    began = NOW + timedelta(minutes=minute)
    return WebSession(
        id=name, secret_hash=f"secret {name}", address=address, browser="Firefox", began=began, seen=began
    )


def act(what: str, about: str = ANN) -> Act:
    return Act(id=what, who="Robin", what=what, about=about, detail="", when=NOW)


def begin(store: Store, *sessions: WebSession) -> None:
    for number, one in enumerate(sessions):
        name = f"{one.id}-{number}"
        store.ask_sign_in(sign_in(name, one.address), mail(name, f"{name}@example.org"), NOW)
        assert store.redeem_sign_in(sign_in(name, one.address), one, instead_of="", now=one.began)


def test_a_link_comes_back_as_it_was_given_and_its_mail_waits(store: Store) -> None:
    store.ask_sign_in(sign_in(), mail("one"), NOW)
    assert store.sign_in(ANN) == sign_in()
    assert store.sign_in_by_token(sign_in().token_hash) == sign_in()
    assert store.sign_in_by_token("another") is None
    assert store.sign_in("bo@example.org") is None
    assert [queued.mail for queued in store.mails(["waiting"])] == [mail("one")]


def test_a_newer_link_cancels_the_older(store: Store) -> None:
    store.ask_sign_in(sign_in(), mail("one"), NOW)
    store.ask_sign_in(sign_in("two"), mail("two"), NOW)
    assert store.sign_in_by_token(sign_in().token_hash) is None
    assert store.sign_in_by_token(sign_in("two").token_hash) == sign_in("two")
    assert not store.redeem_sign_in(sign_in(), session(), instead_of="", now=NOW)
    assert not store.try_code(sign_in())
    assert store.sessions_of(ANN) == ()


def test_asking_beyond_the_cap_leaves_a_link_that_lives_and_counts_the_browser_in(store: Store) -> None:
    for number in range(3):
        store.ask_sign_in(sign_in(str(number)), mail(str(number)), NOW)
    store.ask_sign_in(sign_in("beyond"), mail("beyond"), NOW)
    store.ask_sign_in(sign_in("more"), mail("more"), NOW)
    joined = replace(sign_in("2"), browsers=("browser of 2", "browser of beyond", "browser of more"))
    assert store.sign_in_by_token(sign_in("2").token_hash) == joined
    assert store.sign_in_by_token(sign_in("beyond").token_hash) is None
    assert [queued.mail.id for queued in store.mails(["suppressed"])] == ["beyond", "more"]


@pytest.mark.parametrize("why", ["used", "its time is over"])
def test_asking_beyond_the_cap_when_no_link_lives_keeps_the_new_one(store: Store, why: str) -> None:
    for number in range(3):
        store.ask_sign_in(sign_in(str(number)), mail(str(number)), NOW)
    now = NOW
    if why == "used":
        assert store.redeem_sign_in(sign_in("2"), session(), instead_of="", now=NOW)
    else:
        now += timedelta(minutes=10)
    store.ask_sign_in(sign_in("beyond"), mail("beyond", created=now), now)
    assert store.sign_in(ANN) == sign_in("beyond")


def test_no_more_browsers_are_remembered_than_twenty(store: Store) -> None:
    for number in range(3):
        store.ask_sign_in(sign_in(str(number)), mail(str(number)), NOW)
    for number in range(21):
        store.ask_sign_in(sign_in(f"more {number}"), mail(f"more {number}"), NOW)
    kept = store.sign_in(ANN)
    assert kept is not None
    assert kept.browsers == tuple(f"browser of more {number}" for number in range(1, 21))


def test_a_mail_that_nobody_wants_counts_for_the_cap_as_one_that_was_sent(store: Store) -> None:
    """Promise 18: the cap must not tell who is a customer."""
    for number in range(3):
        store.ask_sign_in(sign_in(str(number)), mail(str(number)), NOW)
    for queued in store.claim_mails(NOW, 10):
        store.drop_mail(queued.mail.id, "unknown")
    assert [(one.mail.id, one.trouble) for one in store.mails(["suppressed"])] == [
        ("0", "unknown"),
        ("1", "unknown"),
        ("2", "unknown"),
    ]
    assert store.oldest_unsent() is None
    store.ask_sign_in(sign_in("beyond"), mail("beyond"), NOW)
    assert [one.mail.id for one in store.mails(["suppressed"])] == ["0", "1", "2", "beyond"]


def test_a_link_works_once(store: Store) -> None:
    """Promise 17."""
    store.ask_sign_in(sign_in(), mail("one"), NOW)
    assert store.redeem_sign_in(sign_in(), session(), instead_of="", now=NOW)
    assert not store.redeem_sign_in(sign_in(), session("two"), instead_of="", now=NOW)
    assert not store.try_code(sign_in())
    assert store.sign_in(ANN) == sign_in(used=True)
    assert store.sessions_of(ANN) == (session(),)


def test_five_codes_can_be_tried_and_no_more(store: Store) -> None:
    store.ask_sign_in(sign_in(), mail("one"), NOW)
    assert [store.try_code(sign_in()) for _ in range(7)] == [True] * 5 + [False] * 2
    assert store.sign_in(ANN) == sign_in(tries=5)
    # The fifth may be the right one: it was counted before it was compared.
    assert store.redeem_sign_in(sign_in(), session(), instead_of="", now=NOW)


def test_a_session_is_found_by_its_secret_used_and_ended(store: Store) -> None:
    begin(store, session())
    assert store.session("secret one") == session()
    assert store.session("secret") is None
    later = NOW + timedelta(minutes=5)
    store.use_session(session(), later)
    assert store.session("secret one") == replace(session(), seen=later)
    assert not store.end_session("bo@example.org", "one")
    assert not store.end_session(ANN, "two")
    assert store.end_session(ANN, "one")
    assert not store.end_session(ANN, "one")
    assert store.session("secret one") is None
    store.use_session(session(), later)
    assert store.session("secret one") is None


def test_all_sessions_of_an_address_end_and_no_other(store: Store) -> None:
    begin(store, session(), session("two", minute=1), session("three", "bo@example.org"))
    assert store.sessions_of(ANN) == (session("two", minute=1), session())
    assert store.end_sessions(ANN) == 2
    assert store.end_sessions(ANN) == 0
    assert store.sessions_of(ANN) == ()
    assert store.session("secret one") is None
    assert store.sessions_of("bo@example.org") == (session("three", "bo@example.org"),)


def test_a_new_session_ends_the_one_that_the_browser_had(store: Store) -> None:
    begin(store, session(), session("bo", "bo@example.org"))
    store.ask_sign_in(sign_in(), mail("again"), NOW)
    assert store.redeem_sign_in(sign_in(), session("new", minute=1), instead_of="secret bo", now=NOW)
    assert store.session("secret bo") is None
    assert store.sessions_of(ANN) == (session("new", minute=1), session())


def test_an_eleventh_session_ends_the_oldest(store: Store) -> None:
    begin(store, *(session(f"s{number:02}", minute=number) for number in range(11)))
    assert [one.id for one in store.sessions_of(ANN)] == [f"s{number:02}" for number in range(10, 0, -1)]
    assert store.session("secret s00") is None


def test_sessions_are_listed_page_by_page_the_newest_first(store: Store) -> None:
    begin(store, *(session(f"s{number}", f"{number}@example.org", number) for number in range(5)))
    first, mark = store.sessions(limit=2)
    second, mark = store.sessions(before=mark, limit=2)
    third, end = store.sessions(before=mark, limit=2)
    assert [one.id for one in (*first, *second, *third)] == ["s4", "s3", "s2", "s1", "s0"]
    assert end == ""
    assert first[0] == session("s4", "4@example.org", 4)


def test_a_calendar_has_one_address_at_a_time(store: Store) -> None:
    older = CalendarLink(address=ANN, salt="1", token_hash="h1")
    newer = CalendarLink(address=ANN, salt="2", token_hash="h2")
    assert store.calendar(ANN) is None
    store.keep_calendar(older)
    assert (store.calendar(ANN), store.calendar_by_token("h1")) == (older, older)
    store.keep_calendar(newer)
    assert (store.calendar(ANN), store.calendar_by_token("h2")) == (newer, newer)
    assert store.calendar_by_token("h1") is None
    assert store.drop_calendar(ANN)
    assert not store.drop_calendar(ANN)
    assert store.calendar(ANN) is None
    assert store.calendar_by_token("h2") is None


def test_an_account_is_forgotten_with_the_act_that_did_it(store: Store) -> None:
    begin(store, session(), session("two", minute=1), session("three", "bo@example.org"))
    store.keep_calendar(CalendarLink(address=ANN, salt="1", token_hash="h1"))
    told = store.forget_account(ANN, act("forget account"))
    assert told == Forgotten(sign_in=True, sessions=2, calendar=True)
    assert store.forget_account(ANN, act("again")) == Forgotten(sign_in=False, sessions=0, calendar=False)
    assert store.sign_in(ANN) is None
    assert store.sessions_of(ANN) == ()
    assert store.session("secret two") is None
    assert store.calendar_by_token("h1") is None
    assert store.sessions_of("bo@example.org") != ()
    assert store.acts(about=ANN) == ((act("forget account"),), "")


def test_what_staff_end_is_kept_with_its_act_and_nothing_when_there_was_nothing(store: Store) -> None:
    begin(store, session(), session("two", minute=1), session("three", minute=2))
    assert store.end_session(ANN, "one", act("a"))
    assert not store.end_session(ANN, "one", act("b"))
    assert store.end_sessions(ANN, replace(act("c"), when=NOW + timedelta(minutes=1))) == 2
    assert store.end_sessions(ANN, act("d")) == 0
    assert [one.id for one in store.acts(about=ANN)[0]] == ["c", "a"]


@pytest.mark.slow
def test_four_processes_with_one_link_begin_one_session(
    open_store: Callable[[], Store], race: Callable[[str], list[list[str]]]
) -> None:
    """Promise 17: a link works once, whoever races for it."""
    store = open_store()
    for number in range(10):
        address = f"{number}@example.org"
        store.ask_sign_in(sign_in("one", address), mail(str(number), address), NOW)
    told = race("sign_in_racer.py")
    for number, answers in enumerate(zip(*told, strict=True)):
        assert sorted(answers) == [*["late"] * 3, "session"]
        (made,) = store.sessions_of(f"{number}@example.org")
        assert answers[int(made.id)] == "session"
