"""What the desk says over HTTP: JSON, RFC 9457 problems, and pages in the site's own look.

A page is a shell that the site publishes (`/support/answers/NAME.html`), whose inner part is a Jinja template
with the delimiters `[[ … ]]` and `[% … %]`. Where no site is built, or its shell is broken, a plain page of
`templates/pages/` says the same. Jinja is imported when the first page is made: a JSON answer never waits for
it. Nothing here knows a route or the domain.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from chalicelib.fields import HONEYPOT, IDEMPOTENCY_KEY, NEXT, Form
from chalicelib.reasons import for_readers
from chalicelib.refusals import (
    FieldProblem,
    Invalid,
    NotAvailable,
    NotEntitled,
    NotSignedIn,
    NotStored,
    Refused,
    TooMany,
)

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import SandboxedEnvironment
    from markupsafe import Markup

    from chalicelib.ports import Site

BUILT_IN = Path(__file__).parent / "templates" / "pages"
SHELLS = "support/answers"
PROBLEM_TYPES = "/api/openapi.json#/components/responses/"

CONTENT_POLICY = "Content-Security-Policy"
SECURITY_HEADERS: tuple[tuple[str, str], ...] = (
    (
        CONTENT_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    # Nothing leaves the site, and our own forms still say where they come from (`Origin` is not "null").
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"),
)
SEARCH_WORKER = "/search/site/pagefind-worker.js"
WORKER_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"
"""A worker has the policy of its own answer; all that this one can reach is the site's own index."""
PRIVATE_HEADERS: tuple[tuple[str, str], ...] = (
    ("Cache-Control", "no-store"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-Robots-Tag", "noindex"),
)

Typed = Mapping[str, str | list[str]]
"""What was typed, by the names of fields; several texts for boxes of one name."""

_LONG_WORD = re.compile(r"(\S{20,})")
_log = logging.getLogger("desk")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole answer but the security headers, which whoever sends it adds. `body` is text, "" for none. A
    header may be named several times; one with a control character is refused, because it would become
    two."""

    status: int
    content_type: str = ""
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        for name, value in self.headers:
            if not (name + value).isprintable():
                raise ValueError(f"the header {name!r} holds a control character")


def security_headers(site_url: str, path: str = "") -> tuple[tuple[str, str], ...]:
    """The headers of every answer; on https also the one that keeps it there. `path` is that of a file of the
    site: the one script that compiles WebAssembly, in a worker of its own, may do so, and no page may."""
    said = SECURITY_HEADERS
    if path == SEARCH_WORKER:
        said = (("Content-Security-Policy", WORKER_POLICY), *said[1:])
    if site_url.startswith("https://"):
        return (*said, ("Strict-Transport-Security", "max-age=31536000"))
    return said


def with_form_to(answer: Answer, url: str) -> Answer:
    """The answer with leave for a form that leads to the origin of `url`, and to no other but our own."""
    parts = urlsplit(url)
    ours = "form-action 'self'"
    policy = dict(SECURITY_HEADERS)[CONTENT_POLICY].replace(ours, f"{ours} {parts.scheme}://{parts.netloc}")
    return replace(answer, headers=(*answer.headers, (CONTENT_POLICY, policy)))


def to_be_saved(name: str) -> str:
    """The Content-Disposition that has a file saved under its name, never shown."""
    plain = "".join(c if (c.isascii() and c.isalnum()) or c in "-_. " else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"


def as_json(value: object, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(
        status=status,
        content_type="application/json",
        body=json.dumps(value, ensure_ascii=False, indent=2) + "\n",
        headers=headers,
    )


def as_calendar(text: str) -> Answer:
    """An iCalendar text, to be subscribed to."""
    return Answer(status=200, content_type="text/calendar; charset=utf-8", body=text)


def see(location: str, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """303: the result has its own address, so that reload and back send nothing again."""
    return Answer(status=303, headers=(("Location", location), *headers))


def problem(refused: Refused) -> Answer:
    """The RFC 9457 problem of a refusal; its type leads to its place in the OpenAPI document."""
    facts: dict[str, Any] = {
        "type": PROBLEM_TYPES + type(refused).__name__,
        "title": refused.title,
        "status": refused.status,
        "detail": refused.detail,
    }
    if isinstance(refused, Invalid):
        facts["errors"] = [{"field": one.field, "message": one.message} for one in refused.fields]
    if refused.because:
        facts["because"] = list(refused.because)
    if refused.would_change:
        facts["would_change"] = refused.would_change
    if isinstance(refused, NotEntitled):
        facts["rule"] = refused.rule
        facts["compared"] = {name: day.isoformat() for name, day in refused.compared}
    return Answer(
        status=refused.status,
        content_type="application/problem+json",
        body=json.dumps(facts, ensure_ascii=False, indent=2) + "\n",
        headers=_told(refused),
    )


def wants_page(accept: str, *, form: bool) -> bool:
    """Whether a client is better served with a page than with JSON.

    A client that says which it prefers gets that; one that takes anything gets a page for a form, else JSON.
    """
    page, data = _quality(accept, "text", "html"), _quality(accept, "application", "json")
    if page != data:
        return page > data
    return form


class Pages:
    """Makes pages from one publication (`site`; None when no site is built)."""

    def __init__(self, site: Site | None) -> None:
        self._site = site

    def answer(self, name: str, variables: Mapping[str, Any], *, status: int = 200) -> Answer:
        """The page `name` (a shell's name) with its variables."""
        return Answer(
            status=status, content_type="text/html; charset=utf-8", body=self._page(name, variables)
        )

    def refusal(self, refused: Refused, *, again_url: str = "", phone: str = "") -> Answer:
        """The page of a refusal that belongs to no form."""
        said = self.answer(
            "refused",
            {
                "status": refused.status,
                "title": refused.title,
                "detail": refused.detail,
                "because": list(refused.because),
                "would_change": refused.would_change,
                "again_url": again_url,
                "phone": phone,
                "errors": [
                    {"field": one.field, "message": one.message}
                    for one in (refused.fields if isinstance(refused, Invalid) else ())
                ],
            },
            status=refused.status,
        )
        return replace(said, headers=_told(refused))

    def form(self, form: Form, refused: Refused, values: Typed, *, phone: str = "") -> Answer:
        """The form's own page once more: what was typed, and what is wrong with it."""
        said = Answer(
            status=refused.status, content_type="text/html; charset=utf-8", body=self._form_page(form)
        )
        return self.corrected(said, refused, values, phone=phone)

    def corrected(self, answer: Answer, refused: Refused, values: Typed, *, phone: str = "") -> Answer:
        """A page that holds a form, with what was typed in it and what is wrong with it."""
        from chalicelib import form_pages

        problems: Sequence[FieldProblem] = refused.fields if isinstance(refused, Invalid) else ()
        targets = form_pages.link_targets(answer.body)
        summary = _built_in("error-summary.html").render(
            title=refused.title,
            detail="" if problems else refused.detail,
            items=[
                # The trap is hidden from people: a link to it would lead nowhere.
                {
                    "target": "" if one.field == HONEYPOT else targets.get(one.field, ""),
                    "message": one.message,
                }
                for one in problems
            ],
            phone="" if problems else phone,
        )
        # Nobody can mend what is hidden: an idempotency key or a way on that was refused has to go.
        dropped = {one.field for one in problems} & {IDEMPOTENCY_KEY, NEXT} | {HONEYPOT}
        page = form_pages.fill(
            answer.body, values=values, problems=problems, summary=summary, dropped=frozenset(dropped)
        )
        return replace(answer, body=page, headers=(*answer.headers, *_told(refused)))

    def _form_page(self, form: Form) -> str:
        found = self._site.file(f"{form.page}/index.html") if self._site is not None and form.page else None
        if found is not None:
            with suppress(FileNotFoundError):
                return found.read()
        return _built_in("form.html").render(form=form)

    def _page(self, name: str, variables: Mapping[str, Any]) -> str:
        from jinja2 import TemplateError

        found = self._site.file(f"{SHELLS}/{name}.html") if self._site is not None else None
        if found is not None:
            try:
                return _shell(found.mark, found.read).render(variables)
            except FileNotFoundError:
                pass
            except (TemplateError, TypeError, ValueError, OSError):
                _log.exception("the shell of %s cannot be used; the plain page stands in", name)
        return _built_in(f"{name}.html").render(variables)


def _told(refused: Refused) -> tuple[tuple[str, str], ...]:
    if isinstance(refused, TooMany | NotStored | NotAvailable):
        return (("Retry-After", str(refused.retry_after)),)
    if isinstance(refused, NotSignedIn):
        # A 401 names a scheme (RFC 9110, 11.6.1); no browser knows this one, so none asks for a password.
        return (("WWW-Authenticate", f'Cookie realm="support", form-action="{refused.again}"'),)
    return ()


def _quality(accept: str, major: str, minor: str) -> float:
    """The weight that an Accept header gives a media type: that of the most specific range; 1 without one."""
    best = (-1, 0.0)
    for item in accept.split(","):
        media, *parameters = (part.strip().lower() for part in item.split(";"))
        rank = {f"{major}/{minor}": 3, f"{major}/*": 1, "*/*": 0}.get(media, -1)
        if minor == "json" and media == "application/problem+json":
            rank = 2
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = min(1.0, max(0.0, float(parameter[2:])))
                except ValueError:
                    weight = 0.0
        best = max(best, (rank, weight))
    return best[1] if best[0] >= 0 else (1.0 if not accept.strip() else 0.0)


@lru_cache(maxsize=1)
def _environment() -> SandboxedEnvironment:
    from jinja2 import FileSystemLoader
    from jinja2.sandbox import SandboxedEnvironment

    made = SandboxedEnvironment(
        loader=FileSystemLoader(BUILT_IN),
        autoescape=True,
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["reason"] = for_readers
    made.filters["breakable"] = _breakable
    return made


def _breakable(text: object) -> Markup:
    """The text with places where a word of many letters may go on in the next line: a plain page has no style
    that would see to it, and an address or a checksum is wider than a telephone."""
    from markupsafe import Markup, escape

    parts = _LONG_WORD.split(str(text))
    return Markup("").join(
        Markup("<wbr>").join(escape(part[at : at + 8]) for at in range(0, len(part), 8))
        if place % 2
        else escape(part)
        for place, part in enumerate(parts)
    )


_compiled: dict[str, Template] = {}
_MOST_COMPILED = 64


def _shell(mark: str, read: Callable[[], str]) -> Template:
    """A published shell, compiled once; `mark` tells one publication's file from the next one's."""
    made = _compiled.get(mark)
    if made is None:
        if len(_compiled) >= _MOST_COMPILED:
            _compiled.clear()
        made = _compiled[mark] = _environment().from_string(read())
    return made


def _built_in(name: str) -> Template:
    return _environment().get_template(name)
