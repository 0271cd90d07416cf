"""What every store must do with agreements: amend one, ask before an import, keep the hashes of keys."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.agreement_tables import read, write_csv
from chalicelib.agreements import Agreement, Period, with_contact
from chalicelib.ports import Act, Store
from chalicelib.refusals import NotFound

_spec = importlib.util.spec_from_file_location("store_values", Path(__file__).with_name("test_store.py"))
assert _spec
assert _spec.loader
values: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(values)
NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
ACT = Act(id="1", who="Robin", what="w", about="A", detail="", when=NOW)


def test_an_agreement_is_amended_by_what_is_kept_and_nothing_else_of_it_changes(store: Store) -> None:
    first, second = values.agreement("A"), values.agreement("B")
    store.import_agreements([first, second], dry_run=False)
    store.set_key("A", "hash", NOW)
    done = store.amend("A", lambda held: with_contact(held, "New@Example.org"), ACT)
    assert done == replace(first, contacts=(*first.contacts, "New@Example.org"))
    assert store.agreements() == (done, second)
    assert store.agreements_of("new@example.org") == (done,)
    assert store.key_hash("A") == "hash"
    assert store.acts()[0] == (ACT,)


def test_what_a_change_refuses_changes_nothing(store: Store) -> None:
    held = values.agreement("A", contacts=("ann@example.org",))
    store.import_agreements([held], dry_run=False)
    with pytest.raises(ValueError, match=r"^Ann@example\.org is a contact of A already$"):
        store.amend("A", lambda one: with_contact(one, "Ann@example.org"), ACT)
    with pytest.raises(NotFound):
        store.amend("B", lambda one: one, ACT)
    assert (store.agreements(), store.acts()) == ((held,), ((), ""))


def test_changes_at_once_are_all_kept(open_store: Callable[[], Store]) -> None:
    stores = [open_store() for _ in range(4)]
    stores[0].import_agreements([values.agreement("A", contacts=())], dry_run=False)
    names = [f"c{number}@example.org" for number in range(16)]
    with ThreadPoolExecutor(4) as pool:
        done = [
            pool.submit(stores[i % 4].amend, "A", lambda held, name=name: with_contact(held, name))
            for i, name in enumerate(names)
        ]
        for one in done:
            one.result()
    found = stores[1].agreement("A")
    assert found is not None
    assert sorted(found.contacts) == sorted(names)
    assert all(stores[2].agreements_of(name) == (found,) for name in names)


def test_an_import_asks_with_what_is_kept_and_a_no_changes_nothing(store: Store) -> None:
    first, second = values.agreement("A"), values.agreement("B")
    store.import_agreements([first, second], dry_run=False)
    seen: list[tuple[Agreement, ...]] = []

    def refuse(held: tuple[Agreement, ...]) -> None:
        seen.append(held)
        raise RuntimeError("no")

    for dry_run in (True, False):
        with pytest.raises(RuntimeError, match="no"):
            store.import_agreements(
                [replace(first, customer="Town")], dry_run=dry_run, act=ACT, approve=refuse
            )
    assert seen == [(first, second)] * 2
    assert (store.agreements(), store.acts()) == ((first, second), ((), ""))
    store.import_agreements([replace(first, customer="Town")], dry_run=False, approve=seen.append)
    assert seen[2] == (first, second)
    assert store.agreements() == (replace(first, customer="Town"), second)


def test_the_same_file_twice_changes_nothing(store: Store) -> None:
    """Promise 24: importing the same file twice changes nothing, in no row, no key and no list of acts."""
    text = write_csv([values.agreement("A", customer="=1+1"), values.agreement("B", contacts=("x@y.org",))])
    rows = read(text, path="a.csv", products=())
    store.import_agreements(rows, dry_run=False, act=ACT)
    store.set_key("A", "hash", NOW)
    before = (store.agreements(), store.acts(), store.key_hashes("A", NOW), store.agreements_of("x@y.org"))
    again = store.import_agreements(rows, dry_run=False, act=replace(ACT, id="2"))
    assert (again.added, again.changed, again.unchanged) == ((), (), ("A", "B"))
    after = (store.agreements(), store.acts(), store.key_hashes("A", NOW), store.agreements_of("x@y.org"))
    assert after == before


def test_a_new_key_ends_the_old_one_at_once(store: Store) -> None:
    store.import_agreements([values.agreement("A")], dry_run=False)
    assert store.key_hashes("A", NOW) == store.key_hashes("none", NOW) == ()
    store.set_key("A", "one", NOW)
    store.set_key("A", "two", NOW)
    assert store.key_hashes("A", NOW) == ("two",)
    store.set_key("A", "", NOW)
    assert store.key_hashes("A", NOW) == ()


def test_an_old_key_opens_until_its_time_is_over_and_one_before_it_never(store: Store) -> None:
    store.import_agreements([values.agreement("A")], dry_run=False)
    until = NOW + timedelta(days=7)
    store.set_key("A", "one", NOW)
    store.set_key("A", "two", NOW, old_until=until)
    assert store.key_hashes("A", until - timedelta(microseconds=1)) == ("two", "one")
    assert store.key_hashes("A", until) == ("two",)
    store.renew("A", Period(first=date(2040, 1, 1), last=date(2040, 12, 31)))
    store.import_agreements([values.agreement("A", customer="Town")], dry_run=False)
    assert store.key_hashes("A", NOW) == ("two", "one")
    store.set_key("A", "three", NOW, old_until=until)
    assert store.key_hashes("A", NOW) == ("three", "two")
    store.set_key("A", "four", NOW)
    assert store.key_hashes("A", NOW) == ("four",)
