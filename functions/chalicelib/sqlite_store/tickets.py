"""Tickets, their messages and files in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
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
    Change,
    DraftGone,
    Event,
    Message,
    NumberTaken,
    ReplyDraft,
    Ticket,
    mark_of,
    place_of,
)
from chalicelib.refusals import NotFound
from chalicelib.sqlite_store.audit import keep_act
from chalicelib.sqlite_store.database import Database, Run, flat, instant
from chalicelib.sqlite_store.identities import remember, repetition
from chalicelib.sqlite_store.mails import post
from chalicelib.ticket_record import record, ticket_of

_LIFE = ("promise", "session", "known", "defects", "first_due")
"""What nothing is searched by: the column `life`."""
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
            run("insert_ticket", **_row(ticket))
            _add(run, ticket, ticket.messages, ticket.events)
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

    def change_ticket(
        self,
        number: str,
        change: Callable[[Ticket], Change],
        now: datetime,
        *,
        identity: Identity | None = None,
        draft: str = "",
    ) -> tuple[Ticket, bool]:
        with self._write() as run:
            if identity is not None and repetition(run, identity, now) is not None:
                return get_ticket(run, "ticket", number=number), True
            before = get_ticket(run, "ticket", number=number)
            made = change(before)
            if made.ticket == before:
                return before, False
            after = replace(made.ticket, revision=before.revision + 1)
            run("update_ticket", **_row(after))
            _add(run, after, after.messages[len(before.messages) :], after.events[len(before.events) :])
            if draft and not run("end_draft", id=draft, state="sent").rowcount:
                raise DraftGone
            if identity is not None:
                remember(run, identity, number, now)
            post(run, made.mails)
            keep_act(run, made.act)
            return get_ticket(run, "ticket", number=number), False

    def tickets_to_attend(self, now: datetime, limit: int) -> tuple[Ticket, ...]:
        with self._read() as run:
            rows = run("tickets_to_attend", now=instant(now), limit=limit).fetchall()
            return tuple(whole_ticket(run, row) for row in rows)

    def keep_draft(self, draft: ReplyDraft, act: Act | None = None) -> bool:
        with self._write() as run:
            if not run("insert_draft", **flat(asdict(draft))).rowcount:
                return False
            keep_act(run, act)
            return True

    def drafts(self, state: str) -> tuple[ReplyDraft, ...]:
        with self._read() as run:
            return tuple(_draft(row) for row in run("drafts", state=state))

    def drop_draft(self, draft_id: str, act: Act | None = None) -> ReplyDraft:
        with self._write() as run:
            if not run("end_draft", id=draft_id, state="dropped").rowcount:
                raise DraftGone
            keep_act(run, act)
            return _draft(run("draft", id=draft_id).fetchone())

    def announce_attachment(self, number: str, attachment: Attachment, limit: int) -> None:
        with self._write() as run:
            _room(run, number, attachment, limit)
            run("insert_attachment", ticket=number, **flat(asdict(attachment)))
            run("touch_ticket", number=number)

    def attach(self, number: str, attachment: Attachment, limit: int) -> Ticket:
        row = flat(asdict(attachment))
        with self._write() as run:
            there = run("same_attachment", ticket=number, name=attachment.name, sha256=attachment.sha256)
            if there.fetchone():
                run("forget_attachment", id=attachment.id, ticket=number)
            elif not run("complete_attachment", ticket=number, **row).rowcount:
                _room(run, number, attachment, limit)
                run("insert_attachment", ticket=number, **row)
            run("touch_ticket", number=number)
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
    values |= json.loads(values.pop("life"))
    for name in ("reply_by_because", "route_because"):
        values[name] = json.loads(values[name])
    return ticket_of(
        values,
        [Message(**part(row)) for row in run("messages", number=number)],
        [Attachment(**part(row)) for row in run("attachments", number=number)],
        [
            Event(**{**part(row), "facts": json.loads(row["facts"])})
            for row in run("ticket_events", number=number)
        ],
    )


def part(row: sqlite3.Row) -> dict[str, Any]:
    """The fields of a message, an attachment or an event."""
    values = dict(row)
    del values["ticket"]
    return {**values, "when": datetime.fromisoformat(values["when"])}


def _row(ticket: Ticket) -> dict[str, object]:
    values = record(ticket)
    life = {name: values.pop(name) for name in _LIFE}
    row = {name: json.dumps(value) if isinstance(value, list) else value for name, value in values.items()}
    return {**row, "first_in_queue": int(ticket.first_in_queue), "life": json.dumps(life)}


def _add(run: Run, ticket: Ticket, messages: Sequence[Message], events: Sequence[Event]) -> None:
    for message in messages:
        run("insert_message", ticket=ticket.number, **flat(asdict(message)))
    for event in events:
        row = {**flat(asdict(event)), "facts": json.dumps(event.facts)}
        run("insert_event", ticket=ticket.number, **row)


def _draft(row: sqlite3.Row) -> ReplyDraft:
    return ReplyDraft(**{**dict(row), "made": datetime.fromisoformat(row["made"])})
