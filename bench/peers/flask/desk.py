"""The smallest desk that keeps a ticket: Flask, SQLite with the same settings, nothing else of what ours
does.

It writes as many rows in one transaction (a ticket, its key, two mails) and answers when they are synced. No
routing, no promised time, no known issues, no limits, no pages.
"""

import os
import secrets
import sqlite3
import threading

from flask import Flask, jsonify, request

WANTED = ("name", "email", "kind", "severity", "subject", "description")
SCHEMA = """
CREATE TABLE IF NOT EXISTS tickets (number TEXT PRIMARY KEY, received TEXT, name TEXT, email TEXT, kind TEXT,
    severity TEXT, subject TEXT, description TEXT) STRICT;
CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, number TEXT) STRICT;
CREATE TABLE IF NOT EXISTS mails (id INTEGER PRIMARY KEY, number TEXT, recipient TEXT) STRICT;
"""

app = Flask(__name__)
_mine = threading.local()


def connect() -> sqlite3.Connection:
    connection = sqlite3.connect(os.environ["PEER_DATABASE"], timeout=30, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def database() -> sqlite3.Connection:
    if not hasattr(_mine, "connection"):
        _mine.connection = connect()
    return _mine.connection


@app.post("/api/tickets")
def open_ticket():
    said = request.form if request.form else request.get_json()
    missing = [name for name in WANTED if not said.get(name)]
    if missing:
        return jsonify({"missing": missing}), 422
    run, key = database().execute, request.headers.get("Idempotency-Key", "")
    number = secrets.token_hex(4)
    run("BEGIN IMMEDIATE")
    try:
        first = run("SELECT number FROM keys WHERE key = ?", (key,)).fetchone()
        if first:
            number = first[0]
        else:
            values = [said[name] for name in WANTED]
            run("INSERT INTO tickets VALUES (?, datetime('now'), ?, ?, ?, ?, ?, ?)", [number, *values])
            run("INSERT INTO keys VALUES (?, ?)", (key, number))
            for recipient in (said["email"], "staff@example.com"):
                run("INSERT INTO mails (number, recipient) VALUES (?, ?)", (number, recipient))
        run("COMMIT")
    except BaseException:
        run("ROLLBACK")
        raise
    return jsonify({"number": number}), 201


# Once, before gunicorn makes its workers.
_first = connect()
_first.execute("PRAGMA journal_mode = WAL")
_first.executescript(SCHEMA)
_first.close()
