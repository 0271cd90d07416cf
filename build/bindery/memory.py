"""What a build remembers, so that the next one need not make it again. Nothing here is ever needed.

All lies in the cache folder, in files that belong to one content or site folder each. Whatever cannot be
read, or was made by another version of this package or of Python, is as if it were not there.
"""

from __future__ import annotations

import gc
import hashlib
import json
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from zlib import crc32

from bindery import write

if TYPE_CHECKING:
    from bindery.kinds.item import Item
    from bindery.library import Library
    from bindery.reading import Read, Signature

    Known = Mapping[str, tuple[Signature, Read]]

Made = TypeVar("Made", bound="str | bytes")
SHARDS = 64  # one edit writes one of them


def versions() -> str:
    """What remembered things depend on beside their source: this package and Python."""
    package = Path(__file__).parent
    digest = hashlib.blake2b(sys.version.encode(), digest_size=16)
    for path in sorted(package.rglob("*.py")):
        stat = path.stat()
        digest.update(f"{path.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def name(what: str, folder: Path) -> str:
    """The file of the cache that holds something about that folder."""
    return f"{what}-{hashlib.blake2b(str(folder.resolve()).encode(), digest_size=8).hexdigest()}"


def items(cache: Path | None, content: Path) -> dict[str, tuple[Signature, Read]]:
    """Items by path as they were parsed last."""
    known: dict[str, tuple[Signature, Read]] = {}
    if cache is None:
        return known
    current, stem = versions(), name("items", content)
    with _no_collecting():
        for shard in range(SHARDS):
            try:
                data = (cache / f"{stem}-{shard:02}").read_bytes()
                made_by, some = pickle.loads(data)  # noqa: S301 (our own file, in our own cache folder)
            except Exception:  # for whatever reason  # noqa: S112
                continue
            if made_by == current:
                for path, (mark, kind, values, folded) in some.items():
                    known[path] = (mark, _made(kind, values, folded))
    return known


def _made(kind: type[Read], values: tuple[object, ...], folded: bytes) -> Read:
    """The item of that kind with those values: a third of what pickle takes for a frozen dataclass."""
    item = object.__new__(kind)
    for field, value in zip(_fields(kind), values, strict=True):
        object.__setattr__(item, field, value)
    if folded:
        item.fold(folded)
    return item


_FIELDS: dict[str, tuple[str, ...]] = {}


def _fields(kind: type[Read]) -> tuple[str, ...]:
    found = _FIELDS.get(kind.__name__)
    if found is None:
        found = tuple(field.name for field in fields(kind) if field.name not in kind.FOLDED)
        _FIELDS[kind.__name__] = found
    return found


def keep_items(cache: Path, content: Path, before: Known, after: Known) -> None:
    """Keep items for the next time; only the files that hold what changed are written."""
    changed = {path for path, (mark, _) in after.items() if path not in before or before[path][0] != mark}
    shards = {_shard(path) for path in (*changed, *(before.keys() - after.keys()))}
    some: dict[int, dict[str, tuple[Signature, type[Read], tuple[object, ...], bytes]]] = {
        shard: {} for shard in shards
    }
    for path, (mark, item) in after.items():
        shard = _shard(path)
        if shard in some:
            kind = type(item)
            values = tuple(getattr(item, field) for field in _fields(kind))
            some[shard][path] = (mark, kind, values, item.folded())
    current, stem = versions(), name("items", content)
    for shard, known_items in some.items():
        data = pickle.dumps((current, known_items), pickle.HIGHEST_PROTOCOL)
        write.save_cache(cache, f"{stem}-{shard:02}", data)


def table(cache: Path | None, what: str, key: str, make: Callable[[], dict[str, str]]) -> Mapping[str, str]:
    """A small table that depends on nothing but its key."""
    if cache is None:
        return make()
    try:
        saved = json.loads((cache / what).read_text("utf-8"))
        if saved["key"] == key:
            return dict(saved["table"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    made = make()
    write.save_cache(cache, what, json.dumps({"key": key, "table": made}, ensure_ascii=False).encode())
    return made


def _shard(path: str) -> int:
    return crc32(path.encode()) % SHARDS


@contextmanager
def _no_collecting() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class Bodies:
    """The bodies of items as HTML, each made once; a shelf is read only when something on it is asked for.

    Archives show all bodies that there are: one file would be read whole at every edit.
    """

    def __init__(
        self, library: Library, cache: Path | None, site: Path, looks: str, make: Callable[[str], str]
    ) -> None:
        self._library = library
        self._cache = cache
        self._name = name("bodies", site)
        self._looks = looks
        self._make = make
        self._shelves: dict[str, dict[str, list[str]]] = {}
        self._changed: set[str] = set()

    def mark(self, item: Item) -> str:
        """What decides an item's HTML. Where links lead follows from the digest, as with pages."""
        mark = self._library.mark(item)
        return f"{mark} {self._library.cited_by(item)!r}" if item.kind == "paper" else mark

    def html(self, item: Item, shelf: str) -> str:
        """The HTML of an item's body with its links resolved."""
        on_shelf = self._shelves.get(shelf)
        if on_shelf is None:
            on_shelf = self._shelves[shelf] = self._read(shelf)
        mark = self.mark(item)
        known = on_shelf.get(item.path)
        if known is None or known[0] != mark:
            known = on_shelf[item.path] = [mark, self._make(self._library.resolved_body(item))]
            self._changed.add(shelf)
        return known[1]

    def _read(self, shelf: str) -> dict[str, list[str]]:
        if self._cache is None:
            return {}
        try:
            saved = json.loads((self._cache / f"{self._name}-{shelf}").read_text("utf-8"))
            made: dict[str, list[str]] = saved["made"]
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        return made if saved["looks"] == self._looks else {}

    def save(self) -> None:
        """Keep the shelves that changed, without what is no more."""
        for shelf in sorted(self._changed) if self._cache else ():
            made = {path: of for path, of in self._shelves[shelf].items() if path in self._library.by_path}
            content = json.dumps({"looks": self._looks, "made": made}, ensure_ascii=False)
            write.save_cache(cast("Path", self._cache), f"{self._name}-{shelf}", content.encode())


class Kept:
    """Outputs by path with the key that decided them, so that the same need not be made again.

    What the last build into a folder left there is told by its digest: whatever another build made, or a
    version of this package that made it otherwise, is made anew.
    """

    def __init__(self, cache: Path | None, site: Path, looks: str, files: Mapping[str, str]) -> None:
        self._cache = cache
        self._name = name("kept", site)
        self._looks = f"{looks} {versions()}"
        self._files = files
        self._made: dict[str, list[str]] = {}
        self._known: dict[str, list[str]] = {}
        if cache:
            try:
                saved = json.loads((cache / self._name).read_text("utf-8"))
                if saved["looks"] == self._looks:
                    self._known = saved["made"]
            except (OSError, ValueError, KeyError):
                self._known = {}

    def of(self, path: str, key: str, make: Callable[[], Made]) -> Made | None:
        """What `make` makes; None when the folder holds it already. `path` is below the output folder."""
        later = self.later(path, key, make)
        return later() if later else None

    def later(self, path: str, key: str, make: Callable[[], Made]) -> Callable[[], Made] | None:
        """The same, made when it is called for: what is large is not held before it is written."""
        known = self._known.get(path)
        if known and known[0] == key and self._files.get(path) == known[1]:
            self._made[path] = known
            return None

        def made() -> Made:
            text = make()
            self._made[path] = [key, write.sha256(text if isinstance(text, bytes) else text.encode())]
            return text

        return made

    def save(self) -> None:
        """Keep what was used this time."""
        if self._cache and self._made != self._known:
            content = json.dumps({"looks": self._looks, "made": self._made}, ensure_ascii=False)
            write.save_cache(self._cache, self._name, content.encode())


class Sound:
    """Keys of what was tried and found sound: trying it again tells nothing."""

    def __init__(self, cache: Path | None, content: Path) -> None:
        self._cache = cache
        self._name = name("sound", content)
        self._by = versions()
        self._known: set[str] = set()
        self._seen: set[str] = set()
        if cache:
            try:
                saved = json.loads((cache / self._name).read_text("utf-8"))
                if saved["by"] == self._by:
                    self._known = set(saved["keys"])
            except (OSError, ValueError, KeyError, TypeError):
                self._known = set()

    def see(self, key: str, attempt: Callable[[], object]) -> None:
        """Try it when that key is new; what it raises is not remembered."""
        if key not in self._known:
            attempt()
        self._seen.add(key)

    def save(self) -> None:
        """Keep what was found sound, now and before."""
        if self._cache and not self._seen <= self._known:
            keys = sorted(self._known | self._seen)[-2_000:]  # enough for every paper and its last edits
            content = json.dumps({"by": self._by, "keys": keys})
            write.save_cache(self._cache, self._name, content.encode())


class Unmade:
    """In the place of Bodies and Kept where only what a build would make is asked, not how it
    reads."""

    def of(self, *_unused: object) -> Any:
        """No text at all: "" as a text, nothing to be written as an output."""
        return ""

    def later(self, *_unused: object) -> None:
        """Nothing to be written."""

    def mark(self, _item: Item) -> str:
        """What decides a body, of which there is none."""
        return ""

    def html(self, _item: Item, _shelf: str) -> str:
        """No body."""
        return ""
