"""Hands a frozen mailing over, one recipient after the other, so that a crash loses sight of one at most.

What became of the last mail and who is next are one write; so at any moment one delivery is being handed
over, and who leaves is left out from that moment on. Nothing is sent twice by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage

from chalicelib.ports.clock import Clock
from chalicelib.ports.mailings import (
    AddressRefused,
    Batching,
    Delivery,
    HandOverUnknown,
    MailingStore,
    Outcome,
    Unreachable,
)
from chalicelib.ports.mails import Mailer, MailTrouble
from chalicelib.ports.subscriptions import SubscriptionStore
from chalicelib.suppressing import hard_bounce

LEASE = timedelta(minutes=5)
"""After so long without a word a sender is thought to be gone, where that cannot be known at once."""
WAITS = (5, 30, 120)
"""Minutes before the next try after a soft failure; after the last one a delivery is given up."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a run ended. `why`: "" when nothing is left that is due; else in words."""

    sent: int
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class MailingSender:
    """`pause` is asked before every mail: how long to wait is its business; `stop` tells that the run is to
    end, which it does after the mail in hand."""

    store: MailingStore
    subscribers: SubscriptionStore
    mailer: Mailer
    clock: Clock
    pause: Callable[[], None] = lambda: None
    stop: Callable[[], bool] = lambda: False

    def send(
        self,
        mailing: str,
        compose: Callable[[Delivery, datetime], EmailMessage],
        *,
        sender: str,
        alone: bool,
        tell: Callable[[Delivery, Outcome], None] = lambda delivery, outcome: None,
    ) -> Ended:
        """Hand over all that is due. `sender` names this run and no other; `alone`: no other one lives.
        Raises SenderBusy, NotStored, and whatever `compose` raises but MailTrouble."""
        started = self.store.take_over(
            mailing, sender, now=self.clock(), until=self.clock() + LEASE, alone=alone
        ).started
        done: Outcome | None = None
        after, sent = "", 0
        with in_batch(self.mailer) as mailer:
            while True:
                if self.stop() and done is None:
                    break
                delivery = self._next(mailing, sender, done, after)
                done = None
                if delivery is None:
                    if not after:
                        break
                    after = ""  # once more from the start, for what became due meanwhile
                    continue
                after = delivery.subscriber
                if self.stop():
                    done = _kept_back(delivery, "")
                    self._last(mailing, sender, done)
                    return Ended(sent=sent, why="it was stopped")
                self.pause()
                try:
                    message = compose(delivery, started)
                except BaseException:
                    self._last(mailing, sender, _kept_back(delivery, ""))
                    raise
                try:
                    done = self._hand_over(mailer, delivery, message)
                except Unreachable as trouble:
                    self._last(mailing, sender, _kept_back(delivery, str(trouble)))
                    return Ended(sent=sent, why=str(trouble))
                sent += done.state == "sent"
                tell(delivery, done)
        self.store.release(mailing, sender)
        return Ended(sent=sent, why="it was stopped" if self.stop() else "")

    def _next(self, mailing: str, sender: str, done: Outcome | None, after: str) -> Delivery | None:
        now = self.clock()
        return self.store.next_delivery(mailing, sender, done=done, after=after, now=now, until=now + LEASE)

    def _last(self, mailing: str, sender: str, done: Outcome) -> None:
        """Keep what became of the one in hand, and take no other: none is behind the last of all."""
        now = self.clock()
        self.store.next_delivery(mailing, sender, done=done, after="~", now=now, until=now)
        self.store.release(mailing, sender)

    def _hand_over(self, mailer: Mailer, delivery: Delivery, message: EmailMessage) -> Outcome:
        try:
            mailer.deliver(message, delivery.email)
        except Unreachable:
            raise
        except HandOverUnknown as trouble:
            return Outcome(subscriber=delivery.subscriber, state="unknown", trouble=str(trouble))
        except MailTrouble as trouble:
            if isinstance(trouble, AddressRefused):
                self.subscribers.change_suppression(
                    delivery.email, hard_bounce(delivery.email, str(trouble), self.clock())
                )
            return self._failed(delivery, trouble)
        return Outcome(subscriber=delivery.subscriber, state="sent")

    def _failed(self, delivery: Delivery, trouble: MailTrouble) -> Outcome:
        tries = delivery.attempts + 1
        if trouble.permanent:
            return Outcome(subscriber=delivery.subscriber, state="failed", trouble=str(trouble))
        if tries > len(WAITS):
            told = f"given up after {tries} tries: {trouble}"
            return Outcome(subscriber=delivery.subscriber, state="failed", trouble=told)
        again = self.clock() + timedelta(minutes=WAITS[delivery.attempts])
        return Outcome(subscriber=delivery.subscriber, state="pending", trouble=str(trouble), next_try=again)


def in_batch(mailer: Mailer) -> AbstractContextManager[Mailer]:
    """The mailer with one connection for many mails, where it can keep one."""
    return mailer.batch() if isinstance(mailer, Batching) else nullcontext(mailer)


def _kept_back(delivery: Delivery, trouble: str) -> Outcome:
    return Outcome(subscriber=delivery.subscriber, state="pending", trouble=trouble, attempt=False)
