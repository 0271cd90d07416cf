"""Feeds, judged by parsers and grammars that are not ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import feedparser
import jsonschema
import pytest
from lxml import etree

from bindery import binding, memory, write

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = Path(__file__).parent / "schemas"
COUNTS = {
    "all": 7,
    "releases": 3,
    "security": 1,
    "life-cycle": 1,
    "newsletter": 2,
    "papers": 1,
    "events": 1,
    "defects": 0,
    "releases/works": 3,
}
NAMES = tuple(COUNTS)
PAPER = """---
title: Plans & facts
authors: [{name: Pat Author}]
date: 2025-07-01
abstract: A <short> one.
summary: What we found.
---

Text.
"""
EVENT = """---
title: User days
start: 2027-05-11
end: 2027-05-13
place: Sandy, Utah
summary: Three days.
---

Come.
"""
SECURE = """---
version: 1.1
released: 2024-05-01
kind: update
of: 1.0
security: [CVE-2024-12345]
summary: An update.
---

## Security

- CVE-2024-12345: A weakness.
"""
NASTY = """---
title: "R&D <b>]]> \\"quoted\\" é"
date: 2025-06-01
summary: "Ampersands & <angles>."
---

A [link](/life-cycle/), `<code>` ]]&gt; and a picture of 𝄞.

| a | b |
|---|---|
| 1 | 2 |
"""


@pytest.fixture(scope="module")
def public(small_in: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("feeds")
    content = small_in(
        folder / "content",
        {
            "newsletter/nasty.md": NASTY,
            "papers/plans.md": PAPER,
            "events/days.md": EVENT,
            "releases/works/1.1.md": SECURE,
        },
    )
    binding.build(
        content,
        ROOT / "site",
        folder / "dist",
        now=datetime(2026, 11, 23, tzinfo=UTC),
        url="https://support.example/sub",
        jobs=1,
        cache=None,
    )
    return folder / "dist/public"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["rss", "atom"])
def test_feedparser_finds_no_fault(public: Path, name: str, form: str) -> None:
    feed = feedparser.parse((public / f"feeds/{name}.{form}").read_bytes())
    assert not feed.bozo, feed.get("bozo_exception")
    assert feed.version == {"rss": "rss20", "atom": "atom10"}[form]
    assert feed.feed.link == "https://support.example/sub/" + {
        "all": "",
        "security": "releases/",
    }.get(name, f"{name}/")
    assert len(feed.entries) == COUNTS[name]
    for entry in feed.entries:
        assert entry.id.startswith("tag:www.example.com,2026:")
        assert entry.link.startswith("https://support.example/sub/")
        assert entry.content[0].value


@pytest.mark.parametrize("name", NAMES)
def test_atom_passes_its_grammar(public: Path, name: str) -> None:
    grammar = etree.RelaxNG(etree.parse(SCHEMAS / "atom.rng"))
    grammar.assertValid(etree.parse(public / f"feeds/{name}.atom"))


@pytest.mark.parametrize("name", NAMES)
def test_json_feed_passes_its_schema(public: Path, name: str) -> None:
    schema = json.loads((SCHEMAS / "jsonfeed.schema.json").read_text())
    feed = json.loads((public / f"feeds/{name}.json").read_text())
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    assert [error.message for error in validator.iter_errors(feed)] == []
    assert feed["feed_url"] == f"https://support.example/sub/feeds/{name}.json"


def test_what_authors_write_arrives_unharmed_in_all_three(public: Path) -> None:
    title = 'R&D <b>]]> "quoted" é'
    as_json = json.loads((public / "feeds/newsletter.json").read_text())["items"][0]
    assert as_json["title"] == title
    atom = etree.parse(public / "feeds/newsletter.atom").getroot()
    entry = atom.find("{*}entry")
    assert entry.findtext("{*}title") == title
    assert entry.findtext("{*}content") == as_json["content_html"]
    rss = etree.parse(public / "feeds/newsletter.rss").getroot()
    item = rss.find("channel/item")
    assert item.findtext("title") == title
    assert item.findtext("{http://purl.org/rss/1.0/modules/content/}encoded") == as_json["content_html"]
    assert 'href="https://support.example/sub/life-cycle/"' in as_json["content_html"]
    assert "<table>" in as_json["content_html"]


def test_the_three_forms_name_the_same_entries_with_the_same_ids(public: Path) -> None:
    for name in NAMES:
        ids = [item["id"] for item in json.loads((public / f"feeds/{name}.json").read_text())["items"]]
        for form in ("rss", "atom"):
            parsed = feedparser.parse((public / f"feeds/{name}.{form}").read_bytes())
            assert [entry.id for entry in parsed.entries] == ids


def test_an_end_of_support_is_told_on_the_day_that_decided_it(public: Path) -> None:
    (entry,) = json.loads((public / "feeds/life-cycle.json").read_text())["items"]
    assert entry["id"] == "tag:www.example.com,2026:life-cycle/works/1.0"
    assert entry["title"] == "Works 1.0: supported until 2026-02-28"
    assert entry["date_published"] == entry["date_modified"] == "2025-02-28T00:00:00-07:00"
    assert (
        "<li>Works 2.0, the next version of its line, was released on 2025-02-28.</li>"
        in (entry["content_html"])
    )
    assert ".md:" not in entry["content_html"]


def test_no_entry_lies_after_what_readers_may_see(public: Path) -> None:
    for name in NAMES:
        for entry in json.loads((public / f"feeds/{name}.json").read_text())["items"]:
            assert datetime.fromisoformat(entry["date_published"]) <= datetime(2026, 11, 23, tzinfo=UTC)


def test_the_security_feed_has_the_releases_that_mend_a_weakness_and_no_other(public: Path) -> None:
    items = json.loads((public / "feeds/security.json").read_text())["items"]
    assert [item["title"] for item in items] == ["Works 1.1"]


def test_the_list_of_feeds_names_every_feed_there_is(public: Path) -> None:
    opml = etree.parse(public / "feeds/feeds.opml").getroot()
    listed = [outline.get("xmlUrl") for outline in opml.iter("outline")]
    made = [f"https://support.example/sub/{path.relative_to(public)}" for path in public.rglob("*.atom")]
    assert sorted(listed) == sorted(made)
    assert len(listed) == len(NAMES)


def test_a_page_tells_of_the_feeds_that_fit_it_and_every_one_is_there(public: Path) -> None:
    def told(page: str) -> set[str]:
        tree = etree.parse(public / page / "index.html", etree.HTMLParser())
        links = tree.xpath('//link[@rel="alternate"][starts-with(@type, "application/")]/@href')
        return {str(link).rpartition("feeds/")[2] for link in links}

    every = {
        f"{name}.{form}" for name in ("all", "releases", "newsletter") for form in ("atom", "rss", "json")
    }
    for page, more in {
        "": [],
        "releases/works": ["security", "releases/works"],
        "releases/works/1.1": ["security", "releases/works"],
        "papers/plans": ["papers"],
        "events": ["events"],
        "life-cycle": ["life-cycle"],
    }.items():
        assert told(page) == every | {f"{name}.{form}" for name in more for form in ("atom", "rss", "json")}
        assert all((public / "feeds" / feed).is_file() for feed in told(page))


def test_the_page_of_feeds_links_to_every_feed_and_calendar(public: Path) -> None:
    tree = etree.parse(public / "feeds/index.html", etree.HTMLParser())
    links = {str(link).removeprefix("/sub/") for link in tree.xpath("//article//a/@href")}
    made = {
        path.relative_to(public).as_posix()
        for folder in ("feeds", "calendar")
        for path in (public / folder).rglob("*.*")
        if path.name != "index.html"
    }
    assert {link for link in links if link.startswith(("feeds/", "calendar/"))} == made


def test_a_feed_is_made_again_only_when_its_entries_change(
    small: Callable[..., Path], tmp_path: Path
) -> None:
    def build() -> set[str]:
        built = binding.build(
            content, ROOT / "site", tmp_path / "dist", now=datetime(2026, 11, 23, tzinfo=UTC), jobs=1,
            cache=tmp_path / "cache",
        )  # fmt: skip
        return {path for path in built.written if path.startswith(("public/feeds/", "public/calendar/"))}

    content = small()
    assert len(build()) > 20
    page = content / "newsletter/spring.md"
    page.write_text(page.read_text().replace("**more**", "**a word more**"))
    newsletter = {
        f"public/feeds/{name}.{form}" for name in ("all", "newsletter") for form in ("atom", "rss", "json")
    }
    assert build() == newsletter
    other = tmp_path / "other"
    binding.build(
        content,
        ROOT / "site",
        other,
        now=datetime(2026, 11, 23, tzinfo=UTC),
        jobs=1,
        cache=tmp_path / "cache",
    )
    for path in (path for path in (tmp_path / "dist/public").rglob("*.*") if path.is_file()):
        assert (
            other / "public" / path.relative_to(tmp_path / "dist/public")
        ).read_bytes() == path.read_bytes()


RSS_ITEM = ["title", "link", "description", "content:encoded", "guid", "category+", "pubDate", "dc:creator+"]
RSS_CHANNEL = [
    "title", "link", "description", "atom:link+", "docs", "generator", "language", "lastBuildDate",
    "pubDate?", "item*",
]  # fmt: skip
PREFIXES = {
    "{http://purl.org/rss/1.0/modules/content/}": "content:",
    "{http://purl.org/dc/elements/1.1/}": "dc:",
    "{http://www.w3.org/2005/Atom}": "atom:",
}


def children(element: etree._Element) -> list[str]:
    names = [str(child.tag) for child in element]
    for long, short in PREFIXES.items():
        names = [name.replace(long, short) for name in names]
    return names


def assert_made_of(element: etree._Element, grammar: list[str]) -> None:
    """Every child is known and stands as often as its mark allows: + once or more, ? at most once, * any."""
    names = children(element)
    rules = {rule.rstrip("+?*"): rule[-1] for rule in grammar}
    assert set(names) <= set(rules)
    for name, mark in rules.items():
        least, most = {"+": (1, 99), "?": (0, 1), "*": (0, 99)}.get(mark, (1, 1))
        assert least <= names.count(name) <= most, (name, names.count(name))


@pytest.mark.parametrize("name", NAMES)
def test_rss_is_made_as_its_specification_says(public: Path, name: str) -> None:
    rss = etree.parse(public / f"feeds/{name}.rss").getroot()
    assert (rss.tag, rss.get("version"), children(rss)) == ("rss", "2.0", ["channel"])
    channel = rss[0]
    assert_made_of(channel, RSS_CHANNEL)
    own = [link.get("href") for link in channel.iterfind("{*}link") if link.get("rel") == "self"]
    assert own == [f"https://support.example/sub/feeds/{name}.rss"]
    parsedate_to_datetime(channel.findtext("lastBuildDate"))
    guids = [item.findtext("guid") for item in channel.iterfind("item")]
    assert len(set(guids)) == len(guids)
    for item in channel.iterfind("item"):
        assert_made_of(item, RSS_ITEM)
        assert item.find("guid").get("isPermaLink") == "false"
        assert parsedate_to_datetime(item.findtext("pubDate")).tzinfo


def test_authors_are_named_in_all_three(public: Path) -> None:
    assert json.loads((public / "feeds/papers.json").read_text())["items"][0]["authors"] == [
        {"name": "Pat Author"}
    ]
    for form in ("rss", "atom"):
        (entry,) = feedparser.parse((public / f"feeds/papers.{form}").read_bytes()).entries
        assert entry.author == "Pat Author"
        assert [tag.term for tag in entry.tags] == ["paper"]


@pytest.mark.slow
def test_an_edit_of_an_old_entry_makes_its_archive_again_and_no_other(
    small: Callable[..., Path], tmp_path: Path
) -> None:
    def build(out: str = "dist", cache: Path | None = tmp_path / "cache") -> set[str]:
        now = datetime(2026, 11, 23, tzinfo=UTC)
        built = binding.build(content, ROOT / "site", tmp_path / out, now=now, jobs=1, cache=cache)
        return {path for path in built.written if path.startswith("public/feeds/")}

    issue = "---\ntitle: Issue {0}\ndate: {1}-01-01\n---\n\nText {0}, [here](../help/start.md).\n"
    content = small(
        {f"newsletter/n{number:03}.md": issue.format(number, 1800 + number) for number in range(210)}
    )
    assert "public/feeds/archive/newsletter/3.atom" in build()
    old = content / "newsletter/n060.md"
    old.write_text(old.read_text().replace("Text 60", "Text sixty"))
    expected = {
        f"public/feeds/archive/{name}/2.{form}"
        for name in ("all", "newsletter")
        for form in ("atom", "rss", "json")
    }
    assert build() == expected
    build("clean", None)
    for path in (tmp_path / "clean/public/feeds").rglob("*.*"):
        other = tmp_path / "dist/public/feeds" / path.relative_to(tmp_path / "clean/public/feeds")
        assert other.read_bytes() == path.read_bytes()
    shelves = sorted(path.name.split("-", 2)[2] for path in (tmp_path / "cache").glob("bodies-*-issue-*"))
    assert shelves[:2] == ["issue-1800", "issue-1801"]


def test_what_was_kept_is_not_made_and_what_another_build_left_is(tmp_path: Path) -> None:
    def kept(text: str) -> memory.Kept:
        files = {"public/a": write.sha256(text.encode())}
        return memory.Kept(tmp_path / "cache", tmp_path, "looks", files)

    first = kept("")
    assert first.of("public/a", "key", lambda: "made") == "made"
    first.save()
    assert kept("made").of("public/a", "key", lambda: "again") is None
    assert kept("made").of("public/a", "other key", lambda: "again") == "again"
    assert kept("what another build left").of("public/a", "key", lambda: "again") == "again"
