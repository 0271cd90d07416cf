"""One's own calendar: the ends of one's agreements, the days on which we remind of them, and sessions.

Whoever has its secret address reads it, and can do nothing with it. The same facts give the same bytes: UIDs
never change, and every stamp is a day of the facts. The SEQUENCE of an end grows with its day, so that a
program which knows the old day takes the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from chalicelib import calendar_text
from chalicelib.agreements import Agreement
from chalicelib.calendar_text import component, line, text
from chalicelib.catalog import Catalog, NoRule
from chalicelib.hours import day_text
from chalicelib.me import MyPages
from chalicelib.ports import Store, Ticket
from chalicelib.refusals import NotFound
from chalicelib.reminders import AFTER, stages
from chalicelib.sessions import Invitation
from chalicelib.signing import fingerprint
from chalicelib.standing import standing

MOST_TICKETS = 100
"""So many of one's newest tickets are looked through for sessions."""


@dataclass(frozen=True, kw_only=True)
class MyCalendars:
    """The use case. `sessions` gives the entries of an address's on-line sessions; `host` names us in
    UIDs."""

    store: Store
    pages: MyPages
    catalog: Callable[[], Catalog]
    today: Callable[[], date]
    sessions: Callable[[str], Iterator[str]]
    site: str
    host: str

    def text(self, token: str) -> str:
        """The calendar of a secret address. Raises NotFound, NotAvailable."""
        link = self.store.calendar_by_token(fingerprint(token))
        if link is None:
            raise NotFound
        catalog, today = self.catalog(), self.today()
        entries: list[str] = []
        for agreement in self.pages.agreements(link.address, today):
            with suppress(NoRule):  # one's own page says so
                entries += self._of_agreement(agreement, catalog, today)
        return calendar_text.calendar("PUBLISH", [*entries, *self.sessions(link.address)])

    def _of_agreement(self, agreement: Agreement, catalog: Catalog, today: date) -> Iterator[str]:
        found = standing(agreement, catalog, today)
        name = f"{found.agreement} ({found.product_name})"
        told = (
            f"The Update and Support agreement {name} covers {found.customer} until "
            f"{day_text(found.covered_until)}, that day included."
        )
        yield self._entry(
            agreement, "end", found.covered_until, f"Last covered day of agreement {name}", told
        )
        ends, reminders = stages(agreement, catalog.rules, today)
        for one in reminders:
            if one.stage != AFTER:
                left = f"{one.stage} {'day' if one.stage == 1 else 'days'} left"
                yield self._entry(
                    agreement,
                    f"reminder-{one.stage}",
                    one.day,
                    f"Renew agreement {name}: {left}",
                    f"Cover ends on {day_text(ends)}.",
                )

    def _entry(self, agreement: Agreement, kind: str, day: date, summary: str, told: str) -> str:
        return component(
            "VEVENT",
            [
                line("UID", f"agreement-{_safe(agreement.agreement)}-{kind}@{self.host}"),
                line("SEQUENCE", str(max(0, (day - agreement.starts).days))),
                line("DTSTAMP", calendar_text.instant(datetime.combine(agreement.starts, time(), UTC))),
                line("DTSTART", f"{day:%Y%m%d}", ("VALUE", "DATE")),
                line("DTEND", f"{day + timedelta(days=1):%Y%m%d}", ("VALUE", "DATE")),
                line("SUMMARY", text(summary)),
                line("DESCRIPTION", text(told)),
                line("URL", f"{self.site}/api/me"),
                line("TRANSP", "TRANSPARENT"),
            ],
        )


def session_entries(
    tickets: Iterable[Ticket], invitation: Callable[..., Invitation], url: str
) -> Iterator[str]:
    """The on-line sessions of tickets; their events lead to `url` and not to the ticket, whose address is a
    secret of its own."""
    for ticket in tickets:
        if ticket.session is not None and ticket.session.uid:
            yield replace(invitation(ticket, "PUBLISH", ticket.session), url=url).entry()


def _safe(number: str) -> str:
    """A number as part of a UID: what is no letter, digit or dash is written by its code."""
    return "".join(c if c.isascii() and (c.isalnum() or c == "-") else f"_{ord(c):x}" for c in number)
