"""Pages about what is wrong: each defect with its life, the known issues of a release, the list of CVEs.

All of it comes from `lives` and `support.known_issues`. A page's context holds only the releases that it
names, so a release that changes nothing of a defect makes no page of it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from bindery.kinds.defect import Defect, Score
from bindery.kinds.release import Release
from bindery.library import FIXING, Library, age, natural
from bindery.lives import FIXED, OPEN, PARTLY, Fix, Known, Life, OnLine, first_fixes
from bindery.outputs.pages import items
from bindery.outputs.pages.items import CRUMBS, DEFECTS, KnownRow, Neighbour, Shown
from bindery.outputs.pages.press import Head, PagePlan, Templates
from bindery.support import KnownIssue

SECURITY = "defects/security/"
NAMED = 8  # affected releases of a line that a page names; of more it names the first and the last
LISTED = 25  # known issues that a release's page lists
WHOLE = 100  # CVEs after which each year's stand on a page of their own
WORDS = {PARTLY: "Fixed in part"}


def in_words(state: str) -> str:
    """A state as a reader meets it."""
    return WORDS.get(state, state.capitalize())


def flavour(state: str) -> str:
    """The look of a state's mark."""
    return {OPEN: "open", PARTLY: "open", FIXED: "fixed"}.get(state, "plain")


class Told(NamedTuple):
    """A fix: the release, and what its notes say. The link leads to the very entry."""

    label: str
    url: str
    day: date
    text: str


class Line(NamedTuple):
    """A defect on one line of versions. `affected` are named; `left_out` more stand before its last."""

    label: str
    affected: tuple[Neighbour, ...]
    left_out: int
    fixes: tuple[Told, ...]
    first: tuple[Told, ...]
    clear: tuple[Neighbour, ...]


class About(NamedTuple):
    """What a defect's page shows beside its own file."""

    name: str
    state: str
    flavour: str
    found: tuple[Neighbour, ...]
    lines: tuple[Line, ...]
    severity: tuple[tuple[Score, str], ...]
    same: tuple[Neighbour, ...]
    original: Neighbour | None


def plans(library: Library, lives: Mapping[str, Life], templates: Templates) -> Iterator[PagePlan]:
    """The page of each defect."""
    for defect in library.defects:
        life = lives[defect.id]
        about = about_of(library, life)
        yield items.titled(
            library,
            templates,
            defect,
            "pages/defect.md",
            DEFECTS,
            about,
            day=day_of(life),
            trail=(("Security", f"/{SECURITY}"),) if defect.cve else (),
        )


def about_of(library: Library, life: Life) -> About:
    defect = life.defect
    original = library.original(defect.id) if defect.duplicate_of else None
    found = (library.release(defect.product, version) for version in defect.found_in)
    return About(
        name=items.name_of(library, defect.product),
        state=in_words(life.state),
        flavour=flavour(life.state),
        found=tuple(_named(release) for release in found if release),
        lines=tuple(_line(library, defect, line, len(life.lines)) for line in life.lines),
        severity=tuple((score, score.severity) for score in defect.cvss),
        same=tuple(_titled(same) for same in library.duplicates.get(defect.id, ())),
        original=_titled(original) if original else None,
    )


def _titled(defect: Defect) -> Neighbour:
    return Neighbour(f"{defect.id}: {defect.title}", f"/{defect.url}")


def _named(release: Release) -> Neighbour:
    return Neighbour(release.version, f"/{release.url}", release.released)


def _line(library: Library, defect: Defect, line: OnLine, count: int) -> Line:
    affected = line.affected
    left_out = max(len(affected) - NAMED, 0)
    if left_out:
        affected = (*affected[: NAMED - 1], affected[-1])
    label = f"Line {line.line}" if line.line else "Every line" if count == 1 else "The other line"
    if line.product != defect.product:
        label = f"{items.name_of(library, line.product)}{f', line {line.line}' if line.line else ''}"
    return Line(
        label=label,
        affected=tuple(_named(release) for release in affected),
        left_out=left_out,
        fixes=tuple(map(_fix, line.fixes)),
        first=tuple(map(_fix, line.first)),
        clear=tuple(_named(release) for release in line.clear),
    )


def _fix(fix: Fix) -> Told:
    release = fix.release
    return Told(release.version, f"/{release.url}#{fix.entry_id}", release.released, fix.text)


def day_of(life: Life) -> date | None:
    """The day that a defect's page last changed on: as told, or that of the newest release on it."""
    defect = life.defect
    days = [release.released for release in (*life.affected, *(fix.release for fix in life.fixes))]
    return defect.updated or max([*days, *([defect.date] if defect.date else [])], default=None)


# Known issues of a release


class IssuesOf:
    """Makes the known issues of each release; what many releases share is made once."""

    def __init__(self, library: Library, known: Known) -> None:
        self._library = library
        self._known = known
        self._made: dict[tuple[str, str, str], tuple[KnownRow, str]] = {}

    def of(self, release: Release) -> Shown:
        every = sorted(self._known[release.product, release.version], key=lambda issue: natural(issue.id))
        made = [self._issue(release.product, issue) for issue in every[:LISTED]]
        return Shown(
            tuple(issue for issue, _ in made),
            max(len(every) - LISTED, 0),
            tuple(mark for _, mark in made),
        )

    def _issue(self, product: str, issue: KnownIssue) -> tuple[KnownRow, str]:
        key = (product, issue.id, issue.url)
        known = self._made.get(key)
        if known is None:
            named = [self._library.release(product, version) for version in issue.fixed_in]
            fixes = [fix for fix in named if fix]
            if len(fixes) > 1:
                fixes = list(first_fixes(self._library, self._having(issue.id, fixes), fixes))
            page = self._library.defect(issue.id)
            told = KnownRow(
                issue.id,
                page.title if page else issue.title,
                f"/{issue.url}",
                issue.workaround,
                tuple(_named(fix) for fix in fixes),
            )
            mark = hashlib.blake2b(repr(told).encode(), digest_size=12).hexdigest()
            known = self._made[key] = (told, mark)
        return known

    def _having(self, issue_id: str, fixes: Sequence[Release]) -> set[str]:
        """The paths of the releases just before a fix that have the issue."""
        return {
            before.path
            for fix in fixes
            if (before := self._library.predecessor(fix))
            if any(issue.id == issue_id for issue in self._known[before.product, before.version])
        }


# Security


class Advisory(NamedTuple):
    """A row of the list of CVEs: one weakness in one product."""

    cve: str
    year: str
    product: str
    title: str
    url: str
    state: str
    flavour: str
    severity: tuple[tuple[Score, str], ...]
    lines: tuple[Line, ...]
    day: date | None
    sample: bool


def security(library: Library, lives: Mapping[str, Life], templates: Templates) -> Iterator[PagePlan]:
    """Every CVE that a defect's page or a release names; of many each year has a page of its own."""
    rows = advisories(library, lives)
    if len(rows) <= WHOLE:
        yield _index(templates, SECURITY, "Security", rows, (), ())
        return
    years: dict[str, list[Advisory]] = {}
    for row in rows:
        years.setdefault(row.year, []).append(row)
    order = sorted(years, reverse=True)
    yield _index(templates, SECURITY, "Security", (), tuple((year, len(years[year])) for year in order), ())
    for year in order:
        crumbs = (("Security", f"/{SECURITY}"),)
        yield _index(templates, f"{SECURITY}{year}/", f"Security: CVEs of {year}", years[year], (), crumbs)


def advisories(library: Library, lives: Mapping[str, Life]) -> list[Advisory]:
    """The rows, the newest CVE first."""
    rows = []
    told: set[tuple[str, str]] = set()
    for defect in library.defects:
        if defect.duplicate_of or not defect.cve:
            continue
        life = lives[defect.id]
        about = about_of(library, life)
        for cve in defect.cve:
            told.add((defect.product, cve))
            rows.append(_advisory(cve, life, about))
    others: dict[tuple[str, str], list[Release]] = {}
    for release in library.releases:
        for cve in release.security:
            if (release.product, cve) not in told:
                others.setdefault((release.product, cve), []).append(release)
    for (product, cve), releases in others.items():
        rows.append(_only_released(library, product, cve, releases))
    return sorted(sorted(rows, key=lambda row: row.product), key=lambda row: natural(row.cve), reverse=True)


def _advisory(cve: str, life: Life, about: About) -> Advisory:
    defect = life.defect
    return Advisory(
        cve=cve,
        year=cve.split("-")[1],
        product=about.name,
        title=defect.title,
        url=f"/{defect.url}",
        state=about.state,
        flavour=about.flavour,
        severity=about.severity,
        lines=about.lines,
        day=defect.date or min((fix.release.released for fix in life.fixes), default=None),
        sample=defect.sample,
    )


def _only_released(library: Library, product: str, cve: str, releases: Sequence[Release]) -> Advisory:
    """A CVE without a page: which releases fix it is all that is known."""
    by_line: dict[str, list[Release]] = {}
    for release in sorted(releases, key=age):
        by_line.setdefault(library.line_of(release), []).append(release)
    return Advisory(
        cve=cve,
        year=cve.split("-")[1],
        product=items.name_of(library, product),
        title=releases[0].summary,
        url="",
        state=in_words(FIXED),
        flavour=flavour(FIXED),
        severity=(),
        lines=tuple(
            Line(
                f"Line {line}" if line else "Every line",
                (),
                0,
                told := tuple(_fix_of(release, cve) for release in fixes),
                told[:1],
                (),
            )
            for line, fixes in by_line.items()
        ),
        day=min(release.released for release in releases),
        sample=all(release.sample for release in releases),
    )


def _fix_of(release: Release, cve: str) -> Told:
    entry = next((e for e in release.entries if e.id == cve and e.section in FIXING), None)
    anchor = f"#{entry.id}" if entry else ""
    return Told(release.version, f"/{release.url}{anchor}", release.released, "")


def _index(
    templates: Templates,
    url: str,
    title: str,
    rows: Sequence[Advisory],
    years: tuple[tuple[str, int], ...],
    crumbs: tuple[tuple[str, str], ...],
) -> PagePlan:
    days = [row.day for row in rows if row.day]
    days += [fix.day for row in rows for line in row.lines for fix in line.fixes]
    shown = tuple(rows)

    def head() -> Head:
        return Head(
            title=title,
            description="Weaknesses with a CVE id: what is affected, and what fixes it on each line.",
            section=DEFECTS,
            crumbs=(CRUMBS[DEFECTS], *crumbs),
            kind="security",
            updated=max(days, default=None),
            layout="wide",
        )

    def values() -> dict[str, object]:
        return {"rows": shown, "years": years, "title": title, "url": url}

    return templates.plan(url, "pages/security.md", head, values, title, shown, years)
