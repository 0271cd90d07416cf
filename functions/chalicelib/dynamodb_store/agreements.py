"""Agreements and the hashes of their keys in DynamoDB; imports of any size count from one write."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any

from chalicelib.addresses import folded
from chalicelib.agreements import Agreement, Period, checked_period
from chalicelib.dynamodb_store.audit import DynamoAudit
from chalicelib.dynamodb_store.items import HEAD, Item, flat, instant, put, typed
from chalicelib.dynamodb_store.table import MOST, TRIES, Overtaken, still, trouble
from chalicelib.ports.agreements import Imported
from chalicelib.ports.audit import Act
from chalicelib.refusals import NotFound


class DynamoAgreements(DynamoAudit):
    """`AgreementStore` on DynamoDB."""

    def agreement(self, number: str) -> Agreement | None:
        with trouble():
            return self._as_it_counts(number, self._under_way())

    def agreements(self) -> tuple[Agreement, ...]:
        def attempt() -> tuple[list[Item], tuple[Agreement, ...]]:
            self._settled()
            held = [item for item in self._partition("agreements") if item["sk"] != HEAD]
            return [], tuple(agreement_of(item["doc"]) for item in held)

        return self._tried(attempt)

    def agreements_of(self, address: str) -> tuple[Agreement, ...]:
        whose = folded(address)
        with trouble():
            under_way = self._under_way()
            found = [
                self._as_it_counts(item["sk"], under_way) for item in self._partition(f"contact {whose}")
            ]
        return tuple(one for one in found if one and whose in map(folded, one.contacts))

    def import_agreements(
        self, agreements: Iterable[Agreement], *, dry_run: bool, act: Act | None = None
    ) -> Imported:
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
            return [self._counted(count, batch=batch), *self._acts(act)], done

        done = self._tried(attempt)
        if not dry_run:
            self._tried(lambda: ([], self._settled()))
        return done

    def renew(self, number: str, period: Period, act: Act | None = None) -> Agreement:
        return self._amended(
            number,
            lambda held: replace(held, paid=tuple(sorted((*held.paid, checked_period(period, held.paid))))),
            act,
        )

    def withdraw(self, number: str, day: date | None, act: Act | None = None) -> Agreement:
        return self._amended(number, lambda held: replace(held, withdrawn=day), act)

    def key_hash(self, number: str) -> str:
        with trouble():
            item = self._get("agreements", number)
        return str(item.get("key_hash", "")) if item else ""

    def set_key(self, number: str, key_hash: str, now: datetime, act: Act | None = None) -> None:
        def attempt() -> tuple[list[Item], None]:
            count = self._settled()
            item = self._get("agreements", number)
            if item is None:
                raise NotFound(f"There is no agreement {number}.")
            return [
                self._agreement_item(number, item["doc"], key_hash=key_hash, key_made=instant(now)),
                self._counted(count),
                *self._acts(act),
            ], None

        self._tried(attempt)

    def _under_way(self) -> str:
        """The id of an import that counts and is not yet in its place, or ""."""
        return str((self._get("agreements") or {}).get("import_id") or "")

    def _as_it_counts(self, number: str, under_way: str) -> Agreement | None:
        coming = self._get(f"import {under_way}", number) if under_way else None
        item = coming or self._get("agreements", number)
        return agreement_of(item["doc"]) if item else None

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
            writes: list[Item] = []
            for item in coming:
                there = held.get(item["sk"], {})
                key = {name: there[name] for name in ("key_hash", "key_made") if name in there}
                # The agreement after its contacts: whoever goes on where this one was killed finds either the
                # old agreement, and mends its contacts again, or the new one with its contacts in order.
                writes += self._contacts(item["sk"], there.get("doc"), item["doc"], all_of=True)
                writes.append(self._agreement_item(item["sk"], item["doc"], **key))
            for start in range(0, len(writes), MOST - 1):
                self._transact([still, *writes[start : start + MOST - 1]])
            self._transact([self._counted(int(head["v"]))])
            for item in coming:
                self._client().delete_item(
                    TableName=self._table, Key=self._key(f"import {batch}", item["sk"])
                )
        raise Overtaken

    def _laid(self, batch: str, changes: Mapping[str, Mapping[str, Any]]) -> None:
        # The contacts go straight to their place: one too many does no harm, one missing would hide an
        # agreement as soon as the import counts.
        items = [put(self._table, f"import {batch}", number, doc) for number, doc in changes.items()]
        items += [
            put(self._table, f"contact {contact}", number, None)
            for number, doc in changes.items()
            for contact in _addresses(doc)
        ]
        rest = [{"PutRequest": {"Item": item["Item"]}} for item in items]
        while rest:
            answer = self._client().batch_write_item(RequestItems={self._table: rest[:25]})
            rest = [*answer.get("UnprocessedItems", {}).get(self._table, []), *rest[25:]]

    def _counted(self, count: int, *, batch: str = "") -> Item:
        """Count a change of the agreements, if there was none since; with `batch` that import counts."""
        made = put(
            self._table, "agreements", HEAD, None, v=count + 1, **({"import_id": batch} if batch else {})
        )
        return {"Put": {**made, **still(count)}}

    def _agreement_item(self, number: str, doc: object, **key: object) -> Item:
        return {"Put": put(self._table, "agreements", number, doc, **key)}

    def _contacts(
        self, number: str, before: Mapping[str, Any] | None, after: Mapping[str, Any], *, all_of: bool = False
    ) -> Iterator[Item]:
        """What makes an agreement's contacts those of `after`; `all_of`: also those that should be there."""
        old, new = _addresses(before or {"contacts": ()}), _addresses(after)
        for gone in sorted(old - new):
            yield {"Delete": {"TableName": self._table, "Key": self._key(f"contact {gone}", number)}}
        for kept in sorted(new if all_of else new - old):
            yield {"Put": put(self._table, f"contact {kept}", number, None)}

    def _amended(self, number: str, change: Callable[[Agreement], Agreement], act: Act | None) -> Agreement:
        def attempt() -> tuple[list[Item], Agreement]:
            count = self._settled()
            item = self._get("agreements", number)
            if item is None:
                raise NotFound(f"There is no agreement {number}.")
            changed = change(agreement_of(item["doc"]))
            doc = agreement_doc(changed)
            key = {name: item[name] for name in ("key_hash", "key_made") if name in item}
            return [
                *self._contacts(number, item["doc"], doc),
                self._agreement_item(number, doc, **key),
                self._counted(count),
                *self._acts(act),
            ], changed

        return self._tried(attempt)


def _addresses(doc: Mapping[str, Any]) -> set[str]:
    return {folded(contact) for contact in doc["contacts"]}


def agreement_doc(agreement: Agreement) -> dict[str, Any]:
    """An agreement, without its key."""
    doc = {field.name: flat(getattr(agreement, field.name)) for field in fields(Agreement)}
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
