"""`desk backup` and `desk restore`: the state of the desk on one machine as one file, and back."""

from __future__ import annotations

from pathlib import Path

import click

from desk.backups import IN_IT, NONE_YET, BackupTrouble, back_up, restore
from desk.terminal import Wired, as_json_option, moment, print_json


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--without-secret", is_flag=True, help="Leave out the secret: links in mails need it.")
@click.option("--without-attachments", is_flag=True, help="Leave out what visitors attached.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@as_json_option
@click.pass_obj
def backup(
    wiring: Wired, file: Path, without_secret: bool, without_attachments: bool, force: bool, as_json: bool
) -> None:
    """Write the desk's state to FILE, a tar file, while the desk runs.

    It holds the store as it is at one moment, the secret behind every link in a mail, and what visitors
    attached. Whoever has it can read every ticket, so it is readable by this user alone. Download files are
    not in it. To go back: desk restore FILE.
    """
    desk = wiring.desk()
    try:
        made = back_up(
            desk, file, secret=not without_secret, attachments=not without_attachments, force=force
        )
        desk.store.note(wiring.act(desk, "back up the desk", "desk", file.name))
    except BackupTrouble as trouble:
        raise click.ClickException(str(trouble)) from None
    if as_json:
        print_json({"file": str(file), **made.as_json()})
        return
    secret = "the secret" if made.secret == IN_IT else "no secret"
    files = f"{made.attachments} attachment{'' if made.attachments == 1 else 's'}"
    click.echo(f"Backed up to {file}: the store, {secret}, {files}; {made.size:,} bytes.")
    click.echo("Whoever has this file can read every ticket. Keep it where only you can read it.", err=True)
    if made.secret not in (IN_IT, NONE_YET):
        click.echo(
            f"The secret is {made.secret}: without that same secret, no link of a mail that was sent "
            "works again.",
            err=True,
        )


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Put it in the place of a state that is here; that is kept.")
@as_json_option
@click.pass_obj
def restore_command(wiring: Wired, file: Path, replace: bool, as_json: bool) -> None:
    """Bring the desk's state back from FILE, which desk backup wrote.

    All of it is read and checked first; a file that is damaged or not whole changes nothing. Where a state is
    already, --replace is needed; what was there lies beside it afterwards. Stop the desk before.
    """
    desk = wiring.desk()
    try:
        done = restore(desk, file, replace=replace)
        desk.store.note(wiring.act(desk, "restore the desk", "desk", file.name))
    except BackupTrouble as trouble:
        raise click.ClickException(str(trouble)) from None
    if as_json:
        kept = [str(path) for path in done.kept]
        print_json({"file": str(file), **done.backup.as_json(), "kept": kept})
        return
    click.echo(f"Restored the state of {moment(desk, done.backup.made)}.")
    for path in done.kept:
        click.echo(f"What was there is now {path}.")
    if done.backup.secret != NONE_YET and (done.backup.secret != IN_IT or desk.settings.secret):
        click.echo(
            "Links in mails that were sent work with the secret of that time alone; here it is the one of "
            f"{'SUPPORT_SECRET' if desk.settings.secret else 'this folder'}.",
            err=True,
        )
