"""The outbox in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.addresses import folded
from chalicelib.ports.audit import Act
from chalicelib.ports.mails import MAIL_CAPS, Outgoing, QueuedMail
from chalicelib.sqlite_store.audit import keep_act
from chalicelib.sqlite_store.database import Database, Run, instant

SENDING_TIME = timedelta(minutes=5)
"""After so long a mail that was being sent is thought to have lost its sender, and is sent again."""


class SqliteMails(Database):
    """`MailStore` on SQLite."""

    def claim_mails(self, now: datetime, limit: int) -> tuple[QueuedMail, ...]:
        with self._write() as run:
            rows = run("due_mails", now=instant(now), limit=limit).fetchall()
            for row in rows:
                run("claim_mail", id=row["id"], until=instant(now + SENDING_TIME))
            return tuple(replace(queued, attempts=queued.attempts + 1) for queued in map(queued_mail, rows))

    def mail_sent(self, mail_id: str, now: datetime) -> None:
        with self._write() as run:
            run("mail_sent", id=mail_id, now=instant(now))

    def mail_failed(self, mail_id: str, trouble: str, next_try: datetime | None) -> None:
        with self._write() as run:
            run(
                "mail_failed",
                id=mail_id,
                trouble=trouble,
                state="waiting" if next_try else "failed",
                next_try=instant(next_try) if next_try else None,
            )

    def drop_mail(self, mail_id: str, reason: str) -> None:
        with self._write() as run:
            run("mail_failed", id=mail_id, trouble=reason, state="suppressed", next_try=None)

    def mails(self, states: Sequence[str]) -> tuple[QueuedMail, ...]:
        with self._read() as run:
            return tuple(queued_mail(row) for row in run("mails", states=json.dumps(list(states))))

    def retry_mails(self, now: datetime, mail_id: str = "", act: Act | None = None) -> int:
        with self._write() as run:
            count = run("retry_mails", id=mail_id, now=instant(now)).rowcount
            if count:
                keep_act(run, act)
            return count

    def oldest_unsent(self) -> datetime | None:
        with self._read() as run:
            text = run("oldest_unsent").fetchone()[0]
            return datetime.fromisoformat(text) if text else None


def post(run: Run, mails: Sequence[Outgoing], message: int | None = None) -> list[str]:
    """Let mails wait; all about one `message` where that is given, else each about its own. The state of
    each: waiting, or suppressed beyond its address's cap."""
    states = []
    for mail in mails:
        address = folded(mail.to)
        lately = [
            run("mails_lately", folded=address, since=instant(mail.created - span)).fetchone()[0] >= most
            for span, most in MAIL_CAPS
        ]
        states.append("suppressed" if mail.capped and any(lately) else "waiting")
        run(
            "insert_mail",
            id=mail.id,
            message_id=mail.message_id,
            template=mail.template,
            recipient=mail.to,
            folded=address,
            about=mail.about,
            message=mail.message if message is None else message,
            capped=int(mail.capped),
            created=instant(mail.created),
            state=states[-1],
        )
    return states


def queued_mail(row: sqlite3.Row) -> QueuedMail:
    """A row of `outbox`."""
    return QueuedMail(
        mail=Outgoing(
            id=row["id"],
            message_id=row["message_id"],
            template=row["template"],
            to=row["recipient"],
            about=row["about"],
            message=row["message"],
            capped=bool(row["capped"]),
            created=datetime.fromisoformat(row["created"]),
        ),
        state=row["state"],
        attempts=row["attempts"],
        next_try=datetime.fromisoformat(row["next_try"]),
        trouble=row["trouble"],
    )
