"""Opens a ticket for each of ten keys as soon as it is told to; prints its number, and who was first.

Arguments: a number of its own, then "sqlite" and the file, or "dynamodb", the address and the table.
"""

from __future__ import annotations

import importlib.util
import sys
from functools import partial
from pathlib import Path
from typing import Any

from chalicelib.dynamodb_store import DynamoStore
from chalicelib.ports import Store
from chalicelib.sqlite_store import SqliteStore, connect


def loaded(name: str) -> Any:
    """A module of this folder, by its name."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def opened(technique: str, *where: str) -> Store:
    if technique == "sqlite":
        return SqliteStore(partial(connect, Path(where[0])))
    local = loaded("dynamodb_local")
    return DynamoStore(partial(local.client, where[0]), where[1])


def main(own: str, *place: str) -> None:
    values = loaded("test_store")
    store = opened(*place)
    store.ticket("none")
    print("ready", flush=True)
    sys.stdin.readline()
    for key in range(10):
        given = values.ticket(f"N{key}-{own}", token_hash=f"{key} {own}")
        kept, repeated = store.open_ticket(
            given,
            values.identity("c", f"k{key}"),
            [values.mail(f"m{key}-{own}")],
            values.NOW,
        )
        print(f"{kept.number}:{'again' if repeated else 'first'}")


if __name__ == "__main__":
    main(*sys.argv[1:])
