"""Everything checked against everything: past `assemble` every name in the content points at something."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from bindery import defect_checks, embargo, references
from bindery.blocks import BLOCKS
from bindery.kinds.home import Home
from bindery.kinds.item import Item, url_of
from bindery.kinds.page import Page
from bindery.kinds.policy import Policy
from bindery.kinds.tombstone import Tombstone
from bindery.library import Library, age, beside
from bindery.prose import Name
from bindery.reading import Scan, Unread
from bindery.source import Problem, Problems

AUTHORS = "papers/authors/"
# Addresses of pages that no content file makes; links may point at them and at everything below a "/*".
GENERATED = (
    "releases/",
    "newsletter/",
    "papers/",
    f"{AUTHORS}*",
    "events/",
    "defects/",
    "defects/security/*",
    "policy/",
    "help/",
    "life-cycle/",
    "upgrade/*",
    "support/",
    "support/ticket/",
    "support/renewal/",
    "support/subscribe/",
    "support/download/",
    "support/sign-in/",
    "feeds/*",
    "calendar/*",
    "data/*",
    "api/*",
)


def everything(scan: Scan, content: Path, prefix: str, today: date = date.max) -> Library:
    """All that was read, what readers may not see yet too: for checks, never for an output."""
    return Library(
        items=tuple(scan.items[path] for path in sorted(scan.items)),
        attached=scan.attached,
        bibliographies=scan.bibliographies,
        content=content,
        prefix=prefix,
        today=today,
    )


def _today(scan: Scan, now: datetime) -> date:
    policy = next((item for item in scan.items.values() if isinstance(item, Policy)), None)
    return now.astimezone(ZoneInfo(policy.hours.time_zone)).date() if policy else now.date()


def assemble(scan: Scan, *, content: Path, now: datetime, prefix: str = "/") -> Library:
    """Check everything against everything, then keep what readers may see at `now`.

    Raises Problems with all of them: the scan's own and those between files. Drafts and embargoed items
    are checked too, so that their day brings no surprise.
    """
    problems = list(scan.problems)
    today = _today(scan, now)
    whole = everything(scan, content, prefix, today)
    problems += _checked(whole, scan.unread)
    visible = whole
    if any(item.draft or item.publish_at for item in whole.items):
        visible = replace(
            everything(scan, content, prefix, today),
            items=tuple(item for item in whole.items if item.shown_at(now)),
            attached=embargo.files(whole, now),
        )
        problems += embargo.dangling(whole, now)
    if not problems:
        problems += defect_checks.states(whole)
        for name, kind in (("index.md", Home), ("policy/support.md", Policy)):
            if not any(isinstance(item, kind) for item in visible.items):
                problems.append(
                    Problem(
                        path=name,
                        line=1,
                        message="the file must be there, such as the sample's, it is missing",
                    )
                )
    if problems:
        raise Problems(problems)
    return visible


def _problem(item: Item, name: str, must_be: str, given: str) -> Problem:
    return Problem(
        path=item.path, line=item.lines.get(name, 1), message=f"'{name}' must be {must_be}, not '{given}'"
    )


def _topics(library: Library) -> Iterator[Problem]:
    """Where `help/index.md` lists topics, an article's is one of them: a slip would begin another."""
    front = library.by_path.get("help/index.md")
    topics = front.topics if isinstance(front, Page) else ()
    for page in library.pages if topics else ():
        if page.topic and page.topic not in topics:
            near = difflib.get_close_matches(page.topic, topics, 1, 0.3) or topics[:1]
            yield _problem(page, "topic", f"one that help/index.md lists, such as '{near[0]}'", page.topic)


def _checked(library: Library, unread: Mapping[str, Unread]) -> list[Problem]:
    problems: list[Problem] = []
    problems += _addresses(library)
    problems += _releases(library, unread)
    products = _products(library, unread)
    slugs = sorted(products)
    events = {event.path.removeprefix("events/").removesuffix(".md") for event in library.events}
    files = {found.path for found in library.attached}
    problems += defect_checks.problems(library, products, partial(_stands, library, unread), set(unread))
    for paper in library.papers:
        if paper.url.casefold() == AUTHORS:
            message = f"the file must have an address of its own, '{AUTHORS}' is that of the list of authors"
            problems.append(Problem(path=paper.path, line=1, message=message))
        if paper.event and paper.event not in events and f"events/{paper.event}.md" not in unread:
            problems.append(
                _problem(paper, "event", f"an event such as {_some(sorted(events))}", paper.event)
            )
        for feature in paper.features:
            product, _, version = feature.partition("/")
            if not _stands(library, unread, product, version):
                problems.append(_problem(paper, "features", "releases such as cityworks/23.10", feature))
        bibliography = beside(paper.path, paper.bibliography) if paper.bibliography else ""
        if bibliography in unread:
            continue
        held = library.bibliographies.get(bibliography)
        if paper.bibliography and held is None:
            problems.append(
                _problem(
                    paper,
                    "bibliography",
                    "a .bib file beside the paper such as references.bib",
                    paper.bibliography,
                )
            )
        else:
            problems += references.unknown(paper.path, paper.citations, held.references if held else None)
    problems += _topics(library)
    problems += _bibliographies(library, unread)
    for item in library.items:
        if isinstance(item, Policy):
            for rule in item.rules:
                if rule.product and rule.product not in products:
                    problems.append(
                        _problem(item, "rules", f"rules of products such as {_some(slugs)}", rule.product)
                    )
    problems += _links(library, files, unread)
    policy = next((item for item in library.items if isinstance(item, Policy)), None)
    values = policy.values(library.today) if policy else {}
    later = [rule for rule in policy.rules if rule.since > library.today] if policy else []
    for pointing in _pointing(library, unread) if "policy/support.md" not in unread else ():
        for name in pointing.names:
            if name.name in BLOCKS:
                problems += _misplaced(pointing, name)
            elif name.name not in values:
                near = difflib.get_close_matches(name.name, values, 1, 0.3) or list(values)[:1]
                problems.append(
                    Problem(
                        path=pointing.path,
                        line=name.line,
                        message=f"'{{{{ {name.name} }}}}' must be a value of the policy such as "
                        f"{', '.join(near)}, not an unknown one",
                    )
                )
            problems += [
                Problem(
                    path=pointing.path,
                    line=name.line,
                    message=f"'{{{{ {name.name} }}}}' must be a value of every rule to come, and the rule of "
                    f"{rule.since} ({rule.place}) has none",
                )
                for rule in later
                if policy and name.name in values and name.name not in policy.values(rule.since)
            ]
    return problems


def _misplaced(pointing: Item | Unread, name: Name) -> list[Problem]:
    """What is wrong with where a block of the newsletter stands."""
    shown = f"'{{{{ {name.name} }}}}'"
    if not pointing.path.startswith("newsletter/") or pointing.path == "newsletter/index.md":
        message = f"{shown} must stand in an issue of the newsletter, which has an issue before it, not here"
    elif not name.alone:
        message = f"{shown} must stand alone on its line, it becomes a list"
    else:
        return []
    return [Problem(path=pointing.path, line=name.line, message=message)]


def _pointing(library: Library, unread: Mapping[str, Unread]) -> Iterator[Item | Unread]:
    """Everything whose prose may point somewhere."""
    yield from library.items
    yield from unread.values()


def _products(library: Library, unread: Mapping[str, Unread]) -> set[str]:
    """Folders of products that have a page, even one with problems of its own."""
    broken = {path.split("/")[1] for path in unread if re.fullmatch(r"releases/[^/]+/index\.md", path)}
    return {product.product for product in library.products} | broken


def _stands(library: Library, unread: Mapping[str, Unread], product: str, version: str) -> bool:
    """Whether a release has a file, even one with problems of its own."""
    return library.release(product, version) is not None or f"releases/{product}/{version}.md" in unread


def _some(words: Iterable[str]) -> str:
    listed = list(words)[-3:]
    return ", ".join(listed) if listed else "one that has a page"


def _addresses(library: Library) -> list[Problem]:
    problems = []
    owners: dict[str, Item] = {}
    ids: dict[str, Item] = {}
    for item in library.items:
        other = owners.setdefault(item.url.casefold(), item)
        if other is not item:
            problems.append(
                Problem(
                    path=item.path,
                    line=1,
                    message=f"the file must have an address of its own, '{item.url}' is that of {other.path}",
                )
            )
        twin = ids.setdefault(item.id, item)
        if twin is not item:
            problems.append(
                _problem(
                    item,
                    "id",
                    f"an id of its own such as '{item.url.strip('/')}'; {twin.path} has this one",
                    item.id,
                )
            )
    for item in library.items:
        for old in item.redirect_from:
            owner = owners.setdefault(old.casefold(), item)
            if owner is not item or old.casefold() == item.url.casefold():
                problems.append(
                    _problem(
                        item, "redirect_from", f"an address that no page has; {owner.path} has this one", old
                    )
                )
    for stone in library.items:
        for address in stone.gone if isinstance(stone, Tombstone) else ():
            owner = owners.setdefault(address.casefold(), stone)
            if owner is not stone and address != stone.url:
                problems.append(
                    _problem(
                        stone, "gone", f"an address that no page has; {owner.path} has this one", address
                    )
                )
    return problems


def _bibliographies(library: Library, unread: Mapping[str, Unread]) -> list[Problem]:
    """Bibliographies that no paper names: not published, so nobody would ever see them."""
    if any(path.startswith("papers/") and path.endswith(".md") for path in unread):
        return []
    named = {beside(paper.path, paper.bibliography) for paper in library.papers if paper.bibliography}
    return [
        Problem(
            path=path,
            line=1,
            message="the bibliography must be named by a paper beside it, such as "
            f"'bibliography: {path.rpartition('/')[2]}', or be taken away",
        )
        for path in sorted(library.bibliographies.keys() - named)
    ]


def _releases(library: Library, unread: Mapping[str, Unread]) -> list[Problem]:
    problems = []
    products = _products(library, unread)
    for release in library.releases:
        product = release.product
        if product not in products:
            problems.append(
                Problem(
                    path=release.path,
                    line=1,
                    message=f"the product must have a page such as releases/{product}/index.md, it has none",
                )
            )
        if release.of:
            version = library.release(product, release.of)
            if version is None and _stands(library, unread, product, release.of):
                pass
            elif version is None or version.release_kind != "version":
                versions = _versions_of(library, product)
                problems.append(
                    _problem(release, "of", f"a version of {product} such as {_some(versions)}", release.of)
                )
            elif version.released > release.released:
                problems.append(
                    _problem(
                        release,
                        "released",
                        f"a date not before that of {version.version} such as {version.released}",
                        str(release.released),
                    )
                )
            if release.line and version is not None and release.line != version.line:
                problems.append(
                    _problem(
                        release,
                        "line",
                        f"left out or the line of its version, '{version.line}'",
                        release.line,
                    )
                )
        if release.after:
            before = library.release(product, release.after)
            if before is None and _stands(library, unread, product, release.after):
                pass
            elif before is None:
                versions = _versions_of(library, product)
                problems.append(
                    _problem(
                        release, "after", f"a release of {product} such as {_some(versions)}", release.after
                    )
                )
            elif age(before) >= age(release):
                versions = _versions_of(library, product)
                problems.append(
                    _problem(
                        release,
                        "after",
                        f"a release from before {release.released} such as {_some(versions[:1])}",
                        release.after,
                    )
                )
    return problems


def _versions_of(library: Library, product: str) -> list[str]:
    return [other.version for other in library.releases_of(product) if other.release_kind == "version"]


def generated(url: str) -> bool:
    """Whether the address, without a leading slash, is that of a page that no content file makes."""
    return url in GENERATED or any(
        pattern.endswith("*") and url.startswith(pattern[:-1]) for pattern in GENERATED
    )


def _links(library: Library, files: set[str], unread: Mapping[str, Unread]) -> list[Problem]:
    problems = []
    urls = {item.url: item for item in library.items}
    unread_urls = {url_of(path) for path in unread}
    for item in _pointing(library, unread):
        for link in item.links:
            path, _, fragment = link.target.partition("#")
            path = path.partition("?")[0]
            target: Item | Unread | None
            if not path:
                target = item
            elif path.startswith("/"):
                target = urls.get(path[1:])
                if target is None and not (
                    generated(path[1:]) or path[1:] in files or path[1:] in unread_urls
                ):
                    problems.append(
                        _lost(item, link.line, link.target, "the address of a page such as /life-cycle/")
                    )
                    continue
            else:
                joined = beside(item.path, path)
                target = library.by_path.get(joined)
                if target is None and joined not in files and joined not in unread:
                    problems.append(_lost(item, link.line, link.target, "a file such as ../help/index.md"))
                    continue
            if fragment and isinstance(target, Page) and fragment not in target.anchors:
                some = _some(target.anchors)
                problems.append(
                    _lost(item, link.line, link.target, f"a heading of {target.path} such as {some}")
                )
    return problems


def _lost(item: Item | Unread, line: int, target: str, must_be: str) -> Problem:
    return Problem(path=item.path, line=line, message=f"the link must lead to {must_be}, not '{target}'")
