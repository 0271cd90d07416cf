"""The page of each thing in the library: release, issue, paper, event, defect, policy, article.

A page's context holds only what it shows and what its own file does not say: its neighbours, its support
dates and their reasons, which ids have a page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from bindery import opening
from bindery.kinds.defect import Defect
from bindery.kinds.issue import Issue
from bindery.kinds.item import Item
from bindery.kinds.policy import Policy
from bindery.kinds.release import Release
from bindery.library import Library
from bindery.outputs.pages import words
from bindery.outputs.pages.press import Head, PagePlan, Templates
from bindery.support import PLACE, Answer

RELEASES, LIFE_CYCLE, DEFECTS, HELP = "Releases", "Life cycle", "Known issues", "Help"
POLICY, NEWSLETTER, PAPERS, EVENTS, SUPPORT = "Policy", "Newsletter", "Papers", "Events", "Get support"
CRUMBS = {
    RELEASES: (RELEASES, "/releases/"),
    LIFE_CYCLE: (LIFE_CYCLE, "/life-cycle/"),
    DEFECTS: (DEFECTS, "/defects/"),
    HELP: (HELP, "/help/"),
    POLICY: (POLICY, "/policy/"),
    NEWSLETTER: (NEWSLETTER, "/newsletter/"),
    PAPERS: (PAPERS, "/papers/"),
    EVENTS: (EVENTS, "/events/"),
    SUPPORT: (SUPPORT, "/support/"),
}
ROLES = {"host": "Host", "exhibitor": "Exhibitor", "speaker": "Speaker"}
ENTRY = re.compile(r"^([-*+][ \t]+(?:\*\*)?)([A-Z][A-Z0-9]*(?:-\d+)+)(?=(?:\*\*)?:)", re.MULTILINE)

DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


class Level(NamedTuple):
    """A tier of support as readers are told it."""

    name: str
    ends: date | None
    ends_after_next: str
    because: tuple[str, ...]


class Support(NamedTuple):
    ends: date | None
    ends_after_next: str
    because: tuple[str, ...]
    tiers: tuple[Level, ...] = ()


class Neighbour(NamedTuple):
    label: str
    url: str
    day: date | None = None


def name_of(library: Library, product: str) -> str:
    found = library.product(product)
    return found.name if found else product


def reasons(answer: Answer | None) -> Support | None:
    """An answer as readers are told it: days in words, and no word of files and their lines."""
    if answer is None:
        return None
    return Support(
        answer.ends,
        answer.ends_after_next,
        tuple(map(_told, answer.because)),
        tuple(
            Level(tier.name, tier.ends, tier.ends_after_next, tuple(map(_told, tier.because)))
            for tier in answer.tiers
        ),
    )


@lru_cache(maxsize=100_000)  # many updates share the reasons of one version
def _told(reason: str) -> str:
    return DAY.sub(_day_in_words, PLACE.sub("", reason))


def _day_in_words(found: re.Match[str]) -> str:
    return words.in_words(date.fromisoformat(found[0]))


def changed(item: Item) -> date | None:
    """The day that a page says it was last changed on: told by the author, else its own day."""
    own = getattr(item, "released", None) or getattr(item, "date", None)
    return item.updated or own


def linked(body: str, ids: Iterable[str]) -> str:
    """Release notes in which `- CW-1234: …` leads to the page of that defect."""
    known = frozenset(ids)
    if not known:
        return body
    return ENTRY.sub(
        lambda match: f"{match[1]}[{match[2]}](/defects/{match[2]}/)" if match[2] in known else match[0], body
    )


def releases(
    library: Library, answers: Mapping[tuple[str, str], Answer], templates: Templates
) -> Iterator[PagePlan]:
    """Each release with its panel."""
    after: dict[tuple[str, str], list[Release]] = {}
    before: dict[tuple[str, str], Release | None] = {}
    for release in library.releases:
        previous = library.predecessor(release)
        before[release.product, release.version] = previous
        if previous:
            after.setdefault((previous.product, previous.version), []).append(release)
    names = {product: name_of(library, product) for product in {r.product for r in library.releases}}
    known = frozenset(defect.id for defect in library.defects)
    about = papers_about(library)
    for release in library.releases:
        key = (release.product, release.version)
        previous = before[key]
        context = ReleaseContext(
            name=names[release.product],
            support=reasons(answers.get(key)),
            of=neighbour(library.release(release.product, release.of)) if release.of else None,
            previous=neighbour(previous),
            following=tuple(
                sorted(
                    (Neighbour(n.version, f"/{n.url}", n.released) for n in after.get(key, ())),
                    key=lambda n: (n.day, n.label),
                )
            ),
            known=tuple(e.id for e in release.entries if e.id in known) if known else (),
            security=tuple((cve, _defect_url(library, cve)) for cve in release.security),
            papers=about.get(key, ()),
        )
        yield _of_item(
            templates,
            release,
            "pages/release.md",
            lambda release=release, context=context: Head(  # type: ignore[misc]
                title=f"{context.name} {release.version}",
                description=release.summary,
                section=RELEASES,
                crumbs=(CRUMBS[RELEASES], (context.name, f"/releases/{release.product}/")),
                short=release.version,
                kind="release",
                updated=changed(release),
                feeds=((f"releases/{release.product}", f"Releases of {context.name}"),),
            ),
            lambda release=release, context=context: {  # type: ignore[misc]
                "item": release,
                "c": context,
                "body": linked(library.resolved_body(release), context.known),
            },
            context,
        )


def papers_about(library: Library) -> dict[tuple[str, str], tuple[Neighbour, ...]]:
    """By (product, version) the papers that name the release among their features, the newest first."""
    about: dict[tuple[str, str], tuple[Neighbour, ...]] = {}
    for paper in library.papers:
        for feature in paper.features:
            product, _, version = feature.partition("/")
            told = Neighbour(paper.title, f"/{paper.url}", paper.date)
            about[product, version] = (told, *about.get((product, version), ()))
    return about


class ReleaseContext(NamedTuple):
    name: str
    support: Support | None
    of: Neighbour | None
    previous: Neighbour | None
    following: tuple[Neighbour, ...]
    known: tuple[str, ...]
    security: tuple[tuple[str, str], ...]
    papers: tuple[Neighbour, ...]


def _defect_url(library: Library, defect_id: str) -> str:
    defect = library.defect(defect_id)
    return f"/{defect.url}" if defect else ""


def neighbour(release: Release | None) -> Neighbour | None:
    return Neighbour(release.version, f"/{release.url}", release.released) if release else None


def _of_item(
    templates: Templates,
    item: Item,
    template: str,
    head: Callable[[], Head],
    values: Callable[[], Mapping[str, object]],
    *context: object,
) -> PagePlan:
    # Where links lead follows from the digest: an address is made from a file's path alone, and a link to
    # nothing is an error before this. (The path of the site itself is part of the templates' stamp.)
    return templates.plan(item.url, template, head, values, item.digest, *context)


def issues(library: Library, templates: Templates) -> Iterator[PagePlan]:
    ordered = sorted(library.issues, key=lambda issue: (issue.date, issue.title))
    for place, issue in enumerate(ordered):
        previous = _titled(ordered[place - 1]) if place else None
        following = _titled(ordered[place + 1]) if place + 1 < len(ordered) else None
        yield _plain(library, templates, issue, "pages/issue.md", NEWSLETTER, previous, following)


def _titled(issue: Issue) -> Neighbour:
    return Neighbour(issue.title, f"/{issue.url}", issue.date)


def _plain(
    library: Library,
    templates: Templates,
    item: Item,
    template: str,
    section: str,
    *context: object,
    meta: Callable[[], tuple[tuple[str, str], ...]] = tuple,
    day: date | None = None,
    trail: tuple[tuple[str, str], ...] = (),
) -> PagePlan:
    def head() -> Head:
        return Head(
            title=item.title,
            description=item.summary,
            section=section,
            crumbs=((CRUMBS[section],) if section else ()) + trail,
            kind=item.kind,
            updated=day or changed(item),
            meta=meta(),
        )

    def values() -> dict[str, object]:
        return {"item": item, "c": context, "body": library.resolved_body(item)}

    return _of_item(templates, item, template, head, values, context, trail, day)


def defects(library: Library, templates: Templates) -> Iterator[PagePlan]:
    for defect in library.defects:
        found = tuple(_release_link(library, defect, version) for version in defect.found_in)
        fixed = tuple(
            Neighbour(
                release.version
                if release.product == defect.product
                else f"{name_of(library, release.product)} {release.version}",
                f"/{release.url}",
                release.released,
            )
            for release in sorted(library.fixed_in(defect.id), key=lambda r: (r.released, r.version))
        )
        yield _plain(
            library,
            templates,
            defect,
            "pages/defect.md",
            DEFECTS,
            name_of(library, defect.product),
            found,
            fixed,
            day=defect_day(library, defect),
        )


def defect_day(library: Library, defect: Defect) -> date | None:
    """The day that a defect's page last changed on: as told, or of the newest release in it."""
    found = [library.release(defect.product, version) for version in defect.found_in]
    days = [release.released for release in (*found, *library.fixed_in(defect.id)) if release]
    return defect.updated or max(days, default=None)


def _release_link(library: Library, defect: Defect, version: str) -> Neighbour:
    release = library.release(defect.product, version)
    return Neighbour(version, f"/{release.url}" if release else "", release.released if release else None)


class PolicyContext(NamedTuple):
    """What the page shows of the policy beside its prose: `closed` are the days of this year and the next."""

    names: tuple[tuple[str, str], ...]
    opening: str
    first_response: tuple[tuple[str, str], ...]
    closed: tuple[tuple[int, tuple[tuple[date, str], ...]], ...]


def policy(library: Library, templates: Templates, closed: Mapping[date, str]) -> Iterator[PagePlan]:
    """The page of the policy. `closed` are the days that the functions count as closed."""
    item: Policy = library.policy
    years = sorted({day.year for day in closed})
    context = PolicyContext(
        names=tuple((rule.product, name_of(library, rule.product)) for rule in item.rules if rule.product),
        opening=opening.hours(item.hours),
        first_response=tuple(
            (severity, opening.promised(time)) for severity, time in item.first_response.items()
        ),
        closed=tuple(
            (year, tuple((day, name) for day, name in closed.items() if day.year == year)) for year in years
        ),
    )
    yield _plain(library, templates, item, "pages/policy.md", POLICY, context)


def pages(library: Library, templates: Templates, taken: frozenset[str]) -> Iterator[PagePlan]:
    """Articles. One at an address that a list takes is the list's introduction, not a page."""
    for page in library.pages:
        if page.url in taken:
            continue
        folder = page.url.split("/", 1)[0]
        section = {"help": HELP, "policy": POLICY, "support": SUPPORT}.get(folder, "")
        yield _plain(library, templates, page, "pages/page.md", section)
