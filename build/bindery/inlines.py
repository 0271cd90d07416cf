"""A converter of Markdown that asks of a text only what it can hold: the same HTML in less time.

Python-Markdown tries every inline pattern on every piece of text, and most pieces are plain words. Each of
its own patterns begins with a sign of its own; where that sign is not, the pattern cannot match. A pattern
that is not known here is always tried.
"""

from __future__ import annotations

from markdown import Markdown
from markdown.inlinepatterns import LINE_BREAK_RE, Pattern
from markdown.treeprocessors import InlineProcessor
from markdown.util import AtomicString

NEEDED = {  # by the class of a pattern the signs of which it needs one
    "BacktickInlineProcessor": ("`",),
    "EscapeInlineProcessor": ("\\",),
    "FootnoteInlineProcessor": ("[^",),
    "ReferenceInlineProcessor": ("[",),
    "LinkInlineProcessor": ("[",),
    "ImageInlineProcessor": ("![",),
    "ImageReferenceInlineProcessor": ("![",),
    "ShortReferenceInlineProcessor": ("[",),
    "ShortImageReferenceInlineProcessor": ("![",),
    "AutolinkInlineProcessor": ("<",),
    "AutomailInlineProcessor": ("<",),
    "HtmlInlineProcessor": ("<", "&"),
    "DelimiterProcessor": ("*", "_"),
}


def sparing(converter: Markdown) -> Markdown:
    """The same converter, with patterns tried only where they can match."""
    converter.treeprocessors.register(_Sparing(converter), "inline", 20)
    return converter


class _Sparing(InlineProcessor):
    """Python-Markdown's own, but for the choice of patterns. Its methods are private by name, so the version
    of Python-Markdown is locked, and a test holds what this makes against what it makes without."""

    def __init__(self, converter: Markdown) -> None:
        super().__init__(converter)
        self._steps = [(pattern, needed(pattern)) for pattern in converter.inlinePatterns]

    def _InlineProcessor__handleInline(self, data: str, patternIndex: int = 0) -> str:  # noqa: N802, N803
        if isinstance(data, AtomicString):
            return data
        for place in range(patternIndex, len(self._steps)):
            pattern, needed = self._steps[place]
            for sign in needed:
                if sign in data:
                    break
            else:
                if needed:
                    continue
            start, matched = 0, True
            while matched:
                data, matched, start = self._InlineProcessor__applyPattern(  # type: ignore[attr-defined]
                    pattern, data, place, start
                )
        return data


def needed(pattern: Pattern) -> tuple[str, ...]:
    """The signs of which a text must hold one, or the pattern cannot match; none for an unknown pattern."""
    if pattern.pattern == LINE_BREAK_RE:  # of a class that serves any pattern
        return ("  \n",)
    return NEEDED.get(type(pattern).__name__, ())
