"""Mails by SES: what goes over the wire, seen by a small server that speaks it, and what its noes mean."""

from __future__ import annotations

import base64
import importlib.util
import re
import sys
from collections.abc import Callable, Iterator
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest

from chalicelib import aws, wiring
from chalicelib.ports import MailTrouble

_spec = importlib.util.spec_from_file_location(
    "ses_endpoint", Path(__file__).parents[1] / "contract" / "ses_endpoint.py"
)
assert _spec
assert _spec.loader
ses_endpoint = importlib.util.module_from_spec(_spec)
sys.modules["ses_endpoint"] = ses_endpoint
_spec.loader.exec_module(ses_endpoint)


@pytest.fixture
def ses(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The server, which the environment leads to."""
    with ses_endpoint.running() as said:
        for name, value in said.environment().items():
            monkeypatch.setenv(name, value)
        # The SDK keeps the credentials that it found first in this process.
        aws.forget_session()
        yield said


@pytest.fixture
def mailer() -> Iterator[Callable[[str], Any]]:
    made = []

    def make(setting: str) -> Any:
        made.append(wiring.desk({"SUPPORT_MAIL": setting}).mailer)
        return made[-1]

    yield make
    for one in made:
        one.close()


def letter() -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = Address("Exämple Systems", addr_spec="support@example.com")
    message["To"] = Address(addr_spec="ann@example.org")
    message["Subject"] = "We received your request 7K4P-92QM"
    message["Message-ID"] = "<one@support.example.com>"
    message["Auto-Submitted"] = "auto-generated"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content("Grüße\n", cte="quoted-printable")
    return message


def test_a_mail_goes_raw_to_its_one_recipient_with_every_header_as_made(
    ses: Any, mailer: Callable[[str], Any]
) -> None:
    message = letter()
    mailer("ses:desk-events").deliver(message, "bob@example.org")
    ((path, headers, body),) = ses.asked
    assert path == "/v2/email/outbound-emails"
    assert re.match(
        r"AWS4-HMAC-SHA256 Credential=AKIDOFTHETESTS/\d{8}/us-west-2/ses/", headers["Authorization"]
    )
    assert base64.b64decode(body.pop("Content")["Raw"]["Data"]) == message.as_bytes()
    assert body == {
        "FromEmailAddress": "support@example.com",
        "Destination": {"ToAddresses": ["bob@example.org"]},
        "ConfigurationSetName": "desk-events",
    }


def test_without_a_configuration_set_none_is_named(ses: Any, mailer: Callable[[str], Any]) -> None:
    mailer("ses:").deliver(letter(), "bob@example.org")
    assert "ConfigurationSetName" not in ses.asked[0][2]


@pytest.mark.parametrize(
    ("status", "kind", "words", "permanent"),
    [
        (400, "MessageRejected", "Transaction failed: Address blacklisted.", True),
        (400, "BadRequestException", "Missing final '@domain'", True),
        (400, "MessageRejected", "Email address is not verified. … sandbox", False),
        (400, "MailFromDomainNotVerifiedException", "", False),
        (400, "AccountSuspendedException", "", False),
        (400, "SendingPausedException", "", False),
        (400, "LimitExceededException", "", False),
        (404, "NotFoundException", "Configuration set <desk-events> does not exist.", False),
        (403, "AccessDeniedException", "User is not authorized to ses:SendEmail on bob@example.org", False),
        (429, "TooManyRequestsException", "Maximum sending rate exceeded.", False),
        (500, "InternalFailure", "", False),
    ],
)
def test_a_no_about_this_mail_is_final_and_any_other_waits(
    ses: Any, mailer: Callable[[str], Any], status: int, kind: str, words: str, permanent: bool
) -> None:
    """Promise 15: it is asked once; whether it is asked again, the outbox decides and counts. Promise 28: the
    words that are kept hold no address."""
    ses.answer = (status, kind, {"message": words})
    with pytest.raises(MailTrouble) as trouble:
        mailer("ses:").deliver(letter(), "bob@example.org")
    assert (str(trouble.value), trouble.value.permanent) == (f"SES said {kind}", permanent)
    assert len(ses.asked) == 1


def test_a_server_that_is_not_there_is_tried_later(
    ses: Any, mailer: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", "http://127.0.0.1:9")
    with pytest.raises(MailTrouble) as trouble:
        mailer("ses:").deliver(letter(), "bob@example.org")
    assert (str(trouble.value), trouble.value.permanent) == (
        "SES cannot be reached (EndpointConnectionError)",
        False,
    )


def test_a_ticket_is_told_of_by_ses_when_the_environment_says_so(world: Any, ses: Any) -> None:
    desk = world.started(SUPPORT_MAIL="ses:")
    receipt = desk.tickets.open(world.draft())
    assert desk.outbox.run() == (2, 0)
    desk.mailer.close()
    subject = f"Subject: We received your request {receipt.number}".encode()
    assert sum(subject in mail for mail in ses.mails) == 1
