"""A promised time to answer: when it is due, stopped while we wait for the customer, and when it nears.

Counted in opening time. What was promised stays promised: a later policy changes no promise that runs. Pure;
no clock here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.catalog import Catalog, OpeningHours
from chalicelib.hours import after, open_time, span_text, week_text, working_time


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """To answer within `length` of opening time from `start` on. `waited`: opening time that does not count,
    for we waited for the customer. `stopped`: since when we wait, None while the time runs."""

    start: datetime
    length: timedelta
    waited: timedelta = timedelta(0)
    stopped: datetime | None = None


def promised(catalog: Catalog | None, severity: str, start: datetime) -> Promise | None:
    """What the policy promises a message that came at `start`; None without a catalog or a promise in it."""
    length = catalog.first_response.get(severity) if catalog else None
    if catalog is None or length is None:
        return None
    return Promise(start=start, length=working_time(catalog.hours, length))


def because(catalog: Catalog, severity: str) -> tuple[str, ...]:
    """Why an answer is due when it is due, for readers."""
    hours, length = catalog.hours, catalog.first_response.get(severity)
    if length is None:
        return ()
    return (
        f"The first response to {severity} comes within {length} of opening time.",
        f"Opening time is {week_text(hours)}; holidays do not count.",
    )


def due(hours: OpeningHours, promise: Promise) -> datetime | None:
    """When the answer is due, in the vendor's zone; None while the time is stopped."""
    if promise.stopped is not None:
        return None
    return after(hours, promise.start, promise.length + promise.waited)


def stop(promise: Promise, at: datetime) -> Promise:
    """From now on nothing counts. What is stopped already stays stopped since then."""
    return promise if promise.stopped is not None else replace(promise, stopped=max(at, promise.start))


def go_on(hours: OpeningHours, promise: Promise, at: datetime) -> Promise:
    """Count again; the opening time since it was stopped is given to us on top."""
    if promise.stopped is None:
        return promise
    waited = promise.waited + open_time(hours, promise.stopped, at)
    return replace(promise, waited=waited, stopped=None)


def left(hours: OpeningHours, promise: Promise, at: datetime) -> timedelta:
    """Opening time that is left; negative when it is over."""
    until = promise.stopped or at
    return promise.length + promise.waited - open_time(hours, promise.start, until)


def nears(hours: OpeningHours, promise: Promise, percent: int) -> datetime | None:
    """When `percent` of the promised time is over, None while it is stopped."""
    if promise.stopped is not None:
        return None
    return after(hours, promise.start, promise.length * percent / 100 + promise.waited)


def left_text(hours: OpeningHours, promise: Promise, at: datetime) -> str:
    """What is left, in words: "3 hours of opening time", or "no opening time"."""
    rest = left(hours, promise, at)
    return f"{span_text(rest)} of opening time" if rest >= timedelta(minutes=1) else "no opening time"
