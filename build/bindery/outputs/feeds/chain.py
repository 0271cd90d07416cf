"""The chain: a channel's entries cut into documents, so that all of its history can be walked (RFC 5005).

Archives are cut from the oldest entry on, each of SIZE, so a new entry changes none of them: it stands in the
subscription document, which always has the newest SIZE entries or more. Every entry stands in one document.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bindery.outputs.feeds.entries import Told

SIZE = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """One document of a channel. `stem` is its path below public without an ending, `before` and `after` are
    those of the archives beside it in time, `current` that of the subscription document. `told` is from new
    to old."""

    stem: str
    current: str
    before: str = ""
    after: str = ""
    told: Sequence[Told]

    @property
    def archived(self) -> bool:
        """Whether this is an archive, whose entries no new one ever changes."""
        return self.stem != self.current


def documents(channel: str, told: Sequence[Told]) -> Iterator[Document]:
    """The documents of a channel whose entries are given from old to new; the oldest archive first."""
    current = f"feeds/{channel}"
    archives = max(len(told) // SIZE - 1, 0)

    def archive(number: int) -> str:
        return f"feeds/archive/{channel}/{number}" if 1 <= number <= archives else ""

    for number in range(1, archives + 1):
        yield Document(
            stem=archive(number),
            current=current,
            before=archive(number - 1),
            after=archive(number + 1),
            told=told[(number - 1) * SIZE : number * SIZE][::-1],
        )
    yield Document(
        stem=current, current=current, before=archive(archives), told=told[archives * SIZE :][::-1]
    )
