"""Mailings and their deliveries in SQLite: a list is frozen by one statement."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

from chalicelib.ports.audit import Act
from chalicelib.ports.mailings import DELIVERY_STATES, Delivery, Mailing, Outcome, SenderBusy
from chalicelib.refusals import NotFound
from chalicelib.sqlite_store.audit import keep_act
from chalicelib.sqlite_store.database import Database, Run, instant


class SqliteMailings(Database):
    """`MailingStore` on SQLite. Marks: the last subscriber; the start and id of the last mailing."""

    def recipients(self, topics: Sequence[str]) -> int:
        with self._read() as run:
            return int(run("count_recipients", topics=json.dumps(list(topics))).fetchone()[0])

    def freeze_mailing(self, mailing: Mailing, act: Act | None = None) -> Mailing:
        with self._write() as run:
            if run("mailing", id=mailing.id).fetchone() is None:
                run(
                    "insert_mailing",
                    id=mailing.id,
                    topics=json.dumps(mailing.topics),
                    subject=mailing.subject,
                    digest=mailing.digest,
                    started=instant(mailing.started),
                )
                run(
                    "freeze",
                    id=mailing.id,
                    topics=json.dumps(mailing.topics),
                    now=instant(mailing.started),
                )
                keep_act(run, act)
            return _mailing(run, mailing.id)

    def mailing(self, mailing: str) -> Mailing | None:
        with self._read() as run:
            return _mailing(run, mailing) if run("mailing", id=mailing).fetchone() else None

    def mailings(self, *, before: str = "", limit: int = 50) -> tuple[tuple[Mailing, ...], str]:
        with self._read() as run:
            rows = run("mailings", before=before, limit=limit + 1).fetchall()
            found = tuple(_mailing(run, row["id"]) for row in rows[:limit])
        return found, f"{rows[limit - 1]['started']} {found[-1].id}" if len(rows) > limit else ""

    def take_over(self, mailing: str, sender: str, *, now: datetime, until: datetime, alone: bool) -> Mailing:
        with self._write() as run:
            row = _row(run, mailing)
            if row["sender"] not in ("", sender) and row["lease"] > instant(now) and not alone:
                raise SenderBusy(datetime.fromisoformat(row["lease"]))
            run("hold_mailing", id=mailing, sender=sender, lease=instant(until))
            run(
                "deliveries_become",
                id=mailing,
                before="sending",
                state="unknown",
                trouble="the sender was ended while it was being handed over",
                now=instant(now),
            )
            return _mailing(run, mailing)

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
        with self._write() as run:
            row = _row(run, mailing)
            if row["sender"] != sender:
                raise SenderBusy(datetime.fromisoformat(row["lease"] or instant(now)))
            run("hold_mailing", id=mailing, sender=sender, lease=instant(until))
            if done is not None:
                run(
                    "delivery_done",
                    id=mailing,
                    subscriber=done.subscriber,
                    state=done.state,
                    trouble=done.trouble,
                    now=instant(now),
                    attempt=int(done.attempt),
                    next_try=instant(done.next_try) if done.next_try else None,
                )
            while True:
                found = run(
                    "next_delivery", id=mailing, topics=row["topics"], after=after, now=instant(now)
                ).fetchone()
                if found is None:
                    return None
                after = found["subscriber"]
                state = "suppressed" if found["suppressed"] else "sending" if found["gets"] else "left"
                run("delivery_becomes", id=mailing, subscriber=after, state=state, now=instant(now))
                if state == "sending":
                    return delivery_of(found)

    def release(self, mailing: str, sender: str) -> None:
        with self._write() as run:
            if _row(run, mailing)["sender"] == sender:
                run("hold_mailing", id=mailing, sender="", lease="")

    def deliveries(
        self, mailing: str, states: Sequence[str], *, after: str = "", limit: int = 500
    ) -> tuple[tuple[Delivery, ...], str]:
        with self._read() as run:
            rows = run(
                "deliveries", id=mailing, states=json.dumps(list(states)), after=after, limit=limit + 1
            ).fetchall()
        found = tuple(delivery_of(row) for row in rows[:limit])
        return found, found[-1].subscriber if len(rows) > limit else ""

    def resend_unknown(self, mailing: str, now: datetime, act: Act | None = None) -> int:
        with self._write() as run:
            count = run(
                "deliveries_become",
                id=mailing,
                before="unknown",
                state="pending",
                trouble="",
                now=instant(now),
            ).rowcount
            if count:
                keep_act(run, act)
            return count

    def forget_deliveries(self, subscriber: str) -> None:
        with self._write() as run:
            run("forget_deliveries", subscriber=subscriber)

    def notices(self) -> frozenset[str]:
        with self._read() as run:
            return frozenset(row["id"] for row in run("notices"))

    def keep_notices(self, notices: Iterable[str], now: datetime, act: Act | None = None) -> None:
        with self._write() as run:
            for notice in notices:
                run("keep_notice", id=notice, now=instant(now))
            keep_act(run, act)


def _row(run: Run, mailing: str) -> sqlite3.Row:
    row = run("mailing", id=mailing).fetchone()
    if row is None:
        raise NotFound(f"Nothing was begun to be sent under {mailing}.")
    found: sqlite3.Row = row
    return found


def _mailing(run: Run, mailing: str) -> Mailing:
    row = _row(run, mailing)
    counts = dict.fromkeys(DELIVERY_STATES, 0)
    counts |= {one["state"]: one["number"] for one in run("delivery_counts", id=mailing)}
    return Mailing(
        id=row["id"],
        topics=tuple(json.loads(row["topics"])),
        subject=row["subject"],
        digest=row["digest"],
        started=datetime.fromisoformat(row["started"]),
        counts=counts,
    )


def delivery_of(row: sqlite3.Row) -> Delivery:
    """A row of `deliveries`."""
    return Delivery(
        mailing=row["mailing"],
        subscriber=row["subscriber"],
        email=row["email"],
        state=row["state"],
        attempts=row["attempts"],
        next_try=datetime.fromisoformat(row["next_try"]),
        trouble=row["trouble"],
        changed=datetime.fromisoformat(row["changed"]),
    )
