"""The store on one machine: one SQLite file, every verb one transaction, synced before it returns.

WAL with synchronous=FULL, so an answer that was given survives a loss of power. One write lock in the process
and BEGIN IMMEDIATE beyond it: waiting in SQLite's own busy handler is unfair and slow. Statements stand in
`sqlite/`. Raises NotStored for a disk that is full, read-only or gone.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from chalicelib.agreements import Agreement, Period, checked_period
from chalicelib.ports import (
    ANNOUNCED_FOR,
    CONTENT_KEPT,
    KEY_KEPT,
    MAIL_CAPS,
    Attachment,
    AttachmentsFull,
    Identity,
    Imported,
    KeyReused,
    Message,
    NumberTaken,
    Outgoing,
    QueuedMail,
    Ticket,
)
from chalicelib.refusals import NotFound, NotStored
from chalicelib.sqlite_rows import (
    Run,
    agreement_of,
    find_ticket,
    flat,
    get_ticket,
    instant,
    queued_mail,
    row_of,
    whole_ticket,
)

SENDING_TIME = timedelta(minutes=5)
"""After so long a mail that was being sent is thought to have lost its sender, and is sent again."""

_FOLDER = Path(__file__).parent / "sqlite"
_NOT_OURS = {
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN),
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT),
}
"""Primary result codes that speak of the machine, not of a mistake in this file."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection as the store wants it. Raises sqlite3.Error and OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)


class SqliteStore:
    """`Store` on SQLite. `connect` opens one more connection to the same file; it is called on first use."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._mine = threading.local()
        self._readers: list[sqlite3.Connection] = []

    def close(self) -> None:
        """Close every connection; the store can be used again afterwards."""
        with self._lock:
            for connection in (*self._readers, *((self._writer,) if self._writer else ())):
                connection.close()
            self._readers, self._writer, self._mine = [], None, threading.local()

    # Tickets

    def open_ticket(
        self, ticket: Ticket, identity: Identity, mails: Sequence[Outgoing], now: datetime
    ) -> tuple[Ticket, bool]:
        with self._write() as run:
            first = _repetition(run, identity, now)
            if first is not None:
                return get_ticket(run, "ticket", number=first), True
            if run("ticket", number=ticket.number).fetchone():
                raise NumberTaken
            row = asdict(ticket)
            del row["messages"], row["attachments"]
            run("insert_ticket", **flat(row))
            _remember(run, identity, ticket.number, now)
            _post(run, mails, 0)
            return ticket, False

    def ticket_by_token(self, token_hash: str) -> Ticket | None:
        with self._read() as run:
            return find_ticket(run, "ticket_by_token", token_hash=token_hash)

    def ticket(self, number: str) -> Ticket | None:
        with self._read() as run:
            return find_ticket(run, "ticket", number=number)

    def tickets(self, states: Sequence[str]) -> tuple[Ticket, ...]:
        with self._read() as run:
            rows = run("tickets", states=json.dumps(list(states))).fetchall()
            return tuple(whole_ticket(run, row) for row in rows)

    def add_message(
        self,
        number: str,
        message: Message,
        state: str,
        identity: Identity,
        mails: Sequence[Outgoing],
        now: datetime,
    ) -> tuple[Ticket, bool]:
        with self._write() as run:
            if _repetition(run, identity, now) is not None:
                return get_ticket(run, "ticket", number=number), True
            sequence = run("next_message", ticket=number).fetchone()[0]
            run("insert_message", ticket=number, **flat(asdict(replace(message, sequence=sequence))))
            run("set_state", number=number, state=state)
            if message.who == "staff":
                run("first_answer", number=number, now=instant(now))
            _remember(run, identity, number, now)
            _post(run, mails, sequence)
            return get_ticket(run, "ticket", number=number), False

    def assign(self, number: str, assignee: str) -> Ticket:
        with self._write() as run:
            run("assign", number=number, assignee=assignee)
            return get_ticket(run, "ticket", number=number)

    def set_state(self, number: str, state: str) -> Ticket:
        with self._write() as run:
            run("set_state", number=number, state=state)
            return get_ticket(run, "ticket", number=number)

    def announce_attachment(self, number: str, attachment: Attachment, limit: int) -> None:
        with self._write() as run:
            _room(run, number, attachment, limit)
            run("insert_attachment", ticket=number, **flat(asdict(attachment)))

    def attach(self, number: str, attachment: Attachment, limit: int) -> Ticket:
        row = flat(asdict(attachment))
        with self._write() as run:
            there = run("same_attachment", ticket=number, name=attachment.name, sha256=attachment.sha256)
            if there.fetchone():
                run("forget_attachment", id=attachment.id, ticket=number)
            elif not run("complete_attachment", ticket=number, **row).rowcount:
                _room(run, number, attachment, limit)
                run("insert_attachment", ticket=number, **row)
            return get_ticket(run, "ticket", number=number)

    # Agreements

    def agreement(self, number: str) -> Agreement | None:
        with self._read() as run:
            row = run("agreement", number=number).fetchone()
            return agreement_of(row) if row else None

    def agreements(self) -> tuple[Agreement, ...]:
        with self._read() as run:
            return tuple(agreement_of(row) for row in run("agreements"))

    def import_agreements(self, agreements: Iterable[Agreement], *, dry_run: bool) -> Imported:
        kinds: dict[str, list[str]] = {"added": [], "changed": [], "unchanged": []}
        with self._write() as run:
            for agreement in agreements:
                row = run("agreement", number=agreement.agreement).fetchone()
                same = row is not None and agreement_of(row) == agreement
                kinds["unchanged" if same else "changed" if row else "added"].append(agreement.agreement)
                if not same and not dry_run:
                    run("keep_agreement", **row_of(agreement))
        return Imported(**{kind: tuple(numbers) for kind, numbers in kinds.items()})

    def renew(self, number: str, period: Period) -> Agreement:
        with self._write() as run:
            agreement = _held(run, number)
            paid = tuple(sorted((*agreement.paid, checked_period(period, agreement.paid))))
            agreement = replace(agreement, paid=paid)
            run("keep_agreement", **row_of(agreement))
            return agreement

    def withdraw(self, number: str, day: date | None) -> Agreement:
        with self._write() as run:
            agreement = replace(_held(run, number), withdrawn=day)
            run("keep_agreement", **row_of(agreement))
            return agreement

    def key_hash(self, number: str) -> str:
        with self._read() as run:
            row = run("key_hash", number=number).fetchone()
            return str(row[0]) if row else ""

    def set_key(self, number: str, key_hash: str, now: datetime) -> None:
        with self._write() as run:
            _held(run, number)
            run("set_key", number=number, key_hash=key_hash, now=instant(now))

    # Mails

    def claim_mails(self, now: datetime, limit: int) -> tuple[QueuedMail, ...]:
        with self._write() as run:
            rows = run("due_mails", now=instant(now), limit=limit).fetchall()
            for row in rows:
                run("claim_mail", id=row["id"], until=instant(now + SENDING_TIME))
            return tuple(replace(queued, attempts=queued.attempts + 1) for queued in map(queued_mail, rows))

    def mail_sent(self, mail_id: str, now: datetime) -> None:
        with self._write() as run:
            run("mail_sent", id=mail_id, now=instant(now))

    def mail_failed(self, mail_id: str, trouble: str, next_try: datetime | None) -> None:
        with self._write() as run:
            run(
                "mail_failed",
                id=mail_id,
                trouble=trouble,
                state="waiting" if next_try else "failed",
                next_try=instant(next_try) if next_try else None,
            )

    def mails(self, states: Sequence[str]) -> tuple[QueuedMail, ...]:
        with self._read() as run:
            return tuple(queued_mail(row) for row in run("mails", states=json.dumps(list(states))))

    def retry_mails(self, now: datetime, mail_id: str = "") -> int:
        with self._write() as run:
            return run("retry_mails", id=mail_id, now=instant(now)).rowcount

    def oldest_unsent(self) -> datetime | None:
        with self._read() as run:
            text = run("oldest_unsent").fetchone()[0]
            return datetime.fromisoformat(text) if text else None

    # Connections

    @contextmanager
    def _write(self) -> Iterator[Run]:
        """One transaction under the write lock: committed and synced at the end, nothing kept on any
        exception."""
        with self._lock, _machine_trouble():
            if self._writer is None:
                self._writer = self._opened()
            connection = self._writer
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Run(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _read(self) -> Iterator[Run]:
        """One view of the whole, on a connection of this thread's own."""
        with _machine_trouble():
            connection: sqlite3.Connection | None = getattr(self._mine, "connection", None)
            if connection is None:
                with self._lock:
                    connection = self._mine.connection = self._opened()
                    self._readers.append(connection)
            connection.execute("BEGIN")
            try:
                yield Run(connection)
            finally:
                if connection.in_transaction:  # a disk that fails has SQLite end it by itself
                    connection.execute("ROLLBACK")

    def _opened(self) -> sqlite3.Connection:
        connection = self._connect()
        connection.row_factory = sqlite3.Row
        for setting in ("synchronous = FULL", "foreign_keys = ON", "busy_timeout = 10000"):
            connection.execute(f"PRAGMA {setting}")
        _write_ahead(connection)
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            schema = (_FOLDER / "schema.sql").read_text(encoding="utf-8")
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in schema.split(";\n"):
                    connection.execute(statement)
                connection.execute("PRAGMA user_version = 1")
            connection.execute("COMMIT")
        return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Make the file one with a write-ahead log, which it then stays. SQLite does not wait when two
    connections
    do this to a new file at once, whatever the busy timeout: so we do, for ten seconds at most."""
    for _ in range(200):
        if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
            return
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as trouble:
            if trouble.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(0.05)
    raise NotStored


@contextmanager
def _machine_trouble() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as trouble:
        if getattr(trouble, "sqlite_errorcode", 0) & 0xFF in _NOT_OURS:
            raise NotStored from trouble
        raise
    except OSError as trouble:
        raise NotStored from trouble


def _repetition(run: Run, identity: Identity, now: datetime) -> str | None:
    """The result of the first time, or None. Raises KeyReused."""
    mark = f"key:{identity.key_hash}" if identity.key_hash else f"content:{identity.content_hash}"
    row = run("identity", mark=mark, now=instant(now)).fetchone()
    if row is None:
        return None
    if row["content_hash"] != identity.content_hash:
        raise KeyReused
    return str(row["result"])


def _remember(run: Run, identity: Identity, result: str, now: datetime) -> None:
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


def _post(run: Run, mails: Sequence[Outgoing], message: int) -> None:
    for mail in mails:
        folded = _folded(mail.to)
        lately = [
            run("mails_lately", folded=folded, since=instant(mail.created - span)).fetchone()[0] >= most
            for span, most in MAIL_CAPS
        ]
        run(
            "insert_mail",
            id=mail.id,
            message_id=mail.message_id,
            template=mail.template,
            recipient=mail.to,
            folded=folded,
            ticket=mail.ticket,
            message=message,
            capped=int(mail.capped),
            created=instant(mail.created),
            state="suppressed" if mail.capped and any(lately) else "waiting",
        )


def _room(run: Run, number: str, attachment: Attachment, limit: int) -> None:
    if (
        run("count_attachments", ticket=number, since=instant(attachment.when - ANNOUNCED_FOR)).fetchone()[0]
        >= limit
    ):
        raise AttachmentsFull


def _folded(address: str) -> str:
    """The same mailbox in the same letters. ASCII only: other folding would make two addresses one."""
    return "".join(c.lower() if c.isascii() else c for c in address)


def _held(run: Run, number: str) -> Agreement:
    row = run("agreement", number=number).fetchone()
    if row is None:
        raise NotFound(f"There is no agreement {number}.")
    return agreement_of(row)
