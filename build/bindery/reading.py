"""From files to items: everything below the content folder, what is sound of it and what is not.

Reads the disk and changes nothing; what was parsed before it takes from `known`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bindery import bibtex, kinds, prose, source
from bindery.kinds.item import Item
from bindery.prose import Link, Name
from bindery.references import Bibliography
from bindery.source import Found, Problem, Problems

ATTACHED = (".png", ".jpg", ".jpeg", ".svg", ".gif", ".webp", ".pdf", ".bib", ".csv", ".txt")
Signature = tuple[int, int, int]
Read = Item | Bibliography


@dataclass(frozen=True, kw_only=True)
class Unread:
    """A file whose fields have problems: where its prose points is checked all the same."""

    path: str
    links: tuple[Link, ...] = ()
    names: tuple[Name, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Scan:
    """Every file of the content folder: items that are sound, other files to be copied, and problems.

    `unread` are the files that were to be read and have problems of their own; what points at them is not
    blamed.
    """

    items: dict[str, Item]
    attached: tuple[Found, ...]
    problems: tuple[Problem, ...]
    signatures: dict[str, Signature]
    unread: Mapping[str, Unread] = field(default_factory=dict)
    bibliographies: Mapping[str, Bibliography] = field(default_factory=dict)

    def read(self, path: str) -> Read:
        """What was made of a file that was read and found sound."""
        return self.items.get(path) or self.bibliographies[path]


def signature(found: Found) -> Signature:
    """What tells, without reading it, that a file is the one that was read before."""
    return (found.size, found.modified, found.inode)


def read(
    content: Path,
    found: Iterable[Found],
    known: Mapping[str, tuple[Signature, Read]],
    progress: Callable[[int], None] = lambda _: None,
) -> Scan:
    """Read and parse every file found that `known` does not hold already."""
    items: dict[str, Item] = {}
    attached = []
    problems: list[Problem] = []
    signatures = {}
    unread: dict[str, Unread] = {}
    bibliographies: dict[str, Bibliography] = {}
    for file in found:
        if kinds.BIBLIOGRAPHY.fullmatch(file.path):
            made = _bibliography(content, file, known, problems)
            if made is None:
                unread[file.path] = Unread(path=file.path)
            else:
                bibliographies[file.path] = made
                signatures[file.path] = signature(file)
            continue
        if not file.path.endswith(".md"):
            if file.path.lower().endswith(ATTACHED):
                attached.append(file)
            else:
                problems.append(
                    Problem(
                        path=file.path,
                        line=1,
                        message="the file must be Markdown or an attachment such as "
                        f"{', '.join(ATTACHED)}; move it out of the content folder",
                    )
                )
            continue
        mark = signature(file)
        before = known.get(file.path)
        if before is not None and before[0] == mark and isinstance(before[1], Item):
            items[file.path] = before[1]
            signatures[file.path] = mark
            continue
        unread[file.path] = Unread(path=file.path)
        try:
            parsed = source.parse(source.read_text(content, file.path), file.path)
            item = kinds.parse(parsed, problems)
        except Problems as error:
            problems.extend(error.problems)
            continue
        if item is None:
            plain = prose.without_code(parsed.body)
            unread[file.path] = Unread(
                path=file.path,
                links=prose.links(plain, parsed.body_line),
                names=prose.names(plain, parsed.body_line),
            )
        else:
            del unread[file.path]
            items[file.path] = item
            signatures[file.path] = mark
        progress(1)
    return Scan(
        items=items,
        attached=tuple(attached),
        problems=tuple(problems),
        signatures=signatures,
        unread=unread,
        bibliographies=bibliographies,
    )


def _bibliography(
    content: Path, file: Found, known: Mapping[str, tuple[Signature, Read]], problems: list[Problem]
) -> Bibliography | None:
    before = known.get(file.path)
    if before is not None and before[0] == signature(file) and isinstance(before[1], Bibliography):
        return before[1]
    try:
        text = source.read_text(content, file.path)
    except Problems as error:
        problems.extend(error.problems)
        return None
    told = len(problems)
    entries = bibtex.parse(text, file.path, problems)
    if len(problems) > told:
        return None
    return Bibliography(path=file.path, digest=source.digest_of(text), references=entries)
