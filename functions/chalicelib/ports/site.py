"""The published site, as far as the desk reads it: the catalog, the pages of forms, the shells of answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteFile:
    """A text of the site. Two with the same `mark` are the same; `read` gives it, or raises OSError when it
    is gone meanwhile, and UnicodeDecodeError."""

    mark: str
    read: Callable[[], str]


class Site(Protocol):
    """One publication, or where the present one lies."""

    def file(self, name: str) -> SiteFile | None:
        """A file by its path from the site's root, such as `data/catalog.json`; None when there is none, or
        it cannot be reached."""
        ...
