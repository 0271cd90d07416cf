"""An import on DynamoDB that is killed, or that somebody comes in between: it counts whole or not at all."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chalicelib.agreements import Agreement, Period
from chalicelib.dynamodb_store import DynamoStore
from chalicelib.ports import Act

_spec = importlib.util.spec_from_file_location(
    "dynamodb_local", Path(__file__).with_name("dynamodb_local.py")
)
assert _spec
assert _spec.loader
dynamodb_local = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(dynamodb_local)
pytestmark = pytest.mark.slow
Open = Callable[[Callable[[list[Any]], None]], DynamoStore]
HELD = [
    Agreement(
        agreement=f"A{number}",
        customer="City",
        stage="accepted",
        client_manager="",
        product="cityworks",
        licence="site",
        seats=None,
        starts=date(2026, 3, 1),
    )
    for number in range(120)
]
LATER = [replace(one, customer="Town") for one in HELD]
NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
YEAR = Period(first=date(2030, 1, 1), last=date(2030, 12, 31))


class Killed(Exception):
    """The process ended here."""


class Watched(DynamoStore):
    """A store that tells of each transaction before it is sent."""

    tell: Callable[[list[Any]], None]

    def _transact(self, writes: list[Any]) -> None:
        self.tell(writes)
        super()._transact(writes)


@pytest.fixture
def opened(dynamodb: str, new_table: Callable[[], str]) -> Iterator[Open]:
    table, stores = new_table(), []

    def make(tell: Callable[[list[Any]], None]) -> DynamoStore:
        store = Watched(partial(dynamodb_local.client, dynamodb), table)
        store.tell = tell
        stores.append(store)
        return store

    yield make
    for store in stores:
        store.close()


def counts(writes: list[Any]) -> bool:
    """Whether the transaction makes an import count."""
    return "import_id" in writes[0].get("Put", {}).get("Item", {})


def settles(writes: list[Any]) -> bool:
    """Whether it puts what an import left in its place."""
    return "ConditionCheck" in writes[0]


def test_an_import_killed_before_it_counts_changes_nothing(opened: Open) -> None:
    opened(lambda _: None).import_agreements(HELD, dry_run=False)

    def kill(writes: list[Any]) -> None:
        if counts(writes):
            raise Killed

    with pytest.raises(Killed):
        opened(kill).import_agreements(LATER, dry_run=False)
    other = opened(lambda _: None)
    assert other.agreement("A7") == HELD[7]
    assert {one.customer for one in other.agreements()} == {"City"}


@pytest.mark.parametrize("transactions", [0, 1, 2])
def test_an_import_killed_after_it_counts_is_there_whole(opened: Open, transactions: int) -> None:
    opened(lambda _: None).import_agreements(HELD, dry_run=False)
    seen = []

    def kill(writes: list[Any]) -> None:
        if settles(writes):
            seen.append(writes)
            if len(seen) > transactions:
                raise Killed

    if transactions < 2:  # 120 agreements are settled in two
        with pytest.raises(Killed):
            opened(kill).import_agreements(LATER, dry_run=False)
    else:
        opened(kill).import_agreements(LATER, dry_run=False)
    other = opened(lambda _: None)
    assert [other.agreement(one.agreement) for one in HELD] == LATER
    assert other.renew("A7", YEAR) == replace(LATER[7], paid=(YEAR,))
    assert {one.customer for one in other.agreements()} == {"Town"}


def test_a_late_one_does_not_undo_what_came_after_the_import(opened: Open) -> None:
    opened(lambda _: None).import_agreements(HELD, dry_run=False)
    other = opened(lambda _: None)
    renewed = []

    def come_between(writes: list[Any]) -> None:
        if settles(writes) and not renewed:
            renewed.append(other.renew("A7", YEAR))

    opened(come_between).import_agreements(LATER, dry_run=False)
    assert renewed == [replace(LATER[7], paid=(YEAR,))]
    assert other.agreement("A7") == renewed[0]


@pytest.mark.parametrize("transactions", range(5))
def test_contacts_find_their_agreements_wherever_an_import_is_killed(opened: Open, transactions: int) -> None:
    def of(one: Agreement, *names: str) -> Agreement:
        return replace(one, contacts=tuple(f"{name}@example.org" for name in names))

    before = [of(one, "ann", "bo") for one in HELD[:80]]
    after = [of(one, "bo", "cy", "dee") for one in HELD[:80]]
    opened(lambda _: None).import_agreements(before, dry_run=False)
    seen = []

    def kill(writes: list[Any]) -> None:
        if counts(writes) or settles(writes):
            seen.append(writes)
            if len(seen) > transactions:
                raise Killed

    with pytest.raises(Killed):
        opened(kill).import_agreements(after, dry_run=False)
    other = opened(lambda _: None)
    held = {one.agreement: one for one in (after if transactions else before)}
    for _ in ("killed", "settled"):
        for name in ("ann", "bo", "cy", "dee"):
            wanted = {one for one in held.values() if f"{name}@example.org" in one.contacts}
            assert set(other.agreements_of(f"{name}@example.org")) == wanted
        changed = replace(held["A7"], withdrawn=date(2030, 1, 1))
        assert other.withdraw("A7", changed.withdrawn) == changed
        held["A7"] = changed


def test_the_act_of_an_import_that_was_killed_is_kept_when_it_is_settled(opened: Open) -> None:
    act = Act(id="1", who="Robin", what="import agreements", about="agreements", detail="", when=NOW)
    opened(lambda _: None).import_agreements(HELD, dry_run=False)

    def kill(writes: list[Any]) -> None:
        if settles(writes):
            raise Killed

    with pytest.raises(Killed):
        opened(kill).import_agreements(LATER, dry_run=False, act=act)
    other = opened(lambda _: None)
    assert other.acts()[0] == (act,)
    other.agreements()
    assert other.acts(about="A7")[0] == (replace(act, id="1 A7", about="A7", detail="changed: customer"),)
