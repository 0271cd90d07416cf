"""Markup that only the old program understands: shortcodes and tags become plain Markdown, or inert code.

Nothing is lost in silence: what has no counterpart stays in the text as code, with a remark. Where links
lead is not decided here; references of the old program become targets such as `ref:other.md`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from bindery import prose

_CODE_BLOCK = re.compile(
    r"\{%-?\s*highlight\s+([\w+#-]*)[^%]*%\}[ \t]*\n?(.*?)\n?[ \t]*\{%-?\s*endhighlight\s*-?%\}"
    r"|\{\{[<%]\s*highlight\s+\"?([\w+#-]*)\"?[^>%]*[>%]\}\}[ \t]*\n?(.*?)\n?[ \t]*"
    r"\{\{[<%]\s*/\s*highlight\s*[>%]\}\}",
    re.DOTALL,
)
_FENCE_INFO = re.compile(r"^(`{3,}|~{3,})[ \t]*\{[^}\n]*\}", re.MULTILINE)
_ATTRIBUTES = r"((?:[^>%\"`]|\"[^\"]*\"|`[^`]*`)*?)"
_FIGURE = re.compile(r"\{\{[<%]\s*figure\s+" + _ATTRIBUTES + r"/?\s*[>%]\}\}", re.DOTALL)
_REF = re.compile(r"\{\{[<%]\s*(?:rel)?ref\s+[\"`']?([^\"`'\s>%]+)[\"`']?\s*/?[>%]\}\}")
_LIQUID_LINK = re.compile(r"\{%-?\s*(link|post_url)\s+([^\s%]+)\s*-?%\}")
_LIQUID_URL = re.compile(
    r"\{\{-?\s*(?:\"([^\"]*)\"|'([^']*)')\s*\|\s*(?:prepend:\s*site\.baseurl|relative_url|absolute_url)"
    r"(?:\s*\|[^}]*)?\s*-?\}\}"
)
_SITE_URL = re.compile(r"\{\{-?\s*site\.(?:baseurl|url)\s*-?\}\}")
_PAGE_TITLE = re.compile(r"\{\{-?\s*page\.title\s*-?\}\}")
_PELICAN = re.compile(r"[{|](?:filename|static|attach)[}|]")
_SILENT = re.compile(
    r"\{%-?\s*(?:end)?raw\s*-?%\}|\{%-?\s*comment\s*-?%\}.*?\{%-?\s*endcomment\s*-?%\}"
    r"|\{\{<\s*/\*.*?\*/\s*>\}\}|<!--\s*(?:more|excerpt|end_excerpt|PELICAN_\w+)\s*-->",
    re.DOTALL,
)
_ANY_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_ACTIVE = re.compile(
    r"<(script|style|iframe|object|embed|form)\b.*?(?:</\1\s*>|/>|(?=\n[ \t]*\n)|\Z)", re.DOTALL | re.I
)
_HANDLER = re.compile(
    r"(<\w[^<>]*?)(\son\w+)\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>]+)([^<>]*>)", re.IGNORECASE
)
_ATTRIBUTE = re.compile(r"(\w+)\s*=\s*(?:\"([^\"]*)\"|`([^`]*)`)")


class Remark(NamedTuple):
    """Something in a text that was changed or could not be kept: the line in the old file, and what."""

    line: int
    message: str


def plain(body: str, first_line: int, title: str) -> tuple[str, tuple[Remark, ...]]:
    """The body as plain Markdown, and remarks. `title` stands in for `{{ page.title }}`."""
    remarks: list[Remark] = []
    body = _outside_code(body, _CODE_BLOCK, _fenced)
    body = _FENCE_INFO.sub(lambda match: match[1], body)
    body = _outside_code(body, _SILENT, lambda _: "")
    body = _outside_code(body, _FIGURE, _picture)
    body = _outside_code(body, _REF, lambda match: _target(match, f"ref:{match[1]}"))
    body = _outside_code(
        body,
        _LIQUID_LINK,
        lambda m: _target(m, f"post:{m[2]}" if m[1] == "post_url" else f"ref:/{m[2].lstrip('/')}"),
    )
    body = _outside_code(body, _LIQUID_URL, lambda match: match[1] or match[2] or "")
    body = _outside_code(body, _SITE_URL, lambda _: "")
    body = _outside_code(body, _PAGE_TITLE, lambda _: title)
    body = _outside_code(body, _PELICAN, lambda _: "ref:")

    def inert(match: re.Match[str]) -> str:
        shown = " ".join(match[0].split())
        line = first_line + match.string.count("\n", 0, match.start())
        if match.string[: match.start()].endswith("]("):
            remarks.append(Remark(line, f"'{shown[:60]}' means nothing here, so the link around it goes"))
            return "ref:?"
        remarks.append(Remark(line, f"'{shown[:60]}' means nothing here; it stays in the text, as code"))
        mark = "``" if "`" in shown else "`"
        return f"{mark}{shown}{mark}"

    def gone(match: re.Match[str]) -> str:
        line = first_line + match.string.count("\n", 0, match.start())
        remarks.append(
            Remark(line, f"<{match[1].lower()}> is not taken over: pages here run nothing of their own")
        )
        return ""

    def still(match: re.Match[str]) -> str:
        line = first_line + match.string.count("\n", 0, match.start())
        remarks.append(
            Remark(line, f"{match[2].strip()} is not taken over: pages here run nothing of their own")
        )
        return match[1] + match[3]

    body = _outside_code(body, _ACTIVE, gone)
    while _HANDLER.search(prose.without_code(body)):
        body = _outside_code(body, _HANDLER, still)
    body = _outside_code(body, _ANY_TAG, inert)
    return body, tuple(remarks)


def _outside_code(body: str, pattern: re.Pattern[str], replacement: Callable[[re.Match[str]], str]) -> str:
    """`pattern.sub`, but never inside code."""
    if not pattern.search(body):
        return body
    parts, last = [], 0
    for match in pattern.finditer(prose.without_code(body)):
        whole = pattern.match(body, match.start())  # with what stands as code inside the tag itself
        if whole is None or match.start() < last:
            continue
        parts += [body[last : whole.start()], replacement(whole)]
        last = whole.end()
    return "".join([*parts, body[last:]])


def _target(match: re.Match[str], target: str) -> str:
    """The target of a link; a link of its own where the tag stood in the middle of a sentence."""
    if match.string[: match.start()].endswith(("](", "](<", '="', "='", "]: ")):
        return target
    name = target.partition(":")[2].rpartition("/")[2].partition("#")[0]
    return f"[{name.removesuffix('.md')}]({target})"


def _fenced(match: re.Match[str]) -> str:
    language, code = (match[1], match[2]) if match[2] is not None else (match[3], match[4])
    mark = "```"
    while mark in code:
        mark += "`"
    return f"{mark}{language}\n{code}\n{mark}"


def _picture(match: re.Match[str]) -> str:
    given = {name: first or second for name, first, second in _ATTRIBUTE.findall(match[1])}
    caption = given.get("caption") or given.get("title", "")
    alt = given.get("alt") or caption
    title = ' "{}"'.format(caption.replace('"', "'")) if caption else ""
    image = f"![{alt}]({given.get('src', '')}{title})"
    return f"[{image}]({given['link']})" if given.get("link") else image


# Headings

_ATX = re.compile(r"^(#{1,6})(?=[ \t])(.*)$", re.MULTILINE)
_UNDERLINED = re.compile(r"^(?![ \t]*(?:[-*+>|#]|\d+\.))[ \t]*(\S[^\n]*)\n(=+|-{3,})[ \t]*$", re.MULTILINE)
_ENTRY_MARK = re.compile(
    r"^([-*+][ \t]+)(?:\*\*)?(?:\[([A-Z][A-Z0-9]*(?:-\d+)+)\](?:\([^)\s]*\))?(?:\*\*)?[ \t]*[:\u2013\u2014-]?"
    r"|([A-Z][A-Z0-9]*(?:-\d+)+)(?:\*\*)?(?::|[ \t]+[\u2013\u2014-]))(?:\*\*)?[ \t]+(?=\S)",
    re.MULTILINE,
)
SECTIONS = {  # what others call the sections of release notes that this house knows
    "new": "New", "new features": "New", "features": "New", "added": "New", "whats new": "New",
    "enhancements": "New", "new in this release": "New",
    "changed": "Changed", "changes": "Changed", "improvements": "Changed", "improved": "Changed",
    "updates": "Changed", "updated": "Changed", "deprecated": "Changed", "removed": "Changed",
    "fixed": "Fixed", "fixes": "Fixed", "bug fixes": "Fixed", "bugfixes": "Fixed", "bugs fixed": "Fixed",
    "resolved issues": "Fixed", "fixed issues": "Fixed", "defects fixed": "Fixed", "issues resolved": "Fixed",
    "security": "Security", "security fixes": "Security", "security updates": "Security",
    "breaking": "Breaking changes", "breaking changes": "Breaking changes",
    "incompatible changes": "Breaking changes", "backward incompatible changes": "Breaking changes",
    "known issues": "Known issues", "known problems": "Known issues", "known bugs": "Known issues",
    "requirements": "Requirements", "system requirements": "Requirements", "prerequisites": "Requirements",
    "upgrade notes": "Upgrade notes", "upgrading": "Upgrade notes", "upgrade instructions": "Upgrade notes",
    "migration": "Upgrade notes", "how to upgrade": "Upgrade notes",
}  # fmt: skip


def headed(body: str, title: str) -> tuple[str, str]:
    """(title, body): without a `title` the heading of first level that the text begins with, else ""; what
    is left of the body has headings from the second level on, since a page's title is its only one of the
    first."""
    body = _outside_code(body, _UNDERLINED, lambda m: f"{'#' if m[2][0] == '=' else '##'} {m[1].strip()}")
    first = re.compile(r"\s*#[ \t]+(.+?)[ \t]*#*[ \t]*(?:\n|\Z)").match(body)
    words = re.sub(r"[*`]|\s*\{[^}]*\}$", "", first[1]).strip() if first else ""
    if first and (not title or words.casefold() == title.casefold()):
        title, body = title or words, body[first.end() :]
    if any(len(match[1]) == 1 for match in _ATX.finditer(prose.without_code(body))):
        body = _outside_code(body, _ATX, lambda match: f"{match[1]}#{match[2]}"[len(match[1]) == 6 :])
    return title, body


def release_notes(body: str) -> str:
    """Release notes with the sections of this house, and entries as `- CW-1234: …` below them."""

    def section(match: re.Match[str]) -> str:
        words = re.sub(r"[^a-z ]", "", match[2].strip(" \t#:*").casefold().replace("-", " "))
        known = SECTIONS.get(" ".join(words.split()))
        return f"## {known}" if known else match[0]

    body = _outside_code(body, _ATX, section)
    seen: set[str] = set()

    def entry(match: re.Match[str]) -> str:
        entry_id = match[2] or match[3]
        if entry_id in seen:  # an id stands once in a release
            return f"{match[1]}{entry_id} "
        seen.add(entry_id)
        return f"{match[1]}{entry_id}: "

    return _outside_code(body, _ENTRY_MARK, entry)
