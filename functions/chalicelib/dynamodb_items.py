"""Items of the DynamoDB table and the values they stand for.

One table. `pk` and `sk` are the key; `doc` is the value as JSON; `v` counts an item's changes. What is listed
also has `list` and `place`, the key of the index `lists`:

| pk | sk | what | list | place |
|---|---|---|---|---|
| `ticket <number>` | `` `` | a ticket | `tickets <state>` | number |
| `ticket <number>` | `message <sequence>`, `attachment <id>` | what belongs to it | | |
| `token <hash>` | `` `` | the number of its ticket | | |
| `sent <mark>` | `` `` | what was received before, until `expires` | | |
| `agreements` | `<number>`, `` `` | agreements; how often they changed, and an import under way | | |
| `import <id>` | `<number>` | an agreement as an import will leave it | | |
| `mail <id>` | `` `` | a mail and its fate | `mails <state>` | created, id |
| `address <folded>` | `` `` | the capped mails of the last day | | |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, date, datetime
from typing import Any

from chalicelib.agreements import Agreement, Period
from chalicelib.ports import Attachment, Message, Outgoing, QueuedMail, Ticket

HEAD = " "
"""The sort key of an item that is the first of its partition, or its only one."""
Item = dict[str, Any]


def put(table: str, pk: str, sk: str, doc: object, **others: object) -> Item:
    """An item that is put whole."""
    item = {"pk": pk, "sk": sk, "doc": json.dumps(doc, ensure_ascii=False, sort_keys=True), **others}
    return {"TableName": table, "Item": {name: typed(value) for name, value in item.items()}}


def typed(value: object) -> dict[str, str]:
    """A text or a whole number as DynamoDB takes it."""
    return {"N": str(value)} if isinstance(value, int) else {"S": str(value)}


def plain(item: Mapping[str, Mapping[str, str]]) -> Item:
    """An item as plain values, `doc` read."""
    made: Item = {
        name: int(value["N"]) if "N" in value else value["S"]
        for name, value in item.items()
        if "N" in value or "S" in value
    }
    if "doc" in made:
        made["doc"] = json.loads(made["doc"])
    return made


def instant(at: datetime) -> str:
    """UTC text of one width, so that text sorts as time does."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _flat(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _flat(one) for name, one in value.items()}
    return [_flat(one) for one in value] if isinstance(value, (tuple, list)) else value


def ticket_doc(ticket: Ticket) -> dict[str, Any]:
    """A ticket without what has items of its own."""
    doc: dict[str, Any] = _flat(asdict(ticket))
    del doc["messages"], doc["attachments"]
    return doc


def part_doc(part: Message | Attachment) -> dict[str, Any]:
    """A message or an attachment."""
    doc: dict[str, Any] = _flat(asdict(part))
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


def agreement_doc(agreement: Agreement) -> dict[str, Any]:
    """An agreement, without its key."""
    doc = {field.name: _flat(getattr(agreement, field.name)) for field in fields(Agreement)}
    doc["paid"] = [[str(period.first), str(period.last)] for period in agreement.paid]
    return doc


def agreement_of(doc: Mapping[str, Any]) -> Agreement:
    values = dict(doc)
    values["starts"] = date.fromisoformat(values["starts"])
    values["withdrawn"] = date.fromisoformat(values["withdrawn"]) if values["withdrawn"] else None
    values["contacts"] = tuple(values["contacts"])
    values["paid"] = tuple(
        Period(first=date.fromisoformat(first), last=date.fromisoformat(last))
        for first, last in values["paid"]
    )
    return Agreement(**values)


def mail_doc(queued: QueuedMail) -> dict[str, Any]:
    doc: dict[str, Any] = _flat(asdict(queued))
    return doc


def mail_of(item: Item) -> QueuedMail:
    doc = item["doc"]
    mail = {**doc["mail"], "created": datetime.fromisoformat(doc["mail"]["created"])}
    return QueuedMail(
        **{**doc, "mail": Outgoing(**mail), "next_try": datetime.fromisoformat(doc["next_try"])}
    )
