"""Every refusal, as its whole body: the message is the interface."""

from __future__ import annotations

import json
import socket
from typing import Any

import lxml.html
import pytest

from chalicelib.answers import PROBLEM_TYPES, SECURITY_HEADERS
from chalicelib.pace import Allowance

NOT_FOUND = {
    "type": PROBLEM_TYPES + "NotFound",
    "title": "Not found",
    "status": 404,
    "detail": "Nothing here matches. Check the number, the key or the address that you used, or call us.",
}
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


def problem(reply: Any) -> dict[str, Any]:
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json["status"] == reply.status
    return dict(reply.json)


def test_unknown_agreement_wrong_key_withdrawn_agreement_and_unknown_token_look_alike(house: Any) -> None:
    key = house.keys["AZ-1001"]
    replies = [
        house.client.json("/api/renewals", {"agreement": "AZ-9999", "key": key}),
        house.client.json("/api/renewals", {"agreement": "AZ-1001", "key": house.keys["AZ-1002"]}),
        house.client.json("/api/renewals", {"agreement": "AZ-1003", "key": house.keys["AZ-1003"]}),
        house.client.get("/api/tickets/" + "A" * 43),
        house.client.get("/api/tickets/%00%ff"),
        house.client.get("/api/nothing"),
    ]
    assert {reply.status for reply in replies} == {404}
    assert {reply.body for reply in replies} == {replies[0].body}
    assert problem(replies[0]) == NOT_FOUND


def test_the_pages_of_unknown_agreement_and_wrong_key_are_the_same_bytes(house: Any) -> None:
    key = house.keys["AZ-1001"]
    replies = [
        house.client.form("/api/renewals", {"agreement": "AZ-9999", "key": key}),
        house.client.form("/api/renewals", {"agreement": "AZ-1001", "key": house.keys["AZ-1002"]}),
        house.client.form("/api/renewals", {"agreement": "AZ-1003", "key": house.keys["AZ-1003"]}),
    ]
    assert {reply.status for reply in replies} == {404}
    assert len({reply.body for reply in replies}) == 1
    tree = lxml.html.fromstring(replies[0].text)
    assert tree.xpath("//h1")[0].text == "Not found"
    assert tree.xpath("//main//a/@href") == ["/support/renewal/"]


def test_bad_fields_are_all_named(house: Any) -> None:
    assert problem(house.client.json("/api/renewals", {"agreement": "", "kee": "x"})) == {
        "type": PROBLEM_TYPES + "Invalid",
        "title": "There is a problem",
        "status": 422,
        "detail": "Enter your agreement number. There is no field kee; did you mean “key”?",
        "errors": [
            {"field": "agreement", "message": "Enter your agreement number."},
            {"field": "kee", "message": "There is no field kee; did you mean “key”?"},
        ],
    }


def test_bad_fields_of_a_browser_come_back_on_the_form_with_the_answers(house: Any) -> None:
    typed = {**TICKET, "email": "nobody", "subject": '"><script>alert(1)</script>', "website": "http://spam"}
    reply = house.client.form("/api/tickets", typed)
    tree = lxml.html.fromstring(reply.text)
    assert (reply.status, reply.headers["content-type"]) == (422, "text/html; charset=utf-8")
    assert tree.xpath("//title")[0].text == "Error: Send a ticket"
    (summary,) = tree.xpath("//*[@id='error-summary']")
    assert {"tabindex": "-1", "autofocus": ""}.items() <= dict(summary.attrib).items()
    words = "Enter your e-mail address in full, such as dana.ortiz@example.gov."
    assert [(link.get("href"), link.text) for link in summary.xpath(".//a")] == [("#email", words)]
    (email,) = tree.xpath("//input[@id='email']")
    assert (email.get("value"), email.get("aria-invalid")) == ("nobody", "true")
    assert tree.xpath("//p[@id='email-error']")[0].text == words
    assert tree.xpath("//input[@id='subject']/@value") == [typed["subject"]]
    assert tree.xpath("//textarea")[0].text.strip() == "All of it."
    assert tree.xpath("//input[@name='severity'][@checked]/@value") == ["P3"]
    assert tree.xpath("//script") == []
    assert house.desk.store.tickets(["open"]) == ()


@pytest.mark.parametrize(
    ("body", "content_type", "status", "name", "title", "detail"),
    [
        (
            b"{",
            "application/json",
            400,
            "Refused",
            "The request cannot be read",
            "The body is not JSON: line 1, column 2.",
        ),
        (
            b"x" * (256 * 1024 + 1),
            "application/json",
            413,
            "TooLarge",
            "This is too large",
            "This address takes at most 256 KB in one request. Nothing was stored.",
        ),
        (
            b"<a/>",
            "application/xml",
            415,
            "UnknownContentType",
            "Unknown content type",
            "This address takes application/json and application/x-www-form-urlencoded, both as UTF-8.",
        ),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    house: Any, body: bytes, content_type: str, status: int, name: str, title: str, detail: str
) -> None:
    """Promises 26 and 27: no input makes a 5xx; a limit is named."""
    reply = house.client.send("POST", "/api/tickets", body, Content_Type=content_type)
    assert problem(reply) == {
        "type": PROBLEM_TYPES + name,
        "title": title,
        "status": status,
        "detail": detail,
    }


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/api/tickets", "OPTIONS, POST"),
        ("/api/tickets/abc", "GET, HEAD, OPTIONS"),
        ("/api/health", "GET, HEAD, OPTIONS"),
        ("/files/upload", "OPTIONS, POST"),
        ("/files/abc", "GET, HEAD, OPTIONS"),
    ],
)
def test_another_method_is_refused_with_what_is_allowed(house: Any, path: str, allow: str) -> None:
    reply = house.client.send("DELETE", path)
    assert reply.headers["allow"] == allow
    said = problem(reply)
    assert said.pop("detail")
    assert said == {
        "type": PROBLEM_TYPES + "MethodNotAllowed",
        "title": "Method not allowed",
        "status": 405,
    }
    options = house.client.send("OPTIONS", path)
    assert (options.status, options.headers["allow"], options.body) == (204, allow, b"")


def test_head_is_get_without_the_body(house: Any) -> None:
    head, get = house.client.send("HEAD", "/api/health"), house.client.get("/api/health")
    assert (head.status, head.body) == (200, b"")
    same = {"content-length", "content-type", "cache-control"}
    assert {name: head.headers[name] for name in same} == {name: get.headers[name] for name in same}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Sec-Fetch-Site": "none"}, 201),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 201),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "self"}, 403),
        ({"Origin": "self"}, 201),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
    ],
)
def test_what_another_site_sends_is_refused(house: Any, headers: dict[str, str], status: int) -> None:
    named = {
        name.replace("-", "_"): house.desk.settings.url if value == "self" else value
        for name, value in headers.items()
    }
    reply = house.client.json("/api/tickets", TICKET, **named)
    assert reply.status == status
    assert len(house.desk.store.tickets(["open"])) == (1 if status == 201 else 0)
    if status == 403:
        assert problem(reply) == {
            "type": PROBLEM_TYPES + "CrossSite",
            "title": "Sent from another site",
            "status": 403,
            "detail": "A page of another site asked your browser to send this, so it was not done. "
            "Use the form on our own site.",
        }


def test_the_host_header_does_not_make_a_site_ours(house: Any) -> None:
    reply = house.client.json("/api/tickets", TICKET, Origin="https://evil.example", Host="evil.example")
    assert reply.status == 403


def test_too_many_posts_have_to_wait_and_keep_their_answers(build_house: Any) -> None:
    """Promise 27: limits are printed and polite."""
    house = build_house(posts=Allowance(burst=2, per_minute=1))
    for _ in range(2):
        assert house.client.json("/api/tickets", TICKET).status == 201
    reply = house.client.json("/api/tickets", TICKET)
    wait = int(reply.headers["retry-after"])
    assert 1 <= wait <= 60
    assert problem(reply) == {
        "type": PROBLEM_TYPES + "TooMany",
        "title": "Too many attempts",
        "status": 429,
        "detail": "Too much came from your connection in a short time; the limit is 2 at once, then 1 a "
        f"minute. Wait {wait} seconds and send it again; nothing was stored.",
    }
    page = house.client.form("/api/tickets", TICKET)
    assert (page.status, "retry-after" in page.headers) == (429, True)
    assert lxml.html.fromstring(page.text).xpath("//input[@name='subject']/@value") == ["How do I print?"]
    assert house.client.get("/api/health").status == 200


def test_a_store_that_cannot_write_is_said_and_the_answers_are_kept(house: Any, tmp_path: Any) -> None:
    """Promise 3: 503 with Retry-After, and the text you typed still in the form."""
    house.desk.store.close()
    database = tmp_path / "var" / "desk.sqlite3"
    for path in database.parent.glob("desk.sqlite3*"):
        path.unlink()
    database.mkdir()
    reply = house.client.json("/api/tickets", TICKET)
    assert reply.headers["retry-after"] == "60"
    assert problem(reply) == {
        "type": PROBLEM_TYPES + "NotStored",
        "title": "Not stored",
        "status": 503,
        "detail": "This was not stored. It is safe to send it again in a minute; if it is urgent, please "
        "call us.",
    }
    page = house.client.form("/api/tickets", TICKET)
    tree = lxml.html.fromstring(page.text)
    assert (page.status, page.headers["retry-after"]) == (503, "60")
    assert tree.xpath("//*[@id='error-summary']/h2")[0].text == "Not stored"
    assert "+1 801 555 0100" in tree.xpath("//*[@id='error-summary']")[0].text_content()
    assert tree.xpath("//textarea")[0].text.strip() == "All of it."


def test_a_fault_of_ours_tells_nothing_of_our_insides(house: Any, caplog: Any) -> None:
    """Promise 26: a request id, and no stack trace, path or version."""

    def broken(token: str) -> None:
        raise RuntimeError("secret insides")

    object.__setattr__(house.desk.tickets, "read", broken)
    reply = house.client.get("/api/tickets/abc")
    assert problem(reply) == {
        "type": PROBLEM_TYPES + "Broken",
        "title": "Something is broken on our side",
        "status": 500,
        "detail": f"It is logged as request {reply.headers['x-request-id']}. Try again later, or call us and "
        "tell that name.",
    }
    assert [record.message for record in caplog.records] == [
        f"a fault of ours, request {reply.headers['x-request-id']}"
    ]


def test_every_answer_has_the_security_headers(house: Any) -> None:
    (house.public / "index.html").write_text("<p>home</p>")
    replies = [
        house.client.get("/"),
        house.client.get("/nothing"),
        house.client.get("/data"),
        house.client.get("/api/health"),
        house.client.get("/api/nothing"),
        house.client.get("/files/nothing"),
        house.client.send("PUT", "/api/tickets"),
        house.client.send("OPTIONS", "/api/tickets"),
        house.client.form("/api/tickets", {}),
        house.client.form("/api/tickets", TICKET),
    ]
    assert [reply.status for reply in replies] == [200, 404, 404, 200, 404, 403, 405, 204, 422, 303]
    for reply in replies:
        for name, value in SECURITY_HEADERS:
            assert reply.headers[name.lower()] == value
        assert "server" not in reply.headers


@pytest.mark.parametrize(
    ("sent", "status", "detail"),
    [
        (b"nonsense\r\n\r\n", 400, "This is not a request that HTTP knows. Nothing was stored."),
        (
            b"POST /api/tickets HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
            413,
            "This is more than any address here takes. Nothing was stored.",
        ),
        (
            # As long as the limit and not longer: what is left unread would reset the connection.
            b"GET / HTTP/1.1\r\nX: ".ljust(64 * 1024, b"y"),
            431,
            "The headers of this request are longer than 64 KB. Nothing was stored.",
        ),
    ],
)
def test_what_is_no_request_gets_a_problem_too(house: Any, sent: bytes, status: int, detail: str) -> None:
    """Promise 26: errors are problems, whatever came."""
    with socket.create_connection(("127.0.0.1", house.client.port), timeout=10) as line:
        line.sendall(sent)
        said = b""
        while chunk := line.recv(65536):
            said += chunk
    head, _, body = said.partition(b"\r\n\r\n")
    assert int(head.split()[1]) == status
    for name, value in (
        *SECURITY_HEADERS,
        ("Content-Type", "application/problem+json"),
        ("X-Request-Id", ""),
    ):
        assert f"{name}: {value}".encode() in head
    assert json.loads(body)["detail"] == detail
