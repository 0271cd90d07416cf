"""The addresses of the desk: what each takes, gives and refuses. The OpenAPI document is made of this table.

Adding a route to `app.py` means adding an `Operation`, and its answer to `shapes.py`; tests hold the table
against the routes, and every answer that any test gets against what is declared here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chalicelib import bodies, fields
from chalicelib.fields import Form


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one address.

    `done` is the status of a success and `answer` the name of its shape in `shapes.py`, "" for no body of
    JSON. `content_type` is that of a success which is text of another kind.
    `headers` are those that a success always has. `page` is what a client that prefers pages gets: "here" a
    page in the same status, "see" a 303 to a page with its own address, "either" one or the other, "none" the
    same as a program.
    `refusals` are names of `REFUSALS`; those of `EVERYWHERE` need no naming.
    """

    path: str
    method: str
    name: str
    summary: str
    form: Form | None = None
    done: int = 200
    answer: str = ""
    content_type: str = ""
    headers: tuple[str, ...] = ()
    page: Literal["here", "see", "either", "none"] | None = None
    refusals: tuple[str, ...] = ()

    @property
    def shows(self) -> str:
        """`page`; where nothing is said, a form leads to a page and anything else is one."""
        return self.page or ("see" if self.form is not None else "here")


# Name of the exception that is refused with → status and what it means.
REFUSALS: dict[str, tuple[int, str]] = {
    "Refused": (400, "The body is not what its content type says."),
    "NotSignedIn": (401, "Nobody is signed in here, or their session is over; a browser is led to sign in."),
    "CrossSite": (403, "A page of another site made a browser send this."),
    "Forbidden": (403, "The address was changed, or is not one of ours."),
    "Expired": (403, "The time of the address is over: ask for a new one."),
    "NotEntitled": (403, "The agreement does not give this release; `because` and `would_change` say why."),
    "NotFound": (404, "Unknown, withdrawn or with a wrong secret: nobody can tell which."),
    "LinkOver": (404, "A sign-in link that is used, too old, cancelled or none: nobody can tell which."),
    "MethodNotAllowed": (405, "The `Allow` header names what this address takes."),
    "TooLarge": (413, f"More than {bodies.LIMIT_TEXT}, or a file beyond the printed limit."),
    "UnknownContentType": (415, f"The body must be {bodies.JSON_TYPE} or {bodies.FORM_TYPE}."),
    "NotNow": (409, "What is asked for does not fit the state of the ticket."),
    "Invalid": (422, "Fields to mend: all of them are named in `errors`."),
    "HeadersTooLarge": (431, "The headers are longer than 64 KB."),
    "TooMany": (429, "Wait as many seconds as `Retry-After` says."),
    "Broken": (500, "A fault of ours."),
    "NotStored": (503, "Nothing was stored, and it is safe to send it again."),
    "NotAvailable": (503, "Something of ours is missing at the moment."),
    "NoRule": (503, "The support policy says nothing about a day of this agreement: call us."),
}
# Refusals that say how long to wait.
WAITING = ("TooMany", "NotStored", "NotAvailable", "NoRule")
# What no address can rule out: bytes that are no request, and faults of ours.
EVERYWHERE = ("Refused", "HeadersTooLarge", "Broken")
_POSTED = ("CrossSite", "TooLarge", "UnknownContentType", "Invalid", "TooMany", "NotStored")
_READ = ("Forbidden", "Expired", "NotFound", "NotAvailable", "NoRule", "NotStored")

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        path="/api/health",
        method="GET",
        name="health",
        summary="Is the desk well?",
        answer="Health",
        page="none",
    ),
    Operation(
        path="/api/openapi.json",
        method="GET",
        name="openapi",
        summary="All of this for programs: OpenAPI 3.1.",
        answer="Document",
        page="none",
    ),
    Operation(
        path="/api/tickets",
        method="POST",
        name="openTicket",
        summary="Send a ticket. The same Idempotency-Key gives the first ticket again.",
        form=fields.TICKET,
        done=201,
        answer="Receipt",
        headers=("Location",),
        refusals=_POSTED,
    ),
    Operation(
        path="/api/tickets/{token}",
        method="GET",
        name="readTicket",
        summary="A ticket, by the secret of its address; its number opens nothing.",
        answer="Ticket",
        refusals=("NotFound", "NotStored"),
    ),
    Operation(
        path="/api/tickets/{token}/messages",
        method="POST",
        name="addMessage",
        summary="Add a message to a ticket.",
        form=fields.MESSAGE,
        answer="Ticket",
        refusals=(*_POSTED, "NotFound"),
    ),
    Operation(
        path="/api/tickets/{token}/close",
        method="POST",
        name="closeTicket",
        summary="Say that it is solved. A message opens it again.",
        form=fields.CLOSE,
        answer="Ticket",
        refusals=(*_POSTED, "NotFound"),
    ),
    Operation(
        path="/api/tickets/{token}/session.ics",
        method="GET",
        name="ticketCalendar",
        summary="The on-line session of a ticket for one's own calendar (RFC 5545).",
        content_type="text/calendar",
        page="none",
        refusals=("NotFound", "NotNow", "NotStored"),
    ),
    Operation(
        path="/api/tickets/{token}/attachments",
        method="POST",
        name="announceAttachment",
        summary="Announce a file and get the form that uploads it.",
        form=fields.ATTACHMENT,
        done=201,
        answer="UploadForm",
        refusals=(*_POSTED, "NotFound"),
    ),
    Operation(
        path="/api/renewals",
        method="POST",
        name="lookUpRenewal",
        summary="The state of an agreement, with the rule and the dates.",
        form=fields.RENEWAL,
        answer="Renewal",
        refusals=(*_POSTED, "NotFound", "NotAvailable", "NoRule"),
    ),
    Operation(
        path="/api/renewals/{word}",
        method="GET",
        name="readRenewal",
        summary="The page that a browser is led to after a look-up, for ten minutes.",
        answer="Renewal",
        refusals=_READ,
    ),
    Operation(
        path="/api/downloads",
        method="POST",
        name="askDownload",
        summary="A link to one file, for five minutes.",
        form=fields.DOWNLOAD,
        answer="Download",
        refusals=(*_POSTED, "NotEntitled", "NotFound", "NotAvailable", "NoRule"),
    ),
    Operation(
        path="/api/downloads/{word}",
        method="GET",
        name="readDownload",
        summary="The page that a browser is led to with its download, for ten minutes.",
        answer="Download",
        refusals=(*_READ, "NotEntitled"),
    ),
    Operation(
        path="/api/updates",
        method="POST",
        name="lookUpUpdates",
        summary="The newest release, the newest that you may install, and whether yours is still supported.",
        form=fields.UPDATES,
        answer="Updates",
        page="here",
        refusals=(*_POSTED, "NotFound", "NotAvailable", "NoRule"),
    ),
    Operation(
        path="/api/subscriptions",
        method="POST",
        name="subscribe",
        summary="Ask for mails. Nobody is subscribed before the address's owner confirms; every address gets "
        "the same answer.",
        form=fields.SUBSCRIPTION,
        done=202,
        answer="Asked",
        refusals=(*_POSTED, "NotAvailable"),
    ),
    Operation(
        path="/api/subscriptions/sent",
        method="GET",
        name="subscriptionSent",
        summary="The page that a browser is led to: what to do next.",
        answer="Asked",
    ),
    Operation(
        path="/api/subscriptions/confirm/{token}",
        method="GET",
        name="readConfirmation",
        summary="What a confirmation link would do; it changes nothing.",
        answer="Subscription",
        refusals=("Expired", "NotFound", "NotStored"),
    ),
    Operation(
        path="/api/subscriptions/confirm/{token}",
        method="POST",
        name="confirmSubscription",
        summary="Confirm. Once more is the same.",
        answer="Subscription",
        page="see",
        refusals=("CrossSite", "Expired", "NotFound", "TooMany", "NotStored"),
    ),
    Operation(
        path="/api/subscriptions/leave/{token}",
        method="GET",
        name="readSubscription",
        summary="A subscription, by the secret of its leave link; it changes nothing.",
        answer="Subscription",
        refusals=("NotFound", "NotStored"),
    ),
    Operation(
        path="/api/subscriptions/leave/{token}",
        method="POST",
        name="leave",
        summary="Leave with one POST (RFC 8058), again and again; `action` undoes that or chooses topics.",
        form=fields.LEAVING,
        answer="Subscription",
        page="either",
        refusals=(*_POSTED, "NotFound", "NotAvailable"),
    ),
    Operation(
        path="/api/sign-in",
        method="POST",
        name="askSignIn",
        summary="Ask for a link that signs in once. The same answer for every address.",
        form=fields.SIGN_IN,
        done=202,
        answer="SignInAsked",
        headers=("Set-Cookie",),
        refusals=_POSTED,
    ),
    Operation(
        path="/api/sign-in",
        method="GET",
        name="readAskedSignIn",
        summary="The code for another browser, in the browser that asked for a link.",
        answer="SignInCode",
        refusals=("LinkOver",),
    ),
    Operation(
        path="/api/sign-in/{token}",
        method="GET",
        name="readSignIn",
        summary="Whether the link lives, and whether it wants a code here. Uses nothing up.",
        answer="SignInLink",
        refusals=("LinkOver", "NotStored"),
    ),
    Operation(
        path="/api/sign-in/{token}",
        method="POST",
        name="signIn",
        summary="Sign in with the link: a session begins, and its cookie comes with the answer.",
        form=fields.REDEEM,
        answer="SignedIn",
        headers=("Set-Cookie",),
        refusals=(*_POSTED, "LinkOver"),
    ),
    Operation(
        path="/api/sign-out",
        method="POST",
        name="signOut",
        summary="End the session, another one of one's own, or all.",
        form=fields.SIGN_OUT,
        answer="SignedOut",
        refusals=_POSTED,
    ),
    Operation(
        path="/api/sign-out",
        method="GET",
        name="readSignOut",
        summary="Whether somebody is signed in.",
        answer="SignedOut",
        refusals=("NotStored",),
    ),
    Operation(
        path="/api/me",
        method="GET",
        name="readMe",
        summary="One's own agreements, downloads, tickets, calendar and sessions, for who has signed in.",
        answer="Me",
        refusals=("NotSignedIn", "NotAvailable", "NotStored"),
    ),
    Operation(
        path="/api/me/calendar",
        method="POST",
        name="keepMyCalendar",
        summary="Make the secret address of one's calendar anew, or take it away.",
        form=fields.MY_CALENDAR,
        answer="MyCalendar",
        refusals=(*_POSTED, "NotSignedIn"),
    ),
    Operation(
        path="/api/calendar/{token}",
        method="GET",
        name="readCalendar",
        summary="One's own calendar (RFC 5545), by its secret address, which ends in .ics.",
        page="none",
        content_type="text/calendar",
        refusals=("NotFound", "NotAvailable", "NotStored", "NoRule"),
    ),
)
