"""The pages of subscriptions: what their shells show, and what a press of a button in one means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib import answers, bodies, fields
from chalicelib.answers import Answer
from chalicelib.exchange import Exchange
from chalicelib.refusals import Invalid, NotFound
from chalicelib.subscriptions import CONFIRMATIONS_APART, CONFIRMATIONS_FORGOTTEN, SubscriptionView

SENT = "/api/subscriptions/sent"
_NEXT = (
    "If the address is right, a mail is on its way to it. Open it and confirm: until then nothing is sent. "
    "An address that has everything already is told so."
)


def sent(here: Exchange) -> Answer:
    """The same for every address: whether it is known is nobody's business but its owner's."""
    return here.see_or_json(lambda: SENT, lambda: {"next": _NEXT}, status=202)


def look_into_mails(here: Exchange) -> Answer:
    """What to do after asking."""
    variables = {
        "hours": int(CONFIRMATIONS_APART.total_seconds() // 3600),
        "days": CONFIRMATIONS_FORGOTTEN.days,
        "phone": here.phone,
    }
    return here.page_or_json("subscription-sent", variables, {"next": _NEXT})


def confirmation(here: Exchange, token: str, view: SubscriptionView) -> Answer:
    """A button to press; or, when that was done, what it did."""
    name = "subscription-confirm" if view.wanted else "subscription-confirmed"
    variables = _variables(here, view) | {"confirm_url": f"/api/subscriptions/confirm/{token}"}
    return here.page_or_json(name, variables, view.as_json())


def subscription(here: Exchange, token: str, view: SubscriptionView) -> Answer:
    """A button to leave by, and topics to choose from; or, for who left, one that takes it back."""
    if not here.wants_page:
        return answers.as_json(view.as_json())
    return here.pages.answer(_page(view), _variables(here, view) | _address(token))


def changed(here: Exchange, token: str) -> Answer:
    """Leave, undo it, or choose topics. A mail program's own button gets its answer with no way round:
    RFC 8058 lets it send either encoding of forms, and forbids to lead it elsewhere. Providers post for many
    readers from one place, so only what names no subscription counts against their pace."""
    try:
        return _changed(here, token)
    except NotFound:
        here.spend()
        raise


def _changed(here: Exchange, token: str) -> Answer:
    desk = here.desk.subscriptions
    if bodies.is_multipart(here.headers.get("content-type", "")) or not here.body:
        return subscription(here, token, desk.leave(token))
    asked = here.values
    if asked["action"] in ("", "leave"):
        view = desk.leave(token)
    elif asked["action"] == "undo":
        view = desk.undo(token)
    else:
        try:
            view = desk.choose(token, asked["topics"].split())
        except Invalid as refused:
            return _choice_refused(here, token, refused)
    if asked[fields.ONE_CLICK] or not asked["action"]:
        return subscription(here, token, view)
    return here.see_or_json(lambda: f"/api/subscriptions/leave/{token}", view.as_json)


def _choice_refused(here: Exchange, token: str, refused: Invalid) -> Answer:
    if not here.wants_page:
        return answers.problem(refused)
    view = here.desk.subscriptions.at_leave(token)
    page = here.pages.answer(_page(view), _variables(here, view) | _address(token), status=refused.status)
    return here.pages.corrected(page, refused, here.typed(), phone=here.phone)


def _page(view: SubscriptionView) -> str:
    return "subscription-left" if view.state in ("left", "forgotten") else "subscription-leave"


def _address(token: str) -> dict[str, Any]:
    return {"leave_url": f"/api/subscriptions/leave/{token}"}


def _variables(here: Exchange, view: SubscriptionView) -> dict[str, Any]:
    def chosen(name: str) -> bool:
        return name in view.topics

    offered: list[Mapping[str, Any]] = [
        {**topic.as_json(), "chosen": chosen(topic.name)} for topic in view.offered
    ]
    return {
        "email": view.email,
        "state": view.state,
        "labels": list(view.labels),
        "wanted_labels": list(view.wanted_labels),
        "offered": offered,
        "leave_url": here.path(view.leave_url),
        "mail_comes_back": view.mail_comes_back,
        "can_undo": view.state == "left" and bool(view.topics),
        "subscribe_url": f"/{fields.SUBSCRIPTION.page}",
        "phone": here.phone,
    }
