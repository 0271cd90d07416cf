"""What staff change of one agreement: its periods, stage, key and contacts.

Each is undone by another of them, and kept in the audit list.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import click

from chalicelib.agreements import (
    Agreement,
    Period,
    accepted,
    renewal,
    reopened,
    with_contact,
    without_contact,
    without_period,
)
from chalicelib.drafts import is_email
from chalicelib.durations import duration
from chalicelib.refusals import NotFound
from chalicelib.signing import agreement_key, fingerprint
from chalicelib.wiring import Desk
from desk.tables import table
from desk.terminal import Wired, as_json_option, day_type, moment, print_json, today

LONGEST_OVERLAP = timedelta(days=30)
"""So long an old key may open its agreement beside the new one."""


def agreement_of(desk: Desk, number: str) -> Agreement:
    """Raises NotFound with the number."""
    found = desk.store.agreement(number)
    if found is None:
        raise NotFound(f"There is no agreement {number}.")
    return found


@click.command("renew")
@click.argument("agreement")
@click.option("--from", "first", type=day_type, help="First day; else the day after the last covered day.")
@click.option(
    "--until", "last", type=day_type, help="Last day, covered too; else as long as the policy says."
)
@click.pass_obj
def agreements_renew(wiring: Wired, agreement: str, first: datetime | None, last: datetime | None) -> None:
    """Add a paid period to AGREEMENT, in advance or after a lapse.

    Without --from it follows the last covered day, so that there is no gap. When such a period would be over
    already, say from when. To take it back: desk agreements unrenew.
    """
    desk = wiring.desk()
    held, rules, now = agreement_of(desk, agreement), desk.catalog().rules, today(desk)
    try:
        period = renewal(held, rules, first.date() if first else None, last.date() if last else None)
        if first is None and period.last < now:
            raise ValueError(
                f"without a gap the next period would be {period}, which is over; say from when: --from {now}"
            )
        act = wiring.act(desk, "renew agreement", held.agreement, str(period))
        desk.store.renew(held.agreement, period, act)
    except ValueError as trouble:
        raise _refused(trouble) from None
    click.echo(f"{held.agreement} is paid from {period.first} to {period.last}, both days included.")


class PeriodType(click.ParamType[Period]):
    """A period such as 2027-03-01..2028-02-29."""

    name = "first..last"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Period:
        if isinstance(value, Period):
            return value
        first, _, last = str(value).partition("..")
        try:
            return Period(first=date.fromisoformat(first), last=date.fromisoformat(last))
        except ValueError:
            self.fail(f"'{value}' must be a period such as 2027-03-01..2028-02-29.", param, ctx)


@click.command("unrenew")
@click.argument("agreement")
@click.option("--period", type=PeriodType(), help="The period; else the last one.")
@click.pass_obj
def agreements_unrenew(wiring: Wired, agreement: str, period: Period | None) -> None:
    """Take a paid period from AGREEMENT: a renewal that was a mistake."""
    desk = wiring.desk()
    held = agreement_of(desk, agreement)
    try:
        gone = without_period(held, period)[1]
        act = wiring.act(desk, "take renewal back", held.agreement, str(gone))
        desk.store.amend(held.agreement, lambda one: without_period(one, gone)[0], act)
    except ValueError as trouble:
        raise _refused(trouble) from None
    click.echo(f"{held.agreement} is no longer paid from {gone.first} to {gone.last}.")


@click.command("withdraw")
@click.argument("agreement")
@click.option("--on", "day", type=day_type, help="First day without any right; else today.")
@click.option("--undo", is_flag=True, help="Take a withdrawal back.")
@click.pass_obj
def agreements_withdraw(wiring: Wired, agreement: str, day: datetime | None, undo: bool) -> None:
    """End AGREEMENT: from that day it gives no new link, and its key opens nothing."""
    desk = wiring.desk()
    held = agreement_of(desk, agreement)
    ends = None if undo else day.date() if day else today(desk)
    act = wiring.act(desk, "withdraw agreement", held.agreement, str(ends) if ends else "taken back")
    desk.store.withdraw(held.agreement, ends, act)
    click.echo(
        f"{held.agreement} is {'no longer withdrawn' if ends is None else f'withdrawn from {ends} on'}."
    )


@click.command("accept")
@click.argument("agreement")
@click.option("--undo", is_flag=True, help="Back to implementation; it needs a client manager.")
@click.pass_obj
def agreements_accept(wiring: Wired, agreement: str, undo: bool) -> None:
    """Note the final acceptance of AGREEMENT: Client Services answer its tickets from now on."""
    desk = wiring.desk()
    held = agreement_of(desk, agreement)
    detail = "taken back" if undo else "final acceptance"
    change = reopened if undo else accepted
    _amend(wiring, desk, held, "accept agreement", detail, change)
    if undo:
        click.echo(f"{held.agreement} is in implementation; its tickets go to {held.client_manager}.")
    else:
        click.echo(f"{held.agreement} is accepted; its tickets go to Client Services from now on.")


@click.command("key")
@click.argument("agreement")
@click.option("--rotate", is_flag=True, help="Draw a new key although there is one.")
@click.option(
    "--keep-old-for",
    "keep",
    metavar="'7 DAYS'",
    help="With --rotate: the old key opens so many days more, at most 30.",
)
@click.option("--revoke", is_flag=True, help="Leave the agreement without any key.")
@click.pass_obj
def agreements_key(wiring: Wired, agreement: str, rotate: bool, keep: str | None, revoke: bool) -> None:
    """Draw the key of AGREEMENT and show it once; only its hash is kept.

    With --rotate the old key ends at once, unless --keep-old-for says otherwise: then both open until its
    time is over.
    """
    if (revoke and (rotate or keep)) or (keep and not rotate):
        raise click.UsageError("--keep-old-for goes with --rotate; --revoke stands alone.")
    overlap = _overlap(keep)
    desk = wiring.desk()
    held, now = agreement_of(desk, agreement), desk.clock()
    if revoke:
        act = wiring.act(desk, "revoke agreement key", held.agreement)
        desk.store.set_key(held.agreement, "", now, act)
        click.echo(f"{held.agreement} has no key: none that was given out opens it.")
        return
    there = desk.store.key_hash(held.agreement)
    if there and not rotate:
        raise click.ClickException(
            f"{held.agreement} has a key, which cannot be shown again; --rotate draws a new one."
        )
    key = agreement_key()
    until = now + overlap if overlap and there else None
    detail = f"the old key opens until {until:%Y-%m-%d %H:%M} UTC" if until else ""
    act = wiring.act(desk, "draw agreement key", held.agreement, detail)
    desk.store.set_key(held.agreement, fingerprint(key), now, act, old_until=until)
    click.echo(key)
    click.echo("This key is shown once. Give it to the customer by a safe way.", err=True)
    if until:
        click.echo(f"The old key opens until {moment(desk, until)}.", err=True)
    elif there:
        click.echo("The old key opens nothing from now on.", err=True)


def _overlap(keep: str | None) -> timedelta:
    if not keep:
        return timedelta()
    try:
        length = duration(keep)
    except ValueError as trouble:
        raise click.BadParameter(str(trouble), param_hint="--keep-old-for") from None
    overlap = timedelta(hours=length.count) if length.unit == "hour" else timedelta(days=length.count)
    if length.unit not in ("hour", "day") or not timedelta() < overlap <= LONGEST_OVERLAP:
        raise click.BadParameter(
            f"must be hours or days, at most 30 days, such as '7 days', not '{keep}'",
            param_hint="--keep-old-for",
        )
    return overlap


@click.group()
def contacts() -> None:
    """Whom an agreement belongs to: they sign in to it, and get its reminders."""


@contacts.command("list")
@click.argument("agreement")
@as_json_option
@click.pass_obj
def contacts_list(wiring: Wired, agreement: str, as_json: bool) -> None:
    """The contacts of AGREEMENT, and what else each of them is a contact of."""
    desk = wiring.desk()
    held = agreement_of(desk, agreement)
    rows = [(one, [of.agreement for of in desk.store.agreements_of(one)]) for one in held.contacts]
    if as_json:
        print_json([{"contact": one, "agreements": numbers} for one, numbers in rows])
        return
    shown = [(one, ", ".join(numbers)) for one, numbers in rows]
    click.echo(table(("contact", "agreements"), shown, f"{held.agreement} has no contacts."))


@contacts.command("add")
@click.argument("agreement")
@click.argument("email")
@click.pass_obj
def contacts_add(wiring: Wired, agreement: str, email: str) -> None:
    """Make EMAIL a contact of AGREEMENT."""
    if not is_email(email):
        raise click.UsageError(f"'{email}' must be an e-mail address such as name@example.com.")
    desk = wiring.desk()
    held = agreement_of(desk, agreement)
    _amend(wiring, desk, held, "add contact", email, lambda one: with_contact(one, email))
    click.echo(f"{email} is a contact of {held.agreement}.")


@contacts.command("remove")
@click.argument("agreement")
@click.argument("email")
@click.pass_obj
def contacts_remove(wiring: Wired, agreement: str, email: str) -> None:
    """Make EMAIL no contact of AGREEMENT any more."""
    desk = wiring.desk()
    held = agreement_of(desk, agreement)
    _amend(wiring, desk, held, "remove contact", email, lambda one: without_contact(one, email))
    click.echo(f"{email} is no contact of {held.agreement} any more.")


def _amend(
    wiring: Wired,
    desk: Desk,
    held: Agreement,
    what: str,
    detail: str,
    change: Callable[[Agreement], Agreement],
) -> None:
    try:
        desk.store.amend(held.agreement, change, wiring.act(desk, what, held.agreement, detail))
    except ValueError as trouble:
        raise _refused(trouble) from None


def _refused(trouble: ValueError) -> click.ClickException:
    return click.ClickException(f"Nothing was changed: {str(trouble).rstrip('.')}.")
