"""A vendor's archive, large enough for every output to have many parts, judged by what is not ours."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from bindery import binding

ROOT = Path(__file__).resolve().parents[2]
PART = 0.3  # of what `make bench` builds: 300 releases, 90 issues, 30 papers
URL = "https://support.example.org/"


@pytest.fixture(scope="module")
def bench() -> Iterator[SimpleNamespace]:
    """The modules of the bench, which is no package that is installed."""
    sys.path.insert(0, str(ROOT))
    judges, whole = (importlib.import_module(f"bench.{name}") for name in ("judges", "whole"))
    yield SimpleNamespace(judges=judges, whole=whole)
    sys.path.remove(str(ROOT))
    for name in [name for name in sys.modules if name.split(".")[0] == "bench"]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def site(bench: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> object:
    folder = tmp_path_factory.mktemp("archive")
    bench.whole.write(folder / "content", PART)
    binding.build(
        folder / "content",
        ROOT / "site",
        folder / "dist",
        now=datetime(2026, 11, 23, 12, tzinfo=UTC),
        url=URL,
        cache=None,
    )
    return bench.judges.Site(public=folder / "dist/public", url=URL, content=folder / "content")


@pytest.mark.slow
def test_no_judge_finds_a_fault_in_anything_that_was_made(bench: SimpleNamespace, site: object) -> None:
    verdicts = {verdict.judge: verdict for verdict in bench.judges.verdicts(site)}
    assert {name: verdict.faults for name, verdict in verdicts.items() if verdict.faults} == {}
    looked_at = {name: verdict.looked_at for name, verdict in verdicts.items()}
    assert all(looked_at.values())
    assert looked_at["life cycle: schemas"] == 1 + 300
    assert looked_at["papers: pypdf"] == 6


BROKEN = [
    # (judge, file, what stands in it, what is put there, the fault)
    (
        "feeds: chains walked",
        "feeds/archive/releases/2.atom",
        'rel="prev-archive"',
        'rel="elsewhere"',
        "releases: the forms do not agree",
    ),
    (
        "feeds: chains walked",
        "feeds/archive/releases/1.json",
        '"feed_url"',
        '"next_url": "https://support.example.org/feeds/releases.json",\n "feed_url"',
        "releases.json: https://support.example.org/feeds/releases.json comes a second time",
    ),
    (
        "feeds: whole addresses",
        "feeds/newsletter.json",
        'href=\\"https://support.example.org/',
        'href=\\"/',
        "newsletter.json: /releases/",
    ),
    ("Atom: RELAX NG", "feeds/all.atom", "<updated>", "<updated>soon", "all.atom: "),
    ("RSS: feedparser", "feeds/all.rss", "</title>", "</titel>", "all.rss: "),
    ("JSON Feed: schema", "feeds/all.json", '"id": "tag', '"di": "tag', "all.json: $.items[0]"),
    ("OPML", "feeds/feeds.opml", "/all.atom", "/everything.atom", "https://support.example.org/feeds/"),
    ("site map", "sitemap.xml", "/help/start/", "/help/begin/", "https://support.example.org/help/begin/"),
    ("pages: links inside", "help/start/index.html", 'href="/', 'href="/not/', "help/start/index.html: /"),
    ("life cycle: schemas", "data/openeox/works.json", '"tba"', '"soon"', "works.json 1"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("judge", "file", "old", "new", "fault"), BROKEN, ids=lambda value: str(value)[:20])
def test_a_judge_sees_what_is_broken(
    bench: ModuleType, site: object, judge: str, file: str, old: str, new: str, fault: str
) -> None:
    path: Path = site.public / file  # type: ignore[attr-defined]
    whole = path.read_text("utf-8")
    assert old in whole
    path.write_text(whole.replace(old, new), encoding="utf-8")
    try:
        found = [f"{name}: {told}" for name, told in bench.judges.JUDGES[judge](site) if told]
    finally:
        path.write_text(whole, encoding="utf-8")
    assert any(told.startswith(fault) for told in found), found


def test_the_same_part_of_the_archive_is_the_same_bytes(bench: SimpleNamespace) -> None:
    made = dict(bench.whole.vendor.files(0.02))
    assert made == dict(bench.whole.vendor.files(0.02))
    kinds = [path.split("/")[0] for path in made if path.endswith(".md") and not path.endswith("index.md")]
    wanted = {"releases": 20, "newsletter": 6, "papers": 2, "events": 1, "defects": 4}
    assert {kind: kinds.count(kind) for kind in wanted} == wanted
    assert json.dumps(made).count("sample: true") > 30
