"""Intake: a folder of foreign Markdown as content, proved to be sound beside what is there.

Nothing that is there is overwritten. What cannot be understood is left where it is, with a line that says
why; the rest is taken. This module changes no disk: `write` does.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from bindery import checks, kinds, reading, source
from bindery.incoming import foreign, mapping, references
from bindery.incoming.foreign import SUFFIXES
from bindery.incoming.mapping import Mapped
from bindery.incoming.markup import Remark
from bindery.kinds.item import Item, url_of
from bindery.reading import ATTACHED, Scan
from bindery.source import Found, Problem, Problems

Progress = Callable[[str, int, int], None]
_LOST = re.compile(r"the link must lead .*, not '(?P<target>.*)'", re.DOTALL)


class Refused(Exception):
    """The import cannot begin; the message says why and what to do. Nothing was written."""


@dataclass(frozen=True, kw_only=True)
class Intake:
    """What an import makes. `files` and `copies` are by their new path below the content folder; `origins`
    gives the old path of each file. `left` are lines for files that are not taken, `remarks` for what was
    changed in those that are; `kept_out` names fields without a counterpart, with the files that have them;
    `others` are files that are no Markdown and that no text shows. `by_number` are the releases
    whose front matter did not tell their kind, with the version that they were taken as updates of, "" for
    those taken as versions."""

    files: Mapping[str, str]
    copies: Mapping[str, Path]
    origins: Mapping[str, str]
    left: tuple[Problem, ...]
    remarks: tuple[Problem, ...]
    kept_out: Mapping[str, tuple[str, ...]]
    others: tuple[str, ...]
    by_number: Mapping[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class _Entry:
    """A file on its way in; `dead` are old targets that the checks found to lead nowhere."""

    mapped: Mapped
    path: str
    front: dict[str, object]
    dead: set[str] = field(default_factory=set)
    fragments_lost: set[str] = field(default_factory=set)
    text: str = ""
    remarks: tuple[Remark, ...] = ()
    uses: tuple[str, ...] = ()

    @property
    def old(self) -> str:
        return self.mapped.foreign.path


def folder_of(kind: str, to: str, content: Path) -> str:
    """The folder below content/ that things of that kind go to. Raises Refused for one that cannot be."""
    to = to.strip("/").removeprefix("content/")
    fixed = {"issue": "newsletter", "paper": "papers"}.get(kind)
    if fixed:
        if to not in ("", fixed):
            raise Refused(f"--to must be {fixed}, or be left out, for --as {kind}, not '{to}'")
        return fixed
    if kind == "release":
        product = to.removeprefix("releases/")
        known = sorted(path.parent.name for path in (content / "releases").glob("*/index.md"))
        if product not in known:
            offered = ", ".join(known) or "none yet"
            raise Refused(
                f"--to must be a product, one of {offered}, not '{product}'; "
                "a new one begins with: bindery new product NAME"
            )
        return f"releases/{product}"
    if not to or not re.fullmatch(r"[A-Za-z0-9][\w./-]*", to) or ".." in to:
        raise Refused(f"--to must be a folder of pages such as help or help/guides, not '{to}'")
    if to.split("/")[0] in ("releases", "newsletter", "papers", "events", "defects"):
        raise Refused(f"--to must be a folder of pages such as help, not '{to}', which is for other kinds")
    return to


def take(
    folder: Path,
    *,
    kind: str,
    to: str,
    content: Path,
    now: datetime,
    parts: int | None = None,
    draft: bool = False,
    progress: Progress = lambda _stage, _done, _total: None,
) -> Intake:
    """Read, map and prove a folder. `kind` is one of mapping.KINDS, `to` what `folder_of` gave; `parts` is
    how many numbers name a version, None where the numbers beside each other tell it.

    Raises Refused when the folder holds no Markdown; Problems never: what is wrong is in `left`.
    """
    everything = list(foreign.walk(folder))
    texts = [path for path in everything if path.lower().endswith(SUFFIXES)]
    if not texts:
        raise Refused(f"{folder} must hold Markdown such as {', '.join(SUFFIXES[:2])} files, and holds none")
    left: list[Problem] = []
    taken: list[Mapped] = []
    for number, path in enumerate(texts, 1):
        progress("Reading files", number, len(texts))
        try:
            read = foreign.read(folder, path)
        except Problems as error:
            left += error.problems
            continue
        one = mapping.mapped(read, kind, product=to.rpartition("/")[2], now=now, draft=draft)
        if one.missing:
            left += [Problem(path=path, line=line, message=message) for line, message in one.missing]
        else:
            taken.append(one)
    scan = reading.read(content, source.find(content), {})
    entries, clashes = _placed(taken, kind, to, content)
    left += clashes
    by_number = _kinds_of_releases(entries, scan, to, parts) if kind == "release" else {}
    return _Proof(folder, everything, entries, scan, content, now, to, progress).intake(left, by_number)


def _placed(
    taken: Sequence[Mapped], kind: str, to: str, content: Path
) -> tuple[dict[str, _Entry], list[Problem]]:
    """Every file with its new path, by that path; and problems for paths that are taken."""
    left: list[Problem] = []
    wanted: dict[str, list[Mapped]] = defaultdict(list)
    for one in taken:
        wanted[_path(one, kind, to)].append(one)
    entries: dict[str, _Entry] = {}
    for path, rivals in sorted(wanted.items()):
        for place, one in enumerate(rivals):
            own = path
            if place and kind != "release" and one.day:  # two of one name: the later ones say their day
                own = posixpath.join(posixpath.dirname(path), f"{one.day}-{one.name}.md")
            if own in entries:
                message = f"the file must have a name of its own; {entries[own].old} becomes {own} too"
                left.append(Problem(path=one.foreign.path, line=1, message=message))
            elif (content / own).exists():
                message = f"{own} is there already and is not overwritten"
                left.append(Problem(path=one.foreign.path, line=1, message=message))
            else:
                entries[own] = _Entry(mapped=one, path=own, front=dict(one.front))
    return entries, left


def _path(one: Mapped, kind: str, to: str) -> str:
    if kind != "page":
        return f"{to}/{one.name}.md"
    # Pages keep their folders, and an index stays one.
    *folders, name = one.foreign.path.split("/")
    kept = [
        slug
        for part in folders
        if (slug := mapping.slug(part)) and part not in ("_posts", "_drafts", "content")
    ]
    stem = name.rpartition(".")[0].lower()
    if stem in ("index", "_index", "readme"):
        return "/".join([to, *kept, "index.md"])
    return "/".join([to, *kept, f"{one.name}.md"])


def _kinds_of_releases(
    entries: Mapping[str, _Entry], scan: Scan, to: str, parts: int | None
) -> dict[str, str]:
    """Give releases their kind where the front matter has none; those releases, and what they update."""
    there = [
        path.rpartition("/")[2].removesuffix(".md")
        for path in scan.items
        if path.startswith(f"{to}/") and not path.endswith("/index.md")
    ]
    numbers = {path: entry.mapped.version for path, entry in entries.items()}
    told = mapping.kinds_by_number([*numbers.values(), *there], parts)
    by_number = {}
    for path, entry in entries.items():
        if "kind" in entry.front or "of" in entry.front:
            entry.front.setdefault("kind", "update" if "of" in entry.front else "version")
            continue
        of = told[numbers[path]]
        entry.front = {
            name: value
            for place, (name, value) in enumerate(entry.front.items())
            for name, value in (
                [(name, value)]
                if place != 1
                else [(name, value), ("kind", "update" if of else "version")] + ([("of", of)] if of else [])
            )
        }
        by_number[numbers[path]] = of
    return by_number


class _Proof:
    """The rounds that an import goes through until everything in it is sound beside what is there."""

    def __init__(
        self,
        folder: Path,
        everything: Sequence[str],
        entries: dict[str, _Entry],
        scan: Scan,
        content: Path,
        now: datetime,
        to: str,
        progress: Progress,
    ) -> None:
        self._folder = folder
        self._entries = entries
        self._scan = scan
        self._content = content
        self._now = now
        self._to = to
        self._progress = progress
        self._everything = set(everything)
        self._urls = {
            url.rstrip("/") for item in scan.items.values() for url in (item.url, *item.redirect_from)
        }
        self._copies: dict[str, Path] = {}
        self._parsed: dict[str, Item] = {}
        self._stale = set(entries)
        self._lost: list[Problem] = []
        self._by_old = {entry.old: path for path, entry in entries.items()}
        self._by_stem: dict[str, str] = {}
        self._by_address: dict[str, str] = {}
        for path, entry in entries.items():
            stem = entry.old.rpartition("/")[2].rpartition(".")[0]
            self._by_stem.setdefault(stem, path)
            self._by_stem.setdefault(entry.mapped.name, path)
            for address in _addresses(entry.mapped):
                self._by_address.setdefault(address, path)

    def intake(self, left: list[Problem], by_number: Mapping[str, str]) -> Intake:
        before = set(self._problems(self._scan))
        total = len(self._entries)
        while self._stale:
            self._make()
            self._progress("Proving", total - len(self._stale), total)
            new = set(self._problems(self._together())) - before
            if not new:
                break
            self._learn(sorted(new))
        used = {new for entry in self._entries.values() for new in entry.uses}
        copies = {new: old for new, old in self._copies.items() if new in used}
        shown = {old.relative_to(self._folder).as_posix() for old in copies.values()}
        kept_out: dict[str, list[str]] = defaultdict(list)
        for entry in self._entries.values():
            for name in entry.mapped.kept_out:
                kept_out[name].append(entry.old)
        return Intake(
            files={path: entry.text for path, entry in sorted(self._entries.items())},
            copies=dict(sorted(copies.items())),
            origins={path: entry.old for path, entry in sorted(self._entries.items())},
            left=tuple(sorted({*left, *self._lost})),
            remarks=tuple(
                sorted(
                    Problem(path=entry.old, line=line, message=message)
                    for entry in self._entries.values()
                    for line, message in (*entry.mapped.remarks, *entry.remarks)
                )
            ),
            kept_out={name: tuple(sorted(paths)) for name, paths in sorted(kept_out.items())},
            others=tuple(
                sorted(path for path in self._everything - shown if not path.lower().endswith(SUFFIXES))
            ),
            by_number={
                version: of
                for version, of in sorted(by_number.items())
                if f"{self._to}/{version}.md" in self._entries
            },
        )

    def _make(self) -> None:
        """The text and the item of every file that changed since the round before."""
        for path in sorted(self._stale & self._entries.keys()):
            entry = self._entries[path]
            uses: list[str] = []
            body, entry.remarks = references.led(
                entry.mapped.body,
                entry.mapped.foreign.body_line,
                lambda target, entry=entry, uses=uses: self._find(entry, target, uses),  # type: ignore[misc]
            )
            entry.uses = tuple(uses)
            front = dict(entry.front)
            if old := [one for one in entry.mapped.old_addresses if self._is_free(one, path)]:
                front["redirect_from"] = old
            entry.text = mapping.text_of(front, body)
            problems: list[Problem] = []
            try:
                item = kinds.parse(source.parse(entry.text, path), problems)
            except Problems as error:
                item, problems = None, list(error.problems)
            if item is None:
                self._drop(path, problems)
            else:
                self._parsed[path] = item
        self._stale.clear()

    def _is_free(self, old: str, path: str) -> bool:
        """Whether an old address can lead on to the page: not when it is some page's own."""
        return (
            old.rstrip("/") not in self._urls
            and old.rstrip("/") not in {url_of(one).rstrip("/") for one in (path,)}
            and self._by_address.get(old.rstrip("/"), path) == path
            and f"{old.rstrip('/')}.md" not in self._entries
        )

    def _find(self, entry: _Entry, target: str, uses: list[str]) -> str | None:
        """The new target of an old link; None when it leads nowhere."""
        bare, mark, fragment = target.partition("#")
        if target in entry.dead or bare in entry.dead:
            return None
        if target in entry.fragments_lost:
            mark = fragment = ""
        page = self._page(entry.old, bare)
        if page is not None:
            if bool(self._entries[page].front.get("draft")) > bool(entry.front.get("draft")):
                return None
            return posixpath.relpath(page, posixpath.dirname(entry.path)) + mark + fragment
        for path in references.candidates(bare, entry.old):
            if path in self._everything and path.lower().endswith(ATTACHED):
                new = f"{self._to}/{_attachment(path)}"
                source_path = self._folder / path
                if self._copies.setdefault(new, source_path) != source_path or (self._content / new).exists():
                    return None
                uses.append(new)
                return posixpath.relpath(new, posixpath.dirname(entry.path))
        bare = bare.removeprefix("ref:")
        if bare.startswith("/") and (bare.strip("/") in self._urls or checks.generated(bare.lstrip("/"))):
            return bare + mark + fragment
        return None

    def _page(self, old: str, bare: str) -> str | None:
        if bare.startswith("post:"):
            stem = bare.removeprefix("post:").rpartition("/")[2]
            return self._by_stem.get(stem)
        for path in references.candidates(bare, old):
            if path in self._by_old:
                return self._by_old[path]
        address = bare.removeprefix("ref:").strip("/").removesuffix("index.html").rstrip("/")
        if address in self._by_address:
            return self._by_address[address]
        return self._by_stem.get(address.rpartition("/")[2]) if bare.startswith("ref:") else None

    def _together(self) -> Scan:
        found = [
            Found(path=path, size=0, modified=0, inode=0)
            for path in sorted({use for entry in self._entries.values() for use in entry.uses})
        ]
        items = {**self._scan.items, **{path: self._parsed[path] for path in self._entries}}
        return replace(self._scan, items=items, attached=(*self._scan.attached, *found))

    def _problems(self, scan: Scan) -> tuple[Problem, ...]:
        try:
            checks.assemble(scan, content=self._content, now=self._now)
        except Problems as error:
            return error.problems
        return ()

    def _learn(self, problems: Sequence[Problem]) -> None:
        """Take from what the checks say: unlink a link, or leave a file out."""
        gone = False
        for problem in problems:
            path = problem.path
            if path not in self._entries:
                # Something that is there has trouble with something new: the message names that.
                path = next((new for new in self._entries if new in problem.message), "")
            if not path:
                continue
            lost = _LOST.match(problem.message)
            if lost and problem.path == path:
                self._unlink(self._entries[path], lost["target"])
            else:
                self._drop(path, [problem])
            gone = True
        if not gone:
            raise Problems(problems)

    def _unlink(self, entry: _Entry, new: str) -> None:
        """The link that became `new` leads nowhere after all: first without its fragment, then not at all."""
        known: list[str] = []

        def ask(target: str) -> str | None:
            found = self._find(entry, target, [])
            if found == new:
                known.append(target)
            return found

        references.led(entry.mapped.body, 1, ask)
        for target in known or [new]:
            if "#" in target and target not in entry.fragments_lost and not target.startswith("#"):
                entry.fragments_lost.add(target)
            else:
                entry.dead.add(target)
        if not known:  # a link within the page, or one that no rule here led
            self._drop(
                entry.path, [Problem(path=entry.path, line=1, message=f"the link to '{new}' leads nowhere")]
            )
        self._stale.add(entry.path)

    def _drop(self, path: str, problems: Sequence[Problem]) -> None:
        entry = self._entries.pop(path, None)
        if entry is None:
            return
        self._parsed.pop(path, None)
        self._lost += [Problem(path=entry.old, line=1, message=problem.message) for problem in problems]
        for index in (self._by_old, self._by_stem, self._by_address):
            for key in [key for key, value in index.items() if value == path]:
                del index[key]
        # What led to it, or is an update of it, is made again.
        self._stale |= self._entries.keys()


def _addresses(one: Mapped) -> set[str]:
    """Where the old site may have shown the page, without slashes around it."""
    path = one.foreign.path.rpartition(".")[0]
    found = {address.rstrip("/") for address in one.old_addresses}
    found |= {path, path.removeprefix("content/"), one.name}
    folder = posixpath.dirname(path.removeprefix("content/")).removeprefix("_posts").strip("/")
    found.add(f"{folder}/{one.name}".strip("/"))
    if one.day:
        for address in (f"{one.day:%Y/%m/%d}/{one.name}", f"{one.day:%Y/%m}/{one.name}"):
            found |= {address, f"{folder}/{address}".strip("/")}
    return found | {f"{address}.html" for address in found}


def _attachment(path: str) -> str:
    *folders, name = path.split("/")
    stem, _, ending = name.rpartition(".")
    kept = [
        slug
        for part in folders
        if (slug := mapping.slug(part)) and part not in ("static", "content", "assets")
    ]
    return "/".join([*kept, f"{mapping.slug(stem) or 'file'}.{ending.lower()}"])
