"""The newsletter's mails: subject and text, made from the same Markdown as the page."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

from bindery.kinds.issue import Issue
from bindery.library import Library

WIDTH = 72
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]+)\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])")
_ATTRIBUTES = re.compile(r"\s*\{[:#.][^}]*\}\s*$", re.MULTILINE)
_BULLET = re.compile(r"( *)([-*+]|\d+\.) +")


def outputs(
    library: Library,
    *,
    site_url: str,
    text_of: Callable[[Issue], str],
    template: Callable[[Mapping[str, str]], str],
) -> Iterator[tuple[str, str]]:
    """Each issue's `subject.txt` and `text.txt` as (path below mails, text).

    `text_of` gives the body `as_text`; `template` sets it with the rest.
    """
    for issue in library.issues:
        folder = issue.path.removeprefix("newsletter/").removesuffix(".md")
        vendor = library.home.vendor
        yield f"{folder}/subject.txt", issue.title + "\n"
        yield (
            f"{folder}/text.txt",
            template(
                {
                    "title": issue.title,
                    "preheader": issue.preheader or issue.summary,
                    "sample": issue.sample_note if issue.sample else "",
                    "date": f"{issue.date:%B} {issue.date.day}, {issue.date.year}",
                    "body": text_of(issue),
                    "url": site_url + issue.url,
                    "vendor": vendor.name,
                    "address": vendor.address,
                }
            ),
        )


def as_text(markdown: str, site_url: str) -> str:
    """Markdown as people read it in a plain mail: links written out and absolute, lines of at most 72."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(site_url))

    def link(match: re.Match[str]) -> str:
        target = origin + match[2] if match[2].startswith("/") else match[2]
        return match[1] if match[1] == target else f"{match[1]} <{target}>"

    text = _IMAGE.sub(lambda match: f"[Picture: {match[1]}]" if match[1] else "", markdown)
    text = _ATTRIBUTES.sub("", _EMPHASIS.sub(r"\1", _STRONG.sub(r"\2", _LINK.sub(link, text))))
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        blocks.append(_block(block))
    return "\n\n".join(block for block in blocks if block)


def _block(block: str) -> str:
    if block.lstrip().startswith(("```", "~~~", "|", "    ")):
        return "\n".join(line for line in block.splitlines() if not line.lstrip().startswith(("```", "~~~")))
    heading = re.fullmatch(r"(#{1,6})\s+(.*?)\s*#*", block.strip())
    if heading:
        title = heading[2]
        return f"{title}\n{('=' if len(heading[1]) == 1 else '-') * len(title)}"
    paragraphs: list[tuple[str, str]] = []
    for line in block.splitlines():
        bullet = _BULLET.match(line)
        if bullet:
            paragraphs.append((bullet[0], line[bullet.end() :]))
        elif paragraphs:
            paragraphs[-1] = (paragraphs[-1][0], f"{paragraphs[-1][1]} {line.strip()}")
        else:
            paragraphs.append(("", line.strip()))
    return "\n".join(
        textwrap.fill(
            text,
            WIDTH,
            initial_indent=mark,
            subsequent_indent=" " * len(mark),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for mark, text in paragraphs
    )
