"""What came back: delivery status notifications (RFC 3464) and feedback reports (RFC 5965), read.

Text in, values out. Nothing in a report is obeyed but whom it is about and whether that is for good.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message

from chalicelib.drafts import is_email

HARD, SOFT, COMPLAINT = "hard bounce", "soft bounce", "complaint"
_PASSING = re.compile(r"5\.(2\.[23]|3\.\d+|4\.7|6\.\d+|7\.\d+)")
"""Permanent failures of this mail that say nothing against the mailbox: full, too large, content, policy."""
_ABUSE = ("abuse", "fraud", "virus", "opt-out", "other")


@dataclass(frozen=True, kw_only=True, slots=True)
class Returned:
    """One address that a report is about. `mark` is the same whenever the same report is read."""

    kind: str
    email: str
    detail: str
    mark: str


def read(data: bytes) -> tuple[Returned, ...]:
    """What a report says, one entry per recipient that something came back of; nothing for a delay, a
    success, and for mail that is no report. Never raises."""
    mark = hashlib.sha256(data).hexdigest()[:32]
    mail = message_from_bytes(data, policy=policy.compat32)
    found: dict[str, Returned] = {}
    for part in mail.walk():
        kind = part.get_content_type()
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            entries = _status(part, mark)
        elif kind == "message/feedback-report":
            entries = _feedback(mail, part, mark)
        else:
            continue
        for one in entries:
            found.setdefault(one.email.lower(), one)
    return tuple(found.values())


def _status(part: Message, mark: str) -> Iterator[Returned]:
    """The fields of each recipient: a block of headers each, behind that of the message."""
    for block in _blocks(part):
        if _field(block, "Action").lower() != "failed":
            continue
        email = _address(_field(block, "Original-Recipient")) or _address(_field(block, "Final-Recipient"))
        status = re.match(r"\d\.\d{1,3}\.\d{1,3}", _field(block, "Status"))
        if email and status:
            hard = status[0].startswith("5") and not _PASSING.fullmatch(status[0])
            said = " ".join(_field(block, "Diagnostic-Code").split())[:120]
            detail = f"{status[0]} {_plain(said)}".strip()
            yield Returned(kind=HARD if hard else SOFT, email=email, detail=detail, mark=mark)


def _feedback(mail: Message, part: Message, mark: str) -> Iterator[Returned]:
    for block in _blocks(part):
        kind = _field(block, "Feedback-Type").lower()
        if kind not in _ABUSE:
            continue
        emails = [_address(str(one)) for one in block.get_all("Original-Rcpt-To", [])]
        if not any(emails):  # a report may leave it out: then the mail that it holds tells
            emails = [_address(str(one)) for held in _held(mail) for one in held.get_all("To", [])]
        for email in dict.fromkeys(filter(None, emails)):
            yield Returned(kind=COMPLAINT, email=email, detail=f"reported as {kind}", mark=mark)


def _blocks(part: Message) -> Iterator[Message]:
    inner = part.get_payload()
    if isinstance(inner, list):
        yield from (one for one in inner if isinstance(one, Message))
        if len(inner) == 1 and isinstance(inner[0], Message) and isinstance(inner[0].get_payload(), str):
            rest = str(inner[0].get_payload())
            if rest.strip():
                yield message_from_bytes(rest.encode("utf-8", "replace"), policy=policy.compat32)
    elif isinstance(inner, str):
        yield message_from_bytes(inner.encode("utf-8", "replace"), policy=policy.compat32)


def _held(mail: Message) -> Iterator[Message]:
    for part in mail.walk():
        if part.get_content_type() in ("message/rfc822", "text/rfc822-headers"):
            yield from _blocks(part)


def _field(block: Message, name: str) -> str:
    return str(block.get(name) or "").strip()


def _address(said: str) -> str:
    """The address of `rfc822; name@example.com`, of `Name <name@example.com>` or of itself; "" when there
    is none."""
    text = said.partition(";")[2] if ";" in said else said
    found = re.search(r"<([^<>]+)>", text)
    email = (found[1] if found else text).strip()
    return email if is_email(email) else ""


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
