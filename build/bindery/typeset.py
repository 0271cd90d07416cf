"""From a template and its data to a tagged PDF or a picture, by Typst, in this process.

Nothing but the template, the data and the pictures below one folder go in: no font of the machine, no clock,
no network. So the same data gives the same bytes everywhere. This module must not know what is set.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:  # a build that sets no paper does not pay for it
    import typst

STANDARD: Literal["ua-1"] = "ua-1"
"""Typst then refuses what a tagged PDF must not lack; that a PDF conforms, only a validator could say."""
_LINE = re.compile(r"\.typ:(\d+):")
_UNSHOWN = re.compile(r'the text `"(.*?)"` could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")
_TRIED = b'#set document(title: "-"); #set text(lang: "en"); #title(sys.inputs.text)'


class Unset(Exception):
    """What could not be set: `unshown` are texts that no font here can show, `reason` is Typst's own word.

    `line` is where the template was when it stopped.
    """

    def __init__(self, reason: str, line: int, unshown: tuple[str, ...]) -> None:
        self.reason, self.line, self.unshown = reason, line, unshown
        super().__init__(reason)


def version() -> str:
    """What decides, beside template and tree, how a PDF comes out."""
    return metadata.version("typst")


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    import typst

    return typst.Fonts(include_system_fonts=False)


def pdf(tree: Mapping[str, Any], template: str, root: Path, day: date) -> bytes:
    """The PDF that `template` (Typst) makes of the tree. Pictures are named by their path below `root`.

    `day` is the day that the file says it was made on. Raises Unset.
    """
    import typst

    press = typst.Compiler(font_paths=_fonts(), ignore_system_fonts=True, root=root)
    try:
        made = press.compile(
            template.encode(),
            format="pdf",
            sys_inputs={"paper": json.dumps(tree, ensure_ascii=False)},
            pdf_standards=[STANDARD],
            timestamp=datetime.combine(day, time(), UTC),
        )
    except typst.TypstError as error:
        unshown = tuple(dict.fromkeys(_UNSHOWN.findall(error.diagnostic)))
        line = _LINE.search(error.diagnostic)
        raise Unset(str(error.message), int(line[1]) if line else 1, unshown) from None
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made


def png(data: Mapping[str, Any], template: str, root: Path) -> bytes:
    """The picture that `template` (Typst) makes of the data: a pixel for each point of its page.

    Letters that no font has are drawn as boxes: see `unshown`. Raises Unset.
    """
    import typst

    press = typst.Compiler(font_paths=_fonts(), ignore_system_fonts=True, root=root)
    try:
        made = press.compile(
            template.encode(),
            format="png",
            ppi=72,
            sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        )
    except typst.TypstError as error:
        line = _LINE.search(error.diagnostic)
        raise Unset(str(error.message), int(line[1]) if line else 1, ()) from None
    if not isinstance(made, bytes):
        raise TypeError("a picture is one page")
    return made


def unshown(text: str) -> tuple[str, ...]:
    """The pieces of the text, a letter or sign each, that no font here has; the longest first."""
    import typst

    press = typst.Compiler(font_paths=_fonts(), ignore_system_fonts=True)
    try:
        press.compile(_TRIED, format="pdf", sys_inputs={"text": text}, pdf_standards=[STANDARD])
    except typst.TypstError as error:
        found = {
            _ESCAPED.sub(lambda code: chr(int(code[1], 16)), piece)
            for piece in _UNSHOWN.findall(error.diagnostic)
        }
        return tuple(sorted(found, key=lambda piece: (-len(piece), piece)))
    return ()


def sound(path: str, root: Path) -> bool:
    """Whether a picture below `root` can be set at all."""
    import typst

    press = typst.Compiler(font_paths=_fonts(), ignore_system_fonts=True, root=root)
    try:
        press.compile(b"#image(sys.inputs.path)", format="pdf", sys_inputs={"path": path})
    except typst.TypstError:
        return False
    return True
