"""Templates that were compiled once in a process: its next build takes them as they are.

To compile those of the site takes half a second, more than all else in a build after an edit. What is kept
depends on a template's source and on the kind of environment alone, so nothing that one site decides, such as
an address, may be worked out while compiling: such filters are marked `pass_context`. Nothing here knows what
a template shows.
"""

from __future__ import annotations

from pathlib import Path
from types import CodeType

import jinja2
from jinja2.bccache import Bucket

_here: dict[tuple[str, str], tuple[str, CodeType]] = {}


class Compiled(jinja2.BytecodeCache):
    """What environments of one `kind` (the same settings, the same filters) compiled in this process; with a
    `folder`, in earlier ones too."""

    def __init__(self, kind: str, folder: Path | None = None) -> None:
        self._kind = kind
        self._files = jinja2.FileSystemBytecodeCache(str(folder)) if folder else None

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = _here.get((self._kind, bucket.key), ("", None))
        if code and checksum == bucket.checksum:
            bucket.code = code
        elif self._files:
            self._files.load_bytecode(bucket)
            self._keep(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._keep(bucket)
        if self._files:
            self._files.dump_bytecode(bucket)

    def _keep(self, bucket: Bucket) -> None:
        if bucket.code:
            _here[self._kind, bucket.key] = (bucket.checksum, bucket.code)
