"""Redeems the sign-in link of each of ten addresses as soon as it is told to; prints whether it was first.

Arguments: a number of its own, then "sqlite" and the file, or "dynamodb", the address and the table.
"""

from __future__ import annotations

import sys

from racer import loaded, opened


def main(own: str, *place: str) -> None:
    values = loaded("test_accounts")
    store = opened(*place)
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
