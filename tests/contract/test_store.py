"""What every store must do, whatever its technique."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.agreements import Agreement, Period
from chalicelib.ports import (
    Attachment,
    AttachmentsFull,
    Identity,
    KeyReused,
    Message,
    NumberTaken,
    Outgoing,
    Store,
    Ticket,
)
from chalicelib.refusals import NotFound

NOW = datetime(2026, 11, 23, 17, 0, 0, 123456, tzinfo=UTC)


def ticket(number: str = "AAAA-1111", **changes: object) -> Ticket:
    values: dict[str, object] = {
        "number": number,
        "salt": "s",
        "token_hash": f"hash {number}",
        "received": NOW,
        "reply_by": NOW + timedelta(hours=4),
        "reply_by_because": ("a", "b"),
        "state": "open",
        "name": "Ann",
        "email": "ann@example.org",
        "organization": "City",
        "phone": "1",
        "agreement": "US-1",
        "product": "cityworks",
        "version": "23.4",
        "kind": "question",
        "severity": "P2",
        "subject": "Montréal 😀",
        "description": "two\nlines",
        "route": "Client Services",
        "mailbox": "services@example.com",
        "route_because": ("c",),
        "first_in_queue": False,
        "covered": "yes",
    }
    return Ticket(**{**values, **changes})  # type: ignore[arg-type]


def identity(content: str, key: str = "") -> Identity:
    return Identity(key_hash=key, content_hash=content)


def mail(
    name: str, to: str = "ann@example.org", *, capped: bool = False, created: datetime = NOW
) -> Outgoing:
    return Outgoing(
        id=name,
        message_id=f"<{name}@x>",
        template="visitor_receipt",
        to=to,
        about="AAAA-1111",
        message=0,
        capped=capped,
        created=NOW,  # type: ignore[arg-type]
    )


def message(text: str, who: str = "visitor") -> Message:
    return Message(sequence=0, who=who, author="", text=text, when=NOW)


def attachment(id_: str, **changes: object) -> Attachment:
    values: dict[str, object] = {"id": id_, "name": f"{id_}.txt", "content_type": "text/plain", "size": 3}
    values |= {"sha256": f"sum of {id_}", "state": "stored", "when": NOW}
    return Attachment(**{**values, **changes})  # type: ignore[arg-type]


def agreement(number: str, **changes: object) -> Agreement:
    values: dict[str, object] = {"agreement": number, "customer": "City", "stage": "accepted"}
    values |= {"client_manager": "", "product": "cityworks", "licence": "seat", "seats": 5}
    values |= {"starts": date(2026, 3, 1), "contacts": ("a@example.org",)}
    values |= {"paid": (Period(first=date(2026, 6, 1), last=date(2027, 5, 31)),)}
    return Agreement(**{**values, **changes})  # type: ignore[arg-type]


def test_a_ticket_comes_back_as_it_was_given(store: Store) -> None:
    given = ticket()
    assert store.open_ticket(given, identity("c"), [], NOW) == (given, False)
    assert store.ticket("AAAA-1111") == given
    assert store.ticket_by_token("hash AAAA-1111") == given
    assert store.ticket_by_token("hash") is None
    assert store.ticket("BBBB-2222") is None


def test_what_was_acknowledged_is_there_for_another_process(open_store: Callable[[], Store]) -> None:
    """Promise 1: a ticket that got a number is on disk."""
    one, other = open_store(), open_store()
    one.open_ticket(ticket(), identity("c"), [mail("m")], NOW)
    assert other.ticket("AAAA-1111") == ticket()
    assert [queued.mail for queued in other.mails(["waiting"])] == [mail("m")]


def test_a_taken_number_changes_nothing(store: Store) -> None:
    store.open_ticket(ticket(), identity("c"), [], NOW)
    with pytest.raises(NumberTaken):
        store.open_ticket(ticket(subject="other"), identity("d"), [mail("m")], NOW)
    assert store.tickets(["open"]) == (ticket(),)
    assert store.mails(["waiting"]) == ()


def test_a_key_gives_the_first_ticket_or_is_refused(store: Store) -> None:
    store.open_ticket(ticket(), identity("c", "k"), [mail("m")], NOW)
    again = store.open_ticket(ticket("BBBB-2222"), identity("c", "k"), [mail("n")], NOW)
    assert again == (ticket(), True)
    with pytest.raises(KeyReused):
        store.open_ticket(ticket("BBBB-2222"), identity("d", "k"), [mail("n")], NOW)
    assert store.tickets(["open"]) == (ticket(),)
    assert [queued.mail.id for queued in store.mails(["waiting"])] == ["m"]


def test_a_key_is_kept_for_seven_days_and_a_content_for_ten_minutes(store: Store) -> None:
    """Promise 2: so long a retry is not a second ticket."""
    store.open_ticket(ticket("A"), identity("c", "k"), [], NOW)
    week = NOW + timedelta(days=7)
    assert store.open_ticket(ticket("B"), identity("c", "k"), [], week - timedelta(seconds=1))[1]
    assert not store.open_ticket(ticket("B"), identity("d", "k"), [], week)[1]
    store.open_ticket(ticket("C"), identity("e"), [], NOW)
    later = NOW + timedelta(minutes=10)
    assert store.open_ticket(ticket("D"), identity("e"), [], later - timedelta(seconds=1))[1]
    assert not store.open_ticket(ticket("D"), identity("e"), [], later)[1]
    assert [one.number for one in store.tickets(["open"])] == ["A", "B", "C", "D"]


def test_fifty_processes_with_one_key_make_one_ticket(open_store: Callable[[], Store]) -> None:
    """Promise 2: 50 clicks at once make one ticket."""
    stores = [open_store() for _ in range(5)]

    def send(number: int) -> str:
        given = ticket(f"AAAA-{number:04}")
        kept, _ = stores[number % 5].open_ticket(given, identity("c", "k"), [mail(f"m{number}")], NOW)
        return kept.number

    with ThreadPoolExecutor(50) as pool:
        numbers = set(pool.map(send, range(50)))
    assert len(numbers) == 1
    assert len(stores[0].tickets(["open"])) == 1
    assert len(stores[0].mails(["waiting"])) == 1


def test_different_keys_are_different_tickets_under_contention(open_store: Callable[[], Store]) -> None:
    stores = [open_store() for _ in range(3)]
    with ThreadPoolExecutor(30) as pool:
        kept = list(
            pool.map(
                lambda n: stores[n % 3].open_ticket(ticket(f"A-{n}"), identity(f"c{n}", f"k{n}"), [], NOW)[1],
                range(60),
            )
        )
    assert kept == [False] * 60
    assert len(stores[0].tickets(["open"])) == 60


def test_queue_order(store: Store) -> None:
    due = {"A": (False, 3), "B": (True, 9), "C": (False, 1), "D": (True, 5)}
    for number, (first, hours) in due.items():
        given = ticket(number, first_in_queue=first, reply_by=NOW + timedelta(hours=hours))
        store.open_ticket(given, identity(number), [], NOW)
    store.open_ticket(ticket("E", reply_by=None), identity("E"), [], NOW)
    assert [one.number for one in store.tickets(["open"])] == ["D", "B", "C", "A", "E"]


def test_attachments_are_announced_arrive_and_are_limited(store: Store) -> None:
    store.open_ticket(ticket(), identity("c"), [], NOW)
    store.announce_attachment("AAAA-1111", attachment("a", state="waiting", sha256=""), 2)
    kept = store.attach("AAAA-1111", attachment("a"), 2)
    assert kept.attachments == (attachment("a"),)
    store.attach("AAAA-1111", attachment("b"), 2)
    with pytest.raises(AttachmentsFull):
        store.attach("AAAA-1111", attachment("c"), 2)
    with pytest.raises(AttachmentsFull):
        store.announce_attachment("AAAA-1111", attachment("d", state="waiting"), 2)
    same = store.attach("AAAA-1111", attachment("e", name="a.txt", sha256="sum of a"), 2)
    assert same.attachments == (attachment("a"), attachment("b"))


def test_agreements_are_imported_renewed_withdrawn(store: Store) -> None:
    first, second = agreement("A"), agreement("B", licence="site", seats=None, paid=())
    assert store.import_agreements([first, second], dry_run=True).added == ("A", "B")
    assert store.agreements() == ()
    store.import_agreements([first, second], dry_run=False)
    assert store.agreements() == (first, second)
    done = store.import_agreements([first, replace(second, customer="Town")], dry_run=False)
    assert (done.added, done.changed, done.unchanged) == ((), ("B",), ("A",))
    more = Period(first=date(2027, 6, 1), last=date(2028, 5, 31))
    assert store.renew("A", more).paid == (*first.paid, more)
    with pytest.raises(ValueError, match="already paid"):
        store.renew("A", more)
    store.withdraw("A", date(2027, 1, 1))
    assert store.agreement("A") == replace(first, paid=(*first.paid, more), withdrawn=date(2027, 1, 1))
    assert store.withdraw("A", None).withdrawn is None
    with pytest.raises(NotFound):
        store.renew("C", more)


def test_an_import_that_breaks_off_leaves_nothing(store: Store) -> None:
    def rows() -> Iterator[Agreement]:
        yield agreement("A")
        raise RuntimeError("the reader broke")

    with pytest.raises(RuntimeError, match="the reader broke"):
        store.import_agreements(rows(), dry_run=False)
    assert store.agreements() == ()
    assert store.import_agreements([agreement("B")], dry_run=False).added == ("B",)


def test_an_import_of_hundreds_is_all_there_at_once_for_everybody(open_store: Callable[[], Store]) -> None:
    one, other = open_store(), open_store()
    before = [agreement(f"A{number:03}") for number in range(250)]
    after = [replace(one, customer="Town") for one in before]
    one.import_agreements(before, dry_run=False)
    for store in (one, other):
        assert store.agreements() == tuple(before)
    with ThreadPoolExecutor(2) as pool:
        done = pool.submit(one.import_agreements, after, dry_run=False)
        seen = []
        while not done.done():
            seen.append({one.customer for one in other.agreements()})
    assert all(len(customers) == 1 for customers in seen)
    assert done.result().changed == tuple(one.agreement for one in after)
    assert other.agreements() == tuple(after)


def test_a_renewal_during_an_import_is_not_lost(open_store: Callable[[], Store]) -> None:
    one, other = open_store(), open_store()
    held = [agreement(f"A{number:03}") for number in range(120)]
    one.import_agreements(held, dry_run=False)
    years = [Period(first=date(2030 + n, 1, 1), last=date(2030 + n, 12, 31)) for n in range(8)]
    with ThreadPoolExecutor(4) as pool:
        imports = [
            pool.submit(one.import_agreements, [replace(held[1], customer=f"C{n}")], dry_run=False)
            for n in range(8)
        ]
        renewed = [pool.submit(other.renew, "A000", year) for year in years]
        keys = [pool.submit(other.set_key, f"A{n:03}", f"key {n}", NOW) for n in range(2, 10)]
        for work in (*imports, *renewed, *keys):
            work.result()
    found = other.agreement("A000")
    assert found is not None
    assert found.paid == (*held[0].paid, *years)
    assert [other.key_hash(f"A{n:03}") for n in range(2, 10)] == [f"key {n}" for n in range(2, 10)]


def test_a_key_survives_an_import_and_is_rotated(store: Store) -> None:
    store.import_agreements([agreement("A")], dry_run=False)
    assert store.key_hash("A") == ""
    store.set_key("A", "one", NOW)
    store.import_agreements([agreement("A", customer="Town")], dry_run=False)
    assert store.key_hash("A") == "one"
    store.set_key("A", "two", NOW)
    assert (store.key_hash("A"), store.key_hash("B")) == ("two", "")
    with pytest.raises(NotFound):
        store.set_key("B", "x", NOW)


def test_a_mail_is_claimed_by_one_sender(open_store: Callable[[], Store]) -> None:
    stores = [open_store(), open_store()]
    stores[0].open_ticket(ticket(), identity("c"), [mail(f"m{n}") for n in range(20)], NOW)
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda n: stores[n % 2].claim_mails(NOW, 5), range(8)))
    taken = [one.mail.id for claim in claims for one in claim]
    assert sorted(taken) == sorted(f"m{n}" for n in range(20))


def test_the_fates_of_a_mail(store: Store) -> None:
    store.open_ticket(ticket(), identity("c"), [mail("a"), mail("b"), mail("c")], NOW)
    assert store.oldest_unsent() == NOW
    store.claim_mails(NOW, 10)
    store.mail_sent("a", NOW)
    store.mail_failed("b", "later", NOW + timedelta(minutes=1))
    store.mail_failed("c", "never", None)
    assert {one.mail.id: (one.state, one.trouble) for one in store.mails(["sent", "waiting", "failed"])} == {
        "a": ("sent", ""),
        "b": ("waiting", "later"),
        "c": ("failed", "never"),
    }
    assert store.claim_mails(NOW, 10) == ()
    assert [one.attempts for one in store.claim_mails(NOW + timedelta(minutes=1), 10)] == [2]
    assert store.retry_mails(NOW, "a") == 0
    assert store.retry_mails(NOW) == 1
    assert [one.mail.id for one in store.claim_mails(NOW, 10)] == ["c"]
    for name in ("b", "c"):
        store.mail_sent(name, NOW)
    assert store.oldest_unsent() is None


def test_caps_count_the_folded_address_and_mail_goes_to_the_given_one(store: Store) -> None:
    """Promise 6: at most 3 mails an hour and 10 a day to an address that nobody has proved."""
    addresses = [
        "Ann@example.org",
        "ann@example.org",
        "ANN@EXAMPLE.ORG",
        "ann@example.org",
        "mi\u212ae@example.org",
    ]
    mails = [mail(f"m{n}", to, capped=True) for n, to in enumerate(addresses)]
    staff = [mail(f"s{n}") for n in range(5)]
    store.open_ticket(ticket(), identity("c"), [*mails, *staff], NOW)
    assert [one.mail.to for one in store.mails(["waiting"]) if one.mail.capped] == [
        *addresses[:3],
        addresses[4],
    ]
    assert [one.mail.id for one in store.mails(["suppressed"])] == ["m3"]
    assert len([one for one in store.mails(["waiting"]) if not one.mail.capped]) == 5
