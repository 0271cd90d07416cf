"""Hands mails to an SMTP server. One connection per mail: few mails, and no state that could go stale."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage

from chalicelib.ports import MailTrouble


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
        sender = message["From"].addresses[0].addr_spec
        try:
            with self._connection() as connection:
                if self.security == "starttls":
                    connection.starttls(context=ssl.create_default_context())
                if self.user:
                    connection.login(self.user, self.password)
                connection.sendmail(sender, [recipient], message.as_bytes())
        except smtplib.SMTPRecipientsRefused as refused:
            codes = [code for code, _ in refused.recipients.values()]
            permanent = all(code >= 500 for code in codes)
            raise MailTrouble(f"the recipient was refused ({codes[0]})", permanent=permanent) from None
        except smtplib.SMTPResponseException as answer:
            # A refused login (5xx) is a mistake in our settings: the mail itself is sound and waits.
            permanent = answer.smtp_code >= 500 and not isinstance(answer, smtplib.SMTPAuthenticationError)
            raise MailTrouble(f"the mail server said {answer.smtp_code}", permanent=permanent) from None
        except (smtplib.SMTPException, OSError) as trouble:
            raise MailTrouble(
                f"the mail server cannot be reached ({type(trouble).__name__})", permanent=False
            ) from None

    def _connection(self) -> smtplib.SMTP:
        if self.security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=self.timeout)
