"""Permanence: what a build publishes under a name that others keep, and what a target ever published.

Four sorts of names stay: addresses, ids of feed entries, UIDs of calendar entries, ids of fixes. A build
tells
its own as `Published`; a target's `Ledger` holds every one that was ever current there. `vanishing` compares
them. Everything here is a value: nothing reads or writes a disk, and nothing knows what content is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple

FORMAT = 1
FILE = "permanence.json"  # beside public/ in what a build makes, and in a publication
SORTS = ("address", "feed entry", "calendar entry", "fix")
ADDRESS, ENTRY, EVENT, FIX = SORTS

# Below public, and nothing that a reader keeps: looks, the search, the desk's answers, what programs of
# search
# engines read, pictures (they belong to their page), and archives of feeds, whose entries stay one by one.
_PASSING = re.compile(
    r"(?:assets|search|pagefind|support/answers|feeds/archive)/|(?:404|preview)\.|"
    r"(?:robots\.txt|sitemap\.xml)\Z|.*\.(?:png|jpe?g|svg|gif|webp|ico)\Z",
    re.IGNORECASE,
)


class UnknownFormat(ValueError):
    """A file of names that this version cannot read: the caller says which."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dated:
    """What a calendar said of an entry: `first` and `last` are days, both included; `stamp` an instant."""

    calendar: str
    first: str
    last: str
    sequence: int
    cancelled: bool
    summary: str
    url: str
    stamp: str


class Trace(NamedTuple):
    """Where a name comes from: the content file ("" when the build makes it of many, None when nobody knows),
    the address of the page on which it stands, and of a calendar entry what it said."""

    file: str | None
    at: str = ""
    said: Dated | None = None


Names = Mapping[str, Trace]


@dataclass(frozen=True, kw_only=True)
class Published:
    """All names of one build by sort, and those that tombstones give up, each with its tombstone's file."""

    names: Mapping[str, Names]
    gone: Mapping[str, str] = field(default_factory=dict)

    def as_json(self, told: Mapping[str, str] = MappingProxyType({})) -> str:
        """The same names are the same bytes. `told` may hold a sort's names as `names_as_json` gave them
        before; they are then not asked for here."""
        sorts = ",".join(
            f"{_json(sort)}:{told[sort] if sort in told else names_as_json(self.names[sort])}"
            for sort in sorted({*self.names, *told})
        )
        return f'{{"format":{FORMAT},"gone":{_json(dict(self.gone))},"names":{{{sorts}}}}}\n'

    def buries(self, sort: str, name: str, at: str) -> bool:
        """Whether a tombstone gives the name up, or the address on or below which it stands."""
        if name in self.gone:
            return True
        standings = (name, at) if sort == ADDRESS else (at,)
        return any(f"{above}/" in self.gone for standing in standings for above in _above(standing))


def names_as_json(names: Names) -> str:
    """The names of one sort as `Published.as_json` writes them."""
    return _json({name: _trace(trace) for name, trace in names.items()})


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def published(text: str | bytes) -> Published:
    """Reads `Published.as_json`; raises UnknownFormat."""
    value = json.loads(text)
    if value.get("format") != FORMAT:
        raise UnknownFormat(value.get("format"))
    return Published(
        names={
            sort: {name: _read_trace(trace) for name, trace in names.items()}
            for sort, names in value["names"].items()
        },
        gone=value["gone"],
    )


def address_of(path: str) -> str | None:
    """The permanent address that a file below public has, without a leading slash; None when it has none."""
    if _PASSING.match(path):
        return None
    if path == "index.html" or path.endswith("/index.html"):
        return path.removesuffix("index.html")
    return path


_MADE_OF = re.compile(r"(?:upgrade|data|feeds|calendar)/")
_END = re.compile(r"(?:/index\.html|\.(?:json|atom|rss|ics|xml|csv))\Z")


def speaks_of(path: str) -> Iterator[tuple[str, str, str]]:
    """Of which product or release a file that the build makes may speak by its name: (what stands before it,
    `cityworks/23.10` or `cityworks`, what follows). Whoever asks knows whether there is one of that name."""
    if not _MADE_OF.match(path):
        return
    end = _END.search(path)
    parts = path[: end.start() if end else len(path)].split("/")
    rest = end[0] if end else ""
    for place in range(1, len(parts)):
        for length in (2, 1):
            if place + length <= len(parts):
                after = parts[place + length :]
                yield (
                    "/".join(parts[:place]) + "/",
                    "/".join(parts[place : place + length]),
                    "".join(f"/{part}" for part in after) + rest,
                )


def of_files(paths: Iterable[str]) -> Published:
    """The names in a publication that tells none itself: addresses, from nobody knows which file."""
    addresses = [address_of(path.removeprefix("public/")) for path in paths if path.startswith("public/")]
    return Published(names={ADDRESS: {each: Trace(None) for each in addresses if each is not None}})


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """A name in the ledger. `first` is the publication that it came with, `last` the newest that had it, None
    while it is there; `let_go` says why somebody let it vanish without a tombstone."""

    first: str
    last: str | None
    trace: Trace
    let_go: str = ""


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Every name ever published at a target. `publications` gives the instant of each that was entered."""

    publications: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, Known]] = field(default_factory=dict)
    told: bool = False  # whether a publication in it told its names itself

    def as_json(self) -> str:
        """The same ledger is the same bytes."""
        value = {
            "format": FORMAT,
            "publications": dict(self.publications),
            "told": self.told,
            "names": {
                sort: {
                    name: {
                        "first": known.first,
                        **({"last": known.last} if known.last else {}),
                        **({"let_go": known.let_go} if known.let_go else {}),
                        **_trace(known.trace),
                    }
                    for name, known in names.items()
                }
                for sort, names in self.names.items()
            },
        }
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"

    def when(self, publication: str) -> str:
        """The day of a publication, such as 2026-11-23."""
        return self.publications.get(publication, publication)[:10]

    @property
    def dated(self) -> dict[str, Known]:
        """Calendar entries by UID."""
        return dict(self.names.get(EVENT, {}))

    def made(self) -> Iterator[str]:
        """Addresses of pages that the build made of many files, such as a part of a list."""
        for name, known in self.names.get(ADDRESS, {}).items():
            if known.trace.file == "" and (name == "" or name.endswith("/")) and not known.let_go:
                yield name

    def mark(self) -> str:
        """What of it a build depends on."""
        said = sorted((uid, known.trace) for uid, known in self.dated.items())
        return repr((said, sorted(self.made())))


def ledger(text: str | bytes) -> Ledger:
    """Reads `Ledger.as_json`; raises UnknownFormat, or ValueError, KeyError and the like for what is
    broken."""
    value = json.loads(text)
    if value["format"] != FORMAT:
        raise UnknownFormat(value["format"])
    return Ledger(
        publications=value["publications"],
        told=value["told"],
        names={
            sort: {
                name: Known(
                    first=each["first"],
                    last=each.get("last"),
                    let_go=each.get("let_go", ""),
                    trace=_read_trace(each),
                )
                for name, each in names.items()
            }
            for sort, names in value["names"].items()
        },
    )


def enter(
    before: Ledger, publication: str, when: str, what: Published, *, told: bool = True, let_go: str = ""
) -> Ledger:
    """The ledger once the publication was current. With `let_go`, what vanished with it may stay away."""
    newest = max(before.publications, default="")
    names: dict[str, dict[str, Known]] = {}
    refused = {(each.sort, each.name) for each in vanishing(before, what)} if let_go else set()
    for sort in SORTS:
        known = names[sort] = dict(before.names.get(sort, {}))
        here = what.names.get(sort, {})
        for name, each in known.items():
            if name not in here:
                known[name] = replace(
                    each,
                    last=each.last or newest or publication,
                    let_go=let_go if (sort, name) in refused else each.let_go,
                )
        for name, trace in here.items():
            earlier = known.get(name)
            if earlier and earlier.trace.said and trace.said:
                sequence = max(earlier.trace.said.sequence, trace.said.sequence)
                trace = trace._replace(said=replace(trace.said, sequence=sequence))
            known[name] = Known(first=earlier.first if earlier else publication, last=None, trace=trace)
    return Ledger(
        publications={**before.publications, publication: when}, names=names, told=before.told or told
    )


def forget(before: Ledger, publication: str) -> Ledger:
    """The ledger as if a publication had brought no new name: git took it back before anybody was told."""
    return replace(
        before,
        names={
            sort: {name: known for name, known in names.items() if known.first != publication}
            for sort, names in before.names.items()
        },
    )


class Vanishing(NamedTuple):
    """A name that would be there no more; `known` says what the ledger knows of it."""

    sort: str
    name: str
    known: Known


def vanishing(known: Ledger, what: Published) -> tuple[Vanishing, ...]:
    """Every name of the ledger that the build has not, and that no tombstone gives up; sorted."""
    found = []
    for sort in SORTS:
        here = what.names.get(sort, {})
        for name, each in sorted(known.names.get(sort, {}).items()):
            if name not in here and not each.let_go and not what.buries(sort, name, each.trace.at):
                found.append(Vanishing(sort, name, each))
    return tuple(found)


def mended(known: Ledger, found: Iterable[Vanishing], *, target: str) -> list[str]:
    """A line for each vanished address with all that stood there, and for each other name: what it was, since
    when, and what to do. `target` is how a command names it."""
    by_address: dict[str, list[Vanishing]] = {}
    others = []
    found = list(found)
    lost = {each.name for each in found if each.sort == ADDRESS}
    alone = []
    for each in found:
        if each.known.trace.at in lost and each.known.trace.at != each.name:
            by_address.setdefault(each.known.trace.at, []).append(each)
        elif each.sort == ADDRESS:
            alone.append(each)
        else:
            others.append(each)
    return [
        *(_address_line(known, each, by_address.get(each.name, []), target) for each in alone),
        *(_name_line(known, each, target) for each in others),
    ]


def moved_unseen(known: Ledger, what: Published | None) -> list[str]:
    """UIDs of calendar entries whose days are not those of the ledger, with a SEQUENCE that did not rise."""
    found = []
    for uid, trace in sorted(what.names.get(EVENT, {}).items() if what else ()):
        before = known.dated.get(uid)
        earlier, now = before.trace.said if before else None, trace.said
        if earlier is None or now is None or (earlier.first, earlier.last) == (now.first, now.last):
            continue
        if now.sequence <= earlier.sequence:
            found.append(uid)
    return found


def entry_as_json(known: Ledger, sort: str, name: str, each: Known) -> dict[str, Any]:
    """What a program is told of a name: instants of the publications, not their ids."""
    return {
        "sort": sort,
        "name": name,
        "first": known.publications.get(each.first),
        "last": known.publications.get(each.last) if each.last else None,
        "there": each.last is None,
        "let_go": each.let_go or None,
        "file": each.trace.file or None,
        "at": name if sort == ADDRESS else each.trace.at,
        **({"calendar": asdict(each.trace.said)} if each.trace.said else {}),
    }


def _address_line(known: Ledger, each: Vanishing, there: list[Vanishing], target: str) -> str:
    since = f"first published on {known.when(each.known.first)}"
    trace = each.known.trace
    if trace.file == "" and each.name.endswith("/"):
        return (
            f"/{each.name} (made by the build, {since}) must not vanish: build again with "
            f"--against {target}, and it will lead to the page above it"
        )
    origin = f"of {trace.file}, {since}" if trace.file else since
    with_it = f"; with it {', '.join(_called(one) for one in there)}" if there else ""
    if each.name.endswith("/"):
        mend = f"give 'redirect_from: [{each.name}]' to the page that replaces it, or bury it"
    else:
        mend = "publish it again, or bury it"
    return (
        f"/{each.name} ({origin}{with_it}) must not vanish: {mend} with 'gone: [{each.name}]' in a file such "
        f"as content/gone/{_slug(each.name)}.md"
    )


def _name_line(known: Ledger, each: Vanishing, target: str) -> str:
    trace = each.known.trace
    origin = f"of {trace.file}, " if trace.file else ""
    since = f"first published on {known.when(each.known.first)}"
    bury = f"bury it with 'ids: [\"{each.name}\"]' in a file such as content/gone/{_slug(each.name)}.md"
    if each.sort == FIX:
        mend = f"put the entry back into the notes of a release, or {bury}"
    elif each.sort == EVENT:
        mend = f"build again with --against {target}, and it will stand in the calendar as cancelled"
    else:
        mend = f"give the file that replaces it the 'id' that this one was made from, or {bury}"
    return f"{_called(each)} ({origin}{since}) must not vanish: {mend}"


def _called(each: Vanishing) -> str:
    return f"{each.sort} {'/' if each.sort == ADDRESS else ''}{each.name}"


def _slug(name: str) -> str:
    last = [part for part in re.split(r"[/:@]", name) if part][-1:] or ["home"]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", last[0]).strip("-.").lower() or "page"


def _above(address: str) -> Iterator[str]:
    """An address without its last slash, and every folder above it."""
    parts = address.strip("/").split("/")
    for count in range(1, len(parts) + 1):
        yield "/".join(parts[:count])


def _trace(trace: Trace) -> dict[str, Any]:
    return {
        **({"file": trace.file} if trace.file is not None else {}),
        "at": trace.at,
        **({"said": asdict(trace.said)} if trace.said else {}),
    }


def _read_trace(value: Mapping[str, Any]) -> Trace:
    said = value.get("said")
    return Trace(value.get("file"), value["at"], Dated(**said) if said else None)
