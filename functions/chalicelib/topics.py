"""What somebody can subscribe to: the newsletter, and news of the catalog's products."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chalicelib.catalog import Catalog

NEWSLETTER, RELEASES, SECURITY, LIFE_CYCLE = "newsletter", "releases", "security", "life-cycle"


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """`name` as requests and tables have it; `label` and `meaning` as people read them."""

    name: str
    label: str
    meaning: str

    def as_json(self) -> Mapping[str, str]:
        return {"name": self.name, "label": self.label, "meaning": self.meaning}


FOR_ALL = (
    Topic(
        name=NEWSLETTER,
        label="The newsletter",
        meaning="Every issue: what is new, what is to come, where to meet us.",
    ),
    Topic(name=SECURITY, label="Security", meaning="A mail for each release that fixes a vulnerability."),
    Topic(name=LIFE_CYCLE, label="Ends of support", meaning="A mail before a version's support ends."),
    Topic(name=RELEASES, label="Every release", meaning="A mail for each release of every product."),
)


def of_product(product: str) -> str:
    """The name of the topic of one product's releases."""
    return f"{RELEASES}/{product}"


def topics(catalog: Catalog | None) -> tuple[Topic, ...]:
    """All topics; without a catalog those that need no product."""
    products = catalog.products.values() if catalog else ()
    return (
        *FOR_ALL,
        *(
            Topic(
                name=of_product(product.slug),
                label=f"Releases of {product.name}",
                meaning=f"A mail for each release of {product.name} alone.",
            )
            for product in products
        ),
    )


def labels(names: Iterable[str], catalog: Catalog | None) -> tuple[str, ...]:
    """The labels of topics, in the order of all topics; of one that is no more, its name."""
    known = {topic.name: topic.label for topic in topics(catalog)}
    chosen = tuple(names)
    ordered = [name for name in known if name in chosen]
    return (*(known[name] for name in ordered), *(name for name in chosen if name not in known))
