"""The history of feeds, walked from the newest document to the oldest archive by other people's parsers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import feedparser
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from bindery import binding, memory, render, support
from bindery.outputs import feeds
from bindery.outputs.feeds.chain import SIZE, documents
from bindery.outputs.feeds.entries import Told

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = Path(__file__).parent / "schemas"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
URL = "https://support.example/sub/"
FORMS = ("atom", "rss", "json")
SPACES = {"atom": "http://www.w3.org/2005/Atom", "fh": "http://purl.org/syndication/history/1.0"}
Write = Callable[..., Path]


def release(number: int, more: str = "") -> str:
    day = date(2000, 1, 1) + timedelta(days=number * 9)
    return (
        f"---\nversion: 0.{number}\nreleased: {day}\nkind: version\nline: old\n{more}---\n\n"
        f"## Fixed\n\n- OLD-{number}: A fault, told in [the first](1.0.md).\n"
    )


def releases(numbers: range) -> dict[str, str]:
    return {f"releases/works/0.{number}.md": release(number) for number in numbers}


def made(content: Path) -> dict[str, str]:
    """Every feed by its address, without the pages beside them."""
    library = binding.check(content, now=NOW, site_url=URL)
    site = ROOT / "site"
    bodies = memory.Bodies(library, None, site, "", lambda body: render.fragment(body, site))
    plans = feeds.plans(
        library,
        support.answers(library),
        support.known_issues(library),
        site_url=URL,
        bodies=bodies,
        render=lambda _name, values: f"<p>{values}</p>\n",
    )
    return {URL + plan.path: plan.text() for plan in plans}


def walk(published: dict[str, str], address: str) -> Iterator[tuple[str, list[str]]]:
    """(address, ids) of each document, as a feed reader that knows RFC 5005 or `next_url` goes."""
    seen: set[str] = set()
    while address:
        assert address not in seen, "the chain must end"
        seen.add(address)
        if address.endswith(".json"):
            feed = json.loads(published[address])
            yield address, [item["id"] for item in feed["items"]]
            address = feed.get("next_url", "")
        else:
            parsed = feedparser.parse(published[address].encode())
            assert not parsed.bozo, parsed.get("bozo_exception")
            yield address, [entry.id for entry in parsed.entries]
            links = [link.href for link in parsed.feed.links if link.rel == "prev-archive"]
            assert len(links) < 2
            address = links[0] if links else ""


def everything(published: dict[str, str], name: str, form: str) -> list[str]:
    return [id_ for _, ids in walk(published, f"{URL}feeds/{name}.{form}") for id_ in ids]


@pytest.mark.parametrize(("count", "pages"), [(230, 4), pytest.param(1000, 20, marks=pytest.mark.slow)])
def test_walking_back_finds_every_entry_once_and_from_new_to_old(
    small: Write, count: int, pages: int
) -> None:
    published = made(small(releases(range(count))))
    expected = [f"tag:www.example.com,2026:releases/works/{version}" for version in ("2.0", "1.1", "1.0")]
    expected = sorted(
        [*expected, *(f"tag:www.example.com,2026:releases/works/0.{number}" for number in range(count))]
    )
    for name in ("releases", "releases/works", "all"):
        for form in FORMS:
            told = everything(published, name, form)
            others = {"tag:www.example.com,2026:newsletter/spring"} if name == "all" else set()
            assert sorted(told) == sorted([*expected, *others])
            assert told == everything(published, name, "json")
    days = [
        item["date_published"]
        for address, _ in walk(published, f"{URL}feeds/releases.json")
        for item in json.loads(published[address])["items"]
    ]
    assert days == sorted(days, reverse=True)
    assert len(list(walk(published, f"{URL}feeds/releases.rss"))) == pages
    walked = {
        address
        for start in published
        if "/archive/" not in start and not start.endswith(".opml")
        for address, _ in walk(published, start)
    }
    assert walked == published.keys() - {f"{URL}feeds/feeds.opml"}, "no archive lies beside the chains"


@given(st.integers(min_value=0, max_value=6 * SIZE))
def test_however_many_entries_each_stands_in_one_document_and_the_newest_in_the_first(count: int) -> None:
    told = [
        Told(
            datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number),
            f"{number:04}",
            "",
            lambda: None,  # type: ignore[arg-type,return-value]
            f"tag:{number}",
            "",
        )
        for number in range(count)
    ]
    *archives, subscribed = documents("all", told)
    assert [one for document in (*archives, subscribed) for one in document.told[::-1]] == told
    assert [len(document.told) for document in archives] == [SIZE] * len(archives)
    assert min(count, SIZE) <= len(subscribed.told) < 2 * SIZE
    assert [document.before for document in (*archives, subscribed)] == ["", *(d.stem for d in archives)][
        : len(archives) + 1
    ]
    assert [document.after for document in archives] == [document.stem for document in archives[1:]] + [
        "" for _ in archives[:1]
    ]
    assert [document.archived for document in (*archives, subscribed)] == [True] * len(archives) + [False]


def test_an_archive_says_what_it_is_and_where_its_neighbours_are(small: Write) -> None:
    published = made(small(releases(range(230))))

    def told(path: str) -> tuple[bool, dict[str, str]]:
        tree = etree.fromstring(published[f"{URL}feeds/{path}"].encode())
        head = tree.find("channel") if tree.tag == "rss" else tree
        links = {
            link.get("rel"): link.get("href").removeprefix(f"{URL}feeds/")
            for link in head.findall("atom:link", SPACES)
            if link.get("rel") != "alternate"
        }
        return head.find("fh:archive", SPACES) is not None, links

    for form in ("atom", "rss"):
        own, archive = f"releases.{form}", "archive/releases/{}." + form
        assert told(own) == (False, {"self": own, "prev-archive": archive.format(3)})
        assert told(archive.format(3)) == (
            True,
            {"self": archive.format(3), "current": own, "prev-archive": archive.format(2)},
        )
        assert told(archive.format(2)) == (
            True,
            {
                "self": archive.format(2),
                "current": own,
                "prev-archive": archive.format(1),
                "next-archive": archive.format(3),
            },
        )
        assert told(archive.format(1)) == (
            True,
            {"self": archive.format(1), "current": own, "next-archive": archive.format(2)},
        )


def test_every_archive_is_valid(small: Write) -> None:
    published = made(small(releases(range(150))))
    grammar = etree.RelaxNG(etree.parse(SCHEMAS / "atom.rng"))
    schema = json.loads((SCHEMAS / "jsonfeed.schema.json").read_text())
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    archives = {address: text for address, text in published.items() if "/archive/" in address}
    assert len(archives) == 4 * 2 * 3
    for address, text in archives.items():
        if address.endswith(".atom"):
            grammar.assertValid(etree.fromstring(text.encode()))
        elif address.endswith(".json"):
            assert [error.message for error in validator.iter_errors(json.loads(text))] == []


def test_a_new_entry_changes_no_archive_and_a_new_archive_only_adds_its_address_to_the_one_before(
    small: Write,
) -> None:
    def archived() -> dict[str, str]:
        return {address: text for address, text in made(content).items() if "/archive/releases/" in address}

    content = small(releases(range(246)))  # 249 with those that are there: 3 archives and 99
    before = archived()
    assert len(before) == 2 * 3 * 3
    new = content / "releases/works/0.9999.md"
    new.write_text(release(1070, "summary: The newest of all.\n").replace("0.1070", "0.9999"))
    after = archived()
    assert len(after) == 2 * 4 * 3
    changed = {address for address in before if after[address] != before[address]}
    assert changed == {
        f"{URL}feeds/archive/{name}/3.{form}"
        for name in ("releases", "releases/works")
        for form in ("atom", "rss")
    }
    for address in changed:
        lines = [line for line in after[address].splitlines() if 'rel="next-archive"' not in line]
        assert lines == before[address].splitlines()
    (content / "releases/works/0.9998.md").write_text(release(1071).replace("0.1071", "0.9998"))
    assert archived() == after


def test_what_is_published_late_is_new_whatever_its_date(small: Write) -> None:
    """An archive that somebody has walked already would hide it."""
    content = small(releases(range(120)))
    (content / "releases/works/0.5.1.md").write_text(
        "---\nversion: 0.5.1\nreleased: 2000-03-01\nkind: update\nof: 0.5\n"
        "publish_at: 2026-11-01T08:00:00-07:00\n---\n"
    )
    items = json.loads(made(content)[f"{URL}feeds/releases.json"])["items"]
    assert items[0]["id"] == "tag:www.example.com,2026:releases/works/0.5.1"
    assert items[0]["date_published"] == "2026-11-01T08:00:00-07:00"


def test_a_changed_title_keeps_its_id_and_a_renamed_file_with_an_id_too(small: Write) -> None:
    content = small()
    (before,) = everything(made(content), "newsletter", "atom")
    issue = content / "newsletter/spring.md"
    issue.write_text(issue.read_text().replace("title: Spring", "title: Spring, mended"))
    assert everything(made(content), "newsletter", "atom") == [before]
    issue.rename(content / "newsletter/may.md")
    moved = content / "newsletter/may.md"
    moved.write_text(moved.read_text().replace("title:", "id: newsletter/spring\ntitle:"))
    assert everything(made(content), "newsletter", "atom") == [before]


def test_a_hub_is_named_by_the_feeds_where_one_is_set_and_never_by_an_archive(small: Write) -> None:
    content = small(releases(range(120)))
    assert not any("hub" in text for text in made(content).values())
    home = content / "index.md"
    home.write_text(home.read_text().replace("vendor:", "hub: https://hub.example/\nvendor:", 1))
    published = made(content)
    for name in ("all", "releases", "newsletter", "releases/works"):
        for form in ("atom", "rss"):
            parsed = feedparser.parse(published[f"{URL}feeds/{name}.{form}"].encode())
            assert [link.href for link in parsed.feed.links if link.rel == "hub"] == ["https://hub.example/"]
        feed = json.loads(published[f"{URL}feeds/{name}.json"])
        assert feed["hubs"] == [{"type": "WebSub", "url": "https://hub.example/"}]
    assert not any("hub.example" in text for address, text in published.items() if "/archive/" in address)


def test_a_hub_must_be_an_address(small: Write) -> None:
    content = small()
    home = content / "index.md"
    home.write_text(home.read_text().replace("vendor:", "hub: on\nvendor:", 1))
    with pytest.raises(binding.Problems) as caught:
        binding.check(content, now=NOW)
    assert str(caught.value) == (
        f"{home}:4: 'hub' must be an address such as https://hub.example.com/, not 'on'"
    )
