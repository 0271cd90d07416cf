"""A vendor's whole archive: measured at a quarter, a half and all of it; then everything made is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from bench import vendor
from bench.judges import Site, Verdict, verdicts
from bench.measure import Cost, Output, output, run, snapshot

URL = "https://support.example.org"
PARTS = (0.25, 0.5, 1.0)
STEPS = ("cold", "one release edited", "one issue added")


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one step of building a part of the archive cost; `items` are its content files."""

    part: float
    step: str
    items: int
    cost: Cost
    output: Output


def measure(folder: Path, command: list[str], environ: Mapping[str, str]) -> tuple[list[Part], list[Verdict]]:
    """Each part built from nothing and after two changes; the verdicts on the whole. `command` builds."""
    found: list[Part] = []
    judged: list[Verdict] = []
    for part in PARTS:
        root = folder / f"vendor-{part}"
        content, out = root / "content", root / "dist"
        items = write(content, part)
        asked = [*command, "--content", str(content), "--out", str(out), "--url", URL]
        for step in STEPS:
            click.echo(f"A vendor's archive, {items:,} items, {step} …", err=True)
            if step != "cold":
                change(content, step)
                items += step == "one issue added"
            before = snapshot(out)
            cost = run(asked, root, environ)
            found.append(Part(part=part, step=step, items=items, cost=cost, output=output(out, before)))
        if part == PARTS[-1]:
            click.echo("Judging everything that was made …", err=True)
            judged = list(verdicts(Site(public=out / "public", url=f"{URL}/", content=content)))
    return found, judged


def write(content: Path, part: float) -> int:
    """Write that part of the archive; how many items it has, which are its Markdown files."""
    for path, text in vendor.files(part):
        (content / path).parent.mkdir(parents=True, exist_ok=True)
        (content / path).write_text(text, encoding="utf-8")
    return sum(1 for _ in content.rglob("*.md"))


def change(content: Path, step: str) -> None:
    """Do what the step is called."""
    if step == "one release edited":
        notes = sorted((content / "releases" / vendor.PRODUCT).glob("*.*.md"))
        middle = notes[len(notes) // 2]
        middle.write_text(middle.read_text("utf-8") + "\nA sentence was added here.\n", encoding="utf-8")
    else:
        newest = sorted((content / "newsletter").glob("*.md"))[-1]
        text = newest.read_text("utf-8").replace("title: Sample news", "title: More news")
        newest.with_name("issue-new.md").write_text(text, encoding="utf-8")


def show(found: list[Part], judged: list[Verdict]) -> None:
    """Print figures and verdicts."""
    whole = vendor.counts(1.0)
    click.echo("\nA vendor's archive: " + ", ".join(f"{number:,} {name}" for name, number in whole.items()))
    heads = ("items", "CPU s", "ms an item", "wall s", "MB", "written", "feeds KB")
    click.echo(f"{'':29}" + "".join(f"{head:>12}" for head in heads))
    for one in found:
        cells = (
            f"{one.items:,}",
            f"{one.cost.cpu:.2f}",
            f"{1000 * one.cost.cpu / one.items:.2f}",
            f"{one.cost.wall:.2f}",
            f"{one.cost.memory / 1e6:.0f}",
            f"{one.output.written:,}",
            f"{one.output.feed_bytes / 1e3:.0f}",
        )
        click.echo(f"{f'{one.part:g} of it':9} {one.step:19}" + "".join(f"{cell:>12}" for cell in cells))
    cold = [one for one in found if one.step == "cold"]
    few, many = cold[0], cold[-1]
    # What every build costs, whatever it holds, is in both; what each item adds is what may not grow.
    half = cold[len(cold) // 2]
    early = 1000 * (half.cost.cpu - few.cost.cpu) / (half.items - few.items)
    late = 1000 * (many.cost.cpu - half.cost.cpu) / (many.items - half.items)
    click.echo(
        f"\nFrom {few.items:,} to {half.items:,} items each one more costs {early:.2f} ms of CPU, "
        f"from there to {many.items:,} {late:.2f} ms."
    )
    click.echo("\nEverything that was made, judged by what is not ours:")
    for verdict in judged:
        told = "no fault" if not verdict.faults else f"{len(verdict.faults)} FAULTS: {verdict.faults[0]}"
        click.echo(f"  {verdict.judge:31} {verdict.looked_at:6,} looked at, {told}")
