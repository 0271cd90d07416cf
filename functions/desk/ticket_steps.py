"""`desk tickets`: what changes a ticket. Each keeps who did it in the audit log."""

from __future__ import annotations

import sys
from datetime import datetime

import click

from chalicelib.drafts import KINDS, SEVERITIES, is_email
from chalicelib.durations import duration
from chalicelib.fixes import sendable
from chalicelib.history import minutes_text
from chalicelib.hours import working_time
from chalicelib.ports import DraftGone, Ticket
from chalicelib.refusals import NotFound
from chalicelib.wiring import Desk
from desk.tables import harmless, table
from desk.terminal import Wired, as_json_option, moment, print_json
from desk.ticket_commands import tickets

__all__ = ["tickets"]

message_option = click.option("--message", "-m", help="The words; else they are read from standard input.")


@tickets.command("assign")
@click.argument("number")
@click.argument("address")
@click.pass_obj
def tickets_assign(wiring: Wired, number: str, address: str) -> None:
    """Give ticket NUMBER to the member of staff at e-mail ADDRESS, who gets a mail."""
    if not is_email(address):
        raise click.BadParameter(f"must be an e-mail address such as name@example.com, not '{address}'")
    desk, number = _desk_and_number(wiring, number)
    ticket = desk.handling.assign(number, address, wiring.act(desk, "assign ticket", number, address))
    click.echo(f"{ticket.number} is assigned to {address}.")


@tickets.command("unassign")
@click.argument("number")
@click.pass_obj
def tickets_unassign(wiring: Wired, number: str) -> None:
    """Take ticket NUMBER back from whom it was given to: it is with its mailbox again."""
    desk, number = _desk_and_number(wiring, number)
    ticket = desk.handling.assign(number, "", wiring.act(desk, "unassign ticket", number))
    click.echo(f"{ticket.number} is assigned to nobody; it is with {ticket.route}.")


@tickets.command("reply")
@click.argument("number")
@message_option
@click.option("--author", help="Your name; else the name that you are logged in with.")
@click.option("--wait", is_flag=True, help="You ask something: the promised time stands still.")
@click.pass_obj
def tickets_reply(wiring: Wired, number: str, message: str | None, author: str | None, wait: bool) -> None:
    """Answer ticket NUMBER; the visitor gets a mail with a link to the answer."""
    desk, number = _desk_and_number(wiring, number)
    act = wiring.act(desk, "ask about ticket" if wait else "answer ticket", number)
    ticket = desk.handling.reply(number, _words(message), act, author=author or "", wait=wait)
    click.echo(f"{ticket.number} {'waits for the visitor' if wait else 'is answered'}.")
    _tell_suppressed(desk, ticket)


@tickets.command("wait")
@click.argument("number")
@click.pass_obj
def tickets_wait(wiring: Wired, number: str) -> None:
    """Wait for the visitor of ticket NUMBER: the promised time stands still until they write.

    Without a question of yours (you asked by telephone, say); else: desk tickets reply --wait NUMBER
    """
    desk, number = _desk_and_number(wiring, number)
    ticket = desk.handling.wait(number, wiring.act(desk, "wait for visitor", number))
    click.echo(f"{ticket.number} waits for the visitor.")


@tickets.command("close")
@click.argument("number")
@click.option("--message", "-m", default="", help="A last word to the visitor.")
@click.pass_obj
def tickets_close(wiring: Wired, number: str, message: str) -> None:
    """Close ticket NUMBER; a message of its visitor opens it again."""
    desk, number = _desk_and_number(wiring, number)
    ticket = desk.handling.close(number, wiring.act(desk, "close ticket", number), message)
    click.echo(f"{ticket.number} is closed.")


@tickets.command("reopen")
@click.argument("number")
@click.pass_obj
def tickets_reopen(wiring: Wired, number: str) -> None:
    """Take the closing of ticket NUMBER back: it is as it was; the time meanwhile does not count."""
    desk, number = _desk_and_number(wiring, number)
    ticket = desk.handling.reopen(number, wiring.act(desk, "reopen ticket", number))
    click.echo(f"{ticket.number} is {ticket.state} again.")
    _tell_due(desk, ticket)


@tickets.command("change")
@click.argument("number")
@click.option("--severity", type=click.Choice(SEVERITIES))
@click.option("--kind", type=click.Choice(KINDS), help="It then goes where the policy sends this kind.")
@click.option("--route", help="A mailbox of the policy such as programming, or client_manager.")
@click.pass_obj
def tickets_change(
    wiring: Wired, number: str, severity: str | None, kind: str | None, route: str | None
) -> None:
    """Grade ticket NUMBER anew, say what it really is, or give it to another mailbox."""
    if not (severity or kind or route):
        raise click.UsageError("Give at least one of --severity, --kind and --route.")
    desk, number = _desk_and_number(wiring, number)
    detail = ", ".join(word for word in (severity, kind, route) if word)
    act = wiring.act(desk, "change ticket", number, detail)
    ticket = desk.handling.change(number, act, severity=severity or "", kind=kind or "", route=route or "")
    click.echo(f"{ticket.number} is {ticket.severity}, {ticket.kind}, with {ticket.route}.")
    _tell_due(desk, ticket)


@tickets.command("session")
@click.argument("number")
@click.option("--at", help="Day and time at the vendor's, such as '2026-12-01 14:00'.")
@click.option("--length", help="Such as '1 hour' or '90 minutes'; else as it is, or 1 hour.")
@click.option("--change", is_flag=True, help="Move the session that is planned.")
@click.option("--cancel", is_flag=True, help="Call it off.")
@click.pass_obj
def tickets_session(
    wiring: Wired, number: str, at: str | None, length: str | None, change: bool, cancel: bool
) -> None:
    """Plan an on-line session for ticket NUMBER; both sides get an invitation for their calendars."""
    desk, number = _desk_and_number(wiring, number)
    before = desk.tickets.by_number(number).session
    if cancel:
        if at or length or change:
            raise click.UsageError("--cancel goes alone.")
        desk.handling.cancel_session(number, wiring.act(desk, "cancel session", number))
        click.echo(f"The session of {number} is called off; both sides are told.")
        return
    planned = before is not None and before.state == "planned"
    if planned and not change:
        raise click.UsageError(f"{number} has a session; --change moves it, --cancel calls it off.")
    if change and not planned:
        raise click.UsageError(f"{number} has no session that could be moved.")
    if at is None and before is None:
        raise click.UsageError("Say when: --at '2026-12-01 14:00'.")
    if at is not None:
        start = _local(desk, at)
    else:
        assert before is not None, "asked for above"  # noqa: S101
        start = before.start
    minutes = _minutes(desk, length) if length else None
    act = wiring.act(desk, "change session" if change else "plan session", number, start.isoformat())
    ticket = desk.handling.session(number, start, minutes, act)
    session = ticket.session
    assert session is not None, "it was just planned"  # noqa: S101
    click.echo(
        f"The session of {number} is on {moment(desk, session.start)}, for {minutes_text(session.minutes)}. "
        "Both sides are invited."
    )
    _tell_suppressed(desk, ticket)


@tickets.command("link")
@click.argument("number")
@click.argument("defect")
@click.pass_obj
def tickets_link(wiring: Wired, number: str, defect: str) -> None:
    """Say that the known issue DEFECT is behind ticket NUMBER."""
    desk, number = _desk_and_number(wiring, number)
    ticket = desk.handling.link(number, defect, wiring.act(desk, "link ticket", number, defect))
    click.echo(f"{ticket.number} is linked to {', '.join(ticket.defects)}.")


@tickets.command("unlink")
@click.argument("number")
@click.argument("defect")
@click.pass_obj
def tickets_unlink(wiring: Wired, number: str, defect: str) -> None:
    """Take the link of ticket NUMBER to DEFECT back."""
    desk, number = _desk_and_number(wiring, number)
    ticket = desk.handling.unlink(number, defect, wiring.act(desk, "unlink ticket", number, defect))
    click.echo(f"{ticket.number} is no longer linked to {defect}.")


@tickets.command("fixed")
@as_json_option
@click.pass_obj
def tickets_fixed(wiring: Wired, as_json: bool) -> None:
    """Draft a reply for each linked ticket whose known issue a published release fixes. Nothing is sent."""
    desk = wiring.desk()
    made = desk.fixes.draft(lambda number, defect: wiring.act(desk, "draft reply", number, defect))
    if as_json:
        print_json([_draft_facts(draft) for draft in made])
        return
    rows = [(draft.id, draft.ticket, draft.defect, draft.release) for draft in made]
    click.echo(table(("draft", "ticket", "fixed", "in"), rows, "There is nothing new to draft."))
    if made:
        click.echo("Read them: desk tickets drafts. Send one: desk tickets send DRAFT", err=True)


@tickets.command("drafts")
@as_json_option
@click.pass_obj
def tickets_drafts(wiring: Wired, as_json: bool) -> None:
    """Replies that wait for a person to send or drop them, with their text."""
    drafts = wiring.desk().store.drafts("waiting")
    if as_json:
        print_json([_draft_facts(draft) for draft in drafts])
        return
    if not drafts:
        click.echo("No draft waits.")
    for draft in drafts:
        click.echo(f"--- {draft.id}: {draft.ticket}, {draft.defect} fixed in {draft.release}\n")
        click.echo(f"{harmless(draft.text)}\n")


@tickets.command("send")
@click.argument("draft")
@click.option("--message", "-m", help="Other words than the draft's.")
@click.option("--author", help="Your name; else the name that you are logged in with.")
@click.pass_obj
def tickets_send(wiring: Wired, draft: str, message: str | None, author: str | None) -> None:
    """Send DRAFT as your answer to its ticket."""
    desk = wiring.desk()
    held = desk.fixes.waiting(draft)
    sendable(desk.store, held)
    act = wiring.act(desk, "send drafted reply", held.ticket, held.id)
    try:
        ticket = desk.handling.reply(
            held.ticket, message or held.text, act, author=author or "", draft=held.id
        )
    except DraftGone:
        raise NotFound(f"There is no draft {draft}.") from None
    click.echo(f"{ticket.number} is answered.")
    _tell_suppressed(desk, ticket)


@tickets.command("drop")
@click.argument("draft")
@click.pass_obj
def tickets_drop(wiring: Wired, draft: str) -> None:
    """Throw DRAFT away; it is not drafted again."""
    desk = wiring.desk()
    held = desk.fixes.waiting(draft)
    desk.fixes.drop(draft, wiring.act(desk, "drop drafted reply", held.ticket, held.id))
    click.echo(f"The draft for {held.ticket} is dropped.")


def _desk_and_number(wiring: Wired, number: str) -> tuple[Desk, str]:
    """The desk, and the number as it is kept. Raises NotFound."""
    desk = wiring.desk()
    return desk, desk.tickets.by_number(number).number


def _words(message: str | None) -> str:
    if message is not None:
        return message
    if sys.stdin.isatty():
        click.echo("Write the answer; end with Ctrl-D.", err=True)
    return sys.stdin.read()


def _tell_due(desk: Desk, ticket: Ticket) -> None:
    if ticket.reply_by is None:
        return
    click.echo(f"Answer due: {moment(desk, ticket.reply_by)}")
    for reason in ticket.reply_by_because:
        click.echo(f"  because: {reason}")


def _tell_suppressed(desk: Desk, ticket: Ticket) -> None:
    held = [queued.mail for queued in desk.store.mails(["suppressed"]) if queued.mail.about == ticket.number]
    if any(mail.created >= ticket.events[-1].when for mail in held):
        click.echo(
            "No mail goes to the visitor: the address has had as many as it may. Please call.", err=True
        )


def _local(desk: Desk, text: str) -> datetime:
    zone = desk.catalog().hours.zone
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise click.BadParameter(f"--at must be such as '2026-12-01 14:00', not '{text}'") from None
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _minutes(desk: Desk, text: str) -> int:
    number, _, unit = text.strip().partition(" ")
    if unit in ("minutes", "minute") and number.isdecimal():
        minutes = int(number)
    else:
        try:
            minutes = int(working_time(desk.catalog().hours, duration(_long(text))).total_seconds() // 60)
        except ValueError:
            minutes = 0
    if not 5 <= minutes <= 480:
        raise click.BadParameter(f"--length must be from 5 minutes to 8 hours, not '{text}'")
    return minutes


def _long(text: str) -> str:
    """`1h` as people type it."""
    return f"{text[:-1]} hours" if text[-1:] == "h" and text[:-1].isdecimal() else text


def _draft_facts(draft: object) -> dict[str, object]:
    names = ("id", "ticket", "defect", "release", "text")
    return {name: getattr(draft, name) for name in names}
