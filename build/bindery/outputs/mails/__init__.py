"""The newsletter's mails: subject, text and HTML of each issue, from the body that its page and feed show.

`mails/<issue>/` holds `subject.txt`, `text.txt` (the first part), `mail.html` (the second), `message.json`:
the issue's identity, the headers and how the parts go together. Whoever sends them fills in the places
`[[ leave_url ]]` and `[[ leave_address ]]` for each recipient, in headers and parts; nothing else differs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

from bindery.kinds.issue import Issue
from bindery.library import Library
from bindery.outputs.mails import plain, styled
from bindery.outputs.mails.styled import Styled

LEAVE_URL = "[[ leave_url ]]"
LEAVE_ADDRESS = "[[ leave_address ]]"
VERSION = 2  # of what this package makes of the same issue; raised with every change of the form
PICTURES = (".png", ".jpg", ".jpeg", ".gif")
Render = Callable[[str, Mapping[str, object]], str]
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October"),
    *("November", "December"),
)


class MailPlan(NamedTuple):
    """A file that a build would make: `path` below mails, the key that decides its text, the text."""

    path: str
    key: str
    text: Callable[[], str]


def plans(
    library: Library,
    *,
    site_url: str,
    html_of: Callable[[str], str],
    render: Render,
    style: Mapping[str, str],
    width_of: Callable[[str], int | None],
) -> Iterator[MailPlan]:
    """Every file of every issue. `site_url` ends in a slash.

    `html_of` makes HTML of Markdown, `render` fills in a template below `site/templates`, `style` holds the
    sheets `light` and `dark`, and `width_of` tells the pixels across of a picture by its path from the site's
    root, None where that is not known.
    """
    vendor = library.home.vendor
    for issue in library.issues:
        folder = issue.path.removeprefix("newsletter/").removesuffix(".md")
        key = repr((VERSION, library.mark(issue), issue.url, site_url, vendor, issue.date, issue.number))
        seen = [library.resolve(issue, link.target).removeprefix(library.prefix) for link in issue.links]
        widths = [width_of(path) for path in seen if path.lower().endswith(PICTURES)]
        told: dict[str, object] = {
            "title": issue.title,
            "preheader": issue.preheader or issue.summary,
            "sample": issue.sample_note if issue.sample else "",
            "date": f"{MONTHS[issue.date.month - 1]} {issue.date.day}, {issue.date.year}",
            "number": issue.number,
            "url": site_url + issue.url,
            "home": site_url,
            "vendor": vendor.name,
            "address": vendor.address,
            "leave_url": LEAVE_URL,
        }
        body = partial(_body, library, issue, site_url, html_of)
        yield MailPlan(f"{folder}/subject.txt", key, partial(_subject, issue))
        yield MailPlan(f"{folder}/text.txt", key, partial(_text, body, told, render))
        yield MailPlan(
            f"{folder}/mail.html",
            f"{key} {widths!r}" if widths else key,  # a picture may change while the issue stays
            partial(_html, body, told, render, Styled(site_url=site_url, width_of=width_of, **style)),
        )
        yield MailPlan(f"{folder}/message.json", key, partial(_message, library, issue, site_url))


def _body(library: Library, issue: Issue, site_url: str, html_of: Callable[[str], str]) -> str:
    """The body as HTML with absolute links."""
    return styled.absolute(html_of(library.resolved_body(issue)), site_url, issue.url)


def _subject(issue: Issue) -> str:
    return issue.title + "\n"


def _text(body: Callable[[], str], told: Mapping[str, object], render: Render) -> str:
    return render("mails/newsletter.txt", {**told, "body": plain.as_text(body())})


def _html(body: Callable[[], str], told: Mapping[str, object], render: Render, look: Styled) -> str:
    made = render("mails/newsletter.html", {**told, "body": look.pictures(body()), "dark": look.dark})
    return look.inlined(made)


def _message(library: Library, issue: Issue, site_url: str) -> str:
    """The issue's identity, which page and feed have too, and what its mail is put together from."""
    vendor = library.home.vendor
    host = urlsplit(site_url).hostname
    authority = urlsplit(vendor.url).hostname or "example.com"
    message = {
        "format": 1,
        "id": issue.id,
        "identity": f"{issue.id}@{authority}",
        "url": site_url + issue.url,
        "subject": issue.title,
        "date": issue.date.isoformat(),
        "summary": issue.summary,
        "preheader": issue.preheader or issue.summary,
        "from": {"name": vendor.name, "address": vendor.email or None},
        "headers": {
            "List-Id": f"<newsletter.{host}>",
            "List-Unsubscribe": f"<{LEAVE_URL}>, <mailto:{LEAVE_ADDRESS}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
        "parts": [
            {"file": "text.txt", "type": "text/plain; charset=utf-8"},
            {"file": "mail.html", "type": "text/html; charset=utf-8"},
        ],
        "places": [LEAVE_URL, LEAVE_ADDRESS],
        "sample": issue.sample,
    }
    return json.dumps(message, ensure_ascii=False, indent=1) + "\n"
