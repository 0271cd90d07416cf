"""What came back: promise 16, with reports as mail servers write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.bounces import COMPLAINT, HARD, SOFT, read
from desk.cli import main
from desk.terminal import Wired


def report(*recipients: tuple[str, str, str], subject: str = "Returned") -> bytes:
    """A delivery status notification of (address, action, status)."""
    blocks = "\n".join(
        f"Final-Recipient: rfc822; {email}\nAction: {action}\nStatus: {status}\n"
        f"Diagnostic-Code: smtp; {status} the server's own words\n"
        for email, action, status in recipients
    )
    return (
        "From: MAILER-DAEMON@mx.example.net\nTo: news@example.com\n"
        f"Subject: {subject}\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nIt came back.\n\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n"
        f"{blocks}\n--b\nContent-Type: message/rfc822\n\n"
        "From: news@example.com\nTo: somebody@example.org\nSubject: Autumn\n\nText\n\n--b--\n"
    ).encode()


COMPLAINED = (
    b"From: feedback@example.net\nTo: news@example.com\nSubject: FW: Autumn\nMIME-Version: 1.0\n"
    b'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
    b"--b\nContent-Type: text/plain\n\nAn abuse report.\n\n"
    b"--b\nContent-Type: message/feedback-report\n\n"
    b"Feedback-Type: abuse\nUser-Agent: Some/1.0\nVersion: 1\n%s\n"
    b"--b\nContent-Type: message/rfc822\n\n"
    b"From: news@example.com\nTo: <ann@example.org>\nSubject: A\n\nText\n\n--b--\n"
)


@pytest.fixture
def run(world: Any, tmp_path: Path) -> Any:
    def invoke(*reports: bytes, more: tuple[str, ...] = ()) -> Result:
        paths = []
        for number, data in enumerate(reports):
            path = tmp_path / f"{number}.eml"
            path.write_bytes(data)
            paths.append(str(path))
        wired = Wired(world.environ, lambda environ: world.started(**environ))
        return CliRunner().invoke(main, ["bounces", *paths, *more], obj=wired)

    return invoke


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("5.1.1", HARD),
        ("5.0.0", HARD),
        ("5.1.10", HARD),
        ("5.2.1", HARD),
        ("5.4.4", HARD),
        ("5.2.2", SOFT),
        ("5.3.4", SOFT),
        ("5.7.1", SOFT),
        ("4.4.7", SOFT),
        ("4.2.2", SOFT),
    ],
)
def test_a_failure_is_hard_where_it_speaks_of_the_mailbox(status: str, kind: str) -> None:
    (one,) = read(report(("ann@example.org", "failed", status)))
    assert (one.kind, one.email, one.detail) == (
        kind,
        "ann@example.org",
        f"{status} smtp; {status} the server's own words",
    )


def test_a_report_of_several_tells_each_and_a_delay_is_nothing() -> None:
    found = read(
        report(
            ("ann@example.org", "failed", "5.1.1"),
            ("bo@example.org", "delayed", "4.4.1"),
            ("cy@example.org", "Failed", "5.1.1"),
            ("dee@example.org", "delivered", "2.0.0"),
        )
    )
    assert [one.email for one in found] == ["ann@example.org", "cy@example.org"]


def test_a_complaint_names_its_recipient_or_the_mail_in_it_does() -> None:
    for line, email in (
        (b"Original-Rcpt-To: <bo@example.org>\n", "bo@example.org"),
        (b"", "ann@example.org"),
    ):
        (one,) = read(COMPLAINED % line)
        assert (one.kind, one.email, one.detail) == (COMPLAINT, email, "reported as abuse")


@given(st.binary(max_size=400))
def test_no_bytes_make_it_raise_and_no_plain_mail_suppresses_anybody(data: bytes) -> None:
    assert read(data) == ()
    whole = report(("ann@example.org", "failed", "5.1.1"))
    read(whole[: len(data)] + data + whole[len(data) :])


def test_promise_16_a_hard_bounce_and_a_complaint_suppress_at_once(run: Any, world: Any) -> None:
    hard, complaint = report(("bo@example.org", "failed", "5.1.1")), COMPLAINED % b""
    assert "Nothing came back." not in run(hard, complaint, more=("--dry-run",)).output
    assert world.desk.store.suppressions() == ((), "")
    facts = json.loads(run(hard, complaint, more=("--json",)).stdout)
    assert [(one["email"], one["kind"], one["suppressed"], one["new"]) for one in facts] == [
        ("bo@example.org", HARD, True, True),
        ("ann@example.org", COMPLAINT, True, True),
    ]
    held = world.desk.store.suppression("bo@example.org")
    assert (held.reason, held.detail) == ("hard bounce", "5.1.1 smtp; 5.1.1 the server's own words")
    assert world.desk.store.suppression("ann@example.org").reason == "complaint"


def test_promise_16_soft_bounces_are_counted_once_each_and_then_the_address_is_given_up(
    run: Any, world: Any
) -> None:
    reports = [report(("ann@example.org", "failed", "4.2.2"), subject=f"Returned {n}") for n in range(3)]
    for _ in range(4):
        assert "counted" in run(reports[0]).output
    run(reports[1])
    assert not world.desk.store.is_suppressed("ann@example.org")
    assert "suppressed" in run(reports[2]).output
    held = world.desk.store.suppression("ann@example.org")
    assert (held.reason, held.detail[:20]) == ("soft bounces", "3 mails came back: 4")


def test_mail_that_is_no_report_is_told(run: Any, world: Any) -> None:
    result = run(b"From: ann@example.org\nTo: us@example.com\nSubject: Hello\n\nI am away.\n")
    assert "tells of no mail that came back." in result.stderr
    assert (result.exit_code, result.stdout) == (0, "Nothing came back.\n")
