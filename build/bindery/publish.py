"""Making a publication current, and going back to an earlier one.

Everything is prepared beside what is served, under a lock, and one rename of a symlink makes it current; so
whoever reads, and whenever this process dies, the old site or the new one is whole. This module reads `dist/`
and never changes it, and does not know what the files mean.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bindery import permanence
from bindery.publications import (
    Commit,
    File,
    Folder,
    Kept,
    Publication,
    PublishError,
    current,
    current_name,
    files,
    history,
    ledger,
    names,
    parse,
    published,
    read,
    served,
    weigh,
)

ASSETS = "public/assets/"
ASSETS_STAY = timedelta(hours=24)
"""How long a page that was opened before a publication still finds its files (promise 23)."""
PUBLICATIONS_STAY = 20
STAGED_STAY = timedelta(hours=1)
"""A staged publication waits for its pointer for a moment; one that is older was forgotten by a crash."""
MAKING = ".making"

Progress = Callable[[str, int, int], None]


def publish(
    folder: Folder,
    dist: Path,
    *,
    now: datetime,
    commit: Commit | None = None,
    progress: Progress | None = None,
    let_go: str = "",
) -> Publication:
    """Make what lies in `dist` current, whole. The same content of the same commit again changes nothing.

    Raises Vanish when a name that was ever published would not be there; `let_go` says why that may be.
    """
    with _locked(folder):
        _sweep(folder, now)
        here = current(folder)
        made = _stage(folder, dist, here, now=now, commit=commit, progress=progress, let_go=let_go)
        if here and here.files == made.files and here.commit == commit:
            _remove(folder.publications / MAKING)
            return here
        return _settle(folder, MAKING, now)


def publish_again(folder: Folder, dist: Path, *, over: Publication, now: datetime) -> Publication | None:
    """Make what lies in `dist` current in the place of `over`, for the commit of `over`; None where that is
    no longer the current one, or where nothing is different."""
    with _locked(folder):
        here = current(folder)
        if here is None or here.id != over.id:
            return None
        _sweep(folder, now)
        made = _stage(folder, dist, here, now=now, commit=here.commit, progress=None)
        if made.files == here.files:
            _remove(folder.publications / MAKING)
            return None
        return _settle(folder, MAKING, now)


def stage(
    folder: Folder,
    dist: Path,
    *,
    now: datetime,
    commit: Commit,
    progress: Progress | None = None,
    let_go: str = "",
) -> Publication:
    """Prepare a publication that `make_current` can later switch to in an instant. Raises as `publish`
    does."""
    with _locked(folder):
        _sweep(folder, now)
        here = current(folder)
        made = _stage(folder, dist, here, now=now, commit=commit, progress=progress, let_go=let_go)
        os.sync()
        _remove(_staged(folder, commit.id))
        (folder.publications / MAKING).rename(_staged(folder, commit.id))
        return made


def make_current(folder: Folder, commit_id: str, *, now: datetime) -> Publication | None:
    """Switch to what was staged for a commit; None when nothing is."""
    with _locked(folder):
        staged = _staged(folder, commit_id)
        return _settle(folder, staged.name, now) if staged.is_dir() else None


def take_back(folder: Folder, commit_id: str, *, now: datetime) -> bool:
    """Undo `make_current` for a push that git gave up after it. True when there was something to undo."""
    with _locked(folder):
        here = current(folder)
        if here is None or here.commit is None or here.commit.id != commit_id:
            return False
        if here.replaced is None:
            folder.pointer.unlink()
        else:
            _point(folder, here.replaced, now=now, by="publish")
        _write_ledger(folder, permanence.forget(ledger(folder), here.id))
        return True


def rollback(folder: Folder, name: str | None, *, now: datetime) -> tuple[Publication, Publication]:
    """Point back, by default to what the current publication replaced. Returns (left, current)."""
    with _locked(folder):
        here = current(folder)
        if here is None:
            raise PublishError(f"Nothing is published at {folder.path} yet")
        known = ", ".join(each.id for each in history(folder) if each.id != here.id) or "none"
        name = name or here.replaced
        if name is None:
            raise PublishError(
                f"{here.id} replaced nothing: name the publication to go to; there are: {known}"
            )
        if name == here.id:
            raise PublishError(f"{name} is the current publication")
        if name not in names(folder):
            raise PublishError(f"There is no publication {name!r} at {folder.path}; there are: {known}")
        _keep_assets(folder.publications / name, read(folder, name), folder, here, now)
        _point(folder, name, now=now, by="rollback")
        return here, read(folder, name)


def prune(folder: Folder, *, stay: int = PUBLICATIONS_STAY) -> tuple[str, ...]:
    """Remove all but the newest `stay` publications; never the current one, nor the one that it replaced."""
    if stay < 1:
        raise PublishError(f"The number of publications to keep must be at least 1, not {stay}")
    with _locked(folder):
        old = sorted(names(folder), reverse=True)[stay:]
        here = current(folder) if old else None
        safe = {here.id, here.replaced} if here else set()
        gone = tuple(name for name in old if name not in safe)
        if gone:
            _enter(folder)  # what is removed is known for good
        for name in gone:
            _remove(folder.publications / name)
        return gone


# The steps, all under the lock


@contextlib.contextmanager
def _locked(folder: Folder) -> Iterator[None]:
    folder.publications.mkdir(parents=True, exist_ok=True)
    with (folder.path / ".lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # the system lets go of it when the process dies
        yield


def _sweep(folder: Folder, now: datetime) -> None:
    """Clear what killed publishers left: under the lock nobody else is making one."""
    known = served(folder) if folder.journal.exists() else names(folder)
    for entry in list(os.scandir(folder.publications)):
        if entry.name.startswith(".staged-"):
            left_over = abs(now.timestamp() - entry.stat().st_mtime) > STAGED_STAY.total_seconds()
        else:
            left_over = entry.name not in known
        if left_over:
            _remove(Path(entry.path))


def _stage(
    folder: Folder,
    dist: Path,
    before: Publication | None,
    *,
    now: datetime,
    commit: Commit | None,
    progress: Progress | None,
    let_go: str = "",
) -> Publication:
    """Fill `.making`: what is as it was is a second name of the same file, the rest is a copy."""
    if not (dist / "public" / "index.html").is_file():
        raise PublishError(f"{dist / 'public'} holds no index.html: run `bindery build` first")
    _refuse_vanishing(folder, dist, let_go)
    root, old_root = folder.publications / MAKING, folder.publications / (before.id if before else MAKING)
    sources = sorted(files(dist))
    root.mkdir()
    folders, made = {""}, {}
    for number, (relative, source) in enumerate(sources, start=1):
        with open(source, "rb") as opened:  # noqa: PTH123 (ten thousand times, as below)
            data = opened.read()
        file = made[relative] = File(hashlib.sha256(data).hexdigest(), len(data))
        parent, to = relative.rpartition("/")[0], f"{root}/{relative}"
        if parent not in folders:
            os.makedirs(f"{root}/{parent}", exist_ok=True)  # noqa: PTH103
            folders.add(parent)
        if not (before and before.files.get(relative) == file and _link(f"{old_root}/{relative}", to)):
            _write(to, data)
        if progress:
            progress("publish", number, len(sources))
    digest = hashlib.sha256("".join(f"{path} {file.sha256}\n" for path, file in made.items()).encode())
    publication = Publication(
        id=_name(now, digest.hexdigest()),
        when=now,
        commit=commit,
        files=made,
        let_go=let_go,
    )
    if (dist / permanence.FILE).exists():
        _write(f"{root}/{permanence.FILE}", (dist / permanence.FILE).read_bytes())
    _write_manifest(root, publication)
    return publication


def _refuse_vanishing(folder: Folder, dist: Path, let_go: str) -> None:
    known, what = ledger(folder), published(dist)
    if what is None and known.told:
        raise PublishError(
            f"{dist} says nothing of what is to stay ({permanence.FILE}), and what is published here does: "
            "make it with `bindery build`"
        )
    if what is not None and not let_go:
        weigh(folder, known, what)


def _enter(folder: Folder) -> None:
    """Put what the ledger lacks into it. A publisher that dies before this is made good by the next one."""
    _write_ledger(folder, ledger(folder))


def _write_ledger(folder: Folder, known: permanence.Ledger) -> None:
    aside = folder.path / ".ledger.new"
    with aside.open("w", encoding="utf-8") as file:
        file.write(known.as_json())
        file.flush()
        os.fsync(file.fileno())
    aside.replace(folder.ledger)
    _sync_folder(folder.path)


def _settle(folder: Folder, staged: str, now: datetime) -> Publication:
    """Give a staged publication its place, and the pointer."""
    here, root = current(folder), folder.publications / staged
    publication = parse((root / "manifest.json").read_bytes())
    publication = replace(
        publication, id=_free_name(folder, publication.id), replaced=here.id if here else None
    )
    publication = _keep_assets(root, publication, folder, here, now)
    _make_read_only(root)
    root.rename(folder.publications / publication.id)
    _point(folder, publication.id, now=now, by="publish")
    _enter(folder)
    return publication


def _keep_assets(
    root: Path, publication: Publication, folder: Folder, here: Publication | None, now: datetime
) -> Publication:
    """Give a publication that will be current the assets that pages opened before may still ask for."""
    wanted = dict(publication.kept)
    if here and here.id != publication.id:
        for path, asset in here.kept.items():
            if path not in wanted or wanted[path].last_current < asset.last_current:
                wanted[path] = asset
        for path, file in here.files.items():
            if path.startswith(ASSETS):
                wanted[path] = Kept(file.sha256, file.size, now)
    kept = {
        path: asset
        for path, asset in wanted.items()
        if path not in publication.files and now - asset.last_current < ASSETS_STAY
    }
    for path in kept:
        source = folder.publications / here.id / path if here else root / path
        if source.exists():
            with _writable((root / path).parent):
                aside = root / f"{path}.new"
                aside.unlink(missing_ok=True)
                if not _link(str(source), str(aside)):
                    _write(str(aside), source.read_bytes())
                aside.replace(root / path)
    settled = replace(publication, kept=kept)
    _write_manifest(root, settled)
    for path in publication.kept.keys() - kept.keys():
        with _writable((root / path).parent):
            (root / path).unlink(missing_ok=True)
    return settled


def _point(folder: Folder, name: str, *, now: datetime, by: str) -> None:
    was = current_name(folder)
    os.sync()  # what the pointer will name is on disk before the pointer is
    aside = folder.path / ".current.new"
    aside.unlink(missing_ok=True)
    aside.symlink_to(Path("publications") / name)
    aside.replace(folder.pointer)
    with folder.journal.open("a", encoding="utf-8") as journal:
        line = {"when": now.isoformat(), "id": name, "was": was, "by": by}
        journal.write(json.dumps(line, sort_keys=True) + "\n")
        journal.flush()
        os.fsync(journal.fileno())
    _sync_folder(folder.path)


def _staged(folder: Folder, commit_id: str) -> Path:
    return folder.publications / f".staged-{commit_id}"


def _name(now: datetime, digest: str) -> str:
    """Such as 20261123T120000.000Z-65e319eb: names sort as their instants do, to the millisecond."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S}.{now.microsecond // 1000:03}Z-{digest[:8]}"


def _free_name(folder: Folder, name: str) -> str:
    taken, number, free = names(folder), 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


# Files


def _link(source: str, to: str) -> bool:
    try:
        os.link(source, to)
    except OSError:  # too many links, or a file system that has none: a copy does
        return False
    return True


def _write(to: str, data: bytes) -> None:
    with open(to, "xb") as file:  # noqa: PTH123
        file.write(data)
        os.fchmod(file.fileno(), 0o444)


def _write_manifest(root: Path, publication: Publication) -> None:
    with _writable(root):
        aside = root / ".manifest.new"
        aside.unlink(missing_ok=True)
        _write(str(aside), publication.as_json().encode())
        aside.replace(root / "manifest.json")


@contextlib.contextmanager
def _writable(folder: Path) -> Iterator[None]:
    if not folder.is_dir():
        with _writable(folder.parent):
            folder.mkdir()
    folder.chmod(0o755)
    try:
        yield
    finally:
        folder.chmod(0o555)


def _make_read_only(root: Path) -> None:
    for folder, _, _ in os.walk(root):
        os.chmod(folder, 0o555)  # noqa: PTH101, S103


def _remove(root: Path) -> None:
    """Take a publication away: out of sight at once, then from the disk."""
    if not root.exists():
        return
    gone, number = root, 0
    while not root.name.startswith(".gone") and gone.exists():
        gone, number = root.with_name(f".gone-{number}"), number + 1
    root.rename(gone)
    for folder, _, _ in os.walk(gone):
        os.chmod(folder, 0o755)  # noqa: PTH101, S103
    shutil.rmtree(gone)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
