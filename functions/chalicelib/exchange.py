"""One request and how it is answered: who may send it, what it says, and whether a page or JSON goes back.

Between the routes (`app.py`) and the domain. A refusal becomes a status here and nowhere else; what the
domain does not expect becomes a 500 that tells nothing of our insides and is logged with its traceback.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from chalicelib import answers, bodies, cookies, fields, pace
from chalicelib.answers import Answer, Pages
from chalicelib.clients import neighbourhood
from chalicelib.fields import Form
from chalicelib.pace import Guesses, Pace
from chalicelib.refusals import (
    Invalid,
    NotAvailable,
    NotEntitled,
    NotFound,
    NotSignedIn,
    Refused,
    TooLarge,
)
from chalicelib.wiring import Desk

if TYPE_CHECKING:
    from chalicelib.ports import Site, WebSession

_log = logging.getLogger("desk")
_SAFE = ("GET", "HEAD", "OPTIONS")


class CrossSite(Refused):
    """A page of another site made a browser send this."""

    status = 403
    title = "Sent from another site"


class MethodNotAllowed(Refused):
    """The address exists and takes other methods."""

    status = 405
    title = "Method not allowed"


class HeadersTooLarge(Refused):
    """More bytes of headers than anybody needs."""

    status = 431
    title = "The headers are too large"


class Broken(Refused):
    """A fault of ours; the log has it under the request's id."""

    status = 500
    title = "Something is broken on our side"


@dataclass(frozen=True, kw_only=True)
class Service:
    """What a request is answered with: the desk, the published site (the present publication at each call),
    the pace of posts and of wrong keys, and how many proxies of ours a request has come through."""

    desk: Desk
    site: Callable[[], Site | None]
    posts: Pace
    wrong_keys: Guesses
    proxies: int = 0


def service(desk: Desk, now: Callable[[], float]) -> Service:
    """The service of a desk whose pages lie where its catalog lies: in the folder above `data/`."""
    return Service(
        desk=desk,
        site=desk.site,
        posts=Pace(pace.POSTS, now),
        wrong_keys=Guesses(pace.WRONG_KEYS, now),
        proxies=desk.settings.proxies,
    )


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request. `headers` have lower-case names; `client` is an address; `form` says what a body may
    hold; `query` has the last value of each name; `request_id` names the request in the log."""

    method: str
    headers: Mapping[str, str]
    body: bytes
    client: str
    service: Service
    form: Form | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""

    @property
    def desk(self) -> Desk:
        return self.service.desk

    @cached_property
    def pages(self) -> Pages:
        """Pages of one publication: the one that is current when the first is made."""
        return Pages(self.service.site())

    @property
    def wants_page(self) -> bool:
        content_type = self.headers.get("content-type", "")
        return answers.wants_page(self.headers.get("accept", ""), form=bodies.is_form(content_type))

    @cached_property
    def said(self) -> bodies.Body:
        """The body. Raises `TooLarge`, `UnknownContentType`, `Refused` (400)."""
        return bodies.read(self.headers.get("content-type", ""), self.body)

    @cached_property
    def values(self) -> dict[str, str]:
        """The checked text of every field. Raises what `said` raises, and `Invalid`."""
        return fields.check(self.form or fields.NOTHING, self.said.values, strict=not self.said.form)

    @property
    def key(self) -> str | None:
        """The idempotency key of the header, or of the form's hidden field. Raises `Invalid`."""
        in_body = fields.idempotency_key(self.said.values.get(fields.IDEMPOTENCY_KEY))
        return fields.idempotency_key(self.headers.get("idempotency-key")) or in_body

    def cookie(self, name: str) -> str:
        """The value of a cookie, "" when there is none."""
        return cookies.read(self.headers.get("cookie", ""), name)

    @cached_property
    def session(self) -> WebSession | None:
        """Who has signed in, None for nobody."""
        secret = self.cookie(cookies.SESSION)
        return self.desk.web_sessions.of(secret) if secret else None

    @property
    def signed_in(self) -> WebSession:
        """Who has signed in. Raises NotSignedIn."""
        if self.session is None:
            raise NotSignedIn
        return self.session

    @property
    def address(self) -> str:
        """The address of who has signed in, "" for nobody."""
        return self.session.address if self.session else ""

    @cached_property
    def phone(self) -> str:
        """Whom to call, "" while there is no catalog."""
        try:
            return self.desk.catalog().vendor.phone
        except NotAvailable:
            return ""

    def path(self, url: str) -> str:
        """The path of an address of ours: the link of a page then leads back to where the page came from."""
        return url.removeprefix(self.desk.settings.url)

    def typed(self) -> dict[str, str | list[str]]:
        """What was typed, as it came, for the form's page; nothing of a body that cannot be read."""
        try:
            said = self.said.values
        except Refused:
            return {}
        return {
            name: value
            for name, value in said.items()
            if isinstance(value, str)
            or (isinstance(value, list) and all(isinstance(one, str) for one in value))
        }

    def admit(self) -> None:
        """Raises `CrossSite` for what another site made a browser send, `TooMany` for too many posts."""
        if self.method in _SAFE:
            return
        if not from_our_pages(self.headers, self.desk.settings.url):
            raise CrossSite(
                "A page of another site asked your browser to send this, so it was not done. "
                "Use the form on our own site."
            )
        if self.form is None or not self.form.unpaced:
            self.spend()

    def spend(self) -> None:
        """Count a post of this client, and of who has signed in, wherever they are. Raises `TooMany`."""
        self.service.posts.spend(neighbourhood(self.client))
        if self.address:
            self.service.posts.spend(f"address {self.address}")

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Around what takes a key: who gave too many wrong ones has to wait. Raises `TooMany`."""
        account = self.values.get("agreement", "")
        self.service.wrong_keys.require(self.client, account)
        try:
            yield
        except NotFound:
            self.service.wrong_keys.count(self.client, account)
            raise

    def see_or_json(
        self, page: Callable[[], str], value: Callable[[], object], *, status: int = 200
    ) -> Answer:
        """A way to the result's own page for a browser, the result itself for a program."""
        return answers.see(page()) if self.wants_page else answers.as_json(value(), status=status)

    def page_or_json(self, name: str, variables: Mapping[str, Any], value: object) -> Answer:
        """The page `name` for a browser, `value` for a program."""
        return self.pages.answer(name, variables) if self.wants_page else answers.as_json(value)

    def refusal(self, refused: Refused) -> Answer:
        """The refusal as a problem, as the form's page with the answers kept, or as a page of its own."""
        if not self.wants_page:
            return answers.problem(refused)
        if self.form is not None and self.form.page and self.typed() and not _final(refused):
            return self.pages.form(self.form, refused, self.typed(), phone=self.phone)
        if isinstance(refused, NotSignedIn):
            return answers.see(f"{refused.again}?{urlencode({'next': refused.goes_to})}")
        again = refused.again or (f"/{self.form.page}" if self.form is not None and self.form.page else "")
        return self.pages.refusal(refused, again_url=again, phone=self.phone)


def answer(exchange: Exchange, view: Callable[[Exchange], Answer]) -> Answer:
    """What `view` answers, or the refusal that it raised; never an exception."""
    try:
        exchange.admit()
        return view(exchange)
    except Refused as refused:
        trouble = refused
    except Exception:
        _log.exception("a fault of ours, request %s", exchange.request_id)
        trouble = broken(exchange.request_id)
    try:
        return exchange.refusal(trouble)
    except Exception:
        _log.exception("the page of a refusal cannot be made; the plain problem stands in")
        return answers.problem(trouble)


def broken(request_id: str) -> Broken:
    """What is said of a fault of ours: nothing about it."""
    return Broken(f"It is logged as request {request_id}. Try again later, or call us and tell that name.")


def unreadable(status: int) -> Refused:
    """What is said of bytes that never became a request: too many of them (413, 431), or no HTTP (400)."""
    from http import HTTPStatus

    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return TooLarge("This is more than any address here takes. Nothing was stored.")
    if status == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
        return HeadersTooLarge("The headers of this request are longer than 64 KB. Nothing was stored.")
    return Refused(
        "This is not a request that HTTP knows. Nothing was stored.", title="The request cannot be read"
    )


def from_our_pages(headers: Mapping[str, str], site_url: str) -> bool:
    """Whether a request that changes something may come from where it says.

    `Sec-Fetch-Site` decides where a browser sends it (our own referrer policy could make `Origin` "null"),
    else `Origin`; a client that sends neither is no browser and carries nobody's cookies.
    """
    fetched = headers.get("sec-fetch-site")
    if fetched is not None:
        return fetched in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or origin == _origin(site_url)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _final(refused: Refused) -> bool:
    """Whether there is nothing to mend in the form: a refusal that must look alike for everybody, or a no."""
    return isinstance(refused, NotFound | NotEntitled | CrossSite) and not isinstance(refused, Invalid)
