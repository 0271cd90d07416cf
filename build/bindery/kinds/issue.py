"""Issues of the newsletter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from bindery import prose
from bindery.kinds.item import Item, common, fields_of
from bindery.source import Problem, Source

_PICTURE = re.compile(r"!\[(?P<alt>[^\]]*)\]\([ ]*<?(?P<target>[^)\s>]+)")


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
    for match in _PICTURE.finditer(plain):
        alt = source.body[match.start("alt") : match.end("alt")].strip()
        message = _unfit(alt, match["target"])
        if message:
            line = source.body_line + plain.count("\n", 0, match.start())
            problems.append(Problem(path=source.path, line=line, message=message))
    fields.finish("an issue")
    if len(problems) > before or day is None:
        return None
    return Issue(**shared, date=day, number=number, preheader=preheader)


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
