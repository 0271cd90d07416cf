"""Reminds of ten agreements as soon as it is told to, two mails each; prints those that it gave.

Arguments: a number of its own, then "sqlite" and the file, or "dynamodb", the address and the table.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, date, datetime

from racer import loaded, opened


def main(own: str, *place: str) -> None:
    values = loaded("test_reminders")
    store = opened(*place)
    held = store.agreements()
    print("ready", flush=True)
    sys.stdin.readline()
    for one in held:
        mails = [replace(values.mail(f"{one.agreement}-{own}-{n}"), about=one.agreement) for n in range(2)]
        if store.remind(one, date(2027, 2, 28), 120, mails, datetime.now(UTC)):
            print(f"{one.agreement}:given")


if __name__ == "__main__":
    main(*sys.argv[1:])
