"""Papers in print: setting them, and telling what cannot be set as problems of the files that it stands in.

What was set once is remembered by the key of all that decided it, so checking again costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from bindery import memory, source, typeset
from bindery.kinds.paper import Paper
from bindery.library import Library
from bindery.outputs import papers
from bindery.outputs.papers import PaperPlan
from bindery.source import Problem, Problems


def plans(
    library: Library, site: Path, site_url: str, wanted: Callable[[Paper], bool] = lambda _: True
) -> Iterator[PaperPlan]:
    """The PDFs of papers that ask for one, each raising Problems with whole paths when it cannot be made."""
    if not any(paper.pdf and wanted(paper) for paper in library.papers):
        return
    path = site / "templates" / "papers" / "paper.typ"
    template = path.read_text("utf-8")

    def set_in_type(tree: Mapping[str, Any], day: date) -> bytes:
        return typeset.pdf(tree, template, library.content, day)

    made_by = f"{typeset.version()} {source.digest_of(template)}"
    for plan in papers.plans(library, site_url=site_url, typeset=set_in_type, version=made_by):
        if wanted(plan.paper):
            yield replace(plan, make=partial(_made, library, plan, path))


def _made(library: Library, plan: PaperPlan, template: Path) -> bytes:
    try:
        return plan.make()
    except typeset.Unset as error:
        sound = partial(typeset.sound, root=library.content)
        found = papers.trouble(library, plan.paper, error.unshown, sound)
        if not found:
            message = f"the template must be Typst that sets {plan.paper.path}: {error.reason}"
            raise Problems([Problem(path=str(template), line=error.line, message=message)]) from None
    except Problems as error:
        found = list(error.problems)
    raise Problems([replace(problem, path=str(library.content / problem.path)) for problem in found])


def outputs(
    library: Library, site: Path, site_url: str, kept: memory.Kept | memory.Unmade
) -> list[tuple[str, bytes | None]]:
    """Each PDF as (path below the public folder, bytes), None for one that is there. Raises all Problems."""
    made: list[tuple[str, bytes | None]] = []
    problems: list[Problem] = []
    for plan in plans(library, site, site_url):
        try:
            made.append((plan.path, kept.of(f"public/{plan.path}", plan.key, plan.make)))
        except Problems as error:
            problems += error.problems
    if problems:
        raise Problems(problems)
    return made


def check(
    library: Library,
    site: Path,
    site_url: str,
    cache: Path | None,
    wanted: Callable[[Paper], bool] = lambda _: True,
) -> None:
    """Set the papers once to see that they can be. Raises all Problems."""
    known = memory.Sound(cache, library.content)
    problems: list[Problem] = []
    for plan in plans(library, site, site_url, wanted):
        try:
            known.see(plan.key, plan.make)
        except Problems as error:
            problems += error.problems
    known.save()
    if problems:
        raise Problems(problems)
