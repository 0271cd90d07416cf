"""Papers as PDF: the whole text in its order, tagged, the same bytes everywhere, nothing of the text run."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdf
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bindery import binding, memory, typeset
from bindery.outputs import papers
from bindery.source import Problems

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "site"
TEMPLATE = (SITE / "templates" / "papers" / "paper.typ").read_text("utf-8")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
HEAD = """---
title: Leaks & "valves"
authors:
  - {name: Ann Bee, affiliation: City of Sandy, orcid: 0000-0002-1825-0097}
  - {name: Żaneta Ćwik}
date: 2026-05-12
abstract: Which valve leaks next?
keywords: [valves, leaks]
pdf: true
"""
TEXT = """
## Question

Half of all valves leak[^half], by $r = \\frac{b}{\\ell}$ breaks for \\$5 a mile. See [the list](#list) and
[releases](../releases/works/2.0.md).

### List

Table: Valves that *leak*.

| Kind | Leaks |
|---|---:|
| Gate valves | 12 |
| Ball valves | 3 |

![A red dot](dot.png "Where it leaks.")

1. Close the **valve**.
2. Wait, `then` open it.

$$
\\sum_{i=1}^n b_i
$$

The end.

[^half]: By our own count.
"""


def paper(text: str = TEXT, head: str = HEAD) -> str:
    return f"{head}---\n{text}"


@pytest.fixture
def made(small: Callable[..., Path]) -> Callable[..., bytes]:
    """The PDF of a paper `papers/valves.md` of the small content."""

    def make(text: str = TEXT, head: str = HEAD, **files: str) -> bytes:
        content = small({"papers/valves.md": paper(text, head), **files})
        (content / "papers" / "dot.png").write_bytes(PNG)
        library = binding.check(content, now=NOW)
        (plan,) = papers.plans(
            library,
            site_url="https://support.example/",
            typeset=lambda tree, day: typeset.pdf(tree, TEMPLATE, content, day),
            version="1",
        )
        assert plan.path == "papers/valves/paper.pdf"
        return plan.make()

    return make


def text_of(pdf: bytes) -> str:
    pages = [page.extract_text() for page in pypdf.PdfReader(BytesIO(pdf)).pages]
    return re.sub(r"\s+", " ", " ".join(pages))


def tags(node: Any) -> Iterator[tuple[str, str]]:
    """(name, alternative text) of every element of the structure, in reading order."""
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        for below in node:
            yield from tags(below)
    elif isinstance(node, dict):
        if "/S" in node:
            yield str(node["/S"])[1:], str(node.get("/Alt", ""))
        yield from tags(node.get("/K"))


def test_the_whole_text_stands_in_the_pdf_in_its_order(made: Callable[..., bytes]) -> None:
    assert text_of(made()) == (
        'Leaks & "valves" Ann Bee, City of Sandy (ORCID 0000-0002-1825-0097) Żaneta Ćwik May 12, 2026 '
        "https://support.example/papers/valves/ Abstract. Which valve leaks next? Keywords. valves, leaks "
        "Question Half of all valves leak1, by 𝑟 = 𝑏 ℓ breaks for $5 a mile. See the list and releases. "
        "List Table 1. Valves that leak. Kind Leaks Gate valves 12 Ball valves 3 Figure 1. Where it leaks. "
        "1. Close the valve. 2. Wait, then open it. ∑ 𝑛 𝑖=1 𝑏𝑖 The end. 1By our own count. "
        "Example Systems 1 of 1"
    )


def test_the_pdf_is_tagged(made: Callable[..., bytes]) -> None:
    reader = pypdf.PdfReader(BytesIO(made()))
    root: Any = reader.trailer["/Root"]
    assert dict(root["/MarkInfo"]) == {"/Marked": True, "/Suspects": False}
    assert (root["/Lang"], root["/ViewerPreferences"]["/DisplayDocTitle"]) == ("en-US", True)
    assert dict(reader.metadata or {}) == {
        "/Title": 'Leaks & "valves"',
        "/Author": "Ann Bee, Żaneta Ćwik",
        "/Subject": "Which valve leaks next?",
        "/Keywords": "valves, leaks",
        "/Creator": (reader.metadata or {})["/Creator"],
        "/CreationDate": "D:20260512000000Z",
        "/ModDate": "D:20260512000000Z",
    }
    found = list(tags(root["/StructTreeRoot"]))
    told = [name for name, _ in found if name in ("Title", "H1", "H2", "Table", "TH", "TD", "Note", "Figure")]
    assert told == ["Title", "H1", "Note", "H2", "Table", "TH", "TH", "TD", "TD", "TD", "TD", "Figure"]
    assert [alt for name, alt in found if name == "Figure"] == ["A red dot"]
    assert [alt for name, alt in found if name == "Formula"] == [
        r"r = \frac{b}{\ell}",
        r"\sum_{i=1}^n b_i",
    ]


def test_links_lead_out_of_the_pdf_by_whole_addresses(made: Callable[..., bytes]) -> None:
    page = pypdf.PdfReader(BytesIO(made())).pages[0]
    actions = [note.get_object().get("/A", {}) for note in page["/Annots"]]  # type: ignore[attr-defined]
    assert [action["/URI"] for action in actions if "/URI" in action] == [
        "https://orcid.org/0000-0002-1825-0097",
        "https://support.example/papers/valves/",
        "https://support.example/releases/works/2.0/",
    ]


def test_citations_and_references_are_those_of_the_page(made: Callable[..., bytes]) -> None:
    bib = "@book{pipes, author = {A. Bee}, title = {Pipes #1}, publisher = {Press}, year = 2001}\n"
    head = HEAD + "bibliography: works.bib\n"
    pdf = made("So it is [see @pipes, p. 3].\n", head, **{"papers/works.bib": bib})
    assert text_of(pdf).endswith(
        "So it is [see 1, p. 3]. References [1] A. Bee, Pipes #1, Press, 2001. Example Systems 1 of 1"
    )


def test_what_is_long_stays_on_the_sheet_and_is_copied_whole(made: Callable[..., bytes]) -> None:
    name = "a_name." + "that-goes-on_" * 12 + "w" * 90
    rows = "".join(f"| Row {n} | Some words |\n" for n in range(70))
    pdf = made(f"So `{name}` is.\n\nTable: Long.\n\n| Name | Words |\n|---|---|\n{rows}")
    sheets = pypdf.PdfReader(BytesIO(pdf)).pages
    assert len(sheets) == 3
    assert max(len(word) for sheet in sheets for word in sheet.extract_text().split()) < 84
    text = text_of(pdf)
    assert f"So{name}is." in text.replace(" ", "")
    assert [f"Row {n} " in text for n in range(70)] == [True] * 70
    assert text.count("Name Words") == 3  # the head stands on every sheet


def test_an_embargoed_paper_has_no_pdf_and_a_draft_neither(
    small: Callable[..., Path], tmp_path: Path
) -> None:
    later = HEAD + "publish_at: 2026-11-24T09:00:00-07:00\n"
    content = small(
        {
            "papers/valves.md": paper("Text.\n", later),
            "papers/pipes.md": paper("Text.\n", HEAD + "draft: true\n"),
        }
    )

    def made(now: datetime) -> list[str]:
        binding.build(content, SITE, tmp_path / "dist", now=now, jobs=1, cache=tmp_path / "cache")
        return sorted(path.parent.name for path in (tmp_path / "dist" / "public").rglob("*.pdf"))

    assert made(datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC)) == []
    assert made(datetime(2026, 11, 24, 16, 0, 0, tzinfo=UTC)) == ["valves"]


def test_a_sample_says_so(made: Callable[..., bytes]) -> None:
    text = text_of(made("Text.\n", HEAD + "sample: true\nsample_note: All is invented.\n"))
    assert "Sample. All is invented. Abstract." in text
    assert text.endswith("Example Systems · Sample 1 of 1")


BUILD = (
    "from pathlib import Path; from datetime import datetime, UTC; from bindery import binding; import sys;"
    "binding.build(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]),"
    " now=datetime(2026, 11, 23, 12, tzinfo=UTC), jobs=1, cache=None)"
)


def test_the_same_paper_gives_the_same_bytes_in_every_place(
    small: Callable[..., Path], tmp_path: Path
) -> None:
    content = small({"papers/valves.md": paper()})
    (content / "papers" / "dot.png").write_bytes(PNG)
    elsewhere = tmp_path / "a folder" / "elsewhere"
    elsewhere.parent.mkdir()
    elsewhere.symlink_to(content)
    made = []
    for place, zone, language in ((content, "UTC", "C"), (elsewhere, "Pacific/Auckland", "de_DE.UTF-8")):
        out = tmp_path / f"dist-{zone.partition('/')[0]}"
        settings = {**os.environ, "TZ": zone, "LANG": language, "HOME": str(tmp_path)}
        subprocess.run(
            [sys.executable, "-c", BUILD, str(place), str(SITE), str(out)], check=True, env=settings
        )
        made.append((out / "public/papers/valves/paper.pdf").read_bytes())
    assert made[0] == made[1]


def test_an_edit_makes_that_pdf_again_and_no_other(small: Callable[..., Path], tmp_path: Path) -> None:
    content = small({"papers/valves.md": paper("Old.\n"), "papers/pipes.md": paper("![A dot](dot.png)\n")})
    (content / "papers" / "dot.png").write_bytes(PNG)

    def build() -> list[str]:
        built = binding.build(content, SITE, tmp_path / "dist", now=NOW, jobs=1, cache=tmp_path / "cache")
        return [path for path in built.written if path.endswith(".pdf")]

    both = ["public/papers/pipes/paper.pdf", "public/papers/valves/paper.pdf"]
    assert sorted(build()) == both
    (content / "papers" / "valves.md").write_text(paper("New.\n"))
    assert build() == both[1:]
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
    (content / "papers" / "dot.png").write_text(svg)
    (content / "help" / "start.md").write_text("---\ntitle: Start\n---\n\nOther.\n")
    with pytest.raises(Problems) as caught:
        build()
    assert str(caught.value) == (
        f"{content}/papers/pipes.md:11: the picture must be one that can be read such as a PNG, "
        "JPEG or SVG file, not 'dot.png'"
    )
    (content / "papers" / "dot.png").write_bytes(PNG)
    build()
    (content / "papers" / "valves.md").write_text(paper("New.\n").replace("pdf: true\n", ""))
    build()
    assert not (tmp_path / "dist/public/papers/valves/paper.pdf").exists()


def test_what_only_setting_shows_is_told_of_every_paper_at_once(
    small: Callable[..., Path], tmp_path: Path
) -> None:
    """Of one under embargo too: its day brings no surprise."""
    later = HEAD + "publish_at: 2027-01-01T00:00:00+00:00\n"
    bib = "@book{a, author = {数 Li}, title = {T}, publisher = {P}, year = 2001}\n"
    content = small(
        {
            "papers/letters.md": paper("One.\n\nTwo 数 of 😀.\n"),
            "papers/later.md": paper("Text 数.\n", later),
            "papers/picture.md": paper("![A dot](dot.png)\n"),
            "papers/cites.md": paper("As [@a].\n", HEAD + "bibliography: works.bib\n"),
            "papers/works.bib": bib,
        }
    )
    (content / "papers" / "dot.png").write_bytes(b"no picture")
    letters = (
        "the text must be letters that the fonts of the PDF have such as Latin, Greek or Cyrillic ones, not "
    )
    told = {
        f"{content}/papers/letters.md:13: {letters}'数'",
        f"{content}/papers/letters.md:13: {letters}'😀'",
        f"{content}/papers/picture.md:11: the picture must be one that can be read such as a PNG, JPEG or "
        "SVG file, not 'dot.png'",
        f"{content}/papers/works.bib:1: {letters}'数'",
    }
    for_later = f"{content}/papers/later.md:12: {letters}'数'"
    for _ in range(2):  # what is wrong is not remembered
        with pytest.raises(Problems) as caught:
            binding.check(content, now=NOW, site=SITE, cache=tmp_path / "cache")
        assert set(str(caught.value).splitlines()) == {*told, for_later}
    with pytest.raises(Problems) as caught:
        binding.build(content, SITE, tmp_path / "dist", now=NOW, jobs=1, cache=tmp_path / "cache")
    assert str(caught.value) == for_later
    (content / "papers" / "later.md").unlink()
    with pytest.raises(Problems) as caught:
        binding.build(content, SITE, tmp_path / "dist", now=NOW, jobs=1, cache=tmp_path / "cache")
    assert set(str(caught.value).splitlines()) == told
    assert not (tmp_path / "dist").exists()


def test_what_was_found_sound_is_not_tried_again(tmp_path: Path) -> None:
    tried = []
    for key in ("one", "one", "two"):
        sound = memory.Sound(tmp_path / "cache", tmp_path)
        sound.see(key, lambda key=key: tried.append(key))  # type: ignore[misc]
        sound.save()
    with pytest.raises(ValueError, match="no"):
        sound.see("three", lambda: int("no"))
    sound.save()
    memory.Sound(tmp_path / "cache", tmp_path).see("three", lambda: tried.append("three"))
    assert tried == ["one", "two", "three"]


def test_a_broken_template_is_told_with_its_line(small: Callable[..., Path], tmp_path: Path) -> None:
    content = small({"papers/valves.md": paper("Text.\n")})
    site = tmp_path / "site"
    shutil.copytree(SITE, site)
    template = site / "templates" / "papers" / "paper.typ"
    template.write_text("#set page(width: 9cm)\n#title(\n")
    with pytest.raises(Problems) as caught:
        binding.build(content, site, tmp_path / "dist", now=NOW, jobs=1, cache=None)
    assert str(caught.value) == (
        f"{template}:2: the template must be Typst that sets papers/valves.md: unclosed delimiter"
    )
    template.unlink()
    with pytest.raises(Problems) as caught:
        binding.build(content, site, tmp_path / "dist", now=NOW, jobs=1, cache=None)
    assert str(caught.value) == f"{template}:1: the file must be there, it is part of the looks"


def test_everything_that_a_pdf_cannot_show_is_told_at_once(small: Callable[..., Path]) -> None:
    text = "## A\n\n#### B\n\n<div>x</div>\n\n![](dot.png)\n\n$\\foo$\n"
    content = small({"papers/valves.md": paper(text), "papers/plain.md": paper(text, HEAD[:-10])})
    (content / "papers" / "dot.png").write_bytes(PNG)
    with pytest.raises(Problems) as caught:
        binding.check(content, now=NOW)
    there = f"{content}/papers"
    mathematics = (
        r"the mathematics must be TeX that page and PDF can show such as \frac{a}{b}, "
        r"not '\foo'"
    )
    assert str(caught.value).splitlines() == [
        f"{there}/plain.md:18: {mathematics}",
        f"{there}/valves.md:13: the heading must be one level below the one before it such as '### …', "
        "not '#### B'",
        f"{there}/valves.md:15: the text must be Markdown such as *word*, not HTML such as '<div>x</div>'",
        f"{there}/valves.md:17: the picture must have words for those who do not see it such as "
        "![A map of all mains](dot.png), not ![](dot.png)",
        f"{there}/valves.md:19: {mathematics}",
    ]


SIGNS = r"""#$*_@<>\/"'`~[](){}!%&|+-=.:;^?"""


def set_text(text: str) -> str:
    """The text of a PDF that holds that text as a paragraph, as code, as a caption and in a cell."""
    tree = {
        "title": text,
        "authors": [{"name": text, "affiliation": text, "orcid": ""}],
        "date": [2026, 5, 12],
        "event": text,
        "abstract": text,
        "keywords": [text],
        "vendor": "V",
        "url": "https://x.example/",
        "sample": text,
        "blocks": [
            ["par", [text, ["em", [text]], ["code", text], ["math", text, False, ["text", text]]]],
            ["listing", text],
            ["heading", 1, text, [text]],
            ["table", [""], [[text]], [[[text]]], [text], 1],
        ],
        "references": [{"id": f"ref-{text}", "parts": [text]}],
    }
    return text_of(typeset.pdf(tree, TEMPLATE, ROOT / "site", date(2026, 5, 12)))


@given(st.text(alphabet=SIGNS + "aZ1", min_size=1, max_size=12))
@example('#read("/mkdocs.yml")')
@example("#{1+1}$x$<l>@l")
@example('"+sys.inputs.paper+"')
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_is_run(text: str) -> None:
    """In each of its places it comes out as it went in."""
    shown = set_text(text).replace(" ", "")
    assert shown.count(text.replace(" ", "")) >= 14
