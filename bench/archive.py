"""Archives to measure with: a vendor's releases, help pages and newsletters over many years, from a seed.

The same number of pages gives the same bytes. About 1,000 words a page: paragraphs, lists, a table, a block
of code, and links to other pages. Nothing here says anything true; it only has the shape of a support site.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path

GIVEN = Path(__file__).with_name("given")
PRODUCTS = ("works", "permits", "storeroom")
FIRST_YEAR = 2001
YEARS = 25
TOPICS = ("installing", "maps", "work-orders", "inspections", "reports", "mobile", "accounts", "printing")
VERBS = ("opens", "keeps", "shows", "checks", "writes", "reads", "sends", "finds", "moves", "prints")
LINKS = 4
ENTRIES = (
    ("New", range(1, 10)),
    ("Changed", range(10, 19)),
    ("Fixed", range(19, 38)),
    ("Known issues", range(38, 41)),
)


def files(pages: int) -> Iterator[tuple[str, str]]:
    """(path below content/, text) of an archive of about that many pages; the same for the same number."""
    for path in ("index.md", "policy/support.md"):
        yield path, (GIVEN / path).read_text(encoding="utf-8")
    releases = list(_releases(pages * 45 // 100))
    newsletters = pages * 5 // 100
    helps = pages - len(releases) - newsletters - len(PRODUCTS) - 2
    paths = [path for path, *_ in releases] + [_help_path(number) for number in range(helps)]
    for product in PRODUCTS:
        yield f"releases/{product}/index.md", f"---\nname: Sample {product.title()}\n---\n\nReleases.\n"
    before = ""
    for path, product, version, released, of in releases:
        prefix = f"{product[:2].upper()}-{version.replace('.', '')}"
        fixed = before if before[:2] == prefix[:2] else ""
        yield path, _release(path, prefix, version, released, of, fixed, paths)
        before = prefix
    for number in range(helps):
        path = _help_path(number)
        yield path, _help(path, number, paths)
    for number in range(newsletters):
        yield _newsletter(number, newsletters, paths)


def edited(text: str) -> str:
    """A page after somebody added a sentence to it."""
    return text.rstrip("\n") + "\n\nThis sentence was added today, and nothing else was changed.\n"


def edited_page(pages: int) -> str:
    """The page that "one edit" edits: a help page in the middle of the archive."""
    return _help_path(pages // 4)


def _help_path(number: int) -> str:
    return f"help/{TOPICS[number % len(TOPICS)]}/part-{number // 200:02}/article-{number:05}.md"


def _releases(count: int) -> Iterator[tuple[str, str, str, date, str]]:
    """Each product has a version a year and updates spread over the two years after it."""
    for index, product in enumerate(PRODUCTS):
        mine = count // len(PRODUCTS) + (index < count % len(PRODUCTS))
        for number in range(mine):
            year, place = number * YEARS // max(mine, 1), 0
            first = -(-year * mine // YEARS)
            place = number - first
            in_year = max(-(-(year + 1) * mine // YEARS) - first, 1)
            released = date(FIRST_YEAR + year, 1, 15) + timedelta(days=330 * place // in_year)
            of = f"{year + 1}.0"
            version = of if place == 0 else f"{year + 1}.0.{place}"
            yield f"releases/{product}/{version}.md", product, version, released, "" if place == 0 else of


def _release(
    path: str, prefix: str, version: str, released: date, of: str, fixed: str, paths: list[str]
) -> str:
    """`prefix` begins the ids of its entries; what was known to be wrong in `fixed`, it mends."""
    chance = random.Random(path)
    front = [f'version: "{version}"', f"released: {released}", f"kind: {'update' if of else 'version'}"]
    front += [f'of: "{of}"'] if of else []
    front += [f"summary: {_sentence(chance)}", "sample: true"]
    body = [_paragraph(chance), ""]
    for section, numbers in ENTRIES:
        body += [f"## {section}", ""]
        if section == "Fixed" and fixed:
            body += [f"- {fixed}{number:02}: {_sentence(chance)}" for number in ENTRIES[-1][1]]
        body += [f"- {prefix}{number:02}: {_sentence(chance)}" for number in numbers]
        body.append("")
    body += ["## Requirements", "", *_table(chance), "", "## Upgrade notes", ""]
    body += [_paragraph(chance), "", *_code(chance), "", _paragraph(chance), "", *_links(chance, path, paths)]
    return _page(front, body)


def _help(path: str, number: int, paths: list[str]) -> str:
    chance = random.Random(path)
    topic = path.split("/")[1].replace("-", " ")
    front = [f"title: How to use {topic}, part {number}", f"summary: {_sentence(chance)}", "sample: true"]
    body = [_paragraph(chance), ""]
    for heading in range(4):
        words = " ".join(chance.choices(_words(), k=3))
        body += [f"## {words.capitalize()} {heading + 1}", "", _paragraph(chance), "", _paragraph(chance), ""]
        body += [f"{step}. {_sentence(chance)}" for step in range(1, 6)]
        body.append("")
    body += [*_table(chance), "", *_code(chance), "", *_links(chance, path, paths)]
    return _page(front, body)


def _newsletter(number: int, count: int, paths: list[str]) -> tuple[str, str]:
    path = f"newsletter/issue-{number:04}.md"
    chance = random.Random(path)
    day = date(FIRST_YEAR, 2, 1) + timedelta(days=number * 365 * YEARS // count)
    front = [
        f"title: Sample news {number}",
        f"date: {day}",
        f'number: "{number}"',
        f"summary: {_sentence(chance)}",
    ]
    body = []
    for heading in range(5):
        body += [f"## {_sentence(chance).rstrip('.')}, {heading}", ""]
        body += [_paragraph(chance), "", _paragraph(chance), ""]
    body += [*_table(chance), "", *_links(chance, path, paths)]
    return path, _page([*front, "sample: true"], body)


def _page(front: list[str], body: list[str]) -> str:
    return "\n".join(["---", *front, "---", "", *body]).rstrip("\n") + "\n"


def _sentence(chance: random.Random) -> str:
    words = chance.choices(_words(), k=chance.randint(10, 18))
    words[2] = chance.choice(VERBS)
    return " ".join(words).capitalize() + "."


def _paragraph(chance: random.Random) -> str:
    sentences = [_sentence(chance) for _ in range(5)]
    sentences[1] = sentences[1].replace(" ", " **", 1).replace(" ", "** ", 2).replace("** **", " **", 1)
    sentences[3] = sentences[3].rstrip(".") + f" `{chance.choice(_words())}.{chance.choice(_words())}`."
    return " ".join(sentences)


def _table(chance: random.Random) -> list[str]:
    rows = [" | ".join(chance.choices(_words(), k=4)) for _ in range(7)]
    return ["| Name | Value | Unit | Note |", "|---|---|---|---|", *(f"| {row} |" for row in rows)]


def _code(chance: random.Random) -> list[str]:
    lines = [
        f"set_{chance.choice(_words())}({chance.choice(_words())!r}, {chance.randint(1, 99)})"
        for _ in range(5)
    ]
    return ["```python", *lines, "```"]


def _links(chance: random.Random, path: str, paths: list[str]) -> list[str]:
    up = "../" * path.count("/")
    return ["See also:", "", *(f"- [{_label(to)}]({up}{to})" for to in chance.choices(paths, k=LINKS))]


@cache
def _words() -> list[str]:
    return (GIVEN / "words.txt").read_text(encoding="utf-8").split()


def _label(path: str) -> str:
    return path.rsplit("/", 1)[1].removesuffix(".md").replace("-", " ")
