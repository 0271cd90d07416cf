"""Products: what releases are releases of."""

from __future__ import annotations

from dataclasses import dataclass

from bindery.kinds.item import Item, common, fields_of
from bindery.source import Problem, Source


@dataclass(frozen=True, kw_only=True, slots=True)
class Product(Item):
    """A product; `product` is its folder's name, `identifiers` what others call it (purl, cpe)."""

    product: str
    name: str
    identifiers: tuple[str, ...]


def parse(source: Source, problems: list[Problem]) -> Product | None:
    """One product from `releases/<product>/index.md`; None when it cannot be made (see problems)."""
    fields = fields_of(source, problems)
    before = len(problems)
    name = fields.text("name", such_as="Cityworks", must_be="the product's name", required=True)
    shared = common("product", source, fields, title=name or "product")
    identifiers = fields.texts("identifiers", such_as="'cpe:2.3:a:trimble:cityworks:*:*:*:*:*:*:*:*'")
    fields.finish("a product")
    if len(problems) > before:
        return None
    return Product(**shared, product=source.path.split("/")[1], name=name, identifiers=identifiers)
