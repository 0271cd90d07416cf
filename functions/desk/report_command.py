"""`desk report`: first responses against the promise."""

from __future__ import annotations

import re

import click

from chalicelib.life import STATES
from chalicelib.response_report import BECAUSE, report
from desk.tables import table
from desk.terminal import Wired, as_json_option, plain, print_json


def _month(ctx: click.Context, parameter: click.Parameter, given: str | None) -> str:
    if given is not None and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", given):
        raise click.BadParameter(f"must be a month such as 2026-11, not '{given}'")
    return given or ""


@click.command("report")
@click.option("--from", "first", callback=_month, help="First month, such as 2026-09.")
@click.option("--to", "last", callback=_month, help="Last month.")
@as_json_option
@click.pass_obj
def report_command(wiring: Wired, first: str, last: str, as_json: bool) -> None:
    """First responses against the promise: by month and severity, in opening hours."""
    desk = wiring.desk()
    rows = report(desk.store.tickets(STATES), desk.catalog().hours, desk.clock(), first=first, last=last)
    if as_json:
        print_json({"rows": [row.as_json() for row in rows], "because": list(BECAUSE)})
        return
    header = ("month", "severity", "received", "in time", "late", "open", "unanswered", "median h", "90 % h")
    cells = [[plain(value) for value in row.as_json().values()] for row in rows]
    click.echo(table(header, cells, "No ticket was received in these months."))
    for reason in BECAUSE:
        click.echo(f"  because: {reason}")
