"""The whole road, as the commands make it: one model, so that page, feed, catalog and answer never disagree.

Real processes: `bindery build`, `desk demo`, `desk serve`, on a copy of the real content.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


@dataclass
class Place:
    """A working copy of what a vendor's staff have: content, site, dist, var."""

    folder: Path
    url: str = ""

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env=_environment(),
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def read(self, path: str) -> str:
        return (self.folder / path).read_text()

    def edit(self, path: str, old: str, new: str) -> None:
        text = self.read(path)
        assert old in text
        (self.folder / path).write_text(text.replace(old, new))

    def ask(self, path: str, body: dict[str, str] | None = None) -> tuple[int, Any]:
        request = urllib.request.Request(
            self.url + path,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Content-Type": "application/json", "Accept": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def get(self, address: str) -> bytes:
        with urllib.request.urlopen(urllib.parse.urljoin(self.url, address), timeout=20) as answer:
            data: bytes = answer.read()
            return data

    def keys(self) -> dict[str, str]:
        lines = self.read("var/demo-agreements.txt").splitlines()
        return {line.split()[0]: line.split()[1] for line in lines if line.strip()}


def _environment(**more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **more}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    for name in ("content", "site"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return Place(tmp_path)


@contextmanager
def serving(place: Place, public: str = "dist/public") -> Iterator[None]:
    """`desk serve` on a port that the system chooses, stopped by its own process id."""
    log_path = place.folder / "serve.log"
    with log_path.open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "desk", "serve", "--port", "0", "--public", public],
            cwd=place.folder,
            env=_environment(),
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + 60
        while True:
            found = re.search(r"listening on (http://127\.0\.0\.1:\d+)", log_path.read_text())
            if found:
                break
            assert server.poll() is None and time.monotonic() < deadline, log_path.read_text()
            time.sleep(0.05)
        place.url = found[1]
        yield
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(timeout=20)
    assert code == 0


def test_one_edit_of_a_date_moves_page_explanation_catalog_feed_and_answer_together(place: Place) -> None:
    place.run("bindery", "build")
    with serving(place):
        _, before = place.ask("/api/updates", {"product": "respond", "version": "2.0"})
        assert before["supported_until"] == "2026-09-16"

        place.edit("content/releases/respond/2.1.md", "released: 2025-09-16", "released: 2025-12-01")
        place.run("bindery", "build")

        _, after = place.ask("/api/updates", {"product": "respond", "version": "2.0"})
        assert after["supported_until"] == "2026-12-01"
        assert any("was released on 2025-12-01" in reason for reason in after["because"])
        catalog = json.loads(place.get("/data/catalog.json"))
        answered = catalog["products"]["respond"]["releases"]["2.0"]
        assert answered["support_ends"] == "2026-12-01"
        assert set(answered["because"]) <= set(after["because"])
        assert b'datetime="2026-12-01"' in place.get("/life-cycle/")
        assert b'datetime="2026-12-01"' in place.get("/releases/respond/2.0/")
        told = place.run("bindery", "explain", "respond", "2.0", "--json")
        assert json.loads(told.stdout)["support_ends"] == "2026-12-01"
        assert set(json.loads(told.stdout)["because"]) <= set(after["because"])
        feed = json.loads(place.get("/feeds/releases.json"))
        dates = {item["title"]: item["date_published"] for item in feed["items"]}
        assert dates["Respond 2.1"].startswith("2025-12-01T")


def test_a_ticket_outlives_a_restart_and_its_mails_are_there(place: Place) -> None:
    place.run("bindery", "build")
    place.run("desk", "demo")
    ticket = {
        "name": "Sample Person",
        "email": "person@city.example",
        "organization": "City of Sample",
        "agreement": "DEMO-CURRENT",
        "product": "cityworks",
        "version": "23.4",
        "kind": "defect",
        "severity": "P2",
        "subject": "Maps are blank",
        "description": "All of them.",
    }
    with serving(place):
        status, opened = place.ask("/api/tickets", ticket)
        assert status == 201
    with serving(place):
        address = urllib.parse.urlsplit(opened["url"]).path
        status, found = place.ask(address)
        assert status == 200
        assert found["number"] == opened["number"]
        assert found["reply_by"] == opened["reply_by"]
    place.run("desk", "outbox", "run")
    mails = [path.read_text() for path in (place.folder / "var/mail").glob("*.eml")]
    assert any(f"Subject: We received your request {opened['number']}" in mail for mail in mails)
    assert opened["number"] in place.run("desk", "tickets", "list").stdout


def test_nothing_of_a_customer_stands_in_what_is_published(place: Place) -> None:
    place.run("bindery", "build")
    place.run("desk", "demo")
    with serving(place):
        place.ask(
            "/api/tickets",
            {
                "name": "Zanzibar Quokka",
                "email": "quokka@zanzibar.example",
                "organization": "City of Zanzibar",
                "kind": "question",
                "severity": "P4",
                "subject": "Zanzibar",
                "description": "Zanzibar",
            },
        )
    place.run("bindery", "build", "--clean")
    exported = place.run("desk", "agreements", "export", "-").stdout
    secrets = {"zanzibar", "quokka", *(word.lower() for pair in place.keys().items() for word in pair)}
    secrets |= {
        word.lower()
        for line in exported.splitlines()[1:]
        for word in re.findall(r"[\w.+-]+@[\w.-]+|DEMO-\w+|Sample City[^,]*", line)
    }
    assert len(secrets) > 10
    for path in (place.folder / "dist").rglob("*"):
        if path.is_file():
            text = path.read_bytes().decode("utf-8", "replace").lower()
            assert [word for word in secrets if word in text or word in str(path).lower()] == [], path


def test_a_covered_agreement_gets_the_published_bytes_and_a_lapsed_one_the_rule(place: Place) -> None:
    import hashlib

    place.run("bindery", "build")
    place.run("desk", "demo")
    keys = place.keys()
    catalog = json.loads(place.read("dist/public/data/catalog.json"))
    version = catalog["products"]["cityworks"]["releases"]["23.14.1"]
    (file, *_) = version["files"]
    wanted = {"product": "cityworks", "version": "23.14.1", "file": file["name"]}
    with serving(place):
        status, answer = place.ask(
            "/api/downloads", {"agreement": "DEMO-CURRENT", "key": keys["DEMO-CURRENT"], **wanted}
        )
        assert status == 200
        link = urllib.parse.urlsplit(answer["url"])
        data = place.get(link.path + (f"?{link.query}" if link.query else ""))
        assert hashlib.sha256(data).hexdigest() == file["sha256"] == answer["sha256"]
        assert len(data) == file["size"] == answer["size"]

        status, refusal = place.ask(
            "/api/downloads", {"agreement": "DEMO-LAPSED", "key": keys["DEMO-LAPSED"], **wanted}
        )
        assert status == 403
        reasons = " ".join(refusal["because"])
        assert version["released"] in reasons and "2023-12-31" in reasons
        assert refusal["would_change"]

        status, wrong = place.ask("/api/downloads", {"agreement": "DEMO-LAPSED", "key": "wrong", **wanted})
        other_status, unknown = place.ask("/api/downloads", {"agreement": "NONE", "key": "wrong", **wanted})
        assert status == other_status == 404
        assert wrong == unknown
