"""Agreements and the hashes of their keys in DynamoDB; imports of any size count from one write."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any

from chalicelib.addresses import folded
from chalicelib.agreement_changes import compare
from chalicelib.agreements import Agreement, Period, with_period
from chalicelib.dynamodb_store.audit import DynamoAudit, act_of_text, act_text
from chalicelib.dynamodb_store.items import HEAD, Item, flat, instant, put, typed
from chalicelib.dynamodb_store.table import MOST, TRIES, Overtaken, still, trouble
from chalicelib.ports.agreements import Approval, Imported
from chalicelib.ports.audit import Act, act_of_one
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
        self,
        agreements: Iterable[Agreement],
        *,
        dry_run: bool,
        act: Act | None = None,
        approve: Approval | None = None,
    ) -> Imported:
        wanted = {agreement.agreement: agreement for agreement in agreements}

        def attempt() -> tuple[list[Item], Imported]:
            count = self._settled()
            before = {
                item["sk"]: agreement_of(item["doc"])
                for item in self._partition("agreements")
                if item["sk"] != HEAD
            }
            if approve is not None:
                approve(tuple(before.values()))
            kinds: dict[str, list[str]] = {"added": [], "changed": [], "unchanged": []}
            for number, agreement in wanted.items():
                held = before.get(number)
                kinds["added" if held is None else "unchanged" if held == agreement else "changed"].append(
                    number
                )
            changed = [wanted[number] for number in (*kinds["added"], *kinds["changed"])]
            done = Imported(**{kind: tuple(numbers) for kind, numbers in kinds.items()})
            if dry_run or not changed:
                return [], done
            # Too many for one transaction: they are laid beside, one write makes them count, and whoever
            # comes next puts them in their places.
            batch = uuid.uuid4().hex
            self._laid(batch, changed, act, compare(before.values(), changed).summaries)
            return [self._counted(count, batch=batch), *self._acts(act)], done

        done = self._tried(attempt)
        if not dry_run:
            self._tried(lambda: ([], self._settled()))
        return done

    def amend(
        self, number: str, change: Callable[[Agreement], Agreement], act: Act | None = None
    ) -> Agreement:
        def attempt() -> tuple[list[Item], Agreement]:
            count = self._settled()
            item = self._get("agreements", number)
            if item is None:
                raise NotFound(f"There is no agreement {number}.")
            changed = change(agreement_of(item["doc"]))
            doc = agreement_doc(changed)
            return [
                *self._contacts(number, item["doc"], doc),
                self._agreement_item(number, doc, **_keys(item)),
                self._counted(count),
                *self._acts(act),
            ], changed

        return self._tried(attempt)

    def renew(self, number: str, period: Period, act: Act | None = None) -> Agreement:
        return self.amend(number, lambda held: with_period(held, period), act)

    def withdraw(self, number: str, day: date | None, act: Act | None = None) -> Agreement:
        return self.amend(number, lambda held: replace(held, withdrawn=day), act)

    def key_hash(self, number: str) -> str:
        with trouble():
            item = self._get("agreements", number)
        return str(item.get("key_hash", "")) if item else ""

    def key_hashes(self, number: str, now: datetime) -> tuple[str, ...]:
        with trouble():
            item = self._get("agreements", number) or {}
        old = item.get("old_key_hash", "") if instant(now) < item.get("old_key_until", "") else ""
        return tuple(str(one) for one in (item.get("key_hash", ""), old) if one)

    def set_key(
        self,
        number: str,
        key_hash: str,
        now: datetime,
        act: Act | None = None,
        *,
        old_until: datetime | None = None,
    ) -> None:
        def attempt() -> tuple[list[Item], None]:
            count = self._settled()
            item = self._get("agreements", number)
            if item is None:
                raise NotFound(f"There is no agreement {number}.")
            keys = {"key_hash": key_hash, "key_made": instant(now)}
            if old_until is not None:
                keys |= {"old_key_hash": item.get("key_hash", ""), "old_key_until": instant(old_until)}
            return [
                self._agreement_item(number, item["doc"], **keys),
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
                # The agreement after its contacts: whoever goes on where this one was killed finds either the
                # old agreement, and mends its contacts again, or the new one with its contacts in order.
                writes += self._contacts(item["sk"], there.get("doc"), item["doc"], all_of=True)
                writes.append(self._agreement_item(item["sk"], item["doc"], **_keys(there)))
                writes += self._acts(act_of_text(item["act"]) if "act" in item else None)
            for start in range(0, len(writes), MOST - 1):
                self._transact([still, *writes[start : start + MOST - 1]])
            self._transact([self._counted(int(head["v"]))])
            for item in coming:
                self._client().delete_item(
                    TableName=self._table, Key=self._key(f"import {batch}", item["sk"])
                )
        raise Overtaken

    def _laid(
        self, batch: str, changed: Sequence[Agreement], act: Act | None, summaries: Mapping[str, str]
    ) -> None:
        # The contacts go straight to their place: one too many does no harm, one missing would hide an
        # agreement as soon as the import counts.
        items = []
        for agreement in changed:
            number, doc = agreement.agreement, agreement_doc(agreement)
            own = act_of_one(act, number, summaries.get(number, ""))
            items.append(
                put(self._table, f"import {batch}", number, doc, **({"act": act_text(own)} if own else {}))
            )
            items += [
                put(self._table, f"contact {contact}", number, None) for contact in sorted(_addresses(doc))
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


_KEYS = ("key_hash", "key_made", "old_key_hash", "old_key_until")


def _keys(item: Mapping[str, Any]) -> dict[str, object]:
    """What an agreement's item keeps of its keys."""
    return {name: item[name] for name in _KEYS if name in item}


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
