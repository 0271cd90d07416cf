"""Hands mails to an SMTP server: one connection for one mail, or for a batch of them.

A server that took the whole mail and did not answer may have it or not: that is said (HandOverUnknown), and
told apart from a mail that was not handed over.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage

from chalicelib.ports import MailTrouble
from chalicelib.ports.mailings import AddressRefused, HandOverUnknown, Unreachable

MOST_IN_A_CONNECTION = 100
"""Servers end longer ones."""
_GO_ON, _OK = 354, 250
_CLOSING = 421
_NO_SUCH_MAILBOX = (550, 551, 553)
_GONE = re.compile(r"\b5\.(1\.\d+|2\.1)\b")
_ENHANCED = re.compile(r"\b5\.\d+\.\d+\b")


@dataclass(frozen=True, kw_only=True)
class SmtpMailer:
    """`Mailer` over SMTP. `security`: "" (plain), "starttls" or "tls". `timeout` in seconds."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    security: str = ""
    timeout: float = 20

    def deliver(self, message: EmailMessage, recipient: str) -> None:
        with self.batch() as batch:
            batch.deliver(message, recipient)

    @contextmanager
    def batch(self) -> Iterator[SmtpBatch]:
        """One connection for many mails, made when the first is there and again when it is lost."""
        batch = SmtpBatch(self)
        try:
            yield batch
        finally:
            batch.close()

    def connected(self) -> smtplib.SMTP:
        """A connection that is ready for mails. Raises Unreachable."""
        connection: smtplib.SMTP | None = None
        try:
            if self.security == "tls":
                context = ssl.create_default_context()
                connection = smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout, context=context)
            else:
                connection = smtplib.SMTP(self.host, self.port, timeout=self.timeout)
            if self.security == "starttls":
                connection.starttls(context=ssl.create_default_context())
            connection.ehlo_or_helo_if_needed()
            if self.user:
                connection.login(self.user, self.password)
            return connection
        except (smtplib.SMTPException, OSError) as trouble:
            if connection is not None:
                connection.close()
            if isinstance(trouble, smtplib.SMTPResponseException):
                # A refused login is a mistake in our settings: the mail itself is sound and waits.
                raise Unreachable(f"the mail server said {trouble.smtp_code}") from None
            raise Unreachable(f"the mail server cannot be reached ({type(trouble).__name__})") from None


class SmtpBatch:
    """`Mailer` over one connection of `mailer`."""

    def __init__(self, mailer: SmtpMailer) -> None:
        self._mailer = mailer
        self._connection: smtplib.SMTP | None = None
        self._sent = 0

    def deliver(self, message: EmailMessage, recipient: str) -> None:
        sender = message["From"].addresses[0].addr_spec
        if self._sent >= MOST_IN_A_CONNECTION:
            self.close()
        fresh = self._connection is None
        if self._connection is None:
            self._connection, self._sent = self._mailer.connected(), 0
        self._sent += 1
        try:
            self._handed_over(self._connection, sender, recipient, message.as_bytes())
        except _Lost as lost:
            self.close()
            if fresh and lost.closing:
                raise Unreachable(f"the mail server said {_CLOSING}") from None
            if fresh:  # it may be this mail that it cannot bear: the others are not held up by it
                raise MailTrouble(f"the mail server cannot be reached ({lost})", permanent=False) from None
            self.deliver(message, recipient)  # it had enough of this connection, or let it lie: a new one

    def close(self) -> None:
        """Say good-bye; the next mail makes a new connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(smtplib.SMTPException, OSError):
                connection.quit()
            connection.close()

    def _handed_over(self, connection: smtplib.SMTP, sender: str, recipient: str, data: bytes) -> None:
        try:
            code, said = connection.mail(sender)
            if code == _OK:
                code, said = connection.rcpt(recipient)
                if code not in (_OK, 251):
                    raise self._refused("the recipient was refused", code, said, of_address=True)
                code, said = connection.docmd("DATA")
            if code not in (_OK, _GO_ON):
                raise self._refused("the mail server said", code, said)
            if code != _GO_ON:
                raise MailTrouble(f"the mail server said {code}", permanent=False)
            # Every line ends as SMTP wants it; one that begins with a dot gets another (RFC 5321, 4.5.2).
            lines = re.sub(rb"\r\n|\r|\n", b"\r\n", data)
            dotted = re.sub(rb"(?m)^\.", b"..", lines)
            connection.send(dotted + (b"" if dotted.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        except (smtplib.SMTPException, OSError) as trouble:
            # The end of the mail was not sent, so the server cannot have taken it.
            raise _Lost(type(trouble).__name__) from None
        try:
            code, said = connection.getreply()
        except (smtplib.SMTPException, OSError) as trouble:
            self.close()
            raise HandOverUnknown(
                f"the connection broke before the mail server answered ({type(trouble).__name__})"
            ) from None
        if code != _OK:
            raise self._refused("the mail server said", code, said)

    def _refused(self, words: str, code: int, said: bytes, *, of_address: bool = False) -> MailTrouble:
        """What a refusal means; the connection is made ready for the next mail. Raises _Lost when the server
        has closed it, which says nothing of the mail."""
        if code == _CLOSING:
            raise _Lost(str(code), closing=True)
        if self._connection is not None:
            try:
                self._connection.rset()
            except (smtplib.SMTPException, OSError):
                self.close()
        told = f"{words} ({code})" if of_address else f"{words} {code}"
        if of_address and _no_such_mailbox(code, said.decode("ascii", "replace")):
            return AddressRefused(told)
        return MailTrouble(told, permanent=code >= 500)


class _Lost(Exception):
    """The connection broke before the mail was handed over. `closing`: the server said so."""

    def __init__(self, reason: str, *, closing: bool = False) -> None:
        super().__init__(reason)
        self.closing = closing


def _no_such_mailbox(code: int, said: str) -> bool:
    """Whether a refusal speaks of the mailbox, not of our server's name or of the content: by the enhanced
    code (RFC 3463) where there is one, else by the code."""
    if _ENHANCED.search(said):
        return bool(_GONE.search(said))
    return code in _NO_SUCH_MAILBOX
