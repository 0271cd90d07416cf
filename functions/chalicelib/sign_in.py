"""Signing in by a link that works once: asked for, mailed, redeemed by the press of a button.

It proves that somebody reads a mailbox, and no more than that (NIST SP 800-63B does not count e-mail as an
out-of-band authenticator): it shows one's own things and never does anything of staff. Asking takes the same
work for every address; whether it is known is found out when the letter is made. The link acts in the
browser that asked, which holds a cookie; elsewhere it wants the code that stands there. Speaks no HTTP.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage

from chalicelib.addresses import folded
from chalicelib.catalog import Catalog
from chalicelib.hours import moment_text
from chalicelib.letters import Unwanted, letter
from chalicelib.ports import Clock, Outgoing, QueuedMail, SignIn, Store, WebSession
from chalicelib.ports.accounts import CODE_TRIES, LINK_TIME
from chalicelib.refusals import FieldProblem, Invalid, LinkOver
from chalicelib.signing import Signer, fingerprint, read_code, same

LETTER = "sign_in_link"
HOME = "/api/me"
"""Where a sign-in leads when nothing else was asked for."""
_COOKIE = "sign-in cookie"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the browser that asked holds: its cookie; and what its page shows: the address as it was typed,
    the code for another browser, and until when the link works."""

    cookie: str
    email: str
    code: str
    expires: datetime
    expires_text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A link that lives. `here`: this browser asked for it, so it wants no code."""

    asked: SignIn
    here: bool
    expires_text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedIn:
    """A session that has begun; `secret` is for its cookie alone."""

    session: WebSession
    secret: str
    goes_to: str


@dataclass(frozen=True, kw_only=True)
class SignIns:
    """The use cases. `kept_address` gives an address as it is kept here, "" when it is unknown; `site` is
    SUPPORT_URL; `sender` gives the From address."""

    store: Store
    signer: Signer
    catalog: Callable[[], Catalog | None]
    kept_address: Callable[[str], str]
    clock: Clock
    site: str
    message_id: Callable[[], str]
    sender: Callable[[], str]

    def ask(self, email: str, goes_to: str = "") -> Asked:
        """Ask for a link; the older one is dead from now on. The same for an address that nobody here knows:
        then no mail will go. Raises NotStored."""
        now = self.clock()
        expires = now + LINK_TIME
        claim = {"email": email, "chance": secrets.token_urlsafe(16)}
        cookie = self.signer.seal(_COOKIE, claim, expires)
        name, salt = uuid.uuid4().hex, secrets.token_hex(16)
        asked = SignIn(
            id=name,
            address=folded(email),
            salt=salt,
            token_hash=fingerprint(self._token(name, salt)),
            browsers=(fingerprint(cookie),),
            goes_to=goes_to,
            expires=expires,
        )
        mail = Outgoing(
            id=uuid.uuid4().hex,
            message_id=self.message_id(),
            template=LETTER,
            to=email,
            about=name,
            message=0,
            capped=True,
            created=now,
        )
        self.store.ask_sign_in(asked, mail, now)
        return self.asked(cookie)

    def asked(self, cookie: str) -> Asked:
        """What the page of the browser that asked shows. Raises LinkOver when it asked for none, or too long
        ago."""
        opened = self.signer.opened(_COOKIE, cookie, self.clock())
        if opened is None:
            raise LinkOver(
                "Nothing was asked for in this browser, or it was too long ago. If you have just asked, your "
                "browser keeps no cookie of ours: allow it, and ask again."
            )
        claim, expires = opened
        return Asked(
            cookie=cookie,
            email=str(claim["email"]),
            code=self._code(fingerprint(cookie)),
            expires=expires,
            expires_text=self._moment(expires),
        )

    def link(self, token: str, cookie: str) -> Link:
        """The link of a token; nothing is used up. Raises LinkOver, in the same words for one that is used,
        too old, dead, cancelled by a newer one or never was."""
        asked = self.store.sign_in_by_token(fingerprint(token))
        if asked is None or asked.used or asked.tries >= CODE_TRIES or self.clock() >= asked.expires:
            raise LinkOver
        here = any(same(fingerprint(cookie), browser) for browser in asked.browsers)
        return Link(asked=asked, here=here, expires_text=self._moment(asked.expires))

    def redeem(self, token: str, cookie: str, code: str, *, browser: str, instead_of: str) -> SignedIn:
        """Sign in. `browser`: a few words about where; `instead_of`: the session's cookie that this browser
        has. Raises LinkOver, Invalid (the code), NotStored."""
        link = self.link(token, cookie)
        if not link.here:
            self._check_code(link.asked, code)
        now = self.clock()
        secret = secrets.token_urlsafe(32)
        session = WebSession(
            id=secrets.token_hex(8),
            secret_hash=fingerprint(secret),
            address=link.asked.address,
            browser=browser,
            began=now,
            seen=now,
        )
        older = fingerprint(instead_of) if instead_of else ""
        if not self.store.redeem_sign_in(link.asked, session, instead_of=older, now=now):
            raise LinkOver
        return SignedIn(session=session, secret=secret, goes_to=link.asked.goes_to or HOME)

    def letter(self, queued: QueuedMail) -> EmailMessage | None:
        """The mail with the link, to the address as it is kept here. Raises Unwanted when nobody here knows
        the address, or the link is dead already."""
        asked = self.store.sign_in(folded(queued.mail.to))
        if asked is None or asked.id != queued.mail.about or asked.used or self.clock() >= asked.expires:
            raise Unwanted("its link is dead")
        kept = self.kept_address(asked.address)
        if not kept:
            raise Unwanted("nobody here knows the address")
        catalog = self.catalog()
        vendor = catalog.vendor.name if catalog else ""
        return letter(
            replace(queued.mail, to=kept),
            subject={},
            body={
                "url": f"{self.site}/api/sign-in/{self._token(asked.id, asked.salt)}",
                "until": self._moment(asked.expires),
                "vendor": vendor,
                "phone": catalog.vendor.phone if catalog else "",
            },
            vendor=vendor,
            sender=self.sender(),
        )

    def _check_code(self, asked: SignIn, typed: str) -> None:
        given = read_code(typed)
        if not given:
            raise _wrong("Enter the code that stands on the page where you asked for the link.")
        if not self.store.try_code(asked):  # counted first: who sends many at once gains nothing
            raise LinkOver
        if any(same(given, read_code(self._code(browser))) for browser in asked.browsers):
            return
        left = CODE_TRIES - asked.tries - 1
        if left <= 0:
            raise LinkOver
        raise _wrong(
            f"This is not the code. You can try {'once more' if left == 1 else f'{left} more times'}."
        )

    def _token(self, name: str, salt: str) -> str:
        return self.signer.token("sign-in", name, salt)

    def _code(self, browser: str) -> str:
        return self.signer.code("sign-in code", browser)

    def _moment(self, at: datetime) -> str:
        catalog = self.catalog()
        return moment_text(at, catalog.hours) if catalog else f"{at:%Y-%m-%d %H:%M} UTC"


def _wrong(message: str) -> Invalid:
    return Invalid([FieldProblem(field="code", message=message)])
