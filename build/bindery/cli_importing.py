"""What the command `import` tells of its work. A part of `cli`, which has its options and the clock."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from bindery import write
from bindery.incoming import intake
from bindery.incoming.intake import Intake
from bindery.source import Problem

NAMED = 3  # files that a summary names as examples


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the command was asked: see its help."""

    folder: Path
    kind: str
    to: str
    content: Path
    parts: int | None
    draft: bool
    dry_run: bool
    as_json: bool


def take(order: Order, now: datetime, progress: Callable[[str, int, int], None]) -> Intake:
    """Do what was asked. Trouble that is expected becomes a message of one line."""
    try:
        made = intake.take(
            order.folder,
            kind=order.kind,
            to=intake.folder_of(order.kind, order.to, order.content),
            content=order.content,
            now=now,
            parts=order.parts,
            draft=order.draft,
            progress=progress,
        )
        if not order.dry_run:
            write.begin_all(order.content, made.files, made.copies)
    except intake.Refused as error:
        raise click.ClickException(str(error)) from None
    except FileExistsError as error:
        raise click.ClickException(
            f"{error.filename} came to be while this ran; nothing was written, run it again"
        ) from None
    except OSError as error:
        raise click.ClickException(f"{error}; nothing was written") from None
    return made


def tell(made: Intake, order: Order) -> None:
    """Say what was done: as JSON, or as lines for what needs a look and a summary."""
    if order.as_json:
        click.echo(json.dumps(_as_json(made, order), indent=2, ensure_ascii=False))
    else:
        _tell(made, order)


def _as_json(made: Intake, order: Order) -> dict[str, object]:
    return {
        "written": not order.dry_run,
        "imported": [{"from": made.origins[path], "to": path} for path in made.files],
        "copied": list(made.copies),
        "left": [_told(problem) for problem in made.left],
        "remarks": [_told(problem) for problem in made.remarks],
        "not_kept": {name: list(paths) for name, paths in made.kept_out.items()},
        "kind_by_number": {version: of or None for version, of in made.by_number.items()},
        "other_files": list(made.others),
    }


def _told(problem: Problem) -> dict[str, object]:
    return {"path": problem.path, "line": problem.line, "message": problem.message}


def _tell(made: Intake, order: Order) -> None:
    to = intake.folder_of(order.kind, order.to, order.content)
    for problem in made.remarks:
        click.echo(f"{order.folder}{os.sep}{problem}", err=True)
    for problem in made.left:
        click.echo(f"{order.folder}{os.sep}{problem}", err=True)
    files = len({problem.path for problem in made.left})
    verb = "Would import" if order.dry_run else "Imported"
    click.echo(f"{verb} {_counted(len(made.files), order.kind)} to {order.content / to}.")
    if made.copies:
        click.echo(
            f"{_counted(len(made.copies), 'picture or attachment', 'pictures and attachments')} with them."
        )
    if files:
        click.echo(f"{_counted(files, 'file was', 'files were')} not understood and left out: see above.")
    if made.remarks:
        texts = _counted(len(made.remarks), "place", "places")
        click.echo(f"{texts} in the texts could not be kept unchanged: see above.")
    for name, paths in made.kept_out.items():
        click.echo(
            f"'{name}' has no counterpart and is not kept: {_counted(len(paths), 'file')}, {_some(paths)}."
        )
    versions = [version for version, of in made.by_number.items() if not of]
    updates = [f"{version} of {of}" for version, of in made.by_number.items() if of]
    if versions:
        click.echo(f"By their numbers alone taken as versions, each with a life cycle: {_some(versions)}.")
    if updates:
        click.echo(f"By their numbers alone taken as updates: {_some(updates)}.")
    if made.by_number:
        product = to.rpartition("/")[2]
        click.echo(f"Dates of support follow from that, so look: bindery explain {product} {_last(made)}")
    if made.others:
        click.echo(
            f"{_counted(len(made.others), 'other file')} that no text shows stayed: {_some(made.others)}."
        )
    if made.files and not order.dry_run:
        click.echo("Look at it with: bindery preview")


def _last(made: Intake) -> str:
    return list(made.by_number)[-1]


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _some(words: list[str] | tuple[str, ...]) -> str:
    more = f" and {len(words) - NAMED:,} more" if len(words) > NAMED else ""
    return ", ".join(words[:NAMED]) + more
