"""Rows of the SQLite store and the values they stand for; the named statements of `sqlite/statements.sql`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.agreements import Agreement, Period
from chalicelib.ports import Attachment, Message, Outgoing, QueuedMail, Ticket
from chalicelib.refusals import NotFound

_FOLDER = Path(__file__).parent / "sqlite"


@cache
def _statements() -> dict[str, str]:
    parts = (_FOLDER / "statements.sql").read_text(encoding="utf-8").split("-- name: ")[1:]
    return {name.strip(): text.strip() for name, _, text in (part.partition("\n") for part in parts)}


class Run:
    """Runs the named statements of `sqlite/statements.sql` on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __call__(self, name: str, /, **values: object) -> sqlite3.Cursor:
        return self._connection.execute(_statements()[name], values)


def find_ticket(run: Run, statement: str, **values: object) -> Ticket | None:
    """The ticket that a statement finds, with its messages and attachments."""
    row = run(statement, **values).fetchone()
    return whole_ticket(run, row) if row else None


def get_ticket(run: Run, statement: str, **values: object) -> Ticket:
    """The same; raises NotFound when there is none."""
    found = find_ticket(run, statement, **values)
    if found is None:
        raise NotFound
    return found


def whole_ticket(run: Run, row: sqlite3.Row) -> Ticket:
    """A row of `tickets` with what belongs to it."""
    values: dict[str, Any] = dict(row)
    number = values["number"]
    for name in ("received", "reply_by", "first_answered"):
        values[name] = datetime.fromisoformat(values[name]) if values[name] else None
    for name in ("reply_by_because", "route_because"):
        values[name] = tuple(json.loads(values[name]))
    values["first_in_queue"] = bool(values["first_in_queue"])
    return Ticket(
        **values,
        messages=tuple(Message(**part(row)) for row in run("messages", number=number)),
        attachments=tuple(Attachment(**part(row)) for row in run("attachments", number=number)),
    )


def part(row: sqlite3.Row) -> dict[str, Any]:
    """The fields of a message or an attachment."""
    values = dict(row)
    del values["ticket"]
    return {**values, "when": datetime.fromisoformat(values["when"])}


def queued_mail(row: sqlite3.Row) -> QueuedMail:
    """A row of `outbox`."""
    return QueuedMail(
        mail=Outgoing(
            id=row["id"],
            message_id=row["message_id"],
            template=row["template"],
            to=row["recipient"],
            ticket=row["ticket"],
            message=row["message"],
            capped=bool(row["capped"]),
            created=datetime.fromisoformat(row["created"]),
        ),
        state=row["state"],
        attempts=row["attempts"],
        next_try=datetime.fromisoformat(row["next_try"]),
        trouble=row["trouble"],
    )


def agreement_of(row: sqlite3.Row) -> Agreement:
    """A row of `agreements`, without its key."""
    values: dict[str, Any] = dict(row)
    del values["key_hash"], values["key_made"]
    values["starts"] = date.fromisoformat(values["starts"])
    values["withdrawn"] = date.fromisoformat(values["withdrawn"]) if values["withdrawn"] else None
    values["contacts"] = tuple(json.loads(values["contacts"]))
    values["paid"] = tuple(
        Period(first=date.fromisoformat(first), last=date.fromisoformat(last))
        for first, last in json.loads(values["paid"])
    )
    return Agreement(**values)


def row_of(agreement: Agreement) -> dict[str, object]:
    """An agreement as the table keeps it."""
    row = {name: getattr(agreement, name) for name in Agreement.__dataclass_fields__}
    row["paid"] = json.dumps([[str(period.first), str(period.last)] for period in agreement.paid])
    return flat(row)


def flat(row: Mapping[str, Any]) -> dict[str, object]:
    """Values as SQLite keeps them."""
    flat: dict[str, object] = {}
    for name, value in row.items():
        if isinstance(value, datetime):
            flat[name] = instant(value)
        elif isinstance(value, date):
            flat[name] = value.isoformat()
        elif isinstance(value, bool):
            flat[name] = int(value)
        elif isinstance(value, tuple):
            flat[name] = json.dumps(list(value))
        else:
            flat[name] = value
    return flat


def instant(at: datetime) -> str:
    """UTC text of one width, so that text sorts as time does."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
