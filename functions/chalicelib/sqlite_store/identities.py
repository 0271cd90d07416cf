"""What was received before, so that a repetition is known."""

from __future__ import annotations

from datetime import datetime

from chalicelib.ports.identity import CONTENT_KEPT, KEY_KEPT, Identity, KeyReused
from chalicelib.sqlite_store.database import Run, instant


def repetition(run: Run, identity: Identity, now: datetime) -> str | None:
    """The result of the first time, or None. Raises KeyReused."""
    mark = f"key:{identity.key_hash}" if identity.key_hash else f"content:{identity.content_hash}"
    row = run("identity", mark=mark, now=instant(now)).fetchone()
    if row is None:
        return None
    if row["content_hash"] != identity.content_hash:
        raise KeyReused
    return str(row["result"])


def remember(run: Run, identity: Identity, result: str, now: datetime) -> None:
    run("forget_identities", now=instant(now))
    marks = {f"content:{identity.content_hash}": CONTENT_KEPT}
    if identity.key_hash:
        marks = {f"key:{identity.key_hash}": KEY_KEPT}
    for mark, kept in marks.items():
        run(
            "keep_identity",
            mark=mark,
            content_hash=identity.content_hash,
            result=result,
            expires=instant(now + kept),
        )
