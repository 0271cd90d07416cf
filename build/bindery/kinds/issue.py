"""Issues of the newsletter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from bindery import prose
from bindery.kinds.item import Item, common, fields_of
from bindery.source import Problem, Source

_PICTURE = re.compile(r"!\[(?P<alt>[^\]]*)\](?:\([ ]*<?(?P<target>[^)\s>]+)|\[(?P<name>[^\]\n]*)\]|)")
_TARGET = re.compile(r"^ {0,3}\[([^\]\n^][^\]\n]*)\]:[ ]+<?([^\s>]+)", re.MULTILINE)
_TAG = re.compile(r"(?<!\\)<(?P<tag>[a-zA-Z][\w-]*)(?=[\s/>])(?P<given>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>")
_GIVEN = re.compile(
    r"""\b(?P<name>[a-zA-Z][\w-]*)\s*=\s*(?P<quote>["']?)(?P<value>.*?)(?P=quote)(?=[\s/]|$)""", re.DOTALL
)
_PLACE = re.compile(r"\[\[ leave_\w+ \]\]")
REFUSED = re.compile(
    "applet|audio|base|body|button|canvas|embed|form|frame|frameset|head|html|iframe|input|link|math|meta"
    "|object|option|script|select|source|style|svg|template|textarea|title|video"
)
"""Tags that mail programs cut out, take for an attack, or that would end the mail's own page."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Issue(Item):
    """One issue; `number` is None for issues that carry none, `preheader` the mail's second line."""

    date: date
    number: int | None
    preheader: str


def parse(source: Source, problems: list[Problem]) -> Issue | None:
    """One issue from `newsletter/<name>.md`; None when it cannot be made (see problems)."""
    fields = fields_of(source, problems)
    before = len(problems)
    shared = common("issue", source, fields)
    day = fields.date("date", required=True)
    number = fields.whole("number", such_as="12")
    preheader = fields.text("preheader", such_as="'What is new in Cityworks 23.10'")
    plain = prose.without_code(source.body)
    for place, message in sorted([*_pictures(source.body, plain), *_tags(plain)]):
        line = source.body_line + plain.count("\n", 0, place)
        problems.append(Problem(path=source.path, line=line, message=message))
    problems += _places(source, shared, preheader)
    fields.finish("an issue")
    if len(problems) > before or day is None:
        return None
    return Issue(**shared, date=day, number=number, preheader=preheader)


def _pictures(body: str, plain: str) -> Iterator[tuple[int, str]]:
    """Where a picture stands that a mail cannot show, and why; by whichever way of Markdown it is written."""
    named = {match[1].casefold(): match[2] for match in _TARGET.finditer(plain)} if "]:" in plain else {}
    for match in _PICTURE.finditer(plain):
        alt = body[match.start("alt") : match.end("alt")].strip()
        target = match["target"] or named.get((match["name"] or match["alt"]).casefold())
        if target and (message := _unfit(alt, target)):
            yield match.start(), message


def _tags(plain: str) -> Iterator[tuple[int, str]]:
    """Where HTML stands that a mail may not carry, and why."""
    for match in _TAG.finditer(plain) if "<" in plain else ():
        tag = match["tag"].lower()
        given = {one["name"].lower(): one["value"] for one in _GIVEN.finditer(match["given"])}
        if REFUSED.fullmatch(tag):
            yield match.start(), f"the HTML must be such as mails carry, like '<strong>', not '<{tag}>'"
        for name, value in given.items():
            if name.startswith("on") or (name == "style" and "url(" in value.lower()) or name == "srcset":
                message = f"the HTML must do nothing and fetch nothing in a mail, it must be without '{name}'"
                yield match.start(), message
        if tag == "img" and (message := _unfit(given.get("alt", "").strip(), given.get("src", ""))):
            yield match.start(), message


def _places(source: Source, shared: Mapping[str, object], preheader: str) -> Iterator[Problem]:
    """A reader's own link would be filled in for what only looks like its place, in code too."""
    told = (str(shared["title"]), str(shared["summary"]), str(shared["sample_note"]), preheader)
    places = [(1, match[0]) for text in told for match in _PLACE.finditer(text)]
    places += [
        (source.body_line + source.body.count("\n", 0, match.start()), match[0])
        for match in _PLACE.finditer(source.body)
    ]
    for line, place in places:
        message = f"'{place}' is filled in for each reader of the mail, it must not stand in an issue"
        yield Problem(path=source.path, line=line, message=message)


def _unfit(alt: str, target: str) -> str:
    """What keeps a picture out of a mail; "" for nothing."""
    if not alt:
        return (
            "the picture must have a text for those who do not see it such as "
            "'![Map of work orders](map.png)', not none"
        )
    if re.match(r"(?:[a-z]+:)?//", target, re.IGNORECASE):
        return f"the picture must lie beside the issue such as map.png, not elsewhere, at '{target}'"
    if not target.lower().endswith((".png", ".jpg", ".jpeg", ".gif")):
        return f"the picture must be a PNG, JPEG or GIF, which mail programs show, not '{target}'"
    return ""
