"""The lists of tickets, on every store: one's own, the newest first, a page at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.ports import Change, Identity, Store, Ticket

NOW = datetime(2026, 11, 23, 17, 0, 0, 123456, tzinfo=UTC)


def opened(store: Store, number: str, **changes: object) -> Ticket:
    values: dict[str, object] = {"number": number, "salt": "s", "token_hash": f"hash {number}"}
    values |= {"received": NOW, "reply_by": None, "reply_by_because": (), "state": "open", "name": "Ann"}
    values |= {"email": "ann@example.org", "organization": "", "phone": "", "agreement": "", "product": ""}
    values |= {"version": "", "kind": "question", "severity": "P2", "subject": "s", "description": "d"}
    values |= {"route": "r", "mailbox": "m", "route_because": (), "first_in_queue": False, "covered": "yes"}
    given = Ticket(**{**values, **changes})  # type: ignore[arg-type]
    return store.open_ticket(given, Identity(key_hash="", content_hash=number), [], NOW)[0]


def test_ones_own_tickets_come_newest_first_and_page_by_page(store: Store) -> None:
    for hour in range(7):
        opened(store, f"A-{hour}", received=NOW + timedelta(hours=hour))
    opened(store, "B-1", email="bo@example.org")
    seen: list[str] = []
    pages, mark = 0, ""
    while pages == 0 or mark:
        found, mark = store.tickets_of("ann@example.org", before=mark, limit=3)
        assert len(found) <= 3
        seen += [one.number for one in found]
        pages += 1
    assert (pages, seen) == (3, ["A-6", "A-5", "A-4", "A-3", "A-2", "A-1", "A-0"])
    assert [one.number for one in store.tickets_of("bo@example.org")[0]] == ["B-1"]
    assert store.tickets_of("nobody@example.org") == ((), "")


def test_tickets_of_one_instant_are_each_listed_once(store: Store) -> None:
    for number in range(5):
        opened(store, f"A-{number}")
    first, mark = store.tickets_of("ann@example.org", limit=2)
    rest, end = store.tickets_of("ann@example.org", before=mark)
    assert [one.number for one in (*first, *rest)] == ["A-4", "A-3", "A-2", "A-1", "A-0"]
    assert end == ""


def test_only_ascii_letters_are_folded(store: Store) -> None:
    opened(store, "A-1", email="Mike@Example.org")
    opened(store, "A-2", email="mi\u212ae@example.org")
    assert [one.number for one in store.tickets_of("mike@EXAMPLE.org")[0]] == ["A-1"]
    assert [one.number for one in store.tickets_of("MI\u212aE@example.org")[0]] == ["A-2"]


@pytest.mark.parametrize("mark", ["x", "4pyT", "é", "A" * 500, "MjAyNi0xMS0yMw"])
def test_what_is_no_mark_begins_anew(store: Store, mark: str) -> None:
    opened(store, "A-1")
    assert [one.number for one in store.tickets_of("ann@example.org", before=mark)[0]] == ["A-1"]


def test_a_list_is_as_fresh_as_the_last_change(store: Store) -> None:
    ticket = opened(store, "A-1")
    store.change_ticket("A-1", lambda held: Change(ticket=replace(held, state="closed")), NOW)
    (found,), _ = store.tickets_of(ticket.email)
    assert found.state == "closed"
