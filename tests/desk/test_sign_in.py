"""Signing in: a link that works once, in the browser that asked; sessions that end."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from chalicelib import sign_in_pages
from chalicelib.ports.accounts import CODE_TRIES, IDLE, LINK_TIME, LONGEST, MOST_SESSIONS
from chalicelib.ports.subscriptions import Change
from chalicelib.refusals import Invalid, LinkOver, NotSignedIn
from chalicelib.sign_in import Asked, SignIns
from chalicelib.web_sessions import WebSessions, browser_words

ANN = "ann@example.org"


@pytest.fixture
def known(world: Any) -> Any:
    """A world in which Ann is the contact of an agreement."""
    world.keep(world.agreement())
    return world


def mailed(world: Any) -> list[str]:
    """Hands over what waits; the tokens of all sign-in links that were mailed."""
    world.desk.outbox.run()
    return [
        found[1]
        for mail in world.mails
        if (found := re.search(r"https://support\.example\.com/api/sign-in/(\S+)", text_of(mail)))
    ]


def text_of(mail: bytes) -> str:
    return str(message_from_bytes(mail, policy=default).get_content()).replace("\r\n", "\n")


def ask(world: Any, email: str = ANN, goes_to: str = "") -> tuple[Asked, str]:
    before = set(mailed(world))
    asked = world.desk.sign_ins.ask(email, goes_to)
    (token,) = set(mailed(world)) - before
    return asked, token


def redeem(world: Any, token: str, cookie: str = "", code: str = "", instead_of: str = "") -> Any:
    return world.desk.sign_ins.redeem(token, cookie, code, browser="Firefox", instead_of=instead_of)


def test_a_link_signs_in_the_browser_that_asked(known: Any) -> None:
    """Promise 17."""
    asked, token = ask(known)
    begun = redeem(known, token, asked.cookie)
    assert (begun.session.address, begun.goes_to) == (ANN, "/api/me")
    assert known.desk.web_sessions.of(begun.secret) == begun.session


def test_a_link_works_once(known: Any) -> None:
    """Promise 17."""
    asked, token = ask(known)
    redeem(known, token, asked.cookie)
    with pytest.raises(LinkOver):
        redeem(known, token, asked.cookie)


def test_a_link_works_for_ten_minutes(known: Any) -> None:
    """Promise 17."""
    assert timedelta(minutes=10) == LINK_TIME
    asked, token = ask(known)
    known.pass_(minutes=9, seconds=59)
    assert known.desk.sign_ins.link(token, asked.cookie).here
    known.pass_(seconds=1)
    with pytest.raises(LinkOver):
        known.desk.sign_ins.link(token, asked.cookie)
    with pytest.raises(LinkOver):
        redeem(known, token, asked.cookie)
    with pytest.raises(LinkOver):
        known.desk.sign_ins.asked(asked.cookie)


def test_a_newer_link_cancels_the_older(known: Any) -> None:
    """Promise 17."""
    older, older_token = ask(known)
    newer, newer_token = ask(known, "ANN@example.org")
    with pytest.raises(LinkOver):
        redeem(known, older_token, older.cookie)
    assert redeem(known, newer_token, newer.cookie).session.address == ANN


def test_looking_at_a_link_uses_nothing_up(known: Any) -> None:
    """Promise 17: mail scanners do not use it up."""
    asked, token = ask(known)
    for cookie in ("", "another", asked.cookie) * 5:
        known.desk.sign_ins.link(token, cookie)
    redeem(known, token, asked.cookie)


def test_elsewhere_a_link_wants_the_code_of_the_browser_that_asked(known: Any) -> None:
    """Promise 17."""
    asked, token = ask(known)
    assert re.fullmatch(r"[2-9A-Z]{3}-[2-9A-Z]{3}", asked.code)
    assert not known.desk.sign_ins.link(token, "").here
    with pytest.raises(Invalid) as refused:
        redeem(known, token)
    assert refused.value.detail == "Enter the code that stands on the page where you asked for the link."
    typed = asked.code.lower().replace("-", " ")
    assert redeem(known, token, code=typed).session.address == ANN


def test_a_code_can_be_tried_five_times_then_the_link_is_dead_everywhere(known: Any) -> None:
    """Promise 17."""
    asked, token = ask(known)
    told = []
    for _ in range(CODE_TRIES - 1):
        with pytest.raises(Invalid) as refused:
            redeem(known, token, code="222222")
        told.append(refused.value.detail)
    assert told == [
        "This is not the code. You can try 4 more times.",
        "This is not the code. You can try 3 more times.",
        "This is not the code. You can try 2 more times.",
        "This is not the code. You can try once more.",
    ]
    with pytest.raises(LinkOver):
        redeem(known, token, code="222222")
    for cookie, code in (("", asked.code), (asked.cookie, "")):
        with pytest.raises(LinkOver):
            redeem(known, token, cookie, code)


def test_the_code_of_an_older_link_opens_nothing(known: Any) -> None:
    older, _ = ask(known)
    _, token = ask(known)
    with pytest.raises(Invalid):
        redeem(known, token, code=older.code)


def test_an_unknown_address_gets_the_same_answer_and_no_mail(known: Any) -> None:
    """Promise 18."""
    asked = known.desk.sign_ins.ask("bo@example.org")
    assert asked.email == "bo@example.org"
    assert mailed(known) == []
    (dropped,) = known.desk.store.mails(["suppressed"])
    assert dropped.trouble == "nobody here knows the address"
    assert known.desk.store.oldest_unsent() is None


def test_asking_calls_the_store_in_the_same_way_for_every_address(known: Any) -> None:
    """Promise 18: the same work, told by every call of the store and not by a clock."""
    calls: list[str] = []

    class Recorder:
        def __getattr__(self, name: str) -> Callable[..., object]:
            def call(*given: object, **named: object) -> object:
                calls.append(name)
                result: object = getattr(known.desk.store, name)(*given, **named)
                return result

            return call

    real = known.desk.sign_ins
    sign_ins = SignIns(
        **{**{name: getattr(real, name) for name in real.__dataclass_fields__}, "store": Recorder()}
    )
    told = []
    for number in range(5):
        for address in (ANN, "nobody@example.org"):
            calls.clear()
            sign_ins.ask(address)
            told.append((number, tuple(calls)))
        known.desk.outbox.run()
    assert told == [(number, ("ask_sign_in",)) for number in range(5) for _ in range(2)]
    # Beyond the cap too the store did the same for both: the same mails went, or would have gone.
    of = [
        sorted(
            one.state == "suppressed" and not one.attempts
            for one in known.desk.store.mails(["sent", "suppressed"])
            if one.mail.to == to
        )
        for to in (ANN, "nobody@example.org")
    ]
    assert of == [[False] * 3 + [True] * 2] * 2


@pytest.mark.parametrize("who", ["contact", "sender", "subscriber"])
def test_a_contact_the_sender_of_a_ticket_and_a_subscriber_are_known(world: Any, who: str) -> None:
    if who == "contact":
        world.keep(world.agreement(contacts=("Ann@Example.org",)))
    elif who == "sender":
        world.desk.tickets.open(world.draft(email="Ann@Example.org"))
    else:
        new = world.desk.subscriptions.new("Ann@Example.org", source="import")
        subscriber = replace(new, state="confirmed", topics=("newsletter",))
        world.desk.store.change_subscriber(new.email, lambda held, bar: Change(subscriber=subscriber))
    ask(world, "aNN@example.ORG")
    # The address as it is kept, and not as somebody typed it.
    assert sum(b"To: Ann@Example.org" in mail for mail in world.mails) >= 1
    assert not any(b"aNN@example.ORG" in mail for mail in world.mails)


def test_the_mail_says_where_to_open_the_link_and_until_when(known: Any) -> None:
    _, token = ask(known)
    (mail,) = known.mails
    assert b"Subject: Your link to sign in\r\n" in mail
    assert b"Auto-Submitted: auto-generated\r\n" in mail
    assert text_of(mail) == (
        "Somebody asked for a link to sign in to our support pages with this address.\n"
        "Open it in the browser where you asked, and press the button there:\n"
        f"https://support.example.com/api/sign-in/{token}\n"
        "\n"
        "It works once, until Monday, November 23, 2026, 10:10 a.m. MST.\n"
        "In another browser it asks for the code that stands on the page where you asked.\n"
        "\n"
        "If it was not you, do nothing: nobody can sign in without this link. Do not pass\n"
        "it on. We never ask you for it.\n"
        "\n"
        "Example Systems\n"
        "+1 555 0100\n"
    )


def test_three_mails_an_hour_go_to_an_address_and_who_asks_more_often_locks_nobody_out(known: Any) -> None:
    """Promises 6 and 17: the link that lives takes the browser in that asked beyond the cap."""
    for _ in range(2):
        ask(known)
    _, token = ask(known)
    beyond = known.desk.sign_ins.ask(ANN)
    assert len(mailed(known)) == 3
    known.pass_(minutes=9)
    assert redeem(known, token, beyond.cookie).session.address == ANN


def test_a_mail_whose_link_is_dead_is_not_sent(known: Any) -> None:
    known.desk.sign_ins.ask(ANN)
    known.pass_(minutes=10)
    assert mailed(known) == []
    (dropped,) = known.desk.store.mails(["suppressed"])
    assert dropped.trouble == "its link is dead"


def test_the_way_on_is_the_one_that_was_asked_for(known: Any) -> None:
    asked, token = ask(known, goes_to="/support/download/?version=23.12")
    assert redeem(known, token, asked.cookie).goes_to == "/support/download/?version=23.12"


def test_a_session_ends_after_two_hours_without_use(known: Any) -> None:
    """Promise 19."""
    assert timedelta(hours=2) == IDLE
    asked, token = ask(known)
    secret = redeem(known, token, asked.cookie).secret
    known.pass_(hours=1, minutes=59)
    assert known.desk.web_sessions.of(secret)
    known.pass_(hours=1, minutes=59)
    assert known.desk.web_sessions.of(secret)
    known.pass_(hours=2)
    assert known.desk.web_sessions.of(secret) is None


def test_a_session_ends_after_twelve_hours_however_it_is_used(known: Any) -> None:
    """Promise 19."""
    assert timedelta(hours=12) == LONGEST
    asked, token = ask(known)
    secret = redeem(known, token, asked.cookie).secret
    for _ in range(11):
        known.pass_(hours=1)
        assert known.desk.web_sessions.of(secret)
    known.pass_(minutes=59)
    assert known.desk.web_sessions.of(secret)
    known.pass_(minutes=1)
    assert known.desk.web_sessions.of(secret) is None


def test_signing_out_ends_the_session_on_the_server(known: Any) -> None:
    """Promise 19."""
    sessions: WebSessions = known.desk.web_sessions
    begun = []
    for _ in range(3):
        asked, token = ask(known)
        begun.append(redeem(known, token, asked.cookie))
    sessions.end(begun[0].session)
    assert [sessions.of(one.secret) is not None for one in begun] == [False, True, True]
    sessions.end(begun[1].session, which=begun[2].session.id)
    assert [sessions.of(one.secret) is not None for one in begun] == [False, True, False]
    known.pass_(hours=1)
    asked, token = ask(known)
    begun.append(redeem(known, token, asked.cookie))
    sessions.end(begun[1].session, everywhere=True)
    assert [sessions.of(one.secret) is not None for one in begun] == [False] * 4


def test_nobody_ends_the_session_of_another(known: Any) -> None:
    known.keep(known.agreement(agreement="US-2", contacts=("bo@example.org",)))
    asked, token = ask(known)
    ann = redeem(known, token, asked.cookie)
    asked, token = ask(known, "bo@example.org")
    bo = redeem(known, token, asked.cookie)
    known.desk.web_sessions.end(bo.session, which=ann.session.id)
    assert known.desk.web_sessions.of(ann.secret)


def test_signing_in_anew_ends_the_session_that_the_browser_had(known: Any) -> None:
    """Promise 19: a new id at sign-in."""
    asked, token = ask(known)
    first = redeem(known, token, asked.cookie)
    asked, token = ask(known)
    second = redeem(known, token, asked.cookie, instead_of=first.secret)
    assert second.secret != first.secret
    assert known.desk.web_sessions.of(first.secret) is None
    assert known.desk.web_sessions.living(ANN) == (second.session,)


def test_nothing_secret_lies_in_the_store(known: Any) -> None:
    """Promise 28: no token, cookie or code is at rest."""
    asked, token = ask(known)
    begun = redeem(known, token, asked.cookie)
    files = [path.read_bytes() for path in (known.folder / "var").glob("desk.sqlite3*")]
    assert files
    for secret in (token, asked.cookie, asked.code, asked.code.replace("-", ""), begun.secret):
        assert not any(secret.encode() in file for file in files)


def test_the_printed_times_are_those_that_hold() -> None:
    assert "10 minutes" in LinkOver().detail
    assert "10 minutes" in sign_in_pages.SAID
    assert NotSignedIn().detail == (
        f"Sign in to see what is yours. A session ends after {IDLE.seconds // 3600} hours without use, and "
        f"after {LONGEST.seconds // 3600}."
    )
    assert MOST_SESSIONS == 10


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
            "Firefox on Windows",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/141.0.0.0 Safari/537.36 Edg/141.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36",
            "Chrome on Linux",
        ),
        ("curl/8.0 <script>", "A program"),
        ("", "A program"),
    ],
)
def test_a_browser_is_told_in_words_of_ours(agent: str, words: str) -> None:
    assert browser_words(agent) == words
