"""An upgrade guide as data: what its file, its page and the command `bindery upgrade` all tell.

The page is set from this very value, so the three cannot differ. The shape is the interface of
`/data/upgrade/<product>/<from>.json`; a key may be added to it, none changes its meaning while FORMAT stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bindery import prose
from bindery.kinds.release import Release
from bindery.library import Library
from bindery.support import Answer, KnownIssue
from bindery.upgrade import Answers, Gain, Guide

FORMAT = 1


def told(
    library: Library, guide: Guide, answers: Answers, sections: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """The guide in plain values. `sections` has the Markdown of each known section of the releases on the
    way, by version. Texts are Markdown whose links are absolute paths; days are ISO 8601."""

    def point(gain: Gain) -> dict[str, Any]:
        defect = library.defect(gain.entry.id) if gain.entry.id else None
        return {
            "id": gain.entry.id or None,
            "section": gain.entry.section,
            "text": resolved(library, gain.release, gain.entry.text),
            "release": gain.release.version,
            "url": library.address(gain.release.url),
            "defect": library.address(defect.url) if defect else None,
            "security": gain.security,
            "breaking": gain.breaking,
        }

    def section(name: str) -> list[dict[str, Any]]:
        return [
            {"release": one.version, "url": library.address(one.url), "text": sections[one.version][name]}
            for one in guide.way
            if name in sections[one.version]
        ]

    entries = [point(gain) for gain in guide.gains]
    ahead = [point(gain) for gain in guide.ahead]
    goal, product = guide.goal, guide.start.product
    return {
        "format": FORMAT,
        "product": product,
        "from": _release(library, guide.start),
        "to": _release(library, goal),
        "relation": guide.relation,
        "steps": [_step(library, one, guide) for one in guide.way],
        "required_stops": [one.version for one in guide.stops],
        "breaking_changes": [one for one in entries if one["breaking"]],
        "security": [one for one in entries if one["security"]],
        "entries": entries,
        "already_contained": [{"id": gain.entry.id, "release": gain.release.version} for gain in guide.had],
        "missing_fixes": [point(gain) for gain in guide.losses],
        "requirements": section("Requirements"),
        "upgrade_notes": section("Upgrade notes"),
        "known_issues": [_issue(library, issue, issue.id in guide.known_at_start) for issue in guide.known],
        "life_cycle": {
            "from": _support(answers[product, guide.start.version]),
            "to": _support(answers[product, goal.version]),
        },
        "update_of_same_version": _release(library, guide.update) if guide.update else None,
        "ahead": {
            "required_stops": [one.version for one in guide.ahead_stops],
            "breaking_changes": [one for one in ahead if one["breaking"]],
            "security": [one for one in ahead if one["security"]],
            "complete": not guide.ahead_cut,
        }
        if guide.more
        else None,
        "next": library.address(data_path(product, goal.version)) if guide.more else None,
    }


def data_path(product: str, version: str) -> str:
    """Where the guide from a release lies below the site's root."""
    return f"data/upgrade/{product}/{version}.json"


def _release(library: Library, release: Release) -> dict[str, Any]:
    return {
        "version": release.version,
        "name": library.name_of(release),
        "kind": release.release_kind,
        "released": release.released.isoformat(),
        "url": library.address(release.url),
    }


def _step(library: Library, release: Release, guide: Guide) -> dict[str, Any]:
    return {
        "version": release.version,
        "kind": release.release_kind,
        "released": release.released.isoformat(),
        "url": library.address(release.url),
        "required_stop": release in guide.stops,
    }


def _support(answer: Answer) -> dict[str, Any]:
    return {
        "support_ends": answer.ends.isoformat() if answer.ends else None,
        "ends_after_next": answer.ends_after_next or None,
        "because": list(answer.because),
        "tiers": [
            {
                "name": tier.name,
                "ends": tier.ends.isoformat() if tier.ends else None,
                "ends_after_next": tier.ends_after_next or None,
                "because": list(tier.because),
            }
            for tier in answer.tiers
        ],
    }


def _issue(library: Library, issue: KnownIssue, had: bool) -> dict[str, Any]:
    return {
        "id": issue.id,
        "title": issue.title,
        "url": library.address(issue.url),
        "workaround": issue.workaround or None,
        "also_in_from": had,
    }


def resolved(library: Library, release: Release, text: str) -> str:
    """A line of release notes with its links and the policy's values as they stand on a page elsewhere."""
    if not ("](" in text or "{{" in text or '="' in text):
        return text
    plain = prose.without_code(text)
    spans = [(link.start, link.end, library.resolve(release, link.target)) for link in prose.links(plain, 1)]
    spans += [(name.start, name.end, library.values[name.name]) for name in prose.names(plain, 1)]
    for start, end, new in sorted(spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def sections_of(library: Library, release: Release) -> dict[str, str]:
    """The Markdown of each known section of a release's notes, its links as absolute paths."""
    return prose.sections(library.resolved_body(release))
