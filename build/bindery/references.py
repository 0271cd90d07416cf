"""References: what a paper cites, where in its text it does, and the numbers that this gives.

Citations are written as pandoc reads them: `[@vanier2004]`, `[see @a, p. 3; @b]`, `[-@a]`, and `@a` as a word
of the sentence. Numbers follow the first appearance; what is not cited is not listed. It must not know any
kind of content, nor HTML or Typst: whoever shows a paper sets the pieces that are made here.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple

from bindery import prose
from bindery.folding import Folding
from bindery.reference_style import Run, family_names
from bindery.source import Problem

KEY = r"[A-Za-z0-9_](?:[A-Za-z0-9_]|[:.+/-](?=[A-Za-z0-9_]))*"
_IN_BRACKETS = re.compile(r"(?<!\\)\[(?P<inside>[^\[\]]*?(?<![\w\\])@[^\[\]]*)\](?![(\[:])")
_PART = re.compile(rf"(?P<prefix>[^@]*?)(?P<minus>-?)(?<![\w\\])@(?P<key>{KEY})(?P<rest>[^@]*)", re.DOTALL)
_SPECIAL = re.compile(r"([\\`*_\[\]{}])")
_IN_SENTENCE = re.compile(rf"(?<![\w\\@/.\[-])@(?P<key>{KEY})|\\@")
# Nothing cites within a link's words or target, nor within a tag.
_LINK = re.compile(
    r"\[[^\[\]]*\](?:\([^()]*\)|\[[^\[\]]*\])|<[^<>]*>|^ {0,3}\[[^\]^\n][^\]\n]*\]:.*$", re.MULTILINE
)


class Reference(NamedTuple):
    """An entry of a bibliography. `csl` is an item of CSL-JSON, `formatted` the same as a line of text."""

    key: str
    csl: Mapping[str, Any]
    formatted: tuple[Run, ...]
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Bibliography(Folding):
    """A .bib file, read and found sound: its references by key, in the order of the file."""

    path: str
    digest: str
    references: Mapping[str, Reference]


class Cited(NamedTuple):
    """One work within a citation; `prefix` and `locator` are Markdown as written: `see`, `p. 3`."""

    key: str
    prefix: str = ""
    locator: str = ""


class Citation(NamedTuple):
    """A place in a text that cites: from `start` to `end` of the body. In a sentence it names the authors.

    Without works it is an `@` that a backslash kept from citing.
    """

    works: tuple[Cited, ...]
    in_sentence: bool
    start: int
    end: int
    line: int


class Piece(NamedTuple):
    """A piece of what stands in a citation's place.

    With a `number` it is the link to that entry of the list, the `mention`-th of it; else it is text, and
    Markdown where `markdown` says so.
    """

    text: str
    number: int = 0
    mention: int = 0
    key: str = ""
    markdown: bool = False

    def as_markdown(self) -> str:
        """The text so that Markdown shows it as it stands."""
        return self.text if self.markdown else _plain(self.text)


class Listed(NamedTuple):
    """An entry of the list at the end: its number, the work, how often the text names it."""

    number: int
    reference: Reference
    mentions: int


class Apparatus(NamedTuple):
    """All that a paper's citations come to: the pieces of each, in order, and the list at the end."""

    pieces: tuple[tuple[Piece, ...], ...] = ()
    listed: tuple[Listed, ...] = ()


def citations(plain: str, body: str, first_line: int, *, sentences: bool) -> tuple[Citation, ...]:
    """Where a body cites, in order. `plain` is the body without code, of the same length.

    `sentences`: whether a bare `@word` cites too; without a bibliography it is but a word.
    """
    if "@" not in plain:
        return ()
    taken = prose.targets(plain)
    found = []
    for match in _IN_BRACKETS.finditer(plain):
        start, end = match.span("inside")
        works = _works(body[start:end])
        if works and not _within(taken, match):
            found.append(Citation(works, False, *match.span(), _line(plain, first_line, match.start())))
    if sentences:
        taken += [(one.start, one.end) for one in found]
        taken += [match.span() for match in _LINK.finditer(plain)]
        for match in _IN_SENTENCE.finditer(plain):
            if not _within(taken, match):
                works = (Cited(match["key"]),) if match["key"] else ()
                line = _line(plain, first_line, match.start())
                found.append(Citation(works, True, *match.span(), line))
    return tuple(sorted(found, key=lambda one: one.start))


def _within(taken: Sequence[tuple[int, int]], match: re.Match[str]) -> bool:
    return any(start < match.end() and match.start() < end for start, end in taken)


def anchor(key: str) -> str:
    """The id of an entry of the list on the paper's page."""
    return f"ref-{key}"


def mark(number: int, mention: int) -> str:
    """The id of a citation on the paper's page, to which its entry of the list leads back."""
    return f"cite-{number}-{mention}"


def _line(plain: str, first_line: int, at: int) -> int:
    return first_line + plain.count("\n", 0, at)


def _works(inside: str) -> tuple[Cited, ...]:
    """`see @a, p. 3; @b`; nothing when a part of it names no work, for then it is no citation."""
    works = []
    for part in inside.split(";"):
        match = _PART.fullmatch(part.replace("\n", " ").strip())
        if match is None:
            return ()
        locator = match["rest"].strip().removeprefix(",").strip()
        works.append(Cited(match["key"], match["prefix"].strip(), locator))
    return tuple(works)


def apparatus(cited: Sequence[Citation], references: Mapping[str, Reference]) -> Apparatus:
    """Numbers by first appearance, and what stands in each citation's place: `[see 1, p. 3], [2]`."""
    numbers: dict[str, int] = {}
    mentions: dict[str, int] = {}
    placed = []
    for citation in cited:
        pieces = [] if citation.works else [Piece("@")]
        for place, work in enumerate(citation.works):
            number = numbers.setdefault(work.key, len(numbers) + 1)
            mentions[work.key] = mentions.get(work.key, 0) + 1
            if citation.in_sentence:
                pieces.append(Piece(f"{family_names(references[work.key].csl)} "))
            pieces.append(Piece(", [" if place else "["))
            if work.prefix:
                pieces.append(Piece(f"{work.prefix} ", markdown=True))
            pieces.append(Piece(str(number), number, mentions[work.key], work.key))
            if work.locator:
                pieces.append(Piece(f", {work.locator}", markdown=True))
            pieces.append(Piece("]"))
        placed.append(tuple(pieces))
    listed = tuple(Listed(number, references[key], mentions[key]) for key, number in numbers.items())
    return Apparatus(tuple(placed), listed)


def as_markdown(listed: Sequence[Listed]) -> str:
    """The list as the end of a text in Markdown; nothing for nothing."""
    if not listed:
        return ""
    lines = [f"{one.number}. {''.join(map(_run, one.reference.formatted))}" for one in listed]
    return "\n\n## References\n\n" + "\n".join(lines) + "\n"


def _run(run: Run) -> str:
    text = _plain(run.text)
    if run.italic:
        text = f"*{text}*"
    return f"[{text}](<{run.url}>)" if run.url else text


def _plain(text: str) -> str:
    """The text so that Markdown shows it as it stands."""
    return _SPECIAL.sub(r"\\\1", escape(text, quote=False)).replace("|", "&#124;")


def unknown(
    path: str, cited: Sequence[Citation], references: Mapping[str, Reference] | None
) -> list[Problem]:
    """Citations of works that the bibliography does not hold; None: the paper names no bibliography."""
    problems = []
    for citation in cited:
        for work in citation.works:
            if references is None:
                message = (
                    f"the citation '@{work.key}' needs a field such as 'bibliography: references.bib', "
                    "not a paper without one"
                )
                problems.append(Problem(path=path, line=citation.line, message=message))
            elif work.key not in references:
                near = difflib.get_close_matches(work.key, references, 1, 0.3) or sorted(references)[:1]
                such_as = f" such as '@{near[0]}'" if near else ""
                kept = f"; '\\@{work.key}' cites nothing" if citation.in_sentence else ""
                message = (
                    f"the citation must be of an entry of the bibliography{such_as}, not '@{work.key}'{kept}"
                )
                problems.append(Problem(path=path, line=citation.line, message=message))
    return problems
