"""Mails: fixed words to visitors, inert words to staff, sent again under the same Message-ID."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from chalicelib.drafts import FIELDS


def parsed(data: bytes) -> EmailMessage:
    return email.message_from_bytes(data, policy=email.policy.default)  # type: ignore[return-value]


def sent_to(world: Any, address: str) -> list[EmailMessage]:
    return [mail for mail in map(parsed, world.mails) if mail["To"] == address]


def test_a_visitor_gets_a_number_a_link_and_no_word_of_a_stranger(world: Any) -> None:
    """Promises 6 and 8: fixed words, and they say that they are automatic."""
    typed = {name: f"poison-{name}" for name in FIELDS if name not in ("email", "kind", "severity")}
    receipt = world.desk.tickets.open(world.draft(**typed))
    world.pass_(minutes=1)
    world.desk.handling.reply(receipt.number, "poison-answer", world.act(), author="poison-author")
    world.desk.outbox.run()
    first, second = sent_to(world, "ann@example.org")
    assert first["Subject"] == f"We received your request {receipt.number}"
    assert "Monday, November 23, 2026" not in first.get_content()
    assert "We answer by Tuesday, November 24, 2026, 10:00 a.m. MST." in first.get_content()
    assert second["Subject"] == f"There is an answer to your request {receipt.number}"
    for mail in (first, second):
        assert receipt.url in mail.get_content()
        assert "poison" not in mail.as_string()
        assert mail["Auto-Submitted"] == "auto-generated"


def test_staff_get_the_words_in_the_body_only(world: Any) -> None:
    """Promise 7: no visitor text in any header but a checked Reply-To."""
    attack = "=?utf-8?q?hello=0D=0ABcc=3A_evil=40example.net?="
    typed = dict.fromkeys(("name", "organization", "phone", "subject", "description"), attack)
    receipt = world.desk.tickets.open(world.draft(**typed, product=attack, version="$number ${x}"))
    world.desk.outbox.run()
    (mail,) = sent_to(world, "services@example.com")
    assert sorted(mail.keys()) == sorted(
        [
            *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress"),
            *("Reply-To", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
        ]
    )
    assert mail["Subject"] == f"P3 ticket {receipt.number}: question"
    assert mail["Reply-To"] == "ann@example.org"
    assert mail.get_content_type() == "text/plain"
    assert attack in mail.get_content()
    assert "$number ${x}" in mail.get_content()
    assert receipt.token not in mail.as_string()


def test_a_message_reaches_the_staff_with_its_own_words(world: Any) -> None:
    receipt = world.desk.tickets.open(world.draft())
    world.desk.tickets.add_message(receipt.token, "first words")
    world.desk.tickets.add_message(receipt.token, "second words")
    world.desk.outbox.run()
    texts = [
        mail.get_content()
        for mail in sent_to(world, "services@example.com")
        if mail["Subject"] == f"New message on ticket {receipt.number}"
    ]
    assert sorted("second words" in text for text in texts) == [False, True]
    assert sorted("first words" in text for text in texts) == [False, True]


def test_an_address_gets_three_an_hour_and_ten_a_day(world: Any) -> None:
    """Promises 6 and 8: mail to an address is capped."""

    def flood(address: str) -> int:
        before = len(world.desk.store.mails(["suppressed"]))
        for number in range(5):
            world.desk.tickets.open(world.draft(email=address, subject=f"{world.now} {number}"))
        return 5 - (len(world.desk.store.mails(["suppressed"])) - before)

    sent = []
    for hour in range(5):
        sent.append(flood("ann@example.org" if hour % 2 else "ANN@Example.org"))
        world.pass_(hours=1, seconds=1)
    assert sent == [3, 3, 3, 1, 0]
    assert flood("bob@example.org") == 3
    world.pass_(hours=24)
    assert flood("ann@example.org") == 3
    assert len(world.desk.store.tickets(["open"])) == 35


def test_no_token_and_no_text_lies_in_the_queue(world: Any, tmp_path: Path) -> None:
    """Promise 28: nothing secret is at rest."""
    receipt = world.desk.tickets.open(world.draft(description="secret words"))
    (visitor, staff) = world.desk.store.mails(["waiting"])
    assert receipt.token not in repr((visitor, staff))
    assert "secret words" not in repr((visitor, staff))
    world.desk.store.close()
    assert receipt.token.encode() not in (tmp_path / "var" / "desk.sqlite3").read_bytes()


class Server:
    """A real SMTP server that can be told to refuse."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.mails: list[tuple[list[str], bytes]] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802
        self.mails.append((envelope.rcpt_tos, envelope.content))
        return self.answers.pop(0) if self.answers else "250 OK"


@pytest.fixture
def smtp() -> Iterator[Server]:
    server = Server()
    controller = Controller(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    yield server
    controller.stop()


def test_a_mail_is_sent_again_with_the_same_message_id(world: Any, smtp: Server) -> None:
    smtp.answers = ["451 try later", "451 try later"]
    desk = world.started(SUPPORT_MAIL=f"smtp://127.0.0.1:{smtp.port}")
    desk.tickets.open(world.draft())
    assert desk.outbox.run() == (0, 2)
    assert desk.outbox.run() == (0, 0)
    assert {one.trouble for one in desk.store.mails(["waiting"])} == {"the mail server said 451"}
    world.pass_(minutes=1)
    assert desk.outbox.run() == (2, 0)
    (_, first), (_, second), *again = smtp.mails
    assert {(to[0], data) for to, data in again} == {
        (smtp.mails[0][0][0], first),
        (smtp.mails[1][0][0], second),
    }
    assert parsed(first)["Message-ID"] != parsed(second)["Message-ID"]
    desk.store.close()


def test_a_refusal_for_good_is_given_up_and_listed(world: Any, smtp: Server) -> None:
    smtp.answers = ["550 no"]
    desk = world.started(SUPPORT_MAIL=f"smtp://127.0.0.1:{smtp.port}")
    desk.tickets.open(world.draft())
    assert desk.outbox.run() == (1, 1)
    (failed,) = desk.store.mails(["failed"])
    assert failed.trouble == "the mail server said 550"
    assert desk.store.retry_mails(world.now, failed.mail.id) == 1
    assert desk.outbox.run() == (1, 0)
    assert parsed(smtp.mails[-1][1])["Message-ID"] == failed.mail.message_id
    desk.store.close()


def test_a_server_that_is_away_is_waited_for_then_given_up(world: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    desk = world.started(SUPPORT_MAIL=f"smtp://127.0.0.1:{port}")
    desk.tickets.open(world.draft())
    tries = 0
    while desk.store.mails(["waiting"]):
        tries += desk.outbox.run()[1]
        world.pass_(days=1)
    assert tries == 2 * 8
    reasons = {one.trouble for one in desk.store.mails(["failed"])}
    assert reasons == {"the mail server cannot be reached (ConnectionRefusedError)"}
    desk.store.close()


def test_a_sender_that_died_loses_nothing(world: Any) -> None:
    world.desk.tickets.open(world.draft())
    claimed = world.desk.store.claim_mails(world.now, 10)
    assert len(claimed) == 2
    assert world.desk.outbox.run() == (0, 0)
    world.pass_(minutes=5)
    assert world.desk.outbox.run() == (2, 0)
    assert {parsed(mail)["Message-ID"] for mail in world.mails} == {one.mail.message_id for one in claimed}
