"""What the desk says when it will not do what it was asked: one exception per thing that the caller can do.

Each carries an HTTP status, plain words and its reasons. No secret, path or stack trace stands in them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldProblem:
    """One field that must be mended: its name as in the form, and a sentence for the person."""

    field: str
    message: str


class Refused(Exception):
    """The request was understood and is refused.

    `because`: the rule and the dates that were compared; `would_change`: what would make it succeed, or "".
    """

    status = 400
    title = "This is not possible"
    again = ""
    """The path of a page of ours where one can begin anew, "" for none."""

    def __init__(
        self, detail: str, *, title: str = "", because: Iterable[str] = (), would_change: str = ""
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.title = title or type(self).title
        self.because = tuple(because)
        self.would_change = would_change


class Invalid(Refused):
    """Some fields must be mended; all of them are named at once."""

    status = 422
    title = "There is a problem"

    def __init__(self, fields: Iterable[FieldProblem], *, detail: str = "") -> None:
        self.fields = tuple(fields)
        super().__init__(detail or " ".join(problem.message for problem in self.fields))


class NotFound(Refused):
    """Unknown and wrong secret alike: the words are fixed, so that the answers are the same byte for byte."""

    status = 404
    title = "Not found"

    def __init__(
        self,
        detail: str = "Nothing here matches. Check the number, the key or the address that you used, "
        "or call us.",
    ) -> None:
        super().__init__(detail)


class LinkOver(NotFound):
    """A sign-in link that is used, too old, dead, cancelled by a newer one, or never was: nobody can tell."""

    title = "This link does not work"
    again = "/support/sign-in/"

    def __init__(
        self,
        detail: str = "A sign-in link works once, for 10 minutes, and only the newest one that you asked "
        "for. Ask for a new one.",
    ) -> None:
        super().__init__(detail)


class NotSignedIn(Refused):
    """Nobody is signed in here, or their session is over; `goes_to` is where a sign-in may lead back."""

    status = 401
    title = "You are not signed in"
    again = "/support/sign-in/"

    def __init__(self, goes_to: str = "/api/me") -> None:
        super().__init__(
            "Sign in to see what is yours. A session ends after 2 hours without use, and after 12."
        )
        self.goes_to = goes_to


class NotEntitled(Refused):
    """The agreement does not give this release; `because` and `would_change` say why and what would help,
    `rule` is the name of the rule that decided, `compared` the dates that it looked at."""

    status = 403
    title = "Your agreement does not include this release"

    def __init__(
        self,
        detail: str,
        *,
        because: Iterable[str],
        would_change: str,
        rule: str,
        compared: Iterable[tuple[str, date]],
    ) -> None:
        super().__init__(detail, because=because, would_change=would_change)
        self.rule = rule
        self.compared = tuple(compared)


class Forbidden(Refused):
    """A link or form that was changed, or whose time is over."""

    status = 403
    title = "This link is not valid"


class Expired(Forbidden):
    """A sound link or form whose time is over: a new one can be asked for."""

    title = "This link has expired"


class TooLarge(Refused):
    """More bytes or more files than the printed limit."""

    status = 413
    title = "This is too large"


class TooMany(Refused):
    """Too often; `retry_after` in seconds."""

    status = 429
    title = "Too many attempts"

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class NotStored(Refused):
    """The disk is full, read-only or gone: nothing was stored and it is safe to send again."""

    status = 503
    title = "Not stored"

    def __init__(
        self,
        detail: str = "This was not stored. It is safe to send it again in a minute; "
        "if it is urgent, please call us.",
        *,
        retry_after: int = 60,
    ) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class NotAvailable(Refused):
    """Something of ours is missing (the catalog, a file of a release): the caller can only try later or
    call."""

    status = 503
    title = "Not available at the moment"

    def __init__(self, detail: str, *, retry_after: int = 300) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
