"""What was received before, so that a repetition is known."""

from __future__ import annotations

from datetime import datetime

from chalicelib.dynamodb_store.items import HEAD, Item, instant, put, typed
from chalicelib.dynamodb_store.table import Table
from chalicelib.ports.identity import CONTENT_KEPT, KEY_KEPT, Identity, KeyReused


class DynamoIdentities(Table):
    """Items `sent <mark>`."""

    def _repetition(self, identity: Identity, now: datetime) -> str | None:
        """The result of the first time, or None. Raises KeyReused."""
        item = self._get(f"sent {_mark(identity)}")
        if item is None or item["expires"] <= instant(now):
            return None
        if item["doc"]["content"] != identity.content_hash:
            raise KeyReused
        return str(item["doc"]["result"])

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


def _mark(identity: Identity) -> str:
    return f"key:{identity.key_hash}" if identity.key_hash else f"content:{identity.content_hash}"
