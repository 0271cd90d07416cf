"""The answers about signing in and out: pages and JSON, and the cookies that go with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib import answers, cookies
from chalicelib.answers import Answer
from chalicelib.exchange import Exchange
from chalicelib.ports.accounts import LINK_TIME, LONGEST
from chalicelib.refusals import Invalid
from chalicelib.sign_in import HOME, Asked, Link, SignedIn
from chalicelib.web_sessions import browser_words

ASKED = "/api/sign-in"
SAID = (
    "If we know this address, a mail with a link is on its way. The link works once, for 10 minutes, in the "
    "browser that asked; elsewhere it wants a code."
)


def asked(here: Exchange, told: Asked) -> Answer:
    """The same for every address: a way to the page that says where to look; the code stands only there."""
    cookie = cookies.kept(cookies.ASKED, told.cookie, LINK_TIME)
    if here.wants_page:
        return answers.see(ASKED, (cookie,))
    return answers.as_json(
        {"detail": SAID, "code_at": here.desk.settings.url + ASKED}, status=202, headers=(cookie,)
    )


def sent(here: Exchange, told: Asked) -> Answer:
    """What to do now, and the code for another browser."""
    return here.page_or_json(
        "sign-in-sent",
        {
            "email": told.email,
            "code": told.code,
            "expires": {"iso": told.expires.isoformat(), "text": told.expires_text},
            "phone": here.phone,
        },
        {"email": told.email, "code": told.code, "expires": told.expires.isoformat()},
    )


def link(here: Exchange, found: Link) -> Answer:
    """The page with the button, and with a field for the code where this browser did not ask."""
    return here.page_or_json(
        "sign-in-link",
        _variables(found),
        {"wants_code": not found.here, "expires": found.asked.expires.isoformat()},
    )


def link_refused(here: Exchange, token: str, refused: Invalid) -> Answer:
    """The link's page once more, with what is wrong with the code; JSON: the problem. Raises LinkOver."""
    if not here.wants_page:
        return answers.problem(refused)
    found = here.desk.sign_ins.link(token, here.cookie(cookies.ASKED))
    page = here.pages.answer("sign-in-link", _variables(found), status=refused.status)
    return here.pages.corrected(page, refused, here.typed(), phone=here.phone)


def redeem(here: Exchange, token: str) -> SignedIn:
    """Signs this browser in. Raises LinkOver, Invalid, NotStored."""
    return here.desk.sign_ins.redeem(
        token,
        here.cookie(cookies.ASKED),
        here.values["code"],
        browser=browser_words(here.headers.get("user-agent", "")),
        instead_of=here.cookie(cookies.SESSION),
    )


def signed_in(here: Exchange, begun: SignedIn) -> Answer:
    """The session's cookie, and the way on."""
    headers = (cookies.kept(cookies.SESSION, begun.secret, LONGEST), cookies.dropped(cookies.ASKED))
    if here.wants_page:
        return answers.see(begun.goes_to, headers)
    session = begun.session
    return answers.as_json(
        {
            "address": session.address,
            "session": session.id,
            "until": (session.began + LONGEST).isoformat(),
            "next": begun.goes_to,
        },
        headers=headers,
    )


def sign_out(here: Exchange) -> Answer:
    """Ends one's session here, another one of one's own, or all; nothing when nobody is signed in."""
    which, everywhere = here.values["session"], here.values["everywhere"] == "yes"
    if here.session is not None:
        here.desk.web_sessions.end(here.session, which=which, everywhere=everywhere)
    if here.session is not None and which and which != here.session.id and not everywhere:
        return here.see_or_json(lambda: f"{HOME}#sessions", lambda: {"signed_in": True})
    gone = (cookies.dropped(cookies.SESSION),)
    if here.wants_page:
        return answers.see("/api/sign-out", gone)
    return answers.as_json({"signed_in": False}, headers=gone)


def signed_out(here: Exchange) -> Answer:
    """Whether one is signed in, with the button that changes it."""
    address = here.address
    return here.page_or_json("signed-out", {"address": address}, {"signed_in": bool(address)})


def _variables(found: Link) -> Mapping[str, Any]:
    return {
        "address": found.asked.address if found.here else "",
        "here": found.here,
        "expires": {"iso": found.asked.expires.isoformat(), "text": found.expires_text},
    }
