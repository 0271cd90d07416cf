"""`data/upgrade/<product>/<from>.json`: the upgrade guide for programs, and for the command of that name.

Where the way is long, a file tells its first part and `continue` has the address of the next.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bindery.kinds.release import Release
from bindery.library import Library
from bindery.support import Answer, KnownIssue
from bindery.upgrade import Gain, Guide, Ways, resolved

FORMAT = 1


def outputs(
    library: Library,
    answers: Mapping[tuple[str, str], Answer],
    known: Mapping[tuple[str, str], tuple[KnownIssue, ...]],
) -> Iterator[tuple[str, str]]:
    """A file for each release as (path below public, text)."""
    for product in library.products:
        ways = Ways(library, product.product)
        lines: dict[str, str] = {}
        for start in ways.releases:
            way = ways.leg(start)
            goal = way[-1] if way else start
            last = not way or goal is ways.newest
            repeated = ways.repeated(start, way)
            head: dict[str, Any] = {
                "format": FORMAT,
                "product": product.product,
                "from": _release(library, start, answers),
                "to": _release(library, goal, answers),
                "stops": [one.version for one in way if one.requires_stop and one is not ways.newest],
                "already_contained": sorted({key[0] for key in repeated}),
                "known_issues": [_issue(library, issue) for issue in known[goal.product, goal.version]]
                if last
                else [],
                "continue": None
                if last
                else library.address(f"data/upgrade/{product.product}/{goal.version}.json"),
            }
            for one in way:
                if one.version not in lines:  # one text for all the files that tell of it
                    lines[one.version] = _dump(_told(library, one))
            releases = ",".join(lines[one.version] for one in way)
            yield (
                f"data/upgrade/{product.product}/{start.version}.json",
                f'{_dump(head)[:-1]},"releases":[{releases}]}}\n',
            )


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _told(library: Library, release: Release) -> dict[str, Any]:
    return {
        "version": release.version,
        "url": library.address(release.url),
        "entries": [
            {"id": entry.id, "section": entry.section, "text": resolved(library, release, entry.text)}
            for entry in release.entries
            if entry.section != "Known issues"
        ],
        "notes": [
            {"section": note.section, "text": resolved(library, release, note.text)}
            for note in release.notes
            if note.text
        ],
    }


def _release(library: Library, release: Release, answers: Mapping[tuple[str, str], Answer]) -> dict[str, Any]:
    answer = answers[release.product, release.version]
    return {
        "version": release.version,
        "url": library.address(release.url),
        "released": release.released.isoformat(),
        "support_ends": answer.ends and answer.ends.isoformat(),
        "ends_after_next": answer.ends_after_next or None,
        "because": list(answer.because),
    }


def _issue(library: Library, issue: KnownIssue) -> dict[str, Any]:
    return {
        "id": issue.id,
        "title": issue.title,
        "url": library.address(issue.url),
        "workaround": issue.workaround or None,
    }


def told(library: Library, guide: Guide, answers: Mapping[tuple[str, str], Answer]) -> dict[str, Any]:
    """The guide from any release to any other, as `bindery upgrade --json` answers."""

    def entry(gain: Gain) -> dict[str, str]:
        return {
            "id": gain.entry.id,
            "section": gain.entry.section,
            "text": resolved(library, gain.release, gain.entry.text),
            "release": gain.release.version,
        }

    return {
        "format": FORMAT,
        "product": guide.start.product,
        "from": _release(library, guide.start, answers),
        "to": _release(library, guide.goal, answers),
        "way": [release.version for release in guide.way],
        "stops": [release.version for release in guide.stops],
        "entries": [entry(gain) for gain in guide.gains],
        "missing_fixes": [entry(gain) for gain in guide.losses],
        "notes": [
            {"section": note.section, "text": resolved(library, one, note.text), "release": one.version}
            for one in guide.way
            for note in one.notes
            if note.text
        ],
        "known_issues": [_issue(library, issue) for issue in guide.known],
    }
