"""Cards drawn: each as a PNG in few colours, by a template of Typst's, from what `cards` says; icons too.

What was drawn once is remembered by the key of all that decided it. Letters that no font here has are left
out; a title of which too little is left, such as one in Chinese, gives way to the kind of page.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bindery import memory, typeset
from bindery.source import Problem, Problems, digest_of

if TYPE_CHECKING:  # a build in which nothing changed does not pay for all that makes pages
    from PIL import Image

    from bindery.outputs.pages.cards import Card, Cards

COLOURS = 32  # of a card: the flat ones, and steps between them for the edges of letters
PLAIN = 0x250  # Latin letters, which every font has, come before
LEFT = 0.7  # of a title's letters must be left for it to be told
ANY = {"vendor": "V", "site": "S", "kind": "K", "title": "Ag", "facts": ["F"], "sample": True}
TEMPLATE = "templates/cards/card.typ"
ICON = "templates/cards/icon.typ"


@dataclass(frozen=True, slots=True)
class Draw:
    """A picture that is still to be drawn, beside others: see `drawn`."""

    make: Callable[[], bytes]

    def __call__(self) -> bytes:
        return self.make()


def look(site: Path) -> str:
    """What names, for pages, how cards are drawn: the template, which is part of what all pages look like."""
    return digest_of((site / TEMPLATE).read_text("utf-8"))


def outputs(cards: Cards, site: Path, kept: memory.Kept | memory.Unmade) -> Iterator[tuple[str, Draw | None]]:
    """Each card as (path below the public folder, what draws it), None for one that is there."""
    template = (site / TEMPLATE).read_text("utf-8")
    tools = _tools()
    for card in cards:
        make = partial(_card, card, template, site)
        later = kept.later(f"public/{card.path}", f"{card.key()} {tools}", make)
        yield card.path, Draw(later) if later else None


def icons(site: Path, kept: memory.Kept | memory.Unmade) -> Iterator[tuple[str, bytes | None]]:
    """The site's icon for what cannot draw SVG: older browsers' tabs, and the home screens of phones."""
    template = (site / ICON).read_text("utf-8")
    key = f"{digest_of(template)} {_tools()}"
    for path, make in (
        ("apple-touch-icon.png", partial(_png, {"size": 180, "corners": False}, template, site, ICON)),
        ("favicon.ico", partial(_ico, template, site)),
    ):
        yield path, kept.of(f"public/{path}", key, make)


def drawn(wanted: Mapping[str, Draw], jobs: int) -> Iterator[tuple[str, bytes]]:
    """The pictures by path, in that order. Raises Problems of the template with the first.

    Threads do it, for Typst and the library of pictures work beside each other in one process.
    """
    from concurrent.futures import ThreadPoolExecutor

    paths = iter(wanted)
    for first in paths:
        yield first, wanted[first]()
        break
    with ThreadPoolExecutor(jobs) as hands:
        yield from hands.map(lambda path: (path, wanted[path]()), paths)


def _tools() -> str:
    return f"{typeset.version()} {metadata.version('pillow')}"


def _card(card: Card, template: str, site: Path) -> bytes:
    """The card in few colours: a third of what Typst writes, and the same to the eye."""
    from PIL import Image

    ground = _ground(template, site)
    with Image.open(io.BytesIO(_png(_tellable(card.data()), template, site, TEMPLATE))) as told:
        few = told.convert("RGB").quantize(palette=ground, dither=Image.Dither.NONE)
    whole = ground.copy()
    whole.paste(few)
    made = io.BytesIO()
    whole.save(made, "PNG", compress_level=4)  # 6 makes 9 % less of it in twice the time
    return made.getvalue()


def _png(data: Mapping[str, Any], template: str, site: Path, name: str) -> bytes:
    try:
        return typeset.png(data, template, site)
    except typeset.Unset as error:
        message = f"the template must be Typst that draws a picture of one page: {error.reason}"
        raise Problems([Problem(path=str(site / name), line=error.line, message=message)]) from None


def _tellable(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data without what cannot be drawn."""
    texts = [data["vendor"], data["site"], data["kind"], data["title"], *data["facts"]]
    rare = any(ord(sign) >= PLAIN for text in texts for sign in text)
    unshown = typeset.unshown(" ".join(texts)) if rare else ()
    if not unshown:
        return dict(data)

    def told(text: str) -> str:
        for piece in unshown:
            text = text.replace(piece, "")
        return " ".join(text.split())

    title, kind = told(data["title"]), told(data["kind"])
    if _letters(title) < LEFT * _letters(data["title"]) or not _letters(title):
        title, kind = kind or told(data["site"]), ""
    facts = [told(fact) for fact in data["facts"]]
    facts = [
        fact for fact, whole in zip(facts, data["facts"], strict=True) if _letters(fact) == _letters(whole)
    ]
    return {
        **data,
        "vendor": told(data["vendor"]),
        "site": told(data["site"]),
        "kind": kind,
        "title": title,
        "facts": facts,
    }


def _letters(text: str) -> int:
    return sum(sign.isalnum() for sign in text)


@lru_cache(maxsize=2)
def _ground(template: str, site: Path) -> Image.Image:
    """A whole card with the colours that all have: what others have in common with it is taken from it."""
    from PIL import Image

    with Image.open(io.BytesIO(_png(ANY | {"whole": True}, template, site, TEMPLATE))) as whole:
        return whole.convert("RGB").quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


def _ico(template: str, site: Path) -> bytes:
    """An icon file that holds one picture of 32 by 32, as PNG."""
    picture = _png({"size": 32, "corners": True}, template, site, ICON)
    head = struct.pack("<3H", 0, 1, 1)
    entry = struct.pack("<4B2H2I", 32, 32, 0, 0, 1, 32, len(picture), len(head) + 16)
    return head + entry + picture
