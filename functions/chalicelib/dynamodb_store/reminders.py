"""The reminders that were given, in DynamoDB: an item for each agreement and end of its cover."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from chalicelib.agreements import Agreement
from chalicelib.dynamodb_store.agreements import DynamoAgreements, agreement_of
from chalicelib.dynamodb_store.items import Item, instant, put, typed
from chalicelib.dynamodb_store.mails import DynamoMails
from chalicelib.dynamodb_store.table import still, trouble
from chalicelib.ports.mails import Outgoing
from chalicelib.ports.reminders import Reminded


class DynamoReminders(DynamoAgreements, DynamoMails):
    """`ReminderStore` on DynamoDB."""

    def remind(
        self, agreement: Agreement, ends: date, stage: int, mails: Sequence[Outgoing], now: datetime
    ) -> bool:
        number = agreement.agreement

        def attempt() -> tuple[list[Item], bool]:
            count = self._settled()
            kept = self._get("agreements", number)
            item = self._get(f"reminders {number}", str(ends)) or {"v": 0, "doc": []}
            if kept is None or agreement_of(kept["doc"]) != agreement:
                return [], False
            if any(given <= stage for given, _ in item["doc"]):
                return [], False
            given = [*item["doc"], [stage, instant(now)]]
            made = put(self._table, f"reminders {number}", str(ends), given, v=item["v"] + 1)
            unchanged = {
                "ConditionCheck": {
                    "TableName": self._table,
                    "Key": self._key("agreements"),
                    "ConditionExpression": "v = :count",
                    "ExpressionAttributeValues": {":count": typed(count)},
                }
            }
            return [unchanged, {"Put": {**made, **still(item["v"])}}, *self._posted(mails, 0)], True

        return self._tried(attempt)

    def reminded(self, number: str) -> tuple[Reminded, ...]:
        with trouble():
            items = self._partition(f"reminders {number}")
        return tuple(
            Reminded(
                agreement=number,
                ends=date.fromisoformat(item["sk"]),
                stage=stage,
                when=datetime.fromisoformat(when),
            )
            for item in items
            for stage, when in sorted(item["doc"], reverse=True)
        )
