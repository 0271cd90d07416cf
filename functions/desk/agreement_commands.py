"""`desk agreements`: import, export, look at, renew, withdraw; keys."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from chalicelib.agreement_tables import COLUMNS, read, write_csv, write_json
from chalicelib.agreements import Agreement, coverage, renewal
from chalicelib.catalog import NoRule
from chalicelib.refusals import NotFound
from chalicelib.signing import agreement_key, fingerprint
from chalicelib.wiring import Desk
from desk.tables import table
from desk.terminal import Wired, as_json_option, day_type, plain, print_json, today


@click.group()
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
    done = desk.store.import_agreements(
        rows, dry_run=dry_run, act=wiring.act(desk, "import agreements", "agreements", file.name)
    )
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
        print_json(held)
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
        print_json(facts)
        return
    because = facts.pop("because")
    click.echo(table(("field", "value"), [(name, plain(value)) for name, value in facts.items()], ""))
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
        act = wiring.act(desk, "renew agreement", held.agreement, str(period))
        desk.store.renew(held.agreement, period, act)
    except ValueError as trouble:
        raise click.ClickException(f"Nothing was changed: {str(trouble).rstrip('.')}.") from None
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
    ends = None if undo else day.date() if day else today(desk)
    act = wiring.act(desk, "withdraw agreement", held.agreement, str(ends) if ends else "taken back")
    desk.store.withdraw(held.agreement, ends, act)
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
    act = wiring.act(desk, "draw agreement key", held.agreement)
    desk.store.set_key(held.agreement, fingerprint(key), desk.clock(), act)
    click.echo(key)
    click.echo("This key is shown once. Give it to the customer by a safe way.", err=True)


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
    try:
        cover = coverage(agreement, catalog.rules, today(desk))
    except NoRule as trouble:  # one agreement of many: the others are still to be shown
        return facts | {"state": "unknown without a rule", "covered_until": None, "because": [trouble.detail]}
    return facts | {
        "state": cover.state,
        "covered_from": str(cover.covered_from),
        "covered_until": str(cover.covered_until),
        "days_left": cover.days_left,
        "because": list(cover.because),
    }
