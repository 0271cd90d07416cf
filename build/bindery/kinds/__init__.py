"""The kinds of content, each in a module of its own. To add one: add a module and a line to `KINDS`."""

from __future__ import annotations

import re
from collections.abc import Callable

from bindery.kinds import defect, event, home, issue, page, paper, policy, product, release, tombstone
from bindery.kinds.item import Item
from bindery.source import Problem, Source

Parse = Callable[[Source, list[Problem]], Item | None]

# The first pattern that fits a path below the content folder decides its kind.
KINDS: tuple[tuple[str, re.Pattern[str], Parse], ...] = (
    ("home", re.compile(r"index\.md"), home.parse),
    ("product", re.compile(r"releases/[^/]+/index\.md"), product.parse),
    ("release", re.compile(r"releases/[^/]+/[^/]+\.md"), release.parse),
    ("page", re.compile(r"(?:releases|newsletter|papers|events|defects)/index\.md"), page.parse),
    ("issue", re.compile(r"newsletter/[^/]+\.md"), issue.parse),
    ("paper", re.compile(r"papers/[^/]+\.md"), paper.parse),
    ("event", re.compile(r"events/[^/]+\.md"), event.parse),
    ("defect", re.compile(r"defects/[^/]+\.md"), defect.parse),
    ("policy", re.compile(r"policy/support\.md"), policy.parse),
    ("tombstone", re.compile(r"gone/[^/]+\.md"), tombstone.parse),
    ("page", re.compile(r"(?!(?:releases|newsletter|papers|events|defects|gone)/).+\.md"), page.parse),
)

# Bibliographies of papers: read, and not published.
BIBLIOGRAPHY = re.compile(r"papers/[^/]+\.bib")


def parse(source: Source, problems: list[Problem]) -> Item | None:
    """Read a file as the kind that its path says; None when it is not sound (see problems)."""
    for _, pattern, parse_kind in KINDS:
        if pattern.fullmatch(source.path):
            return parse_kind(source, problems)
    folder = source.path.partition("/")[0]
    where = "releases/<product>/<version>.md" if folder == "releases" else f"{folder}/<name>.md"
    problems.append(
        Problem(path=source.path, line=1, message=f"the file must be at {where}, not in a folder of its own")
    )
    return None
