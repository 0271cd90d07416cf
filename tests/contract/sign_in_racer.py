"""Redeems the sign-in link of each of ten addresses as soon as it is told to; prints whether it was first.

Arguments: a number of its own, then "sqlite" and the file, or "dynamodb", the address and the table.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any


def loaded(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(own: str, *place: str) -> None:
    values = loaded("test_accounts")
    store = loaded("racer").opened(*place)
    store.sign_in("nobody@example.org")
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(10):
        address = f"{number}@example.org"
        session = values.WebSession(
            id=own,
            secret_hash=f"secret {own} {address}",
            address=address,
            browser="",
            began=values.NOW,
            seen=values.NOW,
        )
        first = store.redeem_sign_in(values.sign_in("one", address), session, instead_of="", now=values.NOW)
        print("session" if first else "late")


if __name__ == "__main__":
    main(*sys.argv[1:])
