"""Defects: what does not work as designed, where it was found, and what helps until it is fixed.

Whether one is open or fixed is no field: it follows from the release notes. `state` says only what they
cannot, and a written `open` or `fixed` is checked against them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from bindery.fields import Fields
from bindery.kinds.item import CVE, VERSION, Item, common, fields_of
from bindery.source import Problem, Source

WILL_NOT, AS_DESIGNED = "will not be fixed", "as designed"
STATES = ("open", "fixed", WILL_NOT, AS_DESIGNED)
DEFECT_ID = re.compile(r"[A-Z][A-Z0-9]*(?:-\d+)+\Z")
_CWE = re.compile(r"CWE-[1-9]\d{0,4}\Z")
_SCORE = re.compile(r"(?:\d\.\d|10\.0)\Z")
_MORE = r"(?:/[A-Z]{1,3}:[A-Za-z]+)*\Z"  # what a vector may say beyond its base
_VECTORS = {  # CVSS specifications of FIRST: the base metrics, each with its values
    "2.0": re.compile(r"AV:[LAN]/AC:[HML]/Au:[MSN]/C:[NPC]/I:[NPC]/A:[NPC]" + _MORE),
    "3.0": re.compile(r"CVSS:3\.0/AV:[NALP]/AC:[LH]/PR:[NLH]/UI:[NR]/S:[UC]/C:[HLN]/I:[HLN]/A:[HLN]" + _MORE),
    "3.1": re.compile(r"CVSS:3\.1/AV:[NALP]/AC:[LH]/PR:[NLH]/UI:[NR]/S:[UC]/C:[HLN]/I:[HLN]/A:[HLN]" + _MORE),
    "4.0": re.compile(
        r"CVSS:4\.0/AV:[NALP]/AC:[LH]/AT:[NP]/PR:[NLH]/UI:[NPA]"
        r"/VC:[HLN]/VI:[HLN]/VA:[HLN]/SC:[HLN]/SI:[HLN]/SA:[HLN]" + _MORE
    ),
}
_EXAMPLES = {
    "2.0": "AV:N/AC:L/Au:N/C:P/I:P/A:P",
    "3.0": "CVSS:3.0/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H",
    "3.1": "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H",
    "4.0": "CVSS:4.0/AV:N/AC:L/AT:N/PR:H/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """How serious a weakness is, by one version of CVSS; `score` from 0.0 to 10.0 as text, `vector` or ""."""

    version: str
    score: str
    vector: str

    @property
    def severity(self) -> str:
        """The word that the specification has for the score; version 2 has none."""
        if self.version == "2.0":
            return ""
        points = float(self.score)
        steps = ((9.0, "Critical"), (7.0, "High"), (4.0, "Medium"), (0.1, "Low"))
        return next((word for least, word in steps if points >= least), "None")


@dataclass(frozen=True, kw_only=True, slots=True)
class Defect(Item):
    """A defect; its `id` is its file's name, and entries of release notes with that id speak of it.

    `state` is what the author wrote, or "". `not_in` are releases that build on an affected one and do not
    have the defect although no entry fixes it. `date` is the day on which it became known.
    """

    product: str
    found_in: tuple[str, ...]
    not_in: tuple[str, ...]
    state: str
    duplicate_of: str
    workaround: str
    date: date | None
    cve: tuple[str, ...]
    cwe: tuple[str, ...]
    cvss: tuple[Score, ...]


def parse(source: Source, problems: list[Problem]) -> Defect | None:
    """One defect from `defects/<ID>.md`; None when it cannot be made (see problems)."""
    fields = fields_of(source, problems)
    before = len(problems)
    shared = common("defect", source, fields)
    stem = source.path.rsplit("/", 1)[-1].removesuffix(".md")
    if not DEFECT_ID.match(stem):
        fields.wrong("id", "given by the file's name,", "CW-1234.md", f"'{stem}.md'")
    if fields.given("id") and shared["id"] != stem:
        fields.wrong("id", "the file's name", f"'{stem}'", f"'{shared['id']}'")
    shared["id"] = stem
    product = fields.text("product", such_as="cityworks", must_be="a product's folder", required=True)
    found_in = fields.texts(
        "found_in", such_as="23.4", must_be="a list of releases", required=True, pattern=VERSION
    )
    not_in = fields.texts("not_in", such_as="24.0", must_be="a list of releases", pattern=VERSION)
    for version in not_in:
        if version in found_in:
            fields.wrong("not_in", "releases that 'found_in' does not name", "24.0", f"'{version}'")
    state = fields.choice("state", STATES)
    duplicate_of = fields.text(
        "duplicate_of", such_as="CW-1234", must_be="the id of another defect", pattern=DEFECT_ID
    )
    if duplicate_of and duplicate_of == stem:
        fields.wrong("duplicate_of", "the id of another defect", "CW-1234", f"'{stem}', this one")
    if fields.given("duplicate_of") and fields.given("state"):
        message = "'state' must be left out beside 'duplicate_of': it is that of the other"
        problems.append(Problem(path=source.path, line=fields.line("state"), message=message))
    workaround = fields.text("workaround", such_as="'Sign in again.'")
    day = fields.date("date", such_as="2025-02-06")
    cve = fields.texts("cve", such_as="CVE-2025-0994", must_be="a list of CVE ids", pattern=CVE)
    if CVE.match(stem) and stem not in cve:
        cve = (stem, *cve)
    cwe = fields.texts("cwe", such_as="CWE-502", must_be="a list of CWE ids", pattern=_CWE)
    cvss = _scores(fields)
    fields.finish("a defect")
    if len(problems) > before:
        return None
    return Defect(
        **shared,
        product=product,
        found_in=found_in,
        not_in=not_in,
        state=state,
        duplicate_of=duplicate_of,
        workaround=workaround,
        date=day,
        cve=cve,
        cwe=cwe,
        cvss=cvss,
    )


def _scores(fields: Fields) -> tuple[Score, ...]:
    scores: list[Score] = []
    for below in fields.mappings("cvss", such_as="'- version: 4.0'"):
        version = below.choice("version", tuple(_VECTORS), required=True, such_as="4.0")
        score = below.text(
            "score", such_as="8.6", must_be="a score from 0.0 to 10.0", required=True, pattern=_SCORE
        )
        example = _EXAMPLES.get(version, _EXAMPLES["4.0"])
        vector = below.text(
            "vector",
            such_as=example,
            must_be=f"a vector of CVSS {version or '4.0'} with all its base metrics in order",
            pattern=_VECTORS.get(version),
        )
        below.finish("a score")
        if version in [other.version for other in scores]:
            fields.wrong("cvss", "a list with each version once", "'- version: 4.0'", f"'{version}' twice")
        scores.append(Score(version=version, score=score, vector=vector))
    return tuple(scores)
