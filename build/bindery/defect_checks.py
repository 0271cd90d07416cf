"""Defects checked against the releases, their notes and each other: what is written must agree.

A part of `checks`. What a release suffers from it asks of `lives`, which asks `support`, and never reckons.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator

from bindery import lives, support
from bindery.kinds.defect import AS_DESIGNED, WILL_NOT, Defect
from bindery.kinds.item import CVE, Item
from bindery.kinds.release import Release
from bindery.library import FIXING, Library, age
from bindery.source import Problem

Stands = Callable[[str, str], bool]  # (product, version): whether a release has a file, sound or not


def problems(library: Library, products: set[str], stands: Stands, unread: set[str]) -> Iterator[Problem]:
    """All that is wrong between defects and the rest. `products` have a page, `unread` are paths of files
    with problems of their own, which nobody is blamed for."""
    for defect in library.defects:
        if defect.product not in products:
            yield _wrong(defect, "product", f"a product such as {_some(sorted(products))}", defect.product)
            continue
        yield from _releases(library, defect, stands)
        yield from _duplicate(library, defect, unread)
        yield from _written(library, defect)
    yield from _told_twice(library)
    if library.defects:
        by_cve = _by_cve(library)
        for release in library.releases:
            yield from _notes(library, release, by_cve.get(release.product, {}))


def states(library: Library) -> Iterator[Problem]:
    """Where a page calls open, or says will not be fixed, what no release has any more.

    Asked when all else is sound: what affects what can be reckoned only then.
    """
    asked = [
        defect
        for defect in library.defects
        if defect.state in ("open", WILL_NOT) and library.fixes_of(defect) and not defect.draft
    ]
    if not asked:
        return
    found = lives.lives(library, support.known_issues(library))
    for defect in asked:
        life = found[defect.id]
        fixes = [fix for fix in life.fixes if not fix.release.draft]
        if fixes and not life.still and not (defect.state == WILL_NOT and defect.not_in):
            last = fixes[-1]
            where = f"{last.release.path}:{last.line}"
            yield _problem(
                defect,
                "state",
                f"'state' must be left out, since it follows from the notes, or agree with them such as fixed"
                f" ({where}), not '{defect.state}'",
            )


def _problem(item: Item, field: str, message: str, line: int = 0) -> Problem:
    return Problem(path=item.path, line=line or item.lines.get(field, 1), message=message)


def _wrong(item: Item, field: str, must_be: str, given: str) -> Problem:
    return _problem(item, field, f"'{field}' must be {must_be}, not '{given}'")


def _some(words: list[str]) -> str:
    return ", ".join(words[-3:]) if words else "one that has a page"


def _releases(library: Library, defect: Defect, stands: Stands) -> Iterator[Problem]:
    for field, named in (("found_in", defect.found_in), ("not_in", defect.not_in)):
        for version in named:
            if not stands(defect.product, version):
                versions = [release.version for release in library.releases_of(defect.product)]
                close = difflib.get_close_matches(version, versions, 3, 0.5)
                near = [one for one in versions if one in close] or versions
                yield _wrong(defect, field, f"releases of {defect.product} such as {_some(near)}", version)
    fixes = {fix.version: fix for fix in library.fixes_of(defect) if fix.product == defect.product}
    if fixes:
        first = min(age(fix) for fix in fixes.values())
        for version in defect.found_in:
            yield from _fixed_before(library, defect, version, fixes, first)
    for version in defect.not_in:
        release = library.release(defect.product, version)
        if release and not any(one.version in defect.found_in for one in _back(library, release)):
            yield _wrong(
                defect,
                "not_in",
                f"releases that build on one of 'found_in', such as those after {defect.found_in[0]}",
                version,
            )


def _back(library: Library, release: Release) -> Iterator[Release]:
    """The release and what it builds on, the newest first; never a circle, in unsound content either."""
    current: Release | None = release
    seen: set[str] = set()
    while current is not None and current.path not in seen:
        seen.add(current.path)
        yield current
        current = library.predecessor(current)


def _fixed_before(
    library: Library, defect: Defect, version: str, fixes: dict[str, Release], first: tuple[object, ...]
) -> Iterator[Problem]:
    release = library.release(defect.product, version)
    for one in _back(library, release) if release else ():
        if age(one) < first:
            return
        if one.version in fixes:
            what = "it" if one.version == version else f"{one.version}, which it builds on,"
            yield _problem(
                defect,
                "found_in",
                f"'found_in' must be releases from before the fix, not '{version}': {what} fixes {defect.id} "
                f"({one.path}:{_line(one, defect.id)}); what comes back is a new defect",
            )
            return


def _line(release: Release, entry_id: str) -> int:
    return next((entry.line for entry in release.entries if entry.id == entry_id), 1)


def _duplicate(library: Library, defect: Defect, unread: set[str]) -> Iterator[Problem]:
    name = defect.duplicate_of
    if not name or f"defects/{name}.md" in unread:
        return
    others = [other.id for other in library.defects if other.id != defect.id and not other.duplicate_of]
    original = library.defect(name)
    if original is None:
        near = difflib.get_close_matches(name, others, 3, 0.5) or others
        yield _wrong(defect, "duplicate_of", f"a defect such as {_some(near)}", name)
    elif original.duplicate_of:
        yield _wrong(
            defect,
            "duplicate_of",
            f"a defect that is no duplicate itself such as {original.duplicate_of}",
            name,
        )
    elif original.product != defect.product:
        yield _wrong(
            defect,
            "duplicate_of",
            f"a defect of {defect.product}, that of {original.product} is another",
            name,
        )


def _written(library: Library, defect: Defect) -> Iterator[Problem]:
    fixes = [fix for fix in library.fixes_of(defect) if defect.draft or not fix.draft]
    if defect.state == "fixed" and not fixes and not defect.not_in:
        yield _problem(
            defect,
            "state",
            f"'state' must be left out, since it follows from the notes, or agree with them such as open: "
            f"no release has an entry '{defect.id}: …' below Fixed or Security; not 'fixed'",
        )
    if defect.state == AS_DESIGNED and fixes:
        where = f"{fixes[0].path}:{_line(fixes[0], defect.id)}"
        yield _problem(
            defect,
            "state",
            f"'state' must agree with the notes such as fixed, since {where} fixes it, not '{defect.state}'",
        )


def _told_twice(library: Library) -> Iterator[Problem]:
    """A weakness that two pages of one product tell as if it were two."""
    told: dict[tuple[str, str], Defect] = {}
    for defect in library.defects:
        if defect.duplicate_of:
            continue
        for cve in defect.cve:
            other = told.setdefault((defect.product, cve), defect)
            if other is not defect:
                same = f"say 'duplicate_of: {other.id}' if it is the same"
                yield _wrong(defect, "cve", f"told by one page, {other.path} has it; {same}", cve)


def _notes(library: Library, release: Release, by_cve: dict[str, Defect]) -> Iterator[Problem]:
    for entry in release.entries:
        page = library.defect(entry.id)
        if page and page.product != release.product and not CVE.fullmatch(entry.id):
            yield _problem(
                release,
                "",
                f"entry '{entry.id}' must stand in the notes of {page.product}, as {page.path} says, "
                f"not in those of {release.product}",
                entry.line,
            )
        elif page is None and entry.section in FIXING and entry.id in by_cve:
            about = by_cve[entry.id]
            message = f"entry '{entry.id}' must be told under the id of its page such as '{about.id}: …', "
            yield _problem(release, "", message + f"{about.path} is about it", entry.line)
    told = {entry.id for entry in release.entries}
    for cve in release.security:
        if cve not in by_cve or cve in told:
            continue
        about = by_cve[cve]
        if about.id not in told:
            yield _wrong(
                release,
                "security",
                f"told in the notes too, such as '- {about.id}: …' below Security, {about.path} is about it",
                cve,
            )


def _by_cve(library: Library) -> dict[str, dict[str, Defect]]:
    """By product and CVE the pages under an id of their own that are about one."""
    found: dict[str, dict[str, Defect]] = {}
    for defect in library.defects:
        for cve in defect.cve:
            if cve != defect.id and not defect.duplicate_of:
                found.setdefault(defect.product, {})[cve] = defect
    return found
