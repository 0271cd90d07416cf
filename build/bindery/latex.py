"""LaTeX's text: what a value of BibTeX reads like, and how plain text is written as one.

pylatexenc knows the accents and signs. Nothing here knows entries or fields.
"""

from __future__ import annotations

import logging
import re
from functools import cache
from typing import Any

_SIGNS = {  # names of LaTeX that pylatexenc does not know, or takes for another sign
    "textbraceleft": "{",
    "textbraceright": "}",
    "textasciicircum": "^",
    "textasciigrave": "`",
}


@cache
def _decoder() -> Any:
    from pylatexenc import latex2text

    logging.getLogger("pylatexenc").addHandler(logging.NullHandler())
    logging.getLogger("pylatexenc").propagate = False
    context = latex2text.get_default_latex_context_db()
    signs = [latex2text.MacroTextSpec(name, sign) for name, sign in _SIGNS.items()]
    context.add_context_category("signs", signs, prepend=True)
    return latex2text.LatexNodes2Text(latex_context=context, math_mode="text")


def plain(value: str) -> str:
    """The text that a value in LaTeX stands for, on one line. Raises ValueError when it cannot be read."""
    words = " ".join(value.split())
    if any(character in words for character in "\\{}$~-`'"):
        # An unescaped % begins a comment in LaTeX, but in a bibliography it is a percent sign.
        try:
            made = _decoder().latex_to_text(re.sub(r"(?<!\\)%", r"\\%", words), tolerant_parsing=True)
        except Exception as error:  # of any kind: it stumbles over macros that lack what they need
            raise ValueError(value) from error
        if "%s" in made and "%s" not in words:  # what it leaves of a macro that lacks an argument
            raise ValueError(value)
        words = " ".join(made.replace("\u00a0", " ").split())
    return words


_SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\textbraceleft{}",  # BibTeX counts braces, and those behind a backslash too
        "}": r"\textbraceright{}",
        "$": r"\$",
        "&": r"\&",
        "%": r"\%",
        "#": r"\#",
        "_": r"\_",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
    }
)
_LIGATURE = re.compile(r"([-`'<>,!?])(?=[-`'<>,])")  # LaTeX would make one sign of two


def escaped(value: str) -> str:
    """Text as LaTeX has to write it."""
    return _LIGATURE.sub(r"\1{}", value.translate(_SPECIAL))
