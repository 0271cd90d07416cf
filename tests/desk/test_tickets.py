"""Tickets: routed, promised a time, kept once, opened by their secret only."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from chalicelib.drafts import FIELDS
from chalicelib.refusals import Forbidden, Invalid, NotFound, TooLarge
from chalicelib.tickets import MAX_FILE_SIZE, TicketDraft


def test_a_receipt_holds_number_time_route_and_promise(world: Any) -> None:
    answer = world.desk.tickets.open(world.draft(severity="P2")).as_json()
    assert answer["received"] == "2026-11-23T10:00:00-07:00"
    assert answer["reply_by"] == "2026-11-23T14:00:00-07:00"
    assert answer["reply_by_because"] == [
        "The first response to P2 comes within 4 hours of opening time.",
        "Opening time is Monday to Friday, 7:00 a.m. to 6:00 p.m. (Denver time); holidays do not count.",
    ]
    assert answer["route"] == {
        "name": "Client Services",
        "because": ["After acceptance, Client Services take every other request."],
    }
    assert answer["url"].startswith("https://support.example.com/api/tickets/")
    assert answer["number"] not in answer["url"]


@pytest.mark.parametrize(
    ("stage", "kind", "name", "mailboxes", "first"),
    [
        ("accepted", "question", "Client Services", ["services@example.com"], False),
        ("accepted", "session", "Client Services", ["services@example.com"], False),
        ("accepted", "enhancement", "Client Services", ["services@example.com"], False),
        ("accepted", "installation", "the Client Services Manager", ["manager@example.com"], False),
        ("accepted", "defect", "Programming", ["programming@example.com", "services@example.com"], True),
        ("implementation", "defect", "your Client Manager", ["cm@example.com"], False),
        ("implementation", "question", "your Client Manager", ["cm@example.com"], False),
    ],
)
def test_route(world: Any, stage: str, kind: str, name: str, mailboxes: list[str], first: bool) -> None:
    world.keep(world.agreement(stage=stage, client_manager="cm@example.com"))
    receipt = world.desk.tickets.open(world.draft(kind=kind, agreement="US-1"))
    assert receipt.route.name == name
    queued = world.desk.store.mails(["waiting"])
    told = sorted(one.mail.to for one in queued if one.mail.template == "staff_ticket")
    assert told == sorted(mailboxes)
    assert world.desk.store.ticket(receipt.number).first_in_queue is first


def test_a_defect_stands_before_older_questions(world: Any) -> None:
    world.desk.tickets.open(world.draft(severity="P1", subject="first"))
    world.desk.tickets.open(world.draft(kind="defect", severity="P4", subject="second"))
    assert [one.subject for one in world.desk.store.tickets(["open"])] == ["second", "first"]


@pytest.mark.parametrize(
    ("agreement", "email", "covered"),
    [
        ("US-1", "ann@example.org", "yes"),
        ("US-1", "stranger@example.org", "unknown"),
        ("US-2", "ann@example.org", "no"),
        ("US-9", "ann@example.org", "unknown"),
        ("", "ann@example.org", "unknown"),
    ],
)
def test_a_ticket_is_never_refused_for_want_of_an_agreement(
    world: Any, agreement: str, email: str, covered: str
) -> None:
    world.keep(world.agreement(), world.agreement(agreement="US-2", starts=date(2020, 1, 1)))
    receipt = world.desk.tickets.open(world.draft(agreement=agreement, email=email))
    assert world.desk.store.ticket(receipt.number).covered == covered


def test_what_is_known_of_the_version(world: Any) -> None:
    world.keep(world.agreement())
    draft = world.draft(product="cityworks", version="23.4", agreement="US-1")
    assert world.desk.tickets.open(draft).known == {
        "product": "cityworks",
        "version": "23.4",
        "url": "/releases/cityworks/23.4/",
        "supported_until": "2027-02-28",
        "supported_until_text": "23.4 is supported until February 28, 2027.",
        "known_issues": [{"id": "CW-1", "title": "Printing a map of Montréal", "url": "/defects/CW-1/"}],
        "fixed_in": [
            {"version": "24", "url": "/releases/cityworks/24/", "fixes": ["CW-1"], "covered": True},
            {"version": "15.8.9", "url": "/releases/cityworks/15.8.9/", "fixes": ["CW-1"], "covered": True},
        ],
        "because": ["releases/cityworks/23.4.md:3 released 2026-02-28"],
    }
    stranger = world.desk.tickets.open(replace(draft, email="eve@example.org"))
    assert stranger.known is not None
    assert [one["covered"] for one in stranger.known["fixed_in"]] == [None, None]  # type: ignore[attr-defined]


def test_without_a_catalog_a_ticket_is_taken_all_the_same(world: Any, tmp_path: Path) -> None:
    desk = world.started(SUPPORT_CATALOG=str(tmp_path / "none.json"))
    receipt = desk.tickets.open(world.draft())
    assert (receipt.reply_by, receipt.known) == (None, None)
    assert desk.tickets.read(receipt.token).number == receipt.number


def test_every_mistake_is_told_at_once(world: Any) -> None:
    with pytest.raises(Invalid) as refused:
        world.desk.tickets.open(TicketDraft(email="ann@", kind="x", severity="P9", subject="s" * 121))
    assert {one.field: one.message for one in refused.value.fields} == {
        "name": "Enter your name.",
        "email": "Enter an e-mail address such as name@example.com.",
        "kind": "Choose one of question, defect, installation, session, enhancement.",
        "severity": "Choose one of P1, P2, P3, P4.",
        "subject": "Use at most 120 characters here; these are 121.",
        "description": "Describe what happened.",
    }
    assert world.desk.store.tickets(["open"]) == ()


@pytest.mark.parametrize("field", [name for name in FIELDS if name not in ("kind", "severity", "email")])
@pytest.mark.parametrize("bad", ["\ud800", "\x00", "\x1b[2J"])
def test_what_is_never_text_is_refused_in_every_field(world: Any, field: str, bad: str) -> None:
    with pytest.raises(Invalid) as refused:
        world.desk.tickets.open(world.draft(**{field: f"a{bad}"}))
    assert [one.field for one in refused.value.fields] == [field]


def test_fifty_at_once_with_one_key_are_one_ticket(world: Any) -> None:
    """Promise 2: 50 clicks at once make one ticket."""
    with ThreadPoolExecutor(50) as pool:
        receipts = list(pool.map(lambda _: world.desk.tickets.open(world.draft(), key="k"), range(50)))
    assert len({(one.number, one.token) for one in receipts}) == 1
    assert [one.repeated for one in receipts].count(False) == 1
    assert len(world.desk.store.tickets(["open"])) == 1
    assert len(world.desk.store.mails(["waiting"])) == 2


def test_a_key_holds_seven_days(world: Any) -> None:
    """Promise 2: for at least 7 days."""
    first = world.desk.tickets.open(world.draft(), key="k")
    world.pass_(days=7, seconds=-1)
    assert world.desk.tickets.open(world.draft(), key="k").number == first.number
    world.pass_(seconds=2)
    assert world.desk.tickets.open(world.draft(), key="k").number != first.number


def test_a_key_with_other_content_is_refused_and_changes_nothing(world: Any) -> None:
    """Promise 2: the same key with other content is refused and changes nothing."""
    world.desk.tickets.open(world.draft(), key="k")
    with pytest.raises(Invalid) as refused:
        world.desk.tickets.open(world.draft(subject="Something else"), key="k")
    assert [one.field for one in refused.value.fields] == ["idempotency_key"]
    assert [one.subject for one in world.desk.store.tickets(["open"])] == ["Where is the button"]


def test_without_a_key_the_same_content_is_the_same_ticket_for_ten_minutes(world: Any) -> None:
    """Promise 2: without JavaScript, for 10 minutes."""
    first = world.desk.tickets.open(world.draft())
    world.pass_(minutes=9, seconds=59)
    assert world.desk.tickets.open(world.draft()).number == first.number
    assert world.desk.tickets.open(world.draft(subject="Another")).number != first.number
    world.pass_(seconds=2)
    assert world.desk.tickets.open(world.draft()).number != first.number


def test_a_restart_keeps_tickets_and_their_addresses(world: Any) -> None:
    receipt = world.desk.tickets.open(world.draft(), key="k")
    world.desk.store.close()
    again = world.started()
    assert again.tickets.read(receipt.token).number == receipt.number
    assert again.tickets.open(world.draft(), key="k").token == receipt.token
    again.store.close()


def test_number_and_wrong_token_open_nothing_in_the_same_words(world: Any) -> None:
    """Promise 5: a ticket number opens nothing."""
    receipt = world.desk.tickets.open(world.draft())
    said = set()
    for token in (receipt.number, "", "x" * 43, receipt.token[:-1], receipt.token + "A"):
        with pytest.raises(NotFound) as refused:
            world.desk.tickets.read(token)
        said.add((refused.value.title, refused.value.detail))
    assert len(said) == 1


def test_messages_are_kept_once_and_open_a_closed_ticket_again(world: Any) -> None:
    receipt = world.desk.tickets.open(world.draft())
    world.desk.handling.close(receipt.number, world.act())
    world.desk.tickets.add_message(receipt.token, "One more thing", key="m")
    view = world.desk.tickets.add_message(receipt.token, "One more thing", key="m")
    assert [one["text"] for one in view.messages] == ["I cannot find it.", "One more thing"]
    assert view.state == "open"
    with pytest.raises(Invalid):
        world.desk.tickets.add_message(receipt.token, "Other words", key="m")


def test_an_answer_is_shown_and_measured_from_its_first(world: Any) -> None:
    receipt = world.desk.tickets.open(world.draft())
    world.pass_(minutes=5)
    world.desk.handling.reply(receipt.number, "Top left.", world.act())
    world.pass_(minutes=5)
    ticket = world.desk.handling.reply(receipt.number, "Or press Alt.", world.act())
    assert (ticket.first_answered - ticket.received).total_seconds() == 300
    view = world.desk.tickets.read(receipt.token)
    assert view.state == "answered"
    assert [(one["who"], one["text"]) for one in view.messages][1:] == [
        ("us", "Top left."),
        ("us", "Or press Alt."),
    ]


def test_an_attachment_is_whole_or_absent(world: Any) -> None:
    """Promise 4: a ticket shows only what is stored to the last byte."""
    receipt = world.desk.tickets.open(world.draft())
    form = world.desk.tickets.upload_form(receipt.token, "../../etc/pass\u202ewd", "text/plain", 5)
    assert [one["state"] for one in world.desk.tickets.read(receipt.token).attachments] == ["waiting"]
    arrived = world.desk.files.receive(form.fields, "x", "", io.BytesIO(b"hello"), world.now)
    view = world.desk.attach(arrived)
    assert view.attachments == ({"name": "passwd", "size": 5, "size_text": "1 KB", "state": "stored"},)
    stored = world.desk.files.attachment_path(receipt.number, arrived.attachment)
    assert stored.read_bytes() == b"hello"
    assert stored.name == arrived.attachment


def test_a_file_that_does_not_arrive_is_said_so(world: Any) -> None:
    """Promise 4: one that did not arrive is said so, and can be sent again."""
    receipt = world.desk.tickets.open(world.draft())
    world.desk.tickets.upload_form(receipt.token, "a.txt", "text/plain", 5)
    world.pass_(hours=1, seconds=1)
    states = [one["state"] for one in world.desk.tickets.read(receipt.token).attachments]
    assert states == ["did not arrive: please send it again"]


def test_files_that_did_not_arrive_take_no_place(world: Any) -> None:
    receipt = world.desk.tickets.open(world.draft())
    for number in range(5):
        world.desk.tickets.upload_form(receipt.token, f"{number}.txt", "text/plain", 5)
    assert world.desk.tickets.read(receipt.token).upload is None
    with pytest.raises(TooLarge):
        world.desk.tickets.upload_form(receipt.token, "6.txt", "text/plain", 5)
    world.pass_(hours=1, seconds=1)
    assert world.desk.tickets.read(receipt.token).upload is not None
    form = world.desk.tickets.upload_form(receipt.token, "6.txt", "text/plain", 5)
    view = world.desk.attach(world.desk.files.receive(form.fields, "", "", io.BytesIO(b"6"), world.now))
    assert [one["state"] for one in view.attachments].count("stored") == 1


def test_too_large_leaves_no_byte(world: Any, tmp_path: Path) -> None:
    receipt = world.desk.tickets.open(world.draft())
    form = world.desk.tickets.read(receipt.token).upload
    with pytest.raises(TooLarge, match=r"^A file may have at most 20 MB\. Nothing was stored\.$"):
        world.desk.files.receive(form.fields, "a", "", io.BytesIO(b"x" * (MAX_FILE_SIZE + 1)), world.now)
    assert [path for path in (tmp_path / "var" / "files").rglob("*") if path.is_file()] == []


def test_a_sixth_file_is_refused_and_taken_away(world: Any, tmp_path: Path) -> None:
    receipt = world.desk.tickets.open(world.draft())
    form = world.desk.tickets.read(receipt.token).upload
    for number in range(5):
        data = io.BytesIO(str(number).encode())
        world.desk.attach(world.desk.files.receive(form.fields, f"{number}.txt", "", data, world.now))
    assert world.desk.tickets.read(receipt.token).upload is None
    arrived = world.desk.files.receive(form.fields, "6.txt", "", io.BytesIO(b"6"), world.now)
    with pytest.raises(TooLarge, match=r"^A ticket holds at most 5 files\. Nothing was stored\.$"):
        world.desk.attach(arrived)
    assert len([path for path in (tmp_path / "var" / "files").rglob("*") if path.is_file()]) == 5


def test_the_same_file_sent_twice_is_there_once(world: Any, tmp_path: Path) -> None:
    receipt = world.desk.tickets.open(world.draft())
    form = world.desk.tickets.read(receipt.token).upload
    for _ in range(2):
        arrived = world.desk.files.receive(form.fields, "a.txt", "", io.BytesIO(b"a"), world.now)
        view = world.desk.attach(arrived)
    assert len(view.attachments) == 1
    assert len([path for path in (tmp_path / "var" / "files").rglob("*") if path.is_file()]) == 1


def test_an_upload_form_is_refused_when_changed_or_late(world: Any) -> None:
    receipt = world.desk.tickets.open(world.draft())
    form = world.desk.tickets.read(receipt.token).upload
    policy = form.fields["policy"]
    for changed in ("", policy[:-1], "A" + policy[1:], policy + "A"):
        with pytest.raises(Forbidden):
            world.desk.files.receive({"policy": changed}, "a", "", io.BytesIO(b"a"), world.now)
    world.pass_(hours=1)
    with pytest.raises(Forbidden, match="over"):
        world.desk.files.receive(form.fields, "a", "", io.BytesIO(b"a"), world.now)
