"""The index of the search: every page in one shard, no more work than an edit asks for, the same bytes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bindery import binding, search
from bindery.binding import Built
from bindery.search import MOST, Findable, first, ordered, plan, shards

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SITE_PAGES = [Findable(url=f"support/{name}/", year=None) for name in ("ticket", "renewal", "download")]


def of_years(counts: dict[int, int]) -> list[Findable]:
    return [
        Findable(url=f"releases/works/{year}.{number}/", year=year)
        for year, count in counts.items()
        for number in range(count)
    ]


@settings(max_examples=60)
@given(
    st.dictionaries(st.integers(1990, 2030), st.integers(1, 2 * MOST), max_size=8),
    st.integers(0, 3 * MOST),
)
def test_every_page_is_in_one_shard_and_no_shard_is_much_too_large(
    counts: dict[int, int], helps: int
) -> None:
    pages = [
        *SITE_PAGES,
        *of_years(counts),
        *(Findable(url=f"help/{number}/", year=None, help=True) for number in range(helps)),
    ]
    made = ordered(shards(pages))
    assert sorted(url for shard in made for url in shard.urls) == sorted(page.url for page in pages)
    assert len({shard.name for shard in made}) == len(made)
    assert made[0].name == "site"
    assert all(len(shard.urls) <= 1.5 * MOST for shard in made)
    asked = made[: first(made)]
    assert len(asked) <= 3
    assert sum(len(shard.urls) for shard in asked) <= 2 * MOST or len(asked) == 1


@settings(max_examples=60)
@given(st.dictionaries(st.integers(1990, 2030), st.integers(1, MOST // 2), min_size=1, max_size=8))
def test_a_page_of_the_newest_year_changes_the_newest_shard_alone(counts: dict[int, int]) -> None:
    before = {shard.name: shard.urls for shard in shards([*SITE_PAGES, *of_years(counts)])}
    newest = max(counts)
    more = Findable(url="releases/works/more/", year=newest)
    after = {shard.name: shard.urls for shard in shards([*SITE_PAGES, *of_years(counts), more])}
    gone = [name for name, urls in before.items() if after.get(name) != urls]
    assert len(gone) == 1
    assert str(newest) in gone[0]


def test_years_are_packed_from_the_oldest_and_asked_from_the_newest() -> None:
    made = shards([*SITE_PAGES, *of_years({2001: 100, 2002: 150, 2003: 100, 2004: 40, 2007: 60})])
    assert [(shard.name, shard.title, len(shard.urls)) for shard in made] == [
        ("site", "this site", 3),
        ("2003-2007", "2003 to 2007", 200),
        ("2001-2002", "2001 to 2002", 250),
    ]
    assert first(made) == 3


def test_a_large_help_waits_behind_the_newest_years() -> None:
    helps = [Findable(url=f"help/{number}/", year=None, help=True) for number in range(2 * MOST)]
    made = ordered(shards([*SITE_PAGES, *helps, *of_years({2025: 200, 2026: 200})]))
    assert [shard.name.partition("-")[0] for shard in made] == ["site", "2026", "help", "help", "2025"]
    assert first(made) == 2


def test_a_table_that_cannot_be_read_makes_every_shard_again() -> None:
    made = plan(SITE_PAGES, lambda url: url, "")
    assert [shard.name for shard in made.stale] == ["site"]
    assert plan(SITE_PAGES, lambda url: url, made.table()).stale == ()
    assert len(plan(SITE_PAGES, lambda url: f"{url} now", made.table()).stale) == 1
    assert len(plan(SITE_PAGES, lambda url: url, "{}").stale) == 1
    assert len(plan(SITE_PAGES, lambda url: url, "[").stale) == 1


def test_what_pagefind_says_is_told_when_it_fails(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_bytes(b"")
    shard = search.Shard(name="site", title="this site", urls=("a/",))
    with pytest.raises(search.Broken, match="the search index of this site could not be made: "):
        list(search.index(shard, lambda _: page))


# With the real site


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def told(public: Path) -> dict[str, str]:
    """The text that the index holds, by url."""
    found = {}
    for path in public.glob("search/*/fragment/*"):
        data = json.loads(gzip.decompress(path.read_bytes()).decode().removeprefix("pagefind_dcd"))
        found[data["url"]] = data["content"]
    return found


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Built]:
    def run(content: Path, out: str = "dist", **options: object) -> Built:
        settings: dict[str, object] = {"now": NOW, "jobs": 1, "cache": tmp_path / "cache", **options}
        return binding.build(content, ROOT / "site", tmp_path / out, search=True, **settings)  # type: ignore[arg-type]

    return run


def test_an_edit_indexes_one_shard_and_gives_the_bytes_of_a_clean_build(
    small: Callable[..., Path], build: Callable[..., Built], tmp_path: Path
) -> None:
    content = small()
    build(content)
    assert "a word never used" not in str(told(tmp_path / "dist" / "public"))
    notes = content / "releases/works/1.1.md"
    notes.write_text(notes.read_text() + "- WK-9: It has a word never used.\n")

    built = build(content)

    shards = {path.split("/")[2] for path in built.written if path.startswith("public/search/")}
    assert len(shards - {"shards.json"}) == 1
    assert "a word never used" in told(tmp_path / "dist" / "public")["/releases/works/1.1/"]
    build(content, "clean", cache=None)
    assert tree(tmp_path / "dist") == tree(tmp_path / "clean")


def test_lists_and_answers_are_not_found_and_what_is_under_embargo_is_not_there(
    small: Callable[..., Path], build: Callable[..., Built], tmp_path: Path
) -> None:
    hidden = "---\ntitle: Hidden\npublish_at: 2026-12-01T00:00:00Z\n---\n\nThe canary sings.\n"
    build(small({"help/hidden.md": hidden}))
    found = told(tmp_path / "dist" / "public")
    assert "/releases/works/1.1/" in found
    assert "/support/ticket/" in found
    assert not {"/", "/releases/", "/help/", "/404.html", "/support/answers/ticket.html"} & found.keys()
    assert "canary" not in str(found)
    assert all(b"canary" not in content for content in tree(tmp_path / "dist" / "public").values())


def test_a_build_without_search_takes_the_index_away(
    small: Callable[..., Path], build: Callable[..., Built], tmp_path: Path
) -> None:
    content = small()
    build(content)
    assert (tmp_path / "dist/public/search/shards.json").exists()
    binding.build(content, ROOT / "site", tmp_path / "dist", now=NOW, cache=tmp_path / "cache")
    assert [path.name for path in (tmp_path / "dist/public/search").iterdir()] == ["index.html"]
