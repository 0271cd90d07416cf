"""`python -m bench`: what a build costs on archives of our own making, beside Material and Hugo, and whether
everything that it makes of a vendor's whole archive passes judges that are not ours."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from bench import archive, whole
from bench.judges import Verdict
from bench.measure import Cost, Failed, Output, output, run, snapshot

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PEERS = Path(__file__).with_name("peers")
PEER_PAGES = 1_000
NOW = "2026-11-23T12:00:00+00:00"
TARGETS = (
    # (step, the largest archive's figure, what it is, at most)
    ("cold", lambda row: 1000 * row.cost.cpu / row.pages, "ms of CPU a page", 10.0),
    ("nothing changed", lambda row: row.cost.cpu, "s of CPU", 0.3),
    ("one edit", lambda row: row.cost.cpu, "s of CPU", 1.0),
    ("one edit, with search", lambda row: row.cost.cpu, "s of CPU", 2.0),
    ("cold", lambda row: row.cost.memory / 1e6, "MB of memory", 500.0),
)


@dataclass(frozen=True, kw_only=True)
class Row:
    tool: str
    step: str
    pages: int
    cost: Cost
    output: Output

    @property
    def html_per_page(self) -> float:
        return self.output.html_bytes / max(self.output.html_pages, 1)


@click.command()
@click.option(
    "--pages", type=int, multiple=True, help="Pages of an archive; may be given again. [1000, 10000]"
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures to this file."
)
@click.option("--peers/--no-peers", default=True, help="Build 1,000 pages with Material and Hugo too.")
@click.option("--vendor/--no-vendor", default=True, help="Build a vendor's whole archive too, and judge it.")
@click.option(
    "--site", type=click.Path(path_type=Path), default=ROOT / "site", help="The looks to build with."
)
def main(pages: tuple[int, ...], json_file: Path | None, peers: bool, vendor: bool, site: Path) -> None:
    """Measure builds: from nothing, with nothing changed, with one page edited; in a temporary folder."""
    sizes = sorted(pages or (1_000, 10_000))
    rows: list[Row] = []
    parts: list[whole.Part] = []
    judged: list[Verdict] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        try:
            for size in sizes:
                rows += bindery(Path(folder) / f"bindery-{size}", size, site)
            if peers:
                rows.append(material(Path(folder) / "material", min(PEER_PAGES, sizes[0])))
                rows.append(hugo(Path(folder) / "hugo", min(PEER_PAGES, sizes[0])))
            if vendor:
                command = [str(BIN / "bindery"), "build", "--site", str(site), "--now", NOW]
                parts, judged = whole.measure(Path(folder), command, environ())
        except Failed as failure:
            raise click.ClickException(str(failure)) from None
    show(rows)
    if parts:
        whole.show(parts, judged)
    if json_file:
        value = {"format": 1, "machine": machine(), "rows": [asdict(row) for row in rows]}
        value["vendor"] = [asdict(part) for part in parts]
        value["verdicts"] = [asdict(verdict) for verdict in judged]
        json_file.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    if any(verdict.faults for verdict in judged):
        raise click.ClickException("something that was made has faults, see above")


def bindery(folder: Path, pages: int, site: Path) -> list[Row]:
    content = folder / "content"
    write(content, pages)
    out, edited = folder / "dist", content / archive.edited_page(pages)
    command = [str(BIN / "bindery"), "build", "--content", str(content), "--site", str(site)]
    command += ["--out", str(out), "--now", NOW, "--url", "https://support.example.org"]
    alone = [*command, "--no-search"]
    releases = sorted((content / "releases" / archive.PRODUCTS[0]).glob("*.*.md"))
    release = releases[len(releases) // 2]

    def edit(path: Path) -> None:
        path.write_text(archive.edited(path.read_text(encoding="utf-8")), encoding="utf-8")

    def add() -> None:
        (edited.parent / "article-new.md").write_text(edited.read_text(encoding="utf-8"), encoding="utf-8")

    steps: list[tuple[str, list[str], Callable[[], None]]] = [
        ("cold", alone, lambda: None),
        ("nothing changed", alone, lambda: None),
        ("one edit", alone, lambda: edit(edited)),
        ("one release edited", alone, lambda: edit(release)),
        ("one page added", alone, add),
        ("every page indexed for search", command, lambda: None),
        ("one edit, with search", command, lambda: edit(edited)),
    ]
    return [measured("bindery", step, pages, how, folder, out, change) for step, how, change in steps]


def material(folder: Path, pages: int) -> Row:
    shutil.copytree(PEERS / "material", folder)
    write(folder / "docs", pages)
    command = [str(BIN / "mkdocs"), "build", "--quiet"]
    return measured("Material", "cold", pages, command, folder, folder / "public", lambda: None)


def hugo(folder: Path, pages: int) -> Row:
    shutil.copytree(PEERS / "hugo", folder)
    write(folder / "content", pages)
    for path in sorted((folder / "content").rglob("index.md")):
        path.rename(path.with_name("_index.md"))  # Hugo's name for a page with others below it
    command = [str(BIN / "hugo"), "--quiet"]
    return measured("Hugo", "cold", pages, command, folder, folder / "public", lambda: None)


def measured(
    tool: str, step: str, pages: int, command: list[str], folder: Path, out: Path, change: Callable[[], None]
) -> Row:
    click.echo(f"{tool}, {pages:,} pages, {step} …", err=True)
    change()
    before = snapshot(out)
    cost = run(command, folder, environ())
    return Row(tool=tool, step=step, pages=pages, cost=cost, output=output(out, before))


def write(content: Path, pages: int) -> None:
    for path, text in archive.files(pages):
        (content / path).parent.mkdir(parents=True, exist_ok=True)
        (content / path).write_text(text, encoding="utf-8")


def environ() -> dict[str, str]:
    wanted = ("PATH", "HOME", "LANG", "TMPDIR")
    kept = {name: value for name, value in os.environ.items() if name in wanted}
    return {**kept, "NO_MKDOCS_2_WARNING": "1"}


def machine() -> dict[str, object]:
    tools = ("mkdocs", "mkdocs-material", "markdown", "hugo")
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(),
        **{tool: _version(tool) for tool in tools},
    }


def _version(tool: str) -> str:
    """Its version; a peer need not be there where none is asked for."""
    try:
        return version(tool)
    except PackageNotFoundError:
        return "not installed"


def show(rows: list[Row]) -> None:
    here = machine()
    click.echo(
        f"\nPython {here['python']}, {here['cores']} cores, mkdocs {here['mkdocs']}, "
        f"Material {here['mkdocs-material']}, Hugo {here['hugo']}; about 1,000 words a page\n"
    )
    heads = ("pages", "CPU s", "wall s", "MB", "written", "HTML KB/page", "feeds KB")
    click.echo(f"{'':29}" + "".join(f"{head:>14}" for head in heads))
    for row in rows:
        cells = (
            f"{row.pages:,}",
            f"{row.cost.cpu:.2f}",
            f"{row.cost.wall:.2f}",
            f"{row.cost.memory / 1e6:.0f}",
            f"{row.output.written:,}",
            f"{row.html_per_page / 1e3:.1f}",
            f"{row.output.feed_bytes / 1e3:.0f}",
        )
        click.echo(f"{row.tool:9} {row.step:19}" + "".join(f"{cell:>14}" for cell in cells))
    _show_ratios(rows)
    _show_growth(rows)
    _show_targets(rows)


def _show_ratios(rows: list[Row]) -> None:
    ours = {row.step: row for row in rows if row.tool == "bindery" and row.pages <= PEER_PAGES}
    for peer in (row for row in rows if row.tool != "bindery"):
        mine = ours.get("cold")
        if mine and mine.pages == peer.pages:
            edit = ours["one edit"].cost
            click.echo(
                f"\n{peer.tool} takes {peer.cost.cpu / mine.cost.cpu:.2f} times the CPU of a cold build, "
                f"{peer.cost.cpu / edit.cpu:.1f} times that of one edit "
                f"(wall {peer.cost.wall / mine.cost.wall:.2f} and {peer.cost.wall / edit.wall:.1f}), "
                f"{peer.cost.memory / mine.cost.memory:.2f} times the memory, "
                f"{peer.html_per_page / mine.html_per_page:.2f} times the HTML a page.",
                nl=False,
            )
    click.echo()


def _show_growth(rows: list[Row]) -> None:
    sizes = sorted({row.pages for row in rows if row.tool == "bindery"})
    if len(sizes) < 2:
        return
    few, many = sizes[0], sizes[-1]
    click.echo(f"\nGrowth from {few:,} to {many:,} pages (linear is {many / few:g}):")
    for step in dict.fromkeys(row.step for row in rows if row.tool == "bindery"):
        pair = [
            row for row in rows if row.tool == "bindery" and row.step == step and row.pages in (few, many)
        ]
        click.echo(f"  {step:19} CPU × {pair[-1].cost.cpu / pair[0].cost.cpu:.1f}")


def _show_targets(rows: list[Row]) -> None:
    most = max(row.pages for row in rows)
    click.echo(f"\nTargets, at {most:,} pages:")
    for step, figure, unit, limit in TARGETS:
        for row in rows:
            if (row.tool, row.step, row.pages) == ("bindery", step, most):
                value = figure(row)
                verdict = "reached" if value <= limit else "MISSED"
                click.echo(f"  {step:19} {value:8.2f} {unit}, at most {limit:g}: {verdict}")


if __name__ == "__main__":
    main(prog_name="python -m bench")
