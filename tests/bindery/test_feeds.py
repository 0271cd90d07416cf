"""Feeds, judged by parsers and grammars that are not ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import feedparser
import jsonschema
import pytest
from lxml import etree

from bindery import binding

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = Path(__file__).parent / "schemas"
NAMES = ("all", "releases", "newsletter")
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


@pytest.fixture
def public(small: Callable[..., Path], tmp_path: Path) -> Path:
    content = small({"newsletter/nasty.md": NASTY})
    binding.build(
        content,
        ROOT / "site",
        tmp_path / "dist",
        now=datetime(2026, 11, 23, tzinfo=UTC),
        url="https://support.example/sub",
        jobs=1,
        cache=None,
    )
    return tmp_path / "dist/public"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["rss", "atom"])
def test_feedparser_finds_no_fault(public: Path, name: str, form: str) -> None:
    feed = feedparser.parse((public / f"feeds/{name}.{form}").read_bytes())
    assert not feed.bozo, feed.get("bozo_exception")
    assert feed.version == {"rss": "rss20", "atom": "atom10"}[form]
    assert feed.feed.link == "https://support.example/sub/" + {"all": "", "releases": "releases/"}.get(
        name, "newsletter/"
    )
    assert len(feed.entries) == {"all": 5, "releases": 3, "newsletter": 2}[name]
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
