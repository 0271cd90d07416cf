"""Subscriptions over HTTP: promises 12, 13, 14 and 28, with and without a browser."""

from __future__ import annotations

import logging
import re
from typing import Any

import lxml.html
import pytest

from chalicelib.pace import Allowance
from desk.server import loggable

CLICK = b"List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"


def last_link(house: Any) -> str:
    """The path that the newest mail leads to."""
    house.desk.outbox.run()
    folder = house.desk.settings.var / "mail"
    text = max(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns).read_text()
    text = text.replace("=\n", "")
    return re.findall(r"http://127\.0\.0\.1:\d+(/api/subscriptions/\w+/[\w-]+)", text)[-1]


def confirmed(house: Any, *topics: str) -> str:
    """The path of the leave page of somebody who is subscribed."""
    asked = {"email": "ann@example.org", "topics": list(topics) or ["newsletter"]}
    assert house.client.json("/api/subscriptions", asked).status == 202
    said = house.client.send("POST", last_link(house)).json
    return str(said["leave_url"].removeprefix(house.desk.settings.url))


def test_promise_13_every_address_gets_the_same_answer(house: Any) -> None:
    confirmed(house)
    answers = set()
    for email in ("ann@example.org", "new@example.org", "new@example.org", "ANN@example.org"):
        reply = house.client.json("/api/subscriptions", {"email": email, "topics": "newsletter security"})
        answers.add((reply.status, reply.body, reply.headers["content-type"]))
    assert len(answers) == 1
    assert next(iter(answers))[0] == 202
    reply = house.client.form("/api/subscriptions", {"email": "bo@example.org", "topics": "newsletter"})
    assert (reply.status, reply.headers["location"]) == (303, "/api/subscriptions/sent")
    page = house.client.page("/api/subscriptions/sent")
    assert (page.status, "Check your e-mail" in page.text) == (200, True)


def test_all_that_is_wrong_is_told_at_once_and_nothing_is_sent(house: Any) -> None:
    reply = house.client.json("/api/subscriptions", {"email": "nobody", "topic": "newsletter"})
    assert reply.status == 422
    assert [error["field"] for error in reply.json["errors"]] == ["email", "topics", "topic"]
    assert "did you mean “topics”?" in reply.text
    reply = house.client.json("/api/subscriptions", {"email": "a@example.org", "topics": ["gossip"]})
    assert reply.json["errors"] == [
        {
            "field": "topics",
            "message": "Choose topics from these: newsletter, security, life-cycle, releases, "
            "releases/widget.",
        }
    ]
    assert house.desk.store.mails(["waiting"]) == ()


def test_promise_12_a_mail_scanner_that_opens_every_link_changes_nothing(house: Any) -> None:
    house.client.json("/api/subscriptions", {"email": "ann@example.org", "topics": ["newsletter"]})
    path = last_link(house)
    for method in ("GET", "HEAD", "GET"):
        assert house.client.send(method, path, Accept="text/html").status == 200
    assert house.desk.store.subscriber("ann@example.org").state == "unconfirmed"
    page = lxml.html.fromstring(house.client.page(path).body)
    (form,) = page.xpath("//form")
    assert (form.get("method"), form.get("action")) == ("post", path)
    reply = house.client.form(path, {})
    assert (reply.status, reply.headers["location"]) == (303, path)
    assert "You are subscribed" in house.client.page(path).text
    (leave,) = lxml.html.fromstring(house.client.page(path).body).xpath("//main//a/@href")
    for _ in range(2):
        assert "Your subscription" in house.client.page(leave).text
    assert house.desk.store.subscriber("ann@example.org").state == "confirmed"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (CLICK, FORM),
        (CLICK, f"{FORM}; charset=UTF-8"),
        (
            b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
        (b'{"List-Unsubscribe": "One-Click"}', "application/json"),
        (b"", ""),
    ],
)
@pytest.mark.parametrize("accept", ["", "*/*", "text/html", "application/json"])
def test_promise_14_one_post_leaves_with_no_sign_in_cookie_or_redirect(
    house: Any, body: bytes, content_type: str, accept: str
) -> None:
    """RFC 8058, section 3.2: either encoding of a form, and no way round."""
    path = confirmed(house)
    named = {"Content-Type": content_type} if content_type else {}
    for _ in range(2):
        reply = house.client.send("POST", path, body, Accept=accept, **named)
        assert reply.status == 200
        assert "set-cookie" not in reply.headers and "location" not in reply.headers
        assert house.desk.store.subscriber("ann@example.org").state == "left"


def test_the_page_leaves_undoes_and_chooses(house: Any) -> None:
    path = confirmed(house)
    reply = house.client.form(path, {"action": "leave"})
    assert (reply.status, reply.headers["location"]) == (303, path)
    page = lxml.html.fromstring(house.client.page(path).body)
    assert page.xpath("//h1")[0].text == "You are unsubscribed"
    (form,) = page.xpath("//form")
    reply = house.client.form(path, dict(form.form_values()))
    assert house.desk.store.subscriber("ann@example.org").state == "confirmed"
    page = lxml.html.fromstring(house.client.page(path).body)
    assert page.xpath("//input[@checked]/@value") == ["newsletter"]
    reply = house.client.send(
        "POST",
        path,
        b"action=topics&topics=security&topics=releases%2Fwidget",
        Content_Type=FORM,
        Accept="application/json",
    )
    assert reply.json["topics"] == ["security", "releases/widget"]
    page = lxml.html.fromstring(house.client.page(path).body)
    assert page.xpath("//input[@checked]/@value") == ["security", "releases/widget"]


def test_no_topic_at_all_is_told_on_the_page_with_what_was_ticked(house: Any) -> None:
    path = confirmed(house)
    reply = house.client.form(path, {"action": "topics"})
    page = lxml.html.fromstring(reply.body)
    assert reply.status == 422
    assert page.xpath("//p[@id='topics-error']")[0].text == "Choose at least one topic."
    assert house.desk.store.subscriber("ann@example.org").topics == ("newsletter",)


def test_the_form_keeps_every_box_that_was_ticked(house: Any) -> None:
    boxes = "".join(
        f'<input type="checkbox" id="topics-{number}" name="topics" value="{name}">'
        for number, name in enumerate(("newsletter", "security", "releases"))
    )
    page = house.public / "support" / "subscribe" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text(
        '<!doctype html><html><head><title>S</title></head><body><form method="post">'
        '<div class="error-summary" id="error-summary" hidden></div>'
        '<div data-field="email"><p class="field-error" id="email-error" hidden></p>'
        '<input id="email" name="email"></div>'
        f'<fieldset data-field="topics"><p class="field-error" id="topics-error" hidden></p>{boxes}'
        "</fieldset></form></body></html>"
    )
    reply = house.client.send(
        "POST",
        "/api/subscriptions",
        b"email=nobody&topics=newsletter&topics=releases",
        Content_Type=FORM,
        Accept="text/html",
    )
    assert reply.status == 422
    shown = lxml.html.fromstring(reply.body)
    assert shown.xpath("//input[@checked]/@value") == ["newsletter", "releases"]
    assert shown.xpath("//input[@name='email']/@value") == ["nobody"]


def test_promise_28_no_token_of_a_subscription_is_logged(
    house: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "desk.requests"):
        path = confirmed(house)
        house.client.page(path)
        house.client.form(path, {"action": "leave"})
    token = path.rsplit("/", 1)[1]
    assert "/api/subscriptions/leave/…" in caplog.text
    assert token not in caplog.text
    assert loggable("/api/subscriptions/confirm/abc") == "/api/subscriptions/confirm/…"
    assert loggable("/api/subscriptions/leave/abc/def") == "/api/subscriptions/leave/…/def"
    assert loggable("/api/subscriptions/sent") == "/api/subscriptions/sent"


def test_promise_20_another_site_cannot_make_a_browser_leave_or_confirm(house: Any) -> None:
    path = confirmed(house)
    reply = house.client.form(path, {"action": "leave"}, Sec_Fetch_Site="cross-site")
    assert reply.status == 403
    assert house.desk.store.subscriber("ann@example.org").state == "confirmed"


def test_a_wrong_link_is_as_absent_as_any_other(house: Any) -> None:
    path = confirmed(house)
    wrong = [path + "x", "/api/subscriptions/leave/nothing", "/api/subscriptions/confirm/nothing"]
    bodies = {house.client.get(one).body for one in wrong} | {house.client.send("POST", wrong[0]).body}
    assert len(bodies) == 1
    assert [house.client.get(one).status for one in wrong] == [404, 404, 404]


def test_promise_14_many_readers_may_leave_from_one_place_and_a_guesser_has_to_wait(build_house: Any) -> None:
    """A mail provider posts for all its readers: its pace is not theirs."""
    house = build_house(posts=Allowance(burst=6, per_minute=1))
    path = confirmed(house)
    for _ in range(20):
        assert house.client.send("POST", path, CLICK, Content_Type=FORM).status == 200
    statuses = [house.client.send("POST", path + "x", CLICK, Content_Type=FORM).status for _ in range(6)]
    assert statuses == [404, 404, 404, 404, 429, 429]
