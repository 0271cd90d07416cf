"""The command `bindery`. The clock and the environment come in here and nowhere else."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bindery import (
    binding,
    cli_defects,
    cli_importing,
    cli_publishing,
    cli_upgrading,
    publications,
    support,
)
from bindery.incoming.mapping import KINDS
from bindery.publications import Folder, PublishError, Vanish
from bindery.source import Problems
from bindery.write import NotOurs

CACHE = Path(".bindery_cache")
Command = Callable[..., Any]
# Trouble that is told in one line.
EXPECTED: tuple[type[Exception], ...] = (NotOurs, PublishError, cli_defects.Unknown)


class Moment(click.ParamType[datetime]):
    """An instant on the command line: `2026-11-23`, or with a time and an offset."""

    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"must be an instant such as 2026-11-23T08:00:00-07:00, not '{value}'", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def the_present() -> datetime:
    """The instant that a build counts as now: SOURCE_DATE_EPOCH where it is set, else the clock's."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch:
        if not epoch.isdigit():
            raise click.ClickException(f"SOURCE_DATE_EPOCH must be seconds since 1970, not '{epoch}'")
        return datetime.fromtimestamp(int(epoch), UTC)
    return datetime.now(UTC)


def _folder(name: str, what: str) -> Callable[[Command], Command]:
    return click.option(
        f"--{name}",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("dist" if name == "out" else name),
        show_default=True,
        help=what,
    )


_content = _folder("content", "The folder of Markdown.")
_site = _folder("site", "The folder of looks.")
_out = _folder("out", "The folder that is made.")
_now = click.option(
    "--now",
    type=Moment(),
    metavar="INSTANT",
    help="Count this instant as now, such as 2026-11-23T08:00:00-07:00.  [default: the present]",
)
_url = click.option("--url", help="The site's address.  [default: site_url of mkdocs.yml]")
_json = click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")


class Progress:
    """One line on a terminal that says how far long work is; nothing where nobody watches."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._length = 0

    def __call__(self, stage: str, done: int, total: int) -> None:
        if not self._shown or total < 50:
            return
        step = max(1, total // 200)
        if done % step and done != total:
            return
        line = f"{stage} … {done} of {total}"
        click.echo(f"\r{line:<{self._length}}", nl=False, err=True)
        self._length = len(line)

    def end(self) -> None:
        """Wipe the line."""
        if self._length:
            click.echo(f"\r{'':<{self._length}}\r", nl=False, err=True)
            self._length = 0


class Commands(click.Group):
    """Expected trouble is a message and exit 1; a bug keeps its traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Problems as error:
            for problem in error.problems:
                click.echo(str(problem), err=True)
            count = len(error.problems)
            click.echo(f"{count} problem{'s' if count != 1 else ''}; nothing was written.", err=True)
            ctx.exit(1)
        except Vanish as error:
            for line in error.lines:
                click.echo(line, err=True)
            ctx.exit(1)
        except EXPECTED as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="support-site")
def main() -> None:
    """Make a support site, its feeds, mails and catalog from a folder of Markdown."""


for publishing in cli_publishing.COMMANDS:
    main.add_command(publishing)


@main.command()
@_content
@_site
@_out
@_now
@_url
@cli_publishing.against
def check(
    content: Path, site: Path, out: Path, now: datetime | None, url: str | None, target: Folder | None
) -> None:
    """Read and check all content; write nothing.

    With --against TARGET also check that nothing vanishes that was ever published there.
    """
    progress = Progress()
    at = now or the_present()
    try:
        found = binding.check(content, now=at, site=site, cache=CACHE, progress=progress)
        if target:
            known = publications.ledger(target)
            what = binding.published(content, site, now=at, url=url, cache=CACHE, ledger=known)
            publications.weigh(target, known, what)
    finally:
        progress.end()
    click.echo(f"{_counted(len(found.items), 'item')} in {content}, no problem.")


@main.command()
@_content
@_site
@_out
@_now
@_url
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes that render.  [default: one per core]")
@click.option("--clean", is_flag=True, help="Forget what was made before and make everything anew.")
@cli_publishing.against
@click.option("--search/--no-search", default=True, help="Make the search index too.  [default: search]")
@click.option(
    "--cards/--no-cards", default=True, help="Draw the pictures that links show too.  [default: cards]"
)
@_json
def build(
    content: Path,
    site: Path,
    out: Path,
    now: datetime | None,
    url: str | None,
    jobs: int | None,
    clean: bool,
    target: Folder | None,
    search: bool,
    cards: bool,
    as_json: bool,
) -> None:
    """Make the site; only what changed is made again."""
    progress = Progress()
    try:
        built = binding.build(
            content,
            site,
            out,
            now=now or the_present(),
            url=url,
            jobs=jobs,
            clean=clean,
            cache=CACHE,
            progress=progress,
            ledger=publications.ledger(target) if target else None,
            search=search,
            cards=cards,
        )
    finally:
        progress.end()
    if as_json:
        click.echo(json.dumps(asdict(built), indent=2))
    elif built.nothing_changed:
        click.echo(f"Nothing changed; {out} is as it was.")
    else:
        click.echo(
            f"Rendered {_counted(len(built.rendered), 'page')}, wrote {_counted(len(built.written), 'file')}"
            f" and removed {len(built.removed)} in {out}."
        )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


@main.command()
@_content
@_site
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=CACHE / "preview",
    show_default=True,
    help="The folder that is made.",
)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
def preview(content: Path, site: Path, out: Path, port: int) -> None:
    """Serve the site while you write: built at every save, reloaded in the browser, forms working."""
    from bindery.preview import preview as serve

    code = serve(
        content,
        site,
        out,
        port=port,
        now=the_present,
        tell=click.echo,
        cache=CACHE,
        environment=os.environ,
    )
    raise SystemExit(code)


@main.command()
@click.argument("product")
@click.argument("version")
@_content
@_site
@_out
@_now
@_json
def explain(
    product: str, version: str, content: Path, site: Path, out: Path, now: datetime | None, as_json: bool
) -> None:
    """Say until when a release is supported, and why."""
    library = binding.check(content, now=now or the_present(), cache=CACHE)
    release = cli_upgrading.known_release(library, product, version)
    answer = support.answers(library)[(product, version)]
    chain = [one.version for one in library.contains(release)]
    if as_json:
        told = {
            "product": product,
            "version": version,
            "kind": release.release_kind,
            "released": release.released.isoformat(),
            "support_ends": answer.ends and answer.ends.isoformat(),
            "ends_after_next": answer.ends_after_next or None,
            "because": list(answer.because),
            "tiers": [
                {
                    "name": tier.name,
                    "ends": tier.ends and tier.ends.isoformat(),
                    "ends_after_next": tier.ends_after_next or None,
                    "at_latest": tier.at_latest and tier.at_latest.isoformat(),
                    "because": list(tier.because),
                }
                for tier in answer.tiers
            ],
            "contains": chain,
        }
        click.echo(json.dumps(told, indent=2))
        return
    name = library.name_of(release)
    click.echo(f"{name}, released {release.released}, is supported {_until(answer)}, because")
    for reason in answer.because:
        click.echo(f"  - {reason}")
    for tier in answer.tiers[:-1]:
        click.echo(f"It has {tier.name} support {_until(tier)}, because")
        for reason in tier.because:
            click.echo(f"  - {reason}")
    if answer.tiers:
        click.echo(f"Then it has {answer.tiers[-1].name} support to the end.")
    click.echo(f"It contains {', '.join(chain)}.")


def _until(end: support.Answer | support.Tier) -> str:
    if end.ends:
        return f"until {end.ends}"
    if not end.ends_after_next:
        return "without an end that anything tells"
    latest = f", {end.at_latest} at the latest" if isinstance(end, support.Tier) and end.at_latest else ""
    return f"until {end.ends_after_next} after the next version is released{latest}"


@main.command()
@click.argument("product")
@click.argument("start", metavar="FROM")
@click.argument("goal", metavar="TO")
@_content
@_site
@_out
@_now
@_json
def upgrade(
    product: str,
    start: str,
    goal: str,
    content: Path,
    site: Path,
    out: Path,
    now: datetime | None,
    as_json: bool,
) -> None:
    """Say what changes from one release to another, what may not be skipped, and what is known.

    An entry counts by its id: what FROM has already is not told as new. With --json the answer has the shape
    of the files below /data/upgrade/.
    """
    library = binding.check(content, now=now or the_present(), cache=CACHE)
    told = cli_upgrading.answer(library, product, start, goal)
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(cli_upgrading.lines(told)))


@main.command("defect")
@click.argument("defect_id", metavar="ID")
@_content
@_site
@_out
@_now
@_json
def defect_command(
    defect_id: str, content: Path, site: Path, out: Path, now: datetime | None, as_json: bool
) -> None:
    """Say which releases have a defect, which fix it, and why."""
    library = binding.check(content, now=now or the_present(), cache=CACHE)
    life = cli_defects.life_of(library, defect_id)
    if as_json:
        click.echo(cli_defects.as_json(library, life))
        return
    for line in cli_defects.as_text(library, life):
        click.echo(line)


@main.command()
@_content
@_site
@_out
@_now
@click.option(
    "--publish",
    "path",
    type=click.Path(path_type=Path, file_okay=False),
    help="Publish what has become due at PATH, which `bindery server` made; nothing when nothing has.",
)
@_json
def due(content: Path, site: Path, out: Path, now: datetime | None, path: Path | None, as_json: bool) -> None:
    """Print the next instant at which the site changes by itself: something under embargo is to be published,
    or a rule of the support policy begins to hold.

    With --publish what became due is published, as often as it is called: by the desk that serves PATH, or
    by a timer of yours. It then prints when to call it again at the latest.
    """
    if path:
        cli_publishing.publish_due(path, as_json=as_json)
        return
    instant = binding.due(content, now or the_present(), cache=CACHE)
    if as_json:
        click.echo(json.dumps({"due": instant and instant.isoformat()}))
    else:
        click.echo(instant.isoformat() if instant else "Nothing is under embargo.")


@main.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--as", "kind", type=click.Choice(KINDS), required=True, help="What the files are.")
@click.option("--to", default="", help="A product for releases, a folder such as help/guides for pages.")
@click.option(
    "--version-parts",
    "parts",
    type=click.IntRange(1, 6),
    help="How many numbers name a version: with 2, 15.8.9 is an update of 15.8.  [default: an update of the "
    "longest beginning that is a release itself]",
)
@click.option("--draft", is_flag=True, help="Everything as a draft that nobody sees.")
@click.option("--dry-run", is_flag=True, help="Tell what would be done; write nothing.")
@_content
@_now
@_json
def import_command(
    folder: Path,
    kind: str,
    to: str,
    parts: int | None,
    draft: bool,
    dry_run: bool,
    content: Path,
    now: datetime | None,
    as_json: bool,
) -> None:
    """Take over Markdown from elsewhere: Jekyll, Hugo, Pelican or a plain folder.

    Fields of the front matter are mapped, dates and versions taken from file names where it has none, links
    led to where the pages are now, pictures copied. Nothing that is there is overwritten. Every file that is
    not understood is told with its line, and the rest is imported.
    """
    order = cli_importing.Order(
        folder=folder,
        kind=kind,
        to=to,
        content=content,
        parts=parts,
        draft=draft,
        dry_run=dry_run,
        as_json=as_json,
    )
    progress = Progress()
    try:
        made = cli_importing.take(order, now or the_present(), progress)
    finally:
        progress.end()
    cli_importing.tell(made, order)
    if not made.files:
        raise SystemExit(1)


@main.group()
def new() -> None:
    """Begin a content file from a template, as a draft."""


def _begin(content: Path, site: Path, kind: str, path: str, values: dict[str, str]) -> None:
    target = content / path
    if target.exists():
        raise click.ClickException(f"{target} is there already; edit it, or choose another name")
    written = binding.begin(content, site, kind, path, values)
    click.echo(f"Wrote {written}. It is a draft: take 'draft: true' away when it is ready.")


def _slug(title: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    if not slug:
        raise click.ClickException(f"the title must hold letters or digits, '{title}' holds none")
    return slug


def _quoted(title: str) -> str:
    """The title as a double-quoted YAML text (JSON, which YAML contains)."""
    return json.dumps(title, ensure_ascii=False)


def _day(now: datetime | None) -> str:
    return (now or the_present()).date().isoformat()


@new.command("product")
@click.argument("name")
@click.option(
    "--folder", default="", help="The folder's name, as it stands in addresses.  [default: made from it]"
)
@_content
@_site
def new_product(name: str, folder: str, content: Path, site: Path) -> None:
    """Begin a product: bindery new product "Cityworks"."""
    _begin(content, site, "product", f"releases/{_slug(folder or name)}/index.md", {"name": _quoted(name)})


@new.command("release")
@click.argument("product")
@click.argument("version")
@click.option("--of", default="", help="The version that this update belongs to; without it, a version.")
@click.option("--line", default="", help="The line of versions.")
@_content
@_site
@_now
def new_release(
    product: str, version: str, of: str, line: str, content: Path, site: Path, now: datetime | None
) -> None:
    """Begin the notes of a release: bindery new release cityworks 24."""
    if not (content / "releases" / product / "index.md").exists():
        known = sorted(path.parent.name for path in (content / "releases").glob("*/index.md"))
        raise click.ClickException(f"the product must be one of {', '.join(known)}, not '{product}'")
    if of and not (content / "releases" / product / f"{of}.md").exists():
        raise click.ClickException(f"--of must be a version of {product} that has a file, not '{of}'")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", version):
        raise click.ClickException(f"the version must be such as 23.10, not '{version}'")
    values = {
        "version": version,
        "kind": "update" if of else "version",
        "of": of,
        "line": line,
        "today": _day(now),
    }
    _begin(content, site, "release", f"releases/{product}/{version}.md", values)


def _titled(kind: str, folder: str, example: str) -> None:
    @new.command(kind, help=f"Begin {'an' if kind[0] in 'aeiou' else 'a'} {kind}: {example}.")
    @click.argument("title")
    @click.option("--name", default="", help="The file's name.  [default: made from the title]")
    @_content
    @_site
    @_now
    def command(title: str, name: str, content: Path, site: Path, now: datetime | None) -> None:
        values = {"title": _quoted(title), "today": _day(now)}
        _begin(content, site, kind, f"{folder}/{_slug(name or title)}.md", values)


_titled("issue", "newsletter", 'bindery new issue "Winter 2026"')
_titled("paper", "papers", 'bindery new paper "Valves and how to count them"')
_titled("event", "events", 'bindery new event "User conference 2027"')
_titled("page", "help", 'bindery new page "Printing a map"')
_titled("tombstone", "gone", 'bindery new tombstone "The printing module"')


@new.command("defect")
@click.argument("defect_id", metavar="ID")
@click.argument("title")
@click.option("--product", required=True, help="The product's folder.")
@click.option("--found-in", "version", required=True, help="The release in which it was found.")
@_content
@_site
@_now
def new_defect(
    defect_id: str,
    title: str,
    product: str,
    version: str,
    content: Path,
    site: Path,
    now: datetime | None,
) -> None:
    """Begin a defect: bindery new defect CW-1234 "Maps do not print" --product cityworks --found-in 23.4."""
    if not re.fullmatch(r"[A-Z][A-Z0-9]*(?:-\d+)+", defect_id):
        raise click.ClickException(f"the id must be such as CW-1234, not '{defect_id}'")
    values = {"title": _quoted(title), "product": product, "version": version, "today": _day(now)}
    _begin(content, site, "defect", f"defects/{defect_id}.md", values)


def run() -> None:
    """The command as a process of its own. It ends at once: giving the memory of ten thousand pages back
    piece by piece takes a tenth of a second."""
    try:
        main(prog_name="bindery")
    except SystemExit as done:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(done.code if isinstance(done.code, int) else int(done.code is not None))
