"""What a store keeps of people who sign in: a link that lives, sessions, the address of a calendar.

An address is folded (`addresses.folded`); of every secret only the hash is kept. What is past its time may
still be there (a table forgets late or never): whoever reads it compares the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.ports.audit import Act
from chalicelib.ports.mails import Outgoing

LINK_TIME = timedelta(minutes=10)
"""So long a sign-in link works."""
CODE_TRIES = 5
"""So many codes may be tried at one link; then it is dead."""
IDLE = timedelta(hours=2)
"""After so long without a request a session is over."""
LONGEST = timedelta(hours=12)
"""After so long a session is over, whatever was done in it."""
MOST_SESSIONS = 10
"""An address has so many sessions at most: one more ends the oldest."""
MOST_BROWSERS = 20
"""So many browsers that asked while one link lives are remembered, the newest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignIn:
    """The newest sign-in link of an address. `id` names it to its mail; `salt` makes its token again together
    with SUPPORT_SECRET; `browsers` are the hashes of the cookies of those that asked; `goes_to` is a path of
    our own site, "" for the account's page; `tries` counts codes; `used`: somebody signed in with it."""

    id: str
    address: str
    salt: str
    token_hash: str
    browsers: tuple[str, ...]
    goes_to: str
    expires: datetime
    tries: int = 0
    used: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class WebSession:
    """Somebody who has signed in. `id` names it and opens nothing; `secret_hash` is that of its cookie;
    `browser` says in a few words what it is used in; `seen` is when it was last used, to the minute."""

    id: str
    secret_hash: str
    address: str
    browser: str
    began: datetime
    seen: datetime

    def lives(self, now: datetime) -> bool:
        return now < self.began + LONGEST and now < self.seen + IDLE


@dataclass(frozen=True, kw_only=True, slots=True)
class CalendarLink:
    """The secret address of somebody's calendar. `salt` makes its token again together with
    SUPPORT_SECRET."""

    address: str
    salt: str
    token_hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Forgotten:
    """What was taken away of an address."""

    sign_in: bool
    sessions: int
    calendar: bool

    @property
    def anything(self) -> bool:
        return self.sign_in or self.sessions > 0 or self.calendar


class AccountStore(Protocol):
    """Sign-in links, sessions and calendars."""

    def ask_sign_in(self, asked: SignIn, mail: Outgoing, now: datetime) -> None:
        """Keep a link and its mail; it takes the place of the address's older one. When the mail is beyond a
        cap, so that nobody will get it, a link that lives stays and counts the browser that asked among its
        own: who asks again and again locks nobody out."""
        ...

    def sign_in(self, address: str) -> SignIn | None:
        """The newest link of an address, dead or alive."""
        ...

    def sign_in_by_token(self, token_hash: str) -> SignIn | None:
        """The link of a token while it is the newest of its address, dead or alive."""
        ...

    def try_code(self, asked: SignIn) -> bool:
        """Count one code before it is compared; False when as many as may be were tried, when the link was
        used, or when a newer one took its place."""
        ...

    def redeem_sign_in(self, asked: SignIn, session: WebSession, *, instead_of: str, now: datetime) -> bool:
        """Use a link up and begin a session, in one. False when it was used up, or a newer one took its
        place. The session with the hash `instead_of` ends; beyond MOST_SESSIONS the oldest does."""
        ...

    def session(self, secret_hash: str) -> WebSession | None: ...

    def use_session(self, session: WebSession, now: datetime) -> None:
        """Note when it was used last; nothing when it has ended meanwhile."""
        ...

    def sessions_of(self, address: str) -> tuple[WebSession, ...]:
        """Those that have not been ended, the newest first, past their time too."""
        ...

    def end_session(self, address: str, session_id: str, act: Act | None = None) -> bool:
        """Whether there was one to end."""
        ...

    def end_sessions(self, address: str, act: Act | None = None) -> int:
        """How many were ended."""
        ...

    def sessions(self, *, before: str = "", limit: int = 100) -> tuple[tuple[WebSession, ...], str]:
        """Of all addresses, the newest first, past their time too; and the mark that `before` takes for those
        that follow, "" when there are no more."""
        ...

    def calendar(self, address: str) -> CalendarLink | None: ...

    def calendar_by_token(self, token_hash: str) -> CalendarLink | None: ...

    def keep_calendar(self, link: CalendarLink) -> None:
        """The older link of the address opens nothing from now on."""
        ...

    def drop_calendar(self, address: str) -> bool:
        """Whether there was one."""
        ...

    def forget_account(self, address: str, act: Act | None = None) -> Forgotten:
        """End every session, and take away the sign-in link and the calendar."""
        ...
