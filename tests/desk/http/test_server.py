"""The server as a process among others: its log, its end, and the pages that the site's shells make."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import lxml.html
import pytest

from desk.server import loggable

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


def test_a_log_line_holds_no_token_no_query_and_no_address(house: Any, caplog: Any) -> None:
    """Promise 28: nothing secret is in a log."""
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
        "<p>Nothing here matches. Check the number, the key or the address that you used, or call us.</p>"
        "{{ not ours }}</html>"
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


@pytest.mark.slow
def test_a_ticket_is_there_again_after_a_stop_and_a_start(
    build_house: Any, tmp_path: Path, free_port: Any
) -> None:
    house, port = build_house(), free_port()
    environ = {
        "SUPPORT_URL": f"http://127.0.0.1:{port}",
        "SUPPORT_VAR": str(tmp_path / "served"),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "desk", "serve", "--port", str(port), "--public", str(house.public)]
    client = type(house.client)(port)
    seen = []
    for turn in range(2):
        with subprocess.Popen(
            command, env=environ, stderr=subprocess.PIPE, text=True, cwd=tmp_path
        ) as served:
            try:
                assert served.stderr is not None
                assert served.stderr.readline() == (
                    f"The support site and its desk are at http://127.0.0.1:{port} "
                    f"(listening on http://127.0.0.1:{port}).\n"
                )
                if turn == 0:
                    where = client.form("/api/tickets", TICKET).headers["location"]
                seen.append(client.get(where).json["number"])
            finally:
                served.send_signal(signal.SIGTERM)
            assert served.wait(15) == 0
    assert seen[0] == seen[1]
