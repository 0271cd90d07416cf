"""From the texts of pages to HTML, and from the looks in `site/` to assets.

MkDocs is called here and nowhere else, page by page: its configuration, theme environment, files, pages and
navigation, without its loops over everything and without plugins. A page depends on its own text, on `site/`
and on the versions of the tools (`looks`), so pages may be rendered alone, in any order and in parallel.
This module must not know what a page is about.
"""

from __future__ import annotations

import gc
import hashlib
import importlib.metadata
import json
import multiprocessing
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bindery.source import Problem, Problems

if TYPE_CHECKING:  # imported where they are used: a build in which nothing changed does not pay for them
    import jinja2
    import markdown
    from mkdocs.config.defaults import MkDocsConfig

Text = tuple[str, str, str]  # path below dist/pages, url below the site's root, Markdown with front matter
Progress = Callable[[int, int], None]

TOOLS = ("mkdocs", "mkdocs-material", "Markdown", "Jinja2", "PyYAML", "css-inline")
MANY = 200  # pages: from here on a second process costs less than it saves
LARGE = 2_000  # pages: from here on a process that begins anew costs less memory than one that is forked
CHUNK = 32  # pages that a process is given at once
AHEAD = 256  # pages for each process that may be on their way: what is rendered waits in memory to be written
THEME_STYLE = re.compile(r"main\.[0-9a-f]+\.min\.css$")
ALIGNED = re.compile(r'(<t[dh]) style="text-align: (left|center|right);"')
# Material's frame begins with switches of its script, which is not shipped, and a skip link of its own.
SWITCHES = re.compile(
    r'\s*<input class="md-toggle".*?</label>\s*<div data-md-component="skip">.*?</div>', re.DOTALL
)
ROOTED = r'(<[a-zA-Z][^<>]*?\s(?:href|src|action)=")/(?!/)'


def looks(site_dir: Path) -> str:
    """A digest of all that decides how a page looks beside its text: `site/`, this package, the tools."""
    digest = hashlib.sha256()
    for tool in TOOLS:
        digest.update(f"{tool} {importlib.metadata.version(tool)}\n".encode())
    digest.update(f"python {sys.version_info[0]}.{sys.version_info[1]}\n".encode())
    package = Path(__file__).parent
    for root, pattern in ((package, "*.py"), (site_dir, "*")):
        for path in sorted(root.rglob(pattern)):
            if path.is_file():
                digest.update(f"{path.relative_to(root).as_posix()} {path.stat().st_size}\n".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def templates(site_dir: Path) -> dict[str, str]:
    """The sources of the generated pages' templates, by their path below `site/templates`."""
    root = site_dir / "templates"
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in files}


def static(site_dir: Path) -> Iterator[tuple[str, bytes]]:
    """Every asset as (public path, bytes), its name carrying a hash of its content."""
    for source, (name, content) in sorted(_assets(site_dir).items()):
        yield name, content
        if source == "assets/img/favicon.svg":  # where browsers and feed readers look for it unasked
            yield "favicon.svg", content


@lru_cache(maxsize=4)
def _assets(site_dir: Path) -> Mapping[str, tuple[str, bytes]]:
    """Source name, as templates write it → (public name, bytes)."""
    found: dict[str, bytes] = {}
    for path in sorted((site_dir / "assets").rglob("*")):
        if path.is_file():
            found[path.relative_to(site_dir).as_posix()] = path.read_bytes()
    theme = _theme_dir() / "assets" / "stylesheets"
    for path in sorted(theme.iterdir()):
        if THEME_STYLE.match(path.name):
            # Its source map is not published, so the line that names it goes.
            style = re.sub(rb"/\*# sourceMappingURL=.*?\*/\s*$", b"", path.read_bytes())
            found[f"assets/stylesheets/{path.name}"] = style
    return {name: (_fingerprinted(name, content), content) for name, content in found.items()}


def _theme_dir() -> Path:
    import material

    return Path(material.__file__).parent / "templates"


def _fingerprinted(name: str, content: bytes) -> str:
    stem, _, ending = name.rpartition(".")
    stem = re.sub(r"\.[0-9a-f]{8}\.min$", "", stem)
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:10]}.{ending}"


def public_path(url: str) -> str:
    """The file that answers for a page's url: `life-cycle/` is `life-cycle/index.html`."""
    return url if url.endswith(".html") else f"{url}index.html"


def render(
    pages: Iterable[Text],
    site_dir: Path,
    site_url: str,
    jobs: int = 1,
    progress: Progress | None = None,
    cache_dir: Path | None = None,
    total: int | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Each page as (public path, HTML), in the order given; the bytes do not depend on `jobs`.

    `cache_dir` may name a folder that keeps compiled templates between runs. With `total`, how many pages
    there are, each is asked for only when its turn has come.
    """
    if total is None:
        pages = list(pages)
        total = len(pages)
    made = _several(pages, total, site_dir, site_url, jobs, cache_dir) if jobs > 1 and total >= MANY else None
    if made is None:
        press = Press(site_dir, site_url, cache_dir)
        made = (press.page(*page) for page in pages)
    for done, result in enumerate(made, 1):
        yield result
        if progress:
            progress(done, total)


def _several(
    pages: Iterable[Text], total: int, site_dir: Path, site_url: str, jobs: int, cache_dir: Path | None
) -> Iterator[tuple[str, bytes]]:
    # A fork is made at once, but only a process without threads may be forked; and of a large site it would
    # hold in each process all that this one holds, for whatever is looked at is copied.
    forkable = sys.platform == "linux" and threading.active_count() == 1 and total < LARGE
    context = multiprocessing.get_context("fork" if forkable else "spawn")
    ahead, over = threading.Semaphore(AHEAD * jobs), threading.Event()

    def asked_for() -> Iterator[Text]:
        for page in pages:
            ahead.acquire()
            if over.is_set():
                return
            yield page

    with context.Pool(jobs, _start, (site_dir, site_url, cache_dir)) as pool:
        try:
            for made in pool.imap(_work, asked_for(), chunksize=CHUNK):
                yield made
                ahead.release()
        finally:  # the pool waits for whoever asks for pages
            over.set()
            ahead.release()


_press: Press | None = None  # of a working process


def _start(site_dir: Path, site_url: str, cache_dir: Path | None) -> None:
    global _press
    gc.freeze()  # what came with the fork stays as it is; what pages leave behind goes
    gc.enable()
    _press = Press(site_dir, site_url, cache_dir)


def _work(page: Text) -> tuple[str, bytes]:
    if _press is None:
        raise RuntimeError("the process was not started by _start")
    return _press.page(*page)


def converter(config: MkDocsConfig) -> markdown.Markdown:
    """The Markdown converter that mkdocs would make anew for every page."""
    import markdown

    from bindery import inlines

    return inlines.sparing(
        markdown.Markdown(
            extensions=config["markdown_extensions"], extension_configs=config["mdx_configs"] or {}
        )
    )


class Press:
    """What every page needs, made once: configuration, navigation, templates, one Markdown converter."""

    def __init__(self, site_dir: Path, site_url: str, cache_dir: Path | None = None) -> None:
        import jinja2
        from mkdocs.structure.files import File, Files
        from mkdocs.structure.nav import get_navigation

        from bindery.compiled import Compiled

        self.config = load(site_dir, site_url)
        self.root = urlsplit(site_url).path.rstrip("/")
        self.rooted = re.compile(f"{ROOTED}(?!{re.escape(self.root[1:])}/)")
        self.assets = {name: made for name, (made, _) in _assets(site_dir).items()}
        sections = [path for entry in self.config.nav or [] for path in entry.values()]
        files = Files([File(path, None, self.config.site_dir, True) for path in sections])
        self.navigation = get_navigation(files, self.config)
        self.markdown = converter(self.config)
        self.environment: jinja2.Environment = self.config.theme.get_env()
        # With the context, so that it is asked when a page is made: compiled templates outlive an address.
        self.environment.filters["url"] = jinja2.pass_context(lambda _, value: self.url(value))
        self.environment.trim_blocks = self.environment.lstrip_blocks = True
        self.environment.bytecode_cache = Compiled("site", cache_dir)

    def url(self, value: object) -> str:
        """The `url` filter of the templates: absolute paths, for a page is served at other addresses too."""
        text = str(value)
        if text.startswith(("#", "mailto:", "tel:", "http://", "https://")):
            return text
        text = text.lstrip("/")
        return f"{self.root}/{'' if text in ('.', './') else self.assets.get(text, text)}"

    def page(self, path: str, url: str, text: str) -> tuple[str, bytes]:
        """One page as (public path, HTML)."""
        from mkdocs.commands.build import get_context
        from mkdocs.structure.files import File
        from mkdocs.structure.pages import Page
        from mkdocs.structure.toc import get_toc

        public = public_path(url)
        file = File(path, None, self.config.site_dir, True, dest_uri=public)
        file.content_string = text
        page = Page(None, file, self.config)
        front = front_matter(text)
        if front:
            page.meta, page.markdown = front
        else:
            page.read_source(self.config)
        # Page.render() would make a converter per page, and look for relative links: there are none here.
        self.markdown.reset()
        written = page.meta.get("form") == "html"
        try:
            content = page.markdown or "" if written else self.markdown.convert(page.markdown or "")
        except RecursionError:
            self.markdown.reset()
            message = "the page must not nest lists or quotes as deep as this, hundreds of levels"
            raise Problems([Problem(path=path, line=1, message=message)]) from None
        # A column's side as a class: the policy of the pages allows no style of an element's own.
        content = ALIGNED.sub(r'\1 class="\2"', content)
        page.content = self.rooted.sub(rf"\g<1>{self.root}/", content) if self.root else content
        page.toc = get_toc([] if written else getattr(self.markdown, "toc_tokens", []))
        context: dict[str, Any] = dict(get_context(self.navigation, [], self.config, page))
        context["base_url"] = self.root or "/"
        html = self.environment.get_template(page.meta.get("template", "main.html")).render(context)
        return public, SWITCHES.sub("", html, count=1).encode()


def front_matter(text: str) -> tuple[dict[str, Any], str] | None:
    """The front matter and what follows it, as MkDocs reads them; None where a value is not JSON.

    YAML contains JSON, in which our own pages are written, and takes ten times as long to read it.
    """
    head, mark, body = text.removeprefix("---\n").partition("\n---\n")
    if not mark or not text.startswith("---\n"):
        return None
    fields = (line.partition(": ") for line in head.split("\n"))
    try:
        return {name: json.loads(value) for name, _, value in fields}, body.lstrip("\n")
    except ValueError:
        return None


def load(site_dir: Path, site_url: str) -> MkDocsConfig:
    """mkdocs' configuration from `site/mkdocs.yml`; problems in it are mkdocs' own errors."""
    from mkdocs.config import load_config

    # The folders of mkdocs are not used: texts come as values and go as values.
    return load_config(
        str(site_dir / "mkdocs.yml"),
        site_url=site_url if site_url.endswith("/") else f"{site_url}/",
        docs_dir=str((site_dir / "assets").resolve()),
    )


@lru_cache(maxsize=4)
def _fragments(site_dir: Path) -> markdown.Markdown:
    import markdown
    import yaml

    from bindery import inlines

    settings = yaml.safe_load((site_dir / "mkdocs.yml").read_text("utf-8"))
    named = [name for name in settings["markdown_extensions"] if isinstance(name, str)]
    # No table of contents: several fragments stand in one document, where ids must not meet.
    return inlines.sparing(markdown.Markdown(extensions=[*named, "tables", "fenced_code"]))


def fragment(text: str, site_dir: Path = Path("site")) -> str:
    """Markdown as a piece of HTML, for feeds and mails: as on the page, without ids of headings."""
    return str(_fragments(site_dir).reset().convert(text))
