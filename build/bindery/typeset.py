"""From a paper's tree to a tagged PDF, by Typst, in this process.

Nothing but the template, the tree and the pictures below one folder go in: no font of the machine, no clock,
no network. So the same paper gives the same bytes everywhere. This module must not know what a paper is.
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


def sound(path: str, root: Path) -> bool:
    """Whether a picture below `root` can be set at all."""
    import typst

    press = typst.Compiler(font_paths=_fonts(), ignore_system_fonts=True, root=root)
    try:
        press.compile(b"#image(sys.inputs.path)", format="pdf", sys_inputs={"path": path})
    except typst.TypstError:
        return False
    return True
