"""Fixtures of the bindery's tests: content on disk and the library made of it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bindery import binding
from bindery.library import Library

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
Changes = dict[str, str | None]

_spec = importlib.util.spec_from_file_location("small_content", Path(__file__).with_name("small_content.py"))
assert _spec and _spec.loader
small_content = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(small_content)


@pytest.fixture(scope="session")
def small_in() -> Callable[..., Path]:
    """Write the small content into a folder, with changes: for a world that several tests look at."""
    write: Callable[..., Path] = small_content.write
    return write


@pytest.fixture
def small(tmp_path: Path) -> Callable[..., Path]:
    """Write the small content with changes: `small({"help/start.md": "…"})` gives its folder."""

    def write(changes: Changes | None = None) -> Path:
        folder: Path = small_content.write(tmp_path / "content", changes)
        return folder

    return write


@pytest.fixture
def shelved(small: Callable[..., Path]) -> Callable[..., Library]:
    """The library of the small content with changes."""

    def make(changes: Changes | None = None, now: datetime = NOW) -> Library:
        return binding.check(small(changes), now=now)

    return make
