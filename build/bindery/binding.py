"""Binding: the order of a build's steps. Read all, check all, then write, or write nothing.

content → source → kinds → library → support → outputs → render → write. What has not changed is neither
parsed, made, rendered nor written again, and the result is the same, byte for byte.
"""

from __future__ import annotations

import gc
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from importlib import metadata
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bindery import checks, drawing, memory, permanence, printing, reading, source, support, write
from bindery.kinds.policy import Policy
from bindery.library import Library
from bindery.permanence import Ledger, Published
from bindery.reading import Scan
from bindery.source import Found, Problem, Problems

if TYPE_CHECKING:
    from bindery.outputs.pages import Cards, PagePlan
    from bindery.tables import Table

Progress = Callable[[str, int, int], None]
Other = (
    str | bytes | Callable[[], str | bytes] | None
)  # made, to be made when it is written, or there already
RACY = 100_000_000  # ns; a file changed this shortly before it was read may change again unseen
SWEEP = 100  # pages made between two collections of what they leave behind
RELOADING = b'<script src="/preview.js" defer></script></body>'
HOLIDAY_YEARS = range(-1, 6)  # around the year of the build: what the functions can look ahead and back


@dataclass(frozen=True, kw_only=True)
class Built:
    """What a build did: addresses of pages rendered; paths below the output folder written and removed.

    `nothing_changed` says that not even the content had to be looked into.
    """

    rendered: tuple[str, ...]
    written: tuple[str, ...]
    removed: tuple[str, ...]
    nothing_changed: bool = False


def _quiet(_stage: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, kw_only=True)
class _Order:
    """What one build was asked to do: from which folders, as of when, for which address, and how."""

    content: Path
    site: Path
    out: Path
    now: datetime
    url: str | None
    jobs: int | None
    cache: Path | None
    tell: Progress
    preview: bool
    ledger: Ledger | None = None
    search: bool = False
    cards: bool = False


def labelled(content: Path, error: Problems) -> Problems:
    """The same problems with paths that can be opened from where the command was called."""
    return Problems(
        [
            Problem(path=str(content / problem.path), line=problem.line, message=problem.message)
            for problem in error.problems
        ]
    )


def check(
    content: Path,
    *,
    now: datetime,
    site: Path | None = None,
    site_url: str = "/",
    cache: Path | None = None,
    progress: Progress = _quiet,
) -> Library:
    """Read and check all content. Raises Problems with every one of them.

    With `site` papers are set too, for what their pictures and letters are shows only then.
    """
    found = _found(content)
    scan = _scan(content, found, cache, progress)
    prefix = prefix_of(site_url)
    try:
        library = checks.assemble(scan, content=content, now=now, prefix=prefix)
    except Problems as error:
        raise labelled(content, error) from None
    if site:
        with _looks_of(site):
            printing.check(checks.everything(scan, content, prefix), site, site_url, cache)
    return library


def prefix_of(site_url: str) -> str:
    """The path of the site's address, beginning and ending in a slash."""
    return "/" + (urlsplit(site_url).path.strip("/") + "/").lstrip("/")


def published(
    content: Path,
    site: Path,
    *,
    now: datetime,
    url: str | None = None,
    cache: Path | None = None,
    progress: Progress = _quiet,
    ledger: Ledger | None = None,
) -> Published:
    """The names that a build would publish; nothing is made. Raises Problems as a build does."""
    order = _Order(
        content=content,
        site=site,
        out=site,
        now=now,
        url=url,
        jobs=1,
        cache=cache,
        tell=progress,
        preview=False,
        ledger=ledger,
    )
    with _looks_of(site):
        site_url = (url or _setting(site, "site_url")).rstrip("/") + "/"
        library = check(content, now=now, site_url=site_url, cache=cache, progress=progress)
        answers = support.answers(library)
        known = support.KnownWhenAsked(library)
        looks = _looks(order, site_url)
        others = _others(
            library,
            answers,
            known,
            order=order,
            site_url=site_url,
            plans=_planned(order, library, answers, known, site_url, looks),
            kept=memory.Unmade(),
            bodies=memory.Unmade(),
        )
    return permanence.published(str(others[permanence.FILE]))


def due(content: Path, now: datetime, *, cache: Path | None = None) -> datetime | None:
    """The next instant at which an embargoed item is to be published, or a rule of the policy begins to
    hold; None when there is none."""
    scan = _scan(content, _found(content), cache, _quiet)
    instants = [item.publish_at for item in scan.items.values() if item.publish_at and not item.draft]
    instants += [turn for item in scan.items.values() if isinstance(item, Policy) for turn in item.turns()]
    return min((instant for instant in instants if instant > now), default=None)


def next_turn(content: Path, now: datetime, *, cache: Path | None = None) -> datetime | None:
    """The next instant at which the site changes by itself: an embargo ends, a day of support has passed;
    None when there is none, or no content that can be read."""
    from bindery.outputs import data, disclosure

    if not content.is_dir():
        return None
    scan = _scan(content, _found(content), cache, _quiet)
    library = checks.assemble(scan, content=content, now=now)
    held = [item.publish_at for item in scan.items.values() if item.publish_at and not item.draft]
    turns = (
        *data.turns(library, support.answers(library)),
        *library.policy.turns(),
        *disclosure.due(library, now),
    )
    return min((instant for instant in (*held, *turns) if instant > now), default=None)


def build(
    content: Path,
    site: Path,
    out: Path,
    *,
    now: datetime,
    url: str | None = None,
    jobs: int | None = None,
    clean: bool = False,
    cache: Path | None = Path(".bindery_cache"),
    progress: Progress | None = None,
    preview: bool = False,
    ledger: Ledger | None = None,
    search: bool = False,
    cards: bool = False,
) -> Built:
    """Make the site. Raises Problems (then nothing was written); NotOurs for a folder of somebody else.

    With `preview` every page asks for the next build and loads itself again when it is there. `ledger` is
    that of the target where it will be published: calendars count from it, and pages of lists that are no
    more lead on. With `search` the index of the site is made too, with `cards` the pictures that links to
    its pages show.
    """
    order = _Order(
        content=content,
        site=site,
        out=out,
        now=now,
        url=url,
        jobs=jobs,
        cache=cache,
        tell=progress or _quiet,
        preview=preview,
        ledger=ledger,
        search=search,
        cards=cards,
    )
    found = _found(content)
    counted = ledger.mark() if ledger else ""
    inputs = _inputs(content, site, found, f"{url} {preview} {search} {cards} {counted}", now)
    if not clean and cache and _same_as_last(cache, out, inputs, now):
        return Built(rendered=(), written=(), removed=(), nothing_changed=True)
    before = write.load(out)
    if clean:
        before = write.Manifest()
    gc.disable()  # many small values that all stay: collecting them costs a quarter of a warm build
    try:
        with _looks_of(site):
            return _build(order, before, found, inputs)
    finally:
        gc.unfreeze()
        gc.enable()


def _build(order: _Order, before: write.Manifest, found: Sequence[Found], inputs: _Inputs) -> Built:
    from bindery import render
    from bindery.outputs import data, disclosure

    content, site, cache, tell = order.content, order.site, order.cache, order.tell
    site_url = (order.url or _setting(site, "site_url")).rstrip("/") + "/"
    scan = _scan(content, found, cache, tell)
    try:
        library = checks.assemble(scan, content=content, now=order.now, prefix=prefix_of(site_url))
    except Problems as error:
        raise labelled(content, error) from None
    later = {item.path for item in scan.items.values()} - library.by_path.keys()
    if later:
        whole = checks.everything(scan, content, library.prefix)
        printing.check(whole, site, site_url, cache, lambda paper: paper.path in later)
    answers = support.answers(library)
    known = support.KnownWhenAsked(library)
    looks = _looks(order, site_url)
    cards = _cards(order, library, site_url)
    plans = _planned(order, library, answers, known, site_url, looks, cards)
    same_looks = looks == before.looks
    at = {plan.path: f"public/{render.public_path(plan.url)}" for plan in plans}
    stale = [
        plan
        for plan in plans
        if not (
            same_looks
            and before.pages.get(plan.path) == plan.key
            and at[plan.path] in before.files
            and all(f"public/{path}" in before.files for path, _ in plan.beside)
        )
    ]
    tell("Making pages", 0, len(stale))
    texts = [(plan, Packed(_text(plan, content))) for plan in _swept(stale)]
    to_render = [
        (plan, text)
        for plan, text in texts
        if not (
            same_looks
            and before.files.get(f"pages/{plan.path}") == text.digest
            and at[plan.path] in before.files
        )
    ]
    kept = memory.Kept(cache, site, looks, before.files)
    bodies = memory.Bodies(library, cache, site, looks, lambda body: render.fragment(body, site))
    others = _others(
        library,
        answers,
        known,
        order=order,
        site_url=site_url,
        plans=plans,
        kept=kept,
        bodies=bodies,
        cards=cards,
    )
    pictures = drawing.drawn(
        {path: draw for path, draw in others.items() if isinstance(draw, drawing.Draw)},
        order.jobs or _cores(),
    )

    writer = write.Writer(order.out, before)
    rendered_paths = [at[plan.path] for plan, _ in to_render]
    total = len(to_render)
    rendered = _told(
        library,
        {plan.path: plan.url for plan, _ in to_render},
        render.render(
            ((plan.path, plan.url, text.unpacked().decode()) for plan, text in to_render),
            site,
            site_url,
            order.jobs or _cores(),
            lambda done, _: tell("Rendering pages", done, total),
            write.cache_folder(cache, "compiled") if cache else None,
            total,
        ),
    )
    # Looks that are broken show in any page and in any picture, so before anything is written.
    first, first_picture = list(islice(rendered, 1)), list(islice(pictures, 1))
    changing = [path for path, content_of in others.items() if content_of is not None]
    changing += [f"public/{path}" for plan, _ in texts for path, _ in plan.beside]
    writer.begin([*rendered_paths, *(f"pages/{plan.path}" for plan, _ in texts), *changing])
    # Text and page together: while texts alone were written, the pages of other processes would pile up here.
    for (plan, text), (path, html) in zip(to_render, chain(first, rendered), strict=True):
        writer.put(f"pages/{plan.path}", text.taken())
        writer.put(f"public/{path}", html.replace(b"</body>", RELOADING) if order.preview else html)
    fresh = {plan.path for plan in stale}
    anew = {plan.path for plan, _ in to_render}
    for plan, text in texts:
        if plan.path not in anew:
            writer.put(f"pages/{plan.path}", text.taken())
    same = [plan for plan in plans if plan.path not in fresh]
    writer.keep(*(f"pages/{plan.path}" for plan in same))
    writer.keep(*(f"public/{path}" for plan in same for path, _ in plan.beside))
    writer.keep(*(at[plan.path] for plan in plans if plan.path not in anew))
    for plan in _swept(stale):
        for path, text_of in plan.beside:
            writer.put(f"public/{path}", text_of())
    for path, picture in chain(first_picture, pictures):
        writer.put(path, picture)
    for path, content_of in others.items():
        if content_of is not None and not isinstance(content_of, drawing.Draw):
            writer.put(path, content_of() if callable(content_of) else content_of)
    writer.keep(*(path for path, content_of in others.items() if content_of is None))
    if order.preview:
        build = write.sha256(f"{order.now} {writer.written}".encode()) if writer.written else None
        writer.put("public/preview.js", (site / "templates" / "preview" / "preview.js").read_bytes())
        if build is None and writer.holds("public/preview.json"):
            writer.keep("public/preview.json")
        else:
            writer.put("public/preview.json", json.dumps({"build": build}))
    if order.search:
        _indexed(order, library, frozenset(plan.url for plan in plans), writer)
    writer.finish(looks=looks, pages={plan.path: plan.key for plan in plans})
    kept.save()
    bodies.save()
    if cache:
        turns = (*data.turns(library, answers), *library.policy.turns(), *disclosure.due(library, order.now))
        _remember(cache, order.out, inputs, scan, order.now, turns)
    return Built(
        rendered=tuple(plan.url for plan, _ in to_render),
        written=tuple(writer.written),
        removed=tuple(writer.removed),
    )


def _indexed(order: _Order, library: Library, urls: frozenset[str], writer: write.Writer) -> None:
    """Make the shards of the search index in which a page has changed, and keep the others."""
    from bindery import render, search
    from bindery.outputs.pages import finding

    def path_of(url: str) -> str:
        return f"public/{render.public_path(url)}"

    table = f"public/{search.SHARDS}"
    before = (order.out / table).read_text("utf-8") if writer.holds(table) else ""
    found = [
        search.Findable(url=url, year=year, help=of_help)
        for url, year, of_help in finding.findable(library, urls)
    ]
    plan = search.plan(found, lambda url: writer.digest(path_of(url)), before)
    stale = {shard.name for shard in plan.stale}
    held: dict[str, list[str]] = {}
    for path in writer.before.files:
        if path.startswith(f"public/{search.FOLDER}/"):
            held.setdefault(path.split("/")[2], []).append(path)
    doubtful = [path for name, paths in held.items() if name in stale for path in paths]
    writer.doubt([*doubtful, *([table] if stale else [])])
    for done, shard in enumerate(plan.stale):
        order.tell("Indexing for search", done, len(plan.stale))
        files = [
            (f"public/{path}", content)
            for path, content in search.index(shard, lambda url: order.out / path_of(url))
        ]
        writer.doubt([path for path, _ in files])
        for path, content in files:
            writer.put(path, content)
    for shard in plan.shards:
        if shard.name not in stale:
            writer.keep(*held[shard.name])
    writer.put(table, plan.table())


def _looks(order: _Order, site_url: str) -> str:
    """What decides how every page looks."""
    from bindery import render

    return hashlib.sha256(f"{render.looks(order.site)} {site_url} {order.preview}".encode()).hexdigest()


def _planned(
    order: _Order,
    library: Library,
    answers: Mapping[tuple[str, str], support.Answer],
    known: Mapping[tuple[str, str], tuple[support.KnownIssue, ...]],
    site_url: str,
    looks: str,
    cards: Cards | None = None,
) -> list[PagePlan]:
    """All pages; tables that many of them share are remembered."""
    from bindery import render
    from bindery.outputs import pages

    return pages.plan(
        library,
        answers,
        known,
        render.templates(order.site),
        site_url,
        _closed_soon(library, order.now.year, order.cache),
        html_of=lambda text: render.fragment(text, order.site),
        table=_tables(order, looks),
        cards=cards,
    )


def _tables(order: _Order, made_by: str) -> Table:
    """What keeps tables of this content between builds; `made_by` is part of each one's key."""

    def table(name: str, key: str, make: Callable[[], dict[str, str]]) -> Mapping[str, str]:
        return memory.table(order.cache, memory.name(name, order.content), f"{made_by} {key}", make)

    return table


def _cards(order: _Order, library: Library, site_url: str) -> Cards | None:
    from bindery.outputs.pages import Cards

    if not order.cards:
        return None
    name, look = _setting(order.site, "site_name"), drawing.look(order.site)
    return Cards(library, site_name=name, site_url=site_url, look=look)


def _others(
    library: Library,
    answers: Mapping[tuple[str, str], support.Answer],
    known: Mapping[tuple[str, str], tuple[support.KnownIssue, ...]],
    *,
    order: _Order,
    site_url: str,
    plans: Sequence[PagePlan],
    kept: memory.Kept | memory.Unmade,
    bodies: memory.Bodies | memory.Unmade,
    cards: Cards | None = None,
) -> dict[str, Other]:
    """Everything beside the pages, by its path below the output folder; None where it is there already."""
    from bindery import render
    from bindery.outputs import (
        addresses,
        calendars,
        catalog,
        citations,
        data,
        disclosure,
        feeds,
        identities,
        mails,
    )

    site, now = order.site, order.now
    others: dict[str, Other] = {}

    def take(area: str, made: Iterable[tuple[str, Other]]) -> None:
        for path, text in made:
            if f"{area}/{path}" in others:
                raise ValueError(f"two outputs are called {area}/{path}")
            others[f"{area}/{path}"] = text

    environment = _templates(site)
    told: list[tuple[str, str, Callable[[], str]]] = [
        (
            catalog.PATH,
            f"{library.facts} {_holidays_key(library.policy.hours.holidays, now.year)}",
            lambda: catalog.text(
                library, answers, known, lambda region: _holidays(region, now.year, order.cache)
            ),
        )
    ]
    told += data.plans(library, answers, site_url=site_url, now=now)
    take("public", ((path, kept.of(f"public/{path}", key, make)) for path, key, make in told))
    feed_plans = tuple(
        feeds.plans(
            library,
            answers,
            known,
            site_url=site_url,
            bodies=bodies,
            render=lambda name, values: str(environment.get_template(name).render(values)),
        )
    )
    calendar_plans = tuple(calendars.plans(library, answers, site_url=site_url, ledger=order.ledger))
    take("public", ((p.path, kept.later(f"public/{p.path}", p.key, p.text)) for p in feed_plans))
    remakable = [(plan.path, plan.key, plan.text) for plan in calendar_plans]
    remakable += citations.plans(library, site_url=site_url)
    take("public", ((path, kept.of(f"public/{path}", key, make)) for path, key, make in remakable))
    take("public", printing.outputs(library, site, site_url, kept))
    urls = [page.url for page in plans if not page.url.endswith(".html")]
    also = addresses.aliases(
        library,
        chain(
            (path.removeprefix("public/") for path in others),
            (render.public_path(page.url) for page in plans),
            (path for page in plans for path, _ in page.beside),
            (file.path for file in library.attached),
        ),
    )
    take(
        "public",
        addresses.outputs(
            library,
            site_url=site_url,
            urls=urls,
            led_on=addresses.led_on(library, order.ledger, set(urls)),
            also=also,
            redirect=lambda values: str(environment.get_template("redirect.html").render(values)),
        ),
    )
    mail_plans = mails.plans(
        library,
        site_url=site_url,
        html_of=lambda body: render.fragment(body, site),
        render=lambda name, values: str(environment.get_template(name).render(values)),
        style={
            use: (site / "templates" / "mails" / name).read_text("utf-8")
            for use, name in (("light", "newsletter.css"), ("dark", "newsletter-dark.css"))
        },
        width_of=lambda path: _width(library.content / path),
    )
    take(
        "public",
        (
            (path, kept.of(f"public/{path}", key, make))
            for path, key, make in disclosure.plans(library, site_url=site_url, now=now)
        ),
    )
    take("mails", ((p.path, kept.of(f"mails/{p.path}", p.key, p.text)) for p in mail_plans))
    take("public", render.static(site))
    take("public", drawing.icons(site, kept))
    take("public", drawing.outputs(cards, site, kept) if cards else ())
    files = {path.removeprefix("public/") for path in others}
    files |= {path for page in plans for path, _ in page.beside}
    clashes = addresses.clashes(library, urls, files)
    if clashes:
        raise labelled(library.content, Problems(clashes))
    taken = {*others, *(f"public/{render.public_path(page.url)}" for page in plans)}
    taken |= {f"public/{path}" for page in plans for path, _ in page.beside}
    in_the_way = [file.path for file in library.attached if f"public/{file.path}" in taken]
    if in_the_way:
        message = "the file must have an address of its own, and the build makes one that is called so"
        raise labelled(
            library.content, Problems([Problem(path=path, line=1, message=message) for path in in_the_way])
        )
    take("public", ((file.path, (library.content / file.path).read_bytes()) for file in library.attached))
    paths = [
        *(path.removeprefix("public/") for path in others if path.startswith("public/")),
        *(render.public_path(page.url) for page in plans),
        *(path for page in plans for path, _ in page.beside),
    ]
    copies = {old: path for old, path in also.items() if not old.endswith(".html")}
    take("public", ((old, (order.out / "public" / path).read_bytes) for old, path in copies.items()))
    paths += copies
    entries = [name for plan in feed_plans for name in plan.ids]
    events = [name for plan in calendar_plans for name in plan.ids]

    def names() -> str:
        return identities.published(
            library, paths=paths, entries=entries, events=events, table=_tables(order, memory.versions())
        )

    if isinstance(kept, memory.Unmade):
        others[permanence.FILE] = names()  # what is asked, where nothing is made
    else:
        others[permanence.FILE] = kept.of(
            permanence.FILE, identities.key(library, paths, entries, events), names
        )
    return others


def _width(picture: Path) -> int | None:
    """Pixels across of a picture; None for a file that is none, or is not there."""
    import imagesize

    try:
        width = int(imagesize.get(picture)[0])
    except (OSError, ValueError):
        return None
    return width if width > 0 else None


@contextmanager
def _looks_of(site: Path) -> Iterator[None]:
    """Turn what is wrong in the folder of looks into a Problem that names the file."""
    import jinja2
    import yaml

    try:
        yield
    except jinja2.TemplateNotFound as error:
        raise Problems(
            [Problem(path=f"{site}/templates/{error.name}", line=1, message="the template must be there")]
        ) from None
    except jinja2.TemplateSyntaxError as error:
        path = error.filename or f"{site}/templates/{error.name}"
        message = f"the template must be Jinja that can be read: {error.message}"
        raise Problems([Problem(path=str(path), line=error.lineno, message=message)]) from None
    except jinja2.TemplateError as error:
        message = f"the templates must know every name that they use: {error}"
        raise Problems([Problem(path=f"{site}/templates", line=1, message=message)]) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        message = f"the settings must be YAML: {error.problem}"
        raise Problems([Problem(path=f"{site}/mkdocs.yml", line=line, message=message)]) from None
    except FileNotFoundError as error:
        if not str(error.filename).startswith(str(site)):
            raise
        message = "the file must be there, it is part of the looks"
        raise Problems([Problem(path=str(error.filename), line=1, message=message)]) from None
    except Exception as error:
        # mkdocs is not imported before it is needed, so its exceptions are known by their module.
        if type(error).__module__ != "mkdocs.exceptions":
            raise
        message = f"the settings must be such that MkDocs takes them: {error}"
        raise Problems([Problem(path=f"{site}/mkdocs.yml", line=1, message=message)]) from None


def _told(
    library: Library, urls: Mapping[str, str], rendered: Iterator[tuple[str, bytes]]
) -> Iterator[tuple[str, bytes]]:
    """The rendered pages; one that cannot be rendered is told of as the content file that it shows."""
    try:
        yield from rendered
    except Problems as error:
        files = {item.url: item.path for item in library.items}
        named = [
            replace(problem, path=files.get(urls[problem.path], problem.path)) for problem in error.problems
        ]
        raise labelled(library.content, Problems(named)) from None


class Packed:
    """A page's text while it waits: all are made before one is written, and packed they take a fifth."""

    __slots__ = ("_bytes", "digest")

    def __init__(self, text: str) -> None:
        content = text.encode()
        self.digest = write.sha256(content)
        self._bytes = zlib.compress(content, 1)

    def unpacked(self) -> bytes:
        return zlib.decompress(self._bytes)

    def taken(self) -> bytes:
        """The text for the last time: its place is free from now on."""
        content, self._bytes = self.unpacked(), b""
        return content


def _swept(plans: Sequence[PagePlan]) -> Iterator[PagePlan]:
    """The plans; what making each leaves behind goes now and then, for a page's template leaves circles.

    Only what is new is looked through: all that was there before is known to stay.
    """
    gc.freeze()
    for number, plan in enumerate(plans, 1):
        yield plan
        if number % SWEEP == 0:
            gc.collect(0)


def _text(plan: PagePlan, content: Path) -> str:
    try:
        return plan.text()
    except Problems as error:
        raise labelled(content, error) from None


def _setting(site: Path, name: str) -> str:
    """A setting of mkdocs.yml: `site_url` is the address that the site is made for when none is given."""
    import yaml

    settings = yaml.load((site / "mkdocs.yml").read_text("utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
    return str(settings[name])


def _templates(site: Path) -> Any:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(site / "templates"),
        autoescape=jinja2.select_autoescape(("html",)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def begin(content: Path, site: Path, kind: str, path: str, values: Mapping[str, str]) -> Path:
    """Write a new content file from the template of its kind; the path of what was written."""
    text = _templates(site).get_template(f"new/{kind}.md").render(values)
    return write.begin(content / path, text)


def _closed_soon(library: Library, year: int, cache: Path | None) -> Mapping[date, str]:
    """The days of this year and the next on which the functions count nobody as there."""
    hours = library.policy.hours
    closed = hours.closed_days(_holidays(hours.holidays, year, cache) if hours.holidays else {})
    return {day: name for day, name in closed.items() if day.year in (year, year + 1)}


def _holidays_key(region: str, year: int) -> str:
    first, last = year + HOLIDAY_YEARS[0], year + HOLIDAY_YEARS[-1]
    return f"{region} {first} {last} {metadata.version('holidays')}"


def _holidays(region: str, year: int, cache: Path | None) -> Mapping[date, str]:
    first, last = year + HOLIDAY_YEARS[0], year + HOLIDAY_YEARS[-1]

    def look_up() -> dict[str, str]:
        import holidays

        country, _, subdivision = region.partition("-")
        years = range(first, last + 1)
        days = holidays.country_holidays(country, subdiv=subdivision or None, years=years, language="en_US")
        return {day.isoformat(): name for day, name in days.items()}

    found = memory.table(cache, "holidays", _holidays_key(region, year), look_up)
    return {date.fromisoformat(day): name for day, name in found.items()}


# What is known from the last time


def _found(content: Path) -> tuple[Found, ...]:
    if not content.is_dir():
        raise Problems(
            [
                Problem(
                    path=str(content),
                    line=1,
                    message="the content must be a folder such as content, not missing",
                )
            ]
        )
    return _files(content)


def _files(folder: Path) -> tuple[Found, ...]:
    try:
        return tuple(source.find(folder))
    except Problems as error:
        raise labelled(folder, error) from None


def _scan(content: Path, found: Sequence[Found], cache: Path | None, tell: Progress) -> Scan:
    known = memory.items(cache, content)
    total = sum(1 for file in found if file.path.endswith(".md"))
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        tell("Reading content", done, total)

    started = _clock()
    scan = reading.read(content, found, known, count)
    if cache:
        trusted = {
            path: (mark, scan.read(path))
            for path, mark in scan.signatures.items()
            if mark[1] < started - RACY
        }
        memory.keep_items(cache, content, known, trusted)
    return scan


def _clock() -> int:
    import time

    return time.time_ns()


@dataclass(frozen=True, kw_only=True)
class _Inputs:
    """All that a build depends on, told apart without reading it. `settled` is False while a file was
    changed so shortly ago that it may change again without looking different."""

    digest: str
    settled: bool


def _inputs(content: Path, site: Path, found: Sequence[Found], url: str | None, now: datetime) -> _Inputs:
    digest = hashlib.blake2b(
        f"{memory.versions()} {url} {now.year} {content.resolve()}".encode(), digest_size=16
    )
    limit = _clock() - RACY
    settled = True
    for file in (*found, *(_files(site) if site.is_dir() else ())):
        settled = settled and file.modified < limit
        digest.update(f"{file.path}\0{file.size} {file.modified} {file.inode}\n".encode())
    return _Inputs(digest=digest.hexdigest(), settled=settled)


def _manifest_mark(out: Path) -> str:
    try:
        stat = (out / write.MANIFEST).stat()
    except OSError:
        return ""
    return f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ino}"


def _same_as_last(cache: Path, out: Path, inputs: _Inputs, now: datetime) -> bool:
    """Whether the last build into this folder was made from the very same, with the same items due."""
    try:
        last = json.loads((cache / memory.name("last", out)).read_text("utf-8"))
        since, until = (last[name] and datetime.fromisoformat(last[name]) for name in ("since", "until"))
        return bool(
            last["inputs"] == inputs.digest
            and last["manifest"] == _manifest_mark(out)
            and not (out / write.JOURNAL).exists()
            and (out / "public" / "index.html").exists()
            and (since is None or since <= now)
            and (until is None or now < until)
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _remember(
    cache: Path, out: Path, inputs: _Inputs, scan: Scan, now: datetime, turns: Iterable[datetime]
) -> None:
    if not inputs.settled:
        return
    instants = [*turns, *(item.publish_at for item in scan.items.values() if item.publish_at)]
    since = max((instant for instant in instants if instant <= now), default=None)
    until = min((instant for instant in instants if instant > now), default=None)
    last = {
        "inputs": inputs.digest,
        "manifest": _manifest_mark(out),
        "since": since and since.isoformat(),
        "until": until and until.isoformat(),
    }
    write.save_cache(cache, memory.name("last", out), json.dumps(last).encode())
