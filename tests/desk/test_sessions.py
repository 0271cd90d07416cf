"""On-line sessions: an hour within opening hours, and invitations that calendars understand.

Promise 6: mail to an address nobody has proved they own has fixed words only, invitations too.
"""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from chalicelib import calendar_text
from chalicelib.drafts import FIELDS
from chalicelib.life import NotNow
from chalicelib.refusals import Invalid

TUESDAY = datetime(2026, 11, 24, 21, 0, tzinfo=UTC)  # 14:00 in Denver
POISON = {name: f"poison-{name}" for name in FIELDS if name not in ("email", "kind", "severity", "agreement")}


def asked(world: Any, **changes: str) -> Any:
    return world.desk.tickets.open(world.draft(kind="session", **changes))


def problems(refused: pytest.ExceptionInfo[Invalid]) -> list[tuple[str, str]]:
    return [(one.field, one.message) for one in refused.value.fields]


def invitations(world: Any) -> list[tuple[EmailMessage, Any]]:
    """The mails with a calendar, and what vobject and icalendar make of it."""
    world.desk.outbox.run()
    found = []
    for data in world.mails:
        mail: EmailMessage = email.message_from_bytes(data, policy=email.policy.default)  # type: ignore[assignment]
        if mail.get_content_type() != "multipart/alternative":
            continue
        words, calendar = mail.iter_parts()
        assert (words.get_content_type(), calendar.get_content_type()) == ("text/plain", "text/calendar")
        text = calendar.get_payload(decode=True).decode()  # type: ignore[union-attr]
        vobject.readOne(text).validate()
        (event,) = Calendar.from_ical(text).walk("VEVENT")
        assert calendar.get_param("method") == Calendar.from_ical(text)["METHOD"]
        assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
        found.append((mail, event))
    return sorted(found, key=lambda one: (one[1]["SEQUENCE"], one[0]["To"]))


def test_the_hour_that_was_asked_for_stands_on_the_page_until_it_is_planned(world: Any) -> None:
    receipt = asked(world, session_date="2026-11-24", session_time="14:00")
    view = world.desk.tickets.read(receipt.token)
    assert view.session == {
        "state": "asked",
        "start": "2026-11-24T14:00:00-07:00",
        "start_text": "Tuesday, November 24, 2026, 2:00 p.m. MST",
        "minutes": 60,
        "length_text": "1 hour",
        "calendar_url": "",
    }
    assert view.next_steps[1] == "We confirm the hour of your session, or offer another."
    with pytest.raises(NotNow, match=r"^No session is planned for this ticket yet\.$"):
        world.desk.tickets.calendar(receipt.token)
    world.desk.handling.session(receipt.number, TUESDAY, None, world.act())
    view = world.desk.tickets.read(receipt.token)
    assert (view.session["state"], view.session["calendar_url"]) == ("planned", f"{receipt.url}/session.ics")


@pytest.mark.parametrize(
    ("day", "time", "wrong"),
    [
        (
            "2026-11-26",
            "10:00",
            [
                (
                    "session_time",
                    "We are not open then for as long as that. The nearest hour that we can offer is "
                    "Monday, November 30, 2026, 7:00 a.m. MST.",
                )
            ],
        ),
        (
            "2026-11-24",
            "17:30",
            [
                (
                    "session_time",
                    "We are not open then for as long as that. The nearest hour that we can offer is "
                    "Tuesday, November 24, 2026, 5:00 p.m. MST.",
                )
            ],
        ),
        (
            "2026-11-23",
            "09:00",
            [
                (
                    "session_time",
                    "Choose an hour to come. The nearest hour that we can offer is "
                    "Monday, November 23, 2026, 10:00 a.m. MST.",
                )
            ],
        ),
        (
            "24.11.2026",
            "",
            [
                ("session_date", "Enter a day such as 2026-12-01."),
                ("session_time", "Enter a time too, such as 14:30."),
            ],
        ),
        (
            "",
            "2 pm",
            [
                ("session_date", "Enter a day too, such as 2026-12-01."),
                ("session_time", "Enter a time such as 14:30."),
            ],
        ),
    ],
)
def test_an_hour_that_cannot_be_is_refused_with_the_nearest_that_can(
    world: Any, day: str, time: str, wrong: list[tuple[str, str]]
) -> None:
    with pytest.raises(Invalid) as refused:
        asked(world, session_date=day, session_time=time, name="")
    assert problems(refused) == [("name", "Enter your name."), *wrong]


def test_an_hour_is_for_a_session_only(world: Any) -> None:
    with pytest.raises(Invalid) as refused:
        world.desk.tickets.open(world.draft(session_date="2026-11-28", session_time="23:00"))
    assert problems(refused) == [
        (
            "session_date",
            "An hour is for a session: choose an on-line session above, or leave day and time empty.",
        )
    ]


def test_both_sides_are_invited_the_session_moves_and_is_called_off(world: Any) -> None:
    receipt = asked(world, **POISON)
    handling = world.desk.handling
    handling.session(receipt.number, TUESDAY, 90, world.act())
    handling.session(receipt.number, TUESDAY.replace(hour=16), None, world.act())
    handling.cancel_session(receipt.number, world.act())
    sent = invitations(world)
    assert [(mail["To"], event["SEQUENCE"], event["STATUS"]) for mail, event in sent] == [
        ("ann@example.org", 0, "CONFIRMED"),
        ("services@example.com", 0, "CONFIRMED"),
        ("ann@example.org", 1, "CONFIRMED"),
        ("services@example.com", 1, "CONFIRMED"),
        ("services@example.com", 2, "CANCELLED"),
    ]  # the fourth mail in an hour to an address that nobody has proved is held back: promise 6
    assert {str(event["UID"]) for _, event in sent} == {f"session-{receipt.number}-1@support.example.com"}
    assert [event["DTSTART"].dt.hour for _, event in sent] == [21, 21, 16, 16, 16]
    assert {(event["DTEND"].dt - event["DTSTART"].dt).seconds // 60 for _, event in sent} == {90}
    for mail, event in sent:
        assert str(event["ORGANIZER"]) == "mailto:services@example.com"
        assert str(event["ATTENDEE"]) == "mailto:ann@example.org"
        assert str(event["SUMMARY"]) == f"On-line session, request {receipt.number}"
        assert ("URL" in event) == (mail["To"] == "ann@example.org")
        if mail["To"] == "ann@example.org":
            assert "poison" not in mail.as_string()
            assert str(event["URL"]) == receipt.url
        else:
            assert "poison" not in event.to_ical().decode()
            assert receipt.token not in mail.as_string()


def test_after_a_cancellation_a_new_session_is_another_one(world: Any) -> None:
    receipt = asked(world)
    handling = world.desk.handling
    with pytest.raises(NotNow, match=f"^No session is planned for {receipt.number}\\.$"):
        handling.cancel_session(receipt.number, world.act())
    handling.session(receipt.number, TUESDAY, None, world.act())
    same = handling.session(receipt.number, TUESDAY, 60, world.act())
    handling.cancel_session(receipt.number, world.act())
    again = handling.session(receipt.number, TUESDAY, None, world.act())
    assert (same.session.sequence, same.revision) == (0, 2)
    assert (again.session.uid, again.session.sequence) == (
        f"session-{receipt.number}-2@support.example.com",
        0,
    )


def test_staff_are_held_to_opening_hours_too(world: Any) -> None:
    receipt = asked(world)
    with pytest.raises(Invalid, match=r"nearest hour that we can offer is Tuesday, November 24"):
        world.desk.handling.session(receipt.number, TUESDAY.replace(hour=23), 180, world.act())
    assert world.desk.store.acts()[0] == ()


def test_the_page_has_the_session_for_ones_own_calendar(world: Any) -> None:
    receipt = asked(world)
    world.desk.handling.session(receipt.number, TUESDAY, None, world.act())
    text = world.desk.tickets.calendar(receipt.token)
    assert text == world.desk.tickets.calendar(receipt.token)
    vobject.readOne(text).validate()
    calendar = Calendar.from_ical(text)
    (event,) = calendar.walk("VEVENT")
    assert (calendar["METHOD"], event["DTSTART"].dt, "ATTENDEE" in event) == ("PUBLISH", TUESDAY, False)


@given(st.text())
def test_any_text_comes_back_from_a_folded_and_escaped_line(value: str) -> None:
    line = calendar_text.line("SUMMARY", calendar_text.text(value))
    for piece in line.removesuffix("\r\n").split("\r\n"):
        assert len(piece.encode("utf-8", "surrogatepass")) <= 75
    whole = calendar_text.calendar("", [calendar_text.component("VEVENT", [line])])
    if any("\ud800" <= c <= "\udfff" for c in value):
        return  # refused at the door
    (event,) = Calendar.from_ical(whole).walk("VEVENT")
    shown = "".join(c for c in value.replace("\r\n", "\n") if c == "\n" or (c >= " " and c != "\x7f"))
    assert str(event["SUMMARY"]) == shown


def test_a_value_that_would_end_its_line_is_refused() -> None:
    with pytest.raises(ValueError, match="the value of URL holds a line end"):
        calendar_text.line("URL", "https://x\r\nATTENDEE:mailto:eve@example.org")
    assert calendar_text.line("ORGANIZER", "mailto:a@b", ("CN", 'A "B": C\r\n')) == (
        'ORGANIZER;CN="A B: C":mailto:a@b\r\n'
    )
