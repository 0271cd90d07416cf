"""Laws of papers: page and PDF say the same words, and what the checks let through can be set."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from html import unescape
from pathlib import Path
from typing import Any

import markdown
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bindery import manuscript, prose, source, typeset

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = (ROOT / "site" / "templates" / "papers" / "paper.typ").read_text("utf-8")
PICTURE = "/papers/breaks-per-mile.svg"
SAMPLES = sorted(path for path in (ROOT / "content" / "papers").glob("*.md") if path.name != "index.md")

PIECES = (
    "word", "*em*", "**strong**", "`code`", "$x_1$", "$$y^2$$", r"$\frac{a}{b}$", "[^1]", "[l](#a)",
    "&copy;", "[o](https://a.example/)", "<https://b.example>", "\n", "\n\n", "\n\n    ", "## A", "### B",
    "- item", "1. item", "3. item", "> quote", "| a | b |\n|---|--:|\n| $c$ | d |", "![alt](a.svg)",
    "Table: caption", '![alt](a.svg "caption"){#f}', '![alt](a.svg "caption")', "[f](#f)",
    "term\n: meaning", "!!! note", "  \n", '!!! note "Title"\n    in', "```\ncode $x$\n```", "[^1]: note",
    "[^1]: $z$\n\n    more", "---", r"\$", r"\*", "{: #x }", "    indented", "`a\n$b$ c`", "[r][r]",
    "[r]: https://r.example", "H\n---", "<!-- c -->", "$5", "|",
)  # fmt: skip
DOCUMENTS = st.lists(
    st.tuples(st.sampled_from(PIECES), st.sampled_from((" ", "\n", "\n\n", "\n\n", ""))),
    min_size=1,
    max_size=10,
).map(lambda some: "".join(piece + space for piece, space in some))


@lru_cache(maxsize=1)
def reader() -> markdown.Markdown:
    return markdown.Markdown(extensions=list(manuscript.EXTENSIONS))


def on_the_page(text: str) -> list[str]:
    """The words of the page's article, without formulas and footnotes, which stand elsewhere in print."""
    html = reader().reset().convert(manuscript.for_page(text))
    for aside in (
        r'<span class="math.*?</math></span>',
        r'<sup id="fnref.*?</sup>',
        r'<div class="footnote">.*\Z',
        r"<!--.*?-->",
    ):
        html = re.sub(aside, "", html, flags=re.DOTALL)
    html = re.sub(r"</?(?:p|li|t[dh]|h\d|d[dt]|pre|div|fig\w*|hr|br|blockquote)\b[^>]*>", " ", html)
    return unescape(re.sub(r"<[^>]+>", "", html)).split()


def in_print(node: Any) -> str:
    """The words of a node, formulas and footnotes left out."""
    if isinstance(node, str):
        return node
    name, *rest = node

    def together(nodes: Any) -> str:
        return "".join(map(in_print, nodes))

    def apart(nodes: Any) -> str:
        return " ".join(map(in_print, nodes))

    match name:
        case "par" | "em" | "strong":
            return together(rest[0])
        case "code" | "listing":
            return str(rest[0])
        case "link" | "inner":
            return together(rest[1])
        case "heading":
            return together(rest[2])
        case "list" | "enum":
            return " ".join(map(apart, rest[2]))
        case "terms":
            return " ".join(f"{together(term)} {apart(said)}" for term, said in rest[0])
        case "quote":
            return apart(rest[0])
        case "remark":
            return f"{together(rest[0])} {apart(rest[1])}"
        case "figure":
            return f"Figure {rest[3]}. {rest[2]}" if rest[3] else ""
        case "table":
            caption = f"Table {rest[4]}. {together(rest[3])}" if rest[4] else ""
            return " ".join([caption, *(together(cell) for row in (rest[1], *rest[2]) for cell in row)])
        case "math" | "note" | "note-again" | "rule":
            return ""
        case "break":
            return " "
    raise AssertionError(f"print does not know {name}")


def words_of(made: manuscript.Manuscript) -> list[str]:
    return " ".join(map(in_print, made.blocks)).split()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_page_and_pdf_of_a_sample_say_the_same_words(path: Path) -> None:
    text = source.split(path.read_text("utf-8"), path.name)[2]
    assert words_of(manuscript.read(text)) == on_the_page(text)


@given(DOCUMENTS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_page_and_pdf_say_the_same_words_and_what_is_let_through_can_be_set(text: str) -> None:
    assume(not manuscript.read(text).trouble and not manuscript.text_problems(text, 1, "papers/x.md"))
    assume(not prose.crossed(prose.without_code(text), text, 1))
    made = manuscript.read(text, picture=lambda _: PICTURE)
    assert words_of(made) == on_the_page(text)
    tree = {
        "title": "T", "authors": [], "date": [2026, 1, 1], "event": "", "abstract": "", "keywords": [],
        "vendor": "V", "url": "https://x.example/", "sample": None, "blocks": made.blocks, "references": [],
    }  # fmt: skip
    assert typeset.pdf(tree, TEMPLATE, ROOT / "content", date(2026, 1, 1)).startswith(b"%PDF-")
