"""The page of who has signed in: what its shell shows, from the domain's answer."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from chalicelib import answers
from chalicelib.answers import Answer
from chalicelib.exchange import Exchange
from chalicelib.hours import day_text
from chalicelib.lookup_pages import day, release_of, size_text
from chalicelib.me import Me, MyRelease

NEWEST = 5
"""So many releases of a product stand open on the page; the others behind a word."""
TICKETS = "tickets"
"""The name of the mark in the page's query."""


def shown(here: Exchange) -> Answer:
    """One's own page, as a page or as JSON. Raises NotSignedIn, NotAvailable, NotStored."""
    found = here.desk.my_pages.page(here.signed_in, tickets_after=here.query.get(TICKETS, ""))
    return here.page_or_json("me", _variables(here, found), found.as_json())


def calendar_kept(here: Exchange) -> Answer:
    """Makes one's calendar address anew, or takes it away. Raises NotSignedIn, NotStored."""
    asked = here.values
    address = here.signed_in.address
    if asked["remove"] == "yes":
        here.desk.store.drop_calendar(address)
    else:
        here.desk.my_pages.new_calendar(address)
    url = here.desk.my_pages.calendar_url(address)
    return answers.see("/api/me#calendar") if here.wants_page else answers.as_json({"calendar_url": url})


def _variables(here: Exchange, found: Me) -> Mapping[str, Any]:
    return {
        "address": found.address,
        "agreements": [
            {
                **one.as_json(),
                "product": one.product_name,
                "covered_from": day(one.covered_from),
                "covered_until": day(one.covered_until),
                "newest_entitled": release_of(one.newest_entitled),
            }
            for one in found.agreements
        ],
        "unclear": found.unclear,
        "products": [
            {"name": name, "newest": made[:NEWEST], "older": made[NEWEST:]}
            for name, releases in groupby(found.downloads, key=lambda one: one.product_name)
            if (made := [_release(one) for one in releases])
        ],
        "tickets": [
            {
                "number": one.number,
                "subject": one.subject,
                "state": one.state,
                "received": {"iso": one.received.isoformat(), "text": one.received_text},
                "url": here.path(one.url),
            }
            for one in found.tickets
        ],
        "more_tickets": f"/api/me?{urlencode({TICKETS: found.more_tickets})}#tickets"
        if found.more_tickets
        else "",
        "earlier": bool(here.query.get(TICKETS)),
        "subscription": {
            "topics": found.subscription.labels,
            "wanted": found.subscription.wanted_labels,
            "url": here.path(found.subscription.leave_url),
        }
        if found.subscription
        else None,
        "calendar_url": found.calendar_url,
        "sessions": [
            {
                "id": one.id,
                "browser": one.browser,
                "began": {"iso": one.began.isoformat(), "text": one.began_text},
                "seen": {"iso": one.seen.isoformat(), "text": one.seen_text},
                "this": one.this,
            }
            for one in found.sessions
        ],
        "phone": here.phone,
    }


def _release(one: MyRelease) -> Mapping[str, Any]:
    return {
        "version": one.version,
        "product": one.product,
        "url": one.url,
        "agreement": one.agreement,
        "released": day(one.released),
        "support_ended": day_text(one.support_ended) if one.support_ended else "",
        "files": [
            {
                "name": file.name,
                "size_text": size_text(file.size),
                "sha256": file.sha256,
                "platform": file.platform,
            }
            for file in one.files
        ],
    }
