"""`desk tickets`: the queue, one ticket, answers."""

from __future__ import annotations

import sys
from typing import Any

import click

from chalicelib.drafts import is_email
from chalicelib.ports import Ticket
from chalicelib.wiring import Desk
from desk.tables import harmless, table
from desk.terminal import Wired, as_json_option, moment, plain, print_json


@click.group()
def tickets() -> None:
    """Tickets of visitors."""


@tickets.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(["open", "answered", "closed"]),
    help="Only these; may be given more than once. Otherwise open and answered ones.",
)
@as_json_option
@click.pass_obj
def tickets_list(wiring: Wired, states: tuple[str, ...], as_json: bool) -> None:
    """Tickets in the order in which they are due: defects first, then by reply-by."""
    desk = wiring.desk()
    found = desk.store.tickets(states or ("open", "answered"))
    if as_json:
        print_json([_ticket_facts(desk, ticket) for ticket in found])
        return
    rows = [
        (
            ticket.number,
            ticket.state,
            ticket.severity,
            ticket.kind,
            moment(desk, ticket.reply_by) if not ticket.first_answered else "answered",
            ticket.assignee or ticket.route,
            ticket.subject,
        )
        for ticket in found
    ]
    header = ("number", "state", "severity", "kind", "answer due", "with", "subject")
    click.echo(table(header, rows, "There are no such tickets."))


@tickets.command("show")
@click.argument("number")
@as_json_option
@click.pass_obj
def tickets_show(wiring: Wired, number: str, as_json: bool) -> None:
    """One ticket, whole."""
    desk = wiring.desk()
    ticket = desk.tickets.by_number(number)
    facts = _ticket_facts(desk, ticket)
    if as_json:
        print_json(facts)
        return
    shown = {
        name: value for name, value in facts.items() if name not in ("description", "messages", "attachments")
    }
    click.echo(table(("field", "value"), [(name, plain(value)) for name, value in shown.items()], ""))
    click.echo(f"\n{harmless(ticket.description)}")
    for message in ticket.messages:
        who = f"{message.author} (staff)" if message.who == "staff" else "visitor"
        click.echo(f"\n--- {message.sequence}. {who}, {moment(desk, message.when)}\n{harmless(message.text)}")
    for attachment in facts["attachments"]:
        click.echo(
            f"\nattachment: {harmless(attachment['name'])} ({attachment['state']}) {attachment['path']}"
        )


@tickets.command("assign")
@click.argument("number")
@click.argument("address")
@click.pass_obj
def tickets_assign(wiring: Wired, number: str, address: str) -> None:
    """Give ticket NUMBER to the member of staff at e-mail ADDRESS."""
    if not is_email(address):
        raise click.BadParameter(f"must be an e-mail address such as name@example.com, not '{address}'")
    desk = wiring.desk()
    ticket = desk.tickets.by_number(number)
    act = wiring.act(desk, "assign ticket", ticket.number, address)
    desk.store.assign(ticket.number, address, act)
    click.echo(f"{ticket.number} is assigned to {address}.")


@tickets.command("reply")
@click.argument("number")
@click.option("--message", "-m", help="The answer; else it is read from standard input.")
@click.option("--author", help="Your name; else the name that you are logged in with.")
@click.pass_obj
def tickets_reply(wiring: Wired, number: str, message: str | None, author: str | None) -> None:
    """Answer ticket NUMBER; the visitor gets a mail with a link to the answer."""
    desk = wiring.desk()
    number = desk.tickets.by_number(number).number
    if message is None:
        if sys.stdin.isatty():
            click.echo("Write the answer; end with Ctrl-D.", err=True)
        message = sys.stdin.read()
    act = wiring.act(desk, "answer ticket", number)
    ticket = desk.tickets.reply(number, message, author=author or act.who, act=act)
    click.echo(f"{ticket.number} is answered.")
    held = [mail for mail in desk.store.mails(["suppressed"]) if mail.mail.about == ticket.number]
    if any(mail.mail.message == len(ticket.messages) for mail in held):
        click.echo(
            "No mail goes to the visitor: the address has had as many as it may. Please call.", err=True
        )


@tickets.command("close")
@click.argument("number")
@click.pass_obj
def tickets_close(wiring: Wired, number: str) -> None:
    """Close ticket NUMBER; a message of its visitor opens it again."""
    desk = wiring.desk()
    ticket = desk.tickets.by_number(number)
    desk.store.set_state(ticket.number, "closed", wiring.act(desk, "close ticket", ticket.number))
    click.echo(f"{ticket.number} is closed.")


def _ticket_facts(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    """Everything but what would open the ticket."""
    names = (
        *("number", "state", "severity", "kind", "subject", "name", "email", "organization", "phone"),
        *("agreement", "covered", "product", "version", "route", "mailbox", "assignee", "description"),
    )
    return {name: getattr(ticket, name) for name in names} | {
        "received": moment(desk, ticket.received),
        "reply_by": moment(desk, ticket.reply_by),
        "first_answered": moment(desk, ticket.first_answered),
        "messages": [
            {"who": one.who, "author": one.author, "when": moment(desk, one.when), "text": one.text}
            for one in ticket.messages
        ],
        "attachments": [
            {
                "name": one.name,
                "size": one.size,
                "state": one.state,
                "sha256": one.sha256,
                "path": str(desk.files.attachment_path(ticket.number, one.id)),
            }
            for one in ticket.attachments
        ],
    }
