"""The Nu HTML checker finds no error: in any page of the site, nor in what the desk answers."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

pytestmark = pytest.mark.slow


def errors(nu: Path, *files: Path) -> list[str]:
    told = subprocess.run(
        ["java", "-jar", nu, "--format", "json", "--errors-only", "--exit-zero-always", *files],
        capture_output=True,
        text=True,
        check=True,
    )
    return [
        f"{message['url'].rpartition('public/')[2]}:{message.get('lastLine')}: {message['message']} "
        f"{message.get('extract', '')!r}"
        for message in json.loads(told.stderr)["messages"]
    ]


def test_every_page_is_html_that_the_standard_knows(served: Any, nu: Path) -> None:
    public = served.dist / "public"
    # What lies in support/answers is filled in by the desk before anybody reads it; see below.
    pages = [path for path in sorted(public.rglob("*.html")) if path.parent.name != "answers"]
    assert len(pages) > 90
    assert errors(nu, *pages) == []


def test_the_checker_would_find_what_is_wrong(nu: Path, tmp_path: Path) -> None:
    page = tmp_path / "wrong.html"
    page.write_text("<!doctype html><html lang=en><title>x</title><ul>text</ul><p id=a><p id=a>")
    assert len(errors(nu, page)) == 2


def test_what_the_desk_answers_is_html_that_the_standard_knows(served: Any, nu: Path, tmp_path: Path) -> None:
    ticket = {"name": "Dana <b> & co", "email": "dana.ortiz@example.gov", "kind": "defect", "severity": "P2"}
    ticket |= {"subject": "Work orders", "description": "Since </textarea> today.", "product": "cityworks"}
    asked: dict[str, tuple[str, dict[str, str] | None]] = {
        "wrong-ticket": ("/api/tickets", ticket | {"email": "nobody", "kind": ""}),
        "ticket": ("/api/tickets", ticket | {"version": "23.12"}),
        "renewal": ("/api/renewals", {"agreement": "DEMO-1", "key": served.key}),
        "wrong-renewal": ("/api/renewals", {"agreement": "DEMO-1", "key": "wrong"}),
        "download": (
            "/api/downloads",
            {
                "agreement": "DEMO-1",
                "key": served.key,
                "product": "cityworks",
                "version": "23.12",
                "file": "cityworks-23.12-sample.txt",
            },
        ),
        "updates": ("/api/updates", {"product": "cityworks", "version": "15.8.9"}),
        "lost": ("/api/tickets/nothing", None),
    }
    pages = []
    for name, (path, form) in asked.items():
        page = tmp_path / f"{name}.html"
        page.write_bytes(answer(served.url + path, form))
        pages.append(page)
    assert [page.name for page in pages if b"<h1" not in page.read_bytes()] == []
    assert errors(nu, *pages) == []


def answer(url: str, form: dict[str, str] | None) -> bytes:
    """The page that a browser is shown in the end."""
    data = urlencode(form).encode() if form is not None else None
    request = Request(url, data, {"Accept": "text/html"})
    try:
        with urlopen(request, timeout=10) as response:
            body: bytes = response.read()
    except HTTPError as refused:
        with refused:
            body = refused.read()
    assert re.match(rb"\s*<!doctype html>", body, re.IGNORECASE)
    return body
