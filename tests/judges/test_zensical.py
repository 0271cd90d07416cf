"""Zensical, the successor of Material, makes the same site of the same pages and the same looks."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import lxml.html
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {  # Zensical wants all of it below the settings' own folder
    "docs_dir: ../dist/pages": "docs_dir: dist/pages",
    "site_dir: ../dist/public": "site_dir: dist/zensical",
    "custom_dir: overrides": "custom_dir: site/overrides",
}


def article(page: Path) -> str:
    (found,) = lxml.html.fromstring(page.read_bytes()).xpath("//article")
    return re.sub(r"\s+", " ", found.text_content()).strip()


def test_zensical_makes_the_same_addresses_and_the_same_articles(served: Any, tmp_path: Path) -> None:
    shutil.copytree(served.dist / "pages", tmp_path / "dist" / "pages")
    shutil.copytree(ROOT / "site", tmp_path / "site")
    # Pages with a file's name are filled in by servers; Zensical knows folders only, and makes a 404 itself.
    for page in [tmp_path / "dist/pages/404.md", *(tmp_path / "dist/pages/support/answers").glob("*.md")]:
        page.unlink()
    text = (ROOT / "site" / "mkdocs.yml").read_text(encoding="utf-8")
    for ours, theirs in FOLDERS.items():
        assert ours in text
        text = text.replace(ours, theirs)
    (tmp_path / "mkdocs.yml").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [Path(sys.executable).with_name("zensical"), "build", "--config-file", "mkdocs.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    public, theirs = served.dist / "public", tmp_path / "dist" / "zensical"
    pages = sorted(
        path.relative_to(tmp_path / "dist/pages") for path in (tmp_path / "dist/pages").rglob("*.md")
    )
    assert len(pages) > 90
    urls = [page.with_suffix(".html") if page.stem == "index" else page for page in pages]
    assert [url for url in urls if not (theirs / url).exists()] == []
    differing = [url for url in urls if article(public / url) != article(theirs / url)]
    assert differing == []
