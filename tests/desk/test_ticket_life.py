"""The life of a ticket: what moves it, what is promised meanwhile, who is told. It is a Monday, 10:00."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.life import NotNow
from chalicelib.refusals import Invalid, NotFound

CATALOG = Path(__file__).with_name("catalog.json")
NEVER = ("visitor_receipt", "staff_ticket")


def opened(world: Any, **changes: str) -> Any:
    return world.desk.tickets.open(world.draft(**changes))


def ticket(world: Any, receipt: Any) -> Any:
    return world.desk.store.ticket(receipt.number)


def happened(world: Any, receipt: Any) -> list[str]:
    return [event.what for event in ticket(world, receipt).events]


def told(world: Any, *but: str) -> list[tuple[str, str]]:
    """The mails that wait, by template and address."""
    queued = world.desk.store.mails(["waiting"])
    return [(one.mail.template, one.mail.to) for one in queued if one.mail.template not in but]


def local(at: datetime | None) -> str:
    """In UTC, seven hours after the vendor's time."""
    return f"{at.astimezone(UTC):%m-%d %H:%M}" if at else ""


def test_a_question_to_the_customer_stops_the_time_and_their_answer_goes_on_with_it(world: Any) -> None:
    receipt = opened(world, severity="P2")
    world.pass_(hours=1)
    asked = world.desk.handling.reply(receipt.number, "Which browser?", world.act(), wait=True)
    assert (asked.state, asked.reply_by, asked.attend_at) == ("waiting", None, None)
    view = world.desk.tickets.read(receipt.token)
    assert view.state_text == "Waiting for you"
    assert view.waiting_note == (
        "We need something from you to go on. Write it below, and we go on. The promised time stands still "
        "until then; 3 hours of opening time is left of it."
    )
    world.pass_(days=1)
    view = world.desk.tickets.add_message(receipt.token, "Firefox")
    assert view.state == "open"
    assert view.reply_by.isoformat() == "2026-11-24T14:00:00-07:00"
    assert view.reply_by_because[-1] == "We waited for you for 11 hours of opening time: they do not count."
    assert happened(world, receipt) == ["opened", "asked", "wrote"]
    assert sorted(told(world, *NEVER)) == [
        ("staff_message", "services@example.com"),
        ("visitor_waiting", "ann@example.org"),
    ]


def test_waiting_without_a_word_of_ours_is_no_first_answer(world: Any) -> None:
    receipt = opened(world)
    waits = world.desk.handling.wait(receipt.number, world.act())
    again = world.desk.handling.wait(receipt.number, world.act())
    assert (waits.state, waits.first_answered, again.revision) == ("waiting", None, waits.revision)
    assert happened(world, receipt) == ["opened", "waits"]


def test_an_answer_keeps_the_promise_and_the_next_message_has_a_new_one(world: Any) -> None:
    receipt = opened(world, severity="P2")
    world.pass_(hours=2)
    answered = world.desk.handling.reply(receipt.number, "Top left.", world.act())
    assert (answered.state, answered.reply_by, answered.promise) == ("answered", None, None)
    assert answered.first_due == datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
    world.pass_(hours=3)
    view = world.desk.tickets.add_message(receipt.token, "It is not there")
    assert view.reply_by.isoformat() == "2026-11-24T08:00:00-07:00"
    assert view.reply_by_because[-1] == (
        "It counts from your message of Monday, November 23, 2026, 3:00 p.m. MST."
    )
    assert [line["text"] for line in view.history] == [
        "You sent the ticket.",
        "We answered.",
        "You wrote, and the ticket was opened again.",
    ]


def test_the_customer_says_that_it_is_solved_once(world: Any) -> None:
    receipt = opened(world)
    view = world.desk.tickets.solved(receipt.token)
    again = world.desk.tickets.solved(receipt.token)
    assert (view.state, again.state) == ("closed", "closed")
    assert happened(world, receipt) == ["opened", "closed"]
    assert told(world, *NEVER) == [("staff_closed", "services@example.com")]
    assert view.next_steps[0] == "This ticket is closed. A new message opens it again."
    with pytest.raises(NotFound):
        world.desk.tickets.solved(receipt.number)


def test_a_closing_is_taken_back_as_if_it_had_not_been(world: Any) -> None:
    receipt = opened(world, severity="P2")
    world.pass_(hours=1)
    world.desk.handling.close(receipt.number, world.act())
    world.pass_(hours=2)
    back = world.desk.handling.reopen(receipt.number, world.act())
    assert (back.state, local(back.reply_by)) == ("open", "11-23 23:00")
    with pytest.raises(NotNow, match="is not closed: it is open"):
        world.desk.handling.reopen(receipt.number, world.act())
    world.desk.handling.reply(receipt.number, "Top left.", world.act())
    world.desk.handling.close(receipt.number, world.act(), "All is said.")
    assert world.desk.handling.reopen(receipt.number, world.act()).state == "answered"


def test_a_last_word_is_an_answer_and_a_closed_ticket_is_not_waited_for(world: Any) -> None:
    receipt = opened(world)
    closed = world.desk.handling.close(receipt.number, world.act(), "It is a duplicate.")
    assert closed.first_answered == world.now
    assert [one.text for one in closed.messages] == ["It is a duplicate."]
    with pytest.raises(NotNow, match=f"desk tickets reopen {receipt.number}"):
        world.desk.handling.wait(receipt.number, world.act())


def test_a_message_after_the_end_is_promised_a_time_anew(world: Any) -> None:
    receipt = opened(world, severity="P2")
    world.pass_(hours=1)
    world.desk.tickets.solved(receipt.token)
    world.pass_(days=1)
    view = world.desk.tickets.add_message(receipt.token, "It is back")
    assert (view.state, view.reply_by.isoformat()) == ("open", "2026-11-24T15:00:00-07:00")


def test_severity_counts_anew_from_the_same_beginning_and_both_sides_are_told(world: Any) -> None:
    receipt = opened(world, severity="P3")
    world.pass_(minutes=30)
    changed = world.desk.handling.change(receipt.number, world.act(), severity="P1")
    assert local(changed.reply_by) == "11-23 18:00"
    assert changed.reply_by_because[0] == "The first response to P1 comes within 1 hour of opening time."
    assert told(world, *NEVER) == [("visitor_reply_by", "ann@example.org")]
    view = world.desk.tickets.read(receipt.token)
    assert view.history[-1]["text"] == "The severity was changed from P3 to P1."
    same = world.desk.handling.change(receipt.number, world.act(), severity="P1")
    assert same.revision == changed.revision
    assert len(world.desk.store.acts()[0]) == 1


def test_another_kind_goes_another_way(world: Any) -> None:
    receipt = opened(world)
    changed = world.desk.handling.change(receipt.number, world.act(), kind="defect")
    assert (changed.mailbox, changed.first_in_queue) == ("programming@example.com", True)
    assert told(world, *NEVER) == []
    mails = world.desk.store.mails(["waiting"])
    assert {one.mail.to for one in mails if one.mail.template == "staff_ticket"} == {
        "services@example.com",
        "programming@example.com",
    }
    moved = world.desk.handling.change(receipt.number, world.act(), route="client_services_manager")
    assert (moved.kind, moved.route) == ("defect", "the Client Services Manager")
    with pytest.raises(Invalid) as refused:
        world.desk.handling.change(receipt.number, world.act(), route="client_manager")
    assert str(refused.value) == (
        "Choose one of client_services, client_services_manager, programming, not 'client_manager'."
    )


def test_a_client_manager_can_be_named_where_there_is_one(world: Any) -> None:
    world.keep(world.agreement(client_manager="cm@example.com"))
    receipt = opened(world, agreement="US-1")
    moved = world.desk.handling.change(receipt.number, world.act(), route="client_manager")
    assert (moved.route, moved.mailbox) == ("your Client Manager", "cm@example.com")


def test_who_is_given_a_ticket_is_told_and_gets_its_messages(world: Any) -> None:
    receipt = opened(world)
    world.desk.handling.assign(receipt.number, "bo@example.com", world.act())
    world.desk.handling.assign(receipt.number, "bo@example.com", world.act())
    world.desk.tickets.add_message(receipt.token, "More")
    world.desk.handling.assign(receipt.number, "", world.act())
    assert happened(world, receipt) == ["opened", "assigned", "wrote", "assigned"]
    assert sorted(told(world, *NEVER)) == [
        ("staff_assigned", "bo@example.com"),
        ("staff_message", "bo@example.com"),
    ]
    with pytest.raises(Invalid, match="'bo' is no e-mail address"):
        world.desk.handling.assign(receipt.number, "bo", world.act())


def test_the_next_mailbox_is_told_once_that_an_answer_is_nearly_due(world: Any) -> None:
    receipt = opened(world, severity="P2")
    world.pass_(hours=2, minutes=59)
    assert world.desk.attending.run() == 0
    world.pass_(minutes=1)
    assert [world.desk.attending.run() for _ in range(3)] == [1, 0, 0]
    world.pass_(hours=-3)
    assert world.desk.attending.run() == 0
    world.pass_(hours=9)
    assert world.desk.attending.run() == 0
    assert told(world, *NEVER) == [("staff_escalation", "manager@example.com")]
    assert happened(world, receipt) == ["opened", "escalated"]
    # Another promise is another notice; the one that was told of is not told of again.
    world.desk.handling.change(receipt.number, world.act(), severity="P3")
    world.desk.handling.change(receipt.number, world.act(), severity="P2")
    assert world.desk.attending.run() == 0
    world.desk.handling.change(receipt.number, world.act(), severity="P1")
    assert world.desk.attending.run() == 1


@pytest.mark.parametrize("done", ["answered", "waiting", "closed"])
def test_what_is_not_ours_to_do_is_not_escalated(world: Any, done: str) -> None:
    receipt = opened(world, severity="P1")
    if done == "closed":
        world.desk.tickets.solved(receipt.token)
    else:
        world.desk.handling.reply(receipt.number, "Words", world.act(), wait=done == "waiting")
    world.pass_(days=3)
    assert world.desk.attending.run() == 0


def test_a_notice_from_the_last_mailbox_and_from_a_client_manager_has_its_way_too(world: Any) -> None:
    world.keep(world.agreement(stage="implementation", client_manager="cm@example.com"))
    opened(world, agreement="US-1", severity="P1")
    opened(world, kind="installation", severity="P1")
    opened(world, kind="defect", severity="P1")
    world.pass_(hours=1)
    assert world.desk.attending.run() == 3
    assert sorted(told(world, *NEVER)) == [
        ("staff_escalation", "manager@example.com"),
        ("staff_escalation", "manager@example.com"),
        ("staff_escalation", "programming@example.com"),
    ]


def test_a_ticket_that_was_taken_without_a_catalog_is_completed_once_there_is_one(
    world: Any, tmp_path: Path
) -> None:
    blind = world.started(SUPPORT_CATALOG=str(tmp_path / "none.json"))
    receipt = blind.tickets.open(world.draft(kind="defect", severity="P2"))
    assert blind.attending.run() == 0
    assert told(world) == [("visitor_receipt", "ann@example.org")]
    world.pass_(minutes=30)
    assert [world.desk.attending.run() for _ in range(3)] == [1, 0, 0]
    held = ticket(world, receipt)
    assert (held.mailbox, held.first_in_queue, local(held.reply_by)) == (
        "programming@example.com",
        True,
        "11-23 21:00",
    )
    assert held.known is None
    assert sorted(told(world, "visitor_receipt")) == [
        ("staff_ticket", "programming@example.com"),
        ("staff_ticket", "services@example.com"),
    ]
    assert happened(world, receipt) == ["opened", "completed"]


def test_a_ticket_that_cannot_be_seen_to_is_logged_once_and_holds_up_no_other(
    world: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blind = world.started(SUPPORT_CATALOG=str(tmp_path / "none.json"))
    one = blind.tickets.open(world.draft(severity="P1"))
    world.pass_(seconds=1)
    other = blind.tickets.open(world.draft(severity="P4"))
    never = json.loads(CATALOG.read_text(encoding="utf-8"))
    never["hours"]["days"] = []  # a vendor that never opens can promise no time
    del never["policy"]["first_response"]["P4"]
    (tmp_path / "never.json").write_text(json.dumps(never), encoding="utf-8")
    broken = world.started(SUPPORT_CATALOG=str(tmp_path / "never.json"))
    assert [broken.attending.run() for _ in range(3)] == [1, 0, 0]
    assert [record.getMessage() for record in caplog.records] == [f"ticket {one.number} cannot be seen to"]
    assert ticket(world, other).mailbox == "services@example.com"
    assert world.desk.attending.run() == 1
    assert ticket(world, one).mailbox == "services@example.com"


def test_what_is_written_while_there_is_no_catalog_has_its_time_later(world: Any, tmp_path: Path) -> None:
    receipt = opened(world, severity="P2")
    world.pass_(hours=1)
    world.desk.handling.reply(receipt.number, "Which browser?", world.act(), wait=True)
    world.pass_(hours=1)
    blind = world.started(SUPPORT_CATALOG=str(tmp_path / "none.json"))
    assert blind.tickets.add_message(receipt.token, "Firefox").reply_by is None
    world.pass_(hours=1)
    assert world.desk.attending.run() == 1
    assert local(ticket(world, receipt).reply_by) == "11-23 22:00"


def test_the_customer_reads_what_was_known_then_and_staff_what_is_known_now(world: Any) -> None:
    receipt = opened(world, product="cityworks", version="23.4")
    held = ticket(world, receipt)
    assert held.known == receipt.known
    view = world.desk.tickets.read(receipt.token)
    assert view.known_text == "As of November 23, 2026, when we received the ticket."
    world.pass_(days=200)
    assert world.desk.tickets.read(receipt.token).known == receipt.known
    now = world.desk.tickets.known_now(held)
    assert now["supported_until_text"] == "23.4 was supported until February 28, 2027."


def test_no_word_of_staff_but_their_answers_is_shown_to_the_customer(world: Any) -> None:
    receipt = opened(world, severity="P1")
    world.desk.handling.assign(receipt.number, "secret.person@example.com", world.act())
    world.desk.handling.reply(receipt.number, "An answer", world.act(), author="secret.person")
    world.pass_(hours=1)
    world.desk.attending.run()
    shown = repr(world.desk.tickets.read(receipt.token).as_json())
    assert "secret" not in shown
    assert "manager@" not in shown


def test_the_receipt_tells_the_time_that_was_promised_whenever_it_is_made(world: Any) -> None:
    receipt = opened(world, severity="P2")
    world.desk.handling.change(receipt.number, world.act(), severity="P1")
    world.desk.outbox.run()
    bodies = [mail.decode() for mail in world.mails if b"We received your request" in mail]
    assert len(bodies) == 1
    assert "We answer by Monday, November 23, 2026, 2:00 p.m. MST." in bodies[0]
    (changed,) = [mail.decode() for mail in world.mails if b"When we answer your request" in mail]
    assert "We answer by Monday, November 23, 2026, 11:00 a.m. MST." in changed


def test_a_ticket_from_before_it_had_a_history_lives_on(world: Any) -> None:
    """What an older desk kept has no promise and no event but its opening."""
    receipt = opened(world)
    world.desk.store.close()
    import sqlite3

    with sqlite3.connect(world.folder / "var" / "desk.sqlite3") as older:
        older.execute("UPDATE tickets SET life = '{}', attend_at = NULL")
    older.close()
    world.pass_(hours=1)
    waits = world.desk.handling.wait(receipt.number, world.act())
    assert (waits.state, waits.promise) == ("waiting", None)
    view = world.desk.tickets.add_message(receipt.token, "More")
    assert view.reply_by is not None
    assert world.now + timedelta(days=2) > view.reply_by
