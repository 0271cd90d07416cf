"""Which reminders were given: once for each agreement, end of its cover, and stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from chalicelib.agreements import Agreement
from chalicelib.ports.mails import Outgoing


@dataclass(frozen=True, kw_only=True, slots=True)
class Reminded:
    """That contacts were reminded, `stage` days before the cover `ends`; -1 is on the days after it."""

    agreement: str
    ends: date
    stage: int
    when: datetime


class ReminderStore(Protocol):
    """The reminders that were given, each kept in one transaction with its mails."""

    def remind(
        self, agreement: Agreement, ends: date, stage: int, mails: Sequence[Outgoing], now: datetime
    ) -> bool:
        """Keep that a reminder is given, and its mails; False, and nothing is kept, when it or a later one of
        the same end was given before, or when the agreement is not kept as it is told here."""
        ...

    def reminded(self, number: str) -> tuple[Reminded, ...]:
        """Of one agreement, by end of cover, then in the order in which the stages come."""
        ...
