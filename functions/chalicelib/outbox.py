"""The outbox: hands over what waits, tries again, gives up and says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.letters import LetterMaker, Unwanted
from chalicelib.ports import Clock, Mailer, MailTrouble, QueuedMail, Store

WAITS = (1, 5, 15, 60, 240, 720, 1440)
"""Minutes before the next try after each failure; after the last one a mail is given up and listed."""


@dataclass(frozen=True, kw_only=True)
class Outbox:
    """Hands over what waits. `letters` makes the letter of each template."""

    store: Store
    mailer: Mailer
    letters: Mapping[str, LetterMaker]
    clock: Clock

    def run(self, limit: int = 50) -> tuple[int, int]:
        """Hand over at most `limit` due mails; how many were sent and how many were not. Raises NotStored.

        A mail that cannot be made or taken never holds up the next one; one that nobody wants any more counts
        as neither.
        """
        sent = failed = 0
        while True:
            claimed = self.store.claim_mails(self.clock(), limit)
            for queued in claimed:
                try:
                    trouble = self._hand_over(queued)
                except Unwanted as reason:
                    self.store.drop_mail(queued.mail.id, str(reason))
                    continue
                if trouble is None:
                    self.store.mail_sent(queued.mail.id, self.clock())
                    sent += 1
                    continue
                failed += 1
                wait = None
                if not trouble.permanent and queued.attempts <= len(WAITS):
                    wait = self.clock() + timedelta(minutes=WAITS[queued.attempts - 1])
                self.store.mail_failed(queued.mail.id, str(trouble), wait)
            # A batch of nothing but unwanted ones says nothing of those behind it.
            if sent or failed or len(claimed) < limit:
                return sent, failed

    def _hand_over(self, queued: QueuedMail) -> MailTrouble | None:
        try:
            made = self.letters[queued.mail.template](queued)
            if made is None:
                return MailTrouble("what it is about is gone", permanent=True)
            # The maker may know the address better: as it is kept, and not as somebody typed it.
            self.mailer.deliver(made, made["To"].addresses[0].addr_spec)
        except MailTrouble as trouble:
            return trouble
        except (ValueError, KeyError, UnicodeError) as trouble:
            return MailTrouble(f"the mail could not be made ({type(trouble).__name__})", permanent=True)
        return None


def oldest_text(oldest: datetime | None) -> str | None:
    """For the health answer."""
    return oldest.isoformat() if oldest else None
