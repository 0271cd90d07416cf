"""Reminders that an agreement's cover ends: once for each agreement, end and stage, to its contacts.

A stage is so many days before the last covered day, as the policy's `reminders` say, and -1 is after it. Only
the nearest stage that has come is given, so days without a desk make no burst; a stage behind one that was
given never is, whatever the clock does. A renewal moves the end, and so silences. The store keeps each
reminder together with its mails; this module decides and makes no letter.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chalicelib.agreements import Agreement, coverage
from chalicelib.catalog import Catalog, NoRule, Rule, rule_in_force
from chalicelib.ports import Clock, Outgoing, Store

AFTER = -1
"""The stage after the end."""
STILL_NEWS = timedelta(days=7)
"""So long after its end an agreement is still told that it ended: a desk that was down for a weekend tells
it, one that begins with an old list of agreements does not."""
TEMPLATES = ("reminder_before", "reminder_after")


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """From `day` on, the reminder of `stage` is due."""

    stage: int
    day: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """A reminder that is due for an agreement whose last covered day is `ends`."""

    agreement: Agreement
    ends: date
    stage: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What became of a reminder. `outcome`: given, to be given, given before, nobody to tell (no contact
    whose mail arrives) or changed meanwhile. `when` it was or will be given."""

    agreement: str
    customer: str
    ends: date
    stage: int
    contacts: tuple[str, ...]
    outcome: str
    when: datetime | date

    def as_json(self) -> dict[str, object]:
        return {
            "agreement": self.agreement,
            "customer": self.customer,
            "ends": self.ends.isoformat(),
            "stage": self.stage,
            "contacts": list(self.contacts),
            "outcome": self.outcome,
            "when": self.when.isoformat(),
        }


def stages(agreement: Agreement, rules: Sequence[Rule], today: date) -> tuple[date, tuple[Stage, ...]]:
    """The last covered day, and the days of its reminders, in order; none for an agreement that is withdrawn,
    now or in time to come. A stage that would come before the last period has begun is left out: nobody is
    reminded of a renewal that they have just made. Raises NoRule."""
    last = max(coverage(agreement, rules, today).periods, key=lambda period: period.last)
    wanted = rule_in_force(rules, agreement.product, today).reminders
    if agreement.withdrawn is not None or not wanted:
        return last.last, ()
    days = [Stage(stage=days, day=last.last - timedelta(days=days)) for days in sorted(wanted, reverse=True)]
    days.append(Stage(stage=AFTER, day=last.last + timedelta(days=1)))
    return last.last, tuple(one for one in days if one.day >= last.first)


def due(agreement: Agreement, rules: Sequence[Rule], today: date) -> Due | None:
    """The nearest stage that has come, or None. Raises NoRule."""
    ends, days = stages(agreement, rules, today)
    come = [one for one in days if one.day <= today]
    if not come or today > ends + STILL_NEWS:
        return None
    return Due(agreement=agreement, ends=ends, stage=come[-1].stage)


@dataclass(frozen=True, kw_only=True)
class Reminders:
    """Gives them. `is_suppressed`: mail to this address comes back, so none is sent."""

    store: Store
    catalog: Callable[[], Catalog]
    clock: Clock
    message_id: Callable[[], str]
    is_suppressed: Callable[[str], bool] = lambda address: False

    def give(self, *, dry_run: bool = False) -> tuple[Told, ...]:
        """Give every reminder that is due and was not given, and tell of all that are due. Raises NotStored,
        NotAvailable (no catalog)."""
        catalog, now = self.catalog(), self.clock()
        today = now.astimezone(catalog.hours.zone).date()
        told = []
        for agreement in self.store.agreements():
            try:
                found = due(agreement, catalog.rules, today)
            except NoRule:
                continue  # the list of agreements says so
            if found is not None:
                told.append(self._given(found, now, dry_run=dry_run))
        return tuple(told)

    def coming(self, days: int) -> tuple[Told, ...]:
        """What will be given in so many days after today, by day, if nothing changes. Raises as `give`."""
        catalog = self.catalog()
        today = self.clock().astimezone(catalog.hours.zone).date()
        found = []
        for agreement in self.store.agreements():
            try:
                ends, planned = stages(agreement, catalog.rules, today)
            except NoRule:
                continue
            found += [
                _told(Due(agreement=agreement, ends=ends, stage=one.stage), "to be given", one.day)
                for one in planned
                if today < one.day <= today + timedelta(days=days)
            ]
        return tuple(sorted(found, key=lambda one: (str(one.when), one.agreement)))

    def _given(self, found: Due, now: datetime, *, dry_run: bool) -> Told:
        before = [
            one
            for one in self.store.reminded(found.agreement.agreement)
            if one.ends == found.ends and one.stage <= found.stage
        ]
        if before:
            return _told(found, "given before", before[0].when)
        reached = tuple(one for one in found.agreement.contacts if not self.is_suppressed(one))
        if not reached:
            return _told(found, "nobody to tell", now)
        if dry_run:
            return _told(found, "to be given", now, reached)
        mails = [self._mail(found, contact, now) for contact in reached]
        kept = self.store.remind(found.agreement, found.ends, found.stage, mails, now)
        return _told(found, "given" if kept else "changed meanwhile", now, reached)

    def _mail(self, found: Due, contact: str, now: datetime) -> Outgoing:
        return Outgoing(
            id=uuid.uuid4().hex,
            message_id=self.message_id(),
            template="reminder_after" if found.stage == AFTER else "reminder_before",
            to=contact,
            about=about(found),
            message=0,
            # A contact is an address that staff gave, so no stranger's caps hold for it.
            capped=False,
            created=now,
        )


def about(found: Due) -> str:
    """What a reminder's mail is about, for the queue: agreement and end."""
    return f"{found.agreement.agreement} {found.ends}"


def read_about(text: str) -> tuple[str, date]:
    """The agreement's number and the end. Raises ValueError."""
    number, _, ends = text.rpartition(" ")
    return number, date.fromisoformat(ends)


def _told(found: Due, outcome: str, when: datetime | date, reached: tuple[str, ...] | None = None) -> Told:
    return Told(
        agreement=found.agreement.agreement,
        customer=found.agreement.customer,
        ends=found.ends,
        stage=found.stage,
        contacts=found.agreement.contacts if reached is None else reached,
        outcome=outcome,
        when=when,
    )
