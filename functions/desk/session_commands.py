"""`desk sessions` and `desk forget`: who has signed in, and how that ends.

There is no command that makes a sign-in link or a session: staff cannot sign in as somebody else.
"""

from __future__ import annotations

import click

from chalicelib.addresses import folded
from chalicelib.ports import WebSession
from chalicelib.wiring import Desk
from desk.tables import table
from desk.terminal import Wired, as_json_option, moment, print_json

PAGE = 100


@click.group()
def sessions() -> None:
    """Customers who have signed in. Nobody can sign in for them: a link goes to their mailbox alone."""


@sessions.command("list")
@click.option("--address", default="", help="Those of one e-mail address.")
@click.option("--limit", type=click.IntRange(1), default=PAGE, show_default=True, help="The newest so many.")
@as_json_option
@click.pass_obj
def sessions_list(wiring: Wired, address: str, limit: int, as_json: bool) -> None:
    """Sessions that have not ended, the newest first."""
    desk = wiring.desk()
    found = desk.store.sessions_of(folded(address)) if address else _newest(desk, limit)
    living = [one for one in found if one.lives(desk.clock())][:limit]
    facts = [
        {
            "id": one.id,
            "address": one.address,
            "browser": one.browser,
            "began": one.began.isoformat(),
            "seen": one.seen.isoformat(),
        }
        for one in living
    ]
    if as_json:
        print_json(facts)
        return
    rows = [
        (one.id, one.address, one.browser, moment(desk, one.began), moment(desk, one.seen)) for one in living
    ]
    click.echo(table(("id", "address", "browser", "since", "last used"), rows, "Nobody has signed in."))


@sessions.command("end")
@click.argument("address")
@click.argument("session", required=False, default="")
@click.pass_obj
def sessions_end(wiring: Wired, address: str, session: str) -> None:
    """End all sessions of ADDRESS, or only SESSION by its id. Whoever used it has to sign in again."""
    desk, who = wiring.desk(), folded(address)
    act = wiring.act(desk, "end sessions", who, session or "all")
    ended = int(desk.store.end_session(who, session, act)) if session else desk.store.end_sessions(who, act)
    if not ended:
        raise click.ClickException(f"There is no such session of {address}.")
    click.echo(f"{ended} ended.")


@click.command()
@click.argument("address")
@click.pass_obj
def forget(wiring: Wired, address: str) -> None:
    """End the sessions of ADDRESS, and take away its sign-in link and its calendar.

    Agreements, tickets and subscriptions stay: they have commands of their own.
    """
    desk, who = wiring.desk(), folded(address)
    gone = desk.store.forget_account(who, wiring.act(desk, "forget account", who))
    if not gone.anything:
        raise click.ClickException(f"Nothing is kept of a sign-in by {address}.")
    click.echo(
        f"Forgotten: {gone.sessions} sessions, {'a' if gone.sign_in else 'no'} sign-in link, "
        f"{'a' if gone.calendar else 'no'} calendar."
    )


def _newest(desk: Desk, limit: int) -> list[WebSession]:
    """So many that live, or all of them."""
    found: list[WebSession] = []
    mark = ""
    while True:
        page, mark = desk.store.sessions(before=mark, limit=PAGE)
        found += [one for one in page if one.lives(desk.clock())]
        if not mark or len(found) >= limit:
            return found
