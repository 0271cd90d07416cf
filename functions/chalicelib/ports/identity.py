"""When two requests are the same one: by their key, or else by their content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """What makes two requests the same: a key (hash, or "" without) for `KEY_KEPT`, else the content
    (hash) for `CONTENT_KEPT`."""

    key_hash: str
    content_hash: str


KEY_KEPT = timedelta(days=7)
CONTENT_KEPT = timedelta(minutes=10)


class KeyReused(Exception):
    """The key was used before with other content; nothing was changed."""
