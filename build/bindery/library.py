"""The library: all content that readers may see at one moment, and what follows from its parts.

Predecessors, what a release contains, where a link leads. `checks` has made sure that every name points at
something, so nothing here asks again.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property, partial
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

from bindery import manuscript, prose, references, source
from bindery.blocks import BLOCKS, RELEASES_SINCE_LAST, Announced, between, block
from bindery.kinds.defect import Defect
from bindery.kinds.event import Event
from bindery.kinds.home import Home
from bindery.kinds.issue import Issue
from bindery.kinds.item import Item
from bindery.kinds.page import Page
from bindery.kinds.paper import Paper
from bindery.kinds.policy import Policy
from bindery.kinds.product import Product
from bindery.kinds.release import Release
from bindery.kinds.tombstone import Tombstone
from bindery.prose import Entry
from bindery.references import Apparatus, Bibliography, Piece
from bindery.source import Found, Problem, Problems

FIXING = frozenset({"Fixed", "Security"})  # the sections of release notes that mend something
KNOWN = "Known issues"
Dated = TypeVar("Dated")
_NATURAL = re.compile(r"(\d+)")


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
    """What readers may see, sorted by path; `prefix` is the path of the site's address, "/" or "/sub/".

    `today` is the vendor's day, which tells the rule that holds from one that is still to come: the last
    day that there is where nobody asks, so that the latest rule holds."""

    items: tuple[Item, ...]
    attached: tuple[Found, ...]
    content: Path
    prefix: str = "/"
    today: date = date.max
    bibliographies: Mapping[str, Bibliography] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    _named: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)
    _predecessors: dict[tuple[str, str], Release | None] = field(
        default_factory=dict, repr=False, compare=False
    )
    _apparatus: dict[str, Apparatus] = field(default_factory=dict, repr=False, compare=False)

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
    def tombstones(self) -> tuple[Tombstone, ...]:
        """Tombstones, by path."""
        return tuple(item for item in self.items if isinstance(item, Tombstone))

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
    def noted(self) -> dict[tuple[str, str], tuple[Entry, ...]]:
        """By (product, version) the entries of a release's notes below Known issues."""
        return {
            (release.product, release.version): tuple(
                [entry for entry in release.entries if entry.section == KNOWN]
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

    @cached_property
    def duplicates(self) -> dict[str, tuple[Defect, ...]]:
        """By id the defects that are the same as that one, under ids of their own."""
        same: dict[str, list[Defect]] = defaultdict(list)
        for defect in self.defects:
            if defect.duplicate_of:
                same[defect.duplicate_of].append(defect)
        return {name: tuple(defects) for name, defects in same.items()}

    def original(self, defect_id: str) -> Defect | None:
        """The defect that an id speaks of: its own page, or that of which it is a duplicate; None without."""
        defect = self.defect(defect_id)
        return self.defect(defect.duplicate_of) if defect and defect.duplicate_of else defect

    def fixes_of(self, defect: Defect) -> tuple[Release, ...]:
        """The releases whose notes fix the defect, under its id or that of a duplicate; from old to new
        within a product."""
        found = self.fixed_in(defect.id)
        same = self.duplicates.get(defect.id, ())
        if not same:
            return found
        every = {fix.path: fix for name in (defect, *same) for fix in self.fixed_in(name.id)}
        return tuple(sorted(every.values(), key=lambda fix: (fix.product, *age(fix))))

    def told(self, entry: Entry) -> str:
        """What an entry of release notes says, as plain text with the policy's values filled in."""
        text = prose.as_text(entry.text)
        return prose.filled(text, self.values) if "{{" in text else text

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

    def resolved_body(self, item: Item, cite: Cite | None = None) -> str:
        """The Markdown with links inside the site as absolute paths, and the policy's values filled in.

        `cite` makes the Markdown of a citation from its pieces. Without it the text is for another place than
        the paper's page: a number leads to that page, and the list of references stands below the text.
        """
        body = self.manuscript(item, cite)
        if not isinstance(item, Paper):
            return body
        below = references.as_markdown(self.apparatus(item).listed) if cite is None else ""
        return manuscript.for_page(body) + below

    def manuscript(self, item: Item, cite: Cite | None = None) -> str:
        """The same before a page shows it: mathematics and captions of a paper stand as they were written."""
        body = self.body(item)
        spans = [(link.start, link.end, self.resolve(item, link.target)) for link in item.links]
        values = zip(item.names, self.values_of(item), strict=True)
        spans += [(name.start, name.end, value) for name, value in values]
        if isinstance(item, Paper):
            cite = cite or partial(_cited_from_afar, self.address(item.url))
            spans += [
                (citation.start, citation.end, cite(pieces))
                for citation, pieces in zip(item.citations, self.apparatus(item).pieces, strict=True)
            ]
        for start, end, text in sorted(spans, reverse=True):
            body = body[:start] + text + body[end:]
        return body

    def bibliography(self, paper: Paper) -> Bibliography | None:
        """The bibliography that a paper names, or None."""
        return self.bibliographies.get(beside(paper.path, paper.bibliography)) if paper.bibliography else None

    def apparatus(self, paper: Paper) -> Apparatus:
        """What stands in the place of each of a paper's citations, and its list of references."""
        made = self._apparatus.get(paper.path)
        if made is None:
            held = self.bibliography(paper)
            made = references.apparatus(paper.citations, held.references if held else {})
            self._apparatus[paper.path] = made
        return made

    def cited_by(self, item: Item) -> tuple[str, ...]:
        """What decides an item's references beside its text: the digest of its bibliography, if it cites."""
        held = self.bibliography(item) if isinstance(item, Paper) and item.citations else None
        return (held.digest,) if held else ()

    @cached_property
    def facts(self) -> str:
        """What decides all that programs are told of products, releases, defects and the policy: the digest
        of their files, and the rules that are still to come. Prose, news and papers are not among them."""
        prose_kinds = (Page, Issue, Paper, Event)
        told = [f"{item.path} {item.digest}" for item in self.items if not isinstance(item, prose_kinds)]
        return source.digest_of("\n".join([*told, *map(str, self.rules_to_come)]))

    @cached_property
    def rules_to_come(self) -> tuple[date, ...]:
        """The days after today on which rules of the policy begin to hold: while nobody knows when the next
        version comes, what is said of support changes on such a day, though no file does."""
        return tuple(rule.since for rule in self.policy.rules if rule.since > self.today)

    @cached_property
    def values(self) -> dict[str, str]:
        """The policy's values by name, for prose that uses them."""
        return self.policy.values(self.today)

    def values_of(self, item: Item) -> tuple[str, ...]:
        """What the names that the item's prose uses stand for, in order."""
        if not item.names:
            return ()
        values = self._named.get(item.path)
        if values is None:
            values = self._named[item.path] = tuple(self._value(item, name.name) for name in item.names)
        return values

    def mark(self, item: Item) -> str:
        """What decides the body that readers see: the file's text and what its names stand for. Where links
        lead follows from the text."""
        return f"{item.digest} {self.values_of(item)!r}" if item.names else item.digest

    def _value(self, item: Item, name: str) -> str:
        return self._block(item, name) if isinstance(item, Issue) and name in BLOCKS else self.values[name]

    def _block(self, issue: Issue, name: str) -> str:
        """A block of an issue, as Markdown with links that lead."""
        since = max((one.date for one in self.issues if one.date < issue.date), default=None)
        window = between(name, since=since, day=issue.date)
        if name == RELEASES_SINCE_LAST:
            told = [self._announced_release(one) for one in _within(self._releases_by_day, window)]
        else:
            told = [self._announced_event(one) for one in _within(self._events_by_day, window)]
        return block(name, told)

    @cached_property
    def _releases_by_day(self) -> list[tuple[date, Release]]:
        return sorted(((one.released, one) for one in self.releases), key=itemgetter(0))

    @cached_property
    def _events_by_day(self) -> list[tuple[date, Event]]:
        return [(one.start, one) for one in self.events]

    def _announced_release(self, release: Release) -> Announced:
        return Announced(
            title=self.name_of(release),
            url=self.address(release.url),
            first=release.released,
            last=release.released,
            text=release.summary,
            security=release.security,
            sample=release.sample,
        )

    def _announced_event(self, event: Event) -> Announced:
        return Announced(
            title=event.title,
            url=self.address(event.url),
            first=event.start,
            last=event.end,
            text=f"{event.place}. {event.summary}".strip(),
            security=(),
            sample=event.sample,
        )

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


Cite = Callable[[Sequence[Piece]], str]


def _cited_from_afar(page: str, pieces: Sequence[Piece]) -> str:
    return "".join(
        f"[{piece.text}]({page}#{references.anchor(piece.key)})" if piece.number else piece.as_markdown()
        for piece in pieces
    )


def _within(dated: list[tuple[date, Dated]], window: tuple[date, date]) -> list[Dated]:
    """What is dated after the first day of a window, up to the last."""
    first, last = (bisect_right(dated, day, key=itemgetter(0)) for day in window)
    return [one for _, one in dated[first:last]]


def beside(path: str, target: str) -> str:
    """The path below the content folder that `target`, written in the file `path`, means."""
    folder, rest = path.rpartition("/")[0], target
    while folder and rest.startswith("../") and not rest.startswith("..//"):
        folder, rest = folder.rpartition("/")[0], rest[3:]
    if "./" in rest or "//" in rest or rest.endswith((".", "/")) or rest[:1] in ("", "/"):
        return posixpath.normpath(posixpath.join(folder, rest))  # the rare and the odd
    return f"{folder}/{rest}" if folder else rest
