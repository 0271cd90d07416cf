"""What a Markdown body says of itself without being rendered: its links, its anchors, its entries.

Only the forms that point somewhere are read; everything else is the renderer's. Code, in fences or
in line, is never looked into. It must not know any kind of content.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from markdown.extensions.toc import slugify

SECTIONS = (
    "New",
    "Changed",
    "Fixed",
    "Security",
    "Breaking changes",
    "Known issues",
    "Requirements",
    "Upgrade notes",
)
_SECTION_OF = {name.casefold(): name for name in SECTIONS}

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_CODE = re.compile(  # it may go on in the next line of its paragraph
    r"(?<!`)(`+)(?!`)(?:[^\n]|\n(?![ \t]*(?:\n|[-*+>#|~]|`{3}|\d+[.)])))*?(?<!`)\1(?!`)"
)
_CODE_TEXT = re.compile(r"(?<!`)(`+)(?!`)([^\n]*?)(?<!`)\1(?!`)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
# `*a**b*c`: a star closes what two have opened. The renderer takes them for strong and loses the next letter.
_CROSSED = re.compile(
    r"(?:(?<![*\\])|(?<=\\\*))\*(?![*\s])[^*\n]+(?:\n[^*\n]+)*\*\*(?![\s*])[^*\n]+(?:\n[^*\n]+)*(?<!\s)\*(?!\*)"
)
_LINK = re.compile(
    r"""\]\([ ]*<?(?P<inline>[^)\s>]+)          # [text](target "title"), ![alt](target)
      | ^[ ]{0,3}\[[^\]\n^][^\]\n]*\]:[ ]+<?(?P<reference>[^\s>]+)   # [name]: target
      | \b(?:href|src)="(?P<html>[^"]*)"        # in HTML
    """,
    re.MULTILINE | re.VERBOSE,
)
_OUTSIDE = re.compile(r"(?:https?|mailto|tel):|//", re.IGNORECASE)
_HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
_GIVEN_ID = re.compile(r"\s*\{[^}]*#([\w.:-]+)[^}]*\}$")
_HTML_ID = re.compile(r"""\bid="([^"]+)\"""")
# Not a heading, a quotation, a table, HTML, a picture, a note, the target of a link, attributes or a rule.
_FIRST = re.compile(
    r"^(?![ \t]|[#<>|{:=]|!\[|!!!|\[\^|\[[^\]\n]+\]:|[-*_]{2,}[ \t]*$)\S.*(?:\n.*\S.*)*", re.MULTILINE
)
_ITEM = re.compile(r"^[ \t]*(?:[-+*]|\d+[.)])[ \t]+")
_ASIDE = re.compile(r"\{:[^{}]*\}|\[\^[^\]]+\]")  # attributes, marks of notes
_MARKUP = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[`*]|(?<!\w)_|_(?!\w)|<[^>]+>")
_MARKS = re.compile(r"[\[`*_<]")  # without one of them there is no markup
_NAME = re.compile(r"\{\{[ \t]*([^{}\n]*?)[ \t]*\}\}")
_ENTRY = re.compile(r"[-*+][ \t]+(?:\*\*)?([A-Z][A-Z0-9]*(?:-\d+)+)(?:\*\*)?:(?:\*\*)?[ \t]+(.*)")


class Link(NamedTuple):
    """A link that points inside the site: its target as written, where it stands in the body, its line."""

    target: str
    start: int
    end: int
    line: int


class Name(NamedTuple):
    """A value that the prose uses: `{{ rules.renewal }}`. `alone` says that nothing else is on its line."""

    name: str
    start: int
    end: int
    line: int
    alone: bool = False


class Entry(NamedTuple):
    """A line of release notes with a permanent id; `section` is one of SECTIONS."""

    id: str
    section: str
    text: str
    line: int


def without_code(body: str) -> str:
    """The body with everything in code blanked out, every other character at its place."""
    if "`" in body or "~~~" in body:
        body = _FENCE.sub(_blank, body)
        body = _CODE.sub(_blank, body)
    if "<!--" in body:
        body = _COMMENT.sub(_blank, body)
    return body


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def links(plain: str, first_line: int) -> tuple[Link, ...]:
    """Links that point inside the site, in order. `plain` is the body without code."""
    found = []
    for match in _LINK.finditer(plain):
        group = match.lastgroup or "inline"
        target = match[group]
        if target and not _OUTSIDE.match(target):
            start, end = match.span(group)
            found.append(Link(target, start, end, first_line + plain.count("\n", 0, start)))
    return tuple(found)


def crossed(plain: str, body: str, first_line: int) -> list[tuple[int, str]]:
    """Emphasis whose marks cross, such as `*a**b*c`, each with its line: the next letter would be lost."""
    if "**" not in plain:
        return []
    return [
        (
            first_line + body.count("\n", 0, match.start()),
            " ".join(body[match.start() : match.end() + 1].split()),
        )
        for match in _CROSSED.finditer(plain)
        if not body[match.end() : match.end() + 1].isspace() and match.end() < len(body)
    ]


def targets(plain: str) -> list[tuple[int, int]]:
    """Where the targets of all links stand, those that lead outside too."""
    return [match.span(match.lastgroup or "inline") for match in _LINK.finditer(plain)]


def names(plain: str, first_line: int) -> tuple[Name, ...]:
    """The values that the prose uses, in order."""
    if "{{" not in plain:
        return ()
    found = []
    for match in _NAME.finditer(plain):
        start, end = plain.rfind("\n", 0, match.start()) + 1, plain.find("\n", match.end())
        alone = plain[start : None if end < 0 else end].strip() == match[0]
        line = first_line + plain.count("\n", 0, match.start())
        found.append(Name(match[1], *match.span(), line, alone))
    return tuple(found)


def anchors(plain: str, body: str) -> tuple[str, ...]:
    """The ids that the headings of this body get when rendered, and those given by hand."""
    found: list[str] = []
    for match in _HEADING.finditer(plain):
        heading = body[match.start(2) : match.end(2)]
        given = _GIVEN_ID.search(heading)
        if given:
            found.append(given[1])
            continue
        slug = slugify(_MARKUP.sub(lambda m: m[1] or "", heading), "-")
        number, unique = 0, slug
        while unique in found or not unique:
            number += 1
            unique = f"{slug}_{number}"
        found.append(unique)
    if ' id="' in plain:
        found += _HTML_ID.findall(plain)
    return tuple(found)


def as_text(markdown: str) -> str:
    """A line of Markdown as plain text: links and emphasis are their words, code is what stands in it."""
    if not _MARKS.search(markdown):
        return markdown
    made, end = [], 0
    for code in _CODE_TEXT.finditer(markdown):
        made += [_MARKUP.sub(_word, markdown[end : code.start()]), code[2].strip()]
        end = code.end()
    return "".join([*made, _MARKUP.sub(_word, markdown[end:])])


def opening(body: str, most: int) -> str:
    """The first words of a Markdown text as plain text: a paragraph, or lines of a list where that comes
    first, cut after a word to at most that many signs; "" for a text without any."""
    first = _FIRST.search(without_code(body))
    if first is None:
        return ""
    lines = (_ITEM.sub("", line) for line in body[first.start() : first.end()].split("\n"))
    told = " ".join(_ASIDE.sub("", as_text(" ".join(lines))).split())
    if len(told) <= most:
        return told
    return (told[:most].rpartition(" ")[0] or told[: most - 1]).rstrip(",;:.–—- ") + "…"


def _word(match: re.Match[str]) -> str:
    return match[1] or ""


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with the values of the policy that it names; a name that is none stays."""
    return _NAME.sub(lambda match: values.get(match[1], match[0]), text)


def entries(plain: str, body: str, first_line: int) -> tuple[Entry, ...]:
    """The entries of release notes: bullets of the known sections that begin with an id and a colon."""
    found: list[Entry] = []
    section = ""
    lines = body.split("\n")
    open_entry = False
    for number, line in enumerate(plain.split("\n")):
        if line.startswith("#"):
            heading = line.lstrip("#")
            level = len(line) - len(heading)
            if level <= 2:
                section = _SECTION_OF.get(heading.strip().casefold(), "")
            open_entry = False
        elif section and (match := _ENTRY.match(line)):
            text = lines[number][match.start(2) :].strip()
            found.append(Entry(match[1], section, text, first_line + number))
            open_entry = True
        elif open_entry and line[:1].isspace() and line.strip() and line.lstrip()[0] not in "-*+":
            last = found[-1]
            found[-1] = last._replace(text=f"{last.text} {lines[number].strip()}")
        else:
            open_entry = False
    return tuple(found)


TOLD = frozenset({"New", "Changed", "Fixed", "Security", "Breaking changes"})
_BULLET = re.compile(r"[-*+][ \t]+(?=\S)")


def unnumbered(plain: str, body: str, first_line: int) -> tuple[Entry, ...]:
    """The bullets without an id in the sections that say what a release brings, as entries whose id is ""."""
    found: list[Entry] = []
    section = ""
    lines = body.split("\n")
    open_bullet = False
    for number, line in enumerate(plain.split("\n")):
        if line.startswith("#"):
            heading = line.lstrip("#")
            if len(line) - len(heading) <= 2:
                section = _SECTION_OF.get(heading.strip().casefold(), "")
            open_bullet = False
        elif section not in TOLD or not lines[number].strip():
            open_bullet = False
        elif match := _BULLET.match(line):
            open_bullet = not _ENTRY.match(line)
            if open_bullet:
                text = lines[number][match.end() :].strip()
                found.append(Entry("", section, text, first_line + number))
        elif open_bullet and line[:1].isspace() and line.strip() and line.lstrip()[0] not in "-*+":
            found[-1] = found[-1]._replace(text=f"{found[-1].text} {lines[number].strip()}")
        else:
            open_bullet = False
    return tuple(found)


def sections(body: str) -> dict[str, str]:
    """By the name of each known section the Markdown below its heading, sections that are empty left out."""
    found: dict[str, list[str]] = {}
    section = ""
    lines = body.split("\n")
    for line, plain in zip(lines, without_code(body).split("\n"), strict=True):
        level = len(plain) - len(plain.lstrip("#"))
        if level and level <= 2:
            section = _SECTION_OF.get(plain.lstrip("#").strip().casefold(), "")
        elif section:
            found.setdefault(section, []).append(line)
    told = {name: "\n".join(below).strip("\n") for name, below in found.items()}
    return {name: text for name, text in told.items() if text.strip()}
