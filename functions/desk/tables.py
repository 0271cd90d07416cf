"""Readable tables for a terminal: columns as wide as what stands in them. Text of visitors is made
harmless."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

WIDEST = 48


def harmless(text: str) -> str:
    """`text` without what a terminal would obey; line ends and tabs stay."""
    return "".join(c if c in "\n\t" or unicodedata.category(c)[0] != "C" else "�" for c in text)


def table(header: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> str:
    """Lines of columns two blanks apart, or the words `empty` when there are no rows. Cells are cut at
    `WIDEST` characters, but for the last column, which is never cut."""
    if not rows:
        return empty
    last = len(header) - 1
    cells = [list(header)]
    for row in rows:
        texts = [harmless(str(cell)).replace("\n", " ") for cell in row]
        cells.append([text if i == last else _cut(text) for i, text in enumerate(texts)])
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"
