"""My page: one's own things and nobody else's; and what a session opens without a key."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import icalendar
import pytest
import vobject

from chalicelib.agreements import Period
from chalicelib.drafts import TicketDraft
from chalicelib.ports import WebSession
from chalicelib.ports.subscriptions import Change
from chalicelib.signing import fingerprint

ANN, BO = "ann@example.gov", "bo@example.gov"


@pytest.fixture
def city(house: Any) -> Any:
    """Ann is a contact of all agreements of the house: current, lapsed, withdrawn; Bo of one of his own."""
    kept = [replace(one, contacts=("Ann@example.gov",)) for one in house.desk.store.agreements()]
    other = replace(kept[0], agreement="AZ-2001", customer="Village of Others", contacts=(BO,))
    house.desk.store.import_agreements([*kept, other], dry_run=False)
    return house


def signed_in(house: Any, address: str = ANN) -> dict[str, str]:
    """The Cookie header of a browser in which somebody has signed in (how is proved in test_sign_in.py)."""
    desk, secret = house.desk, secrets.token_urlsafe(32)
    asked = desk.sign_ins.ask(address)
    held = desk.store.sign_in(address)
    assert asked.email == address
    session = WebSession(
        id=secrets.token_hex(8),
        secret_hash=fingerprint(secret),
        address=address,
        browser="Firefox on Linux",
        began=desk.clock(),
        seen=desk.clock(),
    )
    assert desk.store.redeem_sign_in(held, session, instead_of="", now=desk.clock())
    return {"Cookie": f"__Host-session={secret}"}


def ticket(house: Any, email: str = ANN, **changes: str) -> str:
    """Opens a ticket; its number."""
    values = {"name": "A", "email": email, "kind": "question", "severity": "P3", "description": "d"}
    return str(house.desk.tickets.open(TicketDraft(**{**values, "subject": "s", **changes})).number)


def test_who_has_not_signed_in_is_led_to_where_one_does(house: Any) -> None:
    page = house.client.page("/api/me")
    assert (page.status, page.headers["location"]) == (303, "/support/sign-in/?next=%2Fapi%2Fme")
    said = house.client.get("/api/me")
    assert said.status == 401
    assert said.json["title"] == "You are not signed in"
    assert said.headers["www-authenticate"] == 'Cookie realm="support", form-action="/support/sign-in/"'
    for cookie in ("__Host-session=none", "__Host-session="):
        assert house.client.get("/api/me", Cookie=cookie).status == 401


def test_agreements_say_the_same_as_a_look_up_with_their_keys(city: Any) -> None:
    mine = city.client.get("/api/me", **signed_in(city)).json["agreements"]
    by_key = [
        city.client.json("/api/renewals", {"agreement": number, "key": city.keys[number]}).json
        for number in ("AZ-1001", "AZ-1002")
    ]
    assert mine == by_key
    # The withdrawn one is as absent here as with its key.
    assert (
        city.client.json("/api/renewals", {"agreement": "AZ-1003", "key": city.keys["AZ-1003"]}).status == 404
    )


def test_downloads_are_those_that_can_be_had(city: Any) -> None:
    me = signed_in(city)
    found = city.client.get("/api/me", **me).json["downloads"]
    assert [(one["version"], one["agreement"], one["released"]) for one in found] == [
        ("2.0", "AZ-1001", "2026-06-01"),
        ("1.0", "AZ-1001", "2024-06-01"),
    ]
    for one in found:
        (file,) = one["files"]
        asked = {"agreement": one["agreement"], "product": one["product"], "version": one["version"]}
        got = city.client.json("/api/downloads", {**asked, "file": file["name"]}, **me)
        assert got.status == 200
        assert (got.json["sha256"], got.json["size"]) == (file["sha256"], file["size"])
        assert got.json["notes_url"] == one["notes_url"]


def test_a_lapsed_agreement_lists_what_was_released_while_it_was_covered(city: Any) -> None:
    lapsed = replace(city.desk.store.agreement("AZ-1002"), contacts=(BO,))
    other = replace(city.desk.store.agreement("AZ-2001"), contacts=())
    city.desk.store.import_agreements([lapsed, other], dry_run=False)
    found = city.client.get("/api/me", **signed_in(city, BO)).json
    assert [one["version"] for one in found["downloads"]] == ["1.0"]
    assert [one["state"] for one in found["agreements"]] == ["lapsed"]


def test_a_page_shows_nothing_of_anybody_else(city: Any) -> None:
    ticket(city, ANN, subject="Ann's own matter")
    ticket(city, BO, subject="Bo's own matter")
    page = city.client.page("/api/me", **signed_in(city, BO)).text
    assert "AZ-2001" in page
    assert "Bo&#39;s own matter" in page
    for other in ("AZ-1001", "AZ-1002", "AZ-1003", "Exampleville", "Ann", ANN):
        assert other not in page


def test_somebody_with_nothing_sees_an_empty_page(house: Any) -> None:
    ticket(house, "zoe@example.gov")
    me = signed_in(house, "zoe@example.gov")
    found = house.client.get("/api/me", **me).json
    assert (found["agreements"], found["downloads"], found["calendar_url"]) == ([], [], "")
    assert house.client.page("/api/me", **me).status == 200


def test_tickets_come_page_by_page_and_open_by_their_links(city: Any) -> None:
    numbers = []
    for number in range(23):
        numbers.append(ticket(city, subject=f"Matter {number}"))
        city.clock.now += timedelta(minutes=11)
    me = signed_in(city)
    first = city.client.get("/api/me", **me).json
    assert [one["number"] for one in first["tickets"]] == numbers[:2:-1]
    more = city.client.get(f"/api/me?tickets={first['more_tickets']}", **me).json
    assert [one["number"] for one in more["tickets"]] == numbers[2::-1]
    assert more["more_tickets"] == ""
    url = more["tickets"][0]["url"].removeprefix(city.desk.settings.url)
    assert city.client.get(url).json["subject"] == "Matter 2"
    page = city.client.page("/api/me", **me)
    (link,) = re.findall(r'href="(/api/me\?tickets=[^"#]+)#tickets"', page.text)
    assert parse_qs(urlsplit(link).query)["tickets"]
    assert "Matter 2<" in city.client.page(link, **me).text


def test_the_mark_of_another_or_one_that_was_changed_begins_anew(city: Any) -> None:
    for number in range(21):
        ticket(city, subject=f"Matter {number}")
        ticket(city, BO, subject=f"Bo's {number}")
        city.clock.now += timedelta(minutes=11)
    mark = city.client.get("/api/me", **signed_in(city)).json["more_tickets"]
    bo = signed_in(city, BO)
    newest = city.client.get("/api/me", **bo).json["tickets"]
    for wrong in (mark, mark[:-2], "x", "%00", "e30.e30"):
        assert city.client.get(f"/api/me?tickets={wrong}", **bo).json["tickets"] == newest


@pytest.mark.parametrize("path", ["/api/renewals", "/api/downloads", "/api/updates"])
def test_a_contact_who_has_signed_in_needs_no_key(city: Any, path: str) -> None:
    asked = {"agreement": "AZ-1001"}
    if path != "/api/renewals":
        asked |= {"product": "widget", "version": "2.0"}
    with_key = city.client.json(path, {**asked, "key": city.keys["AZ-1001"]})
    without = city.client.json(path, asked, **signed_in(city))
    assert with_key.status == without.status == 200
    assert {**without.json, "url": ""} == {**with_key.json, "url": ""}


@pytest.mark.parametrize("path", ["/api/renewals", "/api/downloads", "/api/updates"])
def test_without_a_key_everything_that_is_not_ones_own_is_refused_alike(city: Any, path: str) -> None:
    """Promise 9: byte for byte as a wrong key is."""
    more = {} if path == "/api/renewals" else {"product": "widget", "version": "2.0"}
    ann, bo = signed_in(city), signed_in(city, BO)
    replies = [
        city.client.json(path, {"agreement": "AZ-1001", "key": "WRONG", **more}),
        city.client.json(path, {"agreement": "AZ-1001", **more}, **bo),
        city.client.json(path, {"agreement": "AZ-1001", "key": "WRONG", **more}, **ann),
        city.client.json(path, {"agreement": "AZ-1003", **more}, **ann),
        city.client.json(path, {"agreement": "AZ-9999", **more}, **ann),
    ]
    assert {reply.status for reply in replies} == {404}
    assert len({reply.body for reply in replies}) == 1


@pytest.mark.parametrize("path", ["/api/renewals", "/api/downloads", "/api/updates"])
def test_without_a_key_and_a_session_the_answer_says_so_and_knows_no_agreement(city: Any, path: str) -> None:
    """Promise 9: the same bytes for one's own agreement, a withdrawn one and none."""
    more = {} if path == "/api/renewals" else {"product": "widget", "version": "2.0"}
    none = {"Cookie": "__Host-session=none"}
    replies = [
        city.client.json(path, {"agreement": number, **more}, **cookie)
        for number in ("AZ-1001", "AZ-1003", "AZ-9999")
        for cookie in ({}, none)
    ]
    assert {reply.status for reply in replies} == {422}
    assert len({reply.body for reply in replies}) == 1
    told = "Enter the key of your agreement, or sign in and leave it empty."
    assert replies[0].json["errors"] == [{"field": "key", "message": told}]


def test_a_session_that_is_over_opens_nothing(city: Any) -> None:
    """Promise 19."""
    me = signed_in(city)
    city.clock.now += timedelta(hours=2)
    assert city.client.get("/api/me", **me).status == 401
    assert city.client.json("/api/renewals", {"agreement": "AZ-1001"}, **me).status == 422
    assert city.client.json("/api/me/calendar", {}, **me).status == 401


def test_a_ticket_of_who_has_signed_in_is_proved(city: Any) -> None:
    """Its mail has no cap, and its agreement is known without being named."""
    current = city.desk.store.agreement("AZ-1001")
    rest = [replace(one, contacts=()) for one in city.desk.store.agreements() if one != current]
    city.desk.store.import_agreements(rest, dry_run=False)
    me = signed_in(city)
    body = {"name": "A", "email": "ANN@example.gov", "kind": "question", "severity": "P3", "description": "d"}
    for number in range(5):
        assert city.client.json("/api/tickets", {**body, "subject": f"s{number}"}, **me).status == 201
    receipts = [one for one in city.desk.store.mails(["waiting"]) if one.mail.template == "visitor_receipt"]
    assert len(receipts) == 5
    assert {(one.agreement, one.covered) for one in city.desk.store.tickets(["open"])} == {("AZ-1001", "yes")}


def test_a_ticket_for_another_address_proves_nothing(city: Any) -> None:
    me = signed_in(city)
    body = {"name": "A", "email": BO, "kind": "question", "severity": "P3", "description": "d"}
    for number in range(4):
        city.client.json("/api/tickets", {**body, "subject": f"s{number}"}, **me)
    assert len([one for one in city.desk.store.mails(["suppressed"]) if one.mail.to == BO]) == 1
    assert {(one.agreement, one.covered) for one in city.desk.store.tickets(["open"])} == {("", "unknown")}


def test_ones_sessions_are_listed_and_can_be_ended(city: Any) -> None:
    """Promise 19."""
    one = signed_in(city)
    city.clock.now += timedelta(minutes=1)
    other = signed_in(city)
    found = city.client.get("/api/me", **one).json["sessions"]
    assert [(each["browser"], each["this"]) for each in found] == [
        ("Firefox on Linux", False),
        ("Firefox on Linux", True),
    ]
    page = city.client.page("/api/me", **one)
    assert page.text.count('name="session"') == 1
    done = city.client.form("/api/sign-out", {"session": found[0]["id"]}, **one)
    assert (done.status, done.headers["location"]) == (303, "/api/me#sessions")
    assert city.client.get("/api/me", **other).status == 401
    assert city.client.get("/api/me", **one).status == 200


def test_reading_my_page_changes_nothing(city: Any) -> None:
    me = signed_in(city)
    before = city.client.get("/api/me", **me).body
    city.client.page("/api/me", **me)
    assert city.client.get("/api/me", **me).body == before
    assert city.desk.store.calendar(ANN) is None


def test_the_mails_that_one_gets_are_shown_with_the_way_to_change_them(city: Any) -> None:
    me = signed_in(city)
    assert city.client.get("/api/me", **me).json["subscription"] is None
    assert 'href="/support/subscribe/"' in city.client.page("/api/me", **me).text
    desk = city.desk
    new = replace(desk.subscriptions.new(ANN, source="form"), state="confirmed", topics=("newsletter",))
    desk.store.change_subscriber(ANN, lambda held, bar: Change(subscriber=new))
    found = city.client.get("/api/me", **me).json["subscription"]
    assert (found["state"], found["topics"]) == ("confirmed", ["newsletter"])
    path = found["leave_url"].removeprefix(desk.settings.url)
    assert f'href="{path}"' in city.client.page("/api/me", **me).text
    assert city.client.get(path).status == 200


def calendar(house: Any, me: dict[str, str]) -> str:
    """Makes a calendar's address; its path."""
    url = house.client.json("/api/me/calendar", {}, **me).json["calendar_url"]
    return str(url.removeprefix(house.desk.settings.url))


def test_ones_calendar_tells_ends_and_reminders(city: Any) -> None:
    me = signed_in(city)
    reply = city.client.get(calendar(city, me))
    assert reply.headers["content-type"] == "text/calendar; charset=utf-8"
    made = icalendar.Calendar.from_ical(reply.body)
    told = {
        str(event["UID"]): (event["DTSTART"].dt, str(event["SUMMARY"]), int(event["SEQUENCE"]))
        for event in made.walk("VEVENT")
    }
    assert told == {
        "agreement-AZ-1001-end@127.0.0.1": (
            date(2027, 2, 28),
            "Last covered day of agreement AZ-1001 (Widget)",
            364,
        ),
        "agreement-AZ-1001-reminder-30@127.0.0.1": (
            date(2027, 1, 29),
            "Renew agreement AZ-1001 (Widget): 30 days left",
            334,
        ),
        "agreement-AZ-1002-end@127.0.0.1": (
            date(2025, 12, 31),
            "Last covered day of agreement AZ-1002 (Widget)",
            730,
        ),
        "agreement-AZ-1002-reminder-30@127.0.0.1": (
            date(2025, 12, 1),
            "Renew agreement AZ-1002 (Widget): 30 days left",
            700,
        ),
    }
    (read,) = vobject.readComponents(reply.text)
    assert read.validate(raiseException=True)
    assert city.client.get(calendar(city, me)).body == reply.body


def test_a_renewal_moves_the_end_under_the_same_uid_with_a_higher_sequence(city: Any) -> None:
    me = signed_in(city)
    path = calendar(city, me)

    def end() -> tuple[str, date, int]:
        made = icalendar.Calendar.from_ical(city.client.get(path).body)
        (event,) = (one for one in made.walk("VEVENT") if str(one["UID"]).startswith("agreement-AZ-1001-end"))
        return str(event["UID"]), event["DTSTART"].dt, int(event["SEQUENCE"])

    before = end()
    city.desk.store.renew("AZ-1001", Period(first=date(2027, 3, 1), last=date(2028, 2, 29)))
    after = end()
    assert (before[0], before[1]) == (after[0], date(2027, 2, 28))
    assert after[1] == date(2028, 2, 29)
    assert after[2] > before[2]


def test_a_new_address_ends_the_old_one_and_it_can_be_taken_away(city: Any) -> None:
    me = signed_in(city)
    older = calendar(city, me)
    newer = calendar(city, me)
    assert older != newer
    assert city.client.get(older).status == 404
    assert city.client.get(newer).status == 200
    assert newer in city.client.page("/api/me", **me).text.replace("<wbr>", "")  # where its line may end
    assert city.client.json("/api/me/calendar", {"remove": "yes"}, **me).json == {"calendar_url": ""}
    assert city.client.get(newer).body == city.client.get("/api/calendar/none.ics").body
    # Nobody's calendar is made without them.
    assert city.client.form("/api/me/calendar", {}).headers["location"].startswith("/support/sign-in/")


def test_a_calendar_opens_no_ticket(city: Any) -> None:
    """It holds the on-line session of a ticket, and not the ticket's secret address."""
    number = ticket(city, kind="session")
    act = city.desk.act("Robin", "plan session", number)
    city.desk.handling.session(number, datetime.fromisoformat("2026-11-24T10:00-07:00"), 60, act)
    reply = city.client.get(calendar(city, signed_in(city)))
    assert f"On-line session\\, request {number}" in reply.text.replace("\r\n ", "")
    assert "/api/tickets/" not in reply.text.replace("\r\n ", "")
    (read,) = vobject.readComponents(reply.text)
    assert read.validate(raiseException=True)


def test_nothing_secret_of_a_calendar_lies_in_the_store(city: Any) -> None:
    """Promise 28."""
    path = calendar(city, signed_in(city))
    token = path.removeprefix("/api/calendar/").removesuffix(".ics")
    file = city.desk.settings.var / "desk.sqlite3"
    assert not any(token.encode() in one.read_bytes() for one in file.parent.glob("desk.sqlite3*"))
