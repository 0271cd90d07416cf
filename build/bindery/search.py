"""Search: Pagefind's index of the pages, in shards that are merged in the reader's browser.

A shard is indexed again only when one of its pages has changed, so an edit costs one shard however large the
archive is. Pages of no day (forms, policy, help) stand in shards of their own, the rest in runs of years.
Which shards a first search asks is decided here (`first`), so that it stays small at any size; the others are
asked when a reader wants them. This module must not know what a page is about.

The index tells of no page that is not published: it is made from the published pages alone.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

FOLDER = "search"
SHARDS = f"{FOLDER}/shards.json"
ENGINE = f"{FOLDER}/site"
"""The folder of the engine, and of the first shard: Pagefind takes its program from where it begins."""
PROGRAM = ("pagefind.js", "pagefind-worker.js")
MOST = 300
"""Pages of a shard: so many are indexed in a second."""
FIRST_SHARDS, FIRST_PAGES = 3, 2 * MOST
"""What a first search asks at most: each shard costs the reader some 30 KB a word, each page 8 bytes."""
LANGUAGE = "en"
PAGES = "pages.json"
FACETS = ("kind", "product", "version")


class Broken(Exception):
    """Pagefind did not do its work; the message is what it said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Findable:
    """A page that readers may find. `url` is below the site's root; `year` None for a page of no day; `help`
    tells the many pages of no day from the few that every site has."""

    url: str
    year: int | None
    help: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Shard:
    """Pages that are indexed together. `title` is what a reader calls them."""

    name: str
    title: str
    urls: tuple[str, ...]


def shards(pages: Iterable[Findable]) -> tuple[Shard, ...]:
    """Every page in one shard of at most about `MOST`, in the order in which a search asks them: the site's
    own pages, help, then years from the newest. An added page changes one shard, as long as none is full."""
    alone: list[str] = []
    helps: list[str] = []
    years: dict[int, list[str]] = {}
    for page in pages:
        if page.year is not None:
            years.setdefault(page.year, []).append(page.url)
        else:
            (helps if page.help else alone).append(page.url)
    runs: list[tuple[int, int, list[str]]] = []  # first year, last year, pages; packed from the oldest
    for year, urls in sorted(years.items()):
        if runs and len(runs[-1][2]) + len(urls) <= MOST:
            runs[-1] = (runs[-1][0], year, [*runs[-1][2], *urls])
        else:
            runs.append((year, year, urls))
    made = [Shard(name="site", title="this site", urls=tuple(sorted(alone)))]
    made += _split("help", "help", helps)
    for first, last, urls in reversed(runs):
        span = (f"{first}", f"{first}") if first == last else (f"{first}-{last}", f"{first} to {last}")
        made += _split(*span, urls)
    return tuple(made)


def first(made: Sequence[Shard]) -> int:
    """How many of them a first search asks: one part of a large help would be a part by chance."""
    pages = count = 0
    for shard in made[:FIRST_SHARDS]:
        if shard.name.startswith("help-part") or (count and pages + len(shard.urls) > FIRST_PAGES):
            break
        pages += len(shard.urls)
        count += 1
    return count


def ordered(made: Sequence[Shard]) -> tuple[Shard, ...]:
    """The shards as they are asked: help waits behind the newest years where it fills more than one shard."""
    many = sum(shard.name.startswith("help") for shard in made) > 1
    if not many:
        return tuple(made)
    own, rest = made[0], made[1:]
    dated = [shard for shard in rest if not shard.name.startswith("help")]
    return (own, *dated[:1], *(shard for shard in rest if shard.name.startswith("help")), *dated[1:])


def _split(name: str, title: str, urls: Sequence[str]) -> Iterator[Shard]:
    """One shard, or as many of a power of two that few pages change theirs when it grows."""
    parts = 1
    while parts * MOST < len(urls):
        parts *= 2
    shelves: list[list[str]] = [[] for _ in range(parts)]
    for url in urls:
        shelves[crc32(url.encode()) % parts].append(url)
    for number, shelf in enumerate(shelves, 1):
        if shelf:
            one = parts == 1
            yield Shard(
                name=name if one else f"{name}-part-{number}",
                title=title if one else f"{title}, part {number}",
                urls=tuple(sorted(shelf)),
            )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an index is to be: `keys` decide each shard, by its name; `stale` must be made again."""

    shards: tuple[Shard, ...]
    keys: Mapping[str, str]
    stale: tuple[Shard, ...]

    def table(self) -> str:
        """What the reader's browser is told: the shards in order, and how many a first search asks. Paths are
        below the table's own folder."""
        content = {
            "format": 1,
            "engine": f"{ENGINE.removeprefix(f'{FOLDER}/')}/pagefind.js",
            "first": first(self.shards),
            "shards": [
                {
                    "path": f"{shard.name}/",
                    "title": shard.title,
                    "pages": len(shard.urls),
                    "key": self.keys[shard.name],
                }
                for shard in self.shards
            ],
        }
        return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def plan(pages: Iterable[Findable], digest: Callable[[str], str], before: str) -> Plan:
    """`digest` tells the bytes of a page's file by its url; `before` is the last build's table, or ""."""
    known: dict[str, str] = {}
    try:
        known = {f"{shard['path']}": shard["key"] for shard in json.loads(before)["shards"]}
    except (ValueError, KeyError, TypeError):
        known = {}
    engine = importlib.metadata.version("pagefind-bin")
    made = ordered(shards(pages))
    keys = {}
    for shard in made:
        key = hashlib.sha256(f"{engine} {LANGUAGE}\n".encode())
        for url in shard.urls:
            key.update(f"{url} {digest(url)}\n".encode())
        keys[shard.name] = key.hexdigest()[:20]
    stale = tuple(shard for shard in made if known.get(f"{shard.name}/") != keys[shard.name])
    return Plan(shards=made, keys=keys, stale=stale)


def index(shard: Shard, file_of: Callable[[str], Path]) -> Iterator[tuple[str, bytes]]:
    """The files of a shard as (path below the site's root, bytes). `file_of` gives the page's file by its
    url. The same pages give the same bytes. Raises Broken."""
    from pagefind_bin import get_executable

    with tempfile.TemporaryDirectory(prefix="search-") as folder:
        pages, made = Path(folder) / "pages", Path(folder) / "index"
        for url in shard.urls:
            target = pages / (url if url.endswith(".html") else f"{url}index.html")
            target.parent.mkdir(parents=True, exist_ok=True)
            _linked(file_of(url), target)
        done = subprocess.run(  # noqa: S603 - our own words, no shell
            [
                *(str(get_executable()), "--site", str(pages), "--output-path", str(made)),
                *("--force-language", LANGUAGE, "--quiet"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not (made / "pagefind-entry.json").exists():
            raise Broken(f"the search index of {shard.title} could not be made: {done.stderr.strip()}")
        for path in sorted(made.rglob("*")):
            name = path.relative_to(made).as_posix()
            if path.is_file() and _wanted(name, shard.name):
                yield f"{FOLDER}/{shard.name}/{name}", path.read_bytes()
        yield f"{FOLDER}/{shard.name}/{PAGES}", _told(made / "fragment").encode()


def _told(fragments: Path) -> str:
    """What the pages of a shard are told apart by, as the reader's browser needs it before it has read one:
    `{"names": ["kind", …], "values": [["Help", …], …], "pages": {"<id>": [0, …]}}`, where the numbers are
    places in `values` and -1 is none. (Pagefind's own filters have other bytes each time.)"""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(fragments.glob("*.pf_fragment")):
        data = json.loads(gzip.decompress(path.read_bytes()).removeprefix(b"pagefind_dcd"))
        found[path.stem] = data["meta"]
    values = [sorted({meta[name] for meta in found.values() if name in meta}) for name in FACETS]
    places = [{value: place for place, value in enumerate(some)} for some in values]
    pages = {
        page: [places[number].get(meta.get(name, ""), -1) for number, name in enumerate(FACETS)]
        for page, meta in found.items()
    }
    return json.dumps(
        {"names": FACETS, "values": values, "pages": pages}, ensure_ascii=False, separators=(",", ":")
    )


def _wanted(name: str, shard: str) -> bool:
    """The index itself everywhere; Pagefind's program in one place, and none of its own widgets."""
    if name.startswith(("index/", "fragment/")):
        return True
    if name == "pagefind-entry.json" or name.endswith(".pf_meta"):
        return True
    return f"{FOLDER}/{shard}" == ENGINE and (name in PROGRAM or name == f"wasm.{LANGUAGE}.pagefind")


def _linked(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
