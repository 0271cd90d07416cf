"""Pages: help articles, introductions of sections, and everything that is only to be read."""

from __future__ import annotations

from dataclasses import dataclass

from bindery.kinds.item import Item, common, fields_of
from bindery.source import Problem, Source


@dataclass(frozen=True, kw_only=True, slots=True)
class Page(Item):
    """A page with nothing more than what all items have."""


def parse(source: Source, problems: list[Problem]) -> Page | None:
    """One page from any other `.md` file; None when it cannot be made (see problems)."""
    fields = fields_of(source, problems)
    before = len(problems)
    shared = common("page", source, fields)
    fields.finish("a page")
    return None if len(problems) > before else Page(**shared)
