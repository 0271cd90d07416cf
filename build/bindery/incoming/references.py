"""References: where the links of imported texts lead here, and links that lead nowhere become plain text."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from urllib.parse import unquote

from bindery import prose
from bindery.incoming.foreign import SUFFIXES
from bindery.incoming.markup import Remark

_TEXT = r"(?P<text>(?:\\.|[^\[\]\\]|\[[^\[\]]*\])*)"
_TARGET = (
    r"\([ ]*(?P<target><[^>\n]*>|[^\s()<>]*(?:\([^\s()]*\)[^\s()]*)*)"
    r"(?P<title>\s+(?:\"[^\"\n]*\"|'[^'\n]*'))?[ ]*\)"
)
_PICTURE = re.compile(r"!\[" + _TEXT + r"\]" + _TARGET)
_LINK = re.compile(r"(?<![!\\])\[" + _TEXT + r"\]" + _TARGET)
_DEFINITION = re.compile(
    r"^[ ]{0,3}\[(?P<name>[^\]\n^][^\]\n]*)\]:[ ]+<?(?P<target>[^\s>]+)>?(?P<title>.*)$\n?", re.MULTILINE
)
_HTML = re.compile(
    r"<(?P<tag>\w+)(?P<before>[^<>]*?)\s(?P<name>href|src)=(?P<mark>[\"']?)(?P<target>[^\"'<>\s]*)(?P=mark)(?P<after>[^<>]*)>",
    re.I,
)
_OUTSIDE = re.compile(r"(?:https?|mailto|tel):|//", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")

Find = Callable[[str], str | None]


def led(body: str, first_line: int, find: Find) -> tuple[str, tuple[Remark, ...]]:
    """The body with every link inside the old site led to its new target, and remarks for those that lead
    nowhere. `find` gives the new target of an old one, None for nothing."""
    remarks: list[Remark] = []

    def found(match: re.Match[str], old: str) -> str | None:
        target = old.strip("<>").strip()
        if not target or _OUTSIDE.match(target) or target.startswith("#"):
            return old
        known = target.startswith(("ref:", "post:"))
        new = find(target) if known or not _SCHEME.match(target) else None
        if new is None and target != "ref:?":
            shown = target.removeprefix("ref:").removeprefix("post:")
            line = first_line + match.string.count("\n", 0, match.start())
            remarks.append(
                Remark(line, f"the link to '{shown}' leads nowhere here; its text stays, without a link")
            )
        return new

    def picture(match: re.Match[str], text: str) -> str:
        new = found(match, match["target"])
        return text if new is None else f"![{text}]({new}{match['title'] or ''})"

    def link(match: re.Match[str], text: str) -> str:
        new = found(match, match["target"])
        return text if new is None else f"[{text}]({new}{match['title'] or ''})"

    body = _each(body, _PICTURE, picture)
    body = _each(body, _LINK, link)
    lost: list[str] = []

    def definition(match: re.Match[str], _: str) -> str:
        new = found(match, match["target"])
        if new is None:
            lost.append(match["name"])
            return ""
        return match[0].replace(match["target"], new, 1)

    body = _each(body, _DEFINITION, definition)
    for name in lost:
        use = re.compile(
            r"!?\["
            + _TEXT
            + r"\](?:\["
            + re.escape(name)
            + r"\])|\[(?P<own>"
            + re.escape(name)
            + r")\](?:\[\])?",
            re.I,
        )
        body = _each(body, use, lambda match, text: text or match["own"] or "")

    def html(match: re.Match[str], _: str) -> str:
        new = found(match, match["target"])
        if new is not None:
            return f'<{match["tag"]}{match["before"]} {match["name"].lower()}="{new}"{match["after"]}>'
        return f"<{match['tag']}{match['before']}{match['after']}>" if match["name"].lower() == "href" else ""

    return _each(body, _HTML, html), tuple(remarks)


def _each(body: str, pattern: re.Pattern[str], make: Callable[[re.Match[str], str], str]) -> str:
    """Replace what is found outside of code; `make` gets the match and its text, code in it included."""
    parts, last = [], 0
    for match in pattern.finditer(prose.without_code(body)):
        text = ""
        if "text" in match.re.groupindex and match["text"] is not None:
            text = body[match.start("text") : match.end("text")]
        parts += [body[last : match.start()], make(match, text)]
        last = match.end()
    return "".join([*parts, body[last:]])


def candidates(target: str, path: str) -> list[str]:
    """The files below the imported folder that a link in the file `path` may mean, the likeliest first."""
    bare = unquote(re.split(r"[?#]", target.removeprefix("ref:"), maxsplit=1)[0])
    folder = posixpath.dirname(path)
    if bare.startswith("/"):
        bases = [
            bare.lstrip("/"),
            *(f"{root}/{bare.lstrip('/')}" for root in ("content", "static", "source")),
        ]
    else:
        bases = [posixpath.normpath(posixpath.join(folder, bare)), posixpath.normpath(bare)]
    found = []
    for base in bases:
        base = base.rstrip("/")
        if base.startswith("..") or not base:
            continue
        found.append(base)
        stem = base.removesuffix(".html")
        found += [stem + suffix for suffix in SUFFIXES]
        found += [f"{base}/{index}.md" for index in ("index", "_index", "README")]
    return found
