"""The page of each thing in the library: release, issue, paper, event, defect, policy, article.

A page's context holds only what it shows and what its own file does not say: its neighbours, its support
dates and their reasons, which ids have a page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import cached_property, lru_cache, partial
from typing import NamedTuple

from bindery import opening, prose
from bindery.kinds.issue import Issue
from bindery.kinds.item import Item
from bindery.kinds.policy import Policy
from bindery.kinds.release import Release
from bindery.library import Library
from bindery.outputs.pages import words
from bindery.outputs.pages.press import Head, PagePlan, Templates
from bindery.source import digest_of
from bindery.support import PLACE, Answer
from bindery.tables import Table

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
COPY = "assets/js/copy.js"  # the buttons that copy a number, a checksum, a citation
ROLES = {"host": "Host", "exhibitor": "Exhibitor", "speaker": "Speaker"}
ENTRY = re.compile(r"^([-*+][ \t]+(?:\*\*)?)([A-Z][A-Z0-9]*(?:-\d+)+)(?=(?:\*\*)?:)", re.MULTILINE)

DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


class Level(NamedTuple):
    """A tier of support as readers are told it."""

    name: str
    ends: date | None
    ends_after_next: str
    because: tuple[str, ...]
    at_latest: date | None


class Support(NamedTuple):
    ends: date | None
    ends_after_next: str
    because: tuple[str, ...]
    tiers: tuple[Level, ...] = ()


class KnownRow(NamedTuple):
    """A known issue as the pages of all releases that have it show it."""

    id: str
    title: str
    url: str
    workaround: str
    fixes: tuple[Neighbour, ...]


class Shown(NamedTuple):
    """The known issues on one release's page: `marks` decide them, `left_out` more are not listed."""

    issues: tuple[KnownRow, ...]
    left_out: int
    marks: tuple[str, ...]

    def __repr__(self) -> str:  # the key of the page: every release of a line would spell all of them out
        return f"{self.left_out} {self.marks}"


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
            Level(tier.name, tier.ends, tier.ends_after_next, tuple(map(_told, tier.because)), tier.at_latest)
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
    """Release notes in which `- CW-1234: …` can be pointed at by its id, and leads to the page of that defect
    where there is one. `ids` have a page. Code is left alone."""
    known = frozenset(ids)
    told: set[str] = set()
    made, end = [], 0
    for match in ENTRY.finditer(prose.without_code(body)):
        entry_id = match[2]
        anchor = "" if entry_id in told else f"#{entry_id}"
        told.add(entry_id)
        if entry_id in known:
            link = f"[{entry_id}](/defects/{entry_id}/)" + (f"{{: {anchor} }}" if anchor else "")
        else:
            link = f'<span id="{entry_id}">{entry_id}</span>' if anchor else entry_id
        made += [body[end : match.start(2)], link]
        end = match.end(2)
    return "".join([*made, body[end:]])


def releases(
    library: Library,
    answers: Mapping[tuple[str, str], Answer],
    issues_of: Callable[[Release], Shown],
    templates: Templates,
    table: Table,
) -> Iterator[PagePlan]:
    """Each release with its panel. `issues_of` gives what is known to be wrong with one; `table` keeps what
    decides the panels as long as no fact changes."""
    made = _Contexts(library, answers, issues_of)
    marks = table("panels", made.key(), made.marks)
    for release in library.releases:
        name = made.names[release.product]
        yield _of_item(
            library,
            templates,
            release,
            "pages/release.md",
            lambda release=release, name=name: Head(  # type: ignore[misc]
                title=f"{name} {release.version}",
                description=release.summary,
                section=RELEASES,
                crumbs=(CRUMBS[RELEASES], (name, f"/releases/{release.product}/")),
                short=release.version,
                kind="release",
                updated=changed(release),
                scripts=(COPY,) if release.files else (),
                feeds=((f"releases/{release.product}", f"Releases of {name}"),),
            ),
            partial(made.values, release),
            marks[release.path],
        )


class _Contexts:
    """What the pages of releases show beside their own files."""

    def __init__(
        self,
        library: Library,
        answers: Mapping[tuple[str, str], Answer],
        issues_of: Callable[[Release], Shown],
    ) -> None:
        self.names = {product: name_of(library, product) for product in {r.product for r in library.releases}}
        self._library = library
        self._answers = answers
        self._issues_of = issues_of
        self._about = papers_about(library)

    def key(self) -> str:
        """What decides all of them."""
        return f"{self._library.facts} {digest_of(repr(self._about))}"

    def marks(self) -> dict[str, str]:
        """By path what decides the context of each."""
        return {release.path: digest_of(repr(self.of(release))) for release in self._library.releases}

    def values(self, release: Release) -> dict[str, object]:
        """What the template of a release's page is filled with."""
        context = self.of(release)
        body = linked(self._library.resolved_body(release), context.known)
        return {"item": release, "c": context, "body": body}

    @cached_property
    def _after(self) -> dict[str, list[Release]]:
        after: dict[str, list[Release]] = {}
        for release in self._library.releases:
            previous = self._library.predecessor(release)
            if previous:
                after.setdefault(previous.path, []).append(release)
        return after

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(defect.id for defect in self._library.defects)

    def of(self, release: Release) -> ReleaseContext:
        library, known, key = self._library, self._known, (release.product, release.version)
        following = [Neighbour(n.version, f"/{n.url}", n.released) for n in self._after.get(release.path, ())]
        return ReleaseContext(
            name=self.names[release.product],
            support=reasons(self._answers.get(key)),
            of=neighbour(library.release(release.product, release.of)) if release.of else None,
            previous=neighbour(library.predecessor(release)),
            following=tuple(sorted(following, key=lambda n: (n.day, n.label))),
            known=tuple(e.id for e in release.entries if e.id in known) if known else (),
            security=tuple((cve, _defect_url(library, cve)) for cve in release.security),
            papers=self._about.get(key, ()),
            issues=self._issues_of(release),
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
    issues: Shown


def _defect_url(library: Library, defect_id: str) -> str:
    defect = library.defect(defect_id)
    return f"/{defect.url}" if defect else ""


def neighbour(release: Release | None) -> Neighbour | None:
    return Neighbour(release.version, f"/{release.url}", release.released) if release else None


def _of_item(
    library: Library,
    templates: Templates,
    item: Item,
    template: str,
    head: Callable[[], Head],
    values: Callable[[], Mapping[str, object]],
    *context: object,
) -> PagePlan:
    # Where links lead follows from the digest: an address is made from a file's path alone, and a link to
    # nothing is an error before this. (The path of the site itself is part of the templates' stamp.)
    return templates.plan(item.url, template, head, values, library.mark(item), *context)


def issues(library: Library, templates: Templates) -> Iterator[PagePlan]:
    ordered = sorted(library.issues, key=lambda issue: (issue.date, issue.title))
    for place, issue in enumerate(ordered):
        previous = _titled(ordered[place - 1]) if place else None
        following = _titled(ordered[place + 1]) if place + 1 < len(ordered) else None
        yield titled(library, templates, issue, "pages/issue.md", NEWSLETTER, previous, following)


def _titled(issue: Issue) -> Neighbour:
    return Neighbour(issue.title, f"/{issue.url}", issue.date)


def titled(
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

    return _of_item(library, templates, item, template, head, values, context, trail, day)


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
    yield titled(library, templates, item, "pages/policy.md", POLICY, context)


def pages(library: Library, templates: Templates, taken: frozenset[str]) -> Iterator[PagePlan]:
    """Articles. One at an address that a list takes is the list's introduction, not a page."""
    for page in library.pages:
        if page.url in taken:
            continue
        folder = page.url.split("/", 1)[0]
        section = {"help": HELP, "policy": POLICY, "support": SUPPORT}.get(folder, "")
        yield titled(library, templates, page, "pages/page.md", section)
