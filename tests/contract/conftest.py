"""The stores that must keep the contract: each a function that opens the same store again."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from chalicelib.dynamodb_store import DynamoStore
from chalicelib.ports import Store
from chalicelib.sqlite_store import SqliteStore, connect

_spec = importlib.util.spec_from_file_location(
    "dynamodb_local", Path(__file__).with_name("dynamodb_local.py")
)
assert _spec
assert _spec.loader
dynamodb_local = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(dynamodb_local)


@pytest.fixture(scope="session")
def dynamodb() -> Iterator[str]:
    """The address of Amazon's DynamoDB Local."""
    if not dynamodb_local.present():
        if os.environ.get("CI"):
            pytest.fail("DynamoDB Local must be there: make test fetches it, and java must be installed")
        pytest.skip("DynamoDB Local is not there: make test fetches it")
    with dynamodb_local.running() as address:
        yield address


@pytest.fixture
def new_table(dynamodb: str) -> Callable[[], str]:
    """Makes a table and gives its name."""
    return partial(dynamodb_local.table, dynamodb)


@pytest.fixture(params=["sqlite", pytest.param("dynamodb", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, ...]:
    """Where a store's state is: "sqlite" and a file, or "dynamodb", an address and a table."""
    if request.param == "sqlite":
        return ("sqlite", str(tmp_path / "store.sqlite3"))
    address = request.getfixturevalue("dynamodb")
    return ("dynamodb", address, dynamodb_local.table(address))


@pytest.fixture
def open_store(place: tuple[str, ...]) -> Iterator[Callable[[], Store]]:
    """Call it again for a second process on the same state."""
    opened: list[SqliteStore | DynamoStore] = []

    def open_again() -> Store:
        if place[0] == "dynamodb":
            opened.append(DynamoStore(partial(dynamodb_local.client, place[1]), place[2]))
        else:
            opened.append(SqliteStore(partial(connect, Path(place[1]))))
        return opened[-1]

    yield open_again
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    return open_store()
