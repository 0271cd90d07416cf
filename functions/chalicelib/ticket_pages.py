"""The page of a ticket: what its shell shows, from the domain's view of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from chalicelib import answers
from chalicelib.answers import Answer
from chalicelib.exchange import Exchange
from chalicelib.reasons import for_readers
from chalicelib.refusals import Refused
from chalicelib.tickets import MAX_FILE_SIZE, MAX_FILES, TicketView

JUST_OPENED = timedelta(minutes=10)
NOBODY_ELSE = 1  # the visitor's own first words


def shown(here: Exchange, view: TicketView) -> Answer:
    """The ticket as a page or as JSON."""
    return _with_upload(here, view, here.page_or_json("ticket", variables(here, view), view.as_json()))


def calendar(text: str) -> Answer:
    """A calendar to be kept as a file."""
    return Answer(
        status=200,
        content_type="text/calendar; charset=utf-8",
        body=text,
        headers=(("Content-Disposition", 'attachment; filename="session.ics"'),),
    )


def message_refused(here: Exchange, token: str, refused: Refused) -> Answer:
    """The ticket's page once more with the message as typed and what is wrong with it; JSON: the problem.

    Raises NotFound, and NotStored when the ticket cannot be read either.
    """
    if not here.wants_page:
        return answers.problem(refused)
    view = here.desk.tickets.read(token)
    page = here.pages.answer("ticket", variables(here, view, refused), status=refused.status)
    return _with_upload(here, view, here.pages.corrected(page, refused, here.typed(), phone=here.phone))


def variables(here: Exchange, view: TicketView, refused: Refused | None = None) -> Mapping[str, Any]:
    """The variables of the shell `ticket.html`."""
    fresh = here.desk.clock() - view.received < JUST_OPENED and len(view.messages) == NOBODY_ELSE
    return {
        "number": view.number,
        "subject": view.subject,
        "received": {"iso": view.received.isoformat(), "text": view.received_text},
        "reply_by": {"iso": view.reply_by.isoformat(), "text": view.reply_by_text} if view.reply_by else None,
        "reply_by_because": " ".join(view.reply_by_because),
        "state": view.state,
        "state_text": view.state_text,
        "waiting_note": view.waiting_note,
        "history": view.history,
        "session": _session(here, view),
        "known_text": view.known_text,
        "close_url": here.path(view.close_url),
        "route_name": view.route_name,
        "next_steps": view.next_steps,
        "messages": [{**message, "who": _who(message)} for message in view.messages],
        "attachments": view.attachments,
        "known": _known(view),
        "message_url": here.path(view.message_url),
        "upload": _upload(here, view),
        "phone": view.phone,
        "errors": [{"field": "", "message": refused.detail}] if refused else [],
        "just_opened": fresh and refused is None,
        "not_covered_note": view.not_covered_note,
    }


def _with_upload(here: Exchange, view: TicketView, answer: Answer) -> Answer:
    """The page's form may lead to a file store at another address."""
    if view.upload is None or view.upload.url.startswith(here.desk.settings.url + "/"):
        return answer
    return answers.with_form_to(answer, view.upload.url)


def _who(message: Mapping[str, Any]) -> str:
    return {"you": "You", "us": "Support"}.get(str(message["who"]), str(message["who"]))


def _session(here: Exchange, view: TicketView) -> Mapping[str, Any] | None:
    if view.session is None:
        return None
    return {**view.session, "calendar_url": here.path(str(view.session["calendar_url"]))}


def _known(view: TicketView) -> Mapping[str, Any] | None:
    if view.known is None:
        return None
    return {**view.known, "because": [for_readers(str(reason)) for reason in view.known["because"]]}


def _upload(here: Exchange, view: TicketView) -> Mapping[str, Any] | None:
    if view.upload is None:
        return None
    return {
        "url": here.path(view.upload.url),
        "fields": view.upload.fields,
        "max_text": f"Up to {MAX_FILES} files for this ticket, each at most {MAX_FILE_SIZE // 1024**2} MB.",
    }
