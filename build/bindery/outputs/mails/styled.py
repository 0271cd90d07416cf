"""The HTML part of a mail: styles as attributes, pictures with a width, lines that every server takes.

Mail programs read no style sheet reliably but attributes; what only newer ones know (dark colours) stays in
a sheet. css-inline does the first. Nothing is fetched, and nothing refers to another host.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import css_inline

COLUMN = 536
"""Pixels across of what an issue shows: 600 less its margins."""
LONGEST_LINE = 900
"""Octets; RFC 5322 allows 998."""
_ROOTED = re.compile(r'(\s(?:href|src)=")/(?!/)')
_WITHIN = re.compile(r'(\shref=")#(?!fn(?:ref\d*)?:)')
_CHUNK = re.compile(r"(?:&#?\w{1,12};|.){1,120}")
_PICTURE = re.compile(r"<img\b([^>]*?)\s*/?>")
_SOURCE = re.compile(r'\bsrc="([^"]*)"')
_TAG = re.compile(r"<[^>]*>|[^<]+")


def absolute(html: str, site_url: str, page: str) -> str:
    """The same HTML with links and pictures at their whole addresses.

    A link to a heading leads to the issue's `page` on the web: headings in a mail have no ids, and several
    programs follow no link within a mail. Notes keep theirs, which are of use where they work.
    """
    origin = "{0.scheme}://{0.netloc}/".format(urlsplit(site_url))
    html = _WITHIN.sub(lambda match: f"{match[1]}{site_url}{page}#", html)
    return _ROOTED.sub(lambda match: match[1] + origin, html)


@dataclass(frozen=True, kw_only=True, slots=True)
class Styled:
    """How mails look: the sheet that becomes attributes, the one that stays, and how wide pictures are."""

    site_url: str
    light: str
    dark: str
    width_of: Callable[[str], int | None]

    def pictures(self, html: str) -> str:
        """Pictures with the width that they are shown at: their own, at most the column's."""

        def sized(match: re.Match[str]) -> str:
            source = _SOURCE.search(match[1])
            path = source[1].removeprefix(self.site_url) if source else ""
            width = min(self.width_of(path) or COLUMN, COLUMN)
            return f'<img{match[1]} width="{width}" style="max-width:100%;height:auto;border:0">'

        return _PICTURE.sub(sized, html)

    def inlined(self, html: str) -> str:
        """The whole mail, its styles as attributes."""
        inliner = css_inline.CSSInliner(extra_css=self.light, load_remote_stylesheets=False)
        return "".join(f"{line}\n" for line in _folded(inliner.inline(html)))


def _folded(html: str) -> list[str]:
    """Lines of at most LONGEST_LINE octets: broken where HTML takes a space for a line's end."""
    lines: list[str] = []
    for line in html.rstrip("\n").split("\n"):
        rest = ""
        for piece in _pieces(line):
            if rest and len(rest.encode()) + len(piece.encode()) > LONGEST_LINE:
                lines.append(rest.rstrip(" "))
                rest = piece.lstrip(" ")
            else:
                rest += piece
        lines.append(rest)
    return lines


def _pieces(line: str) -> list[str]:
    """What a line may be broken between: words of text, each with the space before it, and whole tags."""
    if len(line.encode()) <= LONGEST_LINE:
        return [line]
    pieces: list[str] = []
    for match in _TAG.finditer(line):
        if match[0].startswith("<") and pieces:
            pieces[-1] += match[0]  # a break before a tag could be a space that was not there
        elif match[0].startswith("<"):
            pieces.append(match[0])
        else:
            first, *more = map(_breakable, re.split(r"(?= )", match[0]))
            if pieces:
                pieces[-1] += first
            else:
                pieces.append(first)
            pieces += more
    return pieces


def _breakable(word: str) -> str:
    """A word that is too long for a line, as in a language without spaces, broken where nobody sees it."""
    if len(word.encode()) <= LONGEST_LINE // 2:
        return word
    return "<wbr\n>".join(_CHUNK.findall(word))
