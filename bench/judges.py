"""Judges of a finished site that are not ours: parsers, grammars and schemas, over everything that was made.

Each judge is given the folder of a site and yields what it looked at and what is wrong with it; it changes
nothing. `verdicts` runs them all.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import feedparser
import icalendar
import jsonschema
import pypdf
import vobject
from lxml import etree

SCHEMAS = Path(__file__).resolve().parent.parent / "tests/bindery/schemas"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
LINK = re.compile(rb'\s(?:href|src)=(?:"([^"]*)"|([^\s>"]+))')
JSON_LD = re.compile(rb'<script type="?application/ld\+json"?>(.*?)</script>', re.DOTALL)
FORMS = ("atom", "rss", "json")


@dataclass(frozen=True, kw_only=True)
class Site:
    """What is judged: the finished site, the address that it was built for (with a slash at its end), and the
    content that it was made from."""

    public: Path
    url: str
    content: Path


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a judge says: how many things of which kind it looked at, and each fault with its file."""

    judge: str
    looked_at: int
    faults: tuple[str, ...]


def verdicts(site: Site) -> Iterator[Verdict]:
    """The verdict of every judge."""
    for name, judge in JUDGES.items():
        looked_at, faults = 0, []
        for path, fault in judge(site):
            looked_at += 1
            if fault:
                faults.append(f"{path}: {fault}")
        yield Verdict(judge=name, looked_at=looked_at, faults=tuple(faults))


Findings = Iterator[tuple[str, str]]  # what was looked at, and what is wrong with it: "" when nothing is


def _schema(name: str) -> Any:
    return json.loads((SCHEMAS / name).read_text("utf-8"))


def _files(folder: Path, pattern: str) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob(pattern)):
        yield path.relative_to(folder).as_posix(), path


def _first(errors: Iterator[jsonschema.ValidationError]) -> str:
    error = next(errors, None)
    return f"{error.json_path}: {error.message[:200]}" if error else ""


def atom(site: Site) -> Findings:
    """Atom's RELAX NG grammar (RFC 4287, appendix B)."""
    grammar = etree.RelaxNG(etree.parse(SCHEMAS / "atom.rng"))
    for name, path in _files(site.public / "feeds", "*.atom"):
        yield name, "" if grammar.validate(etree.parse(path)) else str(grammar.error_log.last_error)


def rss(site: Site) -> Findings:
    """feedparser finds nothing malformed, and every item has what a reader needs."""
    for name, path in _files(site.public / "feeds", "*.rss"):
        feed = feedparser.parse(path.read_bytes())
        lacking = [
            entry.get("id", "an item")
            for entry in feed.entries
            if not all(entry.get(field) for field in ("id", "title", "link", "published_parsed", "content"))
        ]
        yield (
            name,
            str(feed.get("bozo_exception", "")) or (f"{lacking[0]} lacks something" if lacking else ""),
        )


def json_feed(site: Site) -> Findings:
    """The JSON Schema of JSON Feed 1.1."""
    checker = jsonschema.FormatChecker()
    validator = jsonschema.Draft7Validator(_schema("jsonfeed.schema.json"), format_checker=checker)
    for name, path in _files(site.public / "feeds", "*.json"):
        yield name, _first(validator.iter_errors(json.loads(path.read_text("utf-8"))))


def chains(site: Site) -> Findings:
    """Each feed, walked from its newest document back to the oldest, has every entry once, in each form."""
    walked: set[str] = set()
    told: dict[str, list[list[str]]] = {}
    for form in FORMS:
        for name, path in _files(site.public / "feeds", f"*.{form}"):
            if name.startswith("archive/"):
                continue
            ids: list[str] = []
            address = f"{site.url}feeds/{name}"
            while address and address not in walked:
                walked.add(address)
                found, address = _document(site.public / address.removeprefix(site.url), form)
                ids += found
            told.setdefault(name.rpartition(".")[0], []).append(ids)
            twice = [id_ for id_, times in Counter(ids).items() if times > 1]
            fault = f"{twice[0]} stands in it more than once" if twice else ""
            fault = fault or (f"{address} comes a second time" if address else "")
            yield name, fault or ("" if path.stat().st_size else "is empty")
    for name, forms in sorted(told.items()):
        yield name, "" if len(forms) == 3 and forms[0] == forms[1] == forms[2] else "the forms do not agree"
    made = {
        f"{site.url}feeds/{name}" for form in FORMS for name, _ in _files(site.public / "feeds", f"*.{form}")
    }
    yield "feeds", f"no chain leads to {sorted(made - walked)[0]}" if made - walked else ""
    for kind in ("releases", "newsletter", "papers", "events"):
        items = {
            path.relative_to(site.content).as_posix().removesuffix(".md")
            for path in (site.content / kind).rglob("*.md")
            if path.name != "index.md"
        }
        missing = items - {id_.partition(":")[2].partition(":")[2] for id_ in told[kind][0]}
        yield kind, f"no entry tells of {sorted(missing)[0]}" if missing else ""


def _document(path: Path, form: str) -> tuple[list[str], str]:
    """The ids in a document of a feed, and the address of the archive before it."""
    if form == "json":
        feed = json.loads(path.read_text("utf-8"))
        return [item["id"] for item in feed["items"]], feed.get("next_url", "")
    parsed = feedparser.parse(path.read_bytes())
    before = [link.href for link in parsed.feed.links if link.rel == "prev-archive"]
    return [entry.id for entry in parsed.entries], before[0] if before else ""


def feed_links(site: Site) -> Findings:
    """Every address in an entry's text stands by itself, wherever it is read."""
    for name, path in _files(site.public / "feeds", "*.json"):
        relative = [
            link
            for item in json.loads(path.read_text("utf-8"))["items"]
            for link in re.findall(r'\s(?:href|src)="([^"]*)"', item["content_html"])
            if not link.startswith(("https://", "http://", "mailto:", "tel:", "#"))
        ]
        yield name, f"{relative[0]} is no whole address" if relative else ""


def calendars(site: Site) -> Findings:
    """vobject and icalendar read each calendar, and no UID stands twice."""
    for name, path in _files(site.public, "*.ics"):
        text = path.read_bytes()
        calendar = vobject.readOne(text.decode(), validate=True)
        calendar.validate(raiseException=True)
        events = icalendar.Calendar.from_ical(text).events
        uids = [str(event["UID"]) for event in events]
        yield name, "" if len(set(uids)) == len(uids) and uids else "a UID stands twice, or there is none"


def life_cycles(site: Site) -> Findings:
    """endoflife.date's schema, and OpenEoX core with its formats."""
    checker = jsonschema.FormatChecker()
    shape = jsonschema.Draft202012Validator(_schema("eol-product.schema.json"), format_checker=checker)
    for name, path in _files(site.public / "data/eol/v1/products", "*.json"):
        yield name, _first(shape.iter_errors(json.loads(path.read_text("utf-8"))))
    core = jsonschema.Draft202012Validator(
        _schema("openeox-core.schema.json"), format_checker=jsonschema.FormatChecker(formats=["date-time"])
    )
    for name, path in _files(site.public / "data/openeox", "*.json"):
        for version, told in json.loads(path.read_text("utf-8")).items():
            yield f"{name} {version}", _first(core.iter_errors(told))


def data(site: Site) -> Findings:
    """Every file of data is JSON, in UTF-8, with a newline at its end."""
    for name, path in _files(site.public / "data", "*.json"):
        text = path.read_bytes().decode()
        yield name, "" if json.loads(text) and text.endswith("\n") else "is empty, or has no end of line"


def papers(site: Site) -> Findings:
    """pypdf reads each PDF; it has tags, a title, a language, and words on its first page."""
    for name, path in _files(site.public / "papers", "*.pdf"):
        paper = pypdf.PdfReader(path)
        root = paper.trailer["/Root"]
        lacking = [key for key in ("/StructTreeRoot", "/Lang", "/MarkInfo") if key not in root]
        if paper.metadata is None or not paper.metadata.title:
            lacking.append("a title")
        if "Introduction" not in paper.pages[0].extract_text():
            lacking.append("its words")
        yield name, f"lacks {', '.join(lacking)}" if lacking else ""


def metadata(site: Site) -> Findings:
    """What pages tell search engines (JSON-LD) is JSON that says what it is."""
    for name, path in _files(site.public, "*.html"):
        for text in JSON_LD.findall(path.read_bytes()):
            told = json.loads(text)
            kinds = [one.get("@type") for one in (told if isinstance(told, list) else [told])]
            yield name, "" if all(kinds) else "says nothing of its kind"


def site_map(site: Site) -> Findings:
    """Every address in the site map is a page, and stands in it once."""
    tree = etree.parse(site.public / "sitemap.xml").getroot()
    told = [entry.findtext(f"{SITEMAP}loc") for entry in tree]
    for address, times in Counter(told).items():
        there = (site.public / address.removeprefix(site.url) / "index.html").is_file()
        yield address, "" if there and times == 1 and len(told) <= 50_000 else "is no page, or stands twice"


def lists_of_feeds(site: Site) -> Findings:
    """The OPML names every subscription document, and nothing that is not there."""
    outlines = [
        outline.get("xmlUrl") for outline in etree.parse(site.public / "feeds/feeds.opml").iter("outline")
    ]
    made = {
        f"{site.url}feeds/{name}"
        for name, _ in _files(site.public / "feeds", "*.atom")
        if not name.startswith("archive/")
    }
    for address in sorted({*outlines, *made}):
        yield address, "" if address in made and outlines.count(address) == 1 else "is not listed once"


def links(site: Site) -> Findings:
    """Every link inside the site leads to a file that was made."""
    prefix = urlsplit(site.url).path

    @cache
    def there(path: str) -> bool:
        target = site.public / unquote(path.removeprefix(prefix))
        return target.is_file() or (target / "index.html").is_file() or path.startswith(f"{prefix}api/")

    for name, path in _files(site.public, "*.html"):
        found = (quoted or bare for quoted, bare in LINK.findall(path.read_bytes()))
        targets = {match.decode().partition("#")[0].partition("?")[0] for match in found}
        lost = [target for target in sorted(targets) if target.startswith("/") and not there(target)]
        yield name, f"{lost[0]} leads to nothing" if lost else ""


JUDGES: dict[str, Callable[[Site], Findings]] = {
    "Atom: RELAX NG": atom,
    "RSS: feedparser": rss,
    "JSON Feed: schema": json_feed,
    "feeds: chains walked": chains,
    "feeds: whole addresses": feed_links,
    "OPML": lists_of_feeds,
    "calendars: vobject, icalendar": calendars,
    "life cycle: schemas": life_cycles,
    "data: JSON": data,
    "papers: pypdf": papers,
    "pages: JSON-LD": metadata,
    "site map": site_map,
    "pages: links inside": links,
}
