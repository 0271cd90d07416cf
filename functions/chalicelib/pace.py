"""How fast one client may go on: what it did lately, in memory, and nothing else about it.

A bucket per client fills at a steady rate up to its size; what finds it empty has to wait. One client's
bucket is not another's, and nothing is ever locked: who waits is let on.

The memory of one process is enough on one machine. On AWS each instance counts for itself: a guesser has as
many buckets as there are instances, against keys of 142 bits; API Gateway's own throttling holds floods, and
what few digits protect (the codes of sign-in) is counted where it is kept, in the store.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.clients import neighbourhood
from chalicelib.refusals import TooMany

_MOST_CLIENTS = 10_000


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """`burst` at once, then `per_minute`."""

    burst: int
    per_minute: float

    def __str__(self) -> str:
        return f"{self.burst:,} at once, then {self.per_minute:g} a minute"


@dataclass(frozen=True, kw_only=True)
class Guessing:
    """How many wrong keys: from one client, from one client for one account, and for one account from all."""

    client: Allowance
    pair: Allowance
    account: Allowance


POSTS = Allowance(burst=120, per_minute=60)
WRONG_KEYS = Guessing(
    client=Allowance(burst=20, per_minute=2),
    pair=Allowance(burst=10, per_minute=1),
    account=Allowance(burst=100, per_minute=10),
)


class Pace:
    """Counts what clients do against one allowance. Safe for threads. `now` gives seconds that only rise."""

    def __init__(
        self,
        allowance: Allowance,
        now: Callable[[], float],
        words: str = "Too much came from your connection in a short time; the limit is {limit}. "
        "Wait {wait} and send it again; nothing was stored.",
    ) -> None:
        self._allowance = allowance
        self._words = words
        self._now = now
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def spend(self, client: str) -> None:
        """Counts one; raises `TooMany` with the seconds to wait when there is nothing left to spend."""
        with self._lock:
            left = self._left(client)
            if left < 1:
                raise self._refusal(left)
            self._keep(client, left - 1)

    def require(self, client: str) -> None:
        """Raises `TooMany` when there is nothing left to spend; counts nothing."""
        with self._lock:
            left = self._left(client)
            if left < 1:
                raise self._refusal(left)

    def count(self, client: str) -> None:
        """Counts one and never raises: for what is known to be wrong only afterwards."""
        with self._lock:
            self._keep(client, max(0.0, self._left(client) - 1))

    def untouched(self, client: str) -> bool:
        """Whether all that was counted lately is forgotten again."""
        with self._lock:
            return self._left(client) >= self._allowance.burst

    def _left(self, client: str) -> float:
        now = self._now()
        left, then = self._buckets.get(client, (float(self._allowance.burst), now))
        return min(float(self._allowance.burst), left + (now - then) * self._allowance.per_minute / 60)

    def _keep(self, client: str, left: float) -> None:
        self._buckets[client] = (left, self._now())
        self._buckets.move_to_end(client)
        if len(self._buckets) > _MOST_CLIENTS:
            self._buckets.popitem(last=False)

    def _refusal(self, left: float) -> TooMany:
        wait = max(1, math.ceil((1 - left) * 60 / self._allowance.per_minute))
        seconds = f"{wait:,} second" + ("" if wait == 1 else "s")
        return TooMany(self._words.format(wait=seconds, limit=self._allowance), retry_after=wait)


class Guesses:
    """Counts wrong keys, so that guessing is slow and using a key is not. Safe for threads.

    Whoever gave no wrong key for an account lately may always try, however many others guess at it: a
    stranger cannot lock its owner out. While many guess, whoever did has to wait. The words are the same for
    each reason, and whether there is such an account.
    """

    def __init__(self, guessing: Guessing, now: Callable[[], float]) -> None:
        words = (
            f"Too many wrong keys came from your connection; the limit is {guessing.client}, for one "
            f"agreement {guessing.pair}. Wait {{wait}} and try again; nothing is locked."
        )
        self._client = Pace(guessing.client, now, words)
        self._pair = Pace(guessing.pair, now, words)
        self._account = Pace(guessing.account, now, words)

    def require(self, client: str, account: str) -> None:
        """Raises `TooMany`; counts nothing."""
        client, pair = neighbourhood(client), _pair(client, account)
        self._client.require(client)
        self._pair.require(pair)
        if not self._pair.untouched(pair):
            self._account.require(account)

    def count(self, client: str, account: str) -> None:
        """Counts a wrong key; never raises."""
        self._client.count(neighbourhood(client))
        self._pair.count(_pair(client, account))
        self._account.count(account)


def _pair(client: str, account: str) -> str:
    return f"{neighbourhood(client)} {account}"
