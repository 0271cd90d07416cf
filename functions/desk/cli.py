"""The command `desk`: how it is started, its state, the demonstration; the rest stands in `*_commands`.

Expected trouble is a message and exit 1; wrong use is exit 2; a bug keeps its traceback.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import click

from chalicelib.agreement_tables import TableTrouble
from chalicelib.hours import is_open, next_opening
from chalicelib.issues import IssueTrouble
from chalicelib.refusals import Refused
from chalicelib.wiring import SettingTrouble
from desk import demo as demonstration
from desk.agreement_commands import agreements
from desk.audit_commands import audit
from desk.backup_commands import backup, restore_command
from desk.file_commands import files
from desk.newsletter_commands import newsletter
from desk.notice_commands import bounces, notices
from desk.outbox_commands import outbox
from desk.remind_command import remind
from desk.report_command import report_command
from desk.session_commands import forget, sessions
from desk.subscriber_commands import subscribers, suppressions
from desk.tables import table
from desk.terminal import Wired, as_json_option, plain, print_json
from desk.ticket_steps import tickets
from desk.worker import Worker


class Commands(click.Group):
    """A group whose expected trouble is a message and exit 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Refused as refused:
            raise click.ClickException(" ".join([refused.detail, *refused.because])) from None
        except (SettingTrouble, TableTrouble, IssueTrouble, OSError) as trouble:
            raise click.ClickException(str(trouble)) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(ctx: click.Context) -> None:
    """The support desk on one machine: tickets, agreements, mails.

    \b
    Settings come from the environment; with none set all state lies in var/:
      SUPPORT_URL      address of the site          http://localhost:8000
      SUPPORT_CATALOG  facts made by the bindery    dist/public/data/catalog.json
      SUPPORT_MAIL     eml:FOLDER, smtp://…, ses:   eml:var/mail
      SUPPORT_STORE    sqlite:FILE, dynamodb:TABLE  sqlite:var/desk.sqlite3
      SUPPORT_FILES    dir:FOLDER, s3:BUCKET/…      dir:var/files
      SUPPORT_SECRET   signs links                  made once in var/secret
      SUPPORT_PROXIES  proxies of yours in front    0
      SUPPORT_VAR      folder for state             var
      DESK_USER        your name in the audit log   the name you are logged in with
    """
    # Tickets, mails with their links and exports are for the desk's own user: nobody else's eyes.
    ctx.call_on_close(partial(os.umask, os.umask(0o077)))
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
@click.option(
    "--proxies", type=click.IntRange(0, 9), help="Reverse proxies of yours in front.  [SUPPORT_PROXIES, or 0]"
)
@click.pass_obj
def serve(wiring: Wired, port: int, host: str, public: Path, proxies: int | None) -> None:
    """Serve the site and the desk, and send the mails that wait, until Ctrl-C.

    Where the site comes from a place that `bindery server` made, what is due there is published too.
    """
    from desk.due import DuePublication, script_of
    from desk.server import serve as serve_site  # the server is heavy; no other command needs it

    desk = wiring.desk(
        SUPPORT_URL=f"http://localhost:{port}", SUPPORT_CATALOG=str(public / "data" / "catalog.json")
    )
    workers: list[Worker | DuePublication] = [Worker(desk)]
    script = script_of(public)
    if script:
        workers.append(DuePublication(script, desk.clock, pointer=public.absolute().parent))
    for worker in workers:
        worker.start()
    try:
        serve_site(
            public, port, host, desk=desk, proxies=proxies, tell=lambda line: click.echo(line, err=True)
        )
    finally:
        for worker in workers:
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
        late = [ticket for ticket in waiting if ticket.reply_by and ticket.reply_by < now]
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
        print_json(health)
    else:
        rows = [(name.replace("_", " "), plain(value)) for name, value in health.items()]
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


@main.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
def package(out: Path) -> None:
    """Make what AWS is given, in the folder OUT (made anew): the functions' archive and their template.

    Nothing is sent anywhere. `aws cloudformation package` and `deploy` take it from there.
    """
    from desk import packaging  # for who deploys; no other command needs it

    try:
        archive, template = packaging.package(out)
    except packaging.PackageTrouble as trouble:
        raise click.ClickException(str(trouble)) from None
    click.echo(f"{archive} ({archive.stat().st_size / 1024**2:.1f} MB) and {template} are made.")


for _group in (
    *(agreements, tickets, outbox, audit, files, remind, report_command),
    *(subscribers, suppressions, newsletter, notices, bounces),
    *(backup, restore_command, sessions, forget),
):
    main.add_command(_group)
