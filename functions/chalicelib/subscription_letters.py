"""The letters to somebody who asked for mails: fixed words, topics of ours, and a link to press a button
at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage

from chalicelib.letters import letter
from chalicelib.ports import QueuedMail
from chalicelib.subscriptions import CONFIRM_LETTER, KNOWN_LETTER, Subscriptions
from chalicelib.topics import labels

TEMPLATES = (CONFIRM_LETTER, KNOWN_LETTER)


@dataclass(frozen=True, kw_only=True)
class SubscriptionLetters:
    """Makes them. `sender` gives the From address."""

    subscriptions: Subscriptions
    sender: Callable[[], str]

    def __call__(self, queued: QueuedMail) -> EmailMessage | None:
        held = self.subscriptions.store.subscriber(queued.mail.to)
        if held is None or held.id != queued.mail.about:
            return None
        catalog = self.subscriptions.catalog_or_none()
        waits = queued.mail.template == CONFIRM_LETTER
        if waits and not held.wanted:
            return None
        vendor = catalog.vendor.name if catalog else ""
        chosen = labels(held.wanted if waits else held.topics, catalog)
        return letter(
            queued.mail,
            subject={"vendor": vendor or "us"},
            body={
                "vendor": vendor,
                "phone": catalog.vendor.phone if catalog else "",
                "topics": "\n".join(f"- {label}" for label in chosen),
                "url": self.subscriptions.confirm_url(held)
                if waits
                else self.subscriptions.leave_url(held.id),
            },
            vendor=vendor,
            sender=self.sender(),
        )
