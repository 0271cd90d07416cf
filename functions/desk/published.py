"""Serves the published folder: files as they are, with pretty addresses, and nothing outside it.

What the site says has moved (`data/moved.json`) is answered with 301 and the new address, what it says is
gone with 410 and the page that tells why.

Each request resolves the folder's real path once and stays in it, so a flipped pointer is followed without a
restart and no answer mixes two publications. The folder is only read.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import mimetypes
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple
from urllib.parse import quote, unquote_to_bytes

Headers = tuple[tuple[str, str], ...]

# What the standard library's table lacks or what another machine's table may say otherwise.
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".rss": "application/rss+xml",
    ".atom": "application/atom+xml",
    ".opml": "text/x-opml",
    ".xml": "application/xml",
    ".ics": "text/calendar",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".bib": "application/x-bibtex",
    ".svg": "image/svg+xml",
    ".ico": "image/vnd.microsoft.icon",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".pdf": "application/pdf",
    ".wasm": "application/wasm",
    ".csv": "text/csv",
    ".zip": "application/zip",
    ".gz": "application/gzip",
    # Of the search; compressed already.
    ".pagefind": "application/octet-stream",
    ".pf_meta": "application/octet-stream",
    ".pf_index": "application/octet-stream",
    ".pf_fragment": "application/octet-stream",
}
_TEXT = re.compile(
    r"text/.*|application/(json|xml|manifest\+json|.*\+(json|xml)|wasm|x-bibtex)|image/svg\+xml"
)
_CHARSET = re.compile(r"text/.*|application/(x-bibtex)")
_FINGERPRINTED = re.compile(r"[.-][0-9a-f]{8,64}\.(min\.)?[a-z0-9]+$")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_GZIP_FROM = 1024
OPEN = ("feeds/", "calendar/", "data/")
_NOT_SERVED = ("support/answers",)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """An answer: either `body`, or `file` (open, at its place) of which `length` bytes are to be sent."""

    status: int
    headers: Headers
    body: bytes = b""
    file: BinaryIO | None = None
    length: int = 0


def content_type(name: str) -> str:
    """The Content-Type of a file by its name; bytes of an unknown kind are nobody's page."""
    suffix = PurePosixPath(name).suffix.lower()
    if name.startswith("feeds/") and suffix == ".json":
        return "application/feed+json"
    kind = TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if _CHARSET.fullmatch(kind) else kind


class Published:
    """The folder `public`: a path that may be, or go through, a symbolic link that is flipped."""

    def __init__(self, public: Path) -> None:
        self._public = public

    def root(self) -> Path | None:
        """The real path of the publication now, None when there is none."""
        real = Path(os.path.realpath(self._public))
        return real if real.is_dir() else None

    def answer(self, method: str, path: str, query: str, header: Callable[[str], str]) -> Sent:
        """The answer to a request for `path` (as sent, percent-encoded). `header` gives a request header."""
        root = self.root()
        if root is None:
            return _missing(None)
        if method not in ("GET", "HEAD"):
            text = b"This address is a page: it can be read, and takes nothing.\n"
            return Sent(
                status=204 if method == "OPTIONS" else 405,
                headers=(("Allow", "GET, HEAD, OPTIONS"), *(() if method == "OPTIONS" else _PLAIN)),
                body=b"" if method == "OPTIONS" else text,
            )
        name = _name(path)
        if name is None or any(name == out or name.startswith(out + "/") for out in _NOT_SERVED):
            return _missing(root)
        passed = _passed_of(root)
        if f"/{name}" in passed.moved:
            return _led_to(passed.moved[f"/{name}"], query)
        found = _open(root, name)
        if found is _Folder.WITHOUT_SLASH:
            return _led_to(f"/{name}/", query)
        if f"/{name}" in passed.gone:
            return _gone(root, found)
        if found is None or isinstance(found, _Folder):
            return _missing(root)
        try:
            return _send(found, header)
        except FileNotFoundError:  # taken away, page or whole publication, since it was opened
            found.file.close()
            return _missing(self.root())


class _Passed(NamedTuple):
    """What was somewhere once: `moved` from an absolute path to another, `gone` absolute paths."""

    moved: dict[str, str]
    gone: frozenset[str]


_NONE_PASSED = _Passed({}, frozenset())


def _passed_of(root: Path) -> _Passed:
    path = f"{root}/data/moved.json"
    try:
        said = os.stat(path)  # noqa: PTH116 (once a request)
    except OSError:
        return _NONE_PASSED
    return _read_passed(path, said.st_mtime_ns, said.st_size, said.st_ino)


@lru_cache(maxsize=8)
def _read_passed(path: str, changed: int, size: int, inode: int) -> _Passed:
    try:
        told = json.loads(Path(path).read_bytes())
        return _Passed(dict(told["moved"]), frozenset(told["gone"]))
    except (OSError, ValueError, KeyError, TypeError):  # taken away meanwhile, or of another format
        return _NONE_PASSED


def _led_to(path: str, query: str) -> Sent:
    location = quote(path) + (f"?{query}" if query else "")
    return Sent(status=301, headers=(("Location", location), ("Cache-Control", "no-cache")))


class _Folder:
    """A marker: the path is a folder that was asked for without its slash."""

    WITHOUT_SLASH: _Folder


_Folder.WITHOUT_SLASH = _Folder()
_PLAIN: Headers = (("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"))


@dataclass(frozen=True, kw_only=True)
class _File:
    file: BinaryIO
    name: str
    size: int
    changed: int
    real: str


def _name(path: str) -> str | None:
    """The file's name below the root, None for what no publication holds."""
    try:
        text = unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        return None
    if "\\" in text or any(ord(character) < 32 or ord(character) == 127 for character in text):
        return None
    parts = text.removeprefix("/").split("/")
    for at, part in enumerate(parts):
        hidden = part.startswith(".") and not (at == 0 and part == ".well-known")
        if hidden or (not part and at != len(parts) - 1):
            return None
    return "/".join(parts)


def _open(root: Path, name: str) -> _File | _Folder | None:
    wanted = name + "index.html" if name == "" or name.endswith("/") else name
    path = root / wanted
    # A link that leads out of the publication is not part of it.
    if not os.path.realpath(path).startswith(f"{root}{os.sep}"):
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    said = os.fstat(descriptor)
    if stat.S_ISREG(said.st_mode):
        return _File(
            file=os.fdopen(descriptor, "rb"),
            name=wanted,
            size=said.st_size,
            changed=said.st_mtime_ns,
            real=str(path),
        )
    os.close(descriptor)
    if stat.S_ISDIR(said.st_mode) and (path / "index.html").is_file():
        return _Folder.WITHOUT_SLASH
    return None


def _missing(root: Path | None) -> Sent:
    headers: Headers = (("Cache-Control", "no-cache"),)
    found = _open(root, "404.html") if root is not None else None
    if isinstance(found, _File):
        with found.file as file:
            return Sent(
                status=404, headers=(("Content-Type", content_type("404.html")), *headers), body=file.read()
            )
    why = (
        b"There is no page at this address.\n"
        if root is not None
        else b"The site is not built yet: `make serve` builds it, and `bindery build` does so alone.\n"
    )
    return Sent(status=404, headers=(("Content-Type", "text/plain; charset=utf-8"), *headers), body=why)


def _gone(root: Path, found: _File | _Folder | None) -> Sent:
    if not isinstance(found, _File):
        lost = _missing(root)
        return Sent(status=410, headers=lost.headers, body=lost.body)
    with found.file as file:
        headers = (("Content-Type", content_type(found.name)), ("Cache-Control", "no-cache"))
        return Sent(status=410, headers=headers, body=file.read())


def _send(found: _File, header: Callable[[str], str]) -> Sent:
    kind = content_type(found.name)
    tag = _digest(found.real, found.changed, found.size)
    immutable = found.name.startswith("assets/") and _FINGERPRINTED.search(found.name)
    cache = "public, max-age=31536000, immutable" if immutable else "no-cache"
    text = _TEXT.fullmatch(kind.split(";")[0]) is not None
    zipped = text and found.size >= _GZIP_FROM and _takes_gzip(header("accept-encoding"))
    etag = f'"{tag}-gzip"' if zipped else f'"{tag}"'
    common: Headers = (
        ("ETag", etag),
        ("Cache-Control", cache),
        *((("Vary", "Accept-Encoding"),) if text else ()),
        # Feeds, calendars and data are for every reader, in other sites' pages too.
        *((("Access-Control-Allow-Origin", "*"),) if found.name.startswith(OPEN) else ()),
    )
    if _matches(header("if-none-match"), etag):
        found.file.close()
        return Sent(status=304, headers=common)
    typed: Headers = (("Content-Type", kind), *common)
    if zipped:
        found.file.close()
        body = _compressed(found.real, found.changed, found.size)
        return Sent(status=200, headers=(("Content-Encoding", "gzip"), *typed), body=body)
    ranged: Headers = (("Accept-Ranges", "bytes"), *typed)
    return send_file(
        found.file,
        size=found.size,
        headers=ranged,
        wanted=header("range"),
        etag=etag,
        if_range=header("if-range"),
    )


def send_file(file: BinaryIO, *, size: int, headers: Headers, wanted: str, etag: str, if_range: str) -> Sent:
    """A file, or the part of it that a Range header asks for (one range; several are answered with all)."""
    found = _RANGE.fullmatch(wanted.strip()) if wanted and if_range in ("", etag) else None
    if found is None or found.group(1) == found.group(2) == "":
        return Sent(status=200, headers=headers, file=file, length=size)
    first, last = found.groups()
    start = int(first[:20]) if first else max(0, size - int(last[:20]))
    end = min(size - 1, int(last[:20])) if first and last else size - 1
    if start > end or start >= size or (not first and int(last[:20]) == 0):
        file.close()
        return Sent(status=416, headers=(("Content-Range", f"bytes */{size}"), *headers))
    file.seek(start)
    return Sent(
        status=206,
        headers=(("Content-Range", f"bytes {start}-{end}/{size}"), *headers),
        file=file,
        length=end - start + 1,
    )


def _matches(if_none_match: str, etag: str) -> bool:
    asked = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return etag in asked or "*" in asked


def _takes_gzip(accept: str) -> bool:
    for item in accept.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        if name in ("gzip", "*") and not any(re.fullmatch(r"q=0(\.0*)?", part) for part in parameters):
            return True
    return False


@lru_cache(maxsize=4096)
def _digest(real: str, changed: int, size: int) -> str:
    """The hash of a file's bytes, so that the same page in the next publication keeps its tag."""
    with Path(real).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


@lru_cache(maxsize=512)
def _compressed(real: str, changed: int, size: int) -> bytes:
    return gzip.compress(Path(real).read_bytes(), compresslevel=6, mtime=0)
