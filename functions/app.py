"""Every route of the desk, a few lines each: HTTP and nothing else.

Chalice runs it behind API Gateway; `desk.gateway` hands it the same events on one machine, from many threads
at once. What the app is answered with (`exchange.Service`) comes with the call as its context there; on
Lambda it is made from the environment at the first request. Views import what they alone need: a function
that starts cold waits for what it uses, no more.
"""

from __future__ import annotations

import gc

# What is imported here stays for as long as the process: looking through it for garbage, again and again
# while it grows, is a seventh of a cold start. At the end of this module the collector goes to work.
gc.disable()

import base64
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from chalice import Chalice, Response

from chalicelib import answers, clients, cookies, exchange, fields, wiring
from chalicelib.answers import Answer
from chalicelib.exchange import Exchange, MethodNotAllowed, Service
from chalicelib.fields import Form
from chalicelib.refusals import Invalid, NotFound, NotStored

if TYPE_CHECKING:
    from chalicelib.work import Work

View = Callable[..., Answer]


BATCH, TIME_OF_A_BATCH = 5, 160_000
"""Mails that are claimed together, and the milliseconds within which even slow ones are handed over."""


class DeskApp(Chalice):  # type: ignore[misc]
    """Chalice with a current request of each thread's own, an answer to every method and address, and the
    security headers on all of them."""

    def __init__(self, name: str) -> None:
        self._own = threading.local()
        # An environment of its own: Chalice writes a variable into the one that it is given.
        super().__init__(app_name=name, configure_logs=False, env={})

    @property
    def current_request(self) -> Any:
        return getattr(self._own, "request", None)

    @current_request.setter
    def current_request(self, request: Any) -> None:
        self._own.request = request

    @property
    def lambda_context(self) -> Any:
        return getattr(self._own, "context", None)

    @lambda_context.setter
    def lambda_context(self, context: Any) -> None:
        self._own.context = context

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """The answer to an event of API Gateway's REST proxy integration."""
        asked = event["requestContext"]
        resource, method = asked.get("resourcePath"), asked["httpMethod"]
        request_id = asked.get("requestId") or ""
        methods = _methods(self.routes[resource]) if resource in self.routes else ()
        if not methods:
            answer = exchange.answer(_exchange(event, context), _not_found)
        elif method == "OPTIONS":
            answer = Answer(status=204, headers=(("Allow", ", ".join(methods)),))
        elif method not in methods:
            refusal = exchange.answer(_exchange(event, context), _not_allowed)
            answer = replace(refusal, headers=(*refusal.headers, ("Allow", ", ".join(methods))))
        else:
            if method == "HEAD":
                event = {**event, "requestContext": {**asked, "httpMethod": "GET"}}
            self.current_request = None
            return _hardened(super().__call__(event, context), context, request_id)
        return _hardened(_response(answer).to_dict(), context, request_id)


app = DeskApp("desk")
# Nothing that the desk says is binary: with no such type, Chalice leaves text and `Accept` alone.
app.api.binary_types = []


def route(pattern: str, method: str, form: Form | None = None) -> Callable[[View], View]:
    """Registers a view: a function of the exchange and the path's parameters."""

    def register(view: View) -> View:
        def answered(**parameters: str) -> Response:
            event = app.current_request.to_original_event()
            asked = _exchange(event, app.lambda_context, form)
            return _response(exchange.answer(asked, lambda here: view(here, **parameters)))

        # No content types: ours is the 415 that names what is taken.
        app.route(pattern, methods=[method], content_types=[], name=view.__name__)(answered)
        return view

    return register


@route("/api/health", "GET")
def health(here: Exchange) -> Answer:
    return answers.as_json(here.desk.health())


@route("/api/openapi.json", "GET")
def openapi_document(here: Exchange) -> Answer:
    from chalicelib import openapi

    return answers.as_json(openapi.document(here.desk.settings.url))


@route("/api/tickets", "POST", fields.TICKET)
def open_ticket(here: Exchange) -> Answer:
    from chalicelib.drafts import TicketDraft

    draft = TicketDraft(**here.values)
    receipt = here.desk.tickets.open(draft, key=here.key, signed_in=here.address)
    if here.wants_page:
        return answers.see(f"/api/tickets/{receipt.token}")
    return answers.as_json(receipt.as_json(), status=201, headers=(("Location", receipt.url),))


@route("/api/tickets/{token}", "GET")
def read_ticket(here: Exchange, token: str) -> Answer:
    from chalicelib import ticket_pages

    return ticket_pages.shown(here, here.desk.read_ticket(token))


@route("/api/tickets/{token}/messages", "POST", fields.MESSAGE)
def add_message(here: Exchange, token: str) -> Answer:
    from chalicelib import ticket_pages

    try:
        view = here.desk.tickets.add_message(token, here.values["text"], key=here.key)
    except (Invalid, NotStored) as refused:
        return ticket_pages.message_refused(here, token, refused)
    return here.see_or_json(lambda: f"/api/tickets/{token}", view.as_json)


@route("/api/tickets/{token}/close", "POST", fields.CLOSE)
def close_ticket(here: Exchange, token: str) -> Answer:
    here.values  # noqa: B018 - a body with names that are not known is refused
    view = here.desk.tickets.solved(token)
    return here.see_or_json(lambda: f"/api/tickets/{token}", view.as_json)


@route("/api/tickets/{token}/session.ics", "GET")
def ticket_calendar(here: Exchange, token: str) -> Answer:
    from chalicelib import ticket_pages

    return ticket_pages.calendar(here.desk.tickets.calendar(token))


@route("/api/tickets/{token}/attachments", "POST", fields.ATTACHMENT)
def announce_attachment(here: Exchange, token: str) -> Answer:
    asked = here.values
    form = here.desk.tickets.upload_form(token, asked["name"], asked["content_type"], int(asked["size"]))
    return here.see_or_json(lambda: f"/api/tickets/{token}", form.as_json, status=201)


@route("/api/renewals", "POST", fields.RENEWAL)
def look_up_renewal(here: Exchange) -> Answer:
    lookups = here.desk.lookups
    with here.guarded():
        return here.see_or_json(
            lambda: f"/api/renewals/{lookups.renewal_page(**here.values, address=here.address)}",
            lambda: lookups.look_up(**here.values, address=here.address).as_json(),
        )


@route("/api/renewals/{word}", "GET")
def renewal_page(here: Exchange, word: str) -> Answer:
    from chalicelib import lookup_pages

    return lookup_pages.renewal(here, here.desk.lookups.renewal_on_page(word))


@route("/api/downloads", "POST", fields.DOWNLOAD)
def ask_download(here: Exchange) -> Answer:
    lookups = here.desk.lookups
    with here.guarded():
        return here.see_or_json(
            lambda: f"/api/downloads/{lookups.download_page(**here.values, address=here.address)}",
            lambda: lookups.download(**here.values, address=here.address).as_json(),
        )


@route("/api/downloads/{word}", "GET")
def download_page(here: Exchange, word: str) -> Answer:
    from chalicelib import lookup_pages

    return lookup_pages.download(here, here.desk.lookups.download_on_page(word))


@route("/api/updates", "POST", fields.UPDATES)
def look_up_updates(here: Exchange) -> Answer:
    from chalicelib import lookup_pages

    with here.guarded():
        return lookup_pages.updates(here, here.desk.lookups.updates(**here.values, address=here.address))


@route("/api/subscriptions", "POST", fields.SUBSCRIPTION)
def subscribe(here: Exchange) -> Answer:
    from chalicelib import subscription_pages

    here.desk.subscriptions.ask(here.values["email"], here.values["topics"].split())
    return subscription_pages.sent(here)


@route("/api/subscriptions/sent", "GET")
def subscription_sent(here: Exchange) -> Answer:
    from chalicelib import subscription_pages

    return subscription_pages.look_into_mails(here)


@route("/api/subscriptions/confirm/{token}", "GET")
def confirmation(here: Exchange, token: str) -> Answer:
    from chalicelib import subscription_pages

    return subscription_pages.confirmation(here, token, here.desk.subscriptions.to_confirm(token))


@route("/api/subscriptions/confirm/{token}", "POST")
def confirm_subscription(here: Exchange, token: str) -> Answer:
    view = here.desk.subscriptions.confirm(token)
    return here.see_or_json(lambda: f"/api/subscriptions/confirm/{token}", view.as_json)


@route("/api/subscriptions/leave/{token}", "GET")
def subscription(here: Exchange, token: str) -> Answer:
    from chalicelib import subscription_pages

    return subscription_pages.subscription(here, token, here.desk.subscriptions.at_leave(token))


@route("/api/subscriptions/leave/{token}", "POST", fields.LEAVING)
def leave(here: Exchange, token: str) -> Answer:
    from chalicelib import subscription_pages

    return subscription_pages.changed(here, token)


@route("/api/sign-in", "POST", fields.SIGN_IN)
def ask_sign_in(here: Exchange) -> Answer:
    from chalicelib import sign_in_pages

    asked = here.values
    return sign_in_pages.asked(here, here.desk.sign_ins.ask(asked["email"], asked["next"]))


@route("/api/sign-in", "GET")
def asked_sign_in(here: Exchange) -> Answer:
    from chalicelib import sign_in_pages

    return sign_in_pages.sent(here, here.desk.sign_ins.asked(here.cookie(cookies.ASKED)))


@route("/api/sign-in/{token}", "GET")
def read_sign_in(here: Exchange, token: str) -> Answer:
    from chalicelib import sign_in_pages

    return sign_in_pages.link(here, here.desk.sign_ins.link(token, here.cookie(cookies.ASKED)))


@route("/api/sign-in/{token}", "POST", fields.REDEEM)
def redeem_sign_in(here: Exchange, token: str) -> Answer:
    from chalicelib import sign_in_pages

    try:
        begun = sign_in_pages.redeem(here, token)
    except Invalid as refused:
        return sign_in_pages.link_refused(here, token, refused)
    return sign_in_pages.signed_in(here, begun)


@route("/api/sign-out", "POST", fields.SIGN_OUT)
def sign_out(here: Exchange) -> Answer:
    from chalicelib import sign_in_pages

    return sign_in_pages.sign_out(here)


@route("/api/sign-out", "GET")
def signed_out(here: Exchange) -> Answer:
    from chalicelib import sign_in_pages

    return sign_in_pages.signed_out(here)


@route("/api/me", "GET")
def me(here: Exchange) -> Answer:
    from chalicelib import me_pages

    return me_pages.shown(here)


@route("/api/me/calendar", "POST", fields.MY_CALENDAR)
def keep_my_calendar(here: Exchange) -> Answer:
    from chalicelib import me_pages

    return me_pages.calendar_kept(here)


@route("/api/calendar/{token}", "GET")
def my_calendar(here: Exchange, token: str) -> Answer:
    return answers.as_calendar(here.desk.my_calendars.text(token.removesuffix(".ics")))


@app.lambda_function(name="work")  # type: ignore[untyped-decorator]
def work(event: object, context: Any) -> dict[str, int]:
    """What nobody waits for, while there is time: called every minute and when a mail is queued. Whatever
    goes wrong is raised, so that it is tried again and then told of; each mail is claimed before it is sent,
    so two at once do no harm."""
    outbox, done = _service_of_environment().desk.outbox, {"noted": 0, "sent": 0, "failed": 0}
    try:
        done["noted"] += _work_of_environment().noted()
    finally:
        # What cannot be done now keeps no mail from going.
        while context.get_remaining_time_in_millis() > TIME_OF_A_BATCH:
            sent, failed = outbox.run(BATCH)
            done["sent"] += sent
            done["failed"] += failed
            if not sent + failed:
                break
    return done


def _exchange(event: dict[str, Any], context: Any, form: Form | None = None) -> Exchange:
    asked = event["requestContext"]
    said = event.get("body") or ""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    service = _service(context)
    return Exchange(
        method=asked["httpMethod"],
        headers=headers,
        body=base64.b64decode(said) if event.get("isBase64Encoded") else said.encode(),
        client=_client(asked, headers.get("x-forwarded-for", ""), service.proxies),
        service=service,
        form=form,
        query=event.get("queryStringParameters") or {},
        request_id=asked.get("requestId") or "",
    )


def _client(asked: dict[str, Any], forwarded: str, proxies: int) -> str:
    """API Gateway adds whom it saw to the header, as a proxy does, and names it beside."""
    peer = asked.get("identity", {}).get("sourceIp") or ""
    before, _, last = forwarded.rpartition(",")
    return clients.address(peer, before if last.strip() == peer else forwarded, proxies)


def _service(context: Any) -> Service:
    return context if isinstance(context, Service) else _service_of_environment()


@cache
def _service_of_environment() -> Service:
    return exchange.service(wiring.desk(), time.monotonic)


@cache
def _work_of_environment() -> Work:
    from chalicelib.work import Work

    return Work(_service_of_environment().desk)


def _not_found(here: Exchange) -> Answer:
    raise NotFound


def _not_allowed(here: Exchange) -> Answer:
    raise MethodNotAllowed("This address takes other methods: its Allow header names them.")


def _methods(entries: dict[str, Any]) -> tuple[str, ...]:
    own = list(entries)
    return tuple(sorted({*own, *(["HEAD"] if "GET" in own else []), "OPTIONS"})) if own else ()


def _response(answer: Answer) -> Response:
    headers: dict[str, Any] = {}
    for name, value in (*answer.headers, *answers.PRIVATE_HEADERS):
        # A list is what Chalice sends as several headers of one name.
        headers[name] = value if name not in headers else [*_listed(headers[name]), value]
    if answer.content_type:
        headers["Content-Type"] = answer.content_type
    return Response(body=answer.body, headers=headers, status_code=answer.status)


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _hardened(response: dict[str, Any], context: Any, request_id: str) -> dict[str, Any]:
    hardened = dict(answers.security_headers(_service(context).desk.settings.url))
    if request_id:
        hardened["X-Request-Id"] = request_id
    # What an answer says of itself holds: a page may have a form that leads to the file store.
    response["headers"] = hardened | response["headers"]
    return response


gc.freeze()
gc.enable()
