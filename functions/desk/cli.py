"""The command `desk`: what staff do with tickets, agreements and mails, and how the desk is started.

Expected trouble is a message and exit 1; wrong use is exit 2; a bug keeps its traceback.
"""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from chalicelib.agreement_tables import COLUMNS, TableTrouble, read, write_csv, write_json
from chalicelib.agreements import Agreement, coverage, renewal
from chalicelib.drafts import is_email
from chalicelib.hours import is_open, moment_text, next_opening
from chalicelib.ports import Ticket
from chalicelib.refusals import NotFound, Refused
from chalicelib.signing import agreement_key, fingerprint
from chalicelib.wiring import Desk, SettingTrouble
from chalicelib.wiring import desk as wired
from desk import demo as demonstration
from desk.tables import harmless, table
from desk.worker import Worker

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
day_type = click.DateTime(["%Y-%m-%d"])


class Commands(click.Group):
    """A group whose expected trouble is a message and exit 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Refused as refused:
            raise click.ClickException(" ".join([refused.detail, *refused.because])) from None
        except (SettingTrouble, TableTrouble, OSError) as trouble:
            raise click.ClickException(str(trouble)) from None


@dataclass(frozen=True)
class Wired:
    """Makes the desk when a command needs it; `--help` must work with any settings."""

    environ: Mapping[str, str]
    make: Callable[[Mapping[str, str]], Desk] = wired

    def desk(self, **more: str) -> Desk:
        return self.make({**more, **self.environ})


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(ctx: click.Context) -> None:
    """The support desk on one machine: tickets, agreements, mails.

    \b
    Settings come from the environment; with none set all state lies in var/:
      SUPPORT_URL      address of the site          http://localhost:8000
      SUPPORT_CATALOG  facts made by the bindery    dist/public/data/catalog.json
      SUPPORT_MAIL     eml:FOLDER or smtp://…       eml:var/mail
      SUPPORT_STORE    sqlite:FILE                  sqlite:var/desk.sqlite3
      SUPPORT_FILES    dir:FOLDER                   dir:var/files
      SUPPORT_SECRET   signs links                  made once in var/secret
      SUPPORT_VAR      folder for state             var
    """
    if ctx.obj is None:
        ctx.obj = Wired(os.environ)


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--public",
    type=click.Path(path_type=Path),
    default=Path("dist/public"),
    show_default=True,
    help="The built site; a link that is switched by a publication is followed.",
)
@click.option("--proxies", type=click.IntRange(0), default=0, help="Reverse proxies of yours in front.")
@click.pass_obj
def serve(wiring: Wired, port: int, host: str, public: Path, proxies: int) -> None:
    """Serve the site and the desk, and send the mails that wait, until Ctrl-C."""
    from desk.server import serve as serve_site  # the server is heavy; no other command needs it

    desk = wiring.desk(
        SUPPORT_URL=f"http://localhost:{port}", SUPPORT_CATALOG=str(public / "data" / "catalog.json")
    )
    worker = Worker(desk)
    worker.start()
    try:
        serve_site(
            public, port, host, desk=desk, proxies=proxies, tell=lambda line: click.echo(line, err=True)
        )
    finally:
        worker.stop()


@main.command()
@as_json_option
@click.pass_obj
def status(wiring: Wired, as_json: bool) -> None:
    """Store, catalog, waiting mails, open tickets. Exit 1 when something needs mending."""
    desk = wiring.desk()
    health = desk.health()
    now = desk.clock()
    if health["store"] == "ok":
        waiting = desk.store.tickets(["open"])
        late = [
            ticket
            for ticket in waiting
            if ticket.reply_by and not ticket.first_answered and ticket.reply_by < now
        ]
        health |= {
            "open_tickets": len(waiting),
            "late_tickets": len(late),
            "failed_mails": len(desk.store.mails(["failed"])),
        }
    catalog = desk.catalog_or_none()
    if catalog:
        health["open_now"] = is_open(catalog.hours, now)
        if not health["open_now"]:
            health["next_opening"] = next_opening(catalog.hours, now).isoformat()
    if as_json:
        _print_json(health)
    else:
        rows = [(name.replace("_", " "), _plain(value)) for name, value in health.items()]
        click.echo(table(("what", "is"), rows, ""))
        if catalog is None:
            click.echo(f"There is no usable catalog at {desk.settings.catalog}: build the site.", err=True)
    if not health["ok"]:
        raise click.exceptions.Exit(1)


@main.command()
@click.pass_obj
def demo(wiring: Wired) -> None:
    """Make agreements and files to try the desk with, and show their keys."""
    made = demonstration.prepare(wiring.desk())
    rows = [(one.agreement.agreement, one.key, one.shows) for one in made]
    click.echo(table(("agreement", "key", "shows"), rows, ""))


@main.group()
def agreements() -> None:
    """Update and Support agreements."""


@agreements.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would change; change nothing.")
@click.pass_obj
def agreements_import(wiring: Wired, file: Path, dry_run: bool) -> None:
    """Add or change agreements from a CSV or JSON FILE: all of them, or none.

    Agreements that the file does not name stay as they are; keys are never touched.
    """
    desk = wiring.desk()
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as trouble:
        raise click.ClickException(f"{file}: the file must be UTF-8 text ({trouble.reason})") from None
    catalog = desk.catalog_or_none()
    rows = read(text, path=str(file), products=sorted(catalog.products) if catalog else ())
    done = desk.store.import_agreements(rows, dry_run=dry_run)
    counts = f"{len(done.added)} added, {len(done.changed)} changed, {len(done.unchanged)} unchanged"
    click.echo(f"{counts}{' (dry run: nothing was changed)' if dry_run else ''}.")
    if dry_run:
        for word, numbers in (("add", done.added), ("change", done.changed)):
            for number in numbers:
                click.echo(f"  {word} {number}")


@agreements.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="JSON instead of CSV.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.pass_obj
def agreements_export(wiring: Wired, file: Path | None, as_json: bool, force: bool) -> None:
    """Write all agreements, without keys, to FILE or to the screen; the file can be imported again."""
    as_json = as_json or (file is not None and file.suffix.lower() == ".json")
    held = wiring.desk().store.agreements()
    text = write_json(held) if as_json else write_csv(held)
    if file is None or str(file) == "-":
        click.echo(text, nl=False)
        return
    try:
        with file.open("w" if force else "x", encoding="utf-8", newline="") as out:
            out.write(text)
    except FileExistsError:
        raise click.ClickException(f"{file} is there already; --force writes over it.") from None
    click.echo(f"{len(held)} agreements written to {file}.")


@agreements.command("list")
@as_json_option
@click.pass_obj
def agreements_list(wiring: Wired, as_json: bool) -> None:
    """Every agreement with its state today."""
    desk = wiring.desk()
    held = [_agreement_facts(desk, agreement) for agreement in desk.store.agreements()]
    if as_json:
        _print_json(held)
        return
    names = ("agreement", "customer", "product", "licence", "state", "covered_until", "key")
    rows = [[facts[name] for name in names] for facts in held]
    click.echo(table(names, rows, "There are no agreements. Add some: desk agreements import FILE"))


@agreements.command("show")
@click.argument("agreement")
@as_json_option
@click.pass_obj
def agreements_show(wiring: Wired, agreement: str, as_json: bool) -> None:
    """One agreement, what it covers, and why."""
    desk = wiring.desk()
    facts = _agreement_facts(desk, _agreement(desk, agreement))
    if as_json:
        _print_json(facts)
        return
    because = facts.pop("because")
    click.echo(table(("field", "value"), [(name, _plain(value)) for name, value in facts.items()], ""))
    for reason in because:
        click.echo(f"  because: {reason}")


@agreements.command("renew")
@click.argument("agreement")
@click.option("--from", "first", type=day_type, help="First day; else the day after the last covered day.")
@click.option(
    "--until", "last", type=day_type, help="Last day, covered too; else as long as the policy says."
)
@click.pass_obj
def agreements_renew(wiring: Wired, agreement: str, first: datetime | None, last: datetime | None) -> None:
    """Add a paid period to AGREEMENT."""
    desk = wiring.desk()
    held, rules = _agreement(desk, agreement), desk.catalog().rules
    try:
        period = renewal(held, rules, first.date() if first else None, last.date() if last else None)
        desk.store.renew(held.agreement, period)
    except ValueError as trouble:
        raise click.ClickException(f"Nothing was changed: {trouble}.") from None
    click.echo(f"{held.agreement} is paid from {period.first} to {period.last}, both days included.")


@agreements.command("withdraw")
@click.argument("agreement")
@click.option("--on", "day", type=day_type, help="First day without any right; else today.")
@click.option("--undo", is_flag=True, help="Take a withdrawal back.")
@click.pass_obj
def agreements_withdraw(wiring: Wired, agreement: str, day: datetime | None, undo: bool) -> None:
    """End AGREEMENT: from that day it gives no new link, and its key opens nothing."""
    desk = wiring.desk()
    held = _agreement(desk, agreement)
    ends = None if undo else day.date() if day else _today(desk)
    desk.store.withdraw(held.agreement, ends)
    click.echo(
        f"{held.agreement} is {'no longer withdrawn' if ends is None else f'withdrawn from {ends} on'}."
    )


@agreements.command("key")
@click.argument("agreement")
@click.option(
    "--rotate", is_flag=True, help="Draw a new key although there is one; the old one ends at once."
)
@click.pass_obj
def agreements_key(wiring: Wired, agreement: str, rotate: bool) -> None:
    """Draw the key of AGREEMENT and show it once; only its hash is kept."""
    desk = wiring.desk()
    held = _agreement(desk, agreement)
    if desk.store.key_hash(held.agreement) and not rotate:
        raise click.ClickException(
            f"{held.agreement} has a key, which cannot be shown again; --rotate draws a new one."
        )
    key = agreement_key()
    desk.store.set_key(held.agreement, fingerprint(key), desk.clock())
    click.echo(key)
    click.echo("This key is shown once. Give it to the customer by a safe way.", err=True)


@main.group()
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
        _print_json([_ticket_facts(desk, ticket) for ticket in found])
        return
    rows = [
        (
            ticket.number,
            ticket.state,
            ticket.severity,
            ticket.kind,
            _moment(desk, ticket.reply_by) if not ticket.first_answered else "answered",
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
        _print_json(facts)
        return
    shown = {
        name: value for name, value in facts.items() if name not in ("description", "messages", "attachments")
    }
    click.echo(table(("field", "value"), [(name, _plain(value)) for name, value in shown.items()], ""))
    click.echo(f"\n{harmless(ticket.description)}")
    for message in ticket.messages:
        who = f"{message.author} (staff)" if message.who == "staff" else "visitor"
        click.echo(
            f"\n--- {message.sequence}. {who}, {_moment(desk, message.when)}\n{harmless(message.text)}"
        )
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
    desk.store.assign(ticket.number, address)
    click.echo(f"{ticket.number} is assigned to {address}.")


@tickets.command("reply")
@click.argument("number")
@click.option("--message", "-m", help="The answer; else it is read from standard input.")
@click.option("--author", help="Your name; else the name that you are logged in with.")
@click.pass_obj
def tickets_reply(wiring: Wired, number: str, message: str | None, author: str | None) -> None:
    """Answer ticket NUMBER; the visitor gets a mail with a link to the answer."""
    desk = wiring.desk()
    desk.tickets.by_number(number)
    if message is None:
        if sys.stdin.isatty():
            click.echo("Write the answer; end with Ctrl-D.", err=True)
        message = sys.stdin.read()
    ticket = desk.tickets.reply(number, message, author=author or getpass.getuser())
    click.echo(f"{ticket.number} is answered.")
    held = [mail for mail in desk.store.mails(["suppressed"]) if mail.mail.ticket == ticket.number]
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
    desk.store.set_state(ticket.number, "closed")
    click.echo(f"{ticket.number} is closed.")


@main.group()
def outbox() -> None:
    """Mails on their way."""


@outbox.command("run")
@click.pass_obj
def outbox_run(wiring: Wired) -> None:
    """Hand over the mails that are due, now. Exit 1 when one could not be."""
    desk = wiring.desk()
    sent = failed = 0
    while any(batch := desk.outbox.run()):
        sent, failed = sent + batch[0], failed + batch[1]
    click.echo(f"{sent} sent, {failed} not taken.")
    if failed:
        raise click.exceptions.Exit(1)


@outbox.command("list")
@click.option("--all", "everything", is_flag=True, help="Sent mails too.")
@as_json_option
@click.pass_obj
def outbox_list(wiring: Wired, everything: bool, as_json: bool) -> None:
    """Mails that wait, were given up, or were suppressed by a cap."""
    desk = wiring.desk()
    states = ["waiting", "sending", "failed", "suppressed", *(["sent"] if everything else [])]
    facts = [
        {
            "id": queued.mail.id,
            "state": queued.state,
            "template": queued.mail.template,
            "to": queued.mail.to,
            "ticket": queued.mail.ticket,
            "created": queued.mail.created.isoformat(),
            "attempts": queued.attempts,
            "next_try": queued.next_try.isoformat() if queued.state == "waiting" else None,
            "trouble": queued.trouble,
        }
        for queued in desk.store.mails(states)
    ]
    if as_json:
        _print_json(facts)
        return
    names = ("id", "state", "template", "to", "ticket", "attempts", "trouble")
    click.echo(table(names, [[fact[name] for name in names] for fact in facts], "No mail waits."))


@outbox.command("retry")
@click.argument("mail", required=False, default="")
@click.pass_obj
def outbox_retry(wiring: Wired, mail: str) -> None:
    """Try again now what failed or waits: one MAIL by its id, or all. The Message-ID stays the same."""
    desk = wiring.desk()
    count = desk.store.retry_mails(desk.clock(), mail)
    if mail and not count:
        raise click.ClickException(f"There is no mail {mail} that could be tried again.")
    click.echo(f"{count} to be tried again; desk outbox run does it now.")


def _today(desk: Desk) -> date:
    return desk.clock().astimezone(desk.catalog().hours.zone).date()


def _agreement(desk: Desk, number: str) -> Agreement:
    found = desk.store.agreement(number)
    if found is None:
        raise NotFound(f"There is no agreement {number}.")
    return found


def _agreement_facts(desk: Desk, agreement: Agreement) -> dict[str, Any]:
    facts: dict[str, Any] = {name: getattr(agreement, name) for name in COLUMNS}
    facts |= {"starts": str(agreement.starts), "paid": [str(period) for period in agreement.paid]}
    facts |= {"withdrawn": str(agreement.withdrawn) if agreement.withdrawn else None}
    facts |= {"contacts": list(agreement.contacts)}
    facts |= {"key": "yes" if desk.store.key_hash(agreement.agreement) else "no"}
    catalog = desk.catalog_or_none()
    if catalog is None:
        return facts | {"state": "unknown without a catalog", "covered_until": None, "because": []}
    cover = coverage(agreement, catalog.rules, _today(desk))
    return facts | {
        "state": cover.state,
        "covered_from": str(cover.covered_from),
        "covered_until": str(cover.covered_until),
        "days_left": cover.days_left,
        "because": list(cover.because),
    }


def _ticket_facts(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    """Everything but what would open the ticket."""
    names = (
        *("number", "state", "severity", "kind", "subject", "name", "email", "organization", "phone"),
        *("agreement", "covered", "product", "version", "route", "mailbox", "assignee", "description"),
    )
    return {name: getattr(ticket, name) for name in names} | {
        "received": _moment(desk, ticket.received),
        "reply_by": _moment(desk, ticket.reply_by),
        "first_answered": _moment(desk, ticket.first_answered),
        "messages": [
            {"who": one.who, "author": one.author, "when": _moment(desk, one.when), "text": one.text}
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


def _moment(desk: Desk, at: datetime | None) -> str:
    if at is None:
        return ""
    catalog = desk.catalog_or_none()
    return moment_text(at, catalog.hours) if catalog else at.isoformat(timespec="minutes")


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return "; ".join(map(str, value))
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
