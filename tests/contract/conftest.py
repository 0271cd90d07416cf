"""The stores that must keep the contract: each a function that opens the same store again."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from chalicelib import aws
from chalicelib.dynamodb_store import DynamoStore
from chalicelib.ports import Store
from chalicelib.sqlite_store import SqliteStore, connect


def _beside(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec
    assert spec.loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


dynamodb_local = _beside("dynamodb_local")
seaweedfs = _beside("seaweedfs")
ses_endpoint = _beside("ses_endpoint")


@pytest.fixture(scope="session")
def dynamodb() -> Iterator[str]:
    """The address of Amazon's DynamoDB Local."""
    if not dynamodb_local.present():
        if os.environ.get("CI"):
            pytest.fail("DynamoDB Local must be there: make test fetches it, and java must be installed")
        pytest.skip("DynamoDB Local is not there: make test fetches it")
    with dynamodb_local.running() as address:
        yield address


@pytest.fixture(scope="session")
def s3() -> Iterator[tuple[str, str]]:
    """The address of an S3 server, SeaweedFS, and a bucket there."""
    if not seaweedfs.present():
        pytest.fail("SeaweedFS must be there: make dev installs it")
    with seaweedfs.running() as address:
        yield address, seaweedfs.bucket(address)


@pytest.fixture
def s3_place(s3: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str, Any]]:
    """A bucket, a place in it (ends with a slash) and a client of the tests' own; the environment leads the
    desk there."""
    address, bucket = s3
    for name, value in seaweedfs.environment(address).items():
        monkeypatch.setenv(name, value)
    # The SDK keeps the credentials that it found first in this process.
    aws.forget_session()
    client = seaweedfs.client(address)
    yield bucket, f"{uuid.uuid4().hex}/", client
    client.close()


@pytest.fixture
def ses() -> Iterator[Any]:
    """A server that speaks SES's API."""
    with ses_endpoint.running() as said:
        yield said


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


@pytest.fixture
def free_port() -> Callable[[], int]:
    def port() -> int:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            return int(listener.getsockname()[1])

    return port


@pytest.fixture
def race(place: tuple[str, ...]) -> Callable[[str], list[list[str]]]:
    """Runs four processes of a script of this folder on the same store: they say that they are ready, are
    started at once, and must end well. What each of them printed, in words."""

    def run(script: str) -> list[list[str]]:
        racers = [
            subprocess.Popen(
                [sys.executable, Path(__file__).with_name(script), str(number), *place],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(4)
        ]
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()
        told = [racer.communicate(timeout=60)[0].split() for racer in racers]
        assert [racer.returncode for racer in racers] == [0] * 4
        return told

    return run
