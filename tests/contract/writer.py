"""Opens tickets in the desk of the folder given, prints the secret of each, ends at the first NotStored."""

from __future__ import annotations

import sys
from dataclasses import replace

from chalicelib.drafts import TicketDraft
from chalicelib.refusals import NotStored
from chalicelib.wiring import desk

DRAFT = TicketDraft(
    name="A", email="a@example.org", kind="question", severity="P2", subject="s", description="d"
)


def main(folder: str) -> int:
    # No catalog, whatever was built in this folder: one mail a ticket.
    made = desk({"SUPPORT_VAR": folder, "SUPPORT_CATALOG": f"{folder}/none.json"})
    for number in range(100_000):
        try:
            receipt = made.tickets.open(replace(DRAFT, subject=f"ticket {number}"))
        except NotStored as refused:
            return refused.status - 500
        print(receipt.token, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
