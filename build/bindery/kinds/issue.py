"""Issues of the newsletter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bindery.kinds.item import Item, common, fields_of
from bindery.source import Problem, Source


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
    fields.finish("an issue")
    if len(problems) > before or day is None:
        return None
    return Issue(**shared, date=day, number=number, preheader=preheader)
