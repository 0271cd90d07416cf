"""A SQLite file that an older desk made is carried on."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from chalicelib import sqlite_store
from chalicelib.ports import Change
from chalicelib.sqlite_store import SqliteStore, connect

SCHEMA = Path(sqlite_store.__file__).parent / "schema"
MAIL = (
    "('m', '<m@x>', 'visitor_receipt', 'ann@example.org', 'ann@example.org', 'AAAA-1111', 0, 1, ?, "
    "'waiting', 0, ?, '')"
)
AGREEMENT = (
    """('US-1', 'City', 'accepted', '', 'cityworks', 'site', NULL, '2026-03-01', '[]', """
    """'["Ann@example.org"]', NULL, 'hash', NULL)"""
)
WHEN = "2026-11-23T17:00:00.000000+00:00"


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A file of the first desk, which counted its steps and did not name them."""
    path = tmp_path / "desk.sqlite3"
    with sqlite3.connect(path) as made:
        made.executescript((SCHEMA / "001-first.sql").read_text())
        made.execute(f"INSERT INTO outbox VALUES {MAIL}", (WHEN, WHEN))  # noqa: S608 - a constant
        made.execute(f"INSERT INTO agreements VALUES {AGREEMENT}")  # noqa: S608 - a constant
        made.execute("PRAGMA user_version = 1")
    made.close()
    return path


def test_what_an_older_desk_kept_is_there(older: Path) -> None:
    store = SqliteStore(partial(connect, older))
    (queued,) = store.mails(["waiting"])
    assert (queued.mail.to, queued.mail.about) == ("ann@example.org", "AAAA-1111")
    assert store.acts() == ((), "")
    assert [one.agreement for one in store.agreements_of("ann@example.org")] == ["US-1"]
    assert store.key_hash("US-1") == "hash"
    store.close()


def test_a_ticket_that_an_older_desk_kept_has_all_that_it_had(older: Path) -> None:
    with sqlite3.connect(older) as made:
        texts = dict.fromkeys(("name", "organization", "phone", "agreement", "product", "version"), "x")
        row: dict[str, object] = {"number": "AAAA-1111", "salt": "s", "token_hash": "t", "received": WHEN}
        row |= {
            "reply_by": WHEN,
            "reply_by_because": '["a"]',
            "state": "answered",
            "email": "Ann@example.org",
        }
        row |= texts | {"kind": "question", "severity": "P2", "subject": "s", "description": "d"}
        row |= {"route": "r", "mailbox": "m", "route_because": "[]", "first_in_queue": 0, "covered": "yes"}
        row |= {"assignee": "", "first_answered": WHEN}
        marks = ", ".join(f":{name}" for name in row)
        names = ", ".join(row)
        made.execute(f"INSERT INTO tickets ({names}) VALUES ({marks})", row)  # noqa: S608 - names of ours
        made.execute("INSERT INTO messages VALUES ('AAAA-1111', 1, 'staff', 'Bo', 'Words', ?)", (WHEN,))
        made.execute(
            "INSERT INTO attachments VALUES ('f', 'AAAA-1111', 'a.txt', 'text/plain', 1, 'h', 'stored', ?)",
            (WHEN,),
        )
    made.close()
    store = SqliteStore(partial(connect, older))
    ticket = store.ticket("AAAA-1111")
    assert ticket is not None
    assert (ticket.state, ticket.promise, ticket.revision) == ("answered", None, 1)
    assert [one.text for one in ticket.messages] == ["Words"]
    assert [one.name for one in ticket.attachments] == ["a.txt"]
    assert [(one.what, one.when.isoformat(timespec="microseconds")) for one in ticket.events] == [
        ("opened", WHEN)
    ]
    assert store.tickets_of("ann@example.org") == ((ticket,), "")
    waits, _ = store.change_ticket(
        "AAAA-1111", lambda held: Change(ticket=replace(held, state="waiting")), ticket.received
    )
    assert waits.state == "waiting"
    store.close()


def test_an_older_and_a_new_file_have_the_same_tables(older: Path, tmp_path: Path) -> None:
    tables = []
    for path in (older, tmp_path / "new.sqlite3"):
        store = SqliteStore(partial(connect, path))
        store.ticket("none")
        store.close()
        with sqlite3.connect(path) as read:
            tables.append(
                sorted(row[0] for row in read.execute("SELECT sql FROM sqlite_master WHERE sql > ''"))
            )
            steps = {row[0] for row in read.execute("SELECT name FROM schema_steps")}
            assert steps == {step.stem for step in SCHEMA.glob("*.sql")}
        read.close()
    assert tables[0] == tables[1]


def test_a_step_that_fails_leaves_the_file_as_it_was(older: Path) -> None:
    with sqlite3.connect(older) as spoiled:
        spoiled.execute("CREATE TABLE acts (number INTEGER)")
    spoiled.close()
    store = SqliteStore(partial(connect, older))
    with pytest.raises(sqlite3.OperationalError, match="acts already exists"):
        store.ticket("none")
    store.close()
    with sqlite3.connect(older) as read:
        assert read.execute("PRAGMA user_version").fetchone()[0] == 1
        assert "ticket" in {row[1] for row in read.execute("PRAGMA table_info(outbox)")}
    read.close()
