"""The house rules that import-linter cannot say."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_source_folders_are_not_packages() -> None:
    """An `__init__.py` there would shadow PyPA's build and the standard library's site."""
    assert not (ROOT / "build" / "__init__.py").exists()
    assert not (ROOT / "site" / "__init__.py").exists()


def test_site_holds_no_python() -> None:
    assert sorted((ROOT / "site").rglob("*.py")) == []
