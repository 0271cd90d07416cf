"""The content of this repository as plain files, read without the bindery, so that nothing judges itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

CONTENT = Path(__file__).parents[2] / "content"


@dataclass(frozen=True, kw_only=True)
class Text:
    """A content file: `path` below content/, the front matter as text values, the body."""

    path: str
    front: dict[str, Any]
    body: str


@pytest.fixture(scope="session")
def texts() -> dict[str, Text]:
    found = {}
    for file in sorted(CONTENT.rglob("*.md")):
        path = file.relative_to(CONTENT).as_posix()
        _, front, body = file.read_text(encoding="utf-8").split("---\n", 2)
        found[path] = Text(path=path, front=yaml.load(front, Loader=yaml.BaseLoader), body=body)  # noqa: S506
    return found


@pytest.fixture(scope="session")
def releases(texts: dict[str, Text]) -> dict[str, Text]:
    """By `product/version`."""
    return {
        path.removeprefix("releases/").removesuffix(".md"): text
        for path, text in texts.items()
        if path.startswith("releases/") and "version" in text.front
    }
