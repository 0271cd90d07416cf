"""Lives: what becomes of each defect, on every line: found in, affects, fixed in, state, and why.

What a release suffers from `support.known_issues` decides, and nobody else; this module turns its answer
round, from a release's issues to a defect's releases. It must not know how a page looks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from bindery.kinds.defect import Defect
from bindery.kinds.release import Release
from bindery.library import FIXING, Library, age, natural
from bindery.support import KnownIssue

Known = Mapping[tuple[str, str], tuple[KnownIssue, ...]]
OPEN, PARTLY, FIXED, DUPLICATE = "open", "partly fixed", "fixed", "duplicate"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fix:
    """A release that fixes a defect, and what its notes say of it, as plain text; `line` of that file."""

    release: Release
    entry_id: str
    text: str
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class OnLine:
    """A defect's life on one line of versions of a product; all releases from old to new.

    `first` are the fixes that end it for those who come from a release that has it; the other fixes say it
    again. `still` are those that have it and that no other builds on: nothing newer there is without it.
    `clear` are those that its page says do not have it although no entry fixes it.
    """

    product: str
    line: str
    affected: tuple[Release, ...]
    fixes: tuple[Fix, ...]
    first: tuple[Fix, ...]
    clear: tuple[Release, ...]
    still: tuple[Release, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Life:
    """`state` is one of `open`, `partly fixed`, `fixed`, `duplicate`, or what only the author can know."""

    defect: Defect
    state: str
    lines: tuple[OnLine, ...]

    @property
    def affected(self) -> tuple[Release, ...]:
        return tuple(release for line in self.lines for release in line.affected)

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """Every fix, by product and then from the oldest release to the newest."""
        fixes = [fix for line in self.lines for fix in line.fixes]
        return tuple(sorted(fixes, key=lambda fix: (fix.release.product, *age(fix.release))))

    @property
    def still(self) -> tuple[Release, ...]:
        return tuple(release for line in self.lines for release in line.still)


def lives(library: Library, known: Known) -> dict[str, Life]:
    """The life of every defect, by id. `known` is what `support.known_issues` says of this library."""
    affected: dict[str, list[Release]] = defaultdict(list)
    pages = {defect.id for defect in library.defects}
    if not pages:
        return {}
    for release in library.releases:
        for issue in known[release.product, release.version]:
            if issue.id in pages:
                affected[issue.id].append(release)
    before = (library.predecessor(release) for release in library.releases)
    built_on = {(release.product, release.version) for release in before if release}
    found: dict[str, Life] = {}
    for defect in library.defects:
        fixes = [fix for release in library.fixes_of(defect) for fix in _fixes(library, defect, release)]
        found[defect.id] = _life(library, defect, affected[defect.id], fixes, built_on)
    return found


def _fixes(library: Library, defect: Defect, release: Release) -> list[Fix]:
    names = {defect.id, *(same.id for same in library.duplicates.get(defect.id, ()))}
    return [
        Fix(release=release, entry_id=entry.id, text=library.told(entry), line=entry.line)
        for entry in release.entries
        if entry.section in FIXING and entry.id in names
    ][:1]


def _life(
    library: Library,
    defect: Defect,
    affected: list[Release],
    fixes: list[Fix],
    built_on: set[tuple[str, str]],
) -> Life:
    clear = [found for version in defect.not_in if (found := library.release(defect.product, version))]
    every = {release.path: release for release in (*affected, *(fix.release for fix in fixes), *clear)}
    order = sorted(every.values(), key=age)
    groups: dict[tuple[str, str], list[Release]] = {}
    for release in order:
        groups.setdefault((release.product, library.line_of(release)), []).append(release)
    has = {release.path for release in affected}
    by_path = {fix.release.path: fix for fix in fixes}
    free = {release.path for release in clear}
    first = {release.path for release in first_fixes(library, has, [fix.release for fix in fixes])}
    lines = tuple(
        OnLine(
            product=product,
            line=line,
            affected=tuple(release for release in releases if release.path in has),
            fixes=tuple(by_path[release.path] for release in releases if release.path in by_path),
            first=tuple(by_path[release.path] for release in releases if release.path in first),
            clear=tuple(release for release in releases if release.path in free),
            still=tuple(
                release
                for release in releases
                if release.path in has and (release.product, release.version) not in built_on
            ),
        )
        for (product, line), releases in sorted(groups.items(), key=lambda group: _place(defect, *group[0]))
    )
    return Life(defect=defect, state=_state(defect, lines), lines=lines)


def _place(defect: Defect, product: str, line: str) -> tuple[object, ...]:
    return (product != defect.product, product, natural(line))


def first_fixes(library: Library, affected: Container[str], fixes: Sequence[Release]) -> tuple[Release, ...]:
    """Of the releases that fix something, those that build on one that has it: its path is in `affected`.

    Where none does (it was found too late, or the fix came from another product) all of them.
    """
    first = []
    for fix in fixes:
        before = library.predecessor(fix)
        if before and before.path in affected:
            first.append(fix)
    return tuple(first or fixes)


def _state(defect: Defect, lines: tuple[OnLine, ...]) -> str:
    if defect.duplicate_of:
        return DUPLICATE
    if defect.state not in ("", OPEN, FIXED):  # those two follow from the notes, whatever is written
        return defect.state
    if not any(line.fixes or line.clear for line in lines):
        return OPEN
    return PARTLY if any(line.still for line in lines) else FIXED


def because(library: Library, life: Life) -> tuple[str, ...]:
    """The reasons of a life, each with file and line."""
    defect = life.defect
    if defect.duplicate_of:
        return (f"it is the same as {defect.duplicate_of} ({defect.where('duplicate_of')})",)
    reasons = [
        f"{same.id} was found in {', '.join(same.found_in)} ({same.where('found_in')})"
        for same in (defect, *library.duplicates.get(defect.id, ()))
    ]
    if defect.state == life.state and life.state not in (OPEN, FIXED):
        reasons.append(f"its page says '{defect.state}' ({defect.where('state')})")
    for fix in life.fixes:
        named = f"{library.name_of(fix.release)}, released on {fix.release.released}, fixes it"
        reasons.append(f"{named} ({fix.release.path}:{fix.line})")
    for line in life.lines:
        for release in line.clear:
            reasons.append(f"{library.name_of(release)} does not have it ({defect.where('not_in')})")
        if line.still:
            names = ", ".join(library.name_of(release) for release in line.still)
            reasons.append(f"no release that builds on {names} is without it")
    if not life.fixes and not any(line.clear for line in life.lines):
        reasons.append("no release's notes say that they fix it")
    return tuple(reasons)
