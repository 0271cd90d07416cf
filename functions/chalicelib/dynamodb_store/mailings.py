"""Mailings and their deliveries in DynamoDB: a list is frozen page by page, and a page counts once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from itertools import islice
from typing import Any

from chalicelib.addresses import folded
from chalicelib.dynamodb_store.items import HEAD, Item, flat, instant, put, typed
from chalicelib.dynamodb_store.subscriptions import (
    DynamoSubscriptions,
    subscriber_of,
    suppression_of,
)
from chalicelib.dynamodb_store.table import still, trouble
from chalicelib.ports.audit import Act
from chalicelib.ports.mailings import DELIVERY_STATES, Delivery, Mailing, Outcome, SenderBusy
from chalicelib.refusals import NotFound

PAGE = 90
"""Subscribers that are frozen in one transaction."""
PASSED_BY = 40
"""Recipients that are passed by in one transaction, at most."""
_CRASHED = "the sender was ended while it was being handed over"


class DynamoMailings(DynamoSubscriptions):
    """`MailingStore` on DynamoDB. Marks: the last subscriber; the place of the last mailing."""

    def recipients(self, topics: Sequence[str]) -> int:
        count, after = 0, ""
        while True:
            page = self._page(after)
            count += len(self._chosen(page, topics))
            if len(page) < PAGE:
                return count
            after = page[-1]["place"]

    def freeze_mailing(self, mailing: Mailing, act: Act | None = None) -> Mailing:
        def attempt() -> tuple[list[Item], Mailing]:
            item = self._get(f"mailing {mailing.id}")
            if item is None:
                fresh = replace(mailing, frozen=False, counts=dict.fromkeys(DELIVERY_STATES, 0))
                return [self._kept(fresh, 0), *self._acts(act)], fresh
            held = mailing_of(item["doc"])
            if held.frozen:
                return [], held
            page = self._page(item["doc"]["after"])
            chosen = self._chosen(page, held.topics)
            pending = held.counts["pending"] + len(chosen)
            done = replace(held, frozen=len(page) < PAGE, counts={**held.counts, "pending": pending})
            after = page[-1]["place"] if page else ""
            return [
                self._kept(done, item["v"], after=after),
                *(self._delivery(mailing.id, self._fresh(held, one)) for one in chosen),
            ], done

        while True:
            made = self._tried(attempt)
            if made.frozen:
                return made

    def mailing(self, mailing: str) -> Mailing | None:
        with trouble():
            item = self._get(f"mailing {mailing}")
        return mailing_of(item["doc"]) if item else None

    def mailings(self, *, before: str = "", limit: int = 50) -> tuple[tuple[Mailing, ...], str]:
        items, more = self._newest(listed="mailings", before=before, limit=limit)
        return tuple(mailing_of(item["doc"]) for item in items), str(items[-1]["place"]) if more else ""

    def take_over(self, mailing: str, sender: str, *, now: datetime, until: datetime, alone: bool) -> Mailing:
        def attempt() -> tuple[list[Item], Mailing]:
            item = self._head(mailing)
            doc, held = item["doc"], mailing_of(item["doc"])
            if doc["sender"] not in ("", sender) and doc["lease"] > instant(now) and not alone:
                raise SenderBusy(datetime.fromisoformat(doc["lease"]))
            lost = list(islice(self._in_state(mailing, ["sending"]), PASSED_BY))
            counts = dict(held.counts)
            writes = []
            for one in lost:
                changed = replace(
                    delivery_of(one["doc"]), state="unknown", trouble=_CRASHED, changed=now, next_try=now
                )
                _move(counts, "sending", "unknown")
                writes.append(self._delivery(mailing, changed))
            done = replace(held, counts=counts)
            return [self._kept(done, item["v"], sender=sender, lease=instant(until)), *writes], done

        return self._tried(attempt)

    def next_delivery(
        self,
        mailing: str,
        sender: str,
        *,
        done: Outcome | None,
        after: str,
        now: datetime,
        until: datetime,
    ) -> Delivery | None:
        outcome: Outcome | None = done
        place = after

        def attempt() -> tuple[list[Item], tuple[Delivery | None, str]]:
            item = self._head(mailing)
            held = mailing_of(item["doc"])
            if item["doc"]["sender"] != sender:
                raise SenderBusy(datetime.fromisoformat(item["doc"]["lease"] or instant(now)))
            counts = dict(held.counts)
            writes = list(self._done(mailing, outcome, counts, now))
            taken, last = None, ""
            for found in islice(self._in_state(mailing, ["pending"], after=place, due=now), PASSED_BY):
                one = delivery_of(found["doc"])
                last = one.subscriber
                state, checks = self._now(one, held.topics)
                _move(counts, "pending", state)
                writes += [self._delivery(mailing, replace(one, state=state, changed=now)), *checks]
                if state == "sending":
                    taken, last = one, ""
                    break
            lease = {"sender": sender, "lease": instant(until)}
            kept = self._kept(replace(held, counts=counts), item["v"], **lease)
            return [kept, *writes], (taken, last)

        while True:
            found, last = self._tried(attempt)
            outcome = None
            if found is not None or not last:
                return found
            place = last

    def release(self, mailing: str, sender: str) -> None:
        def attempt() -> tuple[list[Item], None]:
            item = self._head(mailing)
            if item["doc"]["sender"] != sender:
                return [], None
            return [self._kept(mailing_of(item["doc"]), item["v"])], None

        self._tried(attempt)

    def deliveries(
        self, mailing: str, states: Sequence[str], *, after: str = "", limit: int = 500
    ) -> tuple[tuple[Delivery, ...], str]:
        with trouble():
            items = list(islice(self._in_state(mailing, states, after=after), limit + 1))
        found = tuple(delivery_of(item["doc"]) for item in items[:limit])
        return found, found[-1].subscriber if len(items) > limit else ""

    def resend_unknown(self, mailing: str, now: datetime, act: Act | None = None) -> int:
        kept: list[Act] = [act] if act is not None else []

        def attempt() -> tuple[list[Item], int]:
            item = self._head(mailing)
            held = mailing_of(item["doc"])
            counts = dict(held.counts)
            writes = []
            for one in islice(self._in_state(mailing, ["unknown"]), PASSED_BY):
                _move(counts, "unknown", "pending")
                again = replace(
                    delivery_of(one["doc"]), state="pending", trouble="", changed=now, next_try=now
                )
                writes.append(self._delivery(mailing, again))
            if not writes:
                return [], 0
            lease = {name: item["doc"][name] for name in ("sender", "lease")}
            acts = list(self._acts(kept[0])) if kept else []
            return [self._kept(replace(held, counts=counts), item["v"], **lease), *writes, *acts], len(writes)

        total = 0
        while count := self._tried(attempt):
            total += count
            kept.clear()
        return total

    def forget_deliveries(self, subscriber: str) -> None:
        before = ""
        while True:
            mailings, before = self.mailings(before=before)
            for mailing in mailings:
                self._forget_delivery(mailing.id, subscriber)
            if not before:
                return

    def notices(self) -> frozenset[str]:
        with trouble():
            return frozenset(item["sk"] for item in self._partition("notices"))

    def keep_notices(self, notices: Iterable[str], now: datetime, act: Act | None = None) -> None:
        rest = [
            {"PutRequest": {"Item": put(self._table, "notices", notice, instant(now))["Item"]}}
            for notice in dict.fromkeys(notices)
        ]
        with trouble():
            while rest:
                answer = self._client().batch_write_item(RequestItems={self._table: rest[:25]})
                rest = [*answer.get("UnprocessedItems", {}).get(self._table, []), *rest[25:]]
        if act is not None:
            self._tried(lambda: (list(self._acts(act)), None))

    def _forget_delivery(self, mailing: str, subscriber: str) -> None:
        def attempt() -> tuple[list[Item], None]:
            item, found = self._head(mailing), self._get(f"mailing {mailing}", f"to {subscriber}")
            if found is None:
                return [], None
            held, one = mailing_of(item["doc"]), delivery_of(found["doc"])
            counts = dict(held.counts)
            state = "left" if one.state == "pending" else one.state
            _move(counts, one.state, state)
            lease = {name: item["doc"][name] for name in ("sender", "lease", "after")}
            return [
                self._kept(replace(held, counts=counts), item["v"], **lease),
                self._delivery(mailing, replace(one, email="", state=state)),
            ], None

        self._tried(attempt)

    def _head(self, mailing: str) -> Item:
        item = self._get(f"mailing {mailing}")
        if item is None:
            raise NotFound(f"Nothing was begun to be sent under {mailing}.")
        return item

    def _page(self, after: str) -> list[Item]:
        with trouble():
            return list(islice(self._list("subscribers confirmed", after=after, most=PAGE), PAGE))

    def _chosen(self, page: Sequence[Item], topics: Sequence[str]) -> list[Item]:
        """Those of a page who get one of the topics, and whom mail goes to."""
        wanted = [item for item in page if set(item["doc"]["topics"]) & set(topics)]
        if not wanted:
            return []
        with trouble():
            barred = self._several([f"suppressed {item['place']}" for item in wanted])
        return [
            item
            for item in wanted
            if not (bar := barred.get(f"suppressed {item['place']}")) or not suppression_of(bar["doc"]).holds
        ]

    def _fresh(self, mailing: Mailing, item: Item) -> Delivery:
        return Delivery(
            mailing=mailing.id,
            subscriber=item["doc"]["id"],
            email=item["doc"]["email"],
            state="pending",
            attempts=0,
            next_try=mailing.started,
            trouble="",
            changed=mailing.started,
        )

    def _done(
        self, mailing: str, outcome: Outcome | None, counts: dict[str, int], now: datetime
    ) -> Iterator[Item]:
        found = self._get(f"mailing {mailing}", f"to {outcome.subscriber}") if outcome else None
        if outcome is None or found is None or found["doc"]["state"] != "sending":
            return
        held = delivery_of(found["doc"])
        _move(counts, "sending", outcome.state)
        changed = replace(
            held,
            state=outcome.state,
            trouble=outcome.trouble,
            attempts=held.attempts + int(outcome.attempt),
            next_try=outcome.next_try or held.next_try,
            changed=now,
        )
        yield self._delivery(mailing, changed)

    def _now(self, one: Delivery, topics: Sequence[str]) -> tuple[str, list[Item]]:
        """Whether a recipient is one still, and the conditions that this holds when it is written."""
        address = folded(one.email)
        item = self._get(f"subscriber {address}") if address else None
        bar = self._get(f"suppressed {address}") if address else None
        if bar is not None and suppression_of(bar["doc"]).holds:
            return "suppressed", []
        held = subscriber_of(item["doc"]) if item else None
        gets = held is not None and held.id == one.subscriber and held.state == "confirmed"
        if held is None or item is None or not gets or not set(held.topics) & set(topics):
            return "left", []
        return "sending", [
            self._unchanged(f"subscriber {address}", item["v"]),
            self._unchanged(f"suppressed {address}", bar["v"] if bar else 0),
        ]

    def _unchanged(self, pk: str, version: int) -> Item:
        return {"ConditionCheck": {"TableName": self._table, "Key": self._key(pk), **still(version)}}

    def _in_state(
        self, mailing: str, states: Sequence[str], *, after: str = "", due: datetime | None = None
    ) -> Iterator[Item]:
        names = {f":s{number}": typed(state) for number, state in enumerate(states)}
        query: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :after AND :last",
            "FilterExpression": f"#state IN ({', '.join(names)})",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":pk": typed(f"mailing {mailing}"),
                ":after": typed(f"to {after}"),
                ":last": typed("to ~"),
                **names,
            },
            "ConsistentRead": True,
        }
        if due is not None:
            query["FilterExpression"] += " AND next_try <= :due"
            query["ExpressionAttributeValues"][":due"] = typed(instant(due))
        yield from (item for item in self._query(**query) if item["sk"] != f"to {after}")

    def _delivery(self, mailing: str, one: Delivery) -> Item:
        doc = flat(asdict(one))
        kept = put(
            self._table,
            f"mailing {mailing}",
            f"to {one.subscriber}",
            doc,
            state=one.state,
            next_try=instant(one.next_try),
        )
        return {"Put": kept}

    def _kept(
        self, mailing: Mailing, version: int, *, sender: str = "", lease: str = "", after: str = ""
    ) -> Item:
        """Every change of a delivery changes its mailing too, so the mailing's version guards them all."""
        doc = {**flat(asdict(mailing)), "sender": sender, "lease": lease, "after": after}
        kept = put(
            self._table,
            f"mailing {mailing.id}",
            HEAD,
            doc,
            v=version + 1,
            list="mailings",
            place=f"{instant(mailing.started)} {mailing.id}",
        )
        return {"Put": {**kept, **still(version)}}


def _move(counts: dict[str, int], before: str, state: str) -> None:
    counts[before] -= 1
    counts[state] += 1


def mailing_of(doc: dict[str, Any]) -> Mailing:
    return Mailing(
        id=doc["id"],
        topics=tuple(doc["topics"]),
        subject=doc["subject"],
        digest=doc["digest"],
        started=datetime.fromisoformat(doc["started"]),
        frozen=doc["frozen"],
        counts={state: doc["counts"][state] for state in DELIVERY_STATES},
    )


def delivery_of(doc: dict[str, Any]) -> Delivery:
    next_try, changed = (datetime.fromisoformat(doc[name]) for name in ("next_try", "changed"))
    return Delivery(**{**doc, "next_try": next_try, "changed": changed})
