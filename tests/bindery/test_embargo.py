"""Embargo and drafts: nothing of them is in anything made or published, one second before their instant.

The word that must not leak stands in every field, name and file of an item of every kind.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pypdf
import pytest
from click.testing import CliRunner

from bindery import binding, publications, publish
from bindery.cli import main

SITE = Path(__file__).resolve().parents[2] / "site"
INSTANT = datetime(2026, 12, 1, 15, tzinfo=UTC)
BEFORE = INSTANT - timedelta(seconds=1)
HELD = "publish_at: 2026-12-01T08:00:00-07:00\n"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
Changes = dict[str, str | None]
Write = Callable[..., Path]


def items(word: str, more: str) -> Changes:
    """An item of every kind, the word in each field that takes it; they name each other."""
    low = word.lower()
    upper = f"{word.upper()}-1"
    version = f"9.{low}"
    front = f"title: The {word}\nsummary: All about {word}.\nredirect_from: [old/{low}/%s/]\n{more}"
    shown = f"About {word}: [a release](../releases/works/{version}.md) ![{word}](../%s/{low}.svg)\n"
    return {
        f"releases/works/{version}.md": (
            f'---\nversion: "{version}"\nreleased: 2026-12-01\nkind: version\nline: {low}\n'
            f"security: [CVE-2026-{ord(word[0])}99]\n{front % 'release'}"
            f"files:\n  - {{name: {low}.zip, size: 1, sha256: {'a' * 64}, platform: {low}}}\n---\n\n"
            f"## Fixed\n\n- WK-7: The {word} works.\n- {upper}0: {word} again.\n\n"
            f"## Breaking changes\n\n- {word}.\n\n## Known issues\n\n- {upper}1: {word} is slow.\n"
        ),
        f"newsletter/{low}.md": (
            f"---\ndate: 2026-12-01\npreheader: {word}\n{front % 'issue'}---\n\n"
            + shown.replace("![", "[") % "newsletter"  # mail programs show no SVG
        ),
        f"papers/{low}.md": (
            f"---\ndate: 2026-12-01\nabstract: On {word}.\nkeywords: [{low}]\npdf: true\nevent: {low}\n"
            f"authors: [{{name: {word} Author, affiliation: {word} City}}]\nbibliography: {low}.bib\n"
            f"features: [works/{version}]\n{front % 'paper'}---\n\n## Method\n\nThe {word} [@{low}].\n\n"
            f"![A {word}]({low}.svg)\n"
        ),
        f"papers/{low}.bib": (
            f"@book{{{low}, title = {{{word}}}, author = {{{word}, A.}}, publisher = {{{word}}},\n"
            "  year = 2020}\n"
        ),
        f"events/{low}.md": (
            f"---\nstart: 2026-12-05\nend: 2026-12-06\nplace: {word}\n{front % 'event'}---\n\n"
            + shown % "events"
        ),
        f"defects/{upper}.md": (
            f"---\nproduct: works\nfound_in: [1.1]\nworkaround: Use no {word}.\n"
            f"cve: [CVE-2026-{ord(word[0])}88]\n"
            f"{front % 'defect'}---\n\n" + shown % "defects"
        ),
        f"help/{low}.md": f"---\n{front % 'page'}---\n\n## {word}\n\n" + shown % "help",
        f"policy/{low}.md": f"---\n{front % 'policy'}---\n\n" + shown % "policy",
        f"{low}.md": f"---\n{front % 'foot'}---\n\n{word}\n",
        f"releases/{low}/index.md": f"---\nname: {word}\nsummary: {word}.\n{more}---\n\n{word}\n",
        f"releases/{low}/1.md": (
            f"---\nversion: 1\nreleased: 2026-12-01\nkind: version\n{more}---\n\n{word}\n"
        ),
        **{
            f"{folder}/{low}.svg": f"{SVG}<title>{word}</title></svg>\n"
            for folder in ("newsletter", "papers", "events", "defects", "help", "policy")
        },
        f"help/{low}-more.txt": f"{word}\n",  # nobody links to it: it lies under a hidden page's name
    }


VISIBLE: Changes = {
    "defects/WK-7.md": "---\ntitle: A fault\nproduct: works\nfound_in: [1.1]\n---\n\n![it](shared.svg)\n",
    "defects/shared.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>\n',
}


@pytest.fixture(scope="module")
def held(small_in: Write, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Content with everything twice under embargo: until an instant, and as a draft."""
    both = items("Quetzal", HELD) | items("Axolotl", "draft: true\n")
    return small_in(tmp_path_factory.mktemp("held") / "content", VISIBLE | both)


def build(content: Path, out: Path, now: datetime) -> Path:
    cache = out.with_name(f"{out.name}-cache")
    binding.build(content, SITE, out, now=now, url="https://support.example", cache=cache, cards=True)
    return out


def words_of(path: Path) -> str:
    data = path.read_bytes()
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    text = data.decode("utf-8", "ignore")
    if data.startswith(b"%PDF"):
        reader = pypdf.PdfReader(io.BytesIO(data))
        text += "".join(page.extract_text() for page in reader.pages) + repr(reader.metadata)
    return text


def telling(root: Path, word: str) -> set[str]:
    """The files below a folder whose name or content holds the word, whatever its case."""
    found = set()
    for path in root.rglob("*"):
        name = str(path.relative_to(root))
        if word.lower() in name.lower() or (path.is_file() and word.lower() in words_of(path).lower()):
            found.add(name)
    return found


def tree(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


@pytest.mark.slow
def test_nothing_of_it_is_there_one_second_before_and_everything_at_its_instant(
    held: Path, tmp_path: Path
) -> None:
    target = publications.Folder(path=tmp_path / "target")
    out = build(held, tmp_path / "dist", BEFORE)
    publish.publish(target, out, now=BEFORE)
    for word in ("Quetzal", "Axolotl", "CVE-2026-"):
        assert telling(out, word) == set()
        assert telling(target.path, word) == set()

    build(held, out, INSTANT)
    publish.publish(target, out, now=INSTANT)
    assert telling(out, "Axolotl") == set() and telling(target.path, "Axolotl") == set()
    told = telling(out, "Quetzal")
    for page in (
        "releases/works/9.quetzal",
        "releases/quetzal",
        "releases/works",
        "newsletter/quetzal",
        "newsletter",
        "papers/quetzal",
        "papers/authors/quetzal-author",
        "papers",
        "events/quetzal",
        "events",
        "defects/QUETZAL-1",
        "defects",
        "defects/security",
        "help/quetzal",
        "help",
        "policy/quetzal",
        "policy",
        "quetzal",
        "old/quetzal/paper",
        "upgrade/works",
        "life-cycle",
    ):
        assert f"public/{page}/index.html" in told, page
    for name in (
        "all",
        "releases",
        "security",
        "newsletter",
        "papers",
        "events",
        "defects",
        "releases/works",
    ):
        assert {f"public/feeds/{name}.{form}" for form in ("atom", "rss", "json")} <= told, name
    assert {
        "public/index.html",
        "public/sitemap.xml",
        "public/data/catalog.json",
        "public/data/eol/v1/products/quetzal.json",
        "public/calendar/events.ics",
        "public/papers/quetzal/paper.pdf",
        "public/papers/quetzal/paper.bib",
        "public/papers/quetzal.svg",
        "public/cards/releases/quetzal.png",
        "public/cards/releases/works/9.quetzal.png",
        "public/cards/newsletter/quetzal.png",
        "public/cards/papers/quetzal.png",
        "public/cards/events/quetzal.png",
        "public/help/quetzal.svg",
        "public/help/quetzal-more.txt",
        "public/feeds/feeds.opml",
    } <= told
    assert any(path.startswith("mails/quetzal/") for path in told)
    assert telling(target.path, "Quetzal")


@pytest.mark.slow
def test_what_is_held_back_changes_no_byte_of_what_is_made(
    small_in: Write, held: Path, tmp_path: Path
) -> None:
    with_it = build(held, tmp_path / "with", BEFORE)
    without = build(small_in(tmp_path / "nothing/content", VISIBLE), tmp_path / "without", BEFORE)
    assert tree(with_it / "public") == tree(without / "public")
    assert tree(with_it / "mails") == tree(without / "mails")
    assert tree(with_it / "pages") == tree(without / "pages")


@pytest.mark.slow
def test_a_build_as_of_an_earlier_day_takes_everything_away_again(held: Path, tmp_path: Path) -> None:
    out = build(held, tmp_path / "dist", INSTANT)
    assert telling(out, "Quetzal")
    assert telling(build(held, out, BEFORE), "Quetzal") == set()


def test_the_next_instant_is_told_until_it_has_come(held: Path) -> None:
    assert binding.due(held, BEFORE) == INSTANT
    assert binding.due(held, INSTANT) is None


# Files beside the content


def files(content: Path, now: datetime) -> set[str]:
    return {file.path for file in binding.check(content, now=now).attached}


def test_a_file_is_held_back_with_the_only_pages_that_show_it(small: Callable[..., Path]) -> None:
    page = "---\ntitle: Soon\n%s---\n\n![a](alone.svg) ![b](/help/both.svg) [c](more/table.csv)\n"
    content = small(
        {
            "help/soon.md": page % HELD,
            "help/now.md": "---\ntitle: Now\n---\n\n![b](both.svg)\n",
            "help/alone.svg": "<svg/>\n",
            "help/both.svg": "<svg/>\n",
            "help/more/table.csv": "a\n",
            "help/nobody.csv": "a\n",
        }
    )
    assert files(content, BEFORE) == {"help/both.svg", "help/nobody.csv"}
    every = {"help/alone.svg", "help/both.svg", "help/more/table.csv", "help/nobody.csv"}
    assert files(content, INSTANT) == every


# What would tell of it


SOON = "---\ntitle: Soon\npublish_at: 2026-12-01T08:00:00-07:00\n---\n"
LATER = "publish_at: 2026-12-02T08:00:00-07:00\n"
TELLING: list[tuple[Changes, list[str]]] = [
    (
        {
            "help/soon.md": SOON,
            "help/now.md": "---\ntitle: Now\n---\n\n[a](/help/soon/?from=here)\n",
        },
        ["help/now.md:5: the link must lead to a page that is published, not '/help/soon/?from=here'"],
    ),
    (
        {
            "help/soon.md": SOON,
            "index.md": "---\ntitle: Support\nvendor: {name: V, url: 'https://v.example/'}\n"
            "tasks:\n  - {title: Soon, text: Come., url: /help/soon/}\n---\n",
        },
        ["index.md:4: 'tasks' must be addresses of pages that are published, not '/help/soon/'"],
    ),
    (
        {
            "releases/maps/index.md": f"---\nname: Maps\n{HELD}---\n",
            "defects/WK-7.md": "---\ntitle: D\nproduct: maps\nfound_in: [1.0]\n---\n",
            "releases/maps/1.0.md": f"---\nversion: 1.0\nreleased: 2026-12-01\nkind: version\n{HELD}---\n",
        },
        [
            "defects/WK-7.md:3: 'product' must be a product that is published, not 'maps'",
            "defects/WK-7.md:4: 'found_in' must be releases that are published, not '1.0'",
        ],
    ),
    (
        {
            "defects/WK-7.md": f"---\ntitle: D\nproduct: works\nfound_in: [1.0]\n{HELD}---\n",
            "defects/WK-8.md": "---\ntitle: D\nproduct: works\nfound_in: [1.0]\nduplicate_of: WK-7\n---\n",
        },
        ["defects/WK-8.md:5: 'duplicate_of' must be a defect that is published, not 'WK-7'"],
    ),
    (
        {
            "help/soon.md": SOON + "\nSee [later](later.md) and [draft](draft.md).\n",
            "help/later.md": f"---\ntitle: Later\n{LATER}---\n\nSee [soon](soon.md).\n",
            "help/draft.md": "---\ntitle: Draft\ndraft: true\n---\n\nSee [soon](soon.md).\n",
        },
        [
            "help/soon.md:6: the link must lead to a page that is published by 2026-12-01 08:00:00-07:00, "
            "not 'draft.md'",
            "help/soon.md:6: the link must lead to a page that is published by 2026-12-01 08:00:00-07:00, "
            "not 'later.md'",
        ],
    ),
]


@pytest.mark.parametrize(("changes", "told"), TELLING)
def test_what_would_tell_of_it_before_its_time_is_refused(
    small: Callable[..., Path], changes: Changes, told: list[str]
) -> None:
    content = small(changes)
    result = CliRunner().invoke(main, ["check", "--content", str(content), "--now", BEFORE.isoformat()])
    assert result.exit_code == 1
    assert [line.removeprefix(f"{content}/") for line in result.stderr.splitlines()[:-1]] == told


def test_items_that_come_out_together_may_name_each_other(small: Callable[..., Path]) -> None:
    content = small(
        {
            "help/soon.md": SOON + "\nSee [too](too.md).\n",
            "help/too.md": SOON + "\nSee [soon](soon.md).\n",
        }
    )
    assert "help/soon.md" not in binding.check(content, now=BEFORE).by_path
    assert {"help/soon.md", "help/too.md"} <= binding.check(content, now=INSTANT).by_path.keys()
