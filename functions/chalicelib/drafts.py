"""What a visitor may write in a ticket: fields, limits and the words for each mistake. Pure checks."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from chalicelib import sessions
from chalicelib.catalog import OpeningHours
from chalicelib.refusals import FieldProblem, Invalid

KINDS = ("question", "defect", "installation", "session", "enhancement")
SEVERITIES = ("P1", "P2", "P3", "P4")


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketDraft:
    """A ticket as it was typed; "" when not given."""

    name: str = ""
    email: str = ""
    organization: str = ""
    phone: str = ""
    agreement: str = ""
    product: str = ""
    version: str = ""
    kind: str = ""
    severity: str = ""
    subject: str = ""
    description: str = ""
    session_date: str = ""
    session_time: str = ""


FIELDS = (
    *("name", "email", "organization", "phone", "agreement", "product", "version"),
    *("kind", "severity", "subject", "description"),
)
WISHES = ("session_date", "session_time")
"""When a session is wished for; kept as that hour."""
LIMITS = {
    "name": 120,
    "email": 254,
    "organization": 200,
    "phone": 60,
    "agreement": 40,
    "product": 80,
    "version": 60,
    "kind": 20,
    "severity": 20,
    "subject": 120,
    "description": 20_000,
}
"""Characters at most."""

_NO_SESSION = "An hour is for a session: choose an on-line session above, or leave day and time empty."
_ASKED = {
    "name": "Enter your name.",
    "email": "Enter your e-mail address.",
    "kind": "Choose what kind of request this is.",
    "severity": "Choose how bad it is.",
    "subject": "Enter a summary.",
    "description": "Describe what happened.",
}
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=^_`{|}~-]{1,64}@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])"
)

# Unicode's Cc and Cs: controls and halves of characters.
_UNFIT_IN_A_LINE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def is_email(text: str) -> bool:
    """Whether mail could be sent there; no blanks, no controls, so it is safe in a header."""
    return len(text) <= LIMITS["email"] and _EMAIL.fullmatch(text) is not None and ".." not in text


def unfit(text: str, *, lines: bool) -> bool:
    """Whether text holds what is never text: controls (line ends are fine with `lines`), lone surrogates."""
    return (_UNFIT if lines else _UNFIT_IN_A_LINE).search(text) is not None


def check(draft: TicketDraft, hours: OpeningHours | None, now: datetime) -> datetime | None:
    """The hour that is wished for a session, in the vendor's zone, or None. Raises Invalid with every mistake
    at once."""
    problems, wish = [], None
    for name in FIELDS:
        message = _mistake(name, getattr(draft, name))
        if message:
            problems.append(FieldProblem(field=name, message=message))
    try:
        wish = sessions.wished(hours, draft.session_date, draft.session_time)
        if wish is not None and draft.kind in KINDS and draft.kind != "session":
            problems.append(FieldProblem(field="session_date", message=_NO_SESSION))
        elif wish is not None:
            sessions.chosen(hours, wish, sessions.USUAL, now)
    except Invalid as wrong:
        problems += wrong.fields
    if problems:
        raise Invalid(problems)
    return wish


def _mistake(name: str, value: str) -> str:
    if not value.strip():
        return _ASKED.get(name, "")
    if len(value) > LIMITS[name]:
        return f"Use at most {LIMITS[name]:,} characters here; these are {len(value):,}."
    if unfit(value, lines=name == "description"):
        return "Remove the characters that cannot be shown."
    if name == "email" and not is_email(value):
        return "Enter an e-mail address such as name@example.com."
    if name == "kind" and value not in KINDS:
        return f"Choose one of {', '.join(KINDS)}."
    if name == "severity" and value not in SEVERITIES:
        return f"Choose one of {', '.join(SEVERITIES)}."
    return ""


def check_message(text: str) -> None:
    """Raises Invalid for an empty, too long or unfit message."""
    message = "Write a message." if not text.strip() else _mistake("description", text)
    if message:
        raise Invalid([FieldProblem(field="text", message=message)])


def check_key(key: str) -> None:
    """Raises Invalid for a key that is no key."""
    if len(key) > 200 or unfit(key, lines=False):
        raise Invalid(
            [FieldProblem(field="idempotency_key", message="Use a key of at most 200 plain characters.")]
        )


def file_name(name: str) -> str:
    """A name to show for an attachment: no folders, nothing invisible, "file" when nothing is left."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(c for c in last if unicodedata.category(c)[0] != "C").strip(" .")[:120] or "file"


def content_type(given: str) -> str:
    """The kind of file as its sender calls it, or the kind that says nothing. It is shown to staff, never
    obeyed."""
    known = re.fullmatch(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}", given.lower())
    return known[0] if known else "application/octet-stream"
