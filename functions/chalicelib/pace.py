"""How fast one client may go on: what it did lately, in memory, and nothing else about it.

A bucket per client fills at a steady rate up to its size; what finds it empty has to wait. One client's
bucket is not another's. The memory of one process is enough on one machine; on AWS each instance counts for
itself, which slows a guesser down no less than the size of the bucket times the number of instances.
"""

from __future__ import annotations

import ipaddress
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.refusals import TooMany

_MOST_CLIENTS = 10_000


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """`burst` at once, then `per_minute`."""

    burst: int
    per_minute: float


POSTS = Allowance(burst=120, per_minute=60)
WRONG_KEYS = Allowance(burst=20, per_minute=2)


class Pace:
    """Counts what clients do against one allowance. Safe for threads. `now` gives seconds that only rise."""

    def __init__(self, allowance: Allowance, now: Callable[[], float]) -> None:
        self._allowance = allowance
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

    def _left(self, client: str) -> float:
        now = self._now()
        left, then = self._buckets.get(_neighbourhood(client), (float(self._allowance.burst), now))
        return min(float(self._allowance.burst), left + (now - then) * self._allowance.per_minute / 60)

    def _keep(self, client: str, left: float) -> None:
        name = _neighbourhood(client)
        self._buckets[name] = (left, self._now())
        self._buckets.move_to_end(name)
        if len(self._buckets) > _MOST_CLIENTS:
            self._buckets.popitem(last=False)

    def _refusal(self, left: float) -> TooMany:
        wait = max(1, math.ceil((1 - left) * 60 / self._allowance.per_minute))
        seconds = "second" if wait == 1 else "seconds"
        return TooMany(
            f"Too much came from your connection in a short time. Wait {wait} {seconds} and send it again; "
            "nothing was stored.",
            retry_after=wait,
        )


def _neighbourhood(client: str) -> str:
    """The address, or the /64 of an IPv6 address: a client owns all of it."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
