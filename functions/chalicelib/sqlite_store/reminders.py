"""The reminders that were given, in SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from chalicelib.agreements import Agreement
from chalicelib.ports.mails import Outgoing
from chalicelib.ports.reminders import Reminded
from chalicelib.sqlite_store.agreements import agreement_of
from chalicelib.sqlite_store.database import Database, instant
from chalicelib.sqlite_store.mails import post


class SqliteReminders(Database):
    """`ReminderStore` on SQLite."""

    def remind(
        self, agreement: Agreement, ends: date, stage: int, mails: Sequence[Outgoing], now: datetime
    ) -> bool:
        given = {"agreement": agreement.agreement, "ends": ends.isoformat(), "stage": stage}
        with self._write() as run:
            row = run("agreement", number=agreement.agreement).fetchone()
            if row is None or agreement_of(row) != agreement or run("later_reminder", **given).fetchone():
                return False
            run("keep_reminder", **given, when=instant(now))
            post(run, mails, 0)
            return True

    def reminded(self, number: str) -> tuple[Reminded, ...]:
        with self._read() as run:
            return tuple(
                Reminded(
                    agreement=row["agreement"],
                    ends=date.fromisoformat(row["ends"]),
                    stage=row["stage"],
                    when=datetime.fromisoformat(row["when"]),
                )
                for row in run("reminded", number=number)
            )
