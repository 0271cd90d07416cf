"""What a store keeps of agreements; a key only as its hash."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from chalicelib.agreements import Agreement, Period
from chalicelib.ports.audit import Act


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """What an import did, by agreement number."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]


Approval = Callable[[tuple[Agreement, ...]], None]
"""Looks at every agreement that is kept; what it raises stops an import before anything is changed."""


class AgreementStore(Protocol):
    """Agreements and their keys."""

    def agreement(self, number: str) -> Agreement | None: ...

    def agreements(self) -> tuple[Agreement, ...]: ...

    def agreements_of(self, address: str) -> tuple[Agreement, ...]:
        """Those that have this contact, by number; ASCII letters count alike, as in `addresses.folded`. For a
        visitor's request: it reads no other agreement."""
        ...

    def import_agreements(
        self,
        agreements: Iterable[Agreement],
        *,
        dry_run: bool,
        act: Act | None = None,
        approve: Approval | None = None,
    ) -> Imported:
        """All or none. Keys are left as they are. `approve` sees what the import finds, in its transaction;
        it may be asked again when somebody was faster. Beside `act`, each agreement that was added or changed
        keeps an act of its own that names the fields."""
        ...

    def amend(
        self, number: str, change: Callable[[Agreement], Agreement], act: Act | None = None
    ) -> Agreement:
        """Make an agreement what `change` makes of it, which may be asked again when somebody was faster.
        Raises NotFound, and what `change` raises."""
        ...

    def renew(self, number: str, period: Period, act: Act | None = None) -> Agreement:
        """Add a paid period. Raises ValueError when it overlaps one that is there."""
        ...

    def withdraw(self, number: str, day: date | None, act: Act | None = None) -> Agreement: ...

    def key_hash(self, number: str) -> str:
        """The hash of an agreement's key, or "" when there is no key or no such agreement."""
        ...

    def key_hashes(self, number: str, now: datetime) -> tuple[str, ...]:
        """The hashes of the keys that open an agreement: its key, and the one before while that is kept."""
        ...

    def set_key(
        self,
        number: str,
        key_hash: str,
        now: datetime,
        act: Act | None = None,
        *,
        old_until: datetime | None = None,
    ) -> None:
        """Keep the hash of a new key ("" for none). The key before opens it until `old_until`, or not at all
        any more; one before that never."""
        ...
