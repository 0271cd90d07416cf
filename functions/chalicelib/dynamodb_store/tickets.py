"""Tickets, their messages and files in DynamoDB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from chalicelib.addresses import folded
from chalicelib.dynamodb_store.identities import DynamoIdentities
from chalicelib.dynamodb_store.items import HEAD, Item, flat, instant, plain, put, typed
from chalicelib.dynamodb_store.mails import DynamoMails
from chalicelib.dynamodb_store.table import still, trouble
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
    place,
    place_of,
)
from chalicelib.refusals import NotFound


class DynamoTickets(DynamoIdentities, DynamoMails):
    """`TicketStore` on DynamoDB."""

    def open_ticket(
        self, ticket: Ticket, identity: Identity, mails: Sequence[Outgoing], now: datetime
    ) -> tuple[Ticket, bool]:
        def attempt() -> tuple[list[Item], tuple[Ticket, bool]]:
            first = self._repetition(identity, now)
            if first is not None:
                return [], (self._ticket(first), True)
            if self._get(f"ticket {ticket.number}") is not None:
                raise NumberTaken
            return [
                self._new(f"ticket {ticket.number}", HEAD, ticket_doc(ticket), v=1, **_listed(ticket)),
                self._new(f"token {ticket.token_hash}", HEAD, ticket.number),
                self._new(f"tickets of {folded(ticket.email)}", place(ticket), ticket.number),
                self._remembered(identity, ticket.number, now),
                *self._posted(mails, 0),
            ], (ticket, False)

        return self._tried(attempt)

    def ticket_by_token(self, token_hash: str) -> Ticket | None:
        with trouble():
            token = self._get(f"token {token_hash}")
        return self.ticket(token["doc"]) if token else None

    def ticket(self, number: str) -> Ticket | None:
        with trouble():
            items = self._partition(f"ticket {number}")
        return ticket_of(items) if items else None

    def tickets(self, states: Sequence[str]) -> tuple[Ticket, ...]:
        with trouble():
            found = [
                self._ticket(item["place"]) for state in states for item in self._list(f"tickets {state}")
            ]
        return tuple(
            sorted(
                (ticket for ticket in found if ticket.state in states),
                key=lambda one: (
                    not one.first_in_queue,
                    one.reply_by is None,
                    one.reply_by and instant(one.reply_by),
                    instant(one.received),
                    one.number,
                ),
            )
        )

    def tickets_of(self, email: str, *, before: str = "", limit: int = 20) -> tuple[tuple[Ticket, ...], str]:
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": typed(f"tickets of {folded(email)}")},
            "ScanIndexForward": False,
            "ConsistentRead": True,
            "Limit": limit + 1,
        }
        if mark := place_of(before):
            query["KeyConditionExpression"] += " AND sk < :before"
            query["ExpressionAttributeValues"][":before"] = typed(mark)
        with trouble():
            items = [plain(item) for item in self._client().query(**query)["Items"]]
            found = tuple(self._ticket(item["doc"]) for item in items[:limit])
        return found, mark_of(found[-1]) if len(items) > limit else ""

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
        def attempt() -> tuple[list[Item], tuple[Ticket, bool]]:
            if self._repetition(identity, now) is not None:
                return [], (self._ticket(number), True)
            head, ticket = self._whole(number)
            sequence = max((one.sequence for one in ticket.messages), default=0) + 1
            kept = replace(message, sequence=sequence)
            answered = ticket.first_answered or (now if message.who == "staff" else None)
            changed = replace(ticket, state=state, first_answered=answered, messages=(*ticket.messages, kept))
            return [
                self._changed(head, changed),
                self._new(f"ticket {number}", f"message {sequence:08}", part_doc(kept)),
                self._remembered(identity, number, now),
                *self._posted(mails, sequence),
                *self._acts(act),
            ], (changed, False)

        return self._tried(attempt)

    def assign(self, number: str, assignee: str, act: Act | None = None) -> Ticket:
        return self._altered(number, act, assignee=assignee)

    def set_state(self, number: str, state: str, act: Act | None = None) -> Ticket:
        return self._altered(number, act, state=state)

    def announce_attachment(self, number: str, attachment: Attachment, limit: int) -> None:
        def attempt() -> tuple[list[Item], None]:
            head, ticket = self._whole(number)
            _room(ticket, attachment, limit)
            return [self._changed(head, ticket), self._with(number, attachment)], None

        self._tried(attempt)

    def attach(self, number: str, attachment: Attachment, limit: int) -> Ticket:
        def attempt() -> tuple[list[Item], Ticket]:
            head, ticket = self._whole(number)
            waiting = [
                one for one in ticket.attachments if one.id == attachment.id and one.state == "waiting"
            ]
            if any(
                (one.sha256, one.name, one.state) == (attachment.sha256, attachment.name, "stored")
                for one in ticket.attachments
            ):
                key = self._key(f"ticket {number}", f"attachment {attachment.id}")
                gone = [{"Delete": {"TableName": self._table, "Key": key}}] if waiting else []
                others = tuple(one for one in ticket.attachments if one not in waiting)
                return [self._changed(head, ticket), *gone], replace(ticket, attachments=others)
            if waiting:
                # What was announced keeps its name and type; what arrived tells the rest.
                stored = replace(
                    waiting[0],
                    state="stored",
                    size=attachment.size,
                    sha256=attachment.sha256,
                    when=attachment.when,
                )
            else:
                _room(ticket, attachment, limit)
                stored = attachment
            others = tuple(one for one in ticket.attachments if one not in waiting)
            together = sorted((*others, stored), key=lambda one: (instant(one.when), one.id))
            return [self._changed(head, ticket), self._with(number, stored)], replace(
                ticket, attachments=tuple(together)
            )

        return self._tried(attempt)

    def _changed(self, head: Item, ticket: Ticket) -> Item:
        """Put a ticket that is still the one that was read."""
        made = put(
            self._table,
            f"ticket {ticket.number}",
            HEAD,
            ticket_doc(ticket),
            v=head["v"] + 1,
            **_listed(ticket),
        )
        return {"Put": {**made, **still(head["v"])}}

    def _with(self, number: str, attachment: Attachment) -> Item:
        return {
            "Put": put(self._table, f"ticket {number}", f"attachment {attachment.id}", part_doc(attachment))
        }

    def _altered(self, number: str, act: Act | None, **changes: str) -> Ticket:
        def attempt() -> tuple[list[Item], Ticket]:
            head, ticket = self._whole(number)
            changed = replace(ticket, **changes)  # type: ignore[arg-type]
            return [self._changed(head, changed), *self._acts(act)], changed

        return self._tried(attempt)

    def _whole(self, number: str) -> tuple[Item, Ticket]:
        """The ticket's head and the ticket. Raises NotFound."""
        items = self._partition(f"ticket {number}")
        if not items:
            raise NotFound
        return next(item for item in items if item["sk"] == HEAD), ticket_of(items)

    def _ticket(self, number: str) -> Ticket:
        return self._whole(number)[1]


def _listed(ticket: Ticket) -> dict[str, str]:
    return {"list": f"tickets {ticket.state}", "place": ticket.number}


def _room(ticket: Ticket, attachment: Attachment, limit: int) -> None:
    since = attachment.when - ANNOUNCED_FOR
    if sum(one.state == "stored" or one.when >= since for one in ticket.attachments) >= limit:
        raise AttachmentsFull


def ticket_doc(ticket: Ticket) -> dict[str, Any]:
    """A ticket without what has items of its own."""
    doc: dict[str, Any] = flat(asdict(ticket))
    del doc["messages"], doc["attachments"]
    return doc


def part_doc(part: Message | Attachment) -> dict[str, Any]:
    """A message or an attachment."""
    doc: dict[str, Any] = flat(asdict(part))
    return doc


def ticket_of(items: list[Item]) -> Ticket:
    """A ticket from all items of its partition, in the order of their sort keys."""
    (head,) = (item for item in items if item["sk"] == HEAD)
    values = dict(head["doc"])
    for name in ("received", "reply_by", "first_answered"):
        values[name] = datetime.fromisoformat(values[name]) if values[name] else None
    for name in ("reply_by_because", "route_because"):
        values[name] = tuple(values[name])
    messages = [Message(**_part(item)) for item in items if item["sk"].startswith("message ")]
    attachments = [Attachment(**_part(item)) for item in items if item["sk"].startswith("attachment ")]
    return Ticket(
        **values,
        messages=tuple(messages),
        attachments=tuple(sorted(attachments, key=lambda one: (instant(one.when), one.id))),
    )


def _part(item: Item) -> dict[str, Any]:
    return {**item["doc"], "when": datetime.fromisoformat(item["doc"]["when"])}
