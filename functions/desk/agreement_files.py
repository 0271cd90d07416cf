"""`desk agreements import` and `export`: agreements from a file, all or none, and into one."""

from __future__ import annotations

from pathlib import Path

import click

from chalicelib.agreement_changes import Changes, ImportHeld, compare
from chalicelib.agreement_tables import read, write_csv, write_json
from chalicelib.agreements import Agreement
from desk.terminal import Wired, print_json

HELD = 3
"""Exit code of an import that was held."""


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would change, field by field; change nothing.")
@click.option("--confirm", is_flag=True, help="Carry out an import that was held.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: added, changed field by field, the rest.")
@click.pass_obj
def agreements_import(wiring: Wired, file: Path, dry_run: bool, confirm: bool, as_json: bool) -> None:
    """Add or change agreements from a CSV or JSON FILE: all of them, or none.

    Agreements that the file does not name stay as they are; keys are never touched. The same file twice
    changes nothing.

    A file is held, and nothing is kept, when it names fewer than half as many agreements as are here, when it
    changes more than half of them (and more than 4), or when it withdraws more than half of them (and more
    than one): it may be half a file. The exit code is then 3; --confirm carries it out.
    """
    desk = wiring.desk()
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as trouble:
        raise click.ClickException(f"{file}: the file must be UTF-8 text ({trouble.reason})") from None
    catalog = desk.catalog_or_none()
    rows = read(text, path=str(file), products=sorted(catalog.products) if catalog else ())
    found: list[Changes] = []

    def approve(held: tuple[Agreement, ...]) -> None:
        found[:] = [compare(held, rows)]
        if found[0].reasons_to_look and not confirm and not dry_run:
            raise ImportHeld(found[0])

    held = ""
    try:
        act = wiring.act(desk, "import agreements", "agreements", file.name)
        desk.store.import_agreements(rows, dry_run=dry_run, act=act, approve=approve)
    except ImportHeld as trouble:
        held = str(trouble)
    if dry_run and not confirm:
        held = "; ".join(found[0].reasons_to_look)
    if as_json:
        kept = not dry_run and not held
        print_json({"kept": kept, "dry_run": dry_run, "held": held or None, **found[0].as_json()})
    else:
        for line in _told(found[0], dry_run=dry_run, held=bool(held)):
            click.echo(line)
    if held:
        click.echo(f"Held: {held}. Nothing was changed. If that is meant, add --confirm.", err=True)
        raise click.exceptions.Exit(HELD)


def _told(changes: Changes, *, dry_run: bool, held: bool) -> list[str]:
    counts = f"{len(changes.added)} added, {len(changes.changed)} changed, {len(changes.unchanged)} unchanged"
    if changes.not_in_file:
        counts += f", {len(changes.not_in_file)} not in this file"
    note = " (dry run: nothing was changed)" if dry_run else " (held: nothing was changed)" if held else ""
    lines = [f"{counts}{note}."]
    if not (dry_run or held):
        return lines
    lines += [f"  add {number}" for number in changes.added]
    for change in changes.changed:
        lines.append(f"  change {change.agreement}")
        lines += [f"    {one.field}: '{one.before}' becomes '{one.after}'" for one in change.fields]
    lines += [f"  not in this file, stays as it is: {number}" for number in changes.not_in_file]
    return lines


@click.command("export")
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
