"""The commands that publish: `publish`, `history`, `ledger`, `rollback`, `server`, and what a server's hooks
call.

A part of `cli`, which shows them with its own and turns expected trouble into a message and exit 1: clock,
environment and exit codes come in and go out here.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from bindery import binding, origin, permanence, publications, publish
from bindery.publications import Folder, Publication, PublishError, Vanish

FOLDER = click.Path(file_okay=False, path_type=Path)


class Target(click.ParamType[Folder]):
    name = "target"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Folder:
        try:
            return publications.target(str(value))
        except PublishError as error:
            self.fail(str(error), param, ctx)


against = click.option(
    "--against",
    "target",
    type=Target(),
    metavar="TARGET",
    help="The target (dir:PATH) where it will be published: what was published there counts.",
)


@click.command("publish")
@click.argument("target", type=Target())
@click.option("--out", type=FOLDER, default="dist", show_default=True, help="What a build made.")
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    default=publish.PUBLICATIONS_STAY,
    show_default=True,
    help="Publications to keep for a rollback.",
)
@click.option(
    "--allow-vanish",
    "let_go",
    default="",
    metavar="REASON",
    help="Publish though names that were published would vanish; the ledger keeps the reason.",
)
def publish_command(target: Folder, out: Path, keep: int, let_go: str) -> None:
    """Make what was built current at TARGET (dir:PATH): all of it or nothing.

    An address, or the id of a feed entry, a calendar entry or a fix, that was ever published there must still
    be there, lead on, or be given up by a tombstone; otherwise nothing is published.
    """
    before = publications.current(target)
    known = publications.ledger(target)
    try:
        made = publish.publish(target, out, now=_clock(), progress=_progress(), let_go=let_go.strip())
    except Vanish as refusal:
        for line in refusal.lines:
            click.echo(line, err=True)
        hint = 'Nothing was published. To let them go all the same, say why: --allow-vanish "the reason"'
        click.echo(hint, err=True)
        raise SystemExit(1) from None
    publish.prune(target, stay=keep)
    for uid in permanence.moved_unseen(known, publications.published(out)):
        click.echo(
            f"{uid} has other days than before and the same SEQUENCE: calendars may keep the old ones. "
            f"Build with --against {target.name}",
            err=True,
        )
    if before and made.id == before.id:
        click.echo(f"nothing changed: {made.id} stays current at {target.where()}")
        return
    for line in origin.describe(publications.changes(before, made), url=""):
        click.echo(line)
    click.echo(f"published {made.id} at {target.pointer}")


@click.command("history")
@click.argument("target", type=Target())
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def history_command(target: Folder, as_json: bool) -> None:
    """List the publications at TARGET, the newest first; * marks the current one."""
    known, here = publications.history(target), publications.current_name(target)
    if as_json:
        value = [_as_json(each, current=each.id == here) for each in known]
        click.echo(json.dumps(value, ensure_ascii=False, indent=1))
        return
    if not known:
        click.echo(f"Nothing is published at {target.where()} yet")
    for each in known:
        what = f"{each.commit.id[:10]} {each.commit.subject} ({each.commit.author})" if each.commit else ""
        line = f"{'*' if each.id == here else ' '} {each.id}  {_when(each.when)}  {len(each.files):,} files"
        click.echo(f"{line}, {each.size / 1e6:,.1f} MB  {what}".rstrip())


@click.command("ledger")
@click.argument("target", type=Target())
@click.argument("words", nargs=-1)
@click.option("--gone", is_flag=True, help="Only names that are not there any more.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def ledger_command(target: Folder, words: tuple[str, ...], gone: bool, as_json: bool) -> None:
    """List every name that was ever published at TARGET, or those that hold all of WORDS.

    Names are addresses, and ids of feed entries, calendar entries and fixes. Each with the day on which it
    was
    published first, the last on which it was there if it is not any more, and the content file that made it.
    """
    known = publications.ledger(target)
    found = [
        (sort, name, each)
        for sort, names in known.names.items()
        for name, each in sorted(names.items())
        if all(word in name for word in words) and not (gone and each.last is None)
    ]
    if as_json:
        value = [permanence.entry_as_json(known, sort, name, each) for sort, name, each in found]
        click.echo(json.dumps(value, ensure_ascii=False, indent=1))
        return
    for sort, name, each in found:
        shown = f"/{name}" if sort == permanence.ADDRESS else name
        until = f", until {known.when(each.last)}" if each.last else ""
        reason = f", let go: {each.let_go}" if each.let_go else ""
        file = f"  {each.trace.file}" if each.trace.file else ""
        click.echo(f"{sort:15} {shown}  since {known.when(each.first)}{until}{reason}{file}")
    if not found:
        click.echo("Nothing is published there yet" if not known.names else "No name is like that")


@click.command("rollback")
@click.argument("target", type=Target())
@click.argument("id", required=False)
def rollback_command(target: Folder, id: str | None) -> None:
    """Point TARGET back: to publication ID, or to what the current one replaced."""
    left, here = publish.rollback(target, id, now=_clock())
    for line in origin.describe(publications.changes(left, here), url=""):
        click.echo(line)
    click.echo(f"rolled back from {left.id} to {here.id}, of {_when(here.when)}")
    click.echo(f"the next publication, or `bindery rollback {target.name} {left.id}`, ends that")


@click.command("server")
@click.argument("path", type=FOLDER)
@click.option("--url", help="The address that the site will have, such as https://support.example.org")
def server_command(path: Path, url: str | None) -> None:
    """Make PATH a place to push to: `git push PATH/site.git main` publishes. Again: renew its hooks."""
    program = "from bindery.cli import run; run()"
    command = (
        f"{shlex.quote(sys.executable)} -I -c {shlex.quote(program)}"  # -I: nothing from where git stands
    )
    origin.establish(_origin(path), command=command, url=url)


@click.command("receive", hidden=True)
@click.argument("path", type=FOLDER)
@click.argument("hook", type=click.Choice(origin.HOOKS))
@click.argument("state", default="")
def receive_command(path: Path, hook: str, state: str) -> None:
    """What a hook of PATH/site.git calls; git's lines come on the standard input."""
    said = sys.stdin.buffer.read().decode("utf-8", "replace")  # names of refs are bytes
    code = origin.receive(_origin(path), hook, state, said)
    sys.stdout.flush()
    os._exit(code)  # at once: git is holding main's lock meanwhile


COMMANDS = (
    publish_command,
    history_command,
    ledger_command,
    rollback_command,
    server_command,
    receive_command,
)


def publish_due(path: Path, *, as_json: bool) -> None:
    """Publish what became due at PATH, a place that `bindery server` made, and tell when to ask again."""
    if not (path / "site.git" / "HEAD").exists():
        raise click.ClickException(f"PATH must be a place that `bindery server` made, not {path}")
    place = _origin(path, say=lambda line: click.echo(line, err=as_json))
    made = origin.publish_due(place)
    again = binding.next_turn(place.work / "content", _clock(), cache=place.work / "cache")
    if as_json:
        told = {"published": made.id if made else None, "next": again.isoformat() if again else None}
        click.echo(json.dumps(told))
        return
    click.echo(f"published {made.id}" if made else "Nothing was due; the site is as it was.")
    click.echo(f"The next instant is {again.isoformat()}." if again else "Nothing else is to come.")


def _origin(path: Path, say: Callable[[str], None] | None = None) -> origin.Origin:
    def build(*arguments: object, **options: object) -> object:

        return binding.build(*arguments, search=True, cards=True, **options)  # type: ignore[arg-type]

    return origin.Origin(path=path.resolve(), build=build, environ=os.environ, clock=_clock, say=say or _say)


def _say(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()


def _clock() -> datetime:
    return datetime.now(UTC)


def _when(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _as_json(publication: Publication, *, current: bool) -> dict[str, object]:
    commit = publication.commit
    return {
        "id": publication.id,
        "current": current,
        "when": publication.when.isoformat(),
        "commit": {"id": commit.id, "author": commit.author, "subject": commit.subject} if commit else None,
        "files": len(publication.files),
        "bytes": publication.size,
    }


def _progress() -> Callable[[str, int, int], None] | None:
    if not sys.stderr.isatty():
        return None

    def tell(step: str, done: int, total: int) -> None:
        if done == total or done % 500 == 0:
            click.echo(f"\r{step}: {done:,} of {total:,}", nl=done == total, err=True)

    return tell
