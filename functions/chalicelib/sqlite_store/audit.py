"""The acts of staff in SQLite."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from chalicelib.ports.audit import Act
from chalicelib.sqlite_store.database import Database, Run, flat


class SqliteAudit(Database):
    """`AuditStore` on SQLite. A mark is the row's number."""

    def acts(self, *, about: str = "", before: str = "", limit: int = 100) -> tuple[tuple[Act, ...], str]:
        last = int(before) if before.isdecimal() else 2**62
        with self._read() as run:
            rows = run("acts", about=about, before=last, limit=limit + 1).fetchall()
        shown = rows[:limit]
        found = tuple(
            Act(
                id=row["id"],
                who=row["who"],
                what=row["what"],
                about=row["about"],
                detail=row["detail"],
                when=datetime.fromisoformat(row["when"]),
            )
            for row in shown
        )
        return found, str(shown[-1]["number"]) if len(rows) > limit else ""

    def note(self, act: Act) -> None:
        with self._write() as run:
            keep_act(run, act)


def keep_act(run: Run, act: Act | None) -> None:
    """Keep what a member of staff did, in the transaction that does it."""
    if act is not None:
        run("insert_act", **flat(asdict(act)))
