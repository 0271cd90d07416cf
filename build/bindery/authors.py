"""Authors: who wrote which paper, one person as one, however many papers they wrote.

An ORCID iD names a person for certain; a name without one is that of the only person who bears it, if there
is but one. It must not know how a page looks.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from bindery.checks import AUTHORS
from bindery.kinds.paper import Author, Paper
from bindery.library import Library

_SUFFIXES = frozenset({"Jr.", "Jr", "Sr.", "Sr", "II", "III", "IV"})
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """An author with all their papers, the newest first. `name` and `affiliation` are those of the newest."""

    slug: str
    name: str
    orcid: str
    affiliation: str
    papers: tuple[Paper, ...]

    @property
    def sample(self) -> bool:
        """Whether nothing that we know of this person is real."""
        return all(paper.sample for paper in self.papers)

    @property
    def url(self) -> str:
        return f"{AUTHORS}{self.slug}/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Authors:
    """Every author, by address; `of` finds one by the paper's path and their place in its list, from 0."""

    persons: tuple[Person, ...]
    of: Mapping[tuple[str, int], Person]


def authors(library: Library) -> Authors:
    """The authors of all papers that readers may see.

    An address is made of the name on a person's oldest paper, so newer papers never move it. Where two
    persons would have the same, the one whose papers began earlier has it, and the other's ends in their
    ORCID iD's last digits or in a number.
    """
    orcids: dict[str, set[str]] = defaultdict(set)
    for paper in library.papers:
        for author in paper.authors:
            if author.orcid:
                orcids[_folded(author.name)].add(author.orcid)
    written: dict[str, list[tuple[Paper, int]]] = {}
    for paper in library.papers:  # from old to new
        for place, author in enumerate(paper.authors):
            bearers = orcids[_folded(author.name)]
            identity = author.orcid or (next(iter(bearers)) if len(bearers) == 1 else _folded(author.name))
            written.setdefault(identity, []).append((paper, place))
    taken: set[str] = set()
    persons, of = [], {}
    for works in written.values():
        told = [paper.authors[place] for paper, place in works]
        orcid = next((author.orcid for author in told if author.orcid), "")
        slug = _unique(_slug(told[0].name), orcid, taken)
        taken.add(slug)
        person = Person(
            slug=slug,
            name=told[-1].name,
            orcid=orcid,
            affiliation=next((author.affiliation for author in reversed(told) if author.affiliation), ""),
            papers=tuple({paper.path: paper for paper, _ in reversed(works)}.values()),
        )
        persons.append(person)
        of.update({(paper.path, place): person for paper, place in works})
    return Authors(persons=tuple(sorted(persons, key=lambda person: person.slug)), of=of)


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def unaccented(text: str) -> str:
    """Small letters without their accents, as lists are sorted: `ångström` is `angstrom`."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(character for character in plain if not unicodedata.combining(character))


def _slug(name: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", unaccented(name)).strip("-")
    return slug or f"author-{hashlib.blake2b(name.encode(), digest_size=4).hexdigest()}"


def _unique(slug: str, orcid: str, taken: set[str]) -> str:
    if slug not in taken:
        return slug
    if orcid and f"{slug}-{orcid[-4:].lower()}" not in taken:
        return f"{slug}-{orcid[-4:].lower()}"
    number = 2
    while f"{slug}-{number}" in taken:
        number += 1
    return f"{slug}-{number}"


def parts(author: Author | Person) -> dict[str, str]:
    """The name in the parts that CSL-JSON and BibTeX sort by: `Ludwig van Beethoven` is family `Beethoven`.

    A name of one word, and one that cannot be told apart, is `literal`.
    """
    words = author.name.split()
    suffix = words.pop() if len(words) > 2 and words[-1] in _SUFFIXES else ""
    if len(words) < 2:
        return {"literal": author.name}
    start = next((at for at, word in enumerate(words[1:-1], 1) if word[0].islower()), len(words) - 1)
    end = start
    while end < len(words) - 1 and words[end][0].islower():
        end += 1
    told = {
        "family": " ".join(words[end:]),
        "given": " ".join(words[:start]),
        "non-dropping-particle": " ".join(words[start:end]),
        "suffix": suffix,
    }
    return {name: value for name, value in told.items() if value}


def sorted_name(author: Author | Person) -> str:
    """As a list sorts it: `Beethoven, Ludwig van`."""
    told = parts(author)
    if "literal" in told:
        return told["literal"]
    given = " ".join(told[name] for name in ("given", "non-dropping-particle", "suffix") if name in told)
    return f"{told['family']}, {given}"
