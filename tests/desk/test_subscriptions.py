"""Subscribing, by the rules: promises 12, 13 and 14, without HTTP."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from typing import Any

import pytest

from chalicelib.ports import Suppression
from chalicelib.refusals import Expired, Invalid, NotFound
from chalicelib.subscriptions import SubscriptionView

ANN = "Ann@Example.org"


def mails(world: Any) -> list[Any]:
    """All that was handed over so far, the oldest first."""
    world.desk.outbox.run()
    return [message_from_bytes(data, policy=policy.default) for data in world.mails]


def link(mail: Any) -> str:
    """The token of the link in a mail."""
    (found,) = re.findall(r"https://support\.example\.com/api/subscriptions/\w+/(\S+)", mail.get_content())
    return str(found)


def subscribed(world: Any, email: str = ANN, *topics: str) -> SubscriptionView:
    world.desk.subscriptions.ask(email, topics or ("newsletter",))
    view: SubscriptionView = world.desk.subscriptions.confirm(link(mails(world)[-1]))
    return view


def leave_token(view: SubscriptionView) -> str:
    return view.leave_url.rsplit("/", 1)[1]


def test_promise_13_nobody_is_subscribed_before_the_owner_presses_confirm(world: Any) -> None:
    world.desk.subscriptions.ask(ANN, ["releases/cityworks", "newsletter"])
    (mail,) = mails(world)
    assert (mail["To"], mail["Subject"]) == ("Ann@Example.org", "Please confirm: mails from Example Systems")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().replace("\r\n", "\n") == (
        "Somebody, probably you, asked us to send to this address:\n\n"
        "- The newsletter\n- Releases of Cityworks\n\n"
        "If it was you, open this page and press the button there. Nothing is sent\nbefore you do:\n"
        f"https://support.example.com/api/subscriptions/confirm/{link(mail)}\n\n"
        "If it was not you, you need not do anything. The link works for 30 days.\n\n"
        "Example Systems\n+1 555 0100\n"
    )
    view = world.desk.subscriptions.of("ann@example.org")
    assert (view.state, view.topics, view.wanted) == (
        "unconfirmed",
        (),
        ("newsletter", "releases/cityworks"),
    )
    confirmed = world.desk.subscriptions.confirm(link(mail))
    assert (confirmed.state, confirmed.topics, confirmed.wanted) == (
        "confirmed",
        ("newsletter", "releases/cityworks"),
        (),
    )


def test_promise_12_looking_at_a_link_changes_nothing(world: Any) -> None:
    world.desk.subscriptions.ask(ANN, ["newsletter"])
    token = link(mails(world)[0])
    before = world.desk.store.subscriber(ANN)
    assert world.desk.subscriptions.to_confirm(token).wanted == ("newsletter",)
    assert world.desk.store.subscriber(ANN) == before
    view = world.desk.subscriptions.confirm(token)
    held = world.desk.store.subscriber(ANN)
    world.pass_(hours=1)
    assert world.desk.subscriptions.at_leave(leave_token(view)).state == "confirmed"
    assert world.desk.subscriptions.to_confirm(token).state == "confirmed"
    assert world.desk.store.subscriber(ANN) == held


def test_promise_13_one_confirmation_a_day_and_three_in_all(world: Any) -> None:
    for hour in range(0, 24 * 20, 5):
        world.desk.subscriptions.ask(ANN if hour % 2 else "ann@EXAMPLE.org", ["newsletter"])
        if hour < 24:
            assert len(mails(world)) == 1
        elif hour < 48:
            assert len(mails(world)) <= 2
        world.pass_(hours=5)
    assert len(mails(world)) == 3
    assert len({link(mail) for mail in mails(world)}) == 1


def test_promise_13_the_owner_is_never_locked_out_for_good(world: Any) -> None:
    """Whoever keeps asking at a stranger's address sends three mails and no more; the owner gets in by the
    links in them, and, when those are over, by asking again, however often the other one asked."""
    for _ in range(29):
        world.desk.subscriptions.ask(ANN, ["newsletter"])
        world.pass_(days=1)
    first, *_, last = mails(world)
    assert link(first) == link(last)
    assert world.desk.subscriptions.confirm(link(first)).state == "confirmed"

    other = "bo@example.org"
    for _ in range(33):
        world.desk.subscriptions.ask(other, ["newsletter"])
        world.desk.outbox.run()
        world.pass_(days=1)
    sent = [mail for mail in mails(world) if mail["To"] == other]
    assert len(sent) == 4
    with pytest.raises(NotFound):
        world.desk.subscriptions.confirm(link(sent[0]))
    assert world.desk.subscriptions.confirm(link(sent[3])).state == "confirmed"


def test_a_link_to_confirm_is_over_after_thirty_days(world: Any) -> None:
    world.desk.subscriptions.ask(ANN, ["newsletter"])
    token = link(mails(world)[0])
    world.pass_(days=30)
    with pytest.raises(Expired):
        world.desk.subscriptions.to_confirm(token)
    with pytest.raises(Expired):
        world.desk.subscriptions.confirm(token)
    assert world.desk.subscriptions.of(ANN).state == "unconfirmed"


def test_what_was_asked_last_is_what_is_confirmed_and_confirming_twice_is_once(world: Any) -> None:
    world.desk.subscriptions.ask(ANN, ["newsletter"])
    token = link(mails(world)[0])
    world.desk.subscriptions.ask(ANN, ["security"])
    first = world.desk.subscriptions.confirm(token)
    assert first.topics == ("security",)
    world.pass_(days=100)
    assert world.desk.subscriptions.confirm(token) == first


def test_who_asks_for_more_keeps_what_they_have(world: Any) -> None:
    subscribed(world)
    world.pass_(days=1)
    world.desk.subscriptions.ask(ANN, ["security"])
    assert world.desk.subscriptions.of(ANN).topics == ("newsletter",)
    view = world.desk.subscriptions.confirm(link(mails(world)[-1]))
    assert view.topics == ("newsletter", "security")


def test_who_has_it_all_is_told_so_once_a_day_with_a_link_to_change_it(world: Any) -> None:
    view = subscribed(world)
    for _ in range(3):
        world.pass_(hours=2)
        world.desk.subscriptions.ask(ANN, ["newsletter"])
    _, mail = mails(world)
    assert mail["Subject"] == "You get mails from Example Systems already"
    assert view.leave_url in mail.get_content()
    assert world.desk.subscriptions.of(ANN) == view


def test_promise_14_leaving_works_again_and_again_and_years_later(world: Any) -> None:
    view = subscribed(world)
    world.pass_(days=800)
    for _ in range(3):
        assert world.desk.subscriptions.leave(leave_token(view)).state == "left"
    world.desk.subscriptions.ask(ANN, ["security"])
    world.desk.subscriptions.confirm(link(mails(world)[-1]))
    assert world.desk.subscriptions.of(ANN).state == "confirmed"
    assert world.desk.subscriptions.leave(leave_token(view)).state == "left"


def test_leaving_is_undone_and_ends_what_waited_to_be_confirmed(world: Any) -> None:
    view = subscribed(world, ANN, "newsletter", "life-cycle")
    world.pass_(days=1)
    world.desk.subscriptions.ask(ANN, ["security"])
    waiting = link(mails(world)[-1])
    left = world.desk.subscriptions.leave(leave_token(view))
    assert (left.state, left.topics, left.wanted) == ("left", ("newsletter", "life-cycle"), ())
    with pytest.raises(NotFound):
        world.desk.subscriptions.confirm(waiting)
    again = world.desk.subscriptions.undo(leave_token(view))
    assert (again.state, again.topics) == ("confirmed", ("newsletter", "life-cycle"))
    assert world.desk.subscriptions.undo(leave_token(view)) == again


def test_topics_are_chosen_by_the_leave_link_and_none_is_no_choice(world: Any) -> None:
    token = leave_token(subscribed(world))
    assert world.desk.subscriptions.choose(token, ["security", "newsletter"]).topics == (
        "newsletter",
        "security",
    )
    for wrong in ([], ["gossip"], ["releases/nothing"]):
        with pytest.raises(Invalid) as refused:
            world.desk.subscriptions.choose(token, wrong)
        assert [problem.field for problem in refused.value.fields] == ["topics"]
    world.desk.subscriptions.leave(token)
    assert world.desk.subscriptions.choose(token, ["security"]).state == "confirmed"


def test_a_stranger_s_token_opens_nothing(world: Any) -> None:
    view = subscribed(world)
    for token in ("", "x", leave_token(view)[:-1], leave_token(view) + "x", view.email):
        with pytest.raises(NotFound):
            world.desk.subscriptions.at_leave(token)
        with pytest.raises(NotFound):
            world.desk.subscriptions.confirm(token)


def test_promise_28_no_token_of_a_link_lies_in_the_store(world: Any, tmp_path: Any) -> None:
    view = subscribed(world)
    world.desk.subscriptions.ask("bo@example.org", ["newsletter"])
    waiting = link(mails(world)[-1])
    world.desk.store.close()
    kept = b"".join(path.read_bytes() for path in (tmp_path / "var").glob("desk.sqlite3*"))
    assert leave_token(view).encode() not in kept
    assert waiting.encode() not in kept


def test_promise_16_a_suppressed_address_gets_no_confirmation(world: Any) -> None:
    bar = Suppression(email=ANN, reason="complaint", detail="", since=world.now)
    world.desk.store.change_suppression(ANN, lambda held: bar)
    world.desk.subscriptions.ask("ann@example.org", ["newsletter"])
    assert mails(world) == []
    assert world.desk.subscriptions.of(ANN) is None


def test_who_is_forgotten_may_press_their_links_for_good(world: Any) -> None:
    view = subscribed(world)
    assert world.desk.subscriptions.forget("ANN@example.org")
    assert not world.desk.subscriptions.forget("ANN@example.org")
    for press in (world.desk.subscriptions.leave, world.desk.subscriptions.undo):
        answer = press(leave_token(view))
        assert (answer.state, answer.email, answer.topics) == ("forgotten", "", ())
    assert world.desk.subscriptions.of(ANN) is None
