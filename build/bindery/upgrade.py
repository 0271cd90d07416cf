"""Upgrades: what a reader gains, must do and must know on the way from one release to another.

Entries count by id: a fix that was brought back to an older line is not new to those who have it. The law is
section 3 of the design: from A to C is what is between A and B and between B and C. This module decides what
belongs into a guide; it must not know how one looks.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from bindery.kinds.release import Release
from bindery.library import FIXING, KNOWN, Library, age
from bindery.prose import Entry
from bindery.support import Answer, KnownIssue

BREAKING, SECURITY = "Breaking changes", "Security"
ORDER = (BREAKING, SECURITY, "New", "Changed", "Fixed", "Requirements", "Upgrade notes")
WHOLE = 400  # entries: a way that has no more is told at once
WHOLE_RELEASES = 60
ENOUGH = 30  # entries: a part of a longer way ends with the release that brings them to this
ENOUGH_RELEASES = 10
AHEAD = 40  # releases with breaking changes, security fixes or stops that a part tells beyond its end

Answers = Mapping[tuple[str, str], Answer]
Known = Mapping[tuple[str, str], tuple[KnownIssue, ...]]


def told(release: Release) -> tuple[Entry, ...]:
    """What a release's notes tell of an upgrade, point by point: its entries without the known issues, the
    points that have no id, and a CVE of its front matter that no entry names."""
    entries = [entry for entry in release.entries if entry.section != KNOWN]
    if not (release.unnumbered or release.security):
        return tuple(entries)
    named = {entry.id for entry in entries}
    return (
        *entries,
        *release.unnumbered,
        *(
            Entry(cve, SECURITY, release.summary, release.lines.get("security", 1))
            for cve in release.security
            if cve not in named
        ),
    )


def key_of(release: Release, entry: Entry) -> str:
    """What makes two points the same: the id. One without an id is that of its release alone."""
    return entry.id or f"{release.version}:{entry.line}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Gain:
    """A point, and the release that brings it."""

    entry: Entry
    release: Release

    @property
    def breaking(self) -> bool:
        return self.entry.section == BREAKING

    @property
    def security(self) -> bool:
        return self.entry.section == SECURITY or self.entry.id in self.release.security


@dataclass(frozen=True, kw_only=True, slots=True)
class Guide:
    """From `start` to `goal`.

    `relation` is `forward` (the goal builds on the start), `aside` (both build on a third release), `apart`
    (no release leads from one to the other), `back` or `same`. `way` is every release of the goal's past that
    the start does not contain, from old to new, the goal last; `stops` are those that an upgrade may not
    skip. `gains` stand in the order of ORDER and then of the way; `had` are points of the way that the start
    has already, `losses` fixes that the start has and the goal lacks. `update` is the newest update of the
    start's version. `more` is true where the goal is only the end of a first part; `ahead` then tells what
    is grave beyond it, and `ahead_cut` whether that is not all.
    """

    start: Release
    goal: Release
    relation: str
    way: tuple[Release, ...]
    stops: tuple[Release, ...]
    gains: tuple[Gain, ...]
    had: tuple[Gain, ...]
    losses: tuple[Gain, ...]
    known: tuple[KnownIssue, ...]
    known_at_start: frozenset[str]
    update: Release | None
    more: bool = False
    ahead: tuple[Gain, ...] = ()
    ahead_stops: tuple[Release, ...] = ()
    ahead_cut: bool = False


class Ways:
    """Which release contains which, for one product: asked often, so reckoned once.

    Predecessors make a tree. A release contains another when it stands below it, and two numbers for each,
    taken on one walk, tell that at once.
    """

    def __init__(self, library: Library, product: str) -> None:
        self.library = library
        self.product = product
        self.releases = library.releases_of(product)
        self.before = {release.version: library.predecessor(release) for release in self.releases}

    @cached_property
    def _spans(self) -> dict[str, tuple[int, int]]:
        below: dict[str, list[str]] = {}
        roots = []
        for release in self.releases:
            before = self.before[release.version]
            if before:
                below.setdefault(before.version, []).append(release.version)
            else:
                roots.append(release.version)
        first: dict[str, int] = {}
        spans: dict[str, tuple[int, int]] = {}
        steps = [(root, False) for root in reversed(roots)]
        while steps:
            version, done = steps.pop()
            if done:
                spans[version] = (first[version], len(first))
                continue
            first[version] = len(first)
            steps.append((version, True))
            steps += [(later, False) for later in below.get(version, ())]
        return spans

    @cached_property
    def _holders(self) -> dict[str, tuple[str, ...]]:
        # Nearly every point has one holder, so the releases' own tuples serve: a list each would cost much.
        alone = {release.version: (release.version,) for release in self.releases}
        holders: dict[str, tuple[str, ...]] = {}
        for release in self.releases:
            own = alone[release.version]
            for entry in told(release):
                key = key_of(release, entry)
                other = holders.get(key)
                holders[key] = other + own if other else own
        return holders

    def contains(self, release: Release, version: str) -> bool:
        """Whether the release is that one or builds on it."""
        first, last = self._spans[version]
        return first <= self._spans[release.version][0] < last

    def has(self, release: Release, key: str) -> bool:
        """Whether the release, or what it builds on, has that point."""
        return any(self.contains(release, version) for version in self._holders.get(key, ()))

    @cached_property
    def shared(self) -> dict[str, tuple[str, ...]]:
        """By version the ids of its points that other releases have too."""
        shared: dict[str, list[str]] = {}
        for key, versions in self._holders.items():
            if len(versions) > 1:
                for version in versions:
                    shared.setdefault(version, []).append(key)
        return {version: tuple(keys) for version, keys in shared.items()}

    def repeated(self, start: Release, way: Iterable[Release]) -> tuple[str, ...]:
        """The ids of what stands on the way and the start has already."""
        return tuple(key for one in way for key in self.shared.get(one.version, ()) if self.has(start, key))

    def had(self, start: Release, way: Iterable[Release]) -> tuple[Gain, ...]:
        """The points of the way that the start has already."""
        return tuple(
            Gain(entry=entry, release=one)
            for one in way
            if one.version in self.shared
            for entry in told(one)
            if entry.id and self.has(start, entry.id)
        )

    def relation(self, start: Release, goal: Release) -> str:
        """How the two stand to each other: see Guide."""
        if start is goal:
            return "same"
        if self.contains(goal, start.version):
            return "forward"
        if self.contains(start, goal.version):
            return "back"
        past = {one.version for one in self.library.contains(start)}
        if (goal.of or goal.version) != (start.of or start.version) and goal.of in past:
            return "back"  # an update of a version that the start has left behind
        return "aside" if any(one.version in past for one in self.library.contains(goal)) else "apart"

    def way(self, start: Release, goal: Release) -> tuple[Release, ...]:
        """What the goal contains and the start does not, from old to new."""
        return tuple(reversed(tuple(self._back(goal, start))))

    def _back(self, release: Release, until: Release) -> Iterator[Release]:
        current: Release | None = release
        while current is not None and not self.contains(until, current.version):
            yield current
            current = self.before[current.version]

    @cached_property
    def newest(self) -> Release | None:
        """The newest release of the newest version: a late update of an older version is not where to go."""
        versions = {release.version: release for release in self.releases}
        return max(
            self.releases, key=lambda one: (age(versions[one.of or one.version]), age(one)), default=None
        )

    @cached_property
    def path(self) -> tuple[Release, ...]:
        """The newest release and all that it contains, from old to new."""
        return tuple(reversed(self.library.contains(self.newest))) if self.newest else ()

    @cached_property
    def _places(self) -> dict[str, int]:
        """By version where on the path its way to the newest begins."""
        places = {release.version: place for place, release in enumerate(self.path, 1)}
        for release in self.releases:
            behind = []
            current: Release | None = release
            while current and current.version not in places:
                behind.append(current.version)
                current = self.before[current.version]
            place = places[current.version] if current else 0
            places |= dict.fromkeys(behind, place)
        return places

    @cached_property
    def _weights(self) -> list[int]:
        """How many entries stand on the path up to each of its releases."""
        sums = [0]
        for release in self.path:
            sums.append(sums[-1] + len(release.entries) + len(release.unnumbered))
        return sums

    def part(self, start: Release) -> tuple[int, int]:
        """What is told at once of the way to the newest: from where to where on the path.

        All of it, or where it is long the next releases: as many as hold ENOUGH entries. So all guides
        together grow with the number of entries, and one that ends early stays as it is when newer releases
        come.
        """
        place, end = self._places[start.version], len(self.path)
        before = self._weights[place]
        if self._weights[end] - before <= WHOLE and end - place <= WHOLE_RELEASES:
            return place, end
        enough = bisect_left(self._weights, before + ENOUGH, place)
        return place, min(enough, place + ENOUGH_RELEASES, end)

    @cached_property
    def _grave(self) -> tuple[int, ...]:
        """Where on the path something stands that everybody who passes must know."""
        return tuple(
            place
            for place, one in enumerate(self.path)
            if one.requires_stop
            or one.security
            or any(entry.section in (BREAKING, SECURITY) for entry in (*one.entries, *one.unnumbered))
        )

    def grave(self, place: int) -> tuple[tuple[Release, ...], bool]:
        """The next releases of the path, from that place on, that break, secure or stop something; and
        whether there are more of them than AHEAD."""
        first = bisect_right(self._grave, place - 1)
        places = self._grave[first : first + AHEAD]
        return tuple(self.path[one] for one in places), len(self._grave) > first + AHEAD

    @cached_property
    def _updates(self) -> dict[str, Release]:
        newest: dict[str, Release] = {}
        for release in self.releases:
            newest[release.of or release.version] = release
        return newest

    def update(self, release: Release) -> Release | None:
        """The newest update of the same version, when it is newer and not where all ways lead anyhow."""
        newest = self._updates[release.of or release.version]
        if newest is self.newest or age(newest) <= age(release):
            return None
        return newest

    def losses(self, start: Release, goal: Release) -> tuple[Gain, ...]:
        """Fixes that the start has and the goal lacks."""
        lost: dict[str, Gain] = {}
        for release in self._back(start, goal):
            for entry in told(release):
                if entry.section in FIXING and entry.id and not self.has(goal, entry.id):
                    lost[entry.id] = Gain(entry=entry, release=release)
        return tuple(lost.values())

    def gains(self, start: Release, way: Iterable[Release]) -> tuple[Gain, ...]:
        """The points of the way that the start lacks: each once, breaking changes first.

        A point that several releases of the way tell is told where it is gravest, and there by the first.
        """
        found: dict[str, Gain] = {}
        for release in way:
            for entry in told(release):
                key = key_of(release, entry)
                if self.has(start, key):
                    continue
                other = found.get(key)
                if other is None or ORDER.index(entry.section) < ORDER.index(other.entry.section):
                    found[key] = Gain(entry=entry, release=release)
        places = {release.version: place for place, release in enumerate(way)}
        return tuple(
            sorted(
                found.values(),
                key=lambda gain: (ORDER.index(gain.entry.section), places[gain.release.version]),
            )
        )


def between(ways: Ways, start: Release, goal: Release, known: Known) -> Guide:
    """The whole guide from one release to another of the same product."""
    way = ways.way(start, goal)
    return Guide(
        start=start,
        goal=goal,
        relation=ways.relation(start, goal),
        way=way,
        stops=tuple(release for release in way if release.requires_stop and release is not goal),
        gains=ways.gains(start, way),
        had=ways.had(start, way),
        losses=ways.losses(start, goal),
        known=known[goal.product, goal.version],
        known_at_start=frozenset(issue.id for issue in known[start.product, start.version]),
        update=ways.update(start),
    )


def onward(ways: Ways, start: Release, known: Known) -> Guide:
    """The guide from a release to the newest of its product, or the first part of it where that is long."""
    newest = ways.newest or start
    place, end = ways.part(start)
    if end == len(ways.path):
        return between(ways, start, newest, known)
    way = ways.path[place:end]
    goal = way[-1]
    later, cut = ways.grave(end)
    gains = ways.gains(start, (*way, *later))
    beyond = {release.version for release in later}
    return Guide(
        start=start,
        goal=goal,
        relation=ways.relation(start, goal),
        way=way,
        stops=tuple(release for release in way if release.requires_stop),
        gains=tuple(gain for gain in gains if gain.release.version not in beyond),
        had=ways.had(start, way),
        losses=(),
        known=(),
        known_at_start=frozenset(),
        update=ways.update(start),
        more=True,
        ahead=tuple(
            gain for gain in gains if gain.release.version in beyond and (gain.breaking or gain.security)
        ),
        ahead_stops=tuple(release for release in later if release.requires_stop and release is not newest),
        ahead_cut=cut,
    )
