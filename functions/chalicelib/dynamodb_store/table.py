"""The DynamoDB table: reading, and transactions that are tried until nobody comes in between.

Each transaction says what it has read and still counts on; when somebody was faster it is cancelled, read
again and tried again. Transactions carry a token, so the SDK's own second try after a lost answer is not a
second write. What is read by key is read consistently; lists come from an index that lags by moments.
Raises NotStored when the table cannot be reached or stays contended. Knows nothing of what is kept.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from chalicelib import aws
from chalicelib.dynamodb_store.items import HEAD, Item, plain, put, typed
from chalicelib.refusals import NotStored

TABLE = Path(__file__).parent / "table.json"
"""Keys and index of the table, as CreateTable takes them; the name is a setting."""
TRIES = 60
MOST = 100
"""Writes in a transaction."""
_CHANGED = {"ConditionalCheckFailed", "TransactionConflict"}
_BUSY = {"ThrottlingError", "ProvisionedThroughputExceeded"}
Result = TypeVar("Result")


def connect_aws() -> Any:
    """The SDK's client."""
    return aws.client("dynamodb", retries={"max_attempts": 4, "mode": "standard"})


class Overtaken(Exception):
    """Somebody changed what a transaction counted on; nothing of it was kept."""


class Table:
    """`client` makes the SDK's client; it is called on first use. `table` is the table's name."""

    def __init__(self, client: Callable[[], Any], table: str) -> None:
        self._make = client
        self._made: Any = None
        self._table = table

    def close(self) -> None:
        """Close the client's connections; the store can be used again afterwards."""
        if self._made is not None:
            self._made.close()
            self._made = None

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

    def _list(self, name: str, *, after: str = "", most: int = 0) -> Iterator[Item]:
        """A list in the order of places, behind the place `after`; `most` are asked for at a time."""
        values = {":list": typed(name), **({":after": typed(after)} if after else {})}
        yield from self._query(
            IndexName="lists",
            KeyConditionExpression=f"#list = :list{' AND place > :after' if after else ''}",
            ExpressionAttributeNames={"#list": "list"},
            ExpressionAttributeValues=values,
            **({"Limit": most} if most else {}),
        )

    def _newest(self, *, pk: str = "", listed: str = "", before: str, limit: int) -> tuple[list[Item], bool]:
        """At most `limit` of a partition or of a list, from the last place on, or from the one before
        `before`; and whether more follow."""
        key, value, place = ("pk", pk, "sk") if pk else ("list", listed, "place")
        query: dict[str, Any] = {
            "KeyConditionExpression": "#key = :key",
            "ExpressionAttributeNames": {"#key": key},
            "ExpressionAttributeValues": {":key": typed(value)},
            "ScanIndexForward": False,
            "Limit": limit + 1,
            **({"ConsistentRead": True} if pk else {"IndexName": "lists"}),
        }
        if before:
            query["KeyConditionExpression"] += " AND #place < :before"
            query["ExpressionAttributeNames"]["#place"] = place
            query["ExpressionAttributeValues"][":before"] = typed(before)
        with trouble():
            items = list(islice(self._query(**query), limit + 1))
        return items[:limit], len(items) > limit

    def _query(self, **query: object) -> Iterator[Item]:
        start: dict[str, object] = {}
        while True:
            answer = self._client().query(TableName=self._table, **query, **start)
            yield from map(plain, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _tried(self, attempt: Callable[[], tuple[list[Item], Result]]) -> Result:
        """Read and write until nobody comes in between. Raises NotStored when that does not end."""
        with trouble():
            for number in range(TRIES):
                try:
                    writes, result = attempt()
                    if writes:
                        self._transact(writes)
                    return result
                except Overtaken:
                    time.sleep(random.uniform(0, min(0.5, 0.005 * 2**number)))  # noqa: S311
        raise NotStored

    def _transact(self, writes: list[Item]) -> None:
        """Raises Overtaken."""
        from botocore.exceptions import ClientError

        try:
            self._client().transact_write_items(TransactItems=writes, ClientRequestToken=uuid.uuid4().hex)
        except ClientError as said:
            reasons = {reason.get("Code", "") for reason in said.response.get("CancellationReasons", ())}
            if reasons & (_CHANGED | _BUSY) or _code(said) == "TransactionInProgressException":
                raise Overtaken from said
            raise


def _code(said: Any) -> str:
    return str(said.response.get("Error", {}).get("Code", ""))


@contextmanager
def trouble() -> Iterator[None]:
    """What the SDK says of the network, the service and the table becomes NotStored."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except Overtaken as said:
        raise NotStored from said
    except BotoCoreError as said:
        raise NotStored from said
    except ClientError as said:
        if _code(said) == "ValidationException":
            raise  # a mistake in this file
        raise NotStored from said


def still(version: int) -> Item:
    """The condition that an item is the one that was read; version 0 is one that was not there."""
    if version == 0:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {"ConditionExpression": "v = :still", "ExpressionAttributeValues": {":still": typed(version)}}
