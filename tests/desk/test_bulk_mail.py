"""A mail to many: what every recipient's copy holds, and that it can be replied to, left and read."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.bulk_mail import BulkMail, Unsendable

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
LEAVE = "https://support.a-vendor-with-a-long-name.example.com/api/subscriptions/leave/" + "x" * 43
HEADERS = {
    "List-Id": "<newsletter.support.example.com>",
    "List-Unsubscribe": "<[[ leave_url ]]>, <mailto:[[ leave_address ]]>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "Auto-Submitted": "auto-generated",
}


def made(**changes: object) -> BulkMail:
    values: dict[str, object] = {"mailing": "newsletter/a", "subject": "Autumn", "sender": "us@example.com"}
    values |= {"sender_name": "Example, Inc.", "headers": HEADERS, "text": "Leave: [[ leave_url ]]\n"}
    values |= {"html": "<p>ü <a href='[[ leave_url ]]'>Leave</a></p>\n", "host": "support.example.com"}
    return BulkMail(**{**values, **changes})  # type: ignore[arg-type]


def sent(mail: BulkMail) -> bytes:
    return mail.to(
        "ann@example.org",
        message_id=mail.message_id("ann"),
        date=NOW,
        leave_url=LEAVE,
        leave_address="us@example.com",
    ).as_bytes()


def test_promise_14_the_headers_are_those_of_a_list_that_is_left_by_one_click() -> None:
    """RFC 2369, RFC 2919, RFC 8058 and RFC 3834; an address in a header is never an encoded word."""
    head = sent(made()).partition(b"\r\n\r\n")[0].decode("ascii")
    assert head.splitlines() == [
        'From: "Example, Inc." <us@example.com>',
        "To: ann@example.org",
        "Subject: Autumn",
        "Date: Mon, 23 Nov 2026 17:00:00 +0000",
        f"Message-ID: {made().message_id('ann')}",
        "MIME-Version: 1.0",
        "List-Id: <newsletter.support.example.com>",
        f"List-Unsubscribe: <{LEAVE}>,",
        " <mailto:us@example.com?subject=unsubscribe>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "Auto-Submitted: auto-generated",
        "Precedence: bulk",
        "Content-Type: multipart/alternative;",
        f' boundary="=_{made().digest[:32]}"',
    ]


def test_both_parts_hold_the_recipients_own_link_and_no_line_is_long() -> None:
    data = sent(made(text="x" * 500 + "\n.\nLeave: [[ leave_url ]] now\n"))
    assert max(len(line) for line in data.partition(b"\r\n\r\n")[2].split(b"\r\n")) <= 76
    mail = message_from_bytes(data, policy=policy.default)
    text, html = mail.iter_parts()  # type: ignore[attr-defined]
    assert text.get_content().replace("\r\n", "\n") == "x" * 500 + f"\n.\nLeave: {LEAVE} now\n"
    assert html.get_content().replace("\r\n", "\n") == f"<p>ü <a href='{LEAVE}'>Leave</a></p>\n"
    assert [part.get_content_type() for part in (text, html)] == ["text/plain", "text/html"]


def test_promise_15_the_same_recipient_has_the_same_message_id_and_bytes() -> None:
    assert sent(made()) == sent(made())
    ids = {made().message_id("ann"), made().message_id("bo"), made(mailing="newsletter/b").message_id("ann")}
    assert len(ids) == 3


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_any_text_arrives_as_it_was_written(text: str) -> None:
    mail = message_from_bytes(
        sent(made(html="", text=text + "[[ leave_url ]]" + text)), policy=policy.default
    )
    assert mail.get_payload(decode=True).decode() == f"{text}{LEAVE}{text}"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "bad", ["a\r\nBcc: evil@example.net", "=?utf-8?q?a=0D=0ABcc=3A_evil=40x?=", "", "a\0b"]
)
def test_what_would_bend_a_header_is_refused(bad: str) -> None:
    with pytest.raises(Unsendable):
        made(subject=bad).check()
    if bad:
        with pytest.raises(Unsendable):
            made(headers={"List-Id": bad}).check()
