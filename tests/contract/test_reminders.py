"""Promise 25: a reminder goes once per agreement and stage, however many remind at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.agreements import Agreement, Period
from chalicelib.ports import Outgoing, Reminded, Store

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
ENDS = date(2027, 2, 28)
HELD = Agreement(
    agreement="A",
    customer="City",
    stage="accepted",
    client_manager="",
    product="cityworks",
    licence="site",
    seats=None,
    starts=date(2026, 3, 1),
    contacts=("ann@example.org",),
)


def mail(number: str) -> Outgoing:
    return Outgoing(
        id=number,
        message_id=f"<{number}@x>",
        template="reminder_before",
        to="ann@example.org",
        about="A 2027-02-28 120",
        message=0,
        capped=False,
        created=NOW,
    )


def queued(store: Store) -> list[str]:
    return sorted(one.mail.id for one in store.mails(["waiting"]))


def test_a_reminder_is_kept_with_its_mails_once(store: Store) -> None:
    store.import_agreements([HELD], dry_run=False)
    assert store.remind(HELD, ENDS, 120, [mail("1"), mail("2")], NOW) is True
    assert store.remind(HELD, ENDS, 120, [mail("3")], NOW + timedelta(days=1)) is False
    assert queued(store) == ["1", "2"]
    assert store.reminded("A") == (Reminded(agreement="A", ends=ENDS, stage=120, when=NOW),)
    assert store.reminded("B") == ()


def test_no_earlier_stage_is_given_after_a_later_one(store: Store) -> None:
    """Whatever the clock does: moved back, it finds the stage of then behind the one that was given."""
    store.import_agreements([HELD], dry_run=False)
    for number, (stage, given) in enumerate([(60, True), (120, False), (90, False), (30, True), (-1, True)]):
        assert store.remind(HELD, ENDS, stage, [mail(str(number))], NOW) is given
    assert [one.stage for one in store.reminded("A")] == [60, 30, -1]
    assert queued(store) == ["0", "3", "4"]


def test_every_end_and_every_agreement_has_its_own(store: Store) -> None:
    other = replace(HELD, agreement="B")
    store.import_agreements([HELD, other], dry_run=False)
    assert store.remind(HELD, ENDS, 30, [mail("1")], NOW)
    assert store.remind(other, ENDS, 30, [mail("2")], NOW)
    assert store.remind(HELD, ENDS + timedelta(days=365), 30, [mail("3")], NOW)
    assert queued(store) == ["1", "2", "3"]


def test_an_agreement_that_was_changed_meanwhile_is_not_reminded(store: Store) -> None:
    """A renewal silences, also one that comes while the reminders are being reckoned."""
    store.import_agreements([HELD], dry_run=False)
    store.renew("A", Period(first=date(2027, 3, 1), last=date(2028, 2, 29)))
    assert store.remind(HELD, ENDS, 30, [mail("1")], NOW) is False
    assert store.remind(replace(HELD, agreement="gone"), ENDS, 30, [mail("2")], NOW) is False
    assert (queued(store), store.reminded("A")) == ([], ())


@pytest.mark.slow
def test_four_processes_at_once_give_each_reminder_once(
    race: Callable[[str], list[list[str]]], open_store: Callable[[], Store]
) -> None:
    store = open_store()
    numbers = [f"A{number}" for number in range(10)]
    store.import_agreements([replace(HELD, agreement=number) for number in numbers], dry_run=False)
    said = [word for words in race("reminder_racer.py") for word in words]
    assert sorted(said) == sorted(f"{number}:given" for number in numbers)
    assert len(queued(store)) == 20
    assert all(len(store.reminded(number)) == 1 for number in numbers)
