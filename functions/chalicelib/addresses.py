"""E-mail addresses as keys."""

from __future__ import annotations


def folded(address: str) -> str:
    """The same mailbox in the same letters. ASCII only: other folding would make two addresses one."""
    return "".join(c.lower() if c.isascii() else c for c in address)
