"""The acts of staff in DynamoDB."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from chalicelib.dynamodb_store.items import Item, flat, instant, put
from chalicelib.dynamodb_store.table import Table
from chalicelib.ports.audit import Act


class DynamoAudit(Table):
    """`AuditStore` on DynamoDB. A mark is a place in the list: instant and id."""

    def acts(self, *, about: str = "", before: str = "", limit: int = 100) -> tuple[tuple[Act, ...], str]:
        where = {"pk": f"acts of {about}"} if about else {"listed": "acts"}
        items, more = self._newest(**where, before=before, limit=limit)
        found = tuple(_act_of(item["doc"]) for item in items)
        return found, str(items[-1]["place"]) if more else ""

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
