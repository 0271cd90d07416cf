"""The life of a ticket over HTTP: what its page offers, and what strangers get."""

from __future__ import annotations

from typing import Any

import jsonschema
import lxml.html
import pytest
import vobject

TICKET = {
    "name": "Dana Ortiz",
    "email": "dana@example.gov",
    "organization": "City of Exampleville",
    "product": "widget",
    "version": "2.0",
    "kind": "session",
    "severity": "P3",
    "subject": "Please have a look with us",
    "description": "All of it.",
}


def opened(house: Any, **changes: str) -> str:
    """The path of a new ticket's page."""
    return str(house.client.form("/api/tickets", {**TICKET, **changes}).headers["location"])


def ticket(house: Any) -> Any:
    (found,) = house.desk.store.tickets(["open", "waiting", "answered", "closed"])
    return found


def act(house: Any) -> Any:
    return house.desk.act("Bo", "test", "test")


def text(house: Any, url: str) -> str:
    return " ".join(lxml.html.fromstring(house.client.page(url).text).text_content().split())


def test_a_browser_closes_a_ticket_with_a_button_and_opens_it_with_a_message(house: Any) -> None:
    url = opened(house)
    tree = lxml.html.fromstring(house.client.page(url).text)
    (close,) = [form for form in tree.xpath("//form") if form.get("action", "").endswith("/close")]
    assert close.get("method") == "post"
    reply = house.client.form(close.get("action"), {})
    assert (reply.status, reply.headers["location"]) == (303, url)
    assert ticket(house).state == "closed"
    page = house.client.page(url).text
    assert "/close" not in page
    assert "You closed the ticket." in page
    assert house.client.form(close.get("action"), {}).status == 303
    house.client.form(f"{url}/messages", {"text": "It is back"})
    assert ticket(house).state == "open"
    assert [event.what for event in ticket(house).events] == ["opened", "closed", "wrote"]


def test_a_program_closes_it_and_gets_the_ticket(house: Any) -> None:
    url = opened(house)
    said = house.client.json(f"{url}/close", {})
    assert (said.status, said.json["state"]) == (200, "closed")
    refused = house.client.json(f"{url}/close", {"force": True})
    assert (refused.status, refused.json["errors"]) == (
        422,
        [{"field": "force", "message": "There is no field force; this address takes none."}],
    )


def test_get_closes_nothing(house: Any) -> None:
    url = opened(house)
    assert house.client.get(f"{url}/close").status == 405
    assert ticket(house).state == "open"


@pytest.mark.parametrize("path", ["", "/close", "/session.ics", "/messages"])
def test_promise_5_a_number_and_a_strangers_token_get_the_same_bytes(house: Any, path: str) -> None:
    opened(house)
    number = ticket(house).number
    said = set()
    for token in (number, "x" * 43):
        address = f"/api/tickets/{token}{path}"
        post = path in ("/close", "/messages")
        body = {"text": "words"} if path == "/messages" else {}
        reply = house.client.json(address, body) if post else house.client.get(address)
        assert reply.status == 404
        said.add(reply.body)
    assert len(said) == 1


def test_a_waiting_ticket_says_what_stands_still(house: Any) -> None:
    url = opened(house)
    house.desk.handling.reply(ticket(house).number, "Which browser?", act(house), wait=True)
    shown = text(house, url)
    assert "Waiting for you" in shown
    assert "The promised time stands still until then;" in shown
    assert "We answer by" not in shown


def test_an_hour_that_cannot_be_comes_back_in_the_form(house: Any) -> None:
    wish = {"session_date": "2026-11-28", "session_time": "10:00"}
    reply = house.client.form("/api/tickets", {**TICKET, **wish})
    tree = lxml.html.fromstring(reply.text)
    assert reply.status == 422
    assert tree.xpath("//*[@id='error-summary']//li")[0].text_content() == (
        "We are not open then for as long as that. The nearest hour that we can offer is "
        "Monday, November 30, 2026, 8:00 a.m. MST."
    )
    assert house.desk.store.tickets(["open"]) == ()


def test_the_session_of_a_ticket_is_a_file_for_a_calendar(house: Any) -> None:
    url = opened(house, session_date="2026-11-30", session_time="10:00")
    assert "You asked for Monday, November 30, 2026, 10:00 a.m. MST, for 1 hour." in text(house, url)
    early = house.client.get(f"{url}/session.ics")
    assert (early.status, early.json["detail"]) == (409, "No session is planned for this ticket yet.")
    held = ticket(house)
    house.desk.handling.session(held.number, held.session.start, None, act(house))
    (link,) = lxml.html.fromstring(house.client.page(url).text).xpath("//a[contains(@href, '.ics')]/@href")
    assert link == f"{url}/session.ics"
    reply = house.client.get(link)
    assert reply.headers["content-type"] == "text/calendar; charset=utf-8"
    assert reply.headers["content-disposition"] == 'attachment; filename="session.ics"'
    vobject.readOne(reply.text).validate()
    house.desk.handling.cancel_session(held.number, act(house))
    assert "is called off" in text(house, url)


def test_the_ticket_in_every_state_has_the_shape_of_the_document(house: Any) -> None:
    whole = house.client.get("/api/openapi.json").json
    schema = {**whole["components"]["schemas"]["Ticket"], "components": whole["components"]}
    url = opened(house, session_date="2026-11-30", session_time="10:00")
    number = ticket(house).number

    def check(state: str) -> None:
        said = house.client.get(url).json
        assert said["state"] == state
        jsonschema.validate(said, schema)

    check("open")
    house.desk.handling.session(number, ticket(house).session.start, None, act(house))
    house.desk.handling.wait(number, act(house))
    check("waiting")
    house.desk.handling.reply(number, "Words", act(house))
    check("answered")
    house.desk.handling.close(number, act(house))
    check("closed")
