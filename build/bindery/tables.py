"""What keeps small tables between builds, as those see it that fill them; `memory` is what does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Table = Callable[[str, str, Callable[[], dict[str, str]]], Mapping[str, str]]
"""Keeps a table by its name, as long as its key stays; it is made where it is not there."""
