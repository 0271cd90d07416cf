"""My page: what belongs to who has signed in, and nothing of anybody else.

Agreements, downloads and support are the same answers as everywhere (`standing`, `entitlement`); tickets are
found by the address that sent them. Changes nothing; asks for nothing but an address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chalicelib.agreements import Agreement
from chalicelib.catalog import Catalog, File, NoRule, Product, Release
from chalicelib.entitlement import entitlement
from chalicelib.hours import moment_text
from chalicelib.ports import CalendarLink, Clock, Store, Ticket, WebSession
from chalicelib.refusals import Forbidden
from chalicelib.signing import Signer, fingerprint
from chalicelib.standing import RenewalAnswer, standing
from chalicelib.subscriptions import SubscriptionView
from chalicelib.web_sessions import WebSessions

PAGE = 20
"""So many tickets stand on a page of the list."""
_MARK = "place in my tickets"
_MARK_TIME = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class MyRelease:
    """A release that one may have, and by which agreement. `support_ended`: the last day of its support when
    that is over, else None. `url` leads to its notes."""

    product: str
    product_name: str
    version: str
    released: date
    url: str
    agreement: str
    support_ended: date | None
    files: tuple[File, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "product": self.product,
            "product_name": self.product_name,
            "version": self.version,
            "released": self.released.isoformat(),
            "notes_url": self.url,
            "agreement": self.agreement,
            "support_ended": self.support_ended.isoformat() if self.support_ended else None,
            "files": [
                {"name": file.name, "size": file.size, "sha256": file.sha256, "platform": file.platform}
                for file in self.files
            ],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class MyTicket:
    """A ticket in the list. `url` is its secret, absolute address."""

    number: str
    subject: str
    state: str
    received: datetime
    received_text: str
    url: str

    def as_json(self) -> dict[str, object]:
        return {
            "number": self.number,
            "subject": self.subject,
            "state": self.state,
            "received": self.received.isoformat(),
            "url": self.url,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class MySession:
    """A session in the list. `this`: the one that asks."""

    id: str
    browser: str
    began: datetime
    began_text: str
    seen: datetime
    seen_text: str
    this: bool

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "browser": self.browser,
            "began": self.began.isoformat(),
            "seen": self.seen.isoformat(),
            "this": self.this,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Me:
    """One's own page. `unclear`: numbers of agreements of which the policy says nothing. `more_tickets`: the
    mark of the tickets that follow, "" for none; `calendar_url`: "" while there is none."""

    address: str
    agreements: tuple[RenewalAnswer, ...]
    unclear: tuple[str, ...]
    downloads: tuple[MyRelease, ...]
    tickets: tuple[MyTicket, ...]
    more_tickets: str
    subscription: SubscriptionView | None
    calendar_url: str
    sessions: tuple[MySession, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "address": self.address,
            "agreements": [one.as_json() for one in self.agreements],
            "unclear": list(self.unclear),
            "downloads": [one.as_json() for one in self.downloads],
            "tickets": [one.as_json() for one in self.tickets],
            "more_tickets": self.more_tickets,
            "subscription": self.subscription.as_json() if self.subscription else None,
            "calendar_url": self.calendar_url,
            "sessions": [one.as_json() for one in self.sessions],
        }


@dataclass(frozen=True, kw_only=True)
class MyPages:
    """The use cases. `catalog` raises NotAvailable while there is none; `ticket_url` gives a ticket's secret
    address, `subscription` what mails an address gets, for its owner's eyes; `site` is SUPPORT_URL; `chance`
    draws a salt."""

    store: Store
    signer: Signer
    catalog: Callable[[], Catalog]
    clock: Clock
    web_sessions: WebSessions
    ticket_url: Callable[[Ticket], str]
    subscription: Callable[[str], SubscriptionView | None]
    site: str
    chance: Callable[[], str]

    def page(self, session: WebSession, *, tickets_after: str = "") -> Me:
        """What is one's own today. `tickets_after`: a mark that an earlier page told; one that is none of
        ours, or somebody else's, begins anew. Raises NotAvailable, NotStored."""
        catalog, address = self.catalog(), session.address
        today = self.clock().astimezone(catalog.hours.zone).date()
        held = self.agreements(address, today)
        clear = [one for one in held if _covered_by_a_rule(one, catalog, today)]
        tickets, mark = self.store.tickets_of(address, before=self._place(address, tickets_after), limit=PAGE)
        return Me(
            address=address,
            agreements=tuple(standing(one, catalog, today) for one in clear),
            unclear=tuple(one.agreement for one in held if one not in clear),
            downloads=tuple(downloads(clear, catalog, today)),
            tickets=tuple(self._ticket(one, catalog) for one in tickets),
            more_tickets=self._mark(address, mark),
            subscription=self.subscription(address),
            calendar_url=self.calendar_url(address),
            sessions=tuple(
                MySession(
                    id=one.id,
                    browser=one.browser,
                    began=one.began.astimezone(catalog.hours.zone),
                    began_text=moment_text(one.began, catalog.hours),
                    seen=one.seen.astimezone(catalog.hours.zone),
                    seen_text=moment_text(one.seen, catalog.hours),
                    this=one.id == session.id,
                )
                for one in self.web_sessions.living(address)
            ),
        )

    def agreements(self, address: str, today: date) -> tuple[Agreement, ...]:
        """Those that name the address as a contact, without the withdrawn ones: they are as absent here as
        they are for whoever has their key."""
        return tuple(
            one for one in self.store.agreements_of(address) if one.withdrawn is None or today < one.withdrawn
        )

    def calendar_url(self, address: str) -> str:
        """The secret address of one's calendar, "" while there is none."""
        link = self.store.calendar(address)
        return f"{self.site}/api/calendar/{self._calendar_token(link)}.ics" if link else ""

    def new_calendar(self, address: str) -> str:
        """Make a calendar's address; the older one opens nothing from now on. Raises NotStored."""
        salt = self.chance()
        made = CalendarLink(address=address, salt=salt, token_hash="")
        token = self._calendar_token(made)
        self.store.keep_calendar(CalendarLink(address=address, salt=salt, token_hash=fingerprint(token)))
        return self.calendar_url(address)

    def _calendar_token(self, link: CalendarLink) -> str:
        return self.signer.token("calendar", link.address, link.salt)

    def _ticket(self, ticket: Ticket, catalog: Catalog) -> MyTicket:
        return MyTicket(
            number=ticket.number,
            subject=ticket.subject,
            state=ticket.state,
            received=ticket.received.astimezone(catalog.hours.zone),
            received_text=moment_text(ticket.received, catalog.hours),
            url=self.ticket_url(ticket),
        )

    def _mark(self, address: str, before: str) -> str:
        if not before:
            return ""
        claim = {"address": address, "before": before}
        return self.signer.seal(_MARK, claim, self.clock() + _MARK_TIME)

    def _place(self, address: str, mark: str) -> str:
        try:
            claim = self.signer.open(_MARK, mark, self.clock()) if mark else {}
        except Forbidden:
            return ""
        return str(claim["before"]) if claim.get("address") == address else ""


def _covered_by_a_rule(agreement: Agreement, catalog: Catalog, today: date) -> bool:
    try:
        standing(agreement, catalog, today)
    except NoRule:
        return False
    return True


def downloads(held: Sequence[Agreement], catalog: Catalog, today: date) -> Iterator[MyRelease]:
    """The releases with files that the agreements give today, product by product, the newest first; each
    once, by the first agreement that gives it."""
    for slug in sorted({one.product for one in held} & set(catalog.products)):
        product = catalog.products[slug]
        mine = [one for one in held if one.product == slug]
        for release in reversed(product.ordered):
            giver = next((one for one in mine if _gives(one, catalog, release, today)), None)
            if giver is not None and release.files:
                yield _release(product, release, giver, today)


def _gives(agreement: Agreement, catalog: Catalog, release: Release, today: date) -> bool:
    return entitlement(agreement, catalog.rules, release, today).entitled


def _release(product: Product, release: Release, giver: Agreement, today: date) -> MyRelease:
    ended = release.support_ends is not None and today > release.support_ends
    return MyRelease(
        product=product.slug,
        product_name=product.name,
        version=release.version,
        released=release.released,
        url=release.url,
        agreement=giver.agreement,
        support_ended=release.support_ends if ended else None,
        files=release.files,
    )
