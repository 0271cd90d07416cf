"""Tickets, their messages and files in DynamoDB."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
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
    Change,
    DraftGone,
    Event,
    Message,
    NumberTaken,
    ReplyDraft,
    Ticket,
    mark_of,
    place,
    place_of,
)
from chalicelib.refusals import NotFound
from chalicelib.ticket_record import record, ticket_of

_ATTEND = "tickets to attend"


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
                self._new(f"ticket {ticket.number}", HEAD, record(ticket), v=1, **_listed(ticket)),
                *self._added(ticket, ticket.messages, ticket.events),
                *self._attended(None, ticket),
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
        return _ticket_of(items) if items else None

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
        items, more = self._newest(pk=f"tickets of {folded(email)}", before=place_of(before), limit=limit)
        with trouble():
            found = tuple(self._ticket(item["doc"]) for item in items)
        return found, mark_of(found[-1]) if more else ""

    def change_ticket(
        self,
        number: str,
        change: Callable[[Ticket], Change],
        now: datetime,
        *,
        identity: Identity | None = None,
        draft: str = "",
    ) -> tuple[Ticket, bool]:
        def attempt() -> tuple[list[Item], tuple[Ticket, bool]]:
            if identity is not None and self._repetition(identity, now) is not None:
                return [], (self._ticket(number), True)
            head, before = self._whole(number)
            made = change(before)
            if made.ticket == before:
                return [], (before, False)
            after = replace(made.ticket, revision=before.revision + 1)
            writes = [
                self._changed(head, after),
                *self._added(
                    after, after.messages[len(before.messages) :], after.events[len(before.events) :]
                ),
                *self._attended(before, after),
                *([self._draft_ended(draft, "sent")[0]] if draft else []),
                *([self._remembered(identity, number, now)] if identity is not None else []),
                *self._posted(made.mails),
                *self._acts(made.act),
            ]
            # As it will be read, to the last type of a value.
            parts = (after.messages, after.attachments, after.events)
            return writes, (ticket_of(json.loads(json.dumps(record(after))), *parts), False)

        return self._tried(attempt)

    def tickets_to_attend(self, now: datetime, limit: int) -> tuple[Ticket, ...]:
        with trouble():
            answer = self._client().query(
                TableName=self._table,
                IndexName="lists",
                KeyConditionExpression="#list = :list AND #place <= :now",
                ExpressionAttributeNames={"#list": "list", "#place": "place"},
                # "~" stands behind every number of a ticket.
                ExpressionAttributeValues={":list": typed(_ATTEND), ":now": typed(f"{instant(now)} ~")},
                Limit=limit,
            )
            found = [self._ticket(plain(item)["doc"]) for item in answer["Items"]]
        # The index lags by moments: the ticket itself decides.
        return tuple(one for one in found if one.attend_at is not None and one.attend_at <= now)

    def keep_draft(self, draft: ReplyDraft, act: Act | None = None) -> bool:
        def attempt() -> tuple[list[Item], bool]:
            if self._get(f"draft {draft.id}") is not None:
                return [], False
            made = self._new(f"draft {draft.id}", HEAD, flat(asdict(draft)), v=1, **_draft_listed(draft))
            return [made, *self._acts(act)], True

        return self._tried(attempt)

    def drafts(self, state: str) -> tuple[ReplyDraft, ...]:
        with trouble():
            found = [_draft_of(item) for item in self._list(f"drafts {state}")]
        return tuple(draft for draft in found if draft.state == state)

    def drop_draft(self, draft_id: str, act: Act | None = None) -> ReplyDraft:
        def attempt() -> tuple[list[Item], ReplyDraft]:
            write, draft = self._draft_ended(draft_id, "dropped")
            return [write, *self._acts(act)], draft

        return self._tried(attempt)

    def announce_attachment(self, number: str, attachment: Attachment, limit: int) -> None:
        def attempt() -> tuple[list[Item], None]:
            head, ticket = self._whole(number)
            _room(ticket, attachment, limit)
            return [self._touched(head, ticket), self._with(number, attachment)], None

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
                return [self._touched(head, ticket), *gone], _next(ticket, others)
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
            return [self._touched(head, ticket), self._with(number, stored)], _next(ticket, together)

        return self._tried(attempt)

    def _changed(self, head: Item, ticket: Ticket) -> Item:
        """Put a ticket in place of the one that was read."""
        made = put(
            self._table,
            f"ticket {ticket.number}",
            HEAD,
            record(ticket),
            v=head["v"] + 1,
            **_listed(ticket),
        )
        return {"Put": {**made, **still(head["v"])}}

    def _touched(self, head: Item, ticket: Ticket) -> Item:
        """Count a change of what belongs to a ticket, which is still the one that was read."""
        return self._changed(head, replace(ticket, revision=ticket.revision + 1))

    def _added(self, ticket: Ticket, messages: Sequence[Message], events: Sequence[Event]) -> Iterator[Item]:
        for message in messages:
            yield self._new(f"ticket {ticket.number}", f"message {message.sequence:08}", part_doc(message))
        for event in events:
            yield self._new(f"ticket {ticket.number}", f"event {event.sequence:08}", part_doc(event))

    def _attended(self, before: Ticket | None, after: Ticket) -> Iterator[Item]:
        """The place of a ticket among those that the desk must look at."""
        was = before.attend_at if before else None
        key = {"pk": f"ticket {after.number}", "sk": "attend"}
        if after.attend_at is None and was is not None:
            yield {"Delete": {"TableName": self._table, "Key": self._key(**key)}}
        elif after.attend_at is not None and after.attend_at != was:
            place = f"{instant(after.attend_at)} {after.number}"
            yield {"Put": put(self._table, **key, doc=after.number, list=_ATTEND, place=place)}

    def _draft_ended(self, draft_id: str, state: str) -> tuple[Item, ReplyDraft]:
        """Raises DraftGone."""
        item = self._get(f"draft {draft_id}")
        if item is None or item["doc"]["state"] != "waiting":
            raise DraftGone
        draft = replace(_draft_of(item), state=state)
        made = put(
            self._table,
            f"draft {draft_id}",
            HEAD,
            flat(asdict(draft)),
            v=item["v"] + 1,
            **_draft_listed(draft),
        )
        return {"Put": {**made, **still(item["v"])}}, draft

    def _with(self, number: str, attachment: Attachment) -> Item:
        return {
            "Put": put(self._table, f"ticket {number}", f"attachment {attachment.id}", part_doc(attachment))
        }

    def _whole(self, number: str) -> tuple[Item, Ticket]:
        """The ticket's head and the ticket. Raises NotFound."""
        items = self._partition(f"ticket {number}")
        if not items:
            raise NotFound
        return next(item for item in items if item["sk"] == HEAD), _ticket_of(items)

    def _ticket(self, number: str) -> Ticket:
        return self._whole(number)[1]


def _listed(ticket: Ticket) -> dict[str, str]:
    return {"list": f"tickets {ticket.state}", "place": ticket.number}


def _room(ticket: Ticket, attachment: Attachment, limit: int) -> None:
    since = attachment.when - ANNOUNCED_FOR
    if sum(one.state == "stored" or one.when >= since for one in ticket.attachments) >= limit:
        raise AttachmentsFull


def _next(ticket: Ticket, attachments: Iterable[Attachment]) -> Ticket:
    return replace(ticket, attachments=tuple(attachments), revision=ticket.revision + 1)


def _draft_listed(draft: ReplyDraft) -> dict[str, str]:
    return {"list": f"drafts {draft.state}", "place": f"{instant(draft.made)} {draft.id}"}


def _draft_of(item: Item) -> ReplyDraft:
    return ReplyDraft(**{**item["doc"], "made": datetime.fromisoformat(item["doc"]["made"])})


def part_doc(part: Message | Attachment | Event) -> dict[str, Any]:
    """What belongs to a ticket."""
    doc: dict[str, Any] = flat(asdict(part))
    return doc


def _ticket_of(items: list[Item]) -> Ticket:
    """A ticket from all items of its partition, in the order of their sort keys."""
    (head,) = (item for item in items if item["sk"] == HEAD)
    attachments = [Attachment(**_part(item)) for item in items if item["sk"].startswith("attachment ")]
    return ticket_of(
        {**head["doc"], "revision": head["v"]},
        [Message(**_part(item)) for item in items if item["sk"].startswith("message ")],
        sorted(attachments, key=lambda one: (instant(one.when), one.id)),
        [Event(**_part(item)) for item in items if item["sk"].startswith("event ")],
    )


def _part(item: Item) -> dict[str, Any]:
    return {**item["doc"], "when": datetime.fromisoformat(item["doc"]["when"])}
