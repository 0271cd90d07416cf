"""The file store on one machine: a folder, with links and upload forms that are signed as S3 signs its own.

`releases/<product>/<version>/<name>` holds downloads, `attachments/<ticket>/<id>` what visitors sent. A
name that a visitor chose never becomes a path.
"""

from __future__ import annotations

import hashlib
import os
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import quote

from chalicelib.ports import ANOTHER, HERE, MISSING, ArrivedUpload, UploadForm
from chalicelib.refusals import FieldProblem, Forbidden, Invalid, NotAvailable, NotStored, TooLarge
from chalicelib.signing import Signer

_LINK, _FORM = "GET file", "POST upload"
_CHUNK = 1 << 16


@dataclass(frozen=True, kw_only=True, slots=True)
class ServedFile:
    """A file that a sound link names: where it lies, the name to save it under, its size in bytes."""

    path: Path
    name: str
    size: int


class LocalFiles:
    """`Files` and `UploadReceiver` in `folder`. `site` is SUPPORT_URL, without a slash at its end."""

    def __init__(self, folder: Path, signer: Signer, site: str) -> None:
        self._folder = folder
        self._signer = signer
        self._site = site
        self._lock = threading.Lock()
        self._sums: dict[tuple[str, int, int], str] = {}

    def link(self, path: str, *, size: int, sha256: str, expires: datetime) -> str:
        state = self.state(path, size=size, sha256=sha256)
        if state == MISSING:
            raise NotAvailable("The file is not here at the moment. Please try later or call us.")
        if state == ANOTHER:
            raise NotAvailable("The file here is not the one that was published. Please call us.")
        word = self._signer.seal(_LINK, {"path": path, "size": size}, expires)
        return f"{self._site}/files/{quote(word)}"

    def state(self, path: str, *, size: int, sha256: str) -> str:
        where = self._folder / _inside(path)
        try:
            return HERE if where.stat().st_size == size and self._sum(where) == sha256 else ANOTHER
        except OSError:
            return MISSING

    def put(self, path: str, content: BinaryIO, *, size: int, sha256: str) -> None:
        target = self._folder / _inside(path)
        part = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if _copy(content, part, size) != (size, sha256):
                raise NotStored("The file changed while it was read. Nothing was stored.")
            part.replace(target)
            sync_folder(target.parent)
        except (TooLarge, Invalid):
            raise NotStored("The file changed while it was read. Nothing was stored.") from None
        except OSError as trouble:
            raise NotStored("The file was not stored. It is safe to do it again.") from trouble
        finally:
            part.unlink(missing_ok=True)

    def served(self, word: str, now: datetime) -> ServedFile:
        """The file behind the last part of a link. Raises Forbidden (changed), Expired, NotAvailable
        (gone)."""
        claim = self._signer.open(_LINK, word, now)
        where = self._folder / _inside(str(claim["path"]))
        if not where.is_file() or where.stat().st_size != claim["size"]:
            raise NotAvailable("The file is not here at the moment. Please try later or call us.")
        return ServedFile(path=where, name=where.name, size=int(claim["size"]))

    def upload_form(
        self,
        *,
        ticket: str,
        attachment: str,
        name: str,
        content_type: str,
        expires: datetime,
        max_size: int,
        back: str,
    ) -> UploadForm:
        """`back` is not needed: the desk takes the file itself, and then leads to its ticket."""
        claim: dict[str, str | int] = {
            "ticket": ticket,
            "attachment": attachment,
            "name": name,
            "type": content_type,
            "max_size": max_size,
        }
        return UploadForm(
            url=f"{self._site}/files/upload",
            fields={"policy": self._signer.seal(_FORM, claim, expires)},
            expires=expires,
            max_size=max_size,
        )

    def receive(
        self, fields: Mapping[str, str], filename: str, content_type: str, content: BinaryIO, now: datetime
    ) -> ArrivedUpload:
        """Store every byte of `content` and sync it, or nothing.

        Raises Forbidden or Expired (the form), Invalid (an empty file), TooLarge, NotStored.
        """
        claim = self._signer.open(_FORM, fields.get("policy", ""), now)
        most = int(claim["max_size"])
        attachment = str(claim["attachment"]) or uuid.uuid4().hex
        target = self._attachment(str(claim["ticket"]), attachment)
        part = target.with_name(f".{attachment}.{uuid.uuid4().hex}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            size, sha256 = _copy(content, part, most)
            attachment, target = self._laid(part, str(claim["ticket"]), attachment, sha256)
            sync_folder(target.parent)
        except OSError as trouble:
            raise NotStored("The file was not stored. It is safe to send it again in a minute.") from trouble
        finally:
            part.unlink(missing_ok=True)
        return ArrivedUpload(
            ticket=str(claim["ticket"]),
            attachment=attachment,
            name=str(claim["name"]) or filename,
            content_type=str(claim["type"]) or content_type,
            size=size,
            sha256=sha256,
        )

    def _laid(self, part: Path, ticket: str, attachment: str, sha256: str) -> tuple[str, Path]:
        """Put a whole file in its place; in another one when its form was used before for other bytes."""
        target = self._attachment(ticket, attachment)
        try:
            # A link, not a rename: what a ticket shows already is never written over.
            target.hardlink_to(part)
        except FileExistsError:
            if self._sum(target) == sha256:
                return attachment, target
            return self._laid(part, ticket, uuid.uuid4().hex, sha256)
        return attachment, target

    def arrived(self, ticket: str = "") -> Iterator[ArrivedUpload]:
        """None: every file comes through the desk, which notes it at once."""
        return iter(())

    def settled(self, arrived: ArrivedUpload) -> None:
        """Nothing lies anywhere else."""

    def discard(self, arrived: ArrivedUpload) -> None:
        """Take away a file that no ticket shows."""
        self._attachment(arrived.ticket, arrived.attachment).unlink(missing_ok=True)

    def attachment_path(self, ticket: str, attachment: str) -> Path:
        """Where staff find an attachment."""
        return self._attachment(ticket, attachment)

    def _attachment(self, ticket: str, attachment: str) -> Path:
        return self._folder / _inside(f"attachments/{ticket}/{attachment}")

    def _sum(self, where: Path) -> str:
        """The SHA-256 of a file, computed once for as long as it stays the same."""
        stat = where.stat()
        mark = (str(where), stat.st_mtime_ns, stat.st_size)
        with self._lock:
            if mark not in self._sums:
                with where.open("rb") as file:
                    self._sums[mark] = hashlib.file_digest(file, "sha256").hexdigest()
            return self._sums[mark]


def _inside(path: str) -> PurePosixPath:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or "\0" in path or not pure.parts:
        raise Forbidden("This link was changed on its way, or is not one of ours. Ask for a new one.")
    return pure


def _copy(content: BinaryIO, part: Path, most: int) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with part.open("xb") as file:
        while chunk := content.read(_CHUNK):
            size += len(chunk)
            if size > most:
                raise TooLarge(f"A file may have at most {most // 1024**2} MB. Nothing was stored.")
            digest.update(chunk)
            file.write(chunk)
        if not size:
            raise Invalid([FieldProblem(field="file", message="Choose a file that is not empty.")])
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk too, not only the bytes of its files."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
