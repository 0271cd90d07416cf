"""A formula for print: MathML as nodes of JSON, which `site/templates/papers` sets.

A node is a list: its name, then what belongs to it. Only what `mathematics` lets through is met here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element

from bindery.mathematics import ROWS, SPACED

Node = list[Any]

_ACCENTS = {
    "^": "\u0302",
    "¯": "\u0304",
    "→": "\u20d7",
    "~": "\u0303",
    "˙": "\u0307",
    "¨": "\u0308",
    "´": "\u0301",
    "`": "\u0300",
    "˘": "\u0306",
    "ˇ": "\u030c",
    "˚": "\u030a",
}
_LINES = {"\u203e": "overline", "⏞": "overbrace", "⎴": "overbracket", "⏜": "overparen"}
_LINES_BELOW = {"_": "underline", "⏟": "underbrace", "⎵": "underbracket", "⏝": "underparen"}
_OPENING = frozenset("([{|‖⌊⌈⟨")


def as_print(tree: Element) -> Node:
    """The same tree as nodes: ["row", …], ["frac", over, under] and so on."""
    tag, text = tree.tag, tree.text or ""
    if tag in ("mi", "mn", "mo", "mtext"):
        return _printed_token(tree, text)
    if tag in ROWS:
        row = _row(list(tree))
        if tag == "msqrt":
            return ["sqrt", row]
        if tag == "mstyle" and tree.get("displaystyle"):
            level = tree.get("scriptlevel", "0")
            style = "display" if tree.get("displaystyle") == "true" else "inline"
            return [{"1": "script", "2": "sscript"}.get(level, style), row]
        return row
    if tag == "mspace":
        return ["row"] if tree.get(SPACED) else ["space", float((tree.get("width") or "0em")[:-2])]
    if tag == "mtable":
        return _printed_table(tree)
    parts = [as_print(child) for child in tree]
    if tag == "mfrac":
        return ["stack" if tree.get("linethickness") == "0" else "frac", *parts]
    if tag == "mroot":
        return ["root", parts[1], parts[0]]
    mark = tree[-1].text or ""
    if tag == "mover" and tree[1].tag == "mo" and mark in _ACCENTS:
        return ["accent", parts[0], _ACCENTS[mark]]
    lines = {"mover": _LINES, "munder": _LINES_BELOW}.get(tag, {})
    if mark in lines:
        return [lines[mark], parts[0]]
    below = {"msub": 1, "msubsup": 1, "munder": 1, "munderover": 1}.get(tag)
    above = {"msup": 1, "msubsup": 2, "mover": 1, "munderover": 2}.get(tag)
    side = "scripts" if tag in ("msub", "msup", "msubsup") else "limits"
    return [side, parts[0], parts[below] if below else None, parts[above] if above else None]


def _printed_token(tree: Element, text: str) -> Node:
    if not text:
        return ["row"]
    if tree.get("operator"):
        return ["op", text]
    if tree.tag in ("mn", "mtext") or len(text) > 1:
        return ["text", text]
    if tree.get("mathvariant") == "normal":
        return ["upright", text]
    if tree.get("minsize"):
        return ["big", text, float((tree.get("minsize") or "1em")[:-2])]
    return ["ordinary" if tree.get("lspace") == "0em" else "sign", text]


def _row(children: Sequence[Element]) -> Node:
    if len(children) == 1:
        return as_print(children[0])
    if children and children[0].get("form") == "prefix":
        if children[-1].get("form") == "postfix":
            return ["fenced", as_print(children[0]), _row(children[1:-1]), as_print(children[-1])]
        return ["fenced", as_print(children[0]), _row(children[1:])]  # the one brace of cases
    made: Node = ["row"]
    place = 0
    while place < len(children):
        child = children[place]
        middle = children[place + 1] if place + 2 < len(children) else None
        if child.tag == "mo" and child.text in _OPENING and middle is not None:
            low = middle.tag == "mfrac" and middle.get("linethickness") == "0" and child.get("minsize")
            if low or (middle.tag == "mtable" and children[place + 2].tag == "mo"):
                ends = [["sign", children[at].text or ""] for at in (place, place + 2)]
                made.append(["fenced", ends[0], as_print(middle), ends[1]])
                place += 3
                continue
        made.append(as_print(child))
        place += 1
    return made


def _printed_table(tree: Element) -> Node:
    rows = [[_row(list(cell)) for cell in row] for row in tree]
    first = list(tree[0]) if len(tree) else []
    sides = [cell.get("columnalign", "center") for cell in first]
    if tree.get("displaystyle") and sides[:2] in (["right", "left"], ["right"]):
        return ["lines", *rows]
    return ["matrix", sides[0] if sides else "center", *rows]
