"""The real content, bound: it passes the bindery's checks and no link of the finished site is broken."""

from __future__ import annotations

import json
import posixpath
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from bindery import binding

HOUSE = Path(__file__).parents[2]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ORIGIN = "https://support.example.org"


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    binding.build(HOUSE / "content", HOUSE / "site", folder / "dist", now=NOW, url=ORIGIN, jobs=1, cards=True)
    return folder / "dist" / "public"


class Links(HTMLParser):
    """Where a page's links, pictures, styles and scripts point, and the ids that it has."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.ids: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value is not None:
                self.targets.add(value)
            if name == "id" and value:
                self.ids.add(value)


@pytest.mark.slow
def test_no_link_or_fragment_of_the_site_is_broken(public: Path) -> None:
    pages = {
        "/" + file.relative_to(public).as_posix().removesuffix("index.html"): Links(
            file.read_text(encoding="utf-8")
        )
        for file in sorted(public.rglob("*.html"))
    }
    assert len(pages) > 60
    broken = []
    for url, page in pages.items():
        for target in sorted(page.targets):
            parts = urlsplit(target)
            if parts.scheme in ("mailto", "tel") or parts.netloc not in ("", "support.example.org"):
                continue
            path, fragment = urldefrag(parts._replace(scheme="", netloc="", query="").geturl())
            path = unquote(path) or url
            absolute = path if path.startswith("/") else posixpath.normpath(posixpath.join(url, path))
            if absolute.startswith("/api/") or "[[" in path:
                continue  # the desk answers there, or fills in the address
            there = pages.get(absolute)
            found = there is not None or (public / absolute[1:]).is_file()
            ids = there.ids | {"", "top"} if there else {"", fragment}
            if not found or unquote(fragment) not in ids:
                broken.append(f"{url}: {target}")
    assert broken == []


@pytest.mark.slow
def test_every_page_says_what_it_is_to_those_who_show_a_link_to_it(public: Path) -> None:
    wrong = []
    for file in sorted(public.rglob("*.html")):
        head = file.read_text(encoding="utf-8").partition("</head>")[0]
        if "http-equiv" in head:
            continue  # leads on
        url = f"{ORIGIN}/{file.relative_to(public).as_posix().removesuffix('index.html')}"
        pictures = re.findall(r'<meta property="og:image" content="([^"]*)">', head)
        told = {
            name: re.findall(rf'<meta property="og:{name}" content="([^"]+)">', head)
            for name in (
                "title",
                "type",
                "site_name",
                "image:alt",
                "image:type",
                "image:width",
                "image:height",
            )
        }
        found = {name: len(values) for name, values in told.items() if len(values) != 1}
        if "noindex" not in head:
            summary = re.findall(r'<meta name="description" content="([^"]+)">', head)
            if len(summary) != 1 or re.findall(r'og:description" content="([^"]+)">', head) != summary:
                found["description"] = len(summary)
            if re.findall(r'<link rel="canonical" href="([^"]*)">', head) != [url]:
                found["canonical"] = 0
            if re.findall(r'<meta property="og:url" content="([^"]*)">', head) != [url]:
                found["url"] = 0
        path = pictures[0].removeprefix(f"{ORIGIN}/").partition("?")[0] if len(pictures) == 1 else "none"
        picture = public / path
        if not picture.is_file() or picture.read_bytes()[16:24] != bytes.fromhex("000004b000000276"):
            found[f"picture {pictures}"] = 0
        elif not 4_000 < picture.stat().st_size <= 40_960:
            found[f"size of {path}"] = picture.stat().st_size
        if found:
            wrong.append((url, found))
    assert wrong == []


@pytest.mark.slow
def test_the_pages_of_both_true_releases_say_nothing_of_a_sample_but_the_end_of_15_8(public: Path) -> None:
    page = (public / "releases/cityworks/23.10/index.html").read_text(encoding="utf-8")
    assert 'class="sample"' not in page
    page = (public / "releases/cityworks/15.8.9/index.html").read_text(encoding="utf-8")
    assert 'class="sample"' not in page
    assert "The day on which support of version 15.8 ends is a sample" in page


@pytest.mark.slow
def test_the_catalog_holds_the_true_dates_and_marks_all_other_releases(public: Path) -> None:
    catalog: dict[str, Any] = json.loads((public / "data/catalog.json").read_text(encoding="utf-8"))
    releases = catalog["products"]["cityworks"]["releases"]
    true = {version: told["released"] for version, told in releases.items() if not told["sample"]}
    assert true == {"15.8.9": "2025-01-28", "23.10": "2025-01-29"}
    for version in true:
        assert releases[version]["security"] == ["CVE-2025-0994"]
        assert releases[version]["fixes"] == ["CVE-2025-0994"]
    assert releases["15.8.9"]["support_ends"] == "2027-01-28"
    assert releases["23.10"]["support_ends"] is None
    assert releases["23.10"]["ends_after_next"] == "12 months"
    assert catalog["products"]["respond"]["releases"]["2.1"]["support_ends"] == "2027-04-14"
