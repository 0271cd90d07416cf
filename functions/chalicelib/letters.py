"""Letters made of templates: fixed words with a few values in them, under headers that nobody can bend.

No text of a visitor stands in any header but a checked Reply-To; every letter says that it is automatic (RFC
3834). A letter is made when it is handed over, the same bytes each time, under the Message-ID it was given
when it was queued. The templates are files in `mails/`: a line `Subject: …`, an empty line, the body. What a
letter is about is not known here: see `ticket_letters` for one that is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from string import Template

from chalicelib.drafts import is_email
from chalicelib.ports import Outgoing, QueuedMail


class Unwanted(Exception):
    """Nobody wants this mail any more, and that is no trouble; the words hold no address."""


LetterMaker = Callable[[QueuedMail], EmailMessage | None]
"""Makes the letter of a queued mail; None when what it is about is gone. Raises Unwanted, ValueError,
KeyError."""

_FOLDER = Path(__file__).parent / "mails"


@cache
def _template(name: str) -> tuple[Template, Template]:
    head, _, body = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").partition("\n\n")
    return Template(head.removeprefix("Subject: ")), Template(body)


def letter(
    mail: Outgoing,
    *,
    subject: Mapping[str, str],
    body: Mapping[str, str],
    vendor: str,
    sender: str,
    reply_to: str = "",
    calendar: tuple[str, str] | None = None,
) -> EmailMessage:
    """The letter of `mail`'s template. `subject` holds the values that its first line may use: words of ours,
    numbers and names of the catalog alone; `body` those of its text. `sender` is an address, `vendor` the
    name beside it. `reply_to` is left out unless it is one plain address. `calendar` is a method of RFC
    5546 and the calendar's text, which stands beside the words as another way to say the same. Raises
    KeyError for a value that the template wants and nobody gave."""
    first, text = _template(mail.template)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(vendor, addr_spec=sender)
    message["To"] = Address(addr_spec=mail.to)
    message["Subject"] = first.substitute(subject)
    message["Date"] = format_datetime(mail.created)
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if is_email(reply_to):
        message["Reply-To"] = Address(addr_spec=reply_to)
    message.set_content(text.substitute(body).rstrip() + "\n", cte="quoted-printable")
    if calendar is not None:
        method, said = calendar
        message.add_alternative(
            said.encode(), maintype="text", subtype="calendar", params={"method": method, "charset": "utf-8"}
        )
    return message
