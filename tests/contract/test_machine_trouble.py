"""A disk that is full, read-only or gone, and a process that is killed: nothing half, nothing lost."""

from __future__ import annotations

import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from chalicelib.agreements import Agreement
from chalicelib.drafts import TicketDraft
from chalicelib.refusals import NotStored
from chalicelib.sqlite_store import SqliteStore
from chalicelib.wiring import desk

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
DRAFT = TicketDraft(
    name="Ann", email="ann@example.org", kind="question", severity="P2", subject="s", description="d" * 9000
)
WRITER = Path(__file__).with_name("writer.py")


def opener(path: Path, *, pages: int = 0, mode: str = "rwc") -> Callable[[], sqlite3.Connection]:
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{path}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
        )
        if pages:
            connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    return connect


def nearly_full(path: Path) -> Callable[[], sqlite3.Connection]:
    """A file that has room for 20 pages more than an empty store takes."""
    empty = SqliteStore(opener(path))
    assert empty.ticket("none") is None
    empty.close()
    with sqlite3.connect(path) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.close()
    return opener(path, pages=pages + 20)


def made(folder: Path, connect: Callable[[], sqlite3.Connection]) -> Any:
    # No catalog, whatever was built in this folder: with one, staff get a mail too.
    environ = {"SUPPORT_VAR": str(folder / "var"), "SUPPORT_CATALOG": str(folder / "none.json")}
    built = desk({**environ, "SUPPORT_SECRET": "0123456789abcdef"}, lambda: NOW)
    built.__dict__["store"] = SqliteStore(
        connect
    )  # the seam of a cached property: wiring makes it on first use
    return built


def test_a_full_disk_is_said_and_nothing_of_it_is_kept(tmp_path: Path) -> None:
    """Promise 3: if we could not keep it, we say so."""
    path = tmp_path / "full.sqlite3"
    full = made(tmp_path, nearly_full(path))
    kept = []
    with pytest.raises(NotStored) as refused:
        for number in range(100):
            kept.append(full.tickets.open(DRAFT, key=str(number)).number)
    assert refused.value.status == 503
    assert refused.value.retry_after == 60
    assert refused.value.detail == (
        "This was not stored. It is safe to send it again in a minute; if it is urgent, please call us."
    )
    assert kept
    store = full.store
    assert sorted(one.number for one in store.tickets(["open"])) == sorted(kept)
    assert len(store.mails(["waiting", "suppressed"])) == len(kept)
    store.close()
    roomy = made(tmp_path, opener(path))
    again = roomy.tickets.open(DRAFT, key=str(len(kept)))
    assert not again.repeated
    roomy.store.close()


def test_a_read_only_disk_refuses_tickets_and_still_answers(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    first = made(tmp_path, opener(path))
    receipt = first.tickets.open(DRAFT)
    frozen = made(tmp_path, opener(path, mode="ro"))
    with pytest.raises(NotStored):
        frozen.tickets.open(DRAFT, key="other")
    assert frozen.tickets.read(receipt.token).number == receipt.number
    first.store.close()
    frozen.store.close()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    built = desk({"SUPPORT_VAR": str(tmp_path / "file" / "var")}, lambda: NOW)
    with pytest.raises(NotStored):
        built.tickets.open(DRAFT)
    assert built.health()["store"] == "cannot be reached"


def test_an_import_that_fails_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    store = SqliteStore(nearly_full(tmp_path / "full.sqlite3"))
    rows = [
        Agreement(
            agreement=f"A{n}",
            customer="x" * 900,
            stage="accepted",
            client_manager="",
            product="cityworks",
            licence="site",
            seats=None,
            starts=NOW.date(),
        )
        for n in range(500)
    ]
    with pytest.raises(NotStored):
        store.import_agreements(rows, dry_run=False)
    assert store.agreements() == ()
    store.close()


@pytest.mark.slow
def test_a_killed_desk_keeps_every_ticket_that_it_acknowledged(tmp_path: Path) -> None:
    """Promise 1: a ticket that got a number is on disk."""
    for round_ in range(3):
        process = subprocess.Popen(
            [sys.executable, WRITER, str(tmp_path / str(round_))], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        tokens = [process.stdout.readline().strip() for _ in range(40 + 7 * round_)]
        process.send_signal(signal.SIGKILL)
        tokens += [line.strip() for line in process.stdout.read().splitlines() if len(line) == 43]
        process.wait()
        process.stdout.close()
        again = desk({"SUPPORT_VAR": str(tmp_path / str(round_))})
        assert [again.tickets.read(token).state for token in tokens] == ["open"] * len(tokens)
        found = again.store.tickets(["open"])
        assert len(tokens) <= len(found) <= len(tokens) + 1
        assert len(again.store.mails(["waiting", "suppressed"])) == len(found)
        again.store.close()


@pytest.mark.slow
def test_a_disk_quota_in_a_real_process_is_said(tmp_path: Path) -> None:
    """The kernel refuses bytes beyond the limit, as a full file system does."""
    process = subprocess.run(
        [sys.executable, WRITER, str(tmp_path / "var")],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000)),
    )
    assert (process.stderr, process.returncode) == ("", 3)
    tokens = process.stdout.split()
    assert len(tokens) > 5
    again = desk({"SUPPORT_VAR": str(tmp_path / "var")})
    assert {again.tickets.read(token).state for token in tokens} == {"open"}
    assert len(again.store.tickets(["open"])) == len(tokens)
    again.store.close()


@pytest.mark.slow
def test_a_new_file_may_be_opened_by_many_at_once(tmp_path: Path) -> None:
    """Going over to the write-ahead log fails at once when two do it: one try in fifteen, so forty tries."""
    for number in range(40):
        stores = [SqliteStore(opener(tmp_path / f"{number}.sqlite3")) for _ in range(6)]
        ready = Barrier(6)

        def first_use(store: SqliteStore, ready: Barrier = ready) -> int:
            ready.wait()
            store.import_agreements([], dry_run=False)
            return len(store.agreements())

        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(first_use, stores)) == [0] * 6
        for store in stores:
            store.close()


def test_answers_come_after_the_sync(tmp_path: Path) -> None:
    """FULL and not NORMAL: in WAL only FULL syncs at each commit."""
    store = SqliteStore(opener(tmp_path / "s.sqlite3"))
    store.agreements()
    connection = store._opened()
    assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    connection.close()
    store.close()


def test_a_disk_that_fails_under_a_reading_is_said_as_such(tmp_path: Path) -> None:
    store = SqliteStore(opener(tmp_path / "desk.sqlite3"))
    store.agreements()
    with pytest.raises(NotStored), store._read():
        store._mine.connection.execute("ROLLBACK")  # what SQLite does by itself then
        raise OSError("Input/output error")
    assert store.agreements() == ()
    store.close()
