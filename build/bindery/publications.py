"""What stands at a target: publications, the pointer to the one that is served, and where it pointed before.

A target is a folder: `publications/<id>/{public,mails,manifest.json,permanence.json}`, the symlink `current`,
`journal.jsonl` (every move of the pointer, line by line), `ledger.json` (every name that was ever published)
and `.lock`. This module only reads, through `Place`, which knows how such a target is kept; `publish` makes
and moves.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from bindery import permanence
from bindery.permanence import Ledger, Published

FORMAT = 1
PUBLISHED = ("public", "mails")


class PublishError(Exception):
    """The publication, or the way back to one, cannot be; the message says why. The pointer did not move."""


class Vanish(PublishError):
    """Names that were published would be there no more; `lines` names each and says what to do."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class File(NamedTuple):
    sha256: str
    size: int  # bytes


class Kept(NamedTuple):
    """An asset of an earlier publication, and the instant at which it stopped to be current."""

    sha256: str
    size: int
    last_current: datetime


@dataclass(frozen=True, kw_only=True)
class Commit:
    id: str
    author: str
    subject: str


@dataclass(frozen=True, kw_only=True)
class Publication:
    """What `manifest.json` says. Paths are below the publication, such as `public/index.html`."""

    id: str
    when: datetime
    commit: Commit | None
    files: Mapping[str, File]
    kept: Mapping[str, Kept] = field(default_factory=dict)
    replaced: str | None = None  # the publication that was current before this one: `rollback` goes there
    let_go: str = ""  # why names that were published before may be missing in it

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files.values())

    def as_json(self) -> str:
        """One line, keys sorted: the same publication is the same bytes."""
        commit = self.commit
        value = {
            "format": FORMAT,
            "id": self.id,
            "when": self.when.isoformat(),
            "commit": {"id": commit.id, "author": commit.author, "subject": commit.subject}
            if commit
            else None,
            "files": {path: {"sha256": file.sha256, "size": file.size} for path, file in self.files.items()},
            "kept": {
                path: {
                    "sha256": each.sha256,
                    "size": each.size,
                    "last_current": each.last_current.isoformat(),
                }
                for path, each in self.kept.items()
            },
            "replaced": self.replaced,
            **({"let_go": self.let_go} if self.let_go else {}),
        }
        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n"


@dataclass(frozen=True, kw_only=True)
class Move:
    """One line of the journal: the pointer went from `was` to `id`."""

    when: datetime
    id: str
    was: str | None
    by: str  # "publish" or "rollback"


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Between two publications: pages by their path from the site's root, and how many other files."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    others: int


class Place(Protocol):
    """What reading needs of a target. Paths have slashes and begin at the target's root."""

    @property
    def name(self) -> str:
        """As staff write it, such as dir:/srv/support."""

    def where(self, path: str = "") -> str:
        """How a message names what lies there."""

    def get(self, path: str) -> bytes | None:
        """The bytes of a file; None where there is none."""

    def pointed(self) -> str | None:
        """The id of the publication that is current."""

    def names(self) -> set[str]:
        """The ids of all publications that are there."""


@dataclass(frozen=True, kw_only=True)
class Folder:
    """The target `dir:PATH`."""

    path: Path

    @property
    def name(self) -> str:
        return f"dir:{self.path}"

    def where(self, path: str = "") -> str:
        return str(self.path / path)

    def get(self, path: str) -> bytes | None:
        try:
            return (self.path / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def pointed(self) -> str | None:
        try:
            return self.pointer.readlink().name
        except FileNotFoundError:
            return None

    def names(self) -> set[str]:
        if not self.publications.is_dir():
            return set()
        return {entry.name for entry in os.scandir(self.publications) if not entry.name.startswith(".")}

    @property
    def pointer(self) -> Path:
        return self.path / "current"

    @property
    def publications(self) -> Path:
        return self.path / "publications"

    @property
    def journal(self) -> Path:
        return self.path / "journal.jsonl"

    @property
    def ledger(self) -> Path:
        return self.path / "ledger.json"


def target(text: str) -> Folder:
    kind, _, path = text.partition(":")
    if kind != "dir" or not path:
        raise PublishError(f"TARGET must be dir:PATH, such as dir:/srv/support, not {text!r}")
    return Folder(path=Path(path).absolute())


def parse(data: bytes) -> Publication:
    value = json.loads(data)
    if value["format"] != FORMAT:
        raise PublishError(
            f"The manifest's format must be {FORMAT}, not {value['format']!r}: use a newer bindery"
        )
    return Publication(
        id=value["id"],
        when=datetime.fromisoformat(value["when"]),
        commit=Commit(**value["commit"]) if value["commit"] else None,
        files={path: File(each["sha256"], each["size"]) for path, each in value["files"].items()},
        kept={
            path: Kept(each["sha256"], each["size"], datetime.fromisoformat(each["last_current"]))
            for path, each in value["kept"].items()
        },
        replaced=value["replaced"],
        let_go=value.get("let_go", ""),
    )


def read(place: Place, name: str) -> Publication:
    data = place.get(f"publications/{name}/manifest.json")
    if data is None:
        raise PublishError(f"There is no publication {name!r} at {place.where()}")
    return parse(data)


def current_name(place: Place) -> str | None:
    return place.pointed()


def current(place: Place) -> Publication | None:
    name = current_name(place)
    return read(place, name) if name else None


def names(place: Place) -> set[str]:
    return place.names()


def moves(place: Place) -> tuple[Move, ...]:
    found = []
    for line in (place.get("journal.jsonl") or b"").decode().splitlines():
        with contextlib.suppress(json.JSONDecodeError):  # a line that a power cut tore
            value = json.loads(line)
            when = datetime.fromisoformat(value["when"])
            found.append(Move(when=when, id=value["id"], was=value["was"], by=value["by"]))
    return tuple(found)


def served(place: Place) -> set[str | None]:
    """Every id that the pointer ever had, of publications that are gone too."""
    log = moves(place)
    return {move.id for move in log} | {move.was for move in log} | {current_name(place)}


def history(place: Place) -> tuple[Publication, ...]:
    """Every publication that was current once and is still there, the newest first."""
    return tuple(read(place, name) for name in sorted(names(place) & served(place), reverse=True))


def rolled_back_from(place: Place) -> Publication | None:
    """The publication that staff went back from, when the pointer stands where a rollback put it."""
    log = moves(place)
    if not log or log[-1].by != "rollback" or log[-1].id != current_name(place) or not log[-1].was:
        return None
    with contextlib.suppress(PublishError):
        return read(place, log[-1].was)
    return None


def ledger(place: Place) -> Ledger:
    """Every name that was ever published here. What `ledger.json` does not hold yet (the publisher died
    before it
    wrote that) or any more (the file was lost) is taken from the publications that are still there."""
    data, file = place.get("ledger.json"), place.where("ledger.json")
    try:
        known = Ledger() if data is None else permanence.ledger(data)
    except permanence.UnknownFormat as error:
        raise PublishError(f"{file} has the format {error}: use a newer bindery") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise PublishError(
            f"{file} is damaged: put it back from a backup. Without one take it away: it is then "
            f"made anew from the {len(names(place))} publications that are still there"
        ) from None
    for name in sorted((names(place) & served(place)) - known.publications.keys()):
        entered = read(place, name)
        what = _told(place, name)
        known = permanence.enter(
            known,
            name,
            entered.when.isoformat(),
            what or permanence.of_files(entered.files),
            told=what is not None,
            let_go=entered.let_go,
        )
    return known


def published(root: Path) -> Published | None:
    """The permanent names that a build, or a publication, tells; None when it tells none."""
    return _read_published(
        (root / permanence.FILE).read_bytes() if (root / permanence.FILE).exists() else None,
        str(root / permanence.FILE),
    )


def _told(place: Place, name: str) -> Published | None:
    path = f"publications/{name}/{permanence.FILE}"
    return _read_published(place.get(path), place.where(path))


def _read_published(data: bytes | None, file: str) -> Published | None:
    try:
        return None if data is None else permanence.published(data)
    except permanence.UnknownFormat as error:
        raise PublishError(f"{file} has the format {error}: use a newer bindery") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise PublishError(f"{file} is damaged: run `bindery build --clean`") from None


def weigh(place: Place, known: Ledger, what: Published) -> None:
    """Raises Vanish with everything that would vanish from the target."""
    found = permanence.vanishing(known, what)
    if found:
        count = len(found)
        lines = permanence.mended(known, found, target=place.name)
        lines.append(f"{count} published name{'s' * (count != 1)} would vanish.")
        raise Vanish(lines)


def changes(before: Publication | None, after: Publication) -> Changes:
    old, new = before.files if before else {}, after.files
    added = [path for path in new if path not in old]
    changed = [path for path in new if path in old and new[path] != old[path]]
    removed = [path for path in old if path not in new]
    return Changes(
        added=_pages(added),
        changed=_pages(changed),
        removed=_pages(removed),
        others=sum(not _is_page(path) for path in (*added, *changed, *removed)),
    )


def damage(folder: Folder, name: str) -> list[str]:
    """Every way in which the files of a publication are not those of its manifest."""
    publication, root, found = read(folder, name), folder.publications / name, []
    promised: dict[str, File | Kept] = {**publication.kept, **publication.files}
    there = {relative for relative, _ in files(root)}
    for relative, expected in sorted(promised.items()):
        if relative not in there:
            found.append(f"{relative} is missing")
        elif hashlib.sha256((root / relative).read_bytes()).hexdigest() != expected.sha256:
            found.append(f"{relative} is not the file that was published")
    return found + [f"{relative} was not published" for relative in sorted(there - promised.keys())]


def files(root: Path) -> Iterator[tuple[str, str]]:
    """(path relative to `root`, with slashes; path) of every file of `public` and `mails` below it."""
    waiting = [part for part in PUBLISHED if (root / part).is_dir()]
    while waiting:
        relative = waiting.pop()
        with os.scandir(root / relative) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{relative}/{entry.name}")
                else:
                    yield f"{relative}/{entry.name}", entry.path


def _is_page(path: str) -> bool:
    return path.startswith("public/") and path.endswith(".html")


def _pages(paths: list[str]) -> tuple[str, ...]:
    return tuple(
        sorted(path.removeprefix("public").removesuffix("index.html") for path in paths if _is_page(path))
    )
