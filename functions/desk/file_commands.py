"""`desk files`: the downloads that the site publishes, and whether the file store has them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from chalicelib.catalog import Catalog, File, Release
from chalicelib.ports import HERE
from desk.tables import table
from desk.terminal import Wired, as_json_option, print_json


@dataclass(frozen=True, kw_only=True)
class Published:
    """A download as the site publishes it."""

    release: Release
    file: File

    @property
    def path(self) -> str:
        return f"releases/{self.release.product}/{self.release.version}/{self.file.name}"


@click.group()
def files() -> None:
    """Downloads: what the site publishes and the file store has."""


@files.command("check")
@as_json_option
@click.pass_obj
def files_check(wiring: Wired, as_json: bool) -> None:
    """Is every download that the site publishes here, byte for byte? Exit 1 when one is not."""
    desk = wiring.desk()
    facts = [
        {
            "product": one.release.product,
            "version": one.release.version,
            "file": one.file.name,
            "size": one.file.size,
            "sha256": one.file.sha256,
            "state": desk.files.state(one.path, size=one.file.size, sha256=one.file.sha256),
        }
        for one in _published(desk.catalog())
    ]
    wrong = [fact for fact in facts if fact["state"] != HERE]
    if as_json:
        print_json(facts)
    elif wrong:
        names = ("product", "version", "file", "size", "state")
        click.echo(table(names, [[fact[name] for name in names] for fact in wrong], ""))
    else:
        click.echo(f"All {len(facts)} files that the site publishes are here.")
    if wrong:
        raise click.exceptions.Exit(1)


@files.command("put")
@click.argument(
    "paths",
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    nargs=-1,
    required=True,
)
@click.pass_obj
def files_put(wiring: Wired, paths: tuple[Path, ...]) -> None:
    """Lay each FILE where the release that publishes it has its downloads.

    Which release that is, its size and SHA-256 say. A file that no release publishes is refused, and then
    nothing is laid.
    """
    desk = wiring.desk()
    published = list(_published(desk.catalog()))
    found: list[tuple[Path, Published]] = []
    problems = []
    for path in paths:
        size, sha256 = path.stat().st_size, _sha256(path)
        mine = [one for one in published if (one.file.size, one.file.sha256) == (size, sha256)]
        found += [(path, one) for one in mine]
        if not mine:
            problems.append(f"{path}: no release publishes a file of {size} bytes with SHA-256 {sha256}")
            problems += [
                f"  {one.release.product} {one.release.version} publishes one of this name, "
                f"of {one.file.size} bytes with SHA-256 {one.file.sha256}"
                for one in published
                if one.file.name == path.name
            ]
    if problems:
        raise click.ClickException("\n".join([*problems, "Nothing was laid."]))
    for path, one in found:
        if desk.files.state(one.path, size=one.file.size, sha256=one.file.sha256) == HERE:
            click.echo(f"{one.path} is here already.")
            continue
        with path.open("rb") as content:
            desk.files.put(one.path, content, size=one.file.size, sha256=one.file.sha256)
        click.echo(f"{one.path} is here now.")


def _published(catalog: Catalog) -> Iterator[Published]:
    for product in catalog.products.values():
        for release in product.ordered:
            for file in release.files:
                yield Published(release=release, file=file)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
