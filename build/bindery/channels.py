"""Channels: which feeds and calendars there are, what they are called and what they tell.

Outputs write them and pages point at them, so the list stands here, once. What is in them does not.
"""

from __future__ import annotations

from typing import NamedTuple

from bindery.library import Library

FORMATS = (
    ("atom", "application/atom+xml"),
    ("rss", "application/rss+xml"),
    ("json", "application/feed+json"),
)


class Channel(NamedTuple):
    """A feed or a calendar: `name` is its address below /feeds/ or /calendar/, `page` that of its page."""

    name: str
    title: str
    page: str
    about: str


def feeds(library: Library) -> tuple[Channel, ...]:
    """Every feed; each comes in all of FORMATS."""
    return (
        Channel("all", "Everything new", "", "Releases, newsletter, papers and events."),
        Channel("releases", "Releases", "releases/", "Versions and updates of every product."),
        Channel(
            "security", "Security", "releases/", "Only releases that mend a weakness. Take at least this one."
        ),
        Channel(
            "life-cycle",
            "Life cycle",
            "life-cycle/",
            "Ends of support: an entry as soon as the last supported day of a version is known.",
        ),
        Channel("newsletter", "Newsletter", "newsletter/", "Every issue, in full."),
        Channel("papers", "Papers", "papers/", "Papers given at conferences."),
        Channel("events", "Events", "events/", "Where to meet us."),
        Channel(
            "defects",
            "Known issues",
            "defects/",
            "Every issue that has a page: an entry when it is told, changed when a release fixes it.",
        ),
        *(
            Channel(
                f"releases/{product.product}",
                f"Releases of {product.name}",
                product.url,
                f"Versions and updates of {product.name} alone.",
            )
            for product in library.products
        ),
    )


CALENDARS = (
    Channel("life-cycle", "Life cycle", "life-cycle/", "The last supported day of each version."),
    Channel("events", "Events", "events/", "Events, each on all its days."),
)
