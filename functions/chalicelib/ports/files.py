"""Where release files and attachments lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadForm:
    """A form to be posted as multipart/form-data: `url`, the hidden `fields`, then the file in a field
    `file`."""

    url: str
    fields: Mapping[str, str]
    expires: datetime
    max_size: int

    def as_json(self) -> dict[str, object]:
        return {
            "url": self.url,
            "fields": dict(self.fields),
            "expires": self.expires.isoformat(),
            "max_size": self.max_size,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class ArrivedUpload:
    """A file of which every byte is stored, with what its signed form said. `attachment` is its id;
    `source` says where it lies besides until it is settled, "" for nowhere."""

    ticket: str
    attachment: str
    name: str
    content_type: str
    size: int
    sha256: str
    source: str = ""


HERE, MISSING, ANOTHER = "here", "missing", "another"
"""What a release file is to the store: the published one, not there, or a file that is not the published
one."""


class Files(Protocol):
    """Where release files and attachments lie."""

    def state(self, path: str, *, size: int, sha256: str) -> str:
        """HERE, MISSING or ANOTHER. Raises NotStored when that cannot be told."""
        ...

    def put(self, path: str, content: BinaryIO, *, size: int, sha256: str) -> None:
        """Lay a release file, whole or not at all. Raises NotStored."""
        ...

    def link(self, path: str, *, size: int, sha256: str, expires: datetime) -> str:
        """An absolute link to one release file (`releases/<product>/<version>/<name>`). Raises
        NotAvailable when the file is not there, or is not the one that was published."""
        ...

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
        """The form for one file. `attachment`, `name` and `content_type` are those of an announced one, or
        all ""; `back` is the address of ours that a browser is led to afterwards, "" for a program."""
        ...

    def arrived(self, ticket: str = "") -> Iterator[ArrivedUpload]:
        """The whole files that came past the desk, for one ticket or for all, and that are not settled. Each
        is told again until it is."""
        ...

    def settled(self, arrived: ArrivedUpload) -> None:
        """Its ticket shows it, or never will: do not tell it again."""
        ...

    def discard(self, arrived: ArrivedUpload) -> None:
        """Take away a file that no ticket shows."""
        ...

    def attachment_path(self, ticket: str, attachment: str) -> Path | str:
        """Where staff find an attachment."""
        ...


class UploadReceiver(Protocol):
    """A file store that takes uploads itself (S3 does not need one)."""

    def receive(
        self, fields: Mapping[str, str], filename: str, content_type: str, content: BinaryIO, now: datetime
    ) -> ArrivedUpload: ...
