"""Sign-in links, sessions and calendars in SQLite."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from chalicelib.ports.accounts import (
    CODE_TRIES,
    LONGEST,
    MOST_BROWSERS,
    MOST_SESSIONS,
    CalendarLink,
    Forgotten,
    SignIn,
    WebSession,
)
from chalicelib.ports.audit import Act
from chalicelib.ports.mails import Outgoing
from chalicelib.sqlite_store.audit import keep_act
from chalicelib.sqlite_store.database import Database, flat, instant
from chalicelib.sqlite_store.mails import post

_REMEMBERED = timedelta(days=1)
"""So long a dead link stays, for whoever asks what became of it."""
_LAST = "9999"  # after every instant


class SqliteAccounts(Database):
    """`AccountStore` on SQLite. A mark is a beginning and an id."""

    def ask_sign_in(self, asked: SignIn, mail: Outgoing, now: datetime) -> None:
        with self._write() as run:
            run("forget_sign_ins", since=instant(now - _REMEMBERED))
            (state,) = post(run, [mail], 0)
            held = _sign_in(run("sign_in", address=asked.address).fetchone())
            if state == "suppressed" and held is not None and not held.used and now < held.expires:
                asked = replace(held, browsers=(*held.browsers, *asked.browsers)[-MOST_BROWSERS:])
            run("keep_sign_in", **flat(asdict(asked)))

    def sign_in(self, address: str) -> SignIn | None:
        with self._read() as run:
            return _sign_in(run("sign_in", address=address).fetchone())

    def sign_in_by_token(self, token_hash: str) -> SignIn | None:
        with self._read() as run:
            return _sign_in(run("sign_in_by_token", token_hash=token_hash).fetchone())

    def try_code(self, asked: SignIn) -> bool:
        with self._write() as run:
            return run("try_code", address=asked.address, id=asked.id, most=CODE_TRIES).rowcount == 1

    def redeem_sign_in(self, asked: SignIn, session: WebSession, *, instead_of: str, now: datetime) -> bool:
        with self._write() as run:
            if run("use_up_sign_in", address=asked.address, id=asked.id).rowcount != 1:
                return False
            run("forget_sessions", since=instant(now - LONGEST))
            run("end_session_of_cookie", secret_hash=instead_of)
            run("insert_session", **flat(asdict(session)))
            run("end_oldest_sessions", address=session.address, most=MOST_SESSIONS)
            return True

    def session(self, secret_hash: str) -> WebSession | None:
        with self._read() as run:
            row = run("session", secret_hash=secret_hash).fetchone()
            return _session(row) if row else None

    def use_session(self, session: WebSession, now: datetime) -> None:
        with self._write() as run:
            run("session_used", secret_hash=session.secret_hash, seen=instant(now))

    def sessions_of(self, address: str) -> tuple[WebSession, ...]:
        with self._read() as run:
            return tuple(_session(row) for row in run("sessions_of", address=address))

    def end_session(self, address: str, session_id: str, act: Act | None = None) -> bool:
        with self._write() as run:
            ended = run("end_session", address=address, id=session_id).rowcount == 1
            if ended:
                keep_act(run, act)
            return ended

    def end_sessions(self, address: str, act: Act | None = None) -> int:
        with self._write() as run:
            ended = run("end_sessions", address=address).rowcount
            if ended:
                keep_act(run, act)
            return ended

    def sessions(self, *, before: str = "", limit: int = 100) -> tuple[tuple[WebSession, ...], str]:
        began, _, last = before.partition(" ")
        with self._read() as run:
            rows = run("sessions", began=began or _LAST, id=last, limit=limit + 1).fetchall()
        shown = tuple(_session(row) for row in rows[:limit])
        return shown, f"{instant(shown[-1].began)} {shown[-1].id}" if len(rows) > limit else ""

    def calendar(self, address: str) -> CalendarLink | None:
        with self._read() as run:
            return _calendar(run("calendar", address=address).fetchone())

    def calendar_by_token(self, token_hash: str) -> CalendarLink | None:
        with self._read() as run:
            return _calendar(run("calendar_by_token", token_hash=token_hash).fetchone())

    def keep_calendar(self, link: CalendarLink) -> None:
        with self._write() as run:
            run("keep_calendar", **asdict(link))

    def drop_calendar(self, address: str) -> bool:
        with self._write() as run:
            return run("drop_calendar", address=address).rowcount == 1

    def forget_account(self, address: str, act: Act | None = None) -> Forgotten:
        with self._write() as run:
            forgotten = Forgotten(
                sign_in=run("forget_sign_in", address=address).rowcount == 1,
                sessions=run("end_sessions", address=address).rowcount,
                calendar=run("drop_calendar", address=address).rowcount == 1,
            )
            if forgotten.anything:
                keep_act(run, act)
            return forgotten


def _sign_in(row: sqlite3.Row | None) -> SignIn | None:
    if row is None:
        return None
    return SignIn(
        **{
            **dict(row),
            "browsers": tuple(json.loads(row["browsers"])),
            "expires": datetime.fromisoformat(row["expires"]),
            "used": bool(row["used"]),
        }
    )


def _session(row: sqlite3.Row) -> WebSession:
    return WebSession(
        **{
            **dict(row),
            "began": datetime.fromisoformat(row["began"]),
            "seen": datetime.fromisoformat(row["seen"]),
        }
    )


def _calendar(row: sqlite3.Row | None) -> CalendarLink | None:
    return CalendarLink(**dict(row)) if row else None
