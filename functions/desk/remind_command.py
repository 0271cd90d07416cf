"""`desk remind`: give the reminders that are due, and list those that were given and will be."""

from __future__ import annotations

from datetime import datetime

import click

from chalicelib.reminders import AFTER, Told
from chalicelib.wiring import Desk
from desk.tables import table
from desk.terminal import Wired, as_json_option, moment, print_json


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be given; give nothing.")
@click.option(
    "--coming",
    type=click.IntRange(1, 400),
    metavar="DAYS",
    help="List what will be given in so many days after today; give nothing.",
)
@as_json_option
@click.pass_obj
def remind(wiring: Wired, dry_run: bool, coming: int | None, as_json: bool) -> None:
    """Remind contacts that the cover of their agreement ends, on the days that the policy names.

    `desk serve` does it each day when the vendor opens. A reminder goes once for each agreement, end of cover
    and stage, however often this runs; after days without a desk only the nearest one goes. A renewal or a
    withdrawal silences. What is listed: given now or before, to be given, or nobody to tell.
    """
    desk = wiring.desk()
    told = desk.reminders.coming(coming) if coming else desk.reminders.give(dry_run=dry_run)
    given = sum(one.outcome == "given" for one in told)
    if given:
        desk.store.note(wiring.act(desk, "give reminders", "reminders", f"{given} given"))
    if as_json:
        print_json([one.as_json() for one in told])
        return
    header = ("agreement", "customer", "ends", "stage", "outcome", "when", "contacts")
    nothing = "No reminder is due." if coming is None else f"No reminder comes in the next {coming} days."
    click.echo(table(header, [_row(desk, one) for one in told], nothing))


def _row(desk: Desk, one: Told) -> tuple[object, ...]:
    stage = "after it" if one.stage == AFTER else f"{one.stage} day{'' if one.stage == 1 else 's'} before"
    when = moment(desk, one.when) if isinstance(one.when, datetime) else str(one.when)
    return (one.agreement, one.customer, one.ends, stage, one.outcome, when, "; ".join(one.contacts))
