"""Sessions of browsers: who one is, until they say otherwise or the time is over.

A session is known by the secret in a cookie, kept as a hash; the server ends it. Speaks no HTTP.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from chalicelib.ports import Clock, Store, WebSession
from chalicelib.refusals import NotStored
from chalicelib.signing import fingerprint

_NOTED = timedelta(minutes=1)
"""So exactly is it kept when a session was used last: not every request writes."""
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrom", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, kw_only=True)
class WebSessions:
    """The use cases."""

    store: Store
    clock: Clock

    def of(self, secret: str) -> WebSession | None:
        """The living session of a cookie's secret, None for every other; that it was used is noted."""
        session = self.store.session(fingerprint(secret)) if secret else None
        now = self.clock()
        if session is None or not session.lives(now):
            return None
        if now - session.seen >= _NOTED:
            # A disk that is full ends nobody's session.
            with suppress(NotStored):
                self.store.use_session(session, now)
        return session

    def living(self, address: str) -> tuple[WebSession, ...]:
        """The sessions of an address that have not ended, the newest first."""
        now = self.clock()
        return tuple(one for one in self.store.sessions_of(address) if one.lives(now))

    def end(self, session: WebSession, *, which: str = "", everywhere: bool = False) -> None:
        """End one's own session: this one, the one with the id `which`, or all. Ending what has ended is no
        trouble, and another's is not there. Raises NotStored."""
        if everywhere:
            self.store.end_sessions(session.address)
        else:
            self.store.end_session(session.address, which or session.id)


def browser_words(agent: str) -> str:
    """A User-Agent header in words of ours, such as "Firefox on Windows"."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    if not browser:
        return "A program"
    return f"{browser} on {system}" if system else browser
