"""Upgrades: what a reader gains, must do and must know on the way from one release to another.

Entries count by id: a fix that was brought back to an older line is not new to those who have it. The law is
section 3 of the design: from A to C is what is between A and B and between B and C. This module decides what
belongs into a guide; it must not know how one looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from bindery import prose
from bindery.kinds.release import Release
from bindery.library import FIXING, Library, age
from bindery.prose import Entry
from bindery.support import Answer, KnownIssue

ORDER = ("Breaking changes", "Security", "New", "Changed", "Fixed", "Requirements", "Upgrade notes")
LEG = 10  # releases; where a way is long it is told in parts that end at every tenth release of it
WHOLE = 2 * LEG  # releases that one part tells at most

Key = tuple[str, str]


def key_of(entry: Entry) -> Key:
    """What makes two entries the same: the id, and whether both mend (Fixed and Security are one)."""
    return (entry.id, "Fixed" if entry.section in FIXING else entry.section)


@dataclass(frozen=True, kw_only=True, slots=True)
class Gain:
    """An entry, and the first release of the way that has it."""

    entry: Entry
    release: Release


@dataclass(frozen=True, kw_only=True, slots=True)
class Guide:
    """From `start` to `goal`: `way` is every release of the goal's past that the start does not contain,
    the goal last. `stops` are those that an upgrade may not skip. `gains` stand in the order of ORDER and
    then of the way; `losses` are fixes that the start has and the goal lacks."""

    start: Release
    goal: Release
    way: tuple[Release, ...]
    stops: tuple[Release, ...]
    gains: tuple[Gain, ...]
    losses: tuple[Gain, ...]
    known: tuple[KnownIssue, ...]
    start_support: Answer
    goal_support: Answer


class Ways:
    """Which release contains which, for one product: asked often, so reckoned once.

    Predecessors make a tree. A release contains another when it stands below it, and two numbers for each,
    taken on one walk, tell that at once.
    """

    def __init__(self, library: Library, product: str) -> None:
        self.library = library
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
    def _holders(self) -> dict[Key, list[str]]:
        holders: dict[Key, list[str]] = {}
        for release in self.releases:
            for entry in release.entries:
                if entry.section != "Known issues":
                    holders.setdefault(key_of(entry), []).append(release.version)
        return holders

    def contains(self, release: Release, version: str) -> bool:
        """Whether the release is that one or builds on it."""
        first, last = self._spans[version]
        return first <= self._spans[release.version][0] < last

    def has(self, release: Release, key: Key) -> bool:
        """Whether the release, or what it builds on, has the entry."""
        return any(self.contains(release, version) for version in self._holders.get(key, ()))

    @cached_property
    def _repeated(self) -> dict[str, tuple[Key, ...]]:
        return {
            release.version: tuple(
                key
                for key in (key_of(entry) for entry in release.entries if entry.section != "Known issues")
                if len(self._holders[key]) > 1
            )
            for release in self.releases
        }

    def repeated(self, start: Release, way: Iterable[Release]) -> tuple[Key, ...]:
        """What stands on the way and the start has already, found without looking at all entries."""
        return tuple(
            key for release in way for key in self._repeated[release.version] if self.has(start, key)
        )

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
    def _path(self) -> dict[str, int]:
        chain = self.library.contains(self.newest) if self.newest else ()
        return {release.version: place for place, release in enumerate(reversed(chain))}

    @cached_property
    def _places(self) -> dict[str, int]:
        places: dict[str, int] = {}
        for release in self.releases:
            behind = []
            current: Release | None = release
            while current and current.version not in places and current.version not in self._path:
                behind.append(current.version)
                current = self.before[current.version]
            place = -1
            if current:
                place = self._path.get(current.version, places.get(current.version, -1))
            places |= dict.fromkeys((*behind, release.version), place)
        return places

    @cached_property
    def _on_path(self) -> tuple[Release, ...]:
        return tuple(reversed(self.library.contains(self.newest))) if self.newest else ()

    def leg(self, start: Release) -> tuple[Release, ...]:
        """The releases that one page about this start tells: all to the newest or, where they are many, up to
        a release of the way that stays the same when newer ones come."""
        place = self._places[start.version]
        end = len(self._on_path) - 1
        if end - place > WHOLE:
            end = (max(place, 0) // LEG + 2) * LEG
        return self._on_path[place + 1 : end + 1]

    def losses(self, start: Release, goal: Release, most: int | None = None) -> tuple[Gain, ...]:
        """Fixes that the start has and the goal lacks; with `most`, of so many of the start's releases."""
        lost: dict[Key, Gain] = {}
        for number, release in enumerate(self._back(start, goal)):
            if number == most:
                break
            for entry in release.entries:
                if entry.section in FIXING and not self.has(goal, key_of(entry)):
                    lost[key_of(entry)] = Gain(entry=entry, release=release)
        return tuple(lost.values())

    def gains(self, start: Release, way: Iterable[Release]) -> tuple[Gain, ...]:
        """The entries of the way that the start lacks: each once, breaking changes first."""
        found: dict[Key, Gain] = {}
        for release in way:
            for entry in release.entries:
                key = key_of(entry)
                if entry.section != "Known issues" and key not in found and not self.has(start, key):
                    found[key] = Gain(entry=entry, release=release)
        return tuple(sorted(found.values(), key=lambda gain: ORDER.index(gain.entry.section)))


def between(
    ways: Ways,
    start: Release,
    goal: Release,
    answers: Mapping[tuple[str, str], Answer],
    known: Mapping[tuple[str, str], tuple[KnownIssue, ...]],
) -> Guide:
    """The whole guide from one release to another of the same product."""
    way = ways.way(start, goal)
    return Guide(
        start=start,
        goal=goal,
        way=way,
        stops=tuple(release for release in way if release.requires_stop and release is not goal),
        gains=ways.gains(start, way),
        losses=ways.losses(start, goal),
        known=known[goal.product, goal.version],
        start_support=answers[start.product, start.version],
        goal_support=answers[goal.product, goal.version],
    )


def resolved(library: Library, release: Release, text: str) -> str:
    """A line of release notes with its links and the policy's values as they stand on a page elsewhere."""
    plain = prose.without_code(text)
    spans = [(link.start, link.end, library.resolve(release, link.target)) for link in prose.links(plain, 1)]
    spans += [(name.start, name.end, library.values[name.name]) for name in prose.names(plain, 1)]
    for start, end, new in sorted(spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text
