"""Papers given at conferences."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from bindery import manuscript, mathematics, prose, references
from bindery.kinds.item import Item, common, fields_of
from bindery.references import Citation
from bindery.source import Problem, Source

_ORCID = re.compile(r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]\Z")
_NAME = re.compile(r"(?!.*\sand\s)[^,;{}\\]+\Z", re.DOTALL)
_BIB = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.bib\Z")


class Author(NamedTuple):
    """An author as the paper names them; `orcid` is "" when there is none."""

    name: str
    affiliation: str
    orcid: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Paper(Item):
    """A paper; `event` is an event's slug, `features` are releases as `<product>/<version>`.

    `bibliography` is the name of a .bib file beside it, `citations` are the places where its text cites.
    """

    authors: tuple[Author, ...]
    date: date
    abstract: str
    event: str
    keywords: tuple[str, ...]
    bibliography: str
    features: tuple[str, ...]
    pdf: bool
    citations: tuple[Citation, ...]


def _checks(orcid: str) -> bool:
    """The check digit of ISO/IEC 7064, MOD 11-2, which tells most slips of the hand."""
    total = 0
    for digit in orcid.replace("-", "")[:-1]:
        total = (total + int(digit)) * 2
    return "0123456789X"[(12 - total % 11) % 11] == orcid[-1]


def parse(source: Source, problems: list[Problem]) -> Paper | None:
    """One paper from `papers/<slug>.md`; None when it cannot be made (see problems)."""
    fields = fields_of(source, problems)
    before = len(problems)
    plain = mathematics.blanked(prose.without_code(source.body), source.body)
    shared = common("paper", source, fields, plain=plain)
    authors = []
    for below in fields.mappings("authors", such_as="'- name: …'", required=True):
        authors.append(
            Author(
                name=" ".join(
                    below.text(
                        "name",
                        such_as="'D. J. Vanier'",
                        must_be="one person's name, as it is spoken,",
                        required=True,
                        pattern=_NAME,
                    ).split()
                ),
                affiliation=below.text("affiliation", such_as="'Azteca Systems'"),
                orcid=below.text(
                    "orcid", such_as="0000-0002-1825-0097", must_be="an ORCID iD", pattern=_ORCID
                ),
            )
        )
        if authors[-1].orcid and not _checks(authors[-1].orcid):
            below.wrong(
                "orcid", "an ORCID iD whose last sign fits", "0000-0002-1825-0097", f"'{authors[-1].orcid}'"
            )
        below.finish("an author")
    names = [author.name for author in authors if author.name]
    for twice in sorted({name for name in names if names.count(name) > 1}):
        fields.wrong(
            "authors", "a list of authors that each stand once", "'D. J. Vanier'", f"'{twice}' twice"
        )
    day = fields.date("date", required=True)
    abstract = fields.text("abstract", such_as="'What the paper shows, in a paragraph.'", required=True)
    event = fields.text("event", such_as="cityworks-conference-2016", must_be="the file name of an event")
    keywords = fields.texts("keywords", such_as="'asset management'")
    bibliography = fields.text(
        "bibliography", such_as="references.bib", must_be="a .bib file beside the paper", pattern=_BIB
    )
    features = fields.texts(
        "features",
        such_as="cityworks/23.10",
        must_be="a list of releases",
        pattern=re.compile(r"[^/\s]+/[^/\s]+"),
    )
    pdf = fields.flag("pdf")
    fields.finish("a paper")
    problems += manuscript.text_problems(source.body, source.body_line, source.path)
    if pdf:
        problems += manuscript.problems(source.body, source.body_line, source.path)
    if len(problems) > before or day is None:
        return None
    return Paper(
        **shared,
        authors=tuple(authors),
        date=day,
        abstract=abstract,
        event=event,
        keywords=keywords,
        bibliography=bibliography,
        features=features,
        pdf=pdf,
        citations=references.citations(plain, source.body, source.body_line, sentences=bool(bibliography)),
    )
