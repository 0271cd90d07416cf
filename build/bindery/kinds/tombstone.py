"""Tombstones: what was published, is gone on purpose, and why. A page stands at each address that is gone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bindery.kinds.item import OLD_PATH, Item, common, fields_of
from bindery.source import Problem, Source

_FILE = re.compile(r".*\.(?:html?|json|rss|atom|opml|ics|xml|pdf|bib|csv|txt)\Z")
_ID = re.compile(r"\S+\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tombstone(Item):
    """`gone` are addresses, those of pages with a slash at their end; `ids` those of feed entries, calendar
    entries and fixes that did not stand on such a page alone; `because` is a sentence for readers."""

    gone: tuple[str, ...]
    ids: tuple[str, ...]
    because: str

    @property
    def pages(self) -> tuple[str, ...]:
        """The addresses at which it is a page: its own when no page is gone."""
        return tuple(address for address in self.gone if address.endswith("/")) or (self.url,)


def parse(source: Source, problems: list[Problem]) -> Tombstone | None:
    """One tombstone from `gone/<name>.md`; None when it cannot be made (see problems)."""
    fields = fields_of(source, problems)
    before = len(problems)
    shared = common("tombstone", source, fields)
    gone = tuple(
        address if _FILE.fullmatch(address) else f"{address}/"
        for address in (
            given.strip("/")
            for given in fields.texts(
                "gone", such_as="help/old-page/", must_be="a list of addresses", pattern=OLD_PATH
            )
        )
    )
    ids = fields.texts("ids", such_as="cityworks/CW-1234", must_be="a list of ids", pattern=_ID)
    because = fields.text(
        "because", such_as="'The product that it spoke of is no longer made.'", required=True
    )
    if not fields.given("gone") and not fields.given("ids"):
        fields.wrong("gone", "given, or 'ids',", "help/old-page/", "left out")
    fields.finish("a tombstone")
    if len(problems) > before:
        return None
    tombstone = Tombstone(**shared, gone=gone, ids=ids, because=because)
    # Other files link to a tombstone by its first page.
    return Tombstone(**(shared | {"url": tombstone.pages[0]}), gone=gone, ids=ids, because=because)
