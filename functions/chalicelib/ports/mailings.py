"""What a store keeps of mails to many: whom an issue or a notice goes to, and what became of each.

The list is frozen once. One sender at a time walks it, and at any moment at most one delivery is being handed
over: what is found so after a crash is unknown, and nothing else is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from chalicelib.ports.audit import Act
from chalicelib.ports.mails import Mailer, MailTrouble

DELIVERY_STATES = ("pending", "sending", "sent", "failed", "unknown", "left", "suppressed")
"""left and suppressed: no recipient any more when their turn came."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mailing:
    """A mail to many. `id` is that of the issue or notice; `topics`: whoever gets one of them is a recipient.
    `digest` tells whether its text is still the one that was begun with. `counts` by the states of
    deliveries, all of them; `frozen` is False while the list is being made."""

    id: str
    topics: tuple[str, ...]
    subject: str
    digest: str
    started: datetime
    frozen: bool = True
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One recipient of a mailing; `email` is "" when they were forgotten since. A pending one is not tried
    before `next_try`."""

    mailing: str
    subscriber: str
    email: str
    state: str
    attempts: int
    next_try: datetime
    trouble: str
    changed: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of the delivery that was being handed over. `attempt`: whether it counts as one."""

    subscriber: str
    state: str
    trouble: str = ""
    next_try: datetime | None = None
    attempt: bool = True


class SenderBusy(Exception):
    """Another sender has the mailing, for all we know until `until`; nothing was changed."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"another sender has this mailing until {until.isoformat()}")
        self.until = until


class MailingStore(Protocol):
    """Mailings and their deliveries."""

    def recipients(self, topics: Sequence[str]) -> int:
        """How many would get a mailing that is frozen now."""
        ...

    def freeze_mailing(self, mailing: Mailing, act: Act | None = None) -> Mailing:
        """Make the list: who is confirmed and gets one of the topics, unless mail does not go there. Done
        before, it changes nothing; killed in the middle, once more completes it."""
        ...

    def mailing(self, mailing: str) -> Mailing | None: ...

    def mailings(self, *, before: str = "", limit: int = 50) -> tuple[tuple[Mailing, ...], str]:
        """The newest first; and the mark that `before` takes for those that follow."""
        ...

    def take_over(self, mailing: str, sender: str, *, now: datetime, until: datetime, alone: bool) -> Mailing:
        """Become the one sender. What another one left in its hands becomes unknown. `alone`: it is known
        that no other sender lives; else its time must be over. Raises SenderBusy."""
        ...

    def next_delivery(
        self,
        mailing: str,
        sender: str,
        *,
        done: Outcome | None,
        after: str,
        now: datetime,
        until: datetime,
    ) -> Delivery | None:
        """In one transaction keep what became of the last delivery, and take the next one that is due, behind
        the subscriber `after`: who left, or gets no mail any more, is passed by. None when there is none.
        Raises SenderBusy when another one has taken over."""
        ...

    def release(self, mailing: str, sender: str) -> None:
        """Be the sender no longer."""
        ...

    def deliveries(
        self, mailing: str, states: Sequence[str], *, after: str = "", limit: int = 500
    ) -> tuple[tuple[Delivery, ...], str]:
        """Those in one of the states; and the mark that `after` takes for those that follow."""
        ...

    def resend_unknown(self, mailing: str, now: datetime, act: Act | None = None) -> int:
        """Make what is unknown pending again; how many."""
        ...

    def forget_deliveries(self, subscriber: str) -> None:
        """Keep no address of a subscriber; what was not sent to them never is."""
        ...

    def notices(self) -> frozenset[str]:
        """The notices that were given, or that were there before the first was."""
        ...

    def keep_notices(self, notices: Iterable[str], now: datetime, act: Act | None = None) -> None:
        """Never give these (again)."""
        ...


class HandOverUnknown(MailTrouble):
    """The connection broke after the whole mail was sent and before the answer: nobody can know."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, permanent=False)


class Unreachable(MailTrouble):
    """The mail server takes nothing at all at the moment; this mail was not handed over."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, permanent=False)


class AddressRefused(MailTrouble):
    """There is no such mailbox, the server says: a hard bounce at the door."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, permanent=True)


@runtime_checkable
class Batching(Protocol):
    """A mailer that keeps a connection open for many mails."""

    def batch(self) -> AbstractContextManager[Mailer]: ...
