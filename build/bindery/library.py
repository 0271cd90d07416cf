"""The library: all content that readers may see at one moment, cross-checked.

`read` knows the disk only for reading; what it has parsed before it takes from `known`. Past `assemble`
every name in the content is known to point at something.
"""

from __future__ import annotations

import difflib
import posixpath
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path

from bindery import kinds, prose, source
from bindery.kinds.defect import Defect
from bindery.kinds.event import Event
from bindery.kinds.home import Home
from bindery.kinds.issue import Issue
from bindery.kinds.item import Item, url_of
from bindery.kinds.page import Page
from bindery.kinds.paper import Paper
from bindery.kinds.policy import Policy
from bindery.kinds.product import Product
from bindery.kinds.release import Release
from bindery.prose import Link, Name
from bindery.source import Found, Problem, Problems

# Addresses of pages that no content file makes; links may point at them and at everything below a "/*".
GENERATED = (
    "releases/",
    "newsletter/",
    "papers/",
    "events/",
    "defects/",
    "policy/",
    "help/",
    "life-cycle/",
    "support/",
    "support/ticket/",
    "support/renewal/",
    "support/download/",
    "feeds/*",
    "data/*",
    "api/*",
)
ATTACHED = (".png", ".jpg", ".jpeg", ".svg", ".gif", ".webp", ".pdf", ".bib", ".csv", ".txt")
FIXING = frozenset({"Fixed", "Security"})  # the sections of release notes that mend something
Signature = tuple[int, int, int]
_NATURAL = re.compile(r"(\d+)")


@dataclass(frozen=True, kw_only=True)
class Unread:
    """A file whose fields have problems: where its prose points is checked all the same."""

    path: str
    links: tuple[Link, ...] = ()
    names: tuple[Name, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Scan:
    """Every file of the content folder: items that are sound, other files to be copied, and problems.

    `unread` are the Markdown files that have problems of their own; what points at them is not blamed.
    """

    items: dict[str, Item]
    attached: tuple[Found, ...]
    problems: tuple[Problem, ...]
    signatures: dict[str, Signature]
    unread: Mapping[str, Unread] = field(default_factory=dict)


def signature(found: Found) -> Signature:
    """What tells, without reading it, that a file is the one that was read before."""
    return (found.size, found.modified, found.inode)


def read(
    content: Path,
    found: Iterable[Found],
    known: Mapping[str, tuple[Signature, Item]],
    progress: Callable[[int], None] = lambda _: None,
) -> Scan:
    """Read and parse every file found that `known` does not hold already."""
    items: dict[str, Item] = {}
    attached = []
    problems: list[Problem] = []
    signatures = {}
    unread: dict[str, Unread] = {}
    for file in found:
        if not file.path.endswith(".md"):
            if file.path.lower().endswith(ATTACHED):
                attached.append(file)
            else:
                problems.append(
                    Problem(
                        path=file.path,
                        line=1,
                        message="the file must be Markdown or an attachment such as "
                        f"{', '.join(ATTACHED)}; move it out of the content folder",
                    )
                )
            continue
        mark = signature(file)
        before = known.get(file.path)
        if before is not None and before[0] == mark:
            items[file.path] = before[1]
            signatures[file.path] = mark
            continue
        unread[file.path] = Unread(path=file.path)
        try:
            parsed = source.parse(source.read_text(content, file.path), file.path)
            item = kinds.parse(parsed, problems)
        except Problems as error:
            problems.extend(error.problems)
            continue
        if item is None:
            plain = prose.without_code(parsed.body)
            unread[file.path] = Unread(
                path=file.path,
                links=prose.links(plain, parsed.body_line),
                names=prose.names(plain, parsed.body_line),
            )
        else:
            del unread[file.path]
            items[file.path] = item
            signatures[file.path] = mark
        progress(1)
    return Scan(
        items=items,
        attached=tuple(attached),
        problems=tuple(problems),
        signatures=signatures,
        unread=unread,
    )


@cache
def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts versions as people do: 15.8.9 before 15.8.10, 23.4 before 23.10."""
    return tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part) for part in _NATURAL.split(text) if part
    )


def age(release: Release) -> tuple[object, ...]:
    """A key that sorts releases from old to new: by date, on one day by version."""
    return (release.released, natural(release.version))


@dataclass(frozen=True, kw_only=True)
class Library:
    """What readers may see, sorted by path; `prefix` is the path of the site's address, "/" or "/sub/"."""

    items: tuple[Item, ...]
    attached: tuple[Found, ...]
    content: Path
    prefix: str = "/"
    _texts: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    _predecessors: dict[tuple[str, str], Release | None] = field(
        default_factory=dict, repr=False, compare=False
    )

    @cached_property
    def by_path(self) -> dict[str, Item]:
        """Items by their path below the content folder."""
        return {item.path: item for item in self.items}

    @cached_property
    def releases(self) -> tuple[Release, ...]:
        """All releases, by product and then from old to new."""
        return tuple(
            sorted(
                (item for item in self.items if isinstance(item, Release)),
                key=lambda release: (release.product, *age(release)),
            )
        )

    @cached_property
    def products(self) -> tuple[Product, ...]:
        """All products, by folder name."""
        return tuple(item for item in self.items if isinstance(item, Product))

    @cached_property
    def issues(self) -> tuple[Issue, ...]:
        """The newsletter's issues, from old to new."""
        return tuple(sorted((i for i in self.items if isinstance(i, Issue)), key=lambda i: (i.date, i.path)))

    @cached_property
    def papers(self) -> tuple[Paper, ...]:
        """Papers, from old to new."""
        return tuple(sorted((i for i in self.items if isinstance(i, Paper)), key=lambda i: (i.date, i.path)))

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """Events, from old to new."""
        return tuple(sorted((i for i in self.items if isinstance(i, Event)), key=lambda i: (i.start, i.path)))

    @cached_property
    def defects(self) -> tuple[Defect, ...]:
        """Defects, by id."""
        return tuple(sorted((i for i in self.items if isinstance(i, Defect)), key=lambda i: natural(i.id)))

    @cached_property
    def pages(self) -> tuple[Page, ...]:
        """Plain pages, by path."""
        return tuple(item for item in self.items if isinstance(item, Page))

    @cached_property
    def policy(self) -> Policy:
        """The support policy."""
        return next(item for item in self.items if isinstance(item, Policy))

    @cached_property
    def home(self) -> Home:
        """The home page."""
        return next(item for item in self.items if isinstance(item, Home))

    @cached_property
    def _releases(self) -> dict[tuple[str, str], Release]:
        return {(release.product, release.version): release for release in self.releases}

    @cached_property
    def _by_product(self) -> dict[str, tuple[Release, ...]]:
        grouped = defaultdict(list)
        for release in self.releases:
            grouped[release.product].append(release)
        return {product: tuple(releases) for product, releases in grouped.items()}

    def release(self, product: str, version: str) -> Release | None:
        """The release, or None."""
        return self._releases.get((product, version))

    def product(self, product: str) -> Product | None:
        """The product of that folder name, or None."""
        found = self.by_path.get(f"releases/{product}/index.md")
        return found if isinstance(found, Product) else None

    def releases_of(self, product: str) -> tuple[Release, ...]:
        """The releases of a product, from old to new."""
        return self._by_product.get(product, ())

    def name_of(self, release: Release) -> str:
        """What people call the release: `Cityworks 23.10`."""
        product = self.product(release.product)
        return release.title or f"{product.name if product else release.product} {release.version}"

    def line_of(self, release: Release) -> str:
        """The line of versions that the release stands on; an update stands on its version's."""
        version = self.release(release.product, release.of) if release.of else None
        return version.line if version else release.line

    @cached_property
    def _updates(self) -> dict[tuple[str, str], list[Release]]:
        grouped: dict[tuple[str, str], list[Release]] = defaultdict(list)
        for release in self.releases:
            if release.of:
                grouped[(release.product, release.of)].append(release)
        return grouped

    @cached_property
    def _update_ages(self) -> dict[tuple[str, str], list[tuple[object, ...]]]:
        return {key: [age(update) for update in updates] for key, updates in self._updates.items()}

    @cached_property
    def _versions(self) -> dict[tuple[str, str], list[Release]]:
        grouped: dict[tuple[str, str], list[Release]] = defaultdict(list)
        for release in self.releases:
            if release.release_kind == "version":
                grouped[(release.product, release.line)].append(release)
        return grouped

    def next_version(self, version: Release) -> Release | None:
        """The version that follows this one on its line, or None while there is none."""
        line = self._versions[(version.product, version.line)]
        place = line.index(version) + 1
        return line[place] if place < len(line) else None

    @cached_property
    def _next_versions(self) -> dict[tuple[str, str], Release]:
        return {
            (one.product, one.version): following
            for line in self._versions.values()
            for one, following in pairwise(line)
        }

    @cached_property
    def _previous_versions(self) -> dict[tuple[str, str], Release]:
        return {
            (following.product, following.version): one
            for line in self._versions.values()
            for one, following in pairwise(line)
        }

    def predecessor(self, release: Release) -> Release | None:
        """The release that this one builds on (the rule is section 3 of the design); None for the first."""
        key = (release.product, release.version)
        if key not in self._predecessors:
            self._predecessors[key] = self._predecessor(release)
        return self._predecessors[key]

    def _predecessor(self, release: Release) -> Release | None:
        if release.after:
            return self.release(release.product, release.after)
        if release.of:
            version = self.release(release.product, release.of)
        else:
            version = self._previous_versions.get((release.product, release.version))
        if version is None:
            return None
        key = (version.product, version.version)
        earlier = bisect_left(self._update_ages.get(key, []), age(release))
        return self._updates[key][earlier - 1] if earlier else version

    def contains(self, release: Release) -> tuple[Release, ...]:
        """The release and all its predecessors, newest first."""
        chain: list[Release] = []
        current: Release | None = release
        while current is not None:
            chain.append(current)
            current = self.predecessor(current)
        return tuple(chain)

    @cached_property
    def fixes(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """By (product, version) the ids of what a release's notes say that it fixes."""
        return {
            (release.product, release.version): tuple(
                [entry.id for entry in release.entries if entry.section in FIXING]
            )
            for release in self.releases
        }

    @cached_property
    def _fixed_in(self) -> dict[str, list[Release]]:
        fixed: dict[str, list[Release]] = defaultdict(list)
        for release in self.releases:
            for entry_id in dict.fromkeys(self.fixes[release.product, release.version]):
                fixed[entry_id].append(release)
        return fixed

    def fixed_in(self, entry_id: str) -> tuple[Release, ...]:
        """The releases whose notes say that they fix this, from old to new within a product."""
        return tuple(self._fixed_in.get(entry_id, ()))

    @cached_property
    def _defects(self) -> dict[str, Defect]:
        return {defect.id: defect for defect in self.defects}

    def defect(self, defect_id: str) -> Defect | None:
        """The defect with that id, or None when it has no page."""
        return self._defects.get(defect_id)

    # Bodies and links

    def body(self, item: Item) -> str:
        """The Markdown after the front matter, as written. Raises Problems when the file has changed."""
        text = self._texts.get(item.path)
        if text is None:
            text = source.read_text(self.content, item.path)
        if source.digest_of(text) != item.digest:
            raise Problems(
                [
                    Problem(
                        path=item.path,
                        line=1,
                        message="the file changed while the site was made; build again",
                    )
                ]
            )
        return source.split(text, item.path)[2]

    def resolved_body(self, item: Item) -> str:
        """The Markdown with links inside the site as absolute paths, and the policy's values filled in."""
        body = self.body(item)
        spans = [(link.start, link.end, self.resolve(item, link.target)) for link in item.links]
        spans += [(name.start, name.end, self.values[name.name]) for name in item.names]
        for start, end, text in sorted(spans, reverse=True):
            body = body[:start] + text + body[end:]
        return body

    @cached_property
    def values(self) -> dict[str, str]:
        """The policy's values by name, for prose that uses them."""
        return self.policy.values()

    def values_of(self, item: Item) -> tuple[str, ...]:
        """The policy's values that the item's prose uses, in order."""
        return tuple(self.values[name.name] for name in item.names)

    def links_of(self, item: Item) -> tuple[str, ...]:
        """Where the item's links lead, in order: what its page shows besides its own text."""
        return tuple(self.resolve(item, link.target) for link in item.links)

    def resolve(self, item: Item, target: str) -> str:
        """The absolute path that a link written in this item leads to, its fragment kept."""
        path, mark, fragment = target.partition("#")
        if not path:
            return target
        if path.startswith("/"):
            return self.prefix + path[1:] + mark + fragment
        joined = beside(item.path, path)
        found = self.by_path.get(joined)
        return self.prefix + (found.url if found else joined) + mark + fragment

    def address(self, url: str) -> str:
        """The absolute path of an address below the site's root."""
        return self.prefix + url


def beside(path: str, target: str) -> str:
    """The path below the content folder that `target`, written in the file `path`, means."""
    folder, rest = path.rpartition("/")[0], target
    while folder and rest.startswith("../") and not rest.startswith("..//"):
        folder, rest = folder.rpartition("/")[0], rest[3:]
    if "./" in rest or "//" in rest or rest.endswith((".", "/")) or rest[:1] in ("", "/"):
        return posixpath.normpath(posixpath.join(folder, rest))  # the rare and the odd
    return f"{folder}/{rest}" if folder else rest


def assemble(scan: Scan, *, content: Path, now: datetime, prefix: str = "/") -> Library:
    """Check everything against everything, then keep what readers may see at `now`.

    Raises Problems with all of them: the scan's own and those between files. Drafts and embargoed items
    are checked too, so that their day brings no surprise.
    """
    problems = list(scan.problems)
    everything = Library(
        items=tuple(scan.items[path] for path in sorted(scan.items)),
        attached=scan.attached,
        content=content,
        prefix=prefix,
    )
    problems += _checked(everything, scan.unread)
    visible = everything
    if any(item.draft or item.publish_at for item in everything.items):
        visible = Library(
            items=tuple(item for item in everything.items if item.shown_at(now)),
            attached=scan.attached,
            content=content,
            prefix=prefix,
        )
        problems += _dangling(everything, visible)
    if not problems:
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


def _checked(library: Library, unread: Mapping[str, Unread]) -> list[Problem]:
    problems: list[Problem] = []
    problems += _addresses(library)
    problems += _releases(library, unread)
    products = _products(library, unread)
    slugs = sorted(products)
    events = {event.path.removeprefix("events/").removesuffix(".md") for event in library.events}
    files = {found.path for found in library.attached}
    for defect in library.defects:
        if defect.product not in products:
            problems.append(_problem(defect, "product", f"a product such as {_some(slugs)}", defect.product))
            continue
        versions = [release.version for release in library.releases_of(defect.product)]
        for version in defect.found_in:
            if not _stands(library, unread, defect.product, version):
                problems.append(
                    _problem(
                        defect, "found_in", f"releases of {defect.product} such as {_some(versions)}", version
                    )
                )
    for paper in library.papers:
        if paper.event and paper.event not in events and f"events/{paper.event}.md" not in unread:
            problems.append(
                _problem(paper, "event", f"an event such as {_some(sorted(events))}", paper.event)
            )
        for feature in paper.features:
            product, _, version = feature.partition("/")
            if not _stands(library, unread, product, version):
                problems.append(_problem(paper, "features", "releases such as cityworks/23.10", feature))
        if paper.bibliography and beside(paper.path, paper.bibliography) not in files:
            problems.append(
                _problem(
                    paper,
                    "bibliography",
                    "a .bib file beside the paper such as references.bib",
                    paper.bibliography,
                )
            )
    for item in library.items:
        if isinstance(item, Policy):
            for rule in item.rules:
                if rule.product and rule.product not in products:
                    problems.append(
                        _problem(item, "rules", f"rules of products such as {_some(slugs)}", rule.product)
                    )
    problems += _links(library, files, unread)
    values = next((item.values() for item in library.items if isinstance(item, Policy)), {})
    for pointing in _pointing(library, unread) if "policy/support.md" not in unread else ():
        for name in pointing.names:
            if name.name not in values:
                near = difflib.get_close_matches(name.name, values, 1, 0.3) or list(values)[:1]
                problems.append(
                    Problem(
                        path=pointing.path,
                        line=name.line,
                        message=f"'{{{{ {name.name} }}}}' must be a value of the policy such as "
                        f"{', '.join(near)}, not an unknown one",
                    )
                )
    return problems


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
    return problems


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


def _generated(url: str) -> bool:
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
                    _generated(path[1:]) or path[1:] in files or path[1:] in unread_urls
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
                    _lost(item, link.line, link.target, f"to a heading of {target.path} such as {some}")
                )
    return problems


def _lost(item: Item | Unread, line: int, target: str, must_be: str) -> Problem:
    return Problem(path=item.path, line=line, message=f"the link must lead to {must_be}, not '{target}'")


def _dangling(everything: Library, visible: Library) -> list[Problem]:
    """Links and references from what is shown to what is not shown yet."""
    problems = []
    hidden = {item.path: item for item in everything.items if item.path not in visible.by_path}
    urls = {item.url: item for item in hidden.values()}
    for item in visible.items:
        for link in item.links:
            path = link.target.partition("#")[0]
            if not path:
                continue
            target = urls.get(path[1:]) if path.startswith("/") else hidden.get(beside(item.path, path))
            if target is not None:
                problems.append(_lost(item, link.line, link.target, "a page that is published"))
        if isinstance(item, Release):
            for name, version in (("of", item.of), ("after", item.after)):
                if version and f"releases/{item.product}/{version}.md" in hidden:
                    problems.append(_problem(item, name, "a release that is published", version))
            if f"releases/{item.product}/index.md" in hidden:
                problems.append(
                    Problem(
                        path=item.path,
                        line=1,
                        message="the product must be published, such as its releases are",
                    )
                )
        if isinstance(item, Defect):
            for version in item.found_in:
                if f"releases/{item.product}/{version}.md" in hidden:
                    problems.append(_problem(item, "found_in", "releases that are published", version))
        if isinstance(item, Paper):
            if item.event and f"events/{item.event}.md" in hidden:
                problems.append(_problem(item, "event", "an event that is published", item.event))
            for feature in item.features:
                if f"releases/{feature}.md" in hidden:
                    problems.append(_problem(item, "features", "releases that are published", feature))
    return problems
