"""`desk outbox`: mails on their way."""

from __future__ import annotations

import click

from desk.tables import table
from desk.terminal import Wired, as_json_option, print_json


@click.group()
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
            "about": queued.mail.about,
            "created": queued.mail.created.isoformat(),
            "attempts": queued.attempts,
            "next_try": queued.next_try.isoformat() if queued.state == "waiting" else None,
            "trouble": queued.trouble,
        }
        for queued in desk.store.mails(states)
    ]
    if as_json:
        print_json(facts)
        return
    names = ("id", "state", "template", "to", "about", "attempts", "trouble")
    click.echo(table(names, [[fact[name] for name in names] for fact in facts], "No mail waits."))


@outbox.command("retry")
@click.argument("mail", required=False, default="")
@click.pass_obj
def outbox_retry(wiring: Wired, mail: str) -> None:
    """Try again now what failed or waits: one MAIL by its id, or all. The Message-ID stays the same."""
    desk = wiring.desk()
    count = desk.store.retry_mails(desk.clock(), mail, wiring.act(desk, "retry mails", mail))
    if mail and not count:
        raise click.ClickException(f"There is no mail {mail} that could be tried again.")
    click.echo(f"{count} to be tried again; desk outbox run does it now.")
