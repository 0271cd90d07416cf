"""Tickets over HTTP: opened by programs and by browsers, once, whatever is clicked."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import lxml.html
import pytest

TICKET = {
    "name": "Dana Ortiz",
    "email": "dana@example.gov",
    "organization": "City of Exampleville",
    "product": "widget",
    "version": "2.0",
    "kind": "question",
    "severity": "P3",
    "subject": "How do I print?",
    "description": "All of it.",
}


def test_a_program_gets_the_number_and_when_we_reply(house: Any) -> None:
    reply = house.client.json("/api/tickets", TICKET, Idempotency_Key="k1")
    said = reply.json
    assert reply.status == 201
    assert reply.headers["location"] == said["url"]
    assert said["url"].startswith(f"{house.desk.settings.url}/api/tickets/")
    assert len(said.pop("number")) == 9
    said.pop("url")
    because = said.pop("reply_by_because")
    assert because[0] == "The first response to P3 comes within 1 day of opening time."
    known = said.pop("known")
    assert (known["version"], known["supported_until"]) == ("2.0", None)
    assert said == {
        "received": "2026-11-23T10:00:00-07:00",
        "route": {"name": "Client Services", "because": said["route"]["because"]},
        "reply_by": "2026-11-24T10:00:00-07:00",
        "repeated": False,
    }


def test_a_browser_is_led_to_the_page_of_its_ticket(house: Any) -> None:
    reply = house.client.form("/api/tickets", TICKET)
    assert (reply.status, reply.body) == (303, b"")
    page = house.client.page(reply.headers["location"])
    assert page.status == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    tree = lxml.html.fromstring(page.text)
    (heading,) = tree.xpath("//h1")
    (ticket,) = house.desk.store.tickets(["open"])
    assert heading.text_content() == f"We have your ticket: {ticket.number}"
    assert {"tabindex": "-1", "autofocus": ""}.items() <= dict(heading.attrib).items()
    assert "2026-11-24T10:00:00-07:00" in tree.xpath("//time/@datetime")
    assert tree.xpath("//form/@action")[0] == reply.headers["location"] + "/messages"


def test_the_page_of_a_ticket_is_json_for_a_program(house: Any) -> None:
    url = house.client.json("/api/tickets", TICKET).json["url"].removeprefix(house.desk.settings.url)
    said = house.client.get(url).json
    assert (said["subject"], said["state"]) == ("How do I print?", "open")
    assert [message["text"] for message in said["messages"]] == ["All of it."]


def test_fifty_simultaneous_posts_with_one_key_make_one_ticket(build_house: Any) -> None:
    from chalicelib.pace import POSTS

    house = build_house(posts=POSTS)
    together = threading.Barrier(50)

    def send(_: int) -> tuple[int, str, bool]:
        together.wait()
        reply = house.client.json("/api/tickets", TICKET, Idempotency_Key="one click")
        assert reply.status == 201, reply.text
        return reply.status, reply.json["number"], reply.json["repeated"]

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(send, range(50)))
    assert {status for status, _, _ in answers} == {201}
    assert len({number for _, number, _ in answers}) == 1
    assert sorted(repeated for _, _, repeated in answers) == [False] + [True] * 49
    assert len(house.desk.store.tickets(["open"])) == 1


def test_a_double_click_without_a_key_leads_to_the_same_page(house: Any) -> None:
    first, second = house.client.form("/api/tickets", TICKET), house.client.form("/api/tickets", TICKET)
    assert first.headers["location"] == second.headers["location"]
    assert len(house.desk.store.tickets(["open"])) == 1


def test_the_hidden_field_of_a_form_is_a_key_as_the_header_is(house: Any) -> None:
    first = house.client.form("/api/tickets", {**TICKET, "idempotency_key": "k"})
    second = house.client.json("/api/tickets", TICKET, Idempotency_Key="k")
    assert first.headers["location"] == second.json["url"].removeprefix(house.desk.settings.url)


def test_a_key_with_other_content_is_refused_and_the_form_comes_back_without_it(house: Any) -> None:
    house.client.form("/api/tickets", {**TICKET, "idempotency_key": "k"})
    reply = house.client.form("/api/tickets", {**TICKET, "subject": "Other", "idempotency_key": "k"})
    tree = lxml.html.fromstring(reply.text)
    assert reply.status == 422
    assert [item.text_content() for item in tree.xpath("//*[@id='error-summary']//li")] == [
        "This key was already used for something else. Nothing was changed. Send with a new key."
    ]
    assert tree.xpath("//input[@name='idempotency_key']/@value") == []
    assert tree.xpath("//input[@name='subject']/@value") == ["Other"]
    assert len(house.desk.store.tickets(["open"])) == 1


def test_threads_do_not_mix_requests(house: Any) -> None:
    def send(number: int) -> bool:
        mine = {**TICKET, "subject": f"Subject {number}", "description": f"Text {number}"}
        opened = house.client.json("/api/tickets", mine).json
        said = house.client.get(opened["url"].removeprefix(house.desk.settings.url)).json
        wrong = house.client.json("/api/tickets", {"name": "x" * (200 + number)}).json
        return (
            said["subject"] == mine["subject"]
            and said["messages"][0]["text"] == mine["description"]
            and wrong["errors"][0]["message"]
            == f"Your name must have at most 120 characters; it has {200 + number}."
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(send, range(200)))


def test_a_message_is_added_and_the_page_shows_it(house: Any) -> None:
    url = house.client.form("/api/tickets", TICKET).headers["location"]
    reply = house.client.form(url + "/messages", {"text": "And <b>this</b>."})
    assert (reply.status, reply.headers["location"]) == (303, url)
    assert "And &lt;b&gt;this&lt;/b&gt;." in house.client.page(url).text
    assert house.client.json(url + "/messages", {"text": "More"}).json["messages"][-1]["text"] == "More"


def test_a_message_that_is_no_text_comes_back_on_the_page_of_its_ticket(house: Any) -> None:
    url = house.client.form("/api/tickets", TICKET).headers["location"]
    reply = house.client.form(url + "/messages", {"text": "typed \x01 </textarea><script>"})
    tree = lxml.html.fromstring(reply.text)
    assert reply.status == 422
    assert tree.xpath("//title")[0].text.startswith("Error: Ticket ")
    assert tree.xpath("//textarea[@id='text']")[0].text.strip() == "typed \ufffd </textarea><script>"
    assert tree.xpath("//p[@id='text-error']")[0].text == (
        "Your message holds a control character; use plain text."
    )
    assert tree.xpath("//*[@id='error-summary']//a/@href") == ["#text"]


def upload_body(policy: str, content: bytes, name: str = "error.log") -> tuple[bytes, str]:
    boundary = "----boundary7d9f"
    parts = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="policy"\r\n\r\n{policy}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: text/plain\r\n\r\n"
    ).encode()
    return parts + content + f"\r\n--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


PAGE, PROGRAM = "text/html", "application/json"


def test_a_file_is_uploaded_with_the_form_of_the_page(house: Any) -> None:
    url = house.client.form("/api/tickets", TICKET).headers["location"]
    tree = lxml.html.fromstring(house.client.page(url).text)
    (form,) = tree.xpath("//form[@enctype='multipart/form-data']")
    assert form.get("action") == "/files/upload"
    body, kind = upload_body(form.xpath("input[@name='policy']/@value")[0], b"bytes \x00\xff" * 1000)
    reply = house.client.send("POST", "/files/upload", body, Content_Type=kind, Accept=PAGE)
    assert (reply.status, reply.headers["location"]) == (303, url + "#files")
    (ticket,) = house.desk.store.tickets(["open"])
    (kept,) = ticket.attachments
    assert (kept.name, kept.state, kept.size) == ("error.log", "stored", 8000)
    stored = house.desk.files.attachment_path(ticket.number, kept.id)
    assert stored.read_bytes() == b"bytes \x00\xff" * 1000
    assert "error.log" in house.client.page(url).text


def test_a_program_announces_a_file_and_gets_the_form(house: Any) -> None:
    url = house.client.json("/api/tickets", TICKET).json["url"].removeprefix(house.desk.settings.url)
    form = house.client.json(url + "/attachments", {"name": "a.txt", "size": 3}).json
    assert form["url"] == f"{house.desk.settings.url}/files/upload"
    body, kind = upload_body(form["fields"]["policy"], b"abc", name="other.txt")
    reply = house.client.send("POST", "/files/upload", body, Content_Type=kind, Accept=PROGRAM)
    assert reply.status == 201
    assert reply.json["attachments"] == [{"name": "a.txt", "size": 3, "size_text": "1 KB", "state": "stored"}]


@pytest.mark.parametrize(
    ("change", "status", "detail"),
    [
        ("policy", 403, "This link was changed on its way, or is not one of ours. Ask for a new one."),
        ("empty", 422, "Choose a file that is not empty."),
        ("none", 422, "Choose a file."),
        ("cut", 400, "The form did not arrive whole. Nothing was stored; send it again."),
        ("type", 415, "This address takes multipart/form-data, as the form of a ticket's page sends it."),
        ("large", 413, "A file may have at most 20 MB. Nothing was stored."),
    ],
)
def test_an_upload_that_is_refused_stores_nothing(house: Any, change: str, status: int, detail: str) -> None:
    url = house.client.form("/api/tickets", TICKET).headers["location"]
    tree = lxml.html.fromstring(house.client.page(url).text)
    policy = tree.xpath("//input[@name='policy']/@value")[0]
    content = {"empty": b"", "large": b"x" * (20 * 1024 * 1024 + 1)}.get(change, b"abc")
    policy = policy[:-1] + ("A" if policy[-1] != "A" else "E") if change == "policy" else policy
    body, kind = upload_body(policy, content, name="" if change == "none" else "a.txt")
    body = body[:-20] if change == "cut" else body
    kind = "text/plain" if change == "type" else kind
    reply = house.client.send("POST", "/files/upload", body, Content_Type=kind, Accept=PROGRAM)
    assert (reply.status, reply.json["detail"]) == (status, detail)
    (ticket,) = house.desk.store.tickets(["open"])
    assert ticket.attachments == ()
    kept = house.desk.files.attachment_path(ticket.number, "x").parent
    assert not kept.exists() or list(kept.iterdir()) == []
