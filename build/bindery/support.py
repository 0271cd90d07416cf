"""The life cycle: until when a release is supported, and why. The one place that decides.

The rules are data (`content/policy/support.md`), the source of what they mean is section 3 of the
design: a version is supported until some months after the next version on its line is released, an
update ends with its version, and a promise already made is never shortened by a later rule. Where the rules
divide support into tiers, all of this holds for each of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from bindery.fields import Duration
from bindery.kinds.defect import AS_DESIGNED
from bindery.kinds.policy import Policy, Rule
from bindery.kinds.release import Release
from bindery.library import Library

PLACE = re.compile(r"\s*\([\w./+-]+\.md:\d+\)")  # the file and line of a reason, of no use to readers


@dataclass(frozen=True, kw_only=True, slots=True)
class Tier:
    """A level of support: `ends` is its last day, None while it is open; then `ends_after_next` says how
    long after the next version's release it will be. `because` are reasons with file and line, `decided`
    the day since which the end is known. `at_latest` is the last day that an open end can be, where
    support as a whole ends on a day set by hand."""

    name: str
    ends: date | None
    ends_after_next: str
    because: tuple[str, ...]
    decided: date | None = None
    at_latest: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """`ends` is the last day of support, None while it is open; then `ends_after_next` says how long after
    the next version's release it will be, such as `12 months`. `because` are reasons with file and line.
    `decided` is the day since which the end is known: None while it is open. `tiers` are the levels of
    support where the rules have some, from the one that ends first to the one that ends with `ends`."""

    ends: date | None
    ends_after_next: str
    because: tuple[str, ...]
    decided: date | None = None
    tiers: tuple[Tier, ...] = ()

    @property
    def days(self) -> tuple[date, ...]:
        """Every end that is known: of support, and of each tier."""
        return tuple(end for end in (self.ends, *(tier.ends for tier in self.tiers)) if end)

    def until(self, tier: str) -> Tier | None:
        """The tier of that name. Support that is one thing until its end is every tier until then."""
        if not self.tiers:
            return Tier(
                name=tier,
                ends=self.ends,
                ends_after_next=self.ends_after_next,
                because=self.because,
                decided=self.decided,
            )
        return next((one for one in self.tiers if one.name == tier), None)


def rule_at(policy: Policy, product: str, day: date) -> Rule | None:
    """The rule in force for a product on a day: the latest of the most specific; None before the first."""
    in_force = [rule for rule in policy.rules if rule.since <= day and rule.product in ("", product)]
    return max(in_force, key=lambda rule: (rule.product != "", rule.since), default=None)


def answers(library: Library) -> dict[tuple[str, str], Answer]:
    """An answer for every release, by product and version."""
    found: dict[tuple[str, str], Answer] = {}
    lines: dict[tuple[str, str], list[Release]] = {}
    for release in library.releases:
        if release.release_kind == "version":
            lines.setdefault((release.product, release.line), []).append(release)
    for versions in lines.values():
        following: list[Release | None] = [*versions[1:], None]
        for version, after in zip(versions, following, strict=True):
            found[(version.product, version.version)] = _of_version(library, version, after)
    for release in library.releases:
        if release.release_kind == "update":
            found[(release.product, release.version)] = _of_update(
                release, found[(release.product, release.of)]
            )
    return found


def _of_version(library: Library, version: Release, following: Release | None) -> Answer:
    policy = library.policy
    at_release = rule_at(policy, version.product, version.released)
    if following is None:
        answer = _open(library, version, at_release, _rules_to_come(library, version))
    else:
        at_next = rule_at(policy, version.product, following.released)
        answer = _ended(library, version, following, at_release, at_next)
    return answer if version.support_ends is None else _by_hand(version, answer)


def _rules_to_come(library: Library, version: Release) -> list[Rule]:
    """The rules that may decide when the next version comes, by date: that of today and those after it."""
    policy, today = library.policy, max(library.today, version.released)
    days = [today, *(rule.since for rule in policy.rules if rule.since > today)]
    held = dict.fromkeys(rule_at(policy, version.product, day) for day in days)
    return [rule for rule in held if rule]


def _open(library: Library, version: Release, at_release: Rule | None, to_come: list[Rule]) -> Answer:
    """There is no next version: the end is open. Told is the least that any rule `to_come` would give, for
    nobody knows which will hold by then; what more a later one gives stands in the reasons."""
    released = f"{library.name_of(version)} was released on {version.released} ({version.where('released')})"
    day = version.released
    if not to_come:
        return Answer(ends=None, ends_after_next="", because=(released, "no rule of the policy speaks of it"))

    def open_end(tier: str, what: str) -> tuple[Duration, tuple[str, ...]]:
        given = [
            (later, _longest(day, tier, at_release, later))
            for later in to_come
            if any(rule and _promised(rule, tier) for rule in (at_release, later))
        ]
        _, (rule, length) = min(given, key=lambda one: one[1][1].after(day))
        more = [
            f"if that comes on {later.since} or later, for {longer} ({place.place})"
            for later, (place, longer) in given
            if later.since > library.today and longer.after(day) > length.after(day)
        ]
        return length, (
            released,
            "no next version of its line is released",
            f"{what} for {length} after the next ({rule.place})",
            *more,
        )

    length, because = open_end("", "prior versions are supported")
    tiers = []
    for name in _tier_names(day, at_release, to_come[0]):
        tier_length, tier_because = open_end(name, f"prior versions have {name} support")
        tiers.append((tier_length, tier_because, name))
    tiers.sort(key=lambda tier: tier[0].after(day))
    return Answer(
        ends=None,
        ends_after_next=str(length),
        because=because,
        tiers=tuple(
            Tier(name=name, ends=None, ends_after_next=str(tier_length), because=tier_because)
            if place < len(tiers) and tier_length.after(day) <= length.after(day)
            else Tier(name=name, ends=None, ends_after_next=str(length), because=because)
            for place, (tier_length, tier_because, name) in enumerate(tiers, 1)
        ),
    )


def _ended(
    library: Library, version: Release, following: Release, at_release: Rule | None, at_next: Rule | None
) -> Answer:
    """The next version is out: every end is known."""
    day = following.released
    next_released = (
        f"{library.name_of(following)}, the next version of its line, was released on {day}"
        f" ({following.where('released')})"
    )
    if at_release is None and at_next is None:
        released = (
            f"{library.name_of(version)} was released on {version.released} ({version.where('released')})"
        )
        return Answer(
            ends=None,
            ends_after_next="",
            because=(released, next_released, "no rule of the policy speaks of it"),
        )

    def end(tier: str, what: str) -> tuple[date, tuple[str, ...]]:
        rule, length = _longest(day, tier, at_next, at_release)
        reasons = [
            next_released,
            f"{what} for {length} after that"
            + (", to the end of the month" if rule.rounding == "month end" else "")
            + f" ({rule.place})",
        ]
        if rule is at_release and rule is not at_next:
            reasons.append(
                "this rule was promised when it was released, and a later rule never shortens a promise"
            )
        return length.after(day, rounding=rule.rounding), tuple(reasons)

    ends, because = end("", "prior versions are supported")
    tiers = []
    for name in _tier_names(day, at_release, at_next):
        tier_ends, tier_because = end(name, f"prior versions have {name} support")
        tiers.append(Tier(name=name, ends=tier_ends, ends_after_next="", because=tier_because, decided=day))
    return Answer(ends=ends, ends_after_next="", because=because, decided=day, tiers=tuple(tiers))


def _promised(rule: Rule, tier: str) -> Duration | None:
    """How long the rule promises a tier, "" for support at all; None where it knows other tiers alone.

    Support that is one thing until its end is every tier until then: a rule that divides it later would
    else shorten what was promised.
    """
    if not tier or not rule.tiers:
        return rule.prior_version_support
    return next((one.length for one in rule.tiers if one.name == tier), None)


def _longest(day: date, tier: str, first: Rule | None, second: Rule | None) -> tuple[Rule, Duration]:
    """The rule that promises a tier for longer when the next version comes on `day`, and how long; the first
    when they are equal. One of them promises it."""
    found: tuple[Rule, Duration] | None = None
    for rule in (first, second):
        length = _promised(rule, tier) if rule else None
        if rule is None or length is None:
            continue
        if found is None or length.after(day, rounding=rule.rounding) > found[1].after(
            day, rounding=found[0].rounding
        ):
            found = (rule, length)
    assert found is not None  # noqa: S101 (see the docstring)
    return found


def _tier_names(day: date, at_release: Rule | None, later: Rule | None) -> list[str]:
    """The tiers that either rule knows, from the one that ends first."""
    names = dict.fromkeys(tier.name for rule in (later, at_release) if rule for tier in rule.tiers)

    def end(name: str) -> date:
        rule, length = _longest(day, name, later, at_release)
        return length.after(day, rounding=rule.rounding)

    return sorted(names, key=end)  # a stable order: tiers that end together stay as the rule has them


def longer(day: date, first: Rule | None, second: Rule | None) -> Rule | None:
    """The rule that promises more when the next version comes on `day`; the first when they are equal."""
    return _longest(day, "", first, second)[0] if first or second else None


def _by_hand(release: Release, by_rule: Answer) -> Answer:
    """The end is set by hand, with its reason: support ends then, and no tier goes on after it."""
    because = (f"{release.support_ends_because} ({release.where('support_ends')})",)
    ends = release.support_ends
    decided = release.released if release.updated is None else max(release.released, release.updated)

    def cut(tier: Tier, last: bool) -> Tier:
        if last or (tier.ends is not None and ends is not None and tier.ends > ends):
            return Tier(name=tier.name, ends=ends, ends_after_next="", because=because, decided=decided)
        if tier.ends is not None:
            return tier
        why = f"no tier goes on after the end of support: {because[0]}"
        return replace(tier, because=(*tier.because, why), at_latest=ends)

    tiers = [cut(tier, place == len(by_rule.tiers)) for place, tier in enumerate(by_rule.tiers, 1)]
    return Answer(ends=ends, ends_after_next="", because=because, decided=decided, tiers=tuple(tiers))


def _of_update(update: Release, version: Answer) -> Answer:
    why = f"an update ends with its version, {update.of} ({update.where('of')})"
    own = Answer(
        ends=version.ends,
        ends_after_next=version.ends_after_next,
        because=(why, *version.because),
        decided=version.decided and max(version.decided, update.released),
        tiers=tuple(
            replace(
                tier,
                because=(why, *tier.because),
                decided=tier.decided and max(tier.decided, update.released),
            )
            for tier in version.tiers
        ),
    )
    return own if update.support_ends is None else _by_hand(update, own)


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """A known end of support: of a version, or of an update that does not end with its version. `tier` is
    the level of support that ends, "" for the last one: after that day there is none."""

    release: Release
    tier: str
    day: date
    decided: date
    because: tuple[str, ...]

    @property
    def name(self) -> str:
        """What feed and calendar call it for good: `life-cycle/works/1.0`, and the tier where one ends."""
        tier = f"/{self.tier}" if self.tier else ""
        # The release's own id stays when its file is renamed.
        return f"life-cycle/{self.release.id.removeprefix('releases/')}{tier}"


def ends(library: Library, answers: Mapping[tuple[str, str], Answer]) -> tuple[End, ...]:
    """Every known end of support, from the first day to the last."""
    found = []
    for release in library.releases:
        answer = answers[release.product, release.version]
        if not (release.release_kind == "version" or release.support_ends is not None):
            continue
        whole = Tier(
            name="", ends=answer.ends, ends_after_next="", because=answer.because, decided=answer.decided
        )
        for tier in (whole, *answer.tiers[:-1]):
            if tier.ends is not None and tier.decided is not None:
                found.append(
                    End(
                        release=release,
                        tier=tier.name,
                        day=tier.ends,
                        decided=tier.decided,
                        because=tier.because,
                    )
                )
    return tuple(sorted(found, key=lambda end: (end.day, end.release.path, end.tier)))


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownIssue:
    """A defect that a release has: found in it or in what it builds on, and fixed in neither."""

    id: str
    title: str
    url: str
    workaround: str
    fixed_in: tuple[str, ...]


class KnownWhenAsked(Mapping[tuple[str, str], tuple[KnownIssue, ...]]):
    """What `known_issues` says, reckoned when somebody asks: most edits show none of it again."""

    def __init__(self, library: Library) -> None:
        self._library = library

    @cached_property
    def _known(self) -> dict[tuple[str, str], tuple[KnownIssue, ...]]:
        return known_issues(self._library)

    def __getitem__(self, release: tuple[str, str]) -> tuple[KnownIssue, ...]:
        return self._known[release]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def known_issues(library: Library) -> dict[tuple[str, str], tuple[KnownIssue, ...]]:
    """For every release what is known to be wrong with it, by id. The one place that decides.

    A defect goes with every release that builds on one in which it was found, until one says that it is
    fixed, or its page says that one does not have it. Notes that name it below Known issues found it there.
    A duplicate counts as the defect that it is the same as; what works as designed is no issue. An entry
    below Known issues without a page of its own counts as found in that release.
    """
    found_in: dict[tuple[str, str], dict[str, KnownIssue]] = {}
    not_in: dict[tuple[str, str], list[str]] = {}
    issues: dict[str, KnownIssue] = {}
    for defect in library.defects:
        if defect.state == AS_DESIGNED or defect.duplicate_of:
            continue
        issue = issues[defect.id] = KnownIssue(
            id=defect.id,
            title=defect.title,
            url=defect.url,
            workaround=defect.workaround,
            fixed_in=tuple(fix.version for fix in library.fixes_of(defect) if fix.product == defect.product),
        )
        for same in (defect, *library.duplicates.get(defect.id, ())):
            for version in same.found_in:
                found_in.setdefault((same.product, version), {})[defect.id] = issue
            for version in same.not_in:
                not_in.setdefault((same.product, version), []).append(defect.id)
    same_as = {defect.id: defect.duplicate_of for defect in library.defects if defect.duplicate_of}
    known: dict[tuple[str, str], dict[str, KnownIssue]] = {}
    for release in library.releases:  # from old to new, so what it builds on is known already
        key = (release.product, release.version)
        before = library.predecessor(release)
        open_here = dict(known[(before.product, before.version)]) if before else {}
        open_here |= found_in.get(key, {})
        for entry in library.noted[key]:
            page = library.original(entry.id)
            if page is None:
                open_here[entry.id] = KnownIssue(
                    id=entry.id,
                    title=library.told(entry),
                    url=f"{release.url}#{entry.id}",
                    workaround="",
                    fixed_in=tuple(
                        fix.version for fix in library.fixed_in(entry.id) if fix.product == release.product
                    ),
                )
            elif page.id in issues and page.product == release.product:
                open_here[page.id] = issues[page.id]
        for entry_id in library.fixes[key] if open_here else ():
            open_here.pop(same_as.get(entry_id, entry_id), None)
        for entry_id in not_in.get(key, ()):
            open_here.pop(entry_id, None)
        known[key] = open_here
    return {key: tuple(here[name] for name in sorted(here)) for key, here in known.items()}
