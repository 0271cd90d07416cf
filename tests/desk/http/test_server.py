"""The server as a process among others: its log, its end, and the pages that the site's shells make."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import lxml.html

from desk.server import loggable


def test_a_log_line_holds_no_token_no_query_and_no_address(house: Any, caplog: Any) -> None:
    caplog.set_level(logging.INFO, "desk.requests")
    house.client.get("/api/tickets/secret-token?also=secret")
    house.client.get("/files/secret.word")
    house.client.get("/help/?q=secret%0aline")
    lines = [record.message for record in caplog.records]
    assert [line.split(" bytes ")[0].rsplit(" ", 1)[0] for line in lines] == [
        "GET /api/tickets/… 404",
        "GET /files/… 403",
        "GET /help/ 404",
    ]
    assert all("secret" not in line and "127.0.0.1" not in line for line in lines)


def test_paths_are_cut_for_the_log() -> None:
    assert loggable("/api/tickets/abc/messages") == "/api/tickets/…/messages"
    assert loggable("/api/renewals/abc.def") == "/api/renewals/…"
    assert loggable("/files/upload") == "/files/upload"
    assert loggable("/a\x1b[31m\nb") == "/a?[31m?b"


def test_a_stop_finishes_what_is_under_way(build_house: Any) -> None:
    house = build_house()
    entered = threading.Event()

    def slow(token: str) -> None:
        entered.set()
        time.sleep(0.5)
        raise RuntimeError

    object.__setattr__(house.desk.tickets, "read", slow)
    replies: list[int] = []
    asking = threading.Thread(target=lambda: replies.append(house.client.get("/api/tickets/x").status))
    asking.start()
    assert entered.wait(5)
    house.server.stop()
    asking.join(5)
    assert replies == [500]


def test_a_shell_of_the_site_is_used_and_its_variables_are_inert(house: Any) -> None:
    shells = house.public / "support" / "answers"
    shells.mkdir(parents=True)
    (shells / "refused.html").write_text(
        "<!doctype html><html lang='en'><title>x</title><h1>[[ title ]]</h1>[% if detail %]"
        "<p>[[ detail ]]</p>[% endif %]{{ not ours }}</html>"
    )
    reply = house.client.page("/api/nothing")
    assert reply.text == (
        "<!doctype html><html lang='en'><title>x</title><h1>Not found</h1>"
        "<p>There is nothing here under these particulars. Check them, or call us.</p>{{ not ours }}</html>"
    )


def test_a_broken_shell_is_logged_and_the_plain_page_stands_in(house: Any, caplog: Any) -> None:
    shells = house.public / "support" / "answers"
    shells.mkdir(parents=True)
    for broken in ("[% if %]", "[[ ().__class__.__subclasses__() ]]"):
        (shells / "refused.html").write_text(broken)
        reply = house.client.page("/api/nothing")
        assert (reply.status, lxml.html.fromstring(reply.text).xpath("//h1")[0].text) == (404, "Not found")
    assert {record.message for record in caplog.records if record.levelno >= logging.ERROR} == {
        "the shell of refused cannot be used; the plain page stands in"
    }
