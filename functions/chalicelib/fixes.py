"""Tickets whose known issue is fixed by now: a reply is drafted for each, and a person sends it.

Which release is named: one that the customer may have before one that they may not, of their own version
before another, the earliest first, and none that is older than theirs. A draft is made once for ticket, issue
and release, whatever became of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from string import Template

from chalicelib.agreements import Agreement
from chalicelib.catalog import Catalog, NoRule, Release
from chalicelib.entitlement import Entitlement, entitlement
from chalicelib.hours import day_text
from chalicelib.life import AT_WORK, NotNow
from chalicelib.ports import Act, Clock, DraftGone, ReplyDraft, Store, Ticket
from chalicelib.reasons import for_readers
from chalicelib.refusals import NotFound
from chalicelib.signing import fingerprint


@dataclass(frozen=True, kw_only=True)
class Fixes:
    """The use cases. `catalog` raises NotAvailable without one; `site` is SUPPORT_URL."""

    store: Store
    catalog: Callable[[], Catalog]
    clock: Clock
    site: str

    def draft(self, act: Callable[[str, str], Act]) -> tuple[ReplyDraft, ...]:
        """Draft a reply for every linked ticket at work whose issue a published release fixes; those that are
        new. `act` makes what the audit log keeps, of a ticket's number and the issue. Raises NotAvailable,
        NotStored."""
        catalog, now = self.catalog(), self.clock()
        today = now.astimezone(catalog.hours.zone).date()
        made = []
        for ticket in self.store.tickets(AT_WORK):
            agreement = self.store.agreement(ticket.agreement) if ticket.agreement else None
            mine = agreement if agreement and ticket.email in agreement.contacts else None
            for defect in ticket.defects:
                found = fixed_in(catalog, ticket, defect, mine, today)
                if found is None:
                    continue
                release, decision = found
                draft = ReplyDraft(
                    id=fingerprint("\0".join((ticket.number, defect, release.product, release.version)))[:12],
                    ticket=ticket.number,
                    defect=defect,
                    release=release.version,
                    text=self._text(catalog, defect, release, decision),
                    state="waiting",
                    made=now,
                )
                if self.store.keep_draft(draft, act(ticket.number, defect)):
                    made.append(draft)
        return tuple(made)

    def waiting(self, draft_id: str) -> ReplyDraft:
        """A draft that nobody has sent or dropped. Raises NotFound."""
        for draft in self.store.drafts("waiting"):
            if draft.id == draft_id:
                return draft
        raise NotFound(f"There is no draft {draft_id}.")

    def drop(self, draft_id: str, act: Act) -> ReplyDraft:
        """Raises NotFound."""
        try:
            return self.store.drop_draft(draft_id, act)
        except DraftGone:
            raise NotFound(f"There is no draft {draft_id}.") from None

    def _text(self, catalog: Catalog, defect: str, release: Release, decision: Entitlement | None) -> str:
        titles = [one.title for issues in catalog.known_issues.values() for one in issues if one.id == defect]
        if decision is None:
            agreement = f"Whether your agreement includes it: {self.site}/support/renewal/"
        else:
            includes = "includes" if decision.entitled else "does not include"
            reasons = " ".join(map(for_readers, decision.because))
            agreement = f"Your agreement {includes} it. {reasons} {decision.would_change}".strip()
        return (
            _template()
            .substitute(
                defect=defect,
                title=f", {titles[0]}" if titles else "",
                product=catalog.products[release.product].name,
                version=release.version,
                released=day_text(release.released),
                url=f"{self.site}{release.url}" if release.url.startswith("/") else release.url,
                agreement=agreement,
            )
            .strip()
        )


def fixed_in(
    catalog: Catalog, ticket: Ticket, defect: str, agreement: Agreement | None, today: date
) -> tuple[Release, Entitlement | None] | None:
    """The release to name, and whether `agreement` gives it; None while no published release that is not
    older than the ticket's fixes the issue."""
    own = catalog.release(ticket.product, ticket.version)
    version = (own.of or own.version) if own else ""
    choices = []
    for product in catalog.products.values():
        first = product.ordered.index(own) if own and own.product == product.slug else 0
        for place, release in enumerate(product.ordered[first:]):
            if defect in release.fixes and release.released <= today:
                decision = _decided(agreement, catalog, release, today)
                theirs = bool(version) and (release.of or release.version) == version
                rank = (not (decision and decision.entitled), not theirs, release.released, place)
                choices.append((rank, release, decision))
    if not choices:
        return None
    _, release, decision = min(choices, key=lambda choice: choice[0])
    return release, decision


def _decided(
    agreement: Agreement | None, catalog: Catalog, release: Release, today: date
) -> Entitlement | None:
    if agreement is None:
        return None
    try:
        return entitlement(agreement, catalog.rules, release, today)
    except NoRule:
        return None


def sendable(store: Store, draft: ReplyDraft) -> None:
    """Raises NotNow when its ticket was closed meanwhile."""
    ticket = store.ticket(draft.ticket)
    if ticket is not None and ticket.state == "closed":
        raise NotNow(f"{ticket.number} is closed. Drop the draft: desk tickets drop {draft.id}")


@cache
def _template() -> Template:
    return Template((Path(__file__).parent / "replies" / "fixed.txt").read_text(encoding="utf-8"))
