"""Defects: what does not work as designed, where it was found, and what helps until it is fixed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bindery.kinds.item import CVE, VERSION, Item, common, fields_of
from bindery.source import Problem, Source

STATES = ("open", "fixed", "will not be fixed")
_DEFECT_ID = re.compile(r"[A-Z][A-Z0-9]*(?:-\d+)+\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Defect(Item):
    """A defect; its `id` is its file's name, and entries of release notes with that id speak of it."""

    product: str
    found_in: tuple[str, ...]
    state: str
    workaround: str
    cve: tuple[str, ...]


def parse(source: Source, problems: list[Problem]) -> Defect | None:
    """One defect from `defects/<ID>.md`; None when it cannot be made (see problems)."""
    fields = fields_of(source, problems)
    before = len(problems)
    shared = common("defect", source, fields)
    stem = source.path.rsplit("/", 1)[-1].removesuffix(".md")
    if not _DEFECT_ID.match(stem):
        fields.wrong("id", "given by the file's name,", "CW-1234.md", f"'{stem}.md'")
    if fields.given("id") and shared["id"] != stem:
        fields.wrong("id", "the file's name", f"'{stem}'", f"'{shared['id']}'")
    shared["id"] = stem
    product = fields.text("product", such_as="cityworks", must_be="a product's folder", required=True)
    found_in = fields.texts(
        "found_in", such_as="23.4", must_be="a list of releases", required=True, pattern=VERSION
    )
    state = fields.choice("state", STATES, default="open")
    workaround = fields.text("workaround", such_as="'Sign in again.'")
    cve = fields.texts("cve", such_as="CVE-2025-0994", must_be="a list of CVE ids", pattern=CVE)
    fields.finish("a defect")
    if len(problems) > before:
        return None
    return Defect(**shared, product=product, found_in=found_in, state=state, workaround=workaround, cve=cve)
