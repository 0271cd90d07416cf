"""A paper's Markdown, as its page needs it and as its PDF does.

One reader, Python-Markdown, reads the text for both, so the two cannot differ; what print cannot show is
refused, with its line. This module must not know any kind of content.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from bindery import formulas, mathematics
from bindery.composition import CAPTION, CLOSE, OPEN, Walk, shortened, tree
from bindery.formulas import Node
from bindery.mathematics import Unfit
from bindery.prose import without_code
from bindery.source import Problem

if TYPE_CHECKING:
    import markdown

EXTENSIONS = (  # those of the page (site/mkdocs.yml and what MkDocs adds): a test holds them equal
    "admonition",
    "attr_list",
    "def_list",
    "fenced_code",
    "footnotes",
    "sane_lists",
    "tables",
    "toc",
)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_FIGURE = re.compile(
    r"""(?:\A|\n[ \t]*\n)
        (?P<all>!\[(?P<alt>[^\]\n]*)\]\((?P<src>[^)\s]+)[ ]+(?P<q>["'])(?P<caption>[^"'\n]+)(?P=q)\)
        (?:\{:?[ ]*\#(?P<id>[\w.:-]+)[ ]*\})?)[ \t]*(?=\n[ \t]*\n|\s*\Z)""",
    re.VERBOSE,
)
_TABLE = re.compile(
    r"(?:\A|\n[ \t]*\n)(?P<all>Table:[ ]+(?P<caption>[^\n]*\S))[ \t]*(?=\n(?:[ \t]*\n)+ {0,3}\|)"
)
_BEFORE_TEXT = re.compile(r"-->(?=[ \t]*\S)")  # Python-Markdown takes what follows for a part of the comment
_NOTE = re.compile(r"(?<![\\\]])\[\^([^\]\n]+)\](:(?=[ \t\n]))?")


@dataclass(frozen=True, kw_only=True)
class Manuscript:
    """Blocks for print, the pictures that they show (as `picture` named them), and what cannot be shown."""

    blocks: list[Node]
    pictures: tuple[str, ...]
    trouble: tuple[str, ...]


# On the page


def for_page(text: str) -> str:
    """The paper's Markdown with mathematics as MathML and captions where a reader looks for them."""
    if "$" in text:
        text = "".join(_with_formulas(text, lambda tex, display: _page_formula(tex, display)))
    return _captioned(text)


def _captioned(text: str) -> str:
    parts, place = [], 0
    numbers = {"Figure": 0, "Table": 0}
    for kind, match in _captions(text):
        numbers[kind] += 1
        label = f"{kind} {numbers[kind]}. "
        start, end = match.span("all")
        parts += [text[place:start], _figure(match, label) if kind == "Figure" else _heading(match, label)]
        place = end
    return "".join([*parts, text[place:]])


def _captions(text: str) -> list[tuple[str, re.Match[str]]]:
    """Captioned pictures and captions of tables, in order; none of those in code."""
    if "![" not in text and CAPTION not in text:
        return []
    plain = without_code(text)
    found = [("Figure", match) for match in _FIGURE.finditer(text)]
    found += [("Table", match) for match in _TABLE.finditer(text)]
    return sorted(
        (one for one in found if plain[one[1].start("all")] != " "), key=lambda one: one[1].start("all")
    )


def _figure(match: re.Match[str], label: str) -> str:
    given = f' id="{match["id"]}"' if match["id"] else ""
    alt, caption = _quoted(match["alt"]), _quoted(match["caption"])
    return (
        f'<figure{given}><img src="{match["src"]}" alt="{alt}">'
        f"<figcaption>{label}{caption}</figcaption></figure>"
    )


def _heading(match: re.Match[str], label: str) -> str:
    return f"{label}{match['caption']}\n{{: .caption }}"


def _page_formula(tex: str, display: bool) -> str:
    return mathematics.as_html(mathematics.mathml(tex, display))


def _with_formulas(text: str, shown: Callable[[str, bool], str]) -> Iterator[str]:
    place = 0
    for formula in mathematics.formulas(without_code(text), text):
        yield text[place : formula.start]
        yield "$" if formula.tex is None else shown(formula.tex, formula.display)
        place = formula.end
    yield text[place:]


def _quoted(text: str) -> str:
    return re.sub(r"[^\w ,.;()%-]", lambda match: f"&#{ord(match[0])};", text)


# For print


def read(
    text: str,
    *,
    link: Callable[[str], str] = str,
    picture: Callable[[str], str] = str,
    anchors: Iterable[str] = (),
) -> Manuscript:
    """The tree of a paper's Markdown.

    `link` and `picture` say what a target becomes in the PDF; `anchors` are the places that it has beside
    those of the text.
    """
    kept: list[Node] = []

    def aside(tex: str, display: bool) -> str:
        try:
            node = formulas.as_print(mathematics.mathml(tex, display))
        except Unfit:
            node = ["row"]  # told of by `problems`, with its line
        kept.append(["math", tex, display, node])
        return f"{OPEN}{len(kept) - 1}{CLOSE}"

    trouble: list[str] = []
    if OPEN in text or CLOSE in text:
        trouble.append("the text must be letters and signs that have a name, not U+E000 or U+E001")
        text = text.replace(OPEN, "").replace(CLOSE, "")
    converter = _converter()
    converter.reset()
    stash = converter.htmlStash
    html = converter.convert("".join(_with_formulas(text, aside)))
    raw = [
        f"the text must be Markdown such as *word*, not HTML such as '{shortened(raw.partition(chr(10))[0])}'"
        for raw in stash.rawHtmlBlocks
        if isinstance(raw, str) and not raw.startswith(("<pre><code", "&", "<!--", "</"))
    ]
    trouble += raw
    walk = Walk(kept, link, picture, [] if raw else trouble, set(anchors))
    blocks = walk.document(tree(html))
    if raw:  # what the walk meets of it is told already
        trouble += [message for message in walk.trouble if "HTML" not in message]
    numbered = [kind for kind, _ in _captions(text)]
    if walk.figures != numbered.count("Figure"):
        trouble.append(
            "the caption must stand beside the file, outside lists and quotes, "
            'such as ![A map](map.png "All mains")'
        )
    if walk.tables != numbered.count("Table"):
        trouble.append(
            "the caption must be a line before the table, outside lists and quotes, such as 'Table: Mains'"
        )
    return Manuscript(blocks=blocks, pictures=tuple(walk.pictures), trouble=tuple(trouble))


@lru_cache(maxsize=1)
def _converter() -> markdown.Markdown:
    import markdown

    return markdown.Markdown(extensions=list(EXTENSIONS))


# What must be mended


def text_problems(body: str, first_line: int, path: str) -> list[Problem]:
    """What neither page nor print can show, each with its line: formulas, and code that does not end."""
    problems = []
    for formula in mathematics.formulas(without_code(body), body):
        if formula.tex is None:
            continue
        try:
            mathematics.mathml(formula.tex, formula.display)
        except Unfit as error:
            problems.append(
                Problem(
                    path=path,
                    line=first_line + body.count("\n", 0, formula.start),
                    message=r"the mathematics must be TeX that page and PDF can show such as \frac{a}{b}, "
                    f"not '{shortened(str(error))}'",
                )
            )
    for match in _BEFORE_TEXT.finditer(body):
        line = first_line + body.count("\n", 0, match.start())
        message = "the comment must stand on a line of its own, not before text"
        problems.append(Problem(path=path, line=line, message=message))
    lines = body.split("\n")
    line, fence = _open_fence(lines, len(lines))
    if fence:
        message = f"the code must end with a line such as '{fence}', it does not end"
        problems.append(Problem(path=path, line=first_line + line, message=message))
    return problems


def problems(body: str, first_line: int, path: str) -> list[Problem]:
    """Everything in a paper's Markdown that its PDF cannot show, each with its line."""
    lines = body.split("\n")
    counted: dict[int, dict[str, int]] = {}

    def counts(size: int) -> dict[str, int]:
        """How often each message comes of the first lines alone."""
        if size not in counted:
            counted[size] = {}
            for message in read(_beginning(lines, size)).trouble:
                counted[size][message] = counted[size].get(message, 0) + 1
        return counted[size]

    found = _notes(body, first_line, path)
    for message, times in counts(len(lines)).items():
        for nth in range(1, times + 1):
            low, high = 1, len(lines)
            while low < high:  # the shortest beginning of the text that has it ends in its line
                middle = (low + high) // 2
                if counts(middle).get(message, 0) >= nth:
                    high = middle
                else:
                    low = middle + 1
            found.append(Problem(path=path, line=first_line + low - 1, message=message))
    return found


def _notes(body: str, first_line: int, path: str) -> list[Problem]:
    """Marks of footnotes that have no text."""
    plain = without_code(body)
    marks = [(match[1], bool(match[2]), match.start()) for match in _NOTE.finditer(plain)]
    told = {name for name, is_text, _ in marks if is_text}
    return [
        Problem(
            path=path,
            line=first_line + body.count("\n", 0, start),
            message=f"the footnote must have a text of its own such as '[^{name}]: …', it has none",
        )
        for name, is_text, start in marks
        if not is_text and name not in told
    ]


def _beginning(lines: Sequence[str], size: int) -> str:
    """The first lines; a fence that is open there, and closed later, is closed."""
    _, fence = _open_fence(lines, size)
    return "\n".join([*lines[:size], fence] if fence and size < len(lines) else lines[:size])


def _open_fence(lines: Sequence[str], size: int) -> tuple[int, str]:
    """The fence that no line of the first ones closes, and where it stands; "" when there is none."""
    at, fence = 0, ""
    for number, line in enumerate(lines[:size]):
        match = _FENCE.match(line)
        if match and not fence:
            at, fence = number, match[1]
        elif match and match[1].startswith(fence) and not line.strip(" `~"):
            fence = ""
    return at, fence
