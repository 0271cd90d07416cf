"""The stores that must keep the contract: each a function that opens the same store again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from chalicelib.ports import Store
from chalicelib.sqlite_store import SqliteStore, connect


@pytest.fixture(params=["sqlite"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Call it again for a second process on the same state."""
    opened: list[SqliteStore] = []

    def open_again() -> Store:
        opened.append(SqliteStore(partial(connect, tmp_path / "store.sqlite3")))
        return opened[-1]

    yield open_again
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    return open_store()
