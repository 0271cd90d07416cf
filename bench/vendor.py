"""A vendor's whole archive to measure and to judge with: releases on three lines, defects and their fixes,
issues of a newsletter, events, papers with bibliographies. The same part of it is the same bytes.

It stands beside `archive`, whose pages are long and much alike; here every kind is used, with most of its
fields. Nothing in it is true.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path

GIVEN = Path(__file__).with_name("given")
RELEASES, ISSUES, PAPERS, EVENTS, DEFECTS = 1_000, 300, 100, 50, 200  # of the whole archive
PRODUCT = "works"
LINES = (("15", date(2001, 2, 6)), ("23", date(2009, 3, 10)), ("25", date(2016, 5, 3)))
LAST = date(2026, 11, 17)
OF_A_VERSION = 8  # releases: the version itself and its updates
PLACES = ("Sandy, Utah", "Orlando, Florida", "Indianapolis, Indiana", "Salt Lake City, Utah", "Toronto")
WHO = (
    "Ada Sample", "Bo Sample-Olsen", "Chidi Sample", "Dana O'Sample", "Eva Šámplová", "Finn Sample",
    "Gita Sample", "Hana Sample", "Ivo Sample", "Jo Sample", "Kai Sample", "Lena Sämple",
)  # fmt: skip
AREAS = ("Inspections", "Work orders", "Maps", "Reports", "Permits", "Mobile", "Attachments", "Accounts")
STATES = ("opens again", "keeps its filter", "shows the right total", "prints all columns", "saves off line")
FAULTS = ("loses its filter", "shows no total", "stays at 99 percent", "asks twice", "prints one page only")


@dataclass(kw_only=True)
class Made:
    """A release while it is made up: `fixed` and `mended` are (id, text) below Fixed and Security."""

    line: str
    version: str
    of: str
    released: date
    fixed: list[tuple[str, str]] = field(default_factory=list)
    mended: list[tuple[str, str]] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"releases/{PRODUCT}/{self.version}.md"


def counts(part: float) -> dict[str, int]:
    """How many of each there are in a part of the whole."""
    whole = {"releases": RELEASES, "issues": ISSUES, "papers": PAPERS, "events": EVENTS, "defects": DEFECTS}
    return {name: max(round(number * part), 1) for name, number in whole.items()}


def files(part: float = 1.0) -> Iterator[tuple[str, str]]:
    """(path below content/, text) of all files; a part of less than 1.0 has fewer, over as many years."""
    many = counts(part)
    yield (
        "index.md",
        (GIVEN / "index.md")
        .read_text(encoding="utf-8")
        .replace("vendor:", "hub: https://hub.example.org/\nvendor:", 1),
    )
    yield "policy/support.md", (GIVEN / "vendor-policy.md").read_text(encoding="utf-8")
    yield "help/start.md", _page(["title: Begin here", "sample: true"], [_prose("help", 3), ""])
    yield (
        f"releases/{PRODUCT}/index.md",
        _page(["name: Sample Works", "summary: For crews."], ["All."]),
    )
    releases = _releases(many["releases"])
    defects = list(_defects(many["defects"], releases))
    events = [_event(number, many["events"]) for number in range(many["events"])]
    for release in releases:
        yield release.path, _release(release)
    yield from defects
    yield from events
    for number in range(many["issues"]):
        yield _issue(number, many["issues"], releases)
    for number in range(many["papers"]):
        yield from _paper(number, many["papers"], releases, [path for path, _ in events])


def _releases(count: int) -> list[Made]:
    """From old to new. A fix that one line has goes into the next release of the others, with its id."""
    made: list[Made] = []
    for index, (line, begun) in enumerate(LINES):
        mine = count // len(LINES) + (index < count % len(LINES))
        for number in range(mine):
            version, update = divmod(number, OF_A_VERSION)
            of = f"{line}.{version + 1}"
            released = begun + (LAST - begun) * number // max(mine, 1) + timedelta(days=index)
            name = f"{of}.{update}" if update else of
            made.append(Made(line=line, version=name, of=of if update else "", released=released))
    made.sort(key=lambda release: (release.released, release.version))
    chance = random.Random("fixes")
    waiting: dict[str, list[tuple[str, str]]] = {line: [] for line, _ in LINES}
    number = 1000
    for release in made:
        release.fixed += waiting[release.line]
        waiting[release.line] = []
        for _ in range(chance.randint(2, 6)):
            number += 1
            fix = (f"SW-{number}", f"{chance.choice(AREAS)}: the list {chance.choice(STATES)}.")
            release.fixed.append(fix)
            if chance.random() < 0.25:
                for line, begun in LINES:
                    if line != release.line and begun < release.released:
                        waiting[line].append(fix)
    return made


def _defects(count: int, releases: list[Made]) -> Iterator[tuple[str, str]]:
    """Each is found in a release, and fixed in a later one of every line that has it; some stay open."""
    chance = random.Random("defects")
    for number in range(count):
        name = f"SD-{number + 1:04}"
        place = number * len(releases) // count
        found = [releases[place]]
        other = next((one for one in releases[place + 1 :] if one.line != found[0].line), None)
        if other and chance.random() < 0.4:
            found.append(other)
        secure = number % 10 == 0
        cve = f"CVE-{max(found[0].released.year, 2001)}-9{number:04}"
        title = f"{chance.choice(AREAS)}: the list {chance.choice(FAULTS)}"
        if chance.random() < 0.8:
            for release in found:
                later = [one for one in releases if one.line == release.line and _after(one, found)]
                if later:
                    fixing = later[min(chance.randint(0, 3), len(later) - 1)]
                    (fixing.mended if secure else fixing.fixed).append((name, f"{title} no more."))
        front = [
            f"title: {json.dumps(title)}",
            f"product: {PRODUCT}",
            f"found_in: {json.dumps([one.version for one in found])}",
            "workaround: Close the list and open it again.",
            *([f"cve: [{cve}]"] if secure else []),
            f"summary: {_sentence(chance)}",
            "sample: true",
        ]
        yield f"defects/{name}.md", _page(front, [_prose(name, 2), "", "1. Open the list.", "2. Look.", ""])


def _after(release: Made, found: list[Made]) -> bool:
    return all(release.released > one.released for one in found)


def _release(release: Made) -> str:
    chance = random.Random(release.path)
    file = f"{PRODUCT}-{release.version}.zip"
    front = [
        f'version: "{release.version}"',
        f"released: {release.released}",
        f"kind: {'update' if release.of else 'version'}",
        f'of: "{release.of}"' if release.of else f'line: "{release.line}"',
        f"summary: {_sentence(chance)}",
        *(["requires_stop: true"] if not release.of and release.version.endswith("4") else []),
        *(
            [f"security: [CVE-{release.released.year}-8{chance.randint(1000, 9999)}]"]
            if release.mended
            else []
        ),
        "files:",
        f"  - {{name: {file}, size: {chance.randint(10**6, 10**9)}, platform: windows,",
        f"     sha256: {sha256(file.encode()).hexdigest()}}}",
        "sample: true",
    ]
    body = [_prose(release.path, 2), ""]
    stem = release.version.replace(".", "-")
    sections = [
        ("New", [(f"N-{stem}-{place}", _sentence(chance)) for place in range(chance.randint(0, 4))]),
        ("Fixed", release.fixed),
        ("Security", release.mended),
        ("Breaking changes", [(f"B-{stem}", _sentence(chance))] if not release.of else []),
    ]
    for title, entries in sections:
        if entries:
            body += [f"## {title}", "", *(f"- {name}: {text}" for name, text in entries), ""]
    body += ["## Requirements", "", "| Part | Needs |", "|---|---|", "| Server | 8 GB & more |", ""]
    return _page(front, body)


def _issue(number: int, count: int, releases: list[Made]) -> tuple[str, str]:
    path = f"newsletter/issue-{number + 1:03}.md"
    chance = random.Random(path)
    first = LINES[0][1]
    day = first + (LAST - first) * number // count
    told = [release for release in releases if release.released <= day][-2:]
    front = [f"title: Sample news {number + 1}", f"date: {day}", f"number: {number + 1}"]
    front += [f"summary: {_sentence(chance)}", f"preheader: {_sentence(chance)}", "sample: true"]
    body = [f"## {chance.choice(AREAS)} & more", "", _prose(path, 3), ""]
    body += [f"- [Sample Works {release.version}](../{release.path})" for release in told]
    body += ["", "> " + _sentence(chance), "", _prose(path + "2", 2), ""]
    return path, _page(front, body)


def _event(number: int, count: int) -> tuple[str, str]:
    path = f"events/days-{number + 1:03}.md"
    chance = random.Random(path)
    first = LINES[0][1]
    start = first + (LAST + timedelta(days=200) - first) * number // count
    front = [
        f"title: Sample days {number + 1}",
        f"start: {start}",
        f"end: {start + timedelta(days=number % 4)}",
        f'place: "{chance.choice(PLACES)}"',
        f"role: {chance.choice(('host', 'exhibitor', 'speaker'))}",
        f"url: https://www.example.org/days/{number + 1}",
        f"summary: {_sentence(chance)}",
        "sample: true",
    ]
    return path, _page(front, [_prose(path, 2), ""])


def _paper(number: int, count: int, releases: list[Made], events: list[str]) -> Iterator[tuple[str, str]]:
    """A paper and its bibliography; one in five is to be had as PDF."""
    stem = f"paper-{number + 1:03}"
    chance = random.Random(stem)
    first = LINES[0][1]
    day = first + (LAST - first) * number // count
    features = [one for one in releases if one.released <= day][-1:]
    event = events[number * len(events) // count].removeprefix("events/").removesuffix(".md")
    authors = chance.sample(WHO, chance.randint(1, 3))
    front = [
        f"title: {json.dumps(_sentence(chance).rstrip('.'))}",
        "authors:",
        *(
            f"  - {{name: {json.dumps(name, ensure_ascii=False)}, affiliation: Sample County}}"
            for name in authors
        ),
        f"date: {day}",
        f"abstract: {json.dumps(_prose(stem, 1).replace('**', ''))}",
        f"keywords: [{chance.choice(AREAS).lower()}, sample]",
        f"bibliography: {stem}.bib",
        f"event: {event}",
        *(f'features: ["{PRODUCT}/{one.version}"]' for one in features),
        *(["pdf: true"] if number % 5 == 0 else []),
        f"summary: {_sentence(chance)}",
        "sample: true",
    ]
    body = [
        "## Introduction", "", f"{_prose(stem + 'a', 2)} As others found [@first2004], it holds.[^1]", "",
        "## Method", "", f"{_prose(stem + 'b', 2)} See [@second2019; @first2004].", "",
        "| Crew | Jobs |", "|---|---:|", f"| North | {chance.randint(10, 99)} |", "| South | 31 |",
        "", "1. We counted.", "2. We asked.", "", "[^1]: In a district that does not exist.",
    ]  # fmt: skip
    yield f"papers/{stem}.md", _page(front, body)
    yield f"papers/{stem}.bib", (GIVEN / "works.bib").read_text(encoding="utf-8")


def _page(front: list[str], body: list[str]) -> str:
    return "\n".join(["---", *front, "---", "", *body]).rstrip("\n") + "\n"


def _prose(seed: str, sentences: int) -> str:
    chance = random.Random(seed)
    return " ".join(_sentence(chance) for _ in range(3 * sentences))


def _sentence(chance: random.Random) -> str:
    return " ".join(chance.choices(_words(), k=chance.randint(8, 16))).capitalize() + "."


@cache
def _words() -> list[str]:
    return (GIVEN / "words.txt").read_text(encoding="utf-8").split()
