"""The store on AWS: one DynamoDB table, every verb that changes something one transaction.

Each transaction says what it has read and still counts on; when somebody was faster it is cancelled, read
again and tried again. Transactions carry a token, so the SDK's own second try after a lost answer is not a
second write. No verb of a visitor's request scans, and what it reads is read consistently; the lists of staff
and worker come from an index that lags by moments. Items and their keys: `dynamodb_items`.
Raises NotStored when the table cannot be reached or stays contended.
"""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from chalicelib.agreements import Agreement, Period, checked_period
from chalicelib.dynamodb_items import (
    HEAD,
    Item,
    agreement_doc,
    agreement_of,
    instant,
    mail_doc,
    mail_of,
    part_doc,
    plain,
    put,
    ticket_doc,
    ticket_of,
    typed,
)
from chalicelib.ports import (
    ANNOUNCED_FOR,
    CONTENT_KEPT,
    KEY_KEPT,
    MAIL_CAPS,
    Attachment,
    AttachmentsFull,
    Identity,
    Imported,
    KeyReused,
    Message,
    NumberTaken,
    Outgoing,
    QueuedMail,
    Ticket,
)
from chalicelib.refusals import NotFound, NotStored

SENDING_TIME = timedelta(minutes=5)
"""After so long a mail that was being sent is thought to have lost its sender, and is sent again."""
TABLE = Path(__file__).parent / "dynamodb" / "table.json"
"""Keys and index of the table, as CreateTable takes them; the name is a setting."""
TRIES = 60
_MOST = 100  # writes in a transaction
_CHANGED = {"ConditionalCheckFailed", "TransactionConflict"}
_BUSY = {"ThrottlingError", "ProvisionedThroughputExceeded"}
Result = TypeVar("Result")


def connect_aws() -> Any:
    """The SDK's client, with region, address and credentials from the environment as AWS sets it."""
    import boto3
    from botocore.config import Config

    return boto3.client("dynamodb", config=Config(retries={"max_attempts": 4, "mode": "standard"}))


class _Overtaken(Exception):
    """Somebody changed what a transaction counted on; nothing of it was kept."""


class DynamoStore:
    """`Store` on one DynamoDB table. `client` makes the SDK's client; it is called on first use."""

    def __init__(self, client: Callable[[], Any], table: str) -> None:
        self._make = client
        self._made: Any = None
        self._table = table

    def close(self) -> None:
        """Close the client's connections; the store can be used again afterwards."""
        if self._made is not None:
            self._made.close()
            self._made = None

    # Tickets

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
                self._remembered(identity, ticket.number, now),
                *self._posted(mails, 0),
            ], (ticket, False)

        return self._tried(attempt)

    def ticket_by_token(self, token_hash: str) -> Ticket | None:
        with _trouble():
            token = self._get(f"token {token_hash}")
        return self.ticket(token["doc"]) if token else None

    def ticket(self, number: str) -> Ticket | None:
        with _trouble():
            items = self._partition(f"ticket {number}")
        return ticket_of(items) if items else None

    def tickets(self, states: Sequence[str]) -> tuple[Ticket, ...]:
        with _trouble():
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

    def add_message(
        self,
        number: str,
        message: Message,
        state: str,
        identity: Identity,
        mails: Sequence[Outgoing],
        now: datetime,
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
            ], (changed, False)

        return self._tried(attempt)

    def assign(self, number: str, assignee: str) -> Ticket:
        return self._altered(number, assignee=assignee)

    def set_state(self, number: str, state: str) -> Ticket:
        return self._altered(number, state=state)

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

    # Agreements

    def agreement(self, number: str) -> Agreement | None:
        with _trouble():
            under_way = (self._get("agreements") or {}).get("import_id")
            coming = self._get(f"import {under_way}", number) if under_way else None
            item = coming or self._get("agreements", number)
        return agreement_of(item["doc"]) if item else None

    def agreements(self) -> tuple[Agreement, ...]:
        def attempt() -> tuple[list[Item], tuple[Agreement, ...]]:
            self._settled()
            held = [item for item in self._partition("agreements") if item["sk"] != HEAD]
            return [], tuple(agreement_of(item["doc"]) for item in held)

        return self._tried(attempt)

    def import_agreements(self, agreements: Iterable[Agreement], *, dry_run: bool) -> Imported:
        wanted = {agreement.agreement: agreement for agreement in agreements}

        def attempt() -> tuple[list[Item], Imported]:
            count = self._settled()
            held = {item["sk"]: item["doc"] for item in self._partition("agreements") if item["sk"] != HEAD}
            kinds: dict[str, list[str]] = {"added": [], "changed": [], "unchanged": []}
            changes = {}
            for number, agreement in wanted.items():
                doc = json.loads(json.dumps(agreement_doc(agreement)))
                kind = "unchanged" if held.get(number) == doc else "changed" if number in held else "added"
                kinds[kind].append(number)
                if kind != "unchanged":
                    changes[number] = doc
            done = Imported(**{kind: tuple(numbers) for kind, numbers in kinds.items()})
            if dry_run or not changes:
                return [], done
            # Too many for one transaction: they are laid beside, one write makes them count, and whoever
            # comes next puts them in their places.
            batch = uuid.uuid4().hex
            self._laid(batch, changes)
            return [self._counted(count, batch=batch)], done

        done = self._tried(attempt)
        if not dry_run:
            self._tried(lambda: ([], self._settled()))
        return done

    def renew(self, number: str, period: Period) -> Agreement:
        return self._amended(
            number,
            lambda held: replace(held, paid=tuple(sorted((*held.paid, checked_period(period, held.paid))))),
        )

    def withdraw(self, number: str, day: date | None) -> Agreement:
        return self._amended(number, lambda held: replace(held, withdrawn=day))

    def key_hash(self, number: str) -> str:
        with _trouble():
            item = self._get("agreements", number)
        return str(item.get("key_hash", "")) if item else ""

    def set_key(self, number: str, key_hash: str, now: datetime) -> None:
        def attempt() -> tuple[list[Item], None]:
            count = self._settled()
            item = self._get("agreements", number)
            if item is None:
                raise NotFound(f"There is no agreement {number}.")
            return [
                self._agreement_item(number, item["doc"], key_hash=key_hash, key_made=instant(now)),
                self._counted(count),
            ], None

        self._tried(attempt)

    # Mails

    def claim_mails(self, now: datetime, limit: int) -> tuple[QueuedMail, ...]:
        with _trouble():
            due = sorted(
                (
                    item
                    for state in ("waiting", "sending")
                    for item in self._list(f"mails {state}")
                    if item["doc"]["next_try"] <= instant(now)
                ),
                key=lambda item: str(item["place"]),
            )
        claimed: list[QueuedMail] = []
        for item in due:
            if len(claimed) == limit:
                break
            queued = mail_of(item)
            taken = replace(
                queued, state="sending", attempts=queued.attempts + 1, next_try=now + SENDING_TIME
            )
            with _trouble():
                try:
                    self._transact([self._mail_changed(item, taken)])
                except _Overtaken:  # another sender has it
                    continue
            claimed.append(replace(queued, attempts=taken.attempts))
        return tuple(claimed)

    def mail_sent(self, mail_id: str, now: datetime) -> None:
        self._mail(mail_id, lambda queued: replace(queued, state="sent", trouble="", next_try=now))

    def mail_failed(self, mail_id: str, trouble: str, next_try: datetime | None) -> None:
        state = "waiting" if next_try else "failed"
        self._mail(
            mail_id,
            lambda queued: replace(
                queued, state=state, trouble=trouble, next_try=next_try or queued.next_try
            ),
        )

    def mails(self, states: Sequence[str]) -> tuple[QueuedMail, ...]:
        with _trouble():
            found = [item for state in dict.fromkeys(states) for item in self._list(f"mails {state}")]
        return tuple(mail_of(item) for item in sorted(found, key=lambda item: str(item["place"])))

    def retry_mails(self, now: datetime, mail_id: str = "") -> int:
        states = ("failed", "waiting", "suppressed") if mail_id else ("failed", "waiting")
        chosen = [one.mail.id for one in self.mails(states) if mail_id in ("", one.mail.id)]
        done = 0

        def again(queued: QueuedMail) -> QueuedMail:
            nonlocal done
            if queued.state not in states:
                return queued
            done += 1
            return replace(queued, state="waiting", next_try=now, trouble="")

        for one in chosen:
            self._mail(one, again)
        return done

    def oldest_unsent(self) -> datetime | None:
        with _trouble():
            first = [
                mail_of(item).mail.created
                for state in ("waiting", "sending", "failed")
                for item in islice(self._list(f"mails {state}", most=1), 1)
            ]
        return min(first, default=None)

    # What transactions are made of

    def _key(self, pk: str, sk: str = HEAD) -> Item:
        return {"pk": typed(pk), "sk": typed(sk)}

    def _new(self, pk: str, sk: str, doc: object, **others: object) -> Item:
        """Put what is not there yet."""
        return {
            "Put": {
                **put(self._table, pk, sk, doc, **others),
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }

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
        return {"Put": {**made, **_still(head["v"])}}

    def _with(self, number: str, attachment: Attachment) -> Item:
        return {
            "Put": put(self._table, f"ticket {number}", f"attachment {attachment.id}", part_doc(attachment))
        }

    def _remembered(self, identity: Identity, result: str, now: datetime) -> Item:
        kept = KEY_KEPT if identity.key_hash else CONTENT_KEPT
        made = put(
            self._table,
            f"sent {_mark(identity)}",
            HEAD,
            {"content": identity.content_hash, "result": result},
            expires=instant(now + kept),
            ttl=int((now + kept).timestamp()),
        )
        return {
            "Put": {
                **made,
                # DynamoDB takes away what is past its time late or never.
                "ConditionExpression": "attribute_not_exists(pk) OR expires <= :now",
                "ExpressionAttributeValues": {":now": typed(instant(now))},
            }
        }

    def _posted(self, mails: Sequence[Outgoing], message: int) -> Iterator[Item]:
        """The mails, each waiting or beyond its address's cap, and what the caps count from now on."""
        lately: dict[str, tuple[int, list[str]]] = {}
        for mail in mails:
            state = "waiting"
            if mail.capped:
                folded = _folded(mail.to)
                if folded not in lately:
                    item = self._get(f"address {folded}") or {"v": 0, "doc": []}
                    lately[folded] = (item["v"], item["doc"])
                _, sent = lately[folded]
                if any(
                    sum(one > instant(mail.created - span) for one in sent) >= most
                    for span, most in MAIL_CAPS
                ):
                    state = "suppressed"
                else:
                    sent.append(instant(mail.created))
            queued = QueuedMail(
                mail=replace(mail, message=message),
                state=state,
                attempts=0,
                next_try=mail.created,
                trouble="",
            )
            place = _place(queued)
            yield self._new(
                f"mail {mail.id}", HEAD, mail_doc(queued), v=1, list=f"mails {state}", place=place
            )
        longest = max(span for span, _ in MAIL_CAPS)
        for folded, (version, sent) in lately.items():
            newest = max((datetime.fromisoformat(one) for one in sent), default=None)
            kept = [one for one in sent if newest and one > instant(newest - longest)]
            made = put(self._table, f"address {folded}", HEAD, kept, v=version + 1)
            if newest:
                made["Item"]["ttl"] = typed(int((newest + longest).timestamp()))
            yield {"Put": {**made, **_still(version)}}

    def _mail_changed(self, item: Item, queued: QueuedMail) -> Item:
        made = put(
            self._table,
            f"mail {queued.mail.id}",
            HEAD,
            mail_doc(queued),
            v=item["v"] + 1,
            list=f"mails {queued.state}",
            place=_place(queued),
        )
        return {"Put": {**made, **_still(item["v"])}}

    def _mail(self, mail_id: str, change: Callable[[QueuedMail], QueuedMail]) -> None:
        def attempt() -> tuple[list[Item], None]:
            item = self._get(f"mail {mail_id}")
            if item is None:
                return [], None
            return [self._mail_changed(item, change(mail_of(item)))], None

        self._tried(attempt)

    def _altered(self, number: str, **changes: str) -> Ticket:
        def attempt() -> tuple[list[Item], Ticket]:
            head, ticket = self._whole(number)
            changed = replace(ticket, **changes)  # type: ignore[arg-type]
            return [self._changed(head, changed)], changed

        return self._tried(attempt)

    def _repetition(self, identity: Identity, now: datetime) -> str | None:
        """The result of the first time, or None. Raises KeyReused."""
        item = self._get(f"sent {_mark(identity)}")
        if item is None or item["expires"] <= instant(now):
            return None
        if item["doc"]["content"] != identity.content_hash:
            raise KeyReused
        return str(item["doc"]["result"])

    # Agreements and imports under way

    def _settled(self) -> int:
        """Put an import that counts in its place, and tell how often the agreements have changed."""
        for _ in range(TRIES):
            head = self._get("agreements") or {"v": 0}
            batch = head.get("import_id")
            if not batch:
                return int(head["v"])
            coming = self._partition(f"import {batch}")
            held = {item["sk"]: item for item in self._partition("agreements")}
            still = {
                "ConditionCheck": {
                    "TableName": self._table,
                    "Key": self._key("agreements"),
                    "ConditionExpression": "import_id = :batch",
                    "ExpressionAttributeValues": {":batch": typed(batch)},
                }
            }
            for start in range(0, len(coming), _MOST - 1):
                some = [
                    self._agreement_item(
                        item["sk"],
                        item["doc"],
                        **{
                            name: held[item["sk"]][name]
                            for name in ("key_hash", "key_made")
                            if name in held.get(item["sk"], {})
                        },
                    )
                    for item in coming[start : start + _MOST - 1]
                ]
                self._transact([still, *some])
            self._transact([self._counted(int(head["v"]))])
            for item in coming:
                self._client().delete_item(
                    TableName=self._table, Key=self._key(f"import {batch}", item["sk"])
                )
        raise _Overtaken

    def _laid(self, batch: str, changes: Mapping[str, object]) -> None:
        rest = [
            {"PutRequest": {"Item": put(self._table, f"import {batch}", number, doc)["Item"]}}
            for number, doc in changes.items()
        ]
        while rest:
            answer = self._client().batch_write_item(RequestItems={self._table: rest[:25]})
            rest = [*answer.get("UnprocessedItems", {}).get(self._table, []), *rest[25:]]

    def _counted(self, count: int, *, batch: str = "") -> Item:
        """Count a change of the agreements, if there was none since; with `batch` that import counts."""
        made = put(
            self._table, "agreements", HEAD, None, v=count + 1, **({"import_id": batch} if batch else {})
        )
        return {"Put": {**made, **_still(count)}}

    def _agreement_item(self, number: str, doc: object, **key: object) -> Item:
        return {"Put": put(self._table, "agreements", number, doc, **key)}

    def _amended(self, number: str, change: Callable[[Agreement], Agreement]) -> Agreement:
        def attempt() -> tuple[list[Item], Agreement]:
            count = self._settled()
            item = self._get("agreements", number)
            if item is None:
                raise NotFound(f"There is no agreement {number}.")
            changed = change(agreement_of(item["doc"]))
            key = {name: item[name] for name in ("key_hash", "key_made") if name in item}
            return [
                self._agreement_item(number, agreement_doc(changed), **key),
                self._counted(count),
            ], changed

        return self._tried(attempt)

    # Reading and writing

    def _client(self) -> Any:
        if self._made is None:
            self._made = self._make()
        return self._made

    def _get(self, pk: str, sk: str = HEAD) -> Item | None:
        answer = self._client().get_item(TableName=self._table, Key=self._key(pk, sk), ConsistentRead=True)
        return plain(answer["Item"]) if "Item" in answer else None

    def _partition(self, pk: str) -> list[Item]:
        return list(
            self._query(
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": typed(pk)},
                ConsistentRead=True,
            )
        )

    def _list(self, name: str, *, most: int = 0) -> Iterator[Item]:
        yield from self._query(
            IndexName="lists",
            KeyConditionExpression="#list = :list",
            ExpressionAttributeNames={"#list": "list"},
            ExpressionAttributeValues={":list": typed(name)},
            **({"Limit": most} if most else {}),
        )

    def _query(self, **query: object) -> Iterator[Item]:
        start: dict[str, object] = {}
        while True:
            answer = self._client().query(TableName=self._table, **query, **start)
            yield from map(plain, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _whole(self, number: str) -> tuple[Item, Ticket]:
        """The ticket's head and the ticket. Raises NotFound."""
        items = self._partition(f"ticket {number}")
        if not items:
            raise NotFound
        return next(item for item in items if item["sk"] == HEAD), ticket_of(items)

    def _ticket(self, number: str) -> Ticket:
        return self._whole(number)[1]

    def _tried(self, attempt: Callable[[], tuple[list[Item], Result]]) -> Result:
        """Read and write until nobody comes in between. Raises NotStored when that does not end."""
        with _trouble():
            for number in range(TRIES):
                try:
                    writes, result = attempt()
                    if writes:
                        self._transact(writes)
                    return result
                except _Overtaken:
                    time.sleep(random.uniform(0, min(0.5, 0.005 * 2**number)))  # noqa: S311
        raise NotStored

    def _transact(self, writes: list[Item]) -> None:
        """Raises _Overtaken."""
        from botocore.exceptions import ClientError

        try:
            self._client().transact_write_items(TransactItems=writes, ClientRequestToken=uuid.uuid4().hex)
        except ClientError as trouble:
            reasons = {reason.get("Code", "") for reason in trouble.response.get("CancellationReasons", ())}
            if reasons & (_CHANGED | _BUSY) or _code(trouble) == "TransactionInProgressException":
                raise _Overtaken from trouble
            raise


def _code(trouble: Any) -> str:
    return str(trouble.response.get("Error", {}).get("Code", ""))


@contextmanager
def _trouble() -> Iterator[None]:
    """What the SDK says of the network, the service and the table becomes NotStored."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except _Overtaken as trouble:
        raise NotStored from trouble
    except BotoCoreError as trouble:
        raise NotStored from trouble
    except ClientError as trouble:
        if _code(trouble) == "ValidationException":
            raise  # a mistake in this file
        raise NotStored from trouble


def _still(version: int) -> Item:
    """The condition that an item is the one that was read; version 0 is one that was not there."""
    if version == 0:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {"ConditionExpression": "v = :still", "ExpressionAttributeValues": {":still": typed(version)}}


def _listed(ticket: Ticket) -> dict[str, str]:
    return {"list": f"tickets {ticket.state}", "place": ticket.number}


def _place(queued: QueuedMail) -> str:
    return f"{instant(queued.mail.created)} {queued.mail.id}"


def _mark(identity: Identity) -> str:
    return f"key:{identity.key_hash}" if identity.key_hash else f"content:{identity.content_hash}"


def _room(ticket: Ticket, attachment: Attachment, limit: int) -> None:
    since = attachment.when - ANNOUNCED_FOR
    if sum(one.state == "stored" or one.when >= since for one in ticket.attachments) >= limit:
        raise AttachmentsFull


def _folded(address: str) -> str:
    """The same mailbox in the same letters. ASCII only: other folding would make two addresses one."""
    return "".join(c.lower() if c.isascii() else c for c in address)
