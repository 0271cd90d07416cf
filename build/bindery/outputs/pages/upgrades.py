"""The upgrade guide: for each release a page that leads to the newest, and the lists to choose from.

A page is made again when a release that it tells of changes; which these are is found without looking at
their entries. A long way is told in parts, so all pages together grow with the number of releases.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bindery.kinds.release import Release
from bindery.library import Library
from bindery.outputs.pages import items, sections, shelves
from bindery.outputs.pages.items import CRUMBS, RELEASES, Support, reasons
from bindery.outputs.pages.press import Head, PagePlan, Row, Templates
from bindery.support import Answer, KnownIssue
from bindery.upgrade import ORDER, WHOLE, Ways, resolved

TITLE = "Upgrade guide"
CRUMB = (TITLE, "/upgrade/")


class Line(NamedTuple):
    """An entry or a note as a page shows it: `text` is Markdown, `version` says where it stands."""

    id: str
    text: str
    version: str
    url: str


class Leg(NamedTuple):
    """What decides a page besides the releases that it tells of."""

    name: str
    goal: str
    newest: str
    start_support: Support | None
    goal_support: Support | None
    known: tuple[KnownIssue, ...]
    had: frozenset[str]
    losses: tuple[Line, ...]


def plans(
    library: Library,
    answers: Mapping[tuple[str, str], Answer],
    known: Mapping[tuple[str, str], tuple[KnownIssue, ...]],
    templates: Templates,
) -> Iterator[PagePlan]:
    cards = tuple(
        Row(f"/upgrade/{product.product}/", product.name, None, "From your release to the newest.")
        for product in library.products
    )
    told = "What changes for you, what you must not skip, and what is known, from your release to the newest."
    yield from sections.section(
        library, templates, "upgrade/", RELEASES, told, (), (), cards=cards, title=TITLE, empty=""
    )
    for product in library.products:
        ways = Ways(library, product.product)
        rows = [
            Row(
                f"/upgrade/{product.product}/{release.version}/",
                f"From {release.version}",
                release.released,
                "",
                (("Version", "version"),) if release.release_kind == "version" else (("Update", "update"),),
            )
            for release in ways.releases
        ]
        yield from sections.section(
            library,
            templates,
            f"upgrade/{product.product}/",
            RELEASES,
            "Choose the release that you have. The days are those of its release.",
            shelves.newest_first(rows),
            sections.DATED,
            crumbs=(CRUMB,),
            title=f"Upgrade {product.name}",
            empty=f"No release of {product.name} is out yet.",
        )
        defects = frozenset(defect.id for defect in library.defects)
        marks = {release.version: _mark(library, release) for release in ways.releases}
        for release in ways.releases:
            yield _page(library, answers, known, templates, ways, release, product.name, defects, marks)


def _mark(library: Library, release: Release) -> str:
    """A digest of what guides show of a release; the rest of its text makes no guide again."""
    shown = (
        release.version,
        release.url,
        release.released,
        items.changed(release),
        release.sample,
        release.requires_stop,
        [(entry.id, entry.section, entry.text) for entry in release.entries],
        release.notes,
        library.values_of(release),
    )
    return hashlib.blake2b(repr(shown).encode(), digest_size=16).hexdigest()


def _page(
    library: Library,
    answers: Mapping[tuple[str, str], Answer],
    known: Mapping[tuple[str, str], tuple[KnownIssue, ...]],
    templates: Templates,
    ways: Ways,
    start: Release,
    name: str,
    defects: frozenset[str],
    marks: Mapping[str, str],
) -> PagePlan:
    newest = ways.newest or start
    way = ways.leg(start)
    goal = way[-1] if way else newest
    last = goal is newest

    def line(text: str, release: Release, entry_id: str = "") -> Line:
        return Line(entry_id, resolved(library, release, text), release.version, f"/{release.url}")

    open_there = known[goal.product, goal.version] if last else ()
    open_here = {issue.id for issue in known[start.product, start.version]}
    leg = Leg(
        name=name,
        goal=goal.version,
        newest=newest.version if last else "",
        start_support=reasons(answers[start.product, start.version]),
        goal_support=reasons(answers[goal.product, goal.version]) if last else None,
        known=open_there,
        had=frozenset(issue.id for issue in open_there if issue.id in open_here),
        losses=tuple(
            line(gain.entry.text, gain.release, gain.entry.id) for gain in ways.losses(start, goal, WHOLE)
        )
        if last
        else (),
    )

    def head() -> Head:
        return Head(
            title=f"Upgrade {name} from {start.version}"
            if start is newest
            else f"Upgrade {name} from {start.version} to {goal.version}",
            description=f"What changes from {start.version} to {goal.version}, and what you must not skip.",
            section=RELEASES,
            crumbs=(CRUMBS[RELEASES], CRUMB, (name, f"/upgrade/{start.product}/")),
            short=f"From {start.version}",
            kind="upgrade",
            updated=max((day for one in (start, *way) if (day := items.changed(one))), default=None),
        )

    def values() -> dict[str, object]:
        gains: dict[str, list[Line]] = {}
        for gain in ways.gains(start, way):
            gains.setdefault(gain.entry.section, []).append(
                line(gain.entry.text, gain.release, gain.entry.id)
            )
        notes = [
            (
                release,
                tuple(dict.fromkeys(note.section for note in release.notes)),
                [(note.section, line(note.text, release)) for note in release.notes if note.text],
            )
            for release in way
            if release.notes
        ]
        return {
            "start": start,
            "goal": goal,
            "leg": leg,
            "way": way,
            "stops": [one for one in way if one.requires_stop and one is not newest],
            "gains": [(section, gains[section]) for section in ORDER if section in gains],
            "notes": notes,
            "defects": defects,
        }

    # A set's repr has no order, so it is sorted; which ids have a page counts only for what is shown.
    shown = defects & {entry.id for one in way for entry in one.entries} if defects else ()
    return templates.plan(
        f"upgrade/{start.product}/{start.version}/",
        "pages/upgrade.md",
        head,
        values,
        leg._replace(had=frozenset()),
        sorted(leg.had),
        sorted(shown),
        (start.version, start.url, start.released, items.changed(start), start.sample),
        [marks[one.version] for one in way],
        ways.repeated(start, way),
    )
