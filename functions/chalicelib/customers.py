"""Who is known here: a contact of an agreement, the sender of a ticket, a subscriber.

Asked when a letter is made, never when a visitor waits: what they wait for must not tell who is known.
"""

from __future__ import annotations

from chalicelib.addresses import folded
from chalicelib.ports import Store


def kept_address(store: Store, address: str) -> str:
    """The address as it is kept here, "" for somebody unknown. `address` is folded, or will be."""
    wanted = folded(address)
    contacts = [
        contact
        for agreement in store.agreements_of(wanted)
        for contact in agreement.contacts
        if folded(contact) == wanted
    ]
    sent, _ = store.tickets_of(wanted, limit=1)
    subscriber = store.subscriber(wanted)
    subscribed = [subscriber.email] if subscriber is not None and subscriber.state == "confirmed" else []
    return next(iter([*contacts, *(ticket.email for ticket in sent), *subscribed]), "")
