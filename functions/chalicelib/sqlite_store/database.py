"""The SQLite file: connections, transactions, named statements, and the steps that make its tables.

WAL with synchronous=FULL, so an answer that was given survives a loss of power. One write lock in the process
and BEGIN IMMEDIATE beyond it: waiting in SQLite's own busy handler is unfair and slow. Writes that wait for
each other share one commit, and so one wait for the disk; each returns when that is done. Statements stand in
`statements/`, a file for each thing that is kept; the steps of the schema in `schema/`, each done once, in
the order of their names, also on a file that an older desk made. Raises NotStored for a disk that is full,
read-only or gone. Knows nothing of what is kept.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.refusals import NotStored

_FOLDER = Path(__file__).parent
_NOT_OURS = {
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN),
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT),
}
"""Primary result codes that speak of the machine, not of a mistake in this file."""
_MOST = 32
"""Writes that share one commit at most: the first of them waits for the last."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection as the store wants it. Raises sqlite3.Error and OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)


class Run:
    """Runs the named statements of `statements/` on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __call__(self, name: str, /, **values: object) -> sqlite3.Cursor:
        return self._connection.execute(_statements()[name], values)


class _Batch:
    """Writes that share one commit. `trouble` is what became of it, None when it was committed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.size = 0
        self.trouble: BaseException | None = None
        self._ended = threading.Event()

    def end(self, trouble: BaseException | None = None) -> None:
        self.trouble = trouble
        self._ended.set()

    def wait(self) -> None:
        """Returns when the writes are on the disk. Raises `trouble`."""
        self._ended.wait()
        if self.trouble is not None:
            raise self.trouble


class Database:
    """`connect` opens one more connection to the same file; it is called on first use."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._batch: _Batch | None = None
        self._mine = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._counting = threading.Lock()
        self.waiting = 0
        """Writes that wait for their turn."""

    def close(self) -> None:
        """Close every connection; the store can be used again afterwards."""
        with self._lock:
            if self._batch is not None:
                self._commit(self._batch)
            for connection in (*self._readers, *((self._writer,) if self._writer else ())):
                connection.close()
            self._readers, self._writer, self._mine = [], None, threading.local()

    @contextmanager
    def _write(self) -> Iterator[Run]:
        """One transaction under the write lock: committed and synced at the end, nothing of it kept on any
        exception. Whoever waits meanwhile joins the same commit; the last of them does it for all."""
        self._count(1)
        with self._lock, _machine_trouble():
            self._count(-1)
            batch = self._batch or self._begin()
            try:
                with self._member(batch) as run:
                    yield run
            finally:
                if self._batch is batch and (self.waiting == 0 or batch.size >= _MOST):
                    self._commit(batch)
        with _machine_trouble():
            batch.wait()

    def _count(self, step: int) -> None:
        with self._counting:
            self.waiting += step

    def _begin(self) -> _Batch:
        if self._writer is None:
            self._writer = self._opened()
        self._writer.execute("BEGIN IMMEDIATE")
        self._batch = _Batch(self._writer)
        return self._batch

    @contextmanager
    def _member(self, batch: _Batch) -> Iterator[Run]:
        """One write of a batch: what it did is undone on any exception, what the others did is not."""
        execute = batch.connection.execute
        if batch.size:
            execute("SAVEPOINT member")
        try:
            yield Run(batch.connection)
            if batch.size:
                execute("RELEASE member")
            batch.size += 1
        except BaseException as trouble:
            if not batch.connection.in_transaction:  # a disk that fails has SQLite end it by itself
                self._leave(batch, trouble)
            elif batch.size:
                execute("ROLLBACK TO member")
                execute("RELEASE member")
            else:
                execute("ROLLBACK")
                self._leave(batch, trouble)
            raise

    def _commit(self, batch: _Batch) -> None:
        """Never raises: every write of the batch learns from it what became of its commit."""
        trouble: BaseException | None = None
        try:
            batch.connection.execute("COMMIT")
        except BaseException as failed:
            trouble = failed
            with suppress(sqlite3.Error):
                if batch.connection.in_transaction:
                    batch.connection.execute("ROLLBACK")
        self._leave(batch, trouble)

    def _leave(self, batch: _Batch, trouble: BaseException | None) -> None:
        self._batch = None
        batch.end(trouble)

    @contextmanager
    def _read(self) -> Iterator[Run]:
        """One view of the whole, on a connection of this thread's own."""
        with _machine_trouble():
            connection: sqlite3.Connection | None = getattr(self._mine, "connection", None)
            if connection is None:
                with self._lock:
                    connection = self._mine.connection = self._opened()
                    self._readers.append(connection)
            connection.execute("BEGIN")
            try:
                yield Run(connection)
            finally:
                if connection.in_transaction:  # a disk that fails has SQLite end it by itself
                    connection.execute("ROLLBACK")

    def _opened(self) -> sqlite3.Connection:
        connection = self._connect()
        connection.row_factory = sqlite3.Row
        for setting in ("synchronous = FULL", "foreign_keys = ON", "busy_timeout = 10000"):
            connection.execute(f"PRAGMA {setting}")
        _write_ahead(connection)
        _carried_on(connection)
        return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Make the file one with a write-ahead log, which it then stays. SQLite does not wait when two
    connections
    do this to a new file at once, whatever the busy timeout: so we do, for ten seconds at most."""
    for _ in range(200):
        if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
            return
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as trouble:
            if trouble.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(0.05)
    raise NotStored


@contextmanager
def _machine_trouble() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as trouble:
        if getattr(trouble, "sqlite_errorcode", 0) & 0xFF in _NOT_OURS:
            raise NotStored from trouble
        raise
    except OSError as trouble:
        raise NotStored from trouble


def _carried_on(connection: sqlite3.Connection) -> None:
    """Do the steps of the schema that this file has not seen; `user_version` counts those that it has."""
    steps = sorted((_FOLDER / "schema").glob("*.sql"))
    if connection.execute("PRAGMA user_version").fetchone()[0] >= len(steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("PRAGMA defer_foreign_keys = ON")
        done = _steps_done(connection)
        for step in steps:
            if step.stem in done:
                continue
            for statement in step.read_text(encoding="utf-8").split(";\n"):
                connection.execute(statement)
            connection.execute("INSERT INTO schema_steps VALUES (?)", (step.stem,))
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _steps_done(connection: sqlite3.Connection) -> set[str]:
    before = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.execute("CREATE TABLE IF NOT EXISTS schema_steps (name TEXT PRIMARY KEY) STRICT")
    if before == 1:  # the first desk did not keep the names of its steps
        connection.execute("INSERT OR IGNORE INTO schema_steps VALUES ('001-first')")
    return {row[0] for row in connection.execute("SELECT name FROM schema_steps")}


@cache
def _statements() -> dict[str, str]:
    """By name; a name stands in one file alone."""
    found: dict[str, str] = {}
    for path in sorted((_FOLDER / "statements").glob("*.sql")):
        for part in path.read_text(encoding="utf-8").split("-- name: ")[1:]:
            name, _, text = part.partition("\n")
            if name.strip() in found:
                raise ValueError(f"{path.name} names the statement {name.strip()} a second time")
            found[name.strip()] = text.strip()
    return found


def flat(row: Mapping[str, Any]) -> dict[str, object]:
    """Values as SQLite keeps them."""
    flat: dict[str, object] = {}
    for name, value in row.items():
        if isinstance(value, datetime):
            flat[name] = instant(value)
        elif isinstance(value, date):
            flat[name] = value.isoformat()
        elif isinstance(value, bool):
            flat[name] = int(value)
        elif isinstance(value, tuple):
            flat[name] = json.dumps(list(value))
        else:
            flat[name] = value
    return flat


def instant(at: datetime) -> str:
    """UTC text of one width, so that text sorts as time does."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
