"""Writes that wait for each other share one commit, and one wait for the disk; each keeps its own fate."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chalicelib.refusals import NotStored
from chalicelib.sqlite_store.database import Database, connect

Body = Callable[[sqlite3.Connection], None]
WRITERS = 5


class Watched(sqlite3.Connection):
    """Counts commits; fails the next one when it is told to."""

    commits = 0
    fails: type[sqlite3.Error] | None = None

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        if statement == "COMMIT":
            type(self).commits += 1
            if self.fails:
                raise self.fails("told to fail")
        return super().execute(statement, *values)


@pytest.fixture
def watched() -> type[Watched]:
    return type("Watched", (Watched,), {})


@pytest.fixture
def database(tmp_path: Path, watched: type[Watched]) -> Iterator[Database]:
    path = tmp_path / "desk.sqlite3"
    with closing(connect(path)) as made:
        made.execute("CREATE TABLE words (word TEXT PRIMARY KEY)")

    def opened() -> sqlite3.Connection:
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=watched)

    database = Database(opened)
    with database._write():  # the schema's steps have their own commits
        pass
    watched.commits = 0
    yield database
    database.close()


def words(tmp_path: Path) -> set[str]:
    with closing(connect(tmp_path / "desk.sqlite3")) as reader:
        return {row[0] for row in reader.execute("SELECT word FROM words")}


def together(
    database: Database, bodies: list[Callable[[sqlite3.Connection], None]]
) -> list[BaseException | None]:
    """The bodies as writes of which the first goes on when all others wait; what each raised."""
    ended: list[BaseException | None] = [None] * len(bodies)

    def write(at: int) -> None:
        try:
            with database._write() as run:
                while at == 0 and database.waiting < len(bodies) - 1:
                    time.sleep(0.001)
                bodies[at](run._connection)
        except BaseException as trouble:
            ended[at] = trouble

    first = threading.Thread(target=write, args=(0,))
    first.start()
    while not database._lock.locked():
        time.sleep(0.001)
    others = [threading.Thread(target=write, args=(at,)) for at in range(1, len(bodies))]
    for thread in others:
        thread.start()
    for thread in (first, *others):
        thread.join(20)
        assert not thread.is_alive()
    return ended


def keeps(word: str) -> Body:
    return lambda connection: connection.execute("INSERT INTO words VALUES (?)", (word,)) and None


def test_writes_that_wait_for_each_other_share_one_commit(
    database: Database, tmp_path: Path, watched: type[Watched]
) -> None:
    assert together(database, [keeps(str(at)) for at in range(WRITERS)]) == [None] * WRITERS
    assert watched.commits == 1
    assert words(tmp_path) == {str(at) for at in range(WRITERS)}


@pytest.mark.parametrize("at", range(WRITERS))
def test_one_that_fails_takes_back_its_own_and_nothing_else(
    database: Database, tmp_path: Path, at: int
) -> None:
    def fails(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO words VALUES ('half')")
        raise ValueError("half done")

    bodies = [keeps(str(other)) for other in range(WRITERS)]
    bodies[at] = fails
    ended = together(database, bodies)
    assert [type(trouble) for trouble in ended] == [
        ValueError if other == at else type(None) for other in range(WRITERS)
    ]
    assert words(tmp_path) == {str(other) for other in range(WRITERS) if other != at}


def test_a_commit_that_fails_is_told_to_all_and_keeps_nothing(
    database: Database, tmp_path: Path, watched: type[Watched]
) -> None:
    """Promise 3: if we could not keep it, we say so."""

    class Full(sqlite3.OperationalError):
        sqlite_errorcode = sqlite3.SQLITE_FULL

    watched.fails = Full
    ended = together(database, [keeps(str(at)) for at in range(WRITERS)])
    assert [type(trouble) for trouble in ended] == [NotStored] * WRITERS
    watched.fails = None
    assert words(tmp_path) == set()
    with database._write() as run:
        keeps("later")(run._connection)
    assert words(tmp_path) == {"later"}


def test_a_transaction_that_the_machine_ends_is_told_to_all_that_were_in_it(
    database: Database, tmp_path: Path
) -> None:
    def ended_by_itself(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")  # what SQLite does by itself when the disk fails
        trouble = sqlite3.OperationalError("disk I/O error")
        trouble.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise trouble

    ended = together(database, [keeps("before"), ended_by_itself, keeps("after")])
    kept = words(tmp_path)
    assert type(ended[0]) is type(ended[1]) is NotStored
    assert "before" not in kept
    assert ended[2] is None or type(ended[2]) is NotStored
    assert ("after" in kept) == (ended[2] is None)
