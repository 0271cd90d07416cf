"""Mathematics in prose: TeX between dollars becomes MathML, once, for the page and for print.

`$…$` stands in a line, `$$…$$` on lines of its own; `\\$` is a dollar, and a dollar amount is none of these
(the rule is pandoc's). What page and print cannot both show is refused, so that they never differ.
This module must not know any kind of content.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from html import escape, unescape
from typing import NamedTuple
from xml.etree.ElementTree import Element

_DOLLARS = re.compile(
    r"""\\\$
      | \$\$(?P<display>(?:[^$\\\n]|\\.|\n(?![ \t]*\n))+?)\$\$
      | \$(?![\s$])(?P<inline>(?:[^$\\\n]|\\.|\n(?![ \t]*\n))*?(?:[^$\\\s]|\\[^\s]))\$(?!\d)
    """,
    re.VERBOSE | re.DOTALL,
)
_TARGET = re.compile(
    r"\]\(<?[^)\s>]*|<(?:https?|mailto):[^>\s]*>|^ {0,3}\[[^\]^\n][^\]\n]*\]:[ \t]+\S+", re.MULTILINE
)
_COMMAND = re.compile(r"\\([A-Za-z]+)\*?")
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{([^}]*)\}")
_REFERENCE = re.compile(r"&#x([0-9A-Fa-f]+);")

ALIGNED = frozenset({"align", "align*", "aligned", "split"})
MATRICES = frozenset({"matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix", "smallmatrix"})
ENVIRONMENTS = ALIGNED | MATRICES | {"cases", "array"}
# Commands that lead somewhere, draw, or make other commands: a formula is read, it does nothing.
# fmt: off
REFUSED = frozenset({
    "above", "abovewithdelims", "atopwithdelims", "bcancel", "boxed", "bra", "braket", "cancel", "clap",
    "class", "color", "colorbox", "DeclareMathOperator", "def", "displaylines", "eqalign", "eqalignno",
    "fbox", "fcolorbox", "genfrac", "hdashline", "hfil", "hline", "hphantom", "href", "hskip", "hspace",
    "idotsint", "kern", "ket", "label", "LaTeX", "leftroot", "llap", "lower", "mathchoice", "mathclap",
    "mathllap", "mathrlap", "mathstrut", "middle", "mkern", "moveleft", "moveright", "mskip", "mspace",
    "newcommand", "newenvironment", "not", "phantom", "raise", "rlap", "rule", "shoveleft", "shoveright",
    "sideset", "skew", "smash", "sout", "strut", "style", "substack", "tag", "TeX", "textcolor", "unicode",
    "uproot", "vcenter", "verb", "vphantom", "xcancel",
})
# fmt: on
_ARITY = {
    "mfrac": 2,
    "mroot": 2,
    "msub": 2,
    "msup": 2,
    "munder": 2,
    "mover": 2,
    "msubsup": 3,
    "munderover": 3,
}
ROWS = frozenset({"math", "mrow", "msqrt", "mtd", "mstyle"})
_KEPT = {
    "mo": ("stretchy", "fence", "form", "minsize", "maxsize"),
    "mi": ("mathvariant",),
    "mfrac": ("linethickness",),
    "mover": ("accent",),
    "mstyle": ("displaystyle", "scriptlevel"),
    "mspace": ("width",),
    "mtd": ("columnalign",),
    "mtable": ("displaystyle",),
}
_WIDTHS = {
    "thinmathspace": "0.167em",
    "thickmathspace": "0.278em",
    "negativethinmathspace": "-0.167em",
    "negativemediummathspace": "-0.222em",
    "negativethickmathspace": "-0.278em",
}
_WIDTH = re.compile(r"-?\d+(?:\.\d+)?em\Z")
_VARIANTS = {
    "bold": "BOLD",
    "italic": "ITALIC",
    "bold-italic": "BOLD ITALIC",
    "double-struck": "DOUBLE-STRUCK",
    "script": "SCRIPT",
    "fraktur": "FRAKTUR",
    "sans-serif": "SANS-SERIF",
    "sans-serif-italic": "SANS-SERIF ITALIC",
    "monospace": "MONOSPACE",
}
_MOVABLE = frozenset({"lim", "max", "min", "sup", "inf", "det", "gcd", "Pr"})
SPACED = "after"  # marks a space that print puts there by itself


class Unfit(Exception):
    """A formula that cannot be shown; the message says what is wrong with it: `not '…'`."""


class Formula(NamedTuple):
    """A formula, or with `tex` None an escaped dollar: from `start` to `end` of a text."""

    tex: str | None
    display: bool
    start: int
    end: int


def formulas(plain: str, body: str) -> Iterator[Formula]:
    """Formulas and escaped dollars, in order. `plain` is the body without code, of the same length."""
    if "$" not in plain:
        return
    for match in _DOLLARS.finditer(_TARGET.sub(lambda target: " " * len(target[0]), plain)):
        start, end = match.span()
        if body[start:end] != plain[start:end]:  # there is code in it
            continue
        group = match.lastgroup
        tex = body[slice(*match.span(group))].strip() if group else None
        yield Formula(tex, group == "display", start, end)


def blanked(plain: str, body: str) -> str:
    """The same text with formulas blanked out: what stands in them is neither link, value nor citation."""
    for formula in formulas(plain, body):
        hidden = re.sub(r"[^\n]", " ", plain[formula.start : formula.end])
        plain = plain[: formula.start] + hidden + plain[formula.end :]
    return plain


@lru_cache(maxsize=512)
def mathml(tex: str, display: bool) -> Element:
    """The formula as a MathML tree of known elements only. Raises Unfit."""
    from latex2mathml.converter import Converter

    for command in _COMMAND.finditer(tex):
        if command[1] in REFUSED:
            raise Unfit(rf"\{command[1]}")
    for environment in _ENVIRONMENT.finditer(tex):
        if environment[2] not in ENVIRONMENTS:
            raise Unfit(environment[0])
    source = _ENVIRONMENT.sub(lambda m: rf"\{m[1]}{{{'align*' if m[2] in ALIGNED else m[2]}}}", tex)
    source = re.sub(r"\\arg\s*(?=\\(?:max|min)\b)", r"\\operatorname{arg}", source)
    try:
        tree = Converter(display="block" if display else "inline").convert_to_element(source)
    except Exception:  # of many kinds: half a fraction, a brace that is not closed
        raise Unfit(tex) from None
    (made,) = _clean(tree, tex, display)
    return made


def _clean(element: Element, tex: str, display: bool) -> list[Element]:
    tag = element.tag
    if tag not in {*ROWS, *_ARITY, "mi", "mn", "mo", "mtext", "mspace", "mtable", "mtr"}:
        raise Unfit(tex)
    kept = {"display": "block"} if tag == "math" and display else {}
    known = _KEPT.get(tag, ())
    for name, value in element.attrib.items():
        if name in known:
            kept[name] = value
        elif name in ("href", "style", "class", "mathcolor", "mathbackground", "linebreak"):
            raise Unfit(tex)
    if tag in ("mi", "mn", "mo", "mtext"):
        return [_token(tag, element.text or "", kept, element.get("mathvariant", ""), tex)]
    if tag == "mspace":
        width = _WIDTHS.get(kept.get("width", ""), kept.get("width", ""))
        if not _WIDTH.match(width):
            raise Unfit(tex)
        return [_made("mspace", {"width": width})]
    children = [made for child in element for made in _clean(child, tex, display)]
    if tag in _ARITY and len(children) != _ARITY[tag]:
        raise Unfit(tex)
    if tag in ROWS:
        children = _spaced(_merged(children))
    if tag == "mrow" and len(children) == 1 and children[0].tag == "mo":
        children[0].attrib |= {"lspace": "0em", "rspace": "0em"}  # {,} of 10{,}000 is no punctuation
    if tag == "msub" and display and children[0].tag == "mi" and children[0].text in _MOVABLE:
        tag = "munder"
    if tag in ("mover", "munder") and children[1].text == "\u2015":
        children[1] = _made("mo", {"stretchy": "true"}, "\u203e" if tag == "mover" else "_")
    made = _made(tag, kept)
    made.extend(children)
    return [made]


def _made(tag: str, attributes: dict[str, str], text: str | None = None) -> Element:
    made = Element(tag, attributes)
    made.text = text
    return made


def _token(tag: str, text: str, kept: dict[str, str], variant: str, tex: str) -> Element:
    if "\\" in text or text == "&":
        raise Unfit(text if text.startswith("\\") and len(text) > 1 else tex)
    text = _REFERENCE.sub(lambda match: unescape(match[0]), text)
    if any(unicodedata.category(sign) in ("Cc", "Co", "Cn", "Cs") for sign in text):
        raise Unfit(tex)
    if tag == "mtext":
        return _made("mtext", {}, text)
    if variant and variant != "normal":
        kept.pop("mathvariant", None)
        return _made(tag, kept, "".join(_variant(sign, variant) for sign in text))
    if len(text) > 1 and (tag == "mi" or text.isalpha()) and tag != "mn":
        return _made("mi", {"operator": "true"}, text)
    if tag == "mi" and len(text) == 1 and unicodedata.category(text)[0] in "SP" and text != "%":
        return _made("mo", {}, text)
    return _made(tag, kept, text)


def _variant(sign: str, variant: str) -> str:
    """The character of that alphabet: browsers take no other way to a bold letter than its own sign."""
    name = unicodedata.name(sign, "").replace("LATIN ", "").replace(" LETTER", "")
    if name.startswith("GREEK"):
        name = name.removeprefix("GREEK ")
    alphabet = _VARIANTS.get(variant, "")
    for wanted in (
        f"MATHEMATICAL {alphabet} {name}",
        f"{alphabet} {name}",
        f"{'BLACK-LETTER' if alphabet == 'FRAKTUR' else alphabet} {name}",
    ):
        try:
            return unicodedata.lookup(wanted)
        except KeyError:
            continue
    return "ℎ" if (sign, variant) == ("h", "italic") else sign


def _merged(children: Sequence[Element]) -> list[Element]:
    """Upright letters in a row are a word."""
    merged: list[Element] = []
    for child in children:
        upright = child.tag == "mi" and child.get("mathvariant") == "normal"
        if upright and merged and merged[-1].tag == "mi" and merged[-1].get("mathvariant") == "normal":
            merged[-1] = _made("mi", {"mathvariant": "normal"}, f"{merged[-1].text}{child.text}")
        else:
            merged.append(child)
    return merged


def _spaced(children: Sequence[Element]) -> list[Element]:
    """The small space between `log` and what it is taken of."""
    spaced: list[Element] = []
    for place, child in enumerate(children):
        spaced.append(child)
        core = child[0] if child.tag in ("msub", "msup", "munder", "msubsup") else child
        following = children[place + 1] if place + 1 < len(children) else None
        if core.get("operator") and following is not None and following.tag not in ("mo", "mspace"):
            spaced.append(_made("mspace", {"width": "0.167em", SPACED: "true"}))
    return spaced


# On the page


def as_html(tree: Element) -> str:
    """MathML on one line in which Markdown finds nothing to read.

    It stands in a span: for Python-Markdown, `<math>` at the beginning of a line ends the paragraph.
    """
    kind = "math math--block" if tree.get("display") else "math"
    return f'<span class="{kind}">{_element(tree)}</span>'


def _element(tree: Element) -> str:
    attributes = "".join(
        f' class="{value}"' if name == "columnalign" else f' {name}="{escape(value)}"'
        for name, value in tree.attrib.items()
        if name not in ("operator", SPACED)
    )
    inside = _told(tree.text or "") + "".join(map(_element, tree))
    return f"<{tree.tag}{attributes}>{inside}</{tree.tag}>"


def _told(text: str) -> str:
    return "".join(
        sign if sign.isalnum() or sign == " " or ord(sign) > 127 else f"&#{ord(sign)};" for sign in text
    )
