"""When an address gets no more mail: at once after a hard bounce or a complaint, else after several."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.ports.subscriptions import DecideSuppression, Suppression

SOFT_AT_MOST = 3
"""Mails that came back softly, each told once, before an address is given up."""


def hard_bounce(email: str, detail: str, now: datetime) -> DecideSuppression:
    """There is no such mailbox."""
    return _for_good(email, "hard bounce", detail, now)


def complaint(email: str, detail: str, now: datetime) -> DecideSuppression:
    """The owner reported a mail as junk."""
    return _for_good(email, "complaint", detail, now)


def soft_bounce(email: str, mark: str, detail: str, now: datetime) -> DecideSuppression:
    """A mail came back for a reason that may pass. `mark` names the report: read twice, it counts once."""

    def decide(held: Suppression | None) -> Suppression | None:
        before = held or Suppression(email=email, reason="", detail="", since=now)
        if before.holds or mark in before.soft:
            return None
        soft = (*before.soft, mark)
        if len(soft) < SOFT_AT_MOST:
            return replace(before, soft=soft, detail=detail, since=now)
        told = f"{len(soft)} mails came back: {detail}"
        return replace(before, reason="soft bounces", soft=soft, detail=told, since=now)

    return decide


def _for_good(email: str, reason: str, detail: str, now: datetime) -> DecideSuppression:
    def decide(held: Suppression | None) -> Suppression | None:
        if held is not None and held.holds:
            return None
        before = held or Suppression(email=email, reason="", detail="", since=now)
        return replace(before, reason=reason, detail=detail, since=now)

    return decide
