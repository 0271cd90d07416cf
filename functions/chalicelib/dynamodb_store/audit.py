"""The acts of staff in DynamoDB."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from chalicelib.dynamodb_store.items import Item, flat, instant, plain, put, typed
from chalicelib.dynamodb_store.table import Table, trouble
from chalicelib.ports.audit import Act


class DynamoAudit(Table):
    """`AuditStore` on DynamoDB. A mark is a place in the list: instant and id."""

    def acts(self, *, about: str = "", before: str = "", limit: int = 100) -> tuple[tuple[Act, ...], str]:
        by = {"name": "pk", "value": f"acts of {about}", "place": "sk"}
        if not about:
            by = {"name": "list", "value": "acts", "place": "place"}
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "#name = :name",
            "ExpressionAttributeNames": {"#name": by["name"]},
            "ExpressionAttributeValues": {":name": typed(by["value"])},
            "ScanIndexForward": False,
            "Limit": limit + 1,
        }
        if before:
            query["KeyConditionExpression"] += " AND #place < :before"
            query["ExpressionAttributeNames"]["#place"] = by["place"]
            query["ExpressionAttributeValues"][":before"] = typed(before)
        if not about:
            query["IndexName"] = "lists"
        with trouble():
            items = [plain(item) for item in self._client().query(**query)["Items"]]
        shown = items[:limit]
        found = tuple(_act_of(item["doc"]) for item in shown)
        return found, str(shown[-1]["place"]) if len(items) > limit else ""

    def note(self, act: Act) -> None:
        self._tried(lambda: (list(self._acts(act)), None))

    def _acts(self, act: Act | None) -> Iterator[Item]:
        """The write that keeps what a member of staff did, for the transaction that does it."""
        if act is not None:
            place = f"{instant(act.when)} {act.id}"
            yield {
                "Put": put(
                    self._table, f"acts of {act.about}", place, flat(asdict(act)), list="acts", place=place
                )
            }


def act_text(act: Act) -> str:
    """An act that is kept when the import that it belongs to is put in its place."""
    return json.dumps(flat(asdict(act)), ensure_ascii=False)


def act_of_text(text: str) -> Act:
    return _act_of(json.loads(text))


def _act_of(doc: dict[str, Any]) -> Act:
    return Act(**{**doc, "when": datetime.fromisoformat(doc["when"])})
