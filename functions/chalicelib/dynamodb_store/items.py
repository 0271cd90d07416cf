"""Items of the DynamoDB table: their keys, and how values are written in them.

One table. `pk` and `sk` are the key; `doc` is the value as JSON; `v` counts an item's changes. What is listed
also has `list` and `place`, the key of the index `lists`:

| pk | sk | what | list | place |
|---|---|---|---|---|
| `ticket <number>` | `` `` | a ticket | `tickets <state>` | number |
| `ticket <number>` | `message <sequence>`, `event <sequence>`, `attachment <id>` | what belongs to it | | |
| `ticket <number>` | `attend` | when the desk must look at it | `tickets to attend` | when, number |
| `draft <id>` | `` `` | a reply that a person is to send | `drafts <state>` | made, id |
| `token <hash>` | `` `` | the number of its ticket | | |
| `tickets of <folded>` | received, number | the number of a ticket of this address | | |
| `sent <mark>` | `` `` | what was received before, until `expires` | | |
| `agreements` | `<number>`, `` `` | agreements; how often they changed, and an import under way | | |
| `contact <folded>` | `<number>` | an agreement that may have this contact: the agreement itself says | | |
| `import <id>` | `<number>` | an agreement as an import will leave it | | |
| `reminders <number>` | `<end>` | the stages of which contacts were reminded before that end | | |
| `mail <id>` | `` `` | a mail and its fate | `mails <state>` | created, id |
| `address <folded>` | `` `` | the capped mails of the last day | | |
| `subscriber <folded>` | `` `` | a subscriber | `subscribers <state>` | folded address |
| `subscription <purpose> <hash>` | `` `` | whose link it is: a folded address, "" when it is forgotten | | |
| `mailing <id>` | `` ``, `to <subscriber>` | a mail to many; each recipient | `mailings` | start, id |
| `notices` | notice | what was given, or was there before | | |
| `suppressed <folded>` | `` `` | why an address gets no mail | `suppressions` | folded address |
| `account <folded>` | `sign-in`, `calendar` | the newest link of an address; its calendar | | |
| `account <folded>` | `session <id>` | a session | `sessions` | began, id |
| `sign-in <hash>`, `calendar <hash>` | `` `` | the address of a link | | |
| `session <hash>` | `` `` | the address and the id of a session | | |
| `acts of <about>` | when, id | what a member of staff did | `acts` | when, id |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

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


def flat(value: Any) -> Any:
    """A value as JSON keeps it."""
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: flat(one) for name, one in value.items()}
    return [flat(one) for one in value] if isinstance(value, (tuple, list)) else value
