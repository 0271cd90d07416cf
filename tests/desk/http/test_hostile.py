"""The door as somebody meets it who means ill: bytes that are no request, half ones, too many, and lies.

Promise 26: no input makes a 5xx, and no refusal tells of our insides.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.answers import SECURITY_HEADERS
from desk.server import Front, running

TICKET = {
    "name": "Dana Ortiz",
    "email": "dana@example.gov",
    "kind": "question",
    "severity": "P3",
    "subject": "How do I print?",
    "description": "All of it.",
}
INSIDES = re.compile(
    rb"Traceback|File \"|\.py\b|/functions/|/chalicelib|waitress|chalice|sqlite|Python/|/root|/home/|/tmp/"
)
SECRET = b"what must not be read"


class Answers:
    """What came back on one line, as long as it was open."""

    def __init__(self, said: bytes) -> None:
        self.whole = said
        self.each: list[tuple[int, dict[str, str], bytes]] = []
        while said:
            head, parted, said = said.partition(b"\r\n\r\n")
            assert parted, self.whole
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            length = int(headers.get("content-length", "0"))
            if said.startswith(b"HTTP/1."):  # the answer to a HEAD tells a length and has no body
                length = 0
            self.each.append((int(first.split()[1]), headers, said[:length]))
            said = said[length:]

    @property
    def statuses(self) -> list[int]:
        return [status for status, _, _ in self.each]


def talk(house: Any, sent: bytes, *, half: bool = False) -> Answers:
    """Sends bytes and reads until the server closes the line; checks what holds for every answer.

    `half`: stop sending for good after the bytes, as a client that dies does.
    """
    with socket.create_connection(("127.0.0.1", house.client.port), timeout=10) as line:
        # A server that refuses early may close while we still send.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            line.sendall(sent)
            if half:
                line.shutdown(socket.SHUT_WR)
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := line.recv(1 << 16):
                said += chunk
    answers = Answers(said)
    for status, headers, body in answers.each:
        assert status < 500, said
        assert headers["x-request-id"]
        assert "server" not in headers
        assert all(headers[name.lower()] for name, _ in SECURITY_HEADERS)
        if status >= 400:
            assert not INSIDES.search(body), body
    return answers


def request(method: str, path: str, body: bytes = b"", *headers: str, close: bool = True) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    lines += ["Connection: close"] if close else []
    lines += (
        [f"Content-Length: {len(body)}"]
        if body and not any("length:" in one.lower() for one in headers)
        else []
    )
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def ticket(**changes: str) -> bytes:
    return json.dumps({**TICKET, **changes}).encode()


JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"


def stored(house: Any) -> int:
    return len(house.desk.store.tickets(["open"]))


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET",
        b"POST /api/tickets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Le",
        request("POST", "/api/tickets", b"", JSON, "Content-Length: 500", close=False) + ticket()[:40],
        b'POST /api/tickets HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"na',
    ],
)
def test_a_request_that_breaks_off_stores_nothing_and_holds_nobody_up(house: Any, sent: bytes) -> None:
    assert all(status == 400 for status in talk(house, sent, half=True).statuses)
    assert stored(house) == 0
    assert house.client.get("/api/health").status == 200


def test_hundreds_who_send_their_headers_slowly_hold_nobody_up(house: Any) -> None:
    with contextlib.ExitStack() as stack:
        lines = [
            stack.enter_context(socket.create_connection(("127.0.0.1", house.client.port), timeout=10))
            for _ in range(300)
        ]
        for line in lines:
            line.sendall(b"POST /api/tickets HTTP/1.1\r\nX-A: ")
        assert house.client.json("/api/tickets", TICKET).status == 201
        for line in lines:
            line.sendall(b"b")
        assert house.client.get("/api/health").status == 200


def test_who_never_comes_to_the_end_of_the_headers_is_given_up(house: Any) -> None:
    """However busily they come: a thousand such lines would be all that there are."""
    with running(Front(house.desk, house.public), header_time=0.2) as server:
        address = ("127.0.0.1", server.port)
        with socket.create_connection(address, timeout=10) as slow, socket.create_connection(address) as idle:
            slow.sendall(b"GET /api/health HTTP/1.1\r\nX-A: ")
            with pytest.raises((BrokenPipeError, ConnectionResetError)):
                for _ in range(200):
                    slow.sendall(b"b")
                    time.sleep(0.05)
            # Who has not begun, or sends a long body, is not in question.
            idle.sendall(request("GET", "/api/health"))
            assert idle.recv(12) == b"HTTP/1.1 200"


def test_several_requests_at_once_are_answered_in_their_order(house: Any) -> None:
    many = [request("GET", path, close=False) for path in ("/api/health", "/api/nothing", "/nothing")]
    sent = b"".join(many) + request("POST", "/api/tickets", ticket(), JSON)
    assert talk(house, sent).statuses == [200, 404, 404, 201]
    assert stored(house) == 1


def test_a_body_in_chunks_is_a_body(house: Any) -> None:
    body = ticket()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"
    sent = request("POST", "/api/tickets", b"", JSON, "Transfer-Encoding: chunked") + chunks
    assert talk(house, sent).statuses == [201]


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: 10", "Content-Length: 11"],
        ["Content-Length: 10, 11"],
        ["Content-Length: +10"],
        ["Content-Length: 0x10"],
        ["Content-Length: -1"],
        ["Content-Length: ten"],
        ["Content-Length: 1 0"],
        ["Transfer-Encoding: chunked, identity"],
        ["Transfer-Encoding: gzip"],
        ["Transfer-Encoding : chunked"],
        [" folded: x"],
        ["no colon"],
        ["Na me: x"],
        ["X: a\x00b"],
    ],
)
def test_headers_that_two_servers_could_read_in_two_ways_are_refused(house: Any, headers: list[str]) -> None:
    smuggled = b"GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n"
    sent = request("POST", "/api/tickets", b"", JSON, *headers, close=False) + b"0\r\n\r\n" + smuggled
    answers = talk(house, sent, half=True)
    assert answers.statuses[0] in (400, 415, 501)
    assert 200 not in answers.statuses, "what was smuggled in was answered"
    assert stored(house) == 0


def test_chunks_win_over_a_length_and_nothing_is_smuggled(house: Any) -> None:
    """RFC 9112, 6.3: both headers at once are refused, or the length is not looked at."""
    smuggled = b"GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n"
    sent = request(
        "POST", "/api/tickets", b"", JSON, "Content-Length: 5", "Transfer-Encoding: chunked", close=False
    )
    answers = talk(house, sent + b"0\r\n\r\n" + smuggled, half=True)
    assert answers.statuses[0] in (400, 422)
    assert answers.statuses[1:] in ([], [200])


@pytest.mark.parametrize(
    "first",
    [
        b"GET /api/health HTTP/9.9",
        b"GET /api/health HTTP/1.1 and more",
        b"get /api/health HTTP/1.1",
        b"G@T /api/health HTTP/1.1",
        b"GET\t/api/health\tHTTP/1.1",
        b"GET http://[::1 HTTP/1.1",
        b"GET /api/%zz HTTP/1.1",
        b"GET /api/\xff\xfe HTTP/1.1",
        b"GET * HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"CONNECT example.com:443 HTTP/1.1",
        b"TRACE /api/tickets HTTP/1.1",
        b"PRI * HTTP/2.0",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_odd_first_lines_get_an_answer_of_their_kind(house: Any, first: bytes) -> None:
    answers = talk(house, first + b"\r\nHost: x\r\nConnection: close\r\n\r\n", half=True)
    assert all(status in (200, 204, 400, 404, 405, 501, 505) for status in answers.statuses)
    assert b"X-Injected" not in answers.whole


def test_no_trace_is_given_back(house: Any) -> None:
    (answer,) = talk(house, request("TRACE", "/api/tickets", b"", "X-Secret: token")).each
    assert answer[0] == 405
    assert b"token" not in answer[2]


@pytest.fixture
def secret(house: Any) -> Iterator[Any]:
    """A house with a file beside its site, and one beside its files, that no address leads to."""
    (house.public.parent / "secret.txt").write_bytes(SECRET)
    (house.public.parent / "var" / "files" / "secret.txt").write_bytes(SECRET)
    (house.public / "page.txt").write_text("public")
    yield house


@pytest.mark.parametrize("start", ["/", "/files/", "/data/", "/files/upload/", "//", "/./"])
@pytest.mark.parametrize(
    "up",
    [
        "../",
        "..%2f",
        "%2e%2e/",
        "%2e%2e%2f",
        "..%5c",
        "..\\",
        "%252e%252e%252f",
        "..%c0%af",
        "....//",
        ".%00./",
        "x/../../",
    ],
)
def test_no_path_leads_out_of_the_site(secret: Any, start: str, up: str) -> None:
    for times in (1, 2, 3):
        for end in ("secret.txt", "var/secret", "var/desk.sqlite3", "etc/passwd"):
            answers = talk(secret, request("GET", start + up * times + end))
            assert answers.statuses[0] in (301, 400, 403, 404, 405)
            assert SECRET not in answers.whole
            assert b"root:" not in answers.whole


@pytest.mark.parametrize(
    "end", ["%0d%0aX-Injected: 1", "\rX-Injected: 1", "%0aSet-Cookie: a=b", "%E5%98%8A%E5%98%8DX: 1"]
)
@pytest.mark.parametrize(
    "start", ["/data", "/data/", "/help", "/api/tickets/", "/api/renewals/", "/files/", "//x"]
)
def test_no_address_becomes_a_header(house: Any, start: str, end: str) -> None:
    answers = talk(house, request("GET", start + end), half=True)
    for _, headers, _ in answers.each:
        assert {"x-injected", "set-cookie", "x"}.isdisjoint(headers)


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ("bytes=0-0", 206),
        ("bytes=-1", 206),
        ("bytes=-0", 416),
        ("bytes=9-2", 416),
        ("bytes=99999999999999999999-", 416),
        ("bytes=0-99999999999999999999", 206),
        ("bytes=" + ",".join(f"{at}-{at}" for at in range(5000)), 200),
        ("bytes=" + "0-," * 5000, 200),
        ("lines=0-1", 200),
        ("bytes=a-b", 200),
        ("bytes=\u00b2-3", 200),
        ("bytes=0-0, 2-", 200),
    ],
)
def test_odd_ranges_give_the_whole_or_nothing(house: Any, wanted: str, status: int) -> None:
    (house.public / "page.txt").write_text("public")
    answers = talk(house, request("GET", "/page.txt", b"", f"Range: {wanted}"))
    assert answers.statuses == [status]
    assert len(answers.each[0][2]) <= 400


def test_thousands_of_fields_are_counted_and_not_kept(house: Any) -> None:
    form = urlencode({**TICKET, **{f"x{at}": "1" for at in range(10_000)}}).encode()
    assert talk(house, request("POST", "/api/tickets", form, FORM)).statuses == [400]
    (answer,) = talk(
        house,
        request(
            "POST",
            "/api/tickets",
            json.dumps({**TICKET, **{f"x{at}": 1 for at in range(10_000)}}).encode(),
            JSON,
        ),
    ).each
    assert answer[0] == 422
    assert len(answer[2]) < 10_000
    assert stored(house) == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 200_000, 400),
        (b'{"a":' * 40_000, 400),
        (b'{"name": ' + b"[" * 900 + b"]" * 900 + b"}", 422),
        (b'{"name": 1e400}', 422),
        (b'{"name": NaN}', 422),
        (b'{"name": -Infinity}', 422),
        (b'{"name": ' + b"9" * 100_000 + b"}", 400),
        (b'{"name": "a", "name": "b"}', 422),
        (b'{"name": "\\ud800"}', 422),
        (b'{"name": "\\u0000"}', 422),
        (b'{"\\ud800": 1}', 422),
        (b'\xef\xbb\xbf{"name": "a"}', 400),
        (b'{"name": "\xff"}', 400),
        (b"null", 400),
        (b"", 400),
        (b'{"__proto__": {"admin": true}, "constructor": {}}', 422),
    ],
)
def test_odd_json_is_refused_by_name(house: Any, body: bytes, status: int) -> None:
    for accept in ("application/json", "text/html"):
        sent = request("POST", "/api/tickets", body, JSON, f"Accept: {accept}")
        assert talk(house, sent).statuses == [status]
    assert stored(house) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "x\r\nBcc: evil@example.org"},
        {"email": "a@example.org\r\nBcc: b@example.org"},
        {"email": "=?utf-8?q?a=0D=0ABcc=3A_evil=40x?=@example.org"},
        {"subject": "a\x1b]0;owned\x07"},
        {"subject": "\u202egnp.exe"},
        {"phone": "${jndi:ldap://x}"},
        {"kind": "defect' OR 1=1 --"},
    ],
)
def test_what_would_break_out_of_a_mail_or_a_terminal_is_refused(house: Any, changes: dict[str, str]) -> None:
    assert talk(house, request("POST", "/api/tickets", ticket(**changes), JSON)).statuses == [422]


def test_markup_and_templates_come_back_as_they_were_typed(house: Any) -> None:
    typed = {**TICKET, "email": "nobody", "subject": "[[ 7*7 ]]{{7*7}}<script>alert(1)</script>[% raw %]"}
    sent = request("POST", "/api/tickets", urlencode(typed).encode(), FORM, "Accept: text/html")
    (answer,) = talk(house, sent).each
    assert answer[0] == 422
    assert b"<script>alert" not in answer[2]
    assert b"49" not in answer[2]
    assert b"[[ 7*7 ]]{{7*7}}&lt;script&gt;" in answer[2]


@pytest.mark.parametrize(
    "accept", ["*/*;q=" + "9" * 4000, "text/html;q=nan", "," * 20_000, "a/b;" * 10_000, "\u00ff" * 900]
)
def test_odd_accept_headers_change_nothing(house: Any, accept: str) -> None:
    assert talk(house, request("GET", "/api/health", b"", f"Accept: {accept}")).statuses == [200]


def test_what_makes_bad_patterns_run_for_ever_ends_at_once() -> None:
    """Each input is made to be matched in as many ways as there are; ten seconds of processor are years too
    few for a pattern that tries them all, and a thousand times what a sound one needs."""
    program = """
import resource
resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
from chalicelib import answers, bodies, clients, drafts, fields
from chalicelib.refusals import Refused
nasty = []
parts = "a|a.|a-|a@a.|0 | \\t|\\u2003|\\n|-|1.1.1.1:|::|%|a=a&|q=0;|[|/".split("|")
for part in parts:
    for end in ("", "!", "\\x00", "@", "x", "\\n", "."):
        nasty.append(part * (20_000 // len(part)) + end)
for text in nasty:
    for form in fields.FORMS:
        for field in form.fields:
            for value in (text, text[: field.limit - 1]):
                try:
                    fields.one(field, value)
                except ValueError:
                    pass
    for content_type in bodies.ACCEPTED:
        for said in (text, '{"a": "%s' % text):
            try:
                bodies.read(content_type, said.encode())
                bodies.read(content_type + ";" + text, b"{}")
            except Refused:
                pass
    answers.wants_page(text, form=False)
    clients.address("", text, 1)
    drafts.is_email(text)
    drafts.file_name(text)
    drafts.content_type(text)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


HEADERS = [
    "Accept",
    "Content-Type",
    "Content-Length",
    "Transfer-Encoding",
    "Cookie",
    "Origin",
    "Sec-Fetch-Site",
    "Range",
    "If-None-Match",
    "If-Modified-Since",
    "If-Range",
    "X-Forwarded-For",
    "Idempotency-Key",
    "Expect",
    "Host",
]


@st.composite
def requests(draw: Any) -> bytes:
    """Something between a sound request and noise."""
    odd = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=20)
    method = draw(st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"]) | odd)
    places = [
        "/",
        "/api/health",
        "/api/tickets",
        "/api/tickets/x",
        "/api/tickets/x/messages",
        "/api/renewals",
    ]
    places += [
        "/api/downloads",
        "/api/updates",
        "/files/upload",
        "/files/x.y",
        "/data/catalog.json",
        "/api/openapi.json",
    ]
    path = draw(st.sampled_from(places)) + draw(st.just("") | odd)
    names = st.sampled_from(HEADERS)
    values = (
        st.sampled_from(
            ["application/json", "text/html", "multipart/form-data; boundary=x", "chunked", "0", "5"]
        )
        | odd
    )
    headers = draw(st.lists(st.tuples(names | odd, values), max_size=6))
    body = draw(
        st.binary(max_size=60)
        | st.sampled_from([ticket(), urlencode(TICKET).encode(), b"--x--", b"{}", b"0\r\n\r\n"])
    )
    lines = [
        f"{method} {path} HTTP/1.{draw(st.sampled_from('01'))}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    lines += ["Connection: close"] if draw(st.booleans()) else []
    lines += [f"Content-Length: {len(body)}"] if draw(st.booleans()) else []
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(requests(), min_size=1, max_size=2))
def test_no_bytes_make_a_5xx(house: Any, sent: list[bytes]) -> None:
    talk(house, b"".join(sent), half=True)
