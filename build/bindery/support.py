"""The life cycle: until when a release is supported, and why. The one place that decides.

The rules are data (`content/policy/support.md`), the source of what they mean is section 3 of the
design: a version is supported until some months after the next version on its line is released, an
update ends with its version, and a promise already made is never shortened by a later rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from bindery.kinds.policy import Policy, Rule
from bindery.kinds.release import Release
from bindery.library import Library

PLACE = re.compile(r"\s*\([\w./+-]+\.md:\d+\)")  # the file and line of a reason, of no use to readers


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """`ends` is the last day of support, None while it is open; then `ends_after_next` says how long after
    the next version's release it will be, such as `12 months`. `because` are reasons with file and line.
    `decided` is the day since which the end is known: None while it is open."""

    ends: date | None
    ends_after_next: str
    because: tuple[str, ...]
    decided: date | None = None


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
    if version.support_ends is not None:
        return _by_hand(version)
    policy = library.policy
    at_release = rule_at(policy, version.product, version.released)
    released = f"{library.name_of(version)} was released on {version.released} ({version.where('released')})"
    if following is None:
        latest = rule_at(policy, version.product, date.max)
        rule = longer(version.released, at_release, latest)
        if rule is None:
            return Answer(
                ends=None, ends_after_next="", because=(released, "no rule of the policy speaks of it")
            )
        return Answer(
            ends=None,
            ends_after_next=str(rule.prior_version_support),
            because=(
                released,
                "no next version of its line is released",
                f"prior versions are supported for {rule.prior_version_support} after the next"
                f" ({rule.place})",
            ),
        )
    at_next = rule_at(policy, version.product, following.released)
    rule = longer(following.released, at_next, at_release)
    next_released = (
        f"{library.name_of(following)}, the next version of its line, was released on {following.released}"
        f" ({following.where('released')})"
    )
    if rule is None:
        return Answer(
            ends=None,
            ends_after_next="",
            because=(released, next_released, "no rule of the policy speaks of it"),
        )
    ends = rule.prior_version_support.after(following.released, rounding=rule.rounding)
    reasons = [
        next_released,
        f"prior versions are supported for {rule.prior_version_support} after that"
        + (", to the end of the month" if rule.rounding == "month end" else "")
        + f" ({rule.place})",
    ]
    if rule is at_release and rule is not at_next:
        reasons.append(
            "this rule was promised when it was released, and a later rule never shortens a promise"
        )
    return Answer(ends=ends, ends_after_next="", because=tuple(reasons), decided=following.released)


def longer(day: date, first: Rule | None, second: Rule | None) -> Rule | None:
    """The rule that promises more when the next version comes on `day`; the first when they are equal."""
    if first is None or second is None:
        return first or second

    def end(rule: Rule) -> date:
        return rule.prior_version_support.after(day, rounding=rule.rounding)

    return second if end(second) > end(first) else first


def _by_hand(release: Release) -> Answer:
    return Answer(
        ends=release.support_ends,
        ends_after_next="",
        because=(f"{release.support_ends_because} ({release.where('support_ends')})",),
        decided=release.released if release.updated is None else max(release.released, release.updated),
    )


def _of_update(update: Release, version: Answer) -> Answer:
    if update.support_ends is not None:
        return _by_hand(update)
    return Answer(
        ends=version.ends,
        ends_after_next=version.ends_after_next,
        because=(f"an update ends with its version, {update.of} ({update.where('of')})", *version.because),
        decided=version.decided and max(version.decided, update.released),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """A known end of support: of a version, or of an update that does not end with its version."""

    release: Release
    day: date
    decided: date
    because: tuple[str, ...]


def ends(library: Library, answers: Mapping[tuple[str, str], Answer]) -> tuple[End, ...]:
    """Every known end of support, from the first day to the last."""
    found = []
    for release in library.releases:
        answer = answers[release.product, release.version]
        own = release.release_kind == "version" or release.support_ends is not None
        if own and answer.ends is not None and answer.decided is not None:
            found.append(
                End(release=release, day=answer.ends, decided=answer.decided, because=answer.because)
            )
    return tuple(sorted(found, key=lambda end: (end.day, end.release.path)))


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownIssue:
    """A defect that a release has: found in it or in what it builds on, and fixed in neither."""

    id: str
    title: str
    url: str
    workaround: str
    fixed_in: tuple[str, ...]


def known_issues(library: Library) -> dict[tuple[str, str], tuple[KnownIssue, ...]]:
    """For every release what is known to be wrong with it, by id.

    A defect goes with every release that builds on one in which it was found, until one says that it is
    fixed. An entry below Known issues without a page of its own counts as found in that release.
    """
    found_in: dict[tuple[str, str], dict[str, KnownIssue]] = {}
    for defect in library.defects:
        issue = KnownIssue(
            id=defect.id,
            title=defect.title,
            url=defect.url,
            workaround=defect.workaround,
            fixed_in=tuple(
                fix.version for fix in library.fixed_in(defect.id) if fix.product == defect.product
            ),
        )
        for version in defect.found_in:
            found_in.setdefault((defect.product, version), {})[defect.id] = issue
    known: dict[tuple[str, str], dict[str, KnownIssue]] = {}
    for release in library.releases:  # from old to new, so what it builds on is known already
        key = (release.product, release.version)
        before = library.predecessor(release)
        open_here = dict(known[(before.product, before.version)]) if before else {}
        open_here |= found_in.get(key, {})
        for entry in [entry for entry in release.entries if entry.section == "Known issues"]:
            if library.defect(entry.id) is None:
                open_here[entry.id] = KnownIssue(
                    id=entry.id,
                    title=entry.text,
                    url=release.url,
                    workaround="",
                    fixed_in=tuple(
                        fix.version for fix in library.fixed_in(entry.id) if fix.product == release.product
                    ),
                )
        for entry_id in library.fixes[key]:
            open_here.pop(entry_id, None)
        known[key] = open_here
    return {key: tuple(issues[name] for name in sorted(issues)) for key, issues in known.items()}
