"""`desk audit`: what staff did, and when."""

from __future__ import annotations

import csv
import sys

import click

from chalicelib.agreement_tables import inert
from desk.tables import harmless, table
from desk.terminal import Wired, as_json_option, moment, print_json


@click.group()
def audit() -> None:
    """What staff did. Nothing in it is ever changed."""


@audit.command("list")
@click.option("--about", default="", help="Only acts about this ticket, agreement or address.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--before", default="", help="Go on where an earlier list ended: the mark that it printed.")
@as_json_option
@click.pass_obj
def audit_list(wiring: Wired, about: str, limit: int, before: str, as_json: bool) -> None:
    """The newest acts first: when, who, what, about which."""
    desk = wiring.desk()
    acts, more = desk.store.acts(about=about, before=before, limit=limit)
    if as_json:
        facts = [
            {"when": act.when.isoformat(), "who": act.who, "what": act.what}
            | {"about": act.about, "detail": act.detail}
            for act in acts
        ]
        print_json({"acts": facts, "before": more or None})
        return
    rows = [(moment(desk, act.when), act.who, act.what, act.about, harmless(act.detail)) for act in acts]
    click.echo(table(("when", "who", "what", "about", "detail"), rows, "Nothing was done yet."))
    if more:
        click.echo(f"There are more: desk audit list --before {more}", err=True)


@audit.command("export")
@click.pass_obj
def audit_export(wiring: Wired) -> None:
    """Every act as CSV on the screen, the newest first."""
    desk = wiring.desk()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("when", "who", "what", "about", "detail"))
    before = ""
    while True:
        acts, before = desk.store.acts(before=before, limit=1000)
        writer.writerows(
            (act.when.isoformat(), *(inert(one) for one in (act.who, act.what, act.about, act.detail)))
            for act in acts
        )
        if not before:
            return
