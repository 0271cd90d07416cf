"""The store on one machine: one SQLite file, every verb one transaction, synced before it returns.

A module for each thing that is kept; `database` has what they share.
"""

from __future__ import annotations

from chalicelib.sqlite_store.accounts import SqliteAccounts
from chalicelib.sqlite_store.agreements import SqliteAgreements
from chalicelib.sqlite_store.audit import SqliteAudit
from chalicelib.sqlite_store.database import connect
from chalicelib.sqlite_store.mailings import SqliteMailings
from chalicelib.sqlite_store.mails import SqliteMails
from chalicelib.sqlite_store.reminders import SqliteReminders
from chalicelib.sqlite_store.subscriptions import SqliteSubscriptions
from chalicelib.sqlite_store.tickets import SqliteTickets

__all__ = ["SqliteStore", "connect"]


class SqliteStore(
    SqliteTickets,
    SqliteAgreements,
    SqliteReminders,
    SqliteSubscriptions,
    SqliteAccounts,
    SqliteMailings,
    SqliteMails,
    SqliteAudit,
):
    """`Store` on SQLite. It is given what opens one more connection to the same file."""
