"""Whose agreements: the contacts of an agreement find it, and nobody else's, whatever changed it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

import pytest

from chalicelib.agreements import Agreement, Period
from chalicelib.ports import Store


def agreement(number: str, *contacts: str, customer: str = "City") -> Agreement:
    return Agreement(
        agreement=number,
        customer=customer,
        stage="accepted",
        client_manager="",
        product="cityworks",
        licence="site",
        seats=None,
        starts=date(2026, 3, 1),
        contacts=contacts,
    )


def found(store: Store, address: str) -> list[str]:
    return [one.agreement for one in store.agreements_of(address)]


def test_a_contact_finds_every_agreement_that_names_it_and_no_other(store: Store) -> None:
    held = [
        agreement("B", "ann@example.org", "bo@example.org"),
        agreement("A", "Ann@Example.ORG"),
        agreement("C", "cy@example.org"),
        agreement("D"),
    ]
    store.import_agreements(held, dry_run=False)
    assert store.agreements_of("ANN@example.org") == (held[1], held[0])
    assert found(store, "bo@example.org") == ["B"]
    assert found(store, "nn@example.org") == []
    assert found(store, "") == []


def test_only_ascii_letters_count_alike(store: Store) -> None:
    """U+212A is no k, and an address that holds one is another person's."""
    store.import_agreements([agreement("A", "mike@example.org")], dry_run=False)
    assert found(store, "mi\u212ae@example.org") == []
    assert found(store, "MIKE@example.org") == ["A"]


def test_an_address_that_is_there_twice_finds_its_agreement_once(store: Store) -> None:
    store.import_agreements([agreement("A", "ann@example.org", "Ann@example.org")], dry_run=False)
    assert found(store, "ann@example.org") == ["A"]


def test_an_import_that_changes_contacts_changes_who_finds_it(store: Store) -> None:
    store.import_agreements([agreement("A", "ann@example.org", "bo@example.org")], dry_run=False)
    store.import_agreements([agreement("A", "bo@example.org", "cy@example.org")], dry_run=True)
    assert found(store, "ann@example.org") == ["A"]
    store.import_agreements([agreement("A", "bo@example.org", "cy@example.org")], dry_run=False)
    assert [found(store, f"{name}@example.org") for name in ("ann", "bo", "cy")] == [[], ["A"], ["A"]]


def test_what_is_renewed_or_withdrawn_is_found_as_it_is(store: Store) -> None:
    held = agreement("A", "ann@example.org")
    store.import_agreements([held], dry_run=False)
    year = Period(first=date(2027, 3, 1), last=date(2028, 2, 29))
    store.renew("A", year)
    store.withdraw("A", date(2027, 6, 1))
    changed = replace(held, paid=(year,), withdrawn=date(2027, 6, 1))
    assert store.agreements_of("ann@example.org") == (changed,)


def test_an_import_that_cannot_be_kept_changes_nobodys_agreements(store: Store) -> None:
    store.import_agreements([agreement("A", "ann@example.org")], dry_run=False)

    def rows() -> Iterator[Agreement]:
        yield agreement("A", "bo@example.org")
        raise RuntimeError("the third line")

    with pytest.raises(RuntimeError):
        store.import_agreements(rows(), dry_run=False)
    assert (found(store, "ann@example.org"), found(store, "bo@example.org")) == (["A"], [])


def test_an_agreement_with_more_contacts_than_a_transaction_has_writes(
    open_store: Callable[[], Store],
) -> None:
    many = [f"c{number}@example.org" for number in range(250)]
    open_store().import_agreements([agreement("A", *many), agreement("B", *many[:3])], dry_run=False)
    other = open_store()
    assert [found(other, address) for address in (many[0], many[249])] == [["A", "B"], ["A"]]
    other.import_agreements([agreement("A", many[0])], dry_run=False)
    assert [found(other, address) for address in (many[0], many[249])] == [["A", "B"], []]
