"""`desk tickets`: the queue, one ticket, its files; exports. What changes a ticket stands in
`ticket_steps`."""

from __future__ import annotations

import csv
import io
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from chalicelib import history
from chalicelib.agreement_tables import inert
from chalicelib.drafts import KINDS, SEVERITIES
from chalicelib.life import AT_WORK, STATES
from chalicelib.ports import Ticket
from chalicelib.promises import left_text
from chalicelib.wiring import Desk
from desk.tables import harmless, table
from desk.terminal import Wired, as_json_option, moment, plain, print_json

EXPORTED = (
    *("number", "state", "severity", "kind", "received", "reply_by", "first_answered", "first_due"),
    *("late", "route", "mailbox", "assignee", "covered", "agreement", "organization", "name", "email"),
    *("phone", "product", "version", "defects", "messages", "files", "subject"),
)


@click.group()
def tickets() -> None:
    """Tickets of visitors."""


def filters(command: Any) -> Any:
    """The options that choose tickets."""
    for option in (
        click.option(
            "--state",
            "states",
            multiple=True,
            type=click.Choice(STATES),
            help="Only these; may be given more than once. Otherwise all but closed ones.",
        ),
        click.option("--all", "everything", is_flag=True, help="Closed ones too."),
        click.option("--kind", type=click.Choice(KINDS)),
        click.option("--severity", type=click.Choice(SEVERITIES)),
        click.option("--assignee", help="An e-mail address, or 'nobody'."),
        click.option("--late", is_flag=True, help="Only those whose answer is overdue."),
        click.option("--customer", help="An agreement's number, or a part of the organization's name."),
    ):
        command = option(command)
    return command


@tickets.command("list")
@filters
@as_json_option
@click.pass_obj
def tickets_list(wiring: Wired, /, as_json: bool, **chosen: Any) -> None:
    """Tickets in the order in which they are due: defects first, then by reply-by."""
    desk = wiring.desk()
    found = _chosen(desk, **chosen)
    if as_json:
        print_json([_ticket_facts(desk, ticket) for ticket in found])
        return
    rows = [
        (
            ticket.number,
            ticket.state,
            ticket.severity,
            ticket.kind,
            _due(desk, ticket),
            ticket.assignee or ticket.route,
            ticket.organization or ticket.agreement,
            ticket.subject,
        )
        for ticket in found
    ]
    header = ("number", "state", "severity", "kind", "answer due", "with", "customer", "subject")
    click.echo(table(header, rows, "There are no such tickets."))


@tickets.command("export")
@filters
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.pass_obj
def tickets_export(wiring: Wired, /, file: Path | None, force: bool, **chosen: Any) -> None:
    """Write tickets as CSV to FILE or to the screen; no cell of it is a live formula."""
    desk = wiring.desk()
    found = _chosen(desk, **chosen)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(EXPORTED)
    for ticket in found:
        facts = {name: getattr(ticket, name, "") for name in EXPORTED}
        for name in ("received", "reply_by", "first_answered", "first_due"):
            at = facts[name]
            facts[name] = at.isoformat() if isinstance(at, datetime) else ""
        facts |= {"late": "yes" if _late(desk, ticket) else "no", "defects": " ".join(ticket.defects)}
        facts |= {"messages": len(ticket.messages), "files": len(ticket.attachments)}
        writer.writerow([inert(harmless(str(facts[name]))) for name in EXPORTED])
    if file is None or str(file) == "-":
        click.echo(out.getvalue(), nl=False)
        return
    try:
        with file.open("w" if force else "x", encoding="utf-8", newline="") as kept:
            kept.write(out.getvalue())
    except FileExistsError:
        raise click.ClickException(f"{file} is there already; --force writes over it.") from None
    click.echo(f"{len(found)} tickets written to {file}.")


@tickets.command("show")
@click.argument("number")
@as_json_option
@click.pass_obj
def tickets_show(wiring: Wired, number: str, as_json: bool) -> None:
    """One ticket, whole: what it says, what happened, what the catalog said then and says now."""
    desk = wiring.desk()
    ticket = desk.tickets.by_number(number)
    facts = _ticket_facts(desk, ticket)
    if as_json:
        print_json(facts)
        return
    apart = ("description", "messages", "attachments", "history", "known", "known_now", "reply_by_because")
    shown = {name: value for name, value in facts.items() if name not in apart}
    click.echo(table(("field", "value"), [(name, plain(value)) for name, value in shown.items()], ""))
    for reason in ticket.reply_by_because if ticket.reply_by else ():
        click.echo(f"  because: {reason}")
    for name, title in (("known", "Known when it was taken"), ("known_now", "Known now")):
        if facts[name]:
            click.echo(f"\n{title}: {_known_words(facts[name])}")
    click.echo(f"\n{harmless(ticket.description)}")
    for message in ticket.messages:
        who = f"{message.author} (staff)" if message.who == "staff" else "visitor"
        click.echo(
            f"\n--- {message.sequence}. {harmless(who)}, {moment(desk, message.when)}\n"
            f"{harmless(message.text)}"
        )
    for attachment in facts["attachments"]:
        click.echo(
            f"\nattachment: {harmless(attachment['name'])} ({attachment['state']}) {attachment['path']}"
        )
    click.echo("")
    lines = [(line["when"], line["who"], line["text"]) for line in facts["history"]]
    click.echo(table(("when", "who", "what"), lines, "Nothing happened yet."))


@tickets.command("files")
@click.argument("number")
@click.option("--save", type=click.Path(file_okay=False, path_type=Path), help="Copy them to this folder.")
@as_json_option
@click.pass_obj
def tickets_files(wiring: Wired, number: str, save: Path | None, as_json: bool) -> None:
    """The files of ticket NUMBER. They come from a stranger: nothing here opens them."""
    desk = wiring.desk()
    ticket = desk.tickets.by_number(number)
    facts = _ticket_facts(desk, ticket)["attachments"]
    saved = _saved(desk, ticket, save) if save is not None else []
    if as_json:
        print_json({"files": facts, "saved": saved})
        return
    rows = [(one["name"], one["size"], one["state"], one["sha256"], one["path"]) for one in facts]
    click.echo(table(("name", "bytes", "state", "sha256", "path"), rows, "This ticket has no files."))
    for path in saved:
        click.echo(f"saved: {path}")


def _saved(desk: Desk, ticket: Ticket, folder: Path) -> list[str]:
    """Copies of the stored files, and where they lie now."""
    folder.mkdir(parents=True, exist_ok=True)
    saved = []
    for place, one in enumerate(ticket.attachments, 1):
        if one.state != "stored":
            continue
        # The number before it: a stranger's name alone could be that of a file of ours.
        target = folder / f"{ticket.number}-{place}-{harmless(one.name)}"
        if target.exists():
            raise click.ClickException(f"{target} is there already; nothing more was saved.")
        source = desk.files.attachment_path(ticket.number, one.id)
        if isinstance(source, str):
            raise click.ClickException(f"The files lie in a bucket. Fetch it: aws s3 cp {source} {target}")
        shutil.copyfile(source, target)
        saved.append(str(target))
    return saved


def _chosen(
    desk: Desk,
    *,
    states: tuple[str, ...],
    everything: bool,
    kind: str | None,
    severity: str | None,
    assignee: str | None,
    late: bool,
    customer: str | None,
) -> list[Ticket]:
    found = desk.store.tickets(states or (STATES if everything else AT_WORK))
    wanted = "" if assignee == "nobody" else assignee
    return [
        ticket
        for ticket in found
        if (kind is None or ticket.kind == kind)
        and (severity is None or ticket.severity == severity)
        and (wanted is None or ticket.assignee == wanted)
        and (not late or _late(desk, ticket))
        and (
            customer is None
            or ticket.agreement.casefold() == customer.casefold()
            or customer.casefold() in ticket.organization.casefold()
        )
    ]


def _late(desk: Desk, ticket: Ticket) -> bool:
    return ticket.reply_by is not None and ticket.reply_by < desk.clock()


def _due(desk: Desk, ticket: Ticket) -> str:
    if ticket.state == "open":
        due = moment(desk, ticket.reply_by) or "nothing promised"
        return f"LATE: {due}" if _late(desk, ticket) else due
    catalog = desk.catalog_or_none()
    if ticket.state == "waiting" and ticket.promise and catalog:
        return f"{left_text(catalog.hours, ticket.promise, desk.clock())} left"
    return "-"


def _known_words(known: dict[str, Any]) -> str:
    words = [str(known["supported_until_text"])]
    words += [f"known issue {issue['id']}" for issue in known["known_issues"]]
    words += [f"{' '.join(one['fixes'])} fixed in {one['version']}" for one in known["fixed_in"]]
    return " ".join(words[:1]) + "".join(f"; {word}" for word in words[1:])


def _ticket_facts(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    """Everything but what would open the ticket."""
    names = (
        *("number", "state", "severity", "kind", "subject", "name", "email", "organization", "phone"),
        *("agreement", "covered", "product", "version", "route", "mailbox", "assignee", "description"),
    )
    session = ticket.session
    return {name: getattr(ticket, name) for name in names} | {
        "received": moment(desk, ticket.received),
        "reply_by": moment(desk, ticket.reply_by),
        "reply_by_because": list(ticket.reply_by_because),
        "late": _late(desk, ticket),
        "first_answered": moment(desk, ticket.first_answered),
        "defects": list(ticket.defects),
        "session": session
        and {
            "state": session.state,
            "start": moment(desk, session.start),
            "length": history.minutes_text(session.minutes),
        },
        "known": ticket.known,
        "known_now": desk.tickets.known_now(ticket),
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
        "history": [
            {"when": moment(desk, line.when), "who": line.who, "text": line.text}
            for line in history.for_staff(ticket, desk.catalog_or_none())
        ],
    }
