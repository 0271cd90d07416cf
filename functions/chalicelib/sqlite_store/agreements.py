"""Agreements and the hashes of their keys in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from chalicelib.addresses import folded
from chalicelib.agreement_changes import compare
from chalicelib.agreements import Agreement, Period, with_period
from chalicelib.ports.agreements import Approval, Imported
from chalicelib.ports.audit import Act, act_of_one
from chalicelib.refusals import NotFound
from chalicelib.sqlite_store.audit import keep_act
from chalicelib.sqlite_store.database import Database, Run, flat, instant


class SqliteAgreements(Database):
    """`AgreementStore` on SQLite."""

    def agreement(self, number: str) -> Agreement | None:
        with self._read() as run:
            row = run("agreement", number=number).fetchone()
            return agreement_of(row) if row else None

    def agreements(self) -> tuple[Agreement, ...]:
        with self._read() as run:
            return tuple(agreement_of(row) for row in run("agreements"))

    def agreements_of(self, address: str) -> tuple[Agreement, ...]:
        with self._read() as run:
            return tuple(agreement_of(row) for row in run("agreements_of", folded=folded(address)))

    def import_agreements(
        self,
        agreements: Iterable[Agreement],
        *,
        dry_run: bool,
        act: Act | None = None,
        approve: Approval | None = None,
    ) -> Imported:
        kinds: dict[str, list[str]] = {"added": [], "changed": [], "unchanged": []}
        with self._write() as run:
            before = {row["agreement"]: agreement_of(row) for row in run("agreements")}
            if approve is not None:
                approve(tuple(before.values()))
            changed = []
            for agreement in agreements:
                held = before.get(agreement.agreement)
                kind = "added" if held is None else "unchanged" if held == agreement else "changed"
                kinds[kind].append(agreement.agreement)
                if kind != "unchanged":
                    changed.append(agreement)
            if not dry_run and changed:
                for agreement in changed:
                    _keep(run, agreement)
                keep_act(run, act)
                for number, words in compare(before.values(), changed).summaries.items():
                    keep_act(run, act_of_one(act, number, words))
        return Imported(**{kind: tuple(numbers) for kind, numbers in kinds.items()})

    def amend(
        self, number: str, change: Callable[[Agreement], Agreement], act: Act | None = None
    ) -> Agreement:
        with self._write() as run:
            agreement = change(_held(run, number))
            _keep(run, agreement)
            keep_act(run, act)
            return agreement

    def renew(self, number: str, period: Period, act: Act | None = None) -> Agreement:
        return self.amend(number, lambda held: with_period(held, period), act)

    def withdraw(self, number: str, day: date | None, act: Act | None = None) -> Agreement:
        return self.amend(number, lambda held: replace(held, withdrawn=day), act)

    def key_hash(self, number: str) -> str:
        with self._read() as run:
            row = run("key_hash", number=number).fetchone()
            return str(row[0]) if row else ""

    def key_hashes(self, number: str, now: datetime) -> tuple[str, ...]:
        with self._read() as run:
            row = run("key_hashes", number=number).fetchone()
        if row is None:
            return ()
        old = row["old_key_hash"] if row["old_key_until"] and instant(now) < row["old_key_until"] else ""
        return tuple(filter(None, (row["key_hash"], old)))

    def set_key(
        self,
        number: str,
        key_hash: str,
        now: datetime,
        act: Act | None = None,
        *,
        old_until: datetime | None = None,
    ) -> None:
        with self._write() as run:
            _held(run, number)
            until = instant(old_until) if old_until else None
            run("set_key", number=number, key_hash=key_hash, now=instant(now), old_until=until)
            keep_act(run, act)


def _held(run: Run, number: str) -> Agreement:
    row = run("agreement", number=number).fetchone()
    if row is None:
        raise NotFound(f"There is no agreement {number}.")
    return agreement_of(row)


def _keep(run: Run, agreement: Agreement) -> None:
    """Keep an agreement, and whose it is."""
    run("keep_agreement", **row_of(agreement))
    run("forget_contacts", agreement=agreement.agreement)
    for contact in agreement.contacts:
        run("keep_contact", folded=folded(contact), agreement=agreement.agreement)


def agreement_of(row: sqlite3.Row) -> Agreement:
    """A row of `agreements`, without its key."""
    values: dict[str, Any] = dict(row)
    for name in ("key_hash", "key_made", "old_key_hash", "old_key_until"):
        del values[name]
    values["starts"] = date.fromisoformat(values["starts"])
    values["withdrawn"] = date.fromisoformat(values["withdrawn"]) if values["withdrawn"] else None
    values["contacts"] = tuple(json.loads(values["contacts"]))
    values["paid"] = tuple(
        Period(first=date.fromisoformat(first), last=date.fromisoformat(last))
        for first, last in json.loads(values["paid"])
    )
    return Agreement(**values)


def row_of(agreement: Agreement) -> dict[str, object]:
    """An agreement as the table keeps it."""
    row = {name: getattr(agreement, name) for name in Agreement.__dataclass_fields__}
    row["paid"] = json.dumps([[str(period.first), str(period.last)] for period in agreement.paid])
    return flat(row)
