"""The letters that remind of an agreement's end.

Made when they are handed over: one that is no longer true, for the agreement was renewed or withdrawn
meanwhile, is not made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage

from chalicelib.catalog import Catalog, rule_in_force
from chalicelib.durations import last_day
from chalicelib.entitlement import RELEASED_WHILE_COVERED
from chalicelib.hours import day_text
from chalicelib.letters import Unwanted, letter
from chalicelib.ports import MailTrouble, QueuedMail, Store
from chalicelib.reminders import read_about, stages


@dataclass(frozen=True, kw_only=True)
class ReminderLetters:
    """Makes them. `site` is SUPPORT_URL, without a slash at its end; `sender` the From address."""

    store: Store
    catalog: Callable[[], Catalog | None]
    site: str
    sender: Callable[[], str]

    def __call__(self, queued: QueuedMail) -> EmailMessage:
        """Raises Unwanted, and MailTrouble, to be tried again, without a catalog."""
        number, ends = read_about(queued.mail.about)
        catalog, agreement = self.catalog(), self.store.agreement(number)
        if catalog is None:
            raise MailTrouble("the catalog is not there", permanent=False)
        if agreement is None or agreement.withdrawn is not None:
            raise Unwanted("the agreement is withdrawn")
        if stages(agreement, catalog.rules, ends)[0] != ends:
            raise Unwanted("the agreement was renewed")
        product = catalog.products.get(agreement.product)
        rule = rule_in_force(catalog.rules, agreement.product, ends)
        grace = last_day(ends + timedelta(days=1), rule.grace) if rule.grace.count else None
        phone = catalog.vendor.phone
        values = {
            "agreement": agreement.agreement,
            "customer": agreement.customer,
            "product": product.name if product else agreement.product,
            "ends": day_text(ends),
            "grace": f"\nA period of grace lasts until {day_text(grace)}." if grace else "",
            "downloads": _downloads(rule.lapsed_downloads),
            "url": f"{self.site}/support/renewal/",
            "reach": f"answer this mail or call {phone}" if phone else "answer this mail",
            "vendor": catalog.vendor.name,
        }
        return letter(
            queued.mail,
            subject={"agreement": agreement.agreement, "ends": values["ends"]},
            body=values,
            vendor=catalog.vendor.name,
            sender=self.sender(),
            reply_to=catalog.mailboxes.get("client_services") or catalog.vendor.email,
        )


def _downloads(lapsed_downloads: str) -> str:
    if lapsed_downloads == RELEASED_WHILE_COVERED:
        return "you can download what was released while the agreement covered you, and nothing newer"
    return "you can download nothing more"
