"""Subscribers and suppressed addresses in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from chalicelib.addresses import folded
from chalicelib.ports.audit import Act
from chalicelib.ports.subscriptions import (
    CONFIRM,
    FORGOTTEN,
    LEAVE,
    Decide,
    DecideSuppression,
    ImportedSubscribers,
    Subscriber,
    Suppression,
)
from chalicelib.sqlite_store.audit import keep_act
from chalicelib.sqlite_store.database import Database, Run, flat, instant
from chalicelib.sqlite_store.mails import post


class SqliteSubscriptions(Database):
    """`SubscriptionStore` on SQLite. A mark is the last folded address."""

    def subscriber(self, email: str) -> Subscriber | None:
        with self._read() as run:
            return _subscriber(run, folded(email))

    def subscriber_by_token(self, purpose: str, token_hash: str) -> Subscriber | None:
        with self._read() as run:
            row = run("subscriber_of_token", token=f"{purpose} {token_hash}").fetchone()
            if row is None:
                return None
            return _subscriber(run, row["folded"]) or FORGOTTEN

    def change_subscriber(self, email: str, decide: Decide, act: Act | None = None) -> Subscriber | None:
        address = folded(email)
        with self._write() as run:
            held = _subscriber(run, address)
            change = decide(held, _suppression(run, address))
            if change is None:
                return held
            if change.subscriber is None:
                forget(run, address)
            else:
                keep(run, address, change.subscriber, held)
            post(run, change.mails, 0)
            keep_act(run, act)
            return change.subscriber

    def import_subscribers(
        self, decisions: Mapping[str, Decide], *, dry_run: bool, act: Act | None = None
    ) -> ImportedSubscribers:
        kinds: dict[str, list[str]] = {"added": [], "changed": [], "unchanged": []}
        with self._write() as run:
            for email, decide in decisions.items():
                address = folded(email)
                held = _subscriber(run, address)
                change = decide(held, _suppression(run, address))
                kinds["unchanged" if change is None else "changed" if held else "added"].append(email)
                if change is not None and change.subscriber is not None and not dry_run:
                    keep(run, address, change.subscriber, held)
            if not dry_run and (kinds["added"] or kinds["changed"]):
                keep_act(run, act)
        return ImportedSubscribers(**{kind: tuple(emails) for kind, emails in kinds.items()})

    def subscribers(
        self, states: Sequence[str], *, topic: str = "", after: str = "", limit: int = 500
    ) -> tuple[tuple[Subscriber, ...], str]:
        with self._read() as run:
            rows = run(
                "subscribers", states=json.dumps(list(states)), topic=topic, after=after, limit=limit + 1
            ).fetchall()
        found = tuple(subscriber_of(row) for row in rows[:limit])
        return found, str(rows[limit - 1]["folded"]) if len(rows) > limit else ""

    def suppression(self, email: str) -> Suppression | None:
        with self._read() as run:
            return _suppression(run, folded(email))

    def is_suppressed(self, email: str) -> bool:
        held = self.suppression(email)
        return held is not None and held.holds

    def change_suppression(
        self, email: str, decide: DecideSuppression, act: Act | None = None
    ) -> Suppression | None:
        address = folded(email)
        with self._write() as run:
            held = _suppression(run, address)
            made = decide(held)
            if made is None:
                return held
            run("keep_suppression", folded=address, **flat(asdict(made)))
            keep_act(run, act)
            return made

    def lift_suppression(self, email: str, act: Act | None = None) -> bool:
        with self._write() as run:
            lifted = run("lift_suppression", folded=folded(email)).rowcount > 0
            if lifted:
                keep_act(run, act)
            return lifted

    def suppressions(self, *, after: str = "", limit: int = 500) -> tuple[tuple[Suppression, ...], str]:
        with self._read() as run:
            rows = run("suppressions", after=after, limit=limit + 1).fetchall()
        found = tuple(suppression_of(row) for row in rows[:limit])
        return found, str(rows[limit - 1]["folded"]) if len(rows) > limit else ""


def keep(run: Run, address: str, subscriber: Subscriber, held: Subscriber | None) -> None:
    if held is not None and held.confirm_hash not in ("", subscriber.confirm_hash):
        run("forget_token", token=f"{CONFIRM} {held.confirm_hash}")
    run("keep_subscriber", folded=address, **_row(subscriber))
    run("forget_topics", folded=address)
    if subscriber.state == "confirmed":
        run("keep_topics", folded=address, topics=json.dumps(subscriber.topics))
    for purpose, token in ((LEAVE, subscriber.leave_hash), (CONFIRM, subscriber.confirm_hash)):
        if token:
            run("keep_token", token=f"{purpose} {token}", folded=address)


def forget(run: Run, address: str) -> None:
    run("forget_tokens", folded=address)
    run("forget_subscriber", folded=address)


def subscriber_of(row: sqlite3.Row) -> Subscriber:
    """A row of `subscribers`."""
    since = row["since"]
    return Subscriber(
        id=row["id"],
        email=row["email"],
        state=row["state"],
        topics=tuple(json.loads(row["topics"])),
        wanted=tuple(json.loads(row["wanted"])),
        salt=row["salt"],
        asked=tuple(map(datetime.fromisoformat, json.loads(row["asked"]))),
        source=row["source"],
        since=datetime.fromisoformat(since) if since else None,
        changed=datetime.fromisoformat(row["changed"]),
        leave_hash=row["leave_hash"],
        confirm_hash=row["confirm_hash"],
    )


def suppression_of(row: sqlite3.Row) -> Suppression:
    """A row of `suppressions`."""
    return Suppression(
        email=row["email"],
        reason=row["reason"],
        detail=row["detail"],
        since=datetime.fromisoformat(row["since"]),
        soft=tuple(json.loads(row["soft"])),
    )


def _row(subscriber: Subscriber) -> dict[str, object]:
    return flat({**asdict(subscriber), "asked": tuple(instant(at) for at in subscriber.asked)})


def _subscriber(run: Run, address: str) -> Subscriber | None:
    row = run("subscriber", folded=address).fetchone() if address else None
    return subscriber_of(row) if row else None


def _suppression(run: Run, address: str) -> Suppression | None:
    row = run("suppression", folded=address).fetchone()
    return suppression_of(row) if row else None
