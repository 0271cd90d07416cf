"""What is measured is the same on every machine."""

from __future__ import annotations

import hashlib
import importlib
import sys
from pathlib import Path

import pytest


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    yield importlib.import_module("bench.archive")
    for name in [name for name in sys.modules if name.split(".")[0] == "bench"]:
        del sys.modules[name]


def digest(files: dict[str, str]) -> str:
    return hashlib.sha256("".join(f"{path}\0{text}\0" for path, text in files.items()).encode()).hexdigest()


def test_an_archive_of_the_same_size_is_the_same_bytes_everywhere(archive: object) -> None:
    made = dict(archive.files(200))  # type: ignore[attr-defined]
    assert digest(made) == digest(dict(archive.files(200)))  # type: ignore[attr-defined]
    assert digest(made) == "57a3567c022ac9a33cdbae69f1818b25c8e86992ca6f8dce43306bf2150702d8"
    assert len(made) == 200
    assert archive.edited_page(200) in made  # type: ignore[attr-defined]


def test_a_page_has_about_a_thousand_words(archive: object) -> None:
    made = dict(archive.files(200))  # type: ignore[attr-defined]
    words = sum(len(text.split()) for text in made.values()) / len(made)
    assert 900 < words < 1100
