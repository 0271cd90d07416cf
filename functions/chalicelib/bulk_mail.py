"""A mail to many, made once and fitted to each recipient: who it is to, how they leave, and its Message-ID.

What differs stands in places, `[[ leave_url ]]` and `[[ leave_address ]]`, in headers and parts; nothing else
does. The parts are encoded once. The Message-ID follows from the mailing and the recipient, so a mail that is
sent again is the same one. Headers as RFC 2369, RFC 2919, RFC 3834 and RFC 8058 want them.
"""

from __future__ import annotations

import hashlib
import re
from binascii import b2a_qp
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from functools import cached_property
from typing import Any

from chalicelib.drafts import unfit

LEAVE_URL, LEAVE_ADDRESS = "[[ leave_url ]]", "[[ leave_address ]]"
_PLACE = re.compile(r"(\[\[ leave_(?:url|address) \]\])")


class _ListPolicy(EmailPolicy):
    """Folds as SMTP wants it, but for the headers of RFC 2369: the standard library turns a long address in
    them into encoded words, which no mail program takes for an address."""

    def fold(self, name: str, value: Any) -> str:
        if name.lower().startswith("list-"):
            return f"{name}: {value}".replace(", <", ",\r\n <") + "\r\n"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name.lower().startswith("list-"):
            return self.fold(name, value).encode("ascii")
        return bytes(super().fold_binary(name, value))


_POLICY = _ListPolicy(linesep="\r\n")


class Unsendable(Exception):
    """The mail cannot be sent as it is; the message says what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class BulkMail:
    """`mailing` is the permanent id of what is sent. `host` stands in Message-IDs. `html` may be ""."""

    mailing: str
    subject: str
    sender: str
    sender_name: str
    headers: Mapping[str, str]
    text: str
    html: str
    host: str

    def check(self) -> None:
        """Raises Unsendable for what would bend a header."""
        for name, value in {"Subject": self.subject, **self.headers}.items():
            # An encoded word in a header could hold a line end.
            strange = name.lower().startswith("list-") and not value.isascii()
            if unfit(value, lines=False) or "=?" in value or strange:
                raise Unsendable(f"the header {name} must be plain text of one line, not {value[:60]!r}")
        if not self.subject:
            raise Unsendable("the subject is empty")

    @cached_property
    def digest(self) -> str:
        """What tells two texts of one mailing apart."""
        said = repr((self.subject, self.text, self.html, sorted(self.headers.items())))
        return hashlib.sha256(said.encode()).hexdigest()

    def message_id(self, subscriber: str) -> str:
        """The same for the same recipient, whenever it is asked for."""
        mark = hashlib.sha256(f"{self.mailing}\n{subscriber}".encode()).hexdigest()[:32]
        return f"<{mark}@{self.host}>"

    def to(
        self, email: str, *, message_id: str, date: datetime, leave_url: str, leave_address: str
    ) -> EmailMessage:
        """The mail of one recipient, the same bytes for the same values."""
        fitted = {LEAVE_URL: leave_url, LEAVE_ADDRESS: leave_address}
        message = EmailMessage(policy=_POLICY)
        message["From"] = Address(self.sender_name, addr_spec=self.sender)
        message["To"] = Address(addr_spec=email)
        message["Subject"] = self.subject
        message["Date"] = format_datetime(date)
        message["Message-ID"] = message_id
        message["MIME-Version"] = "1.0"
        for name, value in self.headers.items():
            message[name] = _filled(value, {**fitted, LEAVE_ADDRESS: f"{leave_address}?subject=unsubscribe"})
        if "Precedence" not in message:
            message["Precedence"] = "bulk"
        parts = [self._part("text/plain", self._encoded_text, fitted)]
        if self.html:
            parts.append(self._part("text/html", self._encoded_html, fitted))
            message.make_alternative()
            message.set_boundary(f"=_{self.digest[:32]}")
            for part in parts:
                message.attach(part)
            return message
        for name in ("Content-Type", "Content-Transfer-Encoding"):
            message[name] = parts[0][name]
        message.set_payload(parts[0].get_payload())
        return message

    @cached_property
    def _encoded_text(self) -> tuple[str, ...]:
        return _encoded(self.text)

    @cached_property
    def _encoded_html(self) -> tuple[str, ...]:
        return _encoded(self.html)

    def _part(self, kind: str, pieces: tuple[str, ...], fitted: Mapping[str, str]) -> EmailMessage:
        part = EmailMessage(policy=_POLICY)
        part["Content-Type"] = f'{kind}; charset="utf-8"'
        part["Content-Transfer-Encoding"] = "quoted-printable"
        # A soft line break before and behind keeps every line short, whatever stands in the place.
        part.set_payload("".join(f"=\n{_qp(fitted[one])}=\n" if one in fitted else one for one in pieces))
        return part


def _encoded(text: str) -> tuple[str, ...]:
    """Text as quoted-printable, its places left out of it."""
    return tuple(piece if _PLACE.fullmatch(piece) else _qp(piece) for piece in _PLACE.split(text) if piece)


def _qp(text: str) -> str:
    return b2a_qp(text.encode("utf-8"), istext=True).decode("ascii")


def _filled(text: str, fitted: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda place: fitted[place[0]], text)
