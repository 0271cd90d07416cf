"""Subscribers and suppressed addresses in DynamoDB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from chalicelib.addresses import folded
from chalicelib.dynamodb_store.items import HEAD, Item, flat, plain, put
from chalicelib.dynamodb_store.mails import DynamoMails
from chalicelib.dynamodb_store.table import still, trouble
from chalicelib.ports.audit import Act
from chalicelib.ports.subscriptions import (
    CONFIRM,
    FORGOTTEN,
    LEAVE,
    STATES,
    Change,
    Decide,
    DecideSuppression,
    ImportedSubscribers,
    Subscriber,
    Suppression,
)

AT_ONCE = 30
"""Subscribers in a transaction of an import: each is up to three writes."""


class DynamoSubscriptions(DynamoMails):
    """`SubscriptionStore` on DynamoDB. A mark is the last folded address."""

    def subscriber(self, email: str) -> Subscriber | None:
        with trouble():
            item = self._get(f"subscriber {folded(email)}")
        return subscriber_of(item["doc"]) if item else None

    def subscriber_by_token(self, purpose: str, token_hash: str) -> Subscriber | None:
        with trouble():
            token = self._get(f"subscription {purpose} {token_hash}")
        if token is None:
            return None
        return (self.subscriber(token["doc"]) if token["doc"] else None) or FORGOTTEN

    def change_subscriber(self, email: str, decide: Decide, act: Act | None = None) -> Subscriber | None:
        address = folded(email)

        def attempt() -> tuple[list[Item], Subscriber | None]:
            item = self._get(f"subscriber {address}")
            held = subscriber_of(item["doc"]) if item else None
            change = decide(held, self.suppression(address))
            if change is None:
                return [], held
            return [
                *self._changed_subscriber(address, change, held, item["v"] if item else 0),
                *self._posted(change.mails, 0),
                *self._acts(act),
            ], change.subscriber

        return self._tried(attempt)

    def import_subscribers(
        self, decisions: Mapping[str, Decide], *, dry_run: bool, act: Act | None = None
    ) -> ImportedSubscribers:
        """In transactions of `AT_ONCE`: what kills it leaves whole subscribers behind, and the same import
        once more completes it."""
        kinds: dict[str, list[str]] = {"added": [], "changed": [], "unchanged": []}
        emails = list(decisions)
        kept: list[Act] = [act] if act is not None and not dry_run else []
        for start in range(0, len(emails), AT_ONCE):
            some = emails[start : start + AT_ONCE]

            def attempt(some: Sequence[str] = some) -> tuple[list[Item], dict[str, str]]:
                keys = [f"{what} {folded(one)}" for one in some for what in ("subscriber", "suppressed")]
                found = self._several(keys)
                said: dict[str, str] = {}
                writes: list[Item] = []
                for email in some:
                    address = folded(email)
                    item, bar = found.get(f"subscriber {address}"), found.get(f"suppressed {address}")
                    held = subscriber_of(item["doc"]) if item else None
                    change = decisions[email](held, suppression_of(bar["doc"]) if bar else None)
                    said[email] = "unchanged" if change is None else "changed" if held else "added"
                    if change is not None and not dry_run:
                        writes += self._changed_subscriber(address, change, held, item["v"] if item else 0)
                return [*writes, *(self._acts(kept[0]) if writes and kept else ())], said

            said = self._tried(attempt)
            if set(said.values()) != {"unchanged"}:
                kept.clear()
            for email, kind in said.items():
                kinds[kind].append(email)
        return ImportedSubscribers(**{kind: tuple(emails) for kind, emails in kinds.items()})

    def subscribers(
        self, states: Sequence[str], *, topic: str = "", after: str = "", limit: int = 500
    ) -> tuple[tuple[Subscriber, ...], str]:
        found: list[tuple[str, Subscriber]] = []
        with trouble():
            for state in (one for one in STATES if one in states):
                count = 0
                for item in self._list(f"subscribers {state}", after=after):
                    one = subscriber_of(item["doc"])
                    if topic and topic not in one.topics:
                        continue
                    found.append((item["place"], one))
                    count += 1
                    if count > limit:
                        break
        found.sort(key=lambda pair: pair[0])
        shown = tuple(one for _, one in found[:limit])
        return shown, found[limit - 1][0] if len(found) > limit else ""

    def suppression(self, email: str) -> Suppression | None:
        with trouble():
            item = self._get(f"suppressed {folded(email)}")
        return suppression_of(item["doc"]) if item else None

    def is_suppressed(self, email: str) -> bool:
        held = self.suppression(email)
        return held is not None and held.holds

    def change_suppression(
        self, email: str, decide: DecideSuppression, act: Act | None = None
    ) -> Suppression | None:
        address = folded(email)

        def attempt() -> tuple[list[Item], Suppression | None]:
            item = self._get(f"suppressed {address}")
            held = suppression_of(item["doc"]) if item else None
            made = decide(held)
            if made is None:
                return [], held
            version = item["v"] if item else 0
            listed = {"list": "suppressions", "place": address} if made.holds else {}
            doc = flat(asdict(made))
            kept = put(self._table, f"suppressed {address}", HEAD, doc, v=version + 1, **listed)
            return [{"Put": {**kept, **still(version)}}, *self._acts(act)], made

        return self._tried(attempt)

    def lift_suppression(self, email: str, act: Act | None = None) -> bool:
        address = folded(email)

        def attempt() -> tuple[list[Item], bool]:
            item = self._get(f"suppressed {address}")
            if item is None:
                return [], False
            key = {"TableName": self._table, "Key": self._key(f"suppressed {address}")}
            return [{"Delete": {**key, **still(item["v"])}}, *self._acts(act)], True

        return self._tried(attempt)

    def suppressions(self, *, after: str = "", limit: int = 500) -> tuple[tuple[Suppression, ...], str]:
        items: list[Item] = []
        with trouble():
            for item in self._list("suppressions", after=after, most=limit + 1):
                items.append(item)
                if len(items) > limit:
                    break
        found = tuple(suppression_of(item["doc"]) for item in items[:limit])
        return found, str(items[limit - 1]["place"]) if len(items) > limit else ""

    def _changed_subscriber(
        self, address: str, change: Change, held: Subscriber | None, version: int
    ) -> Iterator[Item]:
        subscriber = change.subscriber
        if subscriber is None:
            if held is not None:
                key = {"TableName": self._table, "Key": self._key(f"subscriber {address}")}
                yield {"Delete": {**key, **still(version)}}
                for purpose, token in ((LEAVE, held.leave_hash), (CONFIRM, held.confirm_hash)):
                    if token:
                        yield {"Put": put(self._table, f"subscription {purpose} {token}", HEAD, "")}
            return
        kept = put(
            self._table,
            f"subscriber {address}",
            HEAD,
            flat(asdict(subscriber)),
            v=version + 1,
            list=f"subscribers {subscriber.state}",
            place=address,
        )
        yield {"Put": {**kept, **still(version)}}
        if held is None or held.leave_hash != subscriber.leave_hash:
            yield {"Put": put(self._table, f"subscription {LEAVE} {subscriber.leave_hash}", HEAD, address)}
        before = held.confirm_hash if held else ""
        if before != subscriber.confirm_hash:
            if subscriber.confirm_hash:
                token = f"subscription {CONFIRM} {subscriber.confirm_hash}"
                yield {"Put": put(self._table, token, HEAD, address)}
            if before:
                key = self._key(f"subscription {CONFIRM} {before}")
                yield {"Delete": {"TableName": self._table, "Key": key}}

    def _several(self, keys: Sequence[str]) -> dict[str, Item]:
        """The heads of up to a hundred partitions, read consistently, by their keys."""
        found: dict[str, Item] = {}
        asked: Any = {
            self._table: {"Keys": [self._key(one) for one in dict.fromkeys(keys)], "ConsistentRead": True}
        }
        while asked:
            answer = self._client().batch_get_item(RequestItems=asked)
            for item in map(plain, answer["Responses"].get(self._table, ())):
                found[item["pk"]] = item
            asked = answer.get("UnprocessedKeys")
        return found


def subscriber_of(doc: Mapping[str, Any]) -> Subscriber:
    values = dict(doc)
    values["since"] = datetime.fromisoformat(doc["since"]) if doc["since"] else None
    values["changed"] = datetime.fromisoformat(doc["changed"])
    values["asked"] = tuple(map(datetime.fromisoformat, doc["asked"]))
    return Subscriber(**{**values, "topics": tuple(doc["topics"]), "wanted": tuple(doc["wanted"])})


def suppression_of(doc: Mapping[str, Any]) -> Suppression:
    since = datetime.fromisoformat(doc["since"])
    return Suppression(**{**doc, "since": since, "soft": tuple(doc["soft"])})
