"""What a store keeps of subscribers, and of addresses that get no mail any more. Tokens only as their hashes.

Every change of a subscriber is one decision on what is held, taken again when somebody was faster: so the
rules stand in the domain, once, and a store keeps what they decide in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from chalicelib.ports.audit import Act
from chalicelib.ports.mails import Outgoing

STATES = ("unconfirmed", "confirmed", "left")
CONFIRM, LEAVE = "confirm", "leave"
"""What a token of a subscriber is for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscriber:
    """Somebody who asked for mails, or was imported. `state`: one of `STATES`, or "forgotten" for the answer
    to a link of somebody whose address is no longer kept. `topics` are those that they get (in state left:
    that they got, for an undo); `wanted` those that were asked for and wait to be confirmed. `id` makes the
    secret of the leave link again, `salt` with it that of the confirmation, together with SUPPORT_SECRET.
    `asked`: when the confirmations went out that nobody has pressed yet."""

    id: str
    email: str
    state: str
    topics: tuple[str, ...]
    wanted: tuple[str, ...] = ()
    salt: str = ""
    asked: tuple[datetime, ...] = ()
    source: str = "form"
    since: datetime | None = None
    changed: datetime
    leave_hash: str
    confirm_hash: str = ""


FORGOTTEN = Subscriber(
    id="",
    email="",
    state="forgotten",
    topics=(),
    source="",
    changed=datetime.min.replace(tzinfo=UTC),
    leave_hash="",
)
"""What is told of somebody whose address is no longer kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Suppression:
    """Why an address gets no mail. `reason`: "hard bounce", "complaint", "soft bounces" or "staff"; "" while
    mails came back, but may come through again. `soft` are the marks of those that came back lately."""

    email: str
    reason: str
    detail: str
    since: datetime
    soft: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing is sent there."""
        return self.reason != ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What a decision does: the subscriber as they are to be kept (None: nothing is kept of them but that
    their links were theirs), and the mails that belong to it."""

    subscriber: Subscriber | None
    mails: tuple[Outgoing, ...] = ()


Decide = Callable[[Subscriber | None, Suppression | None], Change | None]
"""Given what is held and what suppresses the address, what to do; None for nothing. Called again when
somebody was faster, so it must not do anything else."""
DecideSuppression = Callable[[Suppression | None], Suppression | None]
"""Given what is held, what to hold; None for nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedSubscribers:
    """What an import did, by address as it was given."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()


class SubscriptionStore(Protocol):
    """Subscribers, and addresses that get nothing. Addresses are found however their letters are cased."""

    def subscriber(self, email: str) -> Subscriber | None: ...

    def subscriber_by_token(self, purpose: str, token_hash: str) -> Subscriber | None:
        """Whose token it is, of `CONFIRM` or `LEAVE`; state "forgotten" when nothing else is kept."""
        ...

    def change_subscriber(self, email: str, decide: Decide, act: Act | None = None) -> Subscriber | None:
        """Decide and keep, with the mails and the act; the subscriber as then held. A link to leave stays
        theirs for good, one to confirm until there is another. An act is kept only when something was
        decided."""
        ...

    def import_subscribers(
        self, decisions: Mapping[str, Decide], *, dry_run: bool, act: Act | None = None
    ) -> ImportedSubscribers:
        """All or none. The decisions by address; None is "unchanged"; mails are not sent."""
        ...

    def subscribers(
        self, states: Sequence[str], *, topic: str = "", after: str = "", limit: int = 500
    ) -> tuple[tuple[Subscriber, ...], str]:
        """Those in one of the states who get the topic (or any), by folded address; and the mark that
        `after` takes for those that follow, "" when there are no more."""
        ...

    def suppression(self, email: str) -> Suppression | None: ...

    def is_suppressed(self, email: str) -> bool: ...

    def change_suppression(
        self, email: str, decide: DecideSuppression, act: Act | None = None
    ) -> Suppression | None:
        """Decide and keep, with the act; as then held."""
        ...

    def lift_suppression(self, email: str, act: Act | None = None) -> bool:
        """Send there again; whether something was held."""
        ...

    def suppressions(self, *, after: str = "", limit: int = 500) -> tuple[tuple[Suppression, ...], str]:
        """Those that hold, by folded address; and the mark for those that follow, "" when there are none."""
        ...
