"""Pages: help articles, introductions of sections, and everything that is only to be read."""

from __future__ import annotations

from dataclasses import dataclass

from bindery.kinds.item import Item, common, fields_of
from bindery.source import Problem, Source


@dataclass(frozen=True, kw_only=True, slots=True)
class Page(Item):
    """A page to read. `topic` is the heading that a help article stands under in the list of help;
    `topics`, in `help/index.md`, gives the order of those headings."""

    topic: str = ""
    topics: tuple[str, ...] = ()


def parse(source: Source, problems: list[Problem]) -> Page | None:
    """One page from any other `.md` file; None when it cannot be made (see problems)."""
    fields = fields_of(source, problems)
    before = len(problems)
    shared = common("page", source, fields)
    topic = fields.text("topic", such_as="'Releases and upgrades'")
    if topic and not (source.path.startswith("help/") and source.path != "help/index.md"):
        fields.wrong("topic", "in an article below help/", "help/iis.md", f"'{source.path}'")
    topics = fields.texts("topics", such_as="'Get help'", must_be="a list of topics")
    if topics and source.path != "help/index.md":
        fields.wrong("topics", "in help/index.md", "help/index.md", f"'{source.path}'")
    fields.finish("a page")
    return None if len(problems) > before else Page(**shared, topic=topic, topics=topics)
