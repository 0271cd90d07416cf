"""What a page's head says to search engines, feed readers and whoever shows a link to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bindery import binding
from bindery.prose import opening

SITE = Path(__file__).resolve().parents[2] / "site"
URL = "https://support.example.org/city"


@pytest.fixture(scope="module")
def public(small_in: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("head")
    content = small_in(
        folder / "content",
        {
            "papers/pipes.md": "---\ntitle: Pipes\ndate: 2025-10-07\nabstract: On pipes.\n"
            "authors: [{name: Pat Reader}]\n---\n\nText.\n",
            "help/bare.md": '---\ntitle: Bare "words"\n---\n\n# Title\n\nRead *this* & [start](start.md).\n',
            "help/empty.md": "---\ntitle: Nothing yet\n---\n",
            "releases/works/1.2.md": "---\nversion: 1.2\nreleased: 2024-06-01\nkind: update\nof: 1.0\n---\n\n"
            "## Fixed\n\n- WK-3: A fault.\n",
            "defects/WK-9.md": "---\ntitle: It stops\nproduct: works\nfound_in: '2.0'\nsummary: Bad.\n---\n",
            "events/days.md": "---\ntitle: Days\nstart: 2027-05-04\nend: 2027-05-07\nplace: Sandy\n---\n",
        },
    )
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    binding.build(content, SITE, folder / "dist", now=now, url=URL, jobs=1, cache=None)
    return folder / "dist/public"


def head(public: Path, url: str) -> str:
    return (public / url / "index.html").read_text("utf-8").partition("</head>")[0]


def said(public: Path, url: str, name: str) -> list[str]:
    return re.findall(rf'<meta (?:property|name)="{name}" content="([^"]*)">', head(public, url))


@pytest.mark.parametrize(
    ("url", "sort"),
    [
        ("", "website"),
        ("releases/", "website"),
        ("releases/works/", "website"),
        ("life-cycle/", "website"),
        ("support/ticket/", "website"),
        ("search/", "website"),
        ("feeds/", "website"),
        ("papers/authors/pat-reader/", "profile"),
        ("releases/works/1.1/", "article"),
        ("upgrade/works/1.0/", "article"),
        ("newsletter/spring/", "article"),
        ("papers/pipes/", "article"),
        ("events/days/", "article"),
        ("defects/WK-9/", "article"),
        ("help/start/", "article"),
        ("policy/support/", "article"),
    ],
)
def test_a_page_of_its_own_is_an_article_an_author_a_profile_and_all_else_the_site(
    public: Path, url: str, sort: str
) -> None:
    assert said(public, url, "og:type") == [sort]
    assert said(public, url, "og:site_name") == ["Example Systems Support"]
    assert said(public, url, "og:url") == [f"{URL}/{url}"]
    assert re.findall(r'<link rel="canonical" href="([^"]*)">', head(public, url)) == [f"{URL}/{url}"]
    assert len(said(public, url, "og:title")) == 1


@pytest.mark.parametrize(
    ("url", "description"),
    [
        ("help/start/", "Begin here."),
        ("papers/pipes/", "On pipes."),
        ("help/bare/", "Read this &amp; start."),
        ("help/empty/", "Nothing yet"),
        ("releases/works/1.2/", "WK-3: A fault."),
    ],
)
def test_a_page_is_described_by_its_summary_or_else_by_its_first_words_or_its_title(
    public: Path, url: str, description: str
) -> None:
    assert said(public, url, "description") == said(public, url, "og:description") == [description]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", ""),
        (
            "# T\n\nHello *there*, [link](x.md) and `a <b>`.\nMore.\n\nNo.",
            "Hello there, link and a <b>. More.",
        ),
        ("## New\n\n- WK-1: Every\n  thing.\n- WK-2: It.\n\nNo.", "WK-1: Every thing. WK-2: It."),
        ("```\ncode\n\nstill code\n```\n\nAfter[^1] it. {: .note }", "After it."),
        (
            "<p>x</p>\n\n![a](b.png)\n\n| a | b |\n|---|---|\n| c | d |\n\n> q\n\n***\n\n1. One\n2. Two",
            "One Two",
        ),
        ("A sentence, and one that goes on and on, and on.", "A sentence, and one that goes on and…"),
        ("W" * 50, "W" * 39 + "…"),
    ],
)
def test_the_first_words_of_a_text_are_those_that_a_reader_meets_first(body: str, words: str) -> None:
    assert opening(body, 40) == words


@pytest.mark.parametrize(
    ("url", "feeds"),
    [
        ("", {"all", "releases", "newsletter"}),
        ("releases/works/1.1/", {"all", "releases", "newsletter", "security", "releases/works"}),
        ("papers/pipes/", {"all", "releases", "newsletter", "papers"}),
        ("events/", {"all", "releases", "newsletter", "events"}),
        ("defects/WK-9/", {"all", "releases", "newsletter", "defects", "security"}),
        ("life-cycle/", {"all", "releases", "newsletter", "life-cycle"}),
    ],
)
def test_a_page_names_the_feeds_of_its_section_in_every_form_and_they_are_there(
    public: Path, url: str, feeds: set[str]
) -> None:
    named = re.findall(
        r'<link rel="alternate" type="[^"]*" title="[^"]*" href="/city/([^"]*)">', head(public, url)
    )
    assert sorted(named) == sorted(
        f"feeds/{feed}.{form}" for feed in feeds for form in ("atom", "rss", "json")
    )
    assert all((public / path).is_file() for path in named)


def test_robots_find_the_site_map_and_it_names_every_page_that_is_to_be_found(public: Path) -> None:
    robots = (public / "robots.txt").read_text()
    assert robots == f"User-agent: *\nDisallow: /city/api/\nSitemap: {URL}/sitemap.xml\n"
    tree = ElementTree.parse(public / "sitemap.xml")
    named = [node.text for node in tree.iterfind(".//{*}loc")]
    pages = {
        f"{URL}/{page.relative_to(public).as_posix().removesuffix('index.html')}"
        for page in public.rglob("*.html")
        if "noindex" not in page.read_text("utf-8")
    }
    assert len(named) == len(set(named)) and set(named) == pages
