"""The disk: an output folder with a manifest of what is in it, changed only where it must change.

The manifest (`manifest.json` in the output folder) names every file with its SHA-256 and every page with
its key; it is all the state that a build needs. Before anything is changed, a journal says which files
may be wrong from now on, so that a build after a killed one makes them again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FORMAT = 1
MANIFEST = "manifest.json"
JOURNAL = ".writing"
AREAS = ("pages", "public", "mails")


class NotOurs(Exception):
    """The output folder holds something that no build made; the message says what to do."""


@dataclass(kw_only=True)
class Manifest:
    """What a build left behind. `files` are paths below the output folder, such as `public/index.html`.

    `pages` gives each page's key by its path below `pages/`; `looks` what all pages were rendered with.
    """

    looks: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def load(out: Path) -> Manifest:
    """The manifest of what can be trusted in the folder; an empty one for a new folder.

    Raises NotOurs when the folder holds files and neither a manifest nor a journal of ours.
    """
    try:
        raw: dict[str, Any] = json.loads((out / MANIFEST).read_text("utf-8"))
        if raw.get("format") != FORMAT:
            raise ValueError
        manifest = Manifest(looks=raw["looks"], pages=raw["pages"], files=raw["files"])
    except FileNotFoundError:
        if not (out / JOURNAL).exists() and out.exists() and any(out.iterdir()):
            raise NotOurs(
                f"{out} must be a folder that a build made, or an empty one, and is neither; "
                "name another with --out, or empty it"
            ) from None
        return Manifest()
    except (ValueError, KeyError, OSError):
        return Manifest()
    if not (out / "public" / "index.html").exists():
        return Manifest()
    try:
        doubtful = set(json.loads((out / JOURNAL).read_text("utf-8")))
    except FileNotFoundError:
        return manifest
    except ValueError:
        return Manifest()
    manifest.files = {path: digest for path, digest in manifest.files.items() if path not in doubtful}
    manifest.pages = {path: key for path, key in manifest.pages.items() if f"pages/{path}" in manifest.files}
    return manifest


class Writer:
    """One build's changes to the output folder. `finish` makes them count."""

    def __init__(self, out: Path, before: Manifest) -> None:
        self.out = out
        self.before = before
        self.written: list[str] = []
        self.removed: list[str] = []
        self._files: dict[str, str] = {}
        self._folders: set[str] = set()

    def begin(self, doubtful: Iterable[str]) -> None:
        """Note which files may be wrong from now on; with an empty manifest, sweep what is left over."""
        self.out.mkdir(parents=True, exist_ok=True)
        journal = self.out / JOURNAL
        earlier: list[str] = []
        if journal.exists():
            try:
                earlier = json.loads(journal.read_text("utf-8"))
            except ValueError:
                earlier = []
        _replace(journal, json.dumps(sorted({*doubtful, *earlier})).encode())
        if not self.before.files:
            # What it names is about to go: a build that is killed now must not leave it to be trusted.
            (self.out / MANIFEST).unlink(missing_ok=True)
            for area in AREAS:
                shutil.rmtree(self.out / area, ignore_errors=True)

    def doubt(self, paths: Iterable[str]) -> None:
        """Note that these files may be wrong from now on too. (With an empty manifest nothing is trusted
        anyway, and the next build sweeps all of it.)"""
        if not self.before.files:
            return
        journal = self.out / JOURNAL
        earlier = json.loads(journal.read_text("utf-8"))
        _replace(journal, json.dumps(sorted({*paths, *earlier})).encode())

    def digest(self, path: str) -> str:
        """The SHA-256 of a file that this build has written or kept."""
        return self._files[path]

    def keep(self, *paths: str) -> None:
        """These files of the last build are still right."""
        before = self.before.files
        self._files.update({path: before[path] for path in paths})

    def put(self, path: str, content: bytes | str) -> None:
        """Write a file unless the last build left it with the same bytes."""
        data = content.encode() if isinstance(content, str) else content
        digest = sha256(data)
        if path in self._files:
            raise ValueError(f"two outputs are called {path}")
        self._files[path] = digest
        if self.before.files.get(path) == digest:
            return
        target = self.out / path
        folder = path.rpartition("/")[0]
        if folder not in self._folders:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._folders.add(folder)
        _replace(target, data)
        self.written.append(path)

    def holds(self, path: str) -> bool:
        """Whether the last build left that file, and it can be trusted."""
        return path in self.before.files

    def finish(self, *, looks: str, pages: dict[str, str]) -> Manifest:
        """Remove what is no more, write the manifest, take the journal away."""
        for path in sorted(self._left_over()):
            (self.out / path).unlink(missing_ok=True)
            self.removed.append(path)
            self._remove_empty(path.rpartition("/")[0])
        pages = _in_order(pages, self.before.pages)
        manifest = Manifest(looks=looks, pages=pages, files=_in_order(self._files, self.before.files))
        content = {"format": FORMAT, "looks": looks, "pages": pages, "files": manifest.files}
        if self.written or self.removed or manifest != self.before:
            _replace(self.out / MANIFEST, (json.dumps(content, ensure_ascii=False) + "\n").encode())
        (self.out / JOURNAL).unlink(missing_ok=True)
        return manifest

    def _left_over(self) -> Iterator[str]:
        yield from (path for path in self.before.files if path not in self._files)
        try:
            doubtful = json.loads((self.out / JOURNAL).read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return
        yield from (
            path
            for path in doubtful
            if path not in self._files and path not in self.before.files and (self.out / path).exists()
        )

    def _remove_empty(self, folder: str) -> None:
        while folder and folder not in AREAS:
            try:
                (self.out / folder).rmdir()
            except OSError:
                return
            folder = folder.rpartition("/")[0]


def _in_order(table: dict[str, str], before: dict[str, str]) -> dict[str, str]:
    """The table sorted by its keys, as the one before it: mostly the keys are the same."""
    if table.keys() == before.keys():
        return {key: table[key] for key in before}
    return dict(sorted(table.items()))


def _replace(target: Path, content: bytes) -> None:
    """Write beside and rename: nobody reads half a file, and a hard link elsewhere keeps its bytes."""
    beside = f"{target}.tmp"
    with open(beside, "wb") as file:  # noqa: PTH123 (half the cost of Path.open, once a page)
        file.write(content)
    os.replace(beside, target)  # noqa: PTH105


def begin(target: Path, text: str) -> Path:
    """Write a file that is not there yet; FileExistsError when it is."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("x", encoding="utf-8") as file:
        file.write(text)
    return target


def begin_all(folder: Path, files: Mapping[str, str], copies: Mapping[str, Path]) -> None:
    """Write files that are not there yet, by their path below the folder: all of them or none.

    `copies` are taken from elsewhere byte for byte. FileExistsError names the first that is there already;
    whatever stops it, what was written is taken away again.
    """
    made: list[Path] = []
    try:
        for path in (*files, *copies):
            target = folder / path
            new = [parent for parent in target.parents if not parent.exists()]
            target.parent.mkdir(parents=True, exist_ok=True)
            made += reversed(new)
            with target.open("xb") as file:
                made.append(target)
                file.write(files[path].encode() if path in files else copies[path].read_bytes())
    except BaseException:
        for written in reversed(made):
            with contextlib.suppress(OSError):
                written.rmdir() if written.is_dir() else written.unlink()
        raise


def save_cache(folder: Path, name: str, content: bytes) -> None:
    """Keep something that can be made again; a cache that cannot be written is no trouble."""
    try:
        _mark_as_cache(folder)
        _replace(folder / name, content)
    except OSError:
        return


def cache_folder(folder: Path, name: str) -> Path | None:
    """A folder in the cache for tools that keep their own files; None where none can be."""
    try:
        _mark_as_cache(folder)
        (folder / name).mkdir(exist_ok=True)
    except OSError:
        return None
    return folder / name


def _mark_as_cache(folder: Path) -> None:
    """Make the folder known to backups and to git as one that can be made again."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in (
        ("CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n"),
        (".gitignore", "*\n"),
    ):
        if not (folder / file).exists():
            (folder / file).write_text(text)
