"""Who takes a ticket, by the policy: the stage of the customer, then the kind of request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.addresses import folded
from chalicelib.agreements import Agreement, coverage
from chalicelib.catalog import Catalog, NoRule
from chalicelib.drafts import TicketDraft
from chalicelib.refusals import FieldProblem, Invalid

CLIENT_MANAGER = "client_manager"
_NAMES = {
    CLIENT_MANAGER: "your Client Manager",
    "client_services": "Client Services",
    "client_services_manager": "the Client Services Manager",
    "programming": "Programming",
}
NOT_COVERED = {
    "yes": "",
    "no": "Your agreement is not current. We take your ticket all the same; Client Services will speak with "
    "you about renewing.",
    "unknown": "We could not match this ticket to an agreement yet. We take it all the same.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """`name` as a visitor may read it; `mailbox` the staff address, never shown to visitors; `told` more
    of them."""

    name: str
    mailbox: str
    because: tuple[str, ...]
    told: tuple[str, ...] = ()
    first_in_queue: bool = False

    def as_json(self) -> dict[str, object]:
        return {"name": self.name, "because": list(self.because)}


def route(draft: TicketDraft, agreement: Agreement | None, catalog: Catalog | None) -> Route:
    """Without a catalog there are no mailboxes: the ticket waits in the list of staff."""
    boxes = catalog.mailboxes if catalog else {}
    services = boxes.get("client_services", "")
    if agreement is not None and agreement.stage == "implementation":
        return Route(
            name="your Client Manager",
            mailbox=agreement.client_manager or services,
            because=("During implementation, the Client Manager takes every request.",),
        )
    if draft.kind == "defect":
        return Route(
            name="Programming",
            mailbox=boxes.get("programming", "") or services,
            because=("A defect is the programming staff's number one priority; Client Services are told.",),
            told=(services,) if boxes.get("programming") else (),
            first_in_queue=True,
        )
    if draft.kind == "installation":
        return Route(
            name="the Client Services Manager",
            mailbox=boxes.get("client_services_manager", "") or services,
            because=("The Client Services Manager coordinates every installation.",),
        )
    return Route(
        name="Client Services",
        mailbox=services,
        because=("After acceptance, Client Services take every other request.",),
    )


def named(name: str, agreement: Agreement | None, catalog: Catalog) -> Route:
    """The way to a mailbox that staff name: one of the policy, or "client_manager". Raises Invalid."""
    manager = agreement.client_manager if agreement else ""
    boxes = {**catalog.mailboxes, **({CLIENT_MANAGER: manager} if manager else {})}
    if name not in boxes:
        raise Invalid(
            [FieldProblem(field="route", message=f"Choose one of {', '.join(boxes)}, not '{name}'.")]
        )
    return Route(
        name=_NAMES.get(name, name.replace("_", " ")),
        mailbox=boxes[name],
        because=("Staff gave it there.",),
        first_in_queue=name == "programming",
    )


def next_mailbox(mailbox: str, catalog: Catalog) -> str:
    """The address that is told when an answer from `mailbox` is nearly due, "" for none. An address that is
    none of the policy's is a Client Manager's."""
    name = next((name for name, held in catalog.mailboxes.items() if held == mailbox), CLIENT_MANAGER)
    return catalog.mailboxes.get(catalog.escalation.to.get(name, ""), "")


def covered(agreement: Agreement | None, draft: TicketDraft, catalog: Catalog | None, now: datetime) -> str:
    """Whether the agreement covers today: "yes", "no", or "unknown" for want of an agreement, a catalog,
    a rule of the policy or an e-mail address that is among the agreement's contacts (a stranger must not
    learn about it)."""
    if agreement is None or catalog is None or folded(draft.email) not in map(folded, agreement.contacts):
        return "unknown"
    today = now.astimezone(catalog.hours.zone).date()
    try:
        return "yes" if coverage(agreement, catalog.rules, today).covered else "no"
    except NoRule:
        return "unknown"
