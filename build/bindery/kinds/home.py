"""The home page: who the vendor is, and the tasks that readers come for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bindery.kinds.item import Item, common, fields_of
from bindery.source import Problem, Source

_URL = re.compile(r"https?://[^\s]+\Z")
_TARGET = re.compile(r"(?:https://|/)[^\s]*\Z")
_CONTACT = re.compile(r"(?:https://[^\s]+|[^@\s]+@[^@\s]+\.[^@\s]+)\Z")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Vendor:
    """Who stands behind the site."""

    name: str
    url: str
    address: str
    phone: str
    email: str
    hours_note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """A card on the home page."""

    title: str
    text: str
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Home(Item):
    """The home page; `banner` stands on it, `notice` on every page; `security_contact`, a mail or other
    address, takes word of weaknesses, the vendor's own where it is ""; `hub` is the WebSub hub that the feeds
    name, "" for none."""

    vendor: Vendor
    banner: str
    notice: str
    security_contact: str
    hub: str
    tasks: tuple[Task, ...]


def parse(source: Source, problems: list[Problem]) -> Home | None:
    """The home page from `index.md`; None when it cannot be made (see problems)."""
    fields = fields_of(source, problems)
    before = len(problems)
    shared = common("home", source, fields)
    vendor = Vendor(name="", url="", address="", phone="", email="", hours_note="")
    below = fields.mapping("vendor", such_as="'name: Azteca Systems'", required=True)
    if below:
        vendor = Vendor(
            name=below.text("name", such_as="'Azteca Systems'", required=True),
            url=below.text("url", such_as="https://www.example.com/", must_be="an address", pattern=_URL),
            address=below.text("address", such_as="'11075 South State Street, Sandy, Utah 84070'"),
            phone=below.text("phone", such_as="'+1 801 555 0100'"),
            email=below.text(
                "email", such_as="support@example.com", must_be="a mail address", pattern=_EMAIL
            ),
            hours_note=below.text("hours_note", such_as="'Closed on public holidays.'"),
        )
        below.finish("a vendor")
    tasks = []
    for card in fields.mappings("tasks", such_as="'- title: Get help'"):
        tasks.append(
            Task(
                title=card.text("title", such_as="'Get help'", required=True),
                text=card.text("text", such_as="'Send a ticket to Client Services.'", required=True),
                url=card.text(
                    "url", such_as="/support/ticket/", must_be="an address", required=True, pattern=_TARGET
                ),
            )
        )
        card.finish("a task")
    banner = fields.text("banner", such_as="'Phones are down until noon.'")
    notice = fields.text("notice", such_as="'Our phones are down until noon; tickets reach us.'")
    security_contact = fields.text(
        "security_contact",
        such_as="security@example.com",
        must_be="a mail address or an address",
        pattern=_CONTACT,
    )
    hub = fields.text("hub", such_as="https://hub.example.com/", must_be="an address", pattern=_URL)
    fields.finish("the home page")
    if len(problems) > before:
        return None
    return Home(
        **shared,
        vendor=vendor,
        banner=banner,
        notice=notice,
        security_contact=security_contact,
        hub=hub,
        tasks=tuple(tasks),
    )
