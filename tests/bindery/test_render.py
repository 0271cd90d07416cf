"""Rendering: MkDocs' own objects, page by page; the same bytes however the work is divided."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import jinja2
import pytest

from bindery import render
from bindery.compiled import Compiled

SITE = Path(__file__).resolve().parents[2] / "site"
URL = "https://support.example/"

HEAD = """---
title: "23.10"
description: "What is new"
kind: "release"
section: "Releases"
crumbs: [["Releases", "/releases/"]]
updated: "2025-01-29"
updated_text: "January 29, 2025"
vendor: {"name": "A & B", "phone": "801-555-0142"}
---

"""
BODY = """# Cityworks 23.10

See [15.8.9](/releases/cityworks/15.8.9/) and `code` with <b>raw</b> HTML[^1].

!!! note
    A word of warning.

| a | b |
|---|---|
| 1 | 2 |

## Fixed

- CW-1234: it works

[^1]: A footnote.
"""


def page(number: int, body: str = BODY) -> render.Text:
    name = f"releases/cityworks/{number}"
    return f"{name}.md", f"{name}/", f"{HEAD}{body.replace('23.10', str(number))}"


def one(text: str, url: str = "help/x/", site_url: str = URL) -> str:
    return dict(render.render([("x.md", url, text)], SITE, site_url))[render.public_path(url)].decode()


def test_a_page_is_found_where_its_url_says() -> None:
    assert render.public_path("") == "index.html"
    assert render.public_path("life-cycle/") == "life-cycle/index.html"
    assert render.public_path("support/answers/ticket.html") == "support/answers/ticket.html"


def test_content_is_what_mkdocs_itself_makes_of_it() -> None:
    from mkdocs.structure.files import File, Files
    from mkdocs.structure.pages import Page

    config = render.load(SITE, URL)
    file = File("x.md", None, config.site_dir, True)
    file.content_string = HEAD + BODY
    theirs = Page(None, file, config)
    theirs.read_source(config)
    theirs.render(config, Files([file]))
    assert theirs.content is not None
    assert theirs.content in one(HEAD + BODY)


def test_front_matter_is_read_as_mkdocs_reads_it() -> None:
    from mkdocs.utils.meta import get_data

    odd = HEAD.replace("A & B", 'A: \\"B\\" # ---\u2028\u00a0 \U0001f3e0') + "\n---\n" + BODY
    for text in (HEAD + BODY, odd, "---\n" + 'title: "only"' + "\n---\n"):
        body, fields = get_data(text)
        assert render.front_matter(text) == (fields, body)


@pytest.mark.parametrize("text", ["# No front matter", "---\ntitle: plain YAML\n---\n\nText", "---\n", ""])
def test_front_matter_that_is_not_json_is_left_to_mkdocs(text: str) -> None:
    assert render.front_matter(text) is None


def test_a_reused_converter_gives_the_bytes_of_a_fresh_one() -> None:
    pages = [page(number, BODY + "\n\n## Again\n\n" * (number % 3)) for number in range(6)]
    together = list(render.render(pages, SITE, URL))
    assert together == [next(iter(render.render([made], SITE, URL))) for made in pages]
    assert list(render.render(pages[::-1], SITE, URL)) == together[::-1]


@pytest.mark.slow
@pytest.mark.parametrize("large", [render.LARGE, 0], ids=["forked", "begun anew"])
def test_several_processes_give_the_bytes_of_one(monkeypatch: pytest.MonkeyPatch, large: int) -> None:
    monkeypatch.setattr(render, "LARGE", large)
    pages = [page(number) for number in range(render.MANY + 10)]
    told: list[tuple[int, int]] = []
    several = list(render.render(pages, SITE, URL, jobs=2, progress=lambda *done: told.append(done)))
    assert several == list(render.render(pages, SITE, URL, jobs=1))
    assert told[-1] == (len(pages), len(pages))


def test_processes_run_ahead_only_so_far_and_stop_with_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "AHEAD", most := render.CHUNK)
    asked: list[int] = []

    def pages() -> Iterator[render.Text]:
        for number in range(render.MANY * 5):
            asked.append(number)
            yield page(number, "Text")

    made = render.render(pages(), SITE, URL, jobs=2, total=render.MANY * 5)
    for _ in range(10):
        next(made)
    assert len(asked) <= 10 + 2 * most + 1
    made.close()
    assert len(asked) <= 12 + 2 * most


def test_links_and_assets_are_absolute_paths() -> None:
    html = one(HEAD + BODY)
    targets = re.findall(r'(?:href|src|action)="([^"]*)"', html)
    assert [t for t in targets if not re.match(r"/[^/]|/$|#|tel:|mailto:|https://support\.example/", t)] == []


def test_a_site_below_a_path_has_the_path_in_every_link_once() -> None:
    html = one(HEAD + BODY + '\n<a href="/sub/done/">done</a>\n', site_url="https://support.example/sub/")
    targets = [t for t in re.findall(r'(?:href|src|action)="([^"]*)"', html) if t.startswith("/")]
    assert targets and [t for t in targets if not t.startswith("/sub/")] == []
    assert '<a href="/sub/releases/cityworks/15.8.9/">' in html
    assert '<a href="/sub/done/">' in html


def test_a_page_has_no_inline_script_or_style_and_asks_nobody_else() -> None:
    html = one(HEAD + BODY)
    assert re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", html) == []
    assert "<style" not in html
    assert not re.search(r"\sstyle=|\son[a-z]+=", html)
    assert re.findall(r'(?:src|href)="(?:https?:)?//(?!support\.example)', html) == []


def test_text_of_the_front_matter_is_escaped() -> None:
    html = one('---\ntitle: "<script>x</script>"\ndescription: "\\"&"\n---\n\n# x\n')
    assert "<title>&lt;script&gt;x&lt;/script&gt; · Support Support</title>" in html
    assert '<meta name="description" content="&#34;&amp;">' in html


def test_assets_carry_their_hash_and_pages_name_them() -> None:
    assets = dict(render.static(SITE))
    assert "favicon.svg" in assets
    for name in assets.keys() - {"favicon.svg"}:
        assert re.search(r"\.[0-9a-f]{10}\.(css|js|svg)$", name)
    html = one(HEAD + BODY)
    named = set(re.findall(r'(?:href|src)="/(assets/[^"]+)"', html))
    assert named and named <= assets.keys()


def test_looks_change_with_any_file_of_the_site(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a")
    before = render.looks(tmp_path)
    assert render.looks(tmp_path) == before
    (tmp_path / "a.css").write_text("b")
    after = render.looks(tmp_path)
    (tmp_path / "a.css").rename(tmp_path / "b.css")
    assert len({before, after, render.looks(tmp_path)}) == 3


def test_a_template_cache_changes_no_byte(tmp_path: Path) -> None:
    plain = list(render.render([page(1)], SITE, URL))
    for _ in range(2):
        assert list(render.render([page(1)], SITE, URL, cache_dir=tmp_path)) == plain


class OnceCompiled(jinja2.Environment):
    """Compiles nothing."""

    def compile(self, *_: object, **__: object) -> CodeType:  # type: ignore[override]
        pytest.fail("the template was compiled already")


@pytest.mark.parametrize("later", ["in the same process", "in another"])
def test_a_template_is_compiled_once(tmp_path: Path, later: str) -> None:
    loader = jinja2.DictLoader({"a.html": "text"})
    made = jinja2.Environment(loader=loader, bytecode_cache=Compiled(later, tmp_path))  # noqa: S701
    made.get_template("a.html")
    # Another process has nothing in memory, as a kind that was not met yet.
    kept = Compiled(f"{later}, later", tmp_path) if later == "in another" else Compiled(later)
    assert OnceCompiled(loader=loader, bytecode_cache=kept).get_template("a.html").render() == "text"


def test_templates_that_were_compiled_for_one_address_serve_another(tmp_path: Path) -> None:
    def links(address: str) -> set[str]:
        ((_, html),) = render.render([page(1)], SITE, address, cache_dir=tmp_path)
        return set(re.findall(r'action="([^"]+)"', html.decode()))

    assert links("https://support.example/") == {"/search/"}
    assert links("https://support.example/sub/") == {"/sub/search/"}


def test_a_template_that_changed_is_compiled_again(tmp_path: Path) -> None:
    for text in ("one", "another", "one"):
        loader = jinja2.DictLoader({"a.html": text})
        for _ in range(2):
            environment = jinja2.Environment(loader=loader, bytecode_cache=Compiled("test", tmp_path))  # noqa: S701
            assert environment.get_template("a.html").render() == text


def test_a_fragment_has_no_ids_of_headings() -> None:
    assert render.fragment("## Fixed\n\n- CW-1: *x*\n", SITE) == (
        "<h2>Fixed</h2>\n<ul>\n<li>CW-1: <em>x</em></li>\n</ul>"
    )
    assert render.fragment("x[^1]\n\n[^1]: y", SITE).count('id="fn:1"') == 1
