"""Patterns are tried only where they can match, and the HTML is what Python-Markdown makes by itself."""

from __future__ import annotations

from pathlib import Path

import markdown
from hypothesis import given
from hypothesis import strategies as st
from markdown.inlinepatterns import InlineProcessor

from bindery import inlines, render

SITE = Path(__file__).resolve().parents[2] / "site"
CONFIG = render.load(SITE, "https://support.example/")
MARKS = (
    *"`\\[]()!<>&*_^:{}#|\n \"'=",
    "  \n",
    "\n\n",
    "- ",
    "1. ",
    "[^1]",
    "[^1]: ",
    "[a]: /b ",
    "![a](/b)",
    '[a](/b "c")',
    "[a][]",
    "<https://a.example>",
    "<a@b.example>",
    "<b>",
    "</b>",
    "<!-- a -->",
    "&amp;",
    "&#38;",
    "{: #a .b }",
    "**",
    "***",
    "``",
    "!!! note\n    ",
    "word",
    "ö",
)


def plain() -> markdown.Markdown:
    return markdown.Markdown(
        extensions=CONFIG["markdown_extensions"], extension_configs=CONFIG["mdx_configs"] or {}
    )


OURS, THEIRS = render.converter(CONFIG), plain()


def test_every_pattern_of_the_site_is_known() -> None:
    unknown = [type(one).__name__ for one in OURS.inlinePatterns if not inlines.needed(one)]
    assert unknown == []


@given(st.lists(st.sampled_from(MARKS), max_size=40).map("".join))
def test_a_text_of_marks_is_converted_as_without(text: str) -> None:
    assert OURS.reset().convert(text) == THEIRS.reset().convert(text)


def test_what_staff_wrote_is_converted_as_without() -> None:
    for path in sorted((SITE.parent / "content").rglob("*.md")):
        text = path.read_text("utf-8")
        assert OURS.reset().convert(text) == THEIRS.reset().convert(text), path


def test_a_pattern_that_is_not_known_is_tried_on_every_text() -> None:
    class Loud(InlineProcessor):
        def handleMatch(self, m, data):  # type: ignore[no-untyped-def, override]  # noqa: N802
            return m[0].upper(), m.start(), m.end()

    converter = markdown.Markdown()
    converter.inlinePatterns.register(Loud("loud"), "loud", 5)
    assert inlines.sparing(converter).convert("a loud word") == "<p>a LOUD word</p>"
