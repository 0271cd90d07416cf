"""First responses against the promise, from vectors reckoned by hand. Open 07:00 to 18:00."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chalicelib.life import STATES
from chalicelib.response_report import report


def rows(world: Any, **bounds: str) -> list[dict[str, object]]:
    desk = world.desk
    found = report(desk.store.tickets(STATES), desk.catalog().hours, desk.clock(), **bounds)
    return [row.as_json() for row in found]


def sent(world: Any, subject: str, **changes: str) -> Any:
    return world.desk.tickets.open(world.draft(subject=subject, **changes))


def answer(world: Any, receipt: Any, *, wait: bool = False) -> None:
    world.desk.handling.reply(receipt.number, "Words", world.act(), wait=wait)


def test_a_month_by_hand(world: Any) -> None:
    # P2: four hours. Monday 2026-11-23, 10:00 in Denver.
    one, two, three, four, five = (sent(world, f"P2 {n}", severity="P2") for n in range(5))
    world.pass_(hours=1)
    answer(world, one)  # 1 hour: in time
    world.pass_(hours=2)
    answer(world, two)  # 3 hours: in time
    world.desk.handling.wait(three.number, world.act())  # 3 hours are used
    world.desk.tickets.solved(five.token)  # closed without an answer
    world.pass_(days=1, hours=-2)  # Tuesday, 11:00
    world.desk.tickets.add_message(three.token, "Here")  # 9 opening hours did not count
    world.pass_(minutes=30)
    answer(world, three)  # 3.5 hours: in time
    world.pass_(minutes=30)
    answer(world, four)  # Monday 10:00 to Tuesday 12:00: 13 hours, late
    late = sent(world, "P1 1", severity="P1")  # due 13:00
    world.pass_(hours=1, seconds=1)
    sent(world, "P1 2", severity="P1")
    assert late.reply_by < world.now
    assert rows(world) == [
        {
            "month": "2026-11",
            "severity": "P1",
            "received": 2,
            "in_time": 0,
            "late": 1,
            "open": 1,
            "unanswered": 0,
            "median_hours": None,
            "p90_hours": None,
        },
        {
            "month": "2026-11",
            "severity": "P2",
            "received": 5,
            "in_time": 3,
            "late": 1,
            "open": 0,
            "unanswered": 1,
            "median_hours": 3.25,
            "p90_hours": 13.0,
        },
    ]


def test_the_ninetieth_percentile_of_ten_is_the_ninth(world: Any) -> None:
    receipts = [sent(world, f"{n}") for n in range(10)]
    for receipt in receipts:
        world.pass_(minutes=30)
        answer(world, receipt)
    (row,) = rows(world)
    assert (row["median_hours"], row["p90_hours"]) == (2.75, 4.5)


def test_a_month_is_one_of_the_vendors_zone(world: Any) -> None:
    world.now = datetime(2026, 12, 1, 6, 59, tzinfo=UTC)
    sent(world, "November, 23:59")
    world.pass_(minutes=1)
    sent(world, "December, 00:00")
    assert [row["month"] for row in rows(world)] == ["2026-11", "2026-12"]
    assert [row["month"] for row in rows(world, first="2026-12")] == ["2026-12"]
    assert [row["month"] for row in rows(world, last="2026-11")] == ["2026-11"]
    assert rows(world, first="2027-01") == []


def test_a_question_of_ours_is_a_first_answer_and_a_promise_of_then_decides(world: Any) -> None:
    receipt = sent(world, "asked", severity="P1")
    world.pass_(minutes=45)
    answer(world, receipt, wait=True)
    world.pass_(days=1)
    world.desk.handling.change(receipt.number, world.act(), severity="P4")
    (row,) = rows(world)
    assert (row["severity"], row["in_time"], row["median_hours"]) == ("P4", 1, 0.75)


def test_time_in_which_a_ticket_was_closed_by_mistake_does_not_count(world: Any) -> None:
    receipt = sent(world, "closed", severity="P2")
    world.pass_(hours=1)
    world.desk.handling.close(receipt.number, world.act())
    world.pass_(hours=5)
    world.desk.handling.reopen(receipt.number, world.act())
    world.pass_(hours=1)
    answer(world, receipt)
    (row,) = rows(world)
    assert (row["in_time"], row["late"], row["median_hours"]) == (1, 0, 2.0)


def test_an_answer_while_the_customer_is_waited_for_is_in_time_if_time_was_left(world: Any) -> None:
    early, late = (sent(world, name, severity="P1") for name in ("early", "late"))
    world.pass_(minutes=30)
    world.desk.handling.wait(early.number, world.act())
    world.pass_(minutes=60)
    world.desk.handling.wait(late.number, world.act())
    world.pass_(hours=4)
    for receipt in (early, late):
        answer(world, receipt)
    (row,) = rows(world)
    assert (row["in_time"], row["late"], row["median_hours"]) == (1, 1, 1.0)
    dues = [world.desk.store.ticket(receipt.number).first_due for receipt in (early, late)]
    assert [f"{due:%H:%M}" for due in dues] == ["23:00", "22:00"]  # in UTC: 16:00 and 15:00 in Denver
