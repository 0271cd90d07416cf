"""Pages that are there whatever the content: the forms, the desk's answers, the feeds, the lost address."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from bindery.channels import CALENDARS, FORMATS, feeds
from bindery.kinds.policy import SEVERITIES
from bindery.library import Library
from bindery.opening import hours, promised
from bindery.outputs.pages.items import COPY, CRUMBS, SUPPORT
from bindery.outputs.pages.press import Head, PagePlan, Templates

OFFERED = 100  # releases, and files, that a form proposes: the newest
FORMS = (
    (
        "ticket",
        "Open a ticket",
        "Tell us what is wrong, or ask a question. You see at once when we will reply.",
    ),
    ("renewal", "Check a renewal", "See until when your Update and Support agreement covers you."),
    ("download", "Download a release", "Get a link to a file that your agreement entitles you to."),
    ("subscribe", "Subscribe", "Get the newsletter, or a mail when a release comes out or support ends."),
    ("sign-in", "Sign in", "See your agreements, downloads and tickets on one page, without keys."),
)
ANSWERS = (  # title in the desk's own template language, filled in when it answers
    ("ticket", "Ticket [[ number ]]"),
    ("renewal", "Agreement [[ agreement ]]"),
    ("download", "Download [[ file ]]"),
    ("updates", "[[ product ]] [[ version ]]"),
    ("refused", "[[ title ]]"),
    ("subscription-sent", "Check your e-mail"),
    ("subscription-confirm", "Confirm your subscription"),
    ("subscription-confirmed", "You are subscribed"),
    ("subscription-leave", "Your subscription"),
    ("subscription-left", "You are unsubscribed"),
    ("sign-in-sent", "Check your e-mail"),
    ("sign-in-link", "Sign in"),
    ("signed-out", "Sign out"),
    ("me", "My page"),
)


BESIDE = {"ticket": ("assets/js/finder.js", "assets/js/ticket.js")}  # what helps beside a form
ANSWERED_WITH = {  # what an answer can do better with script
    "ticket": ("assets/js/form.js", "assets/js/upload.js", COPY),
    "download": (COPY,),
    "sign-in-sent": (COPY,),
    "me": (COPY,),
}
LISTS = (  # what leads to everything, where nobody can search
    ("Releases", "/releases/", "Every version and update, with its notes"),
    ("Known issues", "/defects/", "What is wrong, what helps, and which release mends it"),
    ("Help", "/help/", "How to do things"),
    ("Life cycle", "/life-cycle/", "Until when each version is supported"),
    ("Newsletter", "/newsletter/", "What we have written to you"),
    ("Papers", "/papers/", "What we have told at conferences"),
    ("Events", "/events/", "Where to meet us"),
    ("Policy", "/policy/", "What we promise"),
)


class Offered(NamedTuple):
    """What a form lets its reader choose from."""

    products: tuple[tuple[str, str], ...]
    versions: tuple[str, ...]
    files: tuple[tuple[str, str], ...]  # name, release
    severities: tuple[tuple[str, str], ...]
    hours: str
    updated: date | None


def plans(library: Library, templates: Templates) -> Iterator[PagePlan]:
    offered = offer(library)
    yield templates.plan(
        "support/",
        "pages/support.md",
        lambda: Head(
            title=SUPPORT,
            description="Open a ticket, check your renewal, download a release.",
            section=SUPPORT,
            kind="support",
            updated=library.policy.updated,
        ),
        lambda: {"forms": FORMS, "offered": offered, "notice": library.home.notice},
        library.home.notice,
        offered.severities,
        offered.hours,
        library.policy.updated,
        FORMS,
    )
    for name, title, text in FORMS:
        yield templates.plan(
            f"support/{name}/",
            f"pages/{name}-form.md",
            lambda name=name, title=title, text=text: Head(  # type: ignore[misc]
                title=title,
                description=text,
                section=SUPPORT,
                crumbs=(CRUMBS[SUPPORT],),
                kind="form",
                updated=offered.updated if name in ("ticket", "download") else library.policy.updated,
                scripts=("assets/js/form.js", *BESIDE.get(name, ())),
            ),
            lambda title=title, text=text: {"title": title, "text": text, "offered": offered},  # type: ignore[misc]
            _decides(name, offered, library.policy.updated),
            title,
            text,
        )
    for name, title in ANSWERS:
        yield templates.plan(
            f"support/answers/{name}.html",
            f"answers/{name}.html",
            lambda title=title, name=name: Head(  # type: ignore[misc]
                title=title,
                section=SUPPORT,
                crumbs=(CRUMBS[SUPPORT],),
                kind="answer",
                robots="noindex",
                scripts=ANSWERED_WITH.get(name, ()),
            ),
            dict,
        )
    channels = feeds(library)
    yield templates.plan(
        "feeds/",
        "pages/feeds.md",
        lambda: Head(
            title="Feeds and calendars",
            description="Everything that this site can tell a feed reader or a calendar, and how to use it.",
            kind="feeds",
        ),
        lambda: {"feeds": channels, "calendars": CALENDARS, "formats": [name for name, _ in FORMATS]},
        channels,
        CALENDARS,
        FORMATS,
    )
    yield templates.plan(
        "search/",
        "pages/search.md",
        lambda: Head(
            title="Search",
            description="Search releases, help, known issues and everything else on this site.",
            kind="search",
            scripts=("assets/js/finder.js", "assets/js/search.js"),
        ),
        lambda: {"lists": LISTS},
        LISTS,
    )
    yield templates.plan(
        "404.html",
        "pages/404.md",
        lambda: Head(title="Page not found", kind="lost", robots="noindex"),
        lambda: {"tasks": library.home.tasks},
        library.home.tasks,
    )


def _decides(name: str, offered: Offered, updated: date | None) -> object:
    """What of the offer a form shows."""
    if name in ("renewal", "sign-in"):  # a new release changes nothing on these forms
        return updated
    return (updated, offered.products) if name == "subscribe" else offered


def offer(library: Library) -> Offered:
    newest = sorted(library.releases, key=lambda r: (r.released, r.version), reverse=True)[:OFFERED]
    policy = library.policy
    names = {product.product: product.name for product in library.products}
    return Offered(
        products=tuple(names.items()),
        versions=tuple(dict.fromkeys(release.version for release in newest)),
        files=tuple(
            (file.name, f"{names.get(release.product, release.product)} {release.version}")
            for release in newest
            for file in release.files
        )[:OFFERED],
        severities=tuple((name, promised(policy.first_response[name])) for name in SEVERITIES),
        hours=hours(policy.hours),
        updated=max(
            (day for day in (policy.updated, *(release.released for release in newest[:1])) if day),
            default=None,
        ),
    )
