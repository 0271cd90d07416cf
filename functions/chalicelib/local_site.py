"""The published site in a folder: a file is read when it is wanted, and known by its name, time and size."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from chalicelib.ports.site import SiteFile


class LocalSite:
    """`Site` in `root`, the real path of one publication."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def file(self, name: str) -> SiteFile | None:
        path = self._root / name
        try:
            stat = os.stat(path)  # noqa: PTH116 (once a request)
        except OSError:
            return None
        mark = f"{path} {stat.st_ino} {stat.st_mtime_ns} {stat.st_size}"
        return SiteFile(mark=mark, read=partial(path.read_text, encoding="utf-8"))
