"""Promise 25: a reminder goes once per agreement and stage, however often the scheduler runs and whatever the
clock does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.agreements import Period, renewal
from chalicelib.catalog import read
from chalicelib.ports import Suppression
from chalicelib.reminders import AFTER, due
from chalicelib.work import DailyReminders
from desk.cli import main
from desk.terminal import Wired

CATALOG = Path(__file__).with_name("catalog.json")
RULES = read(CATALOG.read_text(encoding="utf-8")).rules
NUMBERS = count(1)
ENDS = date(2027, 2, 28)  # of the world's agreement; the policy says 120, 90, 60, 30, 7 and 1 days before


def on(world: Any, day: date) -> Any:
    """The world at 10:00 in Denver of that day."""
    world.now = world.now.replace(year=day.year, month=day.month, day=day.day)
    return world


def given_now(world: Any) -> list[tuple[str, int]]:
    return [(one.agreement, one.stage) for one in world.desk.reminders.give() if one.outcome == "given"]


def letters(world: Any) -> list[EmailMessage]:
    world.desk.outbox.run()
    return [message_from_bytes(mail, policy=policy.default) for mail in world.mails]  # type: ignore[misc]


def text_of(letter: EmailMessage) -> str:
    return str(letter.get_content()).replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("left", "stage"),
    [
        (121, None),
        (120, 120),
        (119, 120),
        (91, 120),
        (90, 90),
        (60, 60),
        (31, 60),
        (30, 30),
        (8, 30),
        (7, 7),
        (2, 7),
        (1, 1),
        (0, 1),
        (-1, AFTER),
        (-7, AFTER),
        (-8, None),
        (-800, None),
    ],
)
def test_the_nearest_stage_that_has_come_is_due(world: Any, left: int, stage: int | None) -> None:
    found = due(world.agreement(), RULES, ENDS - timedelta(days=left))
    assert (found and (found.stage, found.ends)) == (stage and (stage, ENDS))


def test_nobody_is_reminded_of_what_they_have_renewed_given_up_or_not_begun(world: Any) -> None:
    held = world.agreement()
    later = Period(first=date(2027, 3, 1), last=date(2028, 2, 29))
    gap = Period(first=date(2027, 6, 1), last=date(2028, 5, 31))
    for left in (120, 1, 0, -1):
        day = ENDS - timedelta(days=left)
        assert due(replace(held, paid=(later,)), RULES, day) is None
        assert due(replace(held, paid=(gap,)), RULES, day) is None
        assert due(replace(held, withdrawn=date(2027, 1, 1)), RULES, day) is None
        assert due(held, (replace(RULES[0], reminders=()),), day) is None
    seats = replace(held, licence="seat", seats=5)  # 90 days in all: neither 120 nor 90 can be before them
    assert due(seats, RULES, date(2026, 2, 28)) is None
    assert due(seats, RULES, date(2026, 3, 1)) is None
    found = due(seats, RULES, date(2026, 3, 30))
    assert found is not None
    assert found.stage == 60


def test_a_year_of_days_gives_each_stage_once_on_its_day(world: Any) -> None:
    world.keep(world.agreement(contacts=("ann@example.org", "bo@example.org")))
    days: dict[str, list[tuple[str, int]]] = {}
    for left in range(150, -30, -1):
        on(world, ENDS - timedelta(days=left))
        for _ in range(2):
            for one in given_now(world):
                days.setdefault(str(left), []).append(one)
    assert days == {
        str(left): [("US-1", stage)]
        for left, stage in [*((days, days) for days in (120, 90, 60, 30, 7, 1)), (-1, AFTER)]
    }
    assert len(world.desk.store.mails(["waiting"])) == 14


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(-20, 150), max_size=25))
def test_law_whatever_the_clock_does_no_stage_goes_twice_or_after_a_later_one(
    world: Any, lefts: list[int]
) -> None:
    number = f"US-{next(NUMBERS)}"
    world.keep(world.agreement(agreement=number))
    told: list[int] = []
    for left in lefts:
        day = ENDS - timedelta(days=left)
        now = on(world, day)
        mine = [stage for one, stage in given_now(now) if one == number]
        assert len(mine) <= 1
        told += mine
    assert told == sorted(set(told), reverse=True)
    assert [one.stage for one in world.desk.store.reminded(number)] == told
    world.desk.store.withdraw(number, date(2026, 1, 1))


def test_days_without_a_desk_make_no_burst(world: Any) -> None:
    world.keep(world.agreement())
    assert given_now(on(world, ENDS - timedelta(days=120))) == [("US-1", 120)]
    assert given_now(on(world, ENDS - timedelta(days=20))) == [("US-1", 30)]
    assert given_now(on(world, ENDS - timedelta(days=19))) == []


def test_a_renewal_silences_and_its_own_end_has_its_own_reminders(world: Any) -> None:
    world.keep(world.agreement())
    held = world.desk.store.agreement("US-1")
    assert given_now(on(world, ENDS - timedelta(days=30))) == [("US-1", 30)]
    world.desk.store.renew("US-1", renewal(held, RULES, None, None))
    for left in (7, 1, -1):
        assert given_now(on(world, ENDS - timedelta(days=left))) == []
    assert given_now(on(world, date(2028, 2, 29) - timedelta(days=120))) == [("US-1", 120)]


def test_a_mail_of_a_renewed_agreement_is_dropped_and_is_no_failure(world: Any) -> None:
    world.keep(world.agreement())
    given_now(on(world, ENDS - timedelta(days=30)))
    world.desk.store.renew("US-1", renewal(world.agreement(), RULES, None, None))
    assert letters(world) == []
    (dropped,) = world.desk.store.mails(["waiting", "failed", "suppressed"])
    assert (dropped.state, dropped.trouble) == ("suppressed", "the agreement was renewed")


def test_the_reminder_says_the_dates_and_whom_to_ask(world: Any) -> None:
    world.keep(world.agreement(contacts=("ann@example.org",)))
    given_now(on(world, ENDS - timedelta(days=30)))
    (letter,) = letters(world)
    assert letter["To"] == "ann@example.org"
    assert letter["Subject"] == "Your agreement US-1 covers you until February 28, 2027"
    assert letter["Reply-To"] == "services@example.com"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert text_of(letter) == (
        "The Update and Support agreement US-1 of City of Example for Cityworks\n"
        "covers you until February 28, 2027, that day included.\n"
        "\n"
        "Renew it, and every new version and update of Cityworks stays yours.\n"
        "Without a renewal, after that:\n"
        "\n"
        "- you can download what was released while the agreement covered you, and nothing newer;\n"
        "- your tickets are still read, and marked as not covered.\n"
        "\n"
        "See your dates, and why they are what they are:\n"
        "https://support.example.com/support/renewal/\n"
        "\n"
        "To renew, or if the order takes its time, answer this mail or call +1 555 0100.\n"
        "Please name the agreement US-1.\n"
        "\n"
        "You get this because you are a contact of the agreement. If you should not\n"
        "be, tell us.\n"
        "\n"
        "Example Systems\n"
    )


def test_after_the_end_it_says_so_with_the_grace(world: Any, tmp_path: Path) -> None:
    said = json.loads(CATALOG.read_text(encoding="utf-8"))
    said["policy"]["rules"][0] |= {"grace": "10 days", "lapsed_downloads": "none"}
    own = tmp_path / "catalog.json"
    own.write_text(json.dumps(said))
    world.environ["SUPPORT_CATALOG"] = str(own)
    world.desk = world.started()
    world.keep(world.agreement())
    given_now(on(world, ENDS + timedelta(days=1)))
    (letter,) = letters(world)
    assert letter["Subject"] == "Your agreement US-1 ended on February 28, 2027"
    assert "covered you until February 28, 2027.\nA period of grace lasts until March 10, 2027.\n" in (
        text_of(letter)
    )
    assert "- you can download nothing more;\n" in text_of(letter)


def test_who_has_no_contact_or_only_dead_ones_is_listed_and_told_once_there_is_one(world: Any) -> None:
    world.keep(
        world.agreement(contacts=()), world.agreement(agreement="US-2", contacts=("dead@example.org",))
    )
    on(world, ENDS - timedelta(days=30))
    dead = Suppression(email="dead@example.org", reason="hard bounce", detail="", since=world.now)
    world.desk.store.change_suppression(dead.email, lambda held: dead)
    reminders = world.desk.reminders
    assert [(one.agreement, one.outcome) for one in reminders.give()] == [
        ("US-1", "nobody to tell"),
        ("US-2", "nobody to tell"),
    ]
    world.desk.store.amend("US-1", lambda held: replace(held, contacts=("ann@example.org",)))
    assert [(one.agreement, one.outcome) for one in reminders.give()] == [
        ("US-1", "given"),
        ("US-2", "nobody to tell"),
    ]


@pytest.fixture
def run(world: Any) -> Any:
    def invoke(*arguments: str) -> Result:
        wired = Wired(world.environ, lambda environ: world.started(**environ))
        return CliRunner().invoke(main, ("remind", *arguments), obj=wired)

    return invoke


def test_the_command_lists_what_is_and_will_be_given(run: Any, world: Any) -> None:
    world.keep(world.agreement(), world.agreement(agreement="US-2", contacts=()))
    on(world, ENDS - timedelta(days=30))
    row = {"agreement": "US-1", "customer": "City of Example", "ends": "2027-02-28", "stage": 30}
    row |= {"contacts": ["ann@example.org"], "when": "2027-01-29T17:00:00+00:00"}
    other = row | {"agreement": "US-2", "contacts": [], "outcome": "nobody to tell"}

    def said(*arguments: str) -> Any:
        return json.loads(run(*arguments, "--json").output)

    assert said("--dry-run") == [row | {"outcome": "to be given"}, other]
    assert world.desk.store.mails(["waiting"]) == ()
    assert said() == [row | {"outcome": "given"}, other]
    world.pass_(days=1)
    assert said("--dry-run")[0] == row | {"outcome": "given before"}
    assert run().output.splitlines() == [
        "agreement  customer         ends        stage           outcome         when"
        "                                        contacts",
        "US-1       City of Example  2027-02-28  30 days before  given before    "
        "Friday, January 29, 2027, 10:00 a.m. MST    ann@example.org",
        "US-2       City of Example  2027-02-28  30 days before  nobody to tell  "
        "Saturday, January 30, 2027, 10:00 a.m. MST",
    ]
    assert [(one["agreement"], one["stage"], one["when"]) for one in said("--coming", "30")] == [
        ("US-1", 7, "2027-02-21"),
        ("US-2", 7, "2027-02-21"),
        ("US-1", 1, "2027-02-27"),
        ("US-2", 1, "2027-02-27"),
        ("US-1", -1, "2027-03-01"),
        ("US-2", -1, "2027-03-01"),
    ]
    assert len(world.desk.store.mails(["waiting"])) == 1


def test_nothing_due_is_said(run: Any) -> None:
    assert run().output == "No reminder is due.\n"
    assert run("--coming", "7").output == "No reminder comes in the next 7 days.\n"


def test_the_worker_gives_them_when_the_vendor_opens_and_again_the_next_day(world: Any) -> None:
    world.keep(world.agreement())
    on(world, ENDS - timedelta(days=121))  # 11:00 in summer time, the vendor opens at 7:00
    daily = DailyReminders(world.desk)
    assert daily() == 0
    world.pass_(hours=19, minutes=59)
    assert daily() == 0
    world.pass_(minutes=1)
    assert daily() == 1
    assert daily() == 0
    assert DailyReminders(world.started())() == 0
    assert DailyReminders(world.started(SUPPORT_CATALOG="/nowhere/catalog.json"))() == 0
    assert [one.stage for one in world.desk.store.reminded("US-1")] == [120]


def test_agreements_of_which_the_policy_says_nothing_stop_no_other(world: Any) -> None:
    world.keep(world.agreement(agreement="OLD", starts=date(1980, 1, 1)), world.agreement())
    assert given_now(on(world, ENDS - timedelta(days=30))) == [("US-1", 30)]
