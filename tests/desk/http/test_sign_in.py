"""Signing in over HTTP: one answer for everybody, cookies that only our own site gets, a button that acts."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from chalicelib import answers
from chalicelib.answers import Answer
from chalicelib.operations import OPERATIONS
from desk.server import loggable

ANN = "ann@example.gov"
SAFE = "Path=/; Secure; HttpOnly; SameSite=Lax"


@pytest.fixture
def ann(house: Any) -> Any:
    """A house in which Ann is the contact of AZ-1001."""
    kept = house.desk.store.agreement("AZ-1001")
    house.desk.store.import_agreements([replace(kept, contacts=(ANN,))], dry_run=False)
    return house


def cookie_of(reply: Any, name: str) -> str:
    """The value that an answer sets a cookie to."""
    for line in reply.headers["set-cookie"].split("\n"):
        if line.startswith(f"{name}="):
            return str(line.removeprefix(f"{name}=").partition(";")[0])
    raise AssertionError(f"no {name} in {reply.headers['set-cookie']}")


def link_of(house: Any) -> str:
    """The path of the newest link that was mailed."""
    house.desk.outbox.run()
    newest = max(
        Path(house.desk.settings.var, "mail").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns
    )
    text = message_from_bytes(newest.read_bytes(), policy=default).get_content()
    (found,) = re.findall(rf"{re.escape(house.desk.settings.url)}(/api/sign-in/\S+)", text)
    return str(found)


def asked(house: Any, **more: str) -> tuple[str, dict[str, str]]:
    """Asks as a browser does; the path of the link, and the Cookie header of that browser."""
    reply = house.client.form("/api/sign-in", {"email": ANN, **more})
    assert reply.status == 303
    return link_of(house), {"Cookie": f"__Host-sign-in={cookie_of(reply, '__Host-sign-in')}"}


def signed_in(house: Any) -> dict[str, str]:
    """The Cookie header of a browser that has signed in as Ann."""
    link, browser = asked(house)
    reply = house.client.form(link, {}, **browser)
    assert reply.status == 303
    return {"Cookie": f"__Host-session={cookie_of(reply, '__Host-session')}"}


def without_chance(reply: Any) -> tuple[int, dict[str, str], bytes]:
    """An answer without what is drawn anew each time: the value of the cookie and the id of the request."""
    headers = {name: value for name, value in reply.headers.items() if name not in ("x-request-id", "date")}
    headers["set-cookie"] = re.sub(r"=[^;]+", "=…", headers["set-cookie"], count=1)
    return reply.status, headers, reply.body


@pytest.mark.parametrize("way", ["form", "json"])
def test_asking_tells_nobody_who_is_a_customer(ann: Any, way: str) -> None:
    """Promise 18."""
    post = getattr(ann.client, way)
    for _ in range(4):  # beyond the cap too
        known = post("/api/sign-in", {"email": ANN})
        unknown = post("/api/sign-in", {"email": "zoe@example.gov"})
        assert without_chance(known) == without_chance(unknown)
        ann.desk.outbox.run()
    assert len(list(Path(ann.desk.settings.var, "mail").glob("*.eml"))) == 3
    if way == "json":
        assert (known.status, known.json) == (
            202,
            {
                "detail": "If we know this address, a mail with a link is on its way. The link works once, "
                "for 10 minutes, in the browser that asked; elsewhere it wants a code.",
                "code_at": f"{ann.desk.settings.url}/api/sign-in",
            },
        )
    else:
        assert (known.status, known.headers["location"]) == (303, "/api/sign-in")


def test_the_pages_for_a_known_and_an_unknown_address_are_alike(ann: Any) -> None:
    """Promise 18."""
    shown = []
    for email in (ANN, "zoe@example.gov"):
        reply = ann.client.form("/api/sign-in", {"email": email})
        page = ann.client.page("/api/sign-in", Cookie=f"__Host-sign-in={cookie_of(reply, '__Host-sign-in')}")
        assert page.status == 200
        shown.append(re.sub(r"[2-9A-Z]{3}-[2-9A-Z]{3}", "CODE", page.text).replace(email, "ADDRESS"))
    assert shown[0] == shown[1]
    assert "ADDRESS" in shown[0]
    assert "CODE" in shown[0]


def test_a_link_signs_in_by_a_button_in_the_browser_that_asked_and_works_once(ann: Any) -> None:
    """Promise 17."""
    link, browser = asked(ann)
    page = ann.client.page(link, **browser)
    assert page.status == 200
    assert f"You sign in as {ANN}." in page.text
    assert "set-cookie" not in page.headers
    done = ann.client.form(link, {}, **browser)
    assert (done.status, done.headers["location"]) == (303, "/api/me")
    again = ann.client.form(link, {}, **browser)
    assert again.status == 404
    assert "set-cookie" not in again.headers


def test_opening_a_link_again_and_again_uses_nothing_up(ann: Any) -> None:
    """Promises 12 and 17: a mail scanner opens every link, with HEAD too, and in no browser of ours."""
    link, browser = asked(ann)
    for _ in range(5):
        assert ann.client.page(link).status == 200
        assert ann.client.get(link).json["wants_code"]
        assert ann.client.send("HEAD", link).status == 200
        assert ann.client.send("OPTIONS", link).status == 204
    assert ann.client.form(link, {}, **browser).status == 303


def test_elsewhere_a_link_wants_the_code(ann: Any) -> None:
    """Promise 17."""
    link, browser = asked(ann)
    code = ann.client.get("/api/sign-in", **browser).json["code"]
    page = ann.client.page(link)
    assert 'name="code"' in page.text
    assert ANN not in page.text
    empty = ann.client.form(link, {"code": ""})
    assert empty.status == 422
    assert "Enter the code that stands on the page where you asked for the link." in empty.text
    wrong = ann.client.form(link, {"code": "222-222"})
    assert wrong.status == 422
    assert "<title>Error: " in wrong.text
    assert 'value="222-222"' in wrong.text
    assert "This is not the code. You can try 4 more times." in wrong.text
    as_json = ann.client.json(link, {"code": "222-222"})
    assert as_json.json["errors"] == [
        {"field": "code", "message": "This is not the code. You can try 3 more times."}
    ]
    done = ann.client.json(link, {"code": code})
    assert done.status == 200
    assert (done.json["address"], done.json["next"]) == (ANN, "/api/me")


def test_after_five_wrong_codes_the_link_is_dead(ann: Any) -> None:
    """Promise 17."""
    link, browser = asked(ann)
    told = [ann.client.json(link, {"code": "222222"}).status for _ in range(6)]
    assert told == [422, 422, 422, 422, 404, 404]
    assert ann.client.form(link, {}, **browser).status == 404


def test_dead_links_and_links_that_never_were_get_the_same_answer(ann: Any) -> None:
    older, browser = asked(ann)
    used, browser = asked(ann)
    ann.client.form(used, {}, **browser)
    told = {ann.client.get(path).body for path in (older, used, "/api/sign-in/none", "/api/sign-in/%00")}
    assert len(told) == 1
    page = ann.client.page(used)
    assert page.status == 404
    assert 'href="/support/sign-in/"' in page.text


def test_the_cookies_are_for_this_host_alone_and_no_script_reads_them(ann: Any) -> None:
    """Promise 19."""
    reply = ann.client.form("/api/sign-in", {"email": ANN})
    assert re.fullmatch(rf"__Host-sign-in=[\w.-]+; Max-Age=600; {SAFE}", reply.headers["set-cookie"])
    link, browser = asked(ann)
    session, gone = ann.client.form(link, {}, **browser).headers["set-cookie"].split("\n")
    assert re.fullmatch(rf"__Host-session=[\w-]{{43}}; Max-Age=43200; {SAFE}", session)
    assert gone == f"__Host-sign-in=; Max-Age=0; {SAFE}"


def test_signing_out_ends_the_session_on_the_server(ann: Any) -> None:
    """Promise 19."""
    browser = signed_in(ann)
    assert ann.client.get("/api/sign-out", **browser).json == {"signed_in": True}
    done = ann.client.form("/api/sign-out", {}, **browser)
    assert (done.status, done.headers["location"]) == (303, "/api/sign-out")
    assert done.headers["set-cookie"] == f"__Host-session=; Max-Age=0; {SAFE}"
    # The cookie that somebody kept is worth nothing.
    assert ann.client.get("/api/sign-out", **browser).json == {"signed_in": False}
    assert "You are signed out" in ann.client.page("/api/sign-out", **browser).text
    assert ann.client.json("/api/sign-out", {}, **browser).json == {"signed_in": False}


def test_one_other_session_and_all_of_them_can_be_ended(ann: Any) -> None:
    """Promise 19."""
    browsers = []
    for _ in range(3):
        browsers.append(signed_in(ann))
        ann.clock.now += timedelta(minutes=1)
    one, two, three = browsers
    (_, middle, _) = ann.desk.store.sessions_of(ANN)
    assert ann.client.json("/api/sign-out", {"session": middle.id}, **one).json == {"signed_in": True}
    assert [ann.client.get("/api/sign-out", **who).json["signed_in"] for who in (one, two, three)] == [
        True,
        False,
        True,
    ]
    assert ann.client.json("/api/sign-out", {"everywhere": "yes"}, **one).json == {"signed_in": False}
    assert ann.desk.store.sessions_of(ANN) == ()


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_only_our_own_pages_can_make_a_browser_act(ann: Any, headers: dict[str, str]) -> None:
    """Promise 20: from another site or subdomain it is 403, and nothing happened."""
    browser = signed_in(ann)
    link, asking = asked(ann)
    for path, who in (("/api/sign-in", {}), (link, asking), ("/api/sign-out", browser)):
        assert ann.client.form(path, {"email": ANN}, **who, **headers).status == 403
    assert ann.client.get("/api/sign-out", **browser).json == {"signed_in": True}
    assert ann.client.form(link, {}, **asking).status == 303


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/a\\b",
        "/ü",
    ],
)
def test_signing_in_never_leads_to_another_site(ann: Any, target: str) -> None:
    """Promise 21."""
    reply = ann.client.json("/api/sign-in", {"email": ANN, "next": target})
    assert reply.status == 422
    assert reply.json["errors"] == [
        {"field": "next", "message": "The page to go on to must be a path of this site such as /api/me."}
    ]
    page = ann.client.form("/api/sign-in", {"email": ANN, "next": target})
    assert page.status == 422
    assert target not in page.text
    assert f'value="{ANN}"' in page.text


def test_signing_in_leads_to_the_page_that_was_asked_for(ann: Any) -> None:
    link, browser = asked(ann, next="/support/download/?version=2.0")
    assert ann.client.form(link, {}, **browser).headers["location"] == "/support/download/?version=2.0"


def test_links_in_mails_point_to_the_configured_site_whatever_host_asked(ann: Any) -> None:
    """Promise 21."""
    ann.client.form(
        "/api/sign-in",
        {"email": ANN},
        Host="evil.example",
        X_Forwarded_Host="evil.example",
        Forwarded="host=evil.example",
    )
    assert link_of(ann).startswith("/api/sign-in/")
    (mail,) = Path(ann.desk.settings.var, "mail").glob("*.eml")
    assert b"evil" not in mail.read_bytes()


def test_a_cookie_that_is_given_twice_or_changed_opens_nothing(ann: Any) -> None:
    browser = signed_in(ann)["Cookie"]
    for cookie in (f"{browser}; {browser}", browser[:-1], browser + "a", "__Host-session=", f"x{browser}"):
        assert ann.client.get("/api/sign-out", Cookie=cookie).json == {"signed_in": False}
    assert ann.client.get("/api/sign-out", Cookie=f"a=b; {browser}; c").json == {"signed_in": True}


def test_a_browser_that_keeps_no_cookie_is_told_so(house: Any) -> None:
    page = house.client.page("/api/sign-in")
    assert page.status == 404
    assert "Nothing was asked for in this browser" in page.text
    assert "cookie" in page.text


def test_a_session_shows_nothing_of_staff() -> None:
    """Promise 22: no address of the desk does what staff do; they have commands on the machine."""
    assert {operation.path.split("/")[2] for operation in OPERATIONS} <= {
        *("health", "openapi.json", "tickets", "renewals", "downloads", "updates", "sign-in", "sign-out"),
        *("me", "calendar", "subscriptions"),
    }


def test_no_input_makes_a_5xx(ann: Any) -> None:
    """Promise 26."""
    link, _ = asked(ann)
    odd = ["", "\x00", "\ud800", "a" * 70_000, "é", "%00", "=;,", '"']
    for path in ("/api/sign-in", link, "/api/sign-out", "/api/sign-in/" + "a" * 3000):
        for value in (*odd, None, 7, [], {}, True):
            for name in ("email", "next", "code", "everywhere", "session"):
                reply = ann.client.json(path, {name: value})
                assert reply.status < 500, (path, name, value)
    for value in (
        "",
        ";",
        "=",
        "__Host-session",
        "__Host-session=%00",
        "__Host-sign-in=..",
        "__Host-sign-in=e30.e30",
        "é",
    ):
        for path in ("/api/sign-in", link, "/api/sign-out"):
            assert ann.client.get(path, Cookie=value.encode("utf-8").decode("latin-1")).status < 500


def test_no_token_is_logged(ann: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Promise 28."""
    with caplog.at_level(logging.DEBUG):
        link, browser = asked(ann)
        reply = ann.client.form(link, {}, **browser)
    told = caplog.text
    assert "/api/sign-in/…" in told
    for secret in (
        link.rpartition("/")[2],
        browser["Cookie"].partition("=")[2],
        cookie_of(reply, "__Host-session"),
        ANN,
    ):
        assert secret not in told


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/api/sign-in", "/api/sign-in"),
        ("/api/sign-in/abc", "/api/sign-in/…"),
        ("/api/sign-in/abc/def", "/api/sign-in/…/def"),
        ("/api/calendar/abc.ics", "/api/calendar/…"),
        ("/api/me", "/api/me"),
    ],
)
def test_a_path_is_logged_without_what_opens_anything(path: str, logged: str) -> None:
    """Promise 28."""
    assert loggable(path) == logged


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b=c", "a\nb", "a\x00b", "a\x7fb"])
def test_a_header_with_a_control_character_is_never_sent(value: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        Answer(status=200, headers=(("Set-Cookie", value),))
    with pytest.raises(ValueError, match="control character"):
        answers.see(value)


def test_every_answer_about_signing_in_has_the_security_headers(ann: Any) -> None:
    """Promise 29."""
    link, browser = asked(ann)
    replies = [
        ann.client.page(link, **browser),
        ann.client.form(link, {}, **browser),
        ann.client.form("/api/sign-out", {}),
        ann.client.page("/api/sign-in/none"),
        ann.client.form("/api/sign-in", {}),
    ]
    for reply in replies:
        assert "unsafe-" not in reply.headers["content-security-policy"]
        for name, value in (*answers.SECURITY_HEADERS, *answers.PRIVATE_HEADERS):
            assert reply.headers[name.lower()] == value


def test_too_many_requests_are_told_how_long_to_wait(build_house: Callable[..., Any]) -> None:
    """Promise 27."""
    from chalicelib.pace import Allowance

    house = build_house(posts=Allowance(burst=2, per_minute=1))
    told = [house.client.json("/api/sign-in", {"email": ANN}) for _ in range(3)]
    assert [reply.status for reply in told] == [202, 202, 429]
    assert int(told[2].headers["retry-after"]) >= 1
