"""Tickets, their messages and files in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from chalicelib.addresses import folded
from chalicelib.ports.audit import Act
from chalicelib.ports.identity import Identity
from chalicelib.ports.mails import Outgoing
from chalicelib.ports.tickets import (
    ANNOUNCED_FOR,
    Attachment,
    AttachmentsFull,
    Message,
    NumberTaken,
    Ticket,
    mark_of,
    place_of,
)
from chalicelib.refusals import NotFound
from chalicelib.sqlite_store.audit import keep_act
from chalicelib.sqlite_store.database import Database, Run, flat, instant
from chalicelib.sqlite_store.identities import remember, repetition
from chalicelib.sqlite_store.mails import post

_END = "9999 "
"""Behind every place."""


class SqliteTickets(Database):
    """`TicketStore` on SQLite."""

    def open_ticket(
        self, ticket: Ticket, identity: Identity, mails: Sequence[Outgoing], now: datetime
    ) -> tuple[Ticket, bool]:
        with self._write() as run:
            first = repetition(run, identity, now)
            if first is not None:
                return get_ticket(run, "ticket", number=first), True
            if run("ticket", number=ticket.number).fetchone():
                raise NumberTaken
            row = asdict(ticket)
            del row["messages"], row["attachments"]
            run("insert_ticket", **flat(row))
            remember(run, identity, ticket.number, now)
            post(run, mails, 0)
            return ticket, False

    def ticket_by_token(self, token_hash: str) -> Ticket | None:
        with self._read() as run:
            return find_ticket(run, "ticket_by_token", token_hash=token_hash)

    def ticket(self, number: str) -> Ticket | None:
        with self._read() as run:
            return find_ticket(run, "ticket", number=number)

    def tickets(self, states: Sequence[str]) -> tuple[Ticket, ...]:
        with self._read() as run:
            rows = run("tickets", states=json.dumps(list(states))).fetchall()
            return tuple(whole_ticket(run, row) for row in rows)

    def tickets_of(self, email: str, *, before: str = "", limit: int = 20) -> tuple[tuple[Ticket, ...], str]:
        received, _, number = (place_of(before) or _END).partition(" ")
        with self._read() as run:
            rows = run(
                "tickets_of", owner=folded(email), received=received, number=number, limit=limit + 1
            ).fetchall()
            found = tuple(whole_ticket(run, row) for row in rows[:limit])
        return found, mark_of(found[-1]) if len(rows) > limit else ""

    def add_message(
        self,
        number: str,
        message: Message,
        state: str,
        identity: Identity,
        mails: Sequence[Outgoing],
        now: datetime,
        act: Act | None = None,
    ) -> tuple[Ticket, bool]:
        with self._write() as run:
            if repetition(run, identity, now) is not None:
                return get_ticket(run, "ticket", number=number), True
            sequence = run("next_message", ticket=number).fetchone()[0]
            run("insert_message", ticket=number, **flat(asdict(replace(message, sequence=sequence))))
            run("set_state", number=number, state=state)
            if message.who == "staff":
                run("first_answer", number=number, now=instant(now))
            remember(run, identity, number, now)
            post(run, mails, sequence)
            keep_act(run, act)
            return get_ticket(run, "ticket", number=number), False

    def assign(self, number: str, assignee: str, act: Act | None = None) -> Ticket:
        with self._write() as run:
            run("assign", number=number, assignee=assignee)
            changed = get_ticket(run, "ticket", number=number)
            keep_act(run, act)
            return changed

    def set_state(self, number: str, state: str, act: Act | None = None) -> Ticket:
        with self._write() as run:
            run("set_state", number=number, state=state)
            changed = get_ticket(run, "ticket", number=number)
            keep_act(run, act)
            return changed

    def announce_attachment(self, number: str, attachment: Attachment, limit: int) -> None:
        with self._write() as run:
            _room(run, number, attachment, limit)
            run("insert_attachment", ticket=number, **flat(asdict(attachment)))

    def attach(self, number: str, attachment: Attachment, limit: int) -> Ticket:
        row = flat(asdict(attachment))
        with self._write() as run:
            there = run("same_attachment", ticket=number, name=attachment.name, sha256=attachment.sha256)
            if there.fetchone():
                run("forget_attachment", id=attachment.id, ticket=number)
            elif not run("complete_attachment", ticket=number, **row).rowcount:
                _room(run, number, attachment, limit)
                run("insert_attachment", ticket=number, **row)
            return get_ticket(run, "ticket", number=number)


def _room(run: Run, number: str, attachment: Attachment, limit: int) -> None:
    if (
        run("count_attachments", ticket=number, since=instant(attachment.when - ANNOUNCED_FOR)).fetchone()[0]
        >= limit
    ):
        raise AttachmentsFull


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
