"""`desk subscribers` and `desk suppressions`: who gets mails, and which addresses get none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from chalicelib import subscriber_tables
from chalicelib.drafts import is_email
from chalicelib.ports import Subscriber, Suppression
from chalicelib.ports.subscriptions import STATES
from chalicelib.subscriptions import imported
from chalicelib.topics import topics
from chalicelib.wiring import Desk
from desk.tables import table
from desk.terminal import Wired, as_json_option, plain, print_json

PAGE = 500
SHOWN = 20
"""Addresses that are named one by one after an import."""


@click.group()
def subscribers() -> None:
    """Who gets the newsletter and notices."""


@subscribers.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would change; change nothing.")
@click.pass_obj
def subscribers_import(wiring: Wired, file: Path, dry_run: bool) -> None:
    """Add or change subscribers from a CSV FILE: all of them, or none.

    Columns: email, topics (newsletter; releases/cityworks), state (confirmed or left), since, source. Only
    email is needed. It is for people who have agreed elsewhere. It never brings back who left or whose mail
    came back, and never changes what somebody chose for themselves.
    """
    desk = wiring.desk()
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as trouble:
        raise click.ClickException(f"{file}: the file must be UTF-8 text ({trouble.reason})") from None
    names = [topic.name for topic in topics(desk.catalog_or_none())]
    rows = subscriber_tables.read(text, path=str(file), topics=names)
    told: dict[str, str] = {}
    decisions = {
        row.email: imported(
            row.topics,
            row.state,
            row.since,
            fresh=desk.subscriptions.new(row.email, source=row.source),
            told=told,
        )
        for row in rows
    }
    act = wiring.act(desk, "import subscribers", "subscribers", file.name)
    done = desk.store.import_subscribers(decisions, dry_run=dry_run, act=act)
    counts = f"{len(done.added)} added, {len(done.changed)} changed, {len(done.unchanged)} unchanged"
    click.echo(f"{counts}{' (dry run: nothing was changed)' if dry_run else ''}.")
    if told:
        click.echo(f"Of the unchanged, {len(told)} were left as they are for a reason:")
        for email, why in list(told.items())[:SHOWN]:
            click.echo(f"  {email}: {why}")
        if len(told) > SHOWN:
            click.echo(f"  … and {len(told) - SHOWN} more")


@subscribers.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.pass_obj
def subscribers_export(wiring: Wired, file: Path | None, force: bool) -> None:
    """Write who is confirmed and who left to FILE or to the screen; the file can be imported again."""
    held = _all(wiring.desk(), subscriber_tables.STATES)
    count = 0
    if file is None or str(file) == "-":
        click.echo(subscriber_tables.header(), nl=False)
        for page in held:
            click.echo(subscriber_tables.written(page), nl=False)
        return
    try:
        with file.open("w" if force else "x", encoding="utf-8", newline="") as out:
            out.write(subscriber_tables.header())
            for page in held:
                out.write(subscriber_tables.written(page))
                count += len(page)
    except FileExistsError:
        raise click.ClickException(f"{file} is there already; --force writes over it.") from None
    click.echo(f"{count} subscribers written to {file}.")


@subscribers.command("list")
@click.option("--state", type=click.Choice(STATES), multiple=True, help="Only these; may be given again.")
@click.option("--topic", default="", help="Only who gets this topic.")
@click.option("--after", default="", help="Go on after this mark.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@as_json_option
@click.pass_obj
def subscribers_list(
    wiring: Wired, state: tuple[str, ...], topic: str, after: str, limit: int, as_json: bool
) -> None:
    """Subscribers by address, a page at a time."""
    desk = wiring.desk()
    found, mark = desk.store.subscribers(state or STATES, topic=topic, after=after, limit=limit)
    facts = [_facts(one) for one in found]
    if as_json:
        print_json({"subscribers": facts, "next": mark or None})
        return
    names = ("email", "state", "topics", "wanted", "since", "source")
    rows = [[plain(fact[name]) for name in names] for fact in facts]
    click.echo(table(names, rows, "There are no subscribers. Add some: desk subscribers import FILE"))
    if mark:
        click.echo(f"More: desk subscribers list --after {mark}", err=True)


@subscribers.command("show")
@click.argument("address")
@as_json_option
@click.pass_obj
def subscribers_show(wiring: Wired, address: str, as_json: bool) -> None:
    """One subscriber, and whether anything keeps mail from the address."""
    desk = wiring.desk()
    held, bar = desk.store.subscriber(address), desk.store.suppression(address)
    if held is None and bar is None:
        raise click.ClickException(f"Nothing is kept of {address}.")
    facts: dict[str, Any] = _facts(held) if held else {"email": address, "state": "not subscribed"}
    facts["suppressed"] = f"{bar.reason} ({bar.detail})" if bar and bar.holds else None
    if as_json:
        print_json(facts)
        return
    click.echo(table(("field", "value"), [(name, plain(value)) for name, value in facts.items()], ""))


@subscribers.command("leave")
@click.argument("address")
@click.pass_obj
def subscribers_leave(wiring: Wired, address: str) -> None:
    """Take ADDRESS out, as its owner asked by mail or by phone; a send under way leaves it out too.

    An address that is not known is kept as one that left, so that no import brings it in.
    """
    desk = wiring.desk()
    _must_be_address(address)
    view = desk.subscriptions.leave_for(address, wiring.act(desk, "take out subscriber", address))
    click.echo(f"{view.email} gets nothing any more.")


@subscribers.command("forget")
@click.argument("address")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def subscribers_forget(wiring: Wired, address: str, yes: bool) -> None:
    """Erase ADDRESS, as its owner asked: nothing is kept but that its leave links were ours.

    An import could bring it in again: take it out of your lists, too. The audit log keeps what staff did with
    it before; a suppression stays, so that nothing is sent there: desk suppressions remove ADDRESS.
    """
    desk = wiring.desk()
    if desk.store.subscriber(address) is None:
        raise click.ClickException(f"{address} is not known.")
    if not yes:
        click.confirm(f"Erase {address}? This cannot be undone.", abort=True)
    # The act must not keep what is to be forgotten.
    desk.subscriptions.forget(address, wiring.act(desk, "forget subscriber", "an address"))
    click.echo(f"{address} is forgotten.")


@click.group()
def suppressions() -> None:
    """Addresses that get no newsletter and no notice: mail came back, or was complained of."""


@suppressions.command("list")
@click.option("--after", default="", help="Go on after this mark.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@as_json_option
@click.pass_obj
def suppressions_list(wiring: Wired, after: str, limit: int, as_json: bool) -> None:
    """Suppressed addresses and why, a page at a time."""
    found, mark = wiring.desk().store.suppressions(after=after, limit=limit)
    facts = [
        {"email": one.email, "reason": one.reason, "detail": one.detail, "since": one.since.isoformat()}
        for one in found
    ]
    if as_json:
        print_json({"suppressions": facts, "next": mark or None})
        return
    names = ("email", "reason", "since", "detail")
    click.echo(table(names, [[fact[name] for name in names] for fact in facts], "No address is suppressed."))
    if mark:
        click.echo(f"More: desk suppressions list --after {mark}", err=True)


@suppressions.command("add")
@click.argument("address")
@click.option("--because", "detail", default="", help="Why, for whoever looks next year.")
@click.pass_obj
def suppressions_add(wiring: Wired, address: str, detail: str) -> None:
    """Send nothing to ADDRESS any more; no import changes that."""
    desk = wiring.desk()
    _must_be_address(address)
    now = desk.clock()

    def decide(held: Suppression | None) -> Suppression | None:
        if held is not None and held.holds:
            return None
        fresh = Suppression(email=address, reason="staff", detail=detail, since=now)
        return replace(held, reason="staff", detail=detail, since=now) if held else fresh

    held = desk.store.change_suppression(address, decide, wiring.act(desk, "suppress", address, detail))
    click.echo(f"Nothing is sent to {address}: {held.reason if held else 'staff'}.")


@suppressions.command("remove")
@click.argument("address")
@click.pass_obj
def suppressions_remove(wiring: Wired, address: str) -> None:
    """Send to ADDRESS again, if it is subscribed."""
    desk = wiring.desk()
    if not desk.store.lift_suppression(address, wiring.act(desk, "lift suppression", address)):
        raise click.ClickException(f"{address} is not suppressed.")
    click.echo(f"{address} is no longer suppressed.")


def _all(desk: Desk, states: tuple[str, ...]) -> Iterator[tuple[Subscriber, ...]]:
    mark = ""
    while True:
        found, mark = desk.store.subscribers(states, after=mark, limit=PAGE)
        yield found
        if not mark:
            return


def _facts(one: Subscriber) -> dict[str, Any]:
    return {
        "email": one.email,
        "state": one.state,
        "topics": list(one.topics),
        "wanted": list(one.wanted),
        "since": one.since.isoformat() if one.since else None,
        "source": one.source,
        "changed": one.changed.isoformat(),
    }


def _must_be_address(address: str) -> None:
    if not is_email(address):
        raise click.ClickException(f"'{address}' is no e-mail address such as name@example.com.")
