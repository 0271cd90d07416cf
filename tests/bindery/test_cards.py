"""Cards: the picture that a link to a page shows, drawn offline, again only when what it says has changed."""

from __future__ import annotations

import io
import json
import re
import shutil
import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pypdf
import pytest
import typst

from bindery import binding
from bindery.binding import Built
from bindery.source import Problems

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "site"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
URL = "https://support.example.org/"
MOST = 40_960  # octets
PAPER = (
    "---\ntitle: Pipes\ndate: 2025-10-07\nabstract: On pipes.\nauthors: [{name: Pat Reader}]\n---\n\nText.\n"
)
Write = Callable[..., Path]


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Built]:
    def run(content: Path, out: str = "dist", **options: object) -> Built:
        settings: dict[str, object] = {
            "now": NOW,
            "url": URL,
            "jobs": 1,
            "cache": tmp_path / "cache",
            "cards": True,
            **options,
        }
        site = settings.pop("site", SITE)
        return binding.build(content, site, tmp_path / out, **settings)  # type: ignore[arg-type]

    return run


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def drawn(built: Built) -> set[str]:
    return {path.removeprefix("public/") for path in built.written if path.startswith("public/cards/")}


class Told(HTMLParser):
    """What a page's head says by `property` or `name`, each as a list of what was said."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.said: dict[str, list[str]] = {}
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        name = told.get("property") or told.get("name")
        if tag == "meta" and name:
            self.said.setdefault(name, []).append(told.get("content") or "")

    def picture(self) -> str:
        """The path of the card below public."""
        [address] = self.said["og:image"]
        assert address.startswith(f"{URL}cards/"), address
        return address.removeprefix(URL).split("?")[0]


def told(public: Path, url: str) -> Told:
    return Told(public / url / "index.html")


def text_of(title: str, **more: object) -> str:
    """What the template draws, as text: the same template set as a PDF."""
    data = {
        "vendor": "V",
        "site": "S",
        "kind": "K",
        "title": title,
        "facts": [],
        "sample": False,
        "whole": True,
        **more,
    }
    fonts = typst.Fonts(include_system_fonts=False)
    press = typst.Compiler(font_paths=fonts, ignore_system_fonts=True, root=SITE)
    template = (SITE / "templates/cards/card.typ").read_bytes()
    made = press.compile(template, format="pdf", sys_inputs={"data": json.dumps(data)})
    assert isinstance(made, bytes)
    return " ".join(pypdf.PdfReader(io.BytesIO(made)).pages[0].extract_text().split())


@pytest.fixture(scope="module")
def made(small_in: Write, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cards")
    content = small_in(
        folder / "content",
        {
            "papers/pipes.md": PAPER,
            "events/days.md": "---\ntitle: Days\nstart: 2027-05-04\nend: 2027-05-07\nplace: Sandy, Utah\n"
            "sample: true\n---\n",
            "releases/works/1.2.md": "---\nversion: 1.2\nreleased: 2024-05-02\nkind: update\nof: 1.0\n"
            "security: [CVE-2024-1234]\n---\n",
        },
    )
    binding.build(content, SITE, folder / "dist", now=NOW, url=URL, jobs=1, cache=None, cards=True)
    return folder / "dist/public"


def test_every_page_names_one_picture_that_is_there_with_its_size_and_what_it_shows(made: Path) -> None:
    pages = [page for page in made.rglob("*.html") if "http-equiv" not in page.read_text()]
    assert len(pages) > 40
    used = set()
    for page in pages:
        one = Told(page)
        path = one.picture()
        used.add(path)
        head = (made / path).read_bytes()[:24]
        assert head[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">2I", head[16:]) == (1200, 630), page
        assert 4_000 < (made / path).stat().st_size <= MOST, path
        assert one.said["og:image:type"] == ["image/png"]
        assert (one.said["og:image:width"], one.said["og:image:height"]) == (["1200"], ["630"])
        assert one.said["twitter:card"] == ["summary_large_image"]
        [alt] = one.said["og:image:alt"]
        assert alt.startswith("Example Systems Support. ") and len(alt) > 30
    assert used == {f"cards/{path}" for path in tree(made / "cards")}


@pytest.mark.parametrize(
    ("url", "picture", "alt"),
    [
        ("", "home", "Example Systems Support. Support. support.example.org."),
        ("releases/works/2.0/", "releases/works/2.0", "Example Systems Support. Release: Works 2.0. "
         "Released February 28, 2025."),
        ("releases/works/1.1/", "releases/works", "Example Systems Support. Releases: Works. "
         "support.example.org."),
        ("releases/works/1.2/", "releases/works/1.2", "Example Systems Support. Release: Works 1.2. "
         "Released May 2, 2024. Fixes CVE-2024-1234."),
        ("releases/works/", "releases/works", "Example Systems Support. Releases: Works. "
         "support.example.org."),
        ("newsletter/spring/", "newsletter/spring", "Example Systems Support. Newsletter: Spring. "
         "March 1, 2025."),
        ("papers/pipes/", "papers/pipes", "Example Systems Support. Paper: Pipes. Pat Reader. "
         "October 7, 2025."),
        ("events/days/", "events/days", "Example Systems Support. Event: Days. Sample. Sandy, Utah. "
         "May 4 to May 7, 2027."),
        ("policy/support/", "policy/support", "Example Systems Support. Policy: Support policy. "
         "support.example.org."),
        ("help/start/", "sections/help", "Example Systems Support. Help. support.example.org."),
        ("upgrade/works/1.0/", "sections/releases", "Example Systems Support. Releases. "
         "support.example.org."),
        ("search/", "site", "Example Systems Support. Support. support.example.org."),
    ],
)  # fmt: skip
def test_what_is_posted_has_a_card_of_its_own_and_the_rest_that_of_its_product_section_or_site(
    made: Path, url: str, picture: str, alt: str
) -> None:
    page = told(made, url)
    assert page.picture() == f"cards/{picture}.png"
    assert page.said["og:image:alt"] == [alt]


def test_no_page_loads_a_card(made: Path) -> None:
    for page in made.rglob("*.html"):
        assert not re.search(r'(?:src|href)="[^"]*cards/', page.read_text()), page


@pytest.mark.slow
def test_a_new_title_draws_that_card_again_and_no_other_and_its_address_stays(
    small: Write, build: Callable[..., Built], tmp_path: Path
) -> None:
    content = small()
    public = tmp_path / "dist/public"
    assert len(drawn(build(content))) == 16
    [before] = told(public, "newsletter/spring/").said["og:image"]
    issue = content / "newsletter/spring.md"
    issue.write_text(issue.read_text().replace("title: Spring", "title: Early spring"))

    assert drawn(build(content)) == {"cards/newsletter/spring.png"}
    [after] = told(public, "newsletter/spring/").said["og:image"]
    assert before.split("?")[0] == after.split("?")[0] and before != after

    issue.write_text(issue.read_text() + "\nAnother sentence.\n")
    built = build(content)
    assert "newsletter/spring/" in built.rendered and drawn(built) == set()
    build(content, "clean", cache=None)
    assert tree(tmp_path / "dist") == tree(tmp_path / "clean")


@pytest.mark.slow
def test_what_a_products_card_says_reaches_its_updates_and_the_home_pages_title_no_other_page(
    small: Write, build: Callable[..., Built], tmp_path: Path
) -> None:
    content = small()
    build(content)
    (content / "releases/works/index.md").write_text("---\nname: Workshop\nsummary: A product.\n---\n")
    home = content / "index.md"
    home.write_text(home.read_text().replace("title: Support", "title: Our support"))

    built = build(content)

    assert drawn(built) == {
        "cards/home.png",
        "cards/releases/works.png",
        "cards/releases/works/1.0.png",
        "cards/releases/works/2.0.png",
    }
    assert "help/start/" not in built.rendered

    with (content / "releases/works/index.md").open("r+") as product:
        product.write("---\nsample: true\nname: Workshop\nsummary: A product.\n---\n")
    built = build(content)
    assert drawn(built) == {"cards/releases/works.png"} and "releases/works/1.1/" in built.rendered
    build(content, "clean", cache=None)
    assert tree(tmp_path / "dist") == tree(tmp_path / "clean")


def test_a_card_goes_with_its_page(small: Write, build: Callable[..., Built], tmp_path: Path) -> None:
    content = small()
    build(content)
    (content / "newsletter/spring.md").unlink()

    built = build(content)

    assert "public/cards/newsletter/spring.png" in built.removed
    assert not (tmp_path / "dist/public/cards/newsletter").exists()


@pytest.mark.slow
def test_without_cards_no_page_speaks_of_a_picture_and_none_is_there(
    small: Write, build: Callable[..., Built], tmp_path: Path
) -> None:
    content = small()
    build(content)
    public = tmp_path / "dist/public"

    build(content, cards=False)

    assert not (public / "cards").exists()
    for page in public.rglob("*.html"):
        assert "og:image" not in page.read_text() and "summary_large_image" not in page.read_text()
    build(content, "clean", cache=None, cards=False)
    assert tree(tmp_path / "dist") == tree(tmp_path / "clean")
    assert len(drawn(build(content))) == 16


@pytest.mark.slow
def test_cards_are_the_same_bytes_in_any_time_zone_and_by_any_number_of_hands(
    small: Write, build: Callable[..., Built], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = small()
    made = []
    for zone, jobs in (("Pacific/Kiritimati", 1), ("America/Adak", 2), ("UTC", 2)):
        with monkeypatch.context() as world:
            world.setenv("TZ", zone)
            time.tzset()
            build(content, zone, cache=None, jobs=jobs)
        made.append(tree(tmp_path / zone / "public"))
    time.tzset()
    assert made[0] == made[1] == made[2]
    assert sum(path.startswith("cards/") for path in made[0]) == 16


def test_titles_of_any_length_and_script_are_drawn_or_give_way(
    small: Write, build: Callable[..., Built], tmp_path: Path
) -> None:
    titles = {
        "endless": "A title that goes on " * 15,
        "one-word": "W" * 300,
        "party": "Party",
        "emoji": "Party \U0001f389\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "arabic": "مرحبا بالعالم",
        "arabic-2": "أخبار الربيع",
        "chinese": "新版本发布",
        "japanese": "春のお知らせ",
        "mixed": "Spring 春",
        "turned": "Spring\u202e gnirpS",
        "not-turned": "Spring gnirpS",
    }
    issue = "---\ntitle: {}\ndate: 2025-03-01\n---\n\nText.\n"
    quoted = {name: json.dumps(title, ensure_ascii=False) for name, title in titles.items()}
    build(small({f"newsletter/{name}.md": issue.format(title) for name, title in quoted.items()}))
    public = tmp_path / "dist/public"
    cards = {name: (public / f"cards/newsletter/{name}.png").read_bytes() for name in titles}
    assert all(4_000 < len(card) <= MOST for card in cards.values())
    assert cards["emoji"] == cards["party"]
    assert cards["chinese"] == cards["japanese"], "too little is left of either: the kind stands there"
    assert cards["turned"] == cards["not-turned"]
    assert len({cards[name] for name in ("party", "arabic", "arabic-2", "chinese", "mixed", "turned")}) == 6
    [alt] = told(public, "newsletter/chinese/").said["og:image:alt"]
    assert "新版本发布" in alt


def test_a_title_too_long_is_cut_after_a_word(small: Write) -> None:
    words = [f"word{number}" for number in range(60)]
    shown = text_of(" ".join(words))
    kept = re.fullmatch(r"V S K (.*)…", shown)
    assert kept, shown
    assert 10 < len(kept[1].split()) < 40 and kept[1].split() == words[: len(kept[1].split())]


def test_what_an_author_wrote_is_drawn_and_never_run() -> None:
    title = '#panic("x") \\ *bold* $x^2$ `raw` <label> @ref _under_ // no [a] "q" = #sys.inputs'
    assert text_of(title).replace(" ", "") == f"VSK{title}".replace(" ", "")
    assert text_of("T", facts=['#eval("1+1")']) == 'V S K T #eval("1+1")'


def test_a_template_that_cannot_be_set_is_told_with_its_line_and_nothing_is_written(
    small: Write, build: Callable[..., Built], tmp_path: Path
) -> None:
    site = shutil.copytree(SITE, tmp_path / "site")
    template = site / "templates/cards/card.typ"
    template.write_text("#let card = 1\n#nobody\n")

    with pytest.raises(Problems) as caught:
        build(small(), site=site)

    [problem] = caught.value.problems
    assert (problem.path, problem.line) == (str(template), 2)
    assert problem.message == (
        "the template must be Typst that draws a picture of one page: unknown variable: nobody"
    )
    assert not (tmp_path / "dist").exists()


@pytest.mark.slow
def test_a_new_template_draws_every_card_again_under_a_new_version(
    small: Write, build: Callable[..., Built], tmp_path: Path
) -> None:
    site = shutil.copytree(SITE, tmp_path / "site")
    content = small()
    build(content, site=site)
    before = {url: told(tmp_path / "dist/public", url).said["og:image"] for url in ("help/start/", "")}
    template = site / "templates/cards/card.typ"
    template.write_text(template.read_text().replace("#0d4a52", "#4a0d52"))

    assert len(drawn(build(content, site=site))) == 16

    after = {url: told(tmp_path / "dist/public", url).said["og:image"] for url in ("help/start/", "")}
    assert all(before[url] != after[url] for url in before)
    build(content, "clean", cache=None, site=site)
    assert tree(tmp_path / "dist") == tree(tmp_path / "clean")


def test_the_colours_of_cards_are_those_of_the_pages() -> None:
    style = (SITE / "assets/css/site.css").read_text()
    for template in ("card", "icon"):
        used = set(re.findall(r"#[0-9a-f]{6}", (SITE / f"templates/cards/{template}.typ").read_text()))
        assert used and all(f": {colour};" in style for colour in used), template


def test_icons_are_there_for_what_cannot_draw_svg(made: Path) -> None:
    phone = (made / "apple-touch-icon.png").read_bytes()
    assert struct.unpack(">2I", phone[16:24]) == (180, 180)
    icon = (made / "favicon.ico").read_bytes()
    reserved, sort, count, width, height = struct.unpack("<3H2B", icon[:8])
    size, start = struct.unpack("<2I", icon[14:22])
    assert (reserved, sort, count, width, height) == (0, 1, 1, 32, 32)
    assert icon[start : start + 8] == b"\x89PNG\r\n\x1a\n" and start + size == len(icon)
    assert struct.unpack(">2I", icon[start + 16 : start + 24]) == (32, 32)
    assert (made / "favicon.svg").read_bytes() == (SITE / "assets/img/favicon.svg").read_bytes()
    for page in made.rglob("*.html"):
        text = page.read_text()
        if "http-equiv" not in text:
            assert '<link rel="icon" href="/favicon.ico" sizes="32x32">' in text, page
            assert '<link rel="apple-touch-icon" href="/apple-touch-icon.png">' in text, page
            assert text.index("favicon.ico") < text.index('type="image/svg+xml"'), (
                "the last that fits is taken"
            )
