"""How an agreement stands today: what it covers, until when, what it gives, and which rule says so.

The one answer behind renewals, updates, a customer's own page and the staff's command, so that they cannot
differ. Asks no store and checks no key: whoever calls has done that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from chalicelib.agreements import Agreement, coverage
from chalicelib.catalog import Catalog, Release
from chalicelib.entitlement import Entitlement, newest_entitled


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseName:
    """A release in an answer; `url` is a path from the site's root."""

    version: str
    url: str
    released: date

    @classmethod
    def of(cls, release: Release) -> ReleaseName:
        return cls(version=release.version, url=release.url, released=release.released)

    def as_json(self) -> dict[str, object]:
        return {"version": self.version, "url": self.url, "released": self.released.isoformat()}


@dataclass(frozen=True, kw_only=True, slots=True)
class RenewalAnswer:
    """The state of one agreement today. `product` is the slug; `days_left` counts the covered days after
    today. `decision` is the one about the newest release that it gives, or about none; None when nothing is
    out."""

    agreement: str
    customer: str
    product: str
    product_name: str
    licence: str
    covered_from: date
    covered_until: date
    state: str
    days_left: int
    newest_entitled: ReleaseName | None
    because: tuple[str, ...]
    decision: Entitlement | None

    def as_json(self) -> dict[str, object]:
        return {
            "agreement": self.agreement,
            "customer": self.customer,
            "product": self.product,
            "product_name": self.product_name,
            "licence": self.licence,
            "covered_from": self.covered_from.isoformat(),
            "covered_until": self.covered_until.isoformat(),
            "state": self.state,
            "days_left": self.days_left,
            "newest_entitled": self.newest_entitled.as_json() if self.newest_entitled else None,
            "because": list(self.because),
            **decided(self.decision),
        }


def decided(decision: Entitlement | None) -> dict[str, object]:
    """What an answer says of the decision behind it, beside its `because`."""
    if decision is None:
        return {}
    said = decision.as_json()
    return {name: said[name] for name in ("rule", "compared", "would_change")}


def standing(agreement: Agreement, catalog: Catalog, today: date) -> RenewalAnswer:
    """Raises NoRule when the policy says nothing of a day of this agreement."""
    cover = coverage(agreement, catalog.rules, today)
    newest, decision, reasons = newest_given(agreement, catalog, today)
    product = catalog.products.get(agreement.product)
    return RenewalAnswer(
        agreement=agreement.agreement,
        customer=agreement.customer,
        product=agreement.product,
        product_name=product.name if product else agreement.product,
        licence=agreement.licence,
        covered_from=cover.covered_from,
        covered_until=cover.covered_until,
        state=cover.state,
        days_left=cover.days_left,
        newest_entitled=newest,
        because=(*cover.because, *reasons),
        decision=decision,
    )


def newest_given(
    agreement: Agreement, catalog: Catalog, today: date
) -> tuple[ReleaseName | None, Entitlement | None, tuple[str, ...]]:
    """The newest release that the agreement gives, the decision, and its reasons."""
    product = catalog.products.get(agreement.product)
    if product is None:
        return None, None, (f"The site knows no product {agreement.product}.",)
    release, decision = newest_entitled(agreement, catalog.rules, product, today)
    return (
        ReleaseName.of(release) if release else None,
        decision,
        decision.because if decision else (),
    )
