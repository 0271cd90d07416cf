"""A backup of the desk on one machine, as one file, and back: store, secret and attachments.

A backup is a tar file: the SQLite file as it was at one moment, the secret that makes the links in mails
(without it each ticket's address dies), what visitors attached, and a manifest with the SHA-256 of all.
Restoring reads and checks the whole before it touches anything, and leaves what was there beside it. Download
files are not in it: they are published, not kept.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from chalicelib.local_files import sync_folder
from chalicelib.sqlite_store import copies
from chalicelib.wiring import Desk

FORMAT = 1
IN_IT, NONE_YET = "in it", "none yet"
STORE, SECRET, MANIFEST = "desk.sqlite3", "secret", "manifest.json"
_NAME = re.compile(r"desk\.sqlite3|secret|manifest\.json|attachments/[A-Za-z0-9-]{1,64}/[A-Za-z0-9-]{1,64}")
_MOST_MANIFEST = 1 << 26
_CHUNK = 1 << 20


class BackupTrouble(Exception):
    """It cannot be made or taken; the message says why and what to do. Nothing was changed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Backup:
    """What a backup holds. `secret`: "in it", or where it is: "left out", "in SUPPORT_SECRET", or "none yet"
    when no link was ever made. `attachments`: how many files."""

    made: datetime
    secret: str
    attachments: int
    size: int

    def as_json(self) -> dict[str, object]:
        return {
            "made": self.made.isoformat(),
            "secret": self.secret,
            "attachments": self.attachments,
            "size": self.size,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """What was restored, and what of before lies beside it now."""

    backup: Backup
    kept: tuple[Path, ...]


def back_up(desk: Desk, target: Path, *, secret: bool, attachments: bool, force: bool) -> Backup:
    """Write a backup to `target`, for the desk's own user alone, while the desk runs. Raises BackupTrouble,
    NotStored, OSError."""
    store = _store(desk)
    if target.exists() and not force:
        raise BackupTrouble(f"{target} is there already; --force writes over it.")
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    snapshot = part.with_suffix(".sqlite3")
    made, sums = desk.clock(), {}
    try:
        # The store first: a file that it shows is on the disk before the store shows it.
        copies.copy(store, snapshot)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file, tarfile.open(fileobj=file, mode="w") as tar:
            sums[STORE] = _add(tar, STORE, snapshot, made)
            kept = desk.settings.var / "secret"
            place = _secret_place(desk, kept, wanted=secret)
            if place == IN_IT:
                sums[SECRET] = _add(tar, SECRET, kept, made)
            for path in _attachments(desk) if attachments else ():
                name = f"attachments/{path.parent.name}/{path.name}"
                if _NAME.fullmatch(name):
                    with suppress(FileNotFoundError):  # taken away meanwhile: no ticket shows it
                        sums[name] = _add(tar, name, path, made)
            manifest = json.dumps(
                {"format": FORMAT, "made": made.isoformat(), "secret": place, "sha256": sums},
                indent=1,
                sort_keys=True,
            ).encode()
            entry = _entry(MANIFEST, len(manifest), made)
            tar.addfile(entry, io.BytesIO(manifest))
            tar.close()
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
        sync_folder(target.parent)
    except FileNotFoundError as trouble:
        raise BackupTrouble(
            f"There is nothing to back up: {trouble.filename or trouble} is not there."
        ) from None
    finally:
        part.unlink(missing_ok=True)
        snapshot.unlink(missing_ok=True)
    return _backup(made, place, sums, target)


def restore(desk: Desk, source: Path, *, replace: bool) -> Restored:
    """Put the backup `source` in the place of the desk's state. Raises BackupTrouble, OSError."""
    store = _store(desk)
    living = store.exists() and store.stat().st_size > 0
    if living and not replace:
        raise BackupTrouble(
            f"{store} is there: a desk has its state here. --replace puts the backup in its place, and keeps "
            "what is there beside it."
        )
    store.parent.mkdir(parents=True, exist_ok=True)
    with _read(source, store.parent) as (folder, manifest):
        wrong = copies.trouble_with(folder / STORE)
        if wrong:
            raise BackupTrouble(f"{source} was not taken: {wrong}.")
        if (folder / "attachments").exists() and not desk.settings.files.startswith("dir:"):
            raise BackupTrouble("It holds attachments: SUPPORT_FILES must be a folder such as dir:var/files.")
        if living and not copies.at_rest(store):
            raise BackupTrouble(f"A desk works on {store}. Stop it first, then restore.")
        mark = f"before-{desk.clock().astimezone(UTC):%Y%m%dT%H%M%SZ}"
        kept = list(_put(folder / SECRET, desk.settings.var / "secret", mark))
        if (folder / "attachments").exists():
            kept += _put(folder / "attachments", _files(desk) / "attachments", mark)
        for suffix in ("-wal", "-shm"):
            kept += _aside(store.with_name(store.name + suffix), f"{store.name}.{mark}{suffix}")
        kept += _put(folder / STORE, store, mark)  # last: with it, all is there
    made = datetime.fromisoformat(manifest["made"])
    backup = _backup(made, str(manifest["secret"]), manifest["sha256"], source)
    return Restored(backup=backup, kept=tuple(kept))


@contextmanager
def _read(source: Path, beside: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The checked content of a backup in a folder of its own on the same disk, and its manifest."""
    folder = beside / f".restore-{uuid.uuid4().hex}"
    folder.mkdir(mode=0o700)
    try:
        yield folder, _unpacked(source, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unpacked(source: Path, folder: Path) -> dict[str, Any]:
    found: dict[str, str] = {}
    said = b""
    try:
        with tarfile.open(source, mode="r:") as tar:
            for entry in tar:
                if not entry.isreg() or not _NAME.fullmatch(entry.name) or entry.name in found:
                    raise BackupTrouble(f"{source} is no backup of a desk: it holds '{entry.name}'.")
                content = tar.extractfile(entry)
                assert content is not None, "a regular file has a content"  # noqa: S101
                if entry.name == MANIFEST:
                    said = content.read(_MOST_MANIFEST)
                else:
                    found[entry.name] = _write(content, folder / entry.name)
        manifest = json.loads(said or b"null")
    except (tarfile.TarError, EOFError, ValueError) as trouble:
        raise BackupTrouble(f"{source} is no backup of a desk, or only a part of one ({trouble}).") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BackupTrouble(f"{source} is no backup that this desk reads, or only a part of one.")
    if manifest.get("sha256") != found or STORE not in found:
        raise BackupTrouble(f"{source} is damaged: what it holds is not what its manifest says.")
    return manifest


def _put(new: Path, place: Path, mark: str) -> Iterator[Path]:
    """Move `new` to `place`; what was there, unless it is the same, lies beside it then."""
    if not new.exists():
        return
    if new.is_file() and place.is_file() and new.read_bytes() == place.read_bytes() and place.name == SECRET:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    yield from _aside(place, f"{place.name}.{mark}")
    new.replace(place)
    sync_folder(place.parent)


def _aside(path: Path, name: str) -> Iterator[Path]:
    if path.exists():
        other = path.with_name(name)
        if other.exists():
            raise BackupTrouble(f"{other} is there already: restore again in a second.")
        path.replace(other)
        yield other


def _secret_place(desk: Desk, kept: Path, *, wanted: bool) -> str:
    if desk.settings.secret:
        return "in SUPPORT_SECRET"
    if not kept.is_file():
        return NONE_YET
    return IN_IT if wanted else "left out"


def _backup(made: datetime, secret: str, sums: dict[str, str], where: Path) -> Backup:
    attached = sum(name.startswith("attachments/") for name in sums)
    return Backup(made=made, secret=secret, attachments=attached, size=where.stat().st_size)


def _store(desk: Desk) -> Path:
    if desk.settings.store.startswith("dynamodb:"):
        table = desk.settings.store.removeprefix("dynamodb:")
        raise BackupTrouble(
            f"The state is the DynamoDB table {table}, and AWS keeps its backups. Switch on point-in-time "
            f"recovery (aws dynamodb update-continuous-backups --table-name {table} "
            "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true); it goes back to any "
            "second of the last 35 days, into a new table (aws dynamodb restore-table-to-point-in-time), "
            "whose name is then set in SUPPORT_STORE. Agreements alone: desk agreements export FILE."
        )
    return Path(desk.settings.store.removeprefix("sqlite:"))


def _files(desk: Desk) -> Path:
    return Path(desk.settings.files.removeprefix("dir:"))


def _attachments(desk: Desk) -> list[Path]:
    if not desk.settings.files.startswith("dir:"):
        return []
    return sorted(path for path in (_files(desk) / "attachments").glob("*/*") if path.is_file())


def _add(tar: tarfile.TarFile, name: str, path: Path, made: datetime) -> str:
    """Add a file; the SHA-256 of what was added."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        tar.addfile(_entry(name, os.fstat(file.fileno()).st_size, made), file)
    return digest


def _entry(name: str, size: int, made: datetime) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(made.timestamp())
    return entry


def _write(content: IO[bytes], path: Path) -> str:
    """Write a file and sync it; the SHA-256 of what was written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()
