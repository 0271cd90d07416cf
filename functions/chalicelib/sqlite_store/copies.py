"""Whole copies of the SQLite file: made while the desk runs, and looked at before one takes its place.

A file that is copied as files are is no copy: what is in the write-ahead log is missing. This asks SQLite.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from chalicelib.refusals import NotStored

_STEPS = Path(__file__).parent / "schema"


def copy(path: Path, target: Path) -> None:
    """A copy of the store as it is at one moment, whoever writes meanwhile; synced, and for its owner alone.
    `target` must not be there. Raises FileNotFoundError when there is no store, NotStored when it cannot be
    read or the copy not written."""
    if not path.is_file():
        raise FileNotFoundError(path)
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(_opened(path)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
        with target.open("rb+") as made:
            os.fsync(made.fileno())
    except (sqlite3.DatabaseError, OSError) as trouble:
        target.unlink(missing_ok=True)
        raise NotStored("The store could not be copied: is the disk full?") from trouble


def trouble_with(path: Path) -> str:
    """What is wrong with a copy, or "" when it is whole and one of a desk like this one."""
    try:
        with closing(_opened(path)) as connection:
            said = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            if said != ["ok"]:
                return f"SQLite finds it damaged ({said[0]})"
            if connection.execute("PRAGMA foreign_key_check").fetchone():
                return "it holds parts of things that are not there"
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
            if "tickets" not in tables:
                return "it is no store of a desk"
            if "schema_steps" in tables:
                done = {row[0] for row in connection.execute("SELECT name FROM schema_steps")}
                newer = sorted(done - {step.stem for step in _STEPS.glob("*.sql")})
                if newer:
                    return f"a newer desk made it (it knows {newer[-1]}): update this one first"
    except sqlite3.DatabaseError as trouble:
        return f"SQLite cannot read it ({trouble})"
    return ""


def at_rest(path: Path) -> bool:
    """Whether no desk has the store open; if so, it is one whole file from now on. True for a file that
    SQLite cannot read: no desk can either."""
    try:
        with closing(_opened(path)) as connection:
            return str(connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]) != "wal"
    except sqlite3.DatabaseError as trouble:
        return trouble.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _opened(path: Path) -> sqlite3.Connection:
    """Raises sqlite3.OperationalError when there is no such file."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=2, isolation_level=None)
