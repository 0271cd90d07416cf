"""A real server on 127.0.0.1 in front of a real desk, with a small published site of its own."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib import wiring
from chalicelib.agreements import Agreement, Period
from chalicelib.pace import Allowance, Guessing
from chalicelib.ports.accounts import WebSession
from chalicelib.signing import agreement_key, fingerprint
from chalicelib.wiring import Desk
from desk.server import Front, Server, running

_spec = importlib.util.spec_from_file_location("conformity", Path(__file__).with_name("conformity.py"))
assert _spec
assert _spec.loader
conformity = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(conformity)

FILE = b"what is downloaded\n" * 400
NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
NO_LIMIT = Allowance(burst=1_000_000, per_minute=1_000_000)
GUESSED_AT_WILL = Guessing(client=NO_LIMIT, pair=NO_LIMIT, account=NO_LIMIT)


@dataclass
class Clock:
    """A clock that stands until it is set."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Reply:
    """An answer as it came over the wire; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """Speaks HTTP with the server, one connection per request, and holds every answer against the OpenAPI
    document."""

    port: int
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body or None, {**self.headers, **named})
            answer = connection.getresponse()
            said: dict[str, str] = {}
            for name, value in answer.getheaders():
                # A header that comes twice: a line each.
                said[name.lower()] = f"{said[name.lower()]}\n{value}" if name.lower() in said else value
            reply = Reply(answer.status, said, answer.read())
            conformity.check(method, path, reply.status, reply.headers, reply.body)
            return reply
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self.send("GET", path, **headers)

    def page(self, path: str, **headers: str) -> Reply:
        return self.send("GET", path, Accept="text/html,application/xhtml+xml,*/*;q=0.8", **headers)

    def json(self, path: str, value: object, **headers: str) -> Reply:
        typed = {"Content-Type": "application/json", **headers}
        return self.send("POST", path, json.dumps(value).encode(), **typed)

    def form(self, path: str, values: dict[str, str], **headers: str) -> Reply:
        typed = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
            **headers,
        }
        return self.send("POST", path, urlencode(values).encode(), **typed)


@dataclass
class House:
    """A running server and what stands behind it."""

    desk: Desk
    server: Server
    public: Path
    clock: Clock
    client: Client
    keys: dict[str, str]

    def sign_in(self, address: str) -> str:
        """Begin a session for the address; its secret, as the cookie holds it."""
        self.desk.sign_ins.ask(address)
        now, secret = self.desk.clock(), "s" * 43
        session = WebSession(
            id="one",
            secret_hash=fingerprint(secret),
            address=address,
            browser="A program",
            began=now,
            seen=now,
        )
        held = self.desk.store.sign_in(address)
        assert held is not None
        assert self.desk.store.redeem_sign_in(held, session, instead_of="", now=now)
        return secret


def catalog() -> dict[str, Any]:
    return {
        "format": 1,
        "vendor": {
            "name": "Example Systems",
            "url": "https://example.com",
            "address": "1 Main Street",
            "phone": "+1 801 555 0100",
            "email": "support@example.com",
            "hours_note": "",
        },
        "policy": {
            "url": "/policy/support/",
            "rules": [
                {
                    "since": "1990-01-01",
                    "product": None,
                    "prior_version_support": "12 months",
                    "rounding": "same day",
                    "complimentary": {"site": "1 year", "seat": "90 days"},
                    "renewal": "1 year",
                    "grace": "0 days",
                    "lapsed_downloads": "released while covered",
                    "reminders": [30],
                    "because": "policy/support.md:5",
                }
            ],
            "first_response": {"P1": "1 hour", "P2": "4 hours", "P3": "1 day", "P4": "2 days"},
            "mailboxes": {
                "client_services": "services@example.com",
                "client_services_manager": "manager@example.com",
                "programming": "programming@example.com",
            },
        },
        "hours": {
            "time_zone": "America/Denver",
            "days": ["Mon", "Tue", "Wed", "Thu", "Fri"],
            "open": "08:00",
            "close": "17:00",
            "closed": {},
        },
        "products": {
            "widget": {
                "name": "Widget",
                "url": "/releases/widget/",
                "releases": {
                    version: {
                        "kind": "version",
                        "of": "",
                        "line": "1",
                        "after": None,
                        "released": released,
                        "support_ends": None,
                        "ends_after_next": "12 months",
                        "because": [f"releases/widget/{version}.md:3 released {released}"],
                        "url": f"/releases/widget/{version}/",
                        "sample": True,
                        "security": [],
                        "fixes": [],
                        "files": [
                            {
                                "name": "setup.zip",
                                "size": len(FILE),
                                "sha256": hashlib.sha256(FILE).hexdigest(),
                                "platform": "any",
                            }
                        ],
                    }
                    for version, released in (("1.0", "2024-06-01"), ("2.0", "2026-06-01"))
                },
            }
        },
        "known_issues": {},
    }


@pytest.fixture
def free_port() -> Callable[[], int]:
    return a_free_port


def a_free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def publish(public: Path) -> None:
    (public / "data").mkdir(parents=True, exist_ok=True)
    (public / "data" / "catalog.json").write_text(json.dumps(catalog()))


@pytest.fixture
def build_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Makes houses; each lasts until the test ends."""
    with ExitStack() as stack:

        def build(
            *,
            public: Path | None = None,
            posts: Allowance = NO_LIMIT,
            wrong_keys: Guessing = GUESSED_AT_WILL,
            proxies: int = 0,
        ) -> House:
            folder = public or tmp_path / "public"
            if public is None:
                publish(folder)
            port, clock = a_free_port(), Clock()
            desk = wiring.desk(
                {
                    "SUPPORT_URL": f"http://127.0.0.1:{port}",
                    "SUPPORT_VAR": str(tmp_path / "var"),
                    "SUPPORT_CATALOG": str(folder / "data" / "catalog.json"),
                    "SUPPORT_SECRET": "a secret for the tests alone",
                },
                clock,
            )
            keys = agreements(desk)
            for version in ("1.0", "2.0"):
                kept = tmp_path / "var" / "files" / "releases" / "widget" / version / "setup.zip"
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_bytes(FILE)
            front = Front(desk, folder, posts=posts, wrong_keys=wrong_keys, proxies=proxies)
            server = stack.enter_context(running(front, port=port))
            stack.callback(desk.store.close)
            return House(desk, server, folder, clock, Client(port), keys)

        yield build


@pytest.fixture
def house(build_house: Callable[..., House]) -> House:
    return build_house()


def agreements(desk: Desk) -> dict[str, str]:
    """A current and a lapsed agreement, and one that was withdrawn; their keys."""
    today = NOW.date()
    kept = {
        "AZ-1001": Agreement(
            agreement="AZ-1001",
            customer="City of Exampleville",
            stage="accepted",
            client_manager="",
            product="widget",
            licence="site",
            seats=None,
            starts=date(2026, 3, 1),
        ),
        "AZ-1002": Agreement(
            agreement="AZ-1002",
            customer="Town of Sampleton",
            stage="accepted",
            client_manager="",
            product="widget",
            licence="site",
            seats=None,
            starts=date(2024, 1, 1),
            paid=(Period(first=date(2025, 1, 1), last=date(2025, 12, 31)),),
        ),
        "AZ-1003": Agreement(
            agreement="AZ-1003",
            customer="County of Gone",
            stage="accepted",
            client_manager="",
            product="widget",
            licence="site",
            seats=None,
            starts=date(2026, 3, 1),
            withdrawn=today - timedelta(days=1),
        ),
    }
    desk.store.import_agreements(kept.values(), dry_run=False)
    keys = {}
    for number in kept:
        keys[number] = agreement_key()
        desk.store.set_key(number, fingerprint(keys[number]), NOW)
    return keys
